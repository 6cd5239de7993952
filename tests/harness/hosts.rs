//! Creates hosts to run commands on, and reuses those that earlier commands have left unchanged.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use libtest_mimic::Failed;

use crate::harness::elf;
use crate::harness::host::{Host, Run};
use crate::harness::table::Mode;
use crate::harness::xenstored;

const SCRIPT: &str = include_str!("host.sh");

/// Where the originals, and the tools that set up a host, are found.
pub(crate) const SYSTEM_PATH: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Programs that every host needs.
const ALWAYS_NEEDED: [&str; 4] = ["bash", "ip", "brctl", "unshare"];

/// Consecutive rows share a state and a few modes, and several rows run at once.
const MOST_KEPT: usize = 16;

/// The programs that a command line runs.
#[derive(Clone, Copy)]
pub(crate) enum Programs {
    Ours,
    Original,
    /// Those that a test has copied into a folder of this name.
    Of(&'static str),
}

/// A need besides programs and devices: that ours are linked statically.
pub(crate) const STATIC: &str = "static programs";

/// The need of a row that uses a xenstored.
pub(crate) const XEN: &str = "xen";

/// The need of a test that uses what root in a user namespace may not.
pub(crate) const ROOT: &str = "root";

/// The need of a row in which later releases of iproute2 behave in another way.
pub(crate) const IPROUTE2_6_1: &str = "iproute2-6.1";

/// The need of a row that runs scripts of other projects: Debian's packages of them, unpacked by `compat/apt/fetch-scripts`.
const SCRIPTS: &str = "scripts";
const SCRIPTS_FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/build/scripts");

/// Creates hosts, and allowed those that a command has left unchanged.
pub(crate) struct Hosts {
    folder: PathBuf,
    unshare: Result<Vec<&'static str>, String>,
    made: AtomicUsize,
    /// The most recently used is last.
    kept: Mutex<Vec<Kept>>,
    /// Xen's own scripts and a xenstored, for rows that need `xen`.
    xen: OnceLock<Result<(), String>>,
}

/// How a comparison gets its hosts.
pub(crate) struct Reuse {
    /// Hosts may be reused.
    allowed: bool,
    /// A reused host was involved.
    happened: Cell<bool>,
}

impl Reuse {
    pub(crate) fn never() -> Self {
        Self { allowed: false, happened: Cell::new(false) }
    }

