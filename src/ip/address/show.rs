//! `ip address show`: links with their addresses.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;

use crate::applet::Call;
use crate::error::Outcome;
use crate::ip::link::show::{self as link, Columns};
use crate::ip::prefix::Family;
use crate::ip::words::{Words, is_short_for};
use crate::ip::{Options, bytes, garbage, print, usage};
use crate::kernel::{Address, Ipv6Flags, Kernel, Link, flag, scope};

/// `ip address show [[dev] DEVICE] [up]`
pub(super) fn show(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    let mut device = None;
    let mut only_up = false;
    while let Some(word) = words.next() {
        match word {
            b"up" => only_up = true,
            _ => {
                let name = if word == b"dev" { words.operand()? } else { word };
                if word != b"dev" && is_short_for(name, "help") {
                    return Err(usage());
                }
                if device.replace(name).is_some() {
                    return Err(garbage("dev", name));
                }
            }
        }
    }
    list(call.kernel, call.out, device, only_up, options)
}

/// Lists the addresses of a device, or of all: as `ip address show`.
///
/// # Errors
/// `Device "…" does not exist.`
pub fn list(kernel: &Kernel, out: &mut dyn Write, device: Option<&[u8]>, only_up: bool, options: Options) -> Outcome {
    let links = link::selected(kernel, device)?;
    let addresses = Addresses::of(kernel, options);
    for link in &links {
        if !only_up || link.flags & flag::UP != 0 {
            print_record(kernel, out, link, &addresses, options);
        }
    }
    Ok(())
}

/// The addresses of all links, as far as the options ask for them.
struct Addresses {
    v4: Vec<Address>,
    v6: Vec<Address>,
}

impl Addresses {
    fn of(kernel: &Kernel, options: Options) -> Self {
        let wants = |family| !options.link_only && (options.family == Family::Any || options.family == family);
        Addresses {
            v4: if wants(Family::Inet) { kernel.addresses_v4().unwrap_or_default() } else { Vec::new() },
            v6: if wants(Family::Inet6) { kernel.addresses_v6() } else { Vec::new() },
        }
    }

    fn on<'a>(&'a self, link: &'a OsString) -> impl Iterator<Item = &'a Address> {
        self.v4.iter().chain(&self.v6).filter(move |address| address.link == *link)
    }
}

fn print_record(kernel: &Kernel, out: &mut dyn Write, link: &Link, addresses: &Addresses, options: Options) {
    // of one family only links are shown that have an address of it
    if options.family != Family::Any && addresses.on(&link.name).next().is_none() {
        return;
    }
    if !options.oneline || options.link_only {
        let columns = Columns { whole: options.family != Family::Inet6, ..Columns::ALL };
        link::print_link(kernel, out, link, columns, options);
        if options.family == Family::Any {
            print(out, options.newline());
            link::print_hardware(out, link);
        }
        print(out, "\n");
    }
    for address in addresses.on(&link.name) {
        if options.oneline {
            print(out, [format!("{}: ", link.index).as_bytes(), bytes(&link.name)].concat());
        }
        print_address(out, address);
        print(out, options.newline());
        // no file tells of lifetimes: what has one is a rarity
        print(out, "       valid_lft forever preferred_lft forever\n");
    }
}

/// The line of an address, without its end. That of IPv6 ends with a blank.
fn print_address(out: &mut dyn Write, address: &Address) {
    match (address.net, address.peer) {
        (IpNet::V4(net), Some(peer)) => {
            print(out, format!("    inet {} peer {peer}/{} ", net.addr(), net.prefix_len()))
        }
        (IpNet::V4(net), None) => print(out, format!("    inet {net} ")),
        (IpNet::V6(net), _) => print(out, format!("    inet6 {net} ")),
    }
    if let Some(broadcast) = address.broadcast {
        print(out, format!("brd {broadcast} "));
    }
    print(out, format!("scope {} ", scope_name(address.scope)));
    print(out, flag_names(address));
    if address.net.addr().is_ipv4() {
        print(out, address.label.as_bytes());
    }
}

fn scope_name(number: u8) -> String {
    match number {
        scope::GLOBAL => "global".into(),
        scope::HOST => "host".into(),
        scope::LINK => "link".into(),
        scope::SITE => "site".into(),
        other => other.to_string(),
    }
}

/// Flags in iproute2's order (ip/ipaddress.c, `ifa_flag_data`), each with a blank behind it.
fn flag_names(address: &Address) -> String {
    if address.net.addr().is_ipv4() {
        return if address.secondary { "secondary ".into() } else { String::new() };
    }
    let has = |flag| address.v6.has(flag);
    [
        (has(Ipv6Flags::SECONDARY), "temporary "),
        (has(Ipv6Flags::NODAD), "nodad "),
        (has(Ipv6Flags::OPTIMISTIC), "optimistic "),
        (has(Ipv6Flags::DADFAILED), "dadfailed "),
        (has(Ipv6Flags::HOMEADDRESS), "home "),
        (has(Ipv6Flags::DEPRECATED), "deprecated "),
        (has(Ipv6Flags::TENTATIVE), "tentative "),
        (!has(Ipv6Flags::PERMANENT), "dynamic "),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, name)| name)
    .collect()
}
