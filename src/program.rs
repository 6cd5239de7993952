//! Other programs that are run: iptables and the firewall's own command.
//!
//! A program is looked for where the caller's PATH says, as a script would, and then in the system's own folders. It gets no
//! standard input and a clean environment. (std's way to run it is not taken: it would be a tenth of ours.)

use std::ffi::{CString, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{AccessFlags, Pid, access};

/// Where programs of a system are.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With an exit status.
    Status(u8),
    /// By a signal.
    Signal(Signal),
}

impl Ended {
    /// Whether it says that all went well.
    pub fn is_success(self) -> bool {
        self == Ended::Status(0)
    }
}

/// In the words of the standard library: `exit status: 3`.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Status(status) => write!(f, "exit status: {status}"),
            Ended::Signal(signal) => write!(f, "signal: {} ({})", *signal as i32, signal.as_str()),
        }
    }
}

/// Finds a program by name, or checks that the path leads to one.
pub fn find(program: &str, path: Option<OsString>) -> Option<PathBuf> {
    let is_program = |path: &Path| access(path, AccessFlags::X_OK).is_ok() && path.is_file();
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| is_program(path));
    }
    let path = path.unwrap_or_default();
    let system = std::env::split_paths(SYSTEM_PATH);
    // a relative folder would mean whatever the caller's happens to be
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    folders.extend(system.filter(|folder| !folders.contains(folder)).collect::<Vec<_>>());
    folders.into_iter().map(|folder| folder.join(program)).find(|path| is_program(path))
}

/// Runs a program with our own output.
///
/// # Errors
/// Where it cannot be run.
pub fn run(program: &Path, words: &[&str]) -> io::Result<Ended> {
    wait(start(program, words, None)?)
}

/// Runs a program, and returns how it ended and what it said: both its outputs go into one pipe.
///
/// # Errors
/// Where it cannot be run.
pub fn ask(program: &Path, words: &[&str]) -> io::Result<(Ended, String)> {
    let (mut reader, writer) = io::pipe()?;
    let child = start(program, words, Some(writer.as_raw_fd()))?;
    // the writing end that is left is the child's
    drop(writer);
    let mut said = Vec::new();
    let read = reader.read_to_end(&mut said);
    let ended = wait(child)?;
    read.map(|_| (ended, String::from_utf8_lossy(said.trim_ascii()).into_owned()))
}

fn start(program: &Path, words: &[&str], output: Option<RawFd>) -> io::Result<Pid> {
    let nothing = File::open("/dev/null")?;
    let mut files = PosixSpawnFileActions::init()?;
    files.add_dup2(nothing.as_raw_fd(), 0)?;
    if let Some(output) = output {
        files.add_dup2(output, 1)?;
        files.add_dup2(output, 2)?;
    }
    let mut attributes = PosixSpawnAttr::init()?;
    // ours is ignored
    attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
    attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
    let name = program.as_os_str().as_bytes();
    let words = std::iter::once(name).chain(words.iter().map(|word| word.as_bytes()));
    let words: Vec<CString> = words.map(CString::new).collect::<Result<_, _>>()?;
    let environment = [CString::new(["PATH=", SYSTEM_PATH].concat())?];
    Ok(posix_spawn(program, &files, &attributes, &words, &environment)?)
}

fn wait(child: Pid) -> io::Result<Ended> {
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, status)) => return Ok(Ended::Status(status as u8)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(Ended::Signal(signal)),
            Ok(_) | Err(Errno::EINTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
}
