//! Why the firewall was not read or changed.

use std::fmt;
use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

use super::chain::{Chain, Table};
use super::rule::program;
use crate::error::{errno_text, io_text};
use crate::net::Family;
use crate::terminal::one_line;

/// Why the firewall was not read or changed.
#[derive(Debug)]
pub enum FirewallError {
    /// Neither has the kernel tables, nor is iptables or nft installed.
    Missing,
    /// This program was asked for and is not installed; it is in this package of Debian.
    NoProgram(&'static str, &'static str),
    /// The program cannot be run.
    Program(io::Error),
    /// The program failed: its words or, if it had none, how it ended.
    Refused(String),
    /// The policy of a chain is not known.
    NoPolicy,
    /// iptables cannot print rules as arguments, as before 1.4.1.
    NotListed,
    /// This rule is still there.
    NotDeleted(String),
    /// There is no rule to delete.
    NoRule,
    /// The kernel has no such table.
    NoTable(Family, Table),
    /// The kernel refused to read or change a table.
    Kernel(Family, Table, Errno),
    /// The kernel lacks a match or a target, by its name.
    NoModule(Family, &'static str),
    /// A table is not laid out as the kernel does it. It is left alone.
    Malformed(Table, Malformed),
    /// A text that is neither an address nor a network of the rule's family. iptables may understand it.
    NotUnderstood(String),
    /// What cannot be a part of one rule, as iptables would type it.
    Unfit(String),
    /// The table does not have the chain.
    NoChain(Table, Chain),
    /// Another program holds the lock on the tables.
    Locked(PathBuf),
    /// The lock on the tables cannot be opened.
    Lock(PathBuf, io::Error),
}

/// What is wrong with a table that the kernel returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is larger than any table in use.
    TooLarge,
    /// An entry, or a part of one, does not fit in.
    Entry,
    /// The number of entries is not the one announced.
    Count,
    /// A chain does not begin or end at an entry.
    Chain,
    /// A rule jumps to where no entry begins.
    Jump,
}

/// The result of a firewall's verb.
pub type Result<T> = std::result::Result<T, FirewallError>;

impl fmt::Display for FirewallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FirewallError::Missing => f.write_str("there is no iptables"),
            FirewallError::NoProgram(program, package) => {
                write!(f, "{program} is not installed: apt-get install {package}")
            }
            FirewallError::Program(error) if error.kind() == io::ErrorKind::TimedOut => {
                write!(f, "{} (it may wait for a lock: fuser -v /run/xtables.lock)", io_text(error))
            }
            FirewallError::Program(error) => f.write_str(&io_text(error)),
            // several lines become one
            FirewallError::Refused(said) => f.write_str(&one_line(&said.replace('\n', "; "))),
            FirewallError::NoPolicy => f.write_str("iptables does not tell the policy of FORWARD"),
            FirewallError::NotListed => f.write_str("this iptables does not print rules as arguments"),
            FirewallError::NotDeleted(rule) => f.write_str(rule),
            FirewallError::NoRule => f.write_str("there is no such rule"),
            FirewallError::NoTable(family, table) => {
                write!(f, "this kernel has no table {table}: modprobe {}", module(*family, *table))
            }
            FirewallError::Kernel(_, table, Errno::EPERM) => {
                write!(f, "table {table}: {} (you must be root)", errno_text(Errno::EPERM))
            }
            FirewallError::Kernel(_, table, errno) => write!(f, "table {table}: {}", errno_text(*errno)),
            FirewallError::NoModule(family, name) => {
                write!(f, "this kernel lacks {name} for {}: modprobe xt_{name}", program(*family))
            }
            FirewallError::Malformed(table, fault) => write!(f, "table {table} is malformed, and left alone: {fault}"),
            FirewallError::NotUnderstood(text) => write!(f, "{text}: not an address or network of the rule's family"),
            FirewallError::Unfit(text) => write!(f, "no rule can have {text}"),
            FirewallError::NoChain(table, chain) => write!(f, "table {table} has no chain {chain}"),
            FirewallError::Locked(path) => {
                let path = path.display();
                write!(f, "another program has held {path} for too long (which one: fuser -v {path})")
            }
            FirewallError::Lock(path, error) => write!(f, "{}: {}", path.display(), io_text(error)),
        }
    }
}

/// Returns the name of the module that has a table.
fn module(family: Family, table: Table) -> &'static str {
    match (family, table) {
        (Family::V4, Table::Filter) => "iptable_filter",
        (Family::V4, Table::Nat) => "iptable_nat",
        (Family::V6, Table::Filter) => "ip6table_filter",
        (Family::V6, Table::Nat) => "ip6table_nat",
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::TooLarge => "it is too large",
            Malformed::Entry => "a rule does not fit in",
            Malformed::Count => "it has another number of rules than it should have",
            Malformed::Chain => "a chain begins or ends within a rule",
            Malformed::Jump => "a rule jumps to where none begins",
        })
    }
}
