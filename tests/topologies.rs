//! Compares the listings of `ip` with iproute2's on random topologies, with neighbours, groups, ports' values and routes with a source.
//!
//! A topology depends only on its number: `cargo test --test topologies 'topology 17'` reproduces it. BROUTER_TOPOLOGIES sets
//! their number, 60 by default. Topology 0 has so many links that ours lists them in two threads.

mod harness;

use std::fmt::Write;
use std::process::ExitCode;

use libtest_mimic::Failed;

use harness::hosts::{Hosts, Programs, Reuse};
use harness::outcome::{Outcome, is_iproute2_later};
use harness::table::Mode;
use harness::{Test, conclude, report};

/// A command of sed that removes what no file shows.
macro_rules! unknown {
    () => {
        r"s/ \(m[inax]*mtu\|mcast_vlan_snooping\|vlan_tunnel\|locked\|num[tr]xqueues\|[gt]so_max_s[a-z]*\|gro_max_size\) [^ ]*//g"
    };
}

/// The listings that are compared, in one run: creating a host takes longer than listing it.
const LISTINGS: [&str; 11] = [
    "addr",
    "link",
    "route",
    "-o addr",
    "-4 addr",
    "-br addr",
    "-br link",
    "-o link",
    "maddr",
    // their order depends on where the kernel has the links in its memory
    "-4 neigh | sort",
    "neigh show proxy | sort",
];

/// A listing that later releases of iproute2 than 6.1 have more in.
const DETAILS: &str = concat!("-d link | sed 's/ [a-z_]*_timer *[0-9.]*//g; ", unknown!(), "'");

/// Listings that are compared only if no link was taken down again: in JSON, the qdisc of such a link cannot be masked.
const JSON: [&str; 2] = ["-j addr", "-j -p link"];

fn main() -> ExitCode {
    let count = std::env::var("BROUTER_TOPOLOGIES").ok().and_then(|count| count.parse().ok()).unwrap_or(60);
    let test = |number| Test::new(format!("topology {number}"), &["ip"], move |hosts| check(hosts, number));
    conclude((0..=count).map(test).collect())
}

/// Compares the listings of a topology.
fn check(hosts: &Hosts, number: u64) -> Result<(), Failed> {
    let state = Topology::new(number).state();
    let mut listings = LISTINGS.to_vec();
    if !is_iproute2_later() {
        listings.push(DETAILS);
    }
    if !state.contains(" down ") {
        listings.extend(JSON);
    }
    let command: String = listings.iter().map(|what| format!("echo '# {what}'; ip {what}\n")).collect();
    Reuse::if_unchanged(|reuse| {
        let look = |programs| hosts.run_in(reuse, None, programs, &state, &command, Mode::Sys).map(|run| listed(&run));
        report::compare(&look(Programs::Original)?, &look(Programs::Ours)?)
            .map_err(|differences| format!("{differences}\ncreated by\n{state}").into())
    })
}

/// Returns the listings. The qdisc of a link that is down is masked: no file shows whether the link was ever up.
fn listed(run: &harness::host::Run) -> Outcome {
    let mut outcome = Outcome::of(run, false);
    let without = |line: &str| match line.contains("state DOWN") && !line.contains("NO-CARRIER") {
        true => line.replace("qdisc noqueue", "qdisc noop").replace("qdisc pfifo_fast", "qdisc noop"),
        false => line.into(),
    };
    outcome.stdout = outcome.stdout.lines().map(without).collect::<Vec<String>>().join("\n");
    outcome
}

/// A topology under construction, and its random numbers.
struct Topology {
    random: u64,
    /// Number of veth pairs in addition to random ones.
    pairs: u64,
    script: String,
    links: Vec<String>,
}

impl Topology {
    fn new(number: u64) -> Self {
        let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let pairs = if number == 0 { 120 } else { 0 };
        Topology { random, pairs, script: String::new(), links: Vec::new() }
    }

