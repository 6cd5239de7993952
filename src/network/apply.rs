//! Carrying out a plan, and undoing it if a step fails.
//!
//! Before the first step the state says all that is about to be made. So a call that is killed leaves nothing that the next one
//! does not know for its own.

use std::io;

use super::context::{Cause, Context};
use super::item::Item;
use super::plan::Plan;
use super::state::NetworkState;
use super::step::Step;
use crate::kernel;

/// What is reported while steps are carried out.
pub enum Progress<'a> {
    /// This step comes next.
    Next(&'a Step),
    /// This step has been carried out.
    Done(&'a Step),
    /// The kernel refuses this step, without which the network works.
    Skipped(&'a Step, Cause),
}

/// A change of a network that has begun.
pub struct Change<'a, 'b> {
    context: &'a Context<'b>,
    plan: &'a Plan,
    earlier: Option<&'a NetworkState>,
    /// What the change was begun with; nothing if it cannot be stored.
    begun: Option<NetworkState>,
    done: Vec<&'a Step>,
    skipped: Vec<&'a Step>,
}

/// What has become of a change that was undone.
#[derive(Debug, Default)]
pub struct Undone {
    /// The steps that undid it, in order.
    pub steps: Vec<Step>,
    /// Steps that could not be undone, and why.
    pub left: Vec<(Step, Cause)>,
    /// Why the stored state is not what it was.
    pub state: Option<io::Error>,
}

impl<'a, 'b> Change<'a, 'b> {
    /// Begins a change: stores what is about to be made. What is about to be removed stays stored until it is.
    ///
    /// `must_be_stored`: whether it is an error if the state cannot be written. Else the change is not remembered.
    ///
    /// # Errors
    /// Those of writing the state. Nothing has changed then.
    pub fn begin(
        context: &'a Context<'b>,
        plan: &'a Plan,
        earlier: Option<&'a NetworkState>,
        must_be_stored: bool,
    ) -> io::Result<Self> {
        let mut state = NetworkState { incomplete: true, ..plan.state.clone() };
        let dropped = earlier.iter().flat_map(|earlier| &earlier.items);
        let dropped: Vec<Item> = dropped.filter(|item| state.find(item).is_none()).cloned().collect();
        state.items.splice(0..0, dropped);
        let begun = match context.states.begin_change(&context.network, &state) {
            Ok(()) => Some(state),
            Err(error) if must_be_stored => return Err(error),
            Err(_) => None,
        };
        Ok(Change { context, plan, earlier, begun, done: Vec::new(), skipped: Vec::new() })
    }

    /// Carries out the steps up to the first that fails, or until a signal arrives.
    ///
    /// # Errors
    /// The step that failed.
    pub fn run(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), (&'a Step, Cause)> {
        let is_firewall = |step: &&Step| matches!(step.item, Item::Firewall(_));
        let steps = self.plan.steps.iter();
        for step in steps.clone().filter(|step| !is_firewall(step)) {
            self.carry_out(step, progress)?;
        }
        // another network takes note of this one's needs only once its bridge is there
        for step in &self.plan.adopted {
            self.carry_out(step, &mut |_| ())?;
        }
        for step in steps.filter(is_firewall) {
            self.carry_out(step, progress)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, step: &'a Step, progress: &mut dyn FnMut(Progress)) -> Result<(), (&'a Step, Cause)> {
        match carry_out(self.context, step, progress) {
            Ok(()) => self.done.push(step),
            Err(cause @ Cause::Kernel(_)) if step.is_optional => {
                progress(Progress::Skipped(step, cause));
                self.skipped.push(step);
            }
            Err(cause) => return Err((step, cause)),
        }
        Ok(())
    }

    /// Ends a change after its last step.
    ///
    /// # Errors
    /// Where the state cannot be written: the next call takes the change for one that was killed, and looks twice.
    pub fn finish(self) -> io::Result<()> {
        let Change { context, plan, earlier, begun, skipped, .. } = self;
        let mut state = plan.state.clone();
        state.items.retain(|item| !skipped.iter().any(|step| step.item.is(item)));
        match begun {
            None => return Ok(()),
            Some(begun) if begun.items == state.items => context.states.end_change(&context.network)?,
            Some(_) => context.states.end_change_with(&context.network, &state)?,
        }
        match earlier {
            Some(earlier) if earlier.former => context.states.remove_former(&context.network),
            _ => Ok(()),
        }
    }

    /// Undoes what has been carried out, the last step first; of a step that failed, what it may have done half way.
    pub fn undo(mut self, failed: Option<&'a Step>) -> Undone {
        let context = self.context;
        if let Some(step) = failed.filter(|step| may_be_half_done(step))
            && matches!(context.is_there(&step.item), Ok(is_there) if is_there == step.on)
        {
            self.done.push(step);
        }
        let mut undone = Undone::default();
        for step in self.done.into_iter().rev().filter(|step| !matches!(step.item, Item::Firewall(_))) {
            let reverse = step.reverse();
            match context.perform(&reverse) {
                Ok(()) => undone.steps.push(reverse),
                Err(cause) => undone.left.push((step.clone(), cause)),
            }
        }
        // what is on a bridge goes with it, whatever was reported of it alone
        undone.left.retain(|(step, _)| is_left(context, step));
        let mut state = self.earlier.cloned().unwrap_or_else(|| NetworkState::empty(context.bridge.clone()));
        let left = undone.left.iter().rev().map(|(step, _)| step);
        state.items.extend(left.filter(|step| step.on).map(|step| step.item.clone()));
        if self.begun.is_some() {
            let stored = match undone.left.is_empty() && !state.incomplete {
                true => context.states.cancel_change(&context.network),
                false => context.states.begin_change(&context.network, &state),
            };
            undone.state = stored.err();
        }
        undone
    }
}

fn may_be_half_done(step: &Step) -> bool {
    kernel::signal().is_none() && !step.item.is_shared() && !matches!(step.item, Item::Value { .. } | Item::Firewall(_))
}

/// Whether a step that could not be undone is still done.
fn is_left(context: &Context, step: &Step) -> bool {
    let is_gone = |item: &Item, there: bool| matches!(context.is_there(item), Ok(is_there) if is_there == there);
    match &step.item {
        Item::Value { .. } => !is_gone(&Item::Bridge, false) && !is_gone(&step.item, false),
        item => !is_gone(item, !step.on),
    }
}

/// Carries out a step, unless a signal has arrived.
fn carry_out(context: &Context, step: &Step, progress: &mut dyn FnMut(Progress)) -> Result<(), Cause> {
    if let Some(signal) = kernel::signal() {
        return Err(Cause::Interrupted(signal));
    }
    progress(Progress::Next(step));
    context.perform(step)?;
    progress(Progress::Done(step));
    Ok(())
}

/// What has become of a removal.
#[derive(Debug, Default)]
pub struct Removed<'a> {
    /// The steps that have been carried out.
    pub done: Vec<&'a Step>,
    /// Steps that failed and whose item is still there, and why.
    pub failed: Vec<(&'a Step, Cause)>,
}

/// Carries out the steps of a removal. One that fails does not keep the others from being carried out,
/// unless it moves addresses back.
pub fn remove<'a>(context: &Context, plan: &'a Plan, progress: &mut dyn FnMut(Progress)) -> Removed<'a> {
    let mut removed = Removed::default();
    for step in &plan.steps {
        match carry_out(context, step, progress) {
            Ok(()) => removed.done.push(step),
            Err(cause) => removed.failed.push((step, cause)),
        }
        // the host's own addresses must not go with the bridge
        if removed.failed.iter().any(|(step, _)| matches!(step.item, Item::Moved { .. })) {
            break;
        }
    }
    removed.failed.retain(|(step, _)| step.on || !matches!(context.is_there(&step.item), Ok(false)));
    removed
}

/// Forgets a network that has been removed.
///
/// # Errors
/// Where a file of its state cannot be removed.
pub fn forget(context: &Context, earlier: Option<&NetworkState>) -> io::Result<()> {
    context.states.forget(&context.network)?;
    match earlier {
        Some(earlier) if earlier.former => context.states.remove_former(&context.network),
        _ => Ok(()),
    }
}
