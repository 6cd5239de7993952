//! Links: the interfaces themselves, whatever addresses they carry.

mod read;
mod set;
mod tun;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::ioctl::{self, Ifreq};
use super::sysfs::os_string;
use super::{Kernel, Result};
use crate::net::Mac;
pub use read::{Count, Counters, Statistics, Traffic};
pub use set::{LinkFile, LinkSetting};
pub use tun::{Tun, TunEnd, delete_tun, tun_flag};

/// Interface flags (linux/if.h, `IFF_*`).
pub mod flag {
    /// Switched on.
    pub const UP: u32 = 0x1;
    /// Has a broadcast address.
    pub const BROADCAST: u32 = 0x2;
    /// The loopback.
    pub const LOOPBACK: u32 = 0x8;
    /// Has one peer.
    pub const POINTOPOINT: u32 = 0x10;
    /// Sends no trailers.
    pub const NOTRAILERS: u32 = 0x20;
    /// Operational (RFC 2863): up, and not known to be cut off.
    pub const RUNNING: u32 = 0x40;
    /// Does not ask for hardware addresses.
    pub const NOARP: u32 = 0x80;
    /// Receives frames for others, too.
    pub const PROMISC: u32 = 0x100;
    /// Receives all multicasts.
    pub const ALLMULTI: u32 = 0x200;
    /// Can send multicasts.
    pub const MULTICAST: u32 = 0x1000;
    /// Loses its addresses when it goes down.
    pub const DYNAMIC: u32 = 0x8000;
    /// The driver says that there is a carrier. Linux 2.6.17 and later; beyond what SIOCGIFFLAGS can carry.
    pub const LOWER_UP: u32 = 0x1_0000;
    /// Waits for an event outside, such as authentication.
    pub const DORMANT: u32 = 0x2_0000;
}

/// ARPHRD_ETHER and ARPHRD_LOOPBACK (linux/if_arp.h).
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;

/// What is known of a link.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its number, from 1.
    pub index: i32,
    /// Its name.
    pub name: OsString,
    /// See [`flag`].
    pub flags: u32,
    /// Bytes that a frame may carry.
    pub mtu: u32,
    /// Packets that may wait to be sent.
    pub queue_length: u32,
    /// Type of hardware (`ARPHRD_*`, linux/if_arp.h).
    pub hw_type: u16,
    /// Hardware address as text (`02:00:00:00:00:01`), empty if it has none.
    pub address: String,
    /// Hardware broadcast address, likewise.
    pub broadcast: String,
    /// RFC 2863's operational state, as /sys spells it: `up`, `down`, `unknown`, `lowerlayerdown`, …
    pub state: String,
    /// Index of the link that this one stands on or, of a veth, of its peer (`IFLA_LINK`); its own if there is none, 0 for a
    /// tunnel without one. In another namespace it may be any link's.
    pub iflink: i32,
    /// The bridge (or bond) that it belongs to.
    pub master: Option<OsString>,
    /// The kernel tells of it by netlink too. Before 2.6.39 it did not tell of bridges.
    pub announces_master: bool,
    /// Interface group; 0 is the default one.
    pub group: u32,
    /// What the kernel does with packets that have to wait.
    pub queue: Queue,
}

/// How packets wait on a link. The queueing discipline itself no file shows, but what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// The link is switched off. It has no discipline if it was never on; whether it was cannot be known.
    Off,
    /// Nothing can wait there: loopback, bridge, veth and other virtual devices.
    None,
    /// Hardware, tap and tun have the kernel's default.
    Default,
}

/// A hardware address as SIOCGIFHWADDR gives it: without its length.
pub(super) struct Hardware {
    hw_type: u16,
    bytes: [u8; 14],
}

impl Hardware {
    /// Whether this is the address that /sys spells so. (An address longer than the 14 bytes is compared in these.)
    pub(super) fn is(&self, text: &str) -> bool {
        let spelt = text.split(':').filter(|octet| !octet.is_empty()).map(|octet| u8::from_str_radix(octet, 16));
        spelt.zip(self.bytes).all(|(spelt, own)| spelt == Ok(own))
    }

