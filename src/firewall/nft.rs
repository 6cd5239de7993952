//! The host's nft, run as a program: rules in tables of our own, `brouter`, of each family that needs one. No shell is involved.
//!
//! A change is one `nft -f -`, which the kernel makes as a whole or not at all. A rule is found again by its comment, which holds a
//! number made from what the rule says, and is deleted by the handle that the listing shows.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use super::chain::{Chain, Policy, Table};
use super::change::RuleChange;
use super::error::{FirewallError, Result};
use super::nft_rule::{self, NftChain, TABLE};
use super::rule::Rule;
use super::target::Target;
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::Family;
use crate::program;

/// The host's nft.
pub struct Nft<'a> {
    program: PathBuf,
    kernel: &'a Kernel,
}

/// Seconds to wait for another call.
const PATIENCE: u32 = 10;

impl<'a> Nft<'a> {
    /// Finds nft in the folders of PATH and in the system's own.
    ///
    /// # Errors
    /// [`FirewallError::NoProgram`].
    pub fn find(kernel: &'a Kernel, path: Option<OsString>) -> Result<Self> {
        let program = program::find("nft", path).ok_or(FirewallError::NoProgram("nft", "nftables"))?;
        Ok(Nft { program, kernel })
    }

    /// Makes sure that the kernel has what a table needs: nft checks the chains, and makes none.
    ///
    /// # Errors
    /// [`FirewallError::Refused`], with nft's words.
    pub fn require(&self, family: Family, table: Table) -> Result<()> {
        let chain = if table == Table::Nat { Chain::Postrouting } else { Chain::Forward };
        let rule = Rule { family, table, chain, matches: Vec::new(), target: Target::Accept };
        let checked = self.run(&["-c", "-f", "-"], &NftChain::of_rule(&rule).definition());
        checked.map_err(|error| match error {
            FirewallError::Refused(said) if said.contains("No such file") || said.contains("not supported") => {
                let module = if table == Table::Nat { "nft_chain_nat" } else { "nf_tables" };
                FirewallError::Refused(format!("this kernel has no {table} chains for nft: modprobe {module}"))
            }
            error => error,
        })
    }

    /// Reports whether a rule is there.
    ///
    /// # Errors
    /// Where nft cannot be run, or fails.
    pub fn has(&self, rule: &Rule) -> Result<bool> {
        self.has_in(&NftChain::of_rule(rule), rule)
    }

    /// Reports whether a rule of ours is in a chain, be it of others.
    ///
    /// # Errors
    /// Where nft cannot be run, or fails.
    pub fn has_in(&self, place: &NftChain, rule: &Rule) -> Result<bool> {
        let key = nft_rule::key(rule);
        Ok(self.listing(&place.table)?.rules.iter().any(|found| found.is(&place.chain, &key)))
    }

    /// Inserts a rule at the head of a chain of others.
    ///
    /// # Errors
    /// Where nft cannot be run, or fails.
    pub fn insert_in(&self, place: &NftChain, rule: &Rule) -> Result<()> {
        self.run(&["-f", "-"], &nft_rule::addition(place, rule, true))
    }

    /// Deletes a rule of ours from a chain of others.
    ///
    /// # Errors
    /// Where nft cannot be run, or fails; also if there is no such rule.
    pub fn delete_in(&self, place: &NftChain, rule: &Rule) -> Result<()> {
        let key = nft_rule::key(rule);
        let listing = self.listing(&place.table)?;
        let found = listing.rules.iter().find(|found| found.is(&place.chain, &key)).ok_or(FirewallError::NoRule)?;
        self.run(&["-f", "-"], &[found.deletion(&place.table)])
    }

    /// Makes several changes at once.
    ///
    /// # Errors
    /// Where nft cannot be run, or fails: nothing has changed then.
    pub fn change(&self, changes: &[RuleChange]) -> Result<()> {
        let _lock = self.lock();
        let mut script = Script { nft: self, tables: Vec::new(), commands: Vec::new() };
        changes.iter().try_for_each(|change| script.take(change))?;
        script.run()
    }

    /// Takes the lock without which a table that becomes empty could go while another call adds a rule to it.
    fn lock(&self) -> Option<Lock> {
        Lock::claim_in(self.kernel, &self.kernel.path("/run/brouter"), "nft.lock", PATIENCE).ok()
    }

    /// Returns the policy of a chain of table filter; that of a chain which is not there is to accept.
    ///
    /// # Errors
    /// Where nft cannot be run, or fails.
    pub fn policy(&self, family: Family, _chain: Chain) -> Result<Policy> {
        let listing = self.listing(&NftChain::forward(family).table)?;
        Ok(if listing.is_dropping { Policy::Drop } else { Policy::Accept })
    }

    /// Returns the rules of our own tables of a family in nft's words.
    pub fn lines(&self, family: Family) -> Vec<String> {
        let listing = self.listing(&NftChain::forward(family).table).unwrap_or_default();
        listing.rules.into_iter().map(|rule| rule.text).collect()
    }

