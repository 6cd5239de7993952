//! `brctl showstp`: the spanning tree's values of a bridge and of its ports.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use super::show::show_failed;
use super::source::source;
use crate::call::Call;
use crate::error::Outcome;
use crate::kernel::{BridgeInfo, PortInfo, port_state};

/// `showstp BRIDGE`
pub(super) fn showstp(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let (bridge, source) = (operands[0], source(call.era));
    let info = call.kernel.bridge_info(bridge, source).map_err(|errno| show_failed(bridge, errno))?;
    let _ = print_bridge(call.out, bridge, &info);
    for (port, info) in call.kernel.port_infos(bridge, source).unwrap_or_default() {
        let _ = print_port(call.out, port.as_bytes(), &info);
    }
    Ok(())
}

/// Returns the names of the flags that are set, each followed by a blank.
fn flags(flags: [(bool, &str); 2]) -> String {
    flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect()
}

fn print_bridge(out: &mut dyn Write, name: &[u8], info: &BridgeInfo) -> io::Result<()> {
    out.write_all(name)?;
    writeln!(out)?;
    writeln!(out, " bridge id\t\t{}", info.id)?;
    writeln!(out, " designated root\t{}", info.designated_root)?;
    writeln!(out, " root port\t\t{:4}\t\t\tpath cost\t\t{:4}", info.root_port, info.root_path_cost as i32)?;
    writeln!(out, " max age\t\t{}\t\t\tbridge max age\t\t{}", info.max_age, info.bridge_max_age)?;
    writeln!(out, " hello time\t\t{}\t\t\tbridge hello time\t{}", info.hello_time, info.bridge_hello_time)?;
    let (current, own) = (info.forward_delay, info.bridge_forward_delay);
    writeln!(out, " forward delay\t\t{current}\t\t\tbridge forward delay\t{own}")?;
    writeln!(out, " ageing time\t\t{}", info.ageing_time)?;
    writeln!(out, " hello timer\t\t{}\t\t\ttcn timer\t\t{}", info.hello_timer, info.tcn_timer)?;
    writeln!(out, " topology change timer\t{}\t\t\tgc timer\t\t{}", info.topology_change_timer, info.gc_timer)?;
    let flags = flags([
        (info.topology_change, "TOPOLOGY_CHANGE "),
        (info.topology_change_detected, "TOPOLOGY_CHANGE_DETECTED "),
    ]);
    writeln!(out, " flags\t\t\t{flags}\n\n")
}

fn print_port(out: &mut dyn Write, name: &[u8], info: &PortInfo) -> io::Result<()> {
    let state = port_state::NAMES.get(usize::from(info.state)).unwrap_or(&"<INVALID STATE>");
    out.write_all(name)?;
    writeln!(out, " ({})", info.number)?;
    writeln!(out, " port id\t\t{:04x}\t\t\tstate\t\t{state:>15}", info.id)?;
    writeln!(out, " designated root\t{}\tpath cost\t\t{:4}", info.designated_root, info.path_cost as i32)?;
    let (bridge, message_age) = (info.designated_bridge, info.message_age_timer);
    writeln!(out, " designated bridge\t{bridge}\tmessage age timer\t{message_age}")?;
    let (port, forward_delay) = (info.designated_port, info.forward_delay_timer);
    writeln!(out, " designated port\t{port:04x}\t\t\tforward delay timer\t{forward_delay}")?;
    let (cost, hold) = (info.designated_cost as i32, info.hold_timer);
    writeln!(out, " designated cost\t{cost:4}\t\t\thold timer\t\t{hold}")?;
    let flags = flags([(info.config_pending, "CONFIG_PENDING "), (info.topology_change_ack, "TOPOLOGY_CHANGE_ACK ")]);
    writeln!(out, " flags\t\t\t{flags}")?;
    if info.hairpin_mode != 0 {
        writeln!(out, " hairpin mode\t\t{:4}", info.hairpin_mode)?;
    }
    writeln!(out)
}
