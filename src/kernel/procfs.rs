//! /proc/net: names of devices, IPv6 addresses, routes.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::ioctl;
use super::sysfs::{exists, is_path_safe, os_string};
use super::{Address, Ipv6Flags, Kernel, Result, errno};
use crate::net::Mac;
use crate::net::rtnetlink::Scope;

/// Bytes of a file; empty where there is none.
pub(super) fn read(kernel: &Kernel, path: &str) -> Vec<u8> {
    try_read(kernel, path).unwrap_or_default()
}

/// A table of the kernel that could not be read, so that what it lists is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file under /proc/net.
    pub file: &'static str,
    /// Why it could not be read: EACCES, or ENOENT if there is no /proc at all.
    pub errno: Errno,
}

impl Unreadable {
    /// Whether it is the table of IPv6 addresses.
    pub fn is_ipv6_addresses(self) -> bool {
        self.file == ADDRESSES_V6
    }
}

/// Reads a file of /proc/net. A kernel without the protocol has no such file: the table is empty then.
///
/// # Errors
/// Any other failure, also where there is no /proc at all.
pub(super) fn table(kernel: &Kernel, file: &'static str) -> Result<Vec<u8>, Unreadable> {
    try_read(kernel, file).or_else(|errno| {
        if errno == Errno::ENOENT && exists(&kernel.path("/proc/net")) {
            return Ok(Vec::new());
        }
        kernel.unread.set(kernel.unread.get().or(Some((file, errno))));
        Err(Unreadable { file, errno })
    })
}

/// As [`read`]. (Without O_CLOEXEC, as in [`super::sysfs::read_text`].)
///
/// # Errors
/// Those of open(2) and read(2).
fn try_read(kernel: &Kernel, path: &str) -> Result<Vec<u8>> {
    let file = open(&kernel.path(path), OFlag::O_RDONLY, Mode::empty())?;
    let mut text = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        match nix::unistd::read(&file, &mut part)? {
            0 => return Ok(text),
            length => text.extend_from_slice(&part[..length]),
        }
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// The words of a line, whatever blanks pad it: 2.6 fills /proc/net/route's lines to 128 bytes.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &str> {
    line.split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| str::from_utf8(word).unwrap_or(""))
}

const DEVICES: &str = "/proc/net/dev";

/// A line of /proc/net/dev: a name and numbers. Linux 2.6.18 lets a name hold ':', so the name ends at the last one.
fn device(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().rposition(|&byte| byte == b':')?;
    Some((line[..end].trim_ascii_start(), &line[end + 1..]))
}

/// Names in /proc/net/dev.
pub(super) fn device_names(kernel: &Kernel) -> Result<Vec<OsString>, Unreadable> {
    Ok(lines(&table(kernel, DEVICES)?).filter_map(device).map(|(name, _)| os_string(name)).collect())
}

/// What /proc/net/dev has counted of a device, in its columns: 8 of what was received, 8 of what was sent.
pub(super) fn device_counts(kernel: &Kernel, name: &[u8]) -> Vec<u64> {
    let text = table(kernel, DEVICES).unwrap_or_default();
    let counts =
        lines(&text).filter_map(device).find(|(other, _)| *other == name).map_or(&[][..], |(_, counts)| counts);
    words(counts).map(|count| count.parse().unwrap_or(0)).collect()
}

/// Goes through all devices with what has been counted of them, for one read.
pub(super) fn each_device(
    kernel: &Kernel,
    mut tell: impl FnMut(&[u8], &mut dyn Iterator<Item = u64>),
) -> Result<(), Unreadable> {
    for (name, counts) in lines(&table(kernel, DEVICES)?).filter_map(device) {
        tell(name, &mut words(counts).map(|count| count.parse().unwrap_or(0)));
    }
    Ok(())
}

pub(super) const ADDRESSES_V6: &str = "/proc/net/if_inet6";

/// /proc/net/if_inet6, `ADDRESS INDEX PREFIX SCOPE FLAGS NAME` in hexadecimal, in its own order.
pub(super) fn addresses_v6(kernel: &Kernel) -> Result<Vec<Address>, Unreadable> {
    Ok(lines(&table(kernel, ADDRESSES_V6)?).filter_map(address_v6).collect())
}

