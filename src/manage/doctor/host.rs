//! What all networks stand on: the kernel and /sys.

use super::report::Report;
use super::subject::Host;
use crate::error::errno_text;
use crate::kernel::{Kernel, Source, Sysfs};
use crate::shell::quoted;

/// Checks whether there are bridges, or could be.
pub(super) fn kernel(host: &Host, report: &mut Report) {
    let kernel = host.snapshot.kernel;
    if let Err(errno) = host.snapshot.bridge_names() {
        report.unknown(&format!("bridges cannot be listed: {}", errno_text(errno)));
    }
    let names: Vec<_> = host.bridges.iter().map(|bridge| bridge.name.to_string_lossy()).collect();
    // with routed guests alone a host needs no bridge
    let has_routed = host.snapshot.all_routes().any(|route| route.interface.as_encoded_bytes().starts_with(b"vif"));
    let has_network = !host.networks.is_empty() || has_routed;
    if let [first, ..] = names.as_slice() {
        if !has_network {
            let command = format!("ip addr add {} dev {}", host.free(), quoted(first));
            report.failure("no bridge has an address".into(), command);
        }
        return report.ok(format!("there are bridges: {}", names.join(" ")));
    }
    let release = kernel.release().to_string_lossy().into_owned();
    if !can_have_bridges(kernel, &release) {
        let evidence =
            format!("no bridge, and Linux {release} has none: not in /sys/module, not in /lib/modules/{release}");
        report.failure(evidence, "modprobe bridge".into());
    } else if !has_network {
        let command = format!("brouter up xenbr0 --address {} --masquerade", host.free());
        report.failure("there is no bridge".into(), command);
    }
    report.ok("no bridge yet, but the kernel supports them");
}

/// Returns whether the kernel has bridges, or a module for them. Where it has modules, to ask would make it load one.
fn can_have_bridges(kernel: &Kernel, release: &str) -> bool {
    let names_module = |file: &str| {
        let text = kernel.text(&format!("/lib/modules/{release}/{file}")).unwrap_or_default();
        text.lines().any(|line| line.split(':').next().is_some_and(|module| module.ends_with("/net/bridge/bridge.ko")))
    };
    kernel.has_file("/sys/module/bridge")
        || kernel.has_file("/proc/sys/net/bridge")
        || names_module("modules.builtin")
        || names_module("modules.dep")
        || !kernel.has_file(&format!("/lib/modules/{release}")) && kernel.bridges(Source::Sysfs).is_ok()
}

/// Checks whether /sys shows what there is.
pub(super) fn sysfs(host: &Host, report: &mut Report) {
    match host.snapshot.kernel.sysfs() {
        Sysfs::Own => (),
        Sysfs::Missing => {
            report.warning("/sys/class/net is missing".into(), "mount -t sysfs sysfs /sys".into());
        }
        Sysfs::Foreign => report.warning(
            "/sys shows another network namespace: tools that believe it change its bridges".into(),
            "unshare -m sh -c 'mount -t sysfs sysfs /sys && exec sh'".into(),
        ),
    }
    report.ok("/sys/class/net shows this network namespace");
}
