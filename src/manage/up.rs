//! `brouter up` and `brouter down`: the engine's front for people.

use std::io::{self, ErrorKind, Write};

use super::options::Options;
use super::output::{complaint, say};
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, io_text, line};
use crate::firewall::chain::Table;
use crate::firewall::choice::Kind;
use crate::kernel::{self, Kernel};
use crate::lock::Lock;
use crate::net::Family;
use crate::network::apply::{self, Change, Progress, Removed, Undone};
use crate::network::catalog::{self, Stored};
use crate::network::context::{Cause, Context};
use crate::network::item::Item;
use crate::network::plan::{self, Plan};
use crate::network::plan_error::{PlanError, Remark};
use crate::network::removal::{self, Extent};
use crate::network::spec::NetworkSpec;
use crate::network::state::{NetworkState, StoredState};
use crate::network::step::Step;
use crate::network::store::StateDir;
use crate::shell::{quoted, quoted_name};
use crate::terminal::{lines, one_line};

/// `brouter up`
pub(super) fn up(call: &mut Call, options: &Options) -> Outcome {
    let spec = read_spec(call.kernel, options)?;
    require_privilege(call.kernel, options, "up")?;
    let context = context(call, &spec)?;
    if options.dry_run {
        let plan = plan_up(&context, &spec, stored(&context)?.as_ref())?;
        return say(call, &listing(&plan, &context, "is up"));
    }
    let _lock = context.lock().map_err(|error| not_locked(&context, &error))?;
    let earlier = stored(&context)?;
    let plan = plan_up(&context, &spec, earlier.as_ref())?;
    if plan.is_idle() && earlier.as_ref().is_none_or(|earlier| *earlier == plan.state) {
        return say(call, &listing(&plan, &context, "is up"));
    }
    kernel::note_signals();
    let mut change = Change::begin(&context, &plan, earlier.as_ref(), true)
        .map_err(|error| refusal(&context, format!("cannot store its state: {}", io_text(&error))))?;
    let done = change.run(&mut |progress| match progress {
        Progress::Skipped(step, cause) => {
            let text = format!("goes on without a hardware address that stays: {}: {cause}", context.command(step));
            let _ = call.err.write_all(&report_line(&context, &text));
        }
        progress => print_step(call.out, &context, progress),
    });
    if let Err((step, cause)) = done {
        return Err(undo_report(&context, change.undo(Some(step)), Some((step, cause))));
    }
    if kernel::signal().is_some() {
        return Err(undo_report(&context, change.undo(None), None));
    }
    // without this file the address stays as long as the bridge
    let _ = plan.host_id.as_ref().map(|id| id.keep(call.kernel));
    if let Err(error) = change.finish() {
        let text = format!("is up, but its stored state is not final: {}", io_text(&error));
        let _ = call.err.write_all(&report_line(&context, &text));
    }
    let rest = if plan.steps.is_empty() { listing(&plan, &context, "is up") } else { remark_lines(&plan, &context) };
    say(call, &rest).map_err(|failure| with_line(failure, &context, "is up all the same"))
}

/// `brouter down`
pub(super) fn down(call: &mut Call, options: &Options) -> Outcome {
    let spec = read_spec(call.kernel, options)?;
    require_network(call.kernel, options, &spec)?;
    require_privilege(call.kernel, options, "down")?;
    let mut context = context(call, &spec)?;
    let _lock = if options.dry_run { None } else { lock_if_possible(&context)? };
    // without this lock the network goes all the same
    let _teardown = if options.dry_run { None } else { context.states.lock_teardown(call.kernel).ok() };
    let earlier = stored(&context)?;
    if let Some(earlier) = &earlier {
        context.bridge = earlier.bridge.clone();
    }
    let plan = removal::down(&context, &spec, earlier.as_ref(), Extent::Own);
    let plan = plan.map_err(|error| refusal(&context, error.to_string()))?;
    if options.dry_run {
        return say(call, &listing(&plan, &context, "is down"));
    }
    kernel::note_signals();
    let removed = apply::remove(&context, &plan, &mut |progress| print_step(call.out, &context, progress));
    let remarks = plan.remarks.iter().map(|remark| remark_text(remark, &context));
    for remark in remarks.chain(foreign_rules(&context)) {
        let _ = call.out.write_all(&line!(context.network, ": ", one_line(&remark)));
    }
    if !removed.failed.is_empty() {
        return Err(removal_report(&context, &removed));
    }
    apply::forget(&context, earlier.as_ref())
        .map_err(|error| refusal(&context, format!("is down, but its stored state is left: {}", io_text(&error))))?;
    let _ = call.out.flush();
    let is_idle = plan.steps.is_empty() && plan.remarks.is_empty();
    let rest = if is_idle { listing(&plan, &context, "is down") } else { String::new() };
    say(call, &rest).map_err(|failure| with_line(failure, &context, "is down all the same"))
}

