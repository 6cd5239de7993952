//! /sys/class/net, and when to believe it.
//!
//! /sys shows the interfaces of the network namespace in which it was mounted. After a plain `unshare -n` that is another one
//! than the process's own, and a write to `b0/bridge/stp_state` would change the other namespace's bridge. So the first device
//! that is looked up decides whether /sys is this namespace's: its index and hardware address must be those that ioctls give.

use std::cell::Cell;
use std::ffi::{CStr, OsString};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use sysfs_class::SysClass;

use super::device::parse_number;
use super::file::{exists, is_path_safe, names, os_str, os_string, read_into, write_value};
use super::handle::Kernel;
use super::ioctl::{Device, read_link};
use super::procfs::Devices;
use super::result::Result;

/// The folder of a device, for reading many of its files: below a folder that stays open, so that no file is looked for from
/// the root.
pub(super) struct Folder<'a> {
    kernel: &'a Kernel,
    name: &'a [u8],
    /// The folder above, known as soon as one of the device's files was found there.
    parent: Cell<Option<BorrowedFd<'a>>>,
}

/// Bytes to read of a file: numbers, addresses, an alias of 255 bytes at most, the three lines of `uevent`.
const TEXT: usize = 512;

/// Bytes of the path of a file below the folder above a device: the device's name, the file's, and a NUL.
const PATH: usize = 64;

impl Folder<'_> {
    /// Returns a file's text without its line end; `None` where there is no such file or it cannot be read.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        self.with_text(file, |text| text.into())
    }

    /// Returns the number in a file; see [`Device::number`].
    pub(super) fn number(&self, file: &str) -> Option<i64> {
        self.with_text(file, parse_number)?
    }

    fn with_text<T>(&self, file: &str, convert: impl FnOnce(&str) -> T) -> Option<T> {
        let mut text = [0; TEXT];
        let mut read_at = |parent: BorrowedFd, path: &CStr| {
            read_into(openat(parent, path, OFlag::O_RDONLY, Mode::empty())?, &mut text).map(<[u8]>::len)
        };
        let length = self.find(file, &mut read_at)?;
        Some(convert(&String::from_utf8_lossy(text[..length].strip_suffix(b"\n").unwrap_or(&text[..length]))))
    }

    /// Whether there is such a file, folder or symbolic link. Not by `fstatat`: its structure differs between C libraries on 32-bit
    /// machines, and it fails there on inode numbers of more than 32 bits, which /sys has.
    pub(super) fn has(&self, file: &str) -> bool {
        let mut is_there = |parent: BorrowedFd, path: &CStr| match read_link(parent, path, &mut [0; TEXT]) {
            Ok(_) | Err(Errno::EINVAL) => Ok(()),
            Err(error) => Err(error),
        };
        self.find(file, &mut is_there).is_some()
    }

    /// Returns the last part of a symbolic link's target.
    pub(super) fn link(&self, file: &str) -> Option<OsString> {
        let mut target = [0; TEXT];
        let length = self.find(file, &mut |parent, path| read_link(parent, path, &mut target))?;
        target[..length].rsplit(|&byte| byte == b'/').next().map(os_string)
    }

    /// Calls a function, perhaps twice, with the folder above and the path of a file below it. Virtual devices are looked for at
    /// their own place first: to follow the link that class/net has since 2.6.20 costs as much as to read a file.
    fn find<T>(&self, file: &str, call: &mut dyn FnMut(BorrowedFd, &CStr) -> Result<T>) -> Option<T> {
        let mut path = [0; PATH];
        write_path(&mut path, [self.name, b"/", file.as_bytes()]).ok()?;
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

/// Writes a path without the memory that a `PathBuf` takes: some ten are needed for each of many links.
fn write_path(mut path: &mut [u8], parts: [&[u8]; 3]) -> io::Result<()> {
    parts.into_iter().try_for_each(|part| path.write_all(part))
}

fn open_folder(path: &Path) -> Option<OwnedFd> {
    open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).ok()
}

