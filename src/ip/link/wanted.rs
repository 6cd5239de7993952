//! The words after `ip link add`, `set` and `delete`, which are the same for all three.

use std::ffi::OsString;

use super::{find, hardware, number};
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::{Words, is_short_for};
use crate::ip::{bytes, duplicate, garbage, usage, wrong};
use crate::kernel::{Kernel, flag};

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    /// The link that is meant, as it was typed.
    pub(super) device: Option<&'a [u8]>,
    /// The name that it is to have.
    pub(super) name: Option<&'a [u8]>,
    /// The link that it is to lie on.
    pub(super) below: Option<&'a [u8]>,
    pub(super) index: Option<i32>,
    pub(super) address: Option<Vec<u8>>,
    pub(super) broadcast: Option<Vec<u8>>,
    pub(super) mtu: Option<i32>,
    pub(super) queue_length: Option<i32>,
    pub(super) flags: Flags,
    pub(super) alias: Option<&'a [u8]>,
    pub(super) group: Option<u32>,
    /// The link that it is to belong to, or none.
    pub(super) master: Option<Option<OsString>>,
    pub(super) carrier: Option<bool>,
    pub(super) proto_down: Option<bool>,
    /// It is to make no IPv6 addresses by itself.
    pub(super) no_generation: bool,
    /// Numbers of queues, for sending and receiving: they mean something for a new link only.
    queues: [Option<i32>; 2],
    netns: bool,
    /// A word of which the rest only netlink can do.
    beyond: Option<&'static str>,
    /// What follows `type`: the kind, and words that only it understands.
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

/// A word that means something, and what follows it.
struct Keyword {
    name: &'static str,
    /// Whether its beginning is enough.
    may_be_short: bool,
    meaning: Meaning,
}

