//! The words after `ip link add`, `set` and `delete`, which have one grammar.

use std::ffi::OsString;

use crate::error::{Failure, Outcome, line};
use crate::ip::complaint::{duplicate, garbage, wrong};
use crate::ip::deferred::Deferred;
use crate::ip::device::{find_master, find_vrf, is_name};
use crate::ip::hardware;
use crate::ip::keyword::{Keyword, exact, short};
use crate::ip::number;
use crate::ip::usage;
use crate::ip::words::{Words, put};
use crate::kernel::{Kernel, flag};
use crate::net::number::atoi;
use crate::net::prefix::Notation;

/// What the words say.
#[derive(Debug, Default)]
pub(super) struct LinkArgs<'a> {
    /// The link, as typed.
    pub(super) device: Option<&'a [u8]>,
    /// Its new name.
    pub(super) name: Option<&'a [u8]>,
    /// The link below a new one.
    pub(super) lower: Option<&'a [u8]>,
    pub(super) index: Option<i32>,
    pub(super) address: Option<Vec<u8>>,
    pub(super) broadcast: Option<Vec<u8>>,
    pub(super) mtu: Option<i32>,
    pub(super) queue_length: Option<i32>,
    pub(super) flags: Flags,
    pub(super) alias: Option<&'a [u8]>,
    pub(super) group: Option<u32>,
    /// Its new bridge (or bond) by its proper name, or none.
    pub(super) master: Option<Option<OsString>>,
    pub(super) carrier: Option<bool>,
    pub(super) proto_down: Option<bool>,
    /// `addrgenmode none`: it is to make no IPv6 addresses by itself.
    pub(super) no_addrgen: bool,
    /// Numbers of queues for sending and receiving. Only a new link can be given them.
    queues: [Option<i32>; 2],
    pub(super) has_netns: bool,
    /// The first keyword that no ioctl serves.
    unsupported: Option<&'static str>,
    /// What follows `type`: the kind, and words that only the kind understands.
    pub(super) kind: Option<(&'a [u8], Words<'a>)>,
}

/// Flags to set, of those in the mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) set: u32,
    pub(super) mask: u32,
}

impl Flags {
    pub(super) fn change(&mut self, flag: u32, on: bool) {
        self.mask |= flag;
        self.set = if on { self.set | flag } else { self.set & !flag };
    }
}

