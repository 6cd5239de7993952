//! The routes of a table, as far as files show them.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::entry::{Entry, Hop, Tcp};
use crate::kernel::{RouteV4, RouteV6, RoutesV4, RoutesV6, flag6};
use crate::net::rtnetlink::{Protocol, RouteType, Scope};

/// Returns the IPv4 routes of table `main`, in the kernel's order. The files do not show who made them.
pub(super) fn main_v4(routes: &RoutesV4) -> Vec<Entry> {
    let entry = |route: &RouteV4| Entry {
        kind: route.kind,
        destination: route.destination.into(),
        from: None,
        tos: route.tos,
        hops: hops(route.gateway.map(IpAddr::V4), route.link.clone()),
        is_local: false,
        protocol: Protocol::BOOT,
        scope: route.scope,
        source: None,
        metric: route.metric,
        tcp: Tcp { window: route.window, rtt: route.rtt, advmss: route.advmss },
        preference: 0,
    };
    routes.main.iter().map(entry).collect()
}

fn hops(gateway: Option<IpAddr>, device: Option<OsString>) -> Vec<Hop> {
    match (gateway, device) {
        (None, None) => Vec::new(),
        (gateway, device) => vec![Hop::to(gateway, device)],
    }
}

/// Returns the IPv6 routes of table `main`, in the kernel's order. Those that drop packets are taken for `unreachable` ones.
pub(super) fn main_v6(routes: &RoutesV6) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for route in &routes.main {
        let is_shared = entries.last().is_some_and(|last| shares_packets(last, route));
        let mut entry = entry_v6(route, false);
        match entries.last_mut() {
            Some(last) if is_shared => last.hops.append(&mut entry.hops),
            _ => entries.push(entry),
        }
    }
    entries
}

/// Whether the kernel takes two routes through routers for one with two next hops (net/ipv6/ip6_fib.c,
/// `rt6_qualify_for_ecmp`).
fn shares_packets(last: &Entry, route: &RouteV6) -> bool {
    route.gateway.is_some()
        && route.flags & flag6::ADDRCONF == 0
        && last.protocol == Protocol::BOOT
        && last.destination == IpNet::V6(route.destination)
        && last.metric == route.metric
        && !last.hops.is_empty()
        && last.hops.iter().all(|hop| hop.gateway.is_some())
}

/// Returns the IPv6 routes of table `local`, in the kernel's order.
pub(super) fn local_v6(routes: &RoutesV6) -> Vec<Entry> {
    routes.local.iter().map(|route| entry_v6(route, true)).collect()
}

/// Returns `ff00::/8`, to which there is a route over every link.
pub(super) fn multicast() -> IpNet {
    Ipv6Net::new(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8).map_or(IpNet::default(), IpNet::V6)
}

fn entry_v6(route: &RouteV6, is_local: bool) -> Entry {
    let has = |flag| route.flags & flag != 0;
    let kind = match () {
        () if has(flag6::REJECT) => RouteType::Unreachable,
        () if has(flag6::LOCAL) => RouteType::Local,
        () if has(flag6::ANYCAST) => RouteType::Anycast,
        () if is_local && IpNet::V6(route.destination) == multicast() => RouteType::Multicast,
        () => RouteType::Unicast,
    };
    let protocol = match () {
        () if is_local => Protocol::KERNEL,
        () if has(flag6::ADDRCONF) && has(flag6::DEFAULT | flag6::ROUTEINFO) => Protocol::RA,
        () if has(flag6::ADDRCONF) => Protocol::KERNEL,
        () => Protocol::BOOT,
    };
    Entry {
        kind,
        destination: route.destination.into(),
        from: (route.source.prefix_len() != 0).then_some(route.source),
        tos: 0,
        hops: hops(route.gateway.map(IpAddr::V6), Some(route.link.clone())),
        is_local,
        protocol,
        scope: Scope::GLOBAL,
        source: None,
        metric: route.metric,
        tcp: Tcp::default(),
        preference: (route.flags >> flag6::PREFERENCE_SHIFT & 3) as u8,
    }
}
