//! Reading the addresses and routes of a link.

use std::ffi::OsStr;
use std::net::IpAddr;

use ipnet::IpNet;

use super::source::given_source;
use super::text::is_alias;
use super::{ConfigError, IpConfig, OwnAddress, OwnRoute};
use crate::kernel::{Address, Kernel, RouteV4, RouteV6, Unreadable, flag6, metric_in_reach};
use crate::net::InterfaceName;
use crate::net::rtnetlink::{RouteType, Scope};

/// Labels that hold the source of a route for the moment in which it is added.
pub(super) const SOURCE_ALIASES: [&str; 3] = [":src", ":s", ":"];

/// Metric of the IPv6 routes that the kernel makes (net/ipv6/addrconf.c, `IP6_RT_PRIO_ADDRCONF`).
const METRIC_OF_KERNEL_V6: u32 = 256;

impl IpConfig {
    /// Reads the addresses and routes of a link.
    ///
    /// # Errors
    /// They cannot be read, or there is a route that no ioctl can make again.
    pub fn read(kernel: &Kernel, link: &InterfaceName) -> Result<Self, ConfigError> {
        let mut unmovable = None;
        let config = read(kernel, link.as_ref(), &mut |route, what| {
            unmovable.get_or_insert(ConfigError::Unmovable(route.destination.into(), what));
        })?;
        unmovable.map_or(Ok(config), Err)
    }

    /// Reads as much of the addresses and routes of a link as can be read and made again.
    pub fn read_movable(kernel: &Kernel, link: &InterfaceName) -> Self {
        read(kernel, link.as_ref(), &mut |_, _| ()).unwrap_or_default()
    }
}

fn read(
    kernel: &Kernel,
    link: &OsStr,
    refuse: &mut dyn FnMut(&RouteV4, &'static str),
) -> Result<IpConfig, ConfigError> {
    let mut config = IpConfig::default();
    let all = kernel.addresses_v4().map_err(|errno| ConfigError::Unreadable("the IPv4 addresses", errno))?;
    let own: Vec<&Address> = all.iter().filter(|address| address.link == link).collect();
    config.addresses.extend(own.iter().filter_map(|address| own_address(address)));
    let routes = kernel.routes_v4().map_err(unreadable)?.main;
    let mut made: Vec<&Address> = own.iter().copied().filter(|address| !address.secondary).collect();
    for (at, route) in routes.iter().enumerate() {
        if route.link.as_deref() != Some(link) || takes_maker(&mut made, route) {
            continue;
        }
        match unmovable(route) {
            Some(what) => refuse(route, what),
            None => config.routes.push(OwnRoute {
                source: given_source(kernel, &routes, at, &all),
                advmss: route.advmss,
                window: route.window,
                rtt: route.rtt,
                ..OwnRoute::to(route.destination.into(), route.gateway.map(IpAddr::V4), route.metric)
            }),
        }
    }
    let addresses = kernel.addresses_v6().map_err(unreadable)?;
    let own: Vec<&Address> =
        addresses.iter().filter(|address| address.link == link && is_movable_v6(address)).collect();
    config.addresses.extend(own.iter().filter_map(|address| own_address(address)));
    for route in kernel.routes_v6().map_err(unreadable)?.main {
        if route.link == link && !is_made_by_kernel_v6(&route, &own) {
            config.routes.push(OwnRoute {
                is_advertised: route.flags & (flag6::ADDRCONF | flag6::EXPIRES) != 0,
                ..OwnRoute::to(route.destination.into(), route.gateway.map(IpAddr::V6), route.metric)
            });
        }
    }
    Ok(config)
}

fn unreadable(unreadable: Unreadable) -> ConfigError {
    ConfigError::Unreadable(unreadable.file, unreadable.errno)
}

/// Returns an address without its link; nothing for one that a killed call has left on a passing label.
fn own_address(address: &Address) -> Option<OwnAddress> {
    let label = address.label.to_str().unwrap_or_default();
    let alias = label.find(':').map_or("", |colon| &label[colon..]);
    let Address { net, peer, broadcast, .. } = *address;
    let is_passing = SOURCE_ALIASES.contains(&alias) && net.prefix_len() == 0;
    let alias = if is_alias(alias) { alias.to_owned() } else { String::new() };
    (!is_passing).then_some(OwnAddress { net, peer, broadcast, alias })
}

/// Whether a route is the one that the kernel makes for an address, which is taken out: a second one is somebody else's.
fn takes_maker(made: &mut Vec<&Address>, route: &RouteV4) -> bool {
    let is_usual = route.gateway.is_none() && route.scope == Scope::LINK && route.metric == 0 && route.tos == 0;
    let at = made.iter().position(|address| is_usual && address.network_v4() == Some(route.destination));
    at.map(|at| made.remove(at)).is_some()
}

/// Returns what a route has that no ioctl can give it.
fn unmovable(route: &RouteV4) -> Option<&'static str> {
    match route {
        _ if route.kind != RouteType::Unicast => Some("a type of its own"),
        _ if route.tos != 0 => Some("a type of service"),
        _ if !metric_in_reach(route.metric) => Some("a metric above 32766"),
        _ if u16::try_from(route.rtt).is_err() => Some("an rtt above 65535"),
        _ => None,
    }
}

/// Whether an IPv6 address is moved: not a temporary one, nor one that another host has as well.
fn is_movable_v6(address: &Address) -> bool {
    !address.has_flag(libc::IFA_F_SECONDARY) && !address.has_flag(libc::IFA_F_DADFAILED)
}

fn is_made_by_kernel_v6(route: &RouteV6, own: &[&Address]) -> bool {
    let destination = route.destination;
    let is_own = || own.iter().any(|address| address.net.trunc() == IpNet::V6(destination));
    route.flags & flag6::REJECT != 0
        || destination.addr().is_multicast()
        || route.gateway.is_none()
            && route.metric == METRIC_OF_KERNEL_V6
            && (destination.addr().is_unicast_link_local() || is_own())
}
