//! Which routes `list` and `flush` mean.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};

use super::entry::Entry;
use crate::net::rtnetlink::{Protocol, Scope, TableId};

/// A choice of routes. What it fixes for all of them is not printed; see [`RouteFilter::hides`].
#[derive(Clone, Debug, Default)]
pub(super) struct RouteFilter {
    /// The table, or [`TableId::ALL`]. Main if none is given.
    pub(super) table: Option<TableId>,
    /// Not the routes, but the routing cache.
    pub(super) is_cache: bool,
    pub(super) to: Networks,
    /// Networks that packets come from.
    pub(super) from: Networks,
    pub(super) device: Option<OsString>,
    /// A router within this network.
    pub(super) via: Option<IpNet>,
    /// A source within this network.
    pub(super) source: Option<IpNet>,
    pub(super) scope: Option<Scope>,
    pub(super) protocol: Option<Protocol>,
    /// A bit for each type (`RTN_*`).
    pub(super) kinds: Option<u32>,
    pub(super) metric: Option<u32>,
    pub(super) tos: Option<u8>,
    /// Something that no route here has is asked for: an incoming link, a mark, a realm.
    pub(super) admits_none: bool,
}

/// A choice of networks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Networks {
    /// Those within this one.
    pub(super) root: Option<IpNet>,
    /// Those in which this one lies.
    pub(super) matching: Option<IpNet>,
}

impl Networks {
    fn admit(self, net: IpNet) -> bool {
        self.root.is_none_or(|root| contains(root, net)) && self.matching.is_none_or(|inner| contains(net, inner))
    }
}

/// Whether a network lies in another, or is it.
fn contains(outer: IpNet, inner: IpNet) -> bool {
    inner.prefix_len() >= outer.prefix_len() && outer.contains(&inner.addr())
}

/// A field that need not be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Device,
    Gateway,
    Source,
    Scope,
    Protocol,
    Metric,
    Tos,
    Table,
    /// Printed all the same since iproute2 4.x.
    Kind,
}

impl RouteFilter {
    /// Admits all routes of all tables.
    pub(super) fn of_all_tables() -> Self {
        RouteFilter { table: Some(TableId::ALL), ..RouteFilter::default() }
    }

    /// Returns the table that is asked for.
    pub(super) fn table(&self) -> TableId {
        self.table.unwrap_or(TableId::MAIN)
    }

    /// Whether a route is among those that are meant.
    pub(super) fn admits(&self, entry: &Entry) -> bool {
        let unspecified = match entry.destination {
            IpNet::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpNet::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let from = match entry.destination {
            IpNet::V4(_) => IpNet::V4(Ipv4Net::default()),
            IpNet::V6(_) => IpNet::V6(entry.from.unwrap_or_default()),
        };
        !self.admits_none
            && self.to.admit(entry.destination)
            && self.from.admit(from)
            // a route that shares packets out has no link of its own
            && self.device.as_ref().is_none_or(|link| entry.device() == Some(link.as_bytes()))
            && self.via.is_none_or(|via| via.contains(&entry.gateway().unwrap_or(unspecified)))
            && self.source.is_none_or(|net| net.contains(&entry.source.unwrap_or(unspecified)))
            && self.scope.is_none_or(|scope| scope == entry.scope)
            && self.protocol.is_none_or(|protocol| protocol == entry.protocol)
            && self.kinds.is_none_or(|kinds| kinds & 1 << entry.kind.number() != 0)
            && self.metric.is_none_or(|metric| metric == entry.metric)
            && self.tos.is_none_or(|tos| tos == entry.tos)
    }

    /// Whether a field is the same for all routes that are meant.
    pub(super) fn hides(&self, field: Field) -> bool {
        let is_host = |net: Option<IpNet>| net.is_some_and(|net| net.prefix_len() == net.max_prefix_len());
        match field {
            Field::Device => self.device.is_some(),
            Field::Gateway => is_host(self.via),
            Field::Source => is_host(self.source),
            Field::Scope => self.scope.is_some(),
            Field::Protocol => self.protocol.is_some(),
            Field::Metric => self.metric.is_some(),
            Field::Tos => self.tos.is_some(),
            Field::Kind => self.kinds.is_some(),
            Field::Table => self.table() != TableId::ALL,
        }
    }
}
