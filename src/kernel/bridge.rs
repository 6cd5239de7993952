//! Bridges and their ports: by /sys/class/net where it can be trusted, else by the bridge's ioctls, old and older.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use sysfs_class::SysClass;

use super::ioctl::{self, FDB_ENTRY, Ifreq, Old};
use super::sysfs::{self, Device};
use super::{Kernel, Result, errno};
use crate::net::{BridgeId, ClockTime, Mac};

/// A value of a bridge that can be set: its file under `bridge/` and its command of the old ioctl.
#[derive(Clone, Copy, Debug)]
pub struct BridgeSetting {
    file: &'static str,
    old: Old,
}

impl BridgeSetting {
    /// Spanning tree protocol: 0 off, 1 on.
    pub const STP_STATE: Self = Self { file: "bridge/stp_state", old: Old::SetStpState };
    /// Clock ticks ([`ClockTime`]) for which a port listens and learns before it forwards.
    pub const FORWARD_DELAY: Self = Self { file: "bridge/forward_delay", old: Old::SetForwardDelay };
    /// Clock ticks between the root bridge's hellos.
    pub const HELLO_TIME: Self = Self { file: "bridge/hello_time", old: Old::SetHelloTime };
    /// Clock ticks after which a message without successor is forgotten.
    pub const MAX_AGE: Self = Self { file: "bridge/max_age", old: Old::SetMaxAge };
    /// Clock ticks after which a learnt address without traffic is forgotten.
    pub const AGEING_TIME: Self = Self { file: "bridge/ageing_time", old: Old::SetAgeingTime };
    /// Priority in the election of the root bridge, 0 to 65535.
    pub const PRIORITY: Self = Self { file: "bridge/priority", old: Old::SetBridgePriority };
}

/// A value of a port that can be set: its file under `brport/` and its command of the old ioctl, if it ever had one.
#[derive(Clone, Copy, Debug)]
pub struct PortSetting {
    file: &'static str,
    old: Option<Old>,
}

impl PortSetting {
    /// Cost of a path through the port, 1 to 65535.
    pub const PATH_COST: Self = Self { file: "brport/path_cost", old: Some(Old::SetPathCost) };
    /// Priority of the port, 0 to 63.
    pub const PRIORITY: Self = Self { file: "brport/priority", old: Some(Old::SetPortPriority) };
    /// Whether frames may leave by the port they came in: 0 off, 1 on. Linux 2.6.32 and later, by /sys only.
    pub const HAIRPIN_MODE: Self = Self { file: "brport/hairpin_mode", old: None };
}

/// What the kernel tells of a bridge (`struct __bridge_info`, or the files of `bridge/`).
#[derive(Clone, Debug, Default)]
pub struct BridgeInfo {
    /// The bridge's own identity.
    pub id: BridgeId,
    /// Identity of the root of the spanning tree.
    pub designated_root: BridgeId,
    /// Cost of the path to the root.
    pub root_path_cost: u32,
    /// Number of the port towards the root; 0 on the root itself.
    pub root_port: u16,
    /// In force, as the root says.
    pub max_age: ClockTime,
    /// In force, as the root says.
    pub hello_time: ClockTime,
    /// In force, as the root says.
    pub forward_delay: ClockTime,
    /// As this bridge would have it if it were the root.
    pub bridge_max_age: ClockTime,
    /// As this bridge would have it if it were the root.
    pub bridge_hello_time: ClockTime,
    /// As this bridge would have it if it were the root.
    pub bridge_forward_delay: ClockTime,
    /// See [`BridgeSetting::AGEING_TIME`].
    pub ageing_time: ClockTime,
    /// Time left.
    pub hello_timer: ClockTime,
    /// Time left.
    pub tcn_timer: ClockTime,
    /// Time left.
    pub topology_change_timer: ClockTime,
    /// Time left.
    pub gc_timer: ClockTime,
    /// Whether a spanning tree is made.
    pub stp_enabled: bool,
    /// The root says that the topology changes.
    pub topology_change: bool,
    /// This bridge has seen the topology change.
    pub topology_change_detected: bool,
}

