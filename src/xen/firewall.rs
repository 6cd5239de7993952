//! The programs that belong to a firewall: iptables, and the host's own command.
//!
//! They are the only processes that are started. A program is looked for where the caller's PATH says, as a script would, and
//! then in the system's own folders; it gets a clean environment. No shell is involved.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use ipnet::Ipv4Net;
use nix::unistd::{AccessFlags, access};

use crate::error::{Failure, Outcome, io_text, line};

/// Where programs of a system are.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Finds a program by name, or checks that the path leads to one.
pub fn find(program: &str, path: Option<OsString>) -> Option<PathBuf> {
    let is_program = |path: &Path| access(path, AccessFlags::X_OK).is_ok() && path.is_file();
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| is_program(path));
    }
    let path = path.unwrap_or_default();
    let system = std::env::split_paths(SYSTEM_PATH);
    // a relative folder would mean whatever the caller's happens to be
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    folders.extend(system.filter(|folder| !folders.contains(folder)).collect::<Vec<_>>());
    folders.into_iter().map(|folder| folder.join(program)).find(|path| is_program(path))
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", SYSTEM_PATH).stdin(Stdio::null());
    command
}

/// Runs the firewall's command with our own output.
///
/// # Errors
/// Why it failed, and the exit status that a shell would have.
pub fn run(program: &Path, args: &[String]) -> Result<(), (String, u8)> {
    match command(program).args(args).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            Err((status.to_string(), code))
        }
        Err(error) => Err((io_text(&error), 126)),
    }
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

/// The host's iptables.
pub struct Iptables(PathBuf);

impl Iptables {
    /// # Errors
    /// Where there is none.
    pub fn find(path: Option<OsString>) -> Result<Self, Failure> {
        find("iptables", path).map(Iptables).ok_or_else(|| {
            Failure::new(line!(
                "network-virtual: iptables is needed for masquerade=yes and antispoof=yes, and is not installed"
            ))
        })
    }

    /// Runs iptables. While another call has its lock (exit status 4), it is tried again for five seconds: `-w`, which waits,
    /// came with 1.4.20.
    ///
    /// Its standard output is returned. (One pipe is read as it is; with a second one std switches both to non-blocking, and
    /// ends the process where it cannot.)
    pub(super) fn output(&self, words: &[&str]) -> io::Result<Output> {
        self.run(words, Stdio::piped, Stdio::null)
    }

    /// The same, but what is returned is its standard error.
    fn attempt(&self, words: &[&str]) -> io::Result<Output> {
        self.run(words, Stdio::null, Stdio::piped)
    }

    fn run(&self, words: &[&str], out: fn() -> Stdio, err: fn() -> Stdio) -> io::Result<Output> {
        let once = || command(&self.0).args(words).stdout(out()).stderr(err()).spawn()?.wait_with_output();
        for _ in 0..50 {
            let output = once()?;
            if output.status.code() != Some(4) {
                return Ok(output);
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
        match self.attempt(words) {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(match output.stderr.trim_ascii() {
                b"" => output.status.to_string(),
                said => String::from_utf8_lossy(said).into_owned(),
            }),
            Err(error) => Err(io_text(&error)),
        }
    }

    /// Whether a rule is there, asked by `-C`; nothing if that cannot be known, as before iptables 1.4.11.
    ///
    /// # Errors
    /// Where iptables cannot be run.
    pub fn check(&self, words: &[&str]) -> Result<Option<bool>, String> {
        Ok(match self.output(words).map_err(|error| io_text(&error))?.status.code() {
            Some(0) => Some(true),
            Some(1) => Some(false),
            _ => None,
        })
    }

    /// The rules of a table as commands, one a line; empty where that cannot be known, as before iptables 1.4.1.
    pub fn rules(&self, table: &str) -> String {
        let listed = self.output(&["-t", table, "-S"]).ok().filter(|output| output.status.success());
        listed.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What becomes of a packet that no rule of FORWARD speaks of.
    pub fn forward_policy(&self) -> Option<String> {
        let listed = self.output(&["-n", "-L", "FORWARD"]).ok().filter(|output| output.status.success())?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        Some(listed.split_once("(policy ")?.1.split(')').next()?.split(' ').next()?.to_string())
    }

    /// Whether a rule is there, asked by `check` (`-C`). That came with 1.4.11: before, the rule is removed by `delete`, so
    /// that it can be added again.
    fn has(&self, check: &[&str], delete: &[&str]) -> bool {
        match self.output(check).map(|output| output.status.code()) {
            Ok(Some(0)) => true,
            Ok(Some(2)) => {
                let _ = self.output(delete);
                false
            }
            _ => false,
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
        let _ = self.output(&masquerading("-D", &net.to_string(), bridge));
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
