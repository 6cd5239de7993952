//! The words after `ip route add`, `delete` and the like.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::entry::Tcp;
use super::names;
use crate::error::{Failure, Outcome, line};
use crate::ip::complaint::{garbage, wrong};
use crate::ip::device::proper_name;
use crate::ip::keyword::{Keyword, exact, of_2006, short, today};
use crate::ip::number::{self, get_u8, get_u32};
use crate::ip::usage;
use crate::ip::words::{Words, put, set};
use crate::kernel::Kernel;
use crate::net::number::unsigned_long;
use crate::net::prefix::{Family, Prefix};
use crate::net::rtnetlink::{Protocol, RouteType, Scope, TableId};

/// What the words say.
#[derive(Clone, Debug, Default)]
pub(super) struct RouteArgs<'a> {
    /// Without host bits only if the user gave none.
    pub(super) destination: IpNet,
    /// The number of the type (`RTN_*`), which may be one that has no name.
    pub(super) type_number: Option<u8>,
    /// `from PREFIX`, which only IPv6 knows.
    from: Option<Prefix>,
    pub(super) gateway: Option<IpAddr>,
    /// The proper name of the link.
    device: Option<OsString>,
    pub(super) source: Option<IpAddr>,
    pub(super) scope: Option<Scope>,
    pub(super) protocol: Option<Protocol>,
    pub(super) metric: u32,
    pub(super) tos: u8,
    pub(super) tcp: Tcp,
    /// The part of `rtt` below a millisecond, in eighths of one.
    rtt_eighths: u32,
    pub(super) is_onlink: bool,
    /// IPv6's router preference (RFC 4191).
    pub(super) preference: u8,
    /// Seconds, which only IPv6 knows.
    pub(super) expires: Option<u32>,
    pub(super) table: TableId,
    /// Whether the next hops are described by words that no ioctl serves.
    pub(super) has_unsupported_hops: bool,
    /// The first word that no ioctl serves.
    pub(super) unsupported: Option<&'a [u8]>,
}

impl<'a> RouteArgs<'a> {
    /// Parses the words after the verb, then looks up the device. Of two words for one field the last one counts.
    ///
    /// # Errors
    /// Those of iproute2's `iproute_modify`.
    pub(super) fn resolved(kernel: &Kernel, words: Words<'a>) -> Result<Self, Failure> {
        let Parser { mut args, device, .. } = Parser::parse(words)?;
        args.device = device.map(|device| proper_name(kernel, device)).transpose()?;
        Ok(args)
    }

    /// Returns the arguments without a source.
    pub(super) fn without_source(&self) -> Self {
        RouteArgs { source: None, ..self.clone() }
    }

    pub(super) fn device(&self) -> Option<&[u8]> {
        self.device.as_deref().map(OsStrExt::as_bytes)
    }

    /// Returns the type, if one is given that has a name.
    pub(super) fn route_type(&self) -> Option<RouteType> {
        self.type_number.and_then(RouteType::from_number)
    }

    pub(super) fn is_unreachable(&self) -> bool {
        self.route_type() == Some(RouteType::Unreachable)
    }

    /// Whether the route drops packets, or has them looked up in another table.
    pub(super) fn rejects(&self) -> bool {
        self.route_type().is_some_and(RouteType::rejects)
    }

    /// Returns the IPv6 network that packets must come from, unless that is all.
    pub(super) fn source_network(&self) -> Option<Ipv6Net> {
        match self.from {
            Some(Prefix::Net { net: IpNet::V6(net), .. }) => Some(net.trunc()).filter(|net| net.prefix_len() != 0),
            _ => None,
        }
    }

    /// Whether the table is the one that ioctls know.
    pub(super) fn is_in_main(&self) -> bool {
        self.table == TableId::MAIN
    }

    /// Whether no particular scope is asked for.
    pub(super) fn has_any_scope(&self) -> bool {
        self.scope.is_none_or(|scope| scope == Scope::NOWHERE)
    }

    /// Whether an ioctl can carry the time of `rtt`: whole milliseconds in 16 bits.
    pub(super) fn has_rtt_for_ioctl(&self) -> bool {
        self.rtt_eighths == 0 && self.tcp.rtt <= u16::MAX.into()
    }
}

/// The arguments while they are being parsed, with the device as typed.
#[derive(Default)]
struct Parser<'a> {
    args: RouteArgs<'a>,
    destination: Option<Prefix>,
    device: Option<&'a [u8]>,
}

