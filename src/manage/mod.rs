//! `brouter`: the program that is all others, in the manner of busybox, and its own commands and options.
//!
//! `up` and `down` read what is wanted (`network`), compare it with what is there (`plan`), and carry out the steps (`step`), of
//! which each can be undone (`up`). `status` shows what is there, `doctor` says what keeps guests from the network.

mod doctor;
mod install;
mod options;
mod output;
mod status;
mod up;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use argh::FromArgs;

use crate::call::{Applet, Call};
use crate::error::{Failure, Outcome, line};
use output::{complaint, say};

/// One program for a Xen host's virtual network: a command is chosen by the name under which brouter is called, or by its
/// first argument.
#[derive(FromArgs)]
struct Options {
    /// list the commands, one a line
    #[argh(switch)]
    list: bool,

    /// make a link for each command in this folder
    #[argh(option, arg_name = "dir")]
    install: Option<PathBuf>,

    /// with --install: copy instead of linking
    #[argh(switch)]
    copy: bool,

    /// with --install: replace files that are not brouter's
    #[argh(switch)]
    force: bool,

    /// print the version
    #[argh(switch)]
    version: bool,
}

/// Runs the applet that is meant, or brouter itself.
pub fn run(call: &mut Call) -> Outcome {
    let called_as = Path::new(call.program).file_name().unwrap_or_default();
    if let Some(applet) = call.find(called_as) {
        return (applet.run)(call);
    }
    if let Some((name, args)) = call.args.split_first()
        && let Some(applet) = call.find(name)
    {
        return call.run(applet, name, args);
    }
    if call.args.is_empty() {
        return say(call, &introduction(call.applets));
    }
    let (command, words) =
        call.args.split_first().map_or((&b""[..], call.args), |(first, rest)| (first.as_bytes(), rest));
    match command {
        b"up" => return act(call, "brouter up", words, up::up),
        b"down" => return act(call, "brouter down", words, up::down),
        b"status" => return act(call, "brouter status", &status::words(words), status::status),
        b"doctor" => return act(call, "brouter doctor", words, doctor::doctor),
        _ => (),
    }
    match parse("brouter", call.args)? {
        Parsed::Help(text) => say(call, &text),
        Parsed::Options(Options { version: true, .. }) => {
            say(call, concat!("brouter ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Parsed::Options(Options { list: true, .. }) => {
            say(call, &call.applets.iter().map(|applet| format!("{}\n", applet.name)).collect::<String>())
        }
        Parsed::Options(Options { install: Some(folder), copy, force, .. }) => {
            install::install(call.applets, &folder, copy, force)
        }
        Parsed::Options(Options { .. }) => Err(complaint(line!("--copy and --force go with --install DIR"))),
    }
}

/// Reads the options of a command of brouter's own, and runs it.
fn act<T: FromArgs>(call: &mut Call, name: &str, words: &[OsString], run: fn(&mut Call, &T) -> Outcome) -> Outcome {
    match parse(name, words)? {
        Parsed::Help(text) => say(call, &text),
        Parsed::Options(options) => run(call, &options),
    }
}

enum Parsed<T> {
    Help(String),
    Options(T),
}

fn parse<T: FromArgs>(name: &str, args: &[OsString]) -> Result<Parsed<T>, Failure> {
    match T::from_args(&[name], &texts(args)?) {
        Ok(options) => Ok(Parsed::Options(options)),
        Err(exit) if exit.status.is_ok() => Ok(Parsed::Help(exit.output)),
        Err(exit) => Err(refused(name, &exit)),
    }
}

/// As argh takes words. (Out of `parse`, which is there once for each command.)
#[inline(never)]
fn texts(args: &[OsString]) -> Result<Vec<&str>, Failure> {
    let not_utf8 = |arg: &OsStr| complaint(line!(arg.as_encoded_bytes(), ": not UTF-8"));
    args.iter().map(|arg| arg.to_str().ok_or_else(|| not_utf8(arg))).collect()
}

#[inline(never)]
fn refused(name: &str, exit: &argh::EarlyExit) -> Failure {
    complaint(line!(exit.output.trim_end(), "\nTry ", name, " --help."))
}

/// brouter's own commands, as the introduction has them.
const OWN: [(&str, &str); 4] = [
    ("up", "make a network"),
    ("down", "take it away"),
    ("status", "show the networks, and what is out of order"),
    ("doctor", "say why a guest has no network"),
];

fn introduction(applets: &[&Applet]) -> String {
    let mut text = String::from(concat!(
        "brouter ",
        env!("CARGO_PKG_VERSION"),
        ": a Xen host's virtual network in one program, without netlink.\n",
        "A brouter is a bridge with an address: guests are on it, the host routes.\nCommands:\n"
    ));
    let applets = applets.iter().map(|applet| (applet.name, applet.summary));
    for (name, summary) in OWN.into_iter().chain(applets) {
        text.push_str(&format!("  {name:<17}{summary}\n"));
    }
    text.push_str("Run one as `brouter COMMAND ...`, all but the first four also under their own\n");
    text.push_str("names after `brouter --install DIR`. See also: brouter --help, brouter(8)\n");
    text
}
