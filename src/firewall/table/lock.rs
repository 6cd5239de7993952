//! The locks by which iptables keeps other calls out.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
#[allow(deprecated, reason = "nix's Flock panics if unlocking fails")]
use nix::fcntl::{FlockArg, flock};
use nix::sys::socket::{AddressFamily, SockType, UnixAddr, bind};

use crate::firewall::error::{FirewallError, Result};
use crate::kernel::{Kernel, open_socket};
use crate::patience::Patience;

/// Where iptables since 1.6.1 has its lock.
const FILE: &str = "/run/xtables.lock";

/// The abstract name of the socket of iptables 1.4.20 to 1.6.0.
const SOCKET: &[u8] = b"xtables";

/// How long to wait for others. Each holds the lock for some milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time between two attempts.
const RETRY: Duration = Duration::from_millis(5);

/// Both locks, until it is dropped or its holder ends.
pub(super) struct TableLock {
    _file: Option<File>,
    _socket: Option<OwnedFd>,
}

impl TableLock {
    /// Takes both locks. A lock that cannot be had on this host, as where there is no /run, is none for iptables either.
    ///
    /// # Errors
    /// [`FirewallError::Locked`], [`FirewallError::Lock`].
    pub(super) fn take(kernel: &Kernel) -> Result<Self> {
        let mut patience = Patience::new(PATIENCE);
        Ok(TableLock { _file: lock_file(kernel, &mut patience)?, _socket: bind_socket(&mut patience)? })
    }
}

fn lock_file(kernel: &Kernel, patience: &mut Patience) -> Result<Option<File>> {
    let path = kernel.path(FILE);
    let opened = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ReadOnlyFilesystem) => return Ok(None),
        Err(error) => return Err(FirewallError::Lock(path, error)),
    };
    #[allow(deprecated, reason = "see above")]
    let try_lock = || flock(file.as_raw_fd(), FlockArg::LockExclusiveNonblock);
    wait(patience, || match try_lock() {
        Err(Errno::EWOULDBLOCK | Errno::EINTR) => None,
        result => Some(result),
    })
    .ok_or_else(|| FirewallError::Locked(path.clone()))?
    .map_err(|errno| FirewallError::Lock(path, errno.into()))?;
    Ok(Some(file))
}

fn bind_socket(patience: &mut Patience) -> Result<Option<OwnedFd>> {
    let Ok(socket) = open_socket(AddressFamily::Unix, SockType::Stream) else { return Ok(None) };
    let Ok(address) = UnixAddr::new_abstract(SOCKET) else { return Ok(None) };
    let bound = wait(patience, || match bind(socket.as_raw_fd(), &address) {
        Err(Errno::EADDRINUSE) => None,
        result => Some(result.is_ok()),
    });
    match bound {
        Some(bound) => Ok(Some(socket).filter(|_| bound)),
        None => Err(FirewallError::Locked(PathBuf::from("@xtables"))),
    }
}

/// Tries until there is an outcome, or patience ends.
fn wait<T>(patience: &mut Patience, attempt: impl Fn() -> Option<T>) -> Option<T> {
    loop {
        match attempt() {
            Some(outcome) => return Some(outcome),
            None if patience.is_over() => return None,
            None => sleep(RETRY),
        }
    }
}
