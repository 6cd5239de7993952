//! Routes: read from /proc/net, changed by SIOCADDRT and SIOCDELRT, and asked for by connecting a socket.

mod change;
mod trie;
mod v4;
mod v6;
mod way;

pub use change::{RouteChange, RouteChange6, metric_in_reach};
pub use v4::{LocalRoute, Route, Table};
pub use v6::{Route6, Routes6, flag6};

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// It is sent on.
    Unicast,
    /// It is for this host.
    Local,
    /// It is sent to all on the link, and is for this host too.
    Broadcast,
    /// It is for one of several hosts, this one among them.
    Anycast,
    /// It is sent to a group.
    Multicast,
    /// It is dropped.
    Blackhole,
    /// It is dropped, and the sender is told that the host is unreachable.
    Unreachable,
    /// It is dropped, and the sender is told that this is forbidden.
    Prohibit,
    /// The search goes on in another table.
    Throw,
}
