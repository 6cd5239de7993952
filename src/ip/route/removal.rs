//! Removing a route, and no other, by an ioctl that takes the first that fits.

use std::net::IpAddr;

use ipnet::IpNet;
use nix::errno::Errno;

use super::entry::{Entry, Hop};
use crate::error::Failure;
use crate::kernel::{Kernel, RouteChangeV4, RouteChangeV6, metric_in_reach};
use crate::net::rtnetlink::{RouteType, Scope};
use crate::texts::iproute2::needs_netlink;

/// A route, or one next hop of a route that shares packets out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Single<'a> {
    pub(super) entry: &'a Entry,
    pub(super) hop: Option<&'a Hop>,
}

/// Returns the routes of a table one by one.
pub(super) fn singles(entries: &[Entry]) -> Vec<Single<'_>> {
    let mut list = Vec::new();
    for entry in entries {
        if entry.hops.is_empty() {
            list.push(Single { entry, hop: None });
        }
        list.extend(entry.hops.iter().map(|hop| Single { entry, hop: Some(hop) }));
    }
    list
}

/// An ioctl that removes a route.
#[derive(Clone, Debug)]
pub(super) enum Removal<'a> {
    V4(RouteChangeV4<'a>),
    V6(RouteChangeV6),
}

impl<'a> Removal<'a> {
    /// Returns the ioctl that removes the route at this place of a table, if there is one.
    pub(super) fn of(kernel: &Kernel, list: &[Single<'a>], at: usize) -> Option<Self> {
        let single = list.get(at)?;
        let removal = match single.entry.destination {
            IpNet::V4(_) => Removal::V4(single.change_v4()?),
            IpNet::V6(_) => Removal::V6(single.change_v6(kernel)?),
        };
        // the kernel takes the first that fits
        let first = list.iter().position(|other| removal.fits(other, single));
        (first == Some(at)).then_some(removal)
    }

    /// Whether the ioctl for one route would take this one as well.
    fn fits(&self, other: &Single, meant: &Single) -> bool {
        let has_key = other.entry.destination == meant.entry.destination && other.entry.from == meant.entry.from;
        let device = |single: &Single| single.hop.and_then(|hop| hop.device.clone());
        let gateway = |single: &Single| single.hop.and_then(|hop| hop.gateway);
        let has_hop = device(other) == device(meant) && gateway(meant).is_none_or(|_| gateway(other) == gateway(meant));
        let (metric, is_of_kind) = match self {
            Removal::V4(change) => {
                (change.metric, other.is_for_ioctl() && other.entry.kind.rejects() == change.unreachable)
            }
            Removal::V6(change) => (change.metric, true),
        };
        has_key && has_hop && is_of_kind && (metric == 0 || metric == other.entry.metric)
    }

    /// Whether the route drops packets, so that the ioctl finds it only if an ioctl made it: without fib_trie nothing tells.
    pub(super) fn is_of_unknown_maker(&self) -> bool {
        matches!(self, Removal::V4(change) if change.unreachable)
    }

    /// Removes the route.
    ///
    /// # Errors
    /// Whatever the kernel answers.
    pub(super) fn run(&self, kernel: &Kernel) -> Result<(), Errno> {
        match self {
            Removal::V4(change) => kernel.delete_route_v4(change),
            Removal::V6(change) => kernel.delete_route_v6(change),
        }
    }
}

impl<'a> Single<'a> {
    /// Whether IPv4's ioctls look at the route at all: at ordinary ones without a type of service, and at those that drop as
    /// ioctls make them.
    fn is_for_ioctl(&self) -> bool {
        self.entry.tos == 0
            && match self.entry.kind {
                RouteType::Unicast => true,
                RouteType::Unreachable => self.entry.scope == Scope::HOST,
                _ => false,
            }
    }

    fn change_v4(&self) -> Option<RouteChangeV4<'a>> {
        let IpNet::V4(destination) = self.entry.destination else { return None };
        let gateway = match self.hop.and_then(|hop| hop.gateway) {
            Some(IpAddr::V4(gateway)) => Some(gateway),
            _ => None,
        };
        let device = self.hop.and_then(Hop::device);
        // a metric out of reach may go as any
        let metric = if metric_in_reach(self.entry.metric) { self.entry.metric } else { 0 };
        let change = RouteChangeV4 {
            gateway,
            device,
            metric,
            unreachable: self.entry.kind.rejects(),
            ..RouteChangeV4::to(destination)
        };
        (self.is_for_ioctl() && !self.entry.is_local).then_some(change)
    }

    fn change_v6(&self, kernel: &Kernel) -> Option<RouteChangeV6> {
        let IpNet::V6(destination) = self.entry.destination else { return None };
        let gateway = match self.hop.and_then(|hop| hop.gateway) {
            Some(IpAddr::V6(gateway)) => Some(gateway),
            _ => None,
        };
        let device = self.hop.and_then(Hop::device);
        // without the index the ioctl would take a route over any link
        let index = device.map_or(Ok(0), |device| kernel.link_index(device)).ok()?;
        let change = RouteChangeV6 {
            source: self.entry.from.unwrap_or_default(),
            gateway,
            index,
            metric: self.entry.metric,
            ..RouteChangeV6::to(destination)
        };
        (!self.entry.is_local).then_some(change)
    }
}

/// Returns the ioctls that remove routes, to be run one after the other.
///
/// # Errors
/// The first route that no ioctl removes.
pub(super) fn plan<'a>(
    kernel: &Kernel,
    entries: &'a [Entry],
    is_meant: impl Fn(&Single) -> bool,
) -> Result<Vec<Removal<'a>>, Failure> {
    let mut list = singles(entries);
    let mut removals = Vec::new();
    let mut at = 0;
    while let Some(single) = list.get(at) {
        if !is_meant(single) {
            at += 1;
            continue;
        }
        match Removal::of(kernel, &list, at) {
            Some(removal) => removals.push(removal),
            None => return Err(out_of_reach(single.entry)),
        }
        list.remove(at);
    }
    Ok(removals)
}

/// A route that drops packets and that the ioctl does not find: it is of another type than `unreachable`, or of another scope than
/// ioctls give.
pub(super) fn made_by_netlink() -> Failure {
    needs_netlink("removing this route", "it was made by netlink")
}

/// A route that ioctls cannot remove.
pub(super) fn out_of_reach(entry: &Entry) -> Failure {
    let what = format!("removing the route to {}", entry.destination);
    let reason = match entry.kind {
        _ if entry.is_local => "it is in the table local",
        RouteType::Unicast if entry.tos != 0 => "it has a type of service",
        RouteType::Unicast => "another one stands before it",
        _ => "it is no ordinary one",
    };
    needs_netlink(what.as_bytes(), reason)
}
