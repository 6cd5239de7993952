//! What ioctls told on another host: for the readers of its files, which do not tell everything.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::{Address, BridgeInfo, PortInfo, Result};

/// What ioctls told on a host, to be kept beside its files.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Flags of links (SIOCGIFFLAGS). The files of /sys hold others, without RUNNING and with what the kernel has set by itself.
    pub flags: Vec<(OsString, u32)>,
    /// IPv4 addresses in the order of SIOCGIFCONF.
    pub addresses: Vec<Address>,
    /// Bridges in the order of SIOCGIFBR.
    pub bridges: Vec<BridgeAnswers>,
}

/// What ioctls told of a bridge.
#[derive(Clone, Debug, Default)]
pub struct BridgeAnswers {
    /// Its name.
    pub name: OsString,
    /// BRCTL_GET_BRIDGE_INFO
    pub info: BridgeInfo,
    /// BRCTL_GET_PORT_LIST and, of each, BRCTL_GET_PORT_INFO.
    pub ports: Vec<(OsString, PortInfo)>,
}

impl Answers {
    pub(super) fn flags(&self, link: &[u8]) -> Result<u32> {
        let told = self.flags.iter().find(|(name, _)| name.as_bytes() == link);
        told.map(|(_, flags)| *flags).ok_or(Errno::ENODEV)
    }

    pub(super) fn bridge(&self, bridge: &[u8]) -> Result<&BridgeAnswers> {
        self.bridges.iter().find(|told| told.name.as_bytes() == bridge).ok_or(Errno::ENODEV)
    }
}
