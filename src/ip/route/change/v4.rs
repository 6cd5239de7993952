//! IPv4 routes.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::request::{Action, unsupported};
use crate::error::{Failure, Outcome};
use crate::ip::route::args::RouteArgs;
use crate::ip::route::entry::{Entry, Hop, Tcp};
use crate::ip::route::infer::{self, connected_address};
use crate::ip::route::reach::{Gateway, gateway_v4, is_special_v4};
use crate::ip::route::refusal::{gateway_of, invalid_gateway, refusal_v4};
use crate::ip::route::removal::{Removal, Single, out_of_reach, singles};
use crate::ip::route::snapshot::{Snapshot, Tables};
use crate::ip::route::source::{SourceLabel, Unlabelled, is_left};
use crate::kernel::{Address, Kernel, RouteChangeV4, metric_in_reach};
use crate::net::rtnetlink::{Protocol, RouteType, Scope};
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// Where a route leads, once the kernel's part in it is known.
#[derive(Clone)]
struct NextHop {
    gateway: Option<Ipv4Addr>,
    /// The link, if it is known.
    link: Option<OsString>,
    /// The name under which the link is given to the kernel: a label brings its address along as the source.
    label: Option<OsString>,
    /// A source that has no label yet.
    source: Option<Ipv4Addr>,
}

pub(super) fn change(
    host: &Snapshot,
    tables: &Tables,
    args: &RouteArgs,
    destination: Ipv4Net,
    action: Action,
) -> Outcome {
    if destination != destination.trunc() {
        return Err(explained(Errno::EINVAL, "Invalid prefix for given prefix length."));
    }
    let kernel = host.kernel;
    let is_twin = |entry: &Entry| {
        entry.destination == IpNet::V4(destination) && entry.metric == args.metric && entry.tos == args.tos
    };
    let twin = tables.main.iter().position(is_twin).filter(|_| args.is_in_main());
    let hop = next_hop(tables, args);
    let has_answer = match action {
        Action::Add | Action::Append => twin.is_some(),
        Action::Test => true,
        Action::Change => twin.is_none(),
        Action::Replace | Action::Prepend => false,
    };
    // what the kernel would look at before it looks for twins
    if (hop.is_err() || has_answer)
        && let Some(refusal) = refusal_v4(kernel, tables, args)
    {
        return Err(refusal);
    }
    match (action, twin) {
        _ if !args.is_in_main() => (),
        (Action::Add | Action::Test, Some(_)) => return Err(refused(Errno::EEXIST)),
        (Action::Change | Action::Test, None) => return Err(refused(Errno::ENOENT)),
        _ => (),
    }
    let hop = hop?;
    let run = |hop: &NextHop| {
        let request = request(args, destination, hop);
        match (action, twin) {
            (Action::Replace | Action::Change, Some(twin)) => exchange(kernel, tables, &request, hop, twin),
            (Action::Append, Some(_)) => append(host, hop, args),
            _ => add(kernel, &request),
        }
    };
    let (Some(source), Some(link)) = (hop.source, hop.link.as_deref()) else { return run(&hop) };
    if let Some(refusal) = refusal_v4(kernel, tables, args) {
        return Err(refusal);
    }
    match SourceLabel::put(kernel, link, source) {
        Ok(label) => {
            let outcome = run(&NextHop { label: Some(OsString::from_vec(label.label.clone())), ..hop.clone() });
            outcome.and(label.remove())
        }
        // without it the kernel would choose the same
        Err(Unlabelled::Classful) if is_usual(tables, args, destination, &hop, source) => run(&hop),
        Err(Unlabelled::Classful) => {
            let reason = "the device has this address with the prefix of its class";
            Err(needs_netlink("src", reason))
        }
        Err(Unlabelled::Refused(failure)) => Err(failure),
    }
}

