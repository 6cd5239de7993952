//! Setting values of links: by the ioctls that have always been there, and by files of /sys for what came after them.

use nix::errno::Errno;

use super::file::LinkFile;
use super::info::flag;
use crate::kernel::handle::Kernel;
use crate::kernel::ioctl::{self, EthtoolCommand, Ifreq, Request};
use crate::kernel::result::Result;

/// Bytes of a hardware address that fit into a `struct sockaddr`. InfiniBand's have more.
const LONGEST_ADDRESS: usize = 14;

/// A value of a link that can be set, and what it is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSetting<'a> {
    /// The flags of `mask` are set to those of `set` (see [`flag`]). The kernel is asked for nothing if they already are.
    Flags {
        /// Their values.
        set: u32,
        /// Which flags are meant.
        mask: u32,
    },
    /// Another name. `%d` in it stands for the first free number.
    Name(&'a [u8]),
    /// Bytes that a frame may carry.
    Mtu(i32),
    /// Packets that may wait to be sent.
    QueueLength(u32),
    /// The hardware address, of the device's length.
    Address(&'a [u8]),
    /// The hardware address of frames to all hosts. Bytes beyond the device's length are ignored.
    Broadcast(&'a [u8]),
    /// Whether the device makes the checksums of what it sends (`ethtool -K NAME tx`). One that leads to a guest makes none.
    TxChecksum(bool),
    /// A file of /sys.
    File(LinkFile, &'a [u8]),
}

impl LinkSetting<'_> {
    /// Switches a link on.
    pub const UP: Self = LinkSetting::Flags { set: flag::UP, mask: flag::UP };
    /// Switches a link off.
    pub const DOWN: Self = LinkSetting::Flags { set: 0, mask: flag::UP };
}

impl Kernel {
    /// Sets a value of a link.
    ///
    /// # Errors
    /// ENODEV, EPERM, and what the driver answers. Further:
    /// - a name: EEXIST, EINVAL (not a name), EBUSY (the link is up, on old kernels);
    /// - an mtu: EINVAL (out of the device's range);
    /// - a queue length: EPERM also in a user namespace, ENOENT (over 2^31, without /sys);
    /// - a hardware address: EADDRNOTAVAIL (a group's address, or zero), EOPNOTSUPP, EBUSY, ERANGE (over 14 bytes);
    /// - checksums: EOPNOTSUPP (the driver cannot);
    /// - a file: ENOENT (there is none, or /sys shows another namespace), EROFS (off `/`), EACCES.
    pub fn set_link(&self, name: &[u8], setting: LinkSetting) -> Result<()> {
        let request = Ifreq::named(name);
        match setting {
            LinkSetting::Flags { set, mask } => self.set_flags(name, set, mask),
            LinkSetting::Name(new_name) => self.send(request.with_new_name(new_name), ioctl::SIOCSIFNAME),
            LinkSetting::Mtu(mtu) => self.send(request.with_int(mtu), ioctl::SIOCSIFMTU),
            LinkSetting::QueueLength(length) => match i32::try_from(length) {
                Ok(length) => self.send(request.with_int(length), ioctl::SIOCSIFTXQLEN),
                Err(_) => self.write_link_file(name, LinkFile::QUEUE_LENGTH, length.to_string().as_bytes()),
            },
            LinkSetting::Address(address) => self.set_hardware(name, address, ioctl::SIOCSIFHWADDR),
            LinkSetting::Broadcast(address) => self.set_hardware(name, address, ioctl::SIOCSIFHWBROADCAST),
            LinkSetting::TxChecksum(on) => {
                ioctl::ethtool(self.control()?, name, EthtoolCommand::SetTxChecksum, on).map(drop)
            }
            LinkSetting::File(file, value) => self.write_link_file(name, file, value),
        }
    }

    fn set_flags(&self, name: &[u8], set: u32, mask: u32) -> Result<()> {
        let before = self.link_flags(name)?;
        match (before & !mask) | (set & mask) {
            after if after == before => Ok(()),
            after => self.send(Ifreq::named(name).with_flags(after as u16), ioctl::SIOCSIFFLAGS),
        }
    }

    fn set_hardware(&self, name: &[u8], address: &[u8], request: Request<Ifreq>) -> Result<()> {
        let hw_type = self.hardware(name)?.hw_type;
        if address.len() > LONGEST_ADDRESS {
            return Err(Errno::ERANGE);
        }
        self.send(Ifreq::named(name).with_hardware_address(hw_type, address), request)
    }

    fn write_link_file(&self, name: &[u8], file: LinkFile, value: &[u8]) -> Result<()> {
        if !self.is_running() {
            return Err(Errno::EROFS);
        }
        let device = self.device(name).ok_or(Errno::ENOENT)?;
        self.write(&device, file.0, value)
    }

    fn send(&self, mut request: Ifreq, number: Request<Ifreq>) -> Result<()> {
        ioctl::call(self.control()?, number, &mut request)
    }
}
