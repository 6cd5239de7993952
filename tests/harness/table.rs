//! Parses the case tables, `tests/cases/*.cases`: plain text, one line at a time.
//!
//! ```text
//! # Lines that begin with # are comments.
//! needs brctl setpriv              (programs that every row of this file needs)
//! modes sys nosys user             (the modes of rows that do not name any)
//!
//! state bridge                     (sets up a host: shell, with the original tools and the functions of host.sh)
//!     brctl addbr b0
//!
//! state ports: bridge              (runs after the lines of `bridge`)
//!     brctl addif b0 v1
//!
//! given bridge                     (the rows below run in this state)
//! brctl setfd b0 5
//! [sys] brctl show >/dev/full
//!
//! [deviation=long-name] brctl addbr abcdefghijklmnop
//!     status 1
//!     stderr add bridge failed: name "abcdefghijklmnop" is longer than 15 bytes
//!
//! era 2006                         (ours run with BROUTER_ERA=2006, and the rows below state the expected outcome)
//! ```
//!
//! A row is a command line for bash. It runs with the original tools and with ours, and the outcomes must be identical. (The tools
//! of 2006 are no longer available: below `era`, each row states their outcome, as a deviation does.) Marks in brackets precede
//! the command, or follow the name in a `given` line:
//! - modes (see [`Mode`]): the row runs only in these;
//! - `timers`: the output contains running timers, which are removed before the comparison;
//! - `needs=PROGRAM` or `needs=/dev/DEVICE`: the row is skipped if this is missing; `needs=xen`: Xen's scripts and a xenstored;
//!   `needs=scripts`: Debian's packages of other scripts; `needs=iproute2-6.1`: the originals of later Debians behave in another way;
//! - `deviation=NAME`: ours differs on purpose, and the indented lines below the row state its outcome.
//!   `compat/original/DEVIATIONS.md` gives the reason.
//!
//! The lines of a deviation: `status N` (default 0); `stdout TEXT` and `stderr TEXT` for each line of output (default none);
//! `stderr-like PATTERN` for a line in which `*` matches any text; `kernel COMMAND`: the kernel state must be the one that this
//! command of the originals leaves (default: unchanged). In a text, `\t` is a tab, `\\` a backslash, `\xff` a byte, and a trailing
//! `·` a blank.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::path::Path;

/// The privilege and the /sys with which a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Root, with /sys.
    Sys,
    /// Root, with nothing at /sys.
    NoSys,
    /// An ordinary user, with /sys.
    User,
    /// Root, with the /sys of another network namespace; compared with the original without /sys.
    Foreign,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Sys, Self::NoSys, Self::User, Self::Foreign];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sys => "sys",
            Self::NoSys => "nosys",
            Self::User => "user",
            Self::Foreign => "foreign",
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Sys => "as root",
            Self::NoSys => "as root without /sys",
            Self::User => "as an ordinary user",
            Self::Foreign => "as root with the /sys of another network namespace",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// The tables of brctl, ip and network-virtual.
pub(crate) const TABLES: [&str; 11] = [
    "brctl",
    "callers",
    "ip",
    "ip-bridge",
    "ip-link",
    "ip-maddr",
    "ip-route",
    "ip-tunnel",
    "ip-tuntap",
    "network-virtual",
    "era-2006",
];

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) state_name: String,
    pub(crate) state: String,
    pub(crate) command: String,
    pub(crate) modes: Vec<Mode>,
    pub(crate) needs: Vec<String>,
    pub(crate) timers: bool,
    /// BROUTER_ERA for our programs.
    pub(crate) era: Option<String>,
    pub(crate) expected: Expected,
}

/// The expected outcome.
#[derive(Debug)]
pub(crate) enum Expected {
    /// That of the original.
    Original,
    /// As stated below the row.
    Written { deviation: Option<String>, status: i32, stdout: String, stderr: Text, kernel: String },
}

impl Expected {
    /// Returns the name of the deviation, if the row is one.
    pub(crate) fn deviation(&self) -> Option<&str> {
        match self {
            Self::Original => None,
            Self::Written { deviation, .. } => deviation.as_deref(),
        }
    }
}

/// Expected lines, some of them patterns.
#[derive(Debug, Default)]
pub(crate) struct Text(Vec<Line>);

#[derive(Debug)]
struct Line {
    text: String,
    is_pattern: bool,
}

impl Text {
    pub(crate) fn fits(&self, text: &str) -> bool {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        lines.len() == self.0.len()
            && self.0.iter().zip(lines).all(|(expected, line)| match line.strip_suffix('\n') {
                Some(line) if expected.is_pattern => like(&expected.text, line),
                Some(line) => expected.text == line,
                None => false,
            })
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{}", line.text))
    }
}

/// Replaces trailing dots of a line with blanks.
fn with_blanks(line: &str) -> String {
    let text = line.trim_end_matches('·');
    text.to_owned() + &" ".repeat((line.len() - text.len()) / '·'.len_utf8())
}

/// Returns whether the text matches the pattern, in which `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, pattern)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(pattern, &text[at..]))
        }),
    }
}

impl Case {
    /// Returns the words that name the command: `brctl setfd`, `ip link set`.
    pub(crate) fn verb(&self) -> String {
        let words: Vec<&str> = self.command.split(' ').take(3).collect();
        if words[0] == "ip" { words.join(" ") } else { words[..words.len().min(2)].join(" ") }
    }
}

