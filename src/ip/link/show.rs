//! `ip link show`, and the lines about a link that `ip address show` has as well.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use crate::applet::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::Words;
use crate::ip::{Options, bytes, garbage, print};
use crate::kernel::{Driver, Kernel, Link, flag};

/// `ip link show [[dev] DEVICE]`
pub(super) fn show(call: &mut Call, options: Options, words: Words) -> Outcome {
    let mut device = None;
    let mut only_up = false;
    let mut words = words;
    while let Some(word) = words.next() {
        match word {
            b"up" => only_up = true,
            _ => {
                let name = if word == b"dev" { words.operand()? } else { word };
                if device.replace(name).is_some() {
                    return Err(garbage("dev", name));
                }
            }
        }
    }
    let links = selected(call.kernel, device)?;
    if device.is_some_and(|device| device.contains(&b':')) {
        // the kernel finds a link by its label for ioctls only
        let refusal = line!("RTNETLINK answers: No such device\nCannot send link get request: No such device");
        return Err(Failure::new(refusal));
    }
    for link in links {
        if !only_up || link.flags & flag::UP != 0 {
            print_link(call.kernel, call.out, &link, Columns { mode: true, ..Columns::ALL }, options);
            print(call.out, options.newline());
            print_hardware(call.out, &link);
            print(call.out, "\n");
        }
    }
    Ok(())
}

/// The link of a name, or all of them by index.
pub(in crate::ip) fn selected(kernel: &Kernel, device: Option<&[u8]>) -> Result<Vec<Link>, Failure> {
    match device {
        Some(name) => match kernel.link(name) {
            Ok(link) => Ok(vec![link]),
            Err(_) => Err(Failure::new(line!("Device \"", name, "\" does not exist."))),
        },
        None => Ok(kernel.links().unwrap_or_default()),
    }
}

/// What a line about a link shows besides name, flags and mtu.
#[derive(Clone, Copy)]
pub(in crate::ip) struct Columns {
    /// Queueing discipline, master and group: not in the kernel's answer about IPv6.
    pub(in crate::ip) whole: bool,
    /// The mode of the link, which `ip link` shows and `ip address` does not.
    pub(in crate::ip) mode: bool,
}

impl Columns {
    pub(in crate::ip) const ALL: Columns = Columns { whole: true, mode: false };
}

/// The first line about a link, without its end.
pub(in crate::ip) fn print_link(
    kernel: &Kernel,
    out: &mut dyn Write,
    link: &Link,
    columns: Columns,
    _options: Options,
) {
    let other_end = other_end(kernel, link);
    print(out, format!("{}: ", link.index));
    print(out, link.name.as_bytes());
    print(out, &other_end.suffix);
    print(out, format!(": <{}> mtu {} ", flag_names(link.flags, other_end.is_down), link.mtu));
    if columns.whole {
        print(out, format!("qdisc {} ", qdisc(link)));
    }
    if let Some(master) = &link.master
        && columns.whole
    {
        print(out, [b"master ", bytes(master), b" "].concat());
    }
    print(out, format!("state {} ", link.state.to_ascii_uppercase()));
    if columns.mode {
        print(out, "mode DEFAULT ");
    }
    if columns.whole {
        match link.group {
            0 => print(out, "group default "),
            group => print(out, format!("group {group} ")),
        }
    }
    if link.queue_length != 0 {
        print(out, format!("qlen {}", link.queue_length));
    }
}

/// The line of the hardware address, without its end.
pub(in crate::ip) fn print_hardware(out: &mut dyn Write, link: &Link) {
    print(out, format!("    link/{} ", kind_name(link.kind)));
    if !link.address.is_empty() {
        let peer = if link.flags & flag::POINTOPOINT != 0 { "peer" } else { "brd" };
        let text = |address: &str| hardware_text(link.kind, address);
        print(out, format!("{} {peer} {}", text(&link.address), text(&link.broadcast)));
    }
}

/// What is behind the `@` of a link's name.
struct OtherEnd {
    suffix: Vec<u8>,
    /// It is here and it is not up.
    is_down: bool,
}

fn other_end(kernel: &Kernel, link: &Link) -> OtherEnd {
    match link.below {
        below if below == link.index => OtherEnd { suffix: Vec::new(), is_down: false },
        0 => OtherEnd { suffix: b"@NONE".to_vec(), is_down: false },
        below => match kernel.link_name(below) {
            Ok(name) => OtherEnd {
                suffix: [b"@", bytes(&name)].concat(),
                is_down: kernel.link_flags(bytes(&name)).is_ok_and(|flags| flags & flag::UP == 0),
            },
            // in another namespace
            Err(_) => OtherEnd { suffix: format!("@if{below}").into_bytes(), is_down: false },
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

fn flag_names(flags: u32, other_end_is_down: bool) -> String {
    let mut names = Vec::new();
    if flags & flag::UP != 0 && flags & flag::RUNNING == 0 {
        names.push("NO-CARRIER");
    }
    names.extend(FLAGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name));
    if other_end_is_down {
        names.push("M-DOWN");
    }
    names.join(",")
}

/// The queueing discipline. No file shows it; the kernel attaches none to a link that was never up, `noqueue` to those that
/// have nothing to queue, and its default one to the others. Whether a link that is down was up before cannot be known.
fn qdisc(link: &Link) -> &'static str {
    if link.flags & flag::UP == 0 {
        return "noop";
    }
    match link.driver {
        _ if link.queue_length == 0 => "noqueue",
        Driver::Queueing => "pfifo_fast",
        Driver::Bridge | Driver::Virtual => "noqueue",
    }
}

/// Names of link types (lib/ll_types.c; linux/if_arp.h).
fn kind_name(kind: u16) -> String {
    let name = match kind {
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
        _ => return format!("[{kind}]"),
    };
    name.into()
}

/// A hardware address as iproute2 prints it: that of an IPv4 tunnel is an IPv4 address (lib/ll_addr.c).
fn hardware_text(kind: u16, address: &str) -> String {
    let octets: Vec<u8> = address.split(':').filter_map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    match (kind, octets.as_slice()) {
        (768 | 776 | 778, &[a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        _ => address.into(),
    }
}
