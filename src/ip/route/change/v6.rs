//! IPv6 routes.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv6Net};
use nix::errno::Errno;

use super::{UNREACHABLE, Verb, beyond_ioctl};
use crate::error::{Failure, Outcome};
use crate::ip::prefix::Prefix;
use crate::ip::route::entry::{Entry, Tcp};
use crate::ip::route::infer::{METRIC_OF_KERNEL_V6, connected_address};
use crate::ip::route::names::protocol;
use crate::ip::route::reach;
use crate::ip::route::removal::{Removal, Single, out_of_reach, singles};
use crate::ip::route::table;
use crate::ip::route::wanted::Wanted;
use crate::ip::{explained, needs_netlink, refused};
use crate::kernel::{Kernel, RouteChange6};

/// The metric of a route that is given none (net/ipv6.h, `IP6_RT_PRIO_USER`).
const USUAL_METRIC: u32 = 1024;

pub(super) fn change(kernel: &Kernel, wanted: &Wanted, destination: Ipv6Net, verb: Verb) -> Outcome {
    let destination = destination.trunc();
    let entries = table::main_v6(kernel);
    let metric = if wanted.metric == 0 { USUAL_METRIC } else { wanted.metric };
    let from = match wanted.from {
        Some(Prefix::Net { net: IpNet::V6(net), .. }) => Some(net.trunc()).filter(|net| net.prefix_len() != 0),
        _ => None,
    };
    let is_twin =
        |entry: &Entry| entry.destination == IpNet::V6(destination) && entry.from == from && entry.metric == metric;
    let has_twin = wanted.is_in_main() && entries.iter().any(is_twin);
    let obstacle = obstacle(kernel, wanted, &entries, metric);
    let has_answer = match verb {
        Verb::Add | Verb::Test => has_twin,
        Verb::Change => !has_twin,
        Verb::Replace | Verb::Append | Verb::Prepend => false,
    };
    // what the kernel would look at before it looks for twins
    if (obstacle.is_some() || has_answer)
        && let Some(refusal) = reach::refusal_v6(kernel, &entries, wanted)
    {
        return Err(refusal);
    }
    match verb {
        _ if !wanted.is_in_main() => (),
        _ if verb.is_exclusive() && has_twin => return Err(refused(Errno::EEXIST)),
        Verb::Change if !has_twin => return Err(explained(Errno::ENOENT, "Can not replace route - no match found.")),
        _ => (),
    }
    if let Some(obstacle) = obstacle {
        return Err(obstacle);
    }
    let unreachable = wanted.kind == Some(UNREACHABLE);
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes).filter(|_| !unreachable);
    let request = RouteChange6 {
        source: from.unwrap_or_default(),
        gateway: match wanted.gateway {
            Some(IpAddr::V6(gateway)) if !unreachable => Some(gateway),
            _ => None,
        },
        index: device.and_then(|device| kernel.link_index(device).ok()).unwrap_or(0),
        metric,
        unreachable,
        preference: wanted.preference,
        expires: wanted.expires,
        ..RouteChange6::to(destination)
    };
    let add = || kernel.add_route_v6(&request);
    let explain = |errno| reach::refusal_v6(kernel, &entries, wanted).unwrap_or_else(|| refused(errno));
    if !matches!(verb, Verb::Replace | Verb::Change) || !has_twin {
        return add().map_err(|errno| if errno == Errno::EEXIST { refused(errno) } else { explain(errno) });
    }
    let is_new = match add() {
        Ok(()) => true,
        // the very same is there; it stays, the others go
        Err(Errno::EEXIST) => false,
        Err(errno) => return Err(explain(errno)),
    };
    let removals = others(kernel, &request, is_twin).inspect_err(|_| {
        if is_new {
            let _ = kernel.delete_route_v6(&request);
        }
    })?;
    removals.iter().try_for_each(|removal| removal.run(kernel)).map_err(refused)
}

/// What is asked for and no ioctl can do.
fn obstacle(kernel: &Kernel, wanted: &Wanted, entries: &[Entry], metric: u32) -> Option<Failure> {
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes);
    let repeats_kernel = || {
        let connected = device.and_then(|device| connected_address(kernel, wanted.destination.trunc(), device));
        wanted.gateway.is_none() && metric == METRIC_OF_KERNEL_V6 && connected.is_some()
    };
    let is_on_link = || match wanted.gateway {
        Some(IpAddr::V6(gateway)) => {
            gateway.is_unicast_link_local() || reach::is_on_link_v6(kernel, entries, gateway, device)
        }
        _ => false,
    };
    let has_protocol = match wanted.protocol {
        None | Some(protocol::BOOT) => false,
        Some(protocol::KERNEL) => !repeats_kernel(),
        Some(_) => true,
    };
    beyond_ioctl(wanted).or_else(|| match () {
        () if wanted.source.is_some() => Some(needs_netlink(b"src", "leave it out")),
        () if wanted.tcp != Tcp::default() => Some(needs_netlink(b"what a route tells TCP", "leave it out")),
        () if has_protocol => Some(needs_netlink(b"proto", "leave it out")),
        () if wanted.is_onlink && (device.is_none() || !is_on_link()) => {
            Some(needs_netlink(b"onlink", "add a route to the gateway first"))
        }
        () => None,
    })
}

/// What removes the routes in whose place another has been put: those through routers if it leads through one, as far as there
/// are any, else the first of the others.
fn others(
    kernel: &Kernel,
    new: &RouteChange6,
    is_twin: impl Fn(&Entry) -> bool,
) -> Result<Vec<Removal<'static>>, Failure> {
    let entries = table::main_v6(kernel);
    let mut list = singles(&entries);
    let gateway = |single: &Single| single.hop.and_then(|hop| hop.gateway);
    let index = |single: &Single| {
        let device = single.hop.and_then(|hop| hop.device.as_deref());
        device.and_then(|device| kernel.link_index(device.as_bytes()).ok()).unwrap_or(0)
    };
    let is_new = |single: &Single| {
        let has_index = new.index == 0 || new.index == index(single);
        match new.unreachable {
            true => single.hop.is_some_and(|hop| hop.device.as_deref() == Some("lo".as_ref())),
            false => gateway(single) == new.gateway.map(IpAddr::V6) && has_index,
        }
    };
    let mut old: Vec<usize> = (0..list.len()).filter(|&at| is_twin(list[at].entry) && !is_new(&list[at])).collect();
    let is_like_new = |&at: &usize| gateway(&list[at]).is_some() == new.gateway.is_some();
    if old.iter().any(is_like_new) {
        old.retain(is_like_new);
    }
    if new.gateway.is_none() && old.first().is_some_and(|&at| gateway(&list[at]).is_none()) {
        old.truncate(1);
    }
    let mut removals = Vec::new();
    // from the last on, so that the places of the others stay
    for at in old.into_iter().rev() {
        match Removal::of(kernel, &list, at) {
            Some(Removal::V6(change)) => removals.push(Removal::V6(change)),
            _ => return Err(out_of_reach(list[at].entry)),
        }
        list.remove(at);
    }
    Ok(removals)
}
