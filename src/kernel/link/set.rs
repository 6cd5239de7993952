//! Setting values of links: by the ioctls that have always been there, and by files of /sys for what came after them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use sysfs_class::SysClass;

use super::{ARPHRD_ETHER, ARPHRD_LOOPBACK, flag};
use crate::kernel::ioctl::{self, Ifreq, Request};
use crate::kernel::sysfs::exists;
use crate::kernel::{Kernel, Result, Source, errno, is_path_safe};

/// A value of a link that no ioctl sets: its file under /sys/class/net/NAME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFile(pub &'static str);

impl LinkFile {
    /// What the administrator calls the link besides. Linux 2.6.29 and later.
    pub const ALIAS: Self = LinkFile("ifalias");
    /// Number of the interface group. Linux 2.6.39 and later.
    pub const GROUP: Self = LinkFile("netdev_group");
    /// Whether the driver is to report a carrier: 0 or 1, of a link that is up. Linux 3.9 and later.
    pub const CARRIER: Self = LinkFile("carrier");
    /// Whether a protocol keeps the link down: 0 or 1. Linux 4.3 and later.
    pub const PROTO_DOWN: Self = LinkFile("proto_down");
    /// Packets that may wait to be sent; numbers over 2^31 go this way only.
    pub const QUEUE_LENGTH: Self = LinkFile("tx_queue_len");
    /// Where the backend of a guest's interface is in xenstore, such as `backend/vif/1/0`: read-only, made by netback.
    pub const XENBUS_NODE: Self = LinkFile("device/nodename");
}