fn read_spec(kernel: &Kernel, options: &Options) -> Result<NetworkSpec, Failure> {
    let spec = NetworkSpec::read(kernel, options.name.as_deref(), options.settings());
    spec.map_err(|error| complaint(line!(error.to_string())))
}

/// Checks that this process may change networks.
fn require_privilege(kernel: &Kernel, options: &Options, verb: &str) -> Result<(), Failure> {
    match options.dry_run || kernel.has_net_admin() {
        true => Ok(()),
        false => {
            Err(Failure::new(line!("brouter ", verb, ": only root changes networks: run as root, with CAP_NET_ADMIN")))
        }
    }
}

/// Checks that `down` means a network that is stored, has a file, or is described by options.
fn require_network(kernel: &Kernel, options: &Options, spec: &NetworkSpec) -> Result<(), Failure> {
    let states = state_dir(kernel)?;
    let known = catalog::networks(kernel, &states);
    let names: Vec<&str> = known.iter().map(|network| network.name.as_str()).collect();
    let up = known.iter().filter(|network| network.stored != Stored::Nothing).count();
    if !options.has_subject() && up > 1 {
        return Err(complaint(line!("down: which network? Give its name: ", names.join(" "))));
    }
    // a record that cannot be read is reported where it is needed
    let is_stored = || !matches!(states.load(&spec.name), Ok(None));
    if !spec.addresses.is_empty() || names.contains(&spec.name.as_str()) || is_stored() {
        return Ok(());
    }
    let others = if names.is_empty() { String::new() } else { format!(" (there are: {})", names.join(" ")) };
    Err(Failure::new(line!("brouter down: ", spec.name, ": no such network", others)))
}

fn context<'a>(call: &Call<'a>, spec: &NetworkSpec) -> Result<Context<'a>, Failure> {
    let states = state_dir(call.kernel)?;
    let path = (call.environment)("PATH");
    Ok(Context::new(call.kernel, states, &spec.name, spec.bridge.clone(), path))
}

/// Returns the stored states of this network namespace.
pub(super) fn state_dir(kernel: &Kernel) -> Result<StateDir, Failure> {
    StateDir::of(kernel).map_err(|errno| {
        Failure::new(line!("brouter: cannot tell which network namespace this is: ", errno_text(errno)))
    })
}

fn plan_up(context: &Context, spec: &NetworkSpec, earlier: Option<&NetworkState>) -> Result<Plan, Failure> {
    plan::up(context, spec, earlier).map_err(|error| {
        let status = if matches!(error, PlanError::NoAddress) { 2 } else { 1 };
        refusal(context, error.to_string()).with_status(status)
    })
}

/// Reads the stored state of the network.
fn stored(context: &Context) -> Result<Option<NetworkState>, Failure> {
    match context.states.load(&context.network) {
        Ok(None) => Ok(None),
        Ok(Some(StoredState::Known(state))) => Ok(Some(state)),
        Ok(Some(StoredState::Malformed { .. })) => {
            let file = context.states.malformed_file(&context.network);
            let word = quoted_name(file.as_os_str());
            Err(refusal(context, format!("its record is not brouter's: rm -r {word}")))
        }
        Err(error) => {
            let folder = context.states.folder().display();
            Err(refusal(context, format!("its stored state in {folder}: {}", io_text(&error))))
        }
    }
}

fn not_locked(context: &Context, error: &io::Error) -> Failure {
    let text = match error.kind() {
        ErrorKind::WouldBlock => "another up or down of it has been running for 10 seconds".into(),
        _ => format!("cannot lock {}: {}", context.states.folder().display(), io_text(error)),
    };
    refusal(context, text)
}

/// The lock of the network, or none where nobody can have one: what is there must be removable.
fn lock_if_possible(context: &Context) -> Result<Option<Lock>, Failure> {
    match context.lock() {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull) => Ok(None),
        Err(error) => Err(not_locked(context, &error)),
    }
}

/// Prints a step once it has been carried out. The output of the firewall's command comes after ours.
fn print_step(out: &mut dyn Write, context: &Context, progress: Progress) {
    let _ = match progress {
        Progress::Next(Step { item: Item::Firewall(_), .. }) => out.flush(),
        Progress::Next(_) | Progress::Skipped(..) => Ok(()),
        Progress::Done(step) => out.write_all(&line!(lines(&context.command(step)))),
    };
}

/// The steps as commands, one a line; or that there are none.
fn listing(plan: &Plan, context: &Context, state: &str) -> String {
    let network = &context.network;
    if plan.steps.is_empty() && plan.remarks.is_empty() {
        return format!("{network}: {state}, nothing to do\n");
    }
    let steps: String = plan.steps.iter().map(|step| lines(&context.command(step)) + "\n").collect();
    steps + &remark_lines(plan, context)
}

