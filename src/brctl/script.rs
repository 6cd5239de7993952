//! The part of `brctl` that Xen's network script runs, for the small `network-virtual` program: without the other verbs and the
//! arithmetic of times that program is 25 KiB smaller.

use std::os::unix::ffi::OsStrExt;

use super::{bridge, show};
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::kernel::BridgeSetting;
use crate::texts::bridge_utils::{setfd_failed, setting_failed, stp_failed};

/// Runs `brctl addbr BRIDGE`, `brctl delbr BRIDGE`, `brctl stp BRIDGE off`, `brctl setfd BRIDGE 0` or `brctl show BRIDGE`.
pub fn run(call: &mut Call) -> Outcome {
    call.kernel.connect().map_err(|errno| setting_failed("can't setup bridge control", errno))?;
    let words: Vec<&[u8]> = call.args.iter().map(|word| word.as_bytes()).collect();
    match words.as_slice() {
        [b"addbr", operands @ ..] => bridge::addbr(call, operands),
        [b"delbr", operands @ ..] => bridge::delbr(call, operands),
        [b"stp", name, ..] => call.kernel.set_bridge(name, BridgeSetting::STP_STATE, 0).map_err(stp_failed),
        [b"setfd", name, ..] => call.kernel.set_bridge(name, BridgeSetting::FORWARD_DELAY, 0).map_err(setfd_failed),
        [b"show", operands @ ..] => show::show(call, operands),
        _ => Err(Failure::silent(1)),
    }
}
