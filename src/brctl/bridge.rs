//! `brctl addbr`, `brctl delbr`: bridges come and go.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::failed;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::{IFNAMSIZ, Kernel};

/// `addbr BRIDGE`
pub(super) fn addbr(call: &mut Call, operands: &[OsString]) -> Outcome {
    add(call.kernel, operands[0].as_bytes())
}

/// `delbr BRIDGE`
pub(super) fn delbr(call: &mut Call, operands: &[OsString]) -> Outcome {
    delete(call.kernel, operands[0].as_bytes())
}

/// Adds a bridge.
///
/// bridge-utils cuts a longer name to 15 bytes without a word, and what is said of the bridge later does not find it. We refuse,
/// unless the cut name is taken: then bridge-utils' own text is right.
pub fn add(kernel: &Kernel, bridge: &[u8]) -> Outcome {
    if bridge.len() >= IFNAMSIZ && kernel.link_index(&bridge[..IFNAMSIZ - 1]).is_err() {
        return Err(Failure::new(line!("add bridge failed: name \"", bridge, "\" is longer than 15 bytes")));
    }
    kernel.add_bridge(bridge).map_err(|errno| cannot_add(bridge, errno))
}

/// Why a bridge could not be added.
pub fn cannot_add(bridge: &[u8], errno: Errno) -> Failure {
    match errno {
        Errno::EEXIST => {
            Failure::new(line!("device ", bridge, " already exists; can't create bridge with the same name"))
        }
        errno => failed("add bridge failed", errno),
    }
}

/// Deletes a bridge, which must be down. A name over 15 bytes means the bridge of its first 15.
pub fn delete(kernel: &Kernel, bridge: &[u8]) -> Outcome {
    kernel.delete_bridge(bridge).map_err(|errno| {
        Failure::new(match errno {
            Errno::ENXIO => line!("bridge ", bridge, " doesn't exist; can't delete it"),
            Errno::EBUSY => line!("bridge ", bridge, " is still up; can't delete it"),
            errno => line!("can't delete bridge ", bridge, ": ", errno_text(errno)),
        })
    })
}
