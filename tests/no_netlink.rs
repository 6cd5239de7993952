//! Tests that our programs never open a netlink socket, by tracing one row of each command in each state of the tables; and that
//! `network-virtual` does its work in a single process.

mod harness;

use std::collections::HashSet;
use std::process::ExitCode;

use libtest_mimic::Failed;

use harness::Test;
use harness::hosts::{Hosts, Programs, Reuse};
use harness::table::{self, Case, Mode, TABLES};

/// A start of `network-virtual` that runs no other program.
const ALONE: &str = "network-virtual start firewall=none bridgeip=10.0.0.1/24";

fn main() -> ExitCode {
    let mut known = HashSet::new();
    let mut tests = Vec::new();
    for case in TABLES
        .into_iter()
        .chain(["network-route", "network-nat", "vif-bridge", "vif-route", "vif-nat"])
        .flat_map(table::read)
    {
        let first = known.insert((case.era.clone(), case.state_name.clone(), case.verb()));
        if case.modes.contains(&Mode::Sys) && (first || case.command == ALONE) {
            let era = case.era.as_deref().map_or(String::new(), |era| format!("{era} "));
            let name = format!("{era}{}: {}", case.state_name, case.command);
            let needs = [&case.needs[..], &[String::from("strace")]].concat();
            tests.push(Test::new(name, &needs, move |hosts| check(hosts, &case)));
        }
    }
    harness::conclude(tests)
}

fn check(hosts: &Hosts, case: &Case) -> Result<(), Failed> {
    let traced = format!(
        "strace -ff -qq -o /run/trace -e trace=execve,clone,?clone3,?fork,?vfork,socket bash -c {} >/dev/null 2>&1
        for trace in /run/trace.*; do echo process ${{trace##*.}}; cat $trace; done",
        quoted(&case.command)
    );
    let run = hosts.run_in(&Reuse::never(), case.era.as_deref(), Programs::Ours, &case.state, &traced, Mode::Sys)?;
    let trace = String::from_utf8_lossy(&run.stdout);
    let calls = our_calls(&trace, &format!("execve(\"{}/", hosts.programs(Programs::Ours).display()));
    if calls.is_empty() {
        return Err(Failed::from(format!("none of our programs was run:\n{trace}")));
    }
    if let Some(call) = calls.iter().find(|call| call.contains("AF_NETLINK")) {
        return Err(Failed::from(format!("netlink: {call}")));
    }
    if case.command == ALONE
        && let Some(call) = calls.iter().find(|call| is_fork(call))
    {
        return Err(Failed::from(format!("a child process: {call}")));
    }
    Ok(())
}

/// Extracts the system calls of our programs from a trace, in which a line `process PID` precedes the calls of each process, and
/// parents precede their children. `execve` is the beginning of the call that starts one of our programs.
fn our_calls<'a>(trace: &'a str, execve: &str) -> Vec<&'a str> {
    let mut children = HashSet::new();
    let mut ours = false;
    let mut calls = Vec::new();
    for line in trace.lines() {
        if let Some(process) = line.strip_prefix("process ") {
            // A child is ours until it executes another program.
            ours = children.contains(process);
            continue;
        }
        if line.starts_with("execve(") && line.ends_with("= 0") {
            ours = line.starts_with(execve);
        }
        if ours {
            calls.push(line);
            if let Some((_, child)) = line.rsplit_once("= ").filter(|_| is_fork(line)) {
                children.insert(child);
            }
        }
    }
    calls
}

fn is_fork(call: &str) -> bool {
    ["clone", "fork", "vfork"].iter().any(|name| call.starts_with(name))
}

/// Quotes a text as one word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
