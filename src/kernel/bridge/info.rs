//! States of bridges and ports, from files of /sys or from structures of the ioctls.

use crate::kernel::ioctl::{self, Device};
use crate::net::{BridgeId, ClockTime};

/// State of a bridge (`struct __bridge_info`, or the files of `bridge/`).
#[derive(Clone, Debug, Default)]
pub struct BridgeInfo {
    /// The bridge's own identifier.
    pub id: BridgeId,
    /// Identifier of the root of the spanning tree.
    pub designated_root: BridgeId,
    /// Cost of the path to the root.
    pub root_path_cost: u32,
    /// Number of the port towards the root; 0 on the root itself.
    pub root_port: u16,
    /// Age at which a message is dropped, as the root sets it.
    pub max_age: ClockTime,
    /// Time between the root's hellos, as the root sets it.
    pub hello_time: ClockTime,
    /// Time for which a port listens, and learns, before it forwards, as the root sets it.
    pub forward_delay: ClockTime,
    /// The value of `max_age` that this bridge would set as the root.
    pub bridge_max_age: ClockTime,
    /// The value of `hello_time` that this bridge would set as the root.
    pub bridge_hello_time: ClockTime,
    /// The value of `forward_delay` that this bridge would set as the root.
    pub bridge_forward_delay: ClockTime,
    /// Time after which an address without traffic is forgotten.
    pub ageing_time: ClockTime,
    /// Time until the next hello.
    pub hello_timer: ClockTime,
    /// Time until the next notification of a topology change is sent to the root.
    pub tcn_timer: ClockTime,
    /// Time for which the root still announces a topology change.
    pub topology_change_timer: ClockTime,
    /// Time until old addresses are looked for.
    pub gc_timer: ClockTime,
    /// Whether the spanning tree protocol is on.
    pub stp_enabled: bool,
    /// The root announces a topology change.
    pub topology_change: bool,
    /// This bridge has detected a topology change.
    pub topology_change_detected: bool,
}

/// Port states of IEEE 802.1D in the kernel's numbers (linux/if_bridge.h, `BR_STATE_*`).
pub mod port_state {
    /// Switched off, or without a carrier.
    pub const DISABLED: u8 = 0;
    /// Waits for a forward delay to hear other bridges.
    pub const LISTENING: u8 = 1;
    /// Waits for another forward delay to learn the addresses behind it.
    pub const LEARNING: u8 = 2;
    /// Forwards frames.
    pub const FORWARDING: u8 = 3;
    /// The spanning tree uses another path.
    pub const BLOCKING: u8 = 4;
    /// Names of the states, as bridge-utils has them.
    pub const NAMES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];
}

/// State of a port (`struct __port_info`, or the files of `brport/`).
#[derive(Clone, Debug, Default)]
pub struct PortInfo {
    /// The port's number in its bridge.
    pub number: u32,
    /// Priority and number in one.
    pub id: u16,
    /// One of [`port_state`].
    pub state: u8,
    /// Cost of a path through the port.
    pub path_cost: u32,
    /// Root of the tree, as last heard here.
    pub designated_root: BridgeId,
    /// Identifier of the bridge that forwards for this segment.
    pub designated_bridge: BridgeId,
    /// That bridge's port id.
    pub designated_port: u16,
    /// That bridge's cost to the root.
    pub designated_cost: u32,
    /// Time until the last message heard here is dropped.
    pub message_age_timer: ClockTime,
    /// Time until the next state of a port that listens or learns.
    pub forward_delay_timer: ClockTime,
    /// Time until the next configuration message may be sent.
    pub hold_timer: ClockTime,
    /// A configuration message waits for the hold timer.
    pub config_pending: bool,
    /// A notification of a topology change has to be acknowledged.
    pub topology_change_ack: bool,
    /// Whether frames may leave by the port they came in: 0 or 1.
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

/// Values of a folder in /sys as bridge-utils reads them: what cannot be read is 0.
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

    /// Reads a `struct __bridge_info` (linux/if_bridge.h).
    pub(super) fn from_ioctl(bytes: &[u8; ioctl::BRIDGE_INFO]) -> Self {
        let time = |at| ClockTime(word(bytes, at).into());
        BridgeInfo {
            designated_root: bridge_id(bytes, 0),
            id: bridge_id(bytes, 8),
            root_path_cost: word(bytes, 16),
            max_age: time(20),
            hello_time: time(24),
            forward_delay: time(28),
            // these three come in ticks of the kernel, whatever its clock, and brctl prints them so
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

    /// Reads a `struct __port_info` (linux/if_bridge.h).
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
