//! Moving addresses and routes from one link to another: first the other one gets all of them, then they are removed here. So the
//! host answers to its addresses all the time, and always has its routes.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::thread::sleep;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use nix::errno::Errno;

use super::read::SOURCE_ALIASES;
use super::{ADVERTISED, ConfigError, IpConfig, OwnAddress, OwnRoute};
use crate::kernel::{
    Address, IFNAMSIZ, Kernel, LinkSetting, RouteChangeV4, RouteChangeV6, RouteV4, RouteV6, Turn, net_conf,
};
use crate::net::{Family, InterfaceName, labels};
use crate::network::address::{NotDeleted, delete_v4};

/// How often it is asked whether the kernel has taken the new IPv6 addresses into use, each a millisecond after the other.
const LOOKS: u32 = 200;

impl IpConfig {
    /// Moves the addresses and routes to another link, which is switched on. What is there already stays; what a killed call has
    /// left half done is completed. If it fails, everything is where it was.
    ///
    /// # Errors
    /// What one of the links refuses.
    pub fn transfer(&self, kernel: &Kernel, from: &InterfaceName, to: &InterfaceName) -> Result<(), ConfigError> {
        let moved = self.put(kernel, to).and_then(|()| self.clear(kernel, from));
        moved.inspect_err(|_| {
            if self.put(kernel, from).is_ok() {
                let _ = self.clear(kernel, to);
            }
        })
    }

    /// Gives a link the addresses and routes that it lacks, and switches it on.
    ///
    /// # Errors
    /// What the link refuses. What it has got until then stays.
    pub fn put(&self, kernel: &Kernel, link: &InterfaceName) -> Result<(), ConfigError> {
        self.put_addresses_v4(kernel, link)?;
        kernel.set_link(link.as_bytes(), LinkSetting::UP).map_err(|errno| ConfigError::Up(link.clone(), errno))?;
        self.put_routes(kernel, link, Family::V4)?;
        self.put_addresses_v6(kernel, link)?;
        self.put_routes(kernel, link, Family::V6)
    }

    /// Whether a link has all the addresses.
    pub fn is_on(&self, kernel: &Kernel, link: &InterfaceName) -> bool {
        let mut there = kernel.addresses_v4_of(link.as_bytes()).unwrap_or_default();
        if self.addresses_v6().next().is_some() {
            there.extend(kernel.addresses_v6().unwrap_or_default().into_iter().filter(|other| is_of(other, link)));
        }
        self.addresses.iter().all(|address| there.iter().any(|other| other.net == address.net))
    }

    fn addresses_v4(&self) -> impl Iterator<Item = &OwnAddress> {
        self.addresses.iter().filter(|address| address.net.addr().is_ipv4())
    }

    fn addresses_v6(&self) -> impl Iterator<Item = &OwnAddress> {
        self.addresses.iter().filter(|address| address.net.addr().is_ipv6())
    }

    fn put_addresses_v4(&self, kernel: &Kernel, link: &InterfaceName) -> Result<(), ConfigError> {
        let name = link.as_bytes();
        let there =
            kernel.addresses_v4_of(name).map_err(|errno| ConfigError::Unreadable("the IPv4 addresses", errno))?;
        let label_of = |address: &OwnAddress| [name, address.alias.as_bytes()].concat();
        let is_reserved = |label: &Vec<u8>| self.addresses_v4().any(|address| label_of(address) == *label);
        for address in self.addresses_v4() {
            let OwnAddress { net, peer, broadcast, .. } = *address;
            let refused = |errno| ConfigError::Address(net, link.clone(), errno);
            let mut same = there.iter().filter(|other| other.net.addr() == net.addr());
            if same.clone().any(|other| other.net == net && other.peer == peer && other.broadcast == broadcast) {
                continue;
            }
            // one that has not got its prefix yet
            if let Some(half) = same.next() {
                kernel.delete_address(half.label.as_bytes(), half.net).map_err(refused)?;
            }
            let is_free = |label: &Vec<u8>| label.len() < IFNAMSIZ && kernel.address_of_label(label) == Ok(None);
            let others = labels(name).filter(|label| !is_reserved(label));
            let mut choice = std::iter::once(label_of(address)).chain(others);
            let label = choice.find(is_free).ok_or(ConfigError::NoLabel(net, link.clone()))?;
            kernel.add_address(&label, net, peer, broadcast).map_err(refused)?;
        }
        Ok(())
    }