/// What the kernel tells of a port (`struct __port_info`, or the files of `brport/`).
#[derive(Clone, Debug, Default)]
pub struct PortInfo {
    /// The port's number in its bridge.
    pub number: u32,
    /// Number and priority in one.
    pub id: u16,
    /// Disabled, listening, learning, forwarding, blocking: 0 to 4.
    pub state: u8,
    /// See [`PortSetting::PATH_COST`].
    pub path_cost: u32,
    /// Root of the tree, as last heard here.
    pub designated_root: BridgeId,
    /// The bridge that serves this segment.
    pub designated_bridge: BridgeId,
    /// That bridge's port id.
    pub designated_port: u16,
    /// That bridge's cost to the root.
    pub designated_cost: u32,
    /// Time left.
    pub message_age_timer: ClockTime,
    /// Time left.
    pub forward_delay_timer: ClockTime,
    /// Time left.
    pub hold_timer: ClockTime,
    /// A configuration message waits for the hold timer.
    pub config_pending: bool,
    /// A topology change is to be acknowledged.
    pub topology_change_ack: bool,
    /// See [`PortSetting::HAIRPIN_MODE`].
    pub hairpin_mode: u32,
}

/// An entry of a bridge's forwarding table (`struct __fdb_entry`).
#[derive(Clone, Copy, Debug)]
pub struct FdbEntry([u8; FDB_ENTRY]);

impl FdbEntry {
    /// The address.
    pub fn mac(&self) -> Mac {
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&self.0[..6]);
        Mac(bytes)
    }

    /// Number of the port behind which the address is. Its high byte came with 2.6.34 and is 0 before.
    pub fn port(&self) -> u16 {
        u16::from_le_bytes([self.0[6], self.0[12]])
    }

    /// Whether the address is the port's own.
    pub fn is_local(&self) -> bool {
        self.0[7] != 0
    }

    /// Time since the last frame from there.
    pub fn age(&self) -> ClockTime {
        ClockTime(word(&self.0, 8).into())
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

fn bridge_id(bytes: &[u8], at: usize) -> BridgeId {
    let mut id = [0; 8];
    id.copy_from_slice(&bytes[at..at + 8]);
    BridgeId(id)
}

/// Numbers of a folder in /sys as bridge-utils reads them: what cannot be read is 0.
struct Files<'a>(&'a Device);

impl Files<'_> {
    fn number(&self, file: &str) -> u32 {
        self.0.number(file).unwrap_or(0) as u32
    }

    fn time(&self, file: &str) -> ClockTime {
        ClockTime(self.0.number(file).unwrap_or(0) as u64)
    }

    fn id(&self, file: &str) -> BridgeId {
        self.0.text(file).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    fn flag(&self, file: &str) -> bool {
        self.number(file) != 0
    }
}

impl BridgeInfo {
    fn from_files(device: &Device) -> Self {
        let files = Files(device);
        let max_age = files.time("bridge/max_age");
        let hello_time = files.time("bridge/hello_time");
        let forward_delay = files.time("bridge/forward_delay");
        BridgeInfo {
            id: files.id("bridge/bridge_id"),
            designated_root: files.id("bridge/root_id"),
            root_path_cost: files.number("bridge/root_path_cost"),
            root_port: files.number("bridge/root_port") as u16,
            max_age,
            hello_time,
            forward_delay,
            // /sys has one file for both
            bridge_max_age: max_age,
            bridge_hello_time: hello_time,
            bridge_forward_delay: forward_delay,
            ageing_time: files.time("bridge/ageing_time"),
            hello_timer: files.time("bridge/hello_timer"),
            tcn_timer: files.time("bridge/tcn_timer"),
            topology_change_timer: files.time("bridge/topology_change_timer"),
            gc_timer: files.time("bridge/gc_timer"),
            stp_enabled: files.flag("bridge/stp_state"),
            topology_change: files.flag("bridge/topology_change"),
            topology_change_detected: files.flag("bridge/topology_change_detected"),
        }
    }

