//! The kernel as a value.

use std::cell::{Cell, OnceCell};
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockType};

use super::answers::Answers;
use super::file::{exists, os_string, read_all};
use super::ioctl;
use super::result::Result;
use super::socket::open_socket;

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
    is_running: bool,
    /// What ioctls answered on the host whose files these are.
    pub(super) answers: Option<Answers>,
    version: OnceCell<[u32; 3]>,
    pub(super) default_qdisc: OnceCell<String>,
    control: OnceCell<OwnedFd>,
    control_v6: OnceCell<OwnedFd>,
    /// Folders of devices, opened at the first use (see [`super::sysfs`]).
    pub(super) virtual_net: OnceCell<Option<OwnedFd>>,
    pub(super) class_net: OnceCell<Option<OwnedFd>>,
    /// Whether /sys shows this network namespace; empty until a device could tell (see [`super::sysfs`]).
    pub(super) own_sysfs: Cell<Option<bool>>,
}

impl Kernel {
    /// Returns the kernel that this process runs on.
    pub fn running() -> Self {
        Kernel::at("/")
    }

    /// Returns the kernel whose /sys and /proc lie under `root`. Off `/` nothing can be changed: every ioctl fails with ENODEV.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Kernel {
            is_running: root == Path::new("/"),
            root,
            answers: None,
            version: OnceCell::new(),
            default_qdisc: OnceCell::new(),
            control: OnceCell::new(),
            control_v6: OnceCell::new(),
            virtual_net: OnceCell::new(),
            class_net: OnceCell::new(),
            own_sysfs: Cell::new(None),
        }
    }

    /// Returns the kernel whose files lie under `root`, with what its ioctls answered.
    pub fn with_answers(root: impl Into<PathBuf>, answers: Answers) -> Self {
        Kernel { answers: Some(answers), ..Kernel::at(root) }
    }

    /// Returns a handle of the same kernel for another thread.
    pub(super) fn for_thread(is_own_sysfs: Option<bool>) -> Self {
        Kernel { own_sysfs: Cell::new(is_own_sysfs), ..Kernel::running() }
    }

    pub(super) fn is_running(&self) -> bool {
        self.is_running
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

    /// The socket for ioctls. It is an AF_INET one, because address ioctls need that and the others take any.
    pub(super) fn control(&self) -> Result<BorrowedFd<'_>> {
        self.socket(&self.control, AddressFamily::Inet)
    }

    /// The socket on which ioctls for addresses and routes mean IPv6.
    pub(super) fn control_v6(&self) -> Result<BorrowedFd<'_>> {
        self.socket(&self.control_v6, AddressFamily::Inet6)
    }

    /// Returns the socket in a cell, which is opened at its first use. A failure is not remembered.
    fn socket<'a>(&self, cell: &'a OnceCell<OwnedFd>, family: AddressFamily) -> Result<BorrowedFd<'a>> {
        if let Some(socket) = cell.get() {
            return Ok(socket.as_fd());
        }
        let socket =
            if self.is_running() { open_socket(family, SockType::Datagram)? } else { return Err(Errno::ENODEV) };
        Ok(cell.get_or_init(|| socket).as_fd())
    }

    /// Returns the path under the root of a file, which is given as on a running host.
    pub fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    /// Whether a file exists.
    pub fn has_file(&self, path: &str) -> bool {
        exists(&self.path(path))
    }

    /// Returns the text of a file without its line end.
    ///
    /// # Errors
    /// Those of open(2) and read(2): ENOENT, EACCES.
    pub fn text(&self, path: &str) -> Result<String> {
        read_all(&self.path(path)).map(|bytes| String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned())
    }

    /// Returns the kernel's release, such as `2.6.18`; empty if it is not known.
    pub fn release(&self) -> OsString {
        match self.is_running() {
            true => nix::sys::utsname::uname().map(|name| name.release().to_owned()).unwrap_or_default(),
            false => {
                let release = read_all(&self.path("/proc/sys/kernel/osrelease")).unwrap_or_default();
                os_string(release.trim_ascii_end())
            }
        }
    }

    /// Returns the three numbers of the kernel's version; that of today for a release that has none.
    pub fn version(&self) -> [u32; 3] {
        *self.version.get_or_init(|| version_of(&self.release().to_string_lossy()))
    }

    /// Returns the number of this process's network namespace; `0` on kernels that know only one. Before Linux 5.14 it is that of
    /// an inode, which another namespace can get when this one has ended.
    ///
    /// The socket is asked first: to look into a process's own folder of /proc costs a short process more than all else here.
    ///
    /// # Errors
    /// That the socket cannot be opened: a namespace must not have one number now and another then.
    pub fn namespace(&self) -> Result<String> {
        if self.is_running() {
            match ioctl::namespace(self.control()?) {
                // EINVAL: qemu, which emulates the system calls of a process, does not know the option
                Err(Errno::ENOPROTOOPT | Errno::EINVAL) => (),
                number => return number.map(|number| number.to_string()),
            }
        }
        let link = fs::read_link(self.path("/proc/self/ns/net")).unwrap_or_default();
        let number: String = link.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
        Ok(if number.is_empty() { "0".into() } else { number })
    }
}

/// Parses a release: `2.6.18.8-xen`, `6.1.0-18-amd64`, `6.18`.
fn version_of(release: &str) -> [u32; 3] {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    next().map_or([u32::MAX; 3], |major| [major, next().unwrap_or(0), next().unwrap_or(0)])
}

/// Returns the columns of the terminal at standard output; `None` if there is none, or it does not tell.
pub fn terminal_columns() -> Option<u16> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    ioctl::call(std::io::stdout(), ioctl::TIOCGWINSZ, &mut size).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

/// Returns the user who runs this process, whatever rights it has (getuid(2)).
pub fn user_id() -> u32 {
    nix::unistd::getuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn versions() {
        assert_eq!(version_of("2.6.18.8-xen"), [2, 6, 18]);
        assert_eq!(version_of("6.1.0-18-amd64"), [6, 1, 0]);
        assert_eq!(version_of("4.3-rc1"), [4, 3, 0]);
        assert_eq!(version_of(""), [u32::MAX; 3]);
    }
}
