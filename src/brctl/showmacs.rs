//! `brctl showmacs`: a bridge's forwarding table.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::print;
use crate::call::Call;
use crate::error::Outcome;
use crate::texts::bridge_utils::setting_failed;

/// `showmacs BRIDGE`: by address. Entries of one address (of several VLANs) stay in the kernel's order.
pub(super) fn showmacs(call: &mut Call, operands: &[OsString]) -> Outcome {
    let mut table = call
        .kernel
        .forwarding_table(operands[0].as_bytes())
        .map_err(|errno| setting_failed("read of forward table failed", errno))?;
    table.sort_by_key(|entry| entry.mac());
    print(call.out, "port no\tmac addr\t\tis local?\tageing timer\n");
    let mut line = String::new();
    for entry in table {
        let local = if entry.is_local() { "yes" } else { "no" };
        line.clear();
        // writing to a String does not fail
        let _ = writeln!(line, "{:3}\t{}\t{local}\t\t{}", entry.port(), entry.mac(), entry.age());
        print(call.out, &line);
    }
    Ok(())
}
