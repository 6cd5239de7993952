//! What no file shows of routes, and circumstances do.
//!
//! - Who made a route: the kernel makes one to the network of each address; any other was made by hand.
//! - Its source, if it was given: a connected socket reports the source of packets.
//! - Whether its gateway was taken on trust (`onlink`): it was if no route reaches it.
//! - Whether its link is cut off.
//! - What the sender of a packet hears that an IPv6 route drops: a socket hears it.

mod probe;
mod sources;

use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;

use super::entry::{Entry, Hop, Tcp};
use super::snapshot::Snapshot;
use super::table;
use crate::error::Failure;
use crate::kernel::{Address, Kernel, flag};
use crate::net::rtnetlink::{Protocol, RouteType, Scope};
pub(super) use sources::{may_be_given, usual};

/// The name of the loopback.
const LOOPBACK: &str = "lo";

/// The metric of IPv6 routes that the kernel makes (net/ipv6.h, `IP6_RT_PRIO_ADDRCONF`).
pub(super) const METRIC_OF_KERNEL_V6: u32 = 256;

/// Returns the IPv4 routes of table `main` with what is inferred.
pub(super) fn main_v4(host: &Snapshot) -> Result<Vec<Entry>, Failure> {
    let mut entries = table::main_v4(host.routes_v4()?);
    let addresses = host.addresses_v4()?;
    find_makers_v4(&mut entries, addresses);
    // where there are rules, a socket may use another table
    if host.routes_v4()?.has_rules() == Some(false) {
        sources::find(host.kernel, &mut entries, addresses);
    }
    mark_onlink(&mut entries, addresses);
    mark_dead_links(host.kernel, &mut entries);
    Ok(entries)
}

/// Returns the IPv4 routes of table `local` with what is inferred.
pub(super) fn local_v4(host: &Snapshot) -> Result<Vec<Entry>, Failure> {
    let mut entries = host.local_v4()?;
    mark_dead_links(host.kernel, &mut entries);
    Ok(entries)
}

/// Returns the IPv6 routes of table `main` with what is inferred.
pub(super) fn main_v6(host: &Snapshot) -> Result<Vec<Entry>, Failure> {
    let routes = host.routes_v6()?;
    let mut entries = table::main_v6(routes);
    find_makers_v6(&mut entries, host.addresses_v6()?);
    probe::find_kinds(host.kernel, &mut entries, &table::local_v6(routes));
    mark_dead_links(host.kernel, &mut entries);
    Ok(entries)
}

/// Returns the IPv6 routes of table `local` with what is inferred.
pub(super) fn local_v6(host: &Snapshot) -> Result<Vec<Entry>, Failure> {
    let mut entries = table::local_v6(host.routes_v6()?);
    mark_dead_links(host.kernel, &mut entries);
    Ok(entries)
}

