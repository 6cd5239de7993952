//! IPv4 routes.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::{UNREACHABLE, Verb, beyond_ioctl};
use crate::error::{Failure, Outcome};
use crate::ip::route::entry::{Entry, Hop, Tcp};
use crate::ip::route::infer::{self, connected_address};
use crate::ip::route::names::{protocol, scope};
use crate::ip::route::reach::{self, Gateway};
use crate::ip::route::removal::{Removal, Single, out_of_reach, singles};
use crate::ip::route::table;
use crate::ip::route::wanted::Wanted;
use crate::ip::{explained, needs_netlink, refused};
use crate::kernel::{Kernel, RouteChange, RouteKind, metric_in_reach};

/// Where a route leads, once the kernel's part in it is known.
struct Way {
    gateway: Option<Ipv4Addr>,
    /// The link, if it is known.
    link: Option<OsString>,
    /// The name under which the link is given to the kernel: a label brings its address along as the source.
    label: Option<OsString>,
}

pub(super) fn change(kernel: &Kernel, wanted: &Wanted, destination: Ipv4Net, verb: Verb) -> Outcome {
    if destination != destination.trunc() {
        return Err(explained(Errno::EINVAL, "Invalid prefix for given prefix length."));
    }
    let entries = table::main_v4(kernel);
    let is_twin = |entry: &Entry| {
        entry.destination == IpNet::V4(destination) && entry.metric == wanted.metric && entry.tos == wanted.tos
    };
    let twin = entries.iter().position(is_twin).filter(|_| wanted.is_in_main());
    let way = way(kernel, wanted, &entries);
    let has_answer = match verb {
        Verb::Add | Verb::Append => twin.is_some(),
        Verb::Test => true,
        Verb::Change => twin.is_none(),
        Verb::Replace | Verb::Prepend => false,
    };
    // what the kernel would look at before it looks for twins
    if (way.is_err() || has_answer)
        && let Some(refusal) = reach::refusal_v4(kernel, &entries, wanted)
    {
        return Err(refusal);
    }
    match (verb, twin) {
        _ if !wanted.is_in_main() => (),
        (Verb::Add | Verb::Test, Some(_)) => return Err(refused(Errno::EEXIST)),
        (Verb::Change | Verb::Test, None) => return Err(refused(Errno::ENOENT)),
        _ => (),
    }
    let way = way?;
    let request = RouteChange {
        gateway: way.gateway,
        device: way.label.as_deref().or(wanted.device.as_deref()).map(OsStrExt::as_bytes),
        metric: wanted.metric,
        unreachable: wanted.kind == Some(UNREACHABLE),
        segment: wanted.tcp.segment,
        window: wanted.tcp.window,
        round_trip: wanted.tcp.round_trip as u16,
        ..RouteChange::to(destination)
    };
    match (verb, twin) {
        (Verb::Replace | Verb::Change, Some(twin)) => exchange(kernel, &request, &way, &entries, twin),
        (Verb::Append, Some(_)) => append(kernel, &way, wanted),
        _ => add(kernel, &request),
    }
}

fn add(kernel: &Kernel, request: &RouteChange) -> Outcome {
    kernel.add_route_v4(request).map_err(|errno| match (errno, request.gateway) {
        (Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::EINVAL, Some(_)) => {
            reach::invalid_gateway().formerly(refused(errno).text, 2)
        }
        (Errno::ENETDOWN, None) => explained(Errno::ENETDOWN, "Device for nexthop is not up."),
        (errno, _) => refused(errno),
    })
}

