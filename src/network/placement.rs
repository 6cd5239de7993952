//! Whether the addresses of a network can work where they are put: guests have room, and nothing else leads there.

use std::ffi::OsStr;
use std::fmt;

use ipnet::{IpNet, Ipv4Net};

use super::context::Context;
use super::item::Item;
use super::spec::NetworkSpec;
use crate::inspect::route::Route;
use crate::inspect::snapshot::HostSnapshot;
use crate::net::Family;
use crate::net::rtnetlink::Scope;
use crate::shell::quoted_name;

/// Why an address cannot be a bridge's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// It stands for the network as a whole.
    Network(IpNet),
    /// It is the network's broadcast address.
    Broadcast(IpNet),
    /// No guest has room beside it, or all addresses are in the network.
    Room(IpNet),
}

impl Misplaced {
    /// Returns what is wrong with the address of a bridge, if something is.
    pub fn of(net: IpNet) -> Option<Self> {
        let bits = net.max_prefix_len() - net.prefix_len();
        match net {
            _ if bits == 0 || net.prefix_len() == 0 => Some(Misplaced::Room(net)),
            // two addresses have neither (RFC 3021, RFC 6164)
            _ if bits == 1 => None,
            _ if net.addr() == net.network() => Some(Misplaced::Network(net)),
            IpNet::V4(own) if own.addr() == own.broadcast() => Some(Misplaced::Broadcast(net)),
            _ => None,
        }
    }

    /// Returns what is wrong.
    pub fn what(self) -> &'static str {
        match self {
            Misplaced::Network(_) => "this is the address of the network itself",
            Misplaced::Broadcast(_) => "this is the broadcast address",
            Misplaced::Room(_) => "this prefix is no network of guests",
        }
    }

    /// Whether somebody may want it all the same, such as a host that routes each guest's address.
    pub fn can_be_forced(self) -> bool {
        matches!(self, Misplaced::Room(_))
    }
}

/// What is wrong, and what to do about it.
impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what())?;
        match self {
            Misplaced::Network(net) | Misplaced::Broadcast(net) => {
                f.write_str(": give the bridge one of its own")?;
                let own = net.hosts().find(|address| *address != net.network());
                own.map_or(Ok(()), |own| write!(f, ", such as {own}/{}", net.prefix_len()))
            }
            Misplaced::Room(net) => {
                let length = if net.addr().is_ipv4() { 24 } else { 64 };
                write!(f, ": give another one, such as {}/{length}, or --force", net.addr())
            }
        }
    }
}

/// What else leads to addresses of a network.
#[derive(Debug)]
pub struct Overlap {
    net: IpNet,
    other: String,
    free: Option<IpNet>,
}

impl Overlap {
    /// Returns what is wrong.
    pub fn what(&self) -> String {
        format!("{} overlaps {}", self.net, self.other)
    }
}

/// What is wrong, and what to do about it.
impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: choose another network", self.what())?;
        if let Some(free) = self.free.filter(|_| self.net.addr().is_ipv4()) {
            write!(f, ", such as {free}")?;
        }
        f.write_str(", or --force")
    }
}

/// Returns what overlaps the addresses that the bridge does not have yet: another network of brouter's, an address of another link,
/// or a route over one. Where addresses or routes cannot be read, nothing is known to.
pub(super) fn overlap(context: &Context, host: &HostSnapshot, spec: &NetworkSpec) -> Option<Overlap> {
    let has = |net: &IpNet| {
        host.addresses_on(context.bridge.as_ref(), Family::of(net))
            .is_ok_and(|there| there.iter().any(|own| own.net == *net))
    };
    let is_linked = |net: &IpNet| matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local());
    let new = spec.addresses.iter().filter(|net| !is_linked(net) && !has(net));
    new.into_iter().find_map(|net| {
        let other =
            of_network(context, net).or_else(|| of_link(host, spec, net)).or_else(|| of_route(host, spec, net))?;
        Some(Overlap { net: *net, other, free: free(host) })
    })
}

fn of_network(context: &Context, net: &IpNet) -> Option<String> {
    let others = context.states.networks().into_iter().filter(|(name, _)| *name != context.network);
    let known = others.filter_map(|(name, state)| Some((name, state.known()?)));
    known.filter(|(_, state)| state.bridge != context.bridge).find_map(|(name, state)| {
        let found = state.items.iter().find(|item| matches!(item, Item::Address(other) if overlaps(net, other)))?;
        Some(format!("{found} of network {name}"))
    })
}

