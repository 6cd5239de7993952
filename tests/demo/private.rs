//! Private namespaces: an empty network, and a /sys that shows it.

use std::fs::{self, File};
use std::io::ErrorKind;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

/// Moves this process into private network and mount namespaces. Must be called before any thread starts.
pub(crate) fn enter() -> Result<(), String> {
    let (user, group) = (Uid::effective(), Gid::effective());
    tap_devices_can_be_made()?;

    let mut namespaces = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    if !user.is_root() {
        // In a user namespace of its own, an ordinary user may change its own network as root may change the machine's.
        namespaces |= CloneFlags::CLONE_NEWUSER;
    }
    unshare(namespaces).map_err(|e| refused("create private namespaces", e.desc()))?;
    if !user.is_root() {
        // The kernel accepts a gid_map from an ordinary user only after setgroups is denied.
        let maps = (format!("0 {user} 1"), format!("0 {group} 1"));
        for (file, text) in [("setgroups", "deny"), ("uid_map", &maps.0), ("gid_map", &maps.1)] {
            let path = format!("/proc/self/{file}");
            fs::write(&path, text).map_err(|e| refused(&format!("write {path}"), &e.to_string()))?;
        }
    }

    // First, keep mounts from propagating outside. Then mount a sysfs that shows our network instead of the machine's, and an
    // empty /run for locks and state.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    for (kind, target, flags) in
        [(None, "/", private), (Some("sysfs"), "/sys", MsFlags::empty()), (Some("tmpfs"), "/run", MsFlags::empty())]
    {
        mount(kind, target, kind, flags, None::<&str>)
            .map_err(|e| refused(&format!("mount a private {target}"), e.desc()))?;
    }
    Ok(())
}

/// Checks that TAP devices can be created. Opening the device creates no interface yet.
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
         Run the demo as root, or allow ordinary users to create namespaces; as root:\n  \
         sysctl user.max_user_namespaces=10000\n  \
         sysctl kernel.unprivileged_userns_clone=1                (if the kernel has it)\n  \
         sysctl kernel.apparmor_restrict_unprivileged_userns=0    (if the kernel has it)"
    )
}
