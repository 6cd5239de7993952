//! The firewall rules of a guest: a chain that drops by default accepts what its port sends and receives; if the guest's
//! addresses are known, only from those.

use std::ffi::OsString;

use crate::firewall::addresses::Addresses;
use crate::firewall::backend::Firewall;
use crate::firewall::change::RuleChange;
use crate::firewall::iptables::HeldLock;
use crate::firewall::matches::Match;
use crate::firewall::rule::Rule;
use crate::firewall::traffic::Protocol;
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::InterfaceName;
use crate::xen::log::Log;

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
    pub(super) fn new(sources: &str, path: Option<OsString>) -> Self {
        let mut sources: Vec<Source> =
            sources.split_whitespace().map(|net| Source::Net(Addresses::parse(net))).collect();
        sources.push(if sources.is_empty() { Source::Any } else { Source::Dhcp });
        GuestRules { sources, path }
    }

    /// Inserts the rules. As in the original, a refusal is only logged: on most hosts the guest's frames pass without them.
    pub(super) fn insert(&self, kernel: &Kernel, log: Log, port: &InterfaceName) {
        self.change(kernel, log, port, true);
    }

    /// Removes the rules.
    pub(super) fn remove(&self, kernel: &Kernel, log: Log, port: &InterfaceName) {
        self.change(kernel, log, port, false);
    }

    fn change(&self, kernel: &Kernel, log: Log, port: &InterfaceName, insert: bool) {
        let held = HeldLock::default();
        let Ok(firewall) = Firewall::choose(kernel, self.path.clone(), held.clone()) else { return };
        let Some(has_rules) = firewall.forward_names(port) else { return };
        let Ok(lock) = Lock::claim(kernel, "iptables", PATIENCE) else {
            log.error(b"cannot have the lock of iptables. This may affect guest networking.");
            return;
        };
        let _ = lock.try_clone().map(|file| held.set(file));
        // before an insertion: those of an earlier call
        let mut changes = if has_rules { self.pairs(port, RuleChange::DeletePair) } else { Vec::new() };
        if insert {
            changes.extend(self.pairs(port, RuleChange::InsertPair));
        }
        let done = firewall.change_each(&changes);
        drop(lock);
        if insert && !done {
            log.error(b"iptables setup failed. This may affect guest networking.");
        }
    }

    /// Returns a change of a pair of rules for each source: what the guest sends from there, and what it receives.
    fn pairs(&self, port: &InterfaceName, change: fn(Rule, Rule) -> RuleChange) -> Vec<RuleChange> {
        let pair =
            |source: &Source| change(Rule::from_port(port.clone(), source.matches()), Rule::to_port(port.clone()));
        self.sources.iter().map(pair).collect()
    }
}
