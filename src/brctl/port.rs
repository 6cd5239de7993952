//! `brctl addif`, `brctl delif`: interfaces become ports and are released.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::{no_such_bridge, no_such_interface};
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::Kernel;

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
    kernel.add_port(bridge, index).map_err(|errno| match errno {
        Errno::ENODEV => missing(kernel, bridge, port),
        Errno::EBUSY => {
            let say = |verb| {
                line!("device ", port, " is already a member of a bridge; can't ", verb, " it to bridge ", bridge, ".")
            };
            Failure::new(say("add")).formerly(say("enslave"), 1)
        }
        Errno::ELOOP => {
            let say = |verb| {
                line!(
                    "device ",
                    port,
                    " is a bridge device itself; can't ",
                    verb,
                    " a bridge device to a bridge device."
                )
            };
            Failure::new(say("add")).formerly(say("enslave"), 1)
        }
        errno => Failure::new(line!("can't add ", port, " to bridge ", bridge, ": ", errno_text(errno))),
    })
}

/// Releases a port.
pub fn delete(kernel: &Kernel, bridge: &[u8], port: &[u8]) -> Outcome {
    let index = kernel.link_index(port).map_err(|_| no_such_interface(port))?;
    kernel.delete_port(bridge, index).map_err(|errno| match errno {
        Errno::ENODEV => missing(kernel, bridge, port),
        Errno::EINVAL => {
            let say = |role| line!("device ", port, " is not a ", role, " of ", bridge);
            Failure::new(say("port")).formerly(say("slave"), 1)
        }
        errno => Failure::new(line!("can't delete ", port, " from ", bridge, ": ", errno_text(errno))),
    })
}

/// Of ENODEV: the interface may have gone in the meantime, else it is the bridge that is not there.
fn missing(kernel: &Kernel, bridge: &[u8], port: &[u8]) -> Failure {
    match kernel.link_index(port) {
        // 1.0.6 named the interface all the same
        Ok(_) => no_such_bridge(bridge).formerly(no_such_interface(port).text, 1),
        Err(_) => no_such_interface(port),
    }
}
