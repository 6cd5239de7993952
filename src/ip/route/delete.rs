//! `ip route delete`.

use std::net::IpAddr;

use ipnet::IpNet;
use nix::errno::Errno;

use super::args::RouteArgs;
use super::entry::Entry;
use super::infer;
use super::removal::{self, Single};
use super::snapshot::Snapshot;
use super::source::{SourceLabel, Unlabelled};
use super::table;
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::ip::device::check_privilege;
use crate::ip::words::Words;
use crate::kernel::{RouteChangeV4, Table, metric_in_reach};
use crate::net::rtnetlink::{Protocol, RouteType, TableId};
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// `ip route delete [TYPE] PREFIX [via ADDRESS] [dev DEVICE] [metric METRIC] [scope SCOPE] [proto PROTOCOL] [src ADDRESS]`
///
/// Every word that a listing printed may be given. The first route that has all of them is deleted, and no other.
pub(super) fn delete(call: &mut Call, words: Words) -> Outcome {
    let kernel = call.kernel;
    let args = RouteArgs::resolved(kernel, words)?;
    check_privilege(kernel)?;
    let host = Snapshot::of(kernel);
    if lacks_table(&host, &args)? {
        return Err(explained(Errno::ESRCH, "FIB table does not exist."));
    }
    if !args.is_in_main() {
        return Err(outside_main(&host, &args)?);
    }
    let mut entries = match args.destination {
        IpNet::V4(destination) if destination != destination.trunc() => {
            return Err(explained(Errno::EINVAL, "Invalid prefix for given prefix length."));
        }
        // who made a route and its source are only inferred if they are asked for
        IpNet::V4(_) if args.protocol.is_none() && args.source.is_none() => table::main_v4(host.routes_v4()?),
        IpNet::V4(_) => infer::main_v4(&host)?,
        IpNet::V6(_) if args.protocol.is_none() => table::main_v6(host.routes_v6()?),
        IpNet::V6(_) => infer::main_v6(&host)?,
    };
    if let Some(outcome) = delete_by_source(&host, &mut entries, &args)? {
        return outcome;
    }
    let entry = match first_fit(&host, &entries, &args)? {
        Some(entry) => entry,
        None => return Err(missing(&entries, &args)),
    };
    // of a route that shares packets out a gateway means one next hop, else all of it is deleted
    let is_meant = |single: &Single| {
        std::ptr::eq(single.entry, entry) && single.hop.is_none_or(|hop| has_gateway(hop.gateway, &args))
    };
    let removals = removal::plan(kernel, &entries, is_meant)?;
    for removal in &removals {
        removal.run(kernel).map_err(|errno| match errno {
            Errno::ESRCH if removal.is_of_unknown_maker() => removal::made_by_netlink(),
            errno => refused(errno),
        })?;
    }
    Ok(())
}

/// Deletes an IPv4 route by its source, which no file shows: the kernel compares it. `None` if no source is given that could be that
/// of a route made by hand.
/// Routes that have another source are taken out.
fn delete_by_source(host: &Snapshot, entries: &mut Vec<Entry>, args: &RouteArgs) -> Result<Option<Outcome>, Failure> {
    let Some(IpAddr::V4(source)) = args.source else { return Ok(None) };
    if !host.addresses_v4()?.iter().any(|own| own.net.addr() == source) {
        return Ok(None);
    }
    let mut at = 0;
    while let Some(entry) = entries.get(at) {
        at += 1;
        let is_by_hand = entry.protocol == Protocol::BOOT && entry.kind == RouteType::Unicast && entry.tos == 0;
        let (IpNet::V4(destination), Some(hop), true) = (entry.destination, entry.hop(), is_by_hand) else { continue };
        let (Some(link), Fit::Yes) = (hop.device.as_deref(), fits_v4(host, entry, &args.without_source())?) else {
            continue;
        };
        let label = match SourceLabel::put(host.kernel, link, source) {
            Ok(label) => label,
            Err(Unlabelled::Classful) => return Ok(None),
            Err(Unlabelled::Refused(failure)) => return Err(failure),
        };
        let gateway = match hop.gateway {
            Some(IpAddr::V4(gateway)) => Some(gateway),
            _ => None,
        };
        let metric = if metric_in_reach(entry.metric) { entry.metric } else { 0 };
        let change = RouteChangeV4 { gateway, device: Some(&label.label), metric, ..RouteChangeV4::to(destination) };
        let deleted = host.kernel.delete_route_v4(&change);
        let removed = label.remove();
        match deleted {
            Err(Errno::ESRCH) => {
                removed?;
                at -= 1;
                entries.remove(at);
            }
            deleted => return Ok(Some(deleted.map_err(refused).and(removed))),
        }
    }
    Ok(None)
}

fn lacks_table(host: &Snapshot, args: &RouteArgs) -> Result<bool, Failure> {
    Ok(match args.destination {
        IpNet::V4(_) => host.routes_v4()?.table(host.kernel, args.table.0) == Table::Absent,
        IpNet::V6(_) => ![TableId::MAIN, TableId::LOCAL].contains(&args.table) && !host.routes_v6()?.has_others,
    })
}

/// Whether a route is meant.
enum Fit<'a> {
    Yes,
    No,
    /// As far as can be known it is, except for this, which no file shows.
    Unknown(&'a [u8]),
}

