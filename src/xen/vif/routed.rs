//! An interface that leads to a guest by routes: an address of this host on it, and a route to each of the guest's addresses.

use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use nix::errno::Errno;

use super::error::VifError;
use super::interface::Interface;
use crate::error::errno_text;
use crate::kernel::{Kernel, LinkSetting, RouteChangeV4, RouteChangeV6, RouteV4, RouteV6, flag, net_conf};
use crate::net::{InterfaceName, labels};

/// What a routed interface must have.
pub(in crate::xen) struct RoutedSpec {
    /// The address of this host on the interface, and the source of its packets to the guest.
    pub(in crate::xen) address: Ipv4Addr,
    /// What is routed to the guest, without host bits.
    pub(in crate::xen) nets: Vec<IpNet>,
    /// Metric of the routes.
    pub(in crate::xen) metric: u32,
    /// Drop what the guest sends from other addresses.
    pub(in crate::xen) antispoof: bool,
    /// The guest's addresses for which this host answers ARP requests, each with the interface where it does.
    pub(in crate::xen) published: Vec<(Ipv4Addr, InterfaceName)>,
}

/// An interface that is being connected, and how it was found.
pub(in crate::xen) struct Routed<'a> {
    interface: Interface<'a>,
    /// The IPv4 routes over it.
    found: Vec<RouteV4>,
    done: Vec<Done>,
}

/// A change that can be undone.
enum Done {
    /// A value of /proc/sys, and what it was.
    Sysctl {
        name: String,
        old: String,
    },
    RouteV4 {
        net: Ipv4Net,
        metric: u32,
    },
    RouteV6 {
        net: Ipv6Net,
        metric: u32,
    },
    Published {
        address: Ipv4Addr,
        link: InterfaceName,
    },
}

impl<'a> Routed<'a> {
    /// Takes an interface, and the routes over it out of all IPv4 routes.
    pub(in crate::xen) fn new(interface: Interface<'a>, routes: &[RouteV4]) -> Self {
        let found = routes.iter().filter(|route| is_over(route, interface.name())).cloned().collect();
        Routed { interface, found, done: Vec::new() }
    }

    pub(in crate::xen) fn name(&self) -> &InterfaceName {
        self.interface.name()
    }

    /// Renames the interface, unless it has the name already.
    pub(in crate::xen) fn rename(&mut self, new_name: Option<InterfaceName>) -> Result<(), VifError> {
        self.interface.rename(new_name)
    }

    /// Gives the interface its address and its routes. What is there already stays.
    ///
    /// The address goes on while the link is down, for with the prefix of its class it would be a route for an instant.
    pub(in crate::xen) fn connect(&mut self, spec: &RoutedSpec) -> Result<(), VifError> {
        let kernel = self.interface.kernel();
        let has_address = self.interface.has_only_v4(spec.address);
        // with their types of service, which need another file
        let present = match has_address && !self.found.is_empty() {
            true => kernel.routes_v4().map_err(VifError::Unreadable)?.main,
            false => Vec::new(),
        };
        let has_route = |net: &Ipv4Net| {
            let is_same = |route: &RouteV4| route.destination == *net && route.metric == spec.metric && route.tos == 0;
            present.iter().any(|route| is_same(route) && is_over(route, self.name()))
        };
        let v4 = spec.nets.iter().filter_map(|net| if let IpNet::V4(net) = net { Some(*net) } else { None });
        let missing: Vec<Ipv4Net> = v4.filter(|net| !has_address || !has_route(net)).collect();
        if !has_address {
            if self.interface.had_flag(flag::UP) {
                self.interface.switch_off()?;
            }
            let added = kernel.add_address(self.name().as_bytes(), single(spec.address).into(), None, None);
            added.map_err(|errno| self.no_address(spec.address, errno))?;
        }
        // of a route that is added over it, this label's address becomes the source
        let label = labels(self.name().as_bytes()).nth(1).filter(|_| !missing.is_empty());
        if let Some(label) = &label {
            kernel.add_source(label, spec.address).map_err(|errno| self.no_address(spec.address, errno))?;
        }
        if self.interface.had_flag(flag::NOARP) {
            let arp_on = LinkSetting::Flags { set: 0, mask: flag::NOARP };
            self.interface.set(arp_on).map_err(|errno| VifError::link(self.name(), "switch arp on", errno))?;
        }
        self.set_of_link(&self.name().clone(), "proxy_arp", "1")?;
        if spec.antispoof {
            self.set_of_link(&self.name().clone(), "rp_filter", "1")?;
        }
        self.interface.switch_on()?;
        for net in missing {
            self.add_route_v4(net, spec.metric, label.as_deref())?;
        }
        if let Some(label) = &label {
            let deleted = kernel.delete_address(label, IpNet::V4(single(spec.address)));
            deleted.map_err(|errno| VifError::link(self.name(), "delete an alias of its address", errno))?;
        }
        self.add_routes_v6(spec)?;
        self.publish(spec)
    }

