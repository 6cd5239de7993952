//! A link as `ip` shows it.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use super::detail;
use super::filter::Candidate;
use crate::ip::color::Color;
use crate::ip::fields::Fields;
use crate::ip::options::Options;
use crate::json::Json;
use crate::kernel::{Kernel, Link, LinkFile, Queue, flag};

/// What is shown of a link besides name, flags and mtu.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    /// Queueing discipline, master and group: not in the kernel's answer about IPv6.
    pub(super) whole: bool,
    /// The mode of the link, which `ip link` shows and `ip address` does not.
    pub(super) mode: bool,
    /// The hardware address, on a line of its own.
    pub(super) hardware: bool,
    /// The alias, on a line of its own.
    pub(super) alias: bool,
}

/// Puts the line (or lines) of a link, without the last line end.
pub(super) fn put(
    fields: &mut Fields,
    kernel: &Kernel,
    link: &Link,
    links: &[Candidate],
    columns: Columns,
    options: Options,
) {
    let era = options.era.ip();
    let other_end = OtherEnd::of(kernel, link, links);
    fields.print("ifindex", link.index as u32, format_args!("{}: ", link.index));
    fields.colored(Some(Color::Name), |fields| {
        put_name(fields, link, other_end.as_ref());
        fields.text(": ");
    });
    put_flags(fields, link, other_end.as_ref(), era.named_flags);
    fields.print("mtu", link.mtu, format_args!("mtu {} ", link.mtu));
    if columns.whole {
        let qdisc = qdisc(kernel, link);
        fields.print("qdisc", qdisc, format_args!("qdisc {qdisc} "));
    }
    if let Some(master) = &link.master
        && columns.whole
        && (link.announces_master || era.all_of_link)
    {
        let master = master.as_bytes();
        fields.put("master", master, [b"master ", master, b" "].concat());
    }
    if era.all_of_link {
        let state = link.state.to_ascii_uppercase();
        fields.text("state ");
        let color = color_of_state(&link.state);
        fields.colored(color, |fields| fields.print("operstate", state.as_str(), format_args!("{state} ")));
    }
    if columns.mode && era.all_of_link {
        fields.put("linkmode", "DEFAULT", "mode DEFAULT ");
    }
    if columns.whole && era.all_of_link {
        match link.group {
            0 if !options.numeric => fields.put("group", "default", "group default "),
            group => fields.show("group", group, format_args!("group {group} ")),
        }
    }
    if link.queue_length != 0 {
        fields.print("txqlen", link.queue_length, format_args!("qlen {}", link.queue_length));
    }
    if columns.hardware {
        fields.text(options.newline());
        put_hardware(fields, link, options);
    }
    if columns.hardware && link.proto_down {
        fields.put("proto_down", true, " protodown on ");
    }
    if options.details {
        detail::put(fields, kernel, link, columns.mode, options);
    }
    if columns.alias && era.all_of_link {
        put_alias(fields, kernel, link, options);
    }
}

/// Puts what `ip -br` shows of a link: name, state and, for `ip link`, hardware address and flags.
pub(super) fn put_brief(fields: &mut Fields, kernel: &Kernel, link: &Link, links: &[Candidate], with_hardware: bool) {
    let other_end = OtherEnd::of(kernel, link, links);
    fields.colored(Some(Color::Name), |fields| {
        put_name(fields, link, other_end.as_ref());
        let width = link.name.len() + other_end.as_ref().map_or(0, |other_end| 1 + other_end.name.len());
        fields.text(" ".repeat(17usize.saturating_sub(width).max(1)));
    });
    let state = link.state.to_ascii_uppercase();
    fields.colored(color_of_state(&link.state), |fields| {
        fields.print("operstate", state.as_str(), format_args!("{state:<14} "));
    });
    if with_hardware {
        if !link.address.is_empty() {
            fields.colored(Some(Color::Hardware), |fields| {
                put_hardware_address(fields, "address", link.hw_type, &link.address);
                fields.text(" ");
            });
        }
        put_flags(fields, link, other_end.as_ref(), !0);
    }
}

