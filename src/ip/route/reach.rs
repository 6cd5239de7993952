//! How the kernel finds a gateway, and what it says of a route that cannot be.
//!
//! An ioctl brings an errno alone; rtnetlink explains. And where a route is already there, iproute2's exclusive addition makes
//! the kernel look at the rest before it says so, which the ioctls have no word for. So its reasoning is repeated here
//! (net/ipv4/fib_semantics.c, `fib_create_info`; net/ipv6/route.c, `fib6_nh_init`).

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::entry::{Entry, Hop};
use super::names::scope;
use super::table;
use super::wanted::Wanted;
use crate::error::Failure;
use crate::ip::{explained, refused};
use crate::kernel::{Address, Kernel, RouteKind, flag};

/// What a gateway turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    /// Another host on this link.
    OnLink(OsString),
    /// This host, by an address of this link.
    Own(OsString),
}

/// The first route among the longest prefixes that leads to an address, over the given link if there is one.
pub(super) fn best<'a>(
    entries: &'a [Entry],
    to: IpAddr,
    device: Option<&[u8]>,
    is_fit: impl Fn(&Entry) -> bool,
) -> Option<&'a Entry> {
    let has_device = |entry: &Entry| {
        device.is_none_or(|device| entry.hops.is_empty() || entry.hops.iter().any(|hop: &Hop| hop.is_over(device)))
    };
    let mut best: Option<&Entry> = None;
    for entry in entries.iter().filter(|entry| entry.destination.contains(&to) && has_device(entry) && is_fit(entry)) {
        if best.is_none_or(|best| entry.destination.prefix_len() > best.destination.prefix_len()) {
            best = Some(entry);
        }
    }
    best
}

/// What the kernel finds when it looks for an IPv4 gateway.
///
/// # Errors
/// ENETUNREACH, or what a route that drops answers; EINVAL for a broadcast address.
pub(super) fn gateway_v4(
    kernel: &Kernel,
    main: &[Entry],
    gateway: Ipv4Addr,
    device: Option<&[u8]>,
) -> Result<Gateway, Errno> {
    let is_over = |link: &OsString| device.is_none_or(|device| link.as_bytes() == device);
    let addresses = kernel.addresses_v4().unwrap_or_default();
    let own = |address: &&Address| address.net.addr() == gateway && is_over(&address.link);
    if let Some(address) = addresses.iter().find(own) {
        return Ok(Gateway::Own(address.link.clone()));
    }
    let local = table::local_v4(kernel);
    // a route counts if it leads to hosts on a link, or to this host
    let is_near = |entry: &Entry| entry.tos == 0 && entry.scope >= scope::LINK;
    let candidates = [best(&local, gateway.into(), device, is_near), best(main, gateway.into(), device, is_near)];
    let found = candidates.into_iter().flatten().max_by_key(|entry| (entry.destination.prefix_len(), entry.is_local));
    let link = found.and_then(|entry| entry.hops.first()?.device.clone());
    match (found.map(|entry| entry.kind), link) {
        (Some(RouteKind::Unicast), Some(link)) => Ok(Gateway::OnLink(link)),
        (Some(RouteKind::Local), Some(link)) => Ok(Gateway::Own(link)),
        (Some(RouteKind::Unreachable), _) => Err(Errno::EHOSTUNREACH),
        (Some(_), _) => Err(Errno::EINVAL),
        (None, _) => Err(Errno::ENETUNREACH),
    }
}

/// Whether the ioctl takes a gateway for none, and the route for one to its link: an address of this host on any link, and a
/// broadcast address of any (net/ipv4/fib_frontend.c, `rtentry_to_fib_config`).
pub(super) fn is_special_v4(kernel: &Kernel, gateway: Ipv4Addr) -> bool {
    let own = kernel.addresses_v4().unwrap_or_default();
    let local = table::local_v4(kernel);
    own.iter().any(|address| address.net.addr() == gateway)
        || best(&local, gateway.into(), None, |entry| entry.kind != RouteKind::Unicast).is_some()
}

/// Whether a route leads to an IPv6 gateway without another one in between.
pub(super) fn is_on_link_v6(kernel: &Kernel, main: &[Entry], gateway: Ipv6Addr, device: Option<&[u8]>) -> bool {
    let local = table::local_v6(kernel);
    let found = best(&local, gateway.into(), device, |_| true).or_else(|| best(main, gateway.into(), device, |_| true));
    found.is_some_and(|entry| !entry.rejects() && entry.gateway().is_none() && entry.hops.len() == 1)
}

