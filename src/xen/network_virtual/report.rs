//! What `network-virtual` says of failures: in the words of the script's own commands where one of them would have failed.

use std::path::PathBuf;

use nix::errno::Errno;

use super::words::NAME;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text};
use crate::firewall::error::FirewallError;
use crate::lock::Lock;
use crate::network::context::{Cause, Context, FIREWALL_LIMIT, firewall_advice};
use crate::network::item::{Item, Value};
use crate::network::plan_error::PlanError;
use crate::network::spec::NetworkSpec;
use crate::network::state::NetworkState;
use crate::network::step::Step;
use crate::program;
use crate::terminal;
use crate::texts::{bridge_utils, iproute2};
use crate::xen::engine;

/// A failure in words of our own.
pub(super) fn complaint(text: &str) -> Failure {
    engine::complaint(NAME, text)
}

/// The engine's context for a network.
pub(super) fn context<'a>(call: &Call<'a>, spec: &NetworkSpec) -> Result<Context<'a>, Failure> {
    let states = engine::states(call, NAME)?;
    Ok(Context::new(call.kernel, states, &spec.name, spec.bridge.clone(), (call.environment)("PATH")))
}

/// Locks the network.
pub(super) fn locked(context: &Context) -> Result<Option<Lock>, Failure> {
    engine::locked(NAME, context)
}

/// Reads what is stored of the network.
pub(super) fn stored(context: &Context) -> Result<Option<NetworkState>, Failure> {
    engine::stored(NAME, context)
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
    if let Some(failure) = engine::forwarding_failed(NAME, step, cause) {
        return failure;
    }
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
