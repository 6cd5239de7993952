//! What holds the firewall's rules on this host.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
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

/// Chooses what holds the rules: the kernel's legacy tables, unless the host's iptables keeps its rules elsewhere and no legacy rule
/// is in use.
pub(super) fn choose(kernel: &Kernel, path: Option<&OsString>) -> Kind {
    match program::find("iptables", path.cloned()) {
        Some(iptables) if is_of_other_tables(&iptables) && !KernelTables::new(kernel).are_in_use() => Kind::Iptables,
        _ => Kind::Kernel,
    }
}

/// Whether an iptables keeps its rules in nf_tables, as its name `xtables-nft-multi` says, or is a script of the host's own.
fn is_of_other_tables(iptables: &Path) -> bool {
    let program = fs::canonicalize(iptables).unwrap_or_default();
    let is_nft = program.file_name().is_some_and(|name| name.to_string_lossy().contains("nft"));
    let mut start = [0; 2];
    is_nft || File::open(&program).is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == *b"#!")
}
