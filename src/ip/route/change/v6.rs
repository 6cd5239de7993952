//! IPv6 routes.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use nix::errno::Errno;

use super::request::{Action, unsupported};
use crate::error::{Failure, Outcome};
use crate::ip::route::args::RouteArgs;
use crate::ip::route::entry::{Entry, Hop, Tcp};
use crate::ip::route::infer::{self, METRIC_OF_KERNEL_V6, connected_address};
use crate::ip::route::reach::is_on_link_v6;
use crate::ip::route::refusal::refusal_v6;
use crate::ip::route::removal::{Removal, Single, out_of_reach, singles};
use crate::ip::route::snapshot::{Snapshot, Tables};
use crate::ip::route::table;
use crate::kernel::{Kernel, RouteChangeV6, expires_in_reach};
use crate::net::rtnetlink::{Protocol, RouteType};
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// The metric of a route that is given none (net/ipv6.h, `IP6_RT_PRIO_USER`).
const USUAL_METRIC: u32 = 1024;

pub(super) fn change(
    kernel: &Kernel,
    tables: &Tables,
    args: &RouteArgs,
    destination: Ipv6Net,
    action: Action,
) -> Outcome {
    let destination = destination.trunc();
    let metric = if args.metric == 0 { USUAL_METRIC } else { args.metric };
    let from = args.source_network();
    let is_twin =
        |entry: &Entry| entry.destination == IpNet::V6(destination) && entry.from == from && entry.metric == metric;
    let has_twin = args.is_in_main() && tables.main.iter().any(is_twin);
    let obstacle = check_for_ioctl(kernel, tables, args, metric);
    let has_answer = match action {
        Action::Add | Action::Test => has_twin,
        Action::Change => !has_twin,
        Action::Replace | Action::Append | Action::Prepend => false,
    };
    // what the kernel would look at before it looks for twins
    if (obstacle.is_err() || has_answer)
        && let Some(refusal) = refusal_v6(kernel, tables, args)
    {
        return Err(refusal);
    }
    match action {
        _ if !args.is_in_main() => (),
        Action::Add | Action::Test if has_twin => return Err(refused(Errno::EEXIST)),
        Action::Change if !has_twin => return Err(explained(Errno::ENOENT, "Can not replace route - no match found.")),
        _ => (),
    }
    obstacle?;
    let request = RouteChangeV6 { metric, ..request(kernel, args, destination)? };
    let explain = |errno| refusal_v6(kernel, tables, args).unwrap_or_else(|| refused(errno));
    if matches!(action, Action::Replace | Action::Change) && has_twin {
        if let Some(kind) = request.reject
            && let Some(old) = rejecting_twin(kernel, &is_twin)?
        {
            return if old == kind { Ok(()) } else { exchange_rejects(kernel, tables, &request, explain) };
        }
        return exchange(kernel, &request, args.device(), is_twin, explain);
    }
    kernel.add_route_v6(&request).map_err(|errno| match errno {
        Errno::EEXIST => refused(errno),
        errno => explain(errno),
    })
}

fn request(kernel: &Kernel, args: &RouteArgs, destination: Ipv6Net) -> Result<RouteChangeV6, Failure> {
    let reject = args.route_type().filter(|kind| kind.rejects());
    let device = args.device().filter(|_| reject.is_none());
    Ok(RouteChangeV6 {
        source: args.source_network().unwrap_or_default(),
        gateway: match args.gateway {
            Some(IpAddr::V6(gateway)) if reject.is_none() => Some(gateway),
            _ => None,
        },
        index: device.map_or(Ok(0), |device| kernel.link_index(device)).map_err(refused)?,
        reject,
        preference: args.preference,
        expires: args.expires,
        ..RouteChangeV6::to(destination)
    })
}

