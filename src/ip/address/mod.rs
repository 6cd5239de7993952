//! `ip address`: addresses of links.

pub mod change;
mod flush;
mod show;
mod wanted;

use super::words::{Words, is_short_for};
use super::{Options, needs_netlink, unknown_command, wrong};
use crate::applet::Call;
use crate::error::{Failure, Outcome};

/// `ip address [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    match words.next() {
        None => show::show(call, options, words),
        Some(word) if is_short_for(word, "add") => change::add(call, options, words),
        Some(word) if is_short_for(word, "change") || word == b"chg" => change::replace(call, options, words),
        Some(word) if is_short_for(word, "replace") => change::replace(call, options, words),
        Some(word) if is_short_for(word, "delete") => change::delete(call, options, words),
        Some(word) if ["show", "list", "lst"].iter().any(|keyword| is_short_for(word, keyword)) => {
            show::show(call, options, words)
        }
        Some(word) if is_short_for(word, "flush") => flush::flush(call, options, words),
        Some(word) if ["save", "showdump", "restore"].iter().any(|keyword| is_short_for(word, keyword)) => {
            Err(needs_netlink(word, "its format is netlink's own"))
        }
        Some(word) if is_short_for(word, "help") => Err(super::usage()),
        Some(word) => Err(unknown_command(word, "address")),
    }
}

/// Scopes by name or number (/etc/iproute2/rt_scopes as Debian ships it), in the numbers of rtnetlink.
pub(in crate::ip) fn scope_number(word: &[u8]) -> Result<u8, Failure> {
    match word {
        b"global" => Ok(0),
        b"nowhere" => Ok(255),
        b"host" => Ok(254),
        b"link" => Ok(253),
        b"site" => Ok(200),
        _ => str::from_utf8(word)
            .ok()
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| wrong(word, "invalid scope value.")),
    }
}
