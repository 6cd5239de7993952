//! `brctl`: bridge-utils 1.7.1's command, byte for byte, or that of 1.0.6 (see [`crate::era`]).
//!
//! A verb is a row of [`VERBS`], which gives dispatch and usage, and a function: in [`bridge`] (addbr, delbr), [`port`] (addif,
//! delif), [`set`] (stp, setfd and the other values), [`show`], [`showstp`] or [`showmacs`]. The function reads its operands,
//! calls the kernel and prints. Names go to the kernel as they were typed.

mod bridge;
mod options;
mod port;
pub mod script;
mod set;
mod show;
mod showmacs;
mod showstp;
mod source;

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
    /// The usage of bridge-utils 1.0.6, if it differs.
    former_help: Option<&'static str>,
    /// The first era that has it.
    since: Era,
    run: Run,
}

type Run = fn(&mut Call, &[&[u8]]) -> Outcome;

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
///
/// # Errors
/// bridge-utils' message, status 1.
pub fn run(call: &mut Call) -> Outcome {
    let posix = (call.environment)("POSIXLY_CORRECT").is_some();
    match options::parse(call.program, call.args, posix) {
        Request::Help => {
            usage(call);
            Ok(())
        }
        Request::Version => {
            let _ = call.out.write_all(call.era.brctl().version.as_bytes());
            Ok(())
        }
        Request::Unknown(complaint) => {
            usage(call);
            Err(Failure::new([complaint, line!("Unknown option '?'")].concat()))
        }
        Request::Operands(words) => run_verb(call, &words),
    }
}

fn run_verb(call: &mut Call, words: &[&[u8]]) -> Outcome {
    let Some((&name, operands)) = words.split_first() else {
        usage(call);
        return Err(Failure::silent(1));
    };
    // br_init(), before the verb is looked up
    call.kernel.connect().map_err(|errno| setting_failed("can't setup bridge control", errno))?;
    let Some(verb) = VERBS.iter().find(|verb| name == verb.name.as_bytes() && call.era.knows(verb.since)) else {
        usage(call);
        // "(null)" is printf's text for the end of argv
        let next = operands.first().copied().unwrap_or(b"(null)");
        let named = if call.era.brctl().names_next_word { next } else { name };
        return Err(Failure::new(line!("never heard of command [", named, "]")));
    };
    if operands.len() < verb.operands {
        let Verb { name, help, .. } = verb;
        let _ = write!(call.out, "Incorrect number of arguments for command\nUsage: brctl {name} {help}\n");
        return Err(Failure::silent(1));
    }
    (verb.run)(call, operands)
}

fn usage(call: &mut Call) {
    let _ = call.out.write_all(b"Usage: brctl [commands]\ncommands:\n");
    for Verb { name, help, former_help, .. } in VERBS.iter().filter(|verb| call.era.knows(verb.since)) {
        let help = former_help.filter(|_| call.era == Era::Of2006).unwrap_or(help);
        let _ = writeln!(call.out, "\t{name:<10}\t{help}");
    }
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
