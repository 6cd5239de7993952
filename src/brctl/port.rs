//! `brctl addif`, `brctl delif`.

use nix::errno::Errno;

use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::kernel::Kernel;
use crate::texts::bridge_utils::{addif_failed, delif_failed, no_such_interface};

/// `addif BRIDGE PORT...`: stops at the first failure; earlier ports stay.
pub(super) fn addif(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    for_each_port(call.kernel, operands, Kernel::add_port, addif_failed)
}

/// `delif BRIDGE PORT...`: stops at the first failure.
pub(super) fn delif(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    for_each_port(call.kernel, operands, Kernel::delete_port, delif_failed)
}

fn for_each_port(
    kernel: &Kernel,
    operands: &[&[u8]],
    change: fn(&Kernel, &[u8], i32) -> Result<(), Errno>,
    failed: fn(&[u8], &[u8], Errno, bool) -> Failure,
) -> Outcome {
    let bridge = operands[0];
    for port in &operands[1..] {
        let index = kernel.link_index(port).map_err(|_| no_such_interface(port))?;
        change(kernel, bridge, index).map_err(|errno| failed(bridge, port, errno, kernel.link_index(port).is_ok()))?;
    }
    Ok(())
}
