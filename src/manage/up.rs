//! `brouter up` and `brouter down`: a plan is carried out, one step after the other, and undone if that fails.
//!
//! Before the first step the record says all that is about to be made. So a call that is killed leaves nothing that the next one
//! does not know for its own.

use std::io::ErrorKind;

use super::{complaint, say};
use crate::call::Call;
use crate::error::{Failure, Outcome, io_text, line};
use crate::kernel;
use crate::lock::Lock;
use crate::network::plan::{self, Plan};
use crate::network::spec::{NetworkSpec, Options};
use crate::network::state::StateDir;
use crate::network::step::{Context, Item, NetworkState, Step};

/// Seconds for which another call for the same network is waited for.
const PATIENCE: u32 = 10;

/// `brouter up`
pub(super) fn up(call: &mut Call, options: &Options) -> Outcome {
    let network = NetworkSpec::read(call.kernel, options)?;
    let records = StateDir::of(call.kernel, "brouter")?;
    let context = Context::new(call.kernel, records, &network.name, &network.bridge, (call.environment)("PATH"));
    if options.dry_run {
        let plan = plan::up(&context, &network, recorded(&context)?.as_ref())?;
        return say(call, &listing(&plan, &context, "is up"));
    }
    let _lock = lock(&context).map_err(|error| refuse(&context, &why_no_lock(&context, &error)))?;
    let earlier = recorded(&context)?;
    let plan = plan::up(&context, &network, earlier.as_ref())?;
    if plan.steps.is_empty()
        && plan.adopted.is_empty()
        && earlier.as_ref().is_none_or(|earlier| *earlier == plan.record)
    {
        return say(call, &listing(&plan, &context, "is up"));
    }
    kernel::note_signals();
    // what is taken away stays known until it is
    let mut open = NetworkState { is_open: true, ..plan.record.clone() };
    let dropped = earlier.iter().flat_map(|earlier| &earlier.parts);
    let dropped: Vec<Item> = dropped.filter(|part| !open.parts.iter().any(|kept| kept.is(part))).cloned().collect();
    open.parts.splice(0..0, dropped);
    let begun = context.records.begin_change(context.network, &open.text());
    begun.map_err(|error| refuse(&context, &["cannot keep a record: ", &io_text(&error)].concat()))?;

    let mut done = Vec::new();
    for step in plan.adopted.iter().chain(&plan.steps) {
        let is_listed = !plan.adopted.contains(step);
        if let Err(cause) = carry_out(call, &context, step, is_listed) {
            return Err(undo(&context, done, Some((step, cause)), earlier.as_ref()));
        }
        done.push(step);
    }
    if kernel::signal().is_some() {
        return Err(undo(&context, done, None, earlier.as_ref()));
    }
    let ended = match open.parts == plan.record.parts {
        true => context.records.end_change(context.network),
        false => context.records.end_change_with(context.network, &plan.record.text()),
    };
    if let Err(error) = ended {
        // the next call will take it for unfinished, and look twice
        let _ = call.err.write_all(&line!(
            "brouter: ",
            context.network,
            ": is up, but the record is not closed: ",
            io_text(&error)
        ));
    }
    let rest = if plan.steps.is_empty() { listing(&plan, &context, "is up") } else { String::new() };
    say(call, &rest).map_err(|failure| add_state(failure, &context, "is up all the same"))
}

/// Standard output could not be written, but what was to be done is.
fn add_state(mut failure: Failure, context: &Context, state: &str) -> Failure {
    failure.text.extend(line!("brouter: ", context.network, ": ", state));
    failure
}

