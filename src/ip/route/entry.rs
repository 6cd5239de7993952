//! A route with all that is known of it, IPv4 and IPv6 alike.

use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv6Net};

use crate::kernel::RouteKind;

/// A route. What is printed of it, and what it is looked for by.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// What happens to a packet.
    pub(super) kind: RouteKind,
    /// Network that it leads to.
    pub(super) destination: IpNet,
    /// IPv6: only packets from this network, if it is not ::/0.
    pub(super) from: Option<Ipv6Net>,
    /// Only packets with this type of service, if it is not 0.
    pub(super) tos: u8,
    /// Where it leads; several for an IPv6 route that shares packets out.
    pub(super) hops: Vec<Hop>,
    /// Whether it is in the table `local`.
    pub(super) is_local: bool,
    /// Who made it (RTPROT_*).
    pub(super) protocol: u8,
    /// How far away its destinations are (RT_SCOPE_*).
    pub(super) scope: u8,
    /// The source address of packets, if it was given.
    pub(super) source: Option<IpAddr>,
    /// Preference among routes to one network, lower first.
    pub(super) metric: u32,
    /// What TCP is told.
    pub(super) tcp: Tcp,
    /// IPv6: a router's preference (RFC 4191), 0 for medium.
    pub(super) preference: u8,
}

/// One way that a route takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// Next router.
    pub(super) gateway: Option<IpAddr>,
    /// The link.
    pub(super) device: Option<OsString>,
    /// The gateway is taken to be on the link although no route says so.
    pub(super) onlink: bool,
    /// The link has no carrier.
    pub(super) linkdown: bool,
}

impl Hop {
    pub(super) fn to(gateway: Option<IpAddr>, device: Option<OsString>) -> Self {
        Hop { gateway, device, onlink: false, linkdown: false }
    }

    pub(super) fn is_over(&self, link: &[u8]) -> bool {
        self.device.as_ref().is_some_and(|device| device.as_bytes() == link)
    }
}

/// What a route tells TCP; 0 is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tcp {
    /// Largest window.
    pub(super) window: u32,
    /// First guess at the time to the other end and back, in milliseconds.
    pub(super) round_trip: u32,
    /// Largest segment to announce.
    pub(super) segment: u32,
}

impl Entry {
    /// The one way that it takes, if it takes one.
    pub(super) fn hop(&self) -> Option<&Hop> {
        match &self.hops[..] {
            [hop] => Some(hop),
            _ => None,
        }
    }

    /// The gateway of a route that takes one way.
    pub(super) fn gateway(&self) -> Option<IpAddr> {
        self.hop().and_then(|hop| hop.gateway)
    }

    /// The link of a route that takes one way.
    pub(super) fn device(&self) -> Option<&[u8]> {
        self.hop().and_then(|hop| hop.device.as_deref()).map(OsStrExt::as_bytes)
    }

    /// Whether packets that it stands for are dropped, or looked up elsewhere.
    pub(super) fn rejects(&self) -> bool {
        use RouteKind::{Blackhole, Prohibit, Throw, Unreachable};
        matches!(self.kind, Blackhole | Unreachable | Prohibit | Throw)
    }

    pub(super) fn is_v6(&self) -> bool {
        matches!(self.destination, IpNet::V6(_))
    }
}
