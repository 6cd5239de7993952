//! The firewall rules of a guest: a chain that drops by default accepts what its port sends and receives; if the guest's
//! addresses are known, only from those.

use std::fmt;

use crate::firewall::addresses::Addresses;
use crate::firewall::backend::{Backend, Firewall};
use crate::firewall::change::RuleChange;
use crate::firewall::choice::Kind;
use crate::firewall::error::FirewallError;
use crate::firewall::iptables::HeldLock;
use crate::firewall::matches::Match;
use crate::firewall::rule::Rule;
use crate::firewall::traffic::Protocol;
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::InterfaceName;
use crate::xen::log::Log;
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::Context;

/// Seconds to wait for other scripts. Each holds the lock for some milliseconds.
const PATIENCE: u32 = 20;

/// Ports of DHCP (RFC 2131).
const DHCP_CLIENT: u16 = 68;
const DHCP_SERVER: u16 = 67;

/// The firewall that keeps guests' rules.
pub(super) struct Guard<'a> {
    kernel: &'a Kernel,
    /// The firewall, unless what was asked for is not installed.
    firewall: Result<Firewall<'a>, FirewallError>,
    /// The lock of Xen's scripts, for iptables.
    lock: HeldLock,
}

impl<'a> Guard<'a> {
    /// Chooses the firewall for the rules; `None` with `antispoof=no`.
    ///
    /// # Errors
    /// A word that stands for no backend. It does not keep a port from being taken off.
    pub(super) fn choose(context: &Context<'a>) -> Result<Option<Self>, VifError> {
        if context.arguments.value("antispoof").as_deref() == Some("no") {
            return Ok(None);
        }
        let asked = match context.arguments.value("firewall_backend").map(|word| word.parse::<Kind>().map_err(|_| word))
        {
            Some(Err(word)) if context.config.command.plugs() => return Err(VifError::Backend(word)),
            asked => asked.and_then(Result::ok),
        };
        let lock = HeldLock::default();
        let firewall = Firewall::choose(context.kernel, context.path.clone(), lock.clone(), asked);
        Ok(Some(Guard { kernel: context.kernel, firewall, lock }))
    }
}

/// The rules of one guest's interface.
pub(super) struct GuestRules<'a> {
    /// What the guest may send.
    sources: Vec<Source>,
    guard: Guard<'a>,
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

impl<'a> GuestRules<'a> {
    /// Takes the guest's addresses and networks, separated by blanks; empty for any.
    pub(super) fn new(sources: &str, guard: Guard<'a>) -> Self {
        let mut sources: Vec<Source> =
            sources.split_whitespace().map(|net| Source::Net(Addresses::parse(net))).collect();
        sources.push(if sources.is_empty() { Source::Any } else { Source::Dhcp });
        GuestRules { sources, guard }
    }

    /// Inserts the rules, after those of an earlier call were removed. As in the original, a refusal is only logged: on most hosts
    /// the guest's frames pass without them.
    pub(super) fn insert(&self, log: Log, port: &InterfaceName) {
        let inserted = self.with_firewall(port, |firewall, has_rules| {
            let mut changes = self.insertions(port);
            let removed = match firewall.backend() {
                Backend::Iptables(_) if has_rules => self.remove_all(firewall, port),
                Backend::Iptables(_) => Ok(()),
                // with the insertions
                _ => {
                    changes.insert(0, RuleChange::DeletePort(port.clone()));
                    Ok(())
                }
            };
            firewall.change_each(&changes).then_some(()).ok_or(Left::NotInserted).and(removed)
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
    pub(super) fn remove(&self, port: &InterfaceName) -> Result<(), VifError> {
        let removed = self.with_firewall(port, |firewall, has_rules| match has_rules {
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
        port: &InterfaceName,
        change: impl FnOnce(&Firewall, bool) -> Result<(), Left>,
    ) -> Result<(), Left> {
        let Guard { kernel, firewall, lock: held } = &self.guard;
        let firewall = match firewall {
            Ok(firewall) => firewall,
            Err(FirewallError::NoProgram(program, package)) => {
                return Err(Left::NoBackend(FirewallError::NoProgram(program, package)));
            }
            Err(_) => return Ok(()),
        };
        let Some(has_rules) = firewall.forward_names(port).map_err(Left::Firewall)? else { return Ok(()) };
        let lock = Lock::claim(kernel, "iptables", PATIENCE).map_err(|_| Left::NoLock)?;
        if let Backend::Iptables(_) = firewall.backend() {
            let _ = lock.try_clone().map(|file| held.set(file));
        }
        change(firewall, has_rules)
    }

    fn remove_all(&self, firewall: &Firewall, port: &InterfaceName) -> Result<(), Left> {
        match firewall.change(&[RuleChange::DeletePort(port.clone())]) {
            Err(FirewallError::NotListed) => {
                let rules: Vec<RuleChange> = self.rules(port).map(RuleChange::Delete).collect();
                firewall.change_each(&rules);
                Ok(())
            }
            removed => removed.map_err(Left::Firewall),
        }
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
    /// The firewall cannot be asked, or a rule was not removed.
    Firewall(FirewallError),
    /// A rule was not accepted.
    NotInserted,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Left::NoBackend(error) | Left::Firewall(error) => error.fmt(f),
            Left::NoLock => f.write_str("another call holds the lock of iptables"),
            Left::NotInserted => f.write_str("not inserted"),
        }
    }
}
