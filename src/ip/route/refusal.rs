//! What the kernel says of a route that cannot be.
//!
//! An ioctl brings an errno alone; rtnetlink explains. And where a route exists already, iproute2's exclusive addition makes the
//! kernel look at the rest before it says so, which the ioctls have no word for. So its reasoning is repeated here
//! (net/ipv4/fib_semantics.c, `fib_create_info`; net/ipv6/route.c, `fib6_nh_init`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::args::RouteArgs;
use super::reach::{Gateway, gateway_v4, is_on_link_v6};
use super::snapshot::Tables;
use crate::error::Failure;
use crate::kernel::{Kernel, flag, net_conf};
use crate::net::rtnetlink::{RouteType, Scope};
use crate::texts::iproute2::{explained, refused};

/// Returns what the kernel would say of an IPv4 route, whether another one exists or not; `None` if it could be made.
pub(super) fn refusal_v4(kernel: &Kernel, tables: &Tables, args: &RouteArgs) -> Option<Failure> {
    if args.has_unsupported_hops {
        return None;
    }
    hop_refusal_v4(kernel, tables, args).or_else(|| {
        let source = args.source?;
        let is_own = tables.addresses.iter().any(|address| address.net.addr() == source);
        (!is_own).then(|| explained(Errno::EINVAL, "Invalid prefsrc address."))
    })
}

fn hop_refusal_v4(kernel: &Kernel, tables: &Tables, args: &RouteArgs) -> Option<Failure> {
    let invalid = |explanation| Some(explained(Errno::EINVAL, explanation));
    let gateway = gateway_of(args);
    let usual_scope = if args.gateway.is_some() || args.rejects() { Scope::GLOBAL } else { Scope::LINK };
    let scope = args.scope.unwrap_or(usual_scope);
    match (gateway, args.device()) {
        (None, None) if args.rejects() => None,
        _ if args.rejects() => invalid("Gateway, device and multipath can not be specified for this route type."),
        // of all types the kernel knows but two the scope for
        _ if scope > Scope::HOST || matches!(args.route_type(), Some(RouteType::Nat | RouteType::Xresolve)) => {
            invalid("Invalid scope.")
        }
        (Some(_), _) if scope == Scope::HOST => invalid("Route with host scope can not have a gateway."),
        (None, None) => Some(refused(Errno::ENODEV)),
        (None, Some(_)) if args.is_onlink => {
            invalid("Invalid flags for nexthop - PERVASIVE and ONLINK can not be set.")
        }
        (None, Some(device)) => (scope != Scope::HOST && !is_up(kernel, device))
            .then(|| explained(Errno::ENETDOWN, "Device for nexthop is not up.")),
        (Some(_), None) if args.is_onlink => invalid("Nexthop device required for onlink."),
        (Some(_), Some(device)) if args.is_onlink => {
            (!is_up(kernel, device)).then(|| explained(Errno::ENETDOWN, "Nexthop device is not up."))
        }
        (Some(gateway), device) => match gateway_v4(tables, gateway, device) {
            // a gateway no farther than the route leads is of no use for it
            Ok(Gateway::OnLink(_)) if scope >= Scope::LINK => Some(invalid_gateway()),
            Ok(Gateway::Own(link)) if !is_up(kernel, link.as_bytes()) => Some(refused(Errno::ENETDOWN)),
            Ok(_) => None,
            Err(_) => Some(invalid_gateway()),
        },
    }
}

/// Returns the gateway of an IPv4 route; 0.0.0.0 is none.
pub(super) fn gateway_of(args: &RouteArgs) -> Option<Ipv4Addr> {
    match args.gateway {
        Some(IpAddr::V4(gateway)) if !gateway.is_unspecified() => Some(gateway),
        _ => None,
    }
}

/// Returns what the kernel would say of an IPv6 route, whether another one exists or not; `None` if it could be made.
pub(super) fn refusal_v6(kernel: &Kernel, tables: &Tables, args: &RouteArgs) -> Option<Failure> {
    if args.has_unsupported_hops {
        return None;
    }
    let refusal = match args.rejects() {
        true => None,
        false => hop_refusal_v6(tables, args).or_else(|| device_refusal_v6(kernel, args.device()?)),
    };
    refusal.or_else(|| {
        let source = args.source?;
        let is_own = tables.addresses.iter().any(|address| address.net.addr() == source);
        (!is_own).then(|| explained(Errno::EINVAL, "Invalid source address."))
    })
}

fn hop_refusal_v6(tables: &Tables, args: &RouteArgs) -> Option<Failure> {
    let device = args.device();
    match args.gateway {
        _ if args.is_onlink && device.is_none() => {
            Some(explained(Errno::EINVAL, "Nexthop device required for onlink."))
        }
        Some(IpAddr::V6(gateway)) => gateway_refusal_v6(tables, gateway, device, args.is_onlink),
        _ if device.is_none() => Some(refused(Errno::ENODEV)),
        _ => None,
    }
}

fn gateway_refusal_v6(tables: &Tables, gateway: Ipv6Addr, device: Option<&[u8]>, is_onlink: bool) -> Option<Failure> {
    let invalid = |explanation| Some(explained(Errno::EINVAL, explanation));
    match tables.addresses.iter().find(|address| address.net.addr() == gateway) {
        _ if gateway.is_multicast() || gateway.is_unspecified() => invalid("Invalid gateway address."),
        Some(_) if gateway.is_loopback() => invalid("Egress device can not be loopback device for this route."),
        Some(own) if device.is_none_or(|device| own.link.as_bytes() == device) => {
            invalid("Gateway can not be a local address.")
        }
        _ if gateway.is_unicast_link_local() && device.is_none() => invalid("Egress device not specified."),
        _ if gateway.is_unicast_link_local() || is_onlink => None,
        _ => (!is_on_link_v6(tables, gateway, device)).then(|| refused(Errno::EHOSTUNREACH)),
    }
}

fn device_refusal_v6(kernel: &Kernel, device: &[u8]) -> Option<Failure> {
    match () {
        () if !has_ipv6(kernel, device) => Some(explained(Errno::EACCES, "IPv6 is disabled on nexthop device.")),
        () if !is_up(kernel, device) => Some(explained(Errno::ENETDOWN, "Nexthop device is not up.")),
        () => None,
    }
}

/// The kernel's refusal of a gateway that it does not find.
pub(super) fn invalid_gateway() -> Failure {
    explained(Errno::ENETUNREACH, "Nexthop has invalid gateway.")
}

fn is_up(kernel: &Kernel, device: &[u8]) -> bool {
    kernel.link_flags(device).is_ok_and(|flags| flags & flag::UP != 0)
}

/// Whether IPv6 is switched on for a link.
fn has_ipv6(kernel: &Kernel, link: &[u8]) -> bool {
    let file = net_conf("ipv6", &String::from_utf8_lossy(link), "disable_ipv6");
    file.and_then(|file| kernel.sysctl(&file)).is_ok_and(|value| value == "0")
}
