//! What the next call must know: small files under /run/brouter (where there is no /run, /var/run/brouter).
//!
//! Each network namespace has a folder of its own there, called by its number, since /run is often shared by several.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use crate::kernel::Kernel;

/// The records of a network namespace.
pub struct Records {
    folder: PathBuf,
}

/// What a start that was killed can leave half done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The bridge, its values and its address.
    Bridge,
    /// The address of a bridge that was there.
    Address,
}

/// How a network is masqueraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masquerade {
    /// The network behind the bridge.
    pub net: Ipv4Net,
    /// Whether the host forwarded before any network was masqueraded, so that the last one to stop knows.
    pub forwarded_before: bool,
}

impl Records {
    /// The records of this namespace.
    pub fn of(kernel: &Kernel) -> Self {
        let run = kernel.path("/run");
        let run = if run.is_dir() { run } else { kernel.path("/var/run") };
        Records { folder: run.join("brouter").join(kernel.namespace()) }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn network_file(&self, network: &str) -> PathBuf {
        self.folder.join(format!("{network}.network"))
    }

    /// What was kept of a network that `brouter up` made.
    ///
    /// # Errors
    /// Where there is a record that cannot be read.
    pub fn network(&self, network: &str) -> io::Result<Option<String>> {
        match fs::read_to_string(self.network_file(network)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps something of a network, all of it or, where that fails, nothing.
    ///
    /// # Errors
    /// Where it cannot be written. What was kept before is there then.
    pub fn keep_network(&self, network: &str, text: &str) -> io::Result<()> {
        let file = self.network_file(network);
        let new = file.with_extension("network.new");
        let kept = self.make(&new, |new| fs::write(new, text)).and_then(|()| fs::rename(&new, &file));
        kept.inspect_err(|_| drop(fs::remove_file(&new)))
    }

    /// Forgets it.
    ///
    /// # Errors
    /// Where there is something, and it cannot be removed.
    pub fn forget_network(&self, network: &str) -> io::Result<()> {
        match fs::remove_file(self.network_file(network)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The networks of this namespace of which something is kept, with what that is.
    pub fn networks(&self) -> Vec<(String, String)> {
        self.kept(".network").filter_map(|name| Some((name.clone(), self.network(&name).ok()??))).collect()
    }

    /// Whether a network that `brouter up` made, and whose bridge is there, had forwarding of IPv4 packets switched on.
    pub fn is_forwarding_needed(&self, kernel: &Kernel) -> bool {
        self.networks().iter().any(|(_, text)| {
            let bridge = text.lines().next().and_then(|head| head.split(' ').nth(1)).unwrap_or_default();
            text.lines().any(|line| line == "forwarding 4") && kernel.is_bridge(bridge.as_bytes())
        })
    }

    /// The names of the records of one kind.
    fn kept(&self, kind: &'static str) -> impl Iterator<Item = String> {
        let files = fs::read_dir(&self.folder).into_iter().flatten();
        files.filter_map(move |entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(kind)?.to_string()))
    }

    fn making_file(&self, bridge: &str) -> PathBuf {
        self.folder.join(format!("{bridge}.making"))
    }

    fn masquerade_file(&self, bridge: &str) -> PathBuf {
        self.folder.join(format!("{bridge}.masquerade"))
    }

    /// Makes a file, and the folder where it is missing.
    fn make(&self, file: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
        match make(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.folder)?;
                make(file)
            }
            other => other,
        }
    }

    /// Notes what a start begins. If it cannot be noted, a start that is killed half way leaves a bridge with the kernel's
    /// forward delay, or an address with its class's prefix, and the next one does not know it for its own work.
    ///
    /// The note is a symbolic link to a word: it is there whole or not at all, and takes one call.
    pub fn begin(&self, bridge: &str, work: Work) {
        let word = match work {
            Work::Bridge => "bridge",
            Work::Address => "address",
        };
        let file = self.making_file(bridge);
        let noted = self.make(&file, |file| symlink(word, file));
        if noted.is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
            // an old note, of a bridge that someone else has deleted since
            let _ = fs::remove_file(&file).and_then(|()| symlink(word, &file));
        }
    }

    /// Notes that it is done, or undone.
    pub fn end(&self, bridge: &str) {
        let _ = fs::remove_file(self.making_file(bridge));
    }

    /// What an earlier start began and did not end.
    pub fn begun(&self, bridge: &str) -> Option<Work> {
        let word = fs::read_link(self.making_file(bridge)).ok()?;
        Some(if word == Path::new("address") { Work::Address } else { Work::Bridge })
    }

    /// Keeps how the network behind a bridge is masqueraded.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn keep_masquerade(&self, bridge: &str, masquerade: &Masquerade) -> io::Result<()> {
        let before = if masquerade.forwarded_before { 1 } else { 0 };
        let text = format!("{} {before}\n", masquerade.net);
        self.make(&self.masquerade_file(bridge), |file| fs::write(file, &text))
    }

    /// What was kept of a bridge.
    pub fn masquerade(&self, bridge: &str) -> Option<Masquerade> {
        let text = fs::read_to_string(self.masquerade_file(bridge)).ok()?;
        let (net, before) = text.trim_end().split_once(' ')?;
        Some(Masquerade { net: net.parse().ok()?, forwarded_before: before == "1" })
    }

    /// Forgets it.
    pub fn forget_masquerade(&self, bridge: &str) {
        let _ = fs::remove_file(self.masquerade_file(bridge));
    }

    /// The bridges of this namespace, other than this one, of which something is kept.
    pub fn other_masquerades(&self, bridge: &str) -> Vec<(String, Masquerade)> {
        self.kept(".masquerade")
            .filter(|other| other != bridge)
            .filter_map(|other| self.masquerade(&other).map(|masquerade| (other, masquerade)))
            .collect()
    }
}
