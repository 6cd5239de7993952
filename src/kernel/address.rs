//! Addresses of links: IPv4 by label, as the address ioctls know them, and IPv6.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use nix::errno::Errno;

use super::ioctl::{self, Ifreq, In6Ifreq};
use super::sysfs::os_string;
use super::{Kernel, Result, Unreadable, procfs};
use crate::net::rtnetlink::Scope;

/// An address on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name of the link.
    pub link: OsString,
    /// Label of an IPv4 address: the link's name, or `NAME:WORD` for an alias. The link's name for IPv6.
    pub label: OsString,
    /// The address with its prefix: host bits and all.
    pub net: IpNet,
    /// The other end of a point-to-point address.
    pub peer: Option<Ipv4Addr>,
    /// The broadcast address, if one is set.
    pub broadcast: Option<Ipv4Addr>,
    /// An earlier address of the link is in the same network (IPv4), or the address is a temporary one (IPv6).
    pub secondary: bool,
    /// Scope. That of IPv4 is `host` for the loopback's addresses and else `global`: no ioctl tells another one.
    pub scope: Scope,
    /// Flags of an IPv6 address (`IFA_F_*`, the low eight bits); 0 for IPv4.
    pub flags: u32,
    /// State of an IPv6 address.
    pub v6: Ipv6Flags,
}

/// An address that the kernel has listed.
pub enum Listed {
    /// An IPv4 address of which only the label is known so far.
    Label(Label),
    /// One of which everything is known.
    Whole(Address),
}

/// What SIOCGIFCONF tells of an address.
pub struct Label(Ifreq);

impl Listed {
    /// Name of the link.
    pub fn link(&self) -> &[u8] {
        match self {
            Listed::Label(Label(entry)) => link_of(entry.name()),
            Listed::Whole(address) => address.link.as_bytes(),
        }
    }
}

/// Scopes of addresses. (Of the API before [`Scope`].)
pub mod scope {
    use super::Scope;
    /// Valid everywhere.
    pub const GLOBAL: Scope = Scope::GLOBAL;
    /// Valid within this host.
    pub const HOST: Scope = Scope::HOST;
    /// Valid on this link.
    pub const LINK: Scope = Scope::LINK;
    /// Valid within this site.
    pub const SITE: Scope = Scope::SITE;
}

/// Flags of an IPv6 address (linux/if_addr.h, the low eight bits of `IFA_F_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ipv6Flags(pub u8);

impl Ipv6Flags {
    /// A temporary address (RFC 3041).
    pub const SECONDARY: u8 = 0x01;
    /// Added without duplicate address detection.
    pub const NODAD: u8 = 0x02;
    /// Used before duplicate address detection has ended (RFC 4429).
    pub const OPTIMISTIC: u8 = 0x04;
    /// Duplicate address detection found another.
    pub const DADFAILED: u8 = 0x08;
    /// A mobile node's home address (RFC 6275).
    pub const HOMEADDRESS: u8 = 0x10;
    /// No longer to be used for new connections.
    pub const DEPRECATED: u8 = 0x20;
    /// Duplicate address detection goes on.
    pub const TENTATIVE: u8 = 0x40;
    /// Has no lifetime.
    pub const PERMANENT: u8 = 0x80;

    /// Whether a flag is set.
    pub fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

impl Kernel {
    /// All IPv4 addresses: links in the order of their registration, addresses of a link in the kernel's order.
    ///
    /// # Errors
    /// Those of SIOCGIFCONF.
    pub fn addresses_v4(&self) -> Result<Vec<Address>> {
        self.addresses_listed(self.listed_v4(None)?.iter())
    }

    /// The IPv4 addresses of one link. The others are listed by the kernel, but nothing more is asked about them.
    ///
    /// # Errors
    /// As [`Kernel::addresses_v4`].
    pub fn addresses_v4_of(&self, link: &[u8]) -> Result<Vec<Address>> {
        self.addresses_listed(self.listed_v4(Some(link))?.iter())
    }

    /// All IPv4 addresses, or those of one link, of which no more is asked yet.
    ///
    /// # Errors
    /// As [`Kernel::addresses_v4`].
    pub fn listed_v4(&self, link: Option<&[u8]>) -> Result<Vec<Listed>> {
        let is_wanted = |listed: &Listed| link.is_none_or(|link| listed.link() == link);
        Ok(match &self.answers {
            Some(answers) => answers.addresses.iter().cloned().map(Listed::Whole).filter(is_wanted).collect(),
            None => {
                let labels = ioctl::address_labels(self.control()?)?.into_iter();
                labels.map(|entry| Listed::Label(Label(entry))).filter(is_wanted).collect()
            }
        })
    }

