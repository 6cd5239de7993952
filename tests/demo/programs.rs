//! Runs the programs of the demonstration, each within the remaining time.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::coloured;

/// The folder of the project's programs, and the deadline for all of them.
pub(crate) struct Programs {
    folder: PathBuf,
    deadline: Instant,
}

impl Programs {
    pub(crate) fn in_folder(folder: PathBuf, deadline: Instant) -> Result<Self, String> {
        for name in ["brouter", "brctl", "ip", "network-virtual"] {
            let path = folder.join(name);
            if !path.is_file() {
                return Err(format!("{} is missing: run `make` first", path.display()));
            }
        }
        Ok(Self { folder, deadline })
    }

    /// Prints one of our commands as it would be typed, and runs it with our standard output.
    pub(crate) fn run(&self, command_line: &str) -> Result<(), String> {
        println!("{}", coloured("1", &format!("$ {command_line}")));
        let mut words = command_line.split(' ');
        let mut command = Command::new(self.folder.join(words.next().unwrap_or_default()));
        let status = self.finish(command.args(words))?.status;
        if status.success() { Ok(()) } else { Err(format!("`{command_line}` failed: {status}")) }
    }

    /// Returns whether this kernel can masquerade: brouter checks that before it prints its steps.
    pub(crate) fn can_masquerade(&self) -> Result<bool, String> {
        let mut command = Command::new(self.folder.join("brouter"));
        command.args(["up", "probe", "--address", "198.18.0.1/30", "--masquerade", "--dry-run"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(self.finish(&mut command)?.status.success())
    }

    /// Returns what one of our commands prints.
    pub(crate) fn output(&self, command_line: &str) -> Result<String, String> {
        let mut words = command_line.split(' ');
        let mut command = Command::new(self.folder.join(words.next().unwrap_or_default()));
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(String::from_utf8_lossy(&self.finish(&mut command)?.stdout).into_owned())
    }

    /// Waits for the command until the deadline. Output to a pipe must fit into the pipe.
    fn finish(&self, command: &mut Command) -> Result<Output, String> {
        let name = command.get_program().display().to_string();
        let cannot = |e| format!("cannot run {name}: {e}");
        let mut child = command.stdin(Stdio::null()).spawn().map_err(cannot)?;
        while child.try_wait().map_err(cannot)?.is_none() {
            if Instant::now() > self.deadline {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{name} took too long and was killed"));
            }
            sleep(Duration::from_millis(1));
        }
        child.wait_with_output().map_err(cannot)
    }
}
