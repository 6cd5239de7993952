//! Single questions about a link: one ioctl each.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::info::Hardware;
use crate::kernel::file::os_string;
use crate::kernel::handle::Kernel;
use crate::kernel::ioctl::{self, EthtoolCommand, Ifreq, Request};
use crate::kernel::result::Result;
use crate::net::Mac;

impl Kernel {
    /// Returns the index of the link with this name, which may be an alternative name or a label such as `eth0:1`.
    ///
    /// # Errors
    /// ENODEV; also for names over 15 bytes, which no link has.
    pub fn link_index(&self, name: &[u8]) -> Result<i32> {
        if !self.is_running() {
            let index = self.device(name).and_then(|device| device.number("ifindex"));
            return index.map(|index| index as i32).ok_or(Errno::ENODEV);
        }
        if name.len() >= libc::IFNAMSIZ {
            return Err(Errno::ENODEV);
        }
        self.ask(name, ioctl::SIOCGIFINDEX).map(|answer| answer.int())
    }

    /// Returns the name of the link with this index.
    ///
    /// # Errors
    /// ENODEV (on old kernels), ENXIO.
    pub fn link_name(&self, index: i32) -> Result<OsString> {
        if !self.is_running() {
            let of_index = |name: &OsString| self.link_index(name.as_bytes()) == Ok(index);
            return self.sysfs_names()?.into_iter().find(of_index).ok_or(Errno::ENODEV);
        }
        let mut request = Ifreq::named(b"").with_int(index);
        ioctl::call(self.control()?, ioctl::SIOCGIFNAME, &mut request)?;
        Ok(os_string(request.name()))
    }

    /// Returns the hardware address of an Ethernet interface.
    ///
    /// # Errors
    /// ENODEV.
    pub fn mac(&self, name: &[u8]) -> Result<Mac> {
        self.hardware(name).map(|hardware| hardware.mac())
    }

    /// Returns how many bytes a frame may carry.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link_mtu(&self, name: &[u8]) -> Result<i32> {
        self.ask(name, ioctl::SIOCGIFMTU).map(|answer| answer.int())
    }

    /// Returns the flags that fit into SIOCGIFFLAGS: without [`super::flag::LOWER_UP`] and those after it.
    ///
    /// # Errors
    /// ENODEV.
    pub fn link_flags(&self, name: &[u8]) -> Result<u32> {
        if let Some(answers) = &self.answers {
            return answers.flags(name);
        }
        self.ask(name, ioctl::SIOCGIFFLAGS).map(|answer| answer.short().into())
    }

    /// Returns whether the device makes the checksums of what it sends, so that what leads to a guest carries none.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (its driver does not tell).
    pub fn tx_checksum(&self, name: &[u8]) -> Result<bool> {
        ioctl::ethtool(self.control()?, name, EthtoolCommand::TxChecksum, false)
    }

    pub(in crate::kernel) fn hardware(&self, name: &[u8]) -> Result<Hardware> {
        let answer = self.ask(name, ioctl::SIOCGIFHWADDR)?;
        Ok(Hardware { hw_type: answer.short(), bytes: answer.hardware_address() })
    }

    /// Sends one request about the link of this name.
    pub(in crate::kernel) fn ask(&self, name: &[u8], request: Request<Ifreq>) -> Result<Ifreq> {
        let mut answer = Ifreq::named(name);
        ioctl::call(self.control()?, request, &mut answer)?;
        Ok(answer)
    }
}
