//! A route as it is printed.

use std::net::IpAddr;

use ipnet::IpNet;

use super::entry::{Entry, Hop, Tcp};
use super::filter::{Field, Filter};
use super::names::{self, protocol, scope};
use crate::era::Era;
use crate::ip::list::Record;
use crate::ip::{Options, bytes};
use crate::json::Json;
use crate::kernel::RouteKind;

/// Puts a route without the fields that the filter fixes, and with the end of its line.
pub(super) fn put(record: &mut Record, entry: &Entry, filter: &Filter, options: Options) {
    if options.era.ip().all_of_route || !filter.hides(Field::Kind) {
        put_kind(record, entry.kind, options);
    }
    record.put("dst", network(entry.destination), format!("{} ", network(entry.destination)));
    if let Some(from) = entry.from {
        record.put("from", from.to_string(), format!("from {from} "));
    }
    if entry.tos != 0 && !filter.hides(Field::Tos) {
        record.put("tos", names::tos_name(entry.tos), format!("tos {} ", names::tos_name(entry.tos)));
    }
    // a route that shares packets out has its ways at the end
    let hop = match &entry.hops[..] {
        [hop] => Some(hop),
        _ => None,
    };
    if let Some(hop) = hop {
        let is_shown = |field| !filter.hides(field);
        put_way(record, hop, is_shown(Field::Gateway), is_shown(Field::Device));
    }
    if !filter.hides(Field::Table) {
        put_table(record, entry.is_local, options);
    }
    if !filter.hides(Field::Protocol) {
        put_maker(record, entry, options);
    }
    if !filter.hides(Field::Scope) {
        put_scope(record, entry, options);
    }
    if let Some(source) = entry.source
        && !filter.hides(Field::Source)
    {
        put_source(record, source, options);
    }
    if has_metric(entry) && !filter.hides(Field::Metric) {
        put_metric(record, entry.metric, options);
    }
    put_flags(record, hop, options);
    put_tcp(record, entry.tcp, options);
    put_preference(record, entry, options);
    put_hops(record, entry, options);
    record.text("\n");
}

/// The word before a destination that is no ordinary one.
pub(super) fn put_kind(record: &mut Record, kind: RouteKind, options: Options) {
    if kind != RouteKind::Unicast || options.details {
        let name = names::kind_name(kind);
        record.put("type", name, format!("{name} "));
    }
}

/// `via GATEWAY dev DEVICE`
pub(super) fn put_way(record: &mut Record, hop: &Hop, with_gateway: bool, with_device: bool) {
    if let Some(gateway) = hop.gateway
        && with_gateway
    {
        record.put("gateway", gateway.to_string(), format!("via {gateway} "));
    }
    if let Some(device) = &hop.device
        && with_device
    {
        record.put("dev", bytes(device), [b"dev ", bytes(device), b" "].concat());
    }
}

/// The table, unless it is main.
pub(super) fn put_table(record: &mut Record, is_local: bool, options: Options) {
    if is_local || options.details {
        let name = if is_local { "local" } else { "main" };
        record.put("table", name, format!("{}table {name} ", options.era.ip().gap));
    }
}

/// Who made it, unless it was made by hand.
pub(super) fn put_maker(record: &mut Record, entry: &Entry, options: Options) {
    if entry.protocol != protocol::BOOT || options.details {
        let name = names::protocol_name(entry.protocol);
        record.put("protocol", name, format!("{}proto {name} ", options.era.ip().gap));
    }
}

/// The scope, unless it is global.
pub(super) fn put_scope(record: &mut Record, entry: &Entry, options: Options) {
    if entry.scope != scope::GLOBAL || options.details {
        let name = names::scope_name(entry.scope);
        record.put("scope", name, format!("{}scope {name} ", options.era.ip().gap));
    }
}

pub(super) fn put_source(record: &mut Record, source: IpAddr, options: Options) {
    record.put("prefsrc", source.to_string(), format!("{}src {source} ", options.era.ip().gap));
}

pub(super) fn put_metric(record: &mut Record, metric: u32, options: Options) {
    record.put("metric", metric, format!("{}metric {metric} ", options.era.ip().gap));
}

/// IPv6 routes always have a metric.
pub(super) fn has_metric(entry: &Entry) -> bool {
    entry.metric != 0 || entry.is_v6()
}

