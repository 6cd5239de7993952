//! `network-route` and `network-nat`: scripts that set this host up for guests that it routes to, and undo that.
//!
//! xend calls them with `start` whenever it starts. What a start has changed is stored for each interface, so that another start finds
//! everything done, and `stop` undoes that and nothing else. What networks need as well stays as long as one of them does.

use super::engine::{Work, complaint, forwarding_failed, locked, run_command, states, stored};
use super::script::Arguments;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, io_text, line};
use crate::firewall::chain::Table;
use crate::firewall::choice::{Kind, UnknownKind};
use crate::net::InterfaceName;
use crate::network::apply;
use crate::network::context::{Cause, Context};
use crate::network::item::Item;
use crate::network::state::NetworkState;
use crate::network::step::Step;
use crate::network::{plan, removal};

/// A script that is called when Xen's toolstack starts.
pub(super) struct Script {
    pub(super) name: &'static str,
    /// The variables that mean something to it.
    pub(super) variables: &'static [&'static str],
    /// What it sets up for an interface to the outside.
    pub(super) items: &'static [Item],
}

/// Runs a script.
pub(super) fn run(call: &mut Call, script: &Script) -> Outcome {
    let name = script.name;
    let arguments = Arguments::parse(call.args, call.environment)
        .map_err(|bad| Failure::new(line!(name, ": ", bad.text())).with_status(2))?;
    for unknown in arguments.unknown(script.variables) {
        let _ = call.err.write_all(&line!(name, ": warning: unknown variable \"", unknown, "\" is ignored"));
    }
    let command = arguments.command();
    match command.as_encoded_bytes() {
        b"start" => start(call, script, &arguments),
        b"stop" => stop(call, script, &arguments),
        b"status" => status(call, script, &arguments),
        other => Err(Failure::new(
            [line!("Unknown command: ", other), line!("Valid commands are: start, stop, status")].concat(),
        )),
    }
}

/// Checks everything; then sets up what is missing, or nothing if that fails.
fn start(call: &mut Call, script: &Script, arguments: &Arguments) -> Outcome {
    let name = script.name;
    // a host with dhcpd has it on by default in the original
    if let Some(dhcp) = arguments.value("dhcp").filter(|dhcp| script.variables.contains(&"dhcp") && dhcp != "no") {
        let text = "dhcpd is not configured here; run dnsmasq --interface=vif* --dhcp-range=ADDRESS,static";
        return Err(complaint(name, &format!("dhcp=\"{dhcp}\": {text}")));
    }
    let backend = arguments.value("firewall_backend");
    let backend = backend.map(|word| {
        word.parse::<Kind>()
            .map_err(|fault: UnknownKind| complaint(name, &format!("firewall_backend=\"{word}\": {fault}")))
    });
    let backend = backend.transpose()?;
    let netdev = match named(script, arguments)? {
        Some(netdev) => netdev,
        None => default_netdev(call, script)?,
    };
    let is_there = call.kernel.has_link(netdev.as_ref());
    match is_there.map_err(|errno| complaint(name, &format!("{netdev}: {}", errno_text(errno))))? {
        true => (),
        false => {
            let text = "there is no such interface; name the one to the outside by netdev=";
            return Err(complaint(name, &format!("{netdev}: {text}")));
        }
    }
    let context = context(call, script, netdev)?;
    let _lock = locked(name, &context)?;
    let earlier = stored(name, &context)?;
    context.set_backend(earlier.as_ref().and_then(|earlier| earlier.backend).or(backend));
    if script.items.iter().any(Item::is_of_firewall) {
        context.require(Table::Nat).map_err(|cause| complaint(name, &format!("cannot masquerade: {cause}")))?;
    }
    let plan = plan::set_up(&context, script.items.to_vec(), earlier.as_ref());
    let plan = plan.map_err(|error| complaint(name, &error.to_string()))?;
    let step_failed = |step: &Step, cause: &Cause| step_failed(script, &context, step, cause);
    let work =
        Work { script: name, context: &context, plan: &plan, earlier: earlier.as_ref(), step_failed: &step_failed };
    work.carry_out(&|| Ok(()))
}

