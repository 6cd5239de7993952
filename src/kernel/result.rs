//! What verbs return.

use std::io;

use nix::errno::Errno;

/// What a verb returns: as a rule, the kernel's errno if it fails.
pub type Result<T, E = Errno> = std::result::Result<T, E>;

/// Returns the errno of a failed call of the standard library.
pub(super) fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
