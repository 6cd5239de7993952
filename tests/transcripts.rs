//! Compares our output byte for byte with what bridge-utils 1.0.6 and iproute2 ss060323 printed on hosts of their time
//! (`fixtures/transcript-*.txt`).
//!
//! The state of /sys and /proc at the moments of the transcripts is rebuilt from `fixtures/host-*`, which were recorded on the same
//! hosts a little later; values that have changed in between, and the answers of ioctls, are in the tables below. Lifetimes of
//! addresses are masked: only netlink reports them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use brouter::applet;
use brouter::call::Call;
use brouter::era::Era;
use brouter::kernel::{Address, Answers, BridgeAnswers, BridgeInfo, Kernel, PortInfo};
use brouter::net::rtnetlink::Scope;
use brouter::net::{BridgeId, ClockTime};

/// A host on which a transcript was recorded.
struct Host {
    release: &'static str,
    /// Indexes of lo, eth0, dummy0 and xenbr0.
    indexes: [u8; 4],
    /// The MAC address of xenbr0 without ports, and its IPv6 interface identifier.
    first_mac: &'static str,
    first_identifier: &'static str,
    /// The MAC address of dummy0, which xenbr0 took over, and the IPv6 interface identifier of dummy0.
    dummy_mac: &'static str,
    dummy_identifier: &'static str,
    /// Hello, topology change and garbage collection timers during showstp, in hundredths of a second.
    timers: [u64; 3],
    topology_changes: bool,
}

const HOSTS: [Host; 2] = [
    Host {
        release: "2.6.18",
        indexes: [2, 1, 3, 5],
        first_mac: "00:00:00:00:00:00",
        first_identifier: "020000fffe000000",
        dummy_mac: "16:5d:06:8b:e0:5d",
        dummy_identifier: "145d06fffe8be05d",
        timers: [86, 1904, 6],
        topology_changes: true,
    },
    Host {
        release: "2.6.32.69",
        indexes: [1, 2, 3, 4],
        first_mac: "ba:1a:bd:6d:cf:90",
        first_identifier: "b81abdfffe6dcf90",
        dummy_mac: "ca:de:77:24:b0:0a",
        dummy_identifier: "c8de77fffe24b00a",
        timers: [80, 0, 60],
        topology_changes: false,
    },
];

/// A moment of the transcript. Each of the first three adds to the state of the one before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// There is no bridge, dummy0 is down, and eth0 has just received its address from the router.
    Before,
    /// xenbr0 has an address and no port.
    Started,
    /// xenbr0 has the port dummy0.
    Attached,
    /// The bridge was deleted.
    Stopped,
    /// lo has a second address, and eth0 two more routes.
    Routed,
}

/// Commands of the transcripts, how often the same command occurs before, and the moment of each.
const CHECKED: [(&str, usize, Moment); 29] = [
    ("network-virtual status", 0, Moment::Before),
    ("network-virtual status", 1, Moment::Started),
    ("network-virtual status", 2, Moment::Attached),
    ("brctl show", 0, Moment::Attached),
    ("brctl showstp xenbr0", 0, Moment::Attached),
    ("brctl showmacs xenbr0", 0, Moment::Attached),
    ("ip addr", 0, Moment::Attached),
    ("ip link", 0, Moment::Attached),
    ("ip route", 0, Moment::Attached),
    ("ip addr show dev lo", 0, Moment::Attached),
    ("network-virtual stop bridgeip=10.99.1.1/24", 1, Moment::Stopped),
    ("brctl show", 1, Moment::Stopped),
    ("network-virtual start bridge=eth0 bridgeip=10.99.5.1/24", 0, Moment::Stopped),
    ("network-virtual start bridge=null", 0, Moment::Stopped),
    ("network-virtual frob", 0, Moment::Stopped),
    ("brctl stp nope on", 0, Moment::Stopped),
    ("brctl setfd nope 0", 0, Moment::Stopped),
    ("brctl addif nope dummy0", 0, Moment::Stopped),
    ("brctl addif nope nodev", 0, Moment::Stopped),
    ("ip link set nope up", 0, Moment::Stopped),
    ("ip addr show nope", 0, Moment::Stopped),
    ("ip addr add 10.0.0.1/8 dev nope", 0, Moment::Stopped),
    ("ip addr del 10.0.0.1/8 dev lo", 0, Moment::Stopped),
    ("ip addr show lo", 0, Moment::Routed),
    ("ip route", 1, Moment::Routed),
    ("ip -V", 0, Moment::Routed),
    ("brctl -V", 0, Moment::Routed),
    // the bridge existed and had this address
    ("network-virtual start bridgeip=10.99.1.1/24 strict=yes", 0, Moment::Attached),
    ("network-virtual start strict=yes", 0, Moment::Attached),
];

#[test]
fn on_2_6_18() {
    compare(&HOSTS[0]);
}

#[test]
fn on_2_6_32() {
    compare(&HOSTS[1]);
}

