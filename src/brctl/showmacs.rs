//! `brctl showmacs`: a bridge's forwarding table.

use crate::call::Call;
use crate::error::Outcome;
use crate::texts::bridge_utils::setting_failed;

/// `showmacs BRIDGE`: by address. Entries with the same address (of several VLANs) stay in the kernel's order.
pub(super) fn showmacs(call: &mut Call, operands: &[&[u8]]) -> Outcome {
    let table = call.kernel.forwarding_table(operands[0]);
    let mut table = table.map_err(|errno| setting_failed("read of forward table failed", errno))?;
    table.sort_by_key(|entry| entry.mac());
    let _ = call.out.write_all(b"port no\tmac addr\t\tis local?\tageing timer\n");
    for entry in table {
        let local = if entry.is_local() { "yes" } else { "no" };
        let _ = writeln!(call.out, "{:3}\t{}\t{local}\t\t{}", entry.port(), entry.mac(), entry.age());
    }
    Ok(())
}
