//! `brouter doctor`: why does a guest have no network?
//!
//! [`CHECKS`] is the table of what is looked at, each with the function that does it. A check tells [`Problems`] what is not well,
//! with the line to type against it, or in the end what it saw. Nothing is changed: the kernel is not even made to load a module,
//! which `iptables -S` would do.

mod firewall;
mod host;
mod network;
mod ports;
mod routes;
mod scene;
mod xen;

use argh::FromArgs;

use super::output::{has_colours, say};
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::json::Json;
use crate::shell::quoted;
use scene::{Net, Scene};

/// Say why a guest has no network, and what to type against it.
#[derive(FromArgs)]
pub(super) struct Options {
    /// a network or a bridge; all bridges with addresses if left out
    #[argh(positional)]
    name: Option<String>,

    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Looks at the host, or at each network.
enum Look {
    Host(fn(&Scene, &mut Problems)),
    /// Of one whose bridge is there, but for [`network::record`].
    Net(fn(&Scene, &Net, &mut Problems)),
}

/// Every check by its name, from what lies deepest to what stands on it.
const CHECKS: [(&str, Look); 19] = [
    ("kernel", Look::Host(host::kernel)),
    ("sysfs", Look::Host(host::sysfs)),
    ("xenstored", Look::Host(xen::xenstored)),
    ("hotplug", Look::Host(xen::hotplug)),
    (RECORD, Look::Net(network::record)),
    ("bridge", Look::Net(network::bridge)),
    ("ports", Look::Net(ports::ports)),
    ("port-addresses", Look::Net(ports::addresses)),
    ("macs", Look::Net(ports::macs)),
    ("overlap", Look::Net(routes::overlap)),
    ("forwarding", Look::Net(routes::forwarding)),
    ("rp-filter", Look::Net(routes::reverse_path)),
    ("outside", Look::Net(routes::outside)),
    ("ipv6", Look::Net(routes::ipv6)),
    ("bridge-nf", Look::Net(firewall::bridge_nf)),
    ("forward", Look::Net(firewall::forward)),
    ("masquerade", Look::Net(firewall::masquerade)),
    // its line moves rules that the lines before it speak of
    ("iptables", Look::Host(firewall::variants)),
    ("hook", Look::Net(network::hook)),
];
const RECORD: &str = "record";

/// How it is with what was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warning,
    Failure,
}

impl State {
    /// The word, and the colour that goes with it on a terminal.
    fn word(self) -> (&'static str, &'static str) {
        match self {
            State::Ok => ("ok", "\x1b[32m"),
            State::Warning => ("warning", "\x1b[33m"),
            State::Failure => ("failure", "\x1b[31m"),
        }
    }
}

/// What the checks find, and which of them is at work. A finding is given as a text in which `%0` stands for the first value,
/// and, on a second line, the command, in which it is a word, quoted for the shell; `$0` stands as it is there, too.
struct Problems<'a> {
    check: &'static str,
    /// Empty for the host.
    network: &'a str,
    /// How well it is with what is looked at now, and with all.
    state: State,
    worst: State,
    /// What is printed.
    report: String,
    is_json: bool,
    is_coloured: bool,
}

impl Problems<'_> {
    #[inline(never)]
    fn add(&mut self, state: State, text: &str, values: &[&str]) {
        let (evidence, command) = text.split_once('\n').unwrap_or((text, ""));
        let evidence = fill(evidence, values, false);
        let command = fill(command, values, true);
        self.state = self.state.max(state);
        self.worst = self.worst.max(state);
        let (word, colour) = state.word();
        let report = &mut self.report;
        if self.is_json {
            let some = |text: &str| if text.is_empty() { Json::Null } else { text.into() };
            let entry = Json::Object(vec![
                ("check", some(self.check)),
                ("network", some(self.network)),
                ("status", some(word)),
                ("evidence", some(&evidence)),
                ("command", some(&command)),
            ]);
            report.push_str(if report.is_empty() { "{\"findings\":[" } else { "," });
            report.push_str(entry.line().trim_end());
            return;
        }
        let [on, off] = if self.is_coloured { [colour, "\x1b[0m"] } else { ["", ""] };
        let blank = if self.network.is_empty() { "" } else { " " };
        for part in [on, word, &INDENT[word.len()..], off] {
            report.push_str(part);
        }
        fold(report, &[self.network, blank, self.check, ": ", &evidence].concat(), INDENT, "");
        if !command.is_empty() {
            report.push_str(COMMAND_INDENT);
            fold(report, &command, COMMAND_INDENT, " \\");
        }
    }

    fn warning(&mut self, text: &str, values: &[&str]) {
        self.add(State::Warning, text, values);
    }

    fn failure(&mut self, text: &str, values: &[&str]) {
        self.add(State::Failure, text, values);
    }

    /// What could not be looked at is not well.
    fn not_known(&mut self, cause: &str) {
        self.warning("not known: %0\nsudo brouter doctor", &[cause]);
    }

    /// What was seen, if nothing is wrong.
    fn well(&mut self, text: &str, values: &[&str]) {
        if self.state == State::Ok {
            self.add(State::Ok, text, values);
        }
    }
}

