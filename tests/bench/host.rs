//! Hosts to measure on: network namespaces with their own /sys, between which this process moves.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Gid, Uid};

/// A network namespace that initially contains only `lo`.
pub(crate) struct Host {
    network: File,
    mounts: File,
}

/// Moves this process into a private mount namespace with an empty /run, which ends with this process. Must be called before any
/// thread starts.
pub(crate) fn leave_the_machine() -> Result<(), String> {
    let (user, group) = (Uid::effective(), Gid::effective());
    if user.is_root() {
        unshare(CloneFlags::CLONE_NEWNS).map_err(refused)?;
    } else {
        // In a user namespace of its own, an ordinary user may change its own network as root may change the machine's.
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUSER).map_err(refused)?;
        // The kernel accepts a gid_map from an ordinary user only after setgroups is denied.
        fs::write("/proc/self/setgroups", "deny").map_err(failed)?;
        fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(failed)?;
        fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(failed)?;
    }
    // First, keep mounts from propagating outside.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).map_err(refused)?;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), None::<&str>).map_err(refused)
}

impl Host {
    /// Creates a host and moves this process there.
    pub(crate) fn new() -> Result<Self, String> {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).map_err(refused)?;
        mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), None::<&str>).map_err(refused)?;
        // With IPv6 the kernel would do background work for every link that comes up.
        for links in ["all", "default"] {
            let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{links}/disable_ipv6"), "1");
        }
        let open = |kind: &str| File::open(format!("/proc/self/ns/{kind}")).map_err(failed);
        Ok(Self { network: open("net")?, mounts: open("mnt")? })
    }

    /// Puts a program in the place of another on this host alone.
    pub(crate) fn replace(&self, program: &Path, by: &Path) -> Result<(), String> {
        self.enter()?;
        mount(Some(by), program, None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(refused)
    }

    /// Moves this process to this host. Programs started afterwards run there.
    pub(crate) fn enter(&self) -> Result<(), String> {
        setns(&self.network, CloneFlags::CLONE_NEWNET).map_err(refused)?;
        setns(&self.mounts, CloneFlags::CLONE_NEWNS).map_err(refused)
    }
}

fn failed(error: io::Error) -> String {
    format!("cannot create namespaces: {error}")
}

fn refused(errno: Errno) -> String {
    format!(
        "cannot create namespaces: {}: run this as root, or allow ordinary users to create them (sysctl \
         kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)",
        errno.desc()
    )
}