/// What a keyword means.
#[derive(Clone, Copy)]
enum Meaning {
    /// A field, and what reads its operands.
    Field(for<'a> fn(&mut Parser<'a>, &mut Words<'a>) -> Outcome),
    /// What no ioctl serves. Its operand is checked all the same.
    Unsupported(Operand),
}

/// The operand of a keyword that no ioctl serves.
#[derive(Clone, Copy)]
enum Operand {
    /// A number, which changes nothing if it is 0.
    Number,
    /// A time, which changes nothing if it is 0.
    Time,
    /// 0, which changes nothing, or 1.
    Switch,
    /// One of these words.
    OneOf(&'static [&'static str]),
    Any,
    None,
    /// The rest of the line.
    Rest,
}

use Meaning::{Field, Unsupported};

/// In the order in which iproute2 compares them. What is no keyword is the destination, with its type.
const KEYWORDS: &[Keyword<Meaning>] = &[
    of_2006(short("equalize", Unsupported(Operand::None))),
    of_2006(exact("eql", Unsupported(Operand::None))),
    of_2006(exact("mpath", Unsupported(Operand::Any))),
    of_2006(exact("mp", Unsupported(Operand::Any))),
    exact("src", Field(set_source)),
    today(exact("as", Field(skip_as))),
    exact("via", Field(set_gateway)),
    exact("from", Field(|parser, words| put(&mut parser.args.from, words.prefix()))),
    exact("tos", Field(set_tos)),
    short("dsfield", Field(set_tos)),
    today(exact("expires", Field(set_lifetime))),
    short("metric", Field(set_metric)),
    short("priority", Field(set_metric)),
    exact("preference", Field(set_metric)),
    exact("scope", Field(set_scope)),
    exact("advmss", Field(set_advmss)),
    exact("rtt", Field(set_rtt)),
    short("window", Field(set_window)),
    exact("onlink", Field(|parser, _| set(&mut parser.args.is_onlink, Ok(true)))),
    short("protocol", Field(set_protocol)),
    short("table", Field(set_table)),
    today(exact("vrf", Field(|_, words| words.parse(|_| None, "Invalid VRF\n")))),
    exact("dev", Field(|parser, words| put(&mut parser.device, words.operand()))),
    exact("oif", Field(|parser, words| put(&mut parser.device, words.operand()))),
    today(exact("pref", Field(set_preference))),
    today(exact("nhid", Field(set_next_hop_id))),
    today(exact("encap", Unsupported(Operand::Any))),
    exact("mtu", Unsupported(Operand::Number)),
    today(exact("hoplimit", Unsupported(Operand::Number))),
    short("reordering", Unsupported(Operand::Number)),
    today(exact("rto_min", Unsupported(Operand::Time))),
    short("cwnd", Unsupported(Operand::Number)),
    today(exact("initcwnd", Unsupported(Operand::Number))),
    today(exact("initrwnd", Unsupported(Operand::Number))),
    today(exact("features", Unsupported(Operand::OneOf(&["ecn"])))),
    today(exact("quickack", Unsupported(Operand::Switch))),
    today(exact("congctl", Unsupported(Operand::Any))),
    exact("rttvar", Unsupported(Operand::Time)),
    short("ssthresh", Unsupported(Operand::Number)),
    short("realms", Unsupported(Operand::Number)),
    today(exact("fastopen_no_cookie", Unsupported(Operand::Switch))),
    today(exact("ttl-propagate", Unsupported(Operand::OneOf(&["enabled", "disabled"])))),
    exact("nexthop", Unsupported(Operand::Rest)),
];

