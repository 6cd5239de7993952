//! The locks of Xen's hotplug scripts, under /var/run/xen-hotplug, and ours, made in the same way.
//!
//! Since Xen 4.2 a lock is a file that its holder has locked by flock(2), made and removed by whoever holds it: who has locked a
//! file that lies there no more tries again. Before, a lock was a folder with the holder's number in it. A script of either kind
//! is kept out by a file that lies there, and keeps us out.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

#[allow(deprecated, reason = "what stands for it panics where unlocking fails")]
use nix::fcntl::{FlockArg, flock};

use crate::kernel::Kernel;

/// A lock that is held, until it is dropped or its holder ends.
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes a lock of the hotplug scripts, for which others are waited for, so many seconds.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] where another still has it; where no lock can be made.
    pub fn claim(kernel: &Kernel, name: &str, patience: u32) -> io::Result<Self> {
        Lock::claim_in(kernel, &kernel.path("/var/run/xen-hotplug"), name, patience)
    }

    /// Takes a lock in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// As [`Lock::claim`].
    pub fn claim_in(kernel: &Kernel, folder: &Path, name: &str, patience: u32) -> io::Result<Self> {
        const TURNS_A_SECOND: u32 = 100;
        let path = folder.join(name);
        for _ in 0..=patience * TURNS_A_SECOND {
            match File::options().read(true).write(true).create(true).truncate(false).open(&path) {
                Ok(file) => {
                    #[allow(deprecated, reason = "see above")]
                    if flock(file.as_raw_fd(), FlockArg::LockExclusiveNonblock).is_ok() {
                        // its last holder may have removed it
                        if fs::metadata(&path).is_ok_and(|there| is_same(&there, &file)) {
                            return Ok(Lock { path, _file: file });
                        }
                        continue;
                    }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    fs::create_dir_all(folder)?;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::IsADirectory => {
                    if is_left_behind(kernel, &path) {
                        let _ = fs::remove_dir_all(&path);
                    }
                }
                Err(error) => return Err(error),
            }
            sleep(Duration::from_secs(1) / TURNS_A_SECOND);
        }
        Err(ErrorKind::WouldBlock.into())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn is_same(there: &fs::Metadata, file: &File) -> bool {
    file.metadata().is_ok_and(|ours| (ours.dev(), ours.ino()) == (there.dev(), there.ino()))
}

/// Whether the script has ended that made this folder. It noted `NUMBER: NAME` in a file.
fn is_left_behind(kernel: &Kernel, folder: &Path) -> bool {
    let owner = fs::read_to_string(folder.join("owner")).unwrap_or_default();
    let process = owner.split(':').next().unwrap_or_default();
    !process.is_empty()
        && process.bytes().all(|byte| byte.is_ascii_digit())
        && !kernel.path(&["/proc/", process].concat()).exists()
}
