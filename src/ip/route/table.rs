//! The routes of a table, as far as files tell of them. What they do not tell [`super::infer`] adds.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::entry::{Entry, Hop, Tcp};
use super::names::{protocol, scope};
use crate::kernel::{Address, Kernel, LocalRoute, Route, Route6, RouteKind, flag6};

/// The IPv4 routes of table `main`, in the kernel's order. Who made them is not told.
pub(super) fn main_v4(kernel: &Kernel) -> Vec<Entry> {
    let entry = |route: Route| Entry {
        kind: route.kind,
        destination: route.destination.into(),
        from: None,
        tos: route.tos,
        hops: hops(route.gateway.map(IpAddr::V4), route.link),
        is_local: false,
        protocol: protocol::BOOT,
        scope: route.scope.0,
        source: None,
        metric: route.metric,
        tcp: Tcp { window: route.window, round_trip: route.round_trip, segment: route.segment },
        preference: 0,
    };
    kernel.routes_v4().unwrap_or_default().main.into_iter().map(entry).collect()
}

fn hops(gateway: Option<IpAddr>, device: Option<OsString>) -> Vec<Hop> {
    match (gateway, device) {
        (None, None) => Vec::new(),
        (gateway, device) => vec![Hop::to(gateway, device)],
    }
}

/// The IPv4 routes of table `local`, in the kernel's order. Their links and sources are those of the addresses that they are
/// there for.
pub(super) fn local_v4(kernel: &Kernel) -> Vec<Entry> {
    let addresses = kernel.addresses_v4().unwrap_or_default();
    let entry = |route: LocalRoute| {
        let owner = owner_of(&addresses, &route);
        Entry {
            kind: route.kind,
            destination: route.destination.into(),
            from: None,
            tos: 0,
            hops: hops(None, owner.map(|owner| owner.link.clone())),
            is_local: true,
            protocol: protocol::KERNEL,
            scope: route.scope.0,
            source: owner.map(|owner| owner.net.addr()),
            metric: 0,
            tcp: Tcp::default(),
            preference: 0,
        }
    };
    kernel.local_routes_v4().into_iter().map(entry).collect()
}

/// The address for which a route of table `local` is there, or rather the primary one of its network.
fn owner_of<'a>(addresses: &'a [Address], route: &LocalRoute) -> Option<&'a Address> {
    let destination = route.destination;
    let is_its = |address: &&Address| {
        let (IpNet::V4(net), Some(network)) = (address.net, address.network_v4()) else { return false };
        match route.kind {
            RouteKind::Broadcast => {
                address.broadcast == Some(destination.addr())
                    || [network.broadcast(), network.network()].contains(&destination.addr())
            }
            // 127.0.0.0/8 by 127.0.0.1
            _ if destination.prefix_len() < 32 => network == destination,
            _ => net.addr() == destination.addr(),
        }
    };
    let address = addresses.iter().find(is_its)?;
    let is_primary =
        |other: &&Address| !other.secondary && other.link == address.link && other.network_v4() == address.network_v4();
    addresses.iter().find(is_primary).or(Some(address))
}

/// The IPv6 routes of table `main`, in the kernel's order. Of those that drop packets it is not told what the sender hears.
pub(super) fn main_v6(kernel: &Kernel) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for route in kernel.routes_v6().unwrap_or_default().main {
        let is_shared = entries.last().is_some_and(|last| shares_packets(last, &route));
        let mut entry = entry_v6(route, false);
        match entries.last_mut() {
            Some(last) if is_shared => last.hops.append(&mut entry.hops),
            _ => entries.push(entry),
        }
    }
    entries
}

/// Whether the kernel takes two routes through routers for one that leads both ways (net/ipv6/ip6_fib.c,
/// `rt6_qualify_for_ecmp`).
fn shares_packets(last: &Entry, route: &Route6) -> bool {
    route.gateway.is_some()
        && route.flags & flag6::ADDRCONF == 0
        && last.protocol == protocol::BOOT
        && last.destination == IpNet::V6(route.destination)
        && last.metric == route.metric
        && !last.hops.is_empty()
        && last.hops.iter().all(|hop| hop.gateway.is_some())
}

/// The IPv6 routes of table `local`, in the kernel's order.
pub(super) fn local_v6(kernel: &Kernel) -> Vec<Entry> {
    kernel.routes_v6().unwrap_or_default().local.into_iter().map(|route| entry_v6(route, true)).collect()
}

/// `ff00::/8`, to which there is a route over every link.
pub(super) fn multicast() -> IpNet {
    Ipv6Net::new(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8).map_or(IpNet::default(), IpNet::V6)
}

fn entry_v6(route: Route6, is_local: bool) -> Entry {
    let has = |flag| route.flags & flag != 0;
    let kind = match () {
        () if has(flag6::REJECT) => RouteKind::Unreachable,
        () if has(flag6::LOCAL) => RouteKind::Local,
        () if has(flag6::ANYCAST) => RouteKind::Anycast,
        () if is_local && IpNet::V6(route.destination) == multicast() => RouteKind::Multicast,
        () => RouteKind::Unicast,
    };
    let made_by = match () {
        () if is_local => protocol::KERNEL,
        () if has(flag6::ADDRCONF) && has(flag6::DEFAULT | flag6::ROUTEINFO) => protocol::RA,
        () if has(flag6::ADDRCONF) => protocol::KERNEL,
        () => protocol::BOOT,
    };
    Entry {
        kind,
        destination: route.destination.into(),
        from: (route.source.prefix_len() != 0).then_some(route.source),
        tos: 0,
        hops: hops(route.gateway.map(IpAddr::V6), Some(route.link)),
        is_local,
        protocol: made_by,
        scope: scope::GLOBAL,
        source: None,
        metric: route.metric,
        tcp: Tcp::default(),
        preference: (route.flags >> flag6::PREFERENCE_SHIFT & 3) as u8,
    }
}
