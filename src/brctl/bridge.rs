//! `brctl addbr`, `brctl delbr`: bridges come and go.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::call::Call;
use crate::error::Outcome;
use crate::kernel::{IFNAMSIZ, Kernel};
use crate::texts::bridge_utils::{addbr_failed, addbr_name_too_long, delbr_failed};

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
        return Err(addbr_name_too_long(bridge));
    }
    kernel.add_bridge(bridge).map_err(|errno| addbr_failed(bridge, errno))
}

/// Why a bridge could not be added.
pub fn cannot_add(bridge: &[u8], errno: nix::errno::Errno) -> crate::error::Failure {
    addbr_failed(bridge, errno)
}

/// Deletes a bridge, which must be down. A name over 15 bytes means the bridge of its first 15.
pub fn delete(kernel: &Kernel, bridge: &[u8]) -> Outcome {
    kernel.delete_bridge(bridge).map_err(|errno| delbr_failed(bridge, errno))
}
