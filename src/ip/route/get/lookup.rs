//! The kernel's lookup of a route, repeated: a connected socket reports the source address, or why there is no route; the rest
//! follows from the tables.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nix::errno::Errno;

use super::args::GetArgs;
use crate::error::Failure;
use crate::ip::route::entry::{Entry, Hop, best};
use crate::ip::route::infer;
use crate::ip::route::snapshot::Snapshot;
use crate::ip::route::table;
use crate::kernel::{Address, Kernel, is_member_v4};
use crate::net::rtnetlink::RouteType;
use crate::texts::iproute2::{needs_netlink, refused};

/// What the lookup finds.
pub(super) struct Lookup {
    pub(super) kind: RouteType,
    pub(super) hop: Hop,
    pub(super) source: Option<IpAddr>,
    /// The route that leads there; `None` over a given link without a route.
    pub(super) entry: Option<Entry>,
    /// Words about the destination's entry in the routing cache (RTCF_*).
    pub(super) cache: Vec<&'static str>,
}

const LOOPBACK: &str = "lo";

/// Looks an IPv4 address up.
pub(super) fn lookup_v4(host: &Snapshot, args: &GetArgs, to: Ipv4Addr) -> Result<Lookup, Failure> {
    let source = source_v4(host.kernel, args, to)?;
    if to.is_unspecified() {
        let hop = Hop::to(None, Some(LOOPBACK.into()));
        return Ok(Lookup { kind: RouteType::Local, hop, source, entry: None, cache: vec!["local"] });
    }
    let mut entry = route_v4(host, args, to)?;
    let kind = match &entry {
        _ if to.is_broadcast() => RouteType::Broadcast,
        _ if to.is_multicast() => RouteType::Multicast,
        Some(entry) => entry.kind,
        None => RouteType::Unicast,
    };
    if let Some(entry) = &mut entry {
        entry.kind = kind;
    }
    let hop = entry.as_ref().and_then(|entry| entry.hops.first());
    let given = || args.device().map(|device| OsString::from_vec(device.to_vec()));
    let Some(link) = hop.and_then(|hop| hop.device.clone()).or_else(given) else {
        return Err(needs_netlink("this way", "it is in none of the tables main and local"));
    };
    // a group is reached without a router, unless a route is for groups
    let is_for_all = entry.as_ref().is_none_or(|entry| entry.destination.prefix_len() < 4);
    let goes_direct = kind == RouteType::Broadcast || kind == RouteType::Multicast && is_for_all;
    let gateway = hop.and_then(|hop| hop.gateway).filter(|_| !goes_direct);
    let cache = match kind {
        RouteType::Broadcast => vec!["local", "brd"],
        RouteType::Multicast if is_member_v4(host.kernel, link.as_bytes(), to) => vec!["local", "mc"],
        RouteType::Multicast => vec!["mc"],
        RouteType::Local => vec!["local"],
        _ if link == LOOPBACK => vec!["local"],
        _ => Vec::new(),
    };
    let link = if kind == RouteType::Local { LOOPBACK.into() } else { link };
    Ok(Lookup { kind, hop: Hop::to(gateway, Some(link)), source, entry, cache })
}

/// Returns the source of packets, unless it is given.
fn source_v4(kernel: &Kernel, args: &GetArgs, to: Ipv4Addr) -> Result<Option<IpAddr>, Failure> {
    let source = kernel.source_to(to.into(), args.from, args.device()).map_err(|errno| match errno {
        // the source is not this host's
        Errno::EADDRNOTAVAIL => refused(Errno::ENETUNREACH),
        errno => refused(errno),
    })?;
    Ok(Some(source).filter(|source| !source.is_unspecified() && args.from.is_none()))
}

/// Finds the route to an IPv4 address in the tables main and local.
fn route_v4(host: &Snapshot, args: &GetArgs, to: Ipv4Addr) -> Result<Option<Entry>, Failure> {
    let main = if args.shows_match { infer::main_v4(host)? } else { table::main_v4(host.routes_v4()?) };
    if args.tos != 0 && main.iter().any(|entry| entry.tos != 0) {
        return Err(needs_netlink("a type of service", "leave it out"));
    }
    let is_fit = |entry: &Entry| entry.tos == 0;
    let local = host.local_v4()?;
    let found = [&local, &main].map(|table| best(table, to.into(), args.device(), is_fit));
    let longest = found.into_iter().flatten().max_by_key(|entry| (entry.destination.prefix_len(), entry.is_local));
    // over a given link, these need no route; and if all routes fail, all is on the link
    let is_near_group = to.octets()[..3] == [224, 0, 0] || to.is_broadcast();
    let is_used = |entry: &&Entry| !entry.kind.rejects() && (args.device().is_none() || !is_near_group);
    Ok(longest.filter(is_used).cloned())
}

/// Looks an IPv6 address up.
pub(super) fn lookup_v6(host: &Snapshot, args: &GetArgs, to: Ipv6Addr) -> Result<Lookup, Failure> {
    let (local, main) = (infer::local_v6(host)?, infer::main_v6(host)?);
    // the table local comes first
    let device = args.device();
    let entry = best(&local, to.into(), device, |_| true).or_else(|| best(&main, to.into(), device, |_| true)).cloned();
    let hop = entry.as_ref().and_then(|entry| entry.hops.first());
    let source = source_v6(host, to, device, hop.and_then(Hop::device))?;
    let Some(entry) = entry else {
        return Err(match source {
            Some(_) => needs_netlink("this way", "it is in none of the tables main and local"),
            None => refused(Errno::ENETUNREACH),
        });
    };
    if entry.hops.len() > 1 && !args.shows_match {
        return Err(needs_netlink("one of several ways", "use fibmatch to see them all"));
    }
    let (gateway, link) = entry.hops.first().map_or((None, None), |hop| (hop.gateway, hop.device.clone()));
    let is_own = matches!(entry.kind, RouteType::Local | RouteType::Anycast);
    let link = if is_own { Some(LOOPBACK.into()) } else { link };
    Ok(Lookup { kind: entry.kind, hop: Hop::to(gateway, link), source, entry: Some(entry), cache: Vec::new() })
}

/// Returns the source of packets over a given link, or over the one that a route leads over.
fn source_v6(
    host: &Snapshot,
    to: Ipv6Addr,
    device: Option<&[u8]>,
    link: Option<&[u8]>,
) -> Result<Option<IpAddr>, Failure> {
    // an address that each link may have needs one
    let needs_link = to.is_unicast_link_local() || to.is_multicast();
    let over = device.or(link.filter(|_| needs_link));
    match host.kernel.source_to(to.into(), None, over) {
        // to a socket this is ::1
        Ok(_) if to.is_unspecified() => Ok(nearest_source(host.addresses_v6()?, link)),
        Ok(source) => Ok(Some(source).filter(|source| !source.is_unspecified())),
        Err(Errno::EADDRNOTAVAIL) => Ok(None),
        Err(errno) => Err(refused(errno)),
    }
}

/// Returns the source for an address without a scope: that of the smallest scope on the link.
fn nearest_source(addresses: &[Address], link: Option<&[u8]>) -> Option<IpAddr> {
    let on_link = addresses.iter().filter(|address| Some(address.link.as_bytes()) == link);
    on_link
        .map(|address| address.net.addr())
        .min_by_key(|address| !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local()))
}
