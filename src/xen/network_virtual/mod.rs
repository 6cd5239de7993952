//! `network-virtual (start|stop|status) {VAR=VAL}*`: the network of a Xen host, as Xen 3's script of that name made it.
//!
//! A bridge with an address of its own; guests are attached to it later by their hotplug script, and the host routes between
//! them and the world. [`start`] and [`stop`] are a front of the engine behind `brouter up` ([`crate::network`]): what they make is
//! stored like any other network, under the name of its bridge.
//!
//! The original is followed wherever it works, except that the address goes on before the bridge comes up. Where the original is
//! broken this is better on purpose (`compat/original/DEVIATIONS.md`), unless `strict=yes` asks for the original ([`strict`]).

mod report;
mod settings;
mod start;
mod stop;
mod strict;
mod words;

use super::script::Arguments;
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use settings::Settings;
use words::{NAME, VARIABLES};

/// Runs `network-virtual`.
pub fn run(call: &mut Call) -> Outcome {
    let arguments = Arguments::parse(call.args, call.environment)
        .map_err(|bad| Failure::new(line!(NAME, ": ", bad.text())).with_status(2))?;
    let settings = Settings::read(&arguments);
    if !settings.strict {
        for name in arguments.unknown(&VARIABLES) {
            let _ = call.err.write_all(&line!(NAME, ": warning: unknown variable \"", name, "\" is ignored"));
        }
    }
    let command = arguments.command();
    match command.as_encoded_bytes() {
        b"start" | b"stop" if settings.bridge == "null" => Ok(()),
        b"start" if settings.strict => strict::start(call, &settings),
        b"start" => start::start(call, &settings),
        b"stop" if settings.strict => strict::stop(call, &settings),
        b"stop" => stop::stop(call, &settings),
        b"status" => strict::status(call, &settings),
        other => Err(Failure::new(
            [line!("Unknown command: ", other), line!("Valid commands are: start, stop, status")].concat(),
        )),
    }
}
