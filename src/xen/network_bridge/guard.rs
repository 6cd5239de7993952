//! A process that undoes what this one has begun, if this one is killed. It waits at a pipe whose other end goes with this process.

use std::io::{Read, Write, stdin};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::undo::undo;
use super::words::NAME;
use crate::call::Call;
use crate::error::Outcome;
use crate::kernel;
use crate::net::InterfaceName;
use crate::network::context::Context;
use crate::xen::engine::{complaint, locked, states, stored};
use crate::xen::script::Arguments;

/// The command by which the process is started.
pub(super) const COMMAND: &str = "undo-if-killed";

/// The process.
pub(super) struct Guard(Option<Child>);

impl Guard {
    /// Starts the process: this program, in a process group of its own. Where that is refused there is none, and a call that is killed
    /// is undone by the next.
    pub(super) fn start(bridge: &InterfaceName) -> Self {
        let mut command = Command::new("/proc/self/exe");
        command.arg0(NAME).args([COMMAND, &format!("bridge={bridge}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        Guard(kernel::spawn(&mut command).ok())
    }

    /// Tells the process to end without undoing anything, and waits for it.
    pub(super) fn dismiss(self) {
        let Some(mut child) = self.0 else { return };
        if let Some(mut pipe) = child.stdin.take() {
            let _ = pipe.write_all(b"done");
        }
        let _ = child.wait();
    }
}

/// Waits until the process that started this one has ended, and undoes what it has left.
pub(super) fn stand_by(call: &Call, arguments: &Arguments) -> Outcome {
    kernel::note_signals();
    let mut said = Vec::new();
    // a signal is for the other process
    let _ = stdin().read_to_end(&mut said);
    if !said.is_empty() {
        return Ok(());
    }
    let bridge = arguments.value("bridge").and_then(|bridge| bridge.parse().ok());
    let bridge: InterfaceName = bridge.ok_or_else(|| complaint(NAME, "bridge= is expected"))?;
    let context = context(call, bridge)?;
    let _lock = locked(NAME, &context)?;
    match stored(NAME, &context)? {
        Some(state) if state.incomplete => undo(&context, &state),
        _ => Ok(()),
    }
}

/// The engine's context for a bridge.
pub(super) fn context<'a>(call: &Call<'a>, bridge: InterfaceName) -> Result<Context<'a>, crate::error::Failure> {
    let name = bridge.to_string();
    Ok(Context::new(call.kernel, states(call, NAME)?, &name, bridge, (call.environment)("PATH")))
}
