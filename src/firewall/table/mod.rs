//! The kernel's legacy tables, read and changed by socket options, as iptables-legacy does it, from Linux 2.6.16 on. What others
//! have in them stays as it is: every rule bit for bit, in order, with its counters.
//!
//! [`layout`] has the offsets of fields, [`content`] a table that was read and checked, [`header`], [`extension`] and [`encode`] a rule
//! in bytes, [`edit`] the changes of a content, [`lock`] the locks of iptables, [`listing`] and [`decode`] rules as iptables prints them.

mod content;
mod decode;
mod edit;
mod encode;
mod extension;
mod header;
mod layout;
mod listing;
mod lock;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;

use self::content::{Content, Info, LARGEST};
use self::edit::Edit;
use self::encode::Encoded;
use self::layout::{Layout, NAME};
use self::lock::TableLock;
use super::chain::{Chain, Policy, Table};
use super::change::RuleChange;
use super::error::{FirewallError, Malformed, Result};
use super::rule::Rule;
use super::ruleset;
use crate::kernel::Kernel;
use crate::net::{Family, InterfaceName};
use crate::patience::Patience;

/// How long a change is tried again that crosses others.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a table is read again that seems to have another size.
const MOST_INVALID: u32 = 20;

/// The kernel's legacy tables.
pub struct KernelTables<'a> {
    kernel: &'a Kernel,
}

impl<'a> KernelTables<'a> {
    /// Returns the tables of a kernel.
    pub fn new(kernel: &'a Kernel) -> Self {
        KernelTables { kernel }
    }

    /// Makes sure that a table can be read and changed. The kernel is made to load it if it is a module.
    ///
    /// # Errors
    /// [`FirewallError::NoTable`]; [`FirewallError::Kernel`], as EPERM without the privilege.
    pub fn require(&self, family: Family, table: Table) -> Result<()> {
        self.info(family, table).map(drop)
    }