    /// Lists a table. One that is not there is empty.
    fn listing(&self, table: &str) -> Result<Listing> {
        let mut words = vec!["-a", "list", "table"];
        words.extend(table.split(' '));
        let (status, said) = self.ask(&words, Stdio::null())?;
        match status.success() {
            true => Ok(Listing::parse(&said)),
            false if said.contains("No such file or directory") => Ok(Listing::default()),
            false => Err(refused(status, said)),
        }
    }

    fn run(&self, words: &[&str], commands: &[String]) -> Result<()> {
        let (reader, mut writer) = io::pipe().map_err(FirewallError::Program)?;
        // far less than a pipe holds
        writer.write_all((commands.join("\n") + "\n").as_bytes()).map_err(FirewallError::Program)?;
        drop(writer);
        let (status, said) = self.ask(words, Stdio::from(reader))?;
        if status.success() { Ok(()) } else { Err(refused(status, said)) }
    }

    fn ask(&self, words: &[&str], input: Stdio) -> Result<(ExitStatus, String)> {
        program::ask(&self.program, words, input).map_err(FirewallError::Program)
    }
}

fn refused(status: ExitStatus, said: String) -> FirewallError {
    // the lines after the first show the command
    let first = said.lines().next().unwrap_or_default();
    FirewallError::Refused(match first {
        "" => status.to_string(),
        first if first.contains("Operation not permitted") => "nft: Operation not permitted (you must be root)".into(),
        first => first.into(),
    })
}

/// A table as `nft -a list table` prints it.
#[derive(Debug, Default)]
struct Listing {
    rules: Vec<Listed>,
    /// The policy of chain `forward` is to drop.
    is_dropping: bool,
}

#[derive(Clone, Debug)]
struct Listed {
    chain: String,
    text: String,
    handle: String,
}

impl Listed {
    fn is(&self, chain: &str, key: &str) -> bool {
        self.chain == chain && self.text.ends_with(&comment(key))
    }

    fn deletion(&self, table: &str) -> String {
        format!("delete rule {table} {} handle {}", self.chain, self.handle)
    }
}

/// Returns the end of a rule that has this key.
fn comment(key: &str) -> String {
    format!("comment \"{key}\"")
}

impl Listing {
    fn parse(text: &str) -> Self {
        let mut listing = Listing::default();
        let mut chain = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("chain ").and_then(|rest| rest.split(" {").next()) {
                chain = name.into();
            } else if line.starts_with("type ") {
                listing.is_dropping |= chain == "forward" && line.contains("policy drop;");
            } else if let Some((text, handle)) = line.rsplit_once(" # handle ")
                && !text.starts_with("table ")
            {
                listing.rules.push(Listed { chain: chain.clone(), text: text.into(), handle: handle.into() });
            }
        }
        listing
    }
}

/// The commands of one change, and the tables as they are after it.
struct Script<'a, 'b> {
    nft: &'a Nft<'b>,
    tables: Vec<(String, Listing)>,
    commands: Vec<String>,
}

impl Script<'_, '_> {
    fn take(&mut self, change: &RuleChange) -> Result<()> {
        match change {
            RuleChange::Append(rule) => self.add(rule, false),
            RuleChange::Insert(rule) => self.add(rule, true),
            RuleChange::Delete(rule) => match self.delete(rule)? {
                true => Ok(()),
                false => Err(FirewallError::NoRule),
            },
            RuleChange::DeletePair(first, second) => {
                if self.delete(first)? {
                    self.delete(second)?;
                }
                Ok(())
            }
            RuleChange::InsertPair(first, second) => {
                self.add(first, true)?;
                self.add(second, true)
            }
            RuleChange::DeletePort(port) => {
                let name = format!("ifname \"{port}\" ");
                self.delete_all(&NftChain::bridged().table, |rule| rule.text.contains(&name))
            }
            RuleChange::Flush(family, _) => self.flush(&NftChain::forward(*family)),
            RuleChange::Policy(family, _, policy) => self.set_policy(*family, *policy),
        }
    }

    fn table(&mut self, name: &str) -> Result<&mut Listing> {
        if let Some(place) = self.tables.iter().position(|(table, _)| table == name) {
            return Ok(&mut self.tables[place].1);
        }
        let listing = self.nft.listing(name)?;
        self.tables.push((name.into(), listing));
        Ok(&mut self.tables.last_mut().expect("a table was pushed").1)
    }

    fn add(&mut self, rule: &Rule, at_head: bool) -> Result<()> {
        let place = NftChain::of_rule(rule);
        self.note(&place, nft_rule::key(rule))?;
        self.commands.extend(nft_rule::addition(&place, rule, at_head));
        if let Some(drop) = nft_rule::spoofing(rule) {
            self.add_text(&NftChain::spoofed(), &drop, &nft_rule::key(rule))?;
        }
        let bridge = nft_rule::port(rule).and_then(|port| self.nft.kernel.bridge_of(port.as_bytes()));
        match bridge.as_ref().and_then(|bridge| bridge.to_str()) {
            Some(bridge) => self.pass_bridged(bridge),
            None => Ok(()),
        }
    }

