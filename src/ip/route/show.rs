//! `ip route show`: the routes of a table.

use super::entry::Entry;
use super::filter::RouteFilter;
use super::snapshot::Snapshot;
use super::{infer, text};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::fields::{Fields, print, print_records};
use crate::ip::options::Options;
use crate::ip::words::Words;
use crate::kernel::Table;
use crate::net::prefix::Family;
use crate::net::rtnetlink::TableId;
use crate::texts::iproute2::needs_netlink;

/// `ip route show [[root | match | exact] PREFIX] [table TABLE] [dev DEVICE] [via PREFIX] [src PREFIX] [scope SCOPE]
/// [proto PROTOCOL] [type TYPE] [metric METRIC] [tos TOS]`
pub(super) fn show(call: &mut Call, words: Words) -> Outcome {
    let options = words.options;
    let filter = RouteFilter::resolved(call.kernel, words)?;
    show_filtered(call, &filter, options)
}

/// `ip route`
pub(in crate::ip) fn show_main_table(call: &mut Call, options: Options) -> Outcome {
    show_filtered(call, &RouteFilter::default(), options)
}

fn show_filtered(call: &mut Call, filter: &RouteFilter, options: Options) -> Outcome {
    let routes = listed(&Snapshot::of(call.kernel), filter, options);
    if let Err(Unlisted::NoTable(_)) = &routes
        && options.json
    {
        print(call.out, "["); // iproute2 has begun to print before the kernel answers
    }
    let routes = routes.map_err(|reason| reason.failure("Dump"))?;
    let mut fields = Fields::of(options);
    for route in routes.iter().filter(|route| filter.admits(route)) {
        text::put(&mut fields, route, filter, options);
        fields.end_record();
    }
    print_records(call.out, [fields], options);
    Ok(())
}

/// Why a table cannot be listed.
pub(super) enum Unlisted {
    /// The kernel says that there is none of this number. The family as it calls it.
    NoTable(&'static str),
    /// Its routes are in no file.
    Hidden,
    /// A file cannot be read.
    Unreadable(Failure),
}

impl From<Failure> for Unlisted {
    fn from(failure: Failure) -> Self {
        Unlisted::Unreadable(failure)
    }
}

impl Unlisted {
    /// Returns what iproute2 prints when this ends a listing (`Dump`) or a removal (`Flush`).
    pub(super) fn failure(self, what: &str) -> Failure {
        match self {
            Unlisted::NoTable(family) => {
                let reason = ["Error: ", family, ": FIB table does not exist.\n"].concat();
                Failure::new(line!(reason, what, " terminated")).with_status(2)
            }
            Unlisted::Hidden => needs_netlink("a table besides main and local", "its routes are in no file"),
            Unlisted::Unreadable(failure) => failure,
        }
    }
}

/// Returns the routes of the table that a filter names, whether it admits them or not.
pub(super) fn listed(host: &Snapshot, filter: &RouteFilter, options: Options) -> Result<Vec<Entry>, Unlisted> {
    // the routing cache is not in a table, and no family but the two has routes
    if filter.is_cache || options.link_only || options.other_family.is_some() {
        return Ok(Vec::new());
    }
    let misses_tables = options.era.ip().misses_tables;
    match (filter.table(), options.family) {
        (TableId::ALL, family) => all(host, family),
        (TableId::MAIN, Family::Inet6) => Ok(infer::main_v6(host)?),
        (TableId::LOCAL, Family::Inet6) => Ok(infer::local_v6(host)?),
        (_, Family::Inet6) if host.routes_v6()?.has_others => Err(Unlisted::Hidden),
        (_, Family::Inet6) if misses_tables => Err(Unlisted::NoTable("ipv6")),
        (_, Family::Inet6) => Ok(Vec::new()),
        (TableId::MAIN, _) => Ok(infer::main_v4(host)?),
        (table, _) => match host.routes_v4()?.table(host.kernel, table.0) {
            Table::Absent if misses_tables => Err(Unlisted::NoTable("ipv4")),
            Table::Absent | Table::Empty => Ok(Vec::new()),
            Table::Filled if table == TableId::LOCAL => Ok(infer::local_v4(host)?),
            Table::Filled => Err(Unlisted::Hidden),
        },
    }
}

/// Returns the routes of all tables in the kernel's order: main before local.
fn all(host: &Snapshot, family: Family) -> Result<Vec<Entry>, Unlisted> {
    let mut routes = Vec::new();
    if family != Family::Inet6 {
        if host.routes_v4()?.has_others() {
            return Err(Unlisted::Hidden);
        }
        routes.extend(infer::main_v4(host)?);
        routes.extend(infer::local_v4(host)?);
    }
    if family != Family::Inet {
        if host.routes_v6()?.has_others {
            return Err(Unlisted::Hidden);
        }
        routes.extend(infer::main_v6(host)?);
        routes.extend(infer::local_v6(host)?);
    }
    Ok(routes)
}
