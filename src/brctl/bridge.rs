//! `brctl addbr`, `brctl delbr`.

use nix::errno::Errno;

use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::kernel::IFNAMSIZ;
use crate::texts::bridge_utils::{addbr_failed, delbr_failed};

/// `addbr BRIDGE`
///
/// bridge-utils cuts a longer name to 15 bytes without a word, and its other verbs then do not find the bridge. We refuse, unless
/// the cut name is taken: then bridge-utils' own text is right.
pub(super) fn addbr(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let (kernel, bridge) = (call.kernel, operands[0]);
    if bridge.len() >= IFNAMSIZ && kernel.link_index(&bridge[..IFNAMSIZ - 1]).is_err() {
        return Err(Failure::new(line!("add bridge failed: name \"", bridge, "\" is longer than 15 bytes")));
    }
    kernel.add_bridge(bridge).map_err(|errno| addbr_failed(bridge, errno))
}

/// `delbr BRIDGE`: the bridge must be down. bridge-utils cuts a longer name here too, and deletes the bridge of its first 15 bytes.
/// For us no bridge has such a name.
pub(super) fn delbr(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let (kernel, bridge) = (call.kernel, operands[0]);
    if bridge.len() >= IFNAMSIZ {
        let errno = if kernel.has_net_admin() { Errno::ENXIO } else { Errno::EPERM };
        return Err(delbr_failed(bridge, errno));
    }
    kernel.delete_bridge(bridge).map_err(|errno| delbr_failed(bridge, errno))
}
