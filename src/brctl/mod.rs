//! `brctl`: bridge-utils 1.7.1's command, byte for byte, or that of 1.0.6 (see [`crate::era`]).
//!
//! [`VERBS`] gives dispatch and usage. A verb's file says how the kernel is asked and what is printed: [`bridge`] for bridges,
//! [`port`] for their ports, [`set`] for values of both, [`show`], [`showstp`] and [`showmacs`] for listings.

pub mod bridge;
mod options;
pub mod port;
pub mod set;
pub mod show;
pub mod showmacs;
pub mod showstp;

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::texts::bridge_utils::setting_failed;
use options::Request;

/// A verb: what usage prints of it, and what it does.
struct Verb {
    name: &'static str,
    /// How many operands it needs. More are ignored, or taken by a loop.
    operands: usize,
    /// Operands and meaning, as usage prints them.
    help: &'static str,
    /// The same as bridge-utils 1.0.6 printed it, if that was different.
    former_help: Option<&'static str>,
    /// The first era that has it.
    since: Era,
    run: Run,
}

type Run = fn(&mut Call, &[OsString]) -> Outcome;

const fn verb(name: &'static str, operands: usize, help: &'static str, run: Run) -> Verb {
    Verb { name, operands, help, former_help: None, since: Era::Of2006, run }
}

/// In the order of usage.
const VERBS: [Verb; 16] = [
    verb("addbr", 1, "<bridge>\t\tadd bridge", bridge::addbr),
    verb("delbr", 1, "<bridge>\t\tdelete bridge", bridge::delbr),
    verb("addif", 2, "<bridge> <device>\tadd interface to bridge", port::addif),
    verb("delif", 2, "<bridge> <device>\tdelete interface from bridge", port::delif),
    Verb { since: Era::Today, ..verb("hairpin", 3, "<bridge> <port> {on|off}\tturn hairpin on/off", set::hairpin) },
    verb("setageing", 2, "<bridge> <time>\t\tset ageing time", set::setageing),
    verb("setbridgeprio", 2, "<bridge> <prio>\t\tset bridge priority", set::setbridgeprio),
    verb("setfd", 2, "<bridge> <time>\t\tset bridge forward delay", set::setfd),
    verb("sethello", 2, "<bridge> <time>\t\tset hello time", set::sethello),
    verb("setmaxage", 2, "<bridge> <time>\t\tset max message age", set::setmaxage),
    verb("setpathcost", 3, "<bridge> <port> <cost>\tset path cost", set::setpathcost),
    verb("setportprio", 3, "<bridge> <port> <prio>\tset port priority", set::setportprio),
    Verb {
        former_help: Some("\t\t\tshow a list of bridges"),
        ..verb("show", 0, "[ <bridge> ]\t\tshow a list of bridges", show::show)
    },
    verb("showmacs", 1, "<bridge>\t\tshow a list of mac addrs", showmacs::showmacs),
    verb("showstp", 1, "<bridge>\t\tshow bridge stp info", showstp::showstp),
    verb("stp", 2, "<bridge> {on|off}\tturn stp on/off", set::stp),
];

/// Runs `brctl`.
pub fn run(call: &mut Call) -> Outcome {
    let posix = (call.environment)("POSIXLY_CORRECT").is_some();
    let operands = match options::parse(call.program, call.args, posix) {
        Request::Help => {
            usage(call);
            return Ok(());
        }
        Request::Version => {
            print(call.out, call.era.brctl().version);
            return Ok(());
        }
        Request::Unknown(complaint) => {
            usage(call);
            return Err(Failure::new([complaint, line!("Unknown option '?'")].concat()));
        }
        Request::Operands(operands) => operands,
    };
    let Some((name, operands)) = operands.split_first() else {
        usage(call);
        return Err(Failure::silent(1));
    };
    let Some(verb) = VERBS.iter().find(|verb| name == verb.name && call.era.knows(verb.since)) else {
        usage(call);
        // what C makes of a word that is not there
        let next = operands.first().map_or(&b"(null)"[..], |word| word.as_bytes());
        let named = if call.era.brctl().names_next_word { next } else { name.as_bytes() };
        return Err(Failure::new(line!("never heard of command [", named, "]")));
    };
    if operands.len() < verb.operands {
        print(call.out, "Incorrect number of arguments for command\n");
        print(call.out, format!("Usage: brctl {} {}\n", verb.name, verb.help));
        return Err(Failure::silent(1));
    }
    (verb.run)(call, operands).map_err(|failure| match call.kernel.control_error() {
        Some(errno) => setting_failed("can't setup bridge control", errno),
        None => failure,
    })
}

fn usage(call: &mut Call) {
    print(call.out, "Usage: brctl [commands]\ncommands:\n");
    for Verb { name, help, former_help, .. } in VERBS.iter().filter(|verb| call.era.knows(verb.since)) {
        let help = former_help.filter(|_| call.era == Era::Of2006).unwrap_or(help);
        print(call.out, format!("\t{name:<10}\t{help}\n"));
    }
}

/// Writes text of which nobody asks whether it arrived: bridge-utils does not.
fn print(out: &mut dyn Write, text: impl AsRef<[u8]>) {
    let _ = out.write_all(text.as_ref());
}

#[cfg(test)]
mod tests {
    use super::VERBS;

    #[test]
    fn verbs_have_names_of_their_own() {
        for (place, verb) in VERBS.iter().enumerate() {
            assert!(VERBS[..place].iter().all(|other| other.name != verb.name), "{} twice", verb.name);
        }
    }
}
