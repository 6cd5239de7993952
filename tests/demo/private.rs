//! Namespaces of our own: a network in which nothing is anybody else's, and a /sys that shows it.

use std::fs::{self, File};
use std::io::ErrorKind;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

/// Leaves the machine's network and mounts behind. To be called before any thread starts.
pub(crate) fn enter() -> Result<(), String> {
    let (user, group) = (Uid::effective(), Gid::effective());
    tap_devices_can_be_made()?;

    let mut namespaces = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    if !user.is_root() {
        // In a user namespace of their own ordinary users may do to their own network what root may
        // do to the machine's.
        namespaces |= CloneFlags::CLONE_NEWUSER;
    }
    unshare(namespaces).map_err(|e| refused("make private namespaces", e.desc()))?;
    if !user.is_root() {
        // The kernel takes a gid_map from an ordinary user only once setgroups is given up.
        let maps = (format!("0 {user} 1"), format!("0 {group} 1"));
        for (file, text) in [("setgroups", "deny"), ("uid_map", &maps.0), ("gid_map", &maps.1)] {
            let path = format!("/proc/self/{file}");
            fs::write(&path, text).map_err(|e| refused(&format!("write {path}"), &e.to_string()))?;
        }
    }

    // First, no mount may show outside. Then a new sysfs, which shows our network and not the
    // machine's, and an empty /run, for locks and state.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    for (kind, target, flags) in
        [(None, "/", private), (Some("sysfs"), "/sys", MsFlags::empty()), (Some("tmpfs"), "/run", MsFlags::empty())]
    {
        mount(kind, target, kind, flags, None::<&str>)
            .map_err(|e| refused(&format!("have a private {target}"), e.desc()))?;
    }
    Ok(())
}

/// Opening the device alone makes no interface.
fn tap_devices_can_be_made() -> Result<(), String> {
    const DEVICE: &str = "/dev/net/tun";
    match File::options().read(true).write(true).open(DEVICE) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            Err(format!("this user may not open {DEVICE}: run the demo as root"))
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Err(format!("there is no {DEVICE}: as root, `modprobe tun`")),
        Err(e) => Err(format!("cannot open {DEVICE}: {e}")),
    }
}

fn refused(what: &str, cause: &str) -> String {
    format!(
        "cannot {what}: {cause}\n\
         Run the demo as root, or let ordinary users have namespaces, which root does by:\n  \
         sysctl user.max_user_namespaces=10000\n  \
         sysctl kernel.unprivileged_userns_clone=1                (if the kernel has this one)\n  \
         sysctl kernel.apparmor_restrict_unprivileged_userns=0    (if the kernel has this one)"
    )
}
