//! Values of links for which there is no ioctl: files under /sys/class/net/NAME.

use std::ffi::OsString;
use std::io::ErrorKind;

use crate::kernel::file::{exists, read_page};
use crate::kernel::handle::Kernel;
use crate::kernel::result::{Result, errno};
use sysfs_class::SysClass;

/// A value of a link by its file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFile(pub &'static str);

impl LinkFile {
    /// The administrator's description of the link, of 255 bytes at most. Linux 2.6.29 and later.
    pub const ALIAS: Self = LinkFile("ifalias");
    /// Number of the interface group. Linux 2.6.39 and later.
    pub const GROUP: Self = LinkFile("netdev_group");
    /// Whether there is a carrier: 0 or 1; readable of a link that is up. Some drivers, such as dummy's, can be told. Linux 3.9
    /// and later.
    pub const CARRIER: Self = LinkFile("carrier");
    /// Whether a protocol keeps the link down: 0 or 1. Linux 4.3 and later.
    pub const PROTO_DOWN: Self = LinkFile("proto_down");
    /// Packets that may wait to be sent; the only way to set numbers over 2^31.
    pub const QUEUE_LENGTH: Self = LinkFile("tx_queue_len");
    /// Bytes of a hardware address. Read only.
    pub const ADDRESS_LENGTH: Self = LinkFile("addr_len");
    /// Where the backend of a guest's interface is in xenstore, such as `backend/vif/1/0`. Made by netback; read only.
    pub const XENBUS_NODE: Self = LinkFile("device/nodename");
}

impl Kernel {
    /// Returns what a file of a link holds, without its line end. `None` without /sys of this namespace, and where the link or
    /// the kernel has no such file.
    pub fn link_file(&self, link: &[u8], file: LinkFile) -> Option<String> {
        self.listed_folder(link)?.text(file.0)
    }

    /// Returns what a file of a link holds, as [`Kernel::link_file`] does, or why it cannot be read.
    ///
    /// # Errors
    /// Those of open(2) and read(2) but ENOENT: EMFILE, EACCES.
    pub fn read_link_file(&self, link: &[u8], file: LinkFile) -> Result<Option<String>> {
        let Some(device) = self.device(link) else { return Ok(None) };
        match read_page(&device.path().join(file.0)) {
            Ok(text) => Ok(Some(text.trim_end_matches('\n').into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(errno(error)),
        }
    }

    /// Returns the last part of what a symbolic link among the files of a link leads to.
    pub fn link_target(&self, link: &[u8], file: LinkFile) -> Option<OsString> {
        self.listed_folder(link)?.link(file.0)
    }

    /// Whether /sys is this namespace's and has this file of the link.
    pub fn has_link_file(&self, link: &[u8], file: LinkFile) -> bool {
        self.device(link).is_some_and(|device| exists(&device.path().join(file.0)))
    }
}
