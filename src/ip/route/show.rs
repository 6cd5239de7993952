//! `ip route show`: the routes of a table.

use std::io::Write;

use super::entry::Entry;
pub use super::filter::Filter;
use super::names::table;
use super::{infer, text};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::list::Record;
use crate::ip::prefix::Family;
use crate::ip::words::Words;
use crate::ip::{Options, complete, needs_netlink, print};
use crate::json::Json;
use crate::kernel::{Kernel, Table};

/// `ip route show [[root | match | exact] PREFIX] [table TABLE] [dev DEVICE] [via PREFIX] [src PREFIX] [scope SCOPE]
/// [proto PROTOCOL] [type TYPE] [metric METRIC] [tos TOS]`
pub(super) fn show(call: &mut Call, options: Options, words: Words) -> Outcome {
    let filter = Filter::parse(call.kernel, options, words)?;
    let routes = selected(call.kernel, &filter, options);
    complete(call.kernel)?;
    if let Err(Unlisted::NoTable(_)) = &routes
        && options.json
    {
        print(call.out, "["); // iproute2 has begun to print before the kernel answers
    }
    let routes = routes.map_err(|reason| reason.failure("Dump"))?;
    print_all(call.out, &routes, &filter, options);
    Ok(())
}

/// Lists the IPv4 routes of the main table that a filter admits.
pub fn list(kernel: &Kernel, out: &mut dyn Write, filter: &Filter, options: Options) {
    let mut routes = infer::main_v4(kernel);
    routes.retain(|route| filter.admits(route));
    print_all(out, &routes, filter, options);
}

fn print_all(out: &mut dyn Write, routes: &[Entry], filter: &Filter, options: Options) {
    let mut objects = Vec::new();
    for route in routes {
        let mut record = Record::new(options.json);
        text::put(&mut record, route, filter, options);
        match options.json {
            true => objects.push(record.take_json()),
            false => print(out, record.so_far()),
        }
    }
    if options.json {
        print(out, Json::List(objects).document(options.pretty));
    }
}

/// Why a table cannot be listed.
pub(super) enum Unlisted {
    /// There is none of this number, says the kernel. The family as it calls it.
    NoTable(&'static str),
    /// Its routes are in no file.
    Hidden,
}

impl Unlisted {
    /// As iproute2 prints it, for whom a listing (`Dump`) or a removal (`Flush`) ends.
    pub(super) fn failure(&self, what: &str) -> Failure {
        match self {
            Unlisted::NoTable(family) => {
                let reason = ["Error: ", family, ": FIB table does not exist.\n"].concat();
                Failure::new(line!(reason, what, " terminated")).with_status(2)
            }
            Unlisted::Hidden => needs_netlink(b"a table besides main and local", "its routes are in no file"),
        }
    }
}

/// The routes that a filter admits.
pub(super) fn selected(kernel: &Kernel, filter: &Filter, options: Options) -> Result<Vec<Entry>, Unlisted> {
    // what was learnt of ways to hosts is not in a table, and no family but the two has routes
    if filter.is_cache || options.link_only {
        return Ok(Vec::new());
    }
    let mut routes = match (filter.table(), options.family) {
        (table::ALL, family) => all(kernel, family)?,
        (table::MAIN, Family::Inet6) => infer::main_v6(kernel),
        (table::LOCAL, Family::Inet6) => infer::local_v6(kernel),
        (_, Family::Inet6) => match kernel.routes_v6().unwrap_or_default().has_others {
            true => return Err(Unlisted::Hidden),
            false if !options.era.ip().misses_tables => Vec::new(),
            false => return Err(Unlisted::NoTable("ipv6")),
        },
        (table::MAIN, _) => infer::main_v4(kernel),
        (number, _) => match kernel.table_v4(number) {
            Table::Absent if !options.era.ip().misses_tables => Vec::new(),
            Table::Absent => return Err(Unlisted::NoTable("ipv4")),
            Table::Empty => Vec::new(),
            Table::Filled if number == table::LOCAL => infer::local_v4(kernel),
            Table::Filled => return Err(Unlisted::Hidden),
        },
    };
    routes.retain(|route| filter.admits(route));
    Ok(routes)
}

/// The routes of all tables, in the order of the kernel's: main before local.
fn all(kernel: &Kernel, family: Family) -> Result<Vec<Entry>, Unlisted> {
    let mut routes = Vec::new();
    if family != Family::Inet6 {
        if kernel.has_other_routes_v4() {
            return Err(Unlisted::Hidden);
        }
        routes.extend(infer::main_v4(kernel));
        routes.extend(infer::local_v4(kernel));
    }
    if family != Family::Inet {
        if kernel.routes_v6().unwrap_or_default().has_others {
            return Err(Unlisted::Hidden);
        }
        routes.extend(infer::main_v6(kernel));
        routes.extend(infer::local_v6(kernel));
    }
    Ok(routes)
}
