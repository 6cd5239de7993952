//! Routes of table main.

use std::ffi::OsString;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::kernel::{self, Kernel, Unreadable, flag6};
use crate::net::Family;

/// A route over an interface. (Those that drop packets are left out, as are those of multicast.)
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) destination: IpNet,
    /// The next hop; `None` if the destination is on the link.
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) interface: OsString,
    pub(crate) metric: u32,
    /// A router has announced it, so that it will expire.
    pub(crate) is_announced: bool,
}

impl Route {
    pub(crate) fn is_default(&self) -> bool {
        self.destination.prefix_len() == 0
    }

    pub(crate) fn family(&self) -> Family {
        Family::of(&self.destination)
    }
}

/// Routes as the kernel lists them.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) routes: Vec<Route>,
    /// Rules choose between tables, so that a packet need not take a route of table main. Known of IPv4 only, and
    /// false where no file shows it.
    pub(super) has_rules: bool,
}

/// Reads the routes of table main.
///
/// # Errors
/// The kernel's file cannot be read.
pub(super) fn read(kernel: &Kernel, family: Family) -> Result<Table, Unreadable> {
    if family == Family::V6 {
        return Ok(Table {
            routes: kernel.routes_v6()?.main.into_iter().filter_map(of_v6).collect(),
            has_rules: false,
        });
    }
    let routes = kernel.routes_v4()?;
    Ok(Table {
        has_rules: routes.has_rules() == Some(true),
        routes: routes.main.into_iter().filter_map(of_v4).collect(),
    })
}

fn of_v4(route: kernel::RouteV4) -> Option<Route> {
    Some(Route {
        destination: route.destination.into(),
        gateway: route.gateway.map(IpAddr::from),
        interface: route.link?,
        metric: route.metric,
        is_announced: false,
    })
}

fn of_v6(route: kernel::RouteV6) -> Option<Route> {
    // the loopback stands for routes that drop
    let is_shown = route.link != "lo" && !route.destination.addr().is_multicast();
    is_shown.then(|| Route {
        destination: route.destination.into(),
        gateway: route.gateway.map(IpAddr::from),
        is_announced: route.flags & (flag6::DEFAULT | flag6::ADDRCONF | flag6::EXPIRES) != 0,
        interface: route.link,
        metric: route.metric,
    })
}
