//! What is remembered of networks: small files under /run/brouter or, where there is no /run, /var/run/brouter.
//!
//! Each network namespace has a folder of its own there, named by its number, since several often share /run. In it,
//! `NAME.network` holds the state of a network that is up, and `NAME.changing` that of one that a call is changing, or was when it
//! was killed: its items may be there or not.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::former;
use super::item::Item;
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::InterfaceName;

/// What a network consists of, as far as it is not the host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkState {
    /// Its bridge.
    pub bridge: InterfaceName,
    /// A call has begun and not ended: items may be there or not.
    pub incomplete: bool,
    /// Some of it comes from files of a former version, which are removed once it is stored in today's.
    pub former: bool,
    /// In the order in which they were made.
    pub items: Vec<Item>,
}

/// What a file says of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredState {
    /// Its state.
    Known(NetworkState),
    /// The file is not one of brouter's.
    Malformed {
        /// The bridge that its first line names.
        bridge: Option<InterfaceName>,
    },
}

/// The states of one network namespace.
#[derive(Clone, Debug)]
pub struct StateDir {
    folder: PathBuf,
}

/// Suffixes of the file of a network that is up, and of one that is being changed.
const UP: &str = ".network";
const CHANGING: &str = ".changing";
/// The last line, without which a file was not written to its end.
const END: &str = "end\n";

impl NetworkState {
    /// The state of a network without items.
    pub fn empty(bridge: InterfaceName) -> Self {
        NetworkState { bridge, incomplete: false, former: false, items: Vec::new() }
    }

    /// Returns the item that is the same as another, whatever was there before it.
    pub fn find(&self, item: &Item) -> Option<&Item> {
        self.items.iter().find(|own| own.is(item))
    }

    /// `of BRIDGE`, then a line for each item.
    fn text(&self) -> String {
        let mut text = format!("of {}\n", self.bridge);
        for item in &self.items {
            text.push_str(&format!("{item}\n"));
        }
        text
    }
}

impl StoredState {
    fn parse(text: &str, incomplete: bool) -> Self {
        let mut lines = text.lines();
        let bridge: Option<InterfaceName> = lines.next().and_then(|head| head.strip_prefix("of ")?.parse().ok());
        match (bridge, lines.map(Item::parse).collect::<Option<Vec<_>>>()) {
            (Some(bridge), Some(items)) => {
                StoredState::Known(NetworkState { bridge, incomplete, former: false, items })
            }
            (bridge, _) => StoredState::Malformed { bridge },
        }
    }

    /// Returns the state, if the file was understood.
    pub fn known(self) -> Option<NetworkState> {
        match self {
            StoredState::Known(state) => Some(state),
            StoredState::Malformed { .. } => None,
        }
    }
}

impl StateDir {
    /// Finds the folder of this process's network namespace. Nothing is made.
    ///
    /// # Errors
    /// Where the number of the namespace cannot be read.
    pub fn of(kernel: &Kernel) -> Result<Self, Errno> {
        let run = kernel.path("/run");
        let run = if run.is_dir() { run } else { kernel.path("/var/run") };
        Ok(StateDir { folder: run.join("brouter").join(kernel.namespace()?) })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of a network's file, whether it is there or not.
    pub fn file(&self, network: &str, incomplete: bool) -> PathBuf {
        self.folder.join(format!("{network}{}", if incomplete { CHANGING } else { UP }))
    }

    /// Locks a network against other calls that change it; waits up to 10 seconds.
    ///
    /// # Errors
    /// Those of [`Lock::claim`].
    pub fn lock(&self, kernel: &Kernel, network: &str) -> io::Result<Lock> {
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
    /// Where there is a file that cannot be read.
    pub fn load(&self, network: &str) -> io::Result<Option<StoredState>> {
        let stored = self.load_current(network)?;
        let Some(former) = former::load(&self.folder, network) else { return Ok(stored) };
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
            match fs::read_to_string(self.file(network, incomplete)) {
                Ok(text) => match text.strip_suffix(END) {
                    Some(text) => return Ok(Some(StoredState::parse(text, incomplete))),
                    // a call was killed before its first step
                    None if incomplete => (),
                    None => return Ok(Some(StoredState::parse(&text, false))),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => (),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Loads all networks of this namespace, by name.
    pub fn networks(&self) -> Vec<(String, StoredState)> {
        let [making, masquerade] = former::SUFFIXES;
        let mut names = names_in(&self.folder, &[UP, CHANGING, making, masquerade]);
        names.sort();
        names.dedup();
        names.into_iter().filter_map(|name| self.load(&name).ok()?.map(|state| (name, state))).collect()
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
                fs::create_dir_all(&self.folder)?;
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

    /// Cancels a change: all is as it was before.
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
    let mut created = fs::File::create_new(file)?;
    created.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(file)))
}

/// Replaces the text of a file, all of it or nothing.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut new = file.as_os_str().to_os_string();
    new.push(".new");
    fs::write(&new, text).and_then(|()| fs::rename(&new, file)).inspect_err(|_| drop(fs::remove_file(&new)))
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::Value;
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let items = vec![
            Item::Bridge,
            Item::Value { value: Value::Mtu, to: 1400, from: 1500 },
            Item::Address("fd00::1/64".parse().unwrap()),
            Item::Port("p1".parse().unwrap()),
            Item::Up("p1".parse().unwrap()),
            Item::Masquerade("10.0.0.0/24".parse().unwrap()),
            Item::Accept("eth0".parse().unwrap()),
            Item::Drop { before: "ACCEPT".into() },
            Item::Forwarding { v6: true },
            Item::Firewall("fw start now".into()),
        ];
        let state = NetworkState { bridge: "b0".parse().unwrap(), incomplete: true, former: false, items };
        assert_eq!(StoredState::parse(&state.text(), true), StoredState::Known(state));
        assert_eq!(StoredState::parse("", false), StoredState::Malformed { bridge: None });
        let bridge = Some("b0".parse().unwrap());
        assert_eq!(StoredState::parse("of b0\nnonsense\n", false), StoredState::Malformed { bridge });
        assert_eq!(StoredState::parse("of b0\nport a/b\n", false).known(), None, "a name is checked where it enters");
    }
}