/// Undoes what the starts for the named interface have changed; without a name, those for all interfaces.
fn stop(call: &mut Call, script: &Script, arguments: &Arguments) -> Outcome {
    let name = script.name;
    let netdevs = match named(script, arguments)? {
        Some(netdev) => vec![netdev],
        None => recorded(call, script)?,
    };
    let mut outcome = Ok(());
    for netdev in netdevs {
        let context = context(call, script, netdev)?;
        let _lock = locked(name, &context)?;
        // a record that is not whole, of a call that was killed before its first step, goes too
        let earlier = stored(name, &context)?.unwrap_or_else(|| NetworkState::empty(context.bridge.clone()));
        // without this lock it is undone all the same
        let _teardown = context.states.lock_teardown(call.kernel).ok();
        context.set_backend(earlier.backend);
        let plan = removal::take_down(&context, &earlier).map_err(|error| complaint(name, &error.to_string()))?;
        let removed = apply::remove(&context, &plan, &mut |_| ());
        if let Some((step, cause)) = removed.failed.first() {
            outcome = Err(step_failed(script, &context, step, cause));
            continue;
        }
        apply::forget(&context, None).map_err(|error| {
            complaint(name, &format!("cannot remove the record under /run/brouter: {}", io_text(&error)))
        })?;
    }
    outcome
}

/// Shows the interface to the outside, and the routes.
fn status(call: &mut Call, script: &Script, arguments: &Arguments) -> Outcome {
    let netdev = match named(script, arguments)? {
        Some(netdev) => netdev,
        None => default_netdev(call, script)?,
    };
    let ruler = line!("=".repeat(60));
    // a failed write is ignored: the script's echo would not stop it either
    let _ = call.out.write_all(&ruler);
    run_command(call, script.name, &["ip", "addr", "show", netdev.as_str()])?;
    let _ = call.out.write_all(b" \n");
    run_command(call, script.name, &["ip", "route"])?;
    let _ = call.out.write_all(&ruler);
    Ok(())
}

/// Returns the interface that the arguments name.
fn named(script: &Script, arguments: &Arguments) -> Result<Option<InterfaceName>, Failure> {
    let netdev =
        arguments.value("netdev").or_else(|| arguments.value("vifnum").map(|number| ["eth", &number].concat()));
    let parse = |netdev: String| {
        netdev.parse().map_err(|fault| complaint(script.name, &format!("netdev=\"{netdev}\": {fault}")))
    };
    netdev.map(parse).transpose()
}

/// Returns the interface of the default route, else eth0.
fn default_netdev(call: &Call, script: &Script) -> Result<InterfaceName, Failure> {
    let routes = call.kernel.routes_v4().map_err(|unreadable| {
        complaint(script.name, &format!("cannot read {}: {}", unreadable.file, errno_text(unreadable.errno)))
    })?;
    let link = routes.default_link().unwrap_or("eth0".as_ref());
    InterfaceName::new(link.as_encoded_bytes())
        .map_err(|fault| complaint(script.name, &format!("netdev=\"{}\": {fault}", link.display())))
}

/// Returns the interfaces for which the script has been started.
fn recorded(call: &Call, script: &Script) -> Result<Vec<InterfaceName>, Failure> {
    let names = states(call, script.name)?.of_scripts().names().into_iter();
    Ok(names.filter_map(|name| name.strip_prefix(script.name)?.strip_prefix(':')?.parse().ok()).collect())
}

/// The engine's context for an interface.
fn context<'a>(call: &Call<'a>, script: &Script, netdev: InterfaceName) -> Result<Context<'a>, Failure> {
    let states = states(call, script.name)?.of_scripts();
    let record = format!("{}:{netdev}", script.name);
    Ok(Context::new(call.kernel, states, &record, netdev, (call.environment)("PATH")))
}

fn step_failed(script: &Script, context: &Context, step: &Step, cause: &Cause) -> Failure {
    forwarding_failed(script.name, step, cause)
        .unwrap_or_else(|| complaint(script.name, &format!("{}: {cause}", context.command(step))))
}
