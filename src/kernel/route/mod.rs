//! Routes: read from /proc/net, changed by SIOCADDRT and SIOCDELRT, and asked for by connecting a socket.

mod change;
mod trie;
mod v4;
mod v6;
mod way;

pub use change::{RouteChange, RouteChange6, metric_in_reach};
pub use v4::{LocalRoute, Route, RoutesV4, Table};
pub use v6::{Route6, RoutesV6, flag6};
pub use way::is_member_v4;

/// The name before [`crate::net::rtnetlink::RouteType`].
pub use crate::net::rtnetlink::RouteType as RouteKind;
