//! `make demo`: shows a brouter at work, in a network of its own.
//!
//! The project's own programs create the virtual network of a Xen host in private namespaces, so that this machine is not
//! touched. Two guests and a host outside are IP stacks in this process, each behind a TAP device. Pings between them show what a
//! brouter does: it bridges between guests, and routes to the outside.
//!
//! Usage: `demo [FOLDER]`. The folder (default `build`) contains brouter, brctl, ip and network-virtual.

mod host;
mod private;
mod programs;

use std::fs;
use std::io::{IsTerminal, stdout};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use host::{FIRST_TTL, Host, connect, ping};
use programs::Programs;

/// Time limit of the whole demonstration.
const TIME_LIMIT: Duration = Duration::from_secs(15);

const BRIDGE: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 1);
const GUEST_1: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 11);
const GUEST_2: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 12);
const DOM0: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

const PICTURE: &str = "
                     +------------------ dom0 ------------------+
 guest 1 -------- vif1.0 --+                                    |
 192.168.10.11       |     |                                    |
                     |  xenbr0 --------- routes --------- eth0 ------- outside
                     |  192.168.10.1                 192.0.2.1  |      192.0.2.2
 guest 2             |     |                                    |
 192.168.10.12 -- vif2.0 --+                                    |
                     +------------------------------------------+
";

/// The published port, and that of guest 1 behind it.
const PORT: u16 = 8080;
const GUEST_PORT: u16 = 80;

const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

fn main() -> ExitCode {
    match demonstrate() {
        Ok(0) => return ExitCode::SUCCESS,
        Ok(failed) => eprintln!("demo: failed checks: {failed}"),
        Err(message) => eprintln!("demo: {message}"),
    }
    ExitCode::FAILURE
}

/// Runs the demonstration and returns the number of failed checks. A failed step that later steps need is an error.
fn demonstrate() -> Result<usize, String> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "build".into());
    let deadline = Instant::now() + TIME_LIMIT;
    let programs = Programs::in_folder(folder.into(), deadline)?;
    private::enter()?;

    println!("A brouter is a bridge and a router in one:\n{PICTURE}");
    let masquerade = programs.can_masquerade()?;
    if !masquerade {
        println!("this kernel cannot masquerade: dom0 only forwards, and the outside gets a route back.\n");
        fs::write(IP_FORWARD, "1").map_err(|e| format!("cannot write {IP_FORWARD}: {e}"))?;
    }
    let forwarding_before = forwarding()?;
    let variables = format!(
        "bridge=xenbr0 bridgeip={BRIDGE}/24 netdev=eth0 firewall=none masquerade={}",
        if masquerade { "yes" } else { "no" }
    );
    let mut checks = Checks { failed: 0 };

    let mut hosts = build_network(&programs, &variables, masquerade)?;
    programs.run(&format!("network-virtual status {variables}"))?;
    programs.run("brctl show")?;

    println!();
    check_pings(&mut hosts, masquerade, deadline, &mut checks);
    if masquerade {
        println!();
        let publish = format!("--masquerade --publish {PORT}:{GUEST_1}:{GUEST_PORT}");
        programs.run(&format!("brouter up xenbr0 --address {BRIDGE}/24 {publish}"))?;
        println!();
        check_port(&mut hosts, deadline, &mut checks);
    }
    println!();
    programs.run("brouter status")?;
    println!();

    programs.run(&format!("network-virtual stop {variables}"))?;
    println!();
    let interface = |name| Path::new("/sys/class/net").join(name);
    checks.note("xenbr0 is removed", !interface("xenbr0").exists());
    for vif in ["vif1.0", "vif2.0"] {
        let free = interface(vif).exists() && !interface(vif).join("brport").exists();
        checks.note(&format!("{vif} still exists, on no bridge"), free);
    }
    if masquerade {
        // the steps of another start are what is missing
        let steps = programs.output(&format!("brouter up xenbr0 --address {BRIDGE}/24 --masquerade --dry-run"))?;
        checks.note("no nat rule is left", steps.to_lowercase().contains("masquerade"));
    }
    let forwarding_after = forwarding()?;
    let both = format!("ip_forward was {forwarding_before}, is {forwarding_after}");
    checks.note(&both, forwarding_after == forwarding_before);
    Ok(checks.failed)
}

