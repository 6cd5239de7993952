//! `brctl showstp`: the spanning tree's values of a bridge and of its ports.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use super::print;
use crate::call::Call;
use crate::error::{Outcome, line};
use crate::kernel::{BridgeInfo, PortInfo, Source, port_state};
use crate::texts::bridge_utils::show_failed;

/// `showstp BRIDGE`
pub(super) fn showstp(call: &mut Call, operands: &[OsString]) -> Outcome {
    let bridge = operands[0].as_bytes();
    let kernel = call.kernel;
    let source = if call.era.brctl().by_sysfs { Source::Sysfs } else { Source::Ioctl };
    let info = kernel.bridge_info(bridge, source);
    print_bridge(call.out, bridge, &info.map_err(|errno| show_failed(bridge, errno))?);
    let ports = kernel.port_infos(bridge, source);
    for (port, info) in ports.unwrap_or_default() {
        print_port(call.out, port.as_bytes(), &info);
    }
    Ok(())
}

/// The names of those flags that are set, each with a blank behind it.
fn flags(flags: [(bool, &str); 2]) -> String {
    flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect()
}

fn print_bridge(out: &mut dyn Write, name: &[u8], info: &BridgeInfo) {
    print(out, line!(name));
    print(out, format!(" bridge id\t\t{}\n", info.id));
    print(out, format!(" designated root\t{}\n", info.designated_root));
    print(out, format!(" root port\t\t{:4}\t\t\tpath cost\t\t{:4}\n", info.root_port, info.root_path_cost as i32));
    print(out, format!(" max age\t\t{}\t\t\tbridge max age\t\t{}\n", info.max_age, info.bridge_max_age));
    print(out, format!(" hello time\t\t{}\t\t\tbridge hello time\t{}\n", info.hello_time, info.bridge_hello_time));
    let (current, own) = (info.forward_delay, info.bridge_forward_delay);
    print(out, format!(" forward delay\t\t{current}\t\t\tbridge forward delay\t{own}\n"));
    print(out, format!(" ageing time\t\t{}\n", info.ageing_time));
    print(out, format!(" hello timer\t\t{}\t\t\ttcn timer\t\t{}\n", info.hello_timer, info.tcn_timer));
    print(out, format!(" topology change timer\t{}\t\t\tgc timer\t\t{}\n", info.topology_change_timer, info.gc_timer));
    let flags = flags([
        (info.topology_change, "TOPOLOGY_CHANGE "),
        (info.topology_change_detected, "TOPOLOGY_CHANGE_DETECTED "),
    ]);
    print(out, format!(" flags\t\t\t{flags}\n\n\n"));
}

fn print_port(out: &mut dyn Write, name: &[u8], info: &PortInfo) {
    let state = port_state::NAMES.get(usize::from(info.state)).unwrap_or(&"<INVALID STATE>");
    print(out, line!(name, format!(" ({})", info.number)));
    print(out, format!(" port id\t\t{:04x}\t\t\tstate\t\t{state:>15}\n", info.id));
    print(out, format!(" designated root\t{}\tpath cost\t\t{:4}\n", info.designated_root, info.path_cost as i32));
    let (bridge, message_age) = (info.designated_bridge, info.message_age_timer);
    print(out, format!(" designated bridge\t{bridge}\tmessage age timer\t{message_age}\n"));
    let (port, forward_delay) = (info.designated_port, info.forward_delay_timer);
    print(out, format!(" designated port\t{port:04x}\t\t\tforward delay timer\t{forward_delay}\n"));
    let (cost, hold) = (info.designated_cost as i32, info.hold_timer);
    print(out, format!(" designated cost\t{cost:4}\t\t\thold timer\t\t{hold}\n"));
    let flags = flags([(info.config_pending, "CONFIG_PENDING "), (info.topology_change_ack, "TOPOLOGY_CHANGE_ACK ")]);
    print(out, format!(" flags\t\t\t{flags}\n"));
    if info.hairpin_mode != 0 {
        print(out, format!(" hairpin mode\t\t{:4}\n", info.hairpin_mode));
    }
    print(out, "\n");
}
