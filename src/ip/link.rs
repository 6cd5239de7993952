//! `ip link`: links without their addresses.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::words::{Words, is_short_for};
use super::{Options, bytes, garbage, needs_netlink, no_such_device, print, refused, unknown_command};
use crate::applet::Call;
use crate::error::{Failure, Outcome, line};
use crate::kernel::{Driver, IFNAMSIZ, Kernel, Link, flag};

/// `ip link [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    match words.next() {
        None => show(call, options, words),
        Some(word) if is_short_for(word, "set") || is_short_for(word, "change") => set(call, words),
        Some(word) if ["show", "lst", "list"].iter().any(|keyword| is_short_for(word, keyword)) => {
            show(call, options, words)
        }
        Some(word) if ["add", "replace", "delete"].iter().any(|keyword| is_short_for(word, keyword)) => {
            Err(needs_netlink(&[b"ip link ", word].concat(), "for bridges use brctl"))
        }
        Some(word) if is_short_for(word, "help") => Err(super::usage()),
        Some(word) => Err(unknown_command(word, "link")),
    }
}

/// `ip link show [[dev] DEVICE]`
fn show(call: &mut Call, options: Options, words: Words) -> Outcome {
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
    for link in selected(call.kernel, device)? {
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
pub(super) fn selected(kernel: &Kernel, device: Option<&[u8]>) -> Result<Vec<Link>, Failure> {
    match device {
        Some(name) => match kernel.link(name) {
            Ok(link) => Ok(vec![link]),
            Err(_) => Err(Failure::new(line!("Device \"", name, "\" does not exist."))),
        },
        None => Ok(kernel.links().unwrap_or_default()),
    }
}

/// `ip link set [dev] DEVICE {up|down}...`: of several the last one counts.
fn set(call: &mut Call, mut words: Words) -> Outcome {
    let mut device = None;
    let mut up = None;
    while let Some(word) = words.next() {
        match word {
            b"up" => up = Some(true),
            b"down" => up = Some(false),
            _ => {
                let name = if word == b"dev" { words.operand()? } else { word };
                if device.replace(name).is_some() {
                    return Err(garbage("dev", name));
                }
            }
        }
    }
    let device = device
        .ok_or_else(|| Failure::new(line!("Not enough information: \"dev\" argument is required.")).with_status(255))?;
    match up {
        Some(up) => set_up(call.kernel, device, up),
        None => call.kernel.link_index(device).map(drop).map_err(|_| no_such_device(device)),
    }
}

/// Switches a link on or off.
pub fn set_up(kernel: &Kernel, device: &[u8], up: bool) -> Outcome {
    // the ioctl would cut a longer name, and mean another device
    if device.len() >= IFNAMSIZ {
        return Err(no_such_device(device));
    }
    kernel.set_link_up(device, up).map_err(|errno| match errno {
        Errno::ENODEV => no_such_device(device),
        errno => refused(errno),
    })
}

/// What a line about a link shows besides name, flags and mtu.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    /// Queueing discipline, master and group: not in the kernel's answer about IPv6.
    pub(super) whole: bool,
    /// The mode of the link, which `ip link` shows and `ip address` does not.
    pub(super) mode: bool,
}

impl Columns {
    pub(super) const ALL: Columns = Columns { whole: true, mode: false };
}

/// The first line about a link, without its end.
pub(super) fn print_link(kernel: &Kernel, out: &mut dyn Write, link: &Link, columns: Columns, _options: Options) {
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
pub(super) fn print_hardware(out: &mut dyn Write, link: &Link) {
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
