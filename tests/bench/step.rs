//! Measures commands: time, system calls, memory.

use std::array;
use std::fmt::Display;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use crate::host::Host;
use crate::table::Figure;

/// A command on a host. A command that fails cannot be measured.
pub(crate) struct Step<'a> {
    host: &'a Host,
    program: &'a Path,
    words: &'a str,
    path: &'a str,
    environment: &'a [(&'a str, String)],
}

impl<'a> Step<'a> {
    pub(crate) fn new(host: &'a Host, program: &'a Path, words: &'a str) -> Self {
        Self { host, program, words, path: "/usr/sbin:/usr/bin:/sbin:/bin", environment: &[] }
    }

    /// Sets the PATH of the command.
    pub(crate) fn with_path(self, path: &'a str) -> Self {
        Self { path, ..self }
    }

    /// Sets further environment variables.
    pub(crate) fn with_environment(self, environment: &'a [(&'a str, String)]) -> Self {
        Self { environment, ..self }
    }

    /// Runs the command.
    pub(crate) fn run(&self) -> Result<(), String> {
        self.time().map(drop)
    }

    /// Measures the time from start to end.
    pub(crate) fn time(&self) -> Result<Duration, String> {
        let mut command = self.command(self.program)?;
        command.args(self.words.split(' ')).stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status();
        let time = start.elapsed();
        self.check(status).map(|()| time)
    }

    /// Runs the command and returns its output.
    pub(crate) fn output(&self) -> Result<Output, String> {
        let output = self.command(self.program)?.args(self.words.split(' ')).output();
        let output = output.map_err(|error| self.failed(error))?;
        if !output.status.success() {
            return Err(self.failed(String::from_utf8_lossy(&output.stderr)));
        }
        Ok(output)
    }

    /// Runs the command with this text as standard input.
    pub(crate) fn feed(&self, input: &str) -> Result<(), String> {
        let mut command = self.command(self.program)?;
        command.args(self.words.split(' ')).stdin(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.failed(error))?;
        let fed = child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(input.as_bytes()));
        self.check(child.wait())?;
        fed.map_err(|error| self.failed(error))
    }

    /// Counts its system calls, including those of child processes.
    pub(crate) fn system_calls(&self, strace: &Path) -> Result<Figure, String> {
        const TRACE: &str = "/run/trace";
        let mut command = self.command(strace)?;
        command.args(["-f", "-o", TRACE]).arg(self.program).args(self.words.split(' '));
        self.check(command.stdout(Stdio::null()).status())?;
        let trace = fs::read_to_string(TRACE).map_err(|error| self.failed(error))?;
        // a call is `PID NAME(…`; signals start with `---`, exits with `+++`, the end of an interrupted call with `<...`
        let is_call = |line: &&str| line.split_whitespace().nth(1).is_some_and(|word| word.contains('('));
        Ok(Figure::Calls(trace.lines().filter(is_call).count()))
    }

    /// Measures its peak memory.
    ///
    /// Reads it from /proc between two pieces of output. The peak that wait4 returns includes the time before exec, in which the
    /// child shares our memory.
    pub(crate) fn memory(&self) -> Result<Figure, String> {
        let mut command = self.command(self.program)?;
        let child = command.args(self.words.split(' ')).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| self.failed(error))?;
        let status_file = format!("/proc/{}/status", child.id());
        let mut most = 0;
        if let Some(mut output) = child.stdout.take() {
            let mut piece = [0; 4096];
            while output.read(&mut piece).map_err(|error| self.failed(error))? > 0 {
                // a process that has exited has no VmHWM
                let resident = fs::read_to_string(&status_file).ok().and_then(|text| high_water_mark(&text));
                most = most.max(resident.unwrap_or(0));
            }
        }
        self.check(child.wait())?;
        if most == 0 { Err(self.failed("ended before its memory was read")) } else { Ok(Figure::Kibibytes(most)) }
    }

    /// Prepares a command on the host, without arguments.
    fn command(&self, program: &Path) -> Result<Command, String> {
        self.host.enter()?;
        let mut command = Command::new(program);
        command.env_clear().env("PATH", self.path).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    fn check(&self, ended: io::Result<ExitStatus>) -> Result<(), String> {
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failed(status)),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, reason: impl Display) -> String {
        let words: Vec<&str> = self.words.split(' ').take(3).collect();
        format!("{} {}: {reason}", self.program.display(), words.join(" "))
    }
}

/// Parses VmHWM from /proc/PID/status, in KiB.
fn high_water_mark(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Runs the steps alternately, A B C A B C…, and returns the median time of each. The first round is a warm-up.
pub(crate) fn medians<const N: usize>(rounds: usize, steps: [Step; N]) -> Result<[Figure; N], String> {
    let mut times: [Vec<Duration>; N] = array::from_fn(|_| Vec::new());
    for round in 0..=rounds {
        for (step, times) in steps.iter().zip(&mut times) {
            let time = step.time()?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    Ok(times.map(|mut times| {
        times.sort_unstable();
        Figure::Time(times[times.len() / 2])
    }))
}

/// Checks that two steps print the same.
pub(crate) fn agree(one: &Step, other: &Step) -> Result<(), String> {
    let (printed, expected) = (one.output()?, other.output()?);
    if printed.stdout == expected.stdout && printed.stderr == expected.stderr {
        return Ok(());
    }
    Err(one.failed(format!("output differs from {}", other.program.display())))
}

/// Compiles a program in C, with cc if there is no other compiler.
pub(crate) fn compile(compiler: &str, source: &str, program: &str, is_static: bool) -> Result<(), String> {
    let mut command = Command::new(compiler);
    command.args(["-O2", "-Wall", "-Wextra"]).args(is_static.then_some("-static"));
    match command.args(["-o", program, source]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{compiler} {source}: {status}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound && compiler != "cc" => {
            compile("cc", source, program, is_static)
        }
        Err(error) => Err(format!("{compiler}: {error}")),
    }
}
