//! The case tables, `tests/cases/*.cases`: plain text, read line by line.
//!
//! ```text
//! # Lines that begin with # are comments.
//! needs brctl setpriv              (programs that every row of this file needs)
//! modes sys nosys user             (the modes of every row that names none)
//!
//! state bridge                     (prepares a host: shell, with the original tools and what host.sh has for states)
//!     brctl addbr b0
//!
//! state ports: bridge              (the same after `bridge`)
//!     brctl addif b0 v1
//!
//! given bridge                     (the rows below run on this state)
//! brctl setfd b0 5
//! [sys] brctl show >/dev/full
//!
//! [deviation=long-name] brctl addbr abcdefghijklmnop
//!     status 1
//!     stderr add bridge failed: name "abcdefghijklmnop" is longer than 15 bytes
//!
//! era 2006                         (ours run with BROUTER_ERA=2006 in this file, and its rows say what is right)
//! ```
//!
//! A row is a command line for bash. It is run on the original tools and on ours, and everything must be the same. (The tools
//! of another era are not to be had: below `era`, each row says what they did, as a deviation does.) The marks
//! before it, in brackets, also possible after the name in a `given` line:
//! - modes (see [`Mode`]): run it in these only;
//! - `timers`: the running timers in its output differ from run to run and are left out;
//! - `needs=PROGRAM` or `needs=/dev/DEVICE`: without it the row is skipped; `needs=xen`: Xen's scripts and a xenstored;
//!   `needs=scripts`: Debian's packages of other scripts;
//! - `deviation=NAME`: ours differs on purpose, and the indented lines below the row say what it does. `compat/original/DEVIATIONS.md`
//!   says why.
//!
//! What a deviation does: `status N` (else 0), `stdout TEXT` and `stderr TEXT`, a line each (else nothing), `stderr-like PATTERN`,
//! a line where `*` stands for any text, and `kernel COMMAND`: the kernel is left as that command of the originals leaves it
//! (else: unchanged). In a text `\t` is a tab, `\\` a backslash, `\xff` a byte, and `·` at its end a blank.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::path::Path;

/// What a command finds besides the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Root, with /sys.
    Sys,
    /// Root, with nothing at /sys.
    NoSys,
    /// An ordinary user, with /sys.
    User,
    /// Root, with the /sys of another network namespace: compared with the original that has no /sys.
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

/// All tables of commands.
pub(crate) const TABLES: [&str; 8] =
    ["brctl", "callers", "ip", "ip-link", "ip-route", "ip-tuntap", "network-virtual", "era-2006"];

/// A row.
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
    /// BROUTER_ERA of ours.
    pub(crate) era: Option<String>,
    pub(crate) wanted: Wanted,
}

/// What is right.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// What the original does.
    Original,
    /// What the row says.
    Written { deviation: Option<String>, status: i32, stdout: String, stderr: Text, kernel: String },
}

impl Wanted {
    /// The name of the deviation, if it is one.
    pub(crate) fn deviation(&self) -> Option<&str> {
        match self {
            Self::Original => None,
            Self::Written { deviation, .. } => deviation.as_deref(),
        }
    }
}

/// Lines to be written, some of them patterns.
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
            && self.0.iter().zip(lines).all(|(wanted, line)| match line.strip_suffix('\n') {
                Some(line) if wanted.is_pattern => like(&wanted.text, line),
                Some(line) => wanted.text == line,
                None => false,
            })
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{}", line.text))
    }
}

/// A line whose trailing blanks are written as dots.
fn with_blanks(line: &str) -> String {
    let text = line.trim_end_matches('·');
    text.to_owned() + &" ".repeat((line.len() - text.len()) / '·'.len_utf8())
}

/// Whether the text is the pattern, `*` in it standing for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, pattern)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(pattern, &text[at..]))
        }),
    }
}

impl Case {
    /// The words that say which command it is: `brctl setfd`, `ip link set`.
    pub(crate) fn verb(&self) -> String {
        let words: Vec<&str> = self.command.split(' ').take(3).collect();
        if words[0] == "ip" { words.join(" ") } else { words[..words.len().min(2)].join(" ") }
    }
}

/// Reads a table. A mistake in it ends the test program: it must not pass for a test that has passed.
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

/// What an indented line belongs to.
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
    /// These and more: modes replace those before.
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
                    return Err(String::from("a second state of this name"));
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
            return Err(String::from("no mode to run it in"));
        }
        for mode in &marks.modes {
            if !self.known.insert(format!("{mode:?} {state_name} {command}")) {
                return Err(String::from("a second row of this kind"));
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
            wanted: match (marks.deviation, &marks.era) {
                (None, None) => Wanted::Original,
                (deviation, _) => Wanted::Written {
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
            Below::Nothing => Err(String::from("an indented line belongs to a state or to a row")),
            Below::State(name) => {
                let script = self.states.get_mut(name).ok_or("no state above")?;
                script.push_str(line);
                script.push('\n');
                Ok(())
            }
            Below::Case => match self.cases.last_mut().map(|case| &mut case.wanted) {
                Some(Wanted::Written { status, stdout, stderr, kernel, .. }) => {
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
                _ => Err(String::from("only a deviation, and a row of another era, says what it does")),
            },
        }
    }
}
