//! What the checks find, and how it is printed.

use crate::json::Json;
use crate::kernel;
use crate::terminal::one_line;

/// What a check found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) state: State,
    /// The check's name.
    pub(super) check: &'static str,
    /// The network that it is about; `None` for the host.
    pub(super) network: Option<String>,
    /// What was seen, and where.
    pub(super) evidence: String,
    /// The line to type against it.
    pub(super) command: Option<String>,
}

/// How bad it is. The numbers are exit statuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    #[default]
    Ok = 0,
    Warning = 1,
    Failure = 2,
}

impl State {
    /// Returns the word, and the escape sequence of its colour.
    fn word(self) -> (&'static str, &'static str) {
        match self {
            State::Ok => ("ok", "\x1b[32m"),
            State::Warning => ("warning", "\x1b[33m"),
            State::Failure => ("failure", "\x1b[31m"),
        }
    }
}

/// The findings so far, and the check that adds to them.
#[derive(Default)]
pub(super) struct Report {
    check: &'static str,
    network: Option<String>,
    findings: Vec<Finding>,
    /// The check has found nothing out of order yet.
    is_clean: bool,
}

impl Report {
    /// Begins a check of the host, or of a network.
    pub(super) fn begin(&mut self, check: &'static str, network: Option<&str>) {
        self.check = check;
        self.network = network.map(String::from);
        self.is_clean = true;
    }

    pub(super) fn add(&mut self, state: State, evidence: String, command: Option<String>) {
        self.is_clean &= state == State::Ok;
        let is_same =
            |other: &Finding| (other.check, &other.network, &other.evidence) == (self.check, &self.network, &evidence);
        // IPv4 and IPv6 can have one fault in common
        if !self.findings.iter().any(is_same) {
            self.findings.push(Finding { state, check: self.check, network: self.network.clone(), evidence, command });
        }
    }

    /// Something may be wrong.
    pub(super) fn warning(&mut self, evidence: String, command: String) {
        self.add(State::Warning, evidence, Some(command));
    }

    /// Something keeps guests from the network.
    pub(super) fn failure(&mut self, evidence: String, command: String) {
        self.add(State::Failure, evidence, Some(command));
    }

    /// Something cannot be seen by this user, which may hide a fault.
    pub(super) fn unknown(&mut self, cause: &str) {
        let command = (kernel::user_id() != 0).then(|| "sudo brouter doctor".into());
        self.add(State::Warning, format!("not known: {cause}"), command);
    }

    /// Ends a check: what was seen, unless something is out of order.
    pub(super) fn ok(&mut self, evidence: impl Into<String>) {
        if self.is_clean {
            self.add(State::Ok, evidence.into(), None);
        }
    }

    /// Returns whether a check of the network that is checked now has found something out of order.
    pub(super) fn has_reported(&self, check: &str) -> bool {
        let is_it = |finding: &Finding| finding.check == check && finding.network == self.network;
        self.findings.iter().any(|finding| is_it(finding) && finding.state != State::Ok)
    }

    pub(super) fn worst(&self) -> State {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or_default()
    }

    /// Returns one line of JSON.
    pub(super) fn json(&self) -> String {
        let finding = |finding: &Finding| {
            Json::Object(vec![
                ("check", finding.check.into()),
                ("network", finding.network.as_deref().into()),
                ("status", finding.state.word().0.into()),
                ("evidence", finding.evidence.as_str().into()),
                ("command", finding.command.as_deref().into()),
            ])
        };
        let findings = self.findings.iter().map(finding).collect();
        Json::Object(vec![("findings", findings), ("status", self.worst().word().0.into())]).line()
    }

    /// Returns the report for a person: failures, warnings and, if `all` are asked for, what is as it should be. Each finding is one
    /// line or, with a width, is folded into so many columns.
    pub(super) fn text(&self, all: bool, width: Option<usize>, is_coloured: bool) -> String {
        let least = if all { State::Ok } else { State::Warning };
        let states = [State::Failure, State::Warning, State::Ok].into_iter().filter(|state| *state >= least);
        let findings = states.flat_map(|state| self.findings.iter().filter(move |finding| finding.state == state));
        let text: String =
            findings.filter_map(|finding| Some(finding.text(&self.subjects(finding)?, width, is_coloured))).collect();
        if text.is_empty() { format!("{}nothing is out of order\n", label(State::Ok, is_coloured)) } else { text }
    }

    /// Returns what has this fault: a check of a network or of the host, or several that found the same. `None` if an earlier finding
    /// says so.
    fn subjects(&self, finding: &Finding) -> Option<String> {
        if finding.state == State::Ok {
            return Some(finding.subject());
        }
        let is_same = |other: &&Finding| {
            (other.state, &other.evidence, &other.command) == (finding.state, &finding.evidence, &finding.command)
        };
        let mut same = self.findings.iter().filter(is_same);
        let first = same.next().filter(|first| std::ptr::eq(*first, finding))?.subject();
        let others: Vec<String> = same.map(Finding::subject).collect();
        Some(match others.len() {
            0 => first,
            1..MANY => format!("{first}, {}", others.join(", ")),
            count => format!("{first} and {count} more"),
        })
    }
}

/// Returns the word of a state, with its colour and a gap.
fn label(state: State, is_coloured: bool) -> String {
    let (word, colour) = state.word();
    let [on, off] = if is_coloured { [colour, "\x1b[0m"] } else { ["", ""] };
    format!("{on}{word:<INDENT$}{off}")
}

