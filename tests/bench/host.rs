//! Hosts to measure on: network namespaces with a /sys of their own, among which this process moves.

use std::fs::{self, File};
use std::io;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Gid, Uid};

/// A network of its own, with `lo` and nothing else to begin with.
pub(crate) struct Host {
    network: File,
    mounts: File,
}

/// Leaves the machine's mounts behind, for good. What is written to /run from now on ends with this process.
/// To be called before any thread starts.
pub(crate) fn leave_the_machine() -> Result<(), String> {
    let (user, group) = (Uid::effective(), Gid::effective());
    if user.is_root() {
        unshare(CloneFlags::CLONE_NEWNS).map_err(refused)?;
    } else {
        // In a user namespace of their own ordinary users may do to their own network what root may do to the machine's.
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUSER).map_err(refused)?;
        // The kernel takes a gid_map from an ordinary user only once setgroups is given up.
        fs::write("/proc/self/setgroups", "deny").map_err(failed)?;
        fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(failed)?;
        fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(failed)?;
    }
    // First, no mount may show outside.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).map_err(refused)?;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), None::<&str>).map_err(refused)
}

impl Host {
    /// Makes a host, and moves there.
    pub(crate) fn new() -> Result<Self, String> {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).map_err(refused)?;
        mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), None::<&str>).map_err(refused)?;
        // Else the kernel has more to do in the background for every link that comes up.
        for links in ["all", "default"] {
            let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{links}/disable_ipv6"), "1");
        }
        let open = |kind: &str| File::open(format!("/proc/self/ns/{kind}")).map_err(failed);
        Ok(Self { network: open("net")?, mounts: open("mnt")? })
    }

    /// Moves to this host. Programs started from now on run there.
    pub(crate) fn enter(&self) -> Result<(), String> {
        setns(&self.network, CloneFlags::CLONE_NEWNET).map_err(refused)?;
        setns(&self.mounts, CloneFlags::CLONE_NEWNS).map_err(refused)
    }
}

fn failed(error: io::Error) -> String {
    format!("cannot make namespaces: {error}")
}

fn refused(errno: Errno) -> String {
    format!(
        "cannot make namespaces: {}: run this as root, or let ordinary users have them (sysctl \
         kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)",
        errno.desc()
    )
}
