//! Emulates the kernel of a Xen 3 host: our programs run on the machine's own kernel, under a tracer that answers as Linux 2.6.16,
//! 2.6.18 or 2.6.32 did.
//!
//! System calls added later answer ENOSYS, flags added later are rejected or ignored as they were then, the auxiliary vector has
//! the entries of that kernel, and uname returns its release. [`rules`] holds all this as data, [`tracer`] applies it. Not
//! emulated: ioctls, /proc and /sys are those of the running kernel (`readers.rs` reads files of old hosts).
//!
//! Programs for i686 run as well, as on a dom0 of 32 bits.
//!
//! The emulation covers our programs only. The programs that they start, such as iptables, see the running kernel: their C library
//! would not start on an old one.
//!
//! The test program itself is the tracer. Copies of it are called `brctl`, `ip`, `network-virtual` and so on, in a folder named
//! after the kernel; called by such a name, [`become_tracer`] traces the program of that name in the folder `ours` beside it.

mod i386;
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

/// Acts as the tracer if this process was called as one, and returns its exit status; `None` in a test program. Must be called
/// first in `main`.
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
    // the child stops before it executes the program, so that the options can be set
    let child = Command::new(own).arg0(TRACED).arg(program).arg(name).args(words).spawn()?;
    let status = tracer::follow(child.id(), kernel, program)?;
    Ok(ExitCode::from(status))
}

/// Stops for the tracer, then executes the program. `words` are PROGRAM NAME ARGUMENT...
fn be_traced(mut words: impl Iterator<Item = OsString>) -> io::Result<Infallible> {
    let (Some(program), Some(name)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    ptrace::traceme()?;
    raise(Signal::SIGSTOP)?;
    Err(Command::new(program).arg0(name).args(words).exec())
}
