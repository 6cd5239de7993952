//! A link as `ip` shows it.

use std::borrow::Cow;

use super::filter::Candidate;
use super::record::Record;
use crate::era::Era;
use crate::ip::{Options, bytes};
use crate::json::Json;
use crate::kernel::{Kernel, Link, Queue, flag};

/// What is shown of a link besides name, flags and mtu.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    /// Queueing discipline, master and group: not in the kernel's answer about IPv6.
    pub(super) whole: bool,
    /// The mode of the link, which `ip link` shows and `ip address` does not.
    pub(super) mode: bool,
    /// The hardware address, on a line of its own.
    pub(super) hardware: bool,
    /// The alias, likewise.
    pub(super) alias: bool,
}

/// Puts the line (or lines) about a link, without the last end.
pub(super) fn put(
    record: &mut Record,
    kernel: &Kernel,
    link: &Link,
    links: &[Candidate],
    columns: Columns,
    options: Options,
) {
    let fields = options.era.ip();
    let other_end = other_end(kernel, link, links);
    record.print("ifindex", link.index as u32, format_args!("{}: ", link.index));
    put_name(record, link, &other_end);
    record.text(": ");
    put_flags(record, link, &other_end, fields.named_flags);
    record.print("mtu", link.mtu, format_args!("mtu {} ", link.mtu));
    if columns.whole {
        record.print("qdisc", qdisc(link), format_args!("qdisc {} ", qdisc(link)));
    }
    if let Some(master) = &link.master
        && columns.whole
        && (link.announces_master || fields.all_of_link)
    {
        record.put("master", bytes(master), [b"master ", bytes(master), b" "].concat());
    }
    if fields.all_of_link {
        let state = link.state.to_ascii_uppercase();
        record.print("operstate", state.as_str(), format_args!("state {state} "));
    }
    if columns.mode && fields.all_of_link {
        record.put("linkmode", "DEFAULT", "mode DEFAULT ");
    }
    if columns.whole && fields.all_of_link {
        let group: Cow<str> = if link.group == 0 { "default".into() } else { link.group.to_string().into() };
        record.print("group", &*group, format_args!("group {group} "));
    }
    if link.queue_length != 0 {
        record.print("txqlen", link.queue_length, format_args!("qlen {}", link.queue_length));
    }
    if columns.hardware {
        record.text(options.newline());
        put_hardware(record, link, options.era);
    }
    if columns.alias && fields.all_of_link {
        let alias = kernel.link_alias(bytes(&link.name));
        if !alias.is_empty() {
            record.put("ifalias", alias.as_bytes(), [options.newline(), "    alias ", &alias].concat());
        }
    }
}

/// Puts what `ip -br` shows of a link: name, state and, for `ip link`, hardware address and flags.
pub(super) fn put_brief(record: &mut Record, kernel: &Kernel, link: &Link, links: &[Candidate], with_hardware: bool) {
    let other_end = other_end(kernel, link, links);
    put_name(record, link, &other_end);
    let name = link.name.len() + if other_end.key.is_empty() { 0 } else { 1 + other_end.name.len() };
    record.text(" ".repeat(17usize.saturating_sub(name).max(1)));
    let state = link.state.to_ascii_uppercase();
    record.print("operstate", state.as_str(), format_args!("{state:<14} "));
    if with_hardware {
        if !link.address.is_empty() {
            let address = hardware_text(link.hw_type, &link.address);
            record.print("address", &*address, format_args!("{address} "));
        }
        put_flags(record, link, &other_end, !0);
    }
}

fn put_name(record: &mut Record, link: &Link, other_end: &OtherEnd) {
    match other_end.key {
        "" => (),
        "link_index" => record.json("link_index", link.iflink as u32),
        key => record.json(key, &*other_end.name),
    }
    record.put("ifname", bytes(&link.name), bytes(&link.name));
    if !other_end.key.is_empty() {
        record.text("@");
        record.text(&other_end.name);
    }
}

/// The names of flags, and those that have none in a number.
fn put_flags(record: &mut Record, link: &Link, other_end: &OtherEnd, named: u32) {
    let names = || flag_names(link.flags & named);
    record.text("<");
    let mut comma = "";
    for name in names() {
        record.text(comma);
        record.text(name);
        comma = ",";
    }
    if link.flags & !named != 0 {
        record.args(format_args!("{comma}{:x}", link.flags & !named));
    }
    let down = other_end.is_down.then_some("M-DOWN");
    record.text(if down.is_some() { ",M-DOWN> " } else { "> " });
    if record.is_json() {
        record.json("flags", Json::List(names().chain(down).map(Json::from).collect()));
    }
}

