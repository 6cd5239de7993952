//! Numbers of ioctl requests, typed with the structures that go with them.
#![deny(unsafe_code)]

use std::ffi::c_int;
use std::marker::PhantomData;

use libc::c_ulong;

use super::layout::{IFNAMSIZ, Ifreq, In6Rtmsg};

/// The number of an ioctl request, with the structure that the kernel reads or fills.
pub(in crate::kernel) struct Request<T>(pub(super) c_ulong, PhantomData<T>);

impl<T> Request<T> {
    const fn new(number: c_ulong) -> Self {
        Request(number, PhantomData)
    }
}

// asm-generic/ioctls.h
pub(in crate::kernel) const TIOCGWINSZ: Request<libc::winsize> = Request::new(libc::TIOCGWINSZ as c_ulong);

// linux/sockios.h. The type of each is the promise on which `super::call` rests.
pub(in crate::kernel) const SIOCGIFNAME: Request<Ifreq> = Request::new(libc::SIOCGIFNAME as c_ulong);
pub(in crate::kernel) const SIOCGIFFLAGS: Request<Ifreq> = Request::new(libc::SIOCGIFFLAGS as c_ulong);
pub(in crate::kernel) const SIOCSIFFLAGS: Request<Ifreq> = Request::new(libc::SIOCSIFFLAGS as c_ulong);
pub(in crate::kernel) const SIOCGIFADDR: Request<Ifreq> = Request::new(libc::SIOCGIFADDR as c_ulong);
pub(in crate::kernel) const SIOCSIFADDR: Request<Ifreq> = Request::new(libc::SIOCSIFADDR as c_ulong);
pub(in crate::kernel) const SIOCGIFDSTADDR: Request<Ifreq> = Request::new(libc::SIOCGIFDSTADDR as c_ulong);
pub(in crate::kernel) const SIOCSIFDSTADDR: Request<Ifreq> = Request::new(libc::SIOCSIFDSTADDR as c_ulong);
pub(in crate::kernel) const SIOCGIFBRDADDR: Request<Ifreq> = Request::new(libc::SIOCGIFBRDADDR as c_ulong);
pub(in crate::kernel) const SIOCSIFBRDADDR: Request<Ifreq> = Request::new(libc::SIOCSIFBRDADDR as c_ulong);
pub(in crate::kernel) const SIOCGIFNETMASK: Request<Ifreq> = Request::new(libc::SIOCGIFNETMASK as c_ulong);
pub(in crate::kernel) const SIOCSIFNETMASK: Request<Ifreq> = Request::new(libc::SIOCSIFNETMASK as c_ulong);
pub(in crate::kernel) const SIOCGIFMTU: Request<Ifreq> = Request::new(libc::SIOCGIFMTU as c_ulong);
pub(in crate::kernel) const SIOCSIFMTU: Request<Ifreq> = Request::new(libc::SIOCSIFMTU as c_ulong);
pub(in crate::kernel) const SIOCSIFNAME: Request<Ifreq> = Request::new(libc::SIOCSIFNAME as c_ulong);
pub(in crate::kernel) const SIOCSIFHWADDR: Request<Ifreq> = Request::new(libc::SIOCSIFHWADDR as c_ulong);
pub(in crate::kernel) const SIOCGIFHWADDR: Request<Ifreq> = Request::new(libc::SIOCGIFHWADDR as c_ulong);
pub(in crate::kernel) const SIOCGIFINDEX: Request<Ifreq> = Request::new(libc::SIOCGIFINDEX as c_ulong);
pub(in crate::kernel) const SIOCSIFHWBROADCAST: Request<Ifreq> = Request::new(libc::SIOCSIFHWBROADCAST as c_ulong);
pub(in crate::kernel) const SIOCADDMULTI: Request<Ifreq> = Request::new(libc::SIOCADDMULTI as c_ulong);
pub(in crate::kernel) const SIOCDELMULTI: Request<Ifreq> = Request::new(libc::SIOCDELMULTI as c_ulong);
pub(in crate::kernel) const SIOCGIFTXQLEN: Request<Ifreq> = Request::new(libc::SIOCGIFTXQLEN as c_ulong);
pub(in crate::kernel) const SIOCSIFTXQLEN: Request<Ifreq> = Request::new(libc::SIOCSIFTXQLEN as c_ulong);
pub(in crate::kernel) const SIOCBRADDIF: Request<Ifreq> = Request::new(0x89a2);
pub(in crate::kernel) const SIOCBRDELIF: Request<Ifreq> = Request::new(0x89a3);
pub(in crate::kernel) const SIOCBRADDBR: Request<[u8; IFNAMSIZ]> = Request::new(0x89a0);
pub(in crate::kernel) const SIOCBRDELBR: Request<[u8; IFNAMSIZ]> = Request::new(0x89a1);
/// On an AF_INET6 socket these two take an in6_rtmsg, on an AF_INET one an rtentry, for which there is [`super::route_v4`].
pub(in crate::kernel) const SIOCADDRT_V6: Request<In6Rtmsg> = Request::new(libc::SIOCADDRT as c_ulong);
pub(in crate::kernel) const SIOCDELRT_V6: Request<In6Rtmsg> = Request::new(libc::SIOCDELRT as c_ulong);
/// On an AF_INET6 socket these two take an in6_ifreq (net/ipv6/af_inet6.c), on any other an ifreq.
pub(in crate::kernel) const SIOCSIFADDR_V6: Request<libc::in6_ifreq> = Request::new(libc::SIOCSIFADDR as c_ulong);
pub(in crate::kernel) const SIOCDIFADDR_V6: Request<libc::in6_ifreq> = Request::new(libc::SIOCDIFADDR as c_ulong);