/// Whether the kernel would choose a source by itself.
fn is_usual(tables: &Tables, args: &RouteArgs, destination: Ipv4Net, hop: &NextHop, source: Ipv4Addr) -> bool {
    infer::usual(&entry_of(&request(args, destination, hop), hop), &tables.addresses) == Some(source.into())
}

fn request<'a>(args: &'a RouteArgs, destination: Ipv4Net, hop: &'a NextHop) -> RouteChangeV4<'a> {
    RouteChangeV4 {
        gateway: hop.gateway,
        device: hop.label.as_deref().map(OsStrExt::as_bytes).or(args.device()),
        metric: args.metric,
        unreachable: args.is_unreachable(),
        advmss: args.tcp.advmss,
        window: args.tcp.window,
        rtt: args.tcp.rtt as u16,
        ..RouteChangeV4::to(destination)
    }
}

fn add(kernel: &Kernel, request: &RouteChangeV4) -> Outcome {
    kernel.add_route_v4(request).map_err(|errno| not_added(request, errno))
}

/// Returns why a route was not added.
fn not_added(request: &RouteChangeV4, errno: Errno) -> Failure {
    match (errno, request.gateway) {
        (Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::EINVAL, Some(_)) => {
            invalid_gateway().formerly(refused(errno).text, 2)
        }
        (Errno::ENETDOWN, None) => explained(Errno::ENETDOWN, "Device for nexthop is not up."),
        (errno, _) => refused(errno),
    }
}

/// Returns where ioctls make the route lead.
///
/// # Errors
/// What they cannot make.
fn next_hop(tables: &Tables, args: &RouteArgs) -> Result<NextHop, Failure> {
    check_for_ioctl(args)?;
    let gateway = gateway_of(args);
    let link = match gateway {
        Some(gateway) => link_of(tables, gateway, args)?,
        None if args.is_onlink || args.gateway.is_some() && args.device().is_some() => {
            return Err(needs_netlink("a way without a gateway by these words", "use dev alone"));
        }
        None => None,
    };
    let link = link.or_else(|| args.device().map(|device| OsString::from_vec(device.to_vec())));
    let usual_scope = match gateway {
        _ if args.is_unreachable() => Scope::HOST,
        Some(_) => Scope::GLOBAL,
        None => Scope::LINK,
    };
    if args.scope.is_some_and(|scope| scope != usual_scope) {
        return Err(needs_netlink("this scope of a route", "leave it out"));
    }
    let connected = match args.device() {
        Some(device) if gateway.is_none() && !args.is_unreachable() => {
            connected_address(&tables.addresses, args.destination, device)
        }
        _ => None,
    };
    match args.protocol {
        None | Some(Protocol::BOOT) => (),
        Some(Protocol::KERNEL) if connected.is_some() => (),
        Some(_) => return Err(needs_netlink("proto", "leave it out")),
    }
    let mut hop = NextHop { gateway, link, label: None, source: None };
    if let Some(IpAddr::V4(source)) = args.source.filter(|&source| connected != Some(source)) {
        if args.is_unreachable() {
            return Err(needs_netlink("src of what is unreachable", "leave it out"));
        }
        hop.label = hop.link.as_ref().and_then(|link| label_of(&tables.addresses, link, source.into()));
        hop.source = Some(source).filter(|_| hop.label.is_none());
    }
    Ok(hop)
}

/// Refuses what no ioctl carries.
fn check_for_ioctl(args: &RouteArgs) -> Outcome {
    if let Some(failure) = unsupported(args, false) {
        return Err(failure);
    }
    if args.tos != 0 {
        return Err(needs_netlink("a type of service", "leave it out"));
    }
    if !metric_in_reach(args.metric) {
        return Err(needs_netlink("a metric above 32766", "use a lower one"));
    }
    if !args.has_rtt_for_ioctl() {
        return Err(needs_netlink("this rtt", "use whole milliseconds, at most 65535"));
    }
    if args.is_unreachable() && (gateway_of(args).is_some() || args.device().is_some()) {
        return Err(needs_netlink("a way for what is unreachable", "leave it out"));
    }
    Ok(())
}

