//! `brouter status`: a host's networks as they are, with what is out of order.
//!
//! What is seen (`view`) is compared with what is wanted (`wanted`, `check`) and shown as a picture (`picture`, `ports`), as JSON
//! (`json`) or as a graph (`dot`).

mod check;
mod dot;
mod json;
mod picture;
mod ports;
mod text;
mod view;
mod wanted;

use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::os::fd::AsFd;

use argh::FromArgs;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::output::{complaint, has_colours, say};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::kernel;
use crate::net::number;
use picture::Style;
use view::Host;

/// Show networks and bridges as they are, and what is out of order. Status 0 if nothing is, else 1.
#[derive(FromArgs)]
pub(super) struct Options {
    /// a network or a bridge; without it all bridges of this host
    #[argh(positional)]
    name: Option<String>,

    /// as JSON, on one line
    #[argh(switch)]
    json: bool,

    /// as a graph for Graphviz
    #[argh(switch)]
    dot: bool,

    /// again every 2 seconds, or every so many with --watch=SECONDS
    #[argh(option, arg_name = "seconds")]
    watch: Option<String>,
}

/// The words as argh can read them: its options have a value, always, behind a blank.
pub(super) fn words(words: &[OsString]) -> Vec<OsString> {
    let mut list = Vec::new();
    for word in words {
        match word.to_str().and_then(|word| word.strip_prefix("--watch")) {
            Some("") => list.extend(["--watch".into(), "2".into()]),
            Some(value) if value.starts_with('=') => list.extend(["--watch".into(), value[1..].into()]),
            _ => list.push(word.clone()),
        }
    }
    list
}

/// A failure of one's own.
fn refuse(text: Vec<u8>) -> Failure {
    complaint(text).with_status(1)
}

/// `brouter status`
pub(super) fn status(call: &mut Call, options: &Options) -> Outcome {
    if options.json && options.dot {
        return Err(complaint(line!("--json or --dot, not both")));
    }
    let is_terminal = stdout().is_terminal();
    let locales = [(call.environment)("LC_ALL"), (call.environment)("LC_CTYPE"), (call.environment)("LANG")];
    let style = Style::of(locales, has_colours(call));
    let text = |host: &Host| match (options.json, options.dot) {
        (true, _) => json::json(host),
        (_, true) => dot::dot(host),
        _ => picture::picture(host, style),
    };
    let Some(interval) = &options.watch else {
        let host = view::look(call, options.name.as_deref())?;
        say(call, &text(&host))?;
        return verdict(&host);
    };
    let is_time = interval.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let interval = number::time(interval.as_bytes()).filter(|time| is_time && (10..=8_640_000).contains(&time.0));
    let interval = interval.ok_or_else(|| complaint(line!("--watch: seconds are expected, 0.1 to 86400")))?;
    kernel::note_signals();
    let mut is_first = true;
    loop {
        let host = view::look(call, options.name.as_deref())?;
        let start = match is_terminal {
            // at the top left corner, and nothing of the one before is left
            true => "\x1b[H\x1b[J",
            // JSON has a line for each
            false if options.json || is_first => "",
            false => "\n",
        };
        say(call, &[start, &text(&host)].concat())?;
        is_first = false;
        if is_over(interval.0 * 10)? {
            return verdict(&host);
        }
    }
}

fn verdict(host: &Host) -> Outcome {
    match host.is_well() {
        true => Ok(()),
        false => Err(Failure::silent(1)),
    }
}

/// Waits so many milliseconds; or until a signal asks for the end, which it is then.
///
/// # Errors
/// The reader of standard output has left.
fn is_over(milliseconds: u64) -> Result<bool, Failure> {
    if kernel::signal().is_some() {
        return Ok(true);
    }
    let out = stdout();
    // nothing is waited for but what poll always tells: that nobody reads any more
    let mut ends = [PollFd::new(out.as_fd(), PollFlags::empty())];
    match poll(&mut ends, PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)) {
        Ok(0) => Ok(kernel::signal().is_some()),
        Err(Errno::EINTR) => Ok(kernel::signal().is_some()),
        _ => Err(Failure::silent(128 + 13)),
    }
}
