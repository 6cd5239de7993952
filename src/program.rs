//! Runs other programs: iptables, nft and the host's own firewall command. They are the only processes that are started.
//!
//! A program is searched for along the caller's PATH, as by a script, then in the system's folders. It gets an empty standard
//! input, an environment of PATH and what it is meant to get, and the default disposition of SIGPIPE and SIGCHLD. No shell is involved.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use nix::unistd::{AccessFlags, access};

use crate::error::io_text;
use crate::kernel::reset_child_signal;

/// Folders that are searched after the caller's, and the PATH of a program that is run.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why a program did not succeed.
#[derive(Debug)]
pub enum Failed {
    /// It could not be started or waited for.
    NotRun(io::Error),
    /// It ended with a status other than 0, or by a signal.
    Ended(ExitStatus),
}

impl Failed {
    /// Returns an exit status that passes the failure on: the program's own, 126 if it was not run, 1 if a signal ended it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Failed::NotRun(_) => 126,
            Failed::Ended(status) => status.code().map_or(1, |code| code as u8),
        }
    }
}

/// `Permission denied`, `exit status: 3`, `signal: 9 (SIGKILL)`.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::NotRun(error) => f.write_str(&io_text(error)),
            Failed::Ended(status) => status.fmt(f),
        }
    }
}

/// Finds a program by name, or checks that a path leads to one.
pub fn find(program: &str, path: Option<OsString>) -> Option<PathBuf> {
    let is_program = |path: &Path| access(path, AccessFlags::X_OK).is_ok() && path.is_file();
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| is_program(path));
    }
    let path = path.unwrap_or_default();
    // a relative folder would depend on the caller's working directory
    let callers = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let folders = callers.chain(std::env::split_paths(SYSTEM_PATH));
    let mut programs = folders.map(|folder| folder.join(program));
    programs.find(|path| is_program(path))
}

/// Runs a program whose output goes where ours goes.
///
/// # Errors
/// It could not be run, or did not succeed.
pub fn run(program: &Path, args: &[&str]) -> Result<(), Failed> {
    match command(program, args).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed::Ended(status)),
        Err(error) => Err(Failed::NotRun(error)),
    }
}

/// Runs a program and returns how it ended and what it printed on both its outputs, without blanks at either end.
///
/// # Errors
/// It could not be run.
pub fn ask(program: &Path, args: &[&str], input: Stdio) -> io::Result<(ExitStatus, String)> {
    ask_with(program, args, &[], input)
}

/// Runs a program as [`ask`] does, with variables in its environment beside PATH.
///
/// # Errors
/// Those of [`ask`].
pub fn ask_with(
    program: &Path,
    args: &[&str],
    environment: &[(&str, String)],
    input: Stdio,
) -> io::Result<(ExitStatus, String)> {
    let (mut reader, writer) = io::pipe()?;
    let mut command = command(program, args);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let mut child = command.stdin(input).stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // the command holds our copies of the writing end
    drop(command);
    let mut output = Vec::new();
    let read = reader.read_to_end(&mut output);
    let status = child.wait()?;
    read.map(|_| (status, String::from_utf8_lossy(output.trim_ascii()).into_owned()))
}

fn command(program: &Path, args: &[&str]) -> Command {
    // a caller that ignores SIGCHLD has the kernel drop exit statuses
    reset_child_signal();
    let mut command = Command::new(program);
    command.args(args).env_clear().env("PATH", SYSTEM_PATH).stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (ExitStatus, String) {
        ask(Path::new("/bin/sh"), &["-c", script], Stdio::null()).unwrap()
    }

    #[test]
    fn both_outputs_and_the_status_are_returned() {
        let (status, output) = shell("echo a; echo b >&2; echo c; exit 3");
        assert_eq!((status.code(), output.as_str()), (Some(3), "a\nb\nc"));
    }

    #[test]
    fn a_program_gets_path_and_no_input() {
        assert_eq!(shell("cat; echo $PATH $HOME").1, SYSTEM_PATH);
    }

    #[test]
    fn a_program_has_the_default_sigpipe_and_sigchld() {
        let ignored = shell("sed -n 's/^SigIgn:[^0-9a-f]*//p' /proc/self/status").1;
        let ignored = u64::from_str_radix(&ignored, 16).unwrap();
        assert_eq!(ignored & (1 << (libc::SIGPIPE - 1) | 1 << (libc::SIGCHLD - 1)), 0, "{ignored:x}");
    }

    #[test]
    fn failures_are_worded_and_passed_on() {
        let failed = |script| run(Path::new("/bin/sh"), &["-c", script]).unwrap_err();
        for (script, text, status) in [("exit 3", "exit status: 3", 3), ("kill -9 $$", "signal: 9 (SIGKILL)", 1)] {
            let failed = failed(script);
            assert_eq!((failed.to_string().as_str(), failed.exit_status()), (text, status), "{script}");
        }
        let failed = run(Path::new("/"), &[]).unwrap_err();
        assert_eq!((failed.to_string().as_str(), failed.exit_status()), ("Permission denied", 126));
    }
}