/// What the host is asked for.
enum Lookup<'a> {
    Master(&'a [u8]),
    NoMaster,
    Vrf(&'a [u8]),
    /// The name of a network namespace, or a path to it.
    Netns(&'a [u8]),
}

/// The arguments while they are being parsed.
struct Parser<'a, 'p> {
    args: &'p mut LinkArgs<'a>,
    lookups: &'p mut Vec<Lookup<'a>>,
}

/// Reads the operand of a keyword.
type Read = for<'a> fn(&mut Parser<'a, '_>, &mut Words<'a>) -> Outcome;

/// What a keyword means.
#[derive(Clone, Copy)]
enum Meaning {
    Field(Read),
    /// Before `on` or `off`: a flag, and whether `on` sets it or clears it.
    Flag(u32, bool),
    /// Before `on` or `off`.
    Switch(fn(&mut LinkArgs, bool)),
    /// Before a word that is checked, and then refused: no ioctl serves it.
    Unsupported(fn(&mut Words) -> Outcome),
    /// Before words that only netlink understands, up to the end.
    RestUnsupported,
    /// The last of these keywords: what follows belongs to a kind of link.
    Type,
}

use Meaning::{Field, Flag, RestUnsupported, Switch, Unsupported};

/// In the order in which iproute2 compares them. What is no keyword is the link.
const KEYWORDS: &[Keyword<Meaning>] = &[
    exact("up", Field(|parser, _| change_flag(parser, flag::UP, true))),
    exact("down", Field(|parser, _| change_flag(parser, flag::UP, false))),
    exact("name", Field(set_name)),
    exact("index", Field(set_index)),
    short("link", Field(|parser, words| put(&mut parser.args.lower, words.operand()))),
    short("address", Field(|parser, words| put(&mut parser.args.address, hardware_address(words)))),
    short("broadcast", Field(|parser, words| put(&mut parser.args.broadcast, hardware_address(words)))),
    exact("brd", Field(|parser, words| put(&mut parser.args.broadcast, hardware_address(words)))),
    short("txqueuelen", Field(|parser, words| put_int(&mut parser.args.queue_length, "txqueuelen", words))),
    exact("qlen", Field(|parser, words| put_int(&mut parser.args.queue_length, "txqueuelen", words))),
    short("txqlen", Field(|parser, words| put_int(&mut parser.args.queue_length, "txqueuelen", words))),
    exact("mtu", Field(|parser, words| put_int(&mut parser.args.mtu, "mtu", words))),
    exact("xdpgeneric", RestUnsupported),
    exact("xdpdrv", RestUnsupported),
    exact("xdpoffload", RestUnsupported),
    exact("xdp", RestUnsupported),
    exact("netns", Field(set_netns)),
    exact("multicast", Flag(flag::MULTICAST, true)),
    exact("allmulticast", Flag(flag::ALLMULTI, true)),
    exact("promisc", Flag(flag::PROMISC, true)),
    exact("trailers", Flag(flag::NOTRAILERS, false)),
    exact("arp", Flag(flag::NOARP, false)),
    exact("carrier", Switch(|args, on| args.carrier = Some(on))),
    exact("vf", RestUnsupported),
    short("master", Field(|parser, words| look_up(parser, Lookup::Master(words.operand()?)))),
    exact("vrf", Field(set_vrf)),
    short("nomaster", Field(|parser, _| look_up(parser, Lookup::NoMaster))),
    short("dynamic", Flag(flag::DYNAMIC, true)),
    short("type", Meaning::Type),
    short("alias", Field(set_alias)),
    exact("group", Field(set_group)),
    exact("mode", Unsupported(|words| one_of(words, &["default", "dormant"], "Invalid link mode\n"))),
    exact("state", Unsupported(|words| one_of(words, &STATES, "Invalid operstate\n"))),
    short("numtxqueues", Field(|parser, words| put_int(&mut parser.args.queues[0], "numtxqueues", words))),
    short("numrxqueues", Field(|parser, words| put_int(&mut parser.args.queues[1], "numrxqueues", words))),
    short("addrgenmode", Field(set_addrgen)),
    short("link-netns", RestUnsupported),
    short("link-netnsid", RestUnsupported),
    exact("protodown", Switch(|args, on| args.proto_down = Some(on))),
    exact("protodown_reason", RestUnsupported),
    exact("gso_max_size", Unsupported(|words| a_number(words, "Invalid \"gso_max_size\" value\n"))),
    exact("gso_max_segs", Unsupported(|words| a_number(words, "Invalid \"gso_max_segs\" value\n"))),
    exact("gro_max_size", Unsupported(|words| a_number(words, "Invalid \"gro_max_size\" value\n"))),
    // for kinds of links that no ioctl makes
    exact("parentdev", Field(|_, words| words.operand().map(drop))),
    exact("dev", Field(set_device)),
];

/// RFC 2863's operational states.
const STATES: [&str; 7] = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

impl<'a> Parser<'a, '_> {
    /// Reads the words, up to `type KIND`.
    fn read(&mut self, mut words: Words<'a>) -> Outcome {
        while !words.is_empty() {
            match words.take_keyword(KEYWORDS) {
                Some(Keyword { meaning: Meaning::Type, .. }) => {
                    self.args.kind = Some((words.operand()?, words));
                    break;
                }
                Some(keyword) => self.take(keyword, &mut words)?,
                None if words.is_next_short_for("help") => return Err(usage::ip()),
                None => set_device(self, &mut words)?,
            }
        }
        self.args.conclude()
    }

    fn take(&mut self, keyword: &Keyword<Meaning>, words: &mut Words<'a>) -> Outcome {
        match keyword.meaning {
            Field(read) => read(self, words)?,
            Flag(flag, when) => {
                let on = on_or_off(words.operand()?).map_err(|word| not_a_flag(keyword.name, word))?;
                self.args.flags.change(flag, on == when);
            }
            Switch(change) => {
                change(self.args, switch(keyword.name, words.operand()?)?);
            }
            Unsupported(check) => {
                check(words)?;
                self.args.unsupported.get_or_insert(keyword.name);
            }
            RestUnsupported => {
                words.operand()?;
                self.args.unsupported.get_or_insert(keyword.name);
                words.for_each(drop);
            }
            Meaning::Type => (),
        }
        Ok(())
    }
}

