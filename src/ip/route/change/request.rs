//! What is asked for, whatever the family.

use crate::error::Failure;
use crate::ip::route::args::RouteArgs;
use crate::net::rtnetlink::RouteType;
use crate::texts::iproute2::needs_netlink;

/// What is done with a route. Its twins are the routes to the same network with the same metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ip::route) enum Action {
    /// Made if it has no twin.
    Add,
    /// Put in its first twin's place; it must have one.
    Change,
    /// Put in its first twin's place if it has one, else made.
    Replace,
    /// Put behind its twins.
    Append,
    /// Put before its twins.
    Prepend,
    /// Only looked for, says iproute2; the kernel makes IPv6 routes all the same.
    Test,
}

/// Returns what is asked for and no ioctl can do. Of the types that drop packets, ioctls make all or only `unreachable`.
pub(super) fn unsupported(args: &RouteArgs, has_reject_types: bool) -> Option<Failure> {
    if let Some(word) = args.unsupported {
        return Some(needs_netlink([b"a route with ", word].concat(), "leave it out"));
    }
    if !args.is_in_main() {
        return Some(needs_netlink("a table besides main", "leave it out"));
    }
    match (args.type_number, args.route_type()) {
        (None, _) | (_, Some(RouteType::Unicast | RouteType::Unreachable)) => None,
        (_, Some(kind)) if has_reject_types && kind.rejects() => None,
        _ => {
            let instead = "only an unreachable one can be made besides ordinary ones";
            Some(needs_netlink("a route of this type", instead))
        }
    }
}