/// Returns the link of a gateway, if the tables show it.
fn link_of(tables: &Tables, gateway: Ipv4Addr, args: &RouteArgs) -> Result<Option<OsString>, Failure> {
    let device = args.device();
    match gateway_v4(tables, gateway, device) {
        Ok(_) if args.is_onlink && device.is_none() => Err(needs_netlink("onlink", "give a device")),
        Ok(Gateway::OnLink(link)) if !is_special_v4(tables, gateway) => Ok(Some(link)),
        Ok(_) => Err(needs_netlink("a gateway that is this host", "use dev alone")),
        // the kernel will know better than we if it is right
        Err(_) if !args.is_onlink => Ok(None),
        Err(_) => Err(needs_netlink("onlink", "add a route to the gateway first")),
    }
}

/// Returns the label under which the ioctls find an address, if it is its own: with a ':' and no other address before it.
fn label_of(addresses: &[Address], link: &OsStr, source: IpAddr) -> Option<OsString> {
    let on_link = || addresses.iter().filter(|address| address.link == link);
    let address = on_link().find(|address| address.net.addr() == source)?;
    let first = on_link().find(|other| other.label == address.label)?;
    let has_own = first.net == address.net && address.label.as_bytes().contains(&b':');
    (has_own && !is_left(address)).then(|| address.label.clone())
}

/// Refuses a route behind others to the same network with the same metric: the ioctls only put it in front.
fn append(host: &Snapshot, hop: &NextHop, args: &RouteArgs) -> Outcome {
    let is_same = |entry: &Entry| {
        entry.destination == args.destination
            && entry.metric == args.metric
            && entry.tcp == args.tcp
            && entry.source == args.source
            && entry.protocol == Protocol::BOOT
            && leads_to(entry, hop, args.is_unreachable())
    };
    match infer::main_v4(host)?.iter().any(is_same) {
        true => Err(refused(Errno::EEXIST)),
        false => Err(needs_netlink("a route behind others of its metric", "use prepend, or another metric")),
    }
}

/// Whether a route leads to a next hop, or to none.
fn leads_to(entry: &Entry, hop: &NextHop, unreachable: bool) -> bool {
    match unreachable {
        true => entry.kind == RouteType::Unreachable,
        false => {
            entry.kind == RouteType::Unicast
                && entry.gateway() == hop.gateway.map(IpAddr::V4)
                && entry.device() == hop.link.as_deref().map(OsStrExt::as_bytes)
        }
    }
}

/// Puts a route in another's place. The new one is added before the old one is deleted, so that there always is a route.
fn exchange(kernel: &Kernel, tables: &Tables, request: &RouteChangeV4, hop: &NextHop, twin: usize) -> Outcome {
    let old = &tables.main[twin];
    let is_same = leads_to(old, hop, request.unreachable);
    if is_same && request.unreachable {
        return Ok(());
    }
    let new = entry_of(request, hop);
    // IPv4's routes have at most one next hop each
    let mut with_new = singles(&tables.main);
    with_new.insert(twin, Single { entry: &new, hop: new.hops.first() });
    match Removal::of(kernel, &with_new, twin + 1) {
        Some(removal) => {
            add(kernel, request)?;
            removal.run(kernel).map_err(|errno| taken_back(kernel, request, refused(errno)))
        }
        None if is_same => match kernel.add_route_v4(request) {
            // they do not differ in what no file shows either
            Err(Errno::EEXIST) => Ok(()),
            Ok(()) => {
                kernel.delete_route_v4(request).map_err(|errno| with_left(refused(errno), request))?;
                exchange_by_detour(kernel, tables, request, hop, twin)
            }
            Err(errno) => Err(not_added(request, errno)),
        },
        None => exchange_by_detour(kernel, tables, request, hop, twin),
    }
}

