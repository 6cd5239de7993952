//! How brouter's own commands talk to a person.

use std::ffi::OsString;
use std::io::IsTerminal;

use crate::call::Call;
use crate::error::{Failure, Outcome, io_text, line};

/// Returns the failure of a wrong call: status 2.
pub(super) fn complaint(text: Vec<u8>) -> Failure {
    Failure::new([b"brouter: ".to_vec(), text].concat()).with_status(2)
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
