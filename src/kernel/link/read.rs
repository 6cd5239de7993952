//! Reading what is known of links: ioctls for what they tell, for they are cheap, and for the rest the files of /sys.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::{ARPHRD_ETHER, ARPHRD_LOOPBACK, Hardware, Link, LinkFile, Queue, colons, flag};
use crate::kernel::ioctl;
use crate::kernel::sysfs::{Folder, os_string};
use crate::kernel::{Kernel, Result, Unreadable, procfs};

impl Kernel {
    /// Returns all links, by index.
    ///
    /// # Errors
    /// As [`Kernel::link_names`].
    pub fn links(&self) -> Result<Vec<Link>, Unreadable> {
        let names = self.link_names()?.into_iter();
        Ok(names.filter_map(|(index, name)| self.listed_link(index, &name).ok()).collect())
    }

    /// Returns the indexes and names of all links, by index: those of /sys, else of /proc/net/dev.
    ///
    /// # Errors
    /// That there is no /sys of this namespace, and /proc/net/dev cannot be read.
    pub fn link_names(&self) -> Result<Vec<(i32, OsString)>, Unreadable> {
        let names = self.sysfs_names().or_else(|_| procfs::device_names(self))?;
        // a link may vanish in between, and /sys/class/net may hold files, such as bonding_masters
        let mut links: Vec<_> = names.into_iter().filter_map(|name| self.listed(name).ok()).collect();
        links.sort();
        Ok(links)
    }

    fn listed(&self, name: OsString) -> Result<(i32, OsString)> {
        match name.as_bytes().contains(&b':') {
            true => self.link(name.as_bytes()).map(|link| (link.index, link.name)),
            false => self.link_index(name.as_bytes()).map(|index| (index, name)),
        }
    }

    /// What is known of a link of [`Kernel::link_names`].
    ///
    /// # Errors
    /// ENODEV.
    pub fn listed_link(&self, index: i32, name: &OsStr) -> Result<Link> {
        match self.listed_folder(name.as_bytes()) {
            Some(folder) => self.link_by_sysfs(index, name.to_owned(), &folder),
            None => self.link_by_ioctl(index, name.to_owned()),
        }
    }

