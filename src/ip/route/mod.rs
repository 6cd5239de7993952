//! `ip route`: where packets go.
//!
//! A listing is made of the entries of a [`table`] with what can be [inferred](infer), chosen by a [`filter`] and written by
//! [`text`]. A change is parsed by [`args`] and made by [`change`] or [`delete`]. A [`snapshot`] reads each fact once. Ioctls know
//! the table `main` alone, and of a route its network, router, link, metric and what it tells TCP: whatever else is asked for is
//! refused before anything is changed.

mod args;
mod change;
mod delete;
mod entry;
mod filter;
mod filter_args;
mod flush;
mod get;
mod infer;
mod local;
pub(in crate::ip) mod names;
mod reach;
mod refusal;
mod removal;
mod show;
mod snapshot;
mod source;
mod table;
mod text;

use super::dispatch::{Verb, dispatch, verb};
use super::keyword::today;
use super::usage;
use super::words::Words;
use crate::call::Call;
use crate::error::Outcome;
use crate::texts::iproute2::needs_netlink;
use change::Action;
pub(super) use show::show_main_table;

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("list", show::show),
    verb("show", show::show),
    verb("lst", show::show),
    verb("add", |call, words| change::change(call, words, Action::Add)),
    verb("change", |call, words| change::change(call, words, Action::Change)),
    verb("chg", |call, words| change::change(call, words, Action::Change)),
    verb("replace", |call, words| change::change(call, words, Action::Replace)),
    verb("prepend", |call, words| change::change(call, words, Action::Prepend)),
    verb("append", |call, words| change::change(call, words, Action::Append)),
    verb("test", |call, words| change::change(call, words, Action::Test)),
    verb("delete", delete::delete),
    verb("get", get::get),
    verb("flush", flush::flush),
    today(verb("save", |_, _| Err(needs_netlink("save", "its format is netlink's own")))),
    today(verb("restore", |_, _| Err(needs_netlink("restore", "its format is netlink's own")))),
    today(verb("showdump", |_, _| Err(needs_netlink("showdump", "its format is netlink's own")))),
    verb("help", |_, _| Err(usage::route())),
];

/// `ip route [VERB ...]`
pub(super) fn run(call: &mut Call, words: Words) -> Outcome {
    dispatch(call, words, "route", VERBS, show::show)
}