/// `brouter down`
pub(super) fn down(call: &mut Call, options: &Options) -> Outcome {
    let network = NetworkSpec::read(call.kernel, options)?;
    let records = StateDir::of(call.kernel, "brouter")?;
    let mut context = Context::new(call.kernel, records, &network.name, &network.bridge, (call.environment)("PATH"));
    let _lock = if options.dry_run { None } else { lock_if_possible(&context)? };
    // without a turn it goes all the same
    let _turn = if options.dry_run { None } else { context.records.turn_to_go(call.kernel).ok() };
    let earlier = recorded(&context)?;
    if let Some(earlier) = &earlier {
        context.bridge = earlier.bridge.clone();
    }
    let plan = plan::down(&context, &network, earlier.as_ref())?;
    if options.dry_run {
        return say(call, &listing(&plan, &context, "is down"));
    }
    kernel::note_signals();
    let mut done: Vec<&Step> = Vec::new();
    let mut failed: Vec<(&Step, String)> = Vec::new();
    for step in &plan.steps {
        // without the bridge's address gone the rest goes all the same
        match carry_out(call, &context, step, true) {
            Ok(()) => done.push(step),
            Err(cause) => failed.push((step, cause)),
        }
    }
    let is_left = |step: &Step| step.on || context.is_there(&step.part) != Ok(false);
    failed.retain(|(step, _)| is_left(step));
    for remark in plan.remarks.iter().chain(&foreign_rules(&context)) {
        let _ = call.out.write_all(&line!(context.network, ": ", remark));
    }
    if failed.is_empty() {
        let forgotten = context.records.forget_network(context.network);
        forgotten
            .map_err(|error| refuse(&context, &["is down, but its record is left: ", &io_text(&error)].concat()))?;
        let _ = call.out.flush();
        let is_idle = plan.steps.is_empty() && plan.remarks.is_empty();
        let rest = if is_idle { listing(&plan, &context, "is down") } else { String::new() };
        return say(call, &rest).map_err(|failure| add_state(failure, &context, "is down all the same"));
    }
    let mut text = Vec::new();
    for (step, cause) in &failed {
        text.extend(line!("brouter: ", context.network, ": ", step.command(&context.bridge), ": ", cause));
    }
    let commands = |steps: &mut dyn Iterator<Item = &Step>| {
        steps.map(|step| step.command(&context.bridge)).collect::<Vec<_>>().join("; ")
    };
    text.extend(line!(
        "brouter: ",
        context.network,
        ": left, to be taken away by the next down: ",
        commands(&mut failed.iter().map(|(step, _)| *step))
    ));
    if !done.is_empty() {
        text.extend(line!("brouter: ", context.network, ": taken away: ", commands(&mut done.into_iter())));
    }
    Err(Failure::new(text).with_status(kernel::signal().map_or(1, |signal| 128 + signal as u8)))
}

/// Does a step, unless a signal has come, and lists it.
fn carry_out(call: &mut Call, context: &Context, step: &Step, is_listed: bool) -> Result<(), String> {
    if let Some(signal) = kernel::signal() {
        let name = match signal {
            1 => "SIGHUP",
            2 => "SIGINT",
            _ => "SIGTERM",
        };
        return Err(["not begun, for ", name, " came"].concat());
    }
    if matches!(step.part, Item::Firewall(_)) {
        // its output comes after ours
        let _ = call.out.flush();
    }
    context.perform(step)?;
    if is_listed {
        let _ = call.out.write_all(&line!(step.command(&context.bridge)));
    }
    Ok(())
}