    /// Adds the IPv6 addresses, without the second or two in which the kernel asks whether another host has them: they were in use.
    fn put_addresses_v6(&self, kernel: &Kernel, link: &InterfaceName) -> Result<(), ConfigError> {
        if self.addresses_v6().next().is_none() {
            return Ok(());
        }
        let on_link = || -> Result<Vec<Address>, ConfigError> {
            let mut all = kernel.addresses_v6().map_err(|error| ConfigError::Unreadable(error.file, error.errno))?;
            all.retain(|other| is_of(other, link));
            Ok(all)
        };
        let there = on_link()?;
        let missing: Vec<IpNet> = self
            .addresses_v6()
            .map(|address| address.net)
            .filter(|net| there.iter().all(|other| other.net != *net))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let set = |value, to: &str| {
            let name = net_conf("ipv6", link.as_str(), value).ok()?;
            kernel.change_sysctl(&name, to).ok()?.map(|old| (name, old))
        };
        set("disable_ipv6", "0");
        let detection = set("accept_dad", "0");
        let added = missing.iter().try_for_each(|&net| match kernel.add_address(link.as_bytes(), net, None, None) {
            Ok(()) | Err(Errno::EEXIST) => Ok(()),
            Err(errno) => Err(ConfigError::Address(net, link.clone(), errno)),
        });
        let is_tentative =
            |address: &Address| missing.contains(&address.net) && address.has_flag(libc::IFA_F_TENTATIVE);
        for _ in 0..LOOKS {
            if !on_link().is_ok_and(|there| there.iter().any(is_tentative)) {
                break;
            }
            sleep(Duration::from_millis(1));
        }
        if let Some((name, old)) = detection {
            let _ = kernel.set_sysctl(&name, &old);
        }
        added
    }

    /// Adds the routes that are missing. The ioctl puts one in front of others with its metric, so the last one is added first.
    fn put_routes(&self, kernel: &Kernel, link: &InterfaceName, family: Family) -> Result<(), ConfigError> {
        let of_family = self.routes.iter().rev().filter(|route| Family::of(&route.destination) == family);
        let there = Routes::over(kernel, link)?;
        let mut left: Vec<&OwnRoute> = of_family.filter(|route| !there.has(route)).collect();
        // a gateway may be reached by another of these routes
        while !left.is_empty() {
            let mut refused = Vec::new();
            for &route in &left {
                match add_route(kernel, link, route) {
                    Ok(()) | Err(Errno::EEXIST) => (),
                    Err(errno) => refused.push((route, errno)),
                }
            }
            if let Some(&(route, errno)) = refused.first()
                && refused.len() == left.len()
            {
                // as `onlink`
                let hop = route.gateway.filter(|_| matches!(errno, Errno::ENETUNREACH | Errno::EHOSTUNREACH));
                let reached = hop.map(|hop| add_route(kernel, link, &OwnRoute::to(hop.into(), None, 0)));
                if reached != Some(Ok(())) {
                    return Err(ConfigError::Route(route.destination, link.clone(), errno));
                }
            }
            left = refused.into_iter().map(|(route, _)| route).collect();
        }
        Ok(())
    }

    /// Removes the addresses and routes from a link, as far as they are there.
    fn clear(&self, kernel: &Kernel, link: &InterfaceName) -> Result<(), ConfigError> {
        let there = Routes::over(kernel, link)?;
        for route in self.routes.iter().filter(|route| there.has(route)) {
            match delete_route(kernel, link, route) {
                Ok(()) | Err(Errno::ESRCH) => (),
                Err(errno) => return Err(ConfigError::Route(route.destination, link.clone(), errno)),
            }
        }
        // the last one first, so that what a killed call leaves is in order
        for net in self.addresses.iter().rev().map(|address| address.net) {
            let goes = |other: &Address| self.addresses.iter().any(|address| address.net == other.net);
            let deleted = match net {
                IpNet::V4(_) => delete_v4(kernel, link.as_bytes(), net, goes),
                IpNet::V6(_) => kernel.delete_address(link.as_bytes(), net).map_err(NotDeleted::Kernel),
            };
            match deleted {
                Ok(()) | Err(NotDeleted::Kernel(Errno::EADDRNOTAVAIL)) => (),
                Err(NotDeleted::Kernel(errno)) => return Err(ConfigError::Address(net, link.clone(), errno)),
                Err(NotDeleted::SharedLabel) => return Err(ConfigError::Address(net, link.clone(), Errno::EBUSY)),
                Err(NotDeleted::Lost(lost, errno)) => return Err(ConfigError::Address(lost, link.clone(), errno)),
            }
        }
        Ok(())
    }
}

fn is_of(address: &Address, link: &InterfaceName) -> bool {
    address.link.as_bytes() == link.as_bytes()
}

/// The routes over a link.
struct Routes {
    v4: Vec<RouteV4>,
    v6: Vec<RouteV6>,
}

