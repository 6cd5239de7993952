//! `ip neighbour`: the ARP table. /proc/net/arp lists it, SIOCSARP and SIOCDARP change it. IPv6's neighbours are in no file.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;
use nix::errno::Errno;

use super::color::Color;
use super::complaint::{duplicate, garbage, unreadable, wrong};
use super::device::{check_privilege, find_master, find_vrf, proper_name};
use super::dispatch::{Verb, dispatch, verb};
use super::fields::{Fields, print, print_records};
use super::hardware;
use super::keyword::{Keyword, exact, short};
use super::options::Options;
use super::route::names;
use super::usage;
use super::words::{Words, put, set};
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::json::Json;
use crate::kernel::{ArpEntry, Kernel, arp_flag};
use crate::net::Mac;
use crate::net::prefix::{Family, Notation, Prefix};
use crate::net::rtnetlink::Protocol;
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("add", |call, words| change(call, words, Action::Add)),
    verb("change", |call, words| change(call, words, Action::Change)),
    verb("chg", |call, words| change(call, words, Action::Change)),
    verb("replace", |call, words| change(call, words, Action::Replace)),
    verb("delete", |call, words| change(call, words, Action::Delete)),
    verb("get", get),
    verb("show", show),
    verb("lst", show),
    verb("list", show),
    verb("flush", flush),
    verb("help", |_, _| Err(usage::neigh())),
];

/// `ip neighbour [VERB ...]`
pub(super) fn run(call: &mut Call, words: Words) -> Outcome {
    dispatch(call, words, "neigh", VERBS, show)
}

/// States of a neighbour (`NUD_*`, linux/neighbour.h) by name.
const STATES: [(&str, u8); 9] = [
    ("none", 0),
    ("incomplete", 0x01),
    ("reachable", STATE_REACHABLE),
    ("stale", STATE_STALE),
    ("delay", 0x08),
    ("probe", 0x10),
    ("failed", STATE_FAILED),
    ("noarp", STATE_NOARP),
    ("permanent", STATE_PERMANENT),
];
const STATE_REACHABLE: u8 = 0x02;
const STATE_STALE: u8 = 0x04;
const STATE_FAILED: u8 = 0x20;
const STATE_NOARP: u8 = 0x40;
const STATE_PERMANENT: u8 = 0x80;

/// Parses a state: a name, which may be cut short, or a number.
fn state(word: &[u8]) -> Option<u8> {
    let named = STATES.iter().find(|(name, _)| !word.is_empty() && name.as_bytes().starts_with(word));
    named.map(|(_, state)| *state).or_else(|| super::number::get_u8(word))
}

/// Returns the state of an entry, as far as the file tells: one that answered may be reachable or waiting for a probe as well.
fn state_of(entry: &ArpEntry) -> u8 {
    match () {
        () if entry.flags & arp_flag::PERMANENT != 0 => STATE_PERMANENT,
        () if entry.flags & arp_flag::COMPLETE != 0 => STATE_STALE,
        () => STATE_FAILED,
    }
}

#[derive(Default)]
struct NeighFilter<'a> {
    device: Option<&'a [u8]>,
    master: Option<Master<'a>>,
    to: Option<IpNet>,
    states: Option<u8>,
    proxy: bool,
    /// Entries of a routing protocol. Those that a file shows have none.
    of_protocol: bool,
}