/// What is mounted at /sys.
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

    /// Returns the folder of the device with this name; `None` where there is none, where the name would lead elsewhere, and
    /// where /sys belongs to another network namespace.
    pub(super) fn device(&self, name: &[u8]) -> Option<Device> {
        self.believes_sysfs(name).then(|| self.class_device(name))
    }

    /// Returns the folder of a device for reading many files; `None` as for [`Kernel::device`].
    pub(super) fn folder<'a>(&'a self, name: &'a [u8]) -> Option<Folder<'a>> {
        self.listed_folder(name).filter(|folder| folder.has(""))
    }

    /// Returns the folder of a device that is known to exist if /sys is this namespace's, for reading many files.
    pub(super) fn listed_folder<'a>(&'a self, name: &'a [u8]) -> Option<Folder<'a>> {
        self.believes_sysfs(name).then(|| Folder { kernel: self, name, parent: Cell::new(None) })
    }

    fn class_device(&self, name: &[u8]) -> Device {
        Device(self.class_net().join(os_str(name)))
    }

    /// Whether the name may become part of a path, and /sys shows this namespace's device of that name.
    fn believes_sysfs(&self, name: &[u8]) -> bool {
        is_path_safe(name)
            && match self.own_sysfs.get() {
                Some(own) => own,
                None => !self.is_running() || self.is_own(&self.class_device(name), name),
            }
    }

    /// Whether /sys has a device of this name, be it of this network namespace or of another.
    pub(super) fn is_in_class_net(&self, name: &[u8]) -> bool {
        is_path_safe(name) && exists(&self.class_net().join(os_str(name)))
    }

    /// Compares a device of /sys with the one of the same name that ioctls reach, and remembers the verdict.
    fn is_own(&self, device: &Device, name: &[u8]) -> bool {
        let Some(index) = device.number("ifindex") else {
            return false; // not in /sys: tells nothing of the others
        };
        // a kernel that allows such names has no namespaces, and its ioctls take them for labels, cut at the colon
        if name.contains(&b':') {
            return true;
        }
        let own = self.link_index(name).is_ok_and(|own| i64::from(own) == index)
            && self.hardware(name).is_ok_and(|own| own.is(&device.text("address").unwrap_or_default()));
        // every namespace has a lo with index 1 and address zero
        if index != 1 || !own {
            self.own_sysfs.set(Some(own));
        }
        own
    }

    /// Writes a value to a device's file, with a line end. (Of a value that ends with a line end itself the kernel would take one
    /// away.)
    ///
    /// # Errors
    /// EROFS off `/`; ENOENT, EACCES, EPERM, and what the kernel makes of the value.
    pub(super) fn write(&self, device: &Device, file: &str, value: &[u8]) -> Result<()> {
        match self.is_running() {
            true => write_value(&device.path().join(file), &[value, b"\n"].concat()),
            false => Err(Errno::EROFS),
        }
    }

    /// Returns what is mounted at /sys.
    pub fn sysfs(&self) -> Sysfs {
        let own_names = || Devices::read(self).map(|devices| devices.names()).unwrap_or_default();
        match self.sysfs_names() {
            Ok(names) if self.own_sysfs.get() == Some(true) || own_names().iter().all(|own| names.contains(own)) => {
                Sysfs::Own
            }
            Err(_) if !exists(&self.class_net()) => Sysfs::Missing,
            _ => Sysfs::Foreign,
        }
    }

    /// Returns the names in /sys/class/net, in no particular order.
    ///
    /// # Errors
    /// ENOENT where /sys is missing or shows another namespace.
    pub(super) fn sysfs_names(&self) -> Result<Vec<OsString>> {
        let names = names(&self.class_net())?;
        if self.is_running() && self.own_sysfs.get().is_none() {
            self.judge_sysfs(&names);
        }
        if self.own_sysfs.get() == Some(false) { Err(Errno::ENOENT) } else { Ok(names) }
    }

    /// Finds out by its names whether /sys is this namespace's. Any device but lo can tell.
    fn judge_sysfs(&self, names: &[OsString]) {
        let is_telling = |name: &&[u8]| *name != b"lo" && !name.contains(&b':') && is_path_safe(name);
        match names.iter().map(|name| name.as_bytes()).find(is_telling) {
            Some(name) => drop(self.device(name)),
            None => {
                let is_missing = |own: &OsString| !names.contains(own);
                if Devices::read(self).is_ok_and(|devices| devices.names().iter().any(is_missing)) {
                    self.own_sysfs.set(Some(false));
                }
            }
        }
    }
}
