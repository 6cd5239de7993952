//! An address as `ip` shows it.

use std::os::unix::ffi::OsStrExt;

use super::json::Json;
use super::record::Record;
use crate::era::Era;
use crate::ip::Options;
use crate::kernel::{Address, scope};

/// Without end, as netlink counts lifetimes. No file tells of them, and an address with another one is a rarity.
const FOREVER: u32 = u32::MAX;

/// Puts the lines of an address, without the last end. That of IPv6 ends with a blank before the lifetimes.
pub(super) fn put(record: &mut Record, address: &Address, options: Options) {
    let family = if address.net.addr().is_ipv4() { "inet" } else { "inet6" };
    record.put("family", family, format!("    {family} "));
    put_net(record, address);
    if let Some(broadcast) = address.broadcast {
        record.put("broadcast", broadcast.to_string(), format!("brd {broadcast} "));
    }
    let scope = scope_name(address.scope);
    record.put("scope", scope.as_str(), format!("scope {scope} "));
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
    let local = address.net.addr().to_string();
    record.put("local", local.as_str(), &local);
    if let Some(peer) = address.peer {
        record.put("address", peer.to_string(), format!(" peer {peer}"));
    }
    let prefix = address.net.prefix_len();
    record.put("prefixlen", u32::from(prefix), format!("/{prefix} "));
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

/// Puts the flags (ip/ipaddress.c, `ifa_flag_data`; in 2006 `print_addrinfo`).
fn put_flags(record: &mut Record, address: &Address, era: Era) {
    let mut put = |name| record.put(name, Json::Bool(true), format!("{name} "));
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
        record.text(format!("flags {rest:02x} "));
    }
}
