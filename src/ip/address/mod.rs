//! `ip address`: addresses of links.

pub mod change;
pub mod show;

use super::words::{Words, is_short_for};
use super::{Options, unknown_command};
use crate::applet::Call;
use crate::error::Outcome;

/// `ip address [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    match words.next() {
        None => show::show(call, options, words),
        Some(word) if is_short_for(word, "add") => change::add(call, options, words),
        Some(word) if is_short_for(word, "delete") => change::delete(call, options, words),
        Some(word) if ["show", "list", "lst"].iter().any(|keyword| is_short_for(word, keyword)) => {
            show::show(call, options, words)
        }
        Some(word) if is_short_for(word, "help") => Err(super::usage()),
        Some(word) => Err(unknown_command(word, "address")),
    }
}
