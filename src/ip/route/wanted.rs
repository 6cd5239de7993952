//! What `add`, `delete` and the like are asked for.

use std::ffi::OsString;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::entry::Tcp;
use super::names::{self, number, scope, table};
use super::usage;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::prefix::{self, Family, Prefix};
use crate::ip::words::Words;
use crate::ip::{Options, garbage, proper_name, wrong};
use crate::kernel::Kernel;

/// A route as it was described. Of two words that say the same thing the last one counts.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// Where to: without host bits only if the user gave none.
    pub(super) destination: IpNet,
    /// RTN_*, if it was given.
    pub(super) kind: Option<u8>,
    /// `from PREFIX`, which only IPv6 knows.
    pub(super) from: Option<Prefix>,
    pub(super) gateway: Option<IpAddr>,
    /// The proper name of the link.
    pub(super) device: Option<OsString>,
    pub(super) source: Option<IpAddr>,
    /// RT_SCOPE_*
    pub(super) scope: Option<u8>,
    /// RTPROT_*
    pub(super) protocol: Option<u8>,
    pub(super) metric: u32,
    pub(super) tos: u8,
    pub(super) tcp: Tcp,
    /// RFC 2988's unit has three bits more than a millisecond: whether they are all 0.
    is_whole_round_trip: bool,
    pub(super) is_onlink: bool,
    /// IPv6's router preference.
    pub(super) preference: u8,
    /// Seconds, which only IPv6 knows.
    pub(super) expires: u32,
    /// RT_TABLE_*
    pub(super) table: u32,
    /// Whether its ways are described in words for which there is no ioctl.
    pub(super) has_other_ways: bool,
    /// The first word for which there is no ioctl at all.
    pub(super) beyond: Option<&'a [u8]>,
}

/// The same while it is being read.
struct Draft<'a> {
    options: Options,
    family: Family,
    destination: Option<Prefix>,
    device: Option<&'a [u8]>,
    has_gateway: bool,
    wanted: Wanted<'a>,
}

/// What a keyword is for that no ioctl serves: its operand is looked at all the same.
enum Operand {
    /// A number; 0 changes nothing.
    Number,
    /// A time, likewise.
    Time,
    /// 0 or 1, likewise.
    Switch,
    /// One of these words.
    OneOf(&'static [&'static str]),
    Any,
    /// No operand.
    None,
}

/// Keywords that no ioctl serves, in the words of their complaint; whether they may be cut short.
const BEYOND: [(&str, bool, Operand); 16] = [
    ("mtu", false, Operand::Number),
    ("hoplimit", false, Operand::Number),
    ("reordering", true, Operand::Number),
    ("rto_min", false, Operand::Time),
    ("cwnd", true, Operand::Number),
    ("initcwnd", false, Operand::Number),
    ("initrwnd", false, Operand::Number),
    ("features", false, Operand::OneOf(&["ecn"])),
    ("quickack", false, Operand::Switch),
    ("congctl", false, Operand::Any),
    ("rttvar", false, Operand::Time),
    ("ssthresh", true, Operand::Number),
    ("realms", true, Operand::Number),
    ("fastopen_no_cookie", false, Operand::Switch),
    ("ttl-propagate", false, Operand::OneOf(&["enabled", "disabled"])),
    ("nexthop", false, Operand::None),
];

/// Keywords that ss060323 did not know yet: to it they were destinations.
const LATER: [&str; 15] = [
    "as",
    "expires",
    "vrf",
    "pref",
    "nhid",
    "encap",
    "hoplimit",
    "rto_min",
    "initcwnd",
    "initrwnd",
    "features",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
    "ttl-propagate",
];

