//! `ip route flush`: removes the routes that a listing would show.

use nix::errno::Errno;

use super::entry::Entry;
use super::filter::RouteFilter;
use super::removal;
use super::show::{Unlisted, listed};
use super::snapshot::Snapshot;
use super::text;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::fields::{Fields, print};
use crate::ip::options::Options;
use crate::ip::words::Words;
use crate::kernel::{Kernel, Table};
use crate::net::prefix::Family;
use crate::net::rtnetlink::TableId;
use crate::texts::iproute2::needs_netlink;

const NOTHING: &str = "Nothing to flush.\n";

/// `ip route flush SELECTOR`, with the words of `ip route show`.
pub(super) fn flush(call: &mut Call, words: Words) -> Outcome {
    let options = words.options;
    if words.peek().is_none() {
        return Err(Failure::new(line!("\"ip route flush\" requires arguments.")).formerly_with_status(255));
    }
    let filter = RouteFilter::resolved(call.kernel, words)?;
    if filter.is_cache {
        return flush_cache(call, options);
    }
    let host = Snapshot::of(call.kernel);
    // a listing does without the table main if it does not exist
    let is_v4 = options.family != Family::Inet6 && !options.link_only;
    if options.era.ip().misses_tables
        && filter.table() == TableId::MAIN
        && is_v4
        && host.routes_v4()?.table(host.kernel, TableId::MAIN.0) == Table::Absent
    {
        return Err(Unlisted::NoTable("ipv4").failure("Flush"));
    }
    let all = listed(&host, &filter, options).map_err(|reason| reason.failure("Flush"))?;
    let doomed: Vec<&Entry> = all.iter().filter(|route| filter.admits(route)).collect();
    if doomed.is_empty() {
        if !options.era.ip().quiet_flush {
            let _ = call.err.write_all(NOTHING.as_bytes());
        } else if options.statistics > 0 {
            print(call.out, NOTHING);
        }
        return Ok(());
    }
    if options.statistics > 1 {
        let mut fields = Fields::new(false);
        for route in &doomed {
            text::put(&mut fields, route, &filter, Options { json: false, ..options });
        }
        print(call.out, fields.into_text());
    }
    remove(call.kernel, &all, &filter)?;
    if options.statistics > 0 {
        print(call.out, format!("\n*** Round 1, deleting {} entries ***\n", doomed.len()));
        print(call.out, "*** Flush is complete after 1 round ***\n");
    }
    Ok(())
}

/// Removes the routes of a table that a filter admits.
fn remove(kernel: &Kernel, all: &[Entry], filter: &RouteFilter) -> Outcome {
    if !kernel.has_net_admin() {
        return Err(refused_to_send(Errno::EPERM));
    }
    if filter.table() != TableId::MAIN {
        return Err(needs_netlink("removing routes of other tables than main", "ioctls only change main"));
    }
    for removal in removal::plan(kernel, all, |single| filter.admits(single.entry))? {
        match removal.run(kernel) {
            Ok(()) => (),
            Err(Errno::ESRCH) if removal.is_of_unknown_maker() => return Err(removal::made_by_netlink()),
            // one may go with another, or by another's hand
            Err(Errno::ESRCH) => (),
            Err(errno) => return Err(refused_to_send(errno)),
        }
    }
    Ok(())
}

fn refused_to_send(errno: Errno) -> Failure {
    Failure::new(line!("Failed to send flush request: ", errno_text(errno))).with_status(2).formerly_with_status(1)
}

/// Flushes the routing cache of IPv4; IPv6 keeps it among its routes.
fn flush_cache(call: &mut Call, options: Options) -> Outcome {
    if options.family == Family::Inet6 {
        return Ok(());
    }
    if let Err(errno) = call.kernel.set_sysctl("net/ipv4/route/flush", "-1") {
        // iproute2 goes on
        let text = line!("Cannot open \"/proc/sys/net/ipv4/route/flush\": ", errno_text(errno));
        let _ = call.err.write_all(&text);
    }
    if options.statistics > 0 {
        print(call.out, "*** IPv4 routing cache is flushed.\n");
    }
    Ok(())
}
