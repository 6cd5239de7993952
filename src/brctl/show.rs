//! `brctl show`: bridges and their ports.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::source::source;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::net::BridgeId;
use crate::texts::bridge_utils::no_such_bridge;

/// The first line.
const HEADER: &str = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n";

/// `show [BRIDGE]...`: lists all bridges, or those named. A name that is not a bridge's is reported on standard error. The header
/// precedes the first bridge: without bridges nothing is printed.
pub(super) fn show(call: &mut Call, names: &[&[u8]]) -> Outcome {
    if !call.era.brctl().show_takes_names {
        return show_all(call);
    }
    let source = source(call.era);
    let all;
    let names = match names {
        [] => {
            // a kernel without bridge support has no bridges
            all = call.kernel.bridges(source).unwrap_or_default();
            &all.iter().map(|name| name.as_bytes()).collect::<Vec<_>>()
        }
        names => names,
    };
    let mut header = HEADER;
    let mut outcome = Ok(());
    for name in names {
        match call.kernel.bridge_head(name) {
            Ok((id, stp)) => {
                let _ = call.out.write_all(std::mem::take(&mut header).as_bytes());
                let ports = call.kernel.ports(name, source).unwrap_or_default();
                let _ = call.out.write_all(&entry(name, id, stp, &ports));
            }
            Err(errno) => {
                let _ = call.err.write_all(&show_failed(name, errno).text);
                outcome = Err(Failure::silent(1));
            }
        }
    }
    outcome
}

/// Lists all bridges as 1.0.6 did: whatever the operands are, and with the header even if there is none.
fn show_all(call: &mut Call) -> Outcome {
    let source = source(call.era);
    let _ = call.out.write_all(HEADER.as_bytes());
    for name in call.kernel.bridges(source).unwrap_or_default() {
        let name = name.as_bytes();
        match call.kernel.bridge_info(name, source) {
            Ok(info) => {
                let ports = call.kernel.ports(name, source).unwrap_or_default();
                let _ = call.out.write_all(&entry(name, info.id, info.stp_enabled, &ports));
            }
            // it has gone in the meantime
            Err(errno) => {
                let _ = call.out.write_all(&[name, b"\t\t"].concat());
                let _ = call.err.write_all(&line!("can't get info ", errno_text(errno)));
            }
        }
    }
    Ok(())
}

/// Returns the entry of a bridge: a line, and a further one for each port after the first.
fn entry(bridge: &[u8], id: BridgeId, stp_enabled: bool, ports: &[OsString]) -> Vec<u8> {
    let stp = if stp_enabled { "yes" } else { "no" };
    let ports: Vec<&[u8]> = ports.iter().map(|port| port.as_bytes()).collect();
    line!(bridge, format!("\t\t{id}\t{stp}\t\t"), ports.join(&b"\n\t\t\t\t\t\t\t"[..]))
}

/// Returns why `show` and `showstp` cannot describe a bridge.
pub(super) fn show_failed(name: &[u8], errno: Errno) -> Failure {
    let failure = match errno {
        Errno::ENODEV => no_such_bridge(name),
        _ => Failure::new(line!("device ", name, " is not a bridge!")),
    };
    failure.formerly(line!(name, ": can't get info ", errno_text(errno)), 1)
}
