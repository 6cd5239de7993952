//! Adding and deleting routes.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use libc::{RTF_GATEWAY, RTF_IRTT, RTF_MSS, RTF_REJECT, RTF_UP, RTF_WINDOW, c_ulong};
use nix::errno::Errno;

use super::v6::flag6;
use crate::kernel::handle::Kernel;
use crate::kernel::ioctl::{self, In6Rtmsg, RouteVerb};
use crate::kernel::result::Result;
use crate::net::rtnetlink::RouteType;

/// What the kernel subtracts from `rt_mtu` to have the segment size (net/ipv4/fib_frontend.c, `rtentry_to_fib_config`).
const HEADERS: u32 = 40;

/// An IPv4 route to be added to the main table, or deleted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteChangeV4<'a> {
    /// Without host bits.
    pub destination: Ipv4Net,
    /// Next hop.
    pub gateway: Option<Ipv4Addr>,
    /// The link; or a label of one, with a ':', whose address becomes the route's source.
    pub device: Option<&'a [u8]>,
    /// Metric for which [`metric_in_reach`] holds; to delete, 0 is any.
    pub metric: u32,
    /// Whether packets are dropped, with ICMP "host unreachable" to the sender.
    pub unreachable: bool,
    /// Largest segment to announce to TCP peers, in bytes; 0 for the default.
    pub advmss: u32,
    /// Largest window of TCP connections, in bytes; 0 for the default.
    pub window: u32,
    /// Initial round trip time of TCP connections, in milliseconds; 0 for the default.
    pub rtt: u16,
}

impl RouteChangeV4<'_> {
    /// Returns the route to a network with defaults for the rest.
    pub fn to(destination: Ipv4Net) -> Self {
        RouteChangeV4 {
            destination,
            gateway: None,
            device: None,
            metric: 0,
            unreachable: false,
            advmss: 0,
            window: 0,
            rtt: 0,
        }
    }

    fn entry(&self, flags: u16) -> Result<libc::rtentry> {
        let flags = [
            (RTF_UP | flags, true),
            (RTF_REJECT, self.unreachable),
            (RTF_MSS, self.advmss != 0),
            (RTF_WINDOW, self.window != 0),
            (RTF_IRTT, self.rtt != 0),
        ];
        let flags = flags.iter().filter(|(_, is_set)| *is_set).fold(0, |flags, (flag, _)| flags | flag);
        let mut entry = ioctl::rtentry(self.destination.addr(), self.destination.netmask(), flags);
        entry.rt_metric = rt_metric(self.metric).ok_or(Errno::ERANGE)?;
        entry.rt_mtu = self.advmss.saturating_add(HEADERS).into();
        entry.rt_window = self.window.into();
        entry.rt_irtt = self.rtt;
        if let Some(gateway) = self.gateway {
            entry.rt_gateway = ioctl::sockaddr(gateway);
        }
        Ok(entry)
    }
}

/// The number that stands for a metric in an rtentry: a short, one more than the metric, and 0 for none.
fn rt_metric(metric: u32) -> Option<i16> {
    i16::try_from(metric.wrapping_add(1) as i32).ok().filter(|&number| number != 0)
}

/// Whether the ioctls can express a metric of an IPv4 route: those up to 32766, and the very last ones.
pub fn metric_in_reach(metric: u32) -> bool {
    rt_metric(metric).is_some()
}

/// Converts seconds to hundredths, in a word of C; `None` if they do not fit.
fn clock_ticks<T: TryFrom<u64>>(seconds: u32) -> Option<T> {
    T::try_from(u64::from(seconds) * 100).ok()
}

/// Whether the ioctl can carry a lifetime of an IPv6 route: on 32-bit processors up to 42949672 seconds.
pub fn expires_in_reach(seconds: Option<u32>) -> bool {
    clock_ticks::<c_ulong>(seconds.unwrap_or(0)).is_some()
}

/// An IPv6 route to be added to the main table, or deleted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteChangeV6 {
    /// The network; host bits are ignored.
    pub destination: Ipv6Net,
    /// Network that packets come from; ::/0 for any.
    pub source: Ipv6Net,
    /// Next hop.
    pub gateway: Option<Ipv6Addr>,
    /// Index of the link; 0 leaves it to the kernel or, to delete, is any.
    pub index: i32,
    /// Metric: 0 is 1024 to add, and any to delete.
    pub metric: u32,
    /// For packets that are not sent on: `unreachable`, or [since Linux 4.18](Kernel::has_reject_types_v6) `blackhole`, `prohibit`
    /// or `throw`.
    pub reject: Option<RouteType>,
    /// RFC 4191's preference: 0 for medium, 1 for high, 3 for low.
    pub preference: u8,
    /// Lifetime in seconds for which [`expires_in_reach`] holds, if it has an end.
    pub expires: Option<u32>,
}