/// A text with the values in their places.
fn fill(text: &str, values: &[&str], is_command: bool) -> String {
    let mut filled = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let mut ahead = rest.clone();
        let value = ahead.next().and_then(|digit| values.get(digit.to_digit(10)? as usize));
        match (c, value) {
            ('%', Some(value)) if is_command => filled.push_str(&quoted(value)),
            ('%' | '$', Some(value)) => filled.push_str(value),
            _ => {
                filled.push(c);
                continue;
            }
        }
        rest = ahead;
    }
    filled
}

/// `brouter doctor`
pub(super) fn doctor(call: &mut Call, options: &Options) -> Outcome {
    let scene = Scene::look(call, options.name.as_deref())?;
    let mut problems = Problems {
        check: "",
        network: "",
        state: State::Ok,
        worst: State::Ok,
        report: String::new(),
        is_json: options.json,
        is_coloured: has_colours(call),
    };
    for (check, look) in &CHECKS {
        problems.check = check;
        problems.network = "";
        problems.state = State::Ok;
        match look {
            Look::Host(look) => look(&scene, &mut problems),
            Look::Net(look) => {
                for net in &scene.nets {
                    problems.network = &net.name;
                    problems.state = State::Ok;
                    if net.is_there || *check == RECORD {
                        look(&scene, net, &mut problems);
                    }
                }
            }
        }
    }
    let Problems { worst, mut report, .. } = problems;
    if options.json {
        report.push_str(&["],\"status\":\"", worst.word().0, "\"}\n"].concat());
    }
    say(call, &report).map_err(|failure| failure.with_status(2))?;
    match worst {
        State::Ok => Ok(()),
        worst => Err(Failure::silent(worst as u8)),
    }
}

/// Columns of the report.
const WIDTH: usize = 80;
const INDENT: &str = "         ";
const COMMAND_INDENT: &str = "             ";

/// Writes a text behind an indent that has been written, folded at blanks outside of quotes, where the shell's mark says that a line
/// goes on.
fn fold(text: &mut String, line: &str, indent: &str, mark: &str) {
    let room = WIDTH - indent.len() - mark.len();
    let mut rest = line;
    while rest.len() > room {
        let mut is_quoted = false;
        let mut at = None;
        for (place, byte) in rest.bytes().enumerate() {
            is_quoted ^= byte == b'\'' && !mark.is_empty();
            if byte == b' ' && !is_quoted && place > 0 {
                if place > room && at.is_some() {
                    break;
                }
                at = Some(place);
            }
        }
        let Some(at) = at else { break };
        printable(text, &rest[..at]);
        text.push_str(mark);
        text.push('\n');
        text.push_str(indent);
        rest = &rest[at + 1..];
    }
    printable(text, rest);
    text.push('\n');
}

/// What others have named is shown as it is, but for what would move a terminal.
fn printable(text: &mut String, part: &str) {
    for c in part.chars() {
        text.push(if c.is_control() { '?' } else { c });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_the_manual() {
        let manual = include_str!("../../../man/brouter.8");
        for (place, (name, _)) in CHECKS.iter().enumerate() {
            assert!(CHECKS[..place].iter().all(|(other, _)| other != name), "{name} is there twice");
            assert!(manual.contains(&["\n.It Cm ", name, "\n"].concat()), "{name} is not in man/brouter.8");
        }
        let listed = manual.split(".Ss Checks").nth(1).and_then(|rest| rest.split(".El").next()).unwrap();
        assert_eq!(listed.matches(".It Cm ").count(), CHECKS.len(), "man/brouter.8 lists others too");
    }

    #[test]
    fn lines_are_folded_and_commands_stay_whole() {
        let folded = |line: &str, mark| {
            let mut text = String::new();
            fold(&mut text, line, "  ", mark);
            text
        };
        let long = "x".repeat(70);
        assert_eq!(folded(&[&long, " yy zzzzz ab"].concat(), ""), [&long, " yy\n  zzzzz ab\n"].concat());
        assert_eq!(folded(&[&long, " yyyyyyyyy z"].concat(), " \\"), [&long, " \\\n  yyyyyyyyy z\n"].concat());
        assert_eq!(
            folded(&["'", &long, " y' zzzzzz z"].concat(), " \\"),
            ["'", &long, " y' \\\n  zzzzzz z\n"].concat()
        );
        assert_eq!(folded("a\x1b[31m", ""), "a?[31m\n");
    }

    #[test]
    fn values_come_to_their_places() {
        assert_eq!(fill("%0 is 5% of %1, %7", &["a;b", "c"], false), "a;b is 5% of c, %7");
        assert_eq!(fill("do %0 | $1", &["a;b", "x y"], true), "do 'a;b' | x y");
    }
}
