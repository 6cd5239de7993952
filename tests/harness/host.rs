//! A host: a set of namespaces in which `host.sh` sets up a state, runs the commands that it is sent, and dumps the kernel state.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use libtest_mimic::Failed;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::harness::hosts::SYSTEM_PATH;
use crate::harness::table::Mode;

/// Timeout of a command, far longer than any takes, on a busy machine too.
const TIMEOUT_MS: i32 = 1_200_000;

/// The results of a command.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) kernel: Vec<u8>,
    /// The host is unchanged and can run another command.
    pub(crate) unchanged: bool,
}

impl Run {
    /// Checks that a script that prints what is wrong has printed nothing.
    ///
    /// # Errors
    /// What it has printed.
    pub(crate) fn silent(&self) -> Result<(), Failed> {
        let printed = String::from_utf8_lossy(&[&self.stdout[..], &self.stderr].concat()).into_owned();
        if printed.is_empty() { Ok(()) } else { Err(printed.into()) }
    }
}

/// A running host. Dropping it ends it.
pub(crate) struct Host {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Host {
    /// Starts `script` in new namespaces. `folder` belongs to this host alone. `kept`: the host may be reused; otherwise the kernel
    /// state is not dumped before a command.
    pub(crate) fn start(
        unshare: &[&str],
        script: &Path,
        folder: PathBuf,
        programs: &Path,
        state: &str,
        mode: Mode,
        kept: bool,
    ) -> Result<Self, String> {
        let start = || {
            fs::create_dir(&folder)?;
            // a shell starts its background jobs with SIGINT ignored: no test may depend on who runs it
            let mut process = Command::new("env")
                .args(["--default-signal", "unshare"])
                .args(unshare)
                .arg("bash")
                .args([script, &folder])
                .arg(mode.name())
                .arg(programs)
                .arg(state)
                .args(kept.then_some("kept"))
                .env_clear()
                .env("PATH", SYSTEM_PATH.join(":"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(fs::File::create(folder.join("said"))?)
                .process_group(0)
                .spawn()?;
            let answers = BufReader::new(process.stdout.take().expect("a pipe"));
            Ok::<_, std::io::Error>((process, answers))
        };
        let (mut process, answers) = start().map_err(|error| error.to_string())?;
        Ok(Self { requests: process.stdin.take(), process, answers, folder })
    }

    /// Runs a command line.
    ///
    /// # Errors
    /// The host could not be set up, or the command timed out. A failed command is not an error.
    pub(crate) fn run(&mut self, programs: &Path, era: Option<&str>, command: &str) -> Result<Run, String> {
        let Some(answer) = self.answer(&format!("{}\0{}\0{command}\0", programs.display(), era.unwrap_or_default()))
        else {
            return Err(format!(
                "the host could not be set up, or the command did not end within {TIMEOUT_MS} ms:\n{}",
                String::from_utf8_lossy(&self.left("said"))
            ));
        };
        Ok(Run {
            status: String::from_utf8_lossy(&self.left("status")).trim().parse().expect("a status"),
            stdout: self.left("stdout"),
            stderr: self.left("stderr"),
            kernel: self.left("kernel"),
            unchanged: answer == "same\n",
        })
    }

    fn left(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).unwrap_or_default()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id() as i32)
    }

    /// Kills all processes of the host except those in sessions of their own.
    fn kill(&self) {
        let _ = killpg(self.pid(), Signal::SIGKILL);
    }

    /// Sends a request and returns the answer; `None` if the host ends first or, after a timeout, is killed.
    fn answer(&mut self, request: &str) -> Option<String> {
        self.requests.as_mut()?.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        let mut waiting = [PollFd::new(self.answers.get_ref().as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(TIMEOUT_MS).expect("a timeout");
        if poll(&mut waiting, timeout).is_ok_and(|ready| ready > 0) {
            self.answers.read_line(&mut answer).ok()?;
        } else {
            self.kill();
        }
        Some(answer).filter(|answer| !answer.is_empty())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The script ends at end of file. Processes that it left are killed before its process group id can be reused.
        self.requests = None;
        let _ = waitid(Id::Pid(self.pid()), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        self.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
