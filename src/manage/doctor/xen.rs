//! What Xen's toolstack tells of guests' interfaces.

use nix::errno::Errno;

use super::Problems;
use super::scene::Scene;
use crate::xenstore::{Fault, Store};

/// Whether this host has a xenstore, reachable or not.
fn is_xen(scene: &Scene, problems: &mut Problems) -> bool {
    let kernel = scene.kernel;
    let is_xen = scene.xenstored.is_some()
        || kernel.has_file("/proc/xen/capabilities")
        || kernel.has_file("/run/xenstored/socket")
        || kernel.has_file("/var/run/xenstored/socket")
        || kernel.text("/sys/hypervisor/type").is_ok_and(|text| text == "xen");
    if !is_xen {
        problems.well("this is no Xen host", &[]);
    }
    is_xen
}

/// Whether xenstored answers.
pub(super) fn xenstored(scene: &Scene, problems: &mut Problems) {
    if !is_xen(scene, problems) {
        return;
    }
    let asked = Store::open(scene.xenstored.clone()).and_then(|mut store| store.list("/"));
    match asked {
        Err(Fault::Refused(errno)) => problems.not_known(&errno),
        Err(fault @ Fault::Unreachable { errno: Errno::EACCES, .. }) => problems.not_known(&fault.to_string()),
        Err(fault) => {
            let scripts = ["/etc/init.d/xencommons", "/etc/init.d/xenstored", "/etc/init.d/xen", "/etc/init.d/xend"];
            let script = scripts.into_iter().find(|script| scene.kernel.has_file(script));
            let text = if script.is_some() { "%0\n%1 start" } else { "%0\nsystemctl start xenstored" };
            problems.failure(text, &[&fault.to_string(), script.unwrap_or_default()]);
        }
        Ok(_) => problems.well("answers", &[]),
    }
}

/// Whether a guest's interface could not be attached, or has another's hardware address.
pub(super) fn hotplug(scene: &Scene, problems: &mut Problems) {
    if !is_xen(scene, problems) {
        return;
    }
    let Ok(mut store) = Store::open(scene.xenstored.clone()) else {
        return problems.not_known("xenstored cannot be asked");
    };
    let mut macs: Vec<(String, String)> = Vec::new();
    descend(&mut store, "/local/domain", 0, &mut macs, problems);
    problems.well("all interfaces of guests are attached", &[]);
}

/// From the domains by those that have backends, and their guests, to the interfaces.
fn descend(store: &mut Store, path: &str, depth: u8, macs: &mut Vec<(String, String)>, problems: &mut Problems) {
    for name in store.list(path).unwrap_or_default() {
        let below = [path, "/", &name, if depth == 0 { "/backend/vif" } else { "" }].concat();
        match depth {
            2 => interface(store, [&below, path.rsplit('/').next().unwrap_or_default(), &name], macs, problems),
            _ => descend(store, &below, depth + 1, macs, problems),
        }
    }
}

fn interface(
    store: &mut Store,
    [path, guest, device]: [&str; 3],
    macs: &mut Vec<(String, String)>,
    problems: &mut Problems,
) {
    let mut value = |name: &str| {
        let value = store.read(&[path, "/", name].concat()).unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    };
    let (status, error) = (value("hotplug-status"), value("hotplug-error"));
    // one that was mended keeps the error of before
    if status == "error" || !error.is_empty() && status != "connected" {
        let (script, name) = (value("script"), value("vifname"));
        let or = |value: &str, default: String| if value.is_empty() { default } else { value.into() };
        let name = or(&name, ["vif", guest, ".", device].concat());
        let script = or(&script, "/etc/xen/scripts/vif-bridge".into());
        problems.failure("%0/hotplug-error: %1\nXENBUS_PATH=%0 vif=%2 %3 online", &[path, &error, &name, &script]);
    }
    let mac = value("mac");
    if let Some((_, other)) = macs.iter().find(|(seen, _)| *seen == mac && !mac.is_empty()) {
        let text = "guest %0 has the hardware address %2 of guest %3\nxl network-detach %0 %1";
        problems.failure(text, &[guest, device, &mac, other]);
    }
    macs.push((mac, guest.into()));
}
