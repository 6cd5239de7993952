//! Stored states of networks: small files under /run/brouter or, where there is no /run, /var/run/brouter.
//!
//! Each network namespace has a folder of its own there, named by its number, since several often share /run. In it,
//! `NAME.network` holds the state of a network that is up, and `NAME.changing` that of one that a call is changing, or was when it
//! was killed: its items may be there or not. `SCRIPT:INTERFACE.script` and `.starting` hold in the same way what one of Xen's
//! network scripts has set up for an interface.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::former;
use super::item::Item;
use super::state::{NetworkState, StoredState};
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::run_file;

/// The states of one network namespace.
#[derive(Clone, Debug)]
pub struct StateDir {
    folder: PathBuf,
    suffixes: Suffixes,
}

/// Suffixes of the file of a network that is up, and of one that is being changed.
type Suffixes = [&'static str; 2];
const OF_NETWORKS: Suffixes = [".network", ".changing"];
const OF_SCRIPTS: Suffixes = [".script", ".starting"];

/// The last line, without which a file was not written to its end.
const END: &str = "end\n";

impl StateDir {
    /// Finds the folder of this process's network namespace. Nothing is made.
    ///
    /// # Errors
    /// Where the number of the namespace cannot be read.
    pub fn of(kernel: &Kernel) -> Result<Self, Errno> {
        let run = kernel.path("/run");
        let run = if run.is_dir() { run } else { kernel.path("/var/run") };
        Ok(StateDir { folder: run.join("brouter").join(kernel.namespace()?), suffixes: OF_NETWORKS })
    }

    /// Returns the states of Xen's network scripts in the same folder.
    pub fn of_scripts(&self) -> Self {
        StateDir { folder: self.folder.clone(), suffixes: OF_SCRIPTS }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of a network's file, whether it is there or not.
    pub fn file(&self, network: &str, incomplete: bool) -> PathBuf {
        self.folder.join(format!("{network}{}", self.suffixes[usize::from(incomplete)]))
    }

    /// Checks that no other user can have made files here.
    ///
    /// # Errors
    /// Those of [`run_file::check`].
    fn check(&self) -> io::Result<()> {
        self.folder.parent().map_or(Ok(()), run_file::check)?;
        run_file::check(&self.folder)
    }

    /// Returns the path of the file that is not a record, if [`StateDir::load`] returns a malformed state.
    pub fn malformed_file(&self, network: &str) -> PathBuf {
        let changing = self.file(network, true);
        // one that is a text but not whole is passed over
        match run_file::read(&changing) {
            Ok(text) if text.ends_with(END) => changing,
            Err(error) if is_no_record(&error) => changing,
            _ => match former::load(&self.folder, network) {
                Err(error) if is_no_record(&error) => former::masquerade_file(&self.folder, network),
                _ => self.file(network, false),
            },
        }
    }

    /// Locks a network against other calls that change it; waits up to 10 seconds.
    ///
    /// # Errors
    /// Those of [`Lock::claim`]; others can write the folder.
    pub fn lock(&self, kernel: &Kernel, network: &str) -> io::Result<Lock> {
        self.check()?;
        Lock::claim_in(kernel, &self.folder, &format!("{network}.lock"), 10)
    }

    /// Locks what networks share: forwarding, and rules for all of them. Held while a call decides whether another network needs
    /// them; waits up to 5 seconds.
    ///
    /// # Errors
    /// Those of [`Lock::claim`].
    pub fn lock_shared(&self, kernel: &Kernel) -> io::Result<Lock> {
        Lock::claim_in(kernel, &self.folder, "networks.shared", 5)
    }

    /// Serialises the removal of networks, so that two teardowns do not each leave shared items to the other; waits up to 10
    /// seconds.
    ///
    /// # Errors
    /// Those of [`Lock::claim`].
    pub fn lock_teardown(&self, kernel: &Kernel) -> io::Result<Lock> {
        Lock::claim_in(kernel, &self.folder, "networks.down", 10)
    }

    /// Loads the state of a network; nothing if none is stored.
    ///
    /// # Errors
    /// Where there is a file that cannot be read, or that another user can have written.
    pub fn load(&self, network: &str) -> io::Result<Option<StoredState>> {
        let stored = self.load_current(network)?;
        let former = former::load(&self.folder, network)?;
        if stored.is_some() || former.is_some() {
            self.check()?;
        }
        let Some(former) = former else { return Ok(stored) };
        Ok(Some(match stored {
            Some(StoredState::Known(mut state)) => {
                state.incomplete |= former.incomplete;
                state.former = true;
                let missing: Vec<Item> = former.items.into_iter().filter(|item| state.find(item).is_none()).collect();
                state.items.extend(missing);
                StoredState::Known(state)
            }
            Some(malformed) => malformed,
            None => StoredState::Known(former),
        }))
    }

    fn load_current(&self, network: &str) -> io::Result<Option<StoredState>> {
        for incomplete in [true, false] {
            match run_file::read(&self.file(network, incomplete)) {
                Ok(text) => match text.strip_suffix(END) {
                    Some(text) => return Ok(Some(StoredState::parse(text, incomplete))),
                    // a call was killed before its first step
                    None if incomplete => (),
                    None => return Ok(Some(StoredState::parse(&text, false))),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => (),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Ok(Some(StoredState::Malformed { bridge: None }));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Loads all networks of this namespace, by name.
    pub fn networks(&self) -> Vec<(String, StoredState)> {
        StateDir { suffixes: OF_NETWORKS, ..self.clone() }.all(&former::SUFFIXES)
    }

    /// Loads what Xen's network scripts have set up in this namespace, by `SCRIPT:INTERFACE`.
    pub fn scripts(&self) -> Vec<(String, StoredState)> {
        self.of_scripts().all(&[])
    }

    /// Returns the names of all records of this kind, whole or not.
    pub fn names(&self) -> Vec<String> {
        self.names_with(&[])
    }

    fn names_with(&self, former: &[&str]) -> Vec<String> {
        let mut names = names_in(&self.folder, &[&self.suffixes, former].concat());
        names.sort();
        names.dedup();
        names
    }

    fn all(&self, former: &[&str]) -> Vec<(String, StoredState)> {
        let load = |name: String| match self.load(&name) {
            Err(error) if is_no_record(&error) => Some((name, StoredState::Malformed { bridge: None })),
            state => state.ok()?.map(|state| (name, state)),
        };
        self.names_with(former).into_iter().filter_map(load).collect()
    }

    /// Stores what a change of a network is about to make. The state from before stays until the change has ended.
    ///
    /// # Errors
    /// Where the file cannot be written; nothing has changed then.
    pub fn begin_change(&self, network: &str, state: &NetworkState) -> io::Result<()> {
        let file = self.file(network, true);
        let text = state.text() + END;
        match write_new(&file, &text) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                run_file::create_folder(&self.folder)?;
                write_new(&file, &text)
            }
            // what a killed call left must be known at every instant
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => replace(&file, &text),
            other => other,
        }
    }

    /// Ends a change that has made what was stored at its begin.
    ///
    /// # Errors
    /// Where the file cannot be renamed: the change is taken for one that was killed.
    pub fn end_change(&self, network: &str) -> io::Result<()> {
        fs::rename(self.file(network, true), self.file(network, false))
    }

    /// Ends a change that has made something else.
    ///
    /// # Errors
    /// Those of [`StateDir::end_change`].
    pub fn end_change_with(&self, network: &str, state: &NetworkState) -> io::Result<()> {
        replace(&self.file(network, false), &(state.text() + END))?;
        self.cancel_change(network)
    }

    /// Cancels a change that has been undone.
    ///
    /// # Errors
    /// Those of [`StateDir::end_change`].
    pub fn cancel_change(&self, network: &str) -> io::Result<()> {
        remove_if_there(&self.file(network, true))
    }

    /// Forgets a network.
    ///
    /// # Errors
    /// Where there is a file that cannot be removed.
    pub fn forget(&self, network: &str) -> io::Result<()> {
        remove_if_there(&self.file(network, false))?;
        self.cancel_change(network)
    }

    /// Removes the files of a former version that a network has.
    ///
    /// # Errors
    /// Where there is a file that cannot be removed.
    pub fn remove_former(&self, network: &str) -> io::Result<()> {
        former::remove(&self.folder, network)
    }
}

/// Whether a file is not one of brouter's, or not believed.
fn is_no_record(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::Other)
}

/// The names of a folder's files that have one of these suffixes, without it.
pub fn names_in(folder: &Path, suffixes: &[&str]) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let name = |file: fs::DirEntry| {
        let name = file.file_name().into_string().ok()?;
        suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).map(String::from)
    };
    files.filter_map(name).collect()
}

/// Writes a file that is not there; all of it or nothing.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut created = run_file::create(file)?;
    created.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(file)))
}

/// Replaces the text of a file, all of it or nothing.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut new = file.as_os_str().to_os_string();
    new.push(".new");
    let new = Path::new(&new);
    // one that a killed call left
    remove_if_there(new)?;
    write_new(new, text).and_then(|()| fs::rename(new, file)).inspect_err(|_| drop(fs::remove_file(new)))
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
