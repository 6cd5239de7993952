//! Runs the programs of the demonstration, each within the remaining time.

use std::path::{Path, PathBuf};
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

    /// Returns the number of rules in the nat table; an error if iptables is missing or cannot masquerade.
    pub(crate) fn nat_rules(&self) -> Result<usize, String> {
        let places = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(|dir| Path::new(dir).join("iptables"));
        let iptables = places.iter().find(|place| place.is_file()).ok_or("there is no iptables")?;
        let mut command = Command::new(iptables);
        command.args(["-t", "nat", "-S"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let output = self.finish(&mut command)?;
        if !output.status.success() {
            return Err(format!("iptables cannot list the nat table: {}", output.status));
        }
        // The other lines are the policies of the built-in chains.
        let rules = String::from_utf8_lossy(&output.stdout);
        Ok(rules.lines().filter(|line| line.starts_with("-A")).count())
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