    fn no_address(&self, address: Ipv4Addr, errno: Errno) -> VifError {
        VifError::Address { link: self.name().clone(), address, errno }
    }

    fn add_route_v4(&mut self, net: Ipv4Net, metric: u32, label: Option<&[u8]>) -> Result<(), VifError> {
        let device = Some(label.unwrap_or(self.name().as_bytes()));
        match self.interface.kernel().add_route_v4(&RouteChangeV4 { device, metric, ..RouteChangeV4::to(net) }) {
            Ok(()) => self.done.push(Done::RouteV4 { net, metric }),
            Err(Errno::EEXIST) => (),
            Err(errno) => return Err(self.no_route(net.into(), errno)),
        }
        Ok(())
    }

    fn add_routes_v6(&mut self, spec: &RoutedSpec) -> Result<(), VifError> {
        let kernel = self.interface.kernel();
        for net in &spec.nets {
            let IpNet::V6(net) = *net else { continue };
            let index = kernel.link_index(self.name().as_bytes());
            let index = index.map_err(|errno| self.no_route(net.into(), errno))?;
            let metric = spec.metric;
            match kernel.add_route_v6(&RouteChangeV6 { index, metric, ..RouteChangeV6::to(net) }) {
                Ok(()) => self.done.push(Done::RouteV6 { net, metric }),
                Err(Errno::EEXIST) => (),
                Err(errno) => return Err(self.no_route(net.into(), errno)),
            }
        }
        Ok(())
    }

    fn no_route(&self, net: IpNet, errno: Errno) -> VifError {
        VifError::Route { link: self.name().clone(), net, errno }
    }

    /// Makes the guest reachable from the outside.
    fn publish(&mut self, spec: &RoutedSpec) -> Result<(), VifError> {
        let kernel = self.interface.kernel();
        if !spec.published.is_empty() {
            self.set_of_link(&self.name().clone(), "forwarding", "1")?;
        }
        for (address, link) in spec.published.iter().cloned() {
            self.set_of_link(&link, "forwarding", "1")?;
            if let Err(errno) = kernel.publish_arp(link.as_bytes(), address) {
                return Err(VifError::Publish { link, address, errno });
            }
            // what a route led to was published by an earlier call
            if !self.found.iter().any(|route| route.destination == single(address)) {
                self.done.push(Done::Published { address, link });
            }
        }
        Ok(())
    }

    /// Sets a value of /proc/sys/net/ipv4 that each link has.
    fn set_of_link(&mut self, link: &InterfaceName, value: &'static str, to: &str) -> Result<(), VifError> {
        let kernel = self.interface.kernel();
        let set = || {
            let name = net_conf("ipv4", link.as_str(), value)?;
            Ok(kernel.change_sysctl(&name, to)?.map(|old| Done::Sysctl { name, old }))
        };
        let done = set().map_err(|errno| VifError::Sysctl { link: link.clone(), value, errno })?;
        self.done.extend(done);
        Ok(())
    }

