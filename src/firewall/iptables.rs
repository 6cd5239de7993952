//! The host's iptables and ip6tables, run as programs. No shell is involved.

use std::cell::{Cell, OnceCell};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::rc::Rc;
use std::thread::sleep;
use std::time::Duration;

use super::chain::{Chain, Policy, Table};
use super::change::RuleChange;
use super::error::{FirewallError, Result};
use super::rule::{self, Action, Rule};
use crate::net::{Family, InterfaceName};
use crate::program;

/// The lock of iptables, since 1.6.1.
const LOCK: &str = "/run/xtables.lock";

/// Calls that are repeated while another program holds it, and the time between two of them: ten seconds.
const REPEATS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// The host's iptables.
pub struct Iptables {
    program: PathBuf,
    /// ip6tables, once it has been searched for.
    program_v6: OnceCell<Option<PathBuf>>,
    path: Option<OsString>,
    /// Whether it knows `-C`, once that has been found out.
    can_check: Cell<Option<bool>>,
    lock: HeldLock,
    /// `-w`, if iptables itself waits for other calls.
    wait: Cell<Option<&'static str>>,
    /// Calls that may still be repeated while another program holds the lock of iptables.
    repeats: Cell<u32>,
}

/// The lock under which iptables is run, once it is held. iptables gets it as its (empty) standard input: if the caller is killed,
/// the next one waits until iptables has ended too.
pub type HeldLock = Rc<OnceCell<File>>;

impl Iptables {
    /// Finds iptables in the folders of PATH and in the system's own.
    ///
    /// # Errors
    /// [`FirewallError::Missing`].
    pub fn find(path: Option<OsString>, lock: HeldLock) -> Result<Self> {
        let program = program::find("iptables", path.clone()).ok_or(FirewallError::Missing)?;
        let (program_v6, can_check, wait) = Default::default();
        Ok(Iptables { program, program_v6, path, can_check, lock, wait, repeats: Cell::new(REPEATS) })
    }

    fn program(&self, family: Family) -> Result<&Path> {
        match family {
            Family::V4 => Ok(&self.program),
            Family::V6 => {
                let found = self.program_v6.get_or_init(|| program::find(rule::program(family), self.path.clone()));
                found.as_deref().ok_or(FirewallError::Missing)
            }
        }
    }