    /// linux/if_bridge.h, `struct __bridge_info`.
    fn from_ioctl(bytes: &[u8; ioctl::BRIDGE_INFO]) -> Self {
        let time = |at| ClockTime(word(bytes, at).into());
        BridgeInfo {
            designated_root: bridge_id(bytes, 0),
            id: bridge_id(bytes, 8),
            root_path_cost: word(bytes, 16),
            max_age: time(20),
            hello_time: time(24),
            forward_delay: time(28),
            // every kernel gives these three in its own ticks, and brctl prints them as they come
            bridge_max_age: time(32),
            bridge_hello_time: time(36),
            bridge_forward_delay: time(40),
            topology_change: bytes[44] != 0,
            topology_change_detected: bytes[45] != 0,
            root_port: bytes[46].into(),
            stp_enabled: bytes[47] != 0,
            ageing_time: time(48),
            // 52 is the gc interval, which is no longer used
            hello_timer: time(56),
            tcn_timer: time(60),
            topology_change_timer: time(64),
            gc_timer: time(68),
        }
    }
}

impl PortInfo {
    fn from_files(device: &Device) -> Self {
        let files = Files(device);
        PortInfo {
            number: files.number("brport/port_no"),
            id: files.number("brport/port_id") as u16,
            state: files.number("brport/state") as u8,
            path_cost: files.number("brport/path_cost"),
            designated_root: files.id("brport/designated_root"),
            designated_bridge: files.id("brport/designated_bridge"),
            designated_port: files.number("brport/designated_port") as u16,
            designated_cost: files.number("brport/designated_cost"),
            message_age_timer: files.time("brport/message_age_timer"),
            forward_delay_timer: files.time("brport/forward_delay_timer"),
            hold_timer: files.time("brport/hold_timer"),
            config_pending: files.flag("brport/config_pending"),
            topology_change_ack: files.flag("brport/change_ack"),
            hairpin_mode: files.number("brport/hairpin_mode"),
        }
    }

    /// linux/if_bridge.h, `struct __port_info`.
    fn from_ioctl(number: u32, bytes: &[u8; ioctl::PORT_INFO]) -> Self {
        let time = |at| ClockTime(word(bytes, at).into());
        PortInfo {
            number,
            designated_root: bridge_id(bytes, 0),
            designated_bridge: bridge_id(bytes, 8),
            id: half(bytes, 16),
            designated_port: half(bytes, 18),
            path_cost: word(bytes, 20),
            designated_cost: word(bytes, 24),
            state: bytes[28],
            topology_change_ack: bytes[29] != 0,
            config_pending: bytes[30] != 0,
            message_age_timer: time(32),
            forward_delay_timer: time(36),
            hold_timer: time(40),
            hairpin_mode: 0,
        }
    }
}

