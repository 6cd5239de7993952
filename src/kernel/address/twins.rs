//! One IPv4 address twice on a link, with different prefixes or peers. An ioctl about one of them answers for the first that has its
//! label; the routes that the kernel makes for each tell them apart.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};

use super::info::Address;
use crate::kernel::handle::Kernel;
use crate::kernel::link::flag;
use crate::kernel::route::{RouteV4, RoutesV4};
use crate::net::rtnetlink::{RouteType, Scope};

/// Corrects the addresses that look like an earlier one of their link. Of a link that is down there are no routes.
pub(super) fn tell_apart(kernel: &Kernel, addresses: &mut [Address]) {
    let twins: Vec<usize> = (0..addresses.len()).filter(|&at| is_twin(addresses, at)).collect();
    if twins.is_empty() {
        return;
    }
    let Ok(routes) = kernel.routes_v4() else { return };
    for (done, &at) in twins.iter().enumerate() {
        let is_up = kernel.link_flags(addresses[at].link.as_bytes()).is_ok_and(|flags| flags & flag::UP != 0);
        if !is_up {
            continue;
        }
        let is_known = |place: &usize| !twins[done..].contains(place);
        let known: Vec<&Address> = (0..addresses.len()).filter(is_known).map(|place| &addresses[place]).collect();
        if let Some(found) = find(&routes, &known, &addresses[at]) {
            addresses[at] = found;
        }
    }
}

/// Whether an address looks like an earlier one of its link. Those of a link stand one after the other.
fn is_twin(addresses: &[Address], at: usize) -> bool {
    let address = &addresses[at];
    let mut earlier = addresses[..at].iter().rev().take_while(|other| other.link == address.link);
    earlier.any(|other| other.label == address.label && other.net.addr() == address.net.addr())
}

/// Returns what an address is whose route no known address explains.
fn find(routes: &RoutesV4, known: &[&Address], address: &Address) -> Option<Address> {
    let IpNet::V4(own) = address.net else { return None };
    let explained: Vec<Ipv4Net> =
        known.iter().filter(|other| other.link == address.link).filter_map(|other| other.network_v4()).collect();
    let is_free = |route: &&RouteV4| is_connected(route, &address.link) && !explained.contains(&route.destination);
    let free: Vec<Ipv4Net> = routes.main.iter().filter(is_free).map(|route| route.destination).collect();
    let of_own = |net: &Ipv4Net| Ipv4Net::new(own.addr(), net.prefix_len()).ok();
    if let Some(net) = free.iter().find(|net| net.contains(&own.addr())) {
        let broadcast = Some(net.broadcast()).filter(|_| net.prefix_len() < 31);
        return Some(Address { net: of_own(net)?.into(), peer: None, broadcast, ..address.clone() });
    }
    if let Some(net) = free.first() {
        return Some(Address {
            net: of_own(net)?.into(),
            peer: Some(net.network()),
            broadcast: None,
            ..address.clone()
        });
    }
    let networks: Vec<Ipv4Net> = known.iter().filter_map(|other| other.network_v4()).collect();
    let broadcast = lone_broadcast(routes, &networks)?;
    Some(Address { net: Ipv4Net::from(own.addr()).into(), peer: None, broadcast: Some(broadcast), ..address.clone() })
}

/// Whether a route looks like one that the kernel makes for an address of a link.
fn is_connected(route: &RouteV4, link: &OsStr) -> bool {
    route.link.as_deref() == Some(link)
        && route.gateway.is_none()
        && route.kind == RouteType::Unicast
        && route.scope == Scope::LINK
        && route.tos == 0
}

/// Returns a broadcast address that is not the end of a network: it was given with an address that has no network.
fn lone_broadcast(routes: &RoutesV4, networks: &[Ipv4Net]) -> Option<Ipv4Addr> {
    let broadcasts = routes.local.iter().flatten().filter(|route| route.kind == RouteType::Broadcast);
    let is_end = |address: &Ipv4Addr| networks.iter().any(|net| [net.network(), net.broadcast()].contains(address));
    broadcasts.map(|route| route.destination.addr()).find(|address| !is_end(address) && !address.is_loopback())
}
