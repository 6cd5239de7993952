//! `brouter status`: a host's networks as they are, with what is out of order.
//!
//! A snapshot of the host is compared with the networks that it knows (`check`, `model`, `finding`), and shown as a picture
//! (`picture`, `ports`, `routed`, drawn by `tree`), as JSON (`json`), as a graph (`dot`) or as metrics (`prometheus`).

pub(super) mod check;
mod dot;
pub(super) mod finding;
mod json;
mod list;
pub(super) mod model;
mod picture;
mod ports;
mod prometheus;
mod routed;
mod style;
mod text;
mod tree;

use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::os::fd::AsFd;

use argh::FromArgs;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub(super) use list::list;

use super::output::{complaint, has_colours, say, width};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::kernel;
use crate::net::{ClockTime, number};
use model::HostStatus;
use style::Style;

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

    /// as metrics for Prometheus. Status 0 if they could be written
    #[argh(switch)]
    prometheus: bool,

    /// again every 2 seconds, or every so many with --watch=SECONDS
    #[argh(option, arg_name = "seconds")]
    watch: Option<String>,
}

/// Returns the words as argh can read them: its options always have a value, which is a word of its own.
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

/// `brouter status`
pub(super) fn status(call: &mut Call, options: &Options) -> Outcome {
    if [options.json, options.dot, options.prometheus].into_iter().filter(|is_set| *is_set).count() > 1 {
        return Err(complaint(line!("--json, --dot or --prometheus, only one of them")));
    }
    if options.prometheus && options.watch.is_some() {
        return Err(complaint(line!("--prometheus or --watch, not both")));
    }
    let locales = [(call.environment)("LC_ALL"), (call.environment)("LC_CTYPE"), (call.environment)("LANG")];
    let style = Style::of(locales, has_colours(call), width());
    match &options.watch {
        Some(interval) => watch(call, options, style, self::interval(interval)?),
        None => {
            let host = look(call, options)?;
            say(call, &show(options, style, &host))?;
            // the collector's `> file.new && mv file.new file` is to succeed with faults, too
            if options.prometheus { Ok(()) } else { verdict(&host) }
        }
    }
}

/// Reads the host. Guests that are connected by routes belong to no network.
fn look<'k>(call: &Call<'k>, options: &Options) -> Result<HostStatus<'k>, Failure> {
    let mut host = check::check(call, options.name.as_deref(), true)?;
    if options.name.is_none() {
        host.routed = routed::guests(&host.snapshot);
    }
    Ok(host)
}

fn show(options: &Options, style: Style, host: &HostStatus) -> String {
    match options {
        Options { json: true, .. } => json::json(host),
        Options { dot: true, .. } => dot::dot(host),
        Options { prometheus: true, .. } => prometheus::prometheus(host),
        _ => picture::picture(host, style),
    }
}

fn verdict(host: &HostStatus) -> Outcome {
    match host.is_well() {
        true => Ok(()),
        false => Err(Failure::silent(1)),
    }
}

fn interval(seconds: &str) -> Result<ClockTime, Failure> {
    let is_time = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let interval = number::time(seconds.as_bytes()).filter(|time| is_time && (10..=8_640_000).contains(&time.0));
    interval.ok_or_else(|| complaint(line!("--watch: seconds are expected, 0.1 to 86400")))
}

/// Shows the host again and again, until a signal arrives.
fn watch(call: &mut Call, options: &Options, style: Style, interval: ClockTime) -> Outcome {
    kernel::note_signals();
    let mut is_first = true;
    loop {
        let host = look(call, options)?;
        let start = match stdout().is_terminal() {
            // from the top left corner, on an empty screen
            true => "\x1b[H\x1b[J",
            // each JSON has a line of its own
            false if options.json || is_first => "",
            false => "\n",
        };
        say(call, &[start, &show(options, style, &host)].concat())?;
        is_first = false;
        if is_over(interval)? {
            return verdict(&host);
        }
    }
}

/// Sleeps; returns true if a termination signal arrived.
///
/// # Errors
/// The reader of standard output has closed it: silent, with the status of SIGPIPE.
fn is_over(interval: ClockTime) -> Result<bool, Failure> {
    if kernel::signal().is_some() {
        return Ok(true);
    }
    let out = stdout();
    // without events, poll reports only that nobody reads any more
    let mut ends = [PollFd::new(out.as_fd(), PollFlags::empty())];
    match poll(&mut ends, PollTimeout::try_from(interval.0 * 10).unwrap_or(PollTimeout::MAX)) {
        Ok(0) | Err(Errno::EINTR) => Ok(kernel::signal().is_some()),
        _ => Err(Failure::silent(128 + 13)),
    }
}
