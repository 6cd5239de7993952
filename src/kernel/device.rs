//! What the files of a device hold.

use sysfs_class::SysClass;

use super::ioctl::Device;
use crate::net::number;

impl Device {
    /// Returns the number in a file as `scanf` with `%i` reads it in bridge-utils: decimal, or hexadecimal behind `0x`.
    pub(super) fn number(&self, file: &str) -> Option<i64> {
        parse_number(self.read_file(file).ok()?.trim_end())
    }

    /// Returns a file's text without its line end; `None` where there is no such file or it cannot be read.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        self.read_file(file).ok().map(|text| text.trim_end_matches('\n').to_owned())
    }
}

/// Parses a number of a file of /sys.
pub(super) fn parse_number(text: &str) -> Option<i64> {
    i64::try_from(number::whole(text.as_bytes(), 0)?).ok()
}