    /// The text that /sys would have. Ethernet and loopback have six bytes; of others the length is not known.
    fn text(&self) -> String {
        match self.hw_type {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => colons(&self.bytes[..6]),
            _ => String::new(),
        }
    }
}

/// Octets in hexadecimal, with colons between them.
fn colons(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 0xf)]);
    let mut text = String::with_capacity(3 * bytes.len());
    for byte in bytes {
        if !text.is_empty() {
            text.push(':');
        }
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

impl Kernel {
    /// The index of the link with this name, which may be an alternative one.
    ///
    /// # Errors
    /// ENODEV; also for names over 15 bytes, which no link has.
    pub fn link_index(&self, name: &[u8]) -> Result<i32> {
        if !self.is_running() {
            let index = self.device(name).and_then(|device| device.number("ifindex"));
            return index.map(|index| index as i32).ok_or(Errno::ENODEV);
        }
        if name.len() >= ioctl::IFNAMSIZ {
            return Err(Errno::ENODEV);
        }
        self.ask(name, ioctl::SIOCGIFINDEX).map(|answer| answer.int())
    }

    /// The name of the link with this index.
    ///
    /// # Errors
    /// ENODEV (on old kernels), ENXIO.
    pub fn link_name(&self, index: i32) -> Result<OsString> {
        if !self.is_running() {
            let of_index = |name: &OsString| self.link_index(name.as_bytes()) == Ok(index);
            return self.sysfs_names()?.into_iter().find(of_index).ok_or(Errno::ENODEV);
        }
        let mut request = Ifreq::named(b"").with_int(index);
        ioctl::call(self.control()?, ioctl::SIOCGIFNAME, &mut request)?;
        Ok(os_string(request.name()))
    }

    /// The proper name of the link that is meant by an alternative name, or by a label such as `eth0:1`.
    ///
    /// # Errors
    /// ENODEV.
    pub fn proper_name(&self, name: &[u8]) -> Result<OsString> {
        self.link_index(name).and_then(|index| self.link_name(index))
    }

    /// The hardware address by ioctl.
    pub(super) fn link_hardware(&self, name: &[u8]) -> Result<Hardware> {
        let answer = self.ask(name, ioctl::SIOCGIFHWADDR)?;
        Ok(Hardware { hw_type: answer.short(), bytes: answer.hardware_address() })
    }

    /// The hardware address of an Ethernet.
    ///
    /// # Errors
    /// ENODEV.
    pub fn ethernet_address(&self, name: &[u8]) -> Result<[u8; 6]> {
        let [a, b, c, d, e, f, ..] = self.link_hardware(name)?.bytes;
        Ok([a, b, c, d, e, f])
    }

    /// Returns the hardware address of an Ethernet interface.
    ///
    /// # Errors
    /// ENODEV.
    pub fn mac(&self, name: &[u8]) -> Result<Mac> {
        self.ethernet_address(name).map(Mac)
    }

    /// How many bytes a frame may carry.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link_mtu(&self, name: &[u8]) -> Result<i32> {
        self.ask(name, ioctl::SIOCGIFMTU).map(|answer| answer.int())
    }

    /// The flags that fit into SIOCGIFFLAGS: without [`flag::LOWER_UP`] and what came after it.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link_flags(&self, name: &[u8]) -> Result<u32> {
        if let Some(answers) = &self.answers {
            return answers.flags(name);
        }
        self.ask(name, ioctl::SIOCGIFFLAGS).map(|answer| answer.short().into())
    }

    /// The same of a link that may be missing: nothing then. (For a name that it does not know an ioctl would have the kernel
    /// run modprobe.)
    ///
    /// # Errors
    /// Where that cannot be asked.
    pub fn flags_if_there(&self, name: &[u8]) -> Result<Option<u32>> {
        match self.has_link(name)? {
            true => self.link_flags(name).map(Some),
            false => Ok(None),
        }
    }

    /// One request about the link of this name.
    pub(super) fn ask(&self, name: &[u8], request: ioctl::Request<Ifreq>) -> Result<Ifreq> {
        let mut answer = Ifreq::named(name);
        ioctl::call(self.control()?, request, &mut answer)?;
        Ok(answer)
    }
}