fn address_v6(line: &[u8]) -> Option<Address> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let mut hex = || u128::from_str_radix(str::from_utf8(words.next()?).ok()?, 16).ok();
    let local = Ipv6Addr::from(hex()?);
    let (_index, prefix, scope, flags) = (hex()?, hex()?, hex()?, hex()?);
    let flags = Ipv6Flags(flags as u8);
    let link = os_string(words.next()?);
    Some(Address {
        label: link.clone(),
        link,
        net: Ipv6Net::new(local, prefix as u8).ok()?.into(),
        peer: None,
        broadcast: None,
        secondary: flags.has(Ipv6Flags::SECONDARY),
        scope: Scope::from_if_inet6(scope as u8),
        flags: flags.0.into(),
        v6: flags,
    })
}

/// Returns the name of a value that /proc/sys/net has for each link, for [`Kernel::sysctl`]: `net/ipv4/conf/eth0/rp_filter`. The
/// family is `ipv4` or `ipv6`; the link may be `all` or `default`.
///
/// # Errors
/// ENOENT for a link whose name would lead elsewhere, such as `..`.
pub fn net_conf(family: &str, link: &str, value: &str) -> Result<String> {
    match is_path_safe(link.as_bytes()) {
        true => Ok(["net/", family, "/conf/", link, "/", value].concat()),
        false => Err(Errno::ENOENT),
    }
}

const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";
const IPV6_FORWARD: &str = "/proc/sys/net/ipv6/conf/all/forwarding";
const ROUTE_FLUSH: &str = "/proc/sys/net/ipv4/route/flush";

/// A host on the same link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub mac: Mac,
    /// The link that it is on.
    pub link: String,
}

impl Neighbour {
    /// Returns the IPv4 neighbours whose hardware address the kernel knows: /proc/net/arp. None without the file.
    pub fn all(kernel: &Kernel) -> Vec<Self> {
        kernel.neighbours_v4()
    }
}

impl Kernel {
    /// Whether IPv4 packets are forwarded between links.
    pub fn forwards(&self) -> bool {
        read(self, IP_FORWARD).first().is_some_and(|&byte| byte != b'0')
    }

    /// Switches the forwarding of IPv4 packets.
    ///
    /// # Errors
    /// ENOENT without /proc, EACCES, EROFS (also where the files are another host's).
    pub fn set_forwards(&self, on: bool) -> Result<()> {
        self.write_switch(IP_FORWARD, if on { b"1\n" } else { b"0\n" })
    }

    /// Whether IPv6 packets are forwarded between links.
    pub fn forwards_v6(&self) -> bool {
        read(self, IPV6_FORWARD).first().is_some_and(|&byte| byte != b'0')
    }

    /// Switches the forwarding of IPv6 packets on all links.
    ///
    /// # Errors
    /// As [`Kernel::set_forwards`]; ENOENT without IPv6, too.
    pub fn set_forwards_v6(&self, on: bool) -> Result<()> {
        self.write_switch(IPV6_FORWARD, if on { b"1\n" } else { b"0\n" })
    }

    /// Reads a value of /proc/sys, such as `net/ipv4/ip_forward`, without its line end. See [`net_conf`] for those of a link.
    ///
    /// # Errors
    /// Those of open(2) and read(2): ENOENT (the kernel has no such value), EACCES.
    pub fn sysctl(&self, name: &str) -> Result<String> {
        self.text(&["/proc/sys/", name].concat())
    }

    /// Writes a value of /proc/sys. Creates no file.
    ///
    /// # Errors
    /// EROFS off `/` or where /proc/sys is read-only; ENOENT (the kernel has no such value), EACCES, EPERM, and what the kernel
    /// makes of the value.
    pub fn set_sysctl(&self, name: &str, value: &str) -> Result<()> {
        self.write_switch(&["/proc/sys/", name].concat(), [value, "\n"].concat().as_bytes())
    }

    fn write_switch(&self, file: &str, text: &[u8]) -> Result<()> {
        if !self.is_running() {
            return Err(Errno::EROFS);
        }
        let opened = fs::OpenOptions::new().write(true).open(self.path(file));
        opened.and_then(|mut file| io::Write::write_all(&mut file, text)).map_err(errno)
    }

    /// Whether IPv6 is switched on for a link.
    pub fn has_ipv6(&self, link: &[u8]) -> bool {
        let link = String::from_utf8_lossy(link);
        let path = format!("/proc/sys/net/ipv6/conf/{link}/disable_ipv6");
        is_path_safe(link.as_bytes()) && read(self, &path).first() == Some(&b'0')
    }

