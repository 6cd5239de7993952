//! `network-bridge (start|stop|status) {VAR=VAL}*`: the network of a Xen host on a bridge with its network card, as Xen's script of
//! that name made it: xend's default.
//!
//! The card gets another name (`peth0`) and becomes a port of a bridge that has its former name, its hardware address, its addresses
//! and its routes ([`items`]). Where netloop's interfaces are there, the end state is that of Xen 3.0 and 3.1: a bridge without an
//! address, and the host on it by a pair of interfaces.
//!
//! This host is reached by the interface that is changed. So a start is undone if it fails, by a process of its own if it is killed
//! ([`guard`]), and by the next call if that is killed as well ([`undo`]).

mod guard;
mod interface_settings;
mod items;
mod settings;
mod start;
mod stop;
mod undo;
mod words;

use super::engine::run_command;
use super::script::Arguments;
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use settings::{Settings, VARIABLES};
use words::NAME;

/// Runs `network-bridge`.
pub fn run(call: &mut Call) -> Outcome {
    let arguments = Arguments::parse(call.args, call.environment)
        .map_err(|bad| Failure::new(line!(NAME, ": ", bad.text())).with_status(2))?;
    let command = arguments.command();
    if command == guard::COMMAND {
        return guard::stand_by(call, &arguments);
    }
    for name in arguments.unknown(&VARIABLES) {
        let _ = call.err.write_all(&line!(NAME, ": warning: unknown variable \"", name, "\" is ignored"));
    }
    let is_off = arguments.value("bridge").as_deref() == Some("null");
    match command.as_encoded_bytes() {
        b"start" | b"stop" if is_off => Ok(()),
        b"start" => start::start(call, &Settings::read(call.kernel, &arguments)?),
        b"stop" => stop::stop(call, &arguments),
        b"status" => status(call, &Settings::read(call.kernel, &arguments)?),
        other => Err(Failure::new(
            [line!("Unknown command: ", other), line!("Valid commands are: start, stop, status")].concat(),
        )),
    }
}

/// Shows the interfaces and the routes.
fn status(call: &mut Call, settings: &Settings) -> Outcome {
    let ruler = line!("=".repeat(60));
    let Settings { netdev, bridge, pdev, .. } = settings;
    // a failed write is ignored: the script's echo would not stop it either
    let _ = call.out.write_all(&ruler);
    let shown = [netdev, bridge, pdev];
    let mut names: Vec<&str> = shown.iter().map(|name| name.as_str()).collect();
    names.dedup();
    for name in names.into_iter().filter(|name| call.kernel.has_link(name.as_bytes()) == Ok(true)) {
        run_command(call, NAME, &["ip", "addr", "show", name])?;
    }
    let _ = call.out.write_all(b" \n");
    if call.kernel.is_bridge(bridge.as_bytes()) {
        run_command(call, NAME, &["brctl", "show", bridge.as_str()])?;
        let _ = call.out.write_all(b" \n");
    }
    run_command(call, NAME, &["ip", "route"])?;
    let _ = call.out.write_all(&ruler);
    Ok(())
}
