//! /sys/class/net, and when to believe it.
//!
//! /sys shows the interfaces of the network namespace in which it was mounted. After a plain `unshare -n` that is another one
//! than the process's own, and a write to `b0/bridge/stp_state` would change the other namespace's bridge. So the first device
//! that is looked up decides whether /sys is this namespace's: its index and hardware address must be those that ioctls give.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::{CStr, OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, fstatat, stat};
use nix::unistd::read;
use sysfs_class::SysClass;

use super::{IFNAMSIZ, Kernel, Result, errno, ioctl, procfs};

/// The folder of a device, `/sys/class/net/NAME`: files are read and written through sysfs-class's `SysClass`.
#[derive(Clone, Debug)]
pub(super) struct Device(pub(super) PathBuf);

impl Device {
    /// A number as the kernel's files hold it: decimal, or hexadecimal behind `0x`. (`scanf` with `%i` in bridge-utils.)
    pub(super) fn number(&self, file: &str) -> Option<i64> {
        parse_number(self.read_file(file).ok()?.trim_end())
    }

    /// A file's text without its line end; `None` where there is no such file or it cannot be read.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        self.read_file(file).ok().map(|text| text.trim_end_matches('\n').to_owned())
    }
}

/// The folder of a device below one that is kept open: of many files that are read, none is looked for from the root, and no
/// folder is opened for each device.
pub(super) struct Folder<'a> {
    kernel: &'a Kernel,
    name: &'a [u8],
    /// The folder that it is in: known as soon as one of its files was found there.
    parent: Cell<Option<BorrowedFd<'a>>>,
}

/// What the path of a file may take below a device's parent: its name, the file's, and a NUL.
const PATH: usize = 64;

/// What is read of a file: numbers, addresses, an alias of 255 bytes at most, the three lines of `uevent`.
const TEXT: usize = 512;

impl<'a> Folder<'a> {
    /// As [`Device::text`].
    pub(super) fn text(&self, file: &str) -> Option<String> {
        self.with_text(file, |text| text.into_owned())
    }

    /// As [`Device::number`].
    pub(super) fn number(&self, file: &str) -> Option<i64> {
        self.with_text(file, |text| parse_number(&text)).flatten()
    }

    fn with_text<T>(&self, file: &str, use_it: impl FnOnce(Cow<str>) -> T) -> Option<T> {
        let mut text = [0; TEXT];
        let length = self
            .find(file, &mut |parent, path| read(openat(parent, path, OFlag::O_RDONLY, Mode::empty())?, &mut text))?;
        Some(use_it(String::from_utf8_lossy(text[..length].strip_suffix(b"\n").unwrap_or(&text[..length]))))
    }

    /// Whether there is such a file or folder.
    pub(super) fn has(&self, file: &str) -> bool {
        self.find(file, &mut |parent, path| fstatat(parent, path, AtFlags::AT_SYMLINK_NOFOLLOW).map(|_| 0)).is_some()
    }

    /// The last name of where a link leads.
    pub(super) fn link(&self, file: &str) -> Option<OsString> {
        let mut target = [0; TEXT];
        let length = self.find(file, &mut |parent, path| ioctl::read_link(parent, path, &mut target))?;
        target[..length].rsplit(|&byte| byte == b'/').next().map(os_string)
    }

    /// What a call, which may be made twice, makes of a file. Virtual devices are looked for at their own place first: to follow
    /// the link that there is in class/net since 2.6.20 costs as much as to read a file.
    fn find(&self, file: &str, call: &mut dyn FnMut(BorrowedFd, &CStr) -> Result<usize>) -> Option<usize> {
        let mut path = [0; PATH];
        let mut rest = &mut path[..];
        [self.name, b"/", file.as_bytes()].into_iter().try_for_each(|part| rest.write_all(part)).ok()?;
        let path = CStr::from_bytes_until_nul(&path).ok()?;
        if let Some(parent) = self.parent.get() {
            return call(parent, path).ok();
        }
        let kernel = self.kernel;
        for (cell, folder) in [(&kernel.virtual_net, "/sys/devices/virtual/net"), (&kernel.class_net, "/sys/class/net")]
        {
            if let Some(parent) = cell.get_or_init(|| open_folder(&kernel.path(folder)))
                && let Ok(found) = call(parent.as_fd(), path)
            {
                self.parent.set(Some(parent.as_fd()));
                return Some(found);
            }
        }
        None
    }
}

fn open_folder(path: &Path) -> Option<OwnedFd> {
    open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).ok()
}

/// What a file of /sys holds at most.
const PAGE: usize = 4096;

/// Decimal, or hexadecimal behind `0x`.
fn parse_number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Whether a name may become part of a path: not empty, not longer than the kernel's names, no '/', not '.' or '..'.
pub fn is_path_safe(name: &[u8]) -> bool {
    !name.is_empty() && name.len() < IFNAMSIZ && !name.contains(&b'/') && name != b"." && name != b".."
}

/// What one read gives of a file in /sys, which is all of it. (Without O_CLOEXEC, for which musl makes a second call: nothing
/// is started before the file is closed again.)
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let mut page = [0; PAGE];
    let length = read(open(path, OFlag::O_RDONLY, Mode::empty())?, &mut page)?;
    Ok(String::from_utf8_lossy(&page[..length]).into_owned())
}

/// What there is at /sys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sysfs {
    /// The links of this network namespace.
    Own,
    /// Those of another.
    Foreign,
    /// No links at all.
    Missing,
}