    /// Tells the kernel to forget what it has learnt of ways to IPv4 hosts.
    ///
    /// # Errors
    /// EACCES, EROFS, ENOENT without /proc.
    pub fn flush_route_cache(&self) -> Result<()> {
        self.write_switch(ROUTE_FLUSH, b"-1")
    }

    /// Bytes of a file; empty where there is none.
    pub fn read(&self, path: &str) -> Vec<u8> {
        read(self, path)
    }

    /// The text of a file, without its line end.
    ///
    /// # Errors
    /// Those of open(2) and read(2): ENOENT, EACCES.
    pub fn text(&self, path: &str) -> Result<String> {
        try_read(self, path).map(|bytes| String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned())
    }

    /// A value that /proc/sys/net has for each link: of `ipv4` or `ipv6`, and of a link, of `all` or of `default`. Nothing where the
    /// kernel has no such value.
    pub fn link_value(&self, family: &str, link: &str, value: &str) -> Option<i64> {
        let path = ["/proc/sys/net/", family, "/conf/", link, "/", value].concat();
        self.text(&path).ok().filter(|_| is_path_safe(link.as_bytes()))?.parse().ok()
    }

    /// The neighbours whose hardware address the kernel knows: /proc/net/arp, `ADDRESS TYPE FLAGS HARDWARE MASK LINK`.
    pub fn neighbours_v4(&self) -> Vec<Neighbour> {
        /// ATF_COM (linux/if_arp.h), as the file has it with others
        const COMPLETE: u8 = 0x2;
        let text = read(self, "/proc/net/arp");
        let mut neighbours = Vec::new();
        for line in lines(&text) {
            let words: Vec<&str> = words(line).collect();
            if let [address, _, flags, hardware, _, link] = words.as_slice()
                && let Ok(address) = address.parse()
                && flags.bytes().last().is_some_and(|digit| digit & COMPLETE != 0)
            {
                let mut mac = Mac::default();
                for (byte, octet) in mac.0.iter_mut().zip(hardware.split(':')) {
                    *byte = u8::from_str_radix(octet, 16).unwrap_or(0);
                }
                neighbours.push(Neighbour { address, mac, link: (*link).into() });
            }
        }
        neighbours
    }

    /// Whether there is such a file.
    pub fn has_file(&self, path: &str) -> bool {
        exists(&self.path(path))
    }

    /// The user who runs this process, whatever rights it has (`getuid`).
    pub fn user(&self) -> u32 {
        let status = read(self, "/proc/self/status");
        let real = lines(&status).find_map(|line| words(line.strip_prefix(b"Uid:")?).next()?.parse().ok());
        real.unwrap_or(0)
    }

    /// The number of this process's network namespace; `0` on kernels that know but one. Before Linux 5.14 it is that of an inode,
    /// which another namespace can get when this one has ended.
    ///
    /// # Errors
    /// Where the socket cannot be had: a namespace must not have one number now and another then.
    ///
    /// The socket is asked first: to look into a process's own folder of /proc costs a short process more than all else here.
    pub fn namespace(&self) -> Result<String> {
        if self.is_running() {
            match ioctl::namespace(self.control()?) {
                Err(Errno::ENOPROTOOPT) => (),
                number => return number.map(|number| number.to_string()),
            }
        }
        let link = fs::read_link(self.path("/proc/self/ns/net")).unwrap_or_default();
        let number: String = link.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
        Ok(if number.is_empty() { "0".into() } else { number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with ':', and numbers so long that no blank is left before them: both of 2.6.18.
    #[test]
    fn devices_by_the_last_colon() {
        let parsed = |line: &'static str| device(line.as_bytes()).map(|(name, counts)| (name, words(counts).next()));
        assert_eq!(parsed("  eth0:     114       1    0"), Some((&b"eth0"[..], Some("114"))));
        assert_eq!(parsed("  eth0:123456789      1    0"), Some((&b"eth0"[..], Some("123456789"))));
        assert_eq!(parsed("   a:b:       7       1    0"), Some((&b"a:b"[..], Some("7"))));
        assert_eq!(parsed(" face |bytes    packets errs drop"), None);
    }
}
