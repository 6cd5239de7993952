//! How brouter's own commands talk to a person.

use std::ffi::OsString;
use std::io::IsTerminal;

use crate::call::Call;
use crate::error::{Failure, Outcome, io_text, line};
use crate::kernel;
use crate::terminal;

/// Returns the failure of a wrong call: status 2. What was typed is shown as a terminal may be sent it.
pub(super) fn complaint(text: Vec<u8>) -> Failure {
    let text = terminal::lines(&String::from_utf8_lossy(&text));
    Failure::new([b"brouter: ", text.as_bytes()].concat()).with_status(2)
}

/// Prints a text. Unlike the applets, brouter reports when it cannot.
pub(super) fn say(call: &mut Call, text: &str) -> Outcome {
    let written = call.out.write_all(text.as_bytes()).and_then(|()| call.out.flush());
    written.map_err(|error| Failure::new(line!("brouter: cannot write: ", io_text(&error))))
}

/// Returns whether standard output is a terminal that has colours, and they are not declined (no-color.org).
pub(super) fn has_colours(call: &Call) -> bool {
    let is_set = |value: &OsString| !value.is_empty();
    std::io::stdout().is_terminal()
        && !(call.environment)("NO_COLOR").is_some_and(|value| is_set(&value))
        && (call.environment)("TERM").is_some_and(|value| is_set(&value) && value != "dumb")
}

/// Columns of a picture or a report: at most 80, as many as a narrow terminal has, and so many that words fit.
pub(super) fn width() -> usize {
    kernel::terminal_columns().map_or(80, usize::from).clamp(40, 80)
}

/// Columns of the terminal, as [`width`]; `None` where standard output is none.
pub(super) fn terminal_width() -> Option<usize> {
    std::io::stdout().is_terminal().then(width)
}
