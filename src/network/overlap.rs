//! What else leads to the addresses of a network, and networks to which nothing does.

use std::ffi::OsStr;
use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};

use super::context::Context;
use super::item::Item;
use super::spec::NetworkSpec;
use crate::inspect::route::Route;
use crate::inspect::snapshot::HostSnapshot;
use crate::net::rtnetlink::Scope;
use crate::net::{Family, class_prefix};
use crate::shell::quoted_name;

/// How often, and after how long, it is looked again at what may be gone in a moment.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(25);

/// What else leads to addresses of a network.
#[derive(Debug)]
pub struct Overlap {
    net: IpNet,
    other: String,
    free: Option<IpNet>,
    /// It has the prefix of its class, as an address has between the two ioctls of who sets it.
    may_pass: bool,
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
    let mut found = look(context, host, spec)?;
    for _ in 0..LOOKS {
        if !found.may_pass {
            break;
        }
        sleep(PAUSE);
        found = look(context, &context.snapshot(), spec)?;
    }
    Some(found)
}

fn look(context: &Context, host: &HostSnapshot, spec: &NetworkSpec) -> Option<Overlap> {
    let has = |net: &IpNet| {
        host.addresses_on(context.bridge.as_ref(), Family::of(net))
            .is_ok_and(|there| there.iter().any(|own| own.net == *net))
    };
    let is_linked = |net: &IpNet| matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local());
    let new = spec.addresses.iter().filter(|net| !is_linked(net) && !has(net));
    new.into_iter().find_map(|net| {
        let (other, may_pass) = match of_network(context, net) {
            Some(network) => (network, false),
            None => of_link(host, spec, net).or_else(|| of_route(host, spec, net))?,
        };
        Some(Overlap { net: *net, other, free: free(host), may_pass })
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

fn is_of_class(net: &IpNet) -> bool {
    matches!(net, IpNet::V4(net) if net.prefix_len() == class_prefix(net.addr()))
}

/// Whether a link is the bridge, or brings it what is behind it.
fn is_own(spec: &NetworkSpec, link: &OsStr) -> bool {
    link == spec.bridge.as_str() || link == "lo" || spec.ports.iter().any(|port| link == port.as_str())
}

fn of_link(host: &HostSnapshot, spec: &NetworkSpec, net: &IpNet) -> Option<(String, bool)> {
    let mut addresses = host.addresses(Family::of(net)).unwrap_or_default().iter();
    let is_other = |link: &std::ffi::OsStr| !is_own(spec, link);
    let found =
        addresses.find(|other| other.scope != Scope::LINK && is_other(&other.link) && overlaps(net, &other.net))?;
    Some((format!("address {} of {}", found.net, found.link.display()), is_of_class(&found.net)))
}

fn of_route(host: &HostSnapshot, spec: &NetworkSpec, net: &IpNet) -> Option<(String, bool)> {
    // what leads anywhere may be split: 0.0.0.0/1 and 128.0.0.0/1, or 2000::/3
    let shortest = if net.addr().is_ipv4() { 2 } else { 4 };
    let mut routes = host.routes(Family::of(net)).unwrap_or_default().iter();
    let found = routes.find(|route| {
        route.destination.prefix_len() >= shortest
            && !is_own(spec, &route.interface)
            && overlaps(net, &route.destination)
    })?;
    let via = found.gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
    let text = format!("route {}{via} dev {}", found.destination, quoted_name(&found.interface));
    Some((text, is_of_class(&found.destination)))
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