/// Undoes what has been done, the last step first, and says so.
fn undo<'a>(
    context: &Context,
    mut done: Vec<&'a Step>,
    failed: Option<(&'a Step, String)>,
    earlier: Option<&NetworkState>,
) -> Failure {
    let mut text = Vec::new();
    let mut say = |parts: &[&str]| text.extend(line!("brouter: ", context.network, ": ", parts.concat()));
    let command = |step: &Step| step.command(&context.bridge);
    match &failed {
        Some((step, cause)) => {
            say(&[&command(step), ": ", cause]);
            // it may have come half way
            let may_be_there = !matches!(step.part, Item::Value(..) | Item::Firewall(_)) && !step.part.is_shared();
            if kernel::signal().is_none() && may_be_there && context.is_there(&step.part) == Ok(step.on) {
                done.push(step);
            }
            if matches!(step.part, Item::Firewall(_)) && kernel::signal().is_none() {
                say(&["what this command has done before it failed is left"]);
            }
        }
        None => say(&["interrupted"]),
    }
    let mut undone = Vec::new();
    let mut left = Vec::new();
    for step in done.into_iter().rev().filter(|step| !matches!(step.part, Item::Firewall(_))) {
        let reverse = step.reverse();
        match context.perform(&reverse) {
            Ok(()) => undone.push(command(&reverse)),
            Err(cause) => left.push((step, cause)),
        }
    }
    // what is on a bridge goes with it, whatever was said of it alone
    left.retain(|(step, _)| match &step.part {
        Item::Value(..) => context.is_there(&Item::Bridge) != Ok(false) && context.is_there(&step.part) != Ok(false),
        part => context.is_there(part) != Ok(!step.on),
    });
    if !undone.is_empty() {
        say(&["undone: ", &undone.join("; ")]);
    }
    let mut record =
        earlier.cloned().unwrap_or(NetworkState { bridge: context.bridge.clone(), ..NetworkState::default() });
    for (step, cause) in left.iter().rev() {
        say(&["left, for it cannot be undone: ", &command(step), ": ", cause]);
        if step.on {
            record.parts.push(step.part.clone());
        }
    }
    let kept = match left.is_empty() && !record.is_open {
        true => context.records.cancel_change(context.network),
        false => context.records.begin_change(context.network, &record.text()),
    };
    match kept {
        Err(error) => say(&["the record of what was planned is left: ", &io_text(&error)]),
        Ok(()) if left.is_empty() => say(&["everything is as it was before"]),
        Ok(()) => (),
    }
    Failure::new(text).with_status(kernel::signal().map_or(1, |signal| 128 + signal as u8))
}

fn refuse(context: &Context, text: &str) -> Failure {
    complaint(line!(context.network, ": ", text)).with_status(1)
}

/// What is kept of the network.
fn recorded(context: &Context) -> Result<Option<NetworkState>, Failure> {
    let folder = context.records.folder().to_string_lossy();
    match context.records.network(context.network) {
        Ok(None) => Ok(None),
        Ok(Some(kept)) => match NetworkState::parse(&kept) {
            Some(record) => Ok(Some(record)),
            None => Err(refuse(context, &["what ", &folder, " has of it is not brouter's: remove it"].concat())),
        },
        Err(error) => Err(refuse(context, &["its record in ", &folder, ": ", &io_text(&error)].concat())),
    }
}

fn lock(context: &Context) -> std::io::Result<Lock> {
    Lock::claim_in(context.kernel, context.records.folder(), &[context.network, ".lock"].concat(), PATIENCE)
}

fn why_no_lock(context: &Context, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock => format!("another up or down of it has gone on for {PATIENCE} seconds"),
        _ => ["cannot lock ", &context.records.folder().to_string_lossy(), ": ", &io_text(error)].concat(),
    }
}

/// A lock, or none where nobody can have one: what is there must be able to go.
fn lock_if_possible(context: &Context) -> Result<Option<Lock>, Failure> {
    match lock(context) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull) => Ok(None),
        Err(error) => Err(refuse(context, &why_no_lock(context, &error))),
    }
}

/// The steps as commands, one a line; or that there are none.
fn listing(plan: &Plan, context: &Context, state: &str) -> String {
    if plan.steps.is_empty() && plan.remarks.is_empty() {
        return [context.network, ": ", state, ", nothing to do\n"].concat();
    }
    let commands = plan.steps.iter().map(|step| [&step.command(&context.bridge), "\n"].concat());
    let remarks = plan.remarks.iter().map(|remark| [context.network, ": ", remark, "\n"].concat());
    commands.chain(remarks).collect()
}

/// The firewall's rules that speak of the bridge. None of them is ours any more.
fn foreign_rules(context: &Context) -> Vec<String> {
    let Ok(iptables) = context.iptables() else { return Vec::new() };
    let mut rules = Vec::new();
    for table in ["filter", "nat"] {
        let listed = iptables.rules(table);
        let speaks_of_it = |rule: &&str| rule.split(' ').any(|word| word == context.bridge);
        let named = listed.lines().filter(speaks_of_it);
        rules.extend(named.map(|rule| ["left: iptables -t ", table, " ", rule].concat()));
    }
    rules
}
