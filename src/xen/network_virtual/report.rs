//! What `network-virtual` says of failures: in the words of the script's own commands where one of them would have failed.

use std::io::ErrorKind;
use std::path::PathBuf;

use nix::errno::Errno;

use super::words::NAME;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, io_text, line};
use crate::firewall::error::FirewallError;
use crate::lock::Lock;
use crate::network::context::{Cause, Context, FIREWALL_LIMIT, firewall_advice};
use crate::network::item::{Item, Value};
use crate::network::plan::PlanError;
use crate::network::spec::NetworkSpec;
use crate::network::state::{NetworkState, StoredState};
use crate::network::step::Step;
use crate::network::store::StateDir;
use crate::program;
use crate::shell::quoted_name;
use crate::terminal;
use crate::texts::{bridge_utils, iproute2};

/// A failure in words of our own.
pub(super) fn complaint(text: &str) -> Failure {
    Failure::new(line!(NAME, ": ", text))
}

/// The engine's context for a network.
pub(super) fn context<'a>(call: &Call<'a>, spec: &NetworkSpec) -> Result<Context<'a>, Failure> {
    let states = StateDir::of(call.kernel)
        .map_err(|errno| complaint(&format!("cannot tell which network namespace this is: {}", errno_text(errno))))?;
    Ok(Context::new(call.kernel, states, &spec.name, spec.bridge.clone(), (call.environment)("PATH")))
}

/// Locks the network. Where nobody can have a lock, for lack of privilege or of room, the call goes on without.
pub(super) fn locked(context: &Context) -> Result<Option<Lock>, Failure> {
    match context.lock() {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            Err(complaint(&format!("another start or stop of {} has been running for 10 seconds", context.network)))
        }
        Err(_) => Ok(None),
    }
}

/// Reads what is stored of the network.
pub(super) fn stored(context: &Context) -> Result<Option<NetworkState>, Failure> {
    let file = context.states.file(&context.network, false);
    match context.states.load(&context.network) {
        Ok(None) => Ok(None),
        Ok(Some(StoredState::Known(state))) => Ok(Some(state)),
        Ok(Some(StoredState::Malformed { .. })) => {
            let file = context.states.malformed_file(&context.network);
            let word = quoted_name(file.as_os_str());
            Err(complaint(&format!("{} is not a record of brouter's: rm -r {word}", file.display())))
        }
        Err(error) => Err(complaint(&format!("{}: {}", file.display(), io_text(&error)))),
    }
}

/// Why there is no plan; `taken` is said where another interface has the bridge's name.
pub(super) fn plan_failed(error: &PlanError, taken: Failure) -> Failure {
    match error {
        PlanError::NotABridge(_) => taken,
        PlanError::Other(Cause::Firewall(FirewallError::Refused(said))) => {
            complaint(&format!("iptables: {}", terminal::lines(said)))
        }
        error => complaint(&error.to_string()),
    }
}

/// A step of the engine that failed.
pub(super) fn step_failed(context: &Context, step: &Step, cause: &Cause) -> Failure {
    let name = context.bridge.as_bytes();
    match (&step.item, step.on, cause) {
        (Item::Bridge, true, Cause::NoBridges(errno)) => complaint(&format!(
            "this kernel has no bridges ({}): load the module with `modprobe bridge`, or build it with CONFIG_BRIDGE",
            errno_text(*errno)
        )),
        (Item::Bridge, true, Cause::Kernel(errno)) => bridge_utils::addbr_failed(name, *errno),
        (Item::Bridge, false, Cause::Kernel(errno)) => bridge_utils::delbr_failed(name, *errno),
        (Item::Value { value: Value::Stp, .. }, _, Cause::Kernel(errno)) => bridge_utils::stp_failed(*errno),
        (Item::Value { value: Value::ForwardDelay, .. }, _, Cause::Kernel(errno)) => bridge_utils::setfd_failed(*errno),
        (Item::Address(net), true, Cause::Kernel(errno)) => iproute2::address_not_added(name, *net, *errno),
        (Item::Address(net), true, Cause::Ipv6Disabled) => iproute2::address_not_added(name, *net, Errno::EACCES),
        (Item::Address(_), true, Cause::NoLabel) => iproute2::no_label_left(),
        (Item::Forwarding { .. }, on, Cause::Kernel(errno)) => {
            let state = if on { "on" } else { "off" };
            complaint(&format!("cannot switch forwarding {state}: {}", errno_text(*errno)))
        }
        (Item::Up(_), _, Cause::Kernel(errno)) => iproute2::flags_not_set(name, *errno),
        _ => complaint(&format!("{}: {cause}", context.command(step))),
    }
}

/// Runs the host's own firewall command, with our outputs.
pub(super) fn run_firewall(call: &mut Call, firewall: Option<(PathBuf, Vec<String>)>) -> Outcome {
    let Some((program, args)) = firewall else { return Ok(()) };
    let _ = call.out.flush();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    program::run(&program, &words, FIREWALL_LIMIT).map_err(|failed| {
        let text = format!("{}: {failed}{}", program.display(), firewall_advice(&failed));
        complaint(&text).with_status(failed.exit_status())
    })
}
