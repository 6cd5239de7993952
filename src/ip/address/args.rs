//! The words after `ip address add`, `replace` and `delete`.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::complaint::{duplicate, garbage, swapped, wrong};
use crate::ip::keyword::{Keyword, exact, short, today};
use crate::ip::number::{self, get_u32};
use crate::ip::usage;
use crate::ip::words::{Words, put};
use crate::net::prefix::{Family, Prefix};
use crate::net::rtnetlink::Scope;
use crate::texts::iproute2::{needs_netlink, refused};

/// What the words say.
#[derive(Debug, Default)]
pub(super) struct AddressArgs<'a> {
    local: Option<Prefix>,
    /// The word of the command line that names the address.
    pub(super) typed: &'a [u8],
    pub(super) peer: Option<IpNet>,
    device: Option<&'a [u8]>,
    pub(super) label: Option<&'a [u8]>,
    pub(super) broadcast: Option<Broadcast>,
    scope: Option<Scope>,
    /// In seconds.
    valid_lifetime: Option<u32>,
    preferred_lifetime: Option<u32>,
    /// The last keyword that no ioctl serves.
    needs_netlink: Option<&'a [u8]>,
}

/// A broadcast address as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broadcast {
    /// `+`: all host bits one.
    Ones,
    /// `-`: all host bits zero.
    Zeros,
    /// This one.
    This(Ipv4Addr),
}

impl Broadcast {
    /// Returns the address that is meant in a network. Networks of one or two addresses have none.
    pub(super) fn of(self, net: Ipv4Net) -> Option<Ipv4Addr> {
        match self {
            Broadcast::This(address) => (!address.is_unspecified()).then_some(address),
            _ if net.prefix_len() > 30 => None,
            Broadcast::Ones => Some(net.broadcast()),
            Broadcast::Zeros => Some(net.network()),
        }
    }
}

/// The arguments while they are being parsed.
struct Parser<'a, 'e> {
    args: AddressArgs<'a>,
    err: &'e mut dyn Write,
}

/// Reads the operands of a keyword.
type Read = for<'a> fn(&mut Parser<'a, '_>, &mut Words<'a>) -> Outcome;

/// In the order in which iproute2 compares them. What is no keyword is the address.
const KEYWORDS: &[Keyword<Read>] = &[
    exact("peer", set_peer),
    exact("remote", set_peer),
    short("broadcast", set_broadcast),
    exact("brd", set_broadcast),
    exact("anycast", |parser, words| {
        words.address_of(words.family)?;
        refuse(parser, words)
    }),
    exact("scope", set_scope),
    exact("dev", |parser, words| put(&mut parser.args.device, words.operand())),
    exact("label", |parser, words| put(&mut parser.args.label, words.operand())),
    today(short("metric", refuse_metric)),
    today(short("priority", refuse_metric)),
    today(short("preference", refuse_metric)),
    today(short("valid_lft", |parser, words| put(&mut parser.args.valid_lifetime, lifetime(words, "valid_lft")))),
    today(short("preferred_lft", |parser, words| {
        put(&mut parser.args.preferred_lifetime, lifetime(words, "preferred_lft"))
    })),
    today(exact("secondary", warn_read_only)),
    today(exact("temporary", warn_read_only)),
    today(exact("dadfailed", warn_read_only)),
    today(exact("deprecated", warn_read_only)),
    today(exact("tentative", warn_read_only)),
    today(exact("permanent", warn_read_only)),
    today(exact("stable-privacy", warn_read_only)),
    today(exact("home", refuse_ipv6_flag)),
    today(exact("nodad", refuse_ipv6_flag)),
    today(exact("mngtmpaddr", refuse_ipv6_flag)),
    today(exact("optimistic", refuse_ipv6_flag)),
    today(exact("noprefixroute", refuse)),
    today(exact("autojoin", refuse)),
    today(exact("proto", refuse_with_operand)),
    exact("local", set_local),
];

fn set_local<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    let word = words.peek().unwrap_or_default();
    if words.is_next_short_for("help") {
        return Err(usage::ip());
    }
    if parser.args.local.is_some() {
        return Err(garbage("local", words.operand()?));
    }
    parser.args.typed = word;
    put(&mut parser.args.local, words.prefix())
}

fn set_peer(parser: &mut Parser, words: &mut Words) -> Outcome {
    if parser.args.peer.is_some() {
        return Err(duplicate("peer", words.operand()?));
    }
    if let Prefix::Net { net, .. } = words.prefix()? {
        parser.args.peer = Some(net);
    }
    Ok(())
}

fn set_broadcast(parser: &mut Parser, words: &mut Words) -> Outcome {
    if parser.args.broadcast.is_some() {
        return Err(duplicate("broadcast", words.operand()?));
    }
    let broadcast = match words.peek() {
        Some(b"+") => words.operand().map(|_| Broadcast::Ones),
        Some(b"-") => words.operand().map(|_| Broadcast::Zeros),
        _ => match words.address()? {
            IpAddr::V4(address) => Ok(Broadcast::This(address)),
            IpAddr::V6(_) => Err(only_ipv4_broadcast()),
        },
    };
    put(&mut parser.args.broadcast, broadcast)
}

fn set_scope(parser: &mut Parser, words: &mut Words) -> Outcome {
    let word = words.operand()?;
    put(&mut parser.args.scope, number::scope(word).ok_or_else(|| swapped(word, "invalid scope value.")))
}

