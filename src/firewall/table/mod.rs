//! The kernel's legacy tables, read and changed by socket options.

use super::chain::{Chain, Policy, Table};
use super::change::RuleChange;
use super::error::{FirewallError, Result};
use super::rule::Rule;
use crate::kernel::Kernel;
use crate::net::Family;

/// The kernel's legacy tables.
pub struct KernelTables<'a> {
    kernel: &'a Kernel,
}

impl<'a> KernelTables<'a> {
    /// Returns the tables of a kernel.
    pub fn new(kernel: &'a Kernel) -> Self {
        KernelTables { kernel }
    }

    /// Makes sure that a table can be read and changed.
    ///
    /// # Errors
    /// [`FirewallError::NoTable`].
    pub fn require(&self, family: Family, table: Table) -> Result<()> {
        Err(FirewallError::NoTable(family, table))
    }

    /// Reports whether a rule is there.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn has(&self, rule: &Rule) -> Result<bool> {
        Err(FirewallError::NoTable(rule.family, rule.table))
    }

    /// Makes several changes at once.
    ///
    /// # Errors
    /// Where a table cannot be read or changed.
    pub fn change(&self, _changes: &[RuleChange]) -> Result<()> {
        Err(FirewallError::NoTable(Family::V4, Table::Filter))
    }

    /// Makes each change on its own. Returns whether all were made.
    pub fn change_each(&self, changes: &[RuleChange]) -> bool {
        changes.is_empty()
    }

    /// Returns the policy of a chain of table filter.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn policy(&self, family: Family, _chain: Chain) -> Result<Policy> {
        Err(FirewallError::NoTable(family, Table::Filter))
    }

    /// Returns the rules of a table as arguments of iptables.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn lines(&self, family: Family, table: Table) -> Result<Vec<String>> {
        Err(FirewallError::NoTable(family, table))
    }

    /// Returns whether a rule of a table, or a policy that drops, is in use.
    pub fn are_in_use(&self) -> bool {
        let _ = self.kernel;
        false
    }
}