    /// Returns a random number below `end` (xorshift64).
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % end
    }

    /// Returns true with this chance in ten.
    fn happens(&mut self, in_ten: u64) -> bool {
        self.below(10) < in_ten
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    fn run(&mut self, command: String) {
        // commands that are impossible in this topology are skipped
        let _ = writeln!(self.script, "{command} 2>/dev/null || :");
    }

    /// Returns the shell commands that create the topology.
    fn state(mut self) -> String {
        self.make_links();
        for link in self.links.clone() {
            self.give_addresses(&link);
        }
        for _ in 0..self.below(6) {
            self.add_route();
        }
        for link in self.links.clone() {
            self.give_neighbours(&link);
            self.set_port(&link);
        }
        self.add_sources();
        self.script
    }

    fn make_links(&mut self) {
        let mut bridges = Vec::new();
        for number in 0..self.below(3) {
            let name = format!("{}{number}", self.pick(&["br", "xenbr", "b"]));
            self.run(format!("brctl addbr {name}"));
            self.run(format!("ip link set {name} address 02:00:00:01:00:{number:02x}"));
            bridges.push(name);
        }
        for number in 0..self.pairs + self.below(4) {
            let [left, right] = [format!("v{number}"), format!("w{number}")];
            self.run(format!(
                "ip link add {left} address 02:00:00:02:00:{number:02x} type veth peer name {right} address 02:00:00:03:00:{number:02x}"
            ));
            self.links.extend([left, right]);
        }
        for number in 0..self.below(3) {
            let (name, mode) = (format!("t{number}"), self.pick(&["tap", "tun"]));
            self.run(format!("ip tuntap add {name} mode {mode}"));
            if mode == "tap" {
                self.run(format!("ip link set {name} address 02:00:00:04:00:{number:02x}"));
            }
            self.links.push(name);
        }
        for link in self.links.clone() {
            if !bridges.is_empty() && self.happens(3) {
                let bridge = self.pick(&bridges);
                // With both ends of a pair as ports there would be a loop, in which frames go round for ever.
                if !link.starts_with('w') {
                    self.run(format!("brctl addif {bridge} {link}"));
                }
            }
            if self.happens(2) {
                let mtu = 1280 + self.below(200);
                self.run(format!("ip link set {link} mtu {mtu}"));
            }
            if self.happens(1) {
                self.run(format!("ip link set {link} alias 'a link called {link}'"));
            }
            if self.happens(1) {
                let flag = self.pick(&["arp off", "multicast off", "promisc on", "allmulticast on"]);
                self.run(format!("ip link set {link} {flag}"));
            }
            if self.happens(1) {
                self.run(format!("ip link set {link} group 7"));
            }
        }
        self.links.extend(bridges);
        self.links.push("lo".into());
        for link in self.links.clone() {
            if self.happens(7) {
                self.run(format!("ip link set {link} up"));
                if self.happens(1) {
                    self.run(format!("ip link set {link} down"));
                }
            }
        }
    }

    fn give_addresses(&mut self, link: &str) {
        for number in 0..self.below(4) {
            let (network, host) = (self.below(4), 1 + self.below(250));
            let prefix = self.pick(&[8, 16, 24, 24, 24, 30, 31, 32]);
            let mut words = format!("10.{network}.{}.{host}/{prefix}", self.below(3));
            if self.happens(2) {
                words = format!("10.{network}.7.{host} peer 10.{network}.8.{host}/{}", self.pick(&[32, 24]));
            }
            if self.happens(4) {
                words += self.pick(&[" brd +", " brd -", " brd 10.9.9.9"]);
            }
            if self.happens(2) {
                let _ = write!(words, " label {link}:{number}");
            }
            self.run(format!("ip addr add {words} dev {link}"));
        }
    }

    /// Gives a link neighbours, addresses to answer for, and groups to listen to.
    fn give_neighbours(&mut self, link: &str) {
        for number in 0..self.below(3) {
            let (network, host) = (self.below(4), 1 + self.below(250));
            let address = format!("10.{network}.9.{host}");
            match self.below(4) {
                0 => self.run(format!("ip neigh add proxy {address} dev {link}")),
                1 => self.run(format!("ip maddr add 01:00:5e:00:{host:02x}:{number:02x} dev {link}")),
                // a tun and the loopback have no neighbours
                _ if link.starts_with('t') || link == "lo" => (),
                kind => {
                    let state = ["permanent", "stale"][kind as usize - 2];
                    self.run(format!("ip neigh add {address} lladdr 02:00:00:0f:00:{host:02x} nud {state} dev {link}"));
                }
            }
        }
    }

    /// Sets values of a port. A link that is none refuses them.
    fn set_port(&mut self, link: &str) {
        let switches = ["hairpin", "guard", "root_block", "learning", "flood", "mcast_flood", "isolated", "fastleave"];
        for _ in 0..self.below(4) {
            let value = match self.below(5) {
                0 => format!("cost {}", 1 + self.below(65535)),
                1 => format!("priority {}", self.below(64)),
                2 => format!("group_fwd_mask {}", self.below(1 << 13) << 3),
                _ => format!("{} {}", self.pick(&switches), self.pick(&["on", "off"])),
            };
            self.run(format!("ip link set {link} type bridge_slave {value}"));
        }
    }

    /// Adds routes with a source that the kernel would not choose by itself: the second address of the loopback in its network.
    fn add_sources(&mut self) {
        self.run("ip addr add 10.77.0.1/32 dev lo".into());
        self.run("ip addr add 10.77.0.2/32 dev lo".into());
        for number in 0..self.below(3) {
            let link = self.pick(&self.links.clone());
            self.run(format!("ip route add 172.{}.0.0/16 dev {link} src 10.77.0.2", 40 + number));
        }
    }

    fn add_route(&mut self) {
        let destination = match self.below(4) {
            0 => "default".into(),
            kind => format!("172.{}.0.0/{}", 16 + self.below(4), [12, 16, 24][kind as usize - 1]),
        };
        let metric = if self.happens(4) { format!(" metric {}", 1 + self.below(300)) } else { String::new() };
        let link = self.pick(&self.links.clone());
        let (network, host) = (self.below(4), 1 + self.below(250));
        let next_hop = match self.below(5) {
            0 | 1 => format!("dev {link}"),
            2 | 3 => format!("via 10.{network}.1.{host}"),
            _ => {
                let kind = self.pick(&["unreachable", "prohibit", "blackhole", "throw"]);
                return self.run(format!("ip route add {kind} {destination}{metric}"));
            }
        };
        self.run(format!("ip route add {destination} {next_hop}{metric}"));
    }
}
