//! The host's rules, read once: those of iptables as `iptables-save` prints them, since every version has it and it shows the
//! existing tables without making the kernel load others; those of nftables as `nft list ruleset` prints them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use super::nft_ruleset;
use super::ruleset::Ruleset;
use crate::kernel::{self, Kernel};
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
    /// The program failed, as it does for anyone but root: the first line that it printed, or its name.
    Refused(String),
    /// The kernel has tables, but the program that lists them is missing.
    NoProgram { tables: &'static str, program: String },
}

impl Rules {
    /// Runs `iptables-save`, and those of its variants that show something else. IPv6 has `ip6tables-save`.
    pub(crate) fn read(kernel: &Kernel, path: Option<&OsString>, is_ipv6: bool) -> Self {
        let (base, tables) = match is_ipv6 {
            false => ("iptables", "/proc/net/ip_tables_names"),
            true => ("ip6tables", "/proc/net/ip6_tables_names"),
        };
        let mut rules = Rules::default();
        for variant in ["", "-nft", "-legacy"] {
            let program = format!("{base}{variant}");
            let Some(save) = program::find(&format!("{program}-save"), path.cloned()) else { continue };
            let is_without_tables = || !kernel.has_file(tables) && kernel::user_id() == 0;
            let text = listing(&save, is_without_tables).unwrap_or_else(|said| {
                rules.gap = Some(Gap::Refused(said.unwrap_or_else(|| program.clone())));
                String::new()
            });
            let set = Ruleset::parse(program, &text);
            let is_known = rules.sets.iter().any(|other| other.is_nft.is_some() && other.is_nft == set.is_nft);
            if variant.is_empty() || !set.tables.is_empty() && !is_known {
                rules.sets.push(set);
            }
        }
        if rules.sets.is_empty() && kernel.has_file(tables) {
            rules.gap = Some(Gap::NoProgram { tables, program: format!("{base}-save") });
        }
        if let Some(nft) = program::find("nft", path.cloned()) {
            rules.take_nft(&nft, is_ipv6);
        }
        rules
    }
}

impl Rules {
    /// Adds the rules of nftables, except the chains that an iptables in use shows.
    fn take_nft(&mut self, nft: &Path, is_ipv6: bool) {
        match program::ask(nft, &["list", "ruleset"], Stdio::null()) {
            Ok((status, text)) if status.success() => {
                let shown = self.sets.iter().filter(|set| set.is_nft == Some(true)).flat_map(|set| &set.tables);
                let shown: Vec<&str> = shown.map(|table| table.name.as_str()).collect();
                let family = if is_ipv6 { "ip6" } else { "ip" };
                let tables = nft_ruleset::tables(&text, family, &shown);
                if !tables.is_empty() {
                    self.sets.push(Ruleset::of_nft(tables));
                }
            }
            // a kernel without nf_tables has no rules in it
            Ok((_, said)) if !said.contains("ot permitted") => (),
            failed => {
                let said = failed.ok().and_then(|(_, said)| said.lines().next().map(String::from));
                self.gap = self.gap.take().or(Some(Gap::Refused(said.unwrap_or_else(|| "nft".into()))));
            }
        }
    }
}

/// Returns what a program prints. Before 1.4.9 it also fails where there are no tables.
///
/// # Errors
/// The first line that the program printed when it failed, if it could be run and printed any.
fn listing(save: &Path, is_without_tables: impl Fn() -> bool) -> Result<String, Option<String>> {
    match program::ask(save, &[], Stdio::null()) {
        Ok((status, text)) if status.success() => Ok(text),
        _ if is_without_tables() => Ok(String::new()),
        failed => Err(failed.ok().and_then(|(_, said)| said.lines().next().map(String::from))),
    }
}
