//! The words after `ip route get`.

use std::ffi::OsString;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use crate::error::{Failure, Outcome, line};
use crate::ip::device::proper_name;
use crate::ip::keyword::{Keyword, exact, short, today};
use crate::ip::number::get_u32;
use crate::ip::route::names;
use crate::ip::usage;
use crate::ip::words::{Words, put, set};
use crate::kernel::Kernel;
use crate::net::prefix::{Family, Prefix};
use crate::texts::iproute2::explained;

/// What the words say.
pub(super) struct GetArgs<'a> {
    pub(super) to: IpAddr,
    pub(super) from: Option<IpAddr>,
    /// The proper name of the link.
    device: Option<OsString>,
    /// The user in whose name packets are sent, if not the caller.
    pub(super) user: Option<u32>,
    pub(super) tos: u8,
    /// `fibmatch`: the route itself is asked for.
    pub(super) shows_match: bool,
    /// The first word that no socket serves.
    pub(super) unsupported: Option<&'a [u8]>,
}

/// The arguments while they are being parsed, with devices as typed.
struct Parser<'a, 'e> {
    args: GetArgs<'a>,
    to: Option<Prefix>,
    from: Option<Prefix>,
    device: Option<&'a [u8]>,
    incoming: Option<&'a [u8]>,
    err: &'e mut dyn Write,
}

/// Reads the operands of a keyword.
type Read = for<'a> fn(&mut Parser<'a, '_>, &mut Words<'a>) -> Outcome;

/// In the order in which iproute2 compares them. What is no keyword is the destination.
const KEYWORDS: &[Keyword<Read>] = &[
    exact("tos", set_tos),
    short("dsfield", set_tos),
    short("from", |parser, words| put(&mut parser.from, prefix(words))),
    short("iif", |parser, words| put(&mut parser.incoming, words.operand())),
    today(short("mark", |parser, words| match words.parse(get_u32, "invalid mark value")? {
        0 => Ok(()),
        _ => refuse(parser, words),
    })),
    short("oif", |parser, words| put(&mut parser.device, words.operand())),
    exact("dev", |parser, words| put(&mut parser.device, words.operand())),
    short("notify", refuse),
    short("connected", refuse),
    today(short("vrf", |_, words| words.parse(|_| None, "Invalid VRF\n"))),
    today(short("uid", |parser, words| put(&mut parser.args.user, words.parse(get_u32, "invalid UID\n")))),
    today(short("fibmatch", |parser, _| set(&mut parser.args.shows_match, Ok(true)))),
    today(exact("ipproto", refuse_with_operand)),
    today(exact("sport", refuse_with_operand)),
    today(exact("dport", refuse_with_operand)),
    exact("to", set_destination),
];

fn set_tos(parser: &mut Parser, words: &mut Words) -> Outcome {
    set(&mut parser.args.tos, words.parse(names::tos, "TOS value is invalid\n"))
}

fn refuse<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    parser.args.unsupported.get_or_insert(words.keyword);
    Ok(())
}

fn refuse_with_operand<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    words.operand()?;
    refuse(parser, words)
}

fn set_destination(parser: &mut Parser, words: &mut Words) -> Outcome {
    let prefix = prefix(words)?;
    if words.options.era.ip().all_of_route {
        warn_of_length(parser.err, prefix, words.family);
    }
    put(&mut parser.to, Ok(prefix))
}

fn prefix(words: &mut Words) -> Result<Prefix, Failure> {
    if words.is_next_short_for("help") { Err(usage::route()) } else { words.prefix() }
}

fn warn_of_length(err: &mut dyn Write, prefix: Prefix, family: Family) {
    let (length, whole) = match prefix {
        Prefix::Net { net, .. } => (net.prefix_len(), net.max_prefix_len()),
        Prefix::All if family == Family::Any => return,
        Prefix::All => (0, if family == Family::Inet6 { 128 } else { 32 }),
    };
    if length != whole {
        let warning = format!("Warning: /{length} as prefix is invalid, only /{whole} (or none) is supported.");
        let _ = err.write_all(&line!(warning));
    }
}

impl<'a> GetArgs<'a> {
    /// Parses the words, then looks up the devices.
    ///
    /// # Errors
    /// Those of iproute2's `iproute_get`.
    pub(super) fn resolved(kernel: &Kernel, err: &mut dyn Write, mut words: Words<'a>) -> Result<Self, Failure> {
        let mut parser = Parser {
            args: GetArgs::to(Ipv4Addr::UNSPECIFIED.into()),
            to: None,
            from: None,
            device: None,
            incoming: None,
            err,
        };
        while !words.is_empty() {
            match words.take_keyword(KEYWORDS) {
                Some(keyword) => (keyword.meaning)(&mut parser, &mut words)?,
                None => set_destination(&mut parser, &mut words)?,
            }
        }
        let is_given = |to: &Prefix| words.options.era.ip().all_of_route || *to != Prefix::All;
        let to = parser.to.filter(is_given).ok_or_else(no_destination)?;
        let mut args = GetArgs { to: address(to, words.family), ..parser.args };
        if let Some(incoming) = parser.incoming {
            proper_name(kernel, incoming)?;
            args.unsupported.get_or_insert(b"iif");
        }
        args.device = parser.device.map(|device| proper_name(kernel, device)).transpose()?;
        args.from = parser.from.map(|prefix| source(prefix, words.family)).transpose()?;
        Ok(args)
    }

    fn to(to: IpAddr) -> Self {
        GetArgs { to, from: None, device: None, user: None, tos: 0, shows_match: false, unsupported: None }
    }

    pub(super) fn device(&self) -> Option<&[u8]> {
        self.device.as_deref().map(OsStrExt::as_bytes)
    }
}

fn no_destination() -> Failure {
    let failure = Failure::new(line!("need at least a destination address"));
    failure.formerly(line!("need at least destination address"), 1)
}

/// Returns the address itself, whatever its length; that of `default` is zero.
fn address(prefix: Prefix, family: Family) -> IpAddr {
    match prefix {
        Prefix::Net { net, .. } => net.addr(),
        Prefix::All if family == Family::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        Prefix::All => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// Returns the source, which the kernel wants whole.
fn source(prefix: Prefix, family: Family) -> Result<IpAddr, Failure> {
    let is_v6 = family == Family::Inet6;
    let explanation = match prefix {
        Prefix::Net { net, .. } if net.prefix_len() == net.max_prefix_len() => return Ok(net.addr()),
        Prefix::Net { .. } if is_v6 => "ipv6: Invalid values in header for get route request.",
        Prefix::Net { .. } => "ipv4: Invalid values in header for route get request.",
        Prefix::All if is_v6 => "ipv6: rtm_src_len and rtm_dst_len must be 128 for IPv6.",
        Prefix::All => "ipv4: rtm_src_len and rtm_dst_len must be 32 for IPv4.",
    };
    Err(explained(Errno::EINVAL, explanation))
}
