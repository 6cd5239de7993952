//! `network-virtual start`.

use nix::errno::Errno;

use super::report::{complaint, context, locked, plan_failed, run_firewall, step_failed, stored};
use super::settings::Settings;
use super::words::NAME;
use crate::call::Call;
use crate::error::{Outcome, line};
use crate::firewall::backend::Firewall;
use crate::firewall::chain::{Chain, Policy, Table};
use crate::firewall::change::RuleChange;
use crate::firewall::error::FirewallError;
use crate::firewall::rule::Rule;
use crate::net::Family;
use crate::network::context::{Cause, Context};
use crate::network::item::Item;
use crate::network::misplaced::Misplaced;
use crate::network::plan::{self, Plan};
use crate::network::plan_error::Remark;
use crate::network::spec::NetworkSpec;
use crate::network::step::Step;
use crate::texts::bridge_utils;
use crate::xen::engine::Work;

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
    warn(call, &spec, &plan);
    let step_failed = |step: &Step, cause: &Cause| step_failed(&context, step, cause);
    let work =
        Work { script: NAME, context: &context, plan: &plan, earlier: earlier.as_ref(), step_failed: &step_failed };
    work.carry_out(&|| antispoof(&context, settings))?;
    run_firewall(call, firewall)
}

/// Warns of addresses that will not work, as far as they are about to be made.
fn warn(call: &mut Call, spec: &NetworkSpec, plan: &Plan) {
    let mut warn = |text: &str| drop(call.err.write_all(&line!(NAME, ": warning: ", text)));
    for net in &spec.addresses {
        if let Some(misplaced) = Misplaced::of(*net)
            && plan.steps.iter().any(|step| step.on && step.item == Item::Address(*net))
        {
            warn(&format!("bridgeip={net}: {}", misplaced.what()));
        }
    }
    for remark in &plan.remarks {
        if let Remark::Overlap(overlap) = remark {
            warn(&overlap.what());
        }
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