enum Meaning {
    /// Stands alone.
    Alone(fn(&mut Wanted)),
    /// Before `on` or `off`: a flag that is set then, or that is cleared.
    Flag { flag: u32, when: bool },
    /// Before `on` or `off`.
    Switch(fn(&mut Wanted, bool)),
    /// Before a word.
    Operand(for<'a> fn(&mut Wanted<'a>, &Kernel, &'a [u8]) -> Outcome),
    /// Before a word of which no ioctl can do anything, once it is found to be well-formed.
    Beyond(fn(&[u8]) -> Outcome),
    /// All that follows is netlink's.
    RestBeyond,
    /// The last of these keywords; what follows belongs to a kind of link.
    Type,
}

const fn short(name: &'static str, meaning: Meaning) -> Keyword {
    Keyword { name, may_be_short: true, meaning }
}

const fn whole(name: &'static str, meaning: Meaning) -> Keyword {
    Keyword { name, may_be_short: false, meaning }
}

/// In the order in which iproute2 tries them: a word means the first that it is, or is the beginning of.
const KEYWORDS: [Keyword; 45] = [
    whole("up", Meaning::Alone(|wanted| wanted.flags.change(flag::UP, true))),
    whole("down", Meaning::Alone(|wanted| wanted.flags.change(flag::UP, false))),
    whole("name", Meaning::Operand(|wanted, _, word| wanted.set_name(word))),
    whole("index", Meaning::Operand(|wanted, _, word| wanted.set_index(word))),
    short("link", Meaning::Operand(|wanted, _, word| put(&mut wanted.below, Ok(word)))),
    short("address", Meaning::Operand(|wanted, _, word| put(&mut wanted.address, hardware::address(Era::Today, word)))),
    short(
        "broadcast",
        Meaning::Operand(|wanted, _, word| put(&mut wanted.broadcast, hardware::address(Era::Today, word))),
    ),
    whole("brd", Meaning::Operand(|wanted, _, word| put(&mut wanted.broadcast, hardware::address(Era::Today, word)))),
    short("txqueuelen", Meaning::Operand(|wanted, _, word| put_int(&mut wanted.queue_length, "txqueuelen", word))),
    whole("qlen", Meaning::Operand(|wanted, _, word| put_int(&mut wanted.queue_length, "txqueuelen", word))),
    short("txqlen", Meaning::Operand(|wanted, _, word| put_int(&mut wanted.queue_length, "txqueuelen", word))),
    whole("mtu", Meaning::Operand(|wanted, _, word| put_int(&mut wanted.mtu, "mtu", word))),
    whole("xdpgeneric", Meaning::RestBeyond),
    whole("xdpdrv", Meaning::RestBeyond),
    whole("xdpoffload", Meaning::RestBeyond),
    whole("xdp", Meaning::RestBeyond),
    whole("netns", Meaning::Operand(|wanted, kernel, word| wanted.set_netns(kernel, word))),
    whole("multicast", Meaning::Flag { flag: flag::MULTICAST, when: true }),
    whole("allmulticast", Meaning::Flag { flag: flag::ALLMULTI, when: true }),
    whole("promisc", Meaning::Flag { flag: flag::PROMISC, when: true }),
    whole("trailers", Meaning::Flag { flag: flag::NOTRAILERS, when: false }),
    whole("arp", Meaning::Flag { flag: flag::NOARP, when: false }),
    whole("carrier", Meaning::Switch(|wanted, on| wanted.carrier = Some(on))),
    whole("vf", Meaning::RestBeyond),
    short("master", Meaning::Operand(|wanted, kernel, word| wanted.set_master(kernel, word))),
    whole("vrf", Meaning::Operand(|wanted, kernel, word| wanted.set_vrf(kernel, word))),
    short("nomaster", Meaning::Alone(|wanted| wanted.master = Some(None))),
    short("dynamic", Meaning::Flag { flag: flag::DYNAMIC, when: true }),
    short("type", Meaning::Type),
    short("alias", Meaning::Operand(|wanted, _, word| put(&mut wanted.alias, checked_alias(word)))),
    whole("group", Meaning::Operand(|wanted, _, word| wanted.set_group(word))),
    whole("mode", Meaning::Beyond(|word| one_of(word, &["default", "dormant"], "Invalid link mode\n"))),
    whole("state", Meaning::Beyond(|word| one_of(word, &STATES, "Invalid operstate\n"))),
    short("numtxqueues", Meaning::Operand(|wanted, _, word| put_int(&mut wanted.queues[0], "numtxqueues", word))),
    short("numrxqueues", Meaning::Operand(|wanted, _, word| put_int(&mut wanted.queues[1], "numrxqueues", word))),
    short("addrgenmode", Meaning::Operand(|wanted, _, word| wanted.set_generation(word))),
    short("link-netns", Meaning::RestBeyond),
    short("link-netnsid", Meaning::RestBeyond),
    whole("protodown", Meaning::Switch(|wanted, on| wanted.proto_down = Some(on))),
    whole("protodown_reason", Meaning::RestBeyond),
    whole("gso_max_size", Meaning::Beyond(|word| number_of(word, "Invalid \"gso_max_size\" value\n"))),
    whole("gso_max_segs", Meaning::Beyond(|word| number_of(word, "Invalid \"gso_max_segs\" value\n"))),
    whole("gro_max_size", Meaning::Beyond(|word| number_of(word, "Invalid \"gro_max_size\" value\n"))),
    // for links of another kind than can be made here
    whole("parentdev", Meaning::Operand(|_, _, _| Ok(()))),
    whole("dev", Meaning::Operand(|wanted, _, word| wanted.set_device(word))),
];

/// RFC 2863's operational states.
const STATES: [&str; 7] = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

impl<'a> Wanted<'a> {
    /// Reads the words, up to `type KIND`. What is no keyword is the link.
    pub(super) fn parse(kernel: &Kernel, mut words: Words<'a>) -> Result<Self, Failure> {
        let mut wanted = Wanted::default();
        while let Some(word) = words.next() {
            let is_meant = |keyword: &&Keyword| match keyword.may_be_short {
                true => is_short_for(word, keyword.name),
                false => word == keyword.name.as_bytes(),
            };
            match KEYWORDS.iter().find(is_meant) {
                Some(Keyword { meaning: Meaning::Type, .. }) => {
                    wanted.kind = Some((words.operand()?, words));
                    break;
                }
                Some(keyword) => wanted.take(kernel, keyword, &mut words)?,
                None if is_short_for(word, "help") => return Err(usage()),
                None => wanted.set_device(word)?,
            }
        }
        wanted.conclude()
    }