    /// Reports whether a rule is there. A table that the kernel has not made yet is not made now.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn has(&self, rule: &Rule) -> Result<bool> {
        let wanted = Encoded::of(Layout::native(rule.family), rule)?;
        let Some(content) = self.peek(rule.family, rule.table)? else { return Ok(false) };
        let Some(span) = content.chains[rule.chain as usize] else { return Ok(false) };
        Ok((span.first..span.policy).any(|number| wanted.is(content.entry(number))))
    }

    /// Returns the policy of a chain of table filter. A table that the kernel has not made yet is not made now.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn policy(&self, family: Family, chain: Chain) -> Result<Policy> {
        let content = self.peek(family, Table::Filter)?;
        Ok(content.and_then(|content| content.policy(chain)).unwrap_or(Policy::Accept))
    }

    /// Returns the rules of a table as arguments of iptables. A table that the kernel has not made yet is not made now.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn lines(&self, family: Family, table: Table) -> Result<Vec<String>> {
        Ok(lines(self.listing(family, table)?))
    }

    /// Returns the rules of a table that name an interface, as arguments of iptables.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub fn lines_naming(&self, family: Family, table: Table, interface: &InterfaceName) -> Result<Vec<String>> {
        let content = self.peek(family, table)?;
        let names = |line: &String| line.split(' ').any(|word| word == interface.as_str());
        let listed = content.map(|content| listing::listing_of(&content, table.name(), interface.as_bytes()));
        Ok(lines(listed).into_iter().filter(names).collect())
    }

    /// Returns the chains and rules of a table; nothing if the kernel has not made it.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub(crate) fn listing(&self, family: Family, table: Table) -> Result<Option<ruleset::Table>> {
        Ok(self.peek(family, table)?.map(|content| listing::listing(&content, table.name())))
    }

    /// Returns whether a table of either family has a rule, or a policy that drops.
    pub fn are_in_use(&self) -> bool {
        let is_in_use = |family, table| match self.peek_info(family, table) {
            Ok(Some(info)) if info.has_rules() => true,
            Ok(Some(info)) => self.read(family, table, info).is_ok_and(|content| content.has_drop()),
            _ => false,
        };
        Family::BOTH
            .into_iter()
            .any(|family| [Table::Filter, Table::Nat].into_iter().any(|table| is_in_use(family, table)))
    }

    /// Makes several changes. All changes of a table happen at once or not at all.
    ///
    /// # Errors
    /// Where a table cannot be read or changed.
    pub fn change(&self, changes: &[RuleChange]) -> Result<()> {
        for (place, own) in by_table(changes) {
            self.change_table(place, |edit| own.iter().try_for_each(|change| self.apply(edit, place, change)))?;
        }
        Ok(())
    }

    /// Makes each change on its own, whether or not others can be made; those of a table at once. Returns whether all were made.
    pub fn change_each(&self, changes: &[RuleChange]) -> bool {
        let mut is_complete = true;
        for (place, own) in by_table(changes) {
            let failed = Cell::new(0);
            let made = self.change_table(place, |edit| {
                failed.set(own.iter().filter(|change| self.apply(edit, place, change).is_err()).count());
                Ok(())
            });
            is_complete &= made.is_ok() && failed.get() == 0;
        }
        is_complete
    }

    /// Applies a change to a content, or leaves it as it is.
    fn apply(&self, edit: &mut Edit, (family, table): (Family, Table), change: &RuleChange) -> Result<()> {
        let layout = Layout::native(family);
        let entry = |rule: &Rule| Encoded::of(layout, rule)?.entry(self.kernel);
        let add = |edit: &mut Edit, rule: &Rule, entry, at_head| {
            edit.add(rule.chain, entry, at_head).then_some(()).ok_or(FirewallError::NoChain(table, rule.chain))
        };
        let delete = |edit: &mut Edit, rule: &Rule| Ok(edit.delete(rule.chain, &Encoded::of(layout, rule)?));
        match change {
            RuleChange::Append(rule) => add(edit, rule, entry(rule)?, false),
            RuleChange::Insert(rule) => add(edit, rule, entry(rule)?, true),
            RuleChange::InsertPair(first, second) => {
                let entries = [entry(first)?, entry(second)?];
                for (rule, entry) in [first, second].into_iter().zip(entries) {
                    add(edit, rule, entry, true)?;
                }
                Ok(())
            }
            RuleChange::Delete(rule) => match delete(edit, rule)? {
                true => Ok(()),
                false => Err(FirewallError::NoRule),
            },
            RuleChange::DeletePair(first, second) => {
                Encoded::of(layout, second)?;
                if delete(edit, first)? {
                    delete(edit, second)?;
                }
                Ok(())
            }
            RuleChange::DeletePort(port) => {
                edit.delete_all(Chain::Forward, |entry| extension::accepts_port(layout, entry, port));
                Ok(())
            }
            RuleChange::Flush(_, chain) => {
                edit.flush(*chain).then_some(()).ok_or(FirewallError::NoChain(table, *chain))
            }
            RuleChange::Policy(_, chain, policy) => {
                edit.set_policy(*chain, *policy).then_some(()).ok_or(FirewallError::NoChain(table, *chain))
            }
        }
    }

    /// Reads a table, changes its content and replaces it; again if another call has changed it meanwhile.
    fn change_table(&self, (family, table): (Family, Table), change: impl Fn(&mut Edit) -> Result<()>) -> Result<()> {
        let _lock = TableLock::take(self.kernel)?;
        let refused = |errno| FirewallError::Kernel(family, table, errno);
        let malformed = |fault| FirewallError::Malformed(table, fault);
        let mut patience = Patience::new(PATIENCE);
        loop {
            let content = self.read(family, table, self.info(family, table)?)?;
            let mut edit = Edit::new(&content);
            change(&mut edit)?;
            if !edit.is_changed {
                return Ok(());
            }
            let mut replacement = edit.lay_out(table.name()).map_err(malformed)?;
            match self.kernel.replace_table(family, &mut replacement.bytes, content.len()) {
                Ok(old) => {
                    if let Some(counters) = edit.counters(table.name(), &replacement, &old) {
                        // the rules have changed, and are not changed back for the sake of counters
                        let _ = self.kernel.add_table_counters(family, &counters);
                    }
                    return Ok(());
                }
                Err(Errno::EAGAIN) if !patience.is_over() => sleep(Duration::from_millis(1)),
                Err(errno) => return Err(refused(errno)),
            }
        }
    }

    /// Reads a table; nothing if the kernel has not made it, which it would do when it is asked.
    fn peek(&self, family: Family, table: Table) -> Result<Option<Content>> {
        self.peek_info(family, table)?.map(|info| self.read(family, table, info)).transpose()
    }

    fn peek_info(&self, family: Family, table: Table) -> Result<Option<Info>> {
        let names = match family {
            Family::V4 => "/proc/net/ip_tables_names",
            Family::V6 => "/proc/net/ip6_tables_names",
        };
        if let Ok(names) = self.kernel.text(names)
            && !names.lines().any(|name| name == table.name())
        {
            return Ok(None);
        }
        match self.kernel.table_info(family, table.name()) {
            Err(errno) if is_without_table(errno) => Ok(None),
            Err(errno) => Err(FirewallError::Kernel(family, table, errno)),
            Ok(info) => Ok(Some(Info::parse(&info))),
        }
    }

    /// Returns what the kernel says of a table. Modules that it needs are asked for.
    fn info(&self, family: Family, table: Table) -> Result<Info> {
        let modules = match (family, table) {
            (Family::V4, Table::Filter) => ["ip_tables", "iptable_filter"],
            (Family::V4, Table::Nat) => ["ip_tables", "iptable_nat"],
            (Family::V6, Table::Filter) => ["ip6_tables", "ip6table_filter"],
            (Family::V6, Table::Nat) => ["ip6_tables", "ip6table_nat"],
        };
        let mut answer = self.kernel.table_info(family, table.name());
        for module in modules {
            if answer.is_err_and(is_without_table) {
                self.kernel.request_module(module);
                answer = self.kernel.table_info(family, table.name());
            }
        }
        answer.map(|info| Info::parse(&info)).map_err(|errno| match is_without_table(errno) {
            true => FirewallError::NoTable(family, table),
            false => FirewallError::Kernel(family, table, errno),
        })
    }

    /// Reads the entries of a table, again if it has changed since its info was read.
    fn read(&self, family: Family, table: Table, mut info: Info) -> Result<Content> {
        let layout = Layout::native(family);
        let mut patience = Patience::new(PATIENCE);
        let mut invalid = 0;
        loop {
            if info.size > LARGEST {
                return Err(FirewallError::Malformed(table, Malformed::TooLarge));
            }
            let mut entries = vec![0; layout.list() + info.size as usize];
            entries[..table.name().len()].copy_from_slice(table.name().as_bytes());
            entries[NAME..NAME + 4].copy_from_slice(&info.size.to_ne_bytes());
            match self.kernel.table_entries(family, &mut entries) {
                Ok(()) => {
                    let content = Content::parse(layout, &info, entries, layout.list());
                    return content.map_err(|fault| FirewallError::Malformed(table, fault));
                }
                Err(Errno::EAGAIN) if !patience.is_over() => sleep(Duration::from_millis(1)),
                // another size, before 2.6.25
                Err(Errno::EINVAL) if invalid < MOST_INVALID => invalid += 1,
                Err(errno) => return Err(FirewallError::Kernel(family, table, errno)),
            }
            info = self.info(family, table)?;
        }
    }
}

