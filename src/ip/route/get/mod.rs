//! `ip route get`: the route that packets to an address take.

mod args;
mod lookup;
mod text;

use std::net::IpAddr;

use nix::errno::Errno;

use super::entry::Entry;
use super::filter::RouteFilter;
use super::snapshot::Snapshot;
use super::text as route_text;
use crate::call::Call;
use crate::error::Outcome;
use crate::ip::fields::{Fields, print_records};
use crate::ip::words::Words;
use crate::texts::iproute2::{needs_netlink, refused};
use args::GetArgs;

/// `ip route get [to] ADDRESS [from ADDRESS] [oif DEVICE] [fibmatch]`
pub(super) fn get(call: &mut Call, words: Words) -> Outcome {
    let options = words.options;
    let args = GetArgs::resolved(call.kernel, call.err, words)?;
    if let Some(word) = args.unsupported {
        return Err(needs_netlink(word, "leave it out"));
    }
    let host = Snapshot::of(call.kernel);
    let found = match args.to {
        IpAddr::V4(to) => lookup::lookup_v4(&host, &args, to)?,
        IpAddr::V6(to) => lookup::lookup_v6(&host, &args, to)?,
    };
    let mut fields = Fields::of(options);
    match (args.shows_match, &found.entry) {
        (true, Some(entry)) => {
            // as it is listed, except that the kernel calls every IPv4 table main
            let entry = Entry { is_local: entry.is_local && entry.is_v6(), ..entry.clone() };
            route_text::put(&mut fields, &entry, &RouteFilter::of_all_tables(), options);
        }
        // the kernel reaches this address without a route
        (true, None) => return Err(refused(Errno::EHOSTUNREACH)),
        (false, _) => text::put(&mut fields, &found, &args, options),
    }
    fields.end_record();
    print_records(call.out, [fields], options);
    Ok(())
}