impl<'a> Wanted<'a> {
    /// Reads the words after the verb, and looks up the device.
    ///
    /// # Errors
    /// As iproute2's `iproute_modify`.
    pub(super) fn parse(kernel: &Kernel, options: Options, mut words: Words<'a>) -> Result<Self, Failure> {
        let mut draft = Draft::new(options);
        while let Some(word) = words.next() {
            if !draft.take(word, &mut words)? {
                draft.set_destination(word, &mut words, options)?;
            }
        }
        let mut wanted = draft.wanted;
        // what was meant without a destination was the default route
        let former = (!options.era.ip().needs_destination).then_some(Prefix::All);
        wanted.destination = match (draft.destination.or(former).ok_or_else(usage)?, draft.family) {
            (Prefix::Net { net, .. }, _) => net,
            (Prefix::All, Family::Inet6) => IpNet::V6(Ipv6Net::default()),
            (Prefix::All, _) => IpNet::V4(Ipv4Net::default()),
        };
        wanted.device = draft.device.map(|device| proper_name(kernel, device)).transpose()?;
        if wanted.table == table::ALL {
            // addresses of this host, and the like, have a table of their own
            wanted.table = if matches!(wanted.kind, Some(2..=4 | 10)) { table::LOCAL } else { table::MAIN };
        }
        Ok(wanted)
    }

    /// Whether it is in the one table that ioctls know.
    pub(super) fn is_in_main(&self) -> bool {
        self.table == table::MAIN
    }

    /// Whether the scope is none in particular.
    pub(super) fn has_any_scope(&self) -> bool {
        self.scope.is_none_or(|scope| scope == scope::NOWHERE)
    }

    /// Whether a packet's time to the other end and back can be told by ioctl, in whole milliseconds.
    pub(super) fn has_whole_round_trip(&self) -> bool {
        self.is_whole_round_trip && self.tcp.round_trip <= u16::MAX.into()
    }
}

impl<'a> Draft<'a> {
    fn new(options: Options) -> Self {
        Draft {
            options,
            family: options.family,
            destination: None,
            device: None,
            has_gateway: false,
            wanted: Wanted {
                destination: IpNet::default(),
                kind: None,
                from: None,
                gateway: None,
                device: None,
                source: None,
                scope: None,
                protocol: None,
                metric: 0,
                tos: 0,
                tcp: Tcp::default(),
                is_whole_round_trip: true,
                is_onlink: false,
                preference: 0,
                expires: 0,
                table: table::ALL,
                has_other_ways: false,
                beyond: None,
            },
        }
    }

    /// Takes a keyword with its operands; false if the word is none.
    fn take(&mut self, word: &'a [u8], words: &mut Words<'a>) -> Result<bool, Failure> {
        let is = |keyword: &str| word == keyword.as_bytes();
        let options = self.options;
        let begins = |keyword| options.means(word, keyword);
        match () {
            () if options.era.lacks(word, &LATER) => return Ok(false),
            // what went again: the sharing of packets among several ways
            () if !options.era.knows(Era::Today) && (begins("equalize") || is("eql")) => {
                self.wanted.beyond.get_or_insert(word);
            }
            () if !options.era.knows(Era::Today) && (is("mpath") || is("mp")) => {
                words.operand()?;
                self.wanted.beyond.get_or_insert(word);
            }
            () if is("src") => self.wanted.source = Some(self.address(words.operand()?)?),
            () if is("as") => {
                let word = words.operand()?;
                let word = if word == b"to" { words.operand()? } else { word };
                self.address(word)?; // the kernel does not look at it
            }
            () if is("via") => self.set_gateway(word, words)?,
            () if is("from") => self.wanted.from = Some(self.prefix(words.operand()?)?),
            () if is("tos") || begins("dsfield") => {
                let value = words.operand()?;
                let tos = names::tos_number(value);
                self.wanted.tos = tos.ok_or_else(|| wrong(value, "\"tos\" value is invalid\n"))?;
            }
            () if is("expires") => self.wanted.expires = whole(words.operand()?, "expires")?,
            () if begins("metric") || begins("priority") || is("preference") => {
                self.wanted.metric = whole(words.operand()?, "metric")?;
            }
            () if is("scope") => {
                let value = words.operand()?;
                let scope = names::scope_number(value);
                self.wanted.scope = Some(scope.ok_or_else(|| wrong(value, "invalid \"scope\" value\n"))?);
            }
            () if is("advmss") => self.wanted.tcp.segment = whole(self.unlocked(word, words)?, "mss")?,
            () if is("rtt") => {
                let value = self.unlocked(word, words)?;
                let eighths = time(value).ok_or_else(|| wrong(value, "\"rtt\" value is invalid\n"))?;
                self.wanted.is_whole_round_trip = eighths % 8 == 0;
                self.wanted.tcp.round_trip = eighths / 8;
            }
            () if begins("window") => self.wanted.tcp.window = whole(self.unlocked(word, words)?, "window")?,
            () if is("onlink") => self.wanted.is_onlink = true,
            () if begins("protocol") => {
                let value = words.operand()?;
                let protocol = names::protocol_number(value);
                self.wanted.protocol = Some(protocol.ok_or_else(|| wrong(value, "\"protocol\" value is invalid\n"))?);
            }
            () if begins("table") => {
                let value = words.operand()?;
                let table = names::table_number(value);
                self.wanted.table = table.ok_or_else(|| wrong(value, "\"table\" value is invalid\n"))?;
            }
            () if is("vrf") => return Err(wrong(words.operand()?, "Invalid VRF\n")),
            () if is("dev") || is("oif") => self.device = Some(words.operand()?),
            () if is("pref") => self.wanted.preference = preference(words.operand()?)?,
            () if is("nhid") => {
                let value = words.operand()?;
                number(value).ok_or_else(|| wrong(value, "\"id\" value is invalid\n"))?;
                self.wanted.beyond.get_or_insert(word);
                self.wanted.has_other_ways = true;
            }
            () if is("encap") => {
                words.operand()?;
                self.wanted.beyond.get_or_insert(word);
            }
            () => return self.take_beyond(word, words),
        }
        Ok(true)
    }