    /// Undoes all of it. Returns what could not be undone, with the reason.
    pub(in crate::xen) fn restore(self) -> Vec<String> {
        let Routed { interface, found, done } = self;
        let kernel = interface.kernel();
        let mut left: Vec<String> =
            done.into_iter().rev().filter_map(|done| done.undo(kernel, interface.name())).collect();
        let name = interface.found_name().clone();
        left.extend(interface.restore());
        // they went with the link; the kernel chooses their source
        let present = kernel.main_routes_v4().unwrap_or_default();
        for route in found.iter().filter(|route| !present.contains(route)) {
            let RouteV4 { destination, gateway, metric, .. } = *route;
            let device = Some(name.as_bytes());
            let change = RouteChangeV4 { gateway, device, metric, ..RouteChangeV4::to(destination) };
            match kernel.add_route_v4(&change) {
                Ok(()) | Err(Errno::EEXIST | Errno::ENODEV) => (),
                Err(errno) => left.push(format!("route {destination}: {}", errno_text(errno))),
            }
        }
        left
    }
}

impl Done {
    /// Undoes the change. Returns why it could not be undone.
    fn undo(self, kernel: &Kernel, link: &InterfaceName) -> Option<String> {
        let (what, undone) = match self {
            Done::Sysctl { name, old } => {
                let undone = kernel.set_sysctl(&name, &old);
                (name, undone)
            }
            Done::RouteV4 { net, metric } => (format!("route {net}"), delete_v4(kernel, link, net, metric)),
            Done::RouteV6 { net, metric } => (format!("route {net}"), delete_v6(kernel, link, net, metric)),
            Done::Published { address, link } => {
                (format!("published {address}"), kernel.withdraw_arp(link.as_bytes(), address))
            }
        };
        match undone {
            Ok(()) | Err(Errno::ENODEV | Errno::ENOENT | Errno::ESRCH) => None,
            Err(errno) => Some(format!("{what}: {}", errno_text(errno))),
        }
    }
}

/// Checks that nothing but the guest's own interfaces leads to what is routed to it.
///
/// # Errors
/// A route over another interface, before or behind which a new one would stand; an address of this host.
pub(in crate::xen) fn check_nets(
    kernel: &Kernel,
    routes: &[RouteV4],
    own: &[InterfaceName],
    nets: &[IpNet],
) -> Result<(), VifError> {
    let is_own = |link: &[u8]| own.iter().any(|own| own.as_bytes() == link);
    let shadowed = |net: IpNet, link: &[u8]| VifError::Shadowed { net, link: link.to_vec() };
    for net in nets {
        let link = |route: &RouteV4| route.link.as_ref().map_or(&b"none"[..], |link| link.as_bytes()).to_vec();
        let mut links = routes.iter().filter(|route| IpNet::V4(route.destination) == *net).map(link);
        if let Some(link) = links.find(|link| !is_own(link)) {
            return Err(shadowed(*net, &link));
        }
        match net {
            IpNet::V4(single) if single.prefix_len() == 32 && kernel.is_own_v4(single.addr()) => {
                return Err(VifError::OwnAddress(*net));
            }
            _ => (),
        }
    }
    if nets.iter().any(|net| matches!(net, IpNet::V6(_))) {
        let routes = kernel.routes_v6().map_err(VifError::Unreadable)?;
        for net in nets {
            if routes.local.iter().any(|local| IpNet::V6(local.destination) == *net) {
                return Err(VifError::OwnAddress(*net));
            }
            let mut to_net = routes.main.iter().filter(|route| IpNet::V6(route.destination) == *net);
            if let Some(route) = to_net.find(|route| !is_own(route.link.as_bytes())) {
                return Err(shadowed(*net, route.link.as_bytes()));
            }
        }
    }
    Ok(())
}

