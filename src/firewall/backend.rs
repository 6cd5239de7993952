//! The host's firewall behind one interface: the kernel's own tables, the host's iptables, or its nft.

use std::ffi::OsString;

use super::chain::{Chain, Policy, Table};
use super::change::RuleChange;
use super::choice::{self, Choice, Kind};
use super::error::Result;
use super::iptables::{HeldLock, Iptables};
use super::nft::Nft;
use super::nft_rule::NftChain;
use super::opening::Place;
use super::rule::Rule;
use super::table::KernelTables;
use crate::kernel::Kernel;
use crate::net::{Family, InterfaceName};

/// The host's firewall.
pub struct Firewall<'a> {
    choice: Choice,
    backend: Backend<'a>,
}

/// What holds the rules.
pub enum Backend<'a> {
    /// The kernel's legacy tables, by socket options.
    Kernel(KernelTables<'a>),
    /// The host's iptables, whichever variant it is.
    Iptables(Iptables),
    /// The host's nft.
    Nft(Nft<'a>),
}

impl<'a> Firewall<'a> {
    /// Chooses what holds the rules on this host, unless it is asked for. Programs are searched for along `path`, a value of PATH, and
    /// are run under `lock` if it is held.
    ///
    /// # Errors
    /// What was asked for is not installed.
    pub fn choose(kernel: &'a Kernel, path: Option<OsString>, lock: HeldLock, asked: Option<Kind>) -> Result<Self> {
        let choice = choice::choose(kernel, path.as_ref(), asked)?;
        let backend = match choice.kind {
            Kind::Kernel => Backend::Kernel(KernelTables::new(kernel)),
            Kind::Iptables => Backend::Iptables(Iptables::find(path, lock)?),
            Kind::Nft => Backend::Nft(Nft::find(kernel, path)?),
        };
        Ok(Firewall { choice, backend })
    }

    /// Returns what was chosen, and why.
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// Returns what holds the rules.
    pub fn backend(&self) -> &Backend<'a> {
        &self.backend
    }

    /// Makes sure that a table can be read and changed. The kernel is made to load it if it is a module.
    ///
    /// # Errors
    /// [`super::error::FirewallError::NoTable`], with the module to load.
    pub fn require(&self, family: Family, table: Table) -> Result<()> {
        match &self.backend {
            Backend::Kernel(tables) => tables.require(family, table),
            // iptables makes the kernel load the table, and says what it lacks when it is asked about a rule
            Backend::Iptables(_) => Ok(()),
            Backend::Nft(nft) => nft.require(family, table),
        }
    }

    /// Reports whether a rule is there; nothing if that cannot be known, as with iptables before 1.4.11.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn has(&self, rule: &Rule) -> Result<Option<bool>> {
        match &self.backend {
            Backend::Kernel(tables) => tables.has(rule).map(Some),
            Backend::Iptables(iptables) => iptables.has(rule),
            Backend::Nft(nft) => nft.has(rule).map(Some),
        }
    }

    /// Appends a rule that is not there.
    ///
    /// # Errors
    /// Those of [`Firewall::change`].
    pub fn append(&self, rule: &Rule) -> Result<()> {
        self.change(&[RuleChange::Append(rule.clone())])
    }

    /// Deletes the first rule that is equal.
    ///
    /// # Errors
    /// Those of [`Firewall::change`]; also if there is no such rule.
    pub fn delete(&self, rule: &Rule) -> Result<()> {
        self.change(&[RuleChange::Delete(rule.clone())])
    }

    /// Makes several changes, in order. In the kernel's tables all changes of a table happen at once or not at all; iptables makes
    /// one after the other, up to the first that fails.
    ///
    /// # Errors
    /// Where a table cannot be read or changed.
    pub fn change(&self, changes: &[RuleChange]) -> Result<()> {
        match &self.backend {
            Backend::Kernel(tables) => tables.change(changes),
            Backend::Iptables(iptables) => changes.iter().try_for_each(|change| iptables.change(change)),
            Backend::Nft(nft) => nft.change(changes),
        }
    }

    /// Makes each change on its own, whether or not others can be made, in as few steps as the backend allows. Returns whether all
    /// were made.
    pub fn change_each(&self, changes: &[RuleChange]) -> bool {
        match &self.backend {
            Backend::Kernel(tables) => tables.change_each(changes),
            // all of them are made
            Backend::Iptables(iptables) => {
                changes.iter().filter(|change| iptables.change(change).is_err()).count() == 0
            }
            Backend::Nft(nft) => {
                let change = |change: &&RuleChange| nft.change(std::slice::from_ref(*change)).is_err();
                nft.change(changes).is_ok() || changes.iter().filter(change).count() == 0
            }
        }
    }

    /// Reports whether a rule of chain FORWARD may name an interface; nothing if the chain cannot be read, as where the kernel has no
    /// tables. After this iptables waits for other calls, if it can.
    ///
    /// # Errors
    /// iptables could not be run, or another program holds its lock.
    pub fn forward_names(&self, interface: &InterfaceName) -> Result<Option<bool>> {
        match &self.backend {
            Backend::Kernel(tables) => Ok(tables.require(Family::V4, Table::Filter).ok().map(|()| true)),
            Backend::Iptables(iptables) => {
                let names = |listing: String| listing.split_whitespace().any(|word| word == interface.as_str());
                Ok(iptables.listing_with_wait()?.map(names))
            }
            Backend::Nft(_) => Ok(Some(true)),
        }
    }

    /// Returns the place of chain FORWARD.
    pub fn forward_place(&self) -> Place {
        match self.choice.kind {
            Kind::Nft => Place::Nft(NftChain::forward(Family::V4)),
            Kind::Iptables if self.choice.iptables_is_nft => Place::IptablesNft,
            Kind::Iptables | Kind::Kernel => Place::Legacy,
        }
    }

    /// Returns the policy of a chain of table filter.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn policy(&self, family: Family, chain: Chain) -> Result<Policy> {
        match &self.backend {
            Backend::Kernel(tables) => tables.policy(family, chain),
            Backend::Iptables(iptables) => iptables.policy(family, chain),
            Backend::Nft(nft) => nft.policy(family, chain),
        }
    }

    /// Returns the rules of a table that name an interface, as arguments of iptables. Empty where they cannot be read.
    pub fn rules_naming(&self, family: Family, table: Table, interface: &InterfaceName) -> Vec<String> {
        let rules = match &self.backend {
            Backend::Kernel(tables) => return tables.lines_naming(family, table, interface).unwrap_or_default(),
            Backend::Iptables(iptables) => iptables.lines(family, table),
            // the tables are ours
            Backend::Nft(_) => Vec::new(),
        };
        rules.into_iter().filter(|rule| rule.split(' ').any(|word| word == interface.as_str())).collect()
    }
}
