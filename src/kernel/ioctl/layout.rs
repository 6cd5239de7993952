//! Structures laid out as the kernel's headers lay them out, for [`super`] to pass to the kernel.
#![deny(unsafe_code)]

use std::ffi::c_int;
use std::net::{Ipv4Addr, Ipv6Addr};

use libc::c_ulong;

/// Bytes of an interface name with its NUL (linux/if.h).
pub const IFNAMSIZ: usize = libc::IFNAMSIZ;

/// Returns an interface name as the kernel takes it: at most 15 bytes and a NUL. Longer ones are cut, as strlcpy(3) does in
/// bridge-utils; where that must not happen the caller checks the length.
pub(in crate::kernel) fn kernel_name(name: &[u8]) -> [u8; IFNAMSIZ] {
    let mut cut = [0; IFNAMSIZ];
    let length = name.len().min(IFNAMSIZ - 1);
    cut[..length].copy_from_slice(&name[..length]);
    cut
}

/// `struct ifreq` (linux/if.h): a name, then a union. Each request uses one member of the union. (libc declares it as a Rust
/// union, and reading one is unsafe.)
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(in crate::kernel) struct Ifreq {
    name: [u8; IFNAMSIZ],
    pub(super) member: [u8; size_of::<libc::ifreq>() - IFNAMSIZ],
}

impl Ifreq {
    pub(in crate::kernel) fn named(name: &[u8]) -> Self {
        Ifreq { name: kernel_name(name), member: [0; _] }
    }

    pub(in crate::kernel) fn with_int(mut self, value: c_int) -> Self {
        self.member[..4].copy_from_slice(&value.to_ne_bytes());
        self
    }

    /// `ifr_flags`, a short.
    pub(in crate::kernel) fn with_flags(mut self, flags: u16) -> Self {
        self.member[..2].copy_from_slice(&flags.to_ne_bytes());
        self
    }

    /// `ifr_addr` and its like: a `struct sockaddr_in` without a port.
    pub(in crate::kernel) fn with_ipv4(mut self, address: Ipv4Addr) -> Self {
        let family = libc::AF_INET as libc::sa_family_t;
        self.member[..2].copy_from_slice(&family.to_ne_bytes());
        self.member[4..8].copy_from_slice(&address.octets());
        self
    }

    /// `ifr_newname`, cut like the name.
    pub(in crate::kernel) fn with_new_name(mut self, name: &[u8]) -> Self {
        self.member[..IFNAMSIZ].copy_from_slice(&kernel_name(name));
        self
    }

    /// `ifr_hwaddr`: a `struct sockaddr` with the type (ARPHRD_*) and up to 14 bytes.
    pub(in crate::kernel) fn with_hardware_address(mut self, hw_type: u16, address: &[u8]) -> Self {
        self.member[..2].copy_from_slice(&hw_type.to_ne_bytes());
        let length = address.len().min(14);
        self.member[2..2 + length].copy_from_slice(&address[..length]);
        self
    }

    pub(in crate::kernel) fn name(&self) -> &[u8] {
        let end = self.name.iter().position(|&byte| byte == 0).unwrap_or(IFNAMSIZ);
        &self.name[..end]
    }

    pub(in crate::kernel) fn int(&self) -> c_int {
        c_int::from_ne_bytes([self.member[0], self.member[1], self.member[2], self.member[3]])
    }

    /// The short at the union's start: `ifr_flags`, or the family of an address.
    pub(in crate::kernel) fn short(&self) -> u16 {
        u16::from_ne_bytes([self.member[0], self.member[1]])
    }

    pub(in crate::kernel) fn ipv4(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.member[4], self.member[5], self.member[6], self.member[7])
    }

    /// `ifr_hwaddr.sa_data`: up to 14 bytes of a hardware address; its type (ARPHRD_*) is [`Ifreq::short`].
    pub(in crate::kernel) fn hardware_address(&self) -> [u8; 14] {
        let mut bytes = [0; 14];
        bytes.copy_from_slice(&self.member[2..16]);
        bytes
    }
}

/// Returns a `struct in6_ifreq` (linux/ipv6.h).
pub(in crate::kernel) fn in6_ifreq(address: Ipv6Addr, prefix: u8, index: c_int) -> libc::in6_ifreq {
    libc::in6_ifreq {
        ifr6_addr: libc::in6_addr { s6_addr: address.octets() },
        ifr6_prefixlen: prefix.into(),
        ifr6_ifindex: index,
    }
}

/// Returns a `struct rtentry` (linux/route.h) of no route: the kernel refuses it once it has looked at the caller's privilege,
/// because its destination is of no address family.
pub(in crate::kernel) fn no_rtentry() -> libc::rtentry {
    libc::rtentry {
        rt_pad1: 0,
        rt_dst: NO_ADDRESS,
        rt_gateway: NO_ADDRESS,
        rt_genmask: NO_ADDRESS,
        rt_flags: 0,
        rt_pad2: 0,
        rt_pad3: 0,
        rt_tos: 0,
        rt_class: 0,
        rt_pad4: Default::default(),
        rt_metric: 0,
        rt_dev: std::ptr::null_mut(),
        rt_mtu: 0,
        rt_window: 0,
        rt_irtt: 0,
    }
}

/// Returns a `struct rtentry` of a route to a network. The flags are RTF_*; [`super::route_v4`] puts in the device.
pub(in crate::kernel) fn rtentry(network: Ipv4Addr, mask: Ipv4Addr, flags: u16) -> libc::rtentry {
    libc::rtentry { rt_dst: sockaddr(network), rt_genmask: sockaddr(mask), rt_flags: flags, ..no_rtentry() }
}

