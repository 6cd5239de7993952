//! `ip -d`: what files show of a link besides its line (ip/ipaddress.c, `print_linkinfo`).

use std::os::unix::ffi::OsStrExt;

use crate::ip::fields::Fields;
use crate::ip::options::Options;
use crate::ip::tuntap::name_of;
use crate::json::Json;
use crate::kernel::{Kernel, Link, LinkFile, Tun, flag, net_conf, port_state, tun_flag};
use crate::net::BridgeId;
use crate::net::number::whole;

/// How the content of a file is shown.
#[derive(Clone, Copy)]
enum Form {
    Number,
    /// As [`Form::Number`]; the kernel reports 0 where there is no such file.
    NumberOrZero,
    /// The low 16 bits of a number.
    Half,
    /// `on` or `off`.
    Switch,
    /// As [`Form::Switch`], but not in JSON, which has the value under another name.
    SwitchOfText,
    Hex,
    /// Hundredths of a second.
    Timer,
    Id,
    State,
    Protocol,
    /// A mask, then the names of its bits.
    Mask,
    Text,
}

use Form::*;

/// A file, the key in JSON, and the word in front of the value.
type Row = (&'static str, &'static str, &'static str, Form);

/// Files of a bridge (ip/iplink_bridge.c, `bridge_print_opt`). iproute2 shows the bridge's own identifier as that of the root.
const BRIDGE: &[Row] = &[
    ("bridge/forward_delay", "forward_delay", "forward_delay", Number),
    ("bridge/hello_time", "hello_time", "hello_time", Number),
    ("bridge/max_age", "max_age", "max_age", Number),
    ("bridge/ageing_time", "ageing_time", "ageing_time", Number),
    ("bridge/stp_state", "stp_state", "stp_state", Number),
    ("bridge/priority", "priority", "priority", Number),
    ("bridge/vlan_filtering", "vlan_filtering", "vlan_filtering", NumberOrZero),
    ("bridge/vlan_protocol", "vlan_protocol", "vlan_protocol", Protocol),
    ("bridge/bridge_id", "bridge_id", "bridge_id", Id),
    ("bridge/bridge_id", "root_id", "designated_root", Id),
    ("bridge/root_port", "root_port", "root_port", Number),
    ("bridge/root_path_cost", "root_path_cost", "root_path_cost", Number),
    ("bridge/topology_change", "topology_change", "topology_change", Number),
    ("bridge/topology_change_detected", "topology_change_detected", "topology_change_detected", Number),
    ("bridge/hello_timer", "hello_timer", "hello_timer", Timer),
    ("bridge/tcn_timer", "tcn_timer", "tcn_timer", Timer),
    ("bridge/topology_change_timer", "topology_change_timer", "topology_change_timer", Timer),
    ("bridge/gc_timer", "gc_timer", "gc_timer", Timer),
    ("bridge/default_pvid", "vlan_default_pvid", "vlan_default_pvid", Number),
    ("bridge/vlan_stats_enabled", "vlan_stats_enabled", "vlan_stats_enabled", Number),
    ("bridge/vlan_stats_per_port", "vlan_stats_per_port", "vlan_stats_per_port", Number),
    ("bridge/group_fwd_mask", "group_fwd_mask", "group_fwd_mask", Hex),
    ("bridge/group_addr", "group_addr", "group_address", Text),
    ("bridge/multicast_snooping", "mcast_snooping", "mcast_snooping", Number),
    ("bridge/no_linklocal_learn", "no_linklocal_learn", "no_linklocal_learn", Number),
    ("bridge/multicast_router", "mcast_router", "mcast_router", Number),
    ("bridge/multicast_query_use_ifaddr", "mcast_query_use_ifaddr", "mcast_query_use_ifaddr", Number),
    ("bridge/multicast_querier", "mcast_querier", "mcast_querier", Number),
    ("bridge/hash_elasticity", "mcast_hash_elasticity", "mcast_hash_elasticity", Number),
    ("bridge/hash_max", "mcast_hash_max", "mcast_hash_max", Number),
    ("bridge/multicast_last_member_count", "mcast_last_member_cnt", "mcast_last_member_count", Number),
    ("bridge/multicast_startup_query_count", "mcast_startup_query_cnt", "mcast_startup_query_count", Number),
    ("bridge/multicast_last_member_interval", "mcast_last_member_intvl", "mcast_last_member_interval", Number),
    ("bridge/multicast_membership_interval", "mcast_membership_intvl", "mcast_membership_interval", Number),
    ("bridge/multicast_querier_interval", "mcast_querier_intvl", "mcast_querier_interval", Number),
    ("bridge/multicast_query_interval", "mcast_query_intvl", "mcast_query_interval", Number),
    ("bridge/multicast_query_response_interval", "mcast_query_response_intvl", "mcast_query_response_interval", Number),
    ("bridge/multicast_startup_query_interval", "mcast_startup_query_intvl", "mcast_startup_query_interval", Number),
    ("bridge/multicast_stats_enabled", "mcast_stats_enabled", "mcast_stats_enabled", Number),
    ("bridge/multicast_igmp_version", "mcast_igmp_version", "mcast_igmp_version", Number),
    ("bridge/multicast_mld_version", "mcast_mld_version", "mcast_mld_version", Number),
    ("bridge/nf_call_iptables", "nf_call_iptables", "nf_call_iptables", Number),
    ("bridge/nf_call_ip6tables", "nf_call_ip6tables", "nf_call_ip6tables", Number),
    ("bridge/nf_call_arptables", "nf_call_arptables", "nf_call_arptables", Number),
];

/// Files of a port of a bridge (ip/iplink_bridge_slave.c, `bridge_slave_print_opt`).
const BRIDGE_SLAVE: &[Row] = &[
    ("brport/state", "state", "state", State),
    ("brport/priority", "priority", "priority", Number),
    ("brport/path_cost", "cost", "cost", Number),
    ("brport/hairpin_mode", "hairpin", "hairpin", Switch),
    ("brport/bpdu_guard", "guard", "guard", Switch),
    ("brport/root_block", "root_block", "root_block", Switch),
    ("brport/multicast_fast_leave", "fastleave", "fastleave", Switch),
    ("brport/learning", "learning", "learning", Switch),
    ("brport/unicast_flood", "flood", "flood", Switch),
    ("brport/port_id", "id", "port_id", Hex),
    ("brport/port_no", "no", "port_no", Hex),
    ("brport/designated_port", "designated_port", "designated_port", Number),
    ("brport/designated_cost", "designated_cost", "designated_cost", Half),
    ("brport/designated_bridge", "bridge_id", "designated_bridge", Id),
    ("brport/designated_root", "root_id", "designated_root", Id),
    ("brport/hold_timer", "hold_timer", "hold_timer", Timer),
    ("brport/message_age_timer", "message_age_timer", "message_age_timer", Timer),
    ("brport/forward_delay_timer", "forward_delay_timer", "forward_delay_timer", Timer),
    ("brport/change_ack", "topology_change_ack", "topology_change_ack", Number),
    ("brport/config_pending", "config_pending", "config_pending", Number),
    ("brport/proxyarp", "proxy_arp", "proxy_arp", Switch),
    ("brport/proxyarp_wifi", "proxy_arp_wifi", "proxy_arp_wifi", Switch),
    ("brport/multicast_router", "multicast_router", "mcast_router", Number),
    ("brport/multicast_fast_leave", "", "mcast_fast_leave", SwitchOfText),
    ("brport/multicast_flood", "mcast_flood", "mcast_flood", Switch),
    ("brport/broadcast_flood", "bcast_flood", "bcast_flood", Switch),
    ("brport/multicast_to_unicast", "mcast_to_unicast", "mcast_to_unicast", Switch),
    ("brport/neigh_suppress", "neigh_suppress", "neigh_suppress", Switch),
    ("brport/group_fwd_mask", "group_fwd_mask", "group_fwd_mask", Mask),
    ("brport/isolated", "isolated", "isolated", Switch),
    ("brport/backup_port", "backup_port", "backup_port", Text),
];

/// Files of hardware.
const HARDWARE: &[Row] = &[
    ("phys_port_name", "phys_port_name", "portname", Text),
    ("phys_port_id", "phys_port_id", "portid", Text),
    ("phys_switch_id", "phys_switch_id", "switchid", Text),
];

/// Puts the details of a link, behind its hardware address.
pub(super) fn put(fields: &mut Fields, kernel: &Kernel, link: &Link, with_mode: bool, options: Options) {
    let name = link.name.as_bytes();
    put_counts(fields, kernel, link);
    put_kinds(fields, kernel, link, options);
    if with_mode {
        put_addrgen(fields, kernel, name);
    }
    put_rows(fields, kernel, name, HARDWARE);
    for (target, key) in [("device/subsystem", "parentbus"), ("device", "parentdev")] {
        if let Some(parent) = kernel.link_target(name, LinkFile(target)) {
            let parent = parent.as_bytes();
            fields.put(key, parent, [key.as_bytes(), b" ", parent, b" "].concat());
        }
    }
}

/// Puts how often somebody has asked for all frames, and for all multicasts. The files show whether anybody has; the
/// administrator and the bridge of a port are known, others count for one.
fn put_counts(fields: &mut Fields, kernel: &Kernel, link: &Link) {
    let raw = kernel.link_file(link.name.as_bytes(), LinkFile("flags"));
    let raw = raw.and_then(|text| whole(text.as_bytes(), 0)).unwrap_or_default() as u32;
    let is_port = kernel.has_link_file(link.name.as_bytes(), LinkFile("brport"));
    for (key, flag) in [("promiscuity", flag::PROMISC), ("allmulti", flag::ALLMULTI)] {
        let known = u32::from(link.flags & flag != 0) + u32::from(is_port);
        let count = if raw & flag != 0 { known.max(1) } else { 0 };
        fields.print(key, count, format_args!(" {key} {count} "));
    }
}

/// Puts the kind of a link and of its master, with their values, each on a line of its own.
fn put_kinds(fields: &mut Fields, kernel: &Kernel, link: &Link, options: Options) {
    let name = link.name.as_bytes();
    let kind = kernel.info_kind(name);
    let kind_of_master = link.master.as_ref().and_then(|master| kernel.info_kind(master.as_bytes()));
    let slave_kind = kind_of_master.filter(|kind| matches!(kind.as_str(), "bridge" | "bond" | "vrf"));
    if kind.is_none() && slave_kind.is_none() {
        return;
    }
    let mut info = Fields::new(fields.is_json());
    if let Some(kind) = kind {
        info.text(options.newline());
        info.print("info_kind", kind.as_str(), format_args!("    {kind} "));
        let mut data = Fields::new(fields.is_json());
        match kind.as_str() {
            "bridge" => put_rows(&mut data, kernel, name, BRIDGE),
            "tun" => put_tun(&mut data, kernel, name),
            _ => (),
        }
        if matches!(kind.as_str(), "bridge" | "tun") {
            info.object("info_data", data);
        }
    }
    if let Some(kind) = slave_kind {
        info.text(options.newline());
        info.print("info_slave_kind", kind.as_str(), format_args!("    {kind}_slave "));
        if kind == "bridge" {
            let mut data = Fields::new(fields.is_json());
            put_rows(&mut data, kernel, name, BRIDGE_SLAVE);
            info.object("info_slave_data", data);
        }
    }
    fields.object("linkinfo", info);
}

fn put_rows(fields: &mut Fields, kernel: &Kernel, link: &[u8], rows: &'static [Row]) {
    for &(file, key, word, form) in rows {
        match kernel.link_file(link, LinkFile(file)) {
            Some(text) if !text.is_empty() => put_value(fields, key, word, form, &text),
            None if matches!(form, NumberOrZero) => put_value(fields, key, word, form, "0"),
            _ => (),
        }
    }
}

fn put_value(fields: &mut Fields, key: &'static str, word: &str, form: Form, text: &str) {
    let number = whole(text.as_bytes(), 0).unwrap_or_default() as u64;
    let on_off = if number != 0 { "on" } else { "off" };
    match form {
        Number | NumberOrZero => fields.print(key, number, format_args!("{word} {number} ")),
        Half => fields.print(key, number & 0xffff, format_args!("{word} {} ", number & 0xffff)),
        Switch => fields.print(key, number != 0, format_args!("{word} {on_off} ")),
        SwitchOfText => fields.print_text(format_args!("{word} {on_off} ")),
        Hex => put_text(fields, key, word, &hex(number)),
        Timer => {
            let (seconds, hundredths) = (number / 100, number % 100);
            fields.print(key, Json::Hundredths(number), format_args!("{word} {seconds:4}.{hundredths:02} "));
        }
        Id => put_text(fields, key, word, &identifier(text.parse().unwrap_or_default())),
        State => put_text(fields, key, word, port_state::NAMES.get(number as usize).unwrap_or(&"")),
        Protocol => {
            let name = match number as i32 {
                libc::ETH_P_8021Q => "802.1Q",
                libc::ETH_P_8021AD => "802.1ad",
                _ => text,
            };
            put_text(fields, key, word, name);
        }
        Mask => {
            put_text(fields, key, word, &hex(number));
            put_text(fields, "group_fwd_mask_str", "group_fwd_mask_str", &names_of_bits(number));
        }
        Text => put_text(fields, key, word, text),
    }
}

fn put_text(fields: &mut Fields, key: &'static str, word: &str, text: &str) {
    fields.print(key, text, format_args!("{word} {text} "));
}

/// printf's `%#x`
fn hex(number: u64) -> String {
    if number == 0 { "0".into() } else { format!("{number:#x}") }
}

/// An identifier as iproute2 prints it: the octets of the address by ether_ntoa(3), without leading zeros.
fn identifier(BridgeId([high, low, mac @ ..]): BridgeId) -> String {
    let octets = mac.map(|octet| format!("{octet:x}")).join(":");
    format!("{high:02x}{low:02x}.{octets}")
}

/// Names of the groups 01:80:c2:00:00:0X that a port forwards.
fn names_of_bits(mask: u64) -> String {
    let name = |bit: u32| match bit {
        0 => "stp".into(),
        2 => "lacp".into(),
        14 => "lldp".into(),
        _ => format!("{:#x}", 1u32 << bit),
    };
    let names: Vec<String> = (0..16).filter(|bit| mask >> bit & 1 != 0).map(name).collect();
    if names.is_empty() { "0x0".into() } else { names.join(",") }
}

/// Puts the values of a tap or tun (ip/iptuntap.c, `tun_print_opt`), without its numbers of queues, which no file shows.
fn put_tun(fields: &mut Fields, kernel: &Kernel, link: &[u8]) {
    let Some(tun) = Tun::of(kernel, link) else { return };
    let has = |flag| tun.flags & flag != 0;
    put_text(fields, "type", "type", if has(tun_flag::TAP) { "tap" } else { "tun" });
    let switch = |fields: &mut Fields, key: &'static str, on: bool| {
        fields.print(key, on, format_args!("{key} {} ", if on { "on" } else { "off" }));
    };
    switch(fields, "pi", !has(tun_flag::NO_PI));
    switch(fields, "vnet_hdr", has(tun_flag::VNET_HDR));
    fields.json("multi_queue", has(tun_flag::MULTI_QUEUE));
    fields.text(if has(tun_flag::MULTI_QUEUE) { "multi_queue " } else { "" });
    switch(fields, "persist", has(tun_flag::PERSIST));
    for (key, number, file) in [("user", tun.owner, "/etc/passwd"), ("group", tun.group, "/etc/group")] {
        let Some(number) = number else { continue };
        match name_of(kernel, file, number) {
            Some(name) => put_text(fields, key, key, &name),
            None => fields.print(key, number, format_args!("{key} {number} ")),
        }
    }
}

