//! Links: the interfaces themselves, whatever addresses they carry.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use sysfs_class::SysClass;

use super::ioctl::{self, Ifreq};
use super::sysfs::{Device, os_string};
use super::{Kernel, Result, procfs};

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
    /// Operational (RFC 2863): up, and not known to be cut off.
    pub const RUNNING: u32 = 0x40;
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
    /// ARPHRD_* (linux/if_arp.h).
    pub kind: u16,
    /// Hardware address as text (`02:00:00:00:00:01`), empty if it has none.
    pub address: String,
    /// Hardware broadcast address, likewise.
    pub broadcast: String,
    /// RFC 2863's operational state, as /sys spells it: `up`, `down`, `unknown`, `lowerlayerdown`, …
    pub state: String,
    /// Index of the link below or, of a veth, of the other end; its own if there is none.
    pub below: i32,
    /// The bridge (or bond) that it belongs to.
    pub master: Option<OsString>,
    /// Interface group; 0 is the default one.
    pub group: u32,
    /// What the administrator calls it besides (`ip link set alias`), empty if nothing.
    pub alias: String,
    /// What makes it, as far as it changes the queueing discipline that the kernel attaches.
    pub driver: Driver,
}

/// Where a link comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A bridge.
    Bridge,
    /// A device behind which something can wait: hardware, tap, tun.
    Queueing,
    /// Any other virtual device: loopback, veth, dummy, …
    Virtual,
}