fn put_hardware(record: &mut Record, link: &Link, era: Era) {
    let kind = kind_name(link.hw_type, era);
    record.print("link_type", &*kind, format_args!("    link/{kind} "));
    if !link.address.is_empty() {
        let [address, broadcast] = [&link.address, &link.broadcast].map(|text| hardware_text(link.hw_type, text));
        record.put("address", &*address, &*address);
        if link.flags & flag::POINTOPOINT != 0 {
            record.json("link_pointtopoint", Json::Bool(true));
            record.text(" peer ");
        } else {
            record.text(" brd ");
        }
        record.put("broadcast", &*broadcast, &*broadcast);
    }
}

/// What is behind the `@` of a link's name.
struct OtherEnd<'a> {
    name: Cow<'a, [u8]>,
    /// What JSON calls it; nothing if there is no other end.
    key: &'static str,
    /// It is here and it is not up.
    is_down: bool,
}

/// The other end is looked for among the links that are known, then everywhere.
fn other_end<'a>(kernel: &Kernel, link: &Link, links: &'a [Candidate]) -> OtherEnd<'a> {
    let named = |index: i32| match links.binary_search_by_key(&index, |link| link.index) {
        Ok(place) => Ok(Cow::Borrowed(bytes(&links[place].name))),
        Err(_) => kernel.link_name(index).map(|name| Cow::Owned(name.into_encoded_bytes())),
    };
    match link.iflink {
        below if below == link.index => OtherEnd { name: Cow::default(), key: "", is_down: false },
        0 => OtherEnd { name: b"NONE".into(), key: "link", is_down: false },
        below => match named(below) {
            Ok(name) => {
                let is_down = kernel.link_flags(&name).is_ok_and(|flags| flags & flag::UP == 0);
                OtherEnd { name, key: "link", is_down }
            }
            // in another namespace
            Err(_) => {
                OtherEnd { name: Cow::Owned(format!("if{below}").into_bytes()), key: "link_index", is_down: false }
            }
        },
    }
}

/// Flags in the order in which iproute2 names them (ip/ipaddress.c, `print_link_flags`); RUNNING is not named, its absence is.
const FLAGS: [(u32, &str); 18] = [
    (flag::LOOPBACK, "LOOPBACK"),
    (flag::BROADCAST, "BROADCAST"),
    (flag::POINTOPOINT, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (flag::UP, "UP"),
    (flag::LOWER_UP, "LOWER_UP"),
    (flag::DORMANT, "DORMANT"),
    (0x4_0000, "ECHO"),
];

fn flag_names(flags: u32) -> impl Iterator<Item = &'static str> {
    let no_carrier = (flags & flag::UP != 0 && flags & flag::RUNNING == 0).then_some("NO-CARRIER");
    no_carrier.into_iter().chain(FLAGS.iter().filter(move |(bit, _)| flags & bit != 0).map(|(_, name)| *name))
}

/// The queueing discipline that the kernel attaches. The default one can be changed, but only the initial namespace could see
/// that.
fn qdisc(link: &Link) -> &'static str {
    match link.queue {
        Queue::Off => "noop",
        Queue::None => "noqueue",
        Queue::Default => "pfifo_fast",
    }
}

/// Names of link types (lib/ll_types.c; linux/if_arp.h).
fn kind_name(kind: u16, era: Era) -> Cow<'static, str> {
    let name = match kind {
        _ if era.ip().unnamed_kinds.contains(&kind) => return format!("[{kind}]").into(),
        1 => "ether",
        32 => "infiniband",
        512 => "ppp",
        768 => "ipip",
        769 => "tunnel6",
        772 => "loopback",
        776 => "sit",
        778 => "gre",
        823 => "gre6",
        0xfffe => "none",
        0xffff => "void",
        _ => return format!("[{kind}]").into(),
    };
    name.into()
}

/// A hardware address as iproute2 prints it: that of an IPv4 tunnel is an IPv4 address (lib/ll_addr.c).
fn hardware_text(kind: u16, address: &str) -> Cow<'_, str> {
    if !matches!(kind, 768 | 776 | 778) {
        return address.into();
    }
    let octets: Vec<u8> = address.split(':').filter_map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    match octets.as_slice() {
        &[a, b, c, d] => format!("{a}.{b}.{c}.{d}").into(),
        _ => address.into(),
    }
}