/// What the kernel would say of an IPv4 route, whether another one is there or not; nothing if it could be made.
pub(super) fn refusal_v4(kernel: &Kernel, main: &[Entry], wanted: &Wanted) -> Option<Failure> {
    if wanted.has_other_ways {
        return None;
    }
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes);
    let gateway = match wanted.gateway {
        Some(IpAddr::V4(gateway)) if !gateway.is_unspecified() => Some(gateway),
        _ => None,
    };
    let rejects = matches!(wanted.kind, Some(6..=9));
    let scope = wanted.scope.unwrap_or(if wanted.gateway.is_some() || rejects { scope::GLOBAL } else { scope::LINK });
    let refusal = match (gateway, device) {
        _ if rejects => (gateway.is_some() || device.is_some()).then(|| {
            explained(Errno::EINVAL, "Gateway, device and multipath can not be specified for this route type.")
        }),
        // of all types the kernel knows but two the scope for
        _ if scope > scope::HOST || matches!(wanted.kind, Some(10 | 11)) => {
            Some(explained(Errno::EINVAL, "Invalid scope."))
        }
        (Some(_), _) if scope == scope::HOST => {
            Some(explained(Errno::EINVAL, "Route with host scope can not have a gateway."))
        }
        (None, None) => Some(refused(Errno::ENODEV)),
        (None, Some(_)) if wanted.is_onlink => {
            Some(explained(Errno::EINVAL, "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set."))
        }
        (None, Some(device)) => (scope != scope::HOST && !is_up(kernel, device))
            .then(|| explained(Errno::ENETDOWN, "Device for nexthop is not up.")),
        (Some(_), None) if wanted.is_onlink => Some(explained(Errno::EINVAL, "Nexthop device required for onlink.")),
        (Some(_), Some(device)) if wanted.is_onlink => {
            (!is_up(kernel, device)).then(|| explained(Errno::ENETDOWN, "Nexthop device is not up."))
        }
        (Some(gateway), device) => match gateway_v4(kernel, main, gateway, device) {
            // who is no farther than the route leads is of no use for it
            Ok(Gateway::OnLink(_)) if scope >= scope::LINK => Some(invalid_gateway()),
            Ok(Gateway::Own(link)) if !is_up(kernel, link.as_bytes()) => Some(refused(Errno::ENETDOWN)),
            Ok(_) => None,
            Err(_) => Some(invalid_gateway()),
        },
    };
    refusal.or_else(|| {
        let source = wanted.source?;
        let addresses = kernel.addresses_v4().unwrap_or_default();
        let is_own = addresses.iter().any(|address| address.net.addr() == source);
        (!is_own).then(|| explained(Errno::EINVAL, "Invalid prefsrc address."))
    })
}

/// What the kernel would say of an IPv6 route, whether another one is there or not; nothing if it could be made.
pub(super) fn refusal_v6(kernel: &Kernel, main: &[Entry], wanted: &Wanted) -> Option<Failure> {
    if wanted.has_other_ways {
        return None;
    }
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes);
    let refusal = match wanted.gateway {
        _ if matches!(wanted.kind, Some(6..=9)) => None,
        _ if wanted.is_onlink && device.is_none() => {
            Some(explained(Errno::EINVAL, "Nexthop device required for onlink."))
        }
        Some(IpAddr::V6(gateway)) => {
            let own =
                kernel.addresses_v6().unwrap_or_default().into_iter().find(|address| address.net.addr() == gateway);
            match own {
                _ if gateway.is_multicast() || gateway.is_unspecified() => {
                    Some(explained(Errno::EINVAL, "Invalid gateway address."))
                }
                Some(_) if gateway.is_loopback() => {
                    Some(explained(Errno::EINVAL, "Egress device can not be loopback device for this route."))
                }
                Some(own) if device.is_none_or(|device| own.link.as_bytes() == device) => {
                    Some(explained(Errno::EINVAL, "Gateway can not be a local address."))
                }
                _ if gateway.is_unicast_link_local() && device.is_none() => {
                    Some(explained(Errno::EINVAL, "Egress device not specified."))
                }
                _ if gateway.is_unicast_link_local() || wanted.is_onlink => None,
                _ => (!is_on_link_v6(kernel, main, gateway, device)).then(|| refused(Errno::EHOSTUNREACH)),
            }
        }
        _ if device.is_none() => Some(refused(Errno::ENODEV)),
        _ => None,
    };
    let refusal = refusal.or_else(|| {
        let device = device.filter(|_| !matches!(wanted.kind, Some(6..=9)))?;
        match () {
            () if !kernel.has_ipv6(device) => Some(explained(Errno::EACCES, "IPv6 is disabled on nexthop device.")),
            () if !is_up(kernel, device) => Some(explained(Errno::ENETDOWN, "Nexthop device is not up.")),
            () => None,
        }
    });
    refusal.or_else(|| {
        let source = wanted.source?;
        let is_own = kernel.addresses_v6().unwrap_or_default().iter().any(|address| address.net.addr() == source);
        (!is_own).then(|| explained(Errno::EINVAL, "Invalid source address."))
    })
}

pub(super) fn invalid_gateway() -> Failure {
    explained(Errno::ENETUNREACH, "Nexthop has invalid gateway.")
}

fn is_up(kernel: &Kernel, device: &[u8]) -> bool {
    kernel.link_flags(device).is_ok_and(|flags| flags & flag::UP != 0)
}
