//! The host's iptables, run as a program. No shell is involved.

use std::cell::{Cell, OnceCell};
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::rc::Rc;
use std::thread::sleep;
use std::time::Duration;

use super::rule::{Action, Rule};
use crate::error::io_text;
use crate::program;

/// Why the firewall was not read or changed.
#[derive(Debug)]
pub enum FirewallError {
    /// iptables is not installed.
    Missing,
    /// iptables cannot be run.
    Program(io::Error),
    /// iptables failed: its words or, if it had none, how it ended.
    Refused(String),
    /// iptables does not report the policy of a chain.
    NoPolicy,
}

impl fmt::Display for FirewallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FirewallError::Missing => f.write_str("there is no iptables"),
            FirewallError::Program(error) => f.write_str(&io_text(error)),
            FirewallError::Refused(said) => f.write_str(said),
            FirewallError::NoPolicy => f.write_str("iptables does not tell the policy of FORWARD"),
        }
    }
}

type Result<T> = std::result::Result<T, FirewallError>;

/// The host's iptables.
pub struct Iptables {
    program: PathBuf,
    /// Whether it knows `-C`, once that has been found out.
    can_check: Cell<Option<bool>>,
    lock: HeldLock,
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
        let program = program::find("iptables", path).ok_or(FirewallError::Missing)?;
        Ok(Iptables { program, can_check: Cell::new(None), lock })
    }

    /// Runs iptables, and returns how it ended and what it said. While another process holds its lock (exit status 4), it is run
    /// again for five seconds: `-w`, which waits, came with 1.4.20.
    ///
    /// # Errors
    /// Those of running a program.
    pub fn ask(&self, words: &[&str]) -> io::Result<(ExitStatus, String)> {
        let once = || {
            let lock = self.lock.get().and_then(|lock| lock.try_clone().ok());
            program::ask(&self.program, words, lock.map_or_else(Stdio::null, Stdio::from))
        };
        for _ in 0..50 {
            let (status, said) = once()?;
            // a missing privilege has the same status
            if status.code() != Some(4) || said.contains("Permission denied") {
                return Ok((status, said));
            }
            sleep(Duration::from_millis(100));
        }
        once()
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

    /// Appends a rule that is not there. Where iptables cannot tell, one that may be there is deleted first.
    ///
    /// # Errors
    /// Where iptables cannot be run, or fails.
    pub fn add(&self, rule: &Rule) -> Result<()> {
        let can_check = match self.can_check.get() {
            Some(can_check) => can_check,
            None => self.has(rule)?.is_some(),
        };
        if !can_check {
            let _ = self.ask_about(rule, Action::Delete);
        }
        success(self.ask_about(rule, Action::Append)?)
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// Where iptables cannot be run, or fails; also if there is no such rule.
    pub fn delete(&self, rule: &Rule) -> Result<()> {
        success(self.ask_about(rule, Action::Delete)?)
    }

    /// Returns the policy of chain FORWARD: `ACCEPT` or `DROP`.
    ///
    /// # Errors
    /// [`FirewallError::NoPolicy`].
    pub fn forward_policy(&self) -> Result<String> {
        let listed = self.listed(&["-n", "-L", "FORWARD"]).unwrap_or_default();
        let policy = listed.split_once("(policy ").and_then(|(_, rest)| rest.split([')', ' ']).next());
        policy.map(String::from).ok_or(FirewallError::NoPolicy)
    }

    /// Sets the policy of chain FORWARD.
    ///
    /// # Errors
    /// Where iptables cannot be run, or fails.
    pub fn set_forward_policy(&self, policy: &str) -> Result<()> {
        self.change(&["-P", "FORWARD", policy])
    }

    /// Deletes all rules of chain FORWARD.
    ///
    /// # Errors
    /// Where iptables cannot be run, or fails.
    pub fn flush_forward(&self) -> Result<()> {
        self.change(&["-F", "FORWARD"])
    }

    /// Lists the rules of a table as arguments, one a line; empty where iptables cannot do that, as before 1.4.1.
    pub fn rules(&self, table: &str) -> String {
        self.listed(&["-t", table, "-S"]).unwrap_or_default()
    }

    /// What a call prints that succeeds.
    fn listed(&self, words: &[&str]) -> Option<String> {
        self.ask(words).ok().filter(|(status, _)| status.success()).map(|(_, said)| said)
    }

    fn change(&self, words: &[&str]) -> Result<()> {
        success(self.ask(words).map_err(FirewallError::Program)?)
    }

    fn ask_about(&self, rule: &Rule, action: Action) -> Result<(ExitStatus, String)> {
        let words = rule.arguments(action);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.ask(&words).map_err(FirewallError::Program)
    }
}

fn success(answer: (ExitStatus, String)) -> Result<()> {
    if answer.0.success() { Ok(()) } else { Err(refused(answer)) }
}

fn refused((status, said): (ExitStatus, String)) -> FirewallError {
    FirewallError::Refused(if said.is_empty() { status.to_string() } else { said })
}