/// What stands behind the `@` of a link's name: the link below or, of a veth, the peer.
struct OtherEnd {
    name: OsString,
    is_down: bool,
    /// It is in another namespace; its index there is known.
    is_elsewhere: bool,
}

impl OtherEnd {
    /// Finds the other end among the links that are known, else by its index.
    fn of(kernel: &Kernel, link: &Link, links: &[Candidate]) -> Option<Self> {
        let name = match (link.iflink, links.binary_search_by_key(&link.iflink, |link| link.index)) {
            (index, _) if index == link.index => return None,
            // the link is of a kind that has an other end, but it has none
            (0, _) => return Some(OtherEnd { name: "NONE".into(), is_down: false, is_elsewhere: false }),
            (_, Ok(place)) => links[place].name.clone(),
            (index, Err(_)) => match kernel.link_name(index) {
                Ok(name) => name,
                Err(_) => {
                    let name = format!("if{index}").into();
                    return Some(OtherEnd { name, is_down: false, is_elsewhere: true });
                }
            },
        };
        let is_down = kernel.link_flags(name.as_bytes()).is_ok_and(|flags| flags & flag::UP == 0);
        Some(OtherEnd { name, is_down, is_elsewhere: false })
    }
}

fn put_name(fields: &mut Fields, link: &Link, other_end: Option<&OtherEnd>) {
    match other_end {
        Some(OtherEnd { is_elsewhere: true, .. }) => fields.json("link_index", link.iflink as u32),
        Some(OtherEnd { name, .. }) => fields.json("link", (link.iflink != 0).then(|| name.as_bytes())),
        None => (),
    }
    fields.put("ifname", link.name.as_bytes(), link.name.as_bytes());
    if let Some(OtherEnd { name, .. }) = other_end {
        fields.text("@");
        fields.text(name.as_bytes());
    }
}

/// Puts the names of flags; those that have none as a number.
fn put_flags(fields: &mut Fields, link: &Link, other_end: Option<&OtherEnd>, named: u32) {
    let down = other_end.filter(|other_end| other_end.is_down).map(|_| "M-DOWN");
    let names = || flag_names(link.flags & named);
    fields.text("<");
    let mut comma = "";
    for name in names() {
        fields.text(comma);
        fields.text(name);
        comma = ",";
    }
    let rest = link.flags & !named;
    if rest != 0 {
        fields.print_text(format_args!("{comma}{rest:x}"));
    }
    fields.text(if down.is_some() { ",M-DOWN> " } else { "> " });
    if fields.is_json() {
        fields.json("flags", Json::List(names().chain(down).map(Json::from).collect()));
    }
}

fn put_hardware(fields: &mut Fields, link: &Link, options: Options) {
    let is_named = !options.numeric && !options.era.ip().unnamed_kinds.contains(&link.hw_type);
    match hw_type_name(link.hw_type).filter(|_| is_named) {
        Some(name) => fields.print("link_type", name, format_args!("    link/{name} ")),
        None => {
            let number = format_args!("[{}]", link.hw_type);
            fields.show("link_type", number, format_args!("    link/{number} "));
        }
    }
    if link.address.is_empty() {
        return;
    }
    let put = |fields: &mut Fields, key, address: &str| {
        fields.colored(Some(Color::Hardware), |fields| put_hardware_address(fields, key, link.hw_type, address));
    };
    put(fields, "address", &link.address);
    if link.flags & flag::POINTOPOINT != 0 {
        fields.json("link_pointtopoint", Json::Bool(true));
        fields.text(" peer ");
    } else {
        fields.text(" brd ");
    }
    put(fields, "broadcast", &link.broadcast);
}

fn color_of_state(state: &str) -> Option<Color> {
    match state {
        "up" => Some(Color::Up),
        "down" => Some(Color::Down),
        _ => None,
    }
}

