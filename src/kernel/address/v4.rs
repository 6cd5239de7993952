//! IPv4 addresses: listed, added and removed by ioctls, which know them by their labels.

use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use ipnet::Ipv4Net;
use nix::errno::Errno;

use super::info::Address;
use super::twins::tell_apart;
use crate::kernel::file::os_string;
use crate::kernel::handle::Kernel;
use crate::kernel::ioctl::{self, Ifreq, Request};
use crate::kernel::result::Result;
use crate::net::rtnetlink::Scope;

impl Kernel {
    /// Returns all IPv4 addresses: links in the order of their registration, addresses of a link in the kernel's order.
    ///
    /// # Errors
    /// Those of SIOCGIFCONF, and of the ioctls that ask about one address.
    pub fn addresses_v4(&self) -> Result<Vec<Address>> {
        self.addresses_where(|_| true)
    }

    /// Returns the IPv4 addresses of one link. The kernel lists the labels of all, but is asked about these alone.
    ///
    /// # Errors
    /// As [`Kernel::addresses_v4`].
    pub fn addresses_v4_of(&self, link: &[u8]) -> Result<Vec<Address>> {
        self.addresses_where(|other| other == link)
    }

    fn addresses_where(&self, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Address>> {
        if let Some(answers) = &self.answers {
            let recorded = answers.addresses.iter().filter(|address| is_wanted(address.link.as_bytes()));
            return Ok(with_secondaries(recorded.cloned().collect()));
        }
        let mut labels = ioctl::address_labels(self.control()?)?;
        labels.retain(|label| is_wanted(link_of(label.name())));
        let parts = self.parallel(&labels, |kernel, labels| {
            labels.iter().map(|label| kernel.address_of(*label)).collect::<Vec<_>>()
        });
        let mut addresses = Vec::with_capacity(labels.len());
        for address in parts.into_iter().flatten() {
            match address {
                Ok(address) => addresses.push(address),
                // it vanished in between, or its label names no link and cannot be asked about
                Err(Errno::ENODEV | Errno::EADDRNOTAVAIL | Errno::EINVAL) => (),
                Err(errno) => return Err(errno),
            }
        }
        tell_apart(self, &mut addresses);
        Ok(with_secondaries(addresses))
    }

    /// Asks for the rest of an address that SIOCGIFCONF listed.
    fn address_of(&self, entry: Ifreq) -> Result<Address> {
        let control = self.control()?;
        let ask = |request| {
            let mut answer = entry;
            ioctl::call(control, request, &mut answer).map(|()| answer.ipv4())
        };
        let local = entry.ipv4();
        let mask = ask(ioctl::SIOCGIFNETMASK)?;
        let broadcast = ask(ioctl::SIOCGIFBRDADDR)?;
        let peer = ask(ioctl::SIOCGIFDSTADDR)?;
        let label = entry.name();
        Ok(Address {
            link: os_string(link_of(label)),
            label: os_string(label),
            net: Ipv4Net::with_netmask(local, mask).map_err(|_| Errno::EINVAL)?.into(),
            peer: (peer != local).then_some(peer),
            broadcast: (!broadcast.is_unspecified()).then_some(broadcast),
            secondary: false,
            scope: if local.is_loopback() { Scope::HOST } else { Scope::GLOBAL },
            flags: 0,
        })
    }

    /// Returns the IPv4 address that a label shows first, if any address has the label.
    ///
    /// # Errors
    /// Those of SIOCGIFADDR: ENODEV.
    pub fn address_of_label(&self, label: &[u8]) -> Result<Option<Ipv4Addr>> {
        match self.ask(label, ioctl::SIOCGIFADDR) {
            Err(Errno::EADDRNOTAVAIL) => Ok(None),
            answer => answer.map(|answer| Some(answer.ipv4())),
        }
    }

    /// Puts an address on a label that has none yet, and takes it off again if something after that fails. With a link that is up
    /// the kernel makes the route of the address's class (10.0.0.0/8) for an instant, until the prefix follows.
    pub(super) fn add_v4(
        &self,
        label: &[u8],
        net: Ipv4Net,
        peer: Option<Ipv4Addr>,
        broadcast: Option<Ipv4Addr>,
    ) -> Result<()> {
        self.set_v4(label, ioctl::SIOCSIFADDR, net.addr())?;
        let rest = || {
            if let Some(peer) = peer {
                self.set_v4(label, ioctl::SIOCSIFDSTADDR, peer)?;
            }
            self.set_v4(label, ioctl::SIOCSIFNETMASK, net.netmask())?;
            self.set_v4(label, ioctl::SIOCSIFBRDADDR, broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED))
        };
        rest().inspect_err(|_| {
            let _ = self.delete_v4(label);
        })
    }

    /// Puts an address on a label that has none yet and, as it has no prefix, makes no route of its own: routes that are added over
    /// the label get it as their source. Its broadcast address is what the kernel makes of it, to which no route leads either.
    ///
    /// # Errors
    /// Those of [`Kernel::add_address`].
    pub fn add_source(&self, label: &[u8], source: Ipv4Addr) -> Result<()> {
        self.set_v4(label, ioctl::SIOCSIFADDR, source)?;
        self.set_v4(label, ioctl::SIOCSIFNETMASK, Ipv4Addr::UNSPECIFIED).inspect_err(|_| {
            let _ = self.delete_v4(label);
        })
    }

    /// Removes the first address of a label.
    pub(super) fn delete_v4(&self, label: &[u8]) -> Result<()> {
        self.set_v4(label, ioctl::SIOCSIFADDR, Ipv4Addr::UNSPECIFIED)
    }

    fn set_v4(&self, label: &[u8], request: Request<Ifreq>, address: Ipv4Addr) -> Result<()> {
        ioctl::call(self.control()?, request, &mut Ifreq::named(label).with_ipv4(address))
    }
}

/// The link that a label belongs to.
fn link_of(label: &[u8]) -> &[u8] {
    label.split(|&byte| byte == b':').next().unwrap_or(label)
}

/// Finds out which addresses are secondary. Those of a link stand one after the other.
fn with_secondaries(mut addresses: Vec<Address>) -> Vec<Address> {
    for at in 0..addresses.len() {
        let (earlier, address) = (&addresses[..at], &addresses[at]);
        let network = address.network_v4();
        let mut of_link = earlier.iter().rev().take_while(|earlier| earlier.link == address.link);
        let is_secondary =
            network.is_some() && of_link.any(|earlier| !earlier.secondary && earlier.network_v4() == network);
        addresses[at].secondary = is_secondary;
    }
    addresses
}
