//! Reading what is known of links: by ioctls as far as they go, for they are cheap, and for the rest from the files of /sys.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::file::LinkFile;
use super::info::{Link, Queue, flag};
use crate::kernel::file::{is_path_safe, os_string};
use crate::kernel::handle::{Kernel, Source};
use crate::kernel::ioctl::{self, EthtoolCommand};
use crate::kernel::procfs::{Devices, Unreadable};
use crate::kernel::result::Result;
use crate::kernel::socket;
use crate::kernel::sysfs::Folder;
use crate::net::Mac;

impl Kernel {
    /// Returns the indexes and names of all links, by index: those of /sys, else of /proc/net/dev.
    ///
    /// # Errors
    /// That there is no /sys of this namespace, and /proc/net/dev cannot be read.
    pub fn link_names(&self) -> Result<Vec<(i32, OsString)>, Unreadable> {
        let names = match self.sysfs_names() {
            Ok(names) => names,
            Err(_) => Devices::read(self)?.names(),
        };
        // a link may vanish in between, and /sys/class/net may hold files, such as bonding_masters
        let mut links: Vec<_> = names.into_iter().filter_map(|name| self.listed(name).ok()).collect();
        links.sort_unstable();
        Ok(links)
    }

    fn listed(&self, name: OsString) -> Result<(i32, OsString)> {
        match name.as_bytes().contains(&b':') {
            true => self.link(name.as_bytes()).map(|link| (link.index, link.name)),
            false => self.link_index(name.as_bytes()).map(|index| (index, name)),
        }
    }

