//! What Xen's toolstack says of guests' interfaces.

use nix::errno::Errno;

use super::report::Report;
use super::subject::Host;
use crate::shell::quoted;
use crate::xenstore::{Fault, Store};

/// Returns whether this host has a xenstore, reachable or not.
fn is_xen(host: &Host, report: &mut Report) -> bool {
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
    let mut names = |path: &str| store.list(path).unwrap_or_default();
    let mut backends = Vec::new();
    for domain in names("/local/domain") {
        let path = format!("/local/domain/{domain}/backend/vif");
        for guest in names(&path) {
            let path = format!("{path}/{guest}");
            backends.extend(names(&path).into_iter().map(|device| Backend {
                path: format!("{path}/{device}"),
                guest: guest.clone(),
                device,
            }));
        }
    }
    for backend in backends {
        let mac = backend.value(&mut store, "mac");
        backend.check_hotplug(&mut store, report);
        if let Some((_, other)) = macs.iter().find(|(seen, _)| *seen == mac && !mac.is_empty()) {
            let Backend { guest, device, .. } = &backend;
            let evidence = format!("guest {guest} has the hardware address {mac} of guest {other}");
            report.failure(evidence, format!("xl network-detach {} {}", quoted(guest), quoted(device)));
        }
        macs.push((mac, backend.guest));
    }
    report.ok("all interfaces of guests are attached");
}

/// The backend of a guest's interface in xenstore.
struct Backend {
    path: String,
    guest: String,
    device: String,
}

impl Backend {
    /// Reads a key; empty if there is none.
    fn value(&self, store: &mut Store, name: &str) -> String {
        let value = store.read(&format!("{}/{name}", self.path)).unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    }

    fn check_hotplug(&self, store: &mut Store, report: &mut Report) {
        let (status, error) = (self.value(store, "hotplug-status"), self.value(store, "hotplug-error"));
        // an interface that was mended keeps its former error
        if status != "error" && (error.is_empty() || status == "connected") {
            return;
        }
        let or = |value: String, default: String| if value.is_empty() { default } else { value };
        let name = or(self.value(store, "vifname"), format!("vif{}.{}", self.guest, self.device));
        let script = or(self.value(store, "script"), "/etc/xen/scripts/vif-bridge".into());
        let path = &self.path;
        report.failure(
            format!("{path}/hotplug-error: {error}"),
            format!("XENBUS_PATH={} vif={} {} online", quoted(path), quoted(&name), quoted(&script)),
        );
    }
}
