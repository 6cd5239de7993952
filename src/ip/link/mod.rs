//! `ip link`: links without their addresses.

pub mod set;
pub mod show;

use super::words::{Words, is_short_for};
use super::{Options, needs_netlink, unknown_command};
use crate::applet::Call;
use crate::error::Outcome;

/// `ip link [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    match words.next() {
        None => show::show(call, options, words),
        Some(word) if is_short_for(word, "set") || is_short_for(word, "change") => set::set(call, words),
        Some(word) if ["show", "lst", "list"].iter().any(|keyword| is_short_for(word, keyword)) => {
            show::show(call, options, words)
        }
        Some(word) if ["add", "replace", "delete"].iter().any(|keyword| is_short_for(word, keyword)) => {
            Err(needs_netlink(&[b"ip link ", word].concat(), "for bridges use brctl"))
        }
        Some(word) if is_short_for(word, "help") => Err(super::usage()),
        Some(word) => Err(unknown_command(word, "link")),
    }
}
