//! The part of `ip` that Xen's network script runs, for the small `network-virtual` program: without the rest of `ip`'s grammars
//! that program is 100 KiB smaller.

use std::os::unix::ffi::OsStrExt;

use super::complaint::unknown_object;
use super::list::{self, Filter, Listing};
use super::options::Options;
use super::words::Words;
use super::{address, route};
use crate::call::Call;
use crate::error::Outcome;
use crate::kernel::{IFNAMSIZ, LinkSetting};
use crate::texts::iproute2::{flags_not_set, no_such_device};

/// Runs `ip addr (add|del) PREFIX dev DEVICE`, `ip addr show DEVICE`, `ip link set DEVICE (up|down)` or `ip route`.
pub fn run(call: &mut Call) -> Outcome {
    let options = Options::of(call.era);
    let words: Vec<&[u8]> = call.args.iter().map(|word| word.as_bytes()).collect();
    match words.as_slice() {
        [b"addr", b"show", device] => list::list(call, Listing::Addresses, &Filter::of_device(device), options),
        [b"addr", verb, ..] => address::change_for_script(call, *verb == b"add", Words::new(&call.args[2..], options)),
        [b"link", b"set", device, state] => set_link(call, device, *state == b"up"),
        [b"route"] => route::show_main_table(call, options),
        words => Err(unknown_object(words.first().unwrap_or(&&b""[..]))),
    }
}

fn set_link(call: &Call, device: &[u8], up: bool) -> Outcome {
    // the ioctl would cut a longer name, and mean another device
    if device.len() >= IFNAMSIZ {
        return Err(no_such_device(device));
    }
    let state = if up { LinkSetting::UP } else { LinkSetting::DOWN };
    call.kernel.set_link(device, state).map_err(|errno| flags_not_set(device, errno))
}
