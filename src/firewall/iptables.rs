//! The programs that belong to a firewall: iptables, and the host's own command.
//!
//! They are the only processes that are started. No shell is involved.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread::sleep;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::error::{Failure, Outcome, io_text, line};
use crate::program;

/// Runs the firewall's command with our own output.
///
/// # Errors
/// Why it failed, and the exit status that a shell would have.
pub fn run(program: &Path, args: &[String]) -> Result<(), (String, u8)> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    program::run(program, &words).map_err(|failed| (failed.to_string(), failed.exit_status()))
}

/// The rule that masquerades what comes from a network and does not stay on its bridge, to be checked (`-C`), added (`-A`) or
/// deleted (`-D`).
pub fn masquerading<'a>(action: &'a str, net: &'a str, bridge: &'a str) -> [&'a str; 11] {
    ["-t", "nat", action, "POSTROUTING", "-s", net, "!", "-o", bridge, "-j", "MASQUERADE"]
}

/// The rule that lets through what comes from outside, likewise.
pub fn from_outside<'a>(action: &'a str, outside: &'a str) -> [&'a str; 6] {
    [action, "FORWARD", "-i", outside, "-j", "ACCEPT"]
}

/// What a call of iptables that failed said, or how it ended.
fn cause((status, said): (ExitStatus, String)) -> String {
    if said.is_empty() { status.to_string() } else { said }
}

/// The host's iptables.
pub struct Iptables(PathBuf);

impl Iptables {
    /// # Errors
    /// Where there is none.
    pub fn find(path: Option<OsString>) -> Result<Self, Failure> {
        program::find("iptables", path).map(Iptables).ok_or_else(|| {
            Failure::new(line!(
                "network-virtual: iptables is needed for masquerade=yes and antispoof=yes, and is not installed"
            ))
        })
    }

    /// Runs iptables, and returns how it ended and what it said. While another call has its lock (exit status 4), it is tried
    /// again for five seconds: `-w`, which waits, came with 1.4.20.
    pub(crate) fn ask(&self, words: &[&str]) -> io::Result<(ExitStatus, String)> {
        let once = || program::ask(&self.0, words);
        for _ in 0..50 {
            let (status, said) = once()?;
            // what a user may not do comes with the same status
            if status.code() != Some(4) || said.contains("Permission denied") {
                return Ok((status, said));
            }
            sleep(Duration::from_millis(100));
        }
        once()
    }

    /// A call that must succeed.
    fn call(&self, words: &[&str]) -> Outcome {
        self.change(words)
            .map_err(|cause| Failure::new(line!("network-virtual: iptables ", words.join(" "), ": ", cause)))
    }

    /// Runs iptables to change something.
    ///
    /// # Errors
    /// What it said.
    pub fn change(&self, words: &[&str]) -> Result<(), String> {
        match self.ask(words) {
            Ok((status, _)) if status.success() => Ok(()),
            Ok(answer) => Err(cause(answer)),
            Err(error) => Err(io_text(&error)),
        }
    }

    /// Whether a rule is there, asked by `-C`; nothing if that cannot be known, as before iptables 1.4.11.
    ///
    /// # Errors
    /// Where iptables cannot be run, or fails.
    pub fn check(&self, words: &[&str]) -> Result<Option<bool>, String> {
        let answer = self.ask(words).map_err(|error| io_text(&error))?;
        match answer.0.code() {
            Some(0) => Ok(Some(true)),
            Some(1) => Ok(Some(false)),
            Some(2) => Ok(None),
            _ => Err(cause(answer)),
        }
    }

    /// The rules of a table as commands, one a line; empty where that cannot be known, as before iptables 1.4.1.
    pub fn rules(&self, table: &str) -> String {
        self.listed(&["-t", table, "-S"]).unwrap_or_default()
    }

    /// What becomes of a packet that no rule of FORWARD speaks of.
    pub fn forward_policy(&self) -> Option<String> {
        let listed = self.listed(&["-n", "-L", "FORWARD"])?;
        Some(listed.split_once("(policy ")?.1.split([')', ' ']).next()?.to_string())
    }

    /// What a call prints that succeeds.
    pub(crate) fn listed(&self, words: &[&str]) -> Option<String> {
        self.ask(words).ok().filter(|(status, _)| status.success()).map(|(_, said)| said)
    }

    /// Whether a rule is there, asked by `check` (`-C`). That came with 1.4.11: before, the rule is removed by `delete`, so
    /// that it can be added again.
    fn has(&self, check: &[&str], delete: &[&str]) -> bool {
        match self.check(check) {
            Ok(None) => {
                let _ = self.ask(delete);
                false
            }
            there => there == Ok(Some(true)),
        }
    }

    /// Masquerades what comes from a network and does not stay on its bridge. Whether the rule is new is returned.
    pub fn masquerade(&self, net: Ipv4Net, bridge: &str) -> Result<bool, Failure> {
        let net = net.to_string();
        let rule = |action| masquerading(action, &net, bridge);
        if self.has(&rule("-C"), &rule("-D")) {
            return Ok(false);
        }
        self.call(&rule("-A")).map(|()| true)
    }

    /// Removes the rule of [`Iptables::masquerade`]; that it is gone already is no error.
    pub fn unmasquerade(&self, net: Ipv4Net, bridge: &str) {
        let _ = self.ask(&masquerading("-D", &net.to_string(), bridge));
    }

    /// What Xen's network-bridge did for `antispoof=yes`, in a network where the outside is routed: nothing is forwarded but
    /// what comes from outside, until vif-bridge lets each guest's own address through. Once the rule is there, a further
    /// call leaves the chain alone, and with it the guests' rules.
    ///
    /// The rule is added first of all, as only that can be refused, and the policy is set last: until then nobody is cut off.
    pub fn antispoof(&self, outside: &str) -> Outcome {
        let rule = |action| from_outside(action, outside);
        if !self.has(&rule("-C"), &rule("-D")) {
            self.call(&rule("-A"))?;
            self.call(&["-F", "FORWARD"])?;
            self.call(&rule("-A"))?;
        }
        self.call(&["-P", "FORWARD", "DROP"])
    }
}