/// Creates the network of the picture. Guest 1 is the first of the hosts.
fn build_network(programs: &Programs, variables: &str, masquerade: bool) -> Result<[Host; 3], String> {
    // With masquerading the guests need no route back from outside, so there is none: a reply proves it.
    let outside = Host::behind_tap("eth0", OUTSIDE, (!masquerade).then_some(DOM0))?;
    programs.run(&format!("ip addr add {DOM0}/24 dev eth0"))?;
    programs.run("ip link set eth0 up")?;
    programs.run(&format!("network-virtual start {variables}"))?;
    let guest_1 = Host::behind_tap("vif1.0", GUEST_1, Some(BRIDGE))?;
    let guest_2 = Host::behind_tap("vif2.0", GUEST_2, Some(BRIDGE))?;
    for vif in ["vif1.0", "vif2.0"] {
        programs.run(&format!("brctl addif xenbr0 {vif}"))?;
        programs.run(&format!("ip link set {vif} up"))?;
    }
    Ok([guest_1, guest_2, outside])
}

/// Pings each of the others from guest 1. The source and TTL of a request on arrival show whether it was bridged or routed.
fn check_pings(hosts: &mut [Host], masquerade: bool, deadline: Instant, checks: &mut Checks) {
    let mut check = |name, address, path, expected| {
        let seen = ping(hosts, address, deadline);
        let passed = seen == Ok(expected);
        let seen = match seen {
            Ok(Some((source, ttl))) => format!("arrives from {source} with TTL {ttl}"),
            Ok(None) => format!("{address} answers"),
            Err(message) => message,
        };
        let verb = if passed { "" } else { "should be " };
        checks.note(&format!("guest 1 -> {name:<7}  {verb}{path}: {seen}"), passed);
    };
    // A bridge changes neither source nor TTL.
    check("guest 2", GUEST_2, "bridged", Some((GUEST_1, FIRST_TTL)));
    // The kernel answers for the bridge's own address; none of our hosts sees the request.
    check("dom0", BRIDGE, "local, not passed on", None);
    // A router decrements the TTL. With masquerading, it also replaces the source with its own address.
    if masquerade {
        check("outside", OUTSIDE, "routed, masqueraded", Some((DOM0, FIRST_TTL - 1)));
    } else {
        check("outside", OUTSIDE, "routed", Some((GUEST_1, FIRST_TTL - 1)));
    }
}

/// Connects the outside to the published port of dom0, at which guest 1 answers.
fn check_port(hosts: &mut [Host], deadline: Instant, checks: &mut Checks) {
    const OUTSIDE_TO_GUEST_1: [usize; 2] = [2, 0];
    let seen = connect(hosts, OUTSIDE_TO_GUEST_1, (DOM0, PORT, GUEST_PORT), deadline);
    let passed = seen == Ok(OUTSIDE);
    let seen = seen.map_or_else(|message| message, |source| format!("guest 1 answers {source}"));
    checks.note(&format!("outside -> {DOM0}:{PORT}  published: {seen}"), passed);
}

/// Returns the kernel's IPv4 forwarding setting, 0 or 1.
fn forwarding() -> Result<String, String> {
    let text = fs::read_to_string(IP_FORWARD);
    let text = text.map_err(|e| format!("cannot read {IP_FORWARD}: {e}"))?;
    Ok(text.trim().to_owned())
}

/// Prints a line for each check, and counts those that failed.
struct Checks {
    failed: usize,
}

impl Checks {
    fn note(&mut self, statement: &str, holds: bool) {
        if holds {
            println!("{}  {statement}", coloured("32", "ok    "));
        } else {
            println!("{}  {statement}", coloured("31", "FAILED"));
            self.failed += 1;
        }
    }
}

/// Colours a text (`1` is bold) if standard output is a terminal and NO_COLOR is not set.
fn coloured(code: &str, text: &str) -> String {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if declined || !stdout().is_terminal() {
        return text.to_owned();
    }
    format!("\x1b[{code}m{text}\x1b[0m")
}