    /// What is known of the link with this name.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link(&self, name: &[u8]) -> Result<Link> {
        // Linux 2.6.18 lets a name hold ':', of which its ioctls know nothing
        if name.contains(&b':')
            && let Some(folder) = self.folder(name)
            && let Some(index) = folder.number("ifindex")
        {
            return self.link_by_sysfs(index as i32, os_string(name), &folder);
        }
        let index = self.link_index(name)?;
        if let Some(folder) = self.folder(name) {
            return self.link_by_sysfs(index, os_string(name), &folder);
        }
        // an alternative name: /sys knows the proper one
        let name = self.link_name(index)?;
        match self.folder(name.as_bytes()) {
            Some(folder) => self.link_by_sysfs(index, name.clone(), &folder),
            None => self.link_by_ioctl(index, name),
        }
    }

    fn link_by_sysfs(&self, index: i32, name: OsString, folder: &Folder) -> Result<Link> {
        let values = match self.is_running() && !name.as_bytes().contains(&b':') {
            true => self.values_by_ioctl(name.as_bytes(), folder)?,
            false => self.values_recorded(name.as_bytes(), folder),
        };
        let is_up = values.flags & flag::UP != 0;
        // the kernel calls a link that is switched off down, and tells nothing of its carrier
        let state = if is_up { folder.text("operstate").unwrap_or_else(|| "unknown".into()) } else { "down".into() };
        let mut flags = values.flags;
        flags |= if is_up && folder.number("carrier") == Some(1) { flag::LOWER_UP } else { 0 };
        flags |= if state == "dormant" { flag::DORMANT } else { 0 };
        let group = folder.number("netdev_group");
        Ok(Link {
            index,
            name,
            flags,
            mtu: values.mtu,
            queue_length: values.queue_length,
            hw_type: values.hw_type,
            address: values.address,
            broadcast: folder.text("broadcast").unwrap_or_default(),
            state,
            iflink: folder.number("iflink").map_or(index, |iflink| iflink as i32),
            master: master(folder, group.is_some()),
            announces_master: group.is_some() || folder.has("master"),
            group: group.unwrap_or(0) as u32,
            queue: if is_up { queue(folder, values.queue_length) } else { Queue::Off },
        })
    }

    /// Returns what a file of a link under /sys holds, without its line end. `None` without /sys of this namespace, and where
    /// the link or the kernel has no such file.
    pub fn link_file(&self, link: &[u8], file: LinkFile) -> Option<String> {
        self.listed_folder(link)?.text(file.0)
    }

    /// What the administrator calls a link besides (`ip link set alias`); empty if nothing.
    pub fn link_alias(&self, link: &[u8]) -> String {
        self.listed_folder(link).and_then(|folder| folder.text("ifalias")).unwrap_or_default()
    }

    /// The group that a link belongs to; nothing without /sys, and before 2.6.39.
    pub fn link_group(&self, link: &[u8]) -> Option<u32> {
        self.folder(link)?.number("netdev_group").map(|group| group as u32)
    }

    /// The bridge (or bond) that a link belongs to.
    pub fn link_master(&self, link: &[u8]) -> Option<OsString> {
        let folder = self.folder(link)?;
        master(&folder, folder.has("netdev_group"))
    }

    /// Whether a link is switched on and has no carrier, as the kernel notes it of routes over it.
    pub fn is_without_carrier(&self, link: &[u8]) -> bool {
        // one that runs has one: the kernel finds out about both at the same time
        self.link_flags(link).is_ok_and(|flags| flags & (flag::UP | flag::RUNNING) == flag::UP)
            && self.link(link).is_ok_and(|link| link.flags & (flag::UP | flag::LOWER_UP) == flag::UP)
    }

    /// From another host's files, with the flags that ioctls told there, if that was kept.
    fn values_recorded(&self, name: &[u8], folder: &Folder) -> Values {
        let values = Values::recorded(folder);
        Values { flags: self.link_flags(name).unwrap_or(values.flags), ..values }
    }

    fn values_by_ioctl(&self, name: &[u8], folder: &Folder) -> Result<Values> {
        let hardware = self.link_hardware(name)?;
        Ok(Values {
            flags: self.link_flags(name)?,
            mtu: self.ask(name, ioctl::SIOCGIFMTU)?.int() as u32,
            queue_length: self.ask(name, ioctl::SIOCGIFTXQLEN)?.int() as u32,
            hw_type: hardware.hw_type,
            // the length of other addresses only the file tells
            address: match hardware.hw_type {
                ARPHRD_ETHER | ARPHRD_LOOPBACK => hardware.text(),
                _ => folder.text("address").unwrap_or_default(),
            },
        })
    }

    /// Without /sys: what ioctls tell, and of the rest what is most likely.
    fn link_by_ioctl(&self, index: i32, name: OsString) -> Result<Link> {
        let bytes = name.as_bytes();
        let mut flags = self.link_flags(bytes)?;
        let hardware: Hardware = self.link_hardware(bytes)?;
        let running = flags & flag::RUNNING != 0;
        flags |= if running { flag::LOWER_UP } else { 0 };
        let state = match running {
            true if flags & flag::LOOPBACK != 0 => "unknown",
            true => "up",
            false => "down",
        };
        let broadcast = match hardware.hw_type {
            ARPHRD_ETHER => colons(&[0xff; 6]),
            _ => hardware.text(),
        };
        let is_up = flags & flag::UP != 0;
        Ok(Link {
            index,
            flags,
            mtu: self.ask(bytes, ioctl::SIOCGIFMTU)?.int() as u32,
            queue_length: self.ask(bytes, ioctl::SIOCGIFTXQLEN)?.int() as u32,
            hw_type: hardware.hw_type,
            address: hardware.text(),
            broadcast,
            state: state.into(),
            iflink: index,
            master: None,
            announces_master: false,
            group: 0,
            queue: if is_up { Queue::None } else { Queue::Off },
            name,
        })
    }

    /// What a link has received and sent.
    pub fn link_statistics<'a>(&'a self, link: &'a OsStr) -> Statistics<'a> {
        Statistics(match self.listed_folder(link.as_bytes()) {
            Some(folder) => Counts::Files(folder),
            None => Counts::Line(procfs::device_counts(self, link.as_bytes())),
        })
    }

    /// Returns what links have received and sent, by one read of /proc/net/dev; `None` for those that it does not list.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn traffic(&self, links: &[&OsStr]) -> Result<Vec<Option<Traffic>>, Unreadable> {
        let mut traffic = vec![None; links.len()];
        procfs::each_device(self, |name, counts| {
            if let Some(place) = links.iter().position(|link| link.as_bytes() == name) {
                let mut numbers = [0; 16];
                numbers.iter_mut().zip(counts).for_each(|(number, count)| *number = count);
                let [bytes, packets, _, _, _, _, _, _, sent_bytes, sent_packets, ..] = numbers;
                let sent = Counters { bytes: sent_bytes, packets: sent_packets };
                traffic[place] = Some(Traffic { received: Counters { bytes, packets }, sent });
            }
        })?;
        Ok(traffic)
    }

    /// Of a guest's interface the key in xenstore under which its backend lies, `backend/vif/1/0`: what netback's parent device
    /// says. Nothing of other links.
    pub fn xenbus_node(&self, link: &[u8]) -> Option<String> {
        self.device(link).and_then(|device| device.text("device/nodename"))
    }

    /// The name before [`Kernel::info_kind`].
    pub fn link_kind(&self, link: &[u8]) -> Option<String> {
        self.info_kind(link)
    }

    /// Returns the kind of a virtual link as netlink names it (`IFLA_INFO_KIND`): by the driver's name, else as far as /sys shows
    /// it. `None` for hardware and the loopback.
    pub fn info_kind(&self, link: &[u8]) -> Option<String> {
        let folder = self.folder(link);
        let has = |file| folder.as_ref().is_some_and(|folder| folder.has(file));
        if has("device") {
            return None;
        }
        if has("macvtap") {
            return Some("macvtap".into()); // shares its driver with macvlan
        }
        if let Ok(driver) = self.control().and_then(|control| ioctl::driver(control, link)) {
            return Some(match driver.as_slice() {
                b"bonding" => "bond".into(),
                b"802.1Q VLAN Support" => "vlan".into(),
                driver => String::from_utf8_lossy(driver).into_owned(),
            });
        }
        if has("tun_flags") {
            return Some("tun".into());
        }
        folder?.text("uevent")?.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).map(String::from)
    }
}

