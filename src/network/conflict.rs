//! What stands in the way of publications: ports that another network publishes, or a program of the host listens on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::context::Context;
use super::item::Item;
use super::publication::Publication;
use super::published::Part;
use super::spec::NetworkSpec;
use super::state::NetworkState;
use crate::firewall::traffic::Protocol;
use crate::kernel::{Kernel, Listener};

/// Why a port cannot be published.
#[derive(Debug)]
pub enum Conflict {
    /// This network publishes this.
    Network(Publication, String, Publication),
    /// A program listens at this address and port.
    Program(Publication, SocketAddr),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::Network(publication, network, other) => {
                write!(f, "{publication} cannot be published: network {network} publishes {other}")
            }
            Conflict::Program(publication, place) => {
                let option = if publication.protocol == Protocol::Tcp { "-ltnp" } else { "-lunp" };
                let port = place.port();
                write!(
                    f,
                    "{publication} cannot be published: a program of this host listens on {place}; publish another port, or \
                     stop the program: ss {option} 'sport = {port}'"
                )
            }
        }
    }
}

/// Returns the publications among the items of a network, each as its rules have it.
pub(crate) fn published(items: &[Item]) -> impl Iterator<Item = Publication> {
    items.iter().filter_map(|item| match item {
        Item::Publish(rule) if rule.part == Part::Arriving => Some(rule.publication),
        _ => None,
    })
}

/// Checks that nobody else has the ports that a network publishes.
///
/// # Errors
/// The first that somebody has.
pub(super) fn check(context: &Context, spec: &NetworkSpec, earlier: &NetworkState) -> Result<(), Conflict> {
    if spec.publish.is_empty() {
        return Ok(());
    }
    for (name, state) in context.states.networks() {
        let state = state.known().filter(|_| name != context.network);
        for other in state.iter().flat_map(|state| published(&state.items)) {
            if let Some(&publication) = spec.publish.iter().find(|publication| publication.conflicts(&other)) {
                return Err(Conflict::Network(publication, name, other));
            }
        }
    }
    let gateways: Vec<IpAddr> = spec.addresses.iter().map(ipnet::IpNet::addr).collect();
    let known: Vec<Publication> = published(&earlier.items).collect();
    for &publication in &spec.publish {
        let is_new = publication.split().iter().any(|part| !known.contains(part));
        let takes = |listener: &Listener| takes(&publication, listener, &gateways);
        if let Some(listener) = listeners(context.kernel, publication.protocol).into_iter().find(takes)
            && is_new
        {
            return Err(Conflict::Program(publication, SocketAddr::new(listener.address, listener.port)));
        }
    }
    Ok(())
}

fn listeners(kernel: &Kernel, protocol: Protocol) -> Vec<Listener> {
    match protocol {
        Protocol::Udp => Listener::all_udp(kernel),
        _ => Listener::all_tcp(kernel),
    }
}

/// Whether a publication takes connections from a program that listens.
fn takes(publication: &Publication, listener: &Listener, gateways: &[IpAddr]) -> bool {
    let Listener { address, port } = *listener;
    // a socket on :: has IPv4 connections too, unless it declines
    let is_of_family =
        address.is_ipv4() == publication.guest.is_ipv4() || address.is_ipv6() && address.is_unspecified();
    let is_reached = address.is_unspecified()
        || publication.address.map_or(!address.is_loopback() && !gateways.contains(&address), |own| own == address);
    publication.ports.contains(port) && is_of_family && is_reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_would_lose_their_connections() {
        let gateways = ["10.9.0.1".parse().unwrap()];
        for (publication, listener, wanted) in [
            ("80:10.9.0.7", "0.0.0.0:80", true),
            ("80:10.9.0.7", "[::]:80", true),
            ("80:10.9.0.7", "192.0.2.1:80", true),
            ("80-90:10.9.0.7", "192.0.2.1:90", true),
            ("80:10.9.0.7:81", "192.0.2.1:81", false),
            ("80:10.9.0.7", "127.0.0.1:80", false),
            ("80:10.9.0.7", "10.9.0.1:80", false),
            ("80:10.9.0.7", "[2001:db8::1]:80", false),
            ("80:[fd00::7]", "0.0.0.0:80", false),
            ("80:[fd00::7]", "[2001:db8::1]:80", true),
            ("192.0.2.2:80:10.9.0.7", "192.0.2.1:80", false),
            ("192.0.2.2:80:10.9.0.7", "192.0.2.2:80", true),
            ("192.0.2.2:80:10.9.0.7", "0.0.0.0:80", true),
        ] {
            let place: SocketAddr = listener.parse().unwrap();
            let listens = Listener { address: place.ip(), port: place.port() };
            assert_eq!(takes(&publication.parse().unwrap(), &listens, &gateways), wanted, "{publication} {listener}");
        }
    }
}
