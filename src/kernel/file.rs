//! Files of /sys and /proc, read in as few calls as they take.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, access, read, write};

use super::result::{Result, errno};

/// Bytes that a file of /sys holds at most. Values of /proc/sys are shorter.
const PAGE: usize = 4096;

/// Reads once into a buffer and returns the part that was filled. A count that exceeds the buffer is taken for a full buffer.
///
/// # Errors
/// Those of read(2).
pub(super) fn read_into(fd: impl AsFd, buffer: &mut [u8]) -> Result<&[u8]> {
    let count = read(fd, buffer)?;
    Ok(&buffer[..count.min(buffer.len())])
}

/// Writes a value to a file of /sys or /proc/sys by one call, which takes all of it or refuses it. The count that the call returns
/// is not used: Linux 2.6.18 returns one more than was written for a number without a line end, 2.6.32 returns 1 for
/// `ipv6/conf/*/forwarding`.
///
/// # Errors
/// Those of open(2) and write(2).
pub(super) fn write_value(path: &Path, value: &[u8]) -> Result<()> {
    write(open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?, value).map(drop)
}

/// Returns the text of a file of /sys or /proc/sys: one read gives all of it. (It is opened without O_CLOEXEC, for which musl makes a second
/// call: no program is started before it is closed.)
///
/// # Errors
/// Those of open(2) and read(2).
pub(super) fn read_page(path: &Path) -> io::Result<String> {
    let mut page = [0; PAGE];
    let text = read_into(open(path, OFlag::O_RDONLY, Mode::empty())?, &mut page)?;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Returns the bytes of a file of any length. (It is opened without O_CLOEXEC, as in [`read_page`].)
///
/// # Errors
/// Those of open(2) and read(2).
pub(super) fn read_all(path: &Path) -> Result<Vec<u8>> {
    let file = open(path, OFlag::O_RDONLY, Mode::empty())?;
    let mut text = Vec::new();
    // the kernel gives a table in pieces of a page, whatever there is room for
    let mut part = [0; PAGE];
    loop {
        match read_into(&file, &mut part)? {
            [] => return Ok(text),
            read => text.extend_from_slice(read),
        }
    }
}

/// Whether a file exists, or a symbolic link leads to one. (`Path::exists` tries statx(2) first, which old kernels lack;
/// `stat` has a structure of its own in each C library on 32-bit machines.)
pub(super) fn exists(path: &Path) -> bool {
    access(path, AccessFlags::F_OK).is_ok()
}

/// Returns the names in a folder, in no particular order.
///
/// # Errors
/// Those of opendir(3) and readdir(3).
pub(super) fn names(folder: &Path) -> Result<Vec<OsString>> {
    fs::read_dir(folder).map_err(errno)?.map(|entry| entry.map(|entry| entry.file_name()).map_err(errno)).collect()
}

/// Whether a name of an interface may become part of a path: not empty, at most 15 bytes, without '/', not "." or "..". The
/// kernel's names hold more than [`crate::net::InterfaceName`] admits, and brctl and ip take names as typed.
pub(super) fn is_path_safe(name: &[u8]) -> bool {
    !name.is_empty() && name.len() < libc::IFNAMSIZ && !name.contains(&b'/') && name != b"." && name != b".."
}

/// An [`OsStr`] of bytes that the kernel or a user gave.
pub(super) fn os_str(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// An [`OsString`] of bytes that the kernel gave.
pub(super) fn os_string(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}