/// Whether a link is the bridge, or brings it what is behind it.
fn is_own(spec: &NetworkSpec, link: &OsStr) -> bool {
    link == spec.bridge.as_str() || link == "lo" || spec.ports.iter().any(|port| link == port.as_str())
}

fn of_link(host: &HostSnapshot, spec: &NetworkSpec, net: &IpNet) -> Option<String> {
    let mut addresses = host.addresses(Family::of(net)).unwrap_or_default().iter();
    let is_other = |link: &std::ffi::OsStr| !is_own(spec, link);
    let found =
        addresses.find(|other| other.scope != Scope::LINK && is_other(&other.link) && overlaps(net, &other.net))?;
    Some(format!("address {} of {}", found.net, found.link.display()))
}

fn of_route(host: &HostSnapshot, spec: &NetworkSpec, net: &IpNet) -> Option<String> {
    // what leads anywhere may be split: 0.0.0.0/1 and 128.0.0.0/1, or 2000::/3
    let shortest = if net.addr().is_ipv4() { 2 } else { 4 };
    let mut routes = host.routes(Family::of(net)).unwrap_or_default().iter();
    let found = routes.find(|route| {
        route.destination.prefix_len() >= shortest
            && !is_own(spec, &route.interface)
            && overlaps(net, &route.destination)
    })?;
    let via = found.gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
    Some(format!("route {}{via} dev {}", found.destination, quoted_name(&found.interface)))
}

/// Returns whether two networks have addresses in common.
pub(crate) fn overlaps(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Returns an address in a network that nobody has.
pub(crate) fn free(host: &HostSnapshot) -> Option<IpNet> {
    let mut nets = (10..=255).map(|number| IpNet::V4(Ipv4Net::new_assert([192, 168, number, 1].into(), 24)));
    nets.find(|net| {
        let is_there = host.addresses(Family::V4).unwrap_or_default().iter().any(|own| overlaps(&own.net, net));
        let leads_there = |route: &Route| !route.is_default() && overlaps(&route.destination, net);
        !is_there && !host.routes(Family::V4).unwrap_or_default().iter().any(leads_there)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_a_bridge_can_have() {
        let found = |text: &str| Misplaced::of(text.parse().unwrap()).map(|found| found.to_string());
        for good in [
            "10.0.0.1/24",
            "10.0.0.0/31",
            "10.0.0.1/31",
            "10.0.1.0/23",
            "10.0.0.255/23",
            "fd00::1/64",
            "fd00::ffff/112",
            "fd00::/127",
        ] {
            assert_eq!(found(good), None, "{good}");
        }
        for (bad, wanted) in [
            (
                "10.3.0.0/24",
                "this is the address of the network itself: give the bridge one of its own, such as 10.3.0.1/24",
            ),
            ("10.0.0.255/24", "this is the broadcast address: give the bridge one of its own, such as 10.0.0.1/24"),
            ("10.0.0.3/30", "this is the broadcast address: give the bridge one of its own, such as 10.0.0.1/30"),
            (
                "fd00::/64",
                "this is the address of the network itself: give the bridge one of its own, such as fd00::1/64",
            ),
            ("10.0.0.1/32", "this prefix is no network of guests: give another one, such as 10.0.0.1/24, or --force"),
            ("10.0.0.1/0", "this prefix is no network of guests: give another one, such as 10.0.0.1/24, or --force"),
            ("fd00::1/128", "this prefix is no network of guests: give another one, such as fd00::1/64, or --force"),
        ] {
            assert_eq!(found(bad).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn networks_that_overlap() {
        let overlap = |one: &str, other: &str| overlaps(&one.parse().unwrap(), &other.parse().unwrap());
        for (one, other) in
            [("10.9.0.1/24", "10.9.0.0/25"), ("10.9.0.1/24", "10.0.0.0/8"), ("10.9.0.1/24", "10.9.0.77/32")]
        {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        assert!(!overlap("10.9.0.1/24", "10.9.1.0/24") && !overlap("10.9.0.1/24", "fd00::/8"));
    }
}
