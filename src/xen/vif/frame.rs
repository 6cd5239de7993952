//! A call of a vif script from its arguments to its report.

use std::ffi::OsString;
use std::io::ErrorKind;

use super::config::{Command, VifConfig};
use super::error::VifError;
use super::keys::{Keys, backend_of_tap};
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::xen::log::Log;
use crate::xen::script::Arguments;

/// Seconds to wait for another call for the same interface.
const LOCK_PATIENCE: u32 = 10;

/// A vif script.
pub(in crate::xen) struct Script {
    /// Its name, in the log.
    pub(in crate::xen) name: &'static str,
    /// The variables that mean something to it, or to others that are given the same line.
    pub(in crate::xen) variables: &'static [&'static str],
    /// The keys that each call needs, and those that a call which connects needs besides.
    pub(in crate::xen) keys: [&'static [&'static str]; 2],
    /// Which other calls are kept out.
    pub(in crate::xen) lock: LockOf,
    /// Does the work of a call, under the lock, and reports its success.
    pub(in crate::xen) work: fn(&mut Context) -> Result<(), VifError>,
}

/// Which other calls a call keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::xen) enum LockOf {
    /// Those of the same script for the same interface.
    Interface,
    /// All that change routes: two guests with the same address must not both find it free.
    Routes,
}

/// What a call works with.
pub(in crate::xen) struct Context<'a> {
    pub(in crate::xen) kernel: &'a Kernel,
    /// The script's name.
    pub(in crate::xen) name: &'static str,
    pub(in crate::xen) log: Log<'a>,
    pub(in crate::xen) era: Era,
    pub(in crate::xen) arguments: &'a Arguments<'a>,
    pub(in crate::xen) keys: &'a mut Keys,
    pub(in crate::xen) config: &'a VifConfig,
    /// The caller's PATH.
    pub(in crate::xen) path: Option<OsString>,
    lock_of: LockOf,
    lock: Option<Lock>,
}

/// Runs a vif script.
///
/// # Errors
/// Status 1; the text has gone to the toolstack and to the log, and is repeated only if that cannot be written.
pub(in crate::xen) fn run(call: &mut Call, script: &Script) -> Outcome {
    let log = Log::new(call.kernel, script.name);
    let mut keys = Keys::new((call.environment)("XENBUS_PATH"), (call.environment)("XENSTORED_PATH"));
    let arguments = Arguments::parse(call.args, call.environment).map_err(VifError::Argument);
    let done = arguments.and_then(|arguments| work(call, script, &arguments, &mut keys, log));
    done.map_err(|error| {
        let text = error.text(call.era);
        keys.report(&text);
        // the scripts' standard error is that file
        if log.error(&text) { Failure::silent(1) } else { Failure::new(line!(text)) }
    })
}

fn work(call: &Call, script: &Script, arguments: &Arguments, keys: &mut Keys, log: Log) -> Result<(), VifError> {
    let kernel = call.kernel;
    if let Some(path) = arguments.value("XENBUS_PATH") {
        keys.path = Some(path);
    }
    let Some(config) = VifConfig::read(arguments)? else { return Ok(()) };
    if config.command.is_for_tap() {
        keys.path = backend_of_tap(&config.device).or(keys.path.take());
    } else if keys.path.is_none() {
        return Err(VifError::NotSet("XENBUS_PATH"));
    }
    for name in arguments.unknown(script.variables) {
        log.note(format!("unknown variable \"{name}\" is ignored").as_bytes());
    }
    // the lock is free as a rule, and the daemon takes its time: whether it can be reached is said after that of the lock
    let connected = keys.connect();
    let [always, to_connect] = script.keys;
    keys.read_ahead(if config.command.plugs() { [always, to_connect].concat() } else { always.to_vec() });
    let path = (call.environment)("PATH");
    let Script { name, lock: lock_of, .. } = *script;
    let mut context =
        Context { kernel, name, log, era: call.era, arguments, keys, config: &config, path, lock_of, lock: None };
    context.lock()?;
    connected?;
    (script.work)(&mut context)
}

impl Context<'_> {
    /// Takes the lock, unless it is held.
    ///
    /// # Errors
    /// Another call holds it for too long.
    pub(in crate::xen) fn lock(&mut self) -> Result<(), VifError> {
        let device = &self.config.device;
        if self.lock.is_none() {
            let name = match self.lock_of {
                LockOf::Interface => format!("{}.{device}", self.name),
                LockOf::Routes => "vif-route".into(),
            };
            self.lock = Some(Lock::claim(self.kernel, &name, LOCK_PATIENCE).map_err(|error| match error.kind() {
                ErrorKind::WouldBlock => VifError::Busy(device.clone()),
                _ => VifError::Lock { device: device.clone(), error },
            })?);
        }
        Ok(())
    }

    /// Lets other calls have the lock while this one waits.
    pub(in crate::xen) fn unlock(&mut self) {
        self.lock = None;
    }

    /// Logs that the call succeeded with what it worked on and, if it connected netback's interface, says so to the toolstack.
    pub(in crate::xen) fn succeed(&mut self, worked_on: &str) -> Result<(), VifError> {
        let command = self.config.command;
        let text = format!("Successful {} {} for {worked_on}.", self.name, command.name());
        let mut log = || self.log.debug(text.as_bytes());
        if command == Command::Online {
            return self.keys.set_connected(&mut log);
        }
        log();
        Ok(())
    }
}
