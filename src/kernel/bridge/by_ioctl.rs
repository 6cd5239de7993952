//! Bridges as the ioctls alone tell of them, which was the only way of bridge-utils 1.0.6: in the kernel's own order, and with
//! three times in the kernel's own ticks. Where a kernel has given these ioctls up, /sys tells the rest.

use std::ffi::OsString;

use nix::errno::Errno;

use super::{BridgeInfo, PortInfo, PortSetting, place_of};
use crate::kernel::ioctl;
use crate::kernel::{Kernel, Result};

impl Kernel {
    /// All bridges, in the order in which they were made.
    ///
    /// # Errors
    /// Those of SIOCGIFBR: ENOPKG or EINVAL where the kernel has no bridges.
    pub fn bridges_as_made(&self) -> Result<Vec<OsString>> {
        if let Some(answers) = &self.answers {
            return Ok(answers.bridges.iter().map(|bridge| bridge.name.clone()).collect());
        }
        ioctl::bridge_indexes(self.control()?)?.into_iter().map(|index| self.link_name(index)).collect()
    }

    /// All that is known of a bridge.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge).
    pub fn bridge_info_by_ioctl(&self, bridge: &[u8]) -> Result<BridgeInfo> {
        if let Some(answers) = &self.answers {
            return answers.bridge(bridge).map(|bridge| bridge.info.clone());
        }
        Ok(BridgeInfo::from_ioctl(&ioctl::bridge_info(self.control()?, bridge)?))
    }

    /// The ports of a bridge by their numbers.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge).
    pub fn ports_by_number(&self, bridge: &[u8]) -> Result<Vec<OsString>> {
        if let Some(answers) = &self.answers {
            return answers.bridge(bridge).map(|bridge| bridge.ports.iter().map(|(name, _)| name.clone()).collect());
        }
        let indexes = ioctl::port_indexes(self.control()?, bridge)?;
        // a port that vanishes in between is no port any more
        Ok(indexes.into_iter().filter(|&index| index != 0).filter_map(|index| self.link_name(index).ok()).collect())
    }

    /// The same with all that is known of them, but for hairpin mode, which came later.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge).
    pub fn port_infos_by_number(&self, bridge: &[u8]) -> Result<Vec<(OsString, PortInfo)>> {
        if let Some(answers) = &self.answers {
            return answers.bridge(bridge).map(|bridge| bridge.ports.clone());
        }
        let control = self.control()?;
        let indexes = ioctl::port_indexes(control, bridge)?;
        let info = |(number, &index): (usize, &i32)| {
            let port = self.link_name(index).ok()?;
            let info = ioctl::port_info(control, bridge, number as u32).ok()?;
            Some((port, PortInfo::from_ioctl(number as u32, &info)))
        };
        Ok(indexes.iter().enumerate().filter(|(_, index)| **index != 0).filter_map(info).collect())
    }

    /// Sets a value of a port of this bridge, and of no other; false if the interface is none of its ports.
    ///
    /// # Errors
    /// ENODEV (no such interface or bridge), EOPNOTSUPP (no bridge, or no ioctl for this value), ERANGE, EPERM.
    pub fn set_port_by_ioctl(&self, bridge: &[u8], port: &[u8], setting: PortSetting, value: u64) -> Result<bool> {
        let index = self.link_index(port)?;
        let control = self.control()?;
        let Some(number) = place_of(&ioctl::port_indexes(control, bridge)?, index) else { return Ok(false) };
        let old = setting.old.ok_or(Errno::EOPNOTSUPP)?;
        ioctl::bridge_set(control, bridge, old, number.into(), value).map(|()| true)
    }
}
