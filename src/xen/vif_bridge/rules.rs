//! The firewall rules of a guest: a chain that drops by default accepts what its port sends and receives; if the guest's
//! addresses are known, only from those.

use std::ffi::OsString;
use std::fmt;

use crate::firewall::addresses::Addresses;
use crate::firewall::backend::{Backend, Firewall};
use crate::firewall::chain::Table;
use crate::firewall::change::RuleChange;
use crate::firewall::choice::Kind;
use crate::firewall::error::FirewallError;
use crate::firewall::iptables::HeldLock;
use crate::firewall::matches::Match;
use crate::firewall::rule::Rule;
use crate::firewall::traffic::Protocol;
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::{Family, InterfaceName};
use crate::xen::log::Log;
use crate::xen::vif::error::VifError;

/// Seconds to wait for other scripts. Each holds the lock for some milliseconds.
const PATIENCE: u32 = 20;

/// Ports of DHCP (RFC 2131).
const DHCP_CLIENT: u16 = 68;
const DHCP_SERVER: u16 = 67;

/// The rules of one guest's interface.
pub(super) struct GuestRules {
    /// What the guest may send.
    sources: Vec<Source>,
    /// The PATH along which programs are searched for.
    path: Option<OsString>,
    /// What holds the rules, if that is not to be chosen.
    backend: Option<Kind>,
}

/// Which of a guest's packets a rule accepts.
#[derive(Clone, Debug)]
enum Source {
    /// All of them.
    Any,
    /// Those from an address or network.
    Net(Addresses),
    /// Requests to DHCP servers.
    Dhcp,
}

impl Source {
    fn matches(&self) -> Vec<Match> {
        match self {
            Source::Any => Vec::new(),
            Source::Net(net) => vec![Match::Source(net.clone())],
            Source::Dhcp => vec![
                Match::Protocol(Protocol::Udp),
                Match::SourcePort(DHCP_CLIENT.into()),
                Match::DestinationPort(DHCP_SERVER.into()),
            ],
        }
    }
}

impl GuestRules {
    /// Takes the guest's addresses and networks, separated by blanks; empty for any.
    pub(super) fn new(sources: &str, path: Option<OsString>, backend: Option<Kind>) -> Self {
        let mut sources: Vec<Source> =
            sources.split_whitespace().map(|net| Source::Net(Addresses::parse(net))).collect();
        sources.push(if sources.is_empty() { Source::Any } else { Source::Dhcp });
        GuestRules { sources, path, backend }
    }

    /// Inserts the rules, after those of an earlier call were removed. As in the original, a refusal is only logged: on most hosts
    /// the guest's frames pass without them.
    pub(super) fn insert(&self, kernel: &Kernel, log: Log, port: &InterfaceName) {
        let inserted = self.with_firewall(kernel, port, |firewall, has_rules| {
            let removed = if has_rules { self.remove_all(firewall, port) } else { Ok(()) };
            firewall.change_each(&self.insertions(port)).then_some(()).ok_or(Left::NotInserted).and(removed)
        });
        match inserted {
            Ok(()) => (),
            Err(Left::NoBackend(error)) => {
                log.error(format!("{error}. This may affect guest networking.").as_bytes());
            }
            Err(Left::NoLock) => {
                log.error(b"cannot have the lock of iptables. This may affect guest networking.");
            }
            Err(_) => {
                log.error(b"iptables setup failed. This may affect guest networking.");
            }
        }
    }

    /// Removes the rules: all those of chain FORWARD that accept what passes the port. Whoever has changed one, and whatever an earlier
    /// call has left, the port goes.
    ///
    /// # Errors
    /// A rule could not be removed.
    pub(super) fn remove(&self, kernel: &Kernel, port: &InterfaceName) -> Result<(), VifError> {
        let removed = self.with_firewall(kernel, port, |firewall, has_rules| match has_rules {
            true => self.remove_all(firewall, port),
            false => Ok(()),
        });
        // then it has made no rules either
        let removed = if matches!(removed, Err(Left::NoBackend(_))) { Ok(()) } else { removed };
        removed.map_err(|left| VifError::RulesLeft { port: port.clone(), rule: left.to_string() })
    }

