//! Runs other programs: iptables, nft and the host's own firewall command. They are the only other programs that are started. (`network-bridge`
//! starts itself once more, to be undone if it is killed.)
//!
//! A program is searched for along the caller's PATH, as by a script, then in the system's folders. It gets an empty standard
//! input, an environment of PATH and what it is meant to get, no blocked signal, and the default disposition of SIGPIPE and SIGCHLD. It
//! has a time limit, after which it is terminated, and output that is read may have [`MOST_OUTPUT`] bytes. No shell is involved.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind, PipeReader, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{AccessFlags, Pid, access};

use crate::error::io_text;
use crate::kernel::spawn;

/// Folders that are searched after the caller's, and the PATH of a program that is run.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Bytes that a program whose output is read may print. `iptables-save` prints some 100 for each rule.
const MOST_OUTPUT: usize = 16 << 20;

/// Longest time that a program whose output is read may take. iptables takes milliseconds; with `-w`, as long as another program
/// holds its lock.
const LIMIT: Duration = Duration::from_secs(20);

/// Time that a program has to end after SIGTERM, before SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// Longest time between two looks at a program that may have ended.
const LOOK: Duration = Duration::from_millis(20);

/// Why a program did not succeed.
#[derive(Debug)]
pub enum Failed {
    /// It could not be started or waited for.
    NotRun(io::Error),
    /// It ended with a status other than 0, or by a signal.
    Ended(ExitStatus),
    /// It ran longer than this, and was terminated.
    TooSlow(Duration),
    /// It printed more than [`MOST_OUTPUT`], and was terminated.
    TooMuch,
}

impl Failed {
    /// Returns an exit status that passes the failure on: the program's own, 126 if it was not run, 124 if it was terminated, as
    /// by timeout(1), 1 if a signal ended it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Failed::NotRun(_) => 126,
            Failed::Ended(status) => status.code().map_or(1, |code| code as u8),
            Failed::TooSlow(_) | Failed::TooMuch => 124,
        }
    }
}

/// `Permission denied`, `exit status: 3`, `signal: 9 (SIGKILL)`, `still running after 20 seconds, and terminated`.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::NotRun(error) => f.write_str(&io_text(error)),
            Failed::Ended(status) => status.fmt(f),
            Failed::TooSlow(limit) => write!(f, "still running after {} seconds, and terminated", limit.as_secs()),
            Failed::TooMuch => write!(f, "printed more than {} MiB, and terminated", MOST_OUTPUT >> 20),
        }
    }
}

impl std::error::Error for Failed {}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::NotRun(error) => error,
            Failed::TooSlow(_) => io::Error::new(ErrorKind::TimedOut, failed),
            failed => io::Error::other(failed),
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Failed::NotRun(error)
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
/// It could not be run, did not succeed, or ran longer than `limit`.
pub fn run(program: &Path, args: &[&str], limit: Duration) -> Result<(), Failed> {
    let mut child = spawn(&mut command(program, args))?;
    let status = wait(&mut child, limit)?.ok_or(Failed::TooSlow(limit)).inspect_err(|_| terminate(&mut child))?;
    if status.success() { Ok(()) } else { Err(Failed::Ended(status)) }
}

/// Runs a program and returns how it ended and what it printed on both its outputs, without blanks at either end.
///
/// # Errors
/// It could not be run, or ran longer than [`LIMIT`] (ETIMEDOUT), or printed too much.
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
    let mut command = command(program, args);
    command.envs(environment.iter().map(|(name, value)| (name, value))).stdin(input);
    Ok(ask_within(command, LIMIT)?)
}

fn ask_within(mut command: Command, limit: Duration) -> Result<(ExitStatus, String), Failed> {
    let (mut reader, writer) = io::pipe()?;
    let mut child = spawn(command.stdout(writer.try_clone()?).stderr(writer))?;
    // the command holds our copies of the writing end
    drop(command);
    let answer = answer(&mut reader, &mut child, limit).inspect_err(|_| terminate(&mut child));
    answer.map(|(status, output)| (status, String::from_utf8_lossy(output.trim_ascii()).into_owned()))
}

fn command(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).env_clear().env("PATH", SYSTEM_PATH).stdin(Stdio::null());
    command
}

