//! The locks of Xen's hotplug scripts, under /var/run/xen-hotplug, and brouter's own, made in the same way.
//!
//! Since Xen 4.2 a lock is a file on which its holder has a flock(2), created and removed by the holder: whoever locks a file
//! that is no longer in its place tries again. Before 4.2 it was a folder with the holder's process number in it. A script of
//! either kind is kept out by our file, and keeps us out.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
#[allow(deprecated, reason = "nix's Flock panics if unlocking fails")]
use nix::fcntl::{FlockArg, flock};

use crate::kernel::Kernel;
use crate::patience::Patience;
use crate::run_file;
use crate::small_file;

/// Time between two attempts at a lock that another holds.
const RETRY: Duration = Duration::from_millis(10);

/// A lock that is held until it is dropped or its holder ends.
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Returns a file that holds the lock too, until it and all its duplicates are closed. (A flock belongs to what open(2) has
    /// opened, which a child shares.)
    ///
    /// # Errors
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Takes a lock of the hotplug scripts, waiting up to `patience` seconds for its holder.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] if another still holds it; those of creating a file.
    pub fn claim(kernel: &Kernel, name: &str, patience: u32) -> io::Result<Self> {
        Lock::claim_in(kernel, &kernel.path("/var/run/xen-hotplug"), name, patience)
    }

    /// Takes a lock in a folder, which is created if it is missing.
    ///
    /// # Errors
    /// Those of [`Lock::claim`].
    pub fn claim_in(kernel: &Kernel, folder: &Path, name: &str, patience: u32) -> io::Result<Self> {
        let path = folder.join(name);
        let mut patience = Patience::new(Duration::from_secs(patience.into()));
        loop {
            let wait = match try_lock(&path) {
                Ok(Attempt::Locked(file)) => return Ok(Lock { path, file }),
                Ok(Attempt::Removed) => Duration::ZERO,
                Ok(Attempt::Held) => RETRY,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    run_file::create_folder(folder)?;
                    Duration::ZERO
                }
                Err(error) if error.kind() == ErrorKind::IsADirectory => {
                    if is_abandoned(kernel, &path) {
                        let _ = fs::remove_dir_all(&path);
                    }
                    RETRY
                }
                Err(error) => return Err(error),
            };
            if patience.is_over() {
                return Err(ErrorKind::WouldBlock.into());
            }
            sleep(wait);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

enum Attempt {
    Locked(File),
    /// Another holds it.
    Held,
    /// It was locked after its last holder had removed it.
    Removed,
}

fn try_lock(path: &Path) -> io::Result<Attempt> {
    let (file, is_new) = run_file::open_lock(path)?;
    #[allow(deprecated, reason = "see above")]
    let locked = flock(file.as_raw_fd(), FlockArg::LockExclusiveNonblock);
    Ok(match locked {
        // EWOULDBLOCK
        Err(Errno::EAGAIN | Errno::EINTR) => Attempt::Held,
        // a file system without locks, for instance
        Err(errno) => {
            if is_new {
                let _ = fs::remove_file(path);
            }
            return Err(errno.into());
        }
        Ok(()) if file.metadata()?.nlink() > 0 => Attempt::Locked(file),
        Ok(()) => Attempt::Removed,
    })
}

/// Whether the script that created this folder has ended. It wrote `NUMBER: NAME` to a file in it.
fn is_abandoned(kernel: &Kernel, folder: &Path) -> bool {
    let owner = small_file::read_text(&folder.join("owner")).unwrap_or_default();
    let process = owner.split(':').next().unwrap_or_default();
    !process.is_empty()
        && process.bytes().all(|byte| byte.is_ascii_digit())
        && !kernel.path(&["/proc/", process].concat()).exists()
}