    /// Calls a function, under the lock of Xen's scripts, with the firewall and whether a rule may name the port. Succeeds where the
    /// kernel has no firewall.
    fn with_firewall(
        &self,
        kernel: &Kernel,
        port: &InterfaceName,
        change: impl FnOnce(&Firewall, bool) -> Result<(), Left>,
    ) -> Result<(), Left> {
        let held = HeldLock::default();
        let firewall = match Firewall::choose(kernel, self.path.clone(), held.clone(), self.backend) {
            Ok(firewall) => firewall,
            Err(error @ FirewallError::NoProgram(..)) => return Err(Left::NoBackend(error)),
            Err(_) => return Ok(()),
        };
        let Some(has_rules) = firewall.forward_names(port).map_err(Left::Unknown)? else { return Ok(()) };
        let lock = Lock::claim(kernel, "iptables", PATIENCE).map_err(|_| Left::NoLock)?;
        let _ = lock.try_clone().map(|file| held.set(file));
        change(&firewall, has_rules)
    }

    fn remove_all(&self, firewall: &Firewall, port: &InterfaceName) -> Result<(), Left> {
        if let Backend::Nft(nft) = firewall.backend() {
            return nft.delete_of_port(port).map_err(|error| Left::Rule(error.to_string()));
        }
        let lines = || {
            let mut lines = firewall.rules_naming(Family::V4, Table::Filter, port);
            lines.retain(|line| is_of_port(line, port));
            lines
        };
        let found = lines();
        let parsed = found.iter().filter_map(|line| Rule::parse(Family::V4, Table::Filter, line));
        let mut changes: Vec<RuleChange> = parsed.map(RuleChange::Delete).collect();
        match firewall.backend() {
            // all at once
            Backend::Kernel(tables)
                if changes.len() == found.len() && (changes.is_empty() || tables.change(&changes).is_ok()) =>
            {
                return Ok(());
            }
            // an iptables that cannot print rules as arguments
            _ if changes.is_empty() => changes = self.rules(port).map(RuleChange::Delete).collect(),
            _ => (),
        }
        firewall.change_each(&changes);
        lines().into_iter().next().map_or(Ok(()), |line| Err(Left::Rule(line)))
    }

    /// Returns a change that inserts a pair of rules for each source: what the guest sends from there, and what it receives.
    fn insertions(&self, port: &InterfaceName) -> Vec<RuleChange> {
        let pair = |source: &Source| {
            RuleChange::InsertPair(Rule::from_port(port.clone(), source.matches()), Rule::to_port(port.clone()))
        };
        self.sources.iter().map(pair).collect()
    }

    fn rules(&self, port: &InterfaceName) -> impl Iterator<Item = Rule> {
        let pair = |source: &Source| [Rule::from_port(port.clone(), source.matches()), Rule::to_port(port.clone())];
        self.sources.iter().flat_map(pair)
    }
}

/// Why rules are not as they should be.
enum Left {
    /// What was asked for is not installed.
    NoBackend(FirewallError),
    /// Another holds the lock of Xen's scripts.
    NoLock,
    /// Whether there is a rule is not known.
    Unknown(FirewallError),
    /// A rule was not accepted.
    NotInserted,
    /// This rule was not removed.
    Rule(String),
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Left::NoBackend(error) => error.fmt(f),
            Left::NoLock => f.write_str("another call holds the lock of iptables"),
            Left::Unknown(error) => error.fmt(f),
            Left::NotInserted => f.write_str("not inserted"),
            Left::Rule(line) => f.write_str(line),
        }
    }
}

/// Whether a rule, as iptables prints it, accepts in chain FORWARD what passes a port.
fn is_of_port(line: &str, port: &InterfaceName) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let of_port = |pair: &[&str]| pair[1] == port.as_str() && ["--physdev-in", "--physdev-out"].contains(&pair[0]);
    words.starts_with(&["-A", "FORWARD"]) && words.ends_with(&["-j", "ACCEPT"]) && words.windows(2).any(of_port)
}