const NO_ADDRESS: libc::sockaddr = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };

/// Returns a `struct sockaddr_in` (linux/in.h) without a port, as the `struct sockaddr` that an rtentry holds.
pub(in crate::kernel) fn sockaddr(address: Ipv4Addr) -> libc::sockaddr {
    let mut sockaddr = libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, ..NO_ADDRESS };
    for (byte, octet) in sockaddr.sa_data[2..6].iter_mut().zip(address.octets()) {
        *byte = octet as libc::c_char;
    }
    sockaddr
}

/// Returns a `struct arpreq` (linux/if_arp.h) about an address on a device, without a hardware address. The flags are ATF_*.
pub(in crate::kernel) fn arpreq(address: Ipv4Addr, flags: c_int, device: &[u8]) -> libc::arpreq {
    libc::arpreq {
        arp_pa: sockaddr(address),
        arp_ha: NO_ADDRESS,
        arp_flags: flags,
        arp_netmask: NO_ADDRESS,
        arp_dev: kernel_name(device).map(|byte| byte as libc::c_char),
    }
}

/// `struct in6_rtmsg` (linux/ipv6_route.h). (libc's has private fields.)
#[repr(C)]
pub(in crate::kernel) struct In6Rtmsg {
    pub(in crate::kernel) destination: [u8; 16],
    pub(in crate::kernel) source: [u8; 16],
    pub(in crate::kernel) gateway: [u8; 16],
    pub(in crate::kernel) kind: u32,
    pub(in crate::kernel) destination_length: u16,
    pub(in crate::kernel) source_length: u16,
    pub(in crate::kernel) metric: u32,
    /// Hundredths of a second until the route expires, if the flags have RTF_EXPIRES.
    pub(in crate::kernel) info: c_ulong,
    pub(in crate::kernel) flags: u32,
    pub(in crate::kernel) index: c_int,
}

/// `struct ip_tunnel_parm` (linux/if_tunnel.h), with the IPv4 header (linux/ip.h) of the tunnel's packets. Addresses and keys have
/// the byte order of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Tunnel {
    name: [u8; IFNAMSIZ],
    /// Index of the link that it is bound to, or 0.
    pub link: c_int,
    /// Of packets received; see [`super::super::tunnel_flag`].
    pub input_flags: u16,
    /// Of packets sent.
    pub output_flags: u16,
    /// Of packets received.
    pub input_key: [u8; 4],
    /// Of packets sent.
    pub output_key: [u8; 4],
    version_and_length: u8,
    /// Type of service; 1 is that of the packet within.
    pub tos: u8,
    total_length: [u8; 2],
    id: [u8; 2],
    fragment: [u8; 2],
    /// Time to live; 0 is that of the packet within.
    pub ttl: u8,
    /// `IPPROTO_*`
    pub protocol: u8,
    check: [u8; 2],
    /// This host's address.
    pub local: [u8; 4],
    /// The other end's address.
    pub remote: [u8; 4],
}

/// IP_DF in the header's byte order.
const DONT_FRAGMENT: [u8; 2] = [0x40, 0];

impl Tunnel {
    /// Returns parameters of no tunnel in particular; its packets may not be fragmented.
    pub fn new() -> Self {
        Tunnel { version_and_length: 0x45, fragment: DONT_FRAGMENT, ..Tunnel::default() }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        let end = self.name.iter().position(|&byte| byte == 0).unwrap_or(IFNAMSIZ);
        &self.name[..end]
    }

    /// Sets its name. Only the first 15 bytes are kept.
    pub fn set_name(&mut self, name: &[u8]) {
        self.name = kernel_name(name);
    }

    /// Whether its packets may not be fragmented.
    pub fn dont_fragment(&self) -> bool {
        self.fragment[0] & DONT_FRAGMENT[0] != 0
    }

    /// Sets whether its packets may not be fragmented.
    pub fn set_dont_fragment(&mut self, on: bool) {
        self.fragment = if on { DONT_FRAGMENT } else { [0; 2] };
    }
}

/// `struct ip_tunnel_prl` (linux/if_tunnel.h): a potential router of an ISATAP tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct RouterEntry {
    /// Its IPv4 address.
    pub address: [u8; 4],
    flags: u16,
    reserved: u16,
    length: u32,
    reserved_too: u32,
}

impl RouterEntry {
    /// PRL_DEFAULT
    const DEFAULT: u16 = 1;

    /// Returns an entry, which may be a default router.
    pub fn new(address: [u8; 4], is_default: bool) -> Self {
        RouterEntry { address, flags: if is_default { Self::DEFAULT } else { 0 }, ..Self::default() }
    }

    /// Whether it is a default router.
    pub fn is_default(&self) -> bool {
        self.flags & Self::DEFAULT != 0
    }

    /// Returns room for a list: the first entry tells how many bytes follow it.
    pub(in crate::kernel) fn request_for_list() -> [Self; 16] {
        let mut entries = [Self::default(); 16];
        entries[0].length = (size_of::<[Self; 16]>() - size_of::<Self>()) as u32;
        entries
    }
}

/// `struct ip_tunnel_6rd` (linux/if_tunnel.h): prefixes of IPv6 rapid deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SixRd {
    /// The IPv6 prefix.
    pub prefix: [u8; 16],
    /// The IPv4 prefix that all relays have in common.
    pub relay_prefix: [u8; 4],
    /// Bits of the IPv6 prefix.
    pub prefix_length: u16,
    /// Bits of the IPv4 prefix.
    pub relay_prefix_length: u16,
}
