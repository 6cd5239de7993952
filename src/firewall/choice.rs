//! What holds the firewall's rules on this host.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::table::KernelTables;
use crate::kernel::Kernel;
use crate::program;

/// What holds the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The kernel's legacy tables.
    Kernel,
    /// The host's iptables.
    Iptables,
}

/// Chooses what holds the rules: the kernel's legacy tables, unless the host's iptables keeps its rules in nf_tables and no legacy
/// rule is in use.
pub(super) fn choose(kernel: &Kernel, path: Option<&OsString>) -> Kind {
    match program::find("iptables", path.cloned()) {
        Some(iptables) if is_nft(&iptables) && KernelTables::new(kernel).are_in_use() => Kind::Kernel,
        _ => Kind::Iptables,
    }
}

/// Whether an iptables keeps its rules in nf_tables: its name leads to `xtables-nft-multi`.
fn is_nft(iptables: &Path) -> bool {
    let program = fs::canonicalize(iptables).unwrap_or_default();
    program.file_name().is_some_and(|name| name.to_string_lossy().contains("nft"))
}
