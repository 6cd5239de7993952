//! Tables, chains and policies of the kernel.

use std::fmt;

/// A table of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Which packets pass.
    Filter,
    /// Which addresses connections get.
    Nat,
}

impl Table {
    /// Returns the kernel's name of the table.
    pub fn name(self) -> &'static str {
        match self {
            Table::Filter => "filter",
            Table::Nat => "nat",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A chain of the kernel's own, with the number of its hook (linux/netfilter.h, NF_INET_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// What arrives, before it is routed.
    Prerouting = 0,
    /// What the host receives.
    Input = 1,
    /// What the host forwards.
    Forward = 2,
    /// What the host sends.
    Output = 3,
    /// What leaves, after it was routed.
    Postrouting = 4,
}

impl Chain {
    /// All chains, by the number of their hook.
    pub const ALL: [Chain; 5] = [Chain::Prerouting, Chain::Input, Chain::Forward, Chain::Output, Chain::Postrouting];

    /// Returns iptables' name of the chain.
    pub fn name(self) -> &'static str {
        match self {
            Chain::Prerouting => "PREROUTING",
            Chain::Input => "INPUT",
            Chain::Forward => "FORWARD",
            Chain::Output => "OUTPUT",
            Chain::Postrouting => "POSTROUTING",
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of a packet that no rule of a chain takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It passes.
    Accept,
    /// It is dropped.
    Drop,
}

impl Policy {
    /// Parses iptables' word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "ACCEPT" => Some(Policy::Accept),
            "DROP" => Some(Policy::Drop),
            _ => None,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Policy::Accept => "ACCEPT",
            Policy::Drop => "DROP",
        })
    }
}