/// What ioctls make of the words.
///
/// # Errors
/// What they cannot make.
fn way(kernel: &Kernel, wanted: &Wanted, entries: &[Entry]) -> Result<Way, Failure> {
    if let Some(failure) = beyond_ioctl(wanted) {
        return Err(failure);
    }
    if wanted.tos != 0 {
        return Err(needs_netlink(b"a type of service", "leave it out"));
    }
    if !metric_in_reach(wanted.metric) {
        return Err(needs_netlink(b"a metric above 32766", "use a lower one"));
    }
    if !wanted.has_whole_round_trip() {
        return Err(needs_netlink(b"this rtt", "use whole milliseconds, at most 65535"));
    }
    let unreachable = wanted.kind == Some(UNREACHABLE);
    let gateway = match wanted.gateway {
        Some(IpAddr::V4(gateway)) if !gateway.is_unspecified() => Some(gateway),
        _ => None,
    };
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes);
    let mut link = wanted.device.clone();
    if unreachable && (gateway.is_some() || device.is_some()) {
        return Err(needs_netlink(b"a way for what is unreachable", "leave it out"));
    }
    if let Some(gateway) = gateway {
        match reach::gateway_v4(kernel, entries, gateway, device) {
            Ok(_) if wanted.is_onlink && device.is_none() => return Err(needs_netlink(b"onlink", "give a device")),
            Ok(Gateway::OnLink(over)) if !reach::is_special_v4(kernel, gateway) => link = Some(over),
            Ok(_) => return Err(needs_netlink(b"a gateway that is this host", "use dev alone")),
            // the kernel will know better than we if it is right
            Err(_) if !wanted.is_onlink => (),
            Err(_) => return Err(needs_netlink(b"onlink", "add a route to the gateway first")),
        }
    } else if wanted.is_onlink || wanted.gateway.is_some() && device.is_some() {
        return Err(needs_netlink(b"a way without a gateway by these words", "use dev alone"));
    }
    let usual_scope = match gateway {
        _ if unreachable => scope::HOST,
        Some(_) => scope::GLOBAL,
        None => scope::LINK,
    };
    if wanted.scope.is_some_and(|scope| scope != usual_scope) {
        return Err(needs_netlink(b"this scope of a route", "leave it out"));
    }
    let connected = match device {
        Some(device) if gateway.is_none() && !unreachable => connected_address(kernel, wanted.destination, device),
        _ => None,
    };
    match wanted.protocol {
        None | Some(protocol::BOOT) => (),
        Some(protocol::KERNEL) if connected.is_some() => (),
        Some(_) => return Err(needs_netlink(b"proto", "leave it out")),
    }
    let mut label = None;
    if let Some(source) = wanted.source.filter(|&source| connected != Some(source)) {
        label = link.as_ref().and_then(|link| label_of(kernel, link.as_bytes(), source));
        if label.is_none() || unreachable {
            return Err(needs_netlink(b"src", "leave it out, or use an address with a label such as eth0:1"));
        }
    }
    Ok(Way { gateway, link, label })
}

/// The label under which the ioctls find an address, if it is its own: with a ':' and no other address before it.
fn label_of(kernel: &Kernel, link: &[u8], source: IpAddr) -> Option<OsString> {
    let addresses = kernel.addresses_v4_of(link).unwrap_or_default();
    let address = addresses.iter().find(|address| address.net.addr() == source)?;
    let first = addresses.iter().find(|other| other.label == address.label)?;
    (first.net == address.net && address.label.as_bytes().contains(&b':')).then(|| address.label.clone())
}

/// A route behind others to the same network with the same metric: the ioctls only put it in front.
fn append(kernel: &Kernel, way: &Way, wanted: &Wanted) -> Outcome {
    let is_same = |entry: &Entry| {
        entry.destination == wanted.destination
            && entry.metric == wanted.metric
            && entry.tcp == wanted.tcp
            && entry.source == wanted.source
            && has_way(entry, way, wanted.kind)
    };
    if infer::main_v4(kernel).iter().any(|entry| is_same(entry) && entry.protocol == protocol::BOOT) {
        return Err(refused(Errno::EEXIST));
    }
    Err(needs_netlink(b"a route behind others of its metric", "use prepend, or another metric"))
}

