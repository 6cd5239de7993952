//! `ip route`: which way packets go.
//!
//! [`VERBS`] gives dispatch. A listing is made of the entries of a
//! [`table`], with what can be [inferred](infer), chosen by a [`filter`] and written by [`text`]; a change is read by [`wanted`]
//! and made by [`change`] or [`delete`]. Ioctls know the table `main` alone, and of a route its network,
//! router, link, metric and what it tells TCP: whatever else is asked for is refused before anything is changed.

mod change;
mod delete;
mod entry;
mod filter;
mod flush;
mod get;
mod infer;
mod names;
mod reach;
mod removal;
pub mod show;
mod table;
mod text;
mod wanted;

use super::words::Words;
use super::{Options, needs_netlink, unknown_command};
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome};
use change::Verb;

type Run = fn(&mut Call, Options, Words) -> Outcome;

/// In the order in which iproute2 tries them, with the first era that has them: a word means the first of which it is the beginning.
const VERBS: [(&str, Era, Run); 17] = [
    ("list", Era::Of2006, show::show),
    ("show", Era::Of2006, show::show),
    ("lst", Era::Of2006, show::show),
    ("add", Era::Of2006, |call, options, words| change::change(call, options, words, Verb::Add)),
    ("change", Era::Of2006, |call, options, words| change::change(call, options, words, Verb::Change)),
    ("chg", Era::Of2006, |call, options, words| change::change(call, options, words, Verb::Change)),
    ("replace", Era::Of2006, |call, options, words| change::change(call, options, words, Verb::Replace)),
    ("prepend", Era::Of2006, |call, options, words| change::change(call, options, words, Verb::Prepend)),
    ("append", Era::Of2006, |call, options, words| change::change(call, options, words, Verb::Append)),
    ("test", Era::Of2006, |call, options, words| change::change(call, options, words, Verb::Test)),
    ("delete", Era::Of2006, delete::delete),
    ("get", Era::Of2006, get::get),
    ("flush", Era::Of2006, flush::flush),
    ("save", Era::Today, |_, _, _| Err(needs_netlink(b"save", "its format is netlink's own"))),
    ("restore", Era::Today, |_, _, _| Err(needs_netlink(b"restore", "its format is netlink's own"))),
    ("showdump", Era::Today, |_, _, _| Err(needs_netlink(b"showdump", "its format is netlink's own"))),
    ("help", Era::Of2006, |_, _, _| Err(usage())),
];

/// `ip route [VERB ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    let Some(word) = words.next() else { return show::show(call, options, words) };
    match VERBS.iter().find(|(verb, since, _)| options.era.knows(*since) && options.means(word, verb)) {
        Some((.., run)) => run(call, options, words),
        None => Err(unknown_command(word, "route")),
    }
}

/// How the command is used: what there is of it here. On standard error and with status 255, as iproute2 does it.
fn usage() -> Failure {
    Failure::new(
        b"\
Usage: ip route { list | flush } SELECTOR
       ip route get [ to ] ADDRESS [ from ADDRESS ] [ oif STRING ] [ fibmatch ]
       ip route { add | del | change | append | prepend | replace } ROUTE
SELECTOR := [ root PREFIX ] [ match PREFIX ] [ exact PREFIX ] [ table TABLE_ID ]
            [ dev STRING ] [ via PREFIX ] [ src PREFIX ] [ proto RTPROTO ]
            [ type TYPE ] [ scope SCOPE ] [ metric METRIC ] [ tos TOS ]
ROUTE := [ unicast | unreachable ] PREFIX [ via ADDRESS ] [ dev STRING ]
         [ metric METRIC ] [ src ADDRESS ] [ onlink ]
         [ window NUMBER ] [ advmss NUMBER ] [ rtt TIME ]
         [ pref { low | medium | high } ] [ expires SECONDS ]
"
        .to_vec(),
    )
    .with_status(255)
}