/// Deletes the routes over an interface, and ends the publication of the addresses to which no route leads any more: those that it
/// led to, and those in `nets`, since the interface may have gone with its routes.
///
/// # Errors
/// What could not be deleted. What is not there is no error.
pub(in crate::xen) fn disconnect(kernel: &Kernel, name: &InterfaceName, nets: &[IpNet]) -> Result<(), VifError> {
    let mut nets = nets.to_vec();
    let routes = kernel.main_routes_v4().map_err(VifError::Unreadable)?;
    let mut failures = Vec::new();
    let mut note = |net: IpNet, deleted: Result<(), Errno>| {
        failures.extend(deleted.err().map(|errno| VifError::DeleteRoute { link: name.clone(), net, errno }));
    };
    for route in routes.iter().filter(|route| is_over(route, name)) {
        nets.push(route.destination.into());
        note(route.destination.into(), delete_v4(kernel, name, route.destination, route.metric));
    }
    for route in routes_v6_over(kernel, name)? {
        note(route.destination.into(), delete_v6(kernel, name, route.destination, route.metric));
    }
    let withdrawn = withdraw(kernel, name, &nets, &routes);
    // what has gone by itself in the meantime is no failure
    let are_left = || -> Result<bool, VifError> {
        let v4 = kernel.main_routes_v4().map_err(VifError::Unreadable)?;
        Ok(v4.iter().any(|route| is_over(route, name)) || !routes_v6_over(kernel, name)?.is_empty())
    };
    match failures.into_iter().next() {
        Some(failure) if are_left()? => Err(failure),
        _ => withdrawn,
    }
}

/// Returns the IPv6 routes over an interface, without those that the kernel makes for every link.
fn routes_v6_over(kernel: &Kernel, name: &InterfaceName) -> Result<Vec<RouteV6>, VifError> {
    let of_guest = |net: &Ipv6Net| !net.addr().is_multicast() && !net.addr().is_unicast_link_local();
    let mut routes = kernel.routes_v6().map_err(VifError::Unreadable)?.main;
    routes.retain(|route| route.link.as_bytes() == name.as_bytes() && of_guest(&route.destination));
    Ok(routes)
}

/// Ends the publication of addresses, each unless a route over another interface leads to it.
fn withdraw(kernel: &Kernel, name: &InterfaceName, nets: &[IpNet], routes: &[RouteV4]) -> Result<(), VifError> {
    let published = || kernel.published_arp().map_err(VifError::Unreadable);
    let mut failure = None;
    for (address, link) in published()? {
        let net = single(address);
        let is_routed = routes.iter().any(|route| route.destination == net && !is_over(route, name));
        if is_routed || !nets.contains(&net.into()) {
            continue;
        }
        if let Err(errno) = kernel.withdraw_arp(link.as_bytes(), address)
            && published()?.contains(&(address, link.clone()))
        {
            failure = Some(VifError::Withdraw { link, address, errno });
        }
    }
    failure.map_or(Ok(()), Err)
}

fn is_over(route: &RouteV4, name: &InterfaceName) -> bool {
    route.link.as_ref().is_some_and(|link| link.as_bytes() == name.as_bytes())
}

fn single(address: Ipv4Addr) -> Ipv4Net {
    address.into()
}

fn delete_v4(kernel: &Kernel, link: &InterfaceName, net: Ipv4Net, metric: u32) -> Result<(), Errno> {
    let device = Some(link.as_bytes());
    kernel.delete_route_v4(&RouteChangeV4 { device, metric, ..RouteChangeV4::to(net) })
}

fn delete_v6(kernel: &Kernel, link: &InterfaceName, net: Ipv6Net, metric: u32) -> Result<(), Errno> {
    let index = kernel.link_index(link.as_bytes())?;
    kernel.delete_route_v6(&RouteChangeV6 { index, metric, ..RouteChangeV6::to(net) })
}