/// A value of a link that can be set, and what it is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSetting<'a> {
    /// The flags of `mask` are set to those of `set` (see [`flag`]). The kernel is asked for nothing if they already are.
    Flags {
        /// Values.
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
    /// The hardware address for frames to all. Bytes beyond the device's length are ignored.
    Broadcast(&'a [u8]),
    /// A file under /sys/class/net/NAME, for what no ioctl sets.
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
    /// - a queue length: ENOENT (over 2^31, without /sys);
    /// - a hardware address: EADDRNOTAVAIL (a group's address, or zero), EOPNOTSUPP, EBUSY, ERANGE (over 14 bytes);
    /// - a file: ENOENT (none of this name, or /sys shows another namespace), EROFS (off `/`), EACCES.
    pub fn set_link(&self, name: &[u8], setting: LinkSetting) -> Result<()> {
        match setting {
            LinkSetting::Flags { set, mask } => self.set_link_flags(name, set, mask),
            LinkSetting::Name(new_name) => self.rename_link(name, new_name),
            LinkSetting::Mtu(mtu) => self.set_link_mtu(name, mtu),
            LinkSetting::QueueLength(length) => self.set_queue_length(name, length),
            LinkSetting::Address(address) => self.set_link_address(name, address),
            LinkSetting::Broadcast(address) => self.set_link_broadcast(name, address),
            LinkSetting::File(file, value) => self.set_link_file(name, file, value),
        }
    }

    /// Sets the flags of `mask` to those of `flags`. Nothing is asked of the kernel if they are so already.
    ///
    /// # Errors
    /// ENODEV, EPERM, and what the driver says.
    pub fn set_link_flags(&self, name: &[u8], flags: u32, mask: u32) -> Result<()> {
        let before = self.link_flags(name)?;
        let after = (before & !mask) | (flags & mask);
        if after == before {
            return Ok(());
        }
        self.tell(Ifreq::named(name).with_flags(after as u16), ioctl::SIOCSIFFLAGS)
    }

    /// Switches a link on or off.
    ///
    /// # Errors
    /// As [`Kernel::set_link_flags`].
    pub fn set_link_up(&self, name: &[u8], up: bool) -> Result<()> {
        self.set_link_flags(name, if up { flag::UP } else { 0 }, flag::UP)
    }

    /// Whether this process may change links: the kernel is asked to give the link the name that it has, and says EPERM if not.
    pub fn may_administer(&self, name: &[u8]) -> bool {
        self.rename_link(name, name) != Err(Errno::EPERM)
    }

    /// Gives a link another name. In it, `%d` stands for the first number that is free.
    ///
    /// # Errors
    /// ENODEV, EEXIST, EINVAL (not a name), EPERM, EBUSY (up, on old kernels).
    pub fn rename_link(&self, name: &[u8], new_name: &[u8]) -> Result<()> {
        self.tell(Ifreq::named(name).with_new_name(new_name), ioctl::SIOCSIFNAME)
    }

    /// Sets how many bytes a frame may carry.
    ///
    /// # Errors
    /// ENODEV, EINVAL (more or fewer than the device can), EPERM, and what the driver says.
    pub fn set_link_mtu(&self, name: &[u8], mtu: i32) -> Result<()> {
        self.tell(Ifreq::named(name).with_int(mtu), ioctl::SIOCSIFMTU)
    }

    /// Sets how many packets may wait to be sent.
    ///
    /// # Errors
    /// ENODEV, EPERM (also in a user namespace), ENOENT (a number over 2^31, without /sys).
    pub fn set_queue_length(&self, name: &[u8], length: u32) -> Result<()> {
        match i32::try_from(length) {
            Ok(length) => self.tell(Ifreq::named(name).with_int(length), ioctl::SIOCSIFTXQLEN),
            Err(_) => self.set_link_file(name, LinkFile::QUEUE_LENGTH, length.to_string().as_bytes()),
        }
    }

    /// Sets the hardware address, which must have the device's length.
    ///
    /// # Errors
    /// ENODEV, EADDRNOTAVAIL (a group's address, or none), EOPNOTSUPP, EBUSY, EPERM; ERANGE for those over 14 bytes.
    pub fn set_link_address(&self, name: &[u8], address: &[u8]) -> Result<()> {
        self.set_hardware(name, address, ioctl::SIOCSIFHWADDR)
    }

    /// Sets the hardware address for frames to all. Bytes beyond the device's length are ignored.
    ///
    /// # Errors
    /// ENODEV, EPERM; ERANGE for those over 14 bytes.
    pub fn set_link_broadcast(&self, name: &[u8], address: &[u8]) -> Result<()> {
        self.set_hardware(name, address, ioctl::SIOCSIFHWBROADCAST)
    }

    fn set_hardware(&self, name: &[u8], address: &[u8], request: Request<Ifreq>) -> Result<()> {
        let hw_type = self.link_hardware(name)?.hw_type;
        // more than a sockaddr holds, as InfiniBand's
        if address.len() > 14 {
            return Err(Errno::ERANGE);
        }
        self.tell(Ifreq::named(name).with_hardware_address(hw_type, address), request)
    }

    /// How many bytes a hardware address of this link has; 0 if it has none, nothing if that cannot be known.
    pub fn address_length(&self, name: &[u8]) -> Option<usize> {
        if let Some(length) = self.device(name).and_then(|device| device.number("addr_len")) {
            return usize::try_from(length).ok();
        }
        match self.link_hardware(name).ok()?.hw_type {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => Some(6),
            _ => None,
        }
    }

    /// Whether /sys is there to be believed, and has this file of the link.
    pub fn has_link_file(&self, name: &[u8], file: LinkFile) -> bool {
        self.device(name).is_some_and(|device| exists(&device.path().join(file.0)))
    }

    /// Writes a value of a link.
    ///
    /// # Errors
    /// ENOENT (no such file, or /sys is not this namespace's), EROFS (the files are another host's), EPERM, EACCES, and what the
    /// kernel makes of the value.
    pub fn set_link_file(&self, name: &[u8], file: LinkFile, value: &[u8]) -> Result<()> {
        if !self.is_running() {
            return Err(Errno::EROFS);
        }
        let device = self.device(name).ok_or(Errno::ENOENT)?;
        // of a value that ends with a line end the kernel would take one away
        device.write_file(file.0, [value, b"\n"].concat()).map_err(errno)
    }

    /// Has a link make no IPv6 addresses by itself. (Other ways of making them can be set likewise, but then the kernel makes
    /// some at once.)
    ///
    /// # Errors
    /// ENOENT (no IPv6 there, or Linux before 4.10), EROFS, EPERM, EACCES.
    pub fn generate_no_addresses(&self, name: &[u8]) -> Result<()> {
        /// linux/if_link.h
        const IN6_ADDR_GEN_MODE_NONE: &str = "1\n";
        if !self.is_running() {
            return Err(Errno::EROFS);
        }
        if !is_path_safe(name) {
            return Err(Errno::ENOENT);
        }
        let folder = self.path("/proc/sys/net/ipv6/conf").join(OsStr::from_bytes(name));
        fs::write(folder.join("addr_gen_mode"), IN6_ADDR_GEN_MODE_NONE).map_err(errno)
    }

    /// The bridge of which a link is a port.
    pub fn bridge_of(&self, port: &[u8]) -> Option<OsString> {
        match self.folder(port) {
            Some(folder) => folder.link("brport/bridge"),
            None => self.bridges(Source::Sysfs).ok()?.into_iter().find(|bridge| {
                self.ports(bridge.as_bytes(), Source::Sysfs)
                    .is_ok_and(|ports| ports.iter().any(|name| name.as_bytes() == port))
            }),
        }
    }

    fn tell(&self, mut request: Ifreq, number: Request<Ifreq>) -> Result<()> {
        ioctl::call(self.control()?, number, &mut request)
    }
}
