//! The words after `ip address show`, `ip address flush` and `ip link show`, which have one grammar.

use super::filter::Filter;
use crate::era::Era;
use crate::error::{Failure, Outcome};
use crate::ip::complaint::garbage;
use crate::ip::deferred::Deferred;
use crate::ip::device::{find_master, find_vrf};
use crate::ip::keyword::{Keyword, exact, of_2006, today};
use crate::ip::number;
use crate::ip::usage;
use crate::ip::words::{Words, put, set};
use crate::kernel::Kernel;

/// What the host is asked for.
enum Lookup<'a> {
    Master(&'a [u8]),
    Vrf(&'a [u8]),
    NoMaster,
}

/// The filter while the words are being parsed.
struct Parser<'a, 'p> {
    filter: &'p mut Filter<'a>,
    lookups: &'p mut Vec<Lookup<'a>>,
}

/// Reads the operands of a keyword.
type Read = for<'a> fn(&mut Parser<'a, '_>, &mut Words<'a>) -> Outcome;

/// What is neither a keyword nor a flag of addresses is the link.
const KEYWORDS: &[Keyword<Read>] = &[
    exact("to", set_prefix),
    exact("scope", set_scope),
    exact("up", |parser, _| set(&mut parser.filter.up, Ok(true))),
    exact("label", |parser, words| put(&mut parser.filter.label, words.operand())),
    today(exact("group", |parser, words| {
        put(&mut parser.filter.group, words.parse(number::group, "Invalid \"group\" value\n"))
    })),
    today(exact("master", |parser, words| look_up(parser, Lookup::Master(words.operand()?)))),
    today(exact("vrf", |parser, words| look_up(parser, Lookup::Vrf(words.operand()?)))),
    today(exact("nomaster", |parser, _| look_up(parser, Lookup::NoMaster))),
    today(exact("type", |parser, words| put(&mut parser.filter.kind, words.operand()))),
    today(exact("dev", name_device)),
    of_2006(exact("dev", set_device)),
];

fn look_up<'a>(parser: &mut Parser<'a, '_>, lookup: Lookup<'a>) -> Outcome {
    parser.lookups.push(lookup);
    Ok(())
}

fn set_device<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    if words.is_next_short_for("help") { Err(usage::ip()) } else { name_device(parser, words) }
}

fn name_device<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    let name = words.operand()?;
    match parser.filter.device.replace(name) {
        None => Ok(()),
        Some(_) => Err(garbage("dev", name)),
    }
}

fn set_prefix(parser: &mut Parser, words: &mut Words) -> Outcome {
    put(&mut parser.filter.to, words.prefix())
}

fn set_scope(parser: &mut Parser, words: &mut Words) -> Outcome {
    parser.filter.scope = match words.peek() {
        Some(b"all") => words.operand().map(|_| None)?,
        _ => Some(words.parse(number::scope, "invalid \"scope\"\n")?),
    };
    Ok(())
}

/// Takes a flag's name, with `-` for addresses without the flag. Returns whether it is one.
fn set_flag(filter: &mut Filter, word: &[u8], era: Era) -> bool {
    let known_in_2006: [&[u8]; 6] = [b"dynamic", b"permanent", b"secondary", b"primary", b"tentative", b"deprecated"];
    if era == Era::Of2006 && !known_in_2006.contains(&word) {
        return false;
    }
    let (is_set, name) = match word {
        [b'-', name @ ..] => (false, name),
        name => (true, name),
    };
    let (is_set, flag) = match name {
        b"dynamic" => (!is_set, libc::IFA_F_PERMANENT),
        b"primary" => (!is_set, libc::IFA_F_SECONDARY),
        _ => match FLAGS.iter().find(|(flag, _)| flag.as_bytes() == name) {
            Some((_, flag)) => (is_set, *flag),
            None => return false,
        },
    };
    let (mask, wanted) = filter.flags;
    filter.flags = (mask | flag, if is_set { wanted | flag } else { wanted & !flag });
    true
}

/// Flags by name (ip/ipaddress.c, `ifa_flag_data`). No file shows those above the low eight bits.
const FLAGS: [(&str, u32); 13] = [
    ("secondary", libc::IFA_F_SECONDARY),
    ("temporary", libc::IFA_F_TEMPORARY),
    ("nodad", libc::IFA_F_NODAD),
    ("optimistic", libc::IFA_F_OPTIMISTIC),
    ("dadfailed", libc::IFA_F_DADFAILED),
    ("home", libc::IFA_F_HOMEADDRESS),
    ("deprecated", libc::IFA_F_DEPRECATED),
    ("tentative", libc::IFA_F_TENTATIVE),
    ("permanent", libc::IFA_F_PERMANENT),
    ("mngtmpaddr", libc::IFA_F_MANAGETEMPADDR),
    ("noprefixroute", libc::IFA_F_NOPREFIXROUTE),
    ("autojoin", libc::IFA_F_MCAUTOJOIN),
    ("stable-privacy", libc::IFA_F_STABLE_PRIVACY),
];

impl<'a> Filter<'a> {
    /// Parses the words, and looks up what they name on the host.
    ///
    /// # Errors
    /// Those of iproute2's `ipaddr_list_flush_or_save`.
    pub(in crate::ip) fn resolved(kernel: &Kernel, mut words: Words<'a>) -> Result<Self, Failure> {
        let parsed = Deferred::parse(|filter: &mut Self, lookups| {
            while let Some(word) = words.peek() {
                match words.take_keyword(KEYWORDS) {
                    Some(keyword) => (keyword.meaning)(&mut Parser { filter, lookups }, &mut words)?,
                    None if set_flag(filter, word, words.options.era) => drop(words.next()),
                    None => set_device(&mut Parser { filter, lookups }, &mut words)?,
                }
            }
            filter.family = words.family;
            Ok(())
        });
        parsed.resolve(|filter, lookup| {
            filter.master = Some(match lookup {
                Lookup::Master(word) => Some(find_master(kernel, word)?),
                Lookup::Vrf(word) => Some(find_vrf(kernel, word)?),
                Lookup::NoMaster => None,
            });
            Ok(())
        })
    }
}
