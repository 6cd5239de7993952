//! The line of a tunnel, as `ip tunnel show` prints it.

use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use super::sit::{put_6rd, put_routers};
use crate::call::Call;
use crate::ip::color::Color;
use crate::ip::fields::Fields;
use crate::ip::options::Options;
use crate::ip::route::names::tos_name;
use crate::json::Json;
use crate::kernel::{Statistics, Tunnel, tunnel_flag};

/// Puts the line of a tunnel, without its end (ip/iptunnel.c, `print_tunnel`).
pub(super) fn put_tunnel(call: &mut Call, fields: &mut Fields, tunnel: &Tunnel, options: Options) {
    let kernel = call.kernel;
    let name = tunnel.name();
    fields.colored(Some(Color::Name), |fields| fields.put("ifname", name, [name, b": "].concat()));
    let protocol = match i32::from(tunnel.protocol) {
        libc::IPPROTO_IPIP => "ip",
        libc::IPPROTO_GRE => "gre",
        libc::IPPROTO_IPV6 => "ipv6",
        libc::IPPROTO_ESP => "esp",
        libc::IPPROTO_MPLS => "mpls",
        0 => "any",
        _ => "unknown",
    };
    fields.print("mode", format!("{protocol}/ip"), format_args!("{protocol}/ip "));
    for (key, octets, end) in [("remote", tunnel.remote, " "), ("local", tunnel.local, "")] {
        let address = Ipv4Addr::from(octets);
        fields.text([key, " "].concat());
        fields.json(key, address.to_string());
        fields.colored(Some(Color::Ipv4), |fields| {
            fields.text(if address.is_unspecified() { "any".into() } else { address.to_string() });
            fields.text(end);
        });
    }
    if tunnel.protocol == libc::IPPROTO_IPV6 as u8 && tunnel.input_flags & tunnel_flag::ISATAP != 0 {
        put_routers(call, fields, name);
    }
    if tunnel.link != 0 {
        let link = kernel.link_name(tunnel.link).unwrap_or_else(|_| format!("if{}", tunnel.link).into());
        fields.put("dev", link.as_bytes(), [b" dev ", link.as_bytes()].concat());
    }
    match tunnel.ttl {
        0 => fields.text(" ttl inherit"),
        ttl => fields.print("ttl", u32::from(ttl), format_args!(" ttl {ttl}")),
    }
    put_tos(fields, tunnel.tos, options);
    if !tunnel.dont_fragment() {
        fields.put("nopmtudisc", Json::Null, " nopmtudisc");
    }
    if tunnel.protocol == libc::IPPROTO_IPV6 as u8 {
        put_6rd(call, fields, name);
    }
    put_gre(fields, tunnel, options);
}

fn put_tos(fields: &mut Fields, value: u8, options: Options) {
    let name = |value: u8| if options.numeric { format!("0x{value:02x}") } else { tos_name(value) };
    match value {
        0 => (),
        1 => fields.text(" tos inherit"),
        _ if value & 1 != 0 && !options.json => fields.text(format!(" tos inherit/{}", name(value & !1))),
        _ => fields.print("tos", name(value), format_args!(" tos {}", name(value))),
    }
}

/// Puts the keys, and the flags of GRE (ip/tunnel.c, `tnl_print_gre_flags`).
fn put_gre(fields: &mut Fields, tunnel: &Tunnel, options: Options) {
    let [input, output] = [(tunnel.input_flags, tunnel.input_key), (tunnel.output_flags, tunnel.output_key)]
        .map(|(flags, key)| (flags & tunnel_flag::KEY != 0).then(|| u32::from_be_bytes(key)));
    if input.is_some() && input == output {
        fields.print("key", input, format_args!(" key {}", input.unwrap_or_default()));
    } else {
        for (name, key) in [("ikey", input), ("okey", output)] {
            if let Some(key) = key {
                fields.print(name, key, format_args!(" {name} {key}"));
            }
        }
    }
    if tunnel.protocol != libc::IPPROTO_GRE as u8 {
        return;
    }
    let told = [
        (tunnel.input_flags & tunnel_flag::SEQUENCE, "rx_drop_ooseq", "  Drop packets out of sequence."),
        (tunnel.input_flags & tunnel_flag::CHECKSUM, "rx_csum", "  Checksum in received packet is required."),
        (tunnel.output_flags & tunnel_flag::SEQUENCE, "tx_seq", "  Sequence packets on output."),
        (tunnel.output_flags & tunnel_flag::CHECKSUM, "tx_csum", "  Checksum output packets."),
    ];
    let told = || told.iter().filter(|(flag, ..)| *flag != 0);
    for (_, _, text) in told() {
        fields.text([options.newline(), text].concat());
    }
    fields.json("flags", told().map(|(_, key, _)| *key).collect::<Json>());
}

/// Puts what a tunnel has received and sent (ip/tunnel.c, `tnl_print_stats`).
pub(super) fn put_statistics(fields: &mut Fields, statistics: &Statistics, options: Options) {
    let newline = options.newline();
    let count = |file| statistics.count(file);
    fields.print_text(format_args!(
        "{newline}RX: Packets    Bytes        Errors CsumErrs OutOfSeq Mcasts{newline}    {:<10} {:<12} {:<6} {:<8} {:<8} {:<8}",
        count("rx_packets"),
        count("rx_bytes"),
        count("rx_errors"),
        count("rx_frame_errors"),
        count("rx_fifo_errors"),
        count("multicast"),
    ));
    fields.print_text(format_args!(
        "{newline}TX: Packets    Bytes        Errors DeadLoop NoRoute  NoBufs{newline}    {:<10} {:<12} {:<6} {:<8} {:<8} {:<6}",
        count("tx_packets"),
        count("tx_bytes"),
        count("tx_errors"),
        count("collisions"),
        count("tx_carrier_errors"),
        count("tx_dropped"),
    ));
}
