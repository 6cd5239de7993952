//! Devices as the words of a command name them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::complaint::wrong;
use crate::error::{Failure, Outcome};
use crate::kernel::Kernel;
use crate::net::number::atoi;
use crate::texts::iproute2::{no_such_device, refused};

/// The link that every network namespace has.
pub(super) const LOOPBACK: &[u8] = b"lo";

/// Whether iproute2 takes a word for the name of a device.
pub(super) fn is_name(word: &[u8], longest: usize) -> bool {
    let is_odd = |byte: &u8| *byte == b'/' || byte.is_ascii_whitespace() || *byte == 0x0b;
    (1..=longest).contains(&word.len()) && !word.iter().any(is_odd)
}

/// Returns the proper name of a device that may be named by an alternative name or by a label.
///
/// # Errors
/// `Cannot find device "…"`
pub(super) fn proper_name(kernel: &Kernel, device: &[u8]) -> Result<OsString, Failure> {
    proper(kernel, device).ok_or_else(|| no_such_device(device))
}

fn proper(kernel: &Kernel, word: &[u8]) -> Option<OsString> {
    kernel.link_index(word).and_then(|index| kernel.link_name(index)).ok()
}

/// Returns the proper name of a link that may be named by an alternative name, by a label, or `ifN` by its index.
///
/// # Errors
/// `Cannot find device "…"`; for an index a refusal by the kernel.
pub(super) fn find(kernel: &Kernel, word: &[u8]) -> Result<OsString, Failure> {
    if let Some(name) = proper(kernel, word) {
        return Ok(name);
    }
    let index = index_in(word).ok_or_else(|| no_such_device(word))?;
    // iproute2 asks the kernel for any index, which looks at the privilege first
    kernel.link_name(index).or_else(|_| {
        check_privilege(kernel)?;
        Err(refused(Errno::ENODEV))
    })
}

/// Returns the index in a name `ifN`.
pub(super) fn index_in(word: &[u8]) -> Option<i32> {
    Some(atoi(word.strip_prefix(b"if")?)).filter(|index| *index > 0)
}

/// Returns the proper name of the link behind the keyword `master`.
///
/// # Errors
/// `Error: argument "…" is wrong: Device does not exist`
pub(super) fn find_master(kernel: &Kernel, word: &[u8]) -> Result<OsString, Failure> {
    find(kernel, word).map_err(|_| wrong(word, "Device does not exist\n"))
}

/// Returns the proper name of the link behind the keyword `vrf`.
///
/// # Errors
/// `Error: argument "…" is wrong: Not a valid VRF name`, also for a link of another kind.
pub(super) fn find_vrf(kernel: &Kernel, word: &[u8]) -> Result<OsString, Failure> {
    let found = find(kernel, word).ok();
    found
        .filter(|name| kernel.info_kind(name.as_bytes()).as_deref() == Some("vrf"))
        .ok_or_else(|| wrong(word, "Not a valid VRF name\n"))
}

/// Fails without the privilege to change the network. The kernel looks at it before it refuses anything else.
///
/// # Errors
/// `RTNETLINK answers: Operation not permitted`
pub(super) fn check_privilege(kernel: &Kernel) -> Outcome {
    if kernel.has_net_admin() { Ok(()) } else { Err(refused(Errno::EPERM)) }
}