fn compare(host: &Host) {
    let transcript = Transcript::read(host.release);
    let mut states: BTreeMap<Moment, State> = BTreeMap::new();
    for (command, number, moment) in CHECKED {
        let state = states.entry(moment).or_insert_with(|| State::of(host, moment, &transcript));
        let expected = transcript.outcome(command.trim_end_matches(" strict=yes"), number);
        assert_eq!(run(command, &state.kernel), expected, "{command} ({number}) on {}", host.release);
    }
}

/// The outcome of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    status: u8,
    stdout: String,
    stderr: String,
}

/// Runs a command line in the era that the kernel selects.
fn run(command: &str, kernel: &Kernel) -> Outcome {
    let words: Vec<&str> = command.split(' ').collect();
    let args: Vec<OsString> = words[1..].iter().map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let era = Era::choose(None, || kernel.release()).unwrap();
    let outcome = (applet::TABLE.into_iter().find(|applet| words[0] == applet.name).unwrap().run)(&mut Call {
        applets: &applet::TABLE,
        program: words[0].as_ref(),
        args: &args,
        environment: &|_| None,
        kernel,
        era,
        out: &mut out,
        err: &mut err,
    });
    let mut status = 0;
    if let Err(failure) = outcome.map_err(|failure| failure.in_era(era)) {
        status = failure.status;
        err.extend(failure.text);
    }
    Outcome { status, stdout: String::from_utf8(out).unwrap(), stderr: String::from_utf8(err).unwrap() }
}

/// A parsed transcript. Its format: `$ COMMAND`, lines of output after `1| ` and `2| `, `exit STATUS`; at the end, files.
struct Transcript {
    commands: Vec<(String, Outcome)>,
    routes: String,
}

impl Transcript {
    fn read(release: &str) -> Self {
        let name = format!("{}/tests/fixtures/transcript-{release}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(name).unwrap();
        let mut transcript = Transcript { commands: Vec::new(), routes: String::new() };
        // the versions are in the first lines, after a blank one
        let versions: Vec<&str> = text.lines().skip_while(|line| !line.is_empty()).skip(2).take(2).collect();
        for (command, version) in [("ip -V", versions[0]), ("brctl -V", versions[1])] {
            transcript
                .commands
                .push((command.into(), Outcome { stdout: format!("{version}\n"), ..Outcome::default() }));
        }
        for line in text.lines() {
            let Some((_, outcome)) = transcript.commands.last_mut() else { continue };
            if let Some(command) = line.strip_prefix("$ ") {
                transcript.commands.push((command.into(), Outcome::default()));
            } else if let Some(line) = line.strip_prefix("1| ") {
                outcome.stdout += &format!("{}\n", without_lifetimes(line));
            } else if let Some(line) = line.strip_prefix("2| ") {
                outcome.stderr += &format!("{}\n", as_glibc(line));
            } else if let Some(status) = line.strip_prefix("exit ") {
                outcome.status = status.parse().unwrap();
            } else if line.starts_with("Iface\t") || line.starts_with("eth0\t") {
                transcript.routes += &format!("{line}\n");
            }
        }
        transcript
    }

    fn outcome(&self, command: &str, number: usize) -> Outcome {
        let mut same = self.commands.iter().filter(|(other, _)| other == command);
        same.nth(number).unwrap_or_else(|| panic!("{command} is not in the transcript")).1.clone()
    }
}

/// Replaces limited lifetimes with the one that ours always print.
fn without_lifetimes(line: &str) -> &str {
    let is_limited = line.trim_start().starts_with("valid_lft ") && line.ends_with("sec");
    if is_limited { "       valid_lft forever preferred_lft forever" } else { line }
}

/// Replaces musl's error texts with glibc's: the originals of the transcripts were linked with musl.
fn as_glibc(line: &str) -> String {
    line.replace("Address not available", "Cannot assign requested address")
        .replace("Network unreachable", "Network is unreachable")
}

/// A host at a moment: a copy of its files, which is deleted when dropped.
struct State {
    root: PathBuf,
    kernel: Kernel,
}

impl State {
    fn of(host: &Host, moment: Moment, transcript: &Transcript) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("brouter-transcripts-{}-{number}", std::process::id()));
        let fixture = format!("{}/tests/fixtures/host-{}", env!("CARGO_MANIFEST_DIR"), host.release);
        copy(Path::new(&fixture), &root);
        let class = root.join("sys/class/net");
        let remove = |name: &str| {
            let path = class.join(name);
            fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).unwrap();
        };
        let write = |name: &str, text: &[u8]| fs::write(class.join(name), text).unwrap();

        // a bridge that was created later
        remove("abcdefghijklmno");
        let is_attached = moment == Moment::Attached;
        let has_bridge = matches!(moment, Moment::Started | Moment::Attached);
        if has_bridge {
            let mac = if is_attached { host.dummy_mac } else { host.first_mac };
            write("xenbr0/address", format!("{mac}\n").as_bytes());
            let octets = host.dummy_mac.split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap());
            let record: Vec<u8> = octets.chain([1, 1]).chain([0; 8]).collect();
            write("xenbr0/brforward", if is_attached { &record } else { &[] });
        } else {
            remove("xenbr0");
        }
        write("dummy0/address", format!("{}\n", host.dummy_mac).as_bytes());
        if !is_attached {
            remove("dummy0/brport");
        }
        let net = root.join("proc/net");
        fs::write(net.join("if_inet6"), if_inet6(host, moment)).unwrap();
        let routes = fs::read_to_string(net.join("route")).unwrap();
        let routes = match moment {
            Moment::Routed => transcript.routes.clone(),
            _ => routes
                .lines()
                .filter(|line| has_bridge || !line.starts_with("xenbr0"))
                .map(|line| line.to_owned() + "\n")
                .collect(),
        };
        fs::write(net.join("route"), routes).unwrap();
        let kernel = Kernel::with_answers(&root, answers(host, moment));
        State { root, kernel }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        match () {
            () if kind.is_symlink() => symlink(fs::read_link(from).unwrap(), to).unwrap(),
            () if kind.is_dir() => copy(&from, &to),
            () => fs::copy(from, to).map(drop).unwrap(),
        }
    }
}

