//! The routes of a table with all that is known of them, IPv4 and IPv6 alike, as they are printed and as they are looked for.
//!
//! Who made a route, its source address and whether its gateway was taken on trust stand in no file. They are inferred: the
//! kernel makes a route to the network of each address; a gateway that no link reaches must have been given with `onlink`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv6Net};
use nix::errno::Errno;

use super::names::{protocol, scope};
use super::sources;
use crate::kernel::{Address, Kernel, LocalRoute, Route, Route6, RouteKind, flag, flag6};

/// The one link that is a loopback.
const LOOPBACK: &str = "lo";

/// The metric of IPv6 routes that the kernel makes (net/ipv6.h, `IP6_RT_PRIO_ADDRCONF`).
pub(super) const METRIC_OF_KERNEL_V6: u32 = 256;

/// A route with all that is known of it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// What happens to a packet.
    pub(super) kind: RouteKind,
    /// Network that it leads to.
    pub(super) destination: IpNet,
    /// IPv6: only packets from this network, if it is not ::/0.
    pub(super) from: Option<Ipv6Net>,
    /// Only packets with this type of service, if it is not 0.
    pub(super) tos: u8,
    /// Where it leads; several for an IPv6 route that shares packets out.
    pub(super) hops: Vec<Hop>,
    /// Whether it is in the table `local`.
    pub(super) is_local: bool,
    /// Who made it (RTPROT_*), inferred.
    pub(super) protocol: u8,
    /// How far away its destinations are (RT_SCOPE_*).
    pub(super) scope: u8,
    /// The source address of packets, as far as it is not the one that the kernel chooses; inferred.
    pub(super) source: Option<IpAddr>,
    /// Preference among routes to one network, lower first.
    pub(super) metric: u32,
    /// What TCP is told, by keyword; 0 is not set.
    pub(super) tcp: Tcp,
    /// IPv6: a router's preference (RFC 4191), 0 for medium.
    pub(super) preference: u8,
}

/// One way that a route takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// Next router.
    pub(super) gateway: Option<IpAddr>,
    /// The link.
    pub(super) device: Option<OsString>,
    /// The gateway is taken to be on the link although no route says so; inferred.
    pub(super) onlink: bool,
    /// The link has no carrier.
    pub(super) linkdown: bool,
}

/// What a route tells TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tcp {
    /// Largest window.
    pub(super) window: u32,
    /// First guess at the time to the other end and back, in milliseconds.
    pub(super) round_trip: u32,
    /// Largest segment to announce.
    pub(super) segment: u32,
}

impl Entry {
    /// The gateway of a route that takes one way.
    pub(super) fn gateway(&self) -> Option<IpAddr> {
        self.hop().and_then(|hop| hop.gateway)
    }

    /// The link of a route that takes one way.
    pub(super) fn device(&self) -> Option<&[u8]> {
        self.hop().and_then(|hop| hop.device.as_deref()).map(OsStrExt::as_bytes)
    }

    fn hop(&self) -> Option<&Hop> {
        match &self.hops[..] {
            [hop] => Some(hop),
            _ => None,
        }
    }

    /// Whether packets that it stands for are dropped, or looked up elsewhere.
    pub(super) fn rejects(&self) -> bool {
        use RouteKind::{Blackhole, Prohibit, Throw, Unreachable};
        matches!(self.kind, Blackhole | Unreachable | Prohibit | Throw)
    }

    /// Whether a packet to this address can take it.
    pub(super) fn leads_to(&self, address: IpAddr) -> bool {
        self.destination.contains(&address)
    }
}

/// The IPv4 routes of table `main`, in the kernel's order.
pub(super) fn main_v4(kernel: &Kernel) -> Vec<Entry> {
    let addresses = kernel.addresses_v4().unwrap_or_default();
    let mut connected = Connected::of(&addresses);
    let entry = |route: &Route| {
        let source = connected.take(route);
        Entry {
            kind: route.kind,
            destination: route.destination.into(),
            from: None,
            tos: route.tos,
            hops: hops(route.gateway.map(IpAddr::V4), route.link.clone()),
            is_local: false,
            protocol: if source.is_some() { protocol::KERNEL } else { protocol::BOOT },
            scope: scope_number(route.scope),
            source,
            metric: route.metric,
            tcp: Tcp { window: route.window, round_trip: route.round_trip, segment: route.segment },
            preference: 0,
        }
    };
    let mut entries: Vec<Entry> = kernel.routes_v4().unwrap_or_default().iter().map(entry).collect();
    sources::find(kernel, &mut entries, &addresses);
    finish(kernel, entries)
}

fn hops(gateway: Option<IpAddr>, device: Option<OsString>) -> Vec<Hop> {
    match (gateway, device) {
        (None, None) => Vec::new(),
        (gateway, device) => vec![Hop { gateway, device, onlink: false, linkdown: false }],
    }
}

