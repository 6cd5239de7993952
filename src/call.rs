//! One invocation of a command, and how a process becomes one.
//!
//! A command receives a [`Call`] and returns an [`Outcome`]; it reads arguments, environment and kernel from the call alone. No
//! command knows the table of commands: a program hands it down in [`Call::applets`].

use std::ffi::{OsStr, OsString};
use std::io::{Write, stderr};

use nix::errno::Errno;

use crate::era::{self, Era};
use crate::error::{Failure, Outcome, line};
use crate::kernel::Kernel;
use crate::stdio::Stdout;

/// Runs a command.
pub type Run = fn(&mut Call) -> Outcome;

/// A command with a name of its own.
pub struct Applet {
    /// Name by which it is called.
    pub name: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Runs it.
    pub run: Run,
}

/// One invocation of a command: its arguments, what it may read, and where it writes.
pub struct Call<'a> {
    /// `argv[0]` as given: getopt's messages begin with it.
    pub program: &'a OsStr,
    /// The arguments after it.
    pub args: &'a [OsString],
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The kernel to read and to change.
    pub kernel: &'a Kernel,
    /// The tools whose behaviour is followed.
    pub era: Era,
    /// The commands of this program.
    pub applets: &'static [&'static Applet],
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error, for warnings; what ends the call is its [`Outcome`].
    pub err: &'a mut dyn Write,
}

impl Call<'_> {
    /// Returns this program's command of a name.
    pub fn find(&self, name: &OsStr) -> Option<&'static Applet> {
        self.applets.iter().copied().find(|applet| name == applet.name)
    }

    /// Runs another command within this call: same kernel, environment and outputs.
    ///
    /// # Errors
    /// Those of the command.
    pub fn run(&mut self, applet: &Applet, program: &OsStr, args: &[OsString]) -> Outcome {
        (applet.run)(&mut Call {
            program,
            args,
            environment: self.environment,
            kernel: self.kernel,
            era: self.era,
            applets: self.applets,
            out: self.out,
            err: self.err,
        })
    }
}

/// Runs a command as this whole process, whose arguments are `args`. Only here is the environment read, is a failure printed, and is
/// the exit status decided, which is returned.
pub fn start(mut args: impl Iterator<Item = OsString>, applets: &'static [&'static Applet], run: Run) -> u8 {
    let program = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    let mut out = Stdout::new();
    let kernel = Kernel::running();
    let outcome = choose_era(&kernel).and_then(|era| {
        let outcome = run(&mut Call {
            program: &program,
            args: &args,
            environment: &|name| std::env::var_os(name),
            kernel: &kernel,
            era,
            applets,
            out: &mut out,
            err: &mut stderr(),
        });
        outcome.map_err(|failure| failure.in_era(era))
    });
    let status = match outcome {
        Ok(()) => 0,
        Err(failure) => {
            // nobody can be told if this fails
            let _ = stderr().write_all(&failure.text);
            failure.status
        }
    };
    // The originals do not check whether their output arrived. Where its reader has gone they die of SIGPIPE, which Rust ignores;
    // the status is the one that a shell reports then.
    let _ = out.flush();
    match out.error() {
        Some(Errno::EPIPE) => 128 + 13,
        _ => status,
    }
}

fn choose_era(kernel: &Kernel) -> Result<Era, Failure> {
    Era::choose(std::env::var_os(era::VARIABLE).as_deref(), || kernel.release()).map_err(|era::UnknownEra(value)| {
        let text = line!("brouter: ", era::VARIABLE, "=\"", value.as_encoded_bytes(), "\": 2006 or today is expected");
        Failure::new(text).with_status(2)
    })
}