    fn take(&mut self, kernel: &Kernel, keyword: &Keyword, words: &mut Words<'a>) -> Outcome {
        match keyword.meaning {
            Meaning::Alone(change) => change(self),
            Meaning::Flag { flag, when } => match words.operand()? {
                b"on" => self.flags.change(flag, when),
                b"off" => self.flags.change(flag, !when),
                word => {
                    let text = line!(
                        "Error: argument of \"",
                        keyword.name,
                        "\" must be \"on\" or \"off\", not \"",
                        word,
                        "\""
                    );
                    return Err(Failure::new(text));
                }
            },
            Meaning::Switch(change) => match words.operand()? {
                b"on" => change(self, true),
                b"off" => change(self, false),
                word => {
                    let text = line!(
                        "Error: argument of \"",
                        keyword.name,
                        "\" must be one of \"off\", \"on\", not \"",
                        word,
                        "\""
                    );
                    // iproute2's -EINVAL
                    return Err(Failure::new(text).with_status(22));
                }
            },
            Meaning::Operand(read) => read(self, kernel, words.operand()?)?,
            Meaning::Beyond(check) => {
                check(words.operand()?)?;
                self.beyond.get_or_insert(keyword.name);
            }
            Meaning::RestBeyond => {
                words.operand()?;
                self.beyond.get_or_insert(keyword.name);
                words.for_each(drop);
            }
            Meaning::Type => (),
        }
        Ok(())
    }

    fn set_name(&mut self, word: &'a [u8]) -> Outcome {
        if self.name.is_some() {
            return Err(duplicate("name", word));
        }
        if !is_name(word, 15) {
            return Err(wrong(word, "\"name\" not a valid ifname"));
        }
        self.name = Some(word);
        Ok(())
    }

    fn set_device(&mut self, word: &'a [u8]) -> Outcome {
        if self.device.is_some() {
            return Err(garbage("dev", word));
        }
        // it may be an alternative name
        if !is_name(word, 127) {
            return Err(wrong(word, "\"dev\" not a valid ifname"));
        }
        self.device = Some(word);
        Ok(())
    }

    fn set_index(&mut self, word: &[u8]) -> Outcome {
        if self.index.is_some() {
            return Err(duplicate("index", word));
        }
        match number::leading(word) {
            index if index > 0 => self.index = Some(index),
            _ => return Err(wrong(word, "Invalid \"index\" value")),
        }
        Ok(())
    }

    fn set_group(&mut self, word: &[u8]) -> Outcome {
        if self.group.is_some() {
            return Err(duplicate("group", word));
        }
        let group = number::group(word).ok_or_else(|| wrong(word, "Invalid \"group\" value\n"));
        put(&mut self.group, group)
    }

    /// The name of a namespace, a path to it, or the number of a process that is in it.
    fn set_netns(&mut self, kernel: &Kernel, word: &[u8]) -> Outcome {
        if self.netns {
            return Err(duplicate("netns", word));
        }
        let named = || {
            let name = std::str::from_utf8(word).unwrap_or("");
            let path = if name.contains('/') { name.into() } else { format!("/var/run/netns/{name}") };
            !name.is_empty() && kernel.has_file(&path)
        };
        if number::integer(word).is_none() && !named() {
            return Err(wrong(word, "Invalid \"netns\" value\n"));
        }
        self.netns = true;
        Ok(())
    }

    fn set_generation(&mut self, word: &[u8]) -> Outcome {
        one_of(word, &["eui64", "none", "stable_secret", "random"], "Invalid address generation mode\n")?;
        self.no_generation = word.eq_ignore_ascii_case(b"none");
        if !self.no_generation {
            self.beyond.get_or_insert("addrgenmode");
        }
        Ok(())
    }

    fn set_master(&mut self, kernel: &Kernel, word: &[u8]) -> Outcome {
        let master = find(kernel, word).map_err(|_| wrong(word, "Device does not exist\n"));
        put(&mut self.master, master.map(Some))
    }

