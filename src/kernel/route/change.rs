//! Adding and deleting routes.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use nix::errno::Errno;

use super::flag6;
use crate::kernel::ioctl::{self, In6Rtmsg, RouteVerb, Rtentry};
use crate::kernel::{Kernel, Result};

/// Flags of an rtentry (linux/route.h).
const RTF_UP: u16 = 0x1;
const RTF_GATEWAY: u16 = 0x2;
const RTF_MSS: u16 = 0x40;
const RTF_WINDOW: u16 = 0x80;
const RTF_IRTT: u16 = 0x100;
const RTF_REJECT: u16 = 0x200;

/// What the kernel takes off `rt_mtu` to have the segment size (net/ipv4/fib_frontend.c, `rtentry_to_fib_config`).
const HEADERS: u32 = 40;

/// An IPv4 route to be added to the main table, or deleted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteChange<'a> {
    /// Without host bits.
    pub destination: Ipv4Net,
    /// Next router.
    pub gateway: Option<Ipv4Addr>,
    /// The link; or a label of one, with a ':', whose address becomes the route's source.
    pub device: Option<&'a [u8]>,
    /// As far as [`metric_in_reach`]; to delete, 0 is any.
    pub metric: u32,
    /// Packets are dropped, and the sender is told that the host is unreachable.
    pub unreachable: bool,
    /// See [`super::Route`]; 0 for none.
    pub segment: u32,
    /// Likewise.
    pub window: u32,
    /// Likewise.
    pub round_trip: u16,
}

impl RouteChange<'_> {
    /// The route to a network, of which nothing more is said.
    pub fn to(destination: Ipv4Net) -> Self {
        RouteChange {
            destination,
            gateway: None,
            device: None,
            metric: 0,
            unreachable: false,
            segment: 0,
            window: 0,
            round_trip: 0,
        }
    }

    fn entry(&self, flags: u16) -> Result<Rtentry> {
        let mut flags = RTF_UP | flags;
        for (flag, is_set) in [
            (RTF_REJECT, self.unreachable),
            (RTF_MSS, self.segment != 0),
            (RTF_WINDOW, self.window != 0),
            (RTF_IRTT, self.round_trip != 0),
        ] {
            flags |= if is_set { flag } else { 0 };
        }
        let mut entry = Rtentry::to(self.destination.addr(), self.destination.netmask(), flags)
            .with_metric(rt_metric(self.metric).ok_or(Errno::ERANGE)?)
            .with_tcp_values(self.segment.saturating_add(HEADERS), self.window, self.round_trip);
        if let Some(gateway) = self.gateway {
            entry = entry.with_gateway(gateway);
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

/// An IPv6 route to be added to the main table, or deleted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteChange6 {
    /// Host bits do not count.
    pub destination: Ipv6Net,
    /// Only packets from this network; ::/0 for all.
    pub source: Ipv6Net,
    /// Next router.
    pub gateway: Option<Ipv6Addr>,
    /// Index of the link; 0 leaves it to the kernel, or is any.
    pub index: i32,
    /// 0 is 1024 to add and any to delete.
    pub metric: u32,
    /// Packets are dropped, and the sender is told that the host is unreachable.
    pub unreachable: bool,
    /// RFC 4191's preference: 0 for medium, 1 for high, 3 for low.
    pub preference: u8,
    /// Seconds that it lasts; 0 for ever.
    pub expires: u32,
}

impl RouteChange6 {
    /// The route to a network, of which nothing more is said.
    pub fn to(destination: Ipv6Net) -> Self {
        RouteChange6 {
            destination,
            source: Ipv6Net::default(),
            gateway: None,
            index: 0,
            metric: 0,
            unreachable: false,
            preference: 0,
            expires: 0,
        }
    }

    fn message(&self) -> In6Rtmsg {
        let mut flags = u32::from(RTF_UP) | (u32::from(self.preference) << flag6::PREFERENCE_SHIFT);
        flags |= if self.gateway.is_some() { flag6::GATEWAY } else { 0 };
        flags |= if self.unreachable { flag6::REJECT } else { 0 };
        flags |= if self.expires != 0 { flag6::EXPIRES } else { 0 };
        In6Rtmsg {
            destination: self.destination.addr().octets(),
            source: self.source.addr().octets(),
            gateway: self.gateway.unwrap_or(Ipv6Addr::UNSPECIFIED).octets(),
            kind: 0,
            destination_length: self.destination.prefix_len().into(),
            source_length: self.source.prefix_len().into(),
            metric: self.metric,
            info: u64::from(self.expires).saturating_mul(100) as _,
            flags,
            index: self.index,
        }
    }
}

impl Kernel {
    /// Adds an IPv4 route, in front of those to the same network with the same metric: whoever wants none there looks before.
    ///
    /// # Errors
    /// EPERM, EEXIST (the very same is there), ENETUNREACH (the gateway is not on a link), ENETDOWN, ENODEV, EINVAL (host bits),
    /// ERANGE (the metric is out of reach).
    pub fn add_route_v4(&self, route: &RouteChange) -> Result<()> {
        let entry = route.entry(if route.gateway.is_some() { RTF_GATEWAY } else { 0 })?;
        ioctl::route_v4(self.control()?, RouteVerb::Add, entry, route.device)
    }

    /// Deletes the first IPv4 route to the network that has the gateway, the device and the metric, as far as they are given,
    /// whatever its scope; with `unreachable` the first that drops and has scope `host`.
    ///
    /// # Errors
    /// EPERM, ESRCH (there is none), ENODEV, EINVAL (host bits), ERANGE (the metric is out of reach).
    pub fn delete_route_v4(&self, route: &RouteChange) -> Result<()> {
        // with RTF_GATEWAY the scope would have to be global
        ioctl::route_v4(self.control()?, RouteVerb::Delete, route.entry(0)?, route.device)
    }

    /// Adds an IPv6 route: next to another through a router with the same network and metric, packets are shared out.
    ///
    /// # Errors
    /// EPERM, EEXIST (the very same is there), EHOSTUNREACH (the gateway is not on a link), EINVAL (no gateway can be this),
    /// ENETDOWN, ENODEV, EACCES (no IPv6 on the link).
    pub fn add_route_v6(&self, route: &RouteChange6) -> Result<()> {
        ioctl::call(self.control_v6()?, ioctl::SIOCADDRT_V6, &mut route.message())
    }

    /// Deletes the first IPv6 route to the network that has the gateway, the link and the metric, as far as they are given.
    ///
    /// # Errors
    /// EPERM, ESRCH (there is none).
    pub fn delete_route_v6(&self, route: &RouteChange6) -> Result<()> {
        ioctl::call(self.control_v6()?, ioctl::SIOCDELRT_V6, &mut route.message())
    }

    /// Whether this process may change the network (CAP_NET_ADMIN over this namespace): the kernel is asked to delete no route,
    /// and looks at the privilege before it finds that there is nothing to do.
    pub fn has_net_admin(&self) -> bool {
        self.may_change_routes()
    }

    /// The name before [`Kernel::has_net_admin`].
    pub fn may_change_routes(&self) -> bool {
        let control = self.control();
        control.and_then(|control| ioctl::route_v4(control, RouteVerb::Delete, Rtentry::empty(), None))
            != Err(Errno::EPERM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
