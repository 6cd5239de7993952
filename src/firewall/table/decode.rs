//! Parts of an entry as options of iptables.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::content::Part;
use super::header::{Fields, IFNAMSIZ, INV_DSTIP, INV_PROTO, INV_SRCIP, INV_VIA_IN, INV_VIA_OUT};
use super::layout::{u16_at, u32_at};
use crate::firewall::ruleset::{Match, OPAQUE};
use crate::net::Family;

fn option(name: &str, value: String, is_negated: bool) -> Match {
    Match { option: name.into(), value, is_negated }
}

fn unknown() -> Vec<Match> {
    vec![option(OPAQUE, String::new(), false)]
}

/// Whether the rule goes to a chain without coming back (`-g`).
pub(super) fn is_goto(family: Family, entry: &[u8]) -> bool {
    let flag = if family == Family::V4 { 0x02 } else { 0x04 };
    entry[Fields::of(family).flags()] & flag != 0
}

/// Returns what the header of an entry compares, in the order of iptables-save.
pub(super) fn header(family: Family, entry: &[u8]) -> Vec<Match> {
    let fields = Fields::of(family);
    let inverse = entry[fields.invflags()];
    let mut matches = Vec::new();
    for (index, name, flag) in [(0, "-s", INV_SRCIP), (1, "-d", INV_DSTIP)] {
        let (address, mask) = (&entry[fields.address(index)], &entry[fields.address(index + 2)]);
        if mask.iter().any(|&byte| byte != 0) || inverse & flag != 0 {
            matches.push(option(name, net(address, mask), inverse & flag != 0));
        }
    }
    for (index, name, flag) in [(0, "-i", INV_VIA_IN), (1, "-o", INV_VIA_OUT)] {
        let (interface, mask) = (&entry[fields.interface(index)], &entry[fields.interface(index + 2)]);
        if mask[0] != 0 || inverse & flag != 0 {
            matches.push(option(name, interface_name(interface, mask), inverse & flag != 0));
        }
    }
    let protocol = u16_at(entry, fields.protocol()).unwrap_or_default();
    if protocol != 0 {
        matches.push(option("-p", protocol_name(protocol), inverse & INV_PROTO != 0));
    }
    matches
}

fn address(bytes: &[u8]) -> IpAddr {
    match <[u8; 4]>::try_from(bytes) {
        Ok(bytes) => Ipv4Addr::from(bytes).into(),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap_or_default()).into(),
    }
}

fn net(bytes: &[u8], mask: &[u8]) -> String {
    let length: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let leading = mask
        .iter()
        .position(|&byte| byte != 0xff)
        .map_or(8 * mask.len() as u32, |index| 8 * index as u32 + mask[index].leading_ones());
    match length == leading {
        true => format!("{}/{length}", address(bytes)),
        false => format!("{}/{}", address(bytes), address(mask)),
    }
}

/// A name that is compared without its NUL stands for all that begin like this.
fn interface_name(name: &[u8], mask: &[u8]) -> String {
    let length = name.iter().position(|&byte| byte == 0).unwrap_or(IFNAMSIZ);
    let text = String::from_utf8_lossy(&name[..length]);
    let is_whole = mask.get(length).is_none_or(|&byte| byte != 0);
    if is_whole { text.into_owned() } else { format!("{text}+") }
}

fn protocol_name(number: u16) -> String {
    let names =
        [(1, "icmp"), (2, "igmp"), (4, "ipencap"), (6, "tcp"), (17, "udp"), (47, "gre"), (50, "esp"), (51, "ah")];
    let more = [(58, "ipv6-icmp"), (89, "ospf"), (132, "sctp"), (136, "udplite")];
    let found = names.iter().chain(&more).find(|(other, _)| *other == number);
    found.map_or_else(|| number.to_string(), |(_, name)| (*name).to_string())
}

/// Returns the options of a match.
pub(super) fn options(part: &Part) -> Vec<Match> {
    match (part.name, part.revision) {
        (b"tcp", 0) => ports(part, 11),
        (b"udp", 0) => ports(part, 8),
        (b"physdev", 0) => physdev(part.data),
        (b"conntrack", 1..=3) => conntrack(part),
        (b"state", 0) => vec![option("--state", states(u32_at(part.data, 0).unwrap_or_default()), false)],
        (b"addrtype", 0 | 1) => addrtype(part),
        (b"comment", 0) => comment(part.data),
        _ => unknown(),
    }
}

fn ports(part: &Part, inversion: usize) -> Vec<Match> {
    let (Some(data), Some(&inverse)) = (part.data.get(..8), part.data.get(inversion)) else { return unknown() };
    let mut options = Vec::new();
    for (index, name) in [(0, "--sport"), (1, "--dport")] {
        let [first, last] = [0, 2].map(|at| u16_at(data, 4 * index + at).unwrap_or_default());
        let is_negated = inverse >> index & 1 != 0;
        match (first, last) {
            (0, u16::MAX) if !is_negated => (),
            (first, last) if first == last => options.push(option(name, first.to_string(), is_negated)),
            (first, last) => options.push(option(name, format!("{first}:{last}"), is_negated)),
        }
    }
    // a TCP option, or flags
    if part.data.get(8..inversion).is_some_and(|rest| rest.iter().any(|&byte| byte != 0)) {
        options.extend(unknown());
    }
    options
}