fn scope_number(name: &str) -> u8 {
    match name {
        "site" => scope::SITE,
        "link" => scope::LINK,
        "host" => scope::HOST,
        "nowhere" => scope::NOWHERE,
        _ => scope::GLOBAL,
    }
}

/// Addresses for whose network the kernel makes a route when their link comes up.
struct Connected<'a>(Vec<&'a Address>);

impl<'a> Connected<'a> {
    fn of(addresses: &'a [Address]) -> Self {
        Connected(addresses.iter().filter(|address| makes_route(address)).collect())
    }

    /// The address for which the kernel made this route. Each is used up by its route, for a second one is somebody else's.
    fn take(&mut self, route: &Route) -> Option<IpAddr> {
        if route.gateway.is_some() || route.kind != RouteKind::Unicast || route.scope != "link" || route.tos != 0 {
            return None;
        }
        let link = route.link.as_ref()?;
        let is_its = |address: &&Address| address.link == *link && address.network_v4() == Some(route.destination);
        let at = self.0.iter().position(is_its)?;
        Some(self.0.remove(at).net.addr())
    }
}

/// Whether the kernel makes a route of its own for an IPv4 address (net/ipv4/fib_frontend.c, `fib_add_ifaddr`).
fn makes_route(address: &Address) -> bool {
    let Some(network) = address.network_v4() else { return false };
    !address.secondary
        && address.link != LOOPBACK
        && network.addr().octets()[0] != 0
        && (network.prefix_len() < 32 || address.peer.is_some())
}

/// The address for which the kernel makes a route to this network over this link by itself.
pub(super) fn connected_address(kernel: &Kernel, network: IpNet, device: &[u8]) -> Option<IpAddr> {
    let is_its = |address: &Address| match network {
        IpNet::V4(network) => makes_route(address) && address.network_v4() == Some(network),
        IpNet::V6(_) => address.net.trunc() == network,
    };
    let addresses = match network {
        IpNet::V4(_) => kernel.addresses_v4_of(device).unwrap_or_default(),
        IpNet::V6(_) => kernel.addresses_v6(),
    };
    let mut its = addresses.iter().filter(|address| address.link.as_bytes() == device && is_its(address));
    its.next().map(|address| address.net.addr())
}

/// The IPv4 routes of table `local`, in the kernel's order. Their links and sources follow from the addresses.
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
            scope: scope_number(route.scope),
            source: owner.map(|owner| owner.net.addr()),
            metric: 0,
            tcp: Tcp::default(),
            preference: 0,
        }
    };
    finish(kernel, kernel.local_routes_v4().into_iter().map(entry).collect())
}

/// The address on whose account a route of table `local` is there, or rather the primary one of its network.
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
    let is_primary = |other: &&Address| {
        !other.secondary && other.link == address.link && other.network_v4() == address.network_v4()
    };
    addresses.iter().find(is_primary).or(Some(address))
}

/// The IPv6 routes of table `main`, in the kernel's order.
pub(super) fn main_v6(kernel: &Kernel) -> Vec<Entry> {
    let networks: BTreeSet<(OsString, IpNet)> =
        kernel.addresses_v6().into_iter().map(|address| (address.link, address.net.trunc())).collect();
    let routes = kernel.routes_v6();
    let all = [&routes.local[..], &routes.main].concat();
    let mut entries: Vec<Entry> = Vec::new();
    for route in &routes.main {
        let is_shared = entries.last().is_some_and(|last| shares_packets(last, route));
        let mut entry = entry_v6(kernel, route, &all, false);
        if entry.protocol == protocol::BOOT && entry.metric == METRIC_OF_KERNEL_V6 && entry.gateway().is_none() {
            let key = entry.hops.first().and_then(|hop| Some((hop.device.clone()?, entry.destination)));
            if key.is_some_and(|key| networks.contains(&key) || key.1 == multicast()) {
                entry.protocol = protocol::KERNEL;
            }
        }
        match entries.last_mut() {
            Some(last) if is_shared => last.hops.append(&mut entry.hops),
            _ => entries.push(entry),
        }
    }
    finish(kernel, entries)
}

/// `ff00::/8`, to which there is a route over every link.
fn multicast() -> IpNet {
    Ipv6Net::new(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8).map_or(IpNet::default(), IpNet::V6)
}

/// Whether the kernel takes two routes through routers for one that leads both ways (net/ipv6/ip6_fib.c,
/// `rt6_qualify_for_ecmp`).
fn shares_packets(last: &Entry, route: &Route6) -> bool {
    let has_gateway = |hop: &Hop| hop.gateway.is_some();
    route.gateway.is_some()
        && route.flags & flag6::ADDRCONF == 0
        && last.protocol == protocol::BOOT
        && last.destination == IpNet::V6(route.destination)
        && last.metric == route.metric
        && !last.hops.is_empty()
        && last.hops.iter().all(has_gateway)
}

/// The IPv6 routes of table `local`, in the kernel's order.
pub(super) fn local_v6(kernel: &Kernel) -> Vec<Entry> {
    let routes = kernel.routes_v6().local;
    finish(kernel, routes.iter().map(|route| entry_v6(kernel, route, &routes, true)).collect())
}

