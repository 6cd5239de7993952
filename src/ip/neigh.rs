//! `ip neighbour`: the ARP table. /proc/net/arp lists it, SIOCSARP and SIOCDARP change it. IPv6's neighbours are in no file.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;
use nix::errno::Errno;

use super::color::Color;
use super::complaint::{duplicate, garbage, unreadable, wrong};
use super::device::{check_privilege, proper_name};
use super::dispatch::{Verb, dispatch, verb};
use super::fields::{Fields, print_records};
use super::keyword::{Keyword, exact, short};
use super::usage;
use super::words::{Words, put, set};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::json::Json;
use crate::kernel::{ArpEntry, Kernel, arp_flag};
use crate::net::Mac;
use crate::net::prefix::{Family, Prefix};
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("add", |call, words| change(call, words, Action::Add)),
    verb("change", |call, words| change(call, words, Action::Change)),
    verb("chg", |call, words| change(call, words, Action::Change)),
    verb("replace", |call, words| change(call, words, Action::Replace)),
    verb("delete", |call, words| change(call, words, Action::Delete)),
    verb("get", |_, _| Err(needs_netlink("get", "use show"))),
    verb("show", show),
    verb("lst", show),
    verb("list", show),
    verb("flush", |_, _| Err(needs_netlink("flush", "use del"))),
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
    to: Option<IpNet>,
    states: Option<u8>,
    proxy: bool,
    /// Only entries that nothing here has: of a master, of a protocol.
    admits_none: bool,
}

type Read = for<'a> fn(&mut NeighFilter<'a>, &mut Words<'a>) -> Outcome;

const FILTER: &[Keyword<Read>] = &[
    exact("dev", |filter, words| put(&mut filter.device, words.operand())),
    exact("master", |filter, words| words.operand().map(|_| filter.admits_none = true)),
    exact("unused", |_, _| Ok(())),
    exact("nomaster", |_, _| Ok(())),
    exact("nud", |filter, words| {
        let word = words.operand()?;
        let states =
            if word == b"all" { Some(!0) } else { state(word).map(|state| filter.states.unwrap_or(0) | state) };
        filter.states = Some(states.ok_or_else(|| wrong(word, "nud state is bad"))?);
        Ok(())
    }),
    exact("proxy", |filter, _| set(&mut filter.proxy, Ok(true))),
];

/// `ip neighbour show [proxy] [to PREFIX] [dev DEVICE] [nud STATE]`
fn show(call: &mut Call, mut words: Words) -> Outcome {
    let options = words.options;
    let mut filter = NeighFilter::default();
    while let Some(word) = words.peek() {
        match words.take_keyword(FILTER) {
            Some(keyword) => (keyword.meaning)(&mut filter, &mut words)?,
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
    let device = filter.device.map(|device| proper_name(call.kernel, device)).transpose()?;
    if words.family == Family::Inet6 {
        return Err(needs_netlink("a list of IPv6 neighbours", "no file has them"));
    }
    let states = filter.states.unwrap_or(!STATE_NOARP);
    let is_listed = |entry: &&ArpEntry| {
        !filter.admits_none
            && (entry.flags & arp_flag::PUBLISHED != 0) == filter.proxy
            && device.as_ref().is_none_or(|device| entry.link == *device)
            && filter.to.is_none_or(|net| net.contains(&IpAddr::V4(entry.address)))
            && (filter.proxy || state_of(entry) & states != 0)
    };
    let mut fields = Fields::of(options);
    for entry in call.kernel.arp_table().map_err(unreadable)?.iter().filter(is_listed) {
        put_entry(&mut fields, entry, device.is_none(), filter.proxy);
        fields.end_record();
    }
    print_records(call.out, [fields], options);
    let has_ipv6 = |kernel: &Kernel| kernel.addresses_v6().is_ok_and(|all| all.iter().any(|own| own.link != "lo"));
    if words.family == Family::Any && !filter.proxy && has_ipv6(call.kernel) {
        let _ = call.err.write_all(&line!("ip: IPv6 neighbours need netlink: they are not listed"));
    }
    Ok(())
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
    exact("lladdr", |args, words| {
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
        set_address(args, words)
    }),
    exact("router", |args, _| refuse(args, "router")),
    exact("managed", |args, _| refuse(args, "managed")),
    exact("use", |args, _| refuse(args, "use")),
    exact("extern_learn", |args, _| refuse(args, "extern_learn")),
    exact("dev", |args, words| put(&mut args.device, words.operand())),
    exact("protocol", |args, words| words.operand().and_then(|_| refuse(args, "protocol"))),
];

fn refuse(args: &mut NeighArgs, word: &'static str) -> Outcome {
    args.unsupported.get_or_insert(word);
    Ok(())
}

fn set_address<'a>(args: &mut NeighArgs<'a>, words: &mut Words<'a>) -> Outcome {
    if words.is_next_short_for("help") {
        return Err(usage::neigh());
    }
    if args.address.is_some() {
        return Err(garbage("to", words.operand()?));
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
                set_address(&mut args, &mut words)?;
            }
        }
    }
    let (Some(address), Some(device)) = (args.address, args.device) else {
        return Err(Failure::new(line!("Device and destination are required arguments.")).with_status(255));
    };
    let mac = args.mac.filter(|word| *word != b"null").map(parse_mac).transpose()?;
    let device = proper_name(call.kernel, device)?;
    check_privilege(call.kernel)?;
    let IpAddr::V4(address) = address else {
        return Err(needs_netlink("an IPv6 neighbour", "no ioctl changes them"));
    };
    if let Some(word) = args.unsupported {
        return Err(needs_netlink(word, "leave it out"));
    }
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
    let table = kernel.arp_table().map_err(unreadable)?;
    let is_same = |entry: &&ArpEntry| {
        entry.address == address
            && entry.link.as_bytes() == device
            && (entry.flags & arp_flag::PUBLISHED != 0) == args.proxy
    };
    let found = table.iter().find(is_same);
    match (action, found) {
        (Action::Delete | Action::Change, None) => return Err(refused(Errno::ENOENT)),
        (Action::Delete, Some(_)) => return kernel.delete_arp(device, address, args.proxy).map_err(refused),
        (Action::Add, Some(_)) if !args.proxy => return Err(refused(Errno::EEXIST)),
        _ => (),
    }
    if args.proxy {
        return kernel.publish_arp(device, address).map_err(refused);
    }
    let state = args.state.unwrap_or(STATE_PERMANENT);
    match (state, mac) {
        (STATE_PERMANENT | STATE_STALE, Some(mac)) => {
            kernel.set_arp(device, address, mac, state == STATE_PERMANENT).map_err(refused)
        }
        (STATE_PERMANENT | STATE_STALE, None) => Err(explained(Errno::EINVAL, "No link layer address given.")),
        _ => Err(needs_netlink("this state of a neighbour", "use permanent or stale")),
    }
}

fn parse_mac(word: &[u8]) -> Result<Mac, Failure> {
    let text = str::from_utf8(word).unwrap_or_default();
    text.parse().map_err(|_| Failure::new(line!("\"", word, "\" is invalid lladdr.")))
}
