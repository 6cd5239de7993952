//! The keys by which the toolstack and a vif script communicate: in xenstore, below the path of the interface's backend.

use std::ffi::OsString;
use std::time::Duration;

use super::error::VifError;
use crate::kernel::{Kernel, LinkFile};
use crate::net::InterfaceName;
use crate::xenstore::{Fault, Sent, Store};

/// Bytes of an error text in xenstore: a payload has 4096, with the key.
const TEXT_MAX: usize = 2048;

/// Time for a report on a connection of its own.
const REPORT_PATIENCE: Duration = Duration::from_secs(2);

/// The keys of one interface.
pub(in crate::xen) struct Keys {
    /// The path of its backend, `/local/domain/0/backend/vif/1/0`. Xen 3 leaves out the domain.
    pub(in crate::xen) path: Option<String>,
    /// Where to connect, if the environment says so.
    place: Option<OsString>,
    store: Option<Store>,
    /// Keys that have been asked for, and whose values have not been received.
    awaited: Option<(Vec<&'static str>, Sent)>,
    /// Keys whose values have been received, by name.
    known: Vec<(&'static str, Result<Vec<u8>, Fault>)>,
}

/// Owner of the interface that already has our target name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::xen) enum Owner {
    Us,
    Another,
    Unknown,
}

impl Keys {
    /// Returns the keys below a path. xenstored is at `place`, if that is set.
    pub(in crate::xen) fn new(path: Option<OsString>, place: Option<OsString>) -> Self {
        let path = path.map(|path| path.to_string_lossy().into_owned()).filter(|path| !path.is_empty());
        Keys { path, place, store: None, awaited: None, known: Vec::new() }
    }

    /// Connects to xenstored.
    pub(in crate::xen) fn connect(&mut self) -> Result<(), Fault> {
        self.store = Some(Store::open(self.place.clone())?);
        Ok(())
    }

    /// Asks xenstored for several keys at once. The answers are received when the first one is needed, so that xenstored is at work
    /// until then. Each answer serves one later question for its key.
    pub(in crate::xen) fn read_ahead(&mut self, names: Vec<&'static str>) {
        let keys: Option<Vec<String>> = names.iter().map(|name| self.key(name)).collect();
        if let (Some(keys), Some(store)) = (keys, &mut self.store) {
            // a key that is too long is said when it is needed
            self.awaited = store.send_reads(&keys).ok().map(|sent| (names, sent));
        }
    }

    /// Returns the connection, if there is one, when all answers have been received.
    fn store(&mut self) -> Result<Option<&mut Store>, Fault> {
        let Some(store) = &mut self.store else { return Ok(None) };
        if let Some((names, sent)) = self.awaited.take() {
            self.known = names.into_iter().zip(store.receive(sent)?).collect();
        }
        Ok(Some(store))
    }

    fn key(&self, name: &str) -> Option<String> {
        self.path.as_deref().map(|path| [path, "/", name].concat())
    }

    /// Returns the value of a key; `None` if it does not exist.
    ///
    /// # Errors
    /// xenstored does not answer, or refuses; the value holds a NUL.
    pub(in crate::xen) fn value(&mut self, name: &str) -> Result<Option<String>, VifError> {
        let Some(key) = self.key(name) else { return Ok(None) };
        if self.store().map_err(VifError::Xenstore)?.is_none() {
            return Ok(None);
        }
        let known = self.known.iter().position(|(other, _)| *other == name);
        let value = match (known, &mut self.store) {
            (Some(place), _) => self.known.swap_remove(place).1,
            (None, Some(store)) => store.read(&key),
            (None, None) => return Ok(None),
        };
        match value {
            Ok(value) if value.contains(&0) => Err(VifError::Value { key }),
            Ok(value) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            Err(Fault::Refused(errno)) if errno == "ENOENT" => Ok(None),
            Err(Fault::Refused(errno)) => Err(VifError::Read { key, errno }),
            Err(fault) => Err(VifError::Xenstore(fault)),
        }
    }

    /// Says that the interface is connected, and calls a function while xenstored is at work.
    pub(in crate::xen) fn set_connected(&mut self, meanwhile: &mut dyn FnMut()) -> Result<(), VifError> {
        self.write(self.key("hotplug-status"), "connected", meanwhile)
    }

    /// Sets the guest's own key of bytes that a frame may carry, if there is a number for it, and calls a function while xenstored is
    /// at work.
    pub(in crate::xen) fn set_mtu_of_guest(
        &mut self,
        mtu: Option<&str>,
        meanwhile: &mut dyn FnMut(),
    ) -> Result<(), VifError> {
        let frontend = self.path.as_deref().and_then(frontend).filter(|_| mtu.is_some());
        self.write(frontend.map(|frontend| frontend + "/mtu"), mtu.unwrap_or_default(), meanwhile)
    }

    /// Sets a key, if there is one, and calls a function while xenstored is at work.
    fn write(&mut self, key: Option<String>, value: &str, meanwhile: &mut dyn FnMut()) -> Result<(), VifError> {
        let (Some(key), Some(store)) = (key, self.store().map_err(VifError::Xenstore)?) else {
            meanwhile();
            return Ok(());
        };
        let sent = store.send_write(&key, value.as_bytes());
        meanwhile();
        let answers = sent.and_then(|sent| store.receive(sent)).and_then(|answers| answers.into_iter().collect());
        answers.map(|_: Vec<_>| ()).map_err(|fault| write_error(key, value, fault))
    }

    /// Returns the owner of the interface with a name: as netback says or, if it does not, as the last call left the keys.
    pub(in crate::xen) fn owner(&mut self, kernel: &Kernel, name: &InterfaceName) -> Result<Owner, VifError> {
        let node = kernel.read_link_file(name.as_bytes(), LinkFile::XENBUS_NODE);
        if let Some(node) = node.map_err(|errno| VifError::link(name, "find out whose it is", errno))? {
            let is_ours = self.path.as_ref().is_some_and(|path| path.trim_matches('/').ends_with(&node));
            return Ok(if is_ours { Owner::Us } else { Owner::Another });
        }
        Ok(match self.value("hotplug-status")?.as_deref() {
            Some("connected") => Owner::Us,
            Some("error") => Owner::Another,
            _ => Owner::Unknown,
        })
    }

    /// Reports a failure to the toolstack: both keys in one transaction, since it waits for either. A connection that was lost, or
    /// never made, is tried again.
    pub(in crate::xen) fn report(&mut self, text: &[u8]) {
        let (Some(error), Some(status)) = (self.key("hotplug-error"), self.key("hotplug-status")) else { return };
        let text = &text[..text.len().min(TEXT_MAX)];
        let pairs: [(&str, &[u8]); 2] = [(&error, text), (&status, b"error")];
        if let Ok(Some(store)) = self.store()
            && !matches!(store.write_together(&pairs), Err(Fault::Lost(_)))
        {
            return;
        }
        let _ =
            Store::open_within(self.place.clone(), REPORT_PATIENCE).and_then(|mut store| store.write_together(&pairs));
    }
}

fn write_error(key: String, value: &str, fault: Fault) -> VifError {
    match fault {
        Fault::Refused(errno) => VifError::Write { key, value: value.into(), errno },
        fault => VifError::Xenstore(fault),
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
pub(in crate::xen) fn backend_of_tap(tap: &InterfaceName) -> Option<String> {
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
            assert_eq!(keys.owner(&kernel, &name("guest0")).ok(), Some(owner), "{path}");
            // neither netback nor the toolstack says
            assert_eq!(keys.owner(&kernel, &name("guest1")).ok(), Some(Owner::Unknown));
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
