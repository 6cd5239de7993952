//! `ip maddress`: the groups that links listen to. iproute2 itself reads files and adds by ioctl.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use super::color::Color;
use super::complaint::{duplicate, garbage, wrong};
use super::device::is_name;
use super::dispatch::{Verb, dispatch, verb};
use super::fields::{Fields, print_records};
use super::hardware;
use super::options::Options;
use super::usage;
use super::words::Words;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::{Group, GroupAddress, IFNAMSIZ};
use crate::net::prefix::{Family, Notation};

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("add", |call, words| change(call, words, true)),
    verb("delete", |call, words| change(call, words, false)),
    verb("list", show),
    verb("show", show),
    verb("lst", show),
    verb("help", |_, _| Err(usage::maddr())),
];

/// `ip maddress [COMMAND ...]`
pub(super) fn run(call: &mut Call, words: Words) -> Outcome {
    dispatch(call, words, "maddr", VERBS, show)
}

/// `ip maddress show [[dev] DEVICE]`
fn show(call: &mut Call, mut words: Words) -> Outcome {
    let options = words.options;
    let mut device = None;
    while let Some(word) = words.next() {
        let word = match word {
            b"dev" => words.operand()?,
            _ if options.is_short_for(word, "help") => return Err(usage::maddr()),
            _ => word,
        };
        if device.replace(word).is_some() {
            return Err(garbage("dev", word));
        }
    }
    let kernel = call.kernel;
    let reads = |family| options.family == family || options.family == Family::Any && !options.link_only;
    let mut groups = Vec::new();
    if options.other_family.is_none() {
        if options.link_only || options.family == Family::Any {
            groups.extend(kernel.link_groups());
        }
        groups.extend(if reads(Family::Inet) { kernel.groups_v4() } else { Vec::new() });
        groups.extend(if reads(Family::Inet6) { kernel.groups_v6() } else { Vec::new() });
    }
    groups.retain(|group| device.is_none_or(|device| group.link.as_bytes() == device));
    groups.sort_by_key(|group| group.index);

    let mut fields = Fields::of(options);
    let belong_together = |one: &Group, other: &Group| one.index == other.index && !options.oneline;
    for of_link in groups.chunk_by(belong_together) {
        put_link(&mut fields, of_link, options);
        fields.end_record();
    }
    print_records(call.out, [fields], options);
    Ok(())
}

/// Puts a link, and its groups.
fn put_link(fields: &mut Fields, groups: &[Group], options: Options) {
    let Some(Group { index, link, .. }) = groups.first() else { return };
    let link = link.as_bytes();
    fields.print("ifindex", *index as u32, format_args!("{index}:"));
    fields.colored(Some(Color::Name), |fields| fields.put("ifname", link, [b"\t", link].concat()));
    fields.text(options.newline());
    let mut list = Fields::of(options);
    for group in groups {
        put_group(&mut list, group);
        list.end_record();
    }
    fields.list("maddr", list);
}

fn put_group(fields: &mut Fields, group: &Group) {
    fields.text("\t");
    match &group.address {
        GroupAddress::Link(octets) => {
            let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let address = octets.join(":");
            fields.text("link  ");
            fields.colored(Some(Color::Hardware), |fields| fields.put("link", address.as_str(), &address));
        }
        GroupAddress::Net(address) => {
            let (family, color) = match address {
                IpAddr::V4(_) => ("inet", Color::Ipv4),
                IpAddr::V6(_) => ("inet6", Color::Ipv6),
            };
            fields.print("family", family, format_args!("{family:<5} "));
            fields.colored(Some(color), |fields| fields.show("address", address, format_args!("{address}")));
        }
    }
    if group.users != 1 {
        fields.print("users", group.users, format_args!(" users {}", group.users));
    }
    if group.is_static {
        fields.put("features", "static", " static");
    }
    fields.text("\n");
}

/// `ip maddress { add | delete } [address] ADDRESS dev DEVICE`
fn change(call: &mut Call, mut words: Words, is_member: bool) -> Outcome {
    let mut device: &[u8] = b"";
    let mut address = Vec::new();
    while let Some(word) = words.next() {
        if word == b"dev" {
            let name = words.operand()?;
            match device.is_empty() {
                false => return Err(duplicate("dev", name)),
                true if !is_name(name, IFNAMSIZ - 1) => return Err(wrong(name, "\"dev\" not a valid ifname")),
                true => device = name,
            }
            continue;
        }
        let word = if words.options.is_short_for(word, "address") { words.operand()? } else { word };
        if words.options.is_short_for(word, "help") {
            return Err(usage::maddr());
        }
        // one that begins with 0 counts for none
        if address.first().is_some_and(|octet| *octet != 0) {
            return Err(duplicate("address", word));
        }
        address = ethernet_address(word)?;
    }
    if device.is_empty() {
        return Err(Failure::new(line!("Not enough information: \"dev\" is required.")).with_status(255));
    }
    let changed = call.kernel.set_group(device, &address, is_member);
    changed.map_err(|errno| Failure::new(line!("ioctl: ", errno_text(errno))))
}

fn ethernet_address(word: &[u8]) -> Result<Vec<u8>, Failure> {
    let address = hardware::address(word, 14, Notation::C)?;
    match address.len() {
        6 => Ok(address),
        length => {
            let text = line!("Error: Invalid address length ", length.to_string(), " - must be 6 bytes");
            Err(Failure::new(text))
        }
    }
}