/// Refuses what is asked for and no ioctl can do.
fn check_for_ioctl(kernel: &Kernel, tables: &Tables, args: &RouteArgs, metric: u32) -> Outcome {
    if let Some(failure) = unsupported(args, kernel.has_reject_types_v6()) {
        return Err(failure);
    }
    let device = args.device();
    let repeats_kernel = || {
        let address = device.and_then(|device| connected_address(&tables.addresses, args.destination.trunc(), device));
        args.gateway.is_none() && metric == METRIC_OF_KERNEL_V6 && address.is_some()
    };
    let is_on_link = || match args.gateway {
        Some(IpAddr::V6(gateway)) => gateway.is_unicast_link_local() || is_on_link_v6(tables, gateway, device),
        _ => false,
    };
    let has_usual_protocol = match args.protocol {
        None | Some(Protocol::BOOT) => true,
        Some(Protocol::KERNEL) => repeats_kernel(),
        Some(_) => false,
    };
    match () {
        () if !expires_in_reach(args.expires) => {
            Err(needs_netlink("a lifetime above 42949672 seconds", "use a lower one"))
        }
        () if args.source.is_some() => Err(needs_netlink("src", "leave it out")),
        () if args.tcp != Tcp::default() => Err(needs_netlink("what a route tells TCP", "leave it out")),
        () if !has_usual_protocol => Err(needs_netlink("proto", "leave it out")),
        () if args.is_onlink && (device.is_none() || !is_on_link()) => {
            Err(needs_netlink("onlink", "add a route to the gateway first"))
        }
        () => Ok(()),
    }
}

/// Returns the type of the twin that drops packets, if one does.
fn rejecting_twin(kernel: &Kernel, is_twin: &impl Fn(&Entry) -> bool) -> Result<Option<RouteType>, Failure> {
    let entries = infer::main_v6(&Snapshot::of(kernel))?;
    Ok(entries.iter().find(|entry| is_twin(entry) && entry.kind.rejects()).map(|entry| entry.kind))
}

/// Puts a route that drops packets in the place of another such one. The kernel takes the two for the same route, so one with another
/// metric drops them meanwhile.
fn exchange_rejects(
    kernel: &Kernel,
    tables: &Tables,
    request: &RouteChangeV6,
    explain: impl Fn(Errno) -> Failure,
) -> Outcome {
    let is_free = |metric: &u32| {
        let destination = IpNet::V6(request.destination);
        !tables.main.iter().any(|entry| entry.destination == destination && entry.metric == *metric)
    };
    let metric = (1..u32::MAX).rev().find(is_free).unwrap_or(request.metric);
    let interim = RouteChangeV6 { metric, ..*request };
    kernel.add_route_v6(&interim).map_err(&explain)?;
    let exchanged = kernel.delete_route_v6(request).and_then(|()| kernel.add_route_v6(request));
    match exchanged {
        Ok(()) => kernel.delete_route_v6(&interim).map_err(|errno| still_there(refused(errno), &interim)),
        Err(errno) => Err(still_there(refused(errno), &interim)),
    }
}

/// Puts a route in the place of its twins. The new one is added before the old ones are deleted, so that there always is a route.
fn exchange(
    kernel: &Kernel,
    request: &RouteChangeV6,
    device: Option<&[u8]>,
    is_twin: impl Fn(&Entry) -> bool,
    explain: impl Fn(Errno) -> Failure,
) -> Outcome {
    let is_new = match kernel.add_route_v6(request) {
        Ok(()) => true,
        // it exists already; the others are deleted
        Err(Errno::EEXIST) => false,
        Err(errno) => return Err(explain(errno)),
    };
    let take_back = |failure: Failure| match is_new.then(|| kernel.delete_route_v6(request)) {
        Some(Err(_)) => still_there(failure, request),
        _ => failure,
    };
    let removals = replaced(kernel, request, device, is_twin).map_err(take_back)?;
    for (done, removal) in removals.iter().enumerate() {
        removal.run(kernel).map_err(|errno| match done {
            0 => take_back(refused(errno)),
            _ => still_there(refused(errno), request),
        })?;
    }
    Ok(())
}

/// Adds to a failure the route that could not be deleted.
fn still_there(failure: Failure, request: &RouteChangeV6) -> Failure {
    let RouteChangeV6 { destination, metric, .. } = request;
    failure.with_line(format!("ip: a new route to {destination} metric {metric} is left"))
}

/// Returns what removes the routes in whose place another has been put: those through routers if it leads through one, as far as
/// there are any, else the first of the others.
fn replaced(
    kernel: &Kernel,
    new: &RouteChangeV6,
    device: Option<&[u8]>,
    is_twin: impl Fn(&Entry) -> bool,
) -> Result<Vec<Removal<'static>>, Failure> {
    let after = Snapshot::of(kernel);
    let entries = table::main_v6(after.routes_v6()?);
    let mut list = singles(&entries);
    let gateway = |single: &Single| single.hop.and_then(|hop| hop.gateway);
    let is_new = |single: &Single| match new.reject.is_some() {
        true => single.hop.is_some_and(|hop| hop.is_over(b"lo")),
        false => {
            gateway(single) == new.gateway.map(IpAddr::V6)
                && (device.is_none() || device == single.hop.and_then(Hop::device))
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
