//! `ip link`: links without their addresses.
//!
//! [`args`] parses the words after `add`, `set` and `delete`, [`kind`] and [`values`] those after `type`. What netlink applies in
//! one request is [checked](check) as a whole, then [applied](apply) step by step, in the order of the kernel.

mod add;
mod apply;
mod args;
mod bridge;
mod bridge_slave;
mod by_ioctl;
mod check;
mod delete;
mod group;
mod kind;
mod refusal;
mod set;
mod show;
mod values;

use super::dispatch::{Verb, dispatch, verb};
use super::fields::print;
use super::keyword::{of_2006, today};
use super::usage;
use super::words::Words;
use crate::call::Call;
use crate::error::Outcome;
use crate::texts::iproute2::needs_netlink;

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    today(verb("add", |call, words| add::add(call, words, false))),
    today(verb("set", set::set)),
    of_2006(verb("set", by_ioctl::set)),
    today(verb("change", set::set)),
    today(verb("replace", |call, words| add::add(call, words, true))),
    today(verb("delete", delete::delete)),
    verb("show", show::show),
    verb("lst", show::show),
    verb("list", show::show),
    today(verb("xstats", |_, _| Err(needs_netlink("xstats", "see `ip -s link`")))),
    today(verb("afstats", |_, _| Err(needs_netlink("afstats", "see `ip -s link`")))),
    today(verb("property", |_, _| Err(needs_netlink("an alternative name", "no ioctl gives one")))),
    today(verb("help", help)),
    of_2006(verb("help", |_, _| Err(usage::ip()))),
];

/// `ip link [COMMAND ...]`
pub(super) fn run(call: &mut Call, words: Words) -> Outcome {
    dispatch(call, words, "link", VERBS, show::show)
}

/// `ip link help [KIND]`
fn help(call: &mut Call, mut words: Words) -> Outcome {
    match words.next() {
        Some(b"bridge") => print(call.out, bridge::TABLE.usage),
        Some(b"bridge_slave") => print(call.out, bridge_slave::TABLE.usage),
        _ => return Err(usage::ip()),
    }
    Ok(())
}
