//! Bridges and their ports: by /sys/class/net where it can be trusted, else by the bridge's ioctls, old and older.

mod by_ioctl;
mod info;
mod table;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use sysfs_class::SysClass;

use super::ioctl::{self, BrctlCommand, Ifreq};
use super::sysfs::exists;
use super::{Kernel, Result, Source, Sysfs, sysfs};
use crate::net::BridgeId;
use info::Files;
pub use info::{BridgeInfo, PortInfo, port_state};
pub use table::FdbEntry;

/// A value of a bridge that can be set: its file under `bridge/` and its command of the old ioctl.
#[derive(Clone, Copy, Debug)]
pub struct BridgeSetting {
    file: &'static str,
    old: BrctlCommand,
}

impl BridgeSetting {
    /// Spanning tree protocol: 0 off, 1 on.
    pub const STP_STATE: Self = Self { file: "bridge/stp_state", old: BrctlCommand::SetStpState };
    /// Clock ticks ([`ClockTime`]) for which a port listens and learns before it forwards.
    pub const FORWARD_DELAY: Self = Self { file: "bridge/forward_delay", old: BrctlCommand::SetForwardDelay };
    /// Clock ticks between the root bridge's hellos.
    pub const HELLO_TIME: Self = Self { file: "bridge/hello_time", old: BrctlCommand::SetHelloTime };
    /// Clock ticks after which a message without successor is forgotten.
    pub const MAX_AGE: Self = Self { file: "bridge/max_age", old: BrctlCommand::SetMaxAge };
    /// Clock ticks after which a learnt address without traffic is forgotten.
    pub const AGEING_TIME: Self = Self { file: "bridge/ageing_time", old: BrctlCommand::SetAgeingTime };
    /// Priority in the election of the root bridge, 0 to 65535.
    pub const PRIORITY: Self = Self { file: "bridge/priority", old: BrctlCommand::SetBridgePriority };
}

/// A value of a port that can be set: its file under `brport/` and its command of the old ioctl, if it ever had one.
#[derive(Clone, Copy, Debug)]
pub struct PortSetting {
    file: &'static str,
    old: Option<BrctlCommand>,
}

