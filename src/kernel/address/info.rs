//! An address on a link.

use std::ffi::OsString;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use crate::net::rtnetlink::Scope;

/// An address on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name of the link.
    pub link: OsString,
    /// Label of an IPv4 address: the link's name, or `NAME:WORD` for an alias. The link's name for IPv6.
    pub label: OsString,
    /// The address with the length of its prefix, host bits included.
    pub net: IpNet,
    /// The other end of a point-to-point address.
    pub peer: Option<Ipv4Addr>,
    /// The broadcast address, if one is set.
    pub broadcast: Option<Ipv4Addr>,
    /// An earlier address of the link is in the same network (IPv4), or the address is a temporary one (IPv6).
    pub secondary: bool,
    /// Scope. That of IPv4 is `host` for the loopback's addresses and else `global`: no ioctl tells another one.
    pub scope: Scope,
    /// Flags of an IPv6 address (`IFA_F_*`, the low eight bits); 0 for IPv4.
    pub flags: u32,
}

impl Address {
    /// Whether an IPv6 address has a flag (`IFA_F_*`).
    pub fn has_flag(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Returns the network of an IPv4 address: that of its peer, if it has one. By it the kernel takes two addresses of a link
    /// for primary and secondary (`inet_ifa_match`).
    pub fn network_v4(&self) -> Option<Ipv4Net> {
        match self.net {
            IpNet::V4(net) => {
                Ipv4Net::new(self.peer.unwrap_or(net.addr()), net.prefix_len()).ok().map(|net| net.trunc())
            }
            IpNet::V6(_) => None,
        }
    }
}