    fn take_beyond(&mut self, word: &'a [u8], words: &mut Words<'a>) -> Result<bool, Failure> {
        let is_meant = |(keyword, may_be_short, _): &&(&str, bool, Operand)| match may_be_short {
            true => self.options.means(word, keyword),
            false => keyword.as_bytes() == word,
        };
        let Some((keyword, _, operand)) = BEYOND.iter().find(is_meant) else { return Ok(false) };
        // complaints speak of one realm, and have other words for a feature
        let (keyword, reason) = match *keyword {
            "realms" => ("realm", "value is invalid"),
            "features" => ("features", "value not valid"),
            keyword => (keyword, "value is invalid"),
        };
        let invalid = |value| wrong(value, &format!("\"{keyword}\" {reason}\n"));
        let changes_something = match operand {
            Operand::Number | Operand::Switch => {
                let value = self.unlocked(word, words)?;
                let number = number(value).ok_or_else(|| invalid(value))?;
                if matches!(operand, Operand::Switch) && number > 1 {
                    return Err(wrong(value, &format!("\"{keyword}\" value should be 0 or 1\n")));
                }
                number != 0
            }
            Operand::Time => {
                let value = self.unlocked(word, words)?;
                time(value).ok_or_else(|| invalid(value))? != 0
            }
            Operand::OneOf(known) => {
                let value = words.operand()?;
                if !known.iter().any(|word| word.as_bytes() == value) {
                    return Err(invalid(value));
                }
                true
            }
            Operand::Any => {
                words.operand()?;
                true
            }
            Operand::None => {
                // the rest describes one way after the other
                if words.peek().is_none() {
                    let text = line!("Error: unexpected end of line after \"nexthop\"");
                    return Err(Failure::new(text).with_status(255));
                }
                while words.next().is_some() {}
                self.wanted.has_other_ways = true;
                true
            }
        };
        if changes_something {
            self.wanted.beyond.get_or_insert(word);
        }
        Ok(true)
    }