fn entry_v6(kernel: &Kernel, route: &Route6, all: &[Route6], is_local: bool) -> Entry {
    let has = |flag| route.flags & flag != 0;
    let kind = match () {
        () if has(flag6::REJECT) => kind_of_reject(kernel, route, all),
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
        hops: hops(route.gateway.map(IpAddr::V6), Some(route.link.clone())),
        is_local,
        protocol: made_by,
        scope: scope::GLOBAL,
        source: None,
        metric: route.metric,
        tcp: Tcp::default(),
        preference: (route.flags >> flag6::PREFERENCE_SHIFT & 3) as u8,
    }
}

/// The file says of an IPv6 route only that it drops packets. What their sender is told the kernel tells a socket, provided that
/// no other route leads to the address that is tried.
fn kind_of_reject(kernel: &Kernel, route: &Route6, all: &[Route6]) -> RouteKind {
    let Some(address) = address_only_in(route, all) else { return RouteKind::Unreachable };
    let from = Some(IpAddr::V6(Ipv6Addr::LOCALHOST));
    match kernel.source_to(address.into(), from, None) {
        Err(Errno::EINVAL) => RouteKind::Blackhole,
        Err(Errno::EACCES) => RouteKind::Prohibit,
        Err(Errno::ENETUNREACH) => RouteKind::Throw,
        // a route that was added by ioctl drops packets too, but rtnetlink has it for an ordinary one
        Ok(_) => RouteKind::Unicast,
        Err(_) => RouteKind::Unreachable,
    }
}

/// Some address to which this route leads and no other.
fn address_only_in(route: &Route6, all: &[Route6]) -> Option<Ipv6Addr> {
    let network = route.destination;
    let host_bits = !u128::from(network.netmask());
    let leads_elsewhere = |address: &Ipv6Addr| {
        let comes_first = |other: &&Route6| match other.destination == network {
            true => other.metric < route.metric,
            false => other.destination.prefix_len() > network.prefix_len() && other.destination.contains(address),
        };
        all.iter().any(|other| comes_first(&other))
    };
    let patterns = [u128::MAX, 1, 0, u128::MAX / 3, 0x2001 << 112 | 0x77, 0x2a00 << 112 | 0x77];
    let addresses = patterns.map(|pattern| Ipv6Addr::from(u128::from(network.network()) | pattern & host_bits));
    let usable =
        |address: &Ipv6Addr| !address.is_multicast() && !address.is_unicast_link_local() && !leads_elsewhere(address);
    addresses.into_iter().find(usable)
}

/// What follows from the links, and from the other routes.
fn finish(kernel: &Kernel, mut entries: Vec<Entry>) -> Vec<Entry> {
    let marks_dead_links = kernel.marks_dead_links();
    let mut cut_off: BTreeMap<OsString, bool> = BTreeMap::new();
    let on_links: Vec<(IpNet, OsString)> = entries.iter().filter_map(reached).collect();
    let mut reachable: BTreeMap<(IpAddr, OsString), bool> = BTreeMap::new();
    for entry in &mut entries {
        let host_scope = entry.kind == RouteKind::Local || entry.kind == RouteKind::Anycast;
        for hop in &mut entry.hops {
            let Some(device) = &hop.device else { continue };
            if marks_dead_links && !host_scope {
                let has_no_carrier = || is_without_carrier(kernel, device.as_bytes());
                hop.linkdown = *cut_off.entry(device.clone()).or_insert_with(has_no_carrier);
            }
            // IPv6's routes stay when the address goes that reached their gateway
            if let Some(gateway @ IpAddr::V4(_)) = hop.gateway {
                let reaches = |(net, link): &(IpNet, OsString)| link == device && net.contains(&gateway);
                let key = (gateway, device.clone());
                let is_reachable = *reachable.entry(key).or_insert_with(|| on_links.iter().any(reaches));
                hop.onlink = !is_reachable && device != LOOPBACK && !is_own_v4(kernel, gateway);
            }
        }
    }
    entries
}

/// The network that an IPv4 route says to be on a link.
fn reached(entry: &Entry) -> Option<(IpNet, OsString)> {
    match (&entry.hops[..], entry.kind) {
        ([Hop { gateway: None, device: Some(device), .. }], RouteKind::Unicast) => {
            (entry.scope >= scope::LINK).then(|| (entry.destination, device.clone()))
        }
        _ => None,
    }
}

/// Whether this is an address of this host.
fn is_own_v4(kernel: &Kernel, address: IpAddr) -> bool {
    kernel.addresses_v4().unwrap_or_default().iter().any(|other| other.net.addr() == address)
}

fn is_without_carrier(kernel: &Kernel, link: &[u8]) -> bool {
    kernel.link(link).is_ok_and(|link| link.flags & flag::UP != 0 && link.flags & flag::LOWER_UP == 0)
}
