//! `brctl stp`, `brctl setfd` and the other verbs that set a value of a bridge or of a port.
//!
//! The value is read before the kernel is asked for the bridge: a malformed one is reported even if there is no such bridge.

use super::source::source;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::{BridgeSetting, PortSetting, Source};
use crate::net::{ClockTime, number};
use crate::texts::bridge_utils::{no_such_bridge, no_such_interface, setfd_failed, setting_failed, stp_failed};

/// `stp BRIDGE on|off`
pub(super) fn stp(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let on = switch(operands[1])?;
    call.kernel.set_bridge(operands[0], BridgeSetting::STP_STATE, on.into()).map_err(stp_failed)
}

/// `setfd BRIDGE SECONDS`
pub(super) fn setfd(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let delay = time(operands[1], "bad forward delay value")?;
    call.kernel.set_bridge(operands[0], BridgeSetting::FORWARD_DELAY, delay.0).map_err(setfd_failed)
}

/// `sethello BRIDGE SECONDS`
pub(super) fn sethello(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let time = time(operands[1], "bad hello timer value")?;
    set_bridge(call, operands, BridgeSetting::HELLO_TIME, time.0, "set hello timer failed")
}

/// `setmaxage BRIDGE SECONDS`
pub(super) fn setmaxage(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let time = time(operands[1], "bad max age value")?;
    set_bridge(call, operands, BridgeSetting::MAX_AGE, time.0, "set max age failed")
}

/// `setageing BRIDGE SECONDS`
pub(super) fn setageing(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let time = time(operands[1], "bad ageing time value")?;
    set_bridge(call, operands, BridgeSetting::AGEING_TIME, time.0, "set ageing time failed")
}

/// `setbridgeprio BRIDGE PRIORITY`
pub(super) fn setbridgeprio(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let priority = integer(operands[1], "bad priority")?;
    set_bridge(call, operands, BridgeSetting::PRIORITY, priority, "set bridge priority failed")
}

/// `setpathcost BRIDGE PORT COST`
pub(super) fn setpathcost(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let cost = integer(operands[2], "bad path cost value")?;
    set_port(call, operands, PortSetting::PATH_COST, cost, "set path cost failed")
}

/// `setportprio BRIDGE PORT PRIORITY`
pub(super) fn setportprio(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let priority = integer(operands[2], "bad path priority value")?;
    set_port(call, operands, PortSetting::PRIORITY, priority, "set port priority failed")
}

/// `hairpin BRIDGE PORT on|off`: the only one that first checks whether port and bridge exist.
pub(super) fn hairpin(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let (kernel, bridge, port) = (call.kernel, operands[0], operands[1]);
    let on = switch(operands[2])?;
    kernel.link_index(port).map_err(|_| no_such_interface(port))?;
    kernel.link_index(bridge).map_err(|_| no_such_bridge(bridge))?;
    kernel.set_port(bridge, port, PortSetting::HAIRPIN_MODE, on.into(), Source::Sysfs).map_err(|errno| {
        Failure::new(line!("can't set ", port, " to hairpin on bridge ", bridge, ": ", errno_text(errno)))
    })
}

fn set_bridge(call: &Call, operands: &[&[u8]], setting: BridgeSetting, value: u64, complaint: &str) -> Outcome {
    call.kernel.set_bridge(operands[0], setting, value).map_err(|errno| setting_failed(complaint, errno))
}

fn set_port(call: &Call, operands: &[&[u8]], setting: PortSetting, value: u64, complaint: &str) -> Outcome {
    let set = call.kernel.set_port(operands[0], operands[1], setting, value, source(call.era));
    set.map_err(|errno| setting_failed(complaint, errno))
}

fn switch(word: &[u8]) -> Result<bool, Failure> {
    number::switch(word).ok_or_else(|| Failure::new(line!("expect on/off for argument")))
}

fn time(word: &[u8], complaint: &str) -> Result<ClockTime, Failure> {
    number::time(word).ok_or_else(|| Failure::new(line!(complaint)))
}

fn integer(word: &[u8], complaint: &str) -> Result<u64, Failure> {
    number::integer(word).ok_or_else(|| Failure::new(line!(complaint)))
}
