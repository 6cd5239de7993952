//! Tap and tun devices: links whose other end is a program that has /dev/net/tun open.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use crate::kernel::handle::Kernel;
use crate::kernel::ioctl::{self, Ifreq, TunSetting};
use crate::kernel::result::Result;

/// Flags of a tap or tun device (`IFF_*`, linux/if_tun.h).
pub mod tun_flag {
    /// Carries packets of the network layer.
    pub const TUN: u16 = libc::IFF_TUN as u16;
    /// Carries Ethernet frames.
    pub const TAP: u16 = libc::IFF_TAP as u16;
    /// Can have more than one descriptor for its other end.
    pub const MULTI_QUEUE: u16 = libc::IFF_MULTI_QUEUE as u16;
    /// Stays when no program has it open.
    pub const PERSIST: u16 = libc::IFF_PERSIST as u16;
    /// Packets come without their protocol in front.
    pub const NO_PI: u16 = libc::IFF_NO_PI as u16;
    /// Has no effect since Linux 3.8.
    pub const ONE_QUEUE: u16 = libc::IFF_ONE_QUEUE as u16;
    /// Packets come with a virtio header in front.
    pub const VNET_HDR: u16 = libc::IFF_VNET_HDR as u16;
    /// In a request: the device must not exist.
    pub const EXCLUSIVE: u16 = libc::IFF_TUN_EXCL as u16;
}

/// What /sys shows of a tap or tun device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tun {
    /// See [`tun_flag`].
    pub flags: u16,
    /// The user who may open it, if only one may.
    pub owner: Option<u32>,
    /// The group whose members may open it, if only they may.
    pub group: Option<u32>,
}

impl Tun {
    /// Reads what /sys shows of a tap or tun device. `None` for other links, and without /sys of this namespace.
    pub fn of(kernel: &Kernel, link: &[u8]) -> Option<Self> {
        let folder = kernel.folder(link)?;
        let id = |file| folder.number(file).and_then(|id| u32::try_from(id).ok());
        Some(Tun { flags: folder.number("tun_flags")? as u16, owner: id("owner"), group: id("group") })
    }
}

/// A descriptor of /dev/net/tun: the other end of a device, once it is [attached](TunEnd::attach).
#[derive(Debug)]
pub struct TunEnd(OwnedFd);

impl TunEnd {
    /// Opens /dev/net/tun.
    ///
    /// # Errors
    /// Those of open(2): ENOENT, EACCES; ENODEV off `/`.
    pub fn open(kernel: &Kernel) -> Result<Self> {
        if !kernel.is_running() {
            return Err(Errno::ENODEV);
        }
        open("/dev/net/tun", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).map(TunEnd)
    }

    /// Makes this the other end of the device with this name, which is created if it does not exist. `%d` in the name stands for
    /// the first free number.
    ///
    /// # Errors
    /// EBUSY (it has another end; or the link exists, with [`tun_flag::EXCLUSIVE`]), EINVAL (not a name; another kind of link),
    /// EPERM.
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

    /// Sets the user who may open the device; `u32::MAX` for no one in particular.
    ///
    /// # Errors
    /// EBADFD (not attached), EINVAL (no such user in this user namespace).
    pub fn set_owner(&self, user: u32) -> Result<()> {
        ioctl::set_tun(&self.0, TunSetting::Owner, user)
    }

    /// Sets the group whose members may open the device; `u32::MAX` for none in particular.
    ///
    /// # Errors
    /// EBADFD (not attached), EINVAL (no such group in this user namespace).
    pub fn set_group(&self, group: u32) -> Result<()> {
        ioctl::set_tun(&self.0, TunSetting::Group, group)
    }
}

/// Deletes a persistent tap or tun device that no program has open.
///
/// # Errors
/// EBUSY (a program has it open), EPERM, ENOENT (there is no /dev/net/tun), ENODEV (not a tap or tun device).
pub fn delete_tun(kernel: &Kernel, link: &[u8]) -> Result<()> {
    let flags = Tun::of(kernel, link).ok_or(Errno::ENODEV)?.flags & !tun_flag::PERSIST;
    let end = TunEnd::open(kernel)?;
    end.attach(link, flags)?;
    end.set_persistent(false)?;
    drop(end);
    if kernel.link_index(link).is_err() {
        return Ok(());
    }
    // one of several queues was closed: others are open
    let end = TunEnd::open(kernel)?;
    end.attach(link, flags)?;
    end.set_persistent(true)?;
    Err(Errno::EBUSY)
}
