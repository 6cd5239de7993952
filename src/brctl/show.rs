//! `brctl show`: bridges and their ports.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::print;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::Source;
use crate::texts::bridge_utils::{SHOW_HEADER, show_entry, show_failed};

/// `show [BRIDGE]...`: what is not a bridge is named on standard error, and the rest is shown.
pub(super) fn show(call: &mut Call, operands: &[OsString]) -> Outcome {
    show_bridges(call, operands)
}

/// The list of all bridges, or of those named. The header precedes the first bridge; without any, nothing is printed.
pub fn show_bridges(call: &mut Call, names: &[OsString]) -> Outcome {
    if !call.era.brctl().show_takes_names {
        return show_all(call);
    }
    let all;
    let names = match names {
        // a kernel that has never heard of bridges has none
        [] => {
            all = call.kernel.bridges(Source::Sysfs).unwrap_or_default();
            &all
        }
        names => names,
    };
    let mut header = Some(SHOW_HEADER);
    let mut outcome = Ok(());
    for name in names {
        match call.kernel.bridge_head(name.as_bytes()) {
            Ok((id, stp)) => {
                print(call.out, header.take().unwrap_or_default());
                let ports = call.kernel.ports(name.as_bytes(), Source::Sysfs).unwrap_or_default();
                print(call.out, show_entry(name, id, stp, &ports));
            }
            Err(errno) => {
                let _ = call.err.write_all(&show_failed(name.as_bytes(), errno).text);
                outcome = Err(Failure::silent(1));
            }
        }
    }
    outcome
}

/// As 1.0.6: all bridges in any case, and a header above none.
fn show_all(call: &mut Call) -> Outcome {
    print(call.out, SHOW_HEADER);
    for name in call.kernel.bridges(Source::Ioctl).unwrap_or_default() {
        let bridge = name.as_bytes();
        match call.kernel.bridge_info(bridge, Source::Ioctl) {
            Ok(info) => {
                let ports = call.kernel.ports(bridge, Source::Ioctl);
                print(call.out, show_entry(&name, info.id, info.stp_enabled, &ports.unwrap_or_default()));
            }
            // it has gone in the meantime
            Err(errno) => {
                print(call.out, [bridge, b"\t\t"].concat());
                let _ = call.err.write_all(&line!("can't get info ", errno_text(errno)));
            }
        }
    }
    Ok(())
}
