//! Sockets that no program that we start inherits.

use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::sockopt::BindToDevice;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket};

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
