//! Each call of a change fails, or the program is killed at it, or another program is faster: the table is the old or the new one.

use std::env;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use brouter::net::Family;
use libtest_mimic::{Failed, Trial};

use crate::cases::prepare;
use crate::host::Host;

const BEFORE: &str = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n[1:2] -A FORWARD -j own\n\
                      [3:4] -A FORWARD -i eth1 -j DROP\n[5:6] -A own -j RETURN\nCOMMIT\n";

const LINE: &str = "-I FORWARD -i eth0 -j ACCEPT";

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("a change whose calls fail", calls_fail),
        Trial::test("a change that is killed at any call", killed),
        Trial::test("a table that another program changes between reading and writing", crossed),
        Trial::test("a table that changes all the time", always_crossed),
        Trial::test("a kernel without tables", without_tables),
    ]
}

/// Makes the change under strace with a fault.
fn with(fault: &str) -> Result<Output, Failed> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/run/trace", "-e", &format!("inject={fault}")]);
    Ok(strace.arg(env::current_exe()?).args(["--change", "4", LINE]).output()?)
}

/// Returns the table of a host without the change and with it.
fn both(host: Host) -> Result<[String; 2], Failed> {
    prepare(host, BEFORE)?;
    let before = host.save();
    host.change(&[LINE]).map_err(|error| error.to_string())?;
    let after = host.save();
    prepare(host, BEFORE)?;
    Ok([before, after])
}

fn calls_fail() -> Result<(), Failed> {
    let host = Host(Family::V4);
    let [before, after] = both(host)?;
    let mut count = 0;
    for errno in ["EPERM", "ENOMEM", "EINVAL", "ENOPROTOOPT", "ENOENT", "EAGAIN", "EFAULT"] {
        for call in ["getsockopt", "setsockopt", "flock", "bind", "socket"] {
            for number in 1..=4 {
                prepare(host, BEFORE)?;
                let output = with(&format!("{call}:error={errno}:when={number}"))?;
                let trace = std::fs::read_to_string("/run/trace")?;
                if !trace.contains("INJECTED") {
                    break;
                }
                count += 1;
                let got = host.save();
                let lost = without_counters(&after);
                // where the counters could not be given back the rules have changed nevertheless
                let is_right = match output.status.success() {
                    true => got == after || trace.contains("ADD_COUNTERS") && without_counters(&got) == lost,
                    false => got == before && output.status.code() == Some(1) && !output.stderr.is_empty(),
                };
                if !is_right {
                    return Err(format!("{call} {number} {errno}: {output:?}\n{got}").into());
                }
            }
        }
    }
    if count > 50 { Ok(()) } else { Err(format!("only {count} faults").into()) }
}

fn killed() -> Result<(), Failed> {
    let host = Host(Family::V4);
    let [before, after] = both(host)?;
    let mut count = 0;
    for call in ["getsockopt", "setsockopt", "flock", "bind", "socket", "openat"] {
        for number in 1..=6 {
            prepare(host, BEFORE)?;
            let output = with(&format!("{call}:signal=KILL:when={number}"))?;
            if output.status.success() {
                break;
            }
            count += 1;
            let got = host.save();
            if got != before && without_counters(&got) != without_counters(&after) {
                return Err(format!("{call} {number}: {got}").into());
            }
            // and nothing holds the lock
            host.change(&["-F INPUT"]).map_err(|error| error.to_string())?;
        }
    }
    if count > 10 { Ok(()) } else { Err(format!("killed only {count} times").into()) }
}

fn without_counters(saved: &str) -> String {
    let words = |line: &str| line.split(' ').filter(|word| !word.starts_with('[')).collect::<Vec<_>>().join(" ");
    saved.lines().map(|line| words(line) + "\n").collect()
}

fn crossed() -> Result<(), Failed> {
    let host = Host(Family::V4);
    prepare(host, BEFORE)?;
    let slow =
        std::thread::spawn(|| with("setsockopt:delay_enter=600000:when=1").map_err(|failed| format!("{failed:?}")));
    sleep(Duration::from_millis(300));
    // with a lock of its own it does not wait
    let other = Command::new(host.program(""))
        .env("XTABLES_LOCKFILE", "/run/other.lock")
        .args(["-A", "FORWARD", "-i", "eth2", "-j", "DROP"])
        .output()?;
    let ours = slow.join().expect("a thread")?;
    let got = host.save();
    let has = |rule: &str| got.matches(rule).count() == 1;
    let is_right =
        other.status.success() && ours.status.success() && has("-i eth0 -j ACCEPT") && has("-i eth2 -j DROP");
    let is_tried_again = std::fs::read_to_string("/run/trace")?.contains("EAGAIN");
    if is_right && is_tried_again { Ok(()) } else { Err(format!("{other:?} {ours:?}\n{got}").into()) }
}

fn always_crossed() -> Result<(), Failed> {
    let host = Host(Family::V4);
    let [before, _] = both(host)?;
    let start = Instant::now();
    let output = with("setsockopt:error=EAGAIN:when=1+")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_told = said.contains("table filter: Resource temporarily unavailable");
    let is_right =
        output.status.code() == Some(1) && is_told && host.save() == before && start.elapsed().as_secs() < 30;
    if is_right { Ok(()) } else { Err(format!("{output:?} after {:?}", start.elapsed()).into()) }
}

fn without_tables() -> Result<(), Failed> {
    for errno in ["ENOPROTOOPT", "ENOENT"] {
        let output = with(&format!("getsockopt:error={errno}:when=1+"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() != Some(1) || !said.contains("this kernel has no table filter: modprobe iptable_filter")
        {
            return Err(format!("{errno}: {output:?}").into());
        }
        let trace = std::fs::read_to_string("/run/trace")?;
        if trace.contains("execve") && trace.matches("execve").count() > 1 || trace.contains("clone(") {
            return Err(format!("a process was started: {trace}").into());
        }
    }
    Ok(())
}