    /// Lets frames that stay on a bridge pass the filter of IP, if it drops: with br_netfilter it sees them, but not their ports.
    fn pass_bridged(&mut self, bridge: &str) -> Result<()> {
        let place = NftChain::forward(Family::V4);
        let key = format!("{TABLE} bridged {bridge}");
        let table = self.table(&place.table)?;
        if !table.is_dropping || table.rules.iter().any(|rule| rule.is(&place.chain, &key)) {
            return Ok(());
        }
        self.add_text(&place, &format!("iifname \"{bridge}\" oifname \"{bridge}\" accept"), &key)
    }

    fn add_text(&mut self, place: &NftChain, text: &str, key: &str) -> Result<()> {
        self.note(place, key.into())?;
        self.commands.extend(place.definition());
        self.commands.push(format!("add rule {} {} {text} comment \"{key}\"", place.table, place.chain));
        Ok(())
    }

    /// Notes that a table has one more rule. It has no handle yet, and is not deleted by this change.
    fn note(&mut self, place: &NftChain, key: String) -> Result<()> {
        let listed = Listed { chain: place.chain.clone(), text: comment(&key), handle: String::new() };
        self.table(&place.table)?.rules.push(listed);
        Ok(())
    }

    /// Deletes the first rule that is equal, and returns whether there was one.
    fn delete(&mut self, rule: &Rule) -> Result<bool> {
        let key = nft_rule::key(rule);
        if nft_rule::spoofing(rule).is_some() {
            self.delete_by(&NftChain::spoofed(), &key)?;
        }
        self.delete_by(&NftChain::of_rule(rule), &key)
    }

    fn delete_by(&mut self, place: &NftChain, key: &str) -> Result<bool> {
        let rules = &mut self.table(&place.table)?.rules;
        let Some(found) = rules.iter().position(|found| found.is(&place.chain, key)) else { return Ok(false) };
        let deletion = rules.remove(found).deletion(&place.table);
        self.commands.push(deletion);
        Ok(true)
    }

    /// Deletes the rules of a table that a function chooses.
    fn delete_all(&mut self, table: &str, is_meant: impl Fn(&Listed) -> bool) -> Result<()> {
        let rules = &mut self.table(table)?.rules;
        let (gone, left): (Vec<Listed>, _) = std::mem::take(rules).into_iter().partition(is_meant);
        *rules = left;
        self.commands.extend(gone.iter().map(|rule| rule.deletion(table)));
        Ok(())
    }

    fn flush(&mut self, place: &NftChain) -> Result<()> {
        self.table(&place.table)?.rules.retain(|rule| rule.chain != place.chain);
        self.commands.extend(place.definition());
        self.commands.push(format!("flush chain {} {}", place.table, place.chain));
        Ok(())
    }

    /// Sets the policy of chain FORWARD. While it is to drop, the bridge's own filter drops what ports send that have rules, and
    /// that none of these accepts.
    fn set_policy(&mut self, family: Family, policy: Policy) -> Result<()> {
        let place = NftChain::forward(family);
        let (is_dropping, word) = (policy == Policy::Drop, if policy == Policy::Drop { "drop" } else { "accept" });
        let table = self.table(&place.table)?;
        let was_dropping = std::mem::replace(&mut table.is_dropping, is_dropping);
        self.commands.extend(place.definition());
        let NftChain { table, chain } = &place;
        self.commands.push(nft_rule::policy_command(table, chain, word));
        if family == Family::V6 || was_dropping == is_dropping {
            return Ok(());
        }
        let key = format!("{TABLE} antispoof");
        let bridges = self.nft.kernel.bridges_seen().unwrap_or_default();
        let mut bridges = bridges.iter().filter_map(|bridge| bridge.to_str());
        match is_dropping {
            true => {
                self.commands.extend(NftChain::spoofed().definition());
                self.add_text(&NftChain::bridged(), "jump spoofed", &key)?;
                bridges.try_for_each(|bridge| self.pass_bridged(bridge))
            }
            false => {
                self.delete_by(&NftChain::bridged(), &key)?;
                // those that let frames stay on their bridges
                let mark = format!("comment \"{TABLE} bridged ");
                self.delete_all(&place.table, |rule| rule.text.contains(&mark))
            }
        }
    }

    fn run(mut self) -> Result<()> {
        self.remove_empty_tables();
        if self.commands.is_empty() { Ok(()) } else { self.nft.run(&["-f", "-"], &self.commands) }
    }

    /// Deletes tables that have lost their last rule.
    fn remove_empty_tables(&mut self) {
        for (table, listing) in &self.tables {
            if listing.rules.is_empty() && !listing.is_dropping && !self.commands.is_empty() {
                // where there was none, deleting it alone would fail
                self.commands.push(format!("add table {table}"));
                self.commands.push(format!("delete table {table}"));
            }
        }
    }
}
