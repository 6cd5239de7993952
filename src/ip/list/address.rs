//! An address as `ip` shows it.

use std::os::unix::ffi::OsStrExt;

use crate::era::Era;
use crate::ip::color::Color;
use crate::ip::fields::Fields;
use crate::ip::options::Options;
use crate::json::Json;
use crate::kernel::Address;
use crate::net::prefix::address_text;

/// The lifetime of an address that stays forever. No file shows lifetimes, and others are rare.
const FOREVER: u32 = u32::MAX;

/// Puts the lines of an address, without the last line end. That of IPv6 ends with a blank before the lifetimes.
pub(super) fn put(fields: &mut Fields, address: &Address, options: Options) {
    let family = if address.net.addr().is_ipv4() { "inet" } else { "inet6" };
    fields.print("family", family, format_args!("    {family} "));
    put_net(fields, address);
    if let Some(broadcast) = address.broadcast {
        fields.text("brd ");
        fields.colored(Some(Color::Ipv4), |fields| {
            fields.show("broadcast", broadcast, format_args!("{broadcast} "));
        });
    }
    match options.numeric {
        true => fields.show("scope", address.scope.0, format_args!("scope {} ", address.scope.0)),
        false => fields.show("scope", address.scope, format_args!("scope {} ", address.scope)),
    }
    put_flags(fields, address, options.era);
    if family == "inet" {
        fields.put("label", address.label.as_bytes(), address.label.as_bytes());
    }
    if family == "inet" && !options.era.ip().lifetimes_v4 {
        return;
    }
    fields.text(options.newline());
    fields.put("valid_life_time", FOREVER, "       valid_lft forever");
    fields.put("preferred_life_time", FOREVER, " preferred_lft forever");
}

/// Puts what `ip -br` shows of an address.
pub(super) fn put_net(fields: &mut Fields, address: &Address) {
    let local = address.net.addr();
    let color = if local.is_ipv4() { Color::Ipv4 } else { Color::Ipv6 };
    let text = address_text(local);
    fields.colored(Some(color), |fields| fields.put("local", text.as_str(), &text));
    if let Some(peer) = address.peer {
        fields.text(" peer ");
        fields.colored(Some(color), |fields| fields.show("address", peer, format_args!("{peer}")));
    }
    let prefix = address.net.prefix_len();
    fields.print("prefixlen", u32::from(prefix), format_args!("/{prefix} "));
}

/// Puts the flags (ip/ipaddress.c, `ifa_flag_data`; in ss060323 `print_addrinfo`).
fn put_flags(fields: &mut Fields, address: &Address, era: Era) {
    let mut put = |name| fields.print(name, Json::Bool(true), format_args!("{name} "));
    if address.net.addr().is_ipv4() {
        if address.secondary {
            put("secondary");
        }
        return;
    }
    let named = era.ip().address_flags;
    for (_, _, name) in named.iter().filter(|(flag, is_set, _)| address.has_flag(*flag) == *is_set) {
        put(name);
    }
    let rest = named.iter().fold(address.flags, |rest, (flag, ..)| rest & !flag);
    if rest != 0 {
        fields.print_text(format_args!("flags {rest:02x} "));
    }
}
