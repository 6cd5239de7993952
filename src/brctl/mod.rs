//! `brctl`: bridge-utils 1.7.1's command, byte for byte.
//!
//! [`VERBS`] gives dispatch and usage. A verb's file says how the kernel is asked and what is printed: [`bridge`] for bridges,
//! [`port`] for their ports, [`set`] for values of both, [`show`], [`showstp`] and [`showmacs`] for listings.

pub mod bridge;
pub mod number;
mod options;
pub mod port;
pub mod set;
pub mod show;
pub mod showmacs;
pub mod showstp;

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use crate::applet::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use options::Request;

/// A verb: what usage prints of it, and what it does.
struct Verb {
    name: &'static str,
    /// How many operands it needs. More are ignored, or taken by a loop.
    operands: usize,
    /// Operands and meaning, as usage prints them.
    help: &'static str,
    run: fn(&mut Call, &[OsString]) -> Outcome,
}

/// In the order of usage.
const VERBS: [Verb; 16] = [
    Verb { name: "addbr", operands: 1, help: "<bridge>\t\tadd bridge", run: bridge::addbr },
    Verb { name: "delbr", operands: 1, help: "<bridge>\t\tdelete bridge", run: bridge::delbr },
    Verb { name: "addif", operands: 2, help: "<bridge> <device>\tadd interface to bridge", run: port::addif },
    Verb { name: "delif", operands: 2, help: "<bridge> <device>\tdelete interface from bridge", run: port::delif },
    Verb { name: "hairpin", operands: 3, help: "<bridge> <port> {on|off}\tturn hairpin on/off", run: set::hairpin },
    Verb { name: "setageing", operands: 2, help: "<bridge> <time>\t\tset ageing time", run: set::setageing },
    Verb {
        name: "setbridgeprio",
        operands: 2,
        help: "<bridge> <prio>\t\tset bridge priority",
        run: set::setbridgeprio,
    },
    Verb { name: "setfd", operands: 2, help: "<bridge> <time>\t\tset bridge forward delay", run: set::setfd },
    Verb { name: "sethello", operands: 2, help: "<bridge> <time>\t\tset hello time", run: set::sethello },
    Verb { name: "setmaxage", operands: 2, help: "<bridge> <time>\t\tset max message age", run: set::setmaxage },
    Verb { name: "setpathcost", operands: 3, help: "<bridge> <port> <cost>\tset path cost", run: set::setpathcost },
    Verb { name: "setportprio", operands: 3, help: "<bridge> <port> <prio>\tset port priority", run: set::setportprio },
    Verb { name: "show", operands: 0, help: "[ <bridge> ]\t\tshow a list of bridges", run: show::show },
    Verb { name: "showmacs", operands: 1, help: "<bridge>\t\tshow a list of mac addrs", run: showmacs::showmacs },
    Verb { name: "showstp", operands: 1, help: "<bridge>\t\tshow bridge stp info", run: showstp::showstp },
    Verb { name: "stp", operands: 2, help: "<bridge> {on|off}\tturn stp on/off", run: set::stp },
];

/// The version that Debian's bridge-utils 1.7.1 gives as its own.
const VERSION: &str = "bridge-utils, 1.7\n";

/// Runs `brctl`.
pub fn run(call: &mut Call) -> Outcome {
    let posix = (call.environment)("POSIXLY_CORRECT").is_some();
    let operands = match options::parse(call.program, call.args, posix) {
        Request::Help => {
            usage(call.out);
            return Ok(());
        }
        Request::Version => {
            print(call.out, VERSION);
            return Ok(());
        }
        Request::Unknown(complaint) => {
            usage(call.out);
            return Err(Failure::new([complaint, line!("Unknown option '?'")].concat()));
        }
        Request::Operands(operands) => operands,
    };
    let Some((name, operands)) = operands.split_first() else {
        usage(call.out);
        return Err(Failure::silent(1));
    };
    let Some(verb) = VERBS.iter().find(|verb| name == verb.name) else {
        usage(call.out);
        return Err(Failure::new(line!("never heard of command [", name.as_bytes(), "]")));
    };
    if operands.len() < verb.operands {
        print(call.out, "Incorrect number of arguments for command\n");
        print(call.out, format!("Usage: brctl {} {}\n", verb.name, verb.help));
        return Err(Failure::silent(1));
    }
    (verb.run)(call, operands).map_err(|failure| match call.kernel.control_error() {
        Some(errno) => failed("can't setup bridge control", errno),
        None => failure,
    })
}

fn usage(out: &mut dyn Write) {
    print(out, "Usage: brctl [commands]\ncommands:\n");
    for Verb { name, help, .. } in &VERBS {
        print(out, format!("\t{name:<10}\t{help}\n"));
    }
}

/// Writes text of which nobody asks whether it arrived: bridge-utils does not.
fn print(out: &mut dyn Write, text: impl AsRef<[u8]>) {
    let _ = out.write_all(text.as_ref());
}

/// `WHAT failed: No such device` and its like.
fn failed(what: &str, errno: Errno) -> Failure {
    Failure::new(line!(what, ": ", errno_text(errno)))
}

fn no_such_bridge(bridge: &[u8]) -> Failure {
    Failure::new(line!("bridge ", bridge, " does not exist!"))
}

fn no_such_interface(interface: &[u8]) -> Failure {
    Failure::new(line!("interface ", interface, " does not exist!"))
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
