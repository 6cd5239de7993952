//! The firewall's rules for a guest: what its port sends and receives is let through a chain that drops the rest, and if the
//! guest's addresses are known, nothing is let through that has another source.

use std::ffi::OsString;

use super::NAME;
use crate::firewall::iptables::Iptables;
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::xen::log;

/// Seconds for which other scripts are waited for, of which each has the firewall for some milliseconds.
const PATIENCE: u32 = 20;

/// What is known of a guest's rules.
pub(super) struct Rules {
    /// The guest's addresses or networks, separated by blanks; empty for any.
    pub(super) sources: String,
    /// Where iptables is looked for.
    pub(super) path: Option<OsString>,
}

impl Rules {
    /// Lets the guest's frames through. A firewall that refuses is noted, and that is all, as in the original: on most hosts the
    /// guest's frames pass without these rules.
    pub(super) fn insert(self, kernel: &Kernel, port: &str) -> Self {
        self.change(kernel, port, true);
        self
    }

    /// Takes the rules away.
    pub(super) fn remove(self, kernel: &Kernel, port: &str) {
        self.change(kernel, port, false);
    }

    fn change(&self, kernel: &Kernel, port: &str, insert: bool) {
        let Some(firewall) = Firewall::find(self.path.clone()) else { return };
        let Some(lock) = Lock::claim(kernel, "iptables", PATIENCE).ok() else {
            log::error(kernel, NAME, b"cannot have the lock of iptables. This may affect guest networking.");
            return;
        };
        if firewall.speaks_of(port) {
            // when a port is made, those of an earlier call for it
            self.apply(&firewall, port, "-D");
        }
        let is_done = !insert || self.apply(&firewall, port, "-I");
        drop(lock);
        if !is_done {
            log::error(kernel, NAME, b"iptables setup failed. This may affect guest networking.");
        }
    }

    /// A pair of rules for each source and for DHCP, or one pair for all. Whether iptables took them is returned.
    fn apply(&self, firewall: &Firewall, port: &str, action: &str) -> bool {
        const DHCP: [&str; 6] = ["-p", "udp", "--sport", "68", "--dport", "67"];
        let mut sources: Vec<Vec<&str>> = self.sources.split_whitespace().map(|source| vec!["-s", source]).collect();
        sources.push(if sources.is_empty() { Vec::new() } else { DHCP.into() });
        let rule = |direction: &str, source: &[&str]| {
            let head = [action, "FORWARD", "-m", "physdev", "--physdev-is-bridged", direction, port];
            firewall.call(&[&head, source, &["-j", "ACCEPT"]].concat())
        };
        let mut is_done = true;
        for source in &sources {
            is_done &= rule("--physdev-in", source) && rule("--physdev-out", &[]);
        }
        is_done
    }
}

/// A firewall that works.
struct Firewall {
    iptables: Iptables,
    /// `-w` if iptables knows that it can wait for others (1.4.20), else empty.
    wait: &'static [&'static str],
    listing: String,
}

impl Firewall {
    /// The host's iptables, if it is there and the kernel has what it needs.
    fn find(path: Option<OsString>) -> Option<Self> {
        let iptables = Iptables::find(path).ok()?;
        for wait in [&["-w"][..], &[]] {
            let (status, listing) = iptables.ask(&[wait, &["-n", "-L", "FORWARD"]].concat()).ok()?;
            match status.code() {
                Some(0) => return Some(Firewall { iptables, wait, listing }),
                // an option that it does not know
                Some(2) => (),
                _ => return None,
            }
        }
        None
    }

    /// Whether there is a rule for this port.
    fn speaks_of(&self, port: &str) -> bool {
        self.listing.split_whitespace().any(|word| word == port)
    }

    fn call(&self, words: &[&str]) -> bool {
        self.iptables.ask(&[self.wait, words].concat()).is_ok_and(|(status, _)| status.success())
    }
}