/// Takes the first route that looks like one that the kernel makes for an address for that one: a second one is somebody else's.
/// Its source is the address.
fn find_makers_v4(entries: &mut [Entry], addresses: &[Address]) {
    let mut makers: Vec<&Address> = addresses.iter().filter(|address| makes_route(address)).collect();
    for entry in entries {
        let is_usual = entry.kind == RouteType::Unicast && entry.scope == Scope::LINK && entry.tos == 0;
        if !is_usual || entry.gateway().is_some() || entry.tcp != Tcp::default() {
            continue;
        }
        let is_its = |address: &&Address| {
            entry.device() == Some(address.link.as_bytes())
                && address.network_v4().map(IpNet::V4) == Some(entry.destination)
        };
        if let Some(at) = makers.iter().position(is_its) {
            entry.protocol = Protocol::KERNEL;
            entry.source = Some(makers.remove(at).net.addr());
        }
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

/// Finds the kernel's routes by their metric, which others get only if it is given.
fn find_makers_v6(entries: &mut [Entry], addresses: &[Address]) {
    for entry in entries {
        let Some(Hop { gateway: None, device: Some(device), .. }) = entry.hop() else { continue };
        let is_its = entry.destination == table::multicast()
            || addresses.iter().any(|own| own.link == *device && own.net.trunc() == entry.destination);
        if is_its && entry.metric == METRIC_OF_KERNEL_V6 && entry.protocol == Protocol::BOOT {
            entry.protocol = Protocol::KERNEL;
        }
    }
}

/// Returns the address for which the kernel makes a route to a network over a link by itself.
pub(super) fn connected_address(addresses: &[Address], network: IpNet, device: &[u8]) -> Option<IpAddr> {
    let is_its = |address: &&Address| {
        address.link.as_bytes() == device
            && match network {
                IpNet::V4(network) => makes_route(address) && address.network_v4() == Some(network),
                IpNet::V6(_) => address.net.trunc() == network,
            }
    };
    addresses.iter().find(is_its).map(|address| address.net.addr())
}

/// What has been found out already. Routes that share a link or a router mostly stand together, so the last ones come first.
struct Known<T>(Vec<(T, bool)>);

impl<T: PartialEq> Known<T> {
    fn or_find(&mut self, key: T, find: impl FnOnce() -> bool) -> bool {
        if let Some((_, found)) = self.0.iter().rev().find(|(other, _)| *other == key) {
            return *found;
        }
        let found = find();
        self.0.push((key, found));
        found
    }
}

/// Marks gateways that no route reaches. IPv6's routes stay when the address goes that reached their gateway, so this says
/// something of IPv4's alone.
fn mark_onlink(entries: &mut [Entry], addresses: &[Address]) {
    let networks: Vec<(IpNet, OsString)> = entries.iter().filter_map(reached).collect();
    let is_reached = |gateway: IpAddr, device: &OsString| {
        device == LOOPBACK
            || networks.iter().any(|(net, link)| link == device && net.contains(&gateway))
            || addresses.iter().any(|own| own.net.addr() == gateway || is_near(own, device, gateway))
    };
    let mut known = Known(Vec::new());
    for hop in entries.iter_mut().flat_map(|entry| &mut entry.hops) {
        let (Some(gateway), Some(device)) = (hop.gateway, &hop.device) else { continue };
        hop.onlink = !known.or_find((gateway, device.clone()), || is_reached(gateway, device));
    }
}

/// Whether an address is on the network of an IPv4 address, to which there once was a route.
fn is_near(own: &Address, device: &OsString, address: IpAddr) -> bool {
    own.link == *device && own.network_v4().is_some_and(|network| IpNet::V4(network).contains(&address))
}

/// The network that an IPv4 route says to be on a link.
fn reached(entry: &Entry) -> Option<(IpNet, OsString)> {
    match (entry.hop()?, entry.kind) {
        (Hop { gateway: None, device: Some(device), .. }, RouteType::Unicast) => {
            (entry.scope >= Scope::LINK).then(|| (entry.destination, device.clone()))
        }
        _ => None,
    }
}

/// Marks next hops over links without a carrier, as the kernel does since Linux 4.3.
fn mark_dead_links(kernel: &Kernel, entries: &mut [Entry]) {
    if !kernel.has_file("/proc/sys/net/ipv4/conf/all/ignore_routes_with_linkdown") {
        return;
    }
    let mut known = Known(Vec::new());
    // this host's own addresses do not depend on a carrier
    let depends = |entry: &&mut Entry| !matches!(entry.kind, RouteType::Local | RouteType::Anycast);
    for hop in entries.iter_mut().filter(depends).flat_map(|entry| &mut entry.hops) {
        if let Some(device) = &hop.device {
            hop.linkdown = known.or_find(device.clone(), || is_without_carrier(kernel, device.as_bytes()));
        }
    }
}

/// Whether a link is up and has no carrier.
fn is_without_carrier(kernel: &Kernel, link: &[u8]) -> bool {
    // one that runs has one: the kernel finds out about both at the same time
    kernel.link_flags(link).is_ok_and(|flags| flags & (flag::UP | flag::RUNNING) == flag::UP)
        && kernel.link(link).is_ok_and(|link| link.flags & (flag::UP | flag::LOWER_UP) == flag::UP)
}
