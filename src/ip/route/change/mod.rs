//! `ip route add`, `change`, `replace`, `append`, `prepend` and `test`.

mod request;
mod v4;
mod v6;

use ipnet::IpNet;

use super::args::RouteArgs;
use super::snapshot::{Snapshot, Tables};
use crate::call::Call;
use crate::error::Outcome;
use crate::ip::device::check_privilege;
use crate::ip::words::Words;
pub(super) use request::Action;

/// `ip route add | change | replace | append | prepend | test [TYPE] PREFIX [via ADDRESS] [dev DEVICE] [metric METRIC]
/// [window NUMBER] [advmss NUMBER] [rtt TIME]`
pub(super) fn change(call: &mut Call, words: Words, action: Action) -> Outcome {
    let kernel = call.kernel;
    let args = RouteArgs::resolved(kernel, words)?;
    check_privilege(kernel)?;
    let host = Snapshot::of(kernel);
    let run = |tables: &Tables| match args.destination {
        IpNet::V4(destination) => v4::change(&host, tables, &args, destination, action),
        IpNet::V6(destination) => v6::change(kernel, tables, &args, destination, action),
    };
    let tables = match args.destination {
        IpNet::V4(_) => host.tables_v4(),
        IpNet::V6(_) => host.tables_v6(),
    };
    match (tables, action) {
        (Ok(tables), _) => run(&tables),
        // what the tables do not allow may be allowed by the kernel
        (Err(unreadable), Action::Add) => run(&Tables::default()).map_err(|_| unreadable),
        (Err(unreadable), _) => Err(unreadable),
    }
}
