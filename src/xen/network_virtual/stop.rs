//! `network-virtual stop`.

use super::report::{complaint, context, locked, plan_failed, run_firewall, step_failed, stored};
use super::settings::Settings;
use super::words::NAME;
use crate::call::Call;
use crate::error::{Failure, Outcome, io_text, line};
use crate::kernel;
use crate::network::apply;
use crate::network::item::Item;
use crate::network::removal::{self, Extent};

/// Removes the bridge with its addresses, whatever else is on it: ports are released. What the last start made besides goes too.
pub(super) fn stop(call: &mut Call, settings: &Settings) -> Outcome {
    let spec = settings.spec()?;
    let firewall = settings.firewall(call)?;
    let context = context(call, &spec)?;
    let _lock = locked(&context)?;
    let earlier = stored(&context)?;
    context.set_backend(earlier.as_ref().and_then(|earlier| earlier.backend).or(spec.backend));
    let items = earlier.iter().flat_map(|earlier| &earlier.items);
    if items.clone().any(|item| item.rule(&context.bridge).is_some()) {
        context.firewall().map_err(|cause| complaint(&cause.to_string()))?;
    }
    // without this lock the network goes all the same
    let is_shared = items.clone().any(Item::is_shared);
    let _teardown = if is_shared { context.states.lock_teardown(call.kernel).ok() } else { None };
    let plan = removal::down(&context, &spec, earlier.as_ref(), Extent::Bridge).map_err(|error| {
        plan_failed(&error, Failure::new(line!(NAME, ": ", settings.bridge, " is not a bridge, and is left alone")))
    })?;
    if plan.steps.is_empty() && earlier.is_none() {
        return Ok(());
    }
    kernel::note_signals();
    let removed = apply::remove(&context, &plan, &mut |_| ());
    if let Some((step, cause)) = removed.failed.first() {
        return Err(step_failed(&context, step, cause));
    }
    apply::forget(&context, earlier.as_ref())
        .map_err(|error| complaint(&format!("cannot remove the record under /run/brouter: {}", io_text(&error))))?;
    let had_bridge = plan.steps.iter().any(|step| step.item == Item::Bridge);
    if had_bridge { run_firewall(call, firewall) } else { Ok(()) }
}
