//! `ip address`: addresses of links.

mod args;
mod change;
mod delete;
mod flush;
mod show;

use super::dispatch::{Verb, dispatch, verb};
use super::keyword::today;
use super::usage;
use super::words::Words;
use crate::call::Call;
use crate::error::Outcome;
use crate::texts::iproute2::needs_netlink;

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("add", change::add),
    today(verb("change", change::replace)),
    today(verb("chg", change::replace)),
    today(verb("replace", change::replace)),
    verb("delete", delete::delete),
    verb("show", show::show),
    verb("list", show::show),
    verb("lst", show::show),
    verb("flush", flush::flush),
    today(verb("save", |_, _| Err(needs_netlink("save", "its format is netlink's own")))),
    today(verb("showdump", |_, _| Err(needs_netlink("showdump", "its format is netlink's own")))),
    today(verb("restore", |_, _| Err(needs_netlink("restore", "its format is netlink's own")))),
    verb("help", |_, _| Err(usage::ip())),
];

/// `ip address [COMMAND ...]`
pub(super) fn run(call: &mut Call, words: Words) -> Outcome {
    dispatch(call, words, "address", VERBS, show::show)
}

/// `ip address add` or `ip address delete`, for [`super::script`].
pub(super) fn change_for_script(call: &mut Call, add: bool, words: Words) -> Outcome {
    if add { change::add(call, words) } else { delete::delete(call, words) }
}
