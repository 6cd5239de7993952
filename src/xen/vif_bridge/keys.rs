//! The keys by which the toolstack and `vif-bridge` communicate: in xenstore, below the path of the interface's backend.

use std::ffi::OsString;

use super::error::VifError;
use crate::kernel::{Kernel, LinkFile};
use crate::net::InterfaceName;
use crate::xenstore::{Fault, Store};

/// Bytes of an error text in xenstore: a payload has 4096, with the key.
const TEXT_MAX: usize = 2048;

/// The keys of one interface.
pub(super) struct Keys {
    /// The path of its backend, `/local/domain/0/backend/vif/1/0`. Xen 3 leaves out the domain.
    pub(super) path: Option<String>,
    connection: Connection,
}

enum Connection {
    NotTried {
        /// Where to connect, if the environment says so.
        place: Option<OsString>,
    },
    Failed,
    Open(Store),
}

/// Owner of the interface that already has our target name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Us,
    Another,
    Unknown,
}

impl Keys {
    /// Returns the keys below a path. xenstored is at `place`, if that is set.
    pub(super) fn new(path: Option<OsString>, place: Option<OsString>) -> Self {
        let path = path.map(|path| path.to_string_lossy().into_owned()).filter(|path| !path.is_empty());
        Keys { path, connection: Connection::NotTried { place } }
    }

    /// Connects to xenstored, once.
    pub(super) fn connect(&mut self) -> Result<(), Fault> {
        let Connection::NotTried { place } = &mut self.connection else { return Ok(()) };
        let opened = Store::open(place.take());
        let (connection, outcome) = match opened {
            Ok(store) => (Connection::Open(store), Ok(())),
            Err(fault) => (Connection::Failed, Err(fault)),
        };
        self.connection = connection;
        outcome
    }

    fn store(&mut self) -> Option<&mut Store> {
        match &mut self.connection {
            Connection::Open(store) => Some(store),
            _ => None,
        }
    }

    fn key(&self, name: &str) -> Option<String> {
        self.path.as_deref().map(|path| [path, "/", name].concat())
    }

    /// Returns the value of a key; `None` if it does not exist or may not be read.
    pub(super) fn value(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let Some(key) = self.key(name) else { return Ok(None) };
        match self.store().map(|store| store.read(&key)) {
            Some(Ok(value)) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            None | Some(Err(Fault::Refused(_))) => Ok(None),
            Some(Err(fault)) => Err(fault),
        }
    }

    /// Sets a key of the interface.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), VifError> {
        self.key(name).map_or(Ok(()), |key| self.write(key, value))
    }

    /// Sets the guest's own key of bytes that a frame may carry.
    pub(super) fn set_mtu_of_guest(&mut self, mtu: &str) -> Result<(), VifError> {
        let frontend = self.path.as_deref().and_then(frontend);
        frontend.map_or(Ok(()), |frontend| self.write([&frontend, "/mtu"].concat(), mtu))
    }

    fn write(&mut self, key: String, value: &str) -> Result<(), VifError> {
        let Some(store) = self.store() else { return Ok(()) };
        store.write(&key, value.as_bytes()).map_err(|fault| match fault {
            Fault::Refused(errno) => VifError::Write { key, value: value.into(), errno },
            fault => VifError::Xenstore(fault),
        })
    }

    /// Returns the owner of the interface with a name: as netback says or, if it does not, as the last call left the keys.
    pub(super) fn owner(&mut self, kernel: &Kernel, name: &InterfaceName) -> Result<Owner, Fault> {
        if let Some(node) = kernel.link_file(name.as_bytes(), LinkFile::XENBUS_NODE) {
            let is_ours = self.path.as_ref().is_some_and(|path| path.trim_matches('/').ends_with(&node));
            return Ok(if is_ours { Owner::Us } else { Owner::Another });
        }
        Ok(match self.value("hotplug-status")?.as_deref() {
            Some("connected") => Owner::Us,
            Some("error") => Owner::Another,
            _ => Owner::Unknown,
        })
    }

    /// Reports a failure to the toolstack: both keys in one transaction, since it waits for either.
    pub(super) fn report(&mut self, text: &[u8]) {
        let _ = self.connect();
        let (Some(error), Some(status)) = (self.key("hotplug-error"), self.key("hotplug-status")) else { return };
        let text = &text[..text.len().min(TEXT_MAX)];
        if let Some(store) = self.store() {
            let _ = store.write_together(&[(&error, text), (&status, b"error")]);
        }
    }
}

/// Returns a text that is a decimal number.
fn number(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the guest's end of a backend, whose path ends with the guest's number and the device's.
fn frontend(backend: &str) -> Option<String> {
    let mut numbers = backend.rsplit('/');
    let (device, domain) = (number(numbers.next()?)?, number(numbers.next()?)?);
    Some(["/local/domain/", domain, "/device/vif/", device].concat())
}

/// Returns the backend of the interface for which a device model's tap stands in: `vif1.0-emu`, before Xen 4.2 `tap1.0`.
pub(super) fn backend_of_tap(tap: &InterfaceName) -> Option<String> {
    let numbers = tap.as_str().strip_prefix("vif").or_else(|| tap.as_str().strip_prefix("tap"))?;
    let (domain, device) = numbers.strip_suffix("-emu").unwrap_or(numbers).split_once('.')?;
    Some(["/local/domain/0/backend/vif/", number(domain)?, "/", number(device)?].concat())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn name(name: &str) -> InterfaceName {
        name.parse().unwrap()
    }

    #[test]
    fn netback_knows_the_owner_of_an_interface() {
        let root = std::env::temp_dir().join(format!("brouter-keys-{}", std::process::id()));
        let device = root.join("sys/class/net/guest0/device");
        fs::create_dir_all(&device).unwrap();
        fs::write(device.join("nodename"), "backend/vif/1/0\n").unwrap();
        let kernel = Kernel::at(&root);
        for (path, owner) in [
            ("/local/domain/0/backend/vif/1/0", Owner::Us),
            ("backend/vif/1/0", Owner::Us),
            ("/local/domain/0/backend/vif/2/0", Owner::Another),
            ("/local/domain/0/backend/vif/11/0", Owner::Another),
        ] {
            let mut keys = Keys::new(Some(path.into()), None);
            assert_eq!(keys.owner(&kernel, &name("guest0")), Ok(owner), "{path}");
            // neither netback nor the toolstack says
            assert_eq!(keys.owner(&kernel, &name("guest1")), Ok(Owner::Unknown));
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn paths_of_both_ends() {
        let backends = [
            ("vif1.0-emu", Some("/local/domain/0/backend/vif/1/0")),
            ("vif12.3-emu", Some("/local/domain/0/backend/vif/12/3")),
            ("tap1.0", Some("/local/domain/0/backend/vif/1/0")),
            ("vif1.0", Some("/local/domain/0/backend/vif/1/0")),
            ("guest0-emu", None),
            ("vif1.-emu", None),
            ("vif1.0.0-emu", None),
            ("tap7", None),
        ];
        for (tap, backend) in backends {
            assert_eq!(backend_of_tap(&name(tap)).as_deref(), backend, "{tap}");
        }
        for path in ["/local/domain/0/backend/vif/7/1", "backend/vif/7/1"] {
            assert_eq!(frontend(path).as_deref(), Some("/local/domain/7/device/vif/1"));
        }
        assert_eq!(frontend("/nosuch"), None);
        assert_eq!(frontend("/local/domain/0/backend/vif/x/1"), None);
    }
}