fn put_flags(record: &mut Record, hop: Option<&Hop>, options: Options) {
    let flags = hop.map(|hop| flags_of(hop, options)).unwrap_or_default();
    record.text(flags.iter().map(|flag| format!("{flag} ")).collect::<String>());
    record.json("flags", Json::List(flags.into_iter().map(Json::from).collect()));
}

fn flags_of(hop: &Hop, options: Options) -> Vec<&'static str> {
    let flags = [("onlink", hop.onlink), ("linkdown", hop.linkdown && options.era.ip().all_of_route)];
    flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
}

/// What TCP is told, in the order of RTAX_*.
pub(super) fn put_tcp(record: &mut Record, tcp: Tcp, options: Options) {
    let round_trip = match tcp.round_trip {
        0..1000 => format!("{}ms", tcp.round_trip),
        _ => format!("{}s", seconds(tcp.round_trip)),
    };
    let values = [
        ("window", tcp.window, tcp.window.to_string()),
        ("rtt", tcp.round_trip, round_trip),
        ("advmss", tcp.segment, tcp.segment.to_string()),
    ];
    let set: Vec<_> = values.into_iter().filter(|&(_, value, _)| value != 0).collect();
    if set.is_empty() {
        return;
    }
    let [before, behind] = options.era.ip().around_tcp;
    record.text(set.iter().map(|(key, _, text)| format!("{before}{key} {text}{behind}")).collect::<String>());
    let object = Json::Object(set.into_iter().map(|(key, value, _)| (key, value.into())).collect());
    record.json("metrics", Json::List(vec![object]));
}

/// Milliseconds, a thousand and more, as seconds with six digits: C's `%g`.
fn seconds(milliseconds: u32) -> String {
    let (whole, fraction) = (milliseconds / 1000, milliseconds % 1000);
    let (whole, decimals) = match whole {
        0..1000 => (whole, format!("{fraction:03}")),
        // rounded to what is left of six digits
        1000..10_000 => (whole + fraction / 995, format!("{:02}", (fraction + 5) / 10 % 100)),
        10_000..100_000 => (whole + fraction / 950, format!("{:01}", (fraction + 50) / 100 % 10)),
        _ => (whole + fraction / 500, String::new()),
    };
    let text = format!("{whole}.{decimals}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

/// `pref medium`, which IPv6 routes have; without a blank behind it.
pub(super) fn put_preference(record: &mut Record, entry: &Entry, options: Options) {
    if entry.is_v6() && options.era.ip().all_of_route {
        let name = match entry.preference {
            1 => "high",
            3 => "low",
            _ => "medium",
        };
        record.put("pref", name, format!("pref {name}"));
    }
}

/// The ways of a route that shares packets out, a line each. The shares are taken to be equal, for no file tells them.
fn put_hops(record: &mut Record, entry: &Entry, options: Options) {
    if entry.hops.len() < 2 {
        return;
    }
    let mut objects = Vec::new();
    for hop in &entry.hops {
        let mut way = Record::new(options.json);
        if options.era == Era::Of2006 {
            record.text(hop_of_2006(hop, options));
            continue;
        }
        way.text([options.newline(), "\tnexthop "].concat());
        put_way(&mut way, hop, true, true);
        way.put("weight", 1u32, "weight 1 ");
        put_flags(&mut way, Some(hop), options);
        match options.json {
            true => objects.push(way.take_json()),
            false => record.append(way),
        }
    }
    record.json("nexthops", Json::List(objects));
}

fn hop_of_2006(hop: &Hop, options: Options) -> Vec<u8> {
    let gateway = hop.gateway.map(|gateway| format!(" via {gateway} ")).unwrap_or_default();
    let device = hop.device.as_ref().map_or(&b""[..], bytes);
    let flag = if hop.onlink { " onlink" } else { "" };
    let start = [options.newline(), "\tnexthop", &gateway, " dev "].concat();
    [start.as_bytes(), device, b" weight 1", flag.as_bytes()].concat()
}

/// A network as it is printed: whole addresses without their length.
fn network(network: IpNet) -> String {
    match network.prefix_len() {
        0 => "default".into(),
        length if length == network.max_prefix_len() => network.addr().to_string(),
        _ => network.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn six_digits() {
        let known = [
            (1000, "1"),
            (1500, "1.5"),
            (65_535, "65.535"),
            (100_000, "100"),
            (1_234_567, "1234.57"),
            (1_234_999, "1235"),
            (12_345_678, "12345.7"),
            (123_456_789, "123457"),
        ];
        for (milliseconds, text) in known {
            assert_eq!(seconds(milliseconds), text);
        }
    }
}
