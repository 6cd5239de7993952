//! `ip route`: the main table.

pub mod show;

use super::words::{Words, is_short_for};
use super::{Options, needs_netlink, unknown_command};
use crate::applet::Call;
use crate::error::Outcome;

/// `ip route [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    match words.next() {
        None => show::show(call, options, words),
        Some(word) if ["list", "show", "lst"].iter().any(|keyword| is_short_for(word, keyword)) => {
            show::show(call, options, words)
        }
        Some(word) if is_short_for(word, "help") => Err(super::usage()),
        Some(word)
            if ["add", "change", "replace", "append", "delete", "get", "flush"]
                .iter()
                .any(|keyword| is_short_for(word, keyword)) =>
        {
            Err(needs_netlink(&[b"ip route ", word].concat(), "use route(8)"))
        }
        Some(word) => Err(unknown_command(word, "route")),
    }
}