    /// Compares on reused hosts. A difference counts only if it also occurs on new hosts: a reused host has consumed interface
    /// indexes.
    pub(crate) fn if_unchanged(compare: impl Fn(&Reuse) -> Result<(), Failed>) -> Result<(), Failed> {
        let reuse = Self { allowed: true, happened: Cell::new(false) };
        match compare(&reuse) {
            Err(_) if reuse.happened.get() => compare(&Self::never()),
            compared => compared,
        }
    }
}

struct Kept {
    state: String,
    mode: Mode,
    host: Host,
}

impl Hosts {
    /// Copies the programs into a folder of its own, so that a rebuild does not change them during a run, and an unprivileged user
    /// can reach them wherever the project is.
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("brouter-tests-{}", std::process::id()));
        let hosts = Self {
            folder,
            unshare: namespaces(),
            made: AtomicUsize::new(0),
            kept: Mutex::default(),
            xen: OnceLock::new(),
        };
        fs::create_dir_all(hosts.programs(Programs::Ours)).expect("a folder for the tests");
        fs::create_dir_all(hosts.programs(Programs::Original)).expect("a folder for the tests");
        fs::write(hosts.folder.join("host.sh"), SCRIPT).expect("host.sh");
        symlink(SCRIPTS_FOLDER, hosts.folder.join("scripts")).expect("a link to the scripts of others");
        for (name, built) in OURS {
            let ours = match std::env::var_os("BROUTER_PROGRAMS") {
                Some(folder) => Path::new(&folder).join(name),
                None => PathBuf::from(built),
            };
            copy(&ours, &hosts.programs(Programs::Ours).join(name));
        }
        for script in REFERENCE_SCRIPTS {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("compat/original").join(script).with_extension("sh");
            copy(&path, &hosts.programs(Programs::Original).join(script));
        }
        if let Some(originals) = std::env::var_os(ORIGINALS) {
            for entry in fs::read_dir(&originals).expect(ORIGINALS) {
                let original = entry.expect(ORIGINALS).path();
                copy(&original, &hosts.programs(Programs::Original).join(original.file_name().unwrap_or_default()));
            }
        }
        hosts
    }

    /// Copies a program into the folder of [`Programs::Of`].
    pub(crate) fn put(&self, folder: &'static str, program: &str, from: &Path) {
        let folder = self.programs(Programs::Of(folder));
        fs::create_dir_all(&folder).expect("a folder for the tests");
        copy(from, &folder.join(program));
    }

    /// Copies our programs as cargo has just built them, linked with this machine's C library.
    pub(crate) fn put_cargos_own(&self, folder: &'static str) {
        for (name, built) in OURS {
            self.put(folder, name, Path::new(built));
        }
    }

    /// Returns the folder of these programs, which comes first in PATH.
    pub(crate) fn programs(&self, programs: Programs) -> PathBuf {
        self.folder.join(match programs {
            Programs::Ours => "ours",
            Programs::Original => "original",
            Programs::Of(name) => name,
        })
    }

    /// Returns what this machine lacks for these needs, and how to get it; empty if nothing.
    pub(crate) fn lacks(&self, needs: &[String]) -> String {
        if needs.iter().any(|need| need == STATIC) && !self.is_static() {
            return String::from(
                "our programs are not static: run `make test`, or set BROUTER_PROGRAMS to a folder with static ones",
            );
        }
        if needs.iter().any(|need| need == ROOT) && !nix::unistd::getuid().is_root() {
            return String::from("root itself is needed");
        }
        if needs.iter().any(|need| need == XEN)
            && let Err(lack) = self.xen()
        {
            return lack.clone();
        }
        if needs.iter().any(|need| need == SCRIPTS) && !Path::new(SCRIPTS_FOLDER).join("complete").exists() {
            return "Debian's scripts are missing: run compat/apt/fetch-scripts build/scripts (Debian 12)".into();
        }
        let needs =
            needs.iter().map(String::as_str).filter(|need| ![STATIC, XEN, SCRIPTS, IPROUTE2_6_1, ROOT].contains(need));
        let needs = ALWAYS_NEEDED.into_iter().chain(needs);
        let missing: Vec<&str> = needs.filter(|name| !usable(name)).collect();
        if !missing.is_empty() {
            return format!(
                "missing, or not accessible to this user: {} (Debian: apt-get install bridge-utils iproute2 iptables nftables strace util-linux net-tools jq graphviz)",
                missing.join(", ")
            );
        }
        self.unshare.as_ref().err().cloned().unwrap_or_default()
    }

    fn is_static(&self) -> bool {
        OURS.iter().all(|(name, _)| {
            let program = fs::read(self.programs(Programs::Ours).join(name)).expect("our programs");
            elf::segments(&program).is_some_and(|segments| !segments.contains(&elf::INTERPRETER))
        })
    }

    fn xen(&self) -> &Result<(), String> {
        self.xen.get_or_init(|| xenstored::prepare(&self.folder.join("xen"), &self.programs(Programs::Original)))
    }

    /// Runs a command line on a new host in this state. Fails only if the host fails, not if the command does.
    pub(crate) fn run(&self, programs: Programs, state: &str, command: &str, mode: Mode) -> Result<Run, String> {
        self.run_in(&Reuse::never(), None, programs, state, command, mode)
    }

    /// Runs a command line on a host chosen by `reuse`, with this value of `BROUTER_ERA`.
    pub(crate) fn run_in(
        &self,
        reuse: &Reuse,
        era: Option<&str>,
        programs: Programs,
        state: &str,
        command: &str,
        mode: Mode,
    ) -> Result<Run, String> {
        let programs = self.programs(programs);
        let kept = if reuse.allowed { self.take_kept(state, mode) } else { None };
        let mut host = match kept {
            Some(host) => {
                reuse.happened.set(true);
                host
            }
            None => self.start(&programs, state, mode, reuse.allowed)?,
        };
        let run = host.run(&programs, era, command)?;
        if run.unchanged {
            self.keep(state, mode, host);
        }
        Ok(run)
    }

    fn start(&self, programs: &Path, state: &str, mode: Mode, kept: bool) -> Result<Host, String> {
        let folder = self.folder.join(format!("host-{}", self.made.fetch_add(1, Ordering::Relaxed)));
        Host::start(self.unshare.as_ref()?, &self.folder.join("host.sh"), folder, programs, state, mode, kept)
    }

    fn take_kept(&self, state: &str, mode: Mode) -> Option<Host> {
        let mut kept = self.kept.lock().expect("hosts");
        let at = kept.iter().rposition(|kept| kept.mode == mode && kept.state == state)?;
        Some(kept.remove(at).host)
    }

    /// Keeps a host; drops the least recently used one, since rows of one state follow one another.
    fn keep(&self, state: &str, mode: Mode, host: Host) {
        let mut kept = self.kept.lock().expect("hosts");
        kept.push(Kept { state: state.to_owned(), mode, host });
        let gone = (kept.len() > MOST_KEPT).then(|| kept.remove(0));
        drop(kept);
        drop(gone);
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.kept.get_mut().expect("hosts").clear();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder of original programs to be used in place of the system's: those of another architecture.
const ORIGINALS: &str = "BROUTER_TEST_ORIGINALS";

/// Originals that compat/original has.
const REFERENCE_SCRIPTS: [&str; 3] = ["network-virtual", "network-route", "network-nat"];

/// Our programs as cargo has just built them; the variable `BROUTER_PROGRAMS` overrides them with a folder.
const OURS: [(&str, &str); 10] = [
    ("brouter", env!("CARGO_BIN_EXE_brouter")),
    ("brctl", env!("CARGO_BIN_EXE_brctl")),
    ("ip", env!("CARGO_BIN_EXE_ip")),
    ("network-virtual", env!("CARGO_BIN_EXE_network-virtual")),
    ("network-bridge", env!("CARGO_BIN_EXE_network-bridge")),
    ("network-route", env!("CARGO_BIN_EXE_network-route")),
    ("network-nat", env!("CARGO_BIN_EXE_network-nat")),
    ("vif-bridge", env!("CARGO_BIN_EXE_vif-bridge")),
    ("vif-route", env!("CARGO_BIN_EXE_vif-route")),
    ("vif-nat", env!("CARGO_BIN_EXE_vif-nat")),
];

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// Returns whether this program exists, or this device can be opened.
fn usable(name: &str) -> bool {
    if name.starts_with('/') {
        return fs::File::options().read(true).write(true).open(name).is_ok();
    }
    SYSTEM_PATH.iter().any(|folder| Path::new(folder).join(name).exists())
}

/// Returns the options of unshare with which this user can create namespaces that have their own /sys.
fn namespaces() -> Result<Vec<&'static str>, String> {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let options = if root { vec!["-n", "-m"] } else { vec!["-r", "-n", "-m"] };
    let attempt = Command::new("unshare").args(&options).args(["mount", "-t", "sysfs", "sysfs", "/sys"]).output();
    match attempt {
        Ok(output) if output.status.success() => Ok(options),
        Ok(output) if output.stderr.windows(11).any(|text| text == b"propagation") => Err(String::from(
            "cannot create network namespaces: the root folder of a chroot must be a mount point (mount --bind DIR DIR)",
        )),
        Ok(output) => Err(format!(
            "cannot create network namespaces ({}): run the tests as root, or allow user namespaces (sysctl \
             kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("unshare: {error}")),
    }
}
