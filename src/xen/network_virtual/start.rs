//! `network-virtual start`.

use nix::errno::Errno;

use super::report::{complaint, context, locked, plan_failed, run_firewall, step_failed, stored};
use super::settings::Settings;
use crate::call::Call;
use crate::error::{Failure, Outcome, io_text};
use crate::firewall::backend::Firewall;
use crate::firewall::chain::{Chain, Policy, Table};
use crate::firewall::change::RuleChange;
use crate::firewall::error::FirewallError;
use crate::firewall::rule::Rule;
use crate::kernel;
use crate::net::Family;
use crate::network::apply::Change;
use crate::network::context::Context;
use crate::network::plan::{self, Plan};
use crate::network::state::NetworkState;
use crate::texts::bridge_utils;

/// Checks everything; then makes the network, or what is missing of it. If that fails, what this call made is removed.
pub(super) fn start(call: &mut Call, settings: &Settings) -> Outcome {
    let spec = settings.spec()?;
    if spec.addresses.is_empty() {
        return Err(complaint(
            "bridgeip is not set: give the bridge an address with its prefix, bridgeip=192.168.10.1/24",
        ));
    }
    let firewall = settings.firewall(call)?;
    let context = context(call, &spec)?;
    let _lock = locked(&context)?;
    let earlier = stored(&context)?;
    context.set_backend(earlier.as_ref().and_then(|earlier| earlier.backend).or(spec.backend));
    if settings.antispoof {
        context.require(Table::Filter).map_err(|cause| complaint(&format!("antispoof=yes: {cause}")))?;
    }
    if !spec.masquerade.is_empty() {
        context.require(Table::Nat).map_err(|cause| complaint(&format!("masquerade=yes: {cause}")))?;
    }
    let plan = plan::up(&context, &spec, earlier.as_ref()).map_err(|error| {
        let taken = bridge_utils::addbr_failed(spec.bridge.as_bytes(), Errno::EEXIST);
        plan_failed(&error, taken)
    })?;
    make(&context, settings, &plan, earlier.as_ref())?;
    run_firewall(call, firewall)
}

fn make(context: &Context, settings: &Settings, plan: &Plan, earlier: Option<&NetworkState>) -> Outcome {
    if plan.is_idle() && earlier.is_none_or(|earlier| *earlier == plan.state) {
        return antispoof(context, settings);
    }
    kernel::note_signals();
    // a bridge and its addresses can be found again, changes of the firewall and of forwarding cannot
    let must_be_stored = plan.state.items.iter().any(|item| !item.needs_bridge(&context.bridge));
    let mut change = Change::begin(context, plan, earlier, must_be_stored)
        .map_err(|error| complaint(&format!("cannot keep a record under /run/brouter: {}", io_text(&error))))?;
    if let Err((step, cause)) = change.run(&mut |_| ()) {
        let failure = step_failed(context, step, &cause);
        change.undo(Some(step));
        return Err(ended_by_signal(failure));
    }
    if kernel::signal().is_some() {
        change.undo(None);
        return Err(ended_by_signal(complaint("interrupted")));
    }
    if let Err(failure) = antispoof(context, settings) {
        change.undo(None);
        return Err(failure);
    }
    // where this fails the next call takes the change for one that was killed, and finishes it
    let _ = change.finish();
    Ok(())
}

/// The status that a shell reports of a program that a signal has ended.
fn ended_by_signal(failure: Failure) -> Failure {
    match kernel::signal() {
        Some(signal) => failure.with_status(128 + signal as u8),
        None => failure,
    }
}

/// Does what Xen's network-bridge did for `antispoof=yes`, in a network where the outside is routed: nothing is forwarded but
/// what comes from outside, until vif-bridge lets each guest's own address through. Once the rule is there, another call leaves
/// the chain alone, and with it the guests' rules.
fn antispoof(context: &Context, settings: &Settings) -> Outcome {
    if !settings.antispoof {
        return Ok(());
    }
    let rule = Rule::accept_from(settings.outside()?);
    let firewall = context.firewall().map_err(|cause| complaint(&format!("antispoof=yes: {cause}")))?;
    set_up_antispoof(firewall, &rule).map_err(|error| complaint(&format!("antispoof=yes: iptables: {error}")))
}

/// The rule is added first of all, as only that can be refused, and the policy is set last: until then nobody is cut off.
fn set_up_antispoof(firewall: &Firewall, rule: &Rule) -> Result<(), FirewallError> {
    let add = RuleChange::Append(rule.clone());
    let drop = RuleChange::Policy(Family::V4, Chain::Forward, Policy::Drop);
    match firewall.has(rule)? {
        Some(true) => firewall.change(&[drop]),
        _ => firewall.change(&[add.clone(), RuleChange::Flush(Family::V4, Chain::Forward), add, drop]),
    }
}