impl Routes {
    fn over(kernel: &Kernel, link: &InterfaceName) -> Result<Self, ConfigError> {
        let mut v4 = kernel.routes_v4().map_err(|error| ConfigError::Unreadable(error.file, error.errno))?.main;
        let mut v6 = kernel.routes_v6().map_err(|error| ConfigError::Unreadable(error.file, error.errno))?.main;
        v4.retain(|route| route.link.as_ref().is_some_and(|other| other.as_bytes() == link.as_bytes()));
        v6.retain(|route| route.link.as_bytes() == link.as_bytes());
        Ok(Routes { v4, v6 })
    }

    fn has(&self, route: &OwnRoute) -> bool {
        let is_v4 = |other: &RouteV4| {
            IpNet::V4(other.destination) == route.destination
                && other.gateway.map(IpAddr::V4) == route.gateway
                && other.metric == route.metric
        };
        let is_v6 = |other: &RouteV6| {
            IpNet::V6(other.destination) == route.destination
                && other.gateway.map(IpAddr::V6) == route.gateway
                && other.metric == route.metric
        };
        self.v4.iter().any(is_v4) || self.v6.iter().any(is_v6)
    }
}

fn add_route(kernel: &Kernel, link: &InterfaceName, route: &OwnRoute) -> Result<(), Errno> {
    match route.destination {
        IpNet::V4(net) => add_route_v4(kernel, link.as_bytes(), net, route),
        IpNet::V6(net) => kernel.add_route_v6(&route_v6(kernel, link, net, route)?),
    }
}

fn delete_route(kernel: &Kernel, link: &InterfaceName, route: &OwnRoute) -> Result<(), Errno> {
    match route.destination {
        IpNet::V4(net) => {
            kernel.delete_route_v4(&RouteChangeV4 { device: Some(link.as_bytes()), ..route_v4(net, route) })
        }
        IpNet::V6(net) => kernel.delete_route_v6(&route_v6(kernel, link, net, route)?),
    }
}

fn route_v4(net: Ipv4Net, route: &OwnRoute) -> RouteChangeV4<'static> {
    let gateway = match route.gateway {
        Some(IpAddr::V4(gateway)) => Some(gateway),
        _ => None,
    };
    let rtt = route.rtt as u16;
    RouteChangeV4 {
        gateway,
        metric: route.metric,
        advmss: route.advmss,
        window: route.window,
        rtt,
        ..RouteChangeV4::to(net)
    }
}

fn route_v6(kernel: &Kernel, link: &InterfaceName, net: Ipv6Net, route: &OwnRoute) -> Result<RouteChangeV6, Errno> {
    let gateway = match route.gateway {
        Some(IpAddr::V6(gateway)) => Some(gateway),
        _ => None,
    };
    let expires = route.is_advertised.then_some(ADVERTISED);
    let index = kernel.link_index(link.as_bytes())?;
    Ok(RouteChangeV6 { gateway, index, metric: route.metric, expires, ..RouteChangeV6::to(net) })
}

/// Adds an IPv4 route. The ioctl takes the address of a label for its source. Where no label can hold the source the kernel chooses
/// one: packets find their way all the same.
fn add_route_v4(kernel: &Kernel, link: &[u8], net: Ipv4Net, route: &OwnRoute) -> Result<(), Errno> {
    let change = RouteChangeV4 { device: Some(link), ..route_v4(net, route) };
    let Some(source) = route.source else { return kernel.add_route_v4(&change) };
    let there = kernel.addresses_v4_of(link)?;
    let is_first = |address: &&Address| there.iter().find(|other| other.label == address.label) == Some(*address);
    let has_source = |address: &&Address| address.net.addr() == source && address.label.as_bytes().contains(&b':');
    if let Some(address) = there.iter().filter(is_first).find(has_source) {
        return kernel.add_route_v4(&RouteChangeV4 { device: Some(address.label.as_bytes()), ..change });
    }
    let is_free = |label: &Vec<u8>| label.len() < IFNAMSIZ && there.iter().all(|other| other.label.as_bytes() != label);
    let label = SOURCE_ALIASES.iter().map(|alias| [link, alias.as_bytes()].concat()).find(is_free);
    // no `ip` takes the label for one that a killed call has left
    let _turn = Turn::take("ip-route-src");
    let passing = IpNet::V4(Ipv4Net::new(source, 0).unwrap_or_default());
    match label.filter(|label| kernel.add_address(label, passing, None, None).is_ok()) {
        Some(label) => {
            let added = kernel.add_route_v4(&RouteChangeV4 { device: Some(&label), ..change });
            let removed = kernel.delete_address(&label, passing);
            added.and(removed)
        }
        None => kernel.add_route_v4(&change),
    }
}