impl RouteChangeV6 {
    /// Returns the route to a network with defaults for the rest.
    pub fn to(destination: Ipv6Net) -> Self {
        RouteChangeV6 {
            destination,
            source: Ipv6Net::default(),
            gateway: None,
            index: 0,
            metric: 0,
            reject: None,
            preference: 0,
            expires: None,
        }
    }

    fn message(&self) -> In6Rtmsg {
        let flags = [
            (u32::from(RTF_UP) | u32::from(self.preference) << flag6::PREFERENCE_SHIFT, true),
            (flag6::GATEWAY, self.gateway.is_some()),
            (flag6::REJECT, self.reject.is_some()),
            (flag6::EXPIRES, self.expires.is_some()),
        ];
        let flags = flags.iter().filter(|(_, is_set)| *is_set).fold(0, |flags, (flag, _)| flags | flag);
        In6Rtmsg {
            destination: self.destination.addr().octets(),
            source: self.source.addr().octets(),
            gateway: self.gateway.unwrap_or(Ipv6Addr::UNSPECIFIED).octets(),
            kind: self.reject.map_or(0, |kind| kind.number().into()),
            destination_length: self.destination.prefix_len().into(),
            source_length: self.source.prefix_len().into(),
            metric: self.metric,
            info: clock_ticks(self.expires.unwrap_or(0)).unwrap_or(c_ulong::MAX),
            flags,
            index: self.index,
        }
    }
}

impl Kernel {
    /// Adds an IPv4 route in front of those to the same network with the same metric, which do not make it fail.
    ///
    /// # Errors
    /// EPERM, EEXIST (an identical one exists), ENETUNREACH (the gateway is not on a link), ENETDOWN, ENODEV, EINVAL (host bits),
    /// ERANGE (the metric is out of reach).
    pub fn add_route_v4(&self, route: &RouteChangeV4) -> Result<()> {
        let entry = route.entry(if route.gateway.is_some() { RTF_GATEWAY } else { 0 })?;
        ioctl::route_v4(self.control()?, RouteVerb::Add, entry, route.device)
    }

    /// Deletes the first IPv4 route to the network that has the gateway, the device and the metric, as far as they are given,
    /// whatever its scope; with `unreachable` the first that drops and has scope `host`.
    ///
    /// # Errors
    /// EPERM, ESRCH (there is none), ENODEV, EINVAL (host bits), ERANGE (the metric is out of reach).
    pub fn delete_route_v4(&self, route: &RouteChangeV4) -> Result<()> {
        // with RTF_GATEWAY the scope would have to be global
        ioctl::route_v4(self.control()?, RouteVerb::Delete, route.entry(0)?, route.device)
    }

    /// Whether the ioctl for IPv6 looks at the type of a route that drops packets (net/ipv6/route.c, `rtmsg_to_fib6_config`).
    pub fn has_reject_types_v6(&self) -> bool {
        self.version() >= [4, 18, 0]
    }

    /// Adds an IPv6 route. Beside another one with a gateway to the same network with the same metric, the two form a multipath
    /// route.
    ///
    /// # Errors
    /// EPERM, EEXIST (an identical one exists), EHOSTUNREACH (the gateway is not on a link), EINVAL (no gateway can be this),
    /// ENETDOWN, ENODEV, EACCES (no IPv6 on the link).
    pub fn add_route_v6(&self, route: &RouteChangeV6) -> Result<()> {
        ioctl::call(self.control_v6()?, ioctl::SIOCADDRT_V6, &mut route.message())
    }

    /// Deletes the first IPv6 route to the network that has the gateway, the link and the metric, as far as they are given.
    ///
    /// # Errors
    /// EPERM, ESRCH (there is none).
    pub fn delete_route_v6(&self, route: &RouteChangeV6) -> Result<()> {
        ioctl::call(self.control_v6()?, ioctl::SIOCDELRT_V6, &mut route.message())
    }

    /// Whether this process may change the network (CAP_NET_ADMIN over this namespace): the kernel is asked to delete no route,
    /// and looks at the privilege before it finds that there is nothing to do.
    pub fn has_net_admin(&self) -> bool {
        let control = self.control();
        control.and_then(|control| ioctl::route_v4(control, RouteVerb::Delete, ioctl::no_rtentry(), None))
            != Err(Errno::EPERM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_that_fit_a_word() {
        assert_eq!(clock_ticks::<u32>(42_949_672), Some(4_294_967_200));
        assert_eq!(clock_ticks::<u32>(42_949_673), None);
        assert_eq!(clock_ticks::<u64>(u32::MAX), Some(429_496_729_500));
    }

    #[test]
    fn metrics_that_fit_a_short() {
        assert_eq!(rt_metric(0), Some(1));
        assert_eq!(rt_metric(32766), Some(32767));
        assert_eq!(rt_metric(32767), None);
        assert_eq!(rt_metric(u32::MAX - 32768), Some(-32768));
        assert_eq!(rt_metric(u32::MAX - 1), Some(-1));
        assert_eq!(rt_metric(u32::MAX), None, "this would be no metric");
    }
}