/// Parses a table. Panics at a syntax error, which must not look like a passing test.
pub(crate) fn read(name: &str) -> Vec<Case> {
    let file = format!("tests/cases/{name}.cases");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file))
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut reader = Reader::new(&file);
    for (at, line) in text.lines().enumerate() {
        if let Err(mistake) = reader.take(at + 1, line.trim_end()) {
            panic!("{file}:{}: {mistake}: {line}", at + 1);
        }
    }
    reader.cases
}

struct Reader<'a> {
    file: &'a str,
    defaults: Marks,
    states: HashMap<String, String>,
    given: Option<(String, Marks)>,
    below: Below,
    cases: Vec<Case>,
    known: HashSet<String>,
}

/// The owner of an indented line.
enum Below {
    Nothing,
    State(String),
    Case,
}

#[derive(Clone, Default)]
struct Marks {
    modes: Vec<Mode>,
    needs: Vec<String>,
    timers: bool,
    deviation: Option<String>,
    era: Option<String>,
}

impl Marks {
    /// Returns these marks with more added; modes replace the earlier modes.
    fn with(&self, words: &str) -> Result<Self, String> {
        let mut marks = self.clone();
        let modes: Vec<Mode> = words.split_whitespace().filter_map(Mode::named).collect();
        if !modes.is_empty() {
            marks.modes = modes;
        }
        for word in words.split_whitespace().filter(|word| Mode::named(word).is_none()) {
            match word.split_once('=') {
                None if word == "timers" => marks.timers = true,
                Some(("needs", program)) => marks.needs.push(program.to_owned()),
                Some(("deviation", name)) => marks.deviation = Some(name.to_owned()),
                _ => return Err(format!("no such mark: {word}")),
            }
        }
        Ok(marks)
    }
}

impl<'a> Reader<'a> {
    fn new(file: &'a str) -> Self {
        Self {
            file,
            defaults: Marks::default(),
            states: HashMap::new(),
            given: None,
            below: Below::Nothing,
            cases: Vec::new(),
            known: HashSet::new(),
        }
    }

    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(line) = line.strip_prefix("    ") {
            return self.take_indented(line);
        }
        self.below = Below::Nothing;
        match line.split_once(' ') {
            Some(("needs", programs)) => self.defaults.needs.extend(programs.split(' ').map(str::to_owned)),
            Some(("modes", modes)) => self.defaults = self.defaults.with(modes)?,
            Some(("era", era)) => self.defaults.era = Some(era.to_owned()),
            Some(("state", state)) => {
                let (name, base) = state.split_once(": ").unwrap_or((state, ""));
                let script = if base.is_empty() { String::new() } else { self.state(base)?.to_owned() };
                if self.states.insert(name.to_owned(), script).is_some() {
                    return Err(String::from("duplicate state"));
                }
                self.below = Below::State(name.to_owned());
            }
            Some(("given", given)) => {
                let (name, marks) = match given.split_once(" [") {
                    Some((name, marks)) => (name, marks.strip_suffix(']').ok_or("no ] at the end")?),
                    None => (given, ""),
                };
                self.state(name)?;
                self.given = Some((name.to_owned(), self.defaults.with(marks)?));
            }
            _ => self.take_row(number, line)?,
        }
        Ok(())
    }

    fn state(&self, name: &str) -> Result<&str, String> {
        self.states.get(name).map(String::as_str).ok_or_else(|| format!("no state {name}"))
    }

    fn take_row(&mut self, number: usize, line: &str) -> Result<(), String> {
        let (state_name, marks) = self.given.clone().ok_or("no `given` above")?;
        let (marks, command) = match line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
            Some((words, command)) => (marks.with(words)?, command),
            None => (marks, line),
        };
        if marks.modes.is_empty() {
            return Err(String::from("no mode"));
        }
        for mode in &marks.modes {
            if !self.known.insert(format!("{mode:?} {state_name} {command}")) {
                return Err(String::from("duplicate row"));
            }
        }
        self.cases.push(Case {
            file: self.file.to_owned(),
            line: number,
            state: self.state(&state_name)?.to_owned(),
            state_name,
            command: command.to_owned(),
            modes: marks.modes,
            needs: marks.needs,
            timers: marks.timers,
            era: marks.era.clone(),
            expected: match (marks.deviation, &marks.era) {
                (None, None) => Expected::Original,
                (deviation, _) => Expected::Written {
                    deviation,
                    status: 0,
                    stdout: String::new(),
                    stderr: Text::default(),
                    kernel: String::from(":"),
                },
            },
        });
        self.below = Below::Case;
        Ok(())
    }

    fn take_indented(&mut self, line: &str) -> Result<(), String> {
        match &self.below {
            Below::Nothing => Err(String::from("an indented line must follow a state or a row")),
            Below::State(name) => {
                let script = self.states.get_mut(name).ok_or("no state above")?;
                script.push_str(line);
                script.push('\n');
                Ok(())
            }
            Below::Case => match self.cases.last_mut().map(|case| &mut case.expected) {
                Some(Expected::Written { status, stdout, stderr, kernel, .. }) => {
                    match line.split_once(' ').unwrap_or((line, "")) {
                        ("status", number) => *status = number.parse().map_err(|_| "not a number")?,
                        ("stdout", text) => *stdout += &format!("{}\n", with_blanks(text)),
                        (name @ ("stderr" | "stderr-like"), text) => {
                            stderr.0.push(Line { text: text.to_owned(), is_pattern: name == "stderr-like" });
                        }
                        ("kernel", command) => *kernel = command.to_owned(),
                        _ => return Err(String::from("neither status, stdout, stderr, stderr-like nor kernel")),
                    }
                    Ok(())
                }
                _ => Err(String::from("only a deviation, or a row below `era`, states its outcome")),
            },
        }
    }
}
