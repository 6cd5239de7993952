//! `brctl stp`, `brctl setfd` and the other verbs that set a value of a bridge or of a port.
//!
//! A value is read before the bridge is looked at, so that a bad one is reported even for a bridge that is not there.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::{BridgeSetting, Kernel, PortSetting, Source};
use crate::net::{ClockTime, number};
use crate::texts::bridge_utils::{no_such_bridge, no_such_interface, setfd_failed, setting_failed, stp_failed};

/// `stp BRIDGE on|off`
pub(super) fn stp(call: &mut Call, operands: &[OsString]) -> Outcome {
    let on = switch(&operands[1])?;
    set_stp(call.kernel, operands[0].as_bytes(), on)
}

/// Switches a bridge's spanning tree on or off.
pub fn set_stp(kernel: &Kernel, bridge: &[u8], on: bool) -> Outcome {
    kernel.set_bridge(bridge, BridgeSetting::STP_STATE, on.into()).map_err(stp_failed)
}

/// `setfd BRIDGE SECONDS`
pub(super) fn setfd(call: &mut Call, operands: &[OsString]) -> Outcome {
    let delay = time(&operands[1], "bad forward delay value")?;
    set_forward_delay(call.kernel, operands[0].as_bytes(), delay)
}

/// Sets a bridge's forward delay.
pub fn set_forward_delay(kernel: &Kernel, bridge: &[u8], delay: ClockTime) -> Outcome {
    kernel.set_bridge(bridge, BridgeSetting::FORWARD_DELAY, delay.0).map_err(setfd_failed)
}

/// `sethello BRIDGE SECONDS`
pub(super) fn sethello(call: &mut Call, operands: &[OsString]) -> Outcome {
    let time = time(&operands[1], "bad hello timer value")?;
    set_bridge(call, operands, BridgeSetting::HELLO_TIME, time.0, "set hello timer failed")
}

/// `setmaxage BRIDGE SECONDS`
pub(super) fn setmaxage(call: &mut Call, operands: &[OsString]) -> Outcome {
    let time = time(&operands[1], "bad max age value")?;
    set_bridge(call, operands, BridgeSetting::MAX_AGE, time.0, "set max age failed")
}

/// `setageing BRIDGE SECONDS`
pub(super) fn setageing(call: &mut Call, operands: &[OsString]) -> Outcome {
    let time = time(&operands[1], "bad ageing time value")?;
    set_bridge(call, operands, BridgeSetting::AGEING_TIME, time.0, "set ageing time failed")
}

/// `setbridgeprio BRIDGE PRIORITY`
pub(super) fn setbridgeprio(call: &mut Call, operands: &[OsString]) -> Outcome {
    let priority = integer(&operands[1], "bad priority")?;
    set_bridge(call, operands, BridgeSetting::PRIORITY, priority, "set bridge priority failed")
}

/// `setpathcost BRIDGE PORT COST`
pub(super) fn setpathcost(call: &mut Call, operands: &[OsString]) -> Outcome {
    let cost = integer(&operands[2], "bad path cost value")?;
    set_port(call, operands, PortSetting::PATH_COST, cost, "set path cost failed")
}

/// `setportprio BRIDGE PORT PRIORITY`
pub(super) fn setportprio(call: &mut Call, operands: &[OsString]) -> Outcome {
    let priority = integer(&operands[2], "bad path priority value")?;
    set_port(call, operands, PortSetting::PRIORITY, priority, "set port priority failed")
}

/// `hairpin BRIDGE PORT on|off`: alone among these it looks first whether port and bridge are there.
pub(super) fn hairpin(call: &mut Call, operands: &[OsString]) -> Outcome {
    let [bridge, port, word, ..] = operands else { return Ok(()) };
    let (bridge, port) = (bridge.as_bytes(), port.as_bytes());
    let on = switch(word)?;
    call.kernel.link_index(port).map_err(|_| no_such_interface(port))?;
    call.kernel.link_index(bridge).map_err(|_| no_such_bridge(bridge))?;
    call.kernel.set_port(bridge, port, PortSetting::HAIRPIN_MODE, on.into(), Source::Sysfs).map_err(|errno| {
        Failure::new(line!("can't set ", port, " to hairpin on bridge ", bridge, ": ", errno_text(errno)))
    })
}

fn set_bridge(call: &Call, operands: &[OsString], setting: BridgeSetting, value: u64, complaint: &str) -> Outcome {
    call.kernel.set_bridge(operands[0].as_bytes(), setting, value).map_err(|errno| setting_failed(complaint, errno))
}

fn set_port(call: &Call, operands: &[OsString], setting: PortSetting, value: u64, complaint: &str) -> Outcome {
    let (bridge, port) = (operands[0].as_bytes(), operands[1].as_bytes());
    let source = if call.era.brctl().by_sysfs { Source::Sysfs } else { Source::Ioctl };
    call.kernel.set_port(bridge, port, setting, value, source).map_err(|errno| setting_failed(complaint, errno))
}

fn switch(word: &OsString) -> Result<bool, Failure> {
    number::switch(word.as_bytes()).ok_or_else(|| Failure::new(line!("expect on/off for argument")))
}

fn time(word: &OsString, complaint: &str) -> Result<ClockTime, Failure> {
    number::time(word.as_bytes()).ok_or_else(|| Failure::new(line!(complaint)))
}

fn integer(word: &OsString, complaint: &str) -> Result<u64, Failure> {
    number::integer(word.as_bytes()).ok_or_else(|| Failure::new(line!(complaint)))
}
