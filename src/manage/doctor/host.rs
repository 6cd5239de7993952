//! What all networks stand on: the kernel and /sys.

use super::Problems;
use super::scene::Scene;
use crate::kernel::{Source, Sysfs};

/// Whether there are bridges, or could be.
pub(super) fn kernel(scene: &Scene, problems: &mut Problems) {
    let kernel = scene.kernel;
    let release = kernel.release();
    let release = release.to_string_lossy();
    let names_module = |file: &str| {
        let text = kernel.text(&["/lib/modules/", &release, file].concat()).unwrap_or_default();
        text.lines().any(|line| line.split(':').next().is_some_and(|module| module.ends_with("/net/bridge/bridge.ko")))
    };
    if let [first, ..] = scene.bridges.as_slice() {
        if scene.nets.is_empty() {
            problems.failure("no bridge has an address\nip addr add 192.168.10.1/24 dev %0", &[first]);
        }
        return problems.well("there are bridges: %0", &[&scene.bridges.join(" ")]);
    }
    let can = kernel.has_file("/sys/module/bridge")
        || kernel.has_file("/proc/sys/net/bridge")
        || names_module("/modules.builtin")
        || names_module("/modules.dep")
        // where there are modules that could be loaded, to ask the kernel would load one
        || !kernel.has_file(&["/lib/modules/", &release].concat()) && kernel.bridges(Source::Sysfs).is_ok();
    if !can {
        let text = "no bridge, and Linux %0 has none: not in /sys/module, not in /lib/modules/%0\nmodprobe bridge";
        problems.failure(text, &[&release]);
    } else if scene.nets.is_empty() {
        problems.failure("there is no bridge\nbrouter up xenbr0 --address 192.168.10.1/24 --masquerade", &[]);
    }
    problems.well("no bridge yet, but the kernel can have them", &[]);
}

/// Whether /sys shows what there is.
pub(super) fn sysfs(scene: &Scene, problems: &mut Problems) {
    let state = scene.kernel.sysfs();
    if state != Sysfs::Own {
        problems.warning(
            match state {
                Sysfs::Missing => "/sys/class/net is not there\nmount -t sysfs sysfs /sys",
                _ => {
                    "/sys shows another network namespace: tools that believe it change its bridges\n\
                     unshare -m sh -c 'mount -t sysfs sysfs /sys && exec sh'"
                }
            },
            &[],
        );
    }
    problems.well("/sys/class/net shows this network namespace", &[]);
}