fn change_flag(parser: &mut Parser, flag: u32, on: bool) -> Outcome {
    parser.args.flags.change(flag, on);
    Ok(())
}

fn look_up<'a>(parser: &mut Parser<'a, '_>, lookup: Lookup<'a>) -> Outcome {
    parser.lookups.push(lookup);
    Ok(())
}

fn set_name<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    let word = words.operand()?;
    match parser.args.name {
        Some(_) => Err(duplicate("name", word)),
        None if !is_name(word, 15) => Err(wrong(word, "\"name\" not a valid ifname")),
        None => put(&mut parser.args.name, Ok(word)),
    }
}

fn set_device<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    let word = words.operand()?;
    match parser.args.device {
        Some(_) => Err(garbage("dev", word)),
        // it may be an alternative name
        None if !is_name(word, 127) => Err(wrong(word, "\"dev\" not a valid ifname")),
        None => put(&mut parser.args.device, Ok(word)),
    }
}

fn set_index(parser: &mut Parser, words: &mut Words) -> Outcome {
    let word = words.operand()?;
    let index = Some(atoi(word)).filter(|index| *index > 0);
    match parser.args.index {
        Some(_) => Err(duplicate("index", word)),
        None => put(&mut parser.args.index, index.ok_or_else(|| wrong(word, "Invalid \"index\" value"))),
    }
}

fn set_group(parser: &mut Parser, words: &mut Words) -> Outcome {
    let word = words.operand()?;
    let group = number::group(word).ok_or_else(|| wrong(word, "Invalid \"group\" value\n"));
    match parser.args.group {
        Some(_) => Err(duplicate("group", word)),
        None => put(&mut parser.args.group, group),
    }
}

/// A network namespace: the number of a process in it, its name, or a path to it.
fn set_netns<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    let word = words.operand()?;
    if parser.args.has_netns {
        return Err(duplicate("netns", word));
    }
    parser.args.has_netns = true;
    match number::get_integer(word) {
        Some(_) => Ok(()),
        None => look_up(parser, Lookup::Netns(word)),
    }
}

fn set_vrf<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    parser.args.unsupported.get_or_insert("vrf");
    look_up(parser, Lookup::Vrf(words.operand()?))
}

/// An alias has at most 255 bytes (linux/if.h, IFALIASZ).
fn set_alias<'a>(parser: &mut Parser<'a, '_>, words: &mut Words<'a>) -> Outcome {
    let word = words.operand()?;
    put(&mut parser.args.alias, if word.len() < 256 { Ok(word) } else { Err(wrong(word, "alias too long\n")) })
}

fn set_addrgen(parser: &mut Parser, words: &mut Words) -> Outcome {
    let is_none = words.peek().is_some_and(|word| word.eq_ignore_ascii_case(b"none"));
    one_of(words, &["eui64", "none", "stable_secret", "random"], "Invalid address generation mode\n")?;
    parser.args.no_addrgen = is_none;
    if !is_none {
        parser.args.unsupported.get_or_insert("addrgenmode");
    }
    Ok(())
}

fn hardware_address(words: &mut Words) -> Result<Vec<u8>, Failure> {
    hardware::address(words.operand()?, 32, Notation::C)
}

