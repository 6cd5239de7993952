//! What the next call must know: small files under /run/brouter (where there is no /run, /var/run/brouter).
//!
//! Each network namespace has a folder of its own there, called by its number, since /run is often shared by several.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use crate::error::{Failure, errno_text, line};
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::order;

/// The records of a network namespace.
#[derive(Clone)]
pub struct StateDir {
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

/// What `brouter up` keeps of a network.
pub struct StoredState {
    /// What there is, in lines.
    pub text: String,
    /// A change has begun and not ended: what is kept may be there or not.
    pub is_open: bool,
}

/// What a start of network-virtual has begun.
const MAKING: &str = ".making";
/// How a bridge of network-virtual is masqueraded.
const MASQUERADE: &str = ".masquerade";
/// Of a network that is made.
const MADE: &str = ".network";
/// Of one that is being changed, or was when the call was killed.
const CHANGING: &str = ".changing";
/// The last line, without which a file was not written to its end.
const END: &str = "end\n";

fn removed(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names of a folder's files of one kind, without what marks that.
#[inline(never)]
pub fn names_in(folder: &Path, kind: &str) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten();
    files.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(kind)?.to_string())).collect()
}

impl StateDir {
    /// The records of this namespace, for this program.
    ///
    /// # Errors
    /// Where the namespace cannot be told.
    pub fn of(kernel: &Kernel, program: &str) -> Result<Self, Failure> {
        let namespace = kernel.namespace().map_err(|errno| {
            Failure::new(line!(program, ": cannot tell which network namespace this is: ", errno_text(errno)))
        })?;
        let run = kernel.path("/run");
        let run = if run.is_dir() { run } else { kernel.path("/var/run") };
        Ok(StateDir { folder: run.join("brouter").join(namespace) })
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The lock on what networks share: forwarding, and rules for all of them. It is held while one decides whether another needs
    /// them; waits for 5 seconds.
    ///
    /// # Errors
    /// As [`Lock::claim`].
    pub fn lock_shared(&self, kernel: &Kernel) -> io::Result<Lock> {
        Lock::claim_in(kernel, &self.folder, "networks.shared", 5)
    }

    /// The turn of a network that goes; waits for 10 seconds. Of two that go at once each would leave to the other what both
    /// share.
    ///
    /// # Errors
    /// As [`Lock::claim`].
    pub fn turn_to_go(&self, kernel: &Kernel) -> io::Result<Lock> {
        Lock::claim_in(kernel, &self.folder, "networks.down", 10)
    }

    /// What was kept of a network that `brouter up` made.
    ///
    /// # Errors
    /// Where there is a record that cannot be read.
    pub fn network(&self, network: &str) -> io::Result<Option<StoredState>> {
        for (kind, is_open) in [(CHANGING, true), (MADE, false)] {
            match fs::read_to_string(self.file(network, kind)) {
                Ok(text) => match text.strip_suffix(END) {
                    Some(text) => return Ok(Some(StoredState { text: text.into(), is_open })),
                    // a call was killed before its first step
                    None if is_open => (),
                    None => return Ok(Some(StoredState { text, is_open })),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => (),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Keeps what a change of a network is about to make. What was kept before stays until the change has ended.
    ///
    /// # Errors
    /// Where it cannot be written. Then all is as it was.
    pub fn begin_change(&self, network: &str, text: &str) -> io::Result<()> {
        let file = self.file(network, CHANGING);
        let text = [text, END].concat();
        let written = self.make(&file, |file| {
            let mut file = fs::File::create_new(file)?;
            file.write_all(text.as_bytes())
        });
        match written {
            // what a call that was killed left must be known at every instant
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.replace(&file, &text),
            written => written.inspect_err(|_| drop(fs::remove_file(&file))),
        }
    }

    /// The change has ended, and has made what was said.
    ///
    /// # Errors
    /// Where that cannot be noted: it is taken for one that was killed.
    pub fn end_change(&self, network: &str) -> io::Result<()> {
        fs::rename(self.file(network, CHANGING), self.file(network, MADE))
    }

    /// The change has ended, and there is something else now.
    ///
    /// # Errors
    /// As [`StateDir::end_change`].
    pub fn end_change_with(&self, network: &str, text: &str) -> io::Result<()> {
        self.replace(&self.file(network, MADE), &[text, END].concat())?;
        self.cancel_change(network)
    }

    /// All is as it was before the change.
    ///
    /// # Errors
    /// As [`StateDir::end_change`].
    pub fn cancel_change(&self, network: &str) -> io::Result<()> {
        removed(&self.file(network, CHANGING))
    }

    /// Forgets a network.
    ///
    /// # Errors
    /// Where there is something, and it cannot be removed.
    pub fn forget_network(&self, network: &str) -> io::Result<()> {
        removed(&self.file(network, MADE))?;
        self.cancel_change(network)
    }

    /// A new text for a file, all of it or nothing.
    fn replace(&self, file: &Path, text: &str) -> io::Result<()> {
        let mut new = file.as_os_str().to_os_string();
        new.push(".new");
        let replaced = fs::write(&new, text).and_then(|()| fs::rename(&new, file));
        replaced.inspect_err(|_| drop(fs::remove_file(&new)))
    }

    /// The networks of this namespace of which something is kept, with what that is.
    pub fn networks(&self) -> Vec<(String, StoredState)> {
        let mut names = order::sorted_names([self.kept(MADE), self.kept(CHANGING)].concat());
        names.dedup();
        names.into_iter().filter_map(|name| self.network(&name).ok()?.map(|kept| (name, kept))).collect()
    }

    /// Whether a network that `brouter up` made, and whose bridge is there, had forwarding of IPv4 packets switched on.
    pub fn is_forwarding_needed(&self, kernel: &Kernel) -> bool {
        self.networks().iter().any(|(_, StoredState { text, .. })| {
            let bridge = text.lines().next().and_then(|head| head.split(' ').nth(1)).unwrap_or_default();
            text.lines().any(|line| line == "forwarding 4") && kernel.is_bridge(bridge.as_bytes())
        })
    }

    /// The names of the records of one kind.
    fn kept(&self, kind: &str) -> Vec<String> {
        names_in(&self.folder, kind)
    }

    fn file(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.join([name, kind].concat())
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
        let file = self.file(bridge, MAKING);
        let noted = self.make(&file, |file| symlink(word, file));
        if noted.is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
            // an old note, of a bridge that someone else has deleted since
            let _ = fs::remove_file(&file).and_then(|()| symlink(word, &file));
        }
    }

    /// Notes that it is done, or undone.
    pub fn end(&self, bridge: &str) {
        let _ = fs::remove_file(self.file(bridge, MAKING));
    }

    /// What an earlier start began and did not end.
    pub fn begun(&self, bridge: &str) -> Option<Work> {
        let word = fs::read_link(self.file(bridge, MAKING)).ok()?;
        Some(if word == Path::new("address") { Work::Address } else { Work::Bridge })
    }

    /// Keeps how the network behind a bridge is masqueraded.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn keep_masquerade(&self, bridge: &str, masquerade: &Masquerade) -> io::Result<()> {
        let before = if masquerade.forwarded_before { 1 } else { 0 };
        let text = format!("{} {before}\n", masquerade.net);
        self.make(&self.file(bridge, MASQUERADE), |file| fs::write(file, &text))
    }

    /// What was kept of a bridge.
    pub fn masquerade(&self, bridge: &str) -> Option<Masquerade> {
        let text = fs::read_to_string(self.file(bridge, MASQUERADE)).ok()?;
        let (net, before) = text.trim_end().split_once(' ')?;
        Some(Masquerade { net: net.parse().ok()?, forwarded_before: before == "1" })
    }

    /// Forgets it.
    pub fn forget_masquerade(&self, bridge: &str) {
        let _ = fs::remove_file(self.file(bridge, MASQUERADE));
    }

    /// The bridges of this namespace, other than this one, of which something is kept.
    pub fn other_masquerades(&self, bridge: &str) -> Vec<(String, Masquerade)> {
        let others = self.kept(MASQUERADE).into_iter();
        others
            .filter(|other| other != bridge)
            .filter_map(|other| self.masquerade(&other).map(|masquerade| (other, masquerade)))
            .collect()
    }
}