/// What a neighbour's link must belong to.
#[derive(Clone, Copy)]
enum Master<'a> {
    Link(&'a [u8]),
    Vrf(&'a [u8]),
    None,
}

type Read = for<'a> fn(&mut NeighFilter<'a>, &mut Words<'a>) -> Outcome;

const FILTER: &[Keyword<Read>] = &[
    exact("dev", |filter, words| {
        let word = words.operand()?;
        filter.device.replace(word).map_or(Ok(()), |_| Err(duplicate("dev", word)))
    }),
    exact("master", |filter, words| put(&mut filter.master, words.operand().map(Master::Link))),
    exact("vrf", |filter, words| put(&mut filter.master, words.operand().map(Master::Vrf))),
    exact("nomaster", |filter, _| put(&mut filter.master, Ok(Master::None))),
    exact("unused", |_, _| Ok(())),
    exact("nud", |filter, words| {
        let word = words.operand()?;
        let states =
            if word == b"all" { Some(!0) } else { state(word).map(|state| filter.states.unwrap_or(0) | state) };
        filter.states = Some(states.ok_or_else(|| wrong(word, "nud state is bad"))?);
        Ok(())
    }),
    exact("proxy", |filter, _| set(&mut filter.proxy, Ok(true))),
    short("protocol", |filter, words| {
        let word = words.operand()?;
        let protocol = if word == b"all" { Some(Protocol(0)) } else { names::protocol(word) };
        let protocol = protocol.ok_or_else(|| wrong(word, "invalid \"protocol\"\n"))?;
        set(&mut filter.of_protocol, Ok(protocol != Protocol(0)))
    }),
];

impl<'a> NeighFilter<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, Failure> {
        let mut filter = NeighFilter::default();
        while let Some(word) = words.peek() {
            match words.take_keyword(FILTER) {
                Some(keyword) => (keyword.meaning)(&mut filter, words)?,
                None => {
                    if word == b"to" {
                        words.operand()?;
                    }
                    if words.is_next_short_for("help") {
                        return Err(usage::neigh());
                    }
                    filter.to = match words.prefix()? {
                        Prefix::Net { net, .. } => Some(net),
                        Prefix::All => None,
                    };
                }
            }
        }
        Ok(filter)
    }

    /// Returns the entries that fit, and warns of IPv6's, which are in no file; `not_done` says what becomes of them.
    fn entries(&self, call: &mut Call, words: &Words, states: u8, not_done: &str) -> Result<Vec<ArpEntry>, Failure> {
        let (kernel, family, options) = (call.kernel, words.family, words.options);
        let master = match self.master {
            Some(Master::Link(word)) => Some(Some(find_master(kernel, word)?)),
            Some(Master::Vrf(word)) => Some(Some(find_vrf(kernel, word)?)),
            Some(Master::None) => Some(None),
            None => None,
        };
        let device = self.device.map(|device| proper_name(kernel, device)).transpose()?;
        match options.other_family {
            Some("bridge") => return Err(needs_netlink("the forwarding database", "use brctl showmacs")),
            _ if options.link_only || options.other_family.is_some() => return Ok(Vec::new()),
            _ => (),
        }
        if family == Family::Inet6 {
            return Err(needs_netlink("a list of IPv6 neighbours", "no file has them"));
        }
        let states = self.states.unwrap_or(states);
        let mut entries = call.kernel.arp_table().map_err(unreadable)?;
        entries.retain(|entry| {
            !self.of_protocol
                && (entry.flags & arp_flag::PUBLISHED != 0) == self.proxy
                && device.as_ref().is_none_or(|device| entry.link == *device)
                && master.as_ref().is_none_or(|master| kernel.link_master(entry.link.as_bytes()) == *master)
                && self.to.is_none_or(|net| net.contains(&IpAddr::V4(entry.address)))
                && (self.proxy || state_of(entry) & states != 0)
        });
        let has_ipv6 = |kernel: &Kernel| kernel.addresses_v6().is_ok_and(|all| all.iter().any(|own| own.link != "lo"));
        if family == Family::Any && !self.proxy && has_ipv6(call.kernel) {
            let _ = call.err.write_all(&line!("ip: IPv6 neighbours need netlink: they are not ", not_done));
        }
        Ok(entries)
    }
}

/// `ip neighbour show [proxy] [to PREFIX] [dev DEVICE] [nud STATE]`
fn show(call: &mut Call, mut words: Words) -> Outcome {
    let filter = NeighFilter::parse(&mut words)?;
    let mut fields = Fields::of(words.options);
    for entry in filter.entries(call, &words, !STATE_NOARP, "listed")? {
        match words.options.brief {
            true => put_brief(&mut fields, &entry, filter.device.is_none()),
            false => put_entry(&mut fields, &entry, filter.device.is_none(), filter.proxy),
        }
        fields.end_record();
    }
    print_records(call.out, [fields], words.options);
    Ok(())
}

/// `ip neighbour flush [proxy] [to PREFIX] [dev DEVICE] [nud STATE]`: deletes what `show` lists, without a state those that are not
/// permanent.
fn flush(call: &mut Call, mut words: Words) -> Outcome {
    if words.is_empty() {
        return Err(Failure::new(line!("Flush requires arguments.")));
    }
    let filter = NeighFilter::parse(&mut words)?;
    let entries = filter.entries(call, &words, !(STATE_PERMANENT | STATE_NOARP), "flushed")?;
    let statistics = words.options.statistics;
    if entries.is_empty() {
        print(call.out, if statistics > 0 { "Nothing to flush.\n" } else { "" });
        return Ok(());
    }
    let mut fields = Fields::new(false);
    for entry in &entries {
        if statistics > 1 {
            put_entry(&mut fields, entry, filter.device.is_none(), filter.proxy);
        }
        call.kernel.delete_arp(entry.link.as_bytes(), entry.address, filter.proxy).or_else(|errno| match errno {
            // has gone by itself
            Errno::ENOENT => Ok(()),
            errno => Err(Failure::new(line!("Failed to send flush request: ", errno_text(errno)))),
        })?;
    }
    if statistics > 0 {
        let count = entries.len();
        fields.print_text(format_args!(
            "\n*** Round 1, deleting {count} entries ***\n*** Flush is complete after 1 round ***\n"
        ));
    }
    print(call.out, fields.into_text());
    Ok(())
}

