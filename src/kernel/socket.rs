//! Sockets that no program that we start inherits.

use std::os::fd::OwnedFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

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