/// /proc/net/if_inet6
fn if_inet6(host: &Host, moment: Moment) -> String {
    let [lo, eth0, dummy0, xenbr0] = host.indexes;
    // duplicate address detection was still running
    let tentative = if moment <= Moment::Started { "40" } else { "00" };
    let mut text = format!(
        "00000000000000000000000000000001 {lo:02x} 80 10 80       lo
fec0000000000000505400fffe123456 {eth0:02x} 40 40 {tentative}     eth0
fe80000000000000505400fffe123456 {eth0:02x} 40 20 80     eth0\n"
    );
    if moment >= Moment::Attached {
        text += &format!("fe80000000000000{} {dummy0:02x} 40 20 80   dummy0\n", host.dummy_identifier);
    }
    if matches!(moment, Moment::Started | Moment::Attached) {
        text += &format!("fe80000000000000{} {xenbr0:02x} 40 20 c0   xenbr0\n", host.first_identifier);
    }
    text
}

/// Returns the answers of ioctls.
fn answers(host: &Host, moment: Moment) -> Answers {
    /// UP, BROADCAST, RUNNING, MULTICAST
    const ETHERNET: u32 = 0x1043;
    let mut flags = vec![("lo", 0x49), ("eth0", ETHERNET), ("dummy0", 0xc3), ("sit0", 0x80)];
    let mut addresses =
        vec![address("eth0", "192.168.7.2/24", Some("192.168.7.255")), address("lo", "127.0.0.1/8", None)];
    let mut bridges = Vec::new();
    match moment {
        Moment::Before | Moment::Stopped => (),
        Moment::Started | Moment::Attached => {
            flags.push(("xenbr0", ETHERNET));
            addresses.push(address("xenbr0", "10.99.1.1/24", None));
            bridges.push(bridge(host, moment == Moment::Attached));
        }
        Moment::Routed => addresses.push(address("lo", "127.0.0.2/8", None)),
    }
    let flags = flags.into_iter().map(|(name, flags)| (name.into(), flags)).collect();
    Answers { flags, addresses, bridges }
}

fn address(link: &str, net: &str, broadcast: Option<&str>) -> Address {
    Address {
        link: link.into(),
        label: link.into(),
        net: net.parse().unwrap(),
        peer: None,
        broadcast: broadcast.map(|broadcast| broadcast.parse().unwrap()),
        secondary: false,
        scope: if link == "lo" { Scope::HOST } else { Scope::GLOBAL },
        flags: 0,
    }
}

/// Returns the ioctl answers for xenbr0. Three of its times are in ticks, 250 per second.
fn bridge(host: &Host, is_attached: bool) -> BridgeAnswers {
    let id: BridgeId = match is_attached {
        true => format!("8000.{}", host.dummy_mac.replace(':', "")).parse().unwrap(),
        false => "8000.000000000000".parse().unwrap(),
    };
    let [hello, topology_change, gc] = host.timers.map(ClockTime);
    let info = BridgeInfo {
        id,
        designated_root: id,
        max_age: ClockTime(2000),
        hello_time: ClockTime(200),
        bridge_max_age: ClockTime(5000),
        bridge_hello_time: ClockTime(500),
        ageing_time: ClockTime(30001),
        hello_timer: hello,
        topology_change_timer: topology_change,
        gc_timer: gc,
        topology_change: host.topology_changes,
        topology_change_detected: host.topology_changes,
        ..BridgeInfo::default()
    };
    let port = PortInfo {
        number: 1,
        id: 0x8001,
        state: 3,
        path_cost: 100,
        designated_root: id,
        designated_bridge: id,
        designated_port: 0x8001,
        ..PortInfo::default()
    };
    let ports = if is_attached { vec![("dummy0".into(), port)] } else { Vec::new() };
    BridgeAnswers { name: "xenbr0".into(), info, ports }
}