/// Bytes and packets that a link has carried in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes, without the frames' checksums.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

/// The name before [`Counters`].
pub type Count = Counters;

/// What a link has received and sent, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received.
    pub received: Counters,
    /// Sent.
    pub sent: Counters,
}

impl Traffic {
    /// The name before [`Traffic::sum`].
    pub fn with(self, other: Traffic) -> Traffic {
        self.sum(other)
    }

    /// Adds two links' traffic. Counters stop at their largest value.
    pub fn sum(self, other: Traffic) -> Traffic {
        let add = |one: Counters, other: Counters| Counters {
            bytes: one.bytes.saturating_add(other.bytes),
            packets: one.packets.saturating_add(other.packets),
        };
        Traffic { received: add(self.received, other.received), sent: add(self.sent, other.sent) }
    }
}

/// What a link has received and sent: the files of `statistics/` in /sys, else the line of /proc/net/dev.
pub struct Statistics<'a>(Counts<'a>);

enum Counts<'a> {
    Files(Folder<'a>),
    Line(Vec<u64>),
}

/// The columns of /proc/net/dev, by the files of `statistics/`. Where one adds up several (net/core/net-procfs.c,
/// `dev_seq_printf_stats`) it is the first of them that is named.
const COLUMNS: [&str; 16] = [
    "rx_bytes",
    "rx_packets",
    "rx_errors",
    "rx_dropped",
    "rx_fifo_errors",
    "rx_frame_errors",
    "rx_compressed",
    "multicast",
    "tx_bytes",
    "tx_packets",
    "tx_errors",
    "tx_dropped",
    "tx_fifo_errors",
    "collisions",
    "tx_carrier_errors",
    "tx_compressed",
];

impl Statistics<'_> {
    /// The number of a file of `statistics/`; 0 where it is not known.
    pub fn count(&self, file: &str) -> u64 {
        let count = match &self.0 {
            Counts::Files(folder) => folder.text(&["statistics/", file].concat()).and_then(|text| text.parse().ok()),
            Counts::Line(counts) => {
                COLUMNS.iter().position(|column| *column == file).and_then(|place| counts.get(place).copied())
            }
        };
        count.unwrap_or(0)
    }
}

/// What ioctls tell, or files alone.
struct Values {
    flags: u32,
    mtu: u32,
    queue_length: u32,
    hw_type: u16,
    address: String,
}

impl Values {
    /// `flags` holds the raw ones. RUNNING is derived as the kernel does it; and of PROMISC and ALLMULTI the kernel tells only
    /// whether they were asked for (net/core/dev.c, `dev_get_flags`), which no file does.
    fn recorded(folder: &Folder) -> Self {
        let number = |file| folder.number(file).unwrap_or(0);
        let raw = number("flags") as u32 & !(flag::PROMISC | flag::ALLMULTI);
        let state = folder.text("operstate").unwrap_or_default();
        let is_operational = raw & flag::UP != 0 && matches!(state.as_str(), "up" | "unknown");
        Values {
            flags: raw | if is_operational { flag::RUNNING } else { 0 },
            mtu: number("mtu") as u32,
            queue_length: number("tx_queue_len") as u32,
            hw_type: number("type") as u16,
            address: folder.text("address").unwrap_or_default(),
        }
    }
}

/// The bridge of a port, or the bond of a slave: `master`, or before 2.6.39, which brought it and groups, `brport/bridge`.
fn master(folder: &Folder, is_recent: bool) -> Option<OsString> {
    folder.link(if is_recent { "master" } else { "brport/bridge" })
}

/// Of a link that is switched on.
fn queue(folder: &Folder, length: u32) -> Queue {
    if length == 0 || folder.has("bridge") || !(folder.has("device") || folder.has("tun_flags")) {
        Queue::None
    } else {
        Queue::Default
    }
}