/// Making and unmaking.
impl Kernel {
    /// Adds a bridge. A name over 15 bytes is cut.
    ///
    /// # Errors
    /// EEXIST, EINVAL (not a name), EPERM, ENOPKG (the kernel has no bridges).
    pub fn add_bridge(&self, bridge: &[u8]) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRADDBR, &mut ioctl::kernel_name(bridge))
            .or_else(|_| ioctl::bridge_old(control, Old::AddBridge, bridge))
    }

    /// Deletes a bridge, which must be down; its ports are released.
    ///
    /// # Errors
    /// ENXIO (no such interface), EBUSY (up), EPERM (not root, or not a bridge).
    pub fn delete_bridge(&self, bridge: &[u8]) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRDELBR, &mut ioctl::kernel_name(bridge))
            .or_else(|_| ioctl::bridge_old(control, Old::DelBridge, bridge))
    }

    /// Makes the interface with this index a port of the bridge.
    ///
    /// # Errors
    /// ENODEV (no such bridge), EBUSY (a port already), ELOOP (a bridge), EINVAL (lo, not an Ethernet), EOPNOTSUPP, EPERM.
    pub fn add_port(&self, bridge: &[u8], port_index: i32) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRADDIF, &mut Ifreq::named(bridge).with_int(port_index))
            .or_else(|_| ioctl::bridge_set(control, bridge, Old::AddIf, port_index as u64, 0))
    }

    /// Releases the port with this index from the bridge.
    ///
    /// # Errors
    /// ENODEV (no such bridge), EINVAL (not its port), EOPNOTSUPP, EPERM.
    pub fn delete_port(&self, bridge: &[u8], port_index: i32) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRDELIF, &mut Ifreq::named(bridge).with_int(port_index))
            .or_else(|_| ioctl::bridge_set(control, bridge, Old::DelIf, port_index as u64, 0))
    }

    /// Sets a value of a bridge.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge), ERANGE, EPERM: those of the ioctl, which is tried when /sys refuses.
    pub fn set_bridge(&self, bridge: &[u8], setting: BridgeSetting, value: u64) -> Result<()> {
        if let Some(device) = self.device(bridge)
            && device.write_file(setting.file, format!("{value}\n")).is_ok()
        {
            return Ok(());
        }
        ioctl::bridge_set(self.control()?, bridge, setting.old, value, 0)
    }

    /// Sets a value of a port. By /sys the bridge does not matter: a port has only one.
    ///
    /// # Errors
    /// ENODEV (no such port or bridge), EOPNOTSUPP (no bridge, or no ioctl for this value), ERANGE, EPERM. Where the interface
    /// is no port of this bridge, the errno of the attempt by /sys: ENOENT, as a rule.
    pub fn set_port(&self, bridge: &[u8], port: &[u8], setting: PortSetting, value: u64) -> Result<()> {
        let refused = match self.device(port) {
            Some(device) => match device.write_file(setting.file, format!("{value}\n")) {
                Ok(()) => return Ok(()),
                Err(error) => errno(error),
            },
            None => Errno::ENOENT,
        };
        let number = self.port_number(bridge, port)?.ok_or(refused)?;
        let old = setting.old.ok_or(Errno::EOPNOTSUPP)?;
        ioctl::bridge_set(self.control()?, bridge, old, number.into(), value)
    }
}

/// Looking.
impl Kernel {
    /// All bridges: in the order of `strcmp` by /sys, in the kernel's own by ioctl.
    ///
    /// # Errors
    /// Those of SIOCGIFBR, which is asked where /sys shows no bridge.
    pub fn bridges(&self) -> Result<Vec<OsString>> {
        let mut by_sysfs = self.sysfs_names().unwrap_or_default();
        by_sysfs
            .retain(|name| self.device(name.as_bytes()).is_some_and(|device| device.path().join("bridge").is_dir()));
        if !by_sysfs.is_empty() {
            by_sysfs.sort_unstable();
            return Ok(by_sysfs);
        }
        ioctl::bridge_indexes(self.control()?)?.into_iter().map(|index| self.link_name(index)).collect()
    }

    /// Whether there is a bridge of this name.
    pub fn is_bridge(&self, name: &[u8]) -> bool {
        self.bridge_head(name).is_ok()
    }

    /// Identity of a bridge, and whether it makes a spanning tree: what a list of bridges shows, for two reads.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge).
    pub fn bridge_head(&self, bridge: &[u8]) -> Result<(BridgeId, bool)> {
        if let Some(device) = self.device(bridge)
            && let Some(id) = device.text("bridge/bridge_id")
        {
            return Ok((id.parse().unwrap_or_default(), Files(&device).flag("bridge/stp_state")));
        }
        let info = BridgeInfo::from_ioctl(&ioctl::bridge_info(self.control()?, bridge)?);
        Ok((info.id, info.stp_enabled))
    }

