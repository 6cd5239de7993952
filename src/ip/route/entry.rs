//! A route with all that is known of it, IPv4 and IPv6 alike.

use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv6Net};

use crate::net::rtnetlink::{Protocol, RouteType, Scope};

/// A route. What is printed of it, and what it is looked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: RouteType,
    pub(super) destination: IpNet,
    /// IPv6: only packets from this network, if it is not ::/0.
    pub(super) from: Option<Ipv6Net>,
    /// Only packets with this type of service, if it is not 0.
    pub(super) tos: u8,
    /// Where it leads; several for an IPv6 route that shares packets out.
    pub(super) hops: Vec<Hop>,
    /// Whether it is in the table `local`.
    pub(super) is_local: bool,
    pub(super) protocol: Protocol,
    pub(super) scope: Scope,
    /// The source address of packets, if it was given.
    pub(super) source: Option<IpAddr>,
    /// Preference among routes to one network, lower first.
    pub(super) metric: u32,
    pub(super) tcp: Tcp,
    /// IPv6: a router's preference (RFC 4191), 0 for medium.
    pub(super) preference: u8,
}

/// A next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// The next router.
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
        self.device() == Some(link)
    }

    pub(super) fn device(&self) -> Option<&[u8]> {
        self.device.as_deref().map(OsStrExt::as_bytes)
    }
}

/// Parameters of TCP over a route; 0 is unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tcp {
    /// Largest window, in bytes.
    pub(super) window: u32,
    /// Initial estimate of the round-trip time, in milliseconds.
    pub(super) rtt: u32,
    /// Largest segment to announce, in bytes.
    pub(super) advmss: u32,
}

impl Entry {
    /// Returns the next hop of a route that has one.
    pub(super) fn hop(&self) -> Option<&Hop> {
        match &self.hops[..] {
            [hop] => Some(hop),
            _ => None,
        }
    }

    /// Returns the gateway of a route that has one next hop.
    pub(super) fn gateway(&self) -> Option<IpAddr> {
        self.hop().and_then(|hop| hop.gateway)
    }

    /// Returns the link of a route that has one next hop.
    pub(super) fn device(&self) -> Option<&[u8]> {
        self.hop().and_then(Hop::device)
    }

    pub(super) fn is_v6(&self) -> bool {
        matches!(self.destination, IpNet::V6(_))
    }
}

/// Returns the first route among the longest prefixes that leads to an address, over the given link if there is one.
pub(super) fn best<'a>(
    entries: &'a [Entry],
    to: IpAddr,
    device: Option<&[u8]>,
    is_fit: impl Fn(&Entry) -> bool,
) -> Option<&'a Entry> {
    let has_device = |entry: &Entry| {
        device.is_none_or(|device| entry.hops.is_empty() || entry.hops.iter().any(|hop| hop.is_over(device)))
    };
    let candidates =
        entries.iter().filter(|entry| entry.destination.contains(&to) && has_device(entry) && is_fit(entry));
    // of equal ones max_by_key takes the last
    candidates.rev().max_by_key(|entry| entry.destination.prefix_len())
}
