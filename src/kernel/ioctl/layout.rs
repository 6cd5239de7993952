//! Structures laid out as the kernel's headers lay them out, to be handed over by [`super`].
#![deny(unsafe_code)]

use std::ffi::c_int;
use std::net::{Ipv4Addr, Ipv6Addr};

use libc::c_ulong;

/// Bytes of an interface name with its NUL (linux/if.h).
pub const IFNAMSIZ: usize = 16;

/// An interface name as the kernel takes it: at most 15 bytes and a NUL. Longer ones are cut, as `strlcpy` does in
/// bridge-utils; who does not want that checks the length before.
pub(in crate::kernel) fn kernel_name(name: &[u8]) -> [u8; IFNAMSIZ] {
    let mut cut = [0; IFNAMSIZ];
    let length = name.len().min(IFNAMSIZ - 1);
    cut[..length].copy_from_slice(&name[..length]);
    cut
}

/// `struct ifreq` (linux/if.h): a name and a union, of which each request uses one member.
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

    /// `ifr_hwaddr`: a `struct sockaddr` with the kind (ARPHRD_*) and up to 14 bytes.
    pub(in crate::kernel) fn with_hardware_address(mut self, kind: u16, address: &[u8]) -> Self {
        self.member[..2].copy_from_slice(&kind.to_ne_bytes());
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

    /// `ifr_hwaddr.sa_data`: up to 14 bytes of a hardware address; its kind (ARPHRD_*) is [`Ifreq::short`].
    pub(in crate::kernel) fn hardware_address(&self) -> [u8; 14] {
        let mut bytes = [0; 14];
        bytes.copy_from_slice(&self.member[2..16]);
        bytes
    }
}

/// `struct in6_ifreq` (linux/ipv6.h).
#[repr(C)]
pub(in crate::kernel) struct In6Ifreq {
    address: [u8; 16],
    prefix: u32,
    index: c_int,
}

impl In6Ifreq {
    pub(in crate::kernel) fn new(address: Ipv6Addr, prefix: u8, index: c_int) -> Self {
        In6Ifreq { address: address.octets(), prefix: prefix.into(), index }
    }
}

/// `struct rtentry` (linux/route.h), but for the names of what is not used.
#[repr(C)]
pub(in crate::kernel) struct Rtentry {
    pad: c_ulong,
    destination: Sockaddr,
    gateway: Sockaddr,
    mask: Sockaddr,
    flags: u16,
    pad2: i16,
    pad3: c_ulong,
    pad4: usize,
    /// One more than the metric; 0 for none.
    metric: i16,
    /// The address of the device's name; [`super::route_v4`] puts it in.
    pub(super) device: usize,
    mtu: c_ulong,
    window: c_ulong,
    round_trip: u16,
}

/// `struct sockaddr_in` (linux/in.h): family, port, address.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Sockaddr {
    family: u16,
    port: u16,
    address: [u8; 4],
    pad: [u8; 8],
}

impl Sockaddr {
    fn of(address: Ipv4Addr) -> Self {
        Sockaddr { family: libc::AF_INET as u16, address: address.octets(), ..Sockaddr::default() }
    }
}

impl Rtentry {
    /// Asks for nothing: the kernel refuses it once it has looked at the caller's privilege.
    pub(in crate::kernel) fn empty() -> Self {
        Rtentry {
            pad: 0,
            destination: Sockaddr::default(),
            gateway: Sockaddr::default(),
            mask: Sockaddr::default(),
            flags: 0,
            pad2: 0,
            pad3: 0,
            pad4: 0,
            metric: 0,
            device: 0,
            mtu: 0,
            window: 0,
            round_trip: 0,
        }
    }

    /// A route to a network. The flags are linux/route.h's RTF_*.
    pub(in crate::kernel) fn to(network: Ipv4Addr, mask: Ipv4Addr, flags: u16) -> Self {
        Rtentry { destination: Sockaddr::of(network), mask: Sockaddr::of(mask), flags, ..Rtentry::empty() }
    }

    pub(in crate::kernel) fn with_gateway(self, gateway: Ipv4Addr) -> Self {
        Rtentry { gateway: Sockaddr::of(gateway), ..self }
    }

    /// The number as the kernel wants it: one more than the metric.
    pub(in crate::kernel) fn with_metric(self, metric: i16) -> Self {
        Rtentry { metric, ..self }
    }

    /// `rt_mtu`, `rt_window` and `rt_irtt`, which count if the flags say so.
    pub(in crate::kernel) fn with_tcp_values(self, mtu: u32, window: u32, round_trip: u16) -> Self {
        Rtentry { mtu: mtu as c_ulong, window: window as c_ulong, round_trip, ..self }
    }
}

/// `struct in6_rtmsg` (linux/ipv6_route.h).
#[repr(C)]
pub(in crate::kernel) struct In6Rtmsg {
    pub(in crate::kernel) destination: [u8; 16],
    pub(in crate::kernel) source: [u8; 16],
    pub(in crate::kernel) gateway: [u8; 16],
    pub(in crate::kernel) kind: u32,
    pub(in crate::kernel) destination_length: u16,
    pub(in crate::kernel) source_length: u16,
    pub(in crate::kernel) metric: u32,
    /// Hundredths of a second until the route expires, if the flags say that it does.
    pub(in crate::kernel) info: c_ulong,
    pub(in crate::kernel) flags: u32,
    pub(in crate::kernel) index: c_int,
}
