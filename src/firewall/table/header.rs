//! The header of a rule: `struct ipt_ip` and `struct ip6t_ip6` (linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h).

use std::net::IpAddr;

use ipnet::IpNet;

use crate::net::{Family, InterfaceName};

/// Bytes of an interface's name with its NUL.
pub(super) const IFNAMSIZ: usize = libc::IFNAMSIZ;

/// Negations in the header's `invflags`, alike in both families.
pub(super) const INV_VIA_IN: u8 = 0x01;
pub(super) const INV_VIA_OUT: u8 = 0x02;
pub(super) const INV_SRCIP: u8 = 0x08;
pub(super) const INV_DSTIP: u8 = 0x10;
pub(super) const INV_PROTO: u8 = 0x40;

/// In the header's `flags`: rules for IPv6 that compare the protocol have this.
const IP6T_F_PROTO: u8 = 0x01;

/// Where the fields of a header are.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    family: Family,
    /// Bytes of an address.
    address: usize,
}

impl Fields {
    pub(super) fn of(family: Family) -> Self {
        Fields { family, address: if family == Family::V4 { 4 } else { 16 } }
    }

    /// Source, destination, and their masks: the `index`th of these.
    pub(super) fn address(&self, index: usize) -> std::ops::Range<usize> {
        index * self.address..(index + 1) * self.address
    }

    /// Names of the interfaces by which packets arrive and leave, and their masks: the `index`th of these.
    pub(super) fn interface(&self, index: usize) -> std::ops::Range<usize> {
        let start = 4 * self.address + index * IFNAMSIZ;
        start..start + IFNAMSIZ
    }

    pub(super) fn protocol(&self) -> usize {
        4 * self.address + 4 * IFNAMSIZ
    }

    pub(super) fn flags(&self) -> usize {
        self.protocol() + if self.family == Family::V4 { 2 } else { 3 }
    }

    pub(super) fn invflags(&self) -> usize {
        self.flags() + 1
    }

    /// Sets source (0) or destination (1).
    pub(super) fn set_net(&self, header: &mut [u8], index: usize, net: &IpNet) {
        for (index, address) in [(index, net.network()), (index + 2, net.netmask())] {
            match address {
                IpAddr::V4(address) => header[self.address(index)].copy_from_slice(&address.octets()),
                IpAddr::V6(address) => header[self.address(index)].copy_from_slice(&address.octets()),
            }
        }
    }

    /// Sets the interface by which packets arrive (0) or leave (1).
    pub(super) fn set_interface(&self, header: &mut [u8], index: usize, name: &InterfaceName) {
        let (name, mask) = interface(name);
        header[self.interface(index)].copy_from_slice(&name);
        header[self.interface(index + 2)].copy_from_slice(&mask);
    }

    pub(super) fn set_protocol(&self, header: &mut [u8], number: u8) {
        header[self.protocol()..self.protocol() + 2].copy_from_slice(&u16::from(number).to_ne_bytes());
        if self.family == Family::V6 {
            header[self.flags()] |= IP6T_F_PROTO;
        }
    }

    /// Whether two headers compare the same. Behind the masks of interface names there may be any bytes.
    pub(super) fn are_equal(&self, one: &[u8], other: &[u8]) -> bool {
        let names = self.interface(0).start..self.interface(2).start;
        let masks = self.interface(2).start..self.interface(4).start;
        let is_masked =
            |index: usize| one[masks.start + index] & (one[names.start + index] ^ other[names.start + index]);
        one[..names.start] == other[..names.start]
            && one[masks.start..=self.invflags()] == other[masks.start..=self.invflags()]
            && (0..names.len()).all(|index| is_masked(index) == 0)
    }
}

/// Returns the name of an interface, and the mask that compares all of it with its NUL. iptables takes a '+' at the end for any
/// rest; here it is a part of the name.
pub(super) fn interface(name: &InterfaceName) -> ([u8; IFNAMSIZ], [u8; IFNAMSIZ]) {
    let (mut bytes, mut mask) = ([0; IFNAMSIZ], [0; IFNAMSIZ]);
    let length = name.as_bytes().len();
    bytes[..length].copy_from_slice(name.as_bytes());
    mask[..=length].fill(0xff);
    (bytes, mask)
}
