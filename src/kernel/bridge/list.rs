//! Which bridges and ports there are.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use sysfs_class::SysClass;

use crate::kernel::file::{exists, names};
use crate::kernel::handle::{Kernel, Source};
use crate::kernel::ioctl;
use crate::kernel::result::Result;
use crate::kernel::sysfs::Sysfs;

impl Kernel {
    /// Returns the names of all bridges: in the order of strcmp(3) by /sys, as they were created by ioctl. /sys that shows none
    /// is not believed: the ioctl has the last word.
    ///
    /// # Errors
    /// Those of SIOCGIFBR: ENOPKG or EINVAL (the kernel has no bridges), ENODEV off `/`.
    pub fn bridges(&self, source: Source) -> Result<Vec<OsString>> {
        let by_sysfs = || Some(self.bridges_by_sysfs()).filter(|bridges| !bridges.is_empty());
        match source {
            Source::Sysfs => by_sysfs().map_or_else(|| self.bridges_by_ioctl(), Ok),
            Source::Ioctl => self.bridges_by_ioctl().or_else(|errno| by_sysfs().ok_or(errno)),
        }
    }

    /// Returns the names of all bridges without making the kernel load its bridge module: where /sys shows this namespace and no
    /// bridge, there is none.
    ///
    /// # Errors
    /// As [`Kernel::bridges`].
    pub fn bridges_seen(&self) -> Result<Vec<OsString>> {
        match self.sysfs() {
            Sysfs::Own => Ok(self.bridges_by_sysfs()),
            _ => self.bridges_by_ioctl(),
        }
    }

    /// Returns the bridge that has this interface as a port; `None` also if there is no such interface. Where /sys cannot tell, the
    /// ioctls are asked; unlike [`Kernel::bridge_of`] this returns why they could not tell either.
    ///
    /// # Errors
    /// Those of SIOCGIFINDEX, SIOCGIFBR and SIOCDEVPRIVATE: EMFILE, EPERM.
    pub fn bridge_of_port(&self, port: &[u8]) -> Result<Option<OsString>> {
        if let Some(device) = self.device(port) {
            match fs::read_link(device.path().join("brport/bridge")) {
                Ok(target) => return Ok(target.file_name().map(OsString::from)),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(_) => (),
            }
        }
        let index = match self.link_index(port) {
            Err(Errno::ENODEV) => return Ok(None),
            index => index?,
        };
        for bridge in self.bridges_by_ioctl()? {
            match ioctl::port_indexes(self.control()?, bridge.as_bytes()) {
                Ok(ports) if ports.contains(&index) => return Ok(Some(bridge)),
                // a bridge that vanishes in between has no port any more
                Ok(_) | Err(Errno::ENODEV) => (),
                Err(errno) => return Err(errno),
            }
        }
        Ok(None)
    }

    fn bridges_by_sysfs(&self) -> Vec<OsString> {
        let mut names = self.sysfs_names().unwrap_or_default();
        names.retain(|name| self.device(name.as_bytes()).is_some_and(|device| exists(&device.path().join("bridge"))));
        names.sort_unstable();
        names
    }

    fn bridges_by_ioctl(&self) -> Result<Vec<OsString>> {
        if let Some(answers) = &self.answers {
            return Ok(answers.bridges.iter().map(|bridge| bridge.name.clone()).collect());
        }
        ioctl::bridge_indexes(self.control()?)?.into_iter().map(|index| self.link_name(index)).collect()
    }

    /// Returns the names of a bridge's ports: in the order of strcmp(3) by /sys, by port number by ioctl.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (not a bridge).
    pub fn ports(&self, bridge: &[u8], source: Source) -> Result<Vec<OsString>> {
        let by_sysfs = || -> Result<Vec<OsString>> {
            let mut ports = names(&self.device(bridge).ok_or(Errno::ENODEV)?.path().join("brif"))?;
            ports.sort_unstable();
            Ok(ports)
        };
        match source {
            Source::Sysfs => by_sysfs().or_else(|_| self.ports_by_ioctl(bridge)),
            Source::Ioctl => self.ports_by_ioctl(bridge).or_else(|errno| by_sysfs().map_err(|_| errno)),
        }
    }

    fn ports_by_ioctl(&self, bridge: &[u8]) -> Result<Vec<OsString>> {
        if let Some(answers) = &self.answers {
            return answers.bridge(bridge).map(|bridge| bridge.ports.iter().map(|(name, _)| name.clone()).collect());
        }
        let indexes = ioctl::port_indexes(self.control()?, bridge)?;
        // a port that vanishes in between is no port any more
        Ok(indexes.into_iter().filter(|&index| index != 0).filter_map(|index| self.link_name(index).ok()).collect())
    }
}