/// Returns the first route that is meant.
fn first_fit<'e>(host: &Snapshot, entries: &'e [Entry], args: &RouteArgs) -> Result<Option<&'e Entry>, Failure> {
    for entry in entries {
        let fit = match args.destination {
            IpNet::V4(_) => fits_v4(host, entry, args)?,
            IpNet::V6(_) => fits_v6(entry, args),
        };
        match fit {
            Fit::Yes => return Ok(Some(entry)),
            Fit::No => (),
            Fit::Unknown(what) => return Err(needs_netlink(what, "no file tells which routes have it")),
        }
    }
    Ok(None)
}

/// Compares destination, next hop and metric.
fn fits(entry: &Entry, args: &RouteArgs) -> bool {
    let device = args.device();
    let is_v4 = args.destination.addr().is_ipv4();
    let names_hop = device.is_some() || args.gateway.is_some_and(|gateway| !(is_v4 && gateway.is_unspecified()));
    let mut hops = entry.hops.iter();
    entry.destination == args.destination.trunc()
        && [0, entry.metric].contains(&args.metric)
        && (!names_hop
            || hops.any(|hop| device.is_none_or(|device| hop.is_over(device)) && has_gateway(hop.gateway, args)))
}

/// Compares who made a route. For an ordinary one that is not known, but it was not the kernel.
fn fits_protocol(entry: &Entry, args: &RouteArgs) -> Fit<'static> {
    match args.protocol {
        None | Some(Protocol::UNSPEC) => Fit::Yes,
        Some(protocol) if protocol == entry.protocol => Fit::Yes,
        Some(Protocol::BOOT | Protocol::KERNEL | Protocol::RA) => Fit::No,
        Some(_) if entry.protocol != Protocol::BOOT => Fit::No,
        Some(_) => Fit::Unknown(b"proto"),
    }
}

fn fits_v6<'a>(entry: &Entry, args: &RouteArgs<'a>) -> Fit<'a> {
    match () {
        () if !fits(entry, args) || entry.from != args.source_network() => Fit::No,
        () if args.has_unsupported_hops => Fit::Unknown(args.unsupported.unwrap_or_default()),
        () => fits_protocol(entry, args),
    }
}

fn fits_v4<'a>(host: &Snapshot, entry: &Entry, args: &RouteArgs<'a>) -> Result<Fit<'a>, Failure> {
    let has_tcp = |known: u32, given: u32| given == 0 || given == known;
    let is_same = fits(entry, args)
        && entry.tos == args.tos
        && (args.has_any_scope() || args.scope == Some(entry.scope))
        && args.type_number.is_none_or(|number| number == 0 || number == entry.kind.number())
        && has_tcp(entry.tcp.window, args.tcp.window)
        && has_tcp(entry.tcp.rtt, args.tcp.rtt)
        && has_tcp(entry.tcp.advmss, args.tcp.advmss);
    if !is_same {
        return Ok(Fit::No);
    }
    Ok(match (fits_protocol(entry, args), fits_source(host, entry, args)?) {
        (Fit::No, _) | (_, Fit::No) => Fit::No,
        (Fit::Yes, Fit::Yes) => args.unsupported.map_or(Fit::Yes, Fit::Unknown),
        (Fit::Unknown(what), _) | (_, Fit::Unknown(what)) => Fit::Unknown(what),
    })
}

/// Compares the source of an IPv4 route.
fn fits_source(host: &Snapshot, entry: &Entry, args: &RouteArgs) -> Result<Fit<'static>, Failure> {
    Ok(match (args.source, entry.source) {
        (None, _) => Fit::Yes,
        (Some(source), Some(known)) if source == known => Fit::Yes,
        (Some(_), Some(_)) => Fit::No,
        (Some(_), None) if entry.kind.rejects() => Fit::No,
        (Some(source), None) => {
            match infer::may_be_given(entry, source, host.addresses_v4()?, host.routes_v4()?.has_rules() != Some(false))
            {
                true => Fit::Unknown(b"src"),
                false => Fit::No,
            }
        }
    })
}

/// Whether a gateway is the one that is asked for. IPv4's 0.0.0.0 is none.
fn has_gateway(gateway: Option<IpAddr>, args: &RouteArgs) -> bool {
    match args.gateway {
        Some(asked) if asked.is_ipv6() || !asked.is_unspecified() => gateway == Some(asked),
        _ => true,
    }
}

/// Returns why nothing is deleted: the kernel finds IPv6's stand-in for the missing default route, and makes nothing of it.
fn missing(entries: &[Entry], args: &RouteArgs) -> Failure {
    let is_default = |net: IpNet| net.addr().is_ipv6() && net.prefix_len() == 0;
    let finds_null = is_default(args.destination)
        && !entries.iter().any(|entry| is_default(entry.destination))
        && args.gateway.is_none()
        && args.device().is_none()
        && [0, u32::MAX].contains(&args.metric);
    refused(if finds_null { Errno::ENOENT } else { Errno::ESRCH })
}

/// Returns why no route of another table is deleted: it does not exist, or no ioctl deletes it.
fn outside_main(host: &Snapshot, args: &RouteArgs) -> Result<Failure, Failure> {
    let is_missing = args.table == TableId::LOCAL && {
        let local =
            if args.destination.addr().is_ipv4() { host.local_v4()? } else { table::local_v6(host.routes_v6()?) };
        !local.iter().any(|entry| entry.destination == args.destination)
    };
    Ok(match is_missing {
        true => refused(Errno::ESRCH),
        false => needs_netlink("a table besides main", "ioctls only change main"),
    })
}
