//! The states of bridges and ports.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use sysfs_class::SysClass;

use super::info::{BridgeInfo, Files, PortInfo};
use crate::kernel::file::exists;
use crate::kernel::handle::{Kernel, Source};
use crate::kernel::ioctl;
use crate::kernel::result::Result;
use crate::net::BridgeId;

impl Kernel {
    /// Whether there is a bridge of this name.
    pub fn is_bridge(&self, name: &[u8]) -> bool {
        self.bridge_head(name).is_ok()
    }

    /// Returns the identifier of a bridge, and whether its spanning tree protocol is on: what a list of bridges shows, for two
    /// reads.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (not a bridge).
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
        let by_sysfs = || {
            let device = self.device(bridge).filter(|device| exists(&device.path().join("bridge")))?;
            Some(BridgeInfo::from_files(&device))
        };
        match source {
            Source::Sysfs => by_sysfs().map_or_else(|| self.bridge_info_by_ioctl(bridge), Ok),
            Source::Ioctl => self.bridge_info_by_ioctl(bridge).or_else(|errno| by_sysfs().ok_or(errno)),
        }
    }

    fn bridge_info_by_ioctl(&self, bridge: &[u8]) -> Result<BridgeInfo> {
        if let Some(answers) = &self.answers {
            return answers.bridge(bridge).map(|bridge| bridge.info.clone());
        }
        Ok(BridgeInfo::from_ioctl(&ioctl::bridge_info(self.control()?, bridge)?))
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
            && let Ok(infos) = self.port_infos_by_ioctl(bridge)
        {
            return Ok(infos);
        }
        let ports = self.ports(bridge, Source::Sysfs)?;
        let indexes = self.control().and_then(|control| ioctl::port_indexes(control, bridge)).unwrap_or_default();
        let info = |port: OsString| self.port_info(bridge, port.as_bytes(), &indexes).map(|info| (port, info));
        Ok(ports.into_iter().filter_map(info).collect())
    }

    /// The state of one port, by the ioctl and the file of hairpin mode, or by all its files. The indexes are those of the
    /// bridge's ports.
    fn port_info(&self, bridge: &[u8], port: &[u8], indexes: &[i32]) -> Option<PortInfo> {
        let device = self.device(port);
        let number = self.link_index(port).ok().and_then(|index| number_of(indexes, index));
        if let Some(number) = number
            && let Ok(bytes) = self.control().and_then(|control| ioctl::port_info(control, bridge, number))
        {
            let hairpin_mode = device.and_then(|device| device.number("brport/hairpin_mode")).unwrap_or(0) as u32;
            return Some(PortInfo { hairpin_mode, ..PortInfo::from_ioctl(number, &bytes) });
        }
        let device = device.filter(|device| exists(&device.path().join("brport")))?;
        Some(PortInfo::from_files(&device))
    }

    fn port_infos_by_ioctl(&self, bridge: &[u8]) -> Result<Vec<(OsString, PortInfo)>> {
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
}

/// The number under which a port's index is listed.
pub(super) fn number_of(indexes: &[i32], index: i32) -> Option<u32> {
    indexes.iter().position(|&listed| listed == index).map(|number| number as u32)
}