    /// Lists chain FORWARD, and finds out whether iptables can wait for other calls (`-w`, since 1.4.20), as it then does at every
    /// call. Returns `None` if it cannot list the chain, as where the kernel lacks the table.
    ///
    /// # Errors
    /// It could not be run, or waits for a lock: its rules are not known.
    pub fn listing_with_wait(&self) -> Result<Option<String>> {
        for wait in [Some("-w"), None] {
            self.wait.set(wait);
            let (status, listing) = self.ask(Family::V4, &["-n", "-L", "FORWARD"])?;
            match status.code() {
                Some(0) => return Ok(Some(listing)),
                // an unknown option
                Some(2) => (),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Runs iptables, and returns how it ended and what it said. While another process holds its lock (exit status 4), it is run
    /// again, for ten seconds in all calls together: `-w`, which waits, came with 1.4.20.
    fn ask(&self, family: Family, words: &[&str]) -> Result<(ExitStatus, String)> {
        let program = self.program(family)?;
        let words: Vec<&str> = self.wait.get().into_iter().chain(words.iter().copied()).collect();
        loop {
            let lock = self.lock.get().and_then(|lock| lock.try_clone().ok());
            let answer = program::ask(program, &words, lock.map_or_else(Stdio::null, Stdio::from));
            let (status, said) = answer.map_err(FirewallError::Program)?;
            // a missing privilege has the same status
            if status.code() != Some(4) || said.contains("Permission denied") {
                return Ok((status, said));
            }
            let left = self.repeats.get().checked_sub(1);
            self.repeats.set(left.ok_or_else(|| FirewallError::Locked(LOCK.into()))?);
            sleep(PAUSE);
        }
    }

    /// Reports whether a rule is there; nothing if iptables cannot tell, as before 1.4.11.
    ///
    /// # Errors
    /// Where iptables cannot be run, or fails.
    pub fn has(&self, rule: &Rule) -> Result<Option<bool>> {
        let answer = self.ask_about(rule, Action::Check)?;
        let found = match answer.0.code() {
            Some(0) => Some(true),
            Some(1) => Some(false),
            Some(2) => None,
            _ => return Err(refused(answer)),
        };
        self.can_check.set(Some(found.is_some()));
        Ok(found)
    }

    /// Makes a change.
    ///
    /// # Errors
    /// Where iptables cannot be run, or fails.
    pub fn change(&self, change: &RuleChange) -> Result<()> {
        match change {
            RuleChange::Append(rule) => self.append(rule),
            RuleChange::Insert(rule) => success(self.ask_about(rule, Action::Insert)?),
            RuleChange::Delete(rule) => success(self.ask_about(rule, Action::Delete)?),
            RuleChange::DeletePair(first, second) => {
                if self.ask_about(first, Action::Delete)?.0.success() {
                    self.ask_about(second, Action::Delete)?;
                }
                Ok(())
            }
            RuleChange::InsertPair(first, second) => {
                success(self.ask_about(first, Action::Insert)?)?;
                success(self.ask_about(second, Action::Insert)?)
            }
            RuleChange::DeletePort(port) => self.delete_port(port),
            RuleChange::Flush(family, chain) => success(self.ask(*family, &["-F", chain.name()])?),
            RuleChange::Policy(family, chain, policy) => {
                success(self.ask(*family, &["-P", chain.name(), &policy.to_string()])?)
            }
        }
    }

    /// Deletes the rules that accept what passes a port, as they are printed.
    fn delete_port(&self, port: &InterfaceName) -> Result<()> {
        let listed = || {
            let mut lines = self.lines(Family::V4, Table::Filter);
            let can_list = !lines.is_empty();
            lines.retain(|line| accepts_port(line, port));
            can_list.then_some(lines).ok_or(FirewallError::NotListed)
        };
        let found = listed()?;
        if found.is_empty() {
            return Ok(());
        }
        for line in found {
            let mut words = words(&line);
            words[0] = "-D".into();
            self.ask(Family::V4, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        listed()?.into_iter().next().map_or(Ok(()), |line| Err(FirewallError::NotDeleted(line)))
    }

    /// Appends a rule. Where iptables cannot check for it, one that may be there is deleted first.
    fn append(&self, rule: &Rule) -> Result<()> {
        let can_check = match self.can_check.get() {
            Some(can_check) => can_check,
            None => self.has(rule)?.is_some(),
        };
        if !can_check {
            let _ = self.ask_about(rule, Action::Delete);
        }
        success(self.ask_about(rule, Action::Append)?)
    }

    /// Returns the policy of a chain of table filter.
    ///
    /// # Errors
    /// [`FirewallError::NoPolicy`].
    pub fn policy(&self, family: Family, chain: Chain) -> Result<Policy> {
        let listed = self.listed(family, &["-n", "-L", chain.name()]).unwrap_or_default();
        let policy = listed.split_once("(policy ").and_then(|(_, rest)| rest.split([')', ' ']).next());
        policy.and_then(Policy::parse).ok_or(FirewallError::NoPolicy)
    }

    /// Lists the rules of a table as arguments; empty where iptables cannot do that, as before 1.4.1.
    pub fn lines(&self, family: Family, table: Table) -> Vec<String> {
        let listed = self.listed(family, &["-t", table.name(), "-S"]).unwrap_or_default();
        listed.lines().map(String::from).collect()
    }

    /// What a call prints that succeeds.
    fn listed(&self, family: Family, words: &[&str]) -> Option<String> {
        self.ask(family, words).ok().filter(|(status, _)| status.success()).map(|(_, said)| said)
    }

    fn ask_about(&self, rule: &Rule, action: Action) -> Result<(ExitStatus, String)> {
        let words = rule.arguments(action);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.ask(rule.family, &words)
    }
}

/// Splits a rule into the arguments that it was printed from. One with a blank is printed in quotes, with a backslash before each quote
/// in it (libxtables, xtables_save_string).
fn words(rule: &str) -> Vec<String> {
    let (mut words, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for letter in rule.chars() {
        let last = words.last_mut().expect("there is always one");
        match letter {
            _ if is_escaped => {
                last.push(letter);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => last.push(letter),
        }
    }
    words
}

/// Whether a rule, as iptables prints it, accepts in chain FORWARD what passes a port, whatever else it compares.
fn accepts_port(rule: &str, port: &InterfaceName) -> bool {
    let words = words(rule);
    let is_option = |word: &str| word == "--physdev-in" || word == "--physdev-out";
    let names_port = |at: &[String]| at[0] != "!" && is_option(&at[1]) && at[2] == port.as_str();
    rule.starts_with("-A FORWARD ") && rule.ends_with(" -j ACCEPT") && words.windows(3).any(names_port)
}

fn success(answer: (ExitStatus, String)) -> Result<()> {
    if answer.0.success() { Ok(()) } else { Err(refused(answer)) }
}

fn refused((status, said): (ExitStatus, String)) -> FirewallError {
    FirewallError::Refused(if said.is_empty() { status.to_string() } else { said })
}