/// `ip neighbour get { ADDRESS | proxy ADDRESS } dev DEVICE`
fn get(call: &mut Call, mut words: Words) -> Outcome {
    let mut args = NeighArgs::default();
    while let Some(word) = words.peek() {
        match word {
            b"dev" => {
                words.next();
                args.device = Some(words.operand()?);
            }
            _ if words.options.is_short_for(word, "proxy") => {
                words.next();
                args.proxy = true;
                set_address(&mut args, &mut words, true)?;
            }
            _ => {
                if word == b"to" {
                    words.next();
                }
                set_address(&mut args, &mut words, false)?;
            }
        }
    }
    let (Some(address), Some(device)) = (args.address, args.device) else {
        return Err(Failure::new(line!("Device and address are required arguments.")));
    };
    let device = proper_name(call.kernel, device)?;
    let IpAddr::V4(address) = address else {
        return Err(needs_netlink("an IPv6 neighbour", "no file has them"));
    };
    let Some(entry) = find(call.kernel, device.as_bytes(), address, args.proxy)? else {
        let text = if args.proxy { "Proxy neighbour entry not found." } else { "Neighbour entry not found." };
        return Err(explained(Errno::ENOENT, text));
    };
    // iproute2 has no JSON for a single one
    let options = Options { json: false, ..words.options };
    let mut fields = Fields::of(options);
    put_entry(&mut fields, &entry, true, args.proxy);
    print_records(call.out, [fields], options);
    Ok(())
}

/// Returns the entry for an address on a device.
fn find(kernel: &Kernel, device: &[u8], address: Ipv4Addr, is_proxy: bool) -> Result<Option<ArpEntry>, Failure> {
    let is_it = |entry: &ArpEntry| {
        entry.address == address
            && entry.link.as_bytes() == device
            && (entry.flags & arp_flag::PUBLISHED != 0) == is_proxy
    };
    Ok(kernel.arp_table().map_err(unreadable)?.into_iter().find(is_it))
}

/// Puts what `ip -br` shows of an entry.
fn put_brief(fields: &mut Fields, entry: &ArpEntry, with_device: bool) {
    let address = entry.address.to_string();
    fields.colored(Some(Color::Ipv4), |fields| fields.print("dst", address.as_str(), format_args!("{address:<39} ")));
    if with_device {
        let link = entry.link.to_string_lossy();
        fields.colored(Some(Color::Name), |fields| fields.print("dev", &*link, format_args!("{link:<16} ")));
    }
    if state_of(entry) != STATE_FAILED && entry.flags & arp_flag::PUBLISHED == 0 {
        let mac = entry.mac.to_string();
        fields.colored(Some(Color::Hardware), |fields| fields.put("lladdr", mac.as_str(), &mac));
    }
    fields.text("\n");
}

fn put_entry(fields: &mut Fields, entry: &ArpEntry, with_device: bool, is_proxy: bool) {
    let address = entry.address.to_string();
    fields.colored(Some(Color::Ipv4), |fields| fields.put("dst", address.as_str(), format!("{address} ")));
    if with_device {
        let link = entry.link.as_bytes();
        fields.text("dev ");
        fields.colored(Some(Color::Name), |fields| fields.put("dev", link, [link, b" "].concat()));
    }
    if is_proxy {
        fields.put("proxy", Json::Null, "proxy ");
        return fields.text("\n");
    }
    let state = state_of(entry);
    if state != STATE_FAILED {
        let mac = entry.mac.to_string();
        fields.text("lladdr ");
        fields.colored(Some(Color::Hardware), |fields| fields.put("lladdr", mac.as_str(), format!("{mac} ")));
    }
    let name =
        STATES.iter().find(|(_, number)| *number == state).map_or(String::new(), |(name, _)| name.to_uppercase());
    fields.text(format!("{name} \n"));
    fields.json("state", Json::List(vec![Json::from(name.as_str())]));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Add,
    Change,
    Replace,
    Delete,
}

#[derive(Default)]
struct NeighArgs<'a> {
    address: Option<IpAddr>,
    device: Option<&'a [u8]>,
    mac: Option<&'a [u8]>,
    state: Option<u8>,
    proxy: bool,
    unsupported: Option<&'static str>,
}

type ReadArgs = for<'a> fn(&mut NeighArgs<'a>, &mut Words<'a>) -> Outcome;

