//! Interface groups.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::error::Failure;
use crate::ip::complaint::unreadable;
use crate::ip::device::{LOOPBACK, check_privilege};
use crate::kernel::{Kernel, LinkFile};
use crate::texts::iproute2::needs_netlink;

/// Returns the links of a group.
pub(super) fn members(kernel: &Kernel, group: u32) -> Result<Vec<OsString>, Failure> {
    check_privilege(kernel)?;
    let links = kernel.link_names().map_err(unreadable)?;
    // not before the links are known: by the loopback alone, /sys could be that of any namespace
    if !kernel.has_link_file(LOOPBACK, LinkFile::GROUP) {
        return Err(needs_netlink("a group", "or /sys, which tells who is in it"));
    }
    let is_member = |name: &OsString| {
        let number = kernel.link_file(name.as_bytes(), LinkFile::GROUP);
        number.is_some_and(|number| number.parse() == Ok(group))
    };
    Ok(links.into_iter().map(|(_, name)| name).filter(is_member).collect())
}
