//! Where packets are dropped on their way through the host, and rules that let them pass there.
//!
//! An ACCEPT of one table overrules no drop of another. So a rule goes in at the head of the very chain that drops.

use std::ffi::OsString;
use std::fmt;
use std::process::Stdio;

use super::change::RuleChange;
use super::error::{FirewallError, Result};
use super::nft::Nft;
use super::nft_rule::{self, NftChain};
use super::packet::{Packet, Verdict};
use super::rule::{Action, Rule, program};
use super::ruleset::Hook;
use super::survey::Rules;
use super::table::KernelTables;
use crate::kernel::Kernel;
use crate::program;

/// A chain that forwarded packets pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// FORWARD of the kernel's legacy table.
    Legacy,
    /// FORWARD of the iptables that keeps its rules in nf_tables.
    IptablesNft,
    /// A base chain of nftables.
    Nft(NftChain),
}

/// What drops packets.
#[derive(Clone, Debug)]
pub(crate) struct Obstacle {
    pub(crate) place: Place,
    /// The rule or policy that drops, behind the name of the program that shows it.
    pub(crate) by: String,
}

/// The table of firewalld, which removes rules of others when it is reloaded.
const FIREWALLD: &str = "inet firewalld";

impl Obstacle {
    /// Returns what drops a packet, in each table that does. Rules that make an exception for some packets count for nothing.
    pub(crate) fn all(rules: &Rules, packet: &Packet) -> Vec<Self> {
        let mut found = Vec::new();
        for set in &rules.sets {
            for passage in set.passages(Hook::Forward, packet) {
                let Verdict { is_dropped: true, by: Some(by), .. } = Verdict::of(&passage.hits) else { continue };
                let place = match set.is_native_nft() {
                    true => {
                        Place::Nft(NftChain { table: passage.table.name.clone(), chain: passage.chain.name.clone() })
                    }
                    false if set.is_nft == Some(true) => Place::IptablesNft,
                    false => Place::Legacy,
                };
                found.push(Obstacle { place, by: format!("{} {by}", set.program) });
            }
        }
        found
    }

    /// Returns the line that lets packets of a rule pass. `is_nft`: the host's `iptables` keeps its rules in nf_tables.
    pub(crate) fn command(&self, rule: &Rule, is_nft: bool) -> String {
        match (&self.place, self.is_firewalld()) {
            (Place::Nft(NftChain { table, chain }), false) => {
                format!("nft insert rule {table} {chain} '{}'", nft_rule::statement(rule))
            }
            (_, true) => "firewall-cmd --reload".into(),
            (place, _) => place.command(rule, Action::Insert, is_nft),
        }
    }

    /// Returns whether a running program would remove our rule.
    pub(crate) fn is_firewalld(&self) -> bool {
        matches!(&self.place, Place::Nft(chain) if chain.table == FIREWALLD)
    }
}

/// The host, as far as rules are changed there.
#[derive(Clone, Copy)]
pub struct Opener<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Where programs are found, a value of PATH.
    pub path: Option<&'a OsString>,
}

impl Opener<'_> {
    /// Reports whether a rule of ours is in a place.
    ///
    /// # Errors
    /// Where the place cannot be read.
    pub fn has(&self, place: &Place, rule: &Rule) -> Result<bool> {
        match place {
            Place::Legacy => KernelTables::new(self.kernel).has(rule),
            Place::IptablesNft => match self.iptables(rule, Action::Check)? {
                (Some(0), _) => Ok(true),
                (Some(1), _) => Ok(false),
                (_, said) => Err(FirewallError::Refused(said)),
            },
            Place::Nft(chain) => self.nft()?.has_in(chain, rule),
        }
    }

    /// Inserts a rule at the head of a place.
    ///
    /// # Errors
    /// Where it cannot be changed.
    pub fn insert(&self, place: &Place, rule: &Rule) -> Result<()> {
        match place {
            Place::Legacy => KernelTables::new(self.kernel).change(&[RuleChange::Insert(rule.clone())]),
            Place::IptablesNft => self.change_iptables(rule, Action::Insert),
            Place::Nft(chain) => self.nft()?.insert_in(chain, rule),
        }
    }

    /// Deletes a rule of ours from a place.
    ///
    /// # Errors
    /// Where it cannot be changed, or has no such rule.
    pub fn delete(&self, place: &Place, rule: &Rule) -> Result<()> {
        match place {
            Place::Legacy => KernelTables::new(self.kernel).change(&[RuleChange::Delete(rule.clone())]),
            Place::IptablesNft => self.change_iptables(rule, Action::Delete),
            Place::Nft(chain) => self.nft()?.delete_in(chain, rule),
        }
    }

    fn nft(&self) -> Result<Nft<'_>> {
        Nft::find(self.kernel, self.path.cloned())
    }

    fn change_iptables(&self, rule: &Rule, action: Action) -> Result<()> {
        match self.iptables(rule, action)? {
            (Some(0), _) => Ok(()),
            (_, said) => Err(FirewallError::Refused(said)),
        }
    }

    /// Runs the iptables that keeps its rules in nf_tables. Returns its exit status and what it said.
    fn iptables(&self, rule: &Rule, action: Action) -> Result<(Option<i32>, String)> {
        let name = program(rule.family);
        let find = |name: &str| program::find(name, self.path.cloned());
        // before 1.8 there was only one
        let iptables = find(&format!("{name}-nft")).or_else(|| find(name)).ok_or(FirewallError::Missing)?;
        let words = rule.arguments(action);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (status, said) = program::ask(&iptables, &words, Stdio::null()).map_err(FirewallError::Program)?;
        Ok((status.code(), if said.is_empty() { status.to_string() } else { said }))
    }
}

impl Place {
    /// Returns the command that a person would type. `is_nft`: the host's `iptables` keeps its rules in nf_tables.
    pub fn command(&self, rule: &Rule, action: Action, is_nft: bool) -> String {
        let of_variant = |variant: &str| {
            let name = program(rule.family);
            rule.command(action).replacen(name, &format!("{name}{variant}"), 1)
        };
        match self {
            Place::Legacy if is_nft => of_variant("-legacy"),
            Place::IptablesNft if !is_nft => of_variant("-nft"),
            Place::Legacy | Place::IptablesNft => rule.command(action),
            Place::Nft(chain) => nft_rule::command(chain, rule, action),
        }
    }

    /// Parses what Display writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "legacy" => return Some(Place::Legacy),
            "iptables-nft" => return Some(Place::IptablesNft),
            _ => (),
        }
        let mut parts = text.strip_prefix("nft:")?.split(':');
        let (family, table, chain) = (parts.next()?, parts.next()?, parts.next()?);
        let place = Place::Nft(NftChain { table: format!("{family} {table}"), chain: chain.into() });
        Some(place).filter(|_| parts.next().is_none())
    }
}

/// As a word of a stored state.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Legacy => f.write_str("legacy"),
            Place::IptablesNft => f.write_str("iptables-nft"),
            Place::Nft(NftChain { table, chain }) => write!(f, "nft:{}:{chain}", table.replacen(' ', ":", 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_were_written() {
        let chain = NftChain { table: "inet filter".into(), chain: "forward".into() };
        for place in [Place::Legacy, Place::IptablesNft, Place::Nft(chain)] {
            assert_eq!(Place::parse(&place.to_string()), Some(place));
        }
        assert_eq!(Place::parse("nft:inet"), None);
        assert_eq!(Place::parse("else"), None);
    }
}
