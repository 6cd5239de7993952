//! `brouter`: every command in one program, in the manner of busybox, and the commands of its own.
//!
//! `up` and `down` make and remove a network by the engine in [`crate::network`]. `status` shows the host, and `doctor` finds out
//! what keeps guests from the network; both read a snapshot of [`crate::inspect`].

mod doctor;
mod install;
mod offload;
mod options;
mod output;
mod status;
mod suggest;
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
    #[argh(switch, short = 'V')]
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
    if let Some(command) = OWN.iter().find(|command| name == command.name) {
        return (command.run)(call, words);
    }
    match name.as_bytes() {
        b"help" => help(call, words),
        b"version" | b"-V" => say(call, VERSION),
        name if !name.starts_with(b"-") => Err(unknown_command(call, name)),
        _ => act(call, "brouter", call.args, serve),
    }
}

/// Explains a command, or brouter itself.
fn help(call: &mut Call, words: &[OsString]) -> Outcome {
    let Some(name) = words.first() else { return act(call, "brouter", &["--help".into()], serve) };
    if let Some(command) = OWN.iter().find(|command| name == command.name) {
        return (command.run)(call, &["--help".into()]);
    }
    let Some(applet) = call.find(name) else { return Err(unknown_command(call, name.as_bytes())) };
    let word = match applet.name {
        "brctl" => "--help",
        name if name.starts_with("ip") => "help",
        name => return say(call, &format!("{name}: {}\nIts manual page: man {name}\n", applet.summary)),
    };
    match call.run(applet, name, &[word.into()]) {
        // iproute2 takes a question for an error
        Err(failure) => say(call, &String::from_utf8_lossy(&failure.text)),
        done => done,
    }
}

/// The failure of a command that does not exist.
fn unknown_command(call: &Call, name: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(name);
    let known = OWN.iter().map(|command| command.name).chain(call.applets.iter().map(|applet| applet.name));
    let meant = suggest::nearest(&text, known.chain(["help", "version"]));
    let meant = meant.map_or(String::new(), |meant| format!(": did you mean {meant}?"));
    complaint(line!(name, ": no such command", meant, "\nTry brouter --help."))
}

const VERSION: &str = concat!("brouter ", env!("CARGO_PKG_VERSION"), "\n");

/// Does what brouter's own options say.
fn serve(call: &mut Call, options: &Options) -> Outcome {
    match options {
        Options { version: true, .. } => say(call, VERSION),
        Options { list: true, .. } => {
            say(call, &call.applets.iter().map(|applet| format!("{}\n", applet.name)).collect::<String>())
        }
        Options { install: Some(folder), copy, force, .. } => install::install(call.applets, folder, *copy, *force),
        Options { .. } => Err(complaint(line!("--copy and --force go with --install DIR"))),
    }
}

/// Parses the options of a command of brouter's own, and runs it.
fn act<T: FromArgs>(call: &mut Call, name: &str, words: &[OsString], run: fn(&mut Call, &T) -> Outcome) -> Outcome {
    let words = texts(words)?;
    match T::from_args(&[name], &words) {
        Ok(options) => run(call, &options),
        Err(help) if help.status.is_ok() => {
            let commands =
                if name == "brouter" { ["\nCommands:\n", &commands(call.applets)].concat() } else { String::new() };
            say(call, &[help.output, commands].concat())
        }
        Err(refused) => {
            let meant = T::from_args(&[name], &["--help"]).err().and_then(|help| meant_option(&words, &help.output));
            let meant = meant.map_or(String::new(), |meant| format!("\nDid you mean {meant}?"));
            Err(complaint(line!(refused.output.trim_end(), meant, "\nTry ", name, " --help.")))
        }
    }
}

/// Returns what may be meant by the first option that does not exist: argh tells its options in the help alone.
fn meant_option(words: &[&str], help: &str) -> Option<String> {
    let options = || help.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    let known = || options().map(|option| option.trim_end_matches(','));
    let unknown = |word: &&&str| word.starts_with("--") && word.len() > 2 && !known().any(|option| option == **word);
    let word = words.iter().find(unknown)?;
    match word.split_once('=') {
        Some((name, value)) if known().any(|option| option == name) => Some(format!("{name} {value}")),
        Some((name, value)) => Some(format!("{} {value}", suggest::nearest(name, known())?)),
        None => suggest::nearest(word, known()).map(String::from),
    }
}

/// Returns words as argh takes them.
fn texts(words: &[OsString]) -> Result<Vec<&str>, Failure> {
    let not_utf8 = |word: &OsStr| complaint(line!(word.as_encoded_bytes(), ": not UTF-8"));
    let text = |word| if word == "-h" { Ok("--help") } else { OsStr::to_str(word).ok_or_else(|| not_utf8(word)) };
    words.iter().map(|word| text(word.as_os_str())).collect()
}

/// A command of brouter's own.
struct Command {
    name: &'static str,
    summary: &'static str,
    run: fn(&mut Call, &[OsString]) -> Outcome,
}

const OWN: [Command; 6] = [
    Command { name: "up", summary: "make a network", run: |call, words| act(call, "brouter up", words, up::up) },
    Command { name: "down", summary: "remove it", run: |call, words| act(call, "brouter down", words, up::down) },
    Command {
        name: "ls",
        summary: "list the networks",
        run: |call, words| act(call, "brouter ls", words, status::list),
    },
    Command {
        name: "status",
        summary: "show the networks, and what is out of order",
        run: |call, words| act(call, "brouter status", &status::words(words), status::status),
    },
    Command {
        name: "doctor",
        summary: "say why a guest has no network",
        run: |call, words| act(call, "brouter doctor", words, doctor::doctor),
    },
    Command {
        name: "offload",
        summary: "say who makes the checksums of packets to guests",
        run: |call, words| act(call, "brouter offload", words, offload::offload),
    },
];

/// Lists all commands, one a line.
fn commands(applets: &[&Applet]) -> String {
    let own = OWN.iter().map(|command| (command.name, command.summary));
    let all = own.chain(applets.iter().map(|applet| (applet.name, applet.summary)));
    let all = all.chain([("help [COMMAND]", "explain a command")]);
    all.map(|(name, summary)| format!("  {name:<17}{summary}\n")).collect()
}

fn introduction(applets: &[&Applet]) -> String {
    format!(
        "brouter {}: a Xen host's virtual network in one program, without netlink.\n\
         A brouter is a bridge with an address: guests are on it, the host routes.\n\
         Commands:\n{}\
         Run one as `brouter COMMAND ...`, all but the first six also under their own\n\
         names after `brouter --install DIR`. See also: brouter --help, brouter(8)\n",
        env!("CARGO_PKG_VERSION"),
        commands(applets)
    )
}