fn remark_lines(plan: &Plan, context: &Context) -> String {
    let line = |remark| one_line(&format!("{}: {}", context.network, remark_text(remark, context))) + "\n";
    plan.remarks.iter().map(line).collect()
}

fn remark_text(remark: &Remark, context: &Context) -> String {
    let bridge = &context.bridge;
    match remark {
        Remark::ForeignAddresses(nets) => {
            let nets: Vec<String> = nets.iter().map(ToString::to_string).collect();
            format!("left: {bridge}, which has addresses that are not brouter's: {}", nets.join(" "))
        }
        Remark::PortsReleased(ports) => format!("released: {}", ports.join(" ")),
        Remark::PortsLeft(ports) => format!("left: ports {}", ports.join(" ")),
        Remark::NotIsolated => {
            format!("guests on {bridge} reach each other: this kernel cannot isolate ports (Linux 4.18 can)")
        }
        Remark::Overlap(overlap) => overlap.what(),
        Remark::Awaited(tunnel) => {
            let network = quoted(&context.network);
            format!(
                "{tunnel} is not there yet: brouter up {network} attaches it when it is, run by the tunnel's own script"
            )
        }
        Remark::Narrow(tunnel, mtu, wide) => {
            format!(
                "{tunnel} carries {mtu} bytes, guests send up to {wide}: more is lost on the way to other hosts: set mtu={mtu}"
            )
        }
        Remark::NoRecord(step) => format!("left, the state before is not known: {}", context.command(step)),
    }
}

/// The rules of the firewall that name the bridge. None of them is ours any more.
fn foreign_rules(context: &Context) -> Vec<String> {
    let Ok(firewall) = context.firewall() else { return Vec::new() };
    let choice = firewall.choice();
    let variant = if choice.kind == Kind::Kernel && choice.iptables_is_nft { "-legacy" } else { "" };
    let mut rules = Vec::new();
    for table in [Table::Filter, Table::Nat] {
        let named = firewall.rules_naming(Family::V4, table, &context.bridge);
        rules.extend(named.iter().map(|rule| format!("left: iptables{variant} -t {table} {rule}")));
    }
    rules
}

/// What has become of a change that failed or was interrupted.
fn undo_report(context: &Context, undone: Undone, failed: Option<(&Step, Cause)>) -> Failure {
    let mut lines = Vec::new();
    match failed {
        Some((step, cause)) => {
            lines.push(format!("{}: {cause}", command_line(step, context)));
            if matches!(step.item, Item::Firewall(_)) && kernel::signal().is_none() {
                lines.push("what this command did before it failed is left".into());
            }
        }
        None => lines.push("interrupted".into()),
    }
    if !undone.steps.is_empty() {
        lines.push(format!("undone: {}", commands(&undone.steps, context)));
    }
    for (step, cause) in undone.left.iter().rev() {
        lines.push(format!("left, cannot be undone: {}: {cause}", command_line(step, context)));
    }
    match undone.state {
        Some(error) => lines.push(format!("the state that was planned is left in its record: {}", io_text(&error))),
        None if undone.left.is_empty() => lines.push("everything is as it was before".into()),
        None => (),
    }
    report(context, &lines)
}

fn removal_report(context: &Context, removed: &Removed) -> Failure {
    let mut lines = Vec::new();
    for (step, cause) in &removed.failed {
        lines.push(format!("{}: {cause}", command_line(step, context)));
    }
    let failed = removed.failed.iter().map(|(step, _)| *step);
    lines.push(format!("left, for the next down to remove: {}", commands(failed, context)));
    if !removed.done.is_empty() {
        lines.push(format!("removed: {}", commands(removed.done.iter().copied(), context)));
    }
    report(context, &lines)
}

fn commands<'a>(steps: impl IntoIterator<Item = &'a Step>, context: &Context) -> String {
    steps.into_iter().map(|step| command_line(step, context)).collect::<Vec<_>>().join("; ")
}

/// A step as a command on one line.
fn command_line(step: &Step, context: &Context) -> String {
    context.command(step).replace('\n', "; ")
}

/// A failure of several lines, with the status that a shell gives a program that a signal has ended.
fn report(context: &Context, lines: &[String]) -> Failure {
    let text = lines.iter().flat_map(|text| report_line(context, text)).collect();
    Failure::new(text).with_status(kernel::signal().map_or(1, |signal| 128 + signal as u8))
}

fn report_line(context: &Context, text: &str) -> Vec<u8> {
    line!("brouter: ", context.network, ": ", one_line(text))
}

fn refusal(context: &Context, text: String) -> Failure {
    Failure::new(report_line(context, &text))
}

/// Standard output could not be written, but what was asked for has been done.
fn with_line(mut failure: Failure, context: &Context, text: &str) -> Failure {
    failure.text.extend(report_line(context, text));
    failure
}