fn physdev(data: &[u8]) -> Vec<Match> {
    let (Some(names), Some(&[invert, bits])) = (data.get(..4 * IFNAMSIZ), data.get(4 * IFNAMSIZ..4 * IFNAMSIZ + 2))
    else {
        return unknown();
    };
    let name = |index: usize| {
        let part = |number: usize| &names[number * IFNAMSIZ..(number + 1) * IFNAMSIZ];
        interface_name(part(2 * index), part(2 * index + 1))
    };
    let options = [
        (0x01, "--physdev-in", name(0)),
        (0x08, "--physdev-is-in", String::new()),
        (0x02, "--physdev-out", name(1)),
        (0x10, "--physdev-is-out", String::new()),
        (0x04, "--physdev-is-bridged", String::new()),
    ];
    let known = options.into_iter().filter(|(bit, ..)| bits & bit != 0);
    known.map(|(bit, name, value)| option(name, value, invert & bit != 0)).collect()
}

fn conntrack(part: &Part) -> Vec<Match> {
    const FLAGS: usize = 146;
    const STATE: u16 = 1;
    const STATE_ALIAS: u16 = 1 << 13;
    let [Some(flags), Some(inverse), Some(mask)] = [0, 2, 4].map(|at| u16_at(part.data, FLAGS + at)) else {
        return unknown();
    };
    // a byte in the first revision
    let mask = if part.revision == 1 { u16::from(part.data[FLAGS + 4]) } else { mask };
    let name = if flags & STATE_ALIAS != 0 { "--state" } else { "--ctstate" };
    let mut options = Vec::new();
    if flags & STATE != 0 {
        options.push(option(name, states(mask.into()), inverse & STATE != 0));
    }
    if flags & !(STATE | STATE_ALIAS) != 0 {
        options.extend(unknown());
    }
    options
}

fn states(mask: u32) -> String {
    let names =
        [(0, "INVALID"), (3, "NEW"), (2, "RELATED"), (1, "ESTABLISHED"), (8, "UNTRACKED"), (6, "SNAT"), (7, "DNAT")];
    let own: Vec<&str> = names.iter().filter(|(bit, _)| mask >> bit & 1 != 0).map(|(_, name)| *name).collect();
    own.join(",")
}

fn addrtype(part: &Part) -> Vec<Match> {
    const NAMES: [&str; 12] = [
        "UNSPEC",
        "UNICAST",
        "LOCAL",
        "BROADCAST",
        "ANYCAST",
        "MULTICAST",
        "BLACKHOLE",
        "UNREACHABLE",
        "PROHIBIT",
        "THROW",
        "NAT",
        "XRESOLVE",
    ];
    let word = |at| u32_at(part.data, at).unwrap_or_default();
    let negations = match part.revision {
        0 => [word(4) != 0, word(8) != 0],
        _ => [word(4) & 1 != 0, word(4) & 2 != 0],
    };
    let mut options = Vec::new();
    for (index, name) in ["--src-type", "--dst-type"].into_iter().enumerate() {
        let mask = u16_at(part.data, 2 * index).unwrap_or_default();
        let types: Vec<&str> = (0..NAMES.len()).filter(|bit| mask >> bit & 1 != 0).map(|bit| NAMES[bit]).collect();
        if !types.is_empty() {
            options.push(option(name, types.join(","), negations[index]));
        }
    }
    // only for addresses of the interface
    if part.revision == 1 && word(4) & !3 != 0 {
        options.extend(unknown());
    }
    options
}

/// Returns a comment, in quotes if it has other characters than letters, digits and `_-`, as iptables prints it.
fn comment(data: &[u8]) -> Vec<Match> {
    let text = String::from_utf8_lossy(data.split(|&byte| byte == 0).next().unwrap_or_default()).into_owned();
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let text = if is_plain { text } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) };
    vec![option("--comment", text, false)]
}

/// Returns the options of a target.
pub(super) fn target_options(family: Family, target: &Part) -> Vec<String> {
    match (target.name, target.revision) {
        (b"MASQUERADE", 0) if target.data.get(4..20).is_some_and(|rest| rest.iter().all(|&byte| byte == 0)) => {
            Vec::new()
        }
        (b"DNAT", revision) => dnat(family, revision, target.data).unwrap_or_else(|| vec![OPAQUE.into()]),
        _ => vec![OPAQUE.into()],
    }
}

fn dnat(family: Family, revision: u8, data: &[u8]) -> Option<Vec<String>> {
    const MAP_IPS: u32 = 1;
    const PROTO_SPECIFIED: u32 = 2;
    let is_multi_range = family == Family::V4 && revision == 0;
    let data = if is_multi_range { data.get(4..)? } else { data };
    let width = if family == Family::V4 { 4 } else { 16 };
    let room = if is_multi_range { 4 } else { 16 };
    let flags = u32_at(data, 0)?;
    let addresses = [data.get(4..4 + width)?, data.get(4 + room..4 + room + width)?];
    let port = |at: usize| data.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes);
    let [first, last] = [port(4 + 2 * room)?, port(6 + 2 * room)?];
    if flags & !(MAP_IPS | PROTO_SPECIFIED) != 0 || flags & MAP_IPS == 0 || addresses[0] != addresses[1] {
        return None;
    }
    let address = address(addresses[0]);
    let ports = if first == last { first.to_string() } else { format!("{first}-{last}") };
    let to = match (flags & PROTO_SPECIFIED != 0, address) {
        (false, address) => address.to_string(),
        (true, IpAddr::V4(address)) => format!("{address}:{ports}"),
        (true, IpAddr::V6(address)) => format!("[{address}]:{ports}"),
    };
    Some(vec!["--to-destination".into(), to])
}