/// Whether a route leads the same way.
fn has_way(entry: &Entry, way: &Way, kind: Option<u8>) -> bool {
    let device = way.link.as_deref().map(OsStrExt::as_bytes);
    match kind == Some(UNREACHABLE) {
        true => entry.kind == RouteKind::Unreachable,
        false => {
            entry.kind == RouteKind::Unicast
                && entry.gateway() == way.gateway.map(IpAddr::V4)
                && entry.device() == device
        }
    }
}

/// Puts a route in another's place. The new one is there before the old one goes, so that there always is a way.
fn exchange(kernel: &Kernel, request: &RouteChange, way: &Way, entries: &[Entry], twin: usize) -> Outcome {
    let old = &entries[twin];
    // of IPv4's routes each has at most one way
    let list = singles(entries);
    let is_same = has_way(old, way, request.unreachable.then_some(UNREACHABLE));
    if is_same && request.unreachable {
        return Ok(());
    }
    let new = entry_of(request, way);
    let mut with_new = list.clone();
    with_new.insert(twin, Single { entry: &new, hop: new.hops.first() });
    match Removal::of(kernel, &with_new, twin + 1) {
        Some(removal) => {
            add(kernel, request)?;
            removal.run(kernel).map_err(|errno| {
                let _ = kernel.delete_route_v4(request);
                refused(errno)
            })
        }
        None if is_same => match kernel.add_route_v4(request) {
            // they do not differ in what cannot be seen either
            Err(Errno::EEXIST) => Ok(()),
            Ok(()) => {
                kernel.delete_route_v4(request).map_err(refused)?;
                exchange_by_detour(kernel, request, way, entries, twin)
            }
            Err(_) => add(kernel, request),
        },
        None => exchange_by_detour(kernel, request, way, entries, twin),
    }
}

/// The same where the ioctl that removes the old route would take the new one for it, because it stands before the old one and
/// leads over the same link: the way is kept open with another metric meanwhile.
fn exchange_by_detour(kernel: &Kernel, request: &RouteChange, way: &Way, entries: &[Entry], twin: usize) -> Outcome {
    let (list, old) = (singles(entries), &entries[twin]);
    let mut others = entries.to_vec();
    others.remove(twin);
    // the gateway must not be reached by the old route alone
    let is_reached = request.gateway.is_none_or(|gateway| {
        let device = way.link.as_deref().map(OsStrExt::as_bytes);
        matches!(reach::gateway_v4(kernel, &others, gateway, device), Ok(Gateway::OnLink(_)))
    });
    let is_free =
        |metric: &u32| !entries.iter().any(|entry| entry.destination == old.destination && entry.metric == *metric);
    if !is_reached {
        return Err(needs_netlink(b"this replacement", "the gateway is reached by the old route alone"));
    }
    let removal = Removal::of(kernel, &list, twin).ok_or_else(|| out_of_reach(old))?;
    let spare = (1..=32766).rev().find(is_free).ok_or_else(|| out_of_reach(old))?;
    let interim = RouteChange { metric: spare, ..*request };
    add(kernel, &interim)?;
    let outcome = removal.run(kernel).map_err(refused).and_then(|()| add(kernel, request));
    outcome.and(kernel.delete_route_v4(&interim).map_err(refused))
}

/// The route that an addition will make, as far as it matters for what is removed.
fn entry_of(request: &RouteChange, way: &Way) -> Entry {
    Entry {
        kind: if request.unreachable { RouteKind::Unreachable } else { RouteKind::Unicast },
        destination: request.destination.into(),
        from: None,
        tos: 0,
        hops: match request.unreachable {
            true => Vec::new(),
            false => vec![Hop::to(request.gateway.map(IpAddr::V4), way.link.clone())],
        },
        is_local: false,
        protocol: protocol::BOOT,
        scope: if request.unreachable { scope::HOST } else { scope::LINK },
        source: None,
        metric: request.metric,
        tcp: Tcp::default(),
        preference: 0,
    }
}
