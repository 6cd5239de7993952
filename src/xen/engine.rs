//! How network scripts use the engine of networks: its lock, its record, a change that is carried out or undone; and the commands of
//! this program that they run.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;

use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, io_text, line};
use crate::kernel;
use crate::lock::Lock;
use crate::network::apply::Change;
use crate::network::context::{Cause, Context};
use crate::network::item::Item;
use crate::network::plan::Plan;
use crate::network::state::{NetworkState, StoredState};
use crate::network::step::Step;
use crate::network::store::StateDir;
use crate::shell::quoted_name;

/// A failure of a script, in words of our own.
pub(super) fn complaint(script: &str, text: &str) -> Failure {
    Failure::new(line!(script, ": ", text))
}

/// Returns the records of this network namespace.
pub(super) fn states(call: &Call, script: &str) -> Result<StateDir, Failure> {
    StateDir::of(call.kernel).map_err(|errno| {
        complaint(script, &format!("cannot tell which network namespace this is: {}", errno_text(errno)))
    })
}

/// Locks a network. Where nobody can have a lock, for lack of privilege or of room, the call goes on without.
pub(super) fn locked(script: &str, context: &Context) -> Result<Option<Lock>, Failure> {
    match context.lock() {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(complaint(
            script,
            &format!("another start or stop of {} has been running for 10 seconds", context.network),
        )),
        Err(_) => Ok(None),
    }
}

/// Reads what is stored of a network.
pub(super) fn stored(script: &str, context: &Context) -> Result<Option<NetworkState>, Failure> {
    let file = context.states.file(&context.network, false);
    match context.states.load(&context.network) {
        Ok(None) => Ok(None),
        Ok(Some(StoredState::Known(state))) => Ok(Some(state)),
        Ok(Some(StoredState::Malformed { .. })) => {
            let file = context.states.malformed_file(&context.network);
            let word = quoted_name(file.as_os_str());
            Err(complaint(script, &format!("{} is not a record of brouter's: rm -r {word}", file.display())))
        }
        Err(error) => Err(complaint(script, &format!("{}: {}", file.display(), io_text(&error)))),
    }
}

/// A change of the engine, in a script.
pub(super) struct Work<'a, 'b> {
    pub(super) script: &'a str,
    pub(super) context: &'a Context<'b>,
    pub(super) plan: &'a Plan,
    pub(super) earlier: Option<&'a NetworkState>,
    /// Words a step that failed.
    pub(super) step_failed: &'a dyn Fn(&Step, &Cause) -> Failure,
}

impl Work<'_, '_> {
    /// Carries the plan out, then `last`. Undoes everything if a step or `last` fails, or a signal arrives.
    pub(super) fn carry_out(&self, last: &dyn Fn() -> Outcome) -> Outcome {
        let Work { context, plan, earlier, .. } = *self;
        if plan.is_idle() && earlier.is_none_or(|earlier| *earlier == plan.state) {
            return last();
        }
        kernel::note_signals();
        // a bridge and its addresses can be found again, changes of the firewall and of forwarding cannot
        let must_be_stored = plan.state.items.iter().any(|item| !item.needs_bridge(&context.bridge));
        let mut change = Change::begin(context, plan, earlier, must_be_stored).map_err(|error| {
            complaint(self.script, &format!("cannot keep a record under /run/brouter: {}", io_text(&error)))
        })?;
        if let Err((step, cause)) = change.run(&mut |_| ()) {
            let failure = (self.step_failed)(step, &cause);
            change.undo(Some(step));
            return Err(ended_by_signal(failure));
        }
        if kernel::signal().is_some() {
            change.undo(None);
            return Err(ended_by_signal(complaint(self.script, "interrupted")));
        }
        if let Err(failure) = last() {
            change.undo(None);
            return Err(failure);
        }
        // where this fails the next call takes the change for one that was killed, and finishes it
        let _ = change.finish();
        Ok(())
    }
}

/// The status that a shell reports of a program that a signal has ended.
fn ended_by_signal(failure: Failure) -> Failure {
    match kernel::signal() {
        Some(signal) => failure.with_status(128 + signal as u8),
        None => failure,
    }
}

/// What is said where forwarding cannot be switched on or off.
pub(super) fn forwarding_failed(script: &str, step: &Step, cause: &Cause) -> Option<Failure> {
    let (Item::Forwarding { .. }, Cause::Kernel(errno)) = (&step.item, cause) else { return None };
    let state = if step.on { "on" } else { "off" };
    Some(complaint(script, &format!("cannot switch forwarding {state}: {}", errno_text(*errno))))
}

/// Runs one of this program's own commands. What it prints comes before the complaints of the next.
pub(super) fn run_command(call: &mut Call, script: &str, words: &[&str]) -> Outcome {
    let (name, args) = words.split_first().map_or(("", words), |(name, args)| (*name, args));
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let Some(applet) = call.find(OsStr::new(name)) else {
        return Err(Failure::new(line!(script, ": ", name, ": command not found")).with_status(127));
    };
    let outcome = call.run(applet, OsStr::new(name), &args);
    let _ = call.out.flush();
    outcome
}
