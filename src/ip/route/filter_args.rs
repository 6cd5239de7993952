//! The words after `ip route list` and `ip route flush`.

use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::filter::{Networks, RouteFilter};
use super::names;
use crate::error::{Failure, Outcome};
use crate::ip::complaint::wrong;
use crate::ip::device::proper_name;
use crate::ip::keyword::{Keyword, exact, of_2006, short, today};
use crate::ip::number::{self, get_u32};
use crate::ip::usage;
use crate::ip::words::{Words, put, set};
use crate::kernel::Kernel;
use crate::net::prefix::{Family, Prefix};
use crate::net::rtnetlink::TableId;

/// The filter while the words are being parsed, with devices as typed.
#[derive(Default)]
struct Parser<'a> {
    filter: RouteFilter,
    device: Option<&'a [u8]>,
    incoming: Option<&'a [u8]>,
}

/// Reads the operands of a keyword.
type Read = for<'a> fn(&mut Parser<'a>, &mut Words<'a>) -> Outcome;

/// In the order in which iproute2 compares them. What is no keyword is a network. Of two values for one field the last one counts.
const KEYWORDS: &[Keyword<Read>] = &[
    short("table", set_table),
    today(short("vrf", |_, words| words.parse(|_| None, "Invalid VRF\n"))),
    short("cached", |parser, _| set(&mut parser.filter.is_cache, Ok(true))),
    short("cloned", |parser, _| set(&mut parser.filter.is_cache, Ok(true))),
    exact("tos", set_tos),
    short("dsfield", set_tos),
    short("protocol", |parser, words| {
        put_unless_all(&mut parser.filter.protocol, words, names::protocol, "invalid \"protocol\"\n")
    }),
    short("scope", |parser, words| {
        put_unless_all(&mut parser.filter.scope, words, number::scope, "invalid \"scope\"\n")
    }),
    short("type", set_type),
    exact("dev", |parser, words| put(&mut parser.device, words.operand())),
    exact("oif", |parser, words| put(&mut parser.device, words.operand())),
    exact("iif", |parser, words| put(&mut parser.incoming, words.operand())),
    today(exact("mark", |parser, words| want_nonzero(parser, words, "invalid mark value"))),
    today(short("metric", set_metric)),
    today(short("priority", set_metric)),
    today(exact("preference", set_metric)),
    exact("via", set_routers),
    exact("src", |parser, words| set(&mut parser.filter.source, network(words, words.family))),
    short("realms", |parser, words| want_nonzero(parser, words, "invalid realms\n")),
    short("from", |parser, words| put_networks(&mut parser.filter.from, words)),
    today(exact("to", |parser, words| put_networks(&mut parser.filter.to, words))),
    of_2006(short("to", |parser, words| put_networks(&mut parser.filter.to, words))),
];

impl RouteFilter {
    /// Parses the words, then looks up the devices.
    ///
    /// # Errors
    /// Those of iproute2's `iproute_list_flush_or_save`.
    pub(super) fn resolved(kernel: &Kernel, mut words: Words) -> Result<Self, Failure> {
        let mut parser = Parser::default();
        while !words.is_empty() {
            match words.take_keyword(KEYWORDS) {
                Some(keyword) => (keyword.meaning)(&mut parser, &mut words)?,
                None => put_networks(&mut parser.filter.to, &mut words)?,
            }
        }
        let Parser { mut filter, device, incoming } = parser;
        if let Some(incoming) = incoming {
            proper_name(kernel, incoming)?;
            filter.admits_none = true;
        }
        filter.device = device.map(|device| proper_name(kernel, device)).transpose()?;
        // iproute2 asks the kernel about the link, and so sees its routes in their new state
        filter.device.iter().for_each(|device| kernel.settle(device.as_bytes()));
        Ok(filter)
    }
}

fn set_table(parser: &mut Parser, words: &mut Words) -> Outcome {
    let word = words.operand()?;
    match (names::table(word), word) {
        (Some(table), _) => parser.filter.table = Some(table),
        (None, b"all") => parser.filter.table = Some(TableId::ALL),
        (None, b"cache") => parser.filter.is_cache = true,
        (None, b"help") => return Err(usage::route()),
        (None, _) => return Err(wrong(word, "table id value is invalid\n")),
    }
    Ok(())
}

fn set_tos(parser: &mut Parser, words: &mut Words) -> Outcome {
    put(&mut parser.filter.tos, words.parse(names::tos, "TOS value is invalid\n"))
}

fn set_type(parser: &mut Parser, words: &mut Words) -> Outcome {
    let number = words.parse(names::type_number, "node type value is invalid\n");
    put(&mut parser.filter.kinds, number.map(|number| 1u32.wrapping_shl(number.into())))
}

fn set_metric(parser: &mut Parser, words: &mut Words) -> Outcome {
    put(&mut parser.filter.metric, words.parse(get_u32, "\"metric\" value is invalid\n"))
}

/// A field that no route here has, unless it is 0.
fn want_nonzero(parser: &mut Parser, words: &mut Words, reason: &str) -> Outcome {
    parser.filter.admits_none |= words.parse(get_u32, reason)? != 0;
    Ok(())
}

/// A value by name or number; `all` lifts the restriction.
fn put_unless_all<T>(field: &mut Option<T>, words: &mut Words, parse: fn(&[u8]) -> Option<T>, reason: &str) -> Outcome {
    set(field, words.parse(|word| parse(word).map(Some).or((word == b"all").then_some(None)), reason))
}

/// `[FAMILY] PREFIX`
fn set_routers(parser: &mut Parser, words: &mut Words) -> Outcome {
    let family = words.take_family();
    set(&mut parser.filter.via, network(words, family.unwrap_or(words.family)))
}

/// `[root | match | exact] PREFIX`
fn put_networks(networks: &mut Networks, words: &mut Words) -> Outcome {
    let [is_root, is_match, is_exact] = ["root", "match", "exact"].map(|word| words.is_next_short_for(word));
    if is_root || is_match || is_exact {
        words.next();
    }
    let net = network(words, words.family)?;
    match () {
        () if is_root => networks.root = net,
        () if is_match => networks.matching = net,
        () => *networks = Networks { root: net, matching: net },
    }
    Ok(())
}

/// A network. `any` and `all` mean no restriction unless there is a family, whose default route they are then; so does `default`
/// since iproute2 5.
fn network(words: &mut Words, family: Family) -> Result<Option<IpNet>, Failure> {
    let is_default = words.peek() == Some(b"default") && words.options.era.ip().finds_default;
    Ok(match (words.prefix_of(family)?, family) {
        (Prefix::Net { net, .. }, _) => Some(net),
        (Prefix::All, Family::Inet6) => Some(IpNet::V6(Ipv6Net::default())),
        (Prefix::All, Family::Any) if !is_default => None,
        (Prefix::All, _) => Some(IpNet::V4(Ipv4Net::default())),
    })
}
