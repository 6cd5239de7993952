//! Source addresses that were given with a route: a socket is told which one packets have, and if it is not the one that the
//! kernel would have chosen, it was given.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};

use super::names::{protocol, scope};
use super::table::Entry;
use crate::kernel::{Address, Kernel, RouteKind};

/// Puts in the sources that were given with IPv4 routes of table `main`.
pub(super) fn find(kernel: &Kernel, entries: &mut [Entry], addresses: &[Address]) {
    let is_candidate = |address: &&Address| !address.net.addr().is_loopback();
    // with one address there is no choice; where there are rules a socket is told about other tables
    if addresses.iter().filter(is_candidate).count() < 2 || kernel.has_rules_v4() {
        return;
    }
    let networks: Vec<(IpNet, bool)> = entries.iter().map(|entry| (entry.destination, entry.tos == 0)).collect();
    for (at, entry) in entries.iter_mut().enumerate() {
        let is_ordinary = entry.kind == RouteKind::Unicast && entry.tos == 0 && entry.hops.len() == 1;
        if !is_ordinary || entry.protocol != protocol::BOOT {
            continue;
        }
        let Some(address) = address_only_in(at, &networks, addresses) else { continue };
        let told = kernel.source_to(address.into(), None, None).ok();
        entry.source = told.filter(|&told| !told.is_unspecified() && Some(told) != usual(entry, addresses));
    }
}

/// Whether a route can have been given this source although none was found.
pub(super) fn may_be_given(kernel: &Kernel, entry: &Entry, source: IpAddr) -> bool {
    let addresses = kernel.addresses_v4().unwrap_or_default();
    kernel.has_rules_v4() || usual(entry, &addresses).is_none_or(|usual| usual == source)
}

/// Some address to which the route at this place leads and no other one.
fn address_only_in(at: usize, networks: &[(IpNet, bool)], addresses: &[Address]) -> Option<Ipv4Addr> {
    let &(IpNet::V4(network), _) = networks.get(at)? else { return None };
    let leads_elsewhere = |address: &Ipv4Addr| {
        let comes_first = |(other, &(net, is_for_all)): (usize, &(IpNet, bool))| {
            is_for_all
                && net.contains(&IpAddr::V4(*address))
                && (net.prefix_len() > network.prefix_len() || net.prefix_len() == network.prefix_len() && other < at)
        };
        networks.iter().enumerate().any(comes_first)
    };
    // those of the table local: this host's addresses, and broadcast addresses
    let is_local = |address: &Ipv4Addr| {
        address.is_loopback()
            || addresses.iter().any(|own| {
                let ends = own.network_v4().map(|net: Ipv4Net| [net.network(), net.broadcast()]);
                own.net.addr() == *address
                    || own.broadcast == Some(*address)
                    || ends.is_some_and(|ends| ends.contains(address))
            })
    };
    let host_bits = !u32::from(network.netmask());
    let patterns = [1, u32::MAX - 1, u32::MAX / 3, 0x0909_0909, 0xc633_6407, 0];
    let tried = patterns.map(|pattern| Ipv4Addr::from(u32::from(network.network()) | pattern & host_bits));
    let is_fit = |address: &Ipv4Addr| {
        !address.is_unspecified()
            && !address.is_multicast()
            && !address.is_broadcast()
            && !is_local(address)
            && !leads_elsewhere(address)
    };
    tried.into_iter().find(is_fit)
}

/// The source that the kernel chooses for a route by itself (net/ipv4/devinet.c, `inet_select_addr`).
fn usual(entry: &Entry, addresses: &[Address]) -> Option<IpAddr> {
    let device = entry.device()?;
    let has_scope = |address: &&Address| !address.secondary && (!address.net.addr().is_loopback() || entry.scope == scope::HOST);
    let on_link: Vec<&Address> =
        addresses.iter().filter(|address| address.link.as_bytes() == device).filter(has_scope).collect();
    let is_near = |address: &&&Address| match entry.gateway() {
        Some(IpAddr::V4(gateway)) => address.network_v4().is_some_and(|network| network.contains(&gateway)),
        _ => true,
    };
    let chosen = on_link.iter().find(is_near).or(on_link.first()).copied();
    chosen.or_else(|| addresses.iter().find(has_scope)).map(|address| address.net.addr())
}
