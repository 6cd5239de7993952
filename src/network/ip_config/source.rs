//! The source of an IPv4 route, which no file shows: a socket reports which one packets have. If it is another one than the kernel
//! would choose, the route was given it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::kernel::{Address, Kernel, RouteV4};

/// Returns the source that the route at this place was given.
pub(super) fn given_source(kernel: &Kernel, routes: &[RouteV4], at: usize, addresses: &[Address]) -> Option<Ipv4Addr> {
    let route = routes.get(at)?;
    // with one address there is no choice
    if addresses.iter().filter(|address| !address.net.addr().is_loopback()).count() < 2 {
        return None;
    }
    let address = address_only_in(routes, at, addresses)?;
    match kernel.source_to(address.into(), None, None) {
        Ok(IpAddr::V4(source)) if Some(source) != usual(route, addresses) => Some(source),
        _ => None,
    }
}

/// Returns the source that the kernel chooses for a route by itself (net/ipv4/devinet.c, `inet_select_addr`).
fn usual(route: &RouteV4, addresses: &[Address]) -> Option<Ipv4Addr> {
    let is_primary = |address: &&Address| !address.secondary && Some(&address.link) == route.link.as_ref();
    let mut primary = addresses.iter().filter(is_primary);
    let first = primary.clone().next();
    let is_near = |address: &&Address| match route.gateway {
        Some(gateway) => address.network_v4().is_some_and(|network| network.contains(&gateway)),
        None => true,
    };
    match primary.find(is_near).or(first)?.net {
        IpNet::V4(net) => Some(net.addr()),
        IpNet::V6(_) => None,
    }
}

/// Returns some address to which the route at this place leads and no other one, and which is not this host's.
fn address_only_in(routes: &[RouteV4], at: usize, addresses: &[Address]) -> Option<Ipv4Addr> {
    let net = routes.get(at)?.destination;
    let leads_elsewhere = |address: Ipv4Addr| {
        let comes_first = |(place, other): (usize, &RouteV4)| {
            let is_closer = other.destination.prefix_len() > net.prefix_len();
            (is_closer || other.destination == net && place < at) && other.destination.contains(&address)
        };
        routes.iter().enumerate().any(comes_first)
    };
    let is_own = |address: Ipv4Addr| {
        addresses.iter().any(|own| {
            let is_end = own.network_v4().is_some_and(|own| [own.network(), own.broadcast()].contains(&address));
            own.net.addr() == IpAddr::V4(address) || own.broadcast == Some(address) || is_end
        })
    };
    let is_ordinary = |address: Ipv4Addr| {
        !(address.is_multicast() || address.is_unspecified() || address.is_loopback() || address.is_broadcast())
    };
    let host_bits = !u32::from(net.netmask());
    let candidates = [1, u32::MAX - 1, u32::MAX / 3, 0x0909_0909, 0xc633_6407, 0];
    candidates
        .into_iter()
        .map(|pattern| Ipv4Addr::from(u32::from(net.network()) | pattern & host_bits))
        .find(|&address| is_ordinary(address) && !is_own(address) && !leads_elsewhere(address))
}
