//! An address as `ip` shows it.

use std::os::unix::ffi::OsStrExt;

use super::json::Json;
use super::record::Record;
use crate::ip::Options;
use crate::kernel::{Address, Ipv6Flags, scope};

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
    for flag in flags(address) {
        record.put(flag, Json::Bool(true), format!("{flag} "));
    }
    if family == "inet" {
        record.put("label", address.label.as_bytes(), address.label.as_bytes());
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

/// Flags in iproute2's order (ip/ipaddress.c, `ifa_flag_data`).
fn flags(address: &Address) -> Vec<&'static str> {
    if address.net.addr().is_ipv4() {
        return if address.secondary { vec!["secondary"] } else { Vec::new() };
    }
    let has = |flag| address.v6.has(flag);
    [
        (has(Ipv6Flags::SECONDARY), "temporary"),
        (has(Ipv6Flags::NODAD), "nodad"),
        (has(Ipv6Flags::OPTIMISTIC), "optimistic"),
        (has(Ipv6Flags::DADFAILED), "dadfailed"),
        (has(Ipv6Flags::HOMEADDRESS), "home"),
        (has(Ipv6Flags::DEPRECATED), "deprecated"),
        (has(Ipv6Flags::TENTATIVE), "tentative"),
        (!has(Ipv6Flags::PERMANENT), "dynamic"),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, name)| name)
    .collect()
}
