//! `vif-bridge (online|offline|add|remove) {VAR=VAL}*`: makes a guest's interface a port of a bridge, and takes it off again.
//!
//! Xen's udev rules (Xen 3) or its toolstack (libxl) run it when a guest's interface appears and when it goes, and wait for the key
//! `hotplug-status` in xenstore. It follows the script of Xen 4.17. Where that would stop halfway, or leave the toolstack waiting
//! until its timeout, this does better on purpose (`compat/original/DEVIATIONS.md`).
//!
//! [`config`] reads arguments and keys, [`plug`] has the steps of a call, [`port`] the changes to an interface, [`rules`] those to
//! the firewall, [`error`] the texts of failures.

mod bridge;
mod config;
mod error;
mod keys;
mod plug;
mod port;
mod rules;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;

use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::net::InterfaceName;
use crate::xen::log::Log;
use crate::xen::script::Arguments;
use config::{PortConfig, VifConfig};
use error::VifError;
use keys::{Keys, backend_of_tap};
use plug::Context;

/// The variables that mean something, to this script or to others that are given the same line.
const VARIABLES: [&str; 11] =
    ["command", "type_if", "vif", "INTERFACE", "XENBUS_PATH", "bridge", "ip", "antispoof", "wait", "netdev", "script"];

/// Seconds to wait for another call for the same interface.
const LOCK_PATIENCE: u32 = 10;

/// Runs `vif-bridge`.
///
/// # Errors
/// Status 1; the text has gone to the toolstack and to the log, and is repeated only if that cannot be written.
pub fn run(call: &mut Call) -> Outcome {
    let log = Log::new(call.kernel, "vif-bridge");
    let mut keys = Keys::new((call.environment)("XENBUS_PATH"), (call.environment)("XENSTORED_PATH"));
    let arguments = Arguments::parse(call.args, call.environment).map_err(VifError::Argument);
    let done = arguments.and_then(|arguments| work(call, &arguments, &mut keys, log));
    done.map_err(|error| {
        let text = error.text(call.era);
        keys.report(&text);
        // the scripts' standard error is that file
        if log.error(&text) { Failure::silent(1) } else { Failure::new(line!(text)) }
    })
}

fn work(call: &Call, arguments: &Arguments, keys: &mut Keys, log: Log) -> Result<(), VifError> {
    let kernel = call.kernel;
    if let Some(path) = arguments.value("XENBUS_PATH") {
        keys.path = Some(path);
    }
    let Some(config) = VifConfig::read(arguments, call.era)? else { return Ok(()) };
    if config.command.is_for_tap() {
        keys.path = backend_of_tap(&config.device).or(keys.path.take());
    } else if keys.path.is_none() {
        return Err(VifError::NotSet("XENBUS_PATH"));
    }
    for name in arguments.unknown(&VARIABLES) {
        log.note(format!("unknown variable \"{name}\" is ignored").as_bytes());
    }
    let _lock = lock(kernel, &config.device)?;
    keys.connect()?;
    let port = PortConfig::read(arguments, keys, config.command, (call.environment)("PATH"))?;
    let mut context = Context { kernel, log, keys, config: &config };
    let done = match config.command.plugs() {
        true => context.plug(port)?,
        false => context.unplug(port)?,
    };
    let (command, bridge) = (config.command.name(), done.bridge.as_ref().map_or("", InterfaceName::as_str));
    log.debug(format!("Successful vif-bridge {command} for {}, bridge {bridge}.", done.port).as_bytes());
    warn_of_hooks(kernel, log);
    Ok(())
}

/// Keeps other calls for the same interface out: online and offline may cross.
fn lock(kernel: &Kernel, device: &InterfaceName) -> Result<Lock, VifError> {
    Lock::claim(kernel, &format!("vif-bridge.{device}"), LOCK_PATIENCE).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => VifError::Busy(device.clone()),
        _ => VifError::Lock { device: device.clone(), error },
    })
}

/// Notes that the original's hooks, which it reads as parts of itself, are not run.
fn warn_of_hooks(kernel: &Kernel, log: Log) {
    const FOLDER: &str = "/etc/xen/scripts/vif-post.d";
    let Ok(files) = fs::read_dir(kernel.path(FOLDER)) else { return };
    if files.flatten().any(|file| file.file_name().as_bytes().ends_with(b".hook")) {
        log.note(format!("{FOLDER}: hooks are parts of a shell script, and are not run").as_bytes());
    }
}
