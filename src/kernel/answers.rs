//! What ioctls answered on another host, for the readers of its files, which do not hold everything.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::address::Address;
use super::bridge::{BridgeInfo, PortInfo};
use super::result::Result;

/// What ioctls answered on a host, recorded beside its files.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Flags of links (SIOCGIFFLAGS). The files of /sys hold others, without RUNNING and with what the kernel has set by itself.
    pub flags: Vec<(OsString, u32)>,
    /// IPv4 addresses in the order of SIOCGIFCONF.
    pub addresses: Vec<Address>,
    /// Bridges in the order of SIOCGIFBR.
    pub bridges: Vec<BridgeAnswers>,
}

/// What ioctls answered about a bridge.
#[derive(Clone, Debug, Default)]
pub struct BridgeAnswers {
    /// Its name.
    pub name: OsString,
    /// The answer to BRCTL_GET_BRIDGE_INFO.
    pub info: BridgeInfo,
    /// The answer to BRCTL_GET_PORT_LIST and, for each port, to BRCTL_GET_PORT_INFO.
    pub ports: Vec<(OsString, PortInfo)>,
}

impl Answers {
    pub(super) fn flags(&self, link: &[u8]) -> Result<u32> {
        let recorded = self.flags.iter().find(|(name, _)| name.as_bytes() == link);
        recorded.map(|(_, flags)| *flags).ok_or(Errno::ENODEV)
    }

    pub(super) fn bridge(&self, bridge: &[u8]) -> Result<&BridgeAnswers> {
        self.bridges.iter().find(|recorded| recorded.name.as_bytes() == bridge).ok_or(Errno::ENODEV)
    }
}