const KEYWORDS: &[Keyword<ReadArgs>] = &[
    short("lladdr", |args, words| {
        let word = words.operand()?;
        match args.mac.replace(word) {
            None => Ok(()),
            Some(_) => Err(duplicate("lladdr", word)),
        }
    }),
    exact("nud", |args, words| {
        let word = words.operand()?;
        args.state = Some(state(word).ok_or_else(|| wrong(word, "nud state is bad"))?);
        Ok(())
    }),
    short("proxy", |args, words| {
        args.proxy = true;
        set_address(args, words, true)
    }),
    exact("router", |args, _| refuse(args, "router")),
    exact("managed", |args, _| refuse(args, "managed")),
    exact("use", |args, _| refuse(args, "use")),
    short("extern_learn", |args, _| refuse(args, "extern_learn")),
    exact("dev", |args, words| put(&mut args.device, words.operand())),
    short("protocol", |args, words| {
        words.parse(names::protocol, "\"protocol\" value is invalid\n")?;
        refuse(args, "protocol")
    }),
];

fn refuse(args: &mut NeighArgs, word: &'static str) -> Outcome {
    args.unsupported.get_or_insert(word);
    Ok(())
}

/// Takes the address, which may stand behind `proxy`.
fn set_address<'a>(args: &mut NeighArgs<'a>, words: &mut Words<'a>, is_proxy: bool) -> Outcome {
    if words.is_next_short_for("help") {
        return Err(usage::neigh());
    }
    if args.address.is_some() {
        let word = words.operand()?;
        return Err(if is_proxy { duplicate("address", word) } else { garbage("to", word) });
    }
    // of no family: as if none had been given
    if matches!(words.peek(), Some(b"any" | b"all" | b"default")) {
        return words.operand().map(drop);
    }
    put(&mut args.address, words.address())
}

/// `ip neighbour add | change | replace | delete ADDRESS [lladdr ADDRESS] [nud STATE] [proxy ADDRESS] dev DEVICE`
fn change(call: &mut Call, mut words: Words, action: Action) -> Outcome {
    let mut args = NeighArgs::default();
    while let Some(word) = words.peek() {
        match words.take_keyword(KEYWORDS) {
            Some(keyword) => (keyword.meaning)(&mut args, &mut words)?,
            None => {
                if word == b"to" {
                    words.operand()?;
                }
                set_address(&mut args, &mut words, false)?;
            }
        }
    }
    if args.proxy && args.address.is_some() && args.device.is_none() {
        return Err(needs_netlink("a proxy entry for every device", "name one"));
    }
    let (Some(address), Some(device)) = (args.address, args.device) else {
        return Err(Failure::new(line!("Device and destination are required arguments.")).with_status(255));
    };
    let mac = args.mac.filter(|word| *word != b"null");
    let mac = mac.map(|word| hardware::address(word, 20, Notation::C)).transpose()?;
    let device = proper_name(call.kernel, device)?;
    check_privilege(call.kernel)?;
    let IpAddr::V4(address) = address else {
        return Err(needs_netlink("an IPv6 neighbour", "no ioctl changes them"));
    };
    if let Some(word) = args.unsupported {
        return Err(needs_netlink(word, "leave it out"));
    }
    // the kernel takes as many octets as the device has
    let mac = match mac.as_deref().map(<[u8]>::first_chunk) {
        Some(None) => return Err(explained(Errno::EINVAL, "Invalid link address.")),
        octets => octets.flatten().map(|octets| Mac(*octets)),
    };
    run_change(call.kernel, device.as_bytes(), address, mac, &args, action)
}

fn run_change(
    kernel: &Kernel,
    device: &[u8],
    address: Ipv4Addr,
    mac: Option<Mac>,
    args: &NeighArgs,
    action: Action,
) -> Outcome {
    let found = find(kernel, device, address, args.proxy)?;
    match (action, &found) {
        (Action::Delete | Action::Change, None) => return Err(refused(Errno::ENOENT)),
        (Action::Delete, Some(_)) => return kernel.delete_arp(device, address, args.proxy).map_err(refused),
        (Action::Add, Some(_)) if !args.proxy => return Err(refused(Errno::EEXIST)),
        _ => (),
    }
    if args.proxy {
        return kernel.publish_arp(device, address).map_err(refused);
    }
    let state = args.state.unwrap_or(STATE_PERMANENT);
    // one that has an address keeps it
    let mac = mac.or(found.filter(|entry| state_of(entry) != STATE_FAILED).map(|entry| entry.mac));
    match (state, mac) {
        (STATE_PERMANENT | STATE_STALE, Some(mac)) => {
            kernel.set_arp(device, address, mac, state == STATE_PERMANENT).map_err(refused)
        }
        (STATE_PERMANENT | STATE_STALE, None) => Err(explained(Errno::EINVAL, "No link layer address given.")),
        _ => Err(needs_netlink("this state of a neighbour", "use permanent or stale")),
    }
}