impl<'a> Parser<'a> {
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        let mut parser = Parser::default();
        while !words.is_empty() {
            match words.take_keyword(KEYWORDS) {
                Some(Keyword { meaning: Field(read), .. }) => read(&mut parser, &mut words)?,
                Some(Keyword { meaning: Unsupported(operand), name, .. }) => {
                    if parser.changes_something(name, *operand, &mut words)? {
                        parser.args.unsupported.get_or_insert(words.keyword);
                    }
                }
                None => parser.set_destination(&mut words)?,
            }
        }
        // to ss060323 no destination means the default route
        let former = (!words.options.era.ip().needs_destination).then_some(Prefix::All);
        let destination = parser.destination.or(former).ok_or_else(usage::route)?;
        parser.args.destination = match (destination, words.family) {
            (Prefix::Net { net, .. }, _) => net,
            (Prefix::All, Family::Inet6) => IpNet::V6(Ipv6Net::default()),
            (Prefix::All, _) => IpNet::V4(Ipv4Net::default()),
        };
        if parser.args.table == TableId::ALL {
            // addresses of this host, and the like, have a table of their own
            use RouteType::{Anycast, Broadcast, Local, Nat};
            let is_local = matches!(parser.args.route_type(), Some(Local | Broadcast | Anycast | Nat));
            parser.args.table = if is_local { TableId::LOCAL } else { TableId::MAIN };
        }
        Ok(parser)
    }

    /// Reads the operand of a keyword that no ioctl serves. Returns whether leaving the words out would make a difference.
    fn changes_something(&mut self, name: &str, operand: Operand, words: &mut Words<'a>) -> Result<bool, Failure> {
        let invalid = match name {
            "realms" => "\"realm\" value is invalid\n".into(),
            "features" => "\"features\" value not valid\n".into(),
            name => format!("\"{name}\" value is invalid\n"),
        };
        match operand {
            Operand::Number => Ok(self.unlocked(words)?.parse(get_u32, &invalid)? != 0),
            Operand::Time => Ok(self.unlocked(words)?.parse(time, &invalid)? != 0),
            Operand::Switch => {
                let words = self.unlocked(words)?;
                let word = words.peek().unwrap_or_default();
                match words.parse(get_u32, &invalid)? {
                    number @ (0 | 1) => Ok(number != 0),
                    _ => Err(wrong(word, &format!("\"{name}\" value should be 0 or 1\n"))),
                }
            }
            Operand::OneOf(known) => {
                let is_known = |word: &[u8]| known.iter().any(|other| other.as_bytes() == word);
                words.parse(|word| is_known(word).then_some(true), &invalid)
            }
            Operand::Any => words.operand().map(|_| true),
            Operand::None => Ok(true),
            Operand::Rest => {
                if words.peek().is_none() {
                    let text = line!("Error: unexpected end of line after \"nexthop\"");
                    return Err(Failure::new(text).with_status(255));
                }
                words.for_each(drop);
                self.args.has_unsupported_hops = true;
                Ok(true)
            }
        }
    }

    /// Takes the word `lock` in front of an operand. No ioctl locks a value.
    fn unlocked<'w>(&mut self, words: &'w mut Words<'a>) -> Result<&'w mut Words<'a>, Failure> {
        if words.peek() == Some(b"lock") {
            words.operand()?;
            self.args.unsupported.get_or_insert(words.keyword);
        }
        Ok(words)
    }

    /// `[to] [TYPE] PREFIX`
    fn set_destination(&mut self, words: &mut Words) -> Outcome {
        if words.peek() == Some(b"to") {
            words.next();
        }
        let word = words.peek().unwrap_or_default();
        if !word.first().is_some_and(u8::is_ascii_digit)
            && let Some(number) = names::type_number(word)
        {
            self.args.type_number = Some(number);
            words.next();
        }
        if words.is_next_short_for("help") {
            return Err(usage::route());
        }
        if self.destination.is_some() {
            // what a listing says of a link, not of a route
            let word = words.operand()?;
            let is_flag = matches!(word, b"linkdown" | b"dead");
            return if is_flag { Ok(()) } else { Err(garbage("to", word)) };
        }
        put(&mut self.destination, words.prefix())
    }
}

/// `src ADDRESS`; 0.0.0.0 is none.
fn set_source(parser: &mut Parser, words: &mut Words) -> Outcome {
    set(&mut parser.args.source, words.address().map(|source| Some(source).filter(|source| *source != NO_SOURCE)))
}

const NO_SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// `as [to] ADDRESS`, which the kernel ignores.
fn skip_as(_: &mut Parser, words: &mut Words) -> Outcome {
    if words.peek() == Some(b"to") {
        words.next();
    }
    words.address().map(drop)
}

/// `via [FAMILY] ADDRESS`
fn set_gateway<'a>(parser: &mut Parser<'a>, words: &mut Words<'a>) -> Outcome {
    if parser.args.gateway.is_some() {
        return Err(wrong(words.keyword, "use nexthop syntax to specify multiple via\n"));
    }
    let family = words.family;
    words.family = words.take_family().unwrap_or(family);
    let word = words.peek();
    let gateway = words.address()?;
    if !family.includes(gateway) {
        parser.args.unsupported = parser.args.unsupported.or(word);
        parser.args.has_unsupported_hops = true;
        words.family = family;
    }
    put(&mut parser.args.gateway, Ok(gateway))
}

fn set_tos(parser: &mut Parser, words: &mut Words) -> Outcome {
    set(&mut parser.args.tos, words.parse(names::tos, "\"tos\" value is invalid\n"))
}

fn set_metric(parser: &mut Parser, words: &mut Words) -> Outcome {
    put_number(&mut parser.args.metric, words, "metric")
}

fn set_scope(parser: &mut Parser, words: &mut Words) -> Outcome {
    put(&mut parser.args.scope, words.parse(number::scope, "invalid \"scope\" value\n"))
}