impl<'a> LinkArgs<'a> {
    /// Parses the words, and looks up what they name on the host.
    pub(super) fn resolved(kernel: &Kernel, words: Words<'a>) -> Result<Self, Failure> {
        let parsed = Deferred::parse(|args, lookups| Parser { args, lookups }.read(words));
        parsed.resolve(|args: &mut Self, lookup| args.look_up(kernel, lookup))
    }

    fn look_up(&mut self, kernel: &Kernel, lookup: Lookup) -> Outcome {
        match lookup {
            Lookup::Master(word) => self.master = Some(Some(find_master(kernel, word)?)),
            Lookup::NoMaster => self.master = Some(None),
            Lookup::Vrf(word) => drop(find_vrf(kernel, word)?),
            Lookup::Netns(word) if !has_netns(kernel, word) => return Err(wrong(word, "Invalid \"netns\" value\n")),
            Lookup::Netns(_) => (),
        }
        Ok(())
    }

    /// Checks what takes all words to check.
    fn conclude(&mut self) -> Outcome {
        if self.unsupported == Some("vf") && self.device.is_none() {
            return Err(Failure::new(line!("Error: argument \"dev\" is required")).with_status(255));
        }
        self.device = self.device.or(self.name);
        // a link that is to have the name that it has
        self.name = self.name.filter(|name| Some(*name) != self.device);
        Ok(())
    }

    /// Drops the values that the kernel ignores in a request for a new link.
    pub(super) fn for_new(self) -> Self {
        LinkArgs { alias: None, carrier: None, proto_down: None, ..self }
    }

    /// Returns a keyword that no ioctl serves.
    pub(super) fn unsupported(&self) -> Option<&'static str> {
        self.unsupported.or(self.has_netns.then_some("netns"))
    }

    /// Returns a keyword that no ioctl serves for a new link.
    pub(super) fn unsupported_for_new(&self) -> Option<&'static str> {
        let [transmit, receive] = self.queues;
        let numbers = [("index", self.index), ("numtxqueues", transmit), ("numrxqueues", receive)];
        let given = numbers.into_iter().find(|(_, number)| number.is_some());
        self.unsupported().or(given.map(|(keyword, _)| keyword))
    }
}

fn has_netns(kernel: &Kernel, word: &[u8]) -> bool {
    let name = str::from_utf8(word).unwrap_or("");
    let path = if name.contains('/') { name.into() } else { format!("/var/run/netns/{name}") };
    !name.is_empty() && kernel.has_file(&path)
}

/// Puts a number where none has been put yet; -1 counts for none.
pub(super) fn put_int(field: &mut Option<i32>, name: &str, words: &mut Words) -> Outcome {
    let word = words.operand()?;
    if field.is_some_and(|number| number != -1) {
        return Err(duplicate(name, word));
    }
    put(field, number::get_integer(word).ok_or_else(|| wrong(word, &format!("Invalid \"{name}\" value\n"))))
}

/// Reads `on` or `off`. Another word is the error.
pub(super) fn on_or_off(word: &[u8]) -> Result<bool, &[u8]> {
    match word {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(word),
    }
}

fn not_a_flag(keyword: &str, word: &[u8]) -> Failure {
    Failure::new(line!("Error: argument of \"", keyword, "\" must be \"on\" or \"off\", not \"", word, "\""))
}

/// Reads `on` or `off`, which may be cut short: `o` is `off`. The status of an error is iproute2's -EINVAL.
pub(super) fn switch(keyword: &str, word: &[u8]) -> Result<bool, Failure> {
    match word {
        b"o" | b"of" | b"off" => Ok(false),
        b"on" => Ok(true),
        _ => {
            let text = line!("Error: argument of \"", keyword, "\" must be one of \"off\", \"on\", not \"", word, "\"");
            Err(Failure::new(text).with_status(22))
        }
    }
}

fn one_of(words: &mut Words, known: &[&str], reason: &str) -> Outcome {
    let is_known = |word: &[u8]| known.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes()));
    words.parse(|word| is_known(word).then_some(()), reason)
}

fn a_number(words: &mut Words, reason: &str) -> Outcome {
    words.parse(number::get_unsigned::<u32>, reason).map(drop)
}
