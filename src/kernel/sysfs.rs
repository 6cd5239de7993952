//! /sys/class/net, and when to believe it.
//!
//! /sys shows the interfaces of the network namespace in which it was mounted. After a plain `unshare -n` that is another one
//! than the process's own, and a write to `b0/bridge/stp_state` would change the other namespace's bridge. So the first device
//! that is looked up decides whether /sys is this namespace's: its index and hardware address must be those that ioctls give.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::read;
use sysfs_class::SysClass;

use super::{IFNAMSIZ, Kernel, Result, errno};

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

/// The folder of a device, opened: of many files that are read there, none is looked for from the root.
pub(super) struct Folder(OwnedFd);

impl Device {
    /// Opens the folder, if it is there.
    pub(super) fn open(&self) -> Option<Folder> {
        open(&self.0, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()).ok().map(Folder)
    }
}

impl Folder {
    /// As [`Device::text`].
    pub(super) fn text(&self, file: &str) -> Option<String> {
        let file = openat(&self.0, file, OFlag::O_RDONLY, Mode::empty()).ok()?;
        read_page(file).ok().map(|text| text.trim_end_matches('\n').to_owned())
    }

    /// As [`Device::number`].
    pub(super) fn number(&self, file: &str) -> Option<i64> {
        self.text(file).and_then(|text| parse_number(&text))
    }

    /// Whether there is such a file or folder.
    pub(super) fn has(&self, file: &str) -> bool {
        fstatat(&self.0, file, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok()
    }

    /// The last name of where a link leads.
    pub(super) fn link(&self, file: &str) -> Option<OsString> {
        let target = readlinkat(&self.0, file).ok()?;
        Path::new(&target).file_name().map(OsString::from)
    }
}

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
    read_page(open(path, OFlag::O_RDONLY, Mode::empty())?)
}

fn read_page(file: OwnedFd) -> io::Result<String> {
    let mut page = [0; 4096];
    let length = read(file, &mut page)?;
    Ok(String::from_utf8_lossy(&page[..length]).into_owned())
}

impl Kernel {
    fn class_net(&self) -> PathBuf {
        self.path("/sys/class/net")
    }

    /// The folder of the device with this name; `None` where there is none, where the name would lead elsewhere, and where
    /// /sys belongs to another network namespace.
    pub(super) fn device(&self, name: &[u8]) -> Option<Device> {
        if !is_path_safe(name) || self.own_sysfs.get() == Some(false) {
            return None;
        }
        let device = Device(self.class_net().join(OsStr::from_bytes(name)));
        if self.own_sysfs.get() == Some(true) || !self.is_running() {
            return Some(device);
        }
        self.is_own(&device, name).then_some(device)
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
        let own = self.link_index(name).is_ok_and(|own| i64::from(own) == index)
            && self.link_hardware(name).is_ok_and(|own| own.is(&device.text("address").unwrap_or_default()));
        // every namespace has a lo with index 1 and address zero
        if index != 1 || !own {
            self.own_sysfs.set(Some(own));
        }
        own
    }

    /// Names in /sys/class/net, in no particular order.
    ///
    /// # Errors
    /// ENOENT where /sys is missing or shows another namespace.
    pub(super) fn sysfs_names(&self) -> Result<Vec<OsString>> {
        let names = folder_names(&self.class_net())?;
        // any device but lo can tell whose /sys this is
        if self.is_running() && self.own_sysfs.get().is_none() {
            let telling = names.iter().map(|name| name.as_bytes()).find(|&name| name != b"lo" && is_path_safe(name));
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

/// The names in a folder, sorted by their bytes (`strcmp`), as bridge-utils lists bridges and ports.
///
/// # Errors
/// Those of opendir(3) and readdir(3).
pub(super) fn sorted_names(folder: &Path) -> Result<Vec<OsString>> {
    let mut names = folder_names(folder)?;
    names.sort_unstable();
    Ok(names)
}

fn folder_names(folder: &Path) -> Result<Vec<OsString>> {
    fs::read_dir(folder).map_err(errno)?.map(|entry| entry.map(|entry| entry.file_name()).map_err(errno)).collect()
}

/// An [`OsString`] of bytes that the kernel gave.
pub(super) fn os_string(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}