fn set_advmss<'a>(parser: &mut Parser<'a>, words: &mut Words<'a>) -> Outcome {
    let words = parser.unlocked(words)?;
    put_number(&mut parser.args.tcp.advmss, words, "mss")
}

fn set_window<'a>(parser: &mut Parser<'a>, words: &mut Words<'a>) -> Outcome {
    let words = parser.unlocked(words)?;
    put_number(&mut parser.args.tcp.window, words, "window")
}

fn set_rtt<'a>(parser: &mut Parser<'a>, words: &mut Words<'a>) -> Outcome {
    let eighths = parser.unlocked(words)?.parse(time, "\"rtt\" value is invalid\n")?;
    parser.args.rtt_eighths = eighths % 8;
    parser.args.tcp.rtt = eighths / 8;
    Ok(())
}

fn set_protocol(parser: &mut Parser, words: &mut Words) -> Outcome {
    put(&mut parser.args.protocol, words.parse(names::protocol, "\"protocol\" value is invalid\n"))
}

fn set_table(parser: &mut Parser, words: &mut Words) -> Outcome {
    set(&mut parser.args.table, words.parse(names::table, "\"table\" value is invalid\n"))
}

fn set_preference(parser: &mut Parser, words: &mut Words) -> Outcome {
    set(&mut parser.args.preference, words.parse(preference, "\"pref\" value is invalid\n"))
}

fn set_next_hop_id<'a>(parser: &mut Parser<'a>, words: &mut Words<'a>) -> Outcome {
    words.parse(get_u32, "\"id\" value is invalid\n")?;
    parser.args.unsupported.get_or_insert(words.keyword);
    parser.args.has_unsupported_hops = true;
    Ok(())
}

fn put_number(field: &mut u32, words: &mut Words, what: &str) -> Outcome {
    set(field, words.parse(get_u32, &format!("\"{what}\" value is invalid\n")))
}

/// `expires SECONDS`; the largest number is for ever.
fn set_lifetime(parser: &mut Parser, words: &mut Words) -> Outcome {
    let mut seconds = 0;
    put_number(&mut seconds, words, "expires")?;
    set(&mut parser.args.expires, Ok(Some(seconds).filter(|seconds| *seconds != u32::MAX)))
}

fn preference(word: &[u8]) -> Option<u8> {
    match word {
        b"medium" => Some(0),
        b"high" => Some(1),
        b"low" => Some(3),
        // the kernel takes what makes no sense for medium
        _ => get_u8(word).map(|number| if matches!(number, 1 | 3) { number } else { 0 }),
    }
}

/// Reads a time in eighths of a millisecond, rounded up: `80`, `10ms`, `1.5s` (lib/utils.c, `get_time_rtt`).
fn time(word: &[u8]) -> Option<u32> {
    let (digits, fraction_length, unit) = match word.contains(&b'.') {
        true => fraction(word)?,
        false => unsigned_long(word, 0).map(|(number, unit)| (number, 0, unit))?,
    };
    let eighths: u64 = match unit {
        b"" => 1,
        b"s" | b"sec" | b"secs" => 8000,
        b"ms" | b"msec" | b"msecs" => 8,
        _ => return None,
    };
    let eighths = digits.saturating_mul(eighths).div_ceil(10u64.pow(fraction_length));
    Some(u32::try_from(eighths).unwrap_or(u32::MAX))
}

/// Reads a number with a point, and returns its digits, how many of them are behind the point, and what follows.
fn fraction(word: &[u8]) -> Option<(u64, u32, &[u8])> {
    let word = word.trim_ascii_start();
    let word = word.strip_prefix(b"+").unwrap_or(word);
    let split = word.iter().position(u8::is_ascii_alphabetic).unwrap_or(word.len());
    let (value, unit) = word.split_at(split);
    let (whole, fraction) = str::from_utf8(value).ok()?.split_once('.')?;
    // more digits than that make no difference
    let fraction = &fraction[..fraction.len().min(9)];
    Some(([whole, fraction].concat().parse().ok()?, fraction.len() as u32, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let known: [(&[u8], Option<u32>); 13] = [
            (b"80", Some(80)),
            (b"10ms", Some(80)),
            (b"10.5ms", Some(84)),
            (b"1.5s", Some(12000)),
            (b".0001s", Some(1)),
            (b"1.x", None),
            (b"1sec", Some(8000)),
            (b"0x50", Some(80)),
            (b"010", Some(8)),
            (b"08", None),
            (b"-5", Some(u32::MAX)),
            (b"1min", None),
            (b"", None),
        ];
        for (word, eighths) in known {
            assert_eq!(time(word), eighths, "{}", String::from_utf8_lossy(word));
        }
    }
}
