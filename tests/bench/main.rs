//! `make bench`: measures our programs, as ratios to the originals.
//!
//! Our programs and their peers run alternately, so that other load on the machine affects all alike. A time is measured from the
//! start of a program to its end, including exec and wait; the table shows the median of all rounds. Expectations are ratios. A
//! missed expectation is only marked in the table; a program that fails, or does something else than its peer, is an error.
//!
//! Usage: `bench [--quick] [FOLDER [SECTION]...]`. The folder (default `build`) contains our programs. `--quick` runs few rounds: enough to see
//! that everything works, too few for stable ratios.

mod brctl;
mod brouter;
mod firewall;
mod host;
mod ip;
mod network_virtual;
mod startup;
mod status;
mod step;
mod table;
mod vif;
#[path = "../harness/xenstored.rs"]
mod xenstored;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use host::Host;
use step::Step;
use table::Table;

/// A part of the measurements, which adds its lines to the table.
type Section = fn(&mut Bench) -> Result<(), String>;

const SECTIONS: &[(&str, Section)] = &[
    ("network-virtual", network_virtual::measure),
    ("brouter", brouter::measure),
    ("firewall", firewall::measure),
    ("vif", vif::measure),
    ("brctl", brctl::measure),
    ("ip", ip::measure),
    ("startup", startup::measure),
    ("status", status::measure),
];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (options, folders): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word == "--quick");
    let mut folders = folders.into_iter();
    let folder = folders.next().unwrap_or_else(|| "build".into());
    let sections: Vec<OsString> = folders.collect();
    match run(Path::new(&folder), !options.is_empty(), &sections) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, is_quick: bool, sections: &[OsString]) -> Result<(), String> {
    let programs = Programs::find(folder)?;
    host::leave_the_machine()?;
    let host = Host::new()?;
    let outside = "link add eth0 type veth peer name outside\nlink set outside up\n\
                   link set eth0 up\naddr add 192.0.2.1/24 dev eth0\n";
    programs.make_links(&host, outside)?;
    let mut bench = Bench { programs, host, is_quick, table: Table::default() };
    println!(
        "Median times from exec to exit of ours and its peer, run alternately, and the ratio of ours to the peer's."
    );
    for (name, measure) in SECTIONS {
        if sections.is_empty() || sections.iter().any(|section| section == name) {
            measure(&mut bench)?;
        }
    }
    bench.table.end();
    Ok(())
}

/// The data that every section needs.
struct Bench {
    programs: Programs,
    /// A host with only `eth0` and its peer.
    host: Host,
    is_quick: bool,
    table: Table,
}

impl Bench {
    /// Returns the number of rounds; `full` is that of a complete run.
    fn rounds(&self, full: usize) -> usize {
        if self.is_quick { full.div_ceil(10) } else { full }
    }
}

/// Our programs, and the system's peers and tools.
struct Programs {
    our_brctl: PathBuf,
    our_brouter: PathBuf,
    our_ip: PathBuf,
    our_network_virtual: PathBuf,
    our_vif_bridge: PathBuf,
    our_vif_route: PathBuf,
    our_vif_nat: PathBuf,
    brctl: PathBuf,
    ip: PathBuf,
    bridge: PathBuf,
    busybox: PathBuf,
    strace: PathBuf,
    iptables: PathBuf,
    iptables_legacy: PathBuf,
    iptables_legacy_restore: PathBuf,
}

impl Programs {
    fn find(folder: &Path) -> Result<Self, String> {
        let ours = |name: &str| {
            let path = folder.join(name);
            path.canonicalize().map_err(|error| format!("{}: {error}: run `make` first", path.display()))
        };
        let system = |name: &str, package: &str| {
            let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(|folder| Path::new(folder).join(name));
            let found = places.into_iter().find(|place| place.is_file());
            found.ok_or_else(|| format!("{name} is missing (Debian: apt-get install {package})"))
        };
        Ok(Self {
            our_brctl: ours("brctl")?,
            our_brouter: ours("brouter")?,
            our_ip: ours("ip")?,
            our_network_virtual: ours("network-virtual")?,
            our_vif_bridge: ours("vif-bridge")?,
            our_vif_route: ours("vif-route")?,
            our_vif_nat: ours("vif-nat")?,
            brctl: system("brctl", "bridge-utils")?,
            ip: system("ip", "iproute2")?,
            bridge: system("bridge", "iproute2")?,
            busybox: system("busybox", "busybox-static")?,
            strace: system("strace", "strace")?,
            iptables: system("iptables", "iptables")?,
            iptables_legacy: system("iptables-legacy", "iptables")?,
            iptables_legacy_restore: system("iptables-legacy-restore", "iptables")?,
        })
    }

    /// Creates links on a host with iproute2's `ip`, one command per line.
    fn make_links(&self, host: &Host, lines: &str) -> Result<(), String> {
        Step::new(host, &self.ip, "-batch -").feed(lines)
    }
}
