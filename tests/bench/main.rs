//! `make bench`: what our programs cost, in ratios to the originals.
//!
//! Ours and their peers take turns in one run, so that whatever else the machine does falls on all of them. A time is that from
//! a program's start to its end, exec and wait included; the median of its rounds is shown. What is expected is a ratio. Where it
//! is missed the table says so, and that is all; an error is a program that fails, or does something else than its peer.
//!
//! Run as `bench [--quick] [FOLDER]`; the folder (`build` by default) holds our programs. `--quick` makes few rounds: enough to
//! see that everything runs, too few for steady ratios.

mod brctl;
mod brouter;
mod host;
mod ip;
mod network_virtual;
mod startup;
mod status;
mod step;
mod table;
mod vif_bridge;
#[path = "../harness/xenstored.rs"]
mod xenstored;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use host::Host;
use step::Step;
use table::Table;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (options, folders): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word == "--quick");
    let folder = folders.into_iter().next().unwrap_or_else(|| "build".into());
    match run(Path::new(&folder), !options.is_empty()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, is_quick: bool) -> Result<(), String> {
    let programs = Programs::find(folder)?;
    host::leave_the_machine()?;
    let host = Host::new()?;
    let outside = "link add eth0 type veth peer name outside\nlink set outside up\n\
                   link set eth0 up\naddr add 192.0.2.1/24 dev eth0\n";
    programs.make_links(&host, outside)?;
    let mut bench = Bench { programs, host, is_quick, table: Table::default() };
    println!("Median times from exec to exit, ours and its peer in turn, and the ratio of ours to the peer's.");
    network_virtual::measure(&mut bench)?;
    brouter::measure(&mut bench)?;
    vif_bridge::measure(&mut bench)?;
    brctl::measure(&mut bench)?;
    ip::measure(&mut bench)?;
    startup::measure(&mut bench)?;
    status::measure(&mut bench)?;
    bench.table.end();
    Ok(())
}

/// What every section needs.
struct Bench {
    programs: Programs,
    /// Has `eth0` and the other end of that wire, and nothing else.
    host: Host,
    is_quick: bool,
    table: Table,
}

impl Bench {
    /// How many rounds are made where a full run makes so many.
    fn rounds(&self, full: usize) -> usize {
        if self.is_quick { full.div_ceil(10) } else { full }
    }
}

/// Ours, and the peers and tools of the system.
struct Programs {
    our_brctl: PathBuf,
    our_brouter: PathBuf,
    our_ip: PathBuf,
    our_network_virtual: PathBuf,
    our_vif_bridge: PathBuf,
    brctl: PathBuf,
    ip: PathBuf,
    bridge: PathBuf,
    busybox: PathBuf,
    strace: PathBuf,
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
            brctl: system("brctl", "bridge-utils")?,
            ip: system("ip", "iproute2")?,
            bridge: system("bridge", "iproute2")?,
            busybox: system("busybox", "busybox-static")?,
            strace: system("strace", "strace")?,
        })
    }

    /// Has iproute2's `ip` make links on a host, a command a line.
    fn make_links(&self, host: &Host, lines: &str) -> Result<(), String> {
        Step::new(host, &self.ip, "-batch -").feed(lines)
    }
}
