//! Creating and deleting bridges, attaching and releasing ports, setting their values.

use nix::errno::Errno;

use super::state::number_of;
use crate::kernel::handle::{Kernel, Source};
use crate::kernel::ioctl::{self, BrctlCommand, Ifreq};
use crate::kernel::result::Result;

/// A value of a bridge that can be set: its file under `bridge/` and its command of the first ioctl interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgeSetting {
    file: &'static str,
    command: BrctlCommand,
}

impl BridgeSetting {
    /// Spanning tree protocol: 0 off, 1 on.
    pub const STP_STATE: Self = Self { file: "bridge/stp_state", command: BrctlCommand::SetStpState };
    /// Clock ticks ([`crate::net::ClockTime`]) for which a port listens, and learns, before it forwards.
    pub const FORWARD_DELAY: Self = Self { file: "bridge/forward_delay", command: BrctlCommand::SetForwardDelay };
    /// Clock ticks between the root bridge's hellos.
    pub const HELLO_TIME: Self = Self { file: "bridge/hello_time", command: BrctlCommand::SetHelloTime };
    /// Clock ticks after which a message that nothing replaces is dropped.
    pub const MAX_AGE: Self = Self { file: "bridge/max_age", command: BrctlCommand::SetMaxAge };
    /// Clock ticks after which a learnt address without traffic is forgotten.
    pub const AGEING_TIME: Self = Self { file: "bridge/ageing_time", command: BrctlCommand::SetAgeingTime };
    /// Priority in the election of the root bridge, 0 to 65535.
    pub const PRIORITY: Self = Self { file: "bridge/priority", command: BrctlCommand::SetBridgePriority };
}

/// A value of a port that can be set: its file under `brport/` and its command of the first ioctl interface, if that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSetting {
    file: &'static str,
    command: Option<BrctlCommand>,
}

impl PortSetting {
    /// Cost of a path through the port, 1 to 65535.
    pub const PATH_COST: Self = Self { file: "brport/path_cost", command: Some(BrctlCommand::SetPathCost) };
    /// Priority of the port, 0 to 63.
    pub const PRIORITY: Self = Self { file: "brport/priority", command: Some(BrctlCommand::SetPortPriority) };
    /// Whether frames may leave by the port they came in: 0 off, 1 on. Linux 2.6.32 and later, by /sys only.
    pub const HAIRPIN_MODE: Self = Self { file: "brport/hairpin_mode", command: None };
}

impl Kernel {
    /// Creates a bridge. A name over 15 bytes is cut.
    ///
    /// # Errors
    /// EEXIST, EINVAL (not a name), EPERM, ENOPKG (the kernel has no bridges).
    pub fn add_bridge(&self, bridge: &[u8]) -> Result<()> {
        let control = self.control()?;
        ioctl::call(control, ioctl::SIOCBRADDBR, &mut ioctl::kernel_name(bridge))
            .or_else(|_| ioctl::siocsifbr(control, BrctlCommand::AddBridge, bridge))
    }

    /// Deletes a bridge, which must be down. Its ports are released.
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

    /// Sets a value of a bridge: by the first ioctl interface, which reaches this namespace's bridge whatever /sys shows, and takes
    /// one call; by /sys where there is no such ioctl (a 32-bit program on a 64-bit kernel, a kernel that has dropped it). Both
    /// lead to the same function of the kernel. bridge-utils tries them the other way round.
    ///
    /// # Errors
    /// Those of the ioctl: ENODEV, EOPNOTSUPP (not a bridge), ERANGE, EPERM.
    pub fn set_bridge(&self, bridge: &[u8], setting: BridgeSetting, value: u64) -> Result<()> {
        let refused = match ioctl::bridge_set(self.control()?, bridge, setting.command, value, 0) {
            Err(errno @ (Errno::EOPNOTSUPP | Errno::ENOTTY | Errno::EINVAL)) => errno,
            other => return other,
        };
        let device = self.device(bridge).ok_or(refused)?;
        self.write(&device, setting.file, value.to_string().as_bytes()).map_err(|_| refused)
    }

    /// Sets a value of a port.
    ///
    /// [`Source::Sysfs`] does not look at the bridge, for a port has only one, and falls back on the ioctl. [`Source::Ioctl`]
    /// does not fall back; it succeeds without a change where the interface is not a port of the bridge, as bridge-utils 1.0.6.
    ///
    /// # Errors
    /// ENODEV (no such port or bridge), EOPNOTSUPP (not a bridge, or no ioctl for this value), ERANGE, EPERM. Where the interface
    /// is not a port of this bridge, the errno of the attempt by /sys: ENOENT, as a rule.
    pub fn set_port(&self, bridge: &[u8], port: &[u8], setting: PortSetting, value: u64, source: Source) -> Result<()> {
        let absent = match source {
            Source::Ioctl => Ok(()),
            Source::Sysfs => {
                let device = self.device(port).ok_or(Errno::ENOENT);
                match device.and_then(|device| self.write(&device, setting.file, value.to_string().as_bytes())) {
                    Ok(()) => return Ok(()),
                    refused => refused,
                }
            }
        };
        let index = self.link_index(port)?;
        let control = self.control()?;
        let Some(number) = number_of(&ioctl::port_indexes(control, bridge)?, index) else { return absent };
        let command = setting.command.ok_or(Errno::EOPNOTSUPP)?;
        ioctl::bridge_set(control, bridge, command, number.into(), value)
    }
}
