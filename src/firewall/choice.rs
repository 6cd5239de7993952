//! What holds the firewall's rules on this host: chosen once, from what the host uses.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use super::error::{FirewallError, Result};
use super::nft_rule::{self, NftChain};
use super::rule::{self, Action, Rule};
use super::table::KernelTables;
use crate::kernel::Kernel;
use crate::net::Family;
use crate::program;

/// What holds the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The kernel's legacy tables.
    Kernel,
    /// The host's iptables.
    Iptables,
    /// The host's nft.
    Nft,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Kernel, Kind::Iptables, Kind::Nft];

    /// Returns the word that stands for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Kernel => "kernel",
            Kind::Iptables => "iptables",
            Kind::Nft => "nft",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> std::result::Result<Self, UnknownKind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == word).ok_or(UnknownKind)
    }
}

/// A word stands for none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kernel, iptables or nft is expected")
    }
}

/// What holds the rules, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What holds them.
    pub kind: Kind,
    /// Why.
    pub reason: Reason,
    /// The host's `iptables` keeps its rules in nf_tables, so that it shows none of the legacy tables.
    pub iptables_is_nft: bool,
}

/// Why a backend was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// Legacy rules are in use.
    LegacyInUse,
    /// The host's iptables keeps its rules in nf_tables.
    IptablesIsNft,
    /// The host's iptables keeps its rules in the kernel's legacy tables.
    IptablesIsLegacy,
    /// The host's iptables is a script, which may do anything with them.
    IptablesIsScript,
    /// nft is installed, and iptables is not.
    OnlyNft,
    /// Neither iptables nor nft is installed.
    NoProgram,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Asked => "it was asked for",
            Reason::LegacyInUse => "the kernel's legacy tables have rules",
            Reason::IptablesIsNft => "this iptables keeps its rules in nf_tables",
            Reason::IptablesIsLegacy => "this iptables keeps its rules in the kernel's legacy tables",
            Reason::IptablesIsScript => "this iptables is a script",
            Reason::OnlyNft => "nft is installed, iptables is not",
            Reason::NoProgram => "neither iptables nor nft is installed",
        })
    }
}

impl Choice {
    /// Returns the command that a person would type for a rule.
    pub fn command(self, rule: &Rule, action: Action) -> String {
        match self.kind {
            Kind::Nft => nft_rule::command(&NftChain::of_rule(rule), rule, action),
            Kind::Kernel if self.iptables_is_nft => {
                let name = rule::program(rule.family);
                rule.command(action).replacen(name, &format!("{name}-legacy"), 1)
            }
            Kind::Kernel | Kind::Iptables => rule.command(action),
        }
    }

    /// Returns the command that a person would type to set the policy of chain FORWARD.
    pub fn policy_command(self, policy: &str) -> String {
        match self.kind {
            Kind::Nft => {
                let policy = if policy == "DROP" { "drop" } else { "accept" };
                nft_rule::policy_commands(Family::V4, policy)
            }
            Kind::Kernel if self.iptables_is_nft => format!("iptables-legacy -P FORWARD {policy}"),
            Kind::Kernel | Kind::Iptables => format!("iptables -P FORWARD {policy}"),
        }
    }
}

/// Chooses what holds the rules: what was asked for; else the kernel's legacy tables, unless the host's rules live in nf_tables. No
/// program is run.
///
/// # Errors
/// [`FirewallError::NoProgram`] if a program was asked for that is not installed.
pub fn choose(kernel: &Kernel, path: Option<&OsString>, asked: Option<Kind>) -> Result<Choice> {
    let iptables = program::find("iptables", path.cloned());
    let iptables_is_nft = iptables.as_deref().is_some_and(is_nft);
    let nft = || program::find("nft", path.cloned());
    let choice = |kind, reason| Ok(Choice { kind, reason, iptables_is_nft });
    match asked {
        Some(Kind::Iptables) if iptables.is_none() => return Err(FirewallError::NoProgram("iptables", "iptables")),
        Some(Kind::Nft) if nft().is_none() => return Err(FirewallError::NoProgram("nft", "nftables")),
        Some(kind) => return choice(kind, Reason::Asked),
        None => (),
    }
    match iptables {
        Some(iptables) if is_script(&iptables) => choice(Kind::Iptables, Reason::IptablesIsScript),
        Some(_) if !iptables_is_nft => choice(Kind::Kernel, Reason::IptablesIsLegacy),
        None if nft().is_none() || !has_nf_tables(kernel) => choice(Kind::Kernel, Reason::NoProgram),
        _ if KernelTables::new(kernel).are_in_use() => choice(Kind::Kernel, Reason::LegacyInUse),
        Some(_) => choice(Kind::Iptables, Reason::IptablesIsNft),
        None => choice(Kind::Nft, Reason::OnlyNft),
    }
}

/// Whether an iptables keeps its rules in nf_tables: its name leads to `xtables-nft-multi`, or before 1.8.0 to
/// `xtables-compat-multi`.
pub(super) fn is_nft(iptables: &Path) -> bool {
    let mut program = iptables.to_path_buf();
    // no kernel follows more links than these
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&program) else { break };
        program.set_file_name(target);
    }
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.contains("nft") || name.contains("compat")
}

/// Whether a program begins with `#!`.
pub(super) fn is_script(program: &Path) -> bool {
    let mut start = [0; 2];
    File::open(program).and_then(|mut file| file.read_exact(&mut start)).is_ok() && &start == b"#!"
}

/// Whether a kernel can have nf_tables, which came with Linux 3.13.
pub(super) fn has_nf_tables(kernel: &Kernel) -> bool {
    let release = kernel.release();
    let release = release.to_string_lossy();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (3, 13)
}
