//! `ip route delete`.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;
use nix::errno::Errno;

use super::entry::{Entry, Tcp};
use super::names::{self, protocol, table as number};
use super::removal::{self, Single};
use super::wanted::Wanted;
use super::{infer, table};
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::ip::prefix::Prefix;
use crate::ip::words::Words;
use crate::ip::{Options, explained, needs_netlink, refused};
use crate::kernel::{Kernel, Table};

/// `ip route delete [TYPE] PREFIX [via ADDRESS] [dev DEVICE] [metric METRIC] [scope SCOPE] [proto PROTOCOL] [src ADDRESS]`
///
/// Every word that a listing printed may be given. The first route that has all of them goes, and no other.
pub(super) fn delete(call: &mut Call, options: Options, words: Words) -> Outcome {
    let kernel = call.kernel;
    let wanted = Wanted::parse(kernel, options, words)?;
    // the kernel looks at the privilege first
    if !kernel.may_change_routes() {
        return Err(refused(Errno::EPERM));
    }
    let is_absent = match wanted.destination {
        IpNet::V4(_) => kernel.table_v4(wanted.table) == Table::Absent,
        IpNet::V6(_) => {
            ![number::MAIN, number::LOCAL].contains(&wanted.table) && !kernel.routes_v6().unwrap_or_default().has_others
        }
    };
    if is_absent {
        return Err(explained(Errno::ESRCH, "FIB table does not exist."));
    }
    if !wanted.is_in_main() {
        return Err(elsewhere(kernel, &wanted));
    }
    let entries = match wanted.destination {
        IpNet::V4(destination) if destination != destination.trunc() => {
            return Err(explained(Errno::EINVAL, "Invalid prefix for given prefix length."));
        }
        // who made a route and its source are only looked for if they are asked for
        IpNet::V4(_) if wanted.protocol.is_none() && wanted.source.is_none() => table::main_v4(kernel),
        IpNet::V4(_) => infer::main_v4(kernel),
        IpNet::V6(_) if wanted.protocol.is_none() => table::main_v6(kernel),
        IpNet::V6(_) => infer::main_v6(kernel),
    };
    let mut place = None;
    for (at, entry) in entries.iter().enumerate() {
        match fits(kernel, entry, &wanted) {
            Fit::Yes => {
                place = Some(at);
                break;
            }
            Fit::No => (),
            Fit::Unknown(what) => return Err(needs_netlink(what, "no file tells which routes have it")),
        }
    }
    let Some(entry) = place.and_then(|at| entries.get(at)) else { return Err(missing(&entries, &wanted)) };
    // of a route that shares packets out a gateway means one way, else all of it goes
    let is_meant = |single: &Single| {
        std::ptr::eq(single.entry, entry) && single.hop.is_none_or(|hop| has_gateway(hop.gateway, &wanted))
    };
    let removals = removal::plan(kernel, &entries, is_meant)?;
    removals.iter().try_for_each(|removal| removal.run(kernel)).map_err(refused)
}

/// Whether a route is meant.
enum Fit<'a> {
    Yes,
    No,
    /// As far as can be seen it is, but for something that is in no file.
    Unknown(&'a [u8]),
}

fn fits<'a>(kernel: &Kernel, entry: &Entry, wanted: &Wanted<'a>) -> Fit<'a> {
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes);
    let is_v4 = wanted.destination.addr().is_ipv4();
    let has_way = entry
        .hops
        .iter()
        .any(|hop| device.is_none_or(|device| hop.is_over(device)) && has_gateway(hop.gateway, wanted));
    let asks_for_way = device.is_some() || wanted.gateway.is_some_and(|gateway| !(is_v4 && gateway.is_unspecified()));
    let same = entry.destination == wanted.destination.trunc()
        && (has_way || !asks_for_way)
        && [0, entry.metric].contains(&wanted.metric);
    // who made an ordinary route is not known, but it was not the kernel
    let protocol = match wanted.protocol {
        None | Some(protocol::UNSPEC) => Fit::Yes,
        Some(number) if number == entry.protocol => Fit::Yes,
        Some(protocol::BOOT | protocol::KERNEL | protocol::RA) => Fit::No,
        Some(_) if entry.protocol != protocol::BOOT => Fit::No,
        Some(_) => Fit::Unknown(b"proto"),
    };
    if !is_v4 {
        let from = match wanted.from {
            Some(Prefix::Net { net: IpNet::V6(net), .. }) => Some(net.trunc()).filter(|net| net.prefix_len() != 0),
            _ => None,
        };
        return match () {
            () if !same || entry.from != from => Fit::No,
            () if wanted.has_other_ways => Fit::Unknown(wanted.beyond.unwrap_or_default()),
            () => protocol,
        };
    }
    let has_tcp = |known: u32, given: u32| given == 0 || given == known;
    let Tcp { window, round_trip, segment } = wanted.tcp;
    let same = same
        && entry.tos == wanted.tos
        && (wanted.has_any_scope() || wanted.scope == Some(entry.scope))
        && wanted.kind.is_none_or(|kind| kind == 0 || kind == names::number_of(entry.kind))
        && has_tcp(entry.tcp.window, window)
        && has_tcp(entry.tcp.round_trip, round_trip)
        && has_tcp(entry.tcp.segment, segment);
    let source = match (wanted.source, entry.source) {
        (None, _) => Fit::Yes,
        (Some(wanted), Some(known)) if wanted == known => Fit::Yes,
        (Some(_), Some(_)) => Fit::No,
        (Some(_), None) if entry.rejects() => Fit::No,
        (Some(wanted), None) if same && !infer::may_be_given(kernel, entry, wanted) => Fit::No,
        (Some(_), None) => Fit::Unknown(b"src"),
    };
    match (same, protocol, source) {
        (false, ..) | (_, Fit::No, _) | (_, _, Fit::No) => Fit::No,
        (true, Fit::Yes, Fit::Yes) => wanted.beyond.map_or(Fit::Yes, Fit::Unknown),
        (true, Fit::Unknown(what), _) | (true, _, Fit::Unknown(what)) => Fit::Unknown(what),
    }
}

/// Whether a gateway is the one that is asked for. IPv4's 0.0.0.0 is none.
fn has_gateway(gateway: Option<IpAddr>, wanted: &Wanted) -> bool {
    match wanted.gateway {
        Some(asked) if asked.is_ipv6() || !asked.is_unspecified() => gateway == Some(asked),
        _ => true,
    }
}

/// Why nothing is removed: the kernel finds IPv6's stand-in for the missing default route, and makes nothing of it.
fn missing(entries: &[Entry], wanted: &Wanted) -> Failure {
    let is_default = |net: IpNet| net.addr().is_ipv6() && net.prefix_len() == 0;
    let finds_null = is_default(wanted.destination)
        && !entries.iter().any(|entry| is_default(entry.destination))
        && wanted.gateway.is_none()
        && wanted.device.is_none()
        && [0, u32::MAX].contains(&wanted.metric);
    refused(if finds_null { Errno::ENOENT } else { Errno::ESRCH })
}

/// A route of another table, which no ioctl removes.
fn elsewhere(kernel: &Kernel, wanted: &Wanted) -> Failure {
    let is_missing = wanted.table == number::LOCAL && {
        let is_v4 = wanted.destination.addr().is_ipv4();
        let local = if is_v4 { table::local_v4(kernel) } else { table::local_v6(kernel) };
        !local.iter().any(|entry| entry.destination == wanted.destination)
    };
    match is_missing {
        true => refused(Errno::ESRCH),
        false => needs_netlink(b"a table besides main", "ioctls only change main"),
    }
}
