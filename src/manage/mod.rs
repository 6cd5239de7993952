//! `brouter`: every command in one program, in the manner of busybox, and the commands of its own.
//!
//! `up` and `down` make and remove a network by the engine in [`crate::network`]. `status` shows the host, and `doctor` finds out
//! what keeps guests from the network; both read a snapshot of [`crate::inspect`].

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

/// Runs the applet that the program's name or the first argument means, or else a command of brouter's own.
pub fn run(call: &mut Call) -> Outcome {
    let called_as = Path::new(call.program).file_name().unwrap_or_default();
    if let Some(applet) = call.find(called_as) {
        return (applet.run)(call);
    }
    let Some((name, words)) = call.args.split_first() else {
        return say(call, &introduction(call.applets));
    };
    if let Some(applet) = call.find(name) {
        return call.run(applet, name, words);
    }
    match name.as_bytes() {
        b"up" => act(call, "brouter up", words, up::up),
        b"down" => act(call, "brouter down", words, up::down),
        b"status" => act(call, "brouter status", &status::words(words), status::status),
        b"doctor" => act(call, "brouter doctor", words, doctor::doctor),
        _ => act(call, "brouter", call.args, serve),
    }
}

/// Does what brouter's own options say.
fn serve(call: &mut Call, options: &Options) -> Outcome {
    match options {
        Options { version: true, .. } => say(call, concat!("brouter ", env!("CARGO_PKG_VERSION"), "\n")),
        Options { list: true, .. } => {
            say(call, &call.applets.iter().map(|applet| format!("{}\n", applet.name)).collect::<String>())
        }
        Options { install: Some(folder), copy, force, .. } => install::install(call.applets, folder, *copy, *force),
        Options { .. } => Err(complaint(line!("--copy and --force go with --install DIR"))),
    }
}

/// Parses the options of a command of brouter's own, and runs it.
fn act<T: FromArgs>(call: &mut Call, name: &str, words: &[OsString], run: fn(&mut Call, &T) -> Outcome) -> Outcome {
    match T::from_args(&[name], &texts(words)?) {
        Ok(options) => run(call, &options),
        Err(help) if help.status.is_ok() => say(call, &help.output),
        Err(refused) => Err(complaint(line!(refused.output.trim_end(), "\nTry ", name, " --help."))),
    }
}

/// Returns words as argh takes them.
fn texts(words: &[OsString]) -> Result<Vec<&str>, Failure> {
    let not_utf8 = |word: &OsStr| complaint(line!(word.as_encoded_bytes(), ": not UTF-8"));
    words.iter().map(|word| word.to_str().ok_or_else(|| not_utf8(word))).collect()
}

/// brouter's own commands, as the introduction has them.
const OWN: [(&str, &str); 4] = [
    ("up", "make a network"),
    ("down", "remove it"),
    ("status", "show the networks, and what is out of order"),
    ("doctor", "say why a guest has no network"),
];

fn introduction(applets: &[&Applet]) -> String {
    let applets = applets.iter().map(|applet| (applet.name, applet.summary));
    let commands: String =
        OWN.into_iter().chain(applets).map(|(name, summary)| format!("  {name:<17}{summary}\n")).collect();
    format!(
        "brouter {}: a Xen host's virtual network in one program, without netlink.\n\
         A brouter is a bridge with an address: guests are on it, the host routes.\n\
         Commands:\n{commands}\
         Run one as `brouter COMMAND ...`, all but the first four also under their own\n\
         names after `brouter --install DIR`. See also: brouter --help, brouter(8)\n",
        env!("CARGO_PKG_VERSION")
    )
}
