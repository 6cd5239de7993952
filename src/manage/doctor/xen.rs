//! What Xen's toolstack says of guests' interfaces.

use nix::errno::Errno;

use super::report::Report;
use super::subject::Host;
use crate::net::InterfaceName;
use crate::shell::quoted;
use crate::xenstore::{Fault, Store};

/// Returns whether this host has a xenstore, reachable or not.
pub(super) fn is_xen(host: &Host, report: &mut Report) -> bool {
    let kernel = host.snapshot.kernel;
    let is_xen = host.xenstored.is_some()
        || kernel.has_file("/proc/xen/capabilities")
        || kernel.has_file("/run/xenstored/socket")
        || kernel.has_file("/var/run/xenstored/socket")
        || kernel.text("/sys/hypervisor/type").is_ok_and(|text| text == "xen");
    if !is_xen {
        report.ok("this is not a Xen host");
    }
    is_xen
}

/// Checks whether xenstored answers.
pub(super) fn xenstored(host: &Host, report: &mut Report) {
    if !is_xen(host, report) {
        return;
    }
    let asked = Store::open(host.xenstored.clone()).and_then(|mut store| store.list("/"));
    match asked {
        Err(fault @ (Fault::Refused(_) | Fault::Unreachable { errno: Errno::EACCES, .. })) => {
            report.unknown(&fault.to_string());
        }
        Err(fault) => {
            let scripts = ["/etc/init.d/xencommons", "/etc/init.d/xenstored", "/etc/init.d/xen", "/etc/init.d/xend"];
            let script = scripts.into_iter().find(|script| host.snapshot.kernel.has_file(script));
            let start = script.map_or("systemctl start xenstored".into(), |script| format!("{script} start"));
            report.failure(fault.to_string(), start);
        }
        Ok(_) => report.ok("answers"),
    }
}

/// Checks whether a guest's interface could not be attached, or has another's hardware address.
pub(super) fn hotplug(host: &Host, report: &mut Report) {
    if !is_xen(host, report) {
        return;
    }
    let Ok(mut store) = Store::open(host.xenstored.clone()) else {
        return report.unknown("xenstored cannot be asked");
    };
    let mut macs: Vec<(String, String)> = Vec::new();
    let Backends { backends, mut are_all, .. } = Backends::read(&mut store);
    for backend in backends {
        let mac = backend.value(&mut store, "mac");
        are_all &= backend.check_hotplug(host, &mut store, report);
        if let Some((_, other)) = macs.iter().find(|(seen, _)| *seen == mac && !mac.is_empty()) {
            let evidence = format!("guest {} has the hardware address {mac} of guest {other}", backend.guest);
            report.failure(evidence, backend.detach());
        }
        macs.push((mac, backend.guest));
    }
    if !are_all {
        let evidence = format!("only the first {CHECKED} interfaces that xenstored lists in time are checked");
        report.warning(evidence, "xenstore-ls -f /local/domain | grep hotplug-error".into());
    }
    report.ok("all interfaces of guests are attached");
}

/// Interfaces that are checked at most.
const CHECKED: usize = 1000;

/// Backends of guests' interfaces.
pub(super) struct Backends {
    pub(super) backends: Vec<Backend>,
    /// Whether there are no more.
    are_all: bool,
    /// Folders that may still be listed.
    folders: usize,
}

impl Backends {
    /// Reads them: a bounded number, from a bounded number of folders.
    pub(super) fn read(store: &mut Store) -> Self {
        let mut read = Backends { backends: Vec::new(), are_all: true, folders: 2 * CHECKED };
        for domain in read.list(store, "/local/domain") {
            let path = format!("/local/domain/{domain}/backend/vif");
            for guest in read.list(store, &path) {
                let path = format!("{path}/{guest}");
                let devices = read.list(store, &path).into_iter();
                let backend = |device| Backend { path: format!("{path}/{device}"), guest: guest.clone(), device };
                read.backends.extend(devices.map(backend));
            }
        }
        read.are_all &= read.backends.len() <= CHECKED;
        read.backends.truncate(CHECKED);
        read
    }

    fn list(&mut self, store: &mut Store, path: &str) -> Vec<String> {
        if self.folders == 0 || self.backends.len() > CHECKED {
            self.are_all = false;
            return Vec::new();
        }
        self.folders -= 1;
        store.list(path).unwrap_or_else(|fault| {
            self.are_all &= fault == Fault::Refused("ENOENT".into());
            Vec::new()
        })
    }
}

/// The backend of a guest's interface in xenstore.
pub(super) struct Backend {
    path: String,
    guest: String,
    device: String,
}

/// Xen's scripts for interfaces.
const SCRIPTS: [&str; 4] = ["vif-bridge", "vif-route", "vif-nat", "vif-openvswitch"];

impl Backend {
    /// Reads a key; empty if there is none.
    pub(super) fn value(&self, store: &mut Store, name: &str) -> String {
        let value = store.read(&format!("{}/{name}", self.path)).unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    }

    /// Returns whether xenstored answered.
    fn check_hotplug(&self, host: &Host, store: &mut Store, report: &mut Report) -> bool {
        let status = match store.read(&format!("{}/hotplug-status", self.path)) {
            Err(Fault::Lost(_) | Fault::Unreachable { .. }) => return false,
            status => status.unwrap_or_default(),
        };
        let error = self.value(store, "hotplug-error");
        // an interface that was mended keeps its former error
        if status != b"error" && (error.is_empty() || status == b"connected") {
            return true;
        }
        let evidence = format!("{}/hotplug-error: {error}", self.path);
        let script = self.value(store, "script");
        match self.known_script(host, &script) {
            Some(known) => report.failure(evidence, self.call(store, &known)),
            None => report.failure(format!("{evidence} (script: {script})"), self.detach()),
        }
        true
    }

    /// Returns the script as a command if it is one of Xen's. Any other could be anything: a domain that writes to
    /// xenstore may be hostile.
    pub(super) fn known_script(&self, host: &Host, script: &str) -> Option<String> {
        let name = script.rsplit('/').next().unwrap_or(script);
        let name = if name.is_empty() { SCRIPTS[0] } else { name };
        let installed = ["/etc/xen/scripts/", name].concat();
        let command = if host.snapshot.kernel.has_file(&installed) { installed } else { name.into() };
        SCRIPTS.contains(&name).then_some(command)
    }

    /// Returns the command that attaches the interface.
    pub(super) fn call(&self, store: &mut Store, script: &str) -> String {
        let name = self.interface(store);
        format!("XENBUS_PATH={} vif={} {script} online", quoted(&self.path), quoted(&name))
    }

    /// Returns the name that the interface is to have.
    pub(super) fn interface(&self, store: &mut Store) -> String {
        let vifname = self.value(store, "vifname").parse().ok();
        vifname.map_or_else(|| format!("vif{}.{}", self.guest, self.device), |name: InterfaceName| name.to_string())
    }

    fn detach(&self) -> String {
        format!("xl network-detach {} {}", quoted(&self.guest), quoted(&self.device))
    }
}
