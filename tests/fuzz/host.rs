//! A host of files, on which commands run within this process. Nothing can be changed there: every ioctl fails.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write, sink};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use brouter::applet::TABLE;
use brouter::call::Call;
use brouter::era::Era;
use brouter::kernel::Kernel;
use brouter::manage;
use brouter::network::spec::NetworkSpec;
use brouter::network::store::StateDir;
use brouter::xenstore::Store;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/host-2.6.18");

/// Programs that a command might run, and that must not be the machine's own.
const PROGRAMS: [&str; 2] = ["iptables", "ip6tables"];

/// A host whose files lie in a folder of this test's own.
pub(crate) struct Host {
    root: PathBuf,
    /// What xenstored answers, whatever it is asked.
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Host {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let root = folder.join(format!("{name}-{}.host", std::process::id()));
        let copied = Command::new("cp").arg("-a").arg(FIXTURE).arg(&root).status();
        assert!(copied.unwrap().success(), "cp");
        for folder in ["run/brouter/1", "etc/brouter", "proc/self/ns", "var/run", "var/log/xen", "bin"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        symlink("net:[1]", root.join("proc/self/ns/net")).unwrap();
        let host = Host { root, answer: Arc::default() };
        for base in PROGRAMS {
            for end in ["", "-save", "-restore"] {
                ["", "-nft", "-legacy"].iter().for_each(|variant| host.put_program(&format!("{base}{variant}{end}")));
            }
        }
        host.put_program("nft");
        host.serve_xenstore();
        host
    }

    /// Puts a program in PATH that prints the file `NAME.said`.
    fn put_program(&self, name: &str) {
        let path = self.root.join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\nexec cat '{}/{name}.said' 2>/dev/null\n", self.root.display())).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn serve_xenstore(&self) {
        let listener = UnixListener::bind(self.root.join("xs")).unwrap();
        let answer = self.answer.clone();
        spawn(move || {
            for connection in listener.incoming() {
                let Ok(mut connection) = connection else { return };
                let _ = connection.read(&mut [0; 8192]);
                let _ = connection.write_all(&answer.lock().unwrap());
            }
        });
    }

    pub(crate) fn put(&self, file: &str, bytes: &[u8]) {
        fs::write(self.root.join(file), bytes).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.root.join(file)).unwrap();
    }

    /// Runs a command in both eras.
    pub(crate) fn run(&self, name: &[u8], words: &[&[u8]]) {
        let run = match TABLE.iter().find(|applet| applet.name.as_bytes() == name) {
            // they write to this machine's syslog
            Some(applet) if applet.name.starts_with("vif-") && Path::new("/dev/log").exists() => return,
            Some(applet) => applet.run,
            None => manage::run,
        };
        let args: Vec<OsString> = words.iter().map(|word| OsStr::from_bytes(word).into()).collect();
        // it makes files where it is told to, or does not end
        if args.iter().any(|word| matches!(word.to_str(), Some("--install" | "--watch"))) {
            return;
        }
        for era in [Era::Of2006, Era::Today] {
            let outcome = run(&mut Call {
                applets: &TABLE,
                program: OsStr::from_bytes(name),
                args: &args,
                environment: &|name| self.variable(name),
                era,
                kernel: &Kernel::at(&self.root),
                out: &mut sink(),
                err: &mut sink(),
            });
            if let Err(failure) = outcome.map_err(|failure| failure.in_era(era)) {
                assert_ne!(failure.status, 0);
                assert!(failure.text.is_empty() || failure.text.ends_with(b"\n"), "{failure:?}");
            }
        }
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        match name {
            "PATH" => Some(self.root.join("bin").into()),
            "XENSTORED_PATH" => Some(self.root.join("xs").into()),
            _ => None,
        }
    }

    /// Reads what is known of networks, as status, doctor, up and down do.
    pub(crate) fn read_networks(&self) {
        let kernel = Kernel::at(&self.root);
        let states = StateDir::of(&kernel).unwrap();
        states.networks();
        let _ = states.load("n");
        let _ = NetworkSpec::of_file(&kernel, "n");
        self.run(b"brouter", &[b"status", b"--json"]);
        self.run(b"brouter", &[b"up", b"n", b"--dry-run"]);
        self.run(b"brouter", &[b"down", b"n", b"--dry-run"]);
        self.run(b"network-virtual", &[b"status", b"bridge=n"]);
    }

    /// Runs commands that read /proc and /sys.
    pub(crate) fn run_all(&self) {
        let commands = [
            "brctl show",
            "brctl showmacs xenbr0",
            "brctl showstp xenbr0",
            "ip -d -s link",
            "ip -j addr",
            "ip route show table all",
            "ip -6 route",
            "ip route get 10.0.0.1",
            "ip -6 route get fd00::1",
            "ip tuntap",
            "brouter status",
            "brouter status --dot",
        ];
        for command in commands {
            let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
            self.run(words[0], &words[1..]);
        }
    }

    /// Asks for a value, for a list, and within a transaction.
    pub(crate) fn ask_xenstore(&mut self, answer: &[u8]) {
        *self.answer.lock().unwrap() = answer.to_vec();
        let store = || Store::open(self.variable("XENSTORED_PATH"));
        let _ = store().and_then(|mut store| store.read("/a"));
        let _ = store().and_then(|mut store| store.list("/a"));
        let _ = store().and_then(|mut store| store.write_together(&[("/a", b"1")]));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Returns the files of the fixture with their texts, by paths below its root.
pub(crate) fn fixture_files() -> Vec<(String, Vec<u8>)> {
    let mut folders = vec![PathBuf::from(FIXTURE)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => {
                    let path = entry.path().strip_prefix(FIXTURE).unwrap().to_str().unwrap().to_owned();
                    files.push((path, fs::read(entry.path()).unwrap()));
                }
                _ => (),
            }
        }
    }
    files.sort();
    files
}
