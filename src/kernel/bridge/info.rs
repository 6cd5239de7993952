//! What the kernel tells of bridges and ports, as files of /sys or as structures of the old ioctls.

use crate::kernel::ioctl;
use crate::kernel::sysfs::Device;
use crate::net::{BridgeId, ClockTime};

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

/// Port states of IEEE 802.1D in the kernel's numbers (linux/if_bridge.h, `BR_STATE_*`).
pub mod port_state {
    /// Switched off, or without a carrier.
    pub const DISABLED: u8 = 0;
    /// Waits a forward delay for other bridges to be heard.
    pub const LISTENING: u8 = 1;
    /// Waits as long again to learn who is behind it.
    pub const LEARNING: u8 = 2;
    /// At work.
    pub const FORWARDING: u8 = 3;
    /// The spanning tree has another way.
    pub const BLOCKING: u8 = 4;
    /// Their names, in bridge-utils' words.
    pub const NAMES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];
}

/// What the kernel tells of a port (`struct __port_info`, or the files of `brport/`).
#[derive(Clone, Debug, Default)]
pub struct PortInfo {
    /// The port's number in its bridge.
    pub number: u32,
    /// Number and priority in one.
    pub id: u16,
    /// One of [`port_state`].
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
pub(super) struct Files<'a>(pub(super) &'a Device);

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

    pub(super) fn flag(&self, file: &str) -> bool {
        self.number(file) != 0
    }
}

impl BridgeInfo {
    pub(super) fn from_files(device: &Device) -> Self {
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
    pub(super) fn from_ioctl(bytes: &[u8; ioctl::BRIDGE_INFO]) -> Self {
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
    pub(super) fn from_files(device: &Device) -> Self {
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
    pub(super) fn from_ioctl(number: u32, bytes: &[u8; ioctl::PORT_INFO]) -> Self {
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
