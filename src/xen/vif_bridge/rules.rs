//! The firewall rules of a guest: a chain that drops by default accepts what its port sends and receives; if the guest's
//! addresses are known, only from those.

use std::ffi::OsString;

use crate::firewall::iptables::{HeldLock, Iptables};
use crate::firewall::rule::{Action, Rule, Source};
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::InterfaceName;
use crate::xen::log::Log;

/// Seconds to wait for other scripts. Each holds the lock for some milliseconds.
const PATIENCE: u32 = 20;

/// The rules of one guest's interface.
pub(super) struct GuestRules {
    /// What the guest may send.
    sources: Vec<Source>,
    /// The PATH along which iptables is searched for.
    path: Option<OsString>,
}

impl GuestRules {
    /// Takes the guest's addresses and networks, separated by blanks; empty for any.
    pub(super) fn new(sources: &str, path: Option<OsString>) -> Self {
        let mut sources: Vec<Source> = sources.split_whitespace().map(|net| Source::Net(net.into())).collect();
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
        let Some(firewall) = Firewall::find(self.path.clone(), held.clone()) else { return };
        let Ok(lock) = Lock::claim(kernel, "iptables", PATIENCE) else {
            log.error(b"cannot have the lock of iptables. This may affect guest networking.");
            return;
        };
        let _ = lock.try_clone().map(|file| held.set(file));
        if firewall.names(port) {
            // before an insertion: those of an earlier call
            self.apply(&firewall, port, Action::Delete);
        }
        let done = !insert || self.apply(&firewall, port, Action::Insert);
        drop(lock);
        if !done {
            log.error(b"iptables setup failed. This may affect guest networking.");
        }
    }

    /// Inserts or deletes a pair of rules for each source. Returns whether iptables accepted all of them; after a refusal the
    /// other rule of the pair is skipped.
    fn apply(&self, firewall: &Firewall, port: &InterfaceName, action: Action) -> bool {
        let mut done = true;
        for source in &self.sources {
            let from = Rule::FromPort { port: port.clone(), source: source.clone() };
            done &= firewall.change(&from, action) && firewall.change(&Rule::ToPort(port.clone()), action);
        }
        done
    }
}

/// An iptables that works.
struct Firewall {
    iptables: Iptables,
    /// `-w` if iptables can wait for other calls (since 1.4.20), else empty.
    wait: &'static [&'static str],
    /// The chain FORWARD.
    listing: String,
}

impl Firewall {
    /// Returns the host's iptables if it is installed and the kernel supports it.
    fn find(path: Option<OsString>, held: HeldLock) -> Option<Self> {
        let iptables = Iptables::find(path, held).ok()?;
        for wait in [&["-w"][..], &[]] {
            let (status, listing) = iptables.ask(&[wait, &["-n", "-L", "FORWARD"]].concat()).ok()?;
            match status.code() {
                Some(0) => return Some(Firewall { iptables, wait, listing }),
                // an unknown option
                Some(2) => (),
                _ => return None,
            }
        }
        None
    }

    /// Whether a rule names this port.
    fn names(&self, port: &InterfaceName) -> bool {
        self.listing.split_whitespace().any(|word| word == port.as_str())
    }

    fn change(&self, rule: &Rule, action: Action) -> bool {
        let arguments = rule.arguments(action);
        let words: Vec<&str> = self.wait.iter().copied().chain(arguments.iter().map(String::as_str)).collect();
        self.iptables.ask(&words).is_ok_and(|(status, _)| status.success())
    }
}
