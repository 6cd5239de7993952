//! `ip address`: addresses of links.

pub mod change;
mod flush;
mod show;
mod wanted;

use super::words::Words;
use super::{Options, needs_netlink, swapped, unknown_command};
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome};

type Run = fn(&mut Call, Options, Words) -> Outcome;

/// In the order in which iproute2 tries them, with the first era that has them: a word means the first of which it is the
/// beginning.
const VERBS: [(&str, Era, Run); 13] = [
    ("add", Era::Of2006, change::add),
    ("change", Era::Today, change::replace),
    ("chg", Era::Today, change::replace),
    ("replace", Era::Today, change::replace),
    ("delete", Era::Of2006, change::delete),
    ("show", Era::Of2006, show::show),
    ("list", Era::Of2006, show::show),
    ("lst", Era::Of2006, show::show),
    ("flush", Era::Of2006, flush::flush),
    ("save", Era::Today, |_, _, _| Err(needs_netlink(b"save", "its format is netlink's own"))),
    ("showdump", Era::Today, |_, _, _| Err(needs_netlink(b"showdump", "its format is netlink's own"))),
    ("restore", Era::Today, |_, _, _| Err(needs_netlink(b"restore", "its format is netlink's own"))),
    ("help", Era::Of2006, |_, _, _| Err(super::usage())),
];

/// `ip address [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    let Some(word) = words.next() else { return show::show(call, options, words) };
    match VERBS.iter().find(|(verb, since, _)| options.era.knows(*since) && options.means(word, verb)) {
        Some((.., run)) => run(call, options, words),
        None => Err(unknown_command(word, "address")),
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
            .ok_or_else(|| swapped(word, "invalid scope value.")),
    }
}
