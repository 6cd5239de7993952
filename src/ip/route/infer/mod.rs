//! What no file tells of routes, and what is told by circumstances.
//!
//! - Who made a route: the kernel makes one to the network of each address; any other was made by hand.
//! - Its source, if it was given: a socket is told which one packets have.
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
use super::names::{protocol, scope};
use super::table;
use crate::kernel::{Address, Kernel, RouteKind};
pub(super) use sources::may_be_given;

/// The one link that is a loopback.
const LOOPBACK: &str = "lo";

/// The metric of IPv6 routes that the kernel makes (net/ipv6.h, `IP6_RT_PRIO_ADDRCONF`).
pub(super) const METRIC_OF_KERNEL_V6: u32 = 256;

/// The IPv4 routes of table `main` with what is inferred.
pub(super) fn main_v4(kernel: &Kernel) -> Vec<Entry> {
    let addresses = kernel.addresses_v4().unwrap_or_default();
    let mut entries = table::main_v4(kernel);
    find_makers_v4(&mut entries, &addresses);
    sources::find(kernel, &mut entries, &addresses);
    mark_onlink(&mut entries, &addresses);
    mark_dead_links(kernel, &mut entries);
    entries
}

/// The IPv4 routes of table `local` with what is inferred.
pub(super) fn local_v4(kernel: &Kernel) -> Vec<Entry> {
    let mut entries = table::local_v4(kernel);
    mark_dead_links(kernel, &mut entries);
    entries
}

/// The IPv6 routes of table `main` with what is inferred.
pub(super) fn main_v6(kernel: &Kernel) -> Vec<Entry> {
    let mut entries = table::main_v6(kernel);
    find_makers_v6(kernel, &mut entries);
    probe::find_kinds(kernel, &mut entries);
    mark_dead_links(kernel, &mut entries);
    entries
}

/// The IPv6 routes of table `local` with what is inferred.
pub(super) fn local_v6(kernel: &Kernel) -> Vec<Entry> {
    let mut entries = table::local_v6(kernel);
    mark_dead_links(kernel, &mut entries);
    entries
}

/// The first route that looks like one that the kernel makes for an address is taken for it, for a second one is somebody
/// else's. Its source is the address.
fn find_makers_v4(entries: &mut [Entry], addresses: &[Address]) {
    let mut makers: Vec<&Address> = addresses.iter().filter(|address| makes_route(address)).collect();
    for entry in entries {
        let is_usual = entry.kind == RouteKind::Unicast && entry.scope == scope::LINK && entry.tos == 0;
        if !is_usual || entry.gateway().is_some() || entry.tcp != Tcp::default() {
            continue;
        }
        let is_its = |address: &&Address| {
            entry.device() == Some(address.link.as_bytes())
                && address.network_v4().map(IpNet::V4) == Some(entry.destination)
        };
        if let Some(at) = makers.iter().position(is_its) {
            entry.protocol = protocol::KERNEL;
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

/// The kernel's routes have a metric that others get only if they are given it.
fn find_makers_v6(kernel: &Kernel, entries: &mut [Entry]) {
    let networks: Vec<(OsString, IpNet)> = kernel
        .addresses_v6()
        .unwrap_or_default()
        .into_iter()
        .map(|address| (address.link, address.net.trunc()))
        .collect();
    for entry in entries {
        let Some(Hop { gateway: None, device: Some(device), .. }) = entry.hop() else { continue };
        let is_its = networks.iter().any(|(link, net)| link == device && *net == entry.destination)
            || entry.destination == table::multicast();
        if is_its && entry.metric == METRIC_OF_KERNEL_V6 && entry.protocol == protocol::BOOT {
            entry.protocol = protocol::KERNEL;
        }
    }
}

/// The address for which the kernel makes a route to this network over this link by itself.
pub(super) fn connected_address(kernel: &Kernel, network: IpNet, device: &[u8]) -> Option<IpAddr> {
    let is_its = |address: &Address| match network {
        IpNet::V4(network) => makes_route(address) && address.network_v4() == Some(network),
        IpNet::V6(_) => address.net.trunc() == network,
    };
    let addresses = match network {
        IpNet::V4(_) => kernel.addresses_v4_of(device).unwrap_or_default(),
        IpNet::V6(_) => kernel.addresses_v6().unwrap_or_default(),
    };
    let mut its = addresses.iter().filter(|address| address.link.as_bytes() == device && is_its(address));
    its.next().map(|address| address.net.addr())
}

/// What was found out already. Routes that share a link or a router mostly stand together, so the last ones are looked at first.
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

/// IPv6's routes stay when the address goes that reached their gateway, so this tells something of IPv4's alone.
fn mark_onlink(entries: &mut [Entry], addresses: &[Address]) {
    let networks: Vec<(IpNet, OsString)> = entries.iter().filter_map(reached).collect();
    let mut known: Known<(IpAddr, OsString)> = Known(Vec::new());
    for hop in entries.iter_mut().flat_map(|entry| &mut entry.hops) {
        let (Some(gateway), Some(device)) = (hop.gateway, &hop.device) else { continue };
        let is_reached = || {
            device == LOOPBACK
                || networks.iter().any(|(net, link)| link == device && net.contains(&gateway))
                || addresses.iter().any(|own| own.net.addr() == gateway || is_near(own, device, gateway))
        };
        hop.onlink = !known.or_find((gateway, device.clone()), is_reached);
    }
}

/// Whether an address is on the network of an IPv4 address, to which there once was a route.
fn is_near(own: &Address, device: &OsString, address: IpAddr) -> bool {
    own.link == *device && own.network_v4().is_some_and(|network| IpNet::V4(network).contains(&address))
}

/// The network that an IPv4 route says to be on a link.
fn reached(entry: &Entry) -> Option<(IpNet, OsString)> {
    match (entry.hop()?, entry.kind) {
        (Hop { gateway: None, device: Some(device), .. }, RouteKind::Unicast) => {
            (entry.scope >= scope::LINK).then(|| (entry.destination, device.clone()))
        }
        _ => None,
    }
}

fn mark_dead_links(kernel: &Kernel, entries: &mut [Entry]) {
    if !kernel.marks_dead_links() {
        return;
    }
    let mut known: Known<OsString> = Known(Vec::new());
    // this host's own addresses do not depend on a carrier
    let depends = |entry: &&mut Entry| !matches!(entry.kind, RouteKind::Local | RouteKind::Anycast);
    for hop in entries.iter_mut().filter(depends).flat_map(|entry| &mut entry.hops) {
        if let Some(device) = &hop.device {
            let is_dead = || kernel.is_without_carrier(device.as_bytes());
            hop.linkdown = known.or_find(device.clone(), is_dead);
        }
    }
}
