//! Source addresses that were given with IPv4 routes: a socket reports which one packets have, and if it is not the one that the
//! kernel would have chosen, it was given.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use super::probe::address_only_in;
use crate::ip::route::entry::Entry;
use crate::kernel::{Address, Kernel};
use crate::net::rtnetlink::{Protocol, RouteType, Scope};

/// Puts in the sources that were given with routes of table `main`. (Where rules choose between tables, a socket's answer may
/// come from another one.)
pub(super) fn find(kernel: &Kernel, entries: &mut [Entry], addresses: &[Address]) {
    // with one address there is no choice
    let choices = addresses.iter().filter(|address| !address.net.addr().is_loopback()).count();
    let is_ordinary =
        |entry: &Entry| entry.kind == RouteType::Unicast && entry.tos == 0 && entry.protocol == Protocol::BOOT;
    if choices < 2 || !entries.iter().any(is_ordinary) {
        return;
    }
    for at in 0..entries.len() {
        let entry = &entries[at];
        if is_ordinary(entry)
            && let Some(address) = address_only_in(at, entries, |address| is_local(addresses, address))
            && let Ok(source) = kernel.source_to(address, None, None)
            && !source.is_unspecified()
            && Some(source) != usual(entry, addresses)
        {
            entries[at].source = Some(source);
        }
    }
}

/// Whether a route can have been given this source although [`find`] found none.
pub(in crate::ip::route) fn may_be_given(
    entry: &Entry,
    source: IpAddr,
    addresses: &[Address],
    has_rules: bool,
) -> bool {
    has_rules || usual(entry, addresses).is_none_or(|usual| usual == source)
}

/// Whether table `local` leads to an address: it is this host's, or a broadcast address.
fn is_local(addresses: &[Address], address: IpAddr) -> bool {
    addresses.iter().any(|own| {
        let ends = own.network_v4().map(|net| [net.network().into(), net.broadcast().into()]);
        own.net.addr() == address
            || own.broadcast.map(IpAddr::V4) == Some(address)
            || ends.is_some_and(|ends: [IpAddr; 2]| ends.contains(&address))
    })
}

/// Returns the source that the kernel chooses for a route by itself (net/ipv4/devinet.c, `inet_select_addr`).
pub(in crate::ip::route) fn usual(entry: &Entry, addresses: &[Address]) -> Option<IpAddr> {
    let device = entry.device()?;
    let has_scope =
        |address: &&Address| !address.secondary && (!address.net.addr().is_loopback() || entry.scope == Scope::HOST);
    let on_link: Vec<&Address> =
        addresses.iter().filter(|address| address.link.as_bytes() == device).filter(has_scope).collect();
    let is_near = |address: &&&Address| match entry.gateway() {
        Some(IpAddr::V4(gateway)) => address.network_v4().is_some_and(|network| network.contains(&gateway)),
        _ => true,
    };
    let chosen = on_link.iter().find(is_near).or(on_link.first()).copied();
    chosen.or_else(|| addresses.iter().find(has_scope)).map(|address| address.net.addr())
}
