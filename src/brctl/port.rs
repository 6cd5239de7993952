//! `brctl addif`, `brctl delif`: interfaces become ports and are released.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::call::Call;
use crate::error::Outcome;
use crate::kernel::Kernel;
use crate::texts::bridge_utils::{addif_failed, delif_failed, no_such_interface};

/// `addif BRIDGE DEVICE...`: the first failure ends it, earlier devices stay.
pub(super) fn addif(call: &mut Call, operands: &[OsString]) -> Outcome {
    each(operands, |bridge, port| add(call.kernel, bridge, port))
}

/// `delif BRIDGE DEVICE...`
pub(super) fn delif(call: &mut Call, operands: &[OsString]) -> Outcome {
    each(operands, |bridge, port| delete(call.kernel, bridge, port))
}

fn each(operands: &[OsString], verb: impl Fn(&[u8], &[u8]) -> Outcome) -> Outcome {
    let [bridge, ports @ ..] = operands else { return Ok(()) };
    ports.iter().try_for_each(|port| verb(bridge.as_bytes(), port.as_bytes()))
}

/// Makes an interface a port of a bridge.
pub fn add(kernel: &Kernel, bridge: &[u8], port: &[u8]) -> Outcome {
    let index = kernel.link_index(port).map_err(|_| no_such_interface(port))?;
    let port_exists = || kernel.link_index(port).is_ok();
    kernel.add_port(bridge, index).map_err(|errno| addif_failed(bridge, port, errno, port_exists()))
}

/// Releases a port.
pub fn delete(kernel: &Kernel, bridge: &[u8], port: &[u8]) -> Outcome {
    let index = kernel.link_index(port).map_err(|_| no_such_interface(port))?;
    let port_exists = || kernel.link_index(port).is_ok();
    kernel.delete_port(bridge, index).map_err(|errno| delif_failed(bridge, port, errno, port_exists()))
}
