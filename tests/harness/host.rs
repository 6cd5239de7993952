//! A host: namespaces of its own, in which `host.sh` prepares, runs what it is sent, and looks.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::harness::hosts::SYSTEM_PATH;
use crate::harness::table::Mode;

/// Far more than any command takes.
const MILLISECONDS_TO_END: i32 = 300_000;

/// What a command did.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) kernel: Vec<u8>,
    /// The host is as it was, and can run another.
    pub(crate) left_all_the_same: bool,
}

/// A host that is up. It ends when it is dropped.
pub(crate) struct Host {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Host {
    /// Starts `script` in new namespaces. The folder is the host's own. What is not to be kept is not looked at before a command.
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
            let mut process = Command::new("unshare")
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

    /// Runs a command line. An error is one of the host, not of the command.
    pub(crate) fn run(&mut self, programs: &Path, era: Option<&str>, command: &str) -> Result<Run, String> {
        let Some(answer) = self.answer(&format!("{}\0{}\0{command}\0", programs.display(), era.unwrap_or_default()))
        else {
            return Err(format!(
                "the host did not come about, or the command did not end within {MILLISECONDS_TO_END} ms:\n{}",
                String::from_utf8_lossy(&self.left("said"))
            ));
        };
        Ok(Run {
            status: String::from_utf8_lossy(&self.left("status")).trim().parse().expect("a status"),
            stdout: self.left("stdout"),
            stderr: self.left("stderr"),
            kernel: self.left("kernel"),
            left_all_the_same: answer == "same\n",
        })
    }

    fn left(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).unwrap_or_default()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id() as i32)
    }

    /// Ends all that runs on it, but for what has a session of its own.
    fn kill(&self) {
        let _ = killpg(self.pid(), Signal::SIGKILL);
    }

    /// Nothing, if the host ends without one or does not answer in time; then it has ended.
    fn answer(&mut self, request: &str) -> Option<String> {
        self.requests.as_mut()?.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        let mut waiting = [PollFd::new(self.answers.get_ref().as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(MILLISECONDS_TO_END).expect("a timeout");
        if poll(&mut waiting, patience).is_ok_and(|ready| ready > 0) {
            self.answers.read_line(&mut answer).ok()?;
        } else {
            self.kill();
        }
        Some(answer).filter(|answer| !answer.is_empty())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It reads an end of file, and ends; what it left running ends too, before another group can get its number.
        self.requests = None;
        let _ = waitid(Id::Pid(self.pid()), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        self.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
