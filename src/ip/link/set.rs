//! `ip link set`: values of a link.

use nix::errno::Errno;

use crate::applet::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::Words;
use crate::ip::{garbage, no_such_device, refused, wrong};
use crate::kernel::{IFNAMSIZ, Kernel};

/// `ip link set [dev] DEVICE {up|down}...`: of several the last one counts.
pub(super) fn set(call: &mut Call, mut words: Words) -> Outcome {
    let mut device = None;
    let mut up = None;
    while let Some(word) = words.next() {
        match word {
            b"up" => up = Some(true),
            b"down" => up = Some(false),
            _ => {
                let name = if word == b"dev" { words.operand()? } else { word };
                if !is_name(name) {
                    return Err(wrong(name, "\"dev\" not a valid ifname"));
                }
                if device.replace(name).is_some() {
                    return Err(garbage("dev", name));
                }
            }
        }
    }
    let device = device
        .ok_or_else(|| Failure::new(line!("Not enough information: \"dev\" argument is required.")).with_status(255))?;
    match up {
        Some(up) => set_up(call.kernel, device, up),
        None => call.kernel.link_index(device).map(drop).map_err(|_| no_such_device(device)),
    }
}

/// Whether iproute2 takes this for a link's name; a longer one than links have may be an alternative one.
fn is_name(word: &[u8]) -> bool {
    !word.is_empty() && !word.iter().any(|byte| *byte == b'/' || byte.is_ascii_whitespace() || *byte == 0x0b)
}

/// Switches a link on or off.
pub fn set_up(kernel: &Kernel, device: &[u8], up: bool) -> Outcome {
    // the ioctl would cut a longer name, and mean another device
    if device.len() >= IFNAMSIZ {
        return Err(no_such_device(device));
    }
    kernel.set_link_up(device, up).map_err(|errno| match errno {
        Errno::ENODEV => no_such_device(device),
        errno => refused(errno),
    })
}
