//! How the kernel finds a gateway.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::entry::{Entry, best};
use super::snapshot::Tables;
use crate::kernel::Address;
use crate::net::rtnetlink::{RouteType, Scope};

/// What a gateway turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    /// Another host on this link.
    OnLink(OsString),
    /// This host, by an address of this link.
    Own(OsString),
}

/// Finds an IPv4 gateway as the kernel does.
///
/// # Errors
/// ENETUNREACH, or what a route that drops answers; EINVAL for a broadcast address.
pub(super) fn gateway_v4(tables: &Tables, gateway: Ipv4Addr, device: Option<&[u8]>) -> Result<Gateway, Errno> {
    let is_over = |link: &OsString| device.is_none_or(|device| link.as_bytes() == device);
    let own = |address: &&Address| address.net.addr() == gateway && is_over(&address.link);
    if let Some(address) = tables.addresses.iter().find(own) {
        return Ok(Gateway::Own(address.link.clone()));
    }
    // a route counts if it leads to hosts on a link, or to this host
    let is_near = |entry: &Entry| entry.tos == 0 && entry.scope >= Scope::LINK;
    let candidates = [&tables.local, &tables.main].map(|table| best(table, gateway.into(), device, is_near));
    let found = candidates.into_iter().flatten().max_by_key(|entry| (entry.destination.prefix_len(), entry.is_local));
    let link = found.and_then(|entry| entry.hops.first()?.device.clone());
    match (found.map(|entry| entry.kind), link) {
        (Some(RouteType::Unicast), Some(link)) => Ok(Gateway::OnLink(link)),
        (Some(RouteType::Local), Some(link)) => Ok(Gateway::Own(link)),
        (Some(RouteType::Unreachable), _) => Err(Errno::EHOSTUNREACH),
        (Some(_), _) => Err(Errno::EINVAL),
        (None, _) => Err(Errno::ENETUNREACH),
    }
}

/// Whether the ioctl takes a gateway for none, and the route for one to its link: an address of this host on any link, and a
/// broadcast address of any (net/ipv4/fib_frontend.c, `rtentry_to_fib_config`).
pub(super) fn is_special_v4(tables: &Tables, gateway: Ipv4Addr) -> bool {
    tables.addresses.iter().any(|address| address.net.addr() == gateway)
        || best(&tables.local, gateway.into(), None, |entry| entry.kind != RouteType::Unicast).is_some()
}

/// Whether a route leads to an IPv6 gateway without another one in between.
pub(super) fn is_on_link_v6(tables: &Tables, gateway: Ipv6Addr, device: Option<&[u8]>) -> bool {
    let best = |table| best(table, IpAddr::V6(gateway), device, |_| true);
    let found = best(&tables.local).or_else(|| best(&tables.main));
    found.is_some_and(|entry| !entry.kind.rejects() && entry.gateway().is_none() && entry.hops.len() == 1)
}
