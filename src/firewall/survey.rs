//! The host's rules, read once: the kernel's legacy tables by socket options; those of nf_tables by `nft list ruleset`. Of tables that
//! are iptables' there `iptables-save` shows more. Where nft is not installed, it alone is asked; it makes the kernel load no table.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::thread::{self, JoinHandle};

use super::chain::Table;
use super::choice;
use super::error::FirewallError;
use super::nft_ruleset;
use super::rule;
use super::ruleset::Ruleset;
use super::table::KernelTables;
use crate::kernel::Kernel;
use crate::net::Family;
use crate::program;

/// The rules of one address family, from every variant of iptables that is installed.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) sets: Vec<Ruleset>,
    /// Why not all rules are known, if so.
    pub(crate) gap: Option<Gap>,
}

/// Why not all rules are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// They may not be read, as by anyone but root: what was said to that.
    Refused(String),
}

/// What `nft list ruleset` says, for all families.
pub(crate) enum NftListing {
    /// nft is not installed.
    NotInstalled,
    /// Nothing, as with a kernel without nf_tables.
    Nothing,
    Text(String),
    /// What it said to the question, or its name.
    Refused(String),
}

impl NftListing {
    /// Runs nft, if it is installed.
    pub(crate) fn read(path: Option<&OsString>) -> Self {
        let Some(nft) = program::find("nft", path.cloned()) else { return NftListing::NotInstalled };
        match program::ask(&nft, &["list", "ruleset"], Stdio::null()) {
            Ok((status, text)) if status.success() => NftListing::Text(text),
            // a kernel without nf_tables has no rules in it
            Ok((_, said)) if !said.contains("ot permitted") => NftListing::Nothing,
            failed => NftListing::Refused(first_line(failed.ok().map(|(_, said)| said), "nft")),
        }
    }

    /// Runs nft beside the caller, if it is installed and the kernel can have rules for it: it takes longer than all that doctor reads
    /// itself.
    pub(crate) fn read_beside(kernel: &Kernel, path: Option<&OsString>) -> Option<JoinHandle<Self>> {
        let path = path.cloned();
        program::find("nft", path.clone()).filter(|_| choice::has_nf_tables(kernel))?;
        thread::Builder::new().spawn(move || NftListing::read(path.as_ref())).ok()
    }

    /// Whether iptables may have rules of a family that its own listing shows: the names of its tables are known.
    fn may_hold_rules_of_iptables(&self, family: &str) -> bool {
        let is_of_iptables = |line: &str| {
            let name = line.strip_prefix("table ").and_then(|rest| rest.strip_prefix(family)?.strip_prefix(' '));
            name.and_then(|name| name.strip_suffix(" {")).is_some_and(|name| TABLES_OF_IPTABLES.contains(&name))
        };
        match self {
            NftListing::Nothing => false,
            NftListing::Text(text) => text.lines().any(is_of_iptables),
            NftListing::NotInstalled | NftListing::Refused(_) => true,
        }
    }
}

/// The tables of iptables.
const TABLES_OF_IPTABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// Returns the first line of what a program said or, if it said nothing, its name.
fn first_line(said: Option<String>, program: &str) -> String {
    let first = said.as_deref().and_then(|said| said.lines().next()).filter(|first| !first.is_empty());
    first.unwrap_or(program).into()
}

impl Rules {
    /// Reads the kernel's legacy tables. No program is run.
    pub(crate) fn legacy(kernel: &Kernel, path: Option<&OsString>, family: Family) -> Self {
        let base = rule::program(family);
        let is_nft = program::find(base, path.cloned()).is_some_and(|iptables| choice::is_nft(&iptables));
        let mut rules = Rules::default();
        rules.take_legacy(kernel, family, if is_nft { format!("{base}-legacy") } else { base.into() });
        rules
    }

    /// Reads all rules: those that are kept in nf_tables by the programs that are installed.
    pub(crate) fn all(kernel: &Kernel, path: Option<&OsString>, family: Family, nft: &NftListing) -> Self {
        let mut rules = Rules::legacy(kernel, path, family);
        let nft_family = if family == Family::V6 { "ip6" } else { "ip" };
        if nft.may_hold_rules_of_iptables(nft_family) {
            rules.take_nf_tables_of_iptables(path, family);
        }
        match nft {
            NftListing::Text(text) => rules.take_nft(text, nft_family),
            NftListing::Refused(said) => rules.refuse(said.clone()),
            NftListing::NotInstalled | NftListing::Nothing => (),
        }
        rules
    }

    fn take_nf_tables_of_iptables(&mut self, path: Option<&OsString>, family: Family) {
        let base = rule::program(family);
        // as `iptables` if that is this variant, or a script, and else by the name of the variant
        let find = |name: &str| program::find(&format!("{name}-save"), path.cloned());
        let variant = format!("{base}-nft");
        let is_base = program::find(base, path.cloned())
            .is_some_and(|iptables| choice::is_nft(&iptables) || choice::is_script(&iptables));
        let found = Some(base.to_string()).filter(|_| is_base).and_then(|base| find(&base).map(|save| (base, save)));
        if let Some((name, save)) = found.or_else(|| find(&variant).map(|save| (variant, save))) {
            self.take_iptables(name, &save);
        }
    }

    fn take_legacy(&mut self, kernel: &Kernel, family: Family, program: String) {
        let mut tables = Vec::new();
        for table in [Table::Filter, Table::Nat] {
            match KernelTables::new(kernel).listing(family, table) {
                Ok(listed) => tables.extend(listed),
                Err(FirewallError::NoTable(..)) => (),
                Err(error) => self.gap = Some(Gap::Refused(error.to_string())),
            }
        }
        if !tables.is_empty() {
            self.sets.push(Ruleset { program, tables, is_nft: Some(false) });
        }
    }

    fn take_iptables(&mut self, program: String, save: &Path) {
        match program::ask(save, &[], Stdio::null()) {
            Ok((status, text)) if status.success() => {
                let set = Ruleset::parse(program, &text);
                // the legacy tables have been read
                if set.is_nft == Some(true) {
                    self.sets.push(set);
                }
            }
            failed => self.refuse(first_line(failed.ok().map(|(_, said)| said), &program)),
        }
    }

    /// Adds the rules of nftables, except the chains that an iptables in use shows.
    fn take_nft(&mut self, listing: &str, family: &str) {
        let shown = self.sets.iter().filter(|set| set.is_nft == Some(true)).flat_map(|set| &set.tables);
        let shown: Vec<&str> = shown.map(|table| table.name.as_str()).collect();
        let tables = nft_ruleset::tables(listing, family, &shown);
        if !tables.is_empty() {
            self.sets.push(Ruleset::of_nft(tables));
        }
    }

    fn refuse(&mut self, said: String) {
        self.gap = self.gap.take().or(Some(Gap::Refused(said)));
    }
}
