//! Several programs that change a table at the same time, and the locks that keep them apart.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use brouter::net::Family;
use libtest_mimic::{Failed, Trial};

use crate::cases::prepare;
use crate::host::Host;

/// Writers of each kind, ours and iptables-legacy.
const WRITERS: usize = 10;

/// Rules that each adds, and then deletes but one.
const RULES: usize = 8;

const EMPTY: &str = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[5:6] -A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n";

pub(crate) fn tests() -> Vec<Trial> {
    let mut tests = Vec::new();
    for family in Family::BOTH {
        let name = format!("{} writers at once, half of them {}", 2 * WRITERS, Host(family).program(""));
        tests.push(Trial::test(name, move || writers(Host(family))));
    }
    tests.push(Trial::test("a change waits for the lock file of iptables", waits_for_file));
    tests.push(Trial::test("a change waits for the abstract socket of iptables 1.4.20", waits_for_socket));
    tests
}

fn writers(host: Host) -> Result<(), Failed> {
    prepare(host, EMPTY)?;
    let net = |writer: usize, rule: usize| match host.0 {
        Family::V4 => format!("10.{writer}.{rule}.0/24"),
        Family::V6 => format!("fd00:{writer}:{}::/48", rule + 1),
    };
    let lines = |writer| {
        let add = (0..RULES).map(move |rule| format!("-A FORWARD -s {} -j ACCEPT", net(writer, rule)));
        add.chain((1..RULES).map(move |rule| format!("-D FORWARD -s {} -j ACCEPT", net(writer, rule))))
    };
    let mut children: Vec<Child> = Vec::new();
    for writer in 0..WRITERS {
        children.push(ours(host, lines(writer))?);
        let own: Vec<String> = lines(WRITERS + writer).map(|line| format!("{} -w {line}", host.program(""))).collect();
        children.push(Command::new("sh").args(["-e", "-c", &own.join("\n")]).spawn()?);
    }
    for mut child in children {
        if !child.wait()?.success() {
            return Err("a writer failed".into());
        }
    }
    let mut wanted: Vec<String> =
        (0..2 * WRITERS).map(|writer| format!("[0:0] -A FORWARD -s {} -j ACCEPT", net(writer, 0))).collect();
    wanted.push("[5:6] -A FORWARD -i eth0 -j ACCEPT".into());
    wanted.sort();
    let saved = host.save();
    let mut got: Vec<&str> = saved.lines().filter(|line| line.contains("-A FORWARD")).collect();
    got.sort_unstable();
    if got == wanted { Ok(()) } else { Err(format!("wanted {wanted:#?}, got {got:#?}").into()) }
}

/// Starts a process that makes one change after the other.
fn ours(host: Host, lines: impl Iterator<Item = String>) -> Result<Child, Failed> {
    let family = if host.0 == Family::V4 { "4" } else { "6" };
    Ok(Command::new(env::current_exe()?).args(["--change", family]).args(lines).spawn()?)
}

fn waits_for_file() -> Result<(), Failed> {
    let mut flock = Command::new("flock");
    flock.args(["/run/xtables.lock", "sh", "-c", "echo held; sleep 0.5"]);
    let mut holder = flock.stdout(std::process::Stdio::piped()).spawn()?;
    let mut first = [0];
    std::io::Read::read_exact(holder.stdout.as_mut().expect("a pipe"), &mut first)?;
    let waited = waited()?;
    holder.wait()?;
    if waited >= Duration::from_millis(300) { Ok(()) } else { Err(format!("it waited {waited:?} only").into()) }
}

fn waits_for_socket() -> Result<(), Failed> {
    let holder = UnixListener::bind_addr(&SocketAddr::from_abstract_name("xtables")?)?;
    let holder = thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        drop(holder);
    });
    let waited = waited()?;
    holder.join().expect("a thread");
    if waited >= Duration::from_millis(300) { Ok(()) } else { Err(format!("it waited {waited:?} only").into()) }
}

/// Returns how long a change takes.
fn waited() -> Result<Duration, Failed> {
    let start = Instant::now();
    Host(Family::V4).change(&["-A FORWARD -i eth1 -j ACCEPT"]).map_err(|error| error.to_string())?;
    Ok(start.elapsed())
}