/// Reads what a program prints until it ends. Something that it has left running may hold the pipe open.
fn answer(reader: &mut PipeReader, child: &mut Child, limit: Duration) -> Result<(ExitStatus, Vec<u8>), Failed> {
    let start = Instant::now();
    let mut output = Vec::new();
    let mut part = [0; 4096];
    loop {
        let left = limit.saturating_sub(start.elapsed());
        let ended = child.try_wait()?;
        let patience = if ended.is_some() { Duration::ZERO } else { left.min(LOOK) };
        match is_readable(reader, patience)? {
            true => {
                let length = reader.read(&mut part)?;
                output.extend_from_slice(&part[..length]);
                if length == 0 {
                    let status = wait(child, left)?.ok_or(Failed::TooSlow(limit))?;
                    return Ok((status, output));
                }
            }
            false => match ended {
                Some(status) => return Ok((status, output)),
                None if left.is_zero() => return Err(Failed::TooSlow(limit)),
                None => (),
            },
        }
        if output.len() > MOST_OUTPUT {
            return Err(Failed::TooMuch);
        }
    }
}

/// Waits until a pipe has bytes or its writers have gone. A signal ends the wait early.
fn is_readable(reader: &PipeReader, patience: Duration) -> io::Result<bool> {
    let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
    match poll(&mut [PollFd::new(reader.as_fd(), PollFlags::POLLIN)], timeout) {
        Ok(count) => Ok(count > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits for a program to end; `None` if it still runs after the limit. A program that is about to end is noticed at once.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(100);
    loop {
        let ended = child.try_wait()?;
        let left = limit.saturating_sub(start.elapsed());
        if ended.is_some() || left.is_zero() {
            return Ok(ended);
        }
        sleep(pause.min(left));
        pause = LOOK.min(pause * 2);
    }
}

/// Terminates a program. One that the kernel does not let go, as it waits for a disk, is left to it.
fn terminate(child: &mut Child) {
    let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM);
    if !matches!(wait(child, GRACE), Ok(Some(_))) {
        let _ = child.kill();
        let _ = wait(child, GRACE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask_shell(script: &str, limit: Duration) -> Result<(ExitStatus, String), Failed> {
        ask_within(command(Path::new("/bin/sh"), &["-c", script]), limit)
    }

    fn shell(script: &str) -> (ExitStatus, String) {
        ask_shell(script, LIMIT).unwrap()
    }

    fn run_shell(script: &str, limit: Duration) -> Failed {
        run(Path::new("/bin/sh"), &["-c", script], limit).unwrap_err()
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
    fn a_program_has_the_default_signals() {
        let signals = |line: &str| {
            let number = shell(&format!("sed -n 's/^{line}:[^0-9a-f]*//p' /proc/self/status")).1;
            u64::from_str_radix(&number, 16).unwrap()
        };
        let ignored = signals("SigIgn") & (1 << (libc::SIGPIPE - 1) | 1 << (libc::SIGCHLD - 1));
        assert_eq!(ignored, 0, "{ignored:x}");
        let before = nix::sys::signal::SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK);
        let blocked = signals("SigBlk");
        before.unwrap().thread_set_mask().unwrap();
        assert_eq!(blocked, 0, "{blocked:x}");
    }

    #[test]
    fn failures_are_worded_and_passed_on() {
        for (script, text, status) in [("exit 3", "exit status: 3", 3), ("kill -9 $$", "signal: 9 (SIGKILL)", 1)] {
            let failed = run_shell(script, LIMIT);
            assert_eq!((failed.to_string().as_str(), failed.exit_status()), (text, status), "{script}");
        }
        let failed = run(Path::new("/"), &[], LIMIT).unwrap_err();
        assert_eq!((failed.to_string().as_str(), failed.exit_status()), ("Permission denied", 126));
    }

    #[test]
    fn a_program_that_does_not_end_is_terminated() {
        let text = "still running after 1 seconds, and terminated";
        let limit = Duration::from_secs(1);
        for script in ["exec sleep 1000", "trap '' TERM; while :; do sleep 0.1; done", "exec >&- 2>&-; exec sleep 1000"]
        {
            let start = Instant::now();
            let asked = ask_shell(script, limit).unwrap_err();
            let ran = run_shell(script, limit);
            assert_eq!([asked.to_string(), ran.to_string()], [text, text], "{script}");
            assert_eq!([asked.exit_status(), ran.exit_status()], [124, 124], "{script}");
            assert!(start.elapsed() < Duration::from_secs(60), "{script}");
        }
    }

    #[test]
    fn output_is_bounded_and_what_is_left_running_does_not_matter() {
        assert!(matches!(ask_shell("exec yes", LIMIT), Err(Failed::TooMuch)));
        let start = Instant::now();
        assert_eq!(shell("sleep 50 & echo a").1, "a");
        assert!(start.elapsed() < Duration::from_secs(40));
    }
}