fn lines(listed: Option<ruleset::Table>) -> Vec<String> {
    listed.map_or_else(Vec::new, |listed| listed.rules.into_iter().map(|rule| rule.text).collect())
}

/// Whether an answer means that the kernel has no such table, or no tables of the family.
fn is_without_table(errno: Errno) -> bool {
    matches!(errno, Errno::ENOPROTOOPT | Errno::ENOENT | Errno::EAFNOSUPPORT)
}

/// Sorts changes by the table that they are about, in order.
fn by_table(changes: &[RuleChange]) -> Vec<((Family, Table), Vec<&RuleChange>)> {
    let mut tables: Vec<((Family, Table), Vec<&RuleChange>)> = Vec::new();
    for change in changes {
        let place = place(change);
        match tables.iter_mut().find(|(other, _)| *other == place) {
            Some((_, own)) => own.push(change),
            None => tables.push((place, vec![change])),
        }
    }
    tables
}

/// Returns the table that a change is about. The two rules of a pair are in one table.
fn place(change: &RuleChange) -> (Family, Table) {
    match change {
        RuleChange::Flush(family, _) | RuleChange::Policy(family, ..) => (*family, Table::Filter),
        RuleChange::DeletePort(_) => (Family::V4, Table::Filter),
        RuleChange::Append(rule) | RuleChange::Insert(rule) | RuleChange::Delete(rule) => (rule.family, rule.table),
        RuleChange::DeletePair(rule, _) | RuleChange::InsertPair(rule, _) => (rule.family, rule.table),
    }
}
