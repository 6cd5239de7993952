//! Routes: read from /proc/net, changed by SIOCADDRT and SIOCDELRT, and looked up by connecting a socket.

mod change;
mod lookup;
mod trie;
mod v4;
mod v6;

pub use change::{RouteChangeV4, RouteChangeV6, expires_in_reach, metric_in_reach};
pub use v4::{LocalRoute, RouteV4, RoutesV4, Table, default_link_v4};
pub use v6::{RouteV6, RoutesV6, flag6};