    /// What is known of addresses that were listed: those of a link one after the other.
    ///
    /// # Errors
    /// Those of the ioctls, but for an address that is none any more.
    pub fn addresses_listed<'a>(&self, listed: impl Iterator<Item = &'a Listed>) -> Result<Vec<Address>> {
        let mut list: Vec<Address> = Vec::with_capacity(1);
        for listed in listed {
            let mut address = match listed {
                Listed::Whole(address) => address.clone(),
                Listed::Label(Label(entry)) => match self.address_of(*entry) {
                    Ok(address) => address,
                    // it vanished in between, or its label names no link and cannot be asked about
                    Err(Errno::ENODEV | Errno::EADDRNOTAVAIL | Errno::EINVAL) => continue,
                    Err(errno) => return Err(errno),
                },
            };
            if let Some(network) = address.network_v4() {
                let mut earlier = list.iter().rev().take_while(|earlier| earlier.link == address.link);
                address.secondary = earlier.any(|earlier| !earlier.secondary && earlier.network_v4() == Some(network));
            }
            list.push(address);
        }
        Ok(list)
    }

    /// The rest of what there is to know of an address that SIOCGIFCONF listed.
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
            v6: Ipv6Flags(0),
        })
    }

    /// All IPv6 addresses: of a link those of wider scope last, as the kernel keeps them; within a scope in the order of
    /// /proc/net/if_inet6, which is that of a hash. None where the kernel has no IPv6.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn addresses_v6(&self) -> Result<Vec<Address>, Unreadable> {
        let mut list = procfs::addresses_v6(self)?;
        list.sort_by_key(|address| address.scope);
        Ok(list)
    }

    /// Puts an IPv4 address on a label that has none yet. With a link that is up the kernel makes the route of the address's
    /// class (10.0.0.0/8) for an instant, until the prefix follows.
    ///
    /// # Errors
    /// ENODEV, EPERM, EINVAL (multicast), EEXIST. What was done is undone then.
    pub fn add_address_v4(
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
            let _ = self.delete_address_v4(label);
        })
    }

    /// Removes the first IPv4 address of a label; with a primary one its secondaries go, unless the kernel is set to promote
    /// them (`promote_secondaries`).
    ///
    /// # Errors
    /// ENODEV, EPERM.
    pub fn delete_address_v4(&self, label: &[u8]) -> Result<()> {
        self.set_v4(label, ioctl::SIOCSIFADDR, Ipv4Addr::UNSPECIFIED)
    }

    fn set_v4(&self, label: &[u8], request: ioctl::Request<Ifreq>, address: Ipv4Addr) -> Result<()> {
        ioctl::call(self.control()?, request, &mut Ifreq::named(label).with_ipv4(address))
    }

    /// Adds an IPv6 address to a link.
    ///
    /// # Errors
    /// ENODEV, EPERM, EEXIST, EACCES (IPv6 is switched off there), EADDRNOTAVAIL, EAFNOSUPPORT (no IPv6 in the kernel).
    pub fn add_address_v6(&self, link: &[u8], net: Ipv6Net) -> Result<()> {
        let mut request = In6Ifreq::new(net.addr(), net.prefix_len(), self.link_index(link)?);
        ioctl::call(self.control_v6()?, ioctl::SIOCSIFADDR_V6, &mut request)
    }

    /// Removes an IPv6 address from a link.
    ///
    /// # Errors
    /// ENODEV, EPERM, EADDRNOTAVAIL (not there, or there with another prefix).
    pub fn delete_address_v6(&self, link: &[u8], net: Ipv6Net) -> Result<()> {
        let mut request = In6Ifreq::new(net.addr(), net.prefix_len(), self.link_index(link)?);
        ioctl::call(self.control_v6()?, ioctl::SIOCDIFADDR_V6, &mut request)
    }

    /// The IPv4 address that a label shows first, whatever its prefix.
    pub fn first_address_v4(&self, label: &[u8]) -> Option<IpAddr> {
        self.ask(label, ioctl::SIOCGIFADDR).ok().map(|answer| answer.ipv4().into())
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

    /// Whether any address has a label.
    ///
    /// # Errors
    /// Those of SIOCGIFADDR, but for the one that says so.
    pub fn has_label(&self, label: &[u8]) -> Result<bool> {
        match self.ask(label, ioctl::SIOCGIFADDR) {
            Err(Errno::EADDRNOTAVAIL) => Ok(false),
            answer => answer.map(|_| true),
        }
    }

    /// Whether a link has an address.
    ///
    /// # Errors
    /// As [`Kernel::addresses_v4`].
    pub fn has_address(&self, link: &[u8], net: IpNet) -> Result<bool> {
        let there = match net {
            IpNet::V4(_) => self.addresses_v4_of(link)?,
            IpNet::V6(_) => self.addresses_v6().map_err(|unreadable| unreadable.errno)?,
        };
        Ok(there.iter().any(|address| address.link.as_bytes() == link && address.net == net))
    }
}

/// The link that a label belongs to.
fn link_of(label: &[u8]) -> &[u8] {
    label.split(|&byte| byte == b':').next().unwrap_or(label)
}

impl Address {
    /// Whether an IPv6 address has a flag (`IFA_F_*`).
    pub fn has_flag(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// The network of an IPv4 address. That of its peer, if it has one: the kernel takes two addresses of a link for primary
    /// and secondary by this (`inet_ifa_match`).
    pub fn network_v4(&self) -> Option<Ipv4Net> {
        match self.net {
            IpNet::V4(net) => {
                Ipv4Net::new(self.peer.unwrap_or(net.addr()), net.prefix_len()).ok().map(|net| net.trunc())
            }
            IpNet::V6(_) => None,
        }
    }
}
