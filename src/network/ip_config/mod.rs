//! The addresses and routes of a link, which can be moved to another link: [`IpConfig::read`] and [`IpConfig::transfer`].
//!
//! Ioctls carry neither lifetimes of addresses nor `proto`, `scope` and next hops in several of routes. Temporary addresses (RFC 8981)
//! stay behind, and what a router has advertised is given [`ADVERTISED`] seconds, within which the router advertises it again.

mod read;
mod source;
mod text;
mod transfer;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use nix::errno::Errno;

use crate::error::errno_text;
use crate::net::InterfaceName;

/// Seconds that a moved route lives if a router has advertised it: the usual lifetime (RFC 4861, `AdvDefaultLifetime`).
const ADVERTISED: u32 = 1800;

/// Addresses and routes of a link, without what the kernel makes by itself for a link that has the addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpConfig {
    /// Addresses, IPv4 before IPv6, each in the kernel's order.
    pub addresses: Vec<OwnAddress>,
    /// Routes of table main, IPv4 before IPv6, each in the kernel's order.
    pub routes: Vec<OwnRoute>,
}

/// An address, without its link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    /// The address with its prefix.
    pub net: IpNet,
    /// The other end of a point-to-point address.
    pub peer: Option<Ipv4Addr>,
    /// The broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// What its label has behind the name of the link: empty, or `:1`.
    pub alias: String,
}

/// A route, without its link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRoute {
    /// Where it leads.
    pub destination: IpNet,
    /// Next hop.
    pub gateway: Option<IpAddr>,
    /// Preference among routes to one network, lower first.
    pub metric: u32,
    /// The source of an IPv4 route, if it is another one than the kernel would choose.
    pub source: Option<Ipv4Addr>,
    /// Largest segment to announce to TCP peers, in bytes; 0 if not set. IPv4 only, as the following two.
    pub advmss: u32,
    /// Largest window of TCP connections, in bytes; 0 if not set.
    pub window: u32,
    /// Initial round trip time of TCP connections, in milliseconds; 0 if not set.
    pub rtt: u32,
    /// Whether a router has advertised it, so that it expires.
    pub is_advertised: bool,
}

impl OwnRoute {
    fn to(destination: IpNet, gateway: Option<IpAddr>, metric: u32) -> Self {
        OwnRoute { destination, gateway, metric, source: None, advmss: 0, window: 0, rtt: 0, is_advertised: false }
    }
}

impl IpConfig {
    /// Whether there is neither an address nor a route.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.routes.is_empty()
    }

    /// Whether it has an address.
    pub fn has_address(&self, net: IpNet) -> bool {
        self.addresses.iter().any(|address| address.net == net)
    }

    /// Adds what another one has and this one lacks.
    pub fn merge(&mut self, other: &IpConfig) {
        let is_new = |address: &&OwnAddress| self.addresses.iter().all(|own| own.net.addr() != address.net.addr());
        let addresses: Vec<OwnAddress> = other.addresses.iter().filter(is_new).cloned().collect();
        let is_new = |route: &&OwnRoute| !self.routes.iter().any(|own| own.is(route));
        let routes: Vec<OwnRoute> = other.routes.iter().filter(is_new).cloned().collect();
        self.addresses.extend(addresses);
        self.routes.extend(routes);
    }
}

impl OwnRoute {
    /// Whether both lead to the same network by the same next hop, with the same metric.
    fn is(&self, other: &OwnRoute) -> bool {
        self.destination == other.destination && self.gateway == other.gateway && self.metric == other.metric
    }
}

/// Why addresses and routes cannot be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// They cannot be listed: the table, and why.
    Unreadable(&'static str, Errno),
    /// The link refuses an address.
    Address(IpNet, InterfaceName, Errno),
    /// The link refuses a route.
    Route(IpNet, InterfaceName, Errno),
    /// The link cannot be switched on.
    Up(InterfaceName, Errno),
    /// A link cannot be given another name, or another hardware address.
    Name(InterfaceName, InterfaceName, Errno),
    /// A link would have to be switched off for another name, and the root file system is reached over a network.
    RemoteRoot(InterfaceName),
    /// The link's name leaves no room for another label.
    NoLabel(IpNet, InterfaceName),
    /// No ioctl can make this route again: the route, and what it has.
    Unmovable(IpNet, &'static str),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable(table, errno) => write!(f, "cannot read {table}: {}", errno_text(*errno)),
            ConfigError::Address(net, link, errno) => write!(f, "address {net} on {link}: {}", errno_text(*errno)),
            ConfigError::Route(net, link, errno) => write!(f, "route to {net} over {link}: {}", errno_text(*errno)),
            ConfigError::Up(link, errno) => write!(f, "cannot switch {link} on: {}", errno_text(*errno)),
            ConfigError::Name(from, to, errno) => write!(f, "cannot rename {from} to {to}: {}", errno_text(*errno)),
            ConfigError::RemoteRoot(link) => write!(
                f,
                "{link}: this kernel gives no new name to an interface that is up (Linux 6.2 does), and the root file system is on \
                 the network, which that would cut off: name another card by netdev=, or start a later kernel"
            ),
            ConfigError::NoLabel(net, link) => {
                write!(f, "address {net}: the name of {link} leaves no room for the label of another address")
            }
            ConfigError::Unmovable(net, what) => {
                write!(f, "the route to {net} has {what}, which only netlink can make again: delete or change it first")
            }
        }
    }
}