impl PortSetting {
    /// Cost of a path through the port, 1 to 65535.
    pub const PATH_COST: Self = Self { file: "brport/path_cost", old: Some(BrctlCommand::SetPathCost) };
    /// Priority of the port, 0 to 63.
    pub const PRIORITY: Self = Self { file: "brport/priority", old: Some(BrctlCommand::SetPortPriority) };
    /// Whether frames may leave by the port they came in: 0 off, 1 on. Linux 2.6.32 and later, by /sys only.
    pub const HAIRPIN_MODE: Self = Self { file: "brport/hairpin_mode", old: None };
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
            .or_else(|_| ioctl::siocsifbr(control, BrctlCommand::AddBridge, bridge))
    }

    /// Deletes a bridge, which must be down; its ports are released.
    ///
    /// # Errors
    /// ENXIO (no such interface), EBUSY (up), EPERM (not root, or not a bridge).
    pub fn delete_bridge(&self, bridge: &[u8]) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRDELBR, &mut ioctl::kernel_name(bridge))
            .or_else(|_| ioctl::siocsifbr(control, BrctlCommand::DelBridge, bridge))
    }

    /// Makes the interface with this index a port of the bridge.
    ///
    /// # Errors
    /// ENODEV (no such bridge), EBUSY (a port already), ELOOP (a bridge), EINVAL (lo, not an Ethernet), EOPNOTSUPP, EPERM.
    pub fn add_port(&self, bridge: &[u8], port_index: i32) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRADDIF, &mut Ifreq::named(bridge).with_int(port_index))
            .or_else(|_| ioctl::bridge_set(control, bridge, BrctlCommand::AddIf, port_index as u64, 0))
    }

    /// Releases the port with this index from the bridge.
    ///
    /// # Errors
    /// ENODEV (no such bridge), EINVAL (not its port), EOPNOTSUPP, EPERM.
    pub fn delete_port(&self, bridge: &[u8], port_index: i32) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRDELIF, &mut Ifreq::named(bridge).with_int(port_index))
            .or_else(|_| ioctl::bridge_set(control, bridge, BrctlCommand::DelIf, port_index as u64, 0))
    }

    /// Sets a value of a bridge: by the old ioctl, which reaches this namespace's bridge whatever /sys shows, and takes one call;
    /// by /sys where there is no such ioctl (a 32-bit program on a 64-bit kernel, a kernel that has given it up). Both lead to
    /// the same function of the kernel. bridge-utils tries them the other way round.
    ///
    /// # Errors
    /// Those of the ioctl: ENODEV, EOPNOTSUPP (no bridge), ERANGE, EPERM.
    pub fn set_bridge(&self, bridge: &[u8], setting: BridgeSetting, value: u64) -> Result<()> {
        let refused = match ioctl::bridge_set(self.control()?, bridge, setting.old, value, 0) {
            Err(errno @ (Errno::EOPNOTSUPP | Errno::ENOTTY | Errno::EINVAL)) => errno,
            other => return other,
        };
        let device = self.device(bridge).ok_or(refused)?;
        self.write_number(&device, setting.file, value).map_err(|_| refused)
    }

    /// Sets a value of a port.
    ///
    /// [`Source::Sysfs`] does not look at the bridge, for a port has only one, and falls back on the ioctl. [`Source::Ioctl`]
    /// does not fall back; it succeeds without a change where the interface is not a port of the bridge, as bridge-utils 1.0.6.
    ///
    /// # Errors
    /// ENODEV (no such port or bridge), EOPNOTSUPP (no bridge, or no ioctl for this value), ERANGE, EPERM. Where the interface
    /// is not a port of this bridge, the errno of the attempt by /sys: ENOENT, as a rule.
    pub fn set_port(&self, bridge: &[u8], port: &[u8], setting: PortSetting, value: u64, source: Source) -> Result<()> {
        match source {
            Source::Sysfs => self.set_port_by_sysfs(bridge, port, setting, value),
            Source::Ioctl => self.set_port_by_ioctl(bridge, port, setting, value).map(drop),
        }
    }

    fn set_port_by_sysfs(&self, bridge: &[u8], port: &[u8], setting: PortSetting, value: u64) -> Result<()> {
        let refused = match self.device(port) {
            Some(device) => match self.write_number(&device, setting.file, value) {
                Ok(()) => return Ok(()),
                Err(errno) => errno,
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
    /// Returns the names of all bridges. /sys that shows none is not believed: the ioctl has the last word.
    ///
    /// # Errors
    /// Those of SIOCGIFBR: ENOPKG or EINVAL (the kernel has no bridges), ENODEV off `/`.
    pub fn bridges(&self, source: Source) -> Result<Vec<OsString>> {
        if source == Source::Ioctl
            && let Ok(bridges) = self.bridges_as_made()
        {
            return Ok(bridges);
        }
        match self.bridges_in_sysfs() {
            none if none.is_empty() => self.bridges_as_made(),
            bridges => Ok(bridges),
        }
    }

    /// Returns the names of all bridges without making the kernel load its bridge module: where /sys shows this namespace, it is
    /// believed that there is none.
    ///
    /// # Errors
    /// As [`Kernel::bridges`].
    pub fn bridges_seen(&self) -> Result<Vec<OsString>> {
        match self.sysfs() {
            Sysfs::Own => Ok(self.bridges_in_sysfs()),
            _ => self.bridges_as_made(),
        }
    }

    fn bridges_in_sysfs(&self) -> Vec<OsString> {
        let mut names = self.sysfs_names().unwrap_or_default();
        names.retain(|name| self.device(name.as_bytes()).is_some_and(|device| exists(&device.path().join("bridge"))));
        names.sort();
        names
    }

    /// Whether the frames on a bridge are shown to the IPv4 (or IPv6) firewall: what is set for all bridges, and for this one.
    /// Nothing where the kernel cannot do that.
    pub fn shows_frames_to_firewall(&self, bridge: &[u8], v6: bool) -> Option<[bool; 2]> {
        let name = if v6 { "ip6tables" } else { "iptables" };
        let all = self.text(&["/proc/sys/net/bridge/bridge-nf-call-", name].concat()).ok().map(|text| text != "0");
        let own = self.device(bridge).and_then(|device| device.number(&["bridge/nf_call_", name].concat()));
        // without br_netfilter the bridge's own value does nothing
        all.map(|all| [all, own.is_some_and(|own| own != 0)])
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
        let info = self.bridge_info_by_ioctl(bridge)?;
        Ok((info.id, info.stp_enabled))
    }

    /// Returns the state of a bridge. One ioctl returns what /sys has in seventeen files.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (not a bridge).
    pub fn bridge_info(&self, bridge: &[u8], source: Source) -> Result<BridgeInfo> {
        if source == Source::Ioctl
            && let Ok(info) = self.bridge_info_by_ioctl(bridge)
        {
            return Ok(info);
        }
        match self.device(bridge) {
            Some(device) if exists(&device.path().join("bridge")) => Ok(BridgeInfo::from_files(&device)),
            _ => self.bridge_info_by_ioctl(bridge),
        }
    }

    /// Returns the names of a bridge's ports: in the order of strcmp(3) by /sys, by port number by ioctl.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (not a bridge).
    pub fn ports(&self, bridge: &[u8], source: Source) -> Result<Vec<OsString>> {
        if source == Source::Ioctl
            && let Ok(ports) = self.ports_by_number(bridge)
        {
            return Ok(ports);
        }
        if let Some(device) = self.device(bridge)
            && let Ok(names) = sysfs::sorted_names(&device.path().join("brif"))
        {
            return Ok(names);
        }
        self.ports_by_number(bridge)
    }

    /// Returns the ports of a bridge with their states, in the order of [`Kernel::ports`].
    ///
    /// One ioctl returns what /sys has in fourteen files a port, except hairpin mode, which came later: [`Source::Sysfs`] adds
    /// it, [`Source::Ioctl`] leaves it 0. A port that has gone in the meantime is left out.
    ///
    /// # Errors
    /// As [`Kernel::ports`].
    pub fn port_infos(&self, bridge: &[u8], source: Source) -> Result<Vec<(OsString, PortInfo)>> {
        if source == Source::Ioctl
            && let Ok(infos) = self.port_infos_by_number(bridge)
        {
            return Ok(infos);
        }
        let ports = self.ports(bridge, Source::Sysfs)?;
        let indexes = self.control().and_then(|control| ioctl::port_indexes(control, bridge)).unwrap_or_default();
        let info = |port: OsString| {
            let device = self.device(port.as_bytes());
            let number = self.link_index(port.as_bytes()).ok().and_then(|index| place_of(&indexes, index));
            let by_ioctl =
                number.and_then(|number| Some((number, ioctl::port_info(self.control().ok()?, bridge, number).ok()?)));
            let info = match (by_ioctl, device) {
                (Some((number, bytes)), device) => {
                    let hairpin_mode = device.and_then(|device| device.number("brport/hairpin_mode"));
                    PortInfo { hairpin_mode: hairpin_mode.unwrap_or(0) as u32, ..PortInfo::from_ioctl(number, &bytes) }
                }
                (None, Some(device)) if exists(&device.path().join("brport")) => PortInfo::from_files(&device),
                (None, _) => return None,
            };
            Some((port, info))
        };
        Ok(ports.into_iter().filter_map(info).collect())
    }

    /// The number that an interface has as a port of this bridge.
    fn port_number(&self, bridge: &[u8], port: &[u8]) -> Result<Option<u32>> {
        let index = self.link_index(port)?;
        let indexes = ioctl::port_indexes(self.control()?, bridge)?;
        Ok(place_of(&indexes, index))
    }
}

/// The number under which a port is listed.
fn place_of(indexes: &[i32], index: i32) -> Option<u32> {
    indexes.iter().position(|&listed| listed == index).map(|number| number as u32)
}
