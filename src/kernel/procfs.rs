//! Tables of /proc/net.

use std::ffi::OsString;

use nix::errno::Errno;

use super::file::{exists, os_string, read_all};
use super::handle::Kernel;
use super::result::Result;

/// A table of the kernel that could not be read, so that what it lists is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file under /proc/net.
    pub file: &'static str,
    /// Why it could not be read: EACCES, or ENOENT if there is no /proc at all.
    pub errno: Errno,
}

/// Reads a file of /proc/net. A kernel without the protocol has no such file: the table is empty then.
///
/// # Errors
/// Any other failure, also where there is no /proc at all.
pub(super) fn table(kernel: &Kernel, file: &'static str) -> Result<Vec<u8>, Unreadable> {
    read_all(&kernel.path(file)).or_else(|errno| match errno {
        Errno::ENOENT if exists(&kernel.path("/proc/net")) => Ok(Vec::new()),
        errno => Err(Unreadable { file, errno }),
    })
}

/// The lines of a file, without empty ones.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// The words of a line, whatever blanks pad it: 2.6 fills /proc/net/route's lines to 128 bytes.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &str> {
    line.split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| str::from_utf8(word).unwrap_or(""))
}

const DEVICES: &str = "/proc/net/dev";

/// What /proc/net/dev shows: names, and what has been counted of each in the file's columns, 8 of what was received and 8 of
/// what was sent.
pub(super) struct Devices(Vec<u8>);

impl Devices {
    /// Reads the file.
    ///
    /// # Errors
    /// That it cannot be read.
    pub(super) fn read(kernel: &Kernel) -> Result<Self, Unreadable> {
        table(kernel, DEVICES).map(Devices)
    }

    /// The names, in the file's order.
    pub(super) fn names(&self) -> Vec<OsString> {
        self.lines().map(|(name, _)| os_string(name)).collect()
    }

    /// Each name with its counters.
    pub(super) fn counters(&self) -> impl Iterator<Item = (&[u8], impl Iterator<Item = u64>)> {
        self.lines().map(|(name, counters)| (name, words(counters).map(|counter| counter.parse().unwrap_or(0))))
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        lines(&self.0).filter_map(device)
    }
}

/// A line of /proc/net/dev: a name and numbers. Linux 2.6.18 lets a name hold ':', so the name ends at the last one.
fn device(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().rposition(|&byte| byte == b':')?;
    Some((line[..end].trim_ascii_start(), &line[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with ':', and numbers so long that no blank is left before them: both of 2.6.18.
    #[test]
    fn devices_by_the_last_colon() {
        let parsed = |line: &'static str| device(line.as_bytes()).map(|(name, counts)| (name, words(counts).next()));
        assert_eq!(parsed("  eth0:     114       1    0"), Some((&b"eth0"[..], Some("114"))));
        assert_eq!(parsed("  eth0:123456789      1    0"), Some((&b"eth0"[..], Some("123456789"))));
        assert_eq!(parsed("   a:b:       7       1    0"), Some((&b"a:b"[..], Some("7"))));
        assert_eq!(parsed(" face |bytes    packets errs drop"), None);
    }
}
