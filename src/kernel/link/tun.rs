//! Tap and tun devices: links whose other end is a program that has /dev/net/tun open.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use crate::kernel::ioctl::{self, Ifreq, TunSetting};
use crate::kernel::{Kernel, Result};

/// Flags of a tap or tun device (linux/if_tun.h, `IFF_*`).
pub mod tun_flag {
    /// Carries packets of the network layer.
    pub const TUN: u16 = 0x1;
    /// Carries Ethernet frames.
    pub const TAP: u16 = 0x2;
    /// More than one descriptor can be its end.
    pub const MULTI_QUEUE: u16 = 0x100;
    /// Stays when no program has it open.
    pub const PERSIST: u16 = 0x800;
    /// Packets come without their protocol in front.
    pub const NO_PI: u16 = 0x1000;
    /// Means nothing any more.
    pub const ONE_QUEUE: u16 = 0x2000;
    /// Packets come with a virtio header in front.
    pub const VNET_HDR: u16 = 0x4000;
    /// When it is made: there must be none of this name.
    pub const EXCLUSIVE: u16 = 0x8000;
}

/// What /sys tells of a tap or tun device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tun {
    /// See [`tun_flag`].
    pub flags: u16,
    /// The user who may open it.
    pub owner: Option<u32>,
    /// The group whose members may.
    pub group: Option<u32>,
}

/// A descriptor of /dev/net/tun: the end of a device, once it is [attached](TunEnd::attach).
#[derive(Debug)]
pub struct TunEnd(OwnedFd);

impl Tun {
    /// Reads what /sys shows of a tap or tun device. `None` for other links, and without /sys of this namespace.
    pub fn of(kernel: &Kernel, link: &[u8]) -> Option<Self> {
        kernel.tun(link)
    }
}

impl TunEnd {
    /// Opens /dev/net/tun.
    ///
    /// # Errors
    /// Those of open(2): ENOENT, EACCES; ENODEV off `/`.
    pub fn open(kernel: &Kernel) -> Result<Self> {
        kernel.open_tun()
    }

    /// Makes this the end of the device with this name, which is made if there is none. In it, `%d` stands for the first number
    /// that is free.
    ///
    /// # Errors
    /// EBUSY (it has an end; or there is a link of this name, with [`tun_flag::EXCLUSIVE`]), EINVAL (not a name; another kind of
    /// link), EPERM.
    pub fn attach(&self, name: &[u8], flags: u16) -> Result<()> {
        ioctl::call(&self.0, ioctl::TUNSETIFF, &mut Ifreq::named(name).with_flags(flags))
    }

    /// Sets whether the device stays when this descriptor is closed.
    ///
    /// # Errors
    /// EBADFD (not attached).
    pub fn set_persistent(&self, persistent: bool) -> Result<()> {
        ioctl::set_tun(&self.0, TunSetting::Persist, persistent.into())
    }

    /// Sets the user who may open the device; `u32::MAX` for none.
    ///
    /// # Errors
    /// EBADFD (not attached), EINVAL (no such user in this user namespace).
    pub fn set_owner(&self, user: u32) -> Result<()> {
        ioctl::set_tun(&self.0, TunSetting::Owner, user)
    }

    /// Sets the group whose members may open the device; `u32::MAX` for none.
    ///
    /// # Errors
    /// As [`TunEnd::set_owner`].
    pub fn set_group(&self, group: u32) -> Result<()> {
        ioctl::set_tun(&self.0, TunSetting::Group, group)
    }
}

/// Deletes a persistent tap or tun device that no program has open.
///
/// # Errors
/// EBUSY (a program has it open), EPERM, ENOENT (there is no /dev/net/tun), ENODEV (not a tap or tun device).
pub fn delete_tun(kernel: &Kernel, link: &[u8]) -> Result<()> {
    kernel.delete_tun(link)
}

impl Kernel {
    /// Opens /dev/net/tun.
    ///
    /// # Errors
    /// Those of open(2); ENODEV on files of another host.
    pub fn open_tun(&self) -> Result<TunEnd> {
        if !self.is_running() {
            return Err(Errno::ENODEV);
        }
        open("/dev/net/tun", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).map(TunEnd)
    }

    /// What is known of a tap or tun device; nothing if it is none, or without /sys.
    pub fn tun(&self, link: &[u8]) -> Option<Tun> {
        let folder = self.folder(link)?;
        let id = |file| folder.number(file).and_then(|id| u32::try_from(id).ok());
        Some(Tun { flags: folder.number("tun_flags")? as u16, owner: id("owner"), group: id("group") })
    }

    /// Deletes a persistent tap or tun device that no program has open.
    ///
    /// # Errors
    /// EBUSY (a program has it open), EPERM, ENOENT (no such file as /dev/net/tun), ENODEV (not such a device).
    pub fn delete_tun(&self, link: &[u8]) -> Result<()> {
        let flags = self.tun(link).ok_or(Errno::ENODEV)?.flags & !tun_flag::PERSIST;
        let end = self.open_tun()?;
        end.attach(link, flags)?;
        end.set_persistent(false)?;
        drop(end);
        if self.link_index(link).is_err() {
            return Ok(());
        }
        // one of several queues was closed: others are open
        let end = self.open_tun()?;
        end.attach(link, flags)?;
        end.set_persistent(true)?;
        Err(Errno::EBUSY)
    }
}
