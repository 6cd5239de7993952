//! What is wanted of a host's networks: the records of `brouter up`, and the files of /etc/brouter.

use nix::unistd::{AccessFlags, access};

use super::check::{FILE_UNREADABLE, NOT_UNDERSTOOD, Remark, UNFINISHED};
use crate::kernel::Kernel;
use crate::net::fault_of_name;
use crate::network::item::Item;
use crate::network::plan;
use crate::network::spec::NetworkSpec;
use crate::network::state::StoredState;
use crate::network::store::{StateDir, names_in};

/// A network that was made, or is to be.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) bridge: String,
    pub(super) outside: Option<String>,
    pub(super) parts: Vec<Item>,
    /// `brouter up` has made it.
    pub(super) is_made: bool,
    /// What is wrong with the record or the file.
    pub(super) remarks: Vec<Remark>,
}

/// All networks of this host, by their names.
#[inline(never)]
pub(super) fn networks(kernel: &Kernel, records: &StateDir) -> Vec<Wanted> {
    let recorded = records.networks().into_iter().map(|(name, kept)| (name, Some(kept)));
    let described = names_in(&kernel.path("/etc/brouter"), &[".conf"]).into_iter().map(|name| (name, None));
    let mut networks: Vec<Wanted> = Vec::new();
    for (name, kept) in recorded.chain(described) {
        if fault_of_name(name.as_bytes()).is_none()
            && let Err(place) = networks.binary_search_by(|network| network.name.cmp(&name))
        {
            networks.insert(place, Wanted::of(kernel, kept, name));
        }
    }
    networks
}

impl Wanted {
    #[inline(never)]
    fn of(kernel: &Kernel, kept: Option<StoredState>, name: String) -> Wanted {
        let mut wanted = Wanted { bridge: name.clone(), ..Wanted::default() };
        if let Some(kept) = kept {
            wanted.is_made = true;
            match kept {
                StoredState::Known(record) => {
                    if record.incomplete {
                        wanted.remarks.push(Remark { kind: &UNFINISHED, object: name.clone(), rest: String::new() });
                    }
                    wanted.bridge = record.bridge.to_string();
                    for part in &record.items {
                        if let Item::Accept(link) = part {
                            wanted.outside = Some(link.to_string());
                        }
                    }
                    wanted.parts = record.items;
                }
                StoredState::Malformed { bridge } => {
                    wanted.bridge = bridge.map_or(name.clone(), |bridge| bridge.to_string());
                    let rest = "its record is not understood".into();
                    wanted.remarks.push(Remark { kind: &NOT_UNDERSTOOD, object: name.clone(), rest });
                }
            }
        }
        wanted.take_file(kernel, &name);
        wanted.name = name;
        wanted
    }

    /// The file adds to the record, which holds only what was not there before.
    #[inline(never)]
    fn take_file(&mut self, kernel: &Kernel, name: &str) {
        let file = ["/etc/brouter/", name, ".conf"].concat();
        if !kernel.has_file(&file) {
            return;
        }
        if access(&kernel.path(&file), AccessFlags::R_OK).is_err() {
            self.remarks.push(Remark { kind: &FILE_UNREADABLE, object: name.into(), rest: file });
            return;
        }
        let network = NetworkSpec::of_file(kernel, name);
        match network {
            Ok(network) if !self.is_made || self.bridge == network.bridge.as_str() => {
                for part in plan::wanted(&network, false) {
                    if !self.parts.iter().any(|known| known.is(&part)) {
                        self.parts.push(part);
                    }
                }
                self.bridge = network.bridge.to_string();
                self.outside = network.outside.map(|name| name.to_string()).or(self.outside.take());
            }
            Ok(_) => (),
            Err(failure) => {
                let rest = failure.to_string();
                self.remarks.push(Remark { kind: &NOT_UNDERSTOOD, object: name.into(), rest });
            }
        }
    }
}