    /// Whether a link of this name exists. (An ioctl alone could tell, but for a name that the kernel does not know it runs
    /// modprobe. Where a socket may not be bound to a link to find out, the ioctl is asked about names in /sys or /proc/net/dev, or
    /// where there is no /proc.)
    ///
    /// # Errors
    /// Those of SIOCGIFINDEX: EMFILE, ENODEV off `/`.
    pub fn has_link(&self, name: &[u8]) -> Result<bool> {
        if self.is_running()
            && is_path_safe(name)
            && let Ok(found) = socket::has_link(self.control()?, name)
        {
            return Ok(found);
        }
        let is_absent = |devices: Devices| !devices.names().iter().any(|other| other.as_bytes() == name);
        if !self.is_in_class_net(name) && Devices::read(self).is_ok_and(is_absent) {
            return Ok(false);
        }
        match self.link_index(name) {
            Err(Errno::ENODEV) => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Reads a link of [`Kernel::link_names`].
    ///
    /// # Errors
    /// ENODEV.
    pub fn listed_link(&self, index: i32, name: &OsStr) -> Result<Link> {
        match self.listed_folder(name.as_bytes()) {
            Some(folder) => self.link_by_sysfs(index, name.to_owned(), &folder),
            None => self.link_by_ioctl(index, name.to_owned()),
        }
    }

    /// Reads the link with this name, which may be an alternative one.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link(&self, name: &[u8]) -> Result<Link> {
        // Linux 2.6.18 allows ':' in a name, but its ioctls do not find such a link
        if name.contains(&b':')
            && let Some(folder) = self.folder(name)
            && let Some(index) = folder.number("ifindex")
        {
            return self.link_by_sysfs(index as i32, os_string(name), &folder);
        }
        self.settle(name);
        let index = self.link_index(name)?;
        if let Some(folder) = self.folder(name) {
            return self.link_by_sysfs(index, os_string(name), &folder);
        }
        // an alternative name: /sys has the proper one
        let name = self.link_name(index)?;
        match self.folder(name.as_bytes()) {
            Some(folder) => self.link_by_sysfs(index, name.clone(), &folder),
            None => self.link_by_ioctl(index, name),
        }
    }

    /// Has the kernel act on a change of carrier that it has noticed: it changes the state of a link up to a second later, unless
    /// somebody asks about the link alone (net/core/link_watch.c, `linkwatch_sync_dev`; for /sys and ioctls since Linux 6.8).
    pub fn settle(&self, name: &[u8]) {
        let by_sysfs = self.folder(name).and_then(|folder| folder.number("carrier"));
        if by_sysfs.is_none() && self.is_running() {
            // without /sys; or the link is down, and waits for nothing
            let _ = self.control().map(|control| ioctl::ethtool(control, name, EthtoolCommand::Carrier, false));
        }
    }

    fn link_by_sysfs(&self, index: i32, name: OsString, folder: &Folder) -> Result<Link> {
        let values = match self.is_running() && !name.as_bytes().contains(&b':') {
            true => self.values_by_ioctl(name.as_bytes(), folder)?,
            false => self.values_recorded(name.as_bytes(), folder),
        };
        let driver = match self.is_running() {
            true => self.control().and_then(|control| ioctl::driver(control, name.as_bytes())).unwrap_or_default(),
            false => Vec::new(),
        };
        let driver = Driver::named(&driver);
        let is_up = values.flags & flag::UP != 0;
        // the kernel calls a link that is switched off down, and reports no carrier
        let state = if is_up { folder.text("operstate").unwrap_or_else(|| "unknown".into()) } else { "down".into() };
        let mut flags = values.flags;
        flags |= if is_up && self.has_carrier(&name, driver, folder) { flag::LOWER_UP } else { 0 };
        flags |= if state == "dormant" { flag::DORMANT } else { 0 };
        let group = folder.number("netdev_group");
        let iflink = match driver {
            Driver::Bridge | Driver::Tun => index,
            _ => folder.number("iflink").map_or(index, |iflink| iflink as i32),
        };
        // who keeps a link down takes its carrier; only kinds that stand on another link allow it
        let may_be_kept_down = driver == Driver::Other && iflink != index && flags & flag::LOWER_UP == 0;
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
            iflink,
            proto_down: may_be_kept_down && folder.number("proto_down") == Some(1),
            master: master(folder, group.is_some()),
            announces_master: group.is_some() || folder.has("master"),
            group: group.unwrap_or(0) as u32,
            queue: if is_up { self.queue(Some(folder), driver, values.queue_length) } else { Queue::Off },
        })
    }

    /// Whether a link that is up has a carrier. (Drivers of hardware answer the ioctl by asking the hardware.)
    fn has_carrier(&self, name: &OsStr, driver: Driver, folder: &Folder) -> bool {
        if driver != Driver::Other
            && let Ok(has_carrier) = self
                .control()
                .and_then(|control| ioctl::ethtool(control, name.as_bytes(), EthtoolCommand::Carrier, false))
        {
            return has_carrier;
        }
        folder.number("carrier") == Some(1)
    }

    /// Reads another host's files, with the flags that ioctls answered there, if those were recorded.
    fn values_recorded(&self, name: &[u8], folder: &Folder) -> Values {
        let values = Values::recorded(folder);
        Values { flags: self.link_flags(name).unwrap_or(values.flags), ..values }
    }

    fn values_by_ioctl(&self, name: &[u8], folder: &Folder) -> Result<Values> {
        let hardware = self.hardware(name)?;
        Ok(Values {
            flags: self.link_flags(name)?,
            mtu: self.ask(name, ioctl::SIOCGIFMTU)?.int() as u32,
            queue_length: self.ask(name, ioctl::SIOCGIFTXQLEN)?.int() as u32,
            hw_type: hardware.hw_type,
            // only the file tells the length of other addresses
            address: match hardware.length() {
                Some(_) => hardware.text(),
                None => folder.text("address").unwrap_or_default(),
            },
        })
    }

    /// Reads a link without /sys: what ioctls tell, and of the rest what is most likely.
    fn link_by_ioctl(&self, index: i32, name: OsString) -> Result<Link> {
        let bytes = name.as_bytes();
        let mut flags = self.link_flags(bytes)?;
        let hardware = self.hardware(bytes)?;
        let running = flags & flag::RUNNING != 0;
        flags |= if running { flag::LOWER_UP } else { 0 };
        let state = match running {
            true if flags & flag::LOOPBACK != 0 => "unknown",
            true => "up",
            false => "down",
        };
        let broadcast = match hardware.hw_type {
            libc::ARPHRD_ETHER => Mac([0xff; 6]).to_string(),
            // a tunnel's remote address, which the tunnels that each namespace has do not have
            libc::ARPHRD_TUNNEL | libc::ARPHRD_SIT | libc::ARPHRD_IPGRE => "00:00:00:00".into(),
            _ => hardware.text(),
        };
        let is_up = flags & flag::UP != 0;
        let queue_length = self.ask(bytes, ioctl::SIOCGIFTXQLEN)?.int() as u32;
        Ok(Link {
            index,
            flags,
            mtu: self.ask(bytes, ioctl::SIOCGIFMTU)?.int() as u32,
            queue_length,
            hw_type: hardware.hw_type,
            address: hardware.text(),
            broadcast,
            state: state.into(),
            iflink: index,
            proto_down: false,
            master: None,
            announces_master: false,
            group: 0,
            queue: if is_up { self.queue(None, Driver::Other, queue_length) } else { Queue::Off },
            name,
        })
    }

    /// Returns the bridge (or bond) that a link belongs to; `None` without /sys.
    pub fn link_master(&self, link: &[u8]) -> Option<OsString> {
        let folder = self.folder(link)?;
        master(&folder, folder.has("netdev_group"))
    }

    /// Returns the bridge that has the link as a port; `None` also if that cannot be read. Works without /sys too.
    pub fn bridge_of(&self, port: &[u8]) -> Option<OsString> {
        self.try_bridge_of(port).ok().flatten()
    }

    /// Returns the bridge that has the link as a port.
    ///
    /// # Errors
    /// EIO if the link is a port and /sys does not name the bridge; without /sys those of SIOCGIFBR and of the bridge's ioctls.
    pub fn try_bridge_of(&self, port: &[u8]) -> Result<Option<OsString>> {
        let Some(folder) = self.folder(port) else { return self.bridge_by_ports(port) };
        match folder.link("brport/bridge") {
            None if folder.has("brport") => Err(Errno::EIO),
            bridge => Ok(bridge),
        }
    }

    /// Looks for a port among those of all bridges.
    fn bridge_by_ports(&self, port: &[u8]) -> Result<Option<OsString>> {
        let bridges = match self.bridges(Source::Sysfs) {
            // the kernel has no bridges
            Err(Errno::ENOPKG | Errno::EINVAL) => return Ok(None),
            bridges => bridges?,
        };
        for bridge in bridges {
            if self.ports(bridge.as_bytes(), Source::Sysfs)?.iter().any(|name| name.as_bytes() == port) {
                return Ok(Some(bridge));
            }
        }
        Ok(None)
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

    /// How packets wait on a link that is switched on. Before Linux 4.3, which brought the file `proto_down` too, they do where the
    /// queue has a length; since then a virtual device can do without a queue (IFF_NO_QUEUE) and have a length.
    fn queue(&self, folder: Option<&Folder>, driver: Driver, length: u32) -> Queue {
        let has_queue = || match driver {
            Driver::Tun => true,
            Driver::Bridge | Driver::Veth if self.version() >= [4, 3, 0] => false,
            _ => folder.is_some_and(|folder| {
                ["device", "tun_flags"].iter().any(|file| folder.has(file)) || !folder.has("proto_down")
            }),
        };
        let has_several = |folder: &Folder| match driver {
            // it may have several, whether or not anyone has opened more than one
            Driver::Tun => {
                folder.number("tun_flags").is_some_and(|flags| flags & i64::from(libc::IFF_MULTI_QUEUE) != 0)
            }
            _ => folder.has("queues/tx-1"),
        };
        match length != 0 && has_queue() {
            true if folder.is_some_and(has_several) => Queue::Several,
            true => Queue::Default,
            false => Queue::None,
        }
    }

    /// Returns the queueing discipline that a queue gets unless `tc` sets another one. The file came with Linux 3.12, and only the
    /// initial network namespace shows it: elsewhere this is `pfifo_fast`, the kernel's own choice.
    pub fn default_qdisc(&self) -> &str {
        let read = || self.text("/proc/sys/net/core/default_qdisc").unwrap_or_else(|_| "pfifo_fast".into());
        self.default_qdisc.get_or_init(read)
    }

    /// Returns how many bytes a link's hardware addresses have; 0 if it has none, `None` if that cannot be known.
    pub fn address_length(&self, name: &[u8]) -> Option<usize> {
        match self.link_file(name, LinkFile::ADDRESS_LENGTH) {
            Some(length) => length.parse().ok(),
            None => self.hardware(name).ok()?.length(),
        }
    }
}

/// Drivers of most links of a host with guests. What is known of their links need not be asked: an ioctl tells the driver in a
/// quarter of the time that a file takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    Bridge,
    Tun,
    Veth,
    Other,
}

impl Driver {
    fn named(name: &[u8]) -> Self {
        match name {
            b"bridge" => Driver::Bridge,
            b"tun" => Driver::Tun,
            b"veth" => Driver::Veth,
            _ => Driver::Other,
        }
    }
}

/// The part of a [`Link`] that ioctls tell, or files alone.
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
