//! Sockets that no program that we start inherits.

use std::ffi::OsString;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::sockopt::BindToDevice;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, setsockopt, socket};

use super::file::os_string;
use super::result::Result;

/// Opens a socket with SOCK_CLOEXEC.
///
/// Before Linux 2.6.27 the flag is refused with EINVAL. There musl, with which programs for such kernels are linked, sets
/// FD_CLOEXEC in a second call.
///
/// # Errors
/// Those of socket(2).
pub fn open_socket(family: AddressFamily, kind: SockType) -> Result<OwnedFd> {
    socket(family, kind, SockFlag::SOCK_CLOEXEC, None)
}

/// A turn that one process of this network namespace can have at a time; it ends with the value, or with the process.
#[derive(Debug)]
pub struct Turn(#[allow(dead_code)] OwnedFd);

impl Turn {
    /// Waits for the turn of this name, at most five seconds. (An abstract address of a socket is unique in a network namespace,
    /// and takes no file.)
    ///
    /// # Errors
    /// EBUSY: another process keeps it; those of socket(2) and bind(2).
    pub fn take(name: &str) -> Result<Self> {
        const TRIES: u32 = 500;
        let address = UnixAddr::new_abstract(["brouter ", name].concat().as_bytes())?;
        for _ in 0..TRIES {
            let socket = open_socket(AddressFamily::Unix, SockType::Datagram)?;
            match bind(socket.as_raw_fd(), &address) {
                Err(Errno::EADDRINUSE) => sleep(Duration::from_millis(10)),
                bound => return bound.map(|()| Turn(socket)),
            }
        }
        Err(Errno::EBUSY)
    }
}

/// Reports whether this network namespace has a link of a name, by binding a socket to it for a moment. Unlike an ioctl, that does
/// not make the kernel run modprobe for a name that it does not know.
///
/// # Errors
/// EPERM: before Linux 5.7 that takes CAP_NET_RAW.
pub(super) fn has_link(socket: BorrowedFd, name: &[u8]) -> Result<bool> {
    match setsockopt(&socket, BindToDevice, &os_string(name)) {
        Ok(()) => {
            // without the privilege it stays bound: ioctls do not care
            let _ = setsockopt(&socket, BindToDevice, &OsString::new());
            Ok(true)
        }
        Err(Errno::ENODEV) => Ok(false),
        Err(errno) => Err(errno),
    }
}
