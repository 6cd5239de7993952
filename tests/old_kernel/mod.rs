//! A kernel of a Xen 3 host, imitated: our programs run on the machine's own kernel, but between the two stands a tracer that
//! answers as Linux 2.6.16, 2.6.18 or 2.6.32 did.
//!
//! Calls that came later answer ENOSYS, flags that came later are refused or ignored as they were then, the auxiliary vector
//! holds what it held, uname names that kernel: [`rules`] has all of it as data, [`tracer`] applies it. What is not imitated:
//! ioctls, /proc and /sys are today's (`readers.rs` reads those of such hosts).
//!
//! Only our programs are traced so. What they start, such as iptables, lives in today's world: its C library would not start in
//! that one.
//!
//! A test program is the tracer, too. In a folder named after the kernel it is linked as `brctl`, `ip` and `network-virtual`;
//! called there, [`become_tracer`] runs the program of that name in the folder beside it, `ours`.

mod rules;
mod tracer;

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};

pub(crate) use rules::{KERNELS, OldKernel};

/// `argv[0]` of the process that becomes the traced program.
const TRACED: &str = "to be traced";

/// To be called first of all: what this process is to exit with, if it is a tracer, and not a test program.
pub(crate) fn become_tracer() -> Option<ExitCode> {
    let mut words = std::env::args_os();
    let name = words.next()?;
    if name == TRACED {
        let Err(error) = be_traced(words);
        eprintln!("old kernel: {error}");
        return Some(ExitCode::from(127));
    }
    let own = std::env::current_exe().ok()?;
    let kernel = OldKernel::named(own.parent()?.file_name()?.to_str()?)?;
    let program = own.parent()?.with_file_name("ours").join(own.file_name()?);
    Some(trace(kernel, &own, &program, &name, words).unwrap_or_else(|error| {
        eprintln!("old kernel: {}: {error}", program.display());
        ExitCode::from(127)
    }))
}

fn trace(
    kernel: &OldKernel,
    own: &Path,
    program: &Path,
    name: &OsStr,
    words: impl Iterator<Item = OsString>,
) -> io::Result<ExitCode> {
    // which stops before it becomes the program, for the options to be set
    let child = Command::new(own).arg0(TRACED).arg(program).arg(name).args(words).spawn()?;
    let status = tracer::follow(child.id(), kernel, program)?;
    Ok(ExitCode::from(status))
}

/// Stops for the tracer, then becomes the program: PROGRAM NAME ARGUMENT...
fn be_traced(mut words: impl Iterator<Item = OsString>) -> io::Result<Infallible> {
    let (Some(program), Some(name)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    ptrace::traceme()?;
    raise(Signal::SIGSTOP)?;
    Err(Command::new(program).arg0(name).args(words).exec())
}