/// Puts a route in another's place where the ioctl that deletes the old one would take the new one for it, because it stands before
/// the old one and leads over the same link: another metric keeps the destination reachable meanwhile.
fn exchange_by_detour(
    kernel: &Kernel,
    tables: &Tables,
    request: &RouteChangeV4,
    hop: &NextHop,
    twin: usize,
) -> Outcome {
    let old = &tables.main[twin];
    let mut without_old = tables.clone();
    without_old.main.remove(twin);
    // the gateway must not be reached by the old route alone
    let is_reached = request.gateway.is_none_or(|gateway| {
        let device = hop.link.as_deref().map(OsStrExt::as_bytes);
        matches!(gateway_v4(&without_old, gateway, device), Ok(Gateway::OnLink(_)))
    });
    if !is_reached {
        return Err(needs_netlink("this replacement", "the gateway is reached by the old route alone"));
    }
    let is_free =
        |metric: &u32| !tables.main.iter().any(|entry| entry.destination == old.destination && entry.metric == *metric);
    let removal = Removal::of(kernel, &singles(&tables.main), twin).ok_or_else(|| out_of_reach(old))?;
    let spare = (1..=32766).rev().find(is_free).ok_or_else(|| out_of_reach(old))?;
    let interim = RouteChangeV4 { metric: spare, ..*request };
    add(kernel, &interim)?;
    removal.run(kernel).map_err(|errno| taken_back(kernel, &interim, refused(errno)))?;
    if let Err(failure) = add(kernel, request) {
        // the old one again, as far as files showed it
        let old = RouteChangeV4 { gateway: gateway_v4_of(old), ..with_tcp_of(request, old) };
        return match kernel.add_route_v4(&old) {
            Ok(()) => Err(taken_back(kernel, &interim, failure)),
            Err(_) => Err(with_left(failure, &interim)),
        };
    }
    kernel.delete_route_v4(&interim).map_err(|errno| with_left(refused(errno), &interim))
}

/// Deletes a route that was added before something failed, and returns the failure.
fn taken_back(kernel: &Kernel, added: &RouteChangeV4, failure: Failure) -> Failure {
    match kernel.delete_route_v4(added) {
        Ok(()) => failure,
        Err(_) => with_left(failure, added),
    }
}

/// Adds to a failure the route that could not be deleted.
fn with_left(failure: Failure, route: &RouteChangeV4) -> Failure {
    let metric = if route.metric == 0 { String::new() } else { format!(" metric {}", route.metric) };
    failure.with_line(format!("ip: a new route to {}{metric} is left", route.destination))
}

/// Returns the IPv4 gateway of a route.
fn gateway_v4_of(entry: &Entry) -> Option<Ipv4Addr> {
    match entry.gateway() {
        Some(IpAddr::V4(gateway)) => Some(gateway),
        _ => None,
    }
}

/// Returns a change with what another route tells TCP.
fn with_tcp_of<'a>(change: &RouteChangeV4<'a>, entry: &Entry) -> RouteChangeV4<'a> {
    let Tcp { advmss, window, rtt } = entry.tcp;
    RouteChangeV4 { advmss, window, rtt: rtt as u16, ..*change }
}

/// Returns the route that an addition will make, as far as it matters for what is removed.
fn entry_of(request: &RouteChangeV4, hop: &NextHop) -> Entry {
    let (kind, scope, hops) = match request.unreachable {
        true => (RouteType::Unreachable, Scope::HOST, Vec::new()),
        false => {
            let hop = Hop::to(request.gateway.map(IpAddr::V4), hop.link.clone());
            (RouteType::Unicast, Scope::LINK, vec![hop])
        }
    };
    Entry {
        kind,
        destination: request.destination.into(),
        from: None,
        tos: 0,
        hops,
        is_local: false,
        protocol: Protocol::BOOT,
        scope,
        source: None,
        metric: request.metric,
        tcp: Tcp::default(),
        preference: 0,
    }
}
