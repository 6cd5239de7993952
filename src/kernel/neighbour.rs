//! Who else is on a link.

use std::ffi::OsString;
use std::net::Ipv4Addr;

use nix::errno::Errno;

use super::file::read_all;
use super::handle::Kernel;
use super::ioctl;
use super::procfs::{Unreadable, lines, table, words};
use super::result::Result;
use crate::net::Mac;

/// A host on the same link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub mac: Mac,
    /// Name of the link that it is on.
    pub link: String,
}

impl Neighbour {
    /// Returns the IPv4 neighbours whose hardware address the kernel knows: /proc/net/arp. None without the file.
    pub fn all(kernel: &Kernel) -> Vec<Self> {
        let text = read_all(&kernel.path("/proc/net/arp")).unwrap_or_default();
        lines(&text).filter_map(Neighbour::parse).collect()
    }

    /// Parses `ADDRESS TYPE FLAGS HARDWARE MASK LINK`.
    fn parse(line: &[u8]) -> Option<Self> {
        /// ATF_COM (linux/if_arp.h), in the last hexadecimal digit of the flags.
        const COMPLETE: u8 = 0x2;
        let words: Vec<&str> = words(line).collect();
        let [address, _, flags, hardware, _, link] = words.as_slice() else { return None };
        let is_complete = flags.bytes().last().is_some_and(|digit| digit & COMPLETE != 0);
        let neighbour = || {
            Some(Neighbour {
                address: address.parse().ok()?,
                mac: hardware.parse().unwrap_or_default(),
                link: (*link).into(),
            })
        };
        is_complete.then(neighbour).flatten()
    }
}

/// Flags of an entry (`ATF_*`, linux/if_arp.h).
pub mod arp_flag {
    /// The hardware address is known.
    pub const COMPLETE: u32 = libc::ATF_COM as u32;
    /// Was set by hand, and stays.
    pub const PERMANENT: u32 = libc::ATF_PERM as u32;
    /// This host answers for the address.
    pub const PUBLISHED: u32 = libc::ATF_PUBL as u32;
}

/// A line of /proc/net/arp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArpEntry {
    /// The address.
    pub address: Ipv4Addr,
    /// See [`arp_flag`].
    pub flags: u32,
    /// Its hardware address; zero if it is not known.
    pub mac: Mac,
    /// Name of the link.
    pub link: OsString,
}

fn arp_entry(line: &[u8]) -> Option<ArpEntry> {
    let words: Vec<&str> = words(line).collect();
    let [address, _, flags, hardware, _, link] = words.as_slice() else { return None };
    Some(ArpEntry {
        address: address.parse().ok()?,
        flags: u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?,
        mac: hardware.parse().unwrap_or_default(),
        link: link.into(),
    })
}

impl Kernel {
    /// Returns the ARP table in the kernel's order: /proc/net/arp, which leaves out entries that need no ARP.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn arp_table(&self) -> Result<Vec<ArpEntry>, Unreadable> {
        let text = table(self, "/proc/net/arp")?;
        Ok(lines(&text).filter_map(arp_entry).collect())
    }

    /// Sets the hardware address of a neighbour, for good or until it is found out anew.
    ///
    /// # Errors
    /// ENODEV, EPERM, EINVAL (the link has no such addresses), ENOBUFS.
    pub fn set_arp(&self, link: &[u8], address: Ipv4Addr, mac: Mac, permanent: bool) -> Result<()> {
        let flags = libc::ATF_COM | if permanent { libc::ATF_PERM } else { 0 };
        let mut request = ioctl::arpreq(address, flags, link);
        request.arp_ha.sa_family = self.hardware(link)?.hw_type();
        for (byte, octet) in request.arp_ha.sa_data.iter_mut().zip(mac.0) {
            *byte = octet as libc::c_char;
        }
        ioctl::call(self.control()?, ioctl::SIOCSARP, &mut request)
    }

    /// Deletes a neighbour, or a published address.
    ///
    /// # Errors
    /// ENOENT (there is none), ENODEV, EPERM.
    pub fn delete_arp(&self, link: &[u8], address: Ipv4Addr, published: bool) -> Result<()> {
        let flags = if published { libc::ATF_PERM | libc::ATF_PUBL } else { 0 };
        let mut request = ioctl::arpreq(address, flags, link);
        ioctl::call(self.control()?, ioctl::SIOCDARP, &mut request).map_err(|errno| match errno {
            Errno::ENXIO => Errno::ENOENT,
            errno => errno,
        })
    }

    /// Publishes an address on a link: this host then answers ARP requests for it there, if it forwards between that link and the
    /// one to which it routes the address. Succeeds if it is published already.
    ///
    /// # Errors
    /// ENODEV, EPERM, ENOBUFS.
    pub fn publish_arp(&self, link: &[u8], address: Ipv4Addr) -> Result<()> {
        let mut request = ioctl::arpreq(address, libc::ATF_PERM | libc::ATF_PUBL, link);
        ioctl::call(self.control()?, ioctl::SIOCSARP, &mut request)
    }

    /// Ends what [`Kernel::publish_arp`] does.
    ///
    /// # Errors
    /// ENOENT (it is not published), ENODEV, EPERM.
    pub fn withdraw_arp(&self, link: &[u8], address: Ipv4Addr) -> Result<()> {
        let mut request = ioctl::arpreq(address, libc::ATF_PERM | libc::ATF_PUBL, link);
        ioctl::call(self.control()?, ioctl::SIOCDARP, &mut request)
    }

    /// Returns the published addresses, each with its link: /proc/net/arp.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn published_arp(&self) -> Result<Vec<(Ipv4Addr, String)>, Unreadable> {
        let text = table(self, "/proc/net/arp")?;
        Ok(lines(&text).filter_map(published).collect())
    }
}

/// Parses `ADDRESS TYPE FLAGS HARDWARE MASK LINK` of a published address.
fn published(line: &[u8]) -> Option<(Ipv4Addr, String)> {
    let words: Vec<&str> = words(line).collect();
    let [address, _, flags, _, _, link] = words.as_slice() else { return None };
    let flags = i32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?;
    (flags & libc::ATF_PUBL != 0).then_some((address.parse().ok()?, (*link).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_addresses() {
        let line = b"10.0.0.9         0x1         0xc         00:00:00:00:00:00     *        eth0";
        assert_eq!(published(line), Some((Ipv4Addr::new(10, 0, 0, 9), "eth0".into())));
        assert_eq!(published(b"10.0.0.2         0x1         0x2         00:16:3e:00:00:01     *        xenbr0"), None);
        assert_eq!(published(b"IP address       HW type     Flags       HW address            Mask     Device"), None);
    }

    #[test]
    fn neighbours_that_have_answered() {
        let line = |text: &str| Neighbour::parse(text.as_bytes());
        let found = line("10.0.0.2         0x1         0x2         00:16:3e:00:00:01     *        xenbr0").unwrap();
        assert_eq!((found.address, found.link.as_str()), (Ipv4Addr::new(10, 0, 0, 2), "xenbr0"));
        assert_eq!(found.mac, Mac([0, 0x16, 0x3e, 0, 0, 1]));
        assert_eq!(line("10.0.0.3         0x1         0x0         00:00:00:00:00:00     *        xenbr0"), None);
        assert_eq!(line("IP address       HW type     Flags       HW address            Mask     Device"), None);
    }
}
