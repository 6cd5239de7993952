//! The only door to the kernel: verbs on bridges, links, addresses and routes.
//!
//! Ioctls, /sys/class/net and /proc/net, never netlink. A verb takes names as they were typed and answers with the kernel's
//! errno; what that means to a user is the commands' business. [`Kernel`] is passed in everywhere, so that readers run on a
//! folder of another host's files as well.

mod address;
mod answers;
mod bridge;
mod ioctl;
mod link;
mod procfs;
mod route;
mod sysfs;

use std::cell::{Cell, OnceCell};
use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockType};

pub use address::scope;
pub use address::{Address, Ipv6Flags, Label, Listed};
pub use answers::{Answers, BridgeAnswers};
pub use bridge::{BridgeInfo, BridgeSetting, FdbEntry, PortInfo, PortSetting, port_state};
pub use ioctl::{IFNAMSIZ, note_signals, open_socket, reset_child_signal, signal};
pub use link::{
    Count, Counters, Link, LinkFile, LinkSetting, Queue, Statistics, Traffic, Tun, TunEnd, delete_tun, flag, tun_flag,
};
pub use procfs::{Neighbour, Unreadable, net_conf};
pub use route::{
    LocalRoute, Route, Route6, RouteChange, RouteChange6, RouteKind, RoutesV4, RoutesV6, Table, flag6, is_member_v4,
    metric_in_reach,
};
pub use sysfs::{Sysfs, is_path_safe};

/// What a verb answers.
pub type Result<T, E = Errno> = std::result::Result<T, E>;

/// Which source is asked first about bridges and ports. The other one is the fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// /sys/class/net, as bridge-utils 1.7.1: names come in the order of strcmp(3).
    Sysfs,
    /// The bridge's ioctls, as bridge-utils 1.0.6: bridges and ports come in the kernel's order, and three times in its own
    /// ticks.
    Ioctl,
}

/// The running kernel, or the files that another one left.
pub struct Kernel {
    /// Where /sys and /proc are found: `/`, or a fixture's folder.
    root: PathBuf,
    /// They are found at `/`.
    is_running: bool,
    /// What ioctls told on the host whose files these are.
    answers: Option<Answers>,
    control: OnceCell<Result<OwnedFd>>,
    control_v6: OnceCell<Result<OwnedFd>>,
    /// Folders of devices, opened at the first use (see [`sysfs`]).
    virtual_net: OnceCell<Option<OwnedFd>>,
    class_net: OnceCell<Option<OwnedFd>>,
    /// Whether /sys shows this network namespace; empty until a device could tell (see [`sysfs`]).
    own_sysfs: Cell<Option<bool>>,
    unread: Cell<Option<(&'static str, Errno)>>,
}

impl Kernel {
    /// The kernel that this process runs on.
    pub fn running() -> Self {
        Kernel::at("/")
    }

    /// The kernel whose /sys and /proc lie under `root`. Off `/` nothing can be changed: every ioctl answers ENODEV.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Kernel {
            is_running: root == Path::new("/"),
            root,
            answers: None,
            control: OnceCell::new(),
            control_v6: OnceCell::new(),
            virtual_net: OnceCell::new(),
            class_net: OnceCell::new(),
            own_sysfs: Cell::new(None),
            unread: Cell::new(None),
        }
    }

    /// The same with what ioctls told there.
    pub fn with_answers(root: impl Into<PathBuf>, answers: Answers) -> Self {
        Kernel { answers: Some(answers), ..Kernel::at(root) }
    }

    /// The kernel's release, such as `2.6.18`; empty if it is not known.
    pub fn release(&self) -> OsString {
        match self.is_running() {
            true => nix::sys::utsname::uname().map(|name| name.release().to_owned()).unwrap_or_default(),
            false => sysfs::os_string(procfs::read(self, "/proc/sys/kernel/osrelease").trim_ascii_end()),
        }
    }

    /// Does the same with both halves of a long list at once, if it is the running kernel that is asked: it is the kernel that
    /// takes its time, for each file of each link. What comes of them is in order.
    pub fn in_halves<T: Sync, R: Send>(&self, list: &[T], work: impl Fn(&Kernel, &[T]) -> R + Sync) -> Vec<R> {
        /// So many things that a second thread pays for itself.
        const MANY: usize = 200;
        if list.len() < MANY || !self.is_running() || !ioctl::has_processors() {
            return vec![work(self, list)];
        }
        let (own_sysfs, (here, there)) = (self.own_sysfs.get(), list.split_at(list.len() / 2));
        let beside = || {
            let kernel = Kernel::running();
            kernel.own_sysfs.set(own_sysfs);
            (work(&kernel, there), kernel.unread.get())
        };
        let (first, (second, unread)) = ioctl::both(|| work(self, here), beside);
        self.unread.set(self.unread.get().or(unread));
        vec![first, second]
    }

    fn is_running(&self) -> bool {
        self.is_running
    }

    /// The socket for ioctls, opened at the first use. AF_INET, because address ioctls need it and the others do not care.
    fn control(&self) -> Result<BorrowedFd<'_>> {
        self.socket(&self.control, AddressFamily::Inet)
    }

    /// The socket on which address and route ioctls mean IPv6.
    fn control_v6(&self) -> Result<BorrowedFd<'_>> {
        self.socket(&self.control_v6, AddressFamily::Inet6)
    }

    fn socket<'a>(&self, cell: &'a OnceCell<Result<OwnedFd>>, family: AddressFamily) -> Result<BorrowedFd<'a>> {
        use std::os::fd::AsFd;
        let open =
            || if self.is_running() { ioctl::open_socket(family, SockType::Datagram) } else { Err(Errno::ENODEV) };
        cell.get_or_init(open).as_ref().map(AsFd::as_fd).map_err(|errno| *errno)
    }

    /// Opens the control socket, which the verbs that need it would otherwise open at their first use. Succeeds off `/`, where
    /// no socket is needed.
    ///
    /// # Errors
    /// Those of socket(2): EMFILE, ENFILE, EACCES.
    pub fn connect(&self) -> Result<()> {
        match self.is_running() {
            true => self.control().map(drop),
            false => Ok(()),
        }
    }

    /// Why the control socket could not be opened, if it was needed and could not. Off `/` it is not even tried.
    pub fn control_error(&self) -> Option<Errno> {
        self.control.get().filter(|_| self.is_running()).and_then(|opened| opened.as_ref().err().copied())
    }

    /// The first file that was needed to tell what there is, could not be read, and why. What the verbs told since then may be
    /// less than there is.
    pub fn unread(&self) -> Option<(&'static str, Errno)> {
        self.unread.get()
    }

    /// Whether that file is the one of IPv6 addresses.
    pub fn has_unread_ipv6(&self) -> bool {
        self.unread.get().is_some_and(|(file, _)| file == procfs::ADDRESSES_V6)
    }

    /// A path under the root, given as on a running host.
    pub fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }
}

/// Returns the user who runs this process, whatever rights it has (getuid(2)).
pub fn user_id() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// The errno of a failed read or write of a file.
fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