/// A keyword that no ioctl serves.
fn refuse<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    put(&mut parser.args.needs_netlink, Ok(words.keyword))
}

fn refuse_with_operand<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    words.operand()?;
    refuse(parser, words)
}

/// The metric of the route to an address's network.
fn refuse_metric<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    match words.parse(get_u32, "\"metric\" value is invalid\n")? {
        0 => Ok(()),
        _ => refuse(parser, words),
    }
}

/// A flag that the kernel alone sets (ip/ipaddress.c, `ifa_flag_data`).
fn warn_read_only(parser: &mut Parser, words: &mut Words) -> Outcome {
    warn(parser.err, words.keyword, "is not mutable from userspace")
}

/// A flag of IPv6 addresses.
fn refuse_ipv6_flag<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    match words.family {
        Family::Inet6 => refuse(parser, words),
        Family::Any | Family::Inet => warn(parser.err, words.keyword, "can be set only for IPv6 addresses"),
    }
}

fn warn(err: &mut dyn Write, flag: &[u8], what: &str) -> Outcome {
    let _ = err.write_all(&line!("Warning: ", flag, " option ", what));
    Ok(())
}

fn lifetime(words: &mut Words, keyword: &str) -> Result<u32, Failure> {
    match words.operand()? {
        b"forever" => Ok(u32::MAX),
        word => get_u32(word).ok_or_else(|| wrong(word, &format!("{keyword} value"))),
    }
}

fn only_ipv4_broadcast() -> Failure {
    Failure::new(line!("Broadcast can be set only for IPv4 addresses")).formerly_with_status(255)
}

impl<'a> AddressArgs<'a> {
    /// Parses the words, which come in any order. Flags that a listing names and nobody can set are passed over with a warning, as
    /// are those of IPv6 where no IPv6 address has been named yet.
    pub(super) fn parse(mut words: Words<'a>, err: &mut dyn Write) -> Result<Self, Failure> {
        let mut parser = Parser { args: AddressArgs::default(), err };
        while !words.is_empty() {
            match words.take_keyword(KEYWORDS) {
                Some(keyword) => (keyword.meaning)(&mut parser, &mut words)?,
                None => set_local(&mut parser, &mut words)?,
            }
        }
        Ok(parser.args)
    }

    /// Returns the device, which must be named.
    pub(super) fn device(&self) -> Result<&'a [u8], Failure> {
        self.device.ok_or_else(|| {
            Failure::new(line!("Not enough information: \"dev\" argument is required.")).formerly_with_status(255)
        })
    }

    /// Returns the local address. The kernel refuses `any`, and none at all.
    pub(super) fn local(&self) -> Result<IpNet, Failure> {
        match self.local {
            Some(Prefix::Net { net, .. }) => Ok(net),
            Some(Prefix::All) | None => Err(refused(Errno::EOPNOTSUPP)),
        }
    }

    /// Whether an IPv4 address stands without prefix and peer, so that `delete` takes any prefix.
    pub(super) fn has_any_prefix(&self) -> bool {
        matches!(self.local, Some(Prefix::Net { net: IpNet::V4(_), explicit: false })) && self.peer.is_none()
    }

    /// Refuses a label that does not begin with the device's name, in an era that requires it.
    pub(super) fn check_label(&self, era: Era) -> Outcome {
        match (self.device, self.label) {
            (Some(device), Some(label)) if !era.ip().any_label && !label.starts_with(device) => {
                let text = line!("\"dev\" (", device, ") must match \"label\" (", label, ").");
                Err(Failure::new(text))
            }
            _ => Ok(()),
        }
    }

    /// Refuses lifetimes that do not go together. This comes after the device is looked up.
    pub(super) fn check_lifetimes(&self) -> Outcome {
        if self.valid_lifetime == Some(0) {
            return Err(Failure::new(line!("valid_lft is zero")));
        }
        let forever = u32::MAX;
        if self.preferred_lifetime.unwrap_or(forever) > self.valid_lifetime.unwrap_or(forever) {
            return Err(Failure::new(line!("preferred_lft is greater than valid_lft")));
        }
        Ok(())
    }

    /// Refuses what does not go together. This comes before the device is looked up.
    pub(super) fn check(&self) -> Outcome {
        match (self.local, self.broadcast) {
            (Some(Prefix::Net { net: IpNet::V6(_), .. }), Some(_)) => Err(only_ipv4_broadcast()),
            _ => Ok(()),
        }
    }

    /// Whether the address is meant to expire, which no ioctl makes it do.
    pub(super) fn expires(&self) -> bool {
        [self.valid_lifetime, self.preferred_lifetime].into_iter().flatten().any(|lifetime| lifetime != u32::MAX)
    }

    /// Refuses what only netlink can do.
    pub(super) fn check_for_ioctl(&self) -> Outcome {
        if let Some(word) = self.needs_netlink {
            return Err(needs_netlink(word, "leave it out"));
        }
        // by ioctl the kernel gives an address the scope that iproute2 would
        let usual = match self.local {
            Some(Prefix::Net { net: IpNet::V4(net), .. }) if net.addr().is_loopback() => Scope::HOST,
            _ => Scope::GLOBAL,
        };
        match self.scope {
            Some(scope) if scope != usual => Err(needs_netlink("the scope of an address", "leave it out")),
            _ => Ok(()),
        }
    }
}