impl Kernel {
    fn class_net(&self) -> PathBuf {
        self.path("/sys/class/net")
    }

    /// The folder of the device with this name; `None` where there is none, where the name would lead elsewhere, and where
    /// /sys belongs to another network namespace.
    pub(super) fn device(&self, name: &[u8]) -> Option<Device> {
        self.believes_sysfs(name).then(|| self.class_device(name))
    }

    /// As [`Kernel::device`], for many files.
    pub(super) fn folder<'a>(&'a self, name: &'a [u8]) -> Option<Folder<'a>> {
        self.listed_folder(name).filter(|folder| folder.has(""))
    }

    /// As [`Kernel::folder`], where it is known that there is such a folder if /sys is this namespace's.
    pub(super) fn listed_folder<'a>(&'a self, name: &'a [u8]) -> Option<Folder<'a>> {
        self.believes_sysfs(name).then(|| Folder { kernel: self, name, parent: Cell::new(None) })
    }

    fn class_device(&self, name: &[u8]) -> Device {
        Device(self.class_net().join(OsStr::from_bytes(name)))
    }

    /// Whether the name may become part of a path, and what /sys tells of it is told of this namespace's device.
    fn believes_sysfs(&self, name: &[u8]) -> bool {
        is_path_safe(name)
            && match self.own_sysfs.get() {
                Some(own) => own,
                None => !self.is_running() || self.is_own(&self.class_device(name), name),
            }
    }

    /// Whether /sys has a device of this name, be it of this network namespace or of another.
    pub fn is_in_sysfs(&self, name: &[u8]) -> bool {
        is_path_safe(name) && exists(&self.class_net().join(OsStr::from_bytes(name)))
    }

    /// Whether there is a link of this name. To ask an ioctl would do, but for a name that the kernel does not know it runs
    /// modprobe.
    ///
    /// # Errors
    /// Where that cannot be asked.
    pub fn has_link(&self, name: &[u8]) -> Result<bool> {
        if !self.is_in_sysfs(name) {
            let names = procfs::device_names(self).map_err(|unreadable| unreadable.errno)?;
            if !names.iter().any(|other| other.as_bytes() == name) {
                return Ok(false);
            }
        }
        match self.link_index(name) {
            Err(Errno::ENODEV) => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Writes a number to a device's file.
    ///
    /// # Errors
    /// EROFS where the files are another host's; ENOENT, EACCES, EPERM, and what the kernel makes of the number.
    pub(super) fn write_number(&self, device: &Device, file: &str, value: u64) -> Result<()> {
        match self.is_running() {
            true => device.write_file(file, format!("{value}\n")).map_err(errno),
            false => Err(Errno::EROFS),
        }
    }

    /// Compares a device of /sys with the one of the same name that ioctls reach, and keeps the verdict.
    fn is_own(&self, device: &Device, name: &[u8]) -> bool {
        let Some(index) = device.number("ifindex") else {
            return false; // not in /sys: tells nothing of the others
        };
        // a kernel that allows such names has no namespaces, and its ioctls take them for labels, cut at the colon
        if name.contains(&b':') {
            return true;
        }
        let own = self.link_index(name).is_ok_and(|own| i64::from(own) == index)
            && self.link_hardware(name).is_ok_and(|own| own.is(&device.text("address").unwrap_or_default()));
        // every namespace has a lo with index 1 and address zero
        if index != 1 || !own {
            self.own_sysfs.set(Some(own));
        }
        own
    }

    /// What there is at /sys.
    pub fn sysfs(&self) -> Sysfs {
        let has =
            |names: &[OsString]| procfs::device_names(self).unwrap_or_default().iter().all(|name| names.contains(name));
        match self.sysfs_names() {
            Ok(names) if self.own_sysfs.get() == Some(true) || has(&names) => Sysfs::Own,
            Err(_) if !exists(&self.class_net()) => Sysfs::Missing,
            _ => Sysfs::Foreign,
        }
    }

    /// Names in /sys/class/net, in no particular order.
    ///
    /// # Errors
    /// ENOENT where /sys is missing or shows another namespace.
    pub(super) fn sysfs_names(&self) -> Result<Vec<OsString>> {
        let names = folder_names(&self.class_net())?;
        // any device but lo can tell whose /sys this is
        if self.is_running() && self.own_sysfs.get().is_none() {
            let telling = names
                .iter()
                .map(|name| name.as_bytes())
                .find(|&name| name != b"lo" && !name.contains(&b':') && is_path_safe(name));
            if let Some(name) = telling
                && self.device(name).is_none()
                && self.own_sysfs.get() == Some(false)
            {
                return Err(Errno::ENOENT);
            }
        }
        Ok(names)
    }
}

/// Whether there is such a file, or a link to one. (std asks in ways that came later first.)
pub(super) fn exists(path: &Path) -> bool {
    stat(path).is_ok()
}

/// The names in a folder, sorted by their bytes (`strcmp`), as bridge-utils lists bridges and ports.
///
/// # Errors
/// Those of opendir(3) and readdir(3).
pub(super) fn sorted_names(folder: &Path) -> Result<Vec<OsString>> {
    let mut names = folder_names(folder)?;
    names.sort();
    Ok(names)
}

fn folder_names(folder: &Path) -> Result<Vec<OsString>> {
    fs::read_dir(folder).map_err(errno)?.map(|entry| entry.map(|entry| entry.file_name()).map_err(errno)).collect()
}

/// An [`OsString`] of bytes that the kernel gave.
pub(super) fn os_string(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}