/// Puts a hardware address as iproute2 prints it: that of an IPv4 tunnel is an IPv4 address (lib/ll_addr.c).
fn put_hardware_address(fields: &mut Fields, key: &'static str, hw_type: u16, address: &str) {
    if matches!(hw_type, libc::ARPHRD_TUNNEL | libc::ARPHRD_SIT | libc::ARPHRD_IPGRE) {
        let octets: Vec<u8> = address.split(':').filter_map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
        if let Ok(octets) = <[u8; 4]>::try_from(octets) {
            let address = Ipv4Addr::from(octets);
            return fields.show(key, address, format_args!("{address}"));
        }
    }
    fields.put(key, address, address);
}

fn put_alias(fields: &mut Fields, kernel: &Kernel, link: &Link, options: Options) {
    let alias = kernel.link_file(link.name.as_bytes(), LinkFile::ALIAS).unwrap_or_default();
    if !alias.is_empty() {
        fields.print("ifalias", alias.as_str(), format_args!("{}    alias {alias}", options.newline()));
    }
}

/// Flags in the order in which iproute2 names them (ip/ipaddress.c, `print_link_flags`). RUNNING is not named; its absence is.
const FLAGS: [(i32, &str); 18] = [
    (libc::IFF_LOOPBACK, "LOOPBACK"),
    (libc::IFF_BROADCAST, "BROADCAST"),
    (libc::IFF_POINTOPOINT, "POINTOPOINT"),
    (libc::IFF_MULTICAST, "MULTICAST"),
    (libc::IFF_NOARP, "NOARP"),
    (libc::IFF_ALLMULTI, "ALLMULTI"),
    (libc::IFF_PROMISC, "PROMISC"),
    (libc::IFF_MASTER, "MASTER"),
    (libc::IFF_SLAVE, "SLAVE"),
    (libc::IFF_DEBUG, "DEBUG"),
    (libc::IFF_DYNAMIC, "DYNAMIC"),
    (libc::IFF_AUTOMEDIA, "AUTOMEDIA"),
    (libc::IFF_PORTSEL, "PORTSEL"),
    (libc::IFF_NOTRAILERS, "NOTRAILERS"),
    (libc::IFF_UP, "UP"),
    (libc::IFF_LOWER_UP, "LOWER_UP"),
    (libc::IFF_DORMANT, "DORMANT"),
    (libc::IFF_ECHO, "ECHO"),
];

fn flag_names(flags: u32) -> impl Iterator<Item = &'static str> {
    let has = move |flag: i32| flags & flag as u32 != 0;
    let no_carrier = (has(libc::IFF_UP) && !has(libc::IFF_RUNNING)).then_some("NO-CARRIER");
    no_carrier.into_iter().chain(FLAGS.iter().filter(move |(flag, _)| has(*flag)).map(|(_, name)| *name))
}

/// The queueing discipline that the kernel attaches.
fn qdisc<'a>(kernel: &'a Kernel, link: &Link) -> &'a str {
    match link.queue {
        Queue::Off => "noop",
        Queue::None => "noqueue",
        Queue::Default => kernel.default_qdisc(),
        Queue::Several => "mq",
    }
}

/// ARPHRD_IP6GRE (linux/if_arp.h), which libc lacks.
const IP6GRE: u16 = 823;

/// Returns the name of a type of hardware (lib/ll_types.c), if it has one.
fn hw_type_name(hw_type: u16) -> Option<&'static str> {
    Some(match hw_type {
        libc::ARPHRD_ETHER => "ether",
        libc::ARPHRD_INFINIBAND => "infiniband",
        libc::ARPHRD_PPP => "ppp",
        libc::ARPHRD_TUNNEL => "ipip",
        libc::ARPHRD_TUNNEL6 => "tunnel6",
        libc::ARPHRD_LOOPBACK => "loopback",
        libc::ARPHRD_SIT => "sit",
        libc::ARPHRD_IPGRE => "gre",
        IP6GRE => "gre6",
        libc::ARPHRD_NONE => "none",
        libc::ARPHRD_VOID => "void",
        _ => return None,
    })
}
