//! The snapshot: what is known of the host, and what has not been asked yet.

use std::cell::{Cell, OnceCell};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::thread::JoinHandle;

use nix::errno::Errno;

use super::bridge::Bridge;
use super::fact::{Fact, Facts};
use super::port::Port;
use super::route::{self, Route, Table};
use crate::firewall::survey::{NftListing, Rules};
use crate::kernel::{Address, Kernel, LinkFile, Source, Unreadable, net_conf};
use crate::net::Family;

type Addresses = Result<Vec<Address>, Unreadable>;

/// The host at one moment.
pub(crate) struct HostSnapshot<'k> {
    pub(crate) kernel: &'k Kernel,
    /// Where programs such as `iptables-save` are found.
    path: Option<OsString>,
    read: Read<'k>,
}

/// What has been read of it.
#[derive(Default)]
struct Read<'k> {
    bridge_names: Fact<Vec<OsString>, Errno>,
    links: Facts<OsString, Result<bool, Errno>>,
    bridges: Facts<OsString, Result<Option<Rc<Bridge<'k>>>, Errno>>,
    flags: Facts<OsString, Result<Option<u32>, Errno>>,
    addresses: [Fact<Vec<Address>, Unreadable>; 2],
    addresses_v4_of: Facts<OsString, Addresses>,
    routes: [Fact<Table, Unreadable>; 2],
    forwarding: [Fact<bool, Errno>; 2],
    values: Facts<(Family, OsString, &'static str), Option<i64>>,
    firewall: [OnceCell<Rules>; 2],
    nft: OnceCell<NftListing>,
    /// Reads them already.
    nft_beside: Cell<Option<JoinHandle<NftListing>>>,
    legacy_firewall: [OnceCell<Rules>; 2],
}

impl<'k> HostSnapshot<'k> {
    pub(crate) fn new(kernel: &'k Kernel, path: Option<OsString>) -> Self {
        HostSnapshot { kernel, path, read: Read::default() }
    }