pub(in crate::kernel) const SIOCSARP: Request<libc::arpreq> = Request::new(libc::SIOCSARP as c_ulong);
pub(in crate::kernel) const SIOCDARP: Request<libc::arpreq> = Request::new(libc::SIOCDARP as c_ulong);

/// Makes a descriptor of /dev/net/tun the other end of a device (linux/if_tun.h). (The header names an int, the kernel takes an
/// ifreq.)
pub(in crate::kernel) const TUNSETIFF: Request<Ifreq> = Request::new(libc::TUNSETIFF as c_ulong);

/// Carries a [`BrctlCommand`] to a bridge. Its ifreq points to four words.
pub(super) const SIOCDEVPRIVATE: c_ulong = 0x89f0;

/// Commands of the bridge's first ioctl interface (linux/if_bridge.h, BRCTL_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::kernel) enum BrctlCommand {
    GetBridges = 1,
    AddBridge = 2,
    DelBridge = 3,
    AddIf = 4,
    DelIf = 5,
    GetBridgeInfo = 6,
    GetPortList = 7,
    SetForwardDelay = 8,
    SetHelloTime = 9,
    SetMaxAge = 10,
    SetAgeingTime = 11,
    GetPortInfo = 13,
    SetStpState = 14,
    SetBridgePriority = 15,
    SetPortPriority = 16,
    SetPathCost = 17,
    GetFdbEntries = 18,
}

/// Bytes of `struct __bridge_info`, `struct __port_info`, `struct __fdb_entry` (linux/if_bridge.h).
pub(in crate::kernel) const BRIDGE_INFO: usize = 72;
pub(in crate::kernel) const PORT_INFO: usize = 48;
pub(in crate::kernel) const FDB_ENTRY: usize = 16;

/// A socket option that reads a table of the packet filter.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct TableOption {
    pub(in crate::kernel) is_ipv6: bool,
    pub(in crate::kernel) number: c_int,
}

// linux/netfilter_ipv4/ip_tables.h; those of ip6_tables.h have the same numbers, but for the two that ask for revisions
pub(super) const IPT_SO_SET_REPLACE: c_int = 64;
pub(super) const IPT_SO_SET_ADD_COUNTERS: c_int = 65;
pub(in crate::kernel) const IPT_SO_GET_INFO: c_int = 64;
pub(in crate::kernel) const IPT_SO_GET_ENTRIES: c_int = 65;
pub(in crate::kernel) const IPT_SO_GET_REVISION_MATCH: c_int = 66;
pub(in crate::kernel) const IPT_SO_GET_REVISION_TARGET: c_int = 67;
const IP6T_SO_GET_REVISION_MATCH: c_int = 68;
const IP6T_SO_GET_REVISION_TARGET: c_int = 69;

impl TableOption {
    /// Returns the level and the number of the option.
    pub(super) fn numbers(self) -> (c_int, c_int) {
        match (self.is_ipv6, self.number) {
            (false, number) => (libc::SOL_IP, number),
            (true, IPT_SO_GET_REVISION_MATCH) => (libc::SOL_IPV6, IP6T_SO_GET_REVISION_MATCH),
            (true, IPT_SO_GET_REVISION_TARGET) => (libc::SOL_IPV6, IP6T_SO_GET_REVISION_TARGET),
            (true, number) => (libc::SOL_IPV6, number),
        }
    }
}
