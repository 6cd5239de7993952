//! What the toolstack and `vif-bridge` tell each other: keys in xenstore under the path of the interface's backend.

use std::ffi::OsString;

use crate::error::{Failure, Outcome, line};
use crate::kernel::Kernel;
use crate::xenstore::{Fault, Store};

/// The keys of one interface.
pub(super) struct Keys {
    /// The path of its backend, `/local/domain/0/backend/vif/1/0`. Xen 3 leaves out the domain.
    pub(super) path: Option<String>,
    place: Option<OsString>,
    store: Option<Store>,
    is_tried: bool,
}

/// Whose an interface is that has the name which ours is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Us,
    Another,
    Unknown,
}

impl Keys {
    /// `place` is where xenstored is to be found, if that was said.
    pub(super) fn new(path: Option<OsString>, place: Option<OsString>) -> Self {
        let path = path.map(|path| path.to_string_lossy().into_owned()).filter(|path| !path.is_empty());
        Keys { path, place, store: None, is_tried: false }
    }

    /// Connects to xenstore.
    pub(super) fn open(&mut self) -> Outcome {
        self.is_tried = true;
        self.store = Some(Store::open(self.place.take()).map_err(told)?);
        Ok(())
    }

    fn key(&self, name: &str) -> Option<String> {
        self.path.as_deref().map(|path| [path, "/", name].concat())
    }

    /// The value of a key; nothing if it is not there, or not for us to read.
    pub(super) fn value(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let (Some(key), Some(store)) = (self.key(name), &mut self.store) else { return Ok(None) };
        match store.read(&key) {
            Ok(value) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            Err(Fault::Refused(_)) => Ok(None),
            Err(fault) => Err(told(fault)),
        }
    }

    /// Sets a key.
    pub(super) fn write(&mut self, name: &str, value: &str) -> Outcome {
        let Some(key) = self.key(name) else { return Ok(()) };
        self.set(&key, value)
    }

    fn set(&mut self, key: &str, value: &str) -> Outcome {
        let Some(store) = &mut self.store else { return Ok(()) };
        store.write(key, value.as_bytes()).map_err(|fault| match fault {
            Fault::Refused(errno) => Failure::new(line!("Writing ", key, " ", value, " to xenstore failed: ", errno)),
            lost => told(lost),
        })
    }

    /// Tells the guest how many bytes a frame may carry.
    pub(super) fn tell_frontend(&mut self, mtu: &str) -> Outcome {
        let frontend = self.path.as_deref().and_then(frontend);
        frontend.map_or(Ok(()), |frontend| self.set(&[&frontend, "/mtu"].concat(), mtu))
    }

    /// Whose the interface of this name is, as far as netback says; else as far as the last call got.
    pub(super) fn owner(&mut self, kernel: &Kernel, name: &str) -> Result<Owner, Failure> {
        if let Some(node) = kernel.xenbus_node(name.as_bytes()) {
            let is_ours = self.path.as_ref().is_some_and(|path| path.trim_matches('/').ends_with(&node));
            return Ok(if is_ours { Owner::Us } else { Owner::Another });
        }
        Ok(match self.value("hotplug-status")?.as_deref() {
            Some("connected") => Owner::Us,
            Some("error") => Owner::Another,
            _ => Owner::Unknown,
        })
    }

    /// Tells the toolstack that the interface is not to be had, and why: both at once, since it waits for one of the two keys.
    pub(super) fn report(&mut self, text: &[u8]) {
        if !self.is_tried {
            // it had not come to that
            let _ = self.open();
        }
        let (Some(error), Some(status), Some(store)) =
            (self.key("hotplug-error"), self.key("hotplug-status"), &mut self.store)
        else {
            return;
        };
        // a payload has 4096 bytes, with the key
        let text = &text[..text.len().min(2048)];
        let _ = store.write_together(&[(&error, text), (&status, b"error")]);
    }
}

fn told(fault: Fault) -> Failure {
    Failure::new(line!(fault.to_string()))
}

/// A text that is a number.
fn number(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The guest's end of a backend, which has the guest's number and the device's last in its path.
fn frontend(backend: &str) -> Option<String> {
    let mut numbers = backend.rsplit('/');
    let (device, domain) = (number(numbers.next()?)?, number(numbers.next()?)?);
    Some(["/local/domain/", domain, "/device/vif/", device].concat())
}

/// The backend of the interface that a device model's tap stands in for: `vif1.0-emu`, with Xen before 4.2 `tap1.0`.
pub(super) fn backend_of_tap(tap: &str) -> Option<String> {
    let numbers = tap.strip_prefix("vif").or_else(|| tap.strip_prefix("tap"))?;
    let (domain, device) = numbers.strip_suffix("-emu").unwrap_or(numbers).split_once('.')?;
    Some(["/local/domain/0/backend/vif/", number(domain)?, "/", number(device)?].concat())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn netback_knows_whose_an_interface_is() {
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
            assert_eq!(keys.owner(&kernel, "guest0"), Ok(owner), "{path}");
            // neither netback nor the toolstack has said
            assert_eq!(keys.owner(&kernel, "guest1"), Ok(Owner::Unknown));
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
            assert_eq!(backend_of_tap(tap).as_deref(), backend, "{tap}");
        }
        for path in ["/local/domain/0/backend/vif/7/1", "backend/vif/7/1"] {
            assert_eq!(frontend(path).as_deref(), Some("/local/domain/7/device/vif/1"));
        }
        assert_eq!(frontend("/nosuch"), None);
        assert_eq!(frontend("/local/domain/0/backend/vif/x/1"), None);
    }
}