    /// The operand of a keyword whose value may be locked, which no ioctl does.
    fn unlocked(&mut self, keyword: &'a [u8], words: &mut Words<'a>) -> Result<&'a [u8], Failure> {
        let word = words.operand()?;
        if word != b"lock" {
            return Ok(word);
        }
        self.wanted.beyond.get_or_insert(keyword);
        words.operand()
    }

    /// `via [FAMILY] ADDRESS`
    fn set_gateway(&mut self, keyword: &'a [u8], words: &mut Words<'a>) -> Outcome {
        if self.has_gateway {
            return Err(wrong(keyword, "use nexthop syntax to specify multiple via\n"));
        }
        self.has_gateway = true;
        let era = self.options.era;
        let names_family = era.ip().via_family;
        let word = words.operand()?;
        let (family, word) = match word {
            b"inet" if names_family => (Family::Inet, words.operand()?),
            b"inet6" if names_family => (Family::Inet6, words.operand()?),
            _ => (self.family, word),
        };
        let gateway = prefix::address(era, word, family)?;
        if self.family == Family::Any {
            self.family = Family::of(gateway);
        }
        if !self.family.includes(gateway) {
            self.wanted.beyond.get_or_insert(word);
            self.wanted.has_other_ways = true;
        }
        self.wanted.gateway = Some(gateway);
        Ok(())
    }

    /// `[to] [TYPE] PREFIX`
    fn set_destination(&mut self, word: &'a [u8], words: &mut Words<'a>, options: Options) -> Outcome {
        let mut word = if word == b"to" { words.operand()? } else { word };
        if !word.first().is_some_and(u8::is_ascii_digit)
            && let Some(kind) = names::kind_number(word)
        {
            self.wanted.kind = Some(kind);
            word = words.operand()?;
        }
        if options.means(word, "help") {
            return Err(usage());
        }
        if self.destination.is_some() {
            // what a listing says of a link, not of a route
            if [&b"linkdown"[..], b"dead"].contains(&word) {
                return Ok(());
            }
            return Err(garbage("to", word));
        }
        if options.link_only {
            let reason = "\" may be inet prefix, but it is not allowed in this context.";
            return Err(Failure::new(line!("Error: \"", word, reason)));
        }
        self.destination = Some(self.prefix(word)?);
        Ok(())
    }

    fn prefix(&mut self, word: &[u8]) -> Result<Prefix, Failure> {
        let prefix = prefix::prefix(self.options.era, word, self.family)?;
        if let (Prefix::Net { net, .. }, Family::Any) = (prefix, self.family) {
            self.family = Family::of(net.addr());
        }
        Ok(prefix)
    }

    fn address(&mut self, word: &[u8]) -> Result<IpAddr, Failure> {
        let address = prefix::address(self.options.era, word, self.family)?;
        if self.family == Family::Any {
            self.family = Family::of(address);
        }
        Ok(address)
    }
}

fn whole(word: &[u8], what: &str) -> Result<u32, Failure> {
    number(word).ok_or_else(|| wrong(word, &format!("\"{what}\" value is invalid\n")))
}

fn preference(word: &[u8]) -> Result<u8, Failure> {
    match word {
        b"medium" => Ok(0),
        b"high" => Ok(1),
        b"low" => Ok(3),
        // the kernel takes what makes no sense for medium
        _ => match number(word).and_then(|number| u8::try_from(number).ok()) {
            Some(number @ (1 | 3)) => Ok(number),
            Some(_) => Ok(0),
            None => Err(wrong(word, "\"pref\" value is invalid\n")),
        },
    }
}

/// A time in eighths of a millisecond, rounded up: `80`, `10ms`, `1.5s` (lib/utils.c, `get_time_rtt`). In whole numbers: to read
/// fractions as C does takes 15 KiB of tables.
fn time(word: &[u8]) -> Option<u32> {
    let text = str::from_utf8(word).ok()?.trim_ascii_start();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let split = unsigned.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(unsigned.len());
    let (value, unit) = unsigned.split_at(split);
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    // more digits than that make no difference
    let fraction = &fraction[..fraction.len().min(9)];
    let digits: u64 = [whole, fraction].concat().parse().ok()?;
    let eighths: u64 = match unit {
        "" => 1,
        "s" | "sec" | "secs" => 8000,
        "ms" | "msec" | "msecs" => 8,
        _ => return None,
    };
    if text.starts_with('-') {
        return Some(0);
    }
    let eighths = digits.saturating_mul(eighths).div_ceil(10u64.pow(fraction.len() as u32));
    Some(u32::try_from(eighths).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let known: [(&[u8], Option<u32>); 10] = [
            (b"80", Some(80)),
            (b"10ms", Some(80)),
            (b"10.5ms", Some(84)),
            (b"1.5s", Some(12000)),
            (b".0001s", Some(1)),
            (b"1.x", None),
            (b"1sec", Some(8000)),
            (b"-5", Some(0)),
            (b"1min", None),
            (b"", None),
        ];
        for (word, eighths) in known {
            assert_eq!(time(word), eighths, "{}", String::from_utf8_lossy(word));
        }
    }
}