    /// All that is known of a bridge.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge).
    pub fn bridge_info(&self, bridge: &[u8]) -> Result<BridgeInfo> {
        match self.device(bridge) {
            Some(device) if device.path().join("bridge").is_dir() => Ok(BridgeInfo::from_files(&device)),
            _ => Ok(BridgeInfo::from_ioctl(&ioctl::bridge_info(self.control()?, bridge)?)),
        }
    }

    /// The ports of a bridge: in the order of `strcmp` by /sys, in that of their numbers by ioctl.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge).
    pub fn ports(&self, bridge: &[u8]) -> Result<Vec<OsString>> {
        if let Some(device) = self.device(bridge)
            && let Ok(names) = sysfs::sorted_names(&device.path().join("brif"))
        {
            return Ok(names);
        }
        let indexes = ioctl::port_indexes(self.control()?, bridge)?;
        // a port that vanishes in between is no port any more
        Ok(indexes.into_iter().filter(|&index| index != 0).filter_map(|index| self.link_name(index).ok()).collect())
    }

    /// All that is known of a port.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge), EINVAL (not a port of it).
    pub fn port_info(&self, bridge: &[u8], port: &[u8]) -> Result<PortInfo> {
        if let Some(device) = self.device(port)
            && device.path().join("brport").is_dir()
        {
            return Ok(PortInfo::from_files(&device));
        }
        let number = self.port_number(bridge, port)?.ok_or(Errno::EINVAL)?;
        Ok(PortInfo::from_ioctl(number, &ioctl::port_info(self.control()?, bridge, number)?))
    }

    /// The number that an interface has as a port of this bridge.
    fn port_number(&self, bridge: &[u8], port: &[u8]) -> Result<Option<u32>> {
        let index = self.link_index(port)?;
        let indexes = ioctl::port_indexes(self.control()?, bridge)?;
        Ok(indexes.into_iter().position(|listed| listed == index).map(|number| number as u32))
    }

    /// The forwarding table of a bridge, in the kernel's order.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge), EAGAIN (it kept changing).
    pub fn forwarding_table(&self, bridge: &[u8]) -> Result<Vec<FdbEntry>> {
        if let Some(device) = self.device(bridge)
            && let Ok(table) = device.forwarding_table()
        {
            return Ok(table);
        }
        let control = self.control()?;
        let mut table = Vec::new();
        loop {
            let mut page = [[0; FDB_ENTRY]; 4096 / FDB_ENTRY];
            let read = || ioctl::fdb_entries(control, bridge, table.len(), &mut page);
            match retry_again(read)? {
                0 => return Ok(table),
                count => table.extend(page[..count].iter().copied().map(FdbEntry)),
            }
        }
    }
}

/// As bridge-utils: up to ten tries while the kernel says that the table is being changed.
fn retry_again<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..9 {
        match call() {
            Err(Errno::EAGAIN) => (),
            other => return other,
        }
    }
    call()
}

impl Device {
    /// The records of `brforward`. The kernel gives at most a page to each read, cut to whole records.
    fn forwarding_table(&self) -> std::io::Result<Vec<FdbEntry>> {
        use std::io::Read;
        let mut file = std::fs::File::open(self.path().join("brforward"))?;
        let mut table = Vec::new();
        let mut page = [0; 4096];
        loop {
            let length = file.read(&mut page)?;
            if length < FDB_ENTRY {
                return Ok(table);
            }
            table.extend(page[..length].chunks_exact(FDB_ENTRY).map(|record| {
                let mut entry = [0; FDB_ENTRY];
                entry.copy_from_slice(record);
                FdbEntry(entry)
            }));
        }
    }
}