/// Checks that found the same and are not all named.
const MANY: usize = 5;
/// Columns before evidence: those of the longest word, and a gap.
const INDENT: usize = 9;
/// Columns before a command.
const COMMAND_INDENT: usize = 13;
/// Stands between evidence and command on one line.
const TYPE: &str = "; type: ";

impl Finding {
    /// Returns the check, behind the network that it is about.
    fn subject(&self) -> String {
        self.network.as_ref().map_or(self.check.into(), |network| format!("{network} {}", self.check))
    }

    fn text(&self, subjects: &str, width: Option<usize>, is_coloured: bool) -> String {
        let evidence = format!("{subjects}: {}", self.evidence);
        let mut text = label(self.state, is_coloured);
        let Some(width) = width else {
            let command = self.command.as_ref().map_or(String::new(), |command| format!("{TYPE}{command}"));
            return text + &one_line(&(evidence + &command)) + "\n";
        };
        text.push_str(&fold(&evidence, width - INDENT, INDENT, ""));
        if let Some(command) = &self.command {
            text.extend(std::iter::repeat_n(' ', COMMAND_INDENT));
            text.push_str(&fold(command, width - COMMAND_INDENT, COMMAND_INDENT, " \\"));
        }
        text
    }
}

/// Folds a text at blanks into some columns, behind an indent that the first line already has. A command, folded with the shell's mark that a line
/// continues, is not broken within quotes. What others have named is shown as it is, except for what would move a terminal.
fn fold(text: &str, columns: usize, indent: usize, mark: &str) -> String {
    let text = one_line(text);
    let room = columns - mark.len();
    let mut folded = String::new();
    let mut rest = text.as_str();
    while let Some(end) = line_end(rest, room, !mark.is_empty()) {
        folded.push_str(&format!("{}{mark}\n{:indent$}", &rest[..end], ""));
        rest = &rest[end + 1..];
    }
    format!("{folded}{rest}\n")
}

/// Returns the blank at which a text is broken: the last that leaves a line which fits, else the first. `None` if the text fits, or
/// cannot be broken.
fn line_end(text: &str, room: usize, keeps_quotes: bool) -> Option<usize> {
    if text.len() <= room {
        return None;
    }
    let mut is_quoted = false;
    let mut end = None;
    for (place, byte) in text.bytes().enumerate() {
        is_quoted ^= byte == b'\'' && keeps_quotes;
        if byte == b' ' && !is_quoted && place > 0 {
            if place > room && end.is_some() {
                break;
            }
            end = Some(place);
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_and_commands_stay_whole() {
        let long = "x".repeat(70);
        assert_eq!(fold(&format!("{long} yy zzzzz ab"), 78, 2, ""), format!("{long} yy\n  zzzzz ab\n"));
        assert_eq!(fold(&format!("{long} yyyyyyyyy z"), 78, 2, " \\"), format!("{long} \\\n  yyyyyyyyy z\n"));
        assert_eq!(fold(&format!("'{long} y' zzzzzz z"), 78, 2, " \\"), format!("'{long} y' \\\n  zzzzzz z\n"));
        assert_eq!(fold("a\x1b[31m\u{202e}b\u{9b}", 78, 2, ""), "a?[31m?b?\n");
    }

    #[test]
    fn a_check_is_ok_if_it_has_found_nothing() {
        let mut report = Report::default();
        report.begin("kernel", None);
        report.ok("well");
        report.begin("bridge", Some("n"));
        report.failure("b0 is down".into(), "ip link set dev b0 up".into());
        report.ok("up");
        let wanted = "failure  n bridge: b0 is down\n             ip link set dev b0 up\nok       kernel: well\n";
        assert_eq!(report.text(true, Some(80), false), wanted);
        assert_eq!(report.text(false, Some(80), false), wanted.split_inclusive('\n').take(2).collect::<String>());
        let wanted = "failure  n bridge: b0 is down; type: ip link set dev b0 up\n";
        assert_eq!(report.text(false, None, false), wanted);
        assert_eq!(report.worst(), State::Failure);
        let mut folded = Report::default();
        for (check, network) in [("forward", Some("n")), ("masquerade", Some("n")), ("iptables", None)] {
            folded.begin(check, network);
            folded.unknown("no");
        }
        let first = folded.text(false, None, false);
        assert!(first.starts_with("warning  n forward, n masquerade, iptables: not known: no"), "{first}");
        assert_eq!(first.lines().count(), 1);
        // a failure is not hidden by a warning
        folded.begin("forward", Some("m"));
        folded.add(
            State::Failure,
            "not known: no".into(),
            (kernel::user_id() != 0).then(|| "sudo brouter doctor".into()),
        );
        let both = folded.text(false, None, false);
        assert!(both.starts_with("failure  m forward: not known: no"), "{both}");
        assert_eq!(both.lines().count(), 2);
        let wanted = concat!(
            r#"{"findings":[{"check":"kernel","network":null,"status":"ok","evidence":"well","command":null},"#,
            r#"{"check":"bridge","network":"n","status":"failure","evidence":"b0 is down","command":"ip link set dev b0 up"}],"#,
            r#""status":"failure"}"#,
            "\n"
        );
        assert_eq!(report.json(), wanted);
    }
}