    /// Returns the names of all bridges, in the order of strcmp(3). A kernel without bridges has none, and is not made to load
    /// them.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub(crate) fn bridge_names(&self) -> Result<&[OsString], Errno> {
        self.read.bridge_names.get(|| bridge_names(self.kernel)).map(Vec::as_slice)
    }

    /// Returns whether there is a link of this name.
    ///
    /// # Errors
    /// Why that is not known.
    pub(crate) fn has_link(&self, name: &OsStr) -> Result<bool, Errno> {
        self.read.links.get(name.into(), || self.kernel.has_link(name.as_bytes()))
    }

    /// Returns the bridge of a name, if there is one.
    ///
    /// # Errors
    /// Why that is not known.
    pub(crate) fn bridge(&self, name: &OsStr) -> Result<Option<Rc<Bridge<'k>>>, Errno> {
        self.read.bridges.get(name.into(), || {
            // for a name that the kernel does not know an ioctl would make it run modprobe
            let listed = self.read.bridge_names.known();
            let is_listed = listed.is_some_and(|names| names.iter().any(|listed| listed == name));
            match is_listed || self.has_link(name)? {
                true => Ok(Bridge::read(self.kernel, name)?.map(Rc::new)),
                false => Ok(None),
            }
        })
    }

    /// Returns the flags (`IFF_*`) of a link; `None` if there is no such link.
    ///
    /// # Errors
    /// Why they are not known.
    pub(crate) fn link_flags(&self, link: &OsStr) -> Result<Option<u32>, Errno> {
        self.read.flags.get(link.into(), || match self.kernel.has_link(link.as_bytes())? {
            true => self.kernel.link_flags(link.as_bytes()).map(Some),
            false => Ok(None),
        })
    }

    /// Returns the addresses of all links.
    ///
    /// # Errors
    /// The kernel's table cannot be read.
    pub(crate) fn addresses(&self, family: Family) -> Result<&[Address], Unreadable> {
        let read = || match family {
            Family::V4 => self.kernel.addresses_v4().map_err(no_addresses_v4),
            Family::V6 => self.kernel.addresses_v6(),
        };
        self.read.addresses[family as usize].get(read).map(Vec::as_slice)
    }

    /// Returns the addresses of one link. Nothing is asked about the IPv4 addresses of others.
    ///
    /// # Errors
    /// The kernel's table cannot be read.
    pub(crate) fn addresses_on(&self, link: &OsStr, family: Family) -> Addresses {
        if family == Family::V4 && self.read.addresses[0].known().is_none() {
            let read = || self.kernel.addresses_v4_of(link.as_bytes()).map_err(no_addresses_v4);
            return self.read.addresses_v4_of.get(link.into(), read);
        }
        Ok(self.addresses(family)?.iter().filter(|address| address.link == link).cloned().collect())
    }

    /// Returns the known addresses of a link, IPv4 before IPv6.
    pub(crate) fn addresses_of(&self, link: &OsStr) -> impl Iterator<Item = &Address> {
        let known = Family::BOTH.into_iter().flat_map(|family| self.addresses(family).unwrap_or_default());
        known.filter(move |address| address.link == link)
    }

    /// Returns the routes of table main.
    ///
    /// # Errors
    /// The kernel's table cannot be read.
    pub(crate) fn routes(&self, family: Family) -> Result<&[Route], Unreadable> {
        self.table(family).map(|table| table.routes.as_slice())
    }

    fn table(&self, family: Family) -> Result<&Table, Unreadable> {
        self.read.routes[family as usize].get(|| route::read(self.kernel, family))
    }

    /// Returns the known routes of table main, IPv4 before IPv6.
    pub(crate) fn all_routes(&self) -> impl Iterator<Item = &Route> {
        Family::BOTH.into_iter().flat_map(|family| self.routes(family).unwrap_or_default())
    }

    /// Returns whether rules choose between tables of IPv4 routes, so that a packet need not take one of table main.
    pub(crate) fn has_rules_v4(&self) -> bool {
        self.table(Family::V4).is_ok_and(|table| table.has_rules)
    }

    /// Returns whether packets are forwarded between links.
    ///
    /// # Errors
    /// ENOENT if the kernel does not have this family, or without /proc; EACCES.
    pub(crate) fn forwarding(&self, family: Family) -> Result<bool, Errno> {
        let read = || self.kernel.sysctl(family.forwarding()).map(|text| !text.starts_with('0'));
        self.read.forwarding[family as usize].get(read).copied()
    }

    /// Returns a value that /proc/sys/net has for each link, such as `rp_filter`; `None` if the kernel has no such value. The link
    /// may be `all`.
    pub(crate) fn link_value(&self, family: Family, link: &str, value: &'static str) -> Option<i64> {
        self.read.values.get((family, link.into(), value), || {
            let name = net_conf(family.folder(), link, value).ok()?;
            self.kernel.sysctl(&name).ok()?.parse().ok()
        })
    }

    /// Returns whether a port of a bridge is isolated: it reaches those that are not. Linux 4.18 brought that.
    pub(crate) fn is_isolated(&self, port: &OsStr) -> bool {
        self.kernel.link_file(port.as_bytes(), LinkFile("brport/isolated")).is_some_and(|value| value == "1")
    }

    /// Returns whether the kernel tells whether a port is isolated.
    pub(crate) fn knows_isolation(&self, port: &OsStr) -> bool {
        self.kernel.link_file(port.as_bytes(), LinkFile("brport/isolated")).is_some()
    }

    /// Returns the ports through which guests on a bridge reach the outside, if it is a plain bridge: one with a network card as a
    /// port, or with the host's default route over it. Empty if the host is their router.
    pub(crate) fn outside_ports(&self, bridge: &Bridge) -> Vec<String> {
        let uplinks = bridge.uplinks();
        let ports = if uplinks.is_empty() { self.ports_to_router(bridge) } else { uplinks };
        ports.iter().map(|port| port.name.to_string_lossy().into_owned()).collect()
    }

    /// Returns the ports that may lead to the router of a default route over the bridge: those that are no guest's.
    fn ports_to_router<'b>(&self, bridge: &'b Bridge) -> Vec<&'b Port> {
        let is_over_bridge = self.all_routes().any(|route| route.is_default() && route.interface == bridge.name);
        let ports = bridge.ports().unwrap_or_default().iter();
        ports.filter(|port| is_over_bridge && port.guest().is_none()).collect()
    }

    /// Takes over a thread that reads the rules of nftables already.
    pub(crate) fn with_nft_beside(self, thread: Option<JoinHandle<NftListing>>) -> Self {
        self.read.nft_beside.set(thread);
        self
    }

    /// Returns the firewall's rules.
    pub(crate) fn firewall(&self, family: Family) -> &Rules {
        let path = self.path.as_ref();
        self.read.firewall[family as usize].get_or_init(|| {
            let nft = self.read.nft.get_or_init(|| {
                let read = self.read.nft_beside.take().and_then(|thread| thread.join().ok());
                read.unwrap_or_else(|| NftListing::read(path))
            });
            Rules::all(self.kernel, path, family, nft)
        })
    }

    /// Returns the firewall's rules in the kernel's legacy tables. No program is run.
    pub(crate) fn legacy_firewall(&self, family: Family) -> &Rules {
        let read = || Rules::legacy(self.kernel, self.path.as_ref(), family);
        self.read.legacy_firewall[family as usize].get_or_init(read)
    }

    /// Reads the addresses and routes of all links, and returns which tables of them cannot be read.
    pub(crate) fn unreadable(&self) -> Vec<Unreadable> {
        let addresses = Family::BOTH.into_iter().filter_map(|family| self.addresses(family).err());
        addresses.chain(Family::BOTH.into_iter().filter_map(|family| self.routes(family).err())).collect()
    }
}

fn no_addresses_v4(errno: Errno) -> Unreadable {
    Unreadable { file: "IPv4 addresses", errno }
}

fn bridge_names(kernel: &Kernel) -> Result<Vec<OsString>, Errno> {
    // the ioctl takes one call, /sys one for each link; but it would make the kernel load its bridges
    let names = match kernel.has_file("/sys/module/bridge") {
        true => kernel.bridges(Source::Ioctl),
        false => kernel.bridges_seen(),
    };
    match names {
        Err(Errno::ENOPKG | Errno::EINVAL | Errno::ENOTTY | Errno::ENODEV) => Ok(Vec::new()),
        names => names.map(|mut names| {
            names.sort();
            names
        }),
    }
}