    fn set_vrf(&mut self, kernel: &Kernel, word: &[u8]) -> Outcome {
        match find(kernel, word) {
            Ok(vrf) if kernel.link_kind(bytes(&vrf)).as_deref() == Some("vrf") => {
                self.beyond.get_or_insert("vrf");
                Ok(())
            }
            _ => Err(wrong(word, "Not a valid VRF name\n")),
        }
    }

    /// What can only be said when all words are read.
    fn conclude(mut self) -> Result<Self, Failure> {
        if self.beyond == Some("vf") && self.device.is_none() {
            return Err(Failure::new(line!("Error: argument \"dev\" is required")).with_status(255));
        }
        self.device = self.device.or(self.name);
        // a link that is to have the name that it has
        self.name = self.name.filter(|name| Some(*name) != self.device);
        Ok(self)
    }

    /// Refuses a hardware address of another length than the link's.
    pub(super) fn check_address_length(&self, kernel: &Kernel) -> Outcome {
        let (Some(device), Some(address)) = (self.device, &self.address) else { return Ok(()) };
        match kernel.address_length(device) {
            Some(length) if length > 0 && length != address.len() => {
                let [given, length] = [address.len(), length].map(|length| length.to_string());
                Err(Failure::new(line!("Invalid address length ", given, " - must be ", length, " bytes")))
            }
            _ => Ok(()),
        }
    }

    /// The same without the values that the kernel does not look for in a request for a new link.
    pub(super) fn for_new(self) -> Self {
        Wanted { alias: None, carrier: None, proto_down: None, ..self }
    }

    /// A word of which no ioctl can do anything.
    pub(super) fn beyond(&self) -> Option<&'static str> {
        self.beyond.or(self.netns.then_some("netns"))
    }

    /// The same, where the link is to be made.
    pub(super) fn beyond_for_new(&self) -> Option<&'static str> {
        let [transmit, receive] = self.queues;
        self.beyond()
            .or(self.index.map(|_| "index"))
            .or(transmit.map(|_| "numtxqueues"))
            .or(receive.map(|_| "numrxqueues"))
    }

    /// Whether the link is to go to another network namespace.
    pub(super) fn netns(&self) -> bool {
        self.netns
    }
}

/// Keeps what was read.
fn put<T>(place: &mut Option<T>, read: Result<T, Failure>) -> Outcome {
    *place = Some(read?);
    Ok(())
}

/// Keeps a number. It must not be there already; but -1 counts for nothing.
fn put_int(place: &mut Option<i32>, name: &'static str, word: &[u8]) -> Outcome {
    if place.is_some_and(|number| number != -1) {
        return Err(duplicate(name, word));
    }
    put(place, number::integer(word).ok_or_else(|| wrong(word, &format!("Invalid \"{name}\" value\n"))))
}

/// An alias has at most 255 bytes (linux/if.h, IFALIASZ).
fn checked_alias(word: &[u8]) -> Result<&[u8], Failure> {
    if word.len() < 256 { Ok(word) } else { Err(wrong(word, "alias too long\n")) }
}

fn one_of(word: &[u8], words: &[&str], complaint: &str) -> Outcome {
    match words.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes())) {
        true => Ok(()),
        false => Err(wrong(word, complaint)),
    }
}

fn number_of(word: &[u8], complaint: &str) -> Outcome {
    number::unsigned::<u32>(word).map(drop).ok_or_else(|| wrong(word, complaint))
}

/// Whether iproute2 takes this for a name.
pub(in crate::ip) fn is_name(word: &[u8], longest: usize) -> bool {
    let is_odd = |byte: &u8| *byte == b'/' || byte.is_ascii_whitespace() || *byte == 0x0b;
    (1..=longest).contains(&word.len()) && !word.iter().any(is_odd)
}

#[cfg(test)]
mod tests {
    use super::KEYWORDS;

    #[test]
    fn keywords_have_names_of_their_own() {
        for (place, keyword) in KEYWORDS.iter().enumerate() {
            assert!(KEYWORDS[..place].iter().all(|other| other.name != keyword.name), "{} twice", keyword.name);
        }
    }
}