/// Puts how a link makes its IPv6 addresses, if it has IPv6 (linux/if_link.h, `IN6_ADDR_GEN_MODE_*`).
fn put_addrgen(fields: &mut Fields, kernel: &Kernel, link: &[u8]) {
    let file = net_conf("ipv6", &String::from_utf8_lossy(link), "addr_gen_mode");
    let Some(mode) = file.ok().and_then(|file| kernel.sysctl(&file).ok()) else { return };
    let name = match mode.as_str() {
        "0" => "eui64",
        "1" => "none",
        "2" => "stable_secret",
        "3" => "random",
        other => other,
    };
    put_text(fields, "inet6_addr_gen_mode", "addrgenmode", name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_iproute2_prints_them() {
        assert_eq!(identifier(BridgeId([0x80, 0, 2, 0, 0, 0x1a, 0, 0xb1])), "8000.2:0:0:1a:0:b1");
        assert_eq!(names_of_bits(0), "0x0");
        assert_eq!(names_of_bits(0x400d), "stp,lacp,0x8,lldp");
        let text = |form, value| {
            let mut fields = Fields::new(false);
            put_value(&mut fields, "k", "w", form, value);
            String::from_utf8_lossy(&fields.into_text()).into_owned()
        };
        assert_eq!(text(Timer, "9"), "w    0.09 ");
        assert_eq!(text(Timer, "123456"), "w 1234.56 ");
        assert_eq!(text(Half, "65537"), "w 1 ");
        assert_eq!(text(Hex, "0x8001"), "w 0x8001 ");
        assert_eq!(text(Protocol, "0x88a8"), "w 802.1ad ");
        assert_eq!(text(State, "3"), "w forwarding ");
    }
}
