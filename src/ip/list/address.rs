//! An address as `ip` shows it.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use super::record::Record;
use crate::era::Era;
use crate::ip::Options;
use crate::json::Json;
use crate::kernel::Address;

/// Without end, as netlink counts lifetimes. No file tells of them, and an address with another one is a rarity.
const FOREVER: u32 = u32::MAX;

/// Puts the lines of an address, without the last end. That of IPv6 ends with a blank before the lifetimes.
pub(super) fn put(record: &mut Record, address: &Address, options: Options) {
    let family = if address.net.addr().is_ipv4() { "inet" } else { "inet6" };
    record.print("family", family, format_args!("    {family} "));
    put_net(record, address);
    if let Some(broadcast) = address.broadcast.map(IpAddr::from) {
        record.print("broadcast", broadcast, format_args!("brd {broadcast} "));
    }
    let scope = address.scope.to_string();
    record.print("scope", &*scope, format_args!("scope {scope} "));
    put_flags(record, address, options.era);
    if family == "inet" {
        record.put("label", address.label.as_bytes(), address.label.as_bytes());
    }
    if family == "inet" && !options.era.ip().lifetimes_v4 {
        return;
    }
    record.text(options.newline());
    record.put("valid_life_time", FOREVER, "       valid_lft forever");
    record.put("preferred_life_time", FOREVER, " preferred_lft forever");
}

/// Puts what `ip -br` shows of an address.
pub(super) fn put_net(record: &mut Record, address: &Address) {
    let local = address.net.addr();
    record.print("local", local, format_args!("{local}"));
    if let Some(peer) = address.peer.map(IpAddr::from) {
        record.print("address", peer, format_args!(" peer {peer}"));
    }
    let prefix = address.net.prefix_len();
    record.print("prefixlen", u32::from(prefix), format_args!("/{prefix} "));
}

/// Puts the flags (ip/ipaddress.c, `ifa_flag_data`; in 2006 `print_addrinfo`).
fn put_flags(record: &mut Record, address: &Address, era: Era) {
    let mut put = |name| record.print(name, Json::Bool(true), format_args!("{name} "));
    if address.net.addr().is_ipv4() {
        if address.secondary {
            put("secondary");
        }
        return;
    }
    let named = era.ip().address_flags;
    for (_, _, name) in named.iter().filter(|(flag, is_set, _)| address.v6.has(*flag) == *is_set) {
        put(name);
    }
    let rest = named.iter().fold(address.v6.0, |rest, (flag, ..)| rest & !flag);
    if rest != 0 {
        record.args(format_args!("flags {rest:02x} "));
    }
}
