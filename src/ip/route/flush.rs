//! `ip route flush`: removes the routes that a listing would show.

use nix::errno::Errno;

use super::filter::Filter;
use super::infer;
use super::names::table;
use super::removal;
use super::show::{Unlisted, selected};
use super::text;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::list::Record;
use crate::ip::prefix::Family;
use crate::ip::words::Words;
use crate::ip::{Options, complete, needs_netlink, print};
use crate::kernel::Table;

/// `ip route flush SELECTOR`, with the words of `ip route show`.
pub(super) fn flush(call: &mut Call, options: Options, words: Words) -> Outcome {
    if words.peek().is_none() {
        return Err(Failure::new(line!("\"ip route flush\" requires arguments.")).formerly_with_status(255));
    }
    let filter = Filter::parse(call.kernel, options, words)?;
    if filter.is_cache {
        return flush_cache(call, options);
    }
    // a listing does without the table main if there is none
    let is_v4 = options.family != Family::Inet6 && !options.link_only;
    if options.era.ip().misses_tables
        && filter.table() == table::MAIN
        && is_v4
        && call.kernel.table_v4(table::MAIN) == Table::Absent
    {
        return Err(Unlisted::NoTable("ipv4").failure("Flush"));
    }
    let routes = selected(call.kernel, &filter, options);
    complete(call.kernel)?;
    let routes = routes.map_err(|reason| reason.failure("Flush"))?;
    if routes.is_empty() {
        if !options.era.ip().quiet_flush {
            // it was said unasked then
            let _ = call.err.write_all(b"Nothing to flush.\n");
        } else if options.statistics > 0 {
            print(call.out, "Nothing to flush.\n");
        }
        return Ok(());
    }
    if options.statistics > 1 {
        let options = Options { json: false, ..options };
        for route in &routes {
            let mut record = Record::new(false);
            text::put(&mut record, route, &filter, options);
            print(call.out, record.so_far());
        }
    }
    if !call.kernel.may_change_routes() {
        return Err(refused_to_send(Errno::EPERM));
    }
    if filter.table() != table::MAIN {
        return Err(needs_netlink(b"removing routes of other tables than main", "ioctls only change main"));
    }
    let all = match options.family {
        Family::Inet6 => infer::main_v6(call.kernel),
        _ => infer::main_v4(call.kernel),
    };
    let removals = removal::plan(call.kernel, &all, |single| filter.admits(single.entry))?;
    for removal in removals {
        match removal.run(call.kernel) {
            // one may go with another, or by another's hand
            Ok(()) | Err(Errno::ESRCH) => (),
            Err(errno) => return Err(refused_to_send(errno)),
        }
    }
    if options.statistics > 0 {
        print(call.out, format!("\n*** Round 1, deleting {} entries ***\n", routes.len()));
        print(call.out, "*** Flush is complete after 1 round ***\n");
    }
    Ok(())
}

fn refused_to_send(errno: Errno) -> Failure {
    Failure::new(line!("Failed to send flush request: ", errno_text(errno))).with_status(2).formerly_with_status(1)
}

/// What was learnt of ways to IPv4 hosts; IPv6 keeps that among its routes.
fn flush_cache(call: &mut Call, options: Options) -> Outcome {
    if options.family == Family::Inet6 {
        return Ok(());
    }
    if let Err(errno) = call.kernel.flush_route_cache() {
        // with which iproute2 is content
        let text = line!("Cannot open \"/proc/sys/net/ipv4/route/flush\": ", errno_text(errno));
        let _ = call.err.write_all(&text);
    }
    if options.statistics > 0 {
        print(call.out, "*** IPv4 routing cache is flushed.\n");
    }
    Ok(())
}