/// A hardware address as SIOCGIFHWADDR gives it: without its length.
pub(super) struct Hardware {
    kind: u16,
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
        match self.kind {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => colons(&self.bytes[..6]),
            _ => String::new(),
        }
    }
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
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
        Ok(Hardware { kind: answer.short(), bytes: answer.hardware_address() })
    }

    /// The flags that fit into SIOCGIFFLAGS: without [`flag::LOWER_UP`] and what came after it.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link_flags(&self, name: &[u8]) -> Result<u32> {
        self.ask(name, ioctl::SIOCGIFFLAGS).map(|answer| answer.short().into())
    }

    /// Sets the flags of `mask` to those of `flags`. Nothing is asked of the kernel if they are so already.
    ///
    /// # Errors
    /// ENODEV, EPERM, and what the driver says.
    pub fn set_link_flags(&self, name: &[u8], flags: u32, mask: u32) -> Result<()> {
        let before = self.link_flags(name)?;
        let after = (before & !mask) | (flags & mask);
        if after == before {
            return Ok(());
        }
        let mut request = Ifreq::named(name).with_int(after as i32);
        ioctl::call(self.control()?, ioctl::SIOCSIFFLAGS, &mut request)
    }

    /// Whether this process may change links: the kernel is asked to leave the link's flags as they are, and says EPERM if not.
    pub fn may_administer(&self, name: &[u8]) -> bool {
        let unchanged = || {
            let flags = self.link_flags(name)?;
            ioctl::call(self.control()?, ioctl::SIOCSIFFLAGS, &mut Ifreq::named(name).with_int(flags as i32))
        };
        unchanged() != Err(Errno::EPERM)
    }

    /// Switches a link on or off.
    ///
    /// # Errors
    /// As [`Kernel::set_link_flags`].
    pub fn set_link_up(&self, name: &[u8], up: bool) -> Result<()> {
        self.set_link_flags(name, if up { flag::UP } else { 0 }, flag::UP)
    }

    /// The names of all links, in no particular order: from /sys, else from /proc/net/dev.
    ///
    /// # Errors
    /// Where both are missing, ENOENT.
    pub fn link_names(&self) -> Result<Vec<OsString>> {
        let names = match self.sysfs_names() {
            Ok(names) => names,
            Err(_) => procfs::device_names(self)?,
        };
        // /sys/class/net may hold files, such as bonding_masters
        Ok(names.into_iter().filter(|name| self.link_index(name.as_bytes()).is_ok()).collect())
    }

    /// All links, by index.
    ///
    /// # Errors
    /// As [`Kernel::link_names`].
    pub fn links(&self) -> Result<Vec<Link>> {
        let mut links: Vec<Link> =
            self.link_names()?.iter().filter_map(|name| self.link(name.as_bytes()).ok()).collect();
        links.sort_unstable_by_key(|link| link.index);
        Ok(links)
    }

    /// What is known of the link with this name.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link(&self, name: &[u8]) -> Result<Link> {
        let index = self.link_index(name)?;
        match self.device(name) {
            Some(device) if device.text("ifindex").is_some() => self.link_by_sysfs(index, name, &device),
            // an alternative name: /sys knows the proper one
            _ => {
                let name = self.link_name(index)?;
                match self.device(name.as_bytes()) {
                    Some(device) => self.link_by_sysfs(index, name.as_bytes(), &device),
                    None => self.link_by_ioctl(index, name),
                }
            }
        }
    }

    fn link_by_sysfs(&self, index: i32, name: &[u8], device: &Device) -> Result<Link> {
        let number = |file| device.number(file);
        let state = device.text("operstate").unwrap_or_else(|| "unknown".into());
        let mut flags = if self.is_running() { self.link_flags(name)? } else { recorded_flags(device, &state) };
        if flags & flag::UP != 0 {
            // the kernel refuses to tell of a link that is down
            flags |= if number("carrier") == Some(1) { flag::LOWER_UP } else { 0 };
            flags |= if state == "dormant" { flag::DORMANT } else { 0 };
        }
        let has = |file| fs::symlink_metadata(device.path().join(file)).is_ok();
        let driver = if has("bridge") {
            Driver::Bridge
        } else if has("device") || has("tun_flags") {
            Driver::Queueing
        } else {
            Driver::Virtual
        };
        Ok(Link {
            index,
            name: os_string(name),
            flags,
            mtu: number("mtu").unwrap_or(0) as u32,
            queue_length: number("tx_queue_len").unwrap_or(0) as u32,
            kind: number("type").unwrap_or(0) as u16,
            address: device.text("address").unwrap_or_default(),
            broadcast: device.text("broadcast").unwrap_or_default(),
            state,
            below: number("iflink").map_or(index, |below| below as i32),
            master: master(device),
            group: number("netdev_group").unwrap_or(0) as u32,
            alias: device.text("ifalias").unwrap_or_default(),
            driver,
        })
    }

    /// A number of the link's `statistics/` in /sys; 0 where there is none.
    pub fn link_statistic(&self, link: &OsStr, file: &str) -> u64 {
        let number = |device: Device| device.text(&format!("statistics/{file}"))?.parse().ok();
        self.device(link.as_bytes()).and_then(number).unwrap_or(0)
    }

    /// The kind of a virtual link, as far as /sys tells: bridges, vlans and others name it, tap and tun devices have a file of
    /// their own.
    pub fn link_kind(&self, link: &[u8]) -> Option<String> {
        let device = self.device(link)?;
        if device.text("tun_flags").is_some() {
            return Some("tun".into());
        }
        device.text("uevent")?.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).map(String::from)
    }

    /// Without /sys: what ioctls tell, and of the rest what is most likely.
    fn link_by_ioctl(&self, index: i32, name: OsString) -> Result<Link> {
        let bytes = name.as_bytes();
        let mut flags = self.link_flags(bytes)?;
        let hardware = self.link_hardware(bytes)?;
        let running = flags & flag::RUNNING != 0;
        flags |= if running { flag::LOWER_UP } else { 0 };
        let state = match running {
            true if flags & flag::LOOPBACK != 0 => "unknown",
            true => "up",
            false => "down",
        };
        let broadcast = match hardware.kind {
            ARPHRD_ETHER => colons(&[0xff; 6]),
            _ => hardware.text(),
        };
        let is_bridge = self.bridge_head(bytes).is_ok();
        Ok(Link {
            index,
            flags,
            mtu: self.ask(bytes, ioctl::SIOCGIFMTU)?.int() as u32,
            queue_length: self.ask(bytes, ioctl::SIOCGIFTXQLEN)?.int() as u32,
            kind: hardware.kind,
            address: hardware.text(),
            broadcast,
            state: state.into(),
            below: index,
            master: None,
            group: 0,
            alias: String::new(),
            driver: if is_bridge { Driver::Bridge } else { Driver::Virtual },
            name,
        })
    }

    /// One request about the link of this name.
    pub(super) fn ask(&self, name: &[u8], request: ioctl::Request<Ifreq>) -> Result<Ifreq> {
        let mut answer = Ifreq::named(name);
        ioctl::call(self.control()?, request, &mut answer)?;
        Ok(answer)
    }
}

/// The bridge of a port: `master`, which came with 2.6.39, or `brport/bridge`.
fn master(device: &Device) -> Option<OsString> {
    let target = fs::read_link(device.path().join("master"))
        .or_else(|_| fs::read_link(device.path().join("brport/bridge")))
        .ok()?;
    target.file_name().map(OsString::from)
}

/// The flags of another host's link, from its files: the file's raw ones, and RUNNING as the kernel derives it.
fn recorded_flags(device: &Device, state: &str) -> u32 {
    let raw = device.number("flags").unwrap_or(0) as u32;
    let operational = raw & flag::UP != 0 && matches!(state, "up" | "unknown");
    raw | if operational { flag::RUNNING } else { 0 }
}
