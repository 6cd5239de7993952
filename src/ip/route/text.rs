//! A route as it is printed.

use std::fmt::Display;
use std::net::IpAddr;

use ipnet::IpNet;

use super::entry::{Entry, Hop, Tcp};
use super::filter::{Field, RouteFilter};
use super::names::tos_name;
use crate::era::Era;
use crate::ip::color::Color;
use crate::ip::fields::Fields;
use crate::ip::options::Options;
use crate::json::Json;
use crate::net::prefix::address_text;
use crate::net::rtnetlink::{Protocol, RouteType, Scope};

/// Puts a route without the fields that the filter fixes, and with the end of its line.
pub(super) fn put(fields: &mut Fields, entry: &Entry, filter: &RouteFilter, options: Options) {
    if options.era.ip().all_of_route || !filter.hides(Field::Kind) {
        put_kind(fields, entry.kind, options);
    }
    let destination = network(entry.destination);
    let color = Some(color_of(entry.destination.addr())).filter(|_| entry.destination.prefix_len() != 0);
    fields.colored(color, |fields| fields.put("dst", destination.as_str(), format!("{destination} ")));
    if let Some(from) = entry.from {
        put_from(fields, from, color_of(from.addr().into()));
    }
    if entry.tos != 0 && !filter.hides(Field::Tos) {
        fields.put("tos", tos_name(entry.tos), format!("tos {} ", tos_name(entry.tos)));
    }
    // a route that shares packets out has its next hops at the end
    let hop = entry.hop();
    if let Some(hop) = hop {
        let is_shown = |field| !filter.hides(field);
        put_hop(fields, hop, is_shown(Field::Gateway), is_shown(Field::Device));
    }
    if !filter.hides(Field::Table) {
        put_table(fields, entry.is_local, options);
    }
    if !filter.hides(Field::Protocol) {
        put_protocol(fields, entry, options);
    }
    if !filter.hides(Field::Scope) {
        put_scope(fields, entry, options);
    }
    if let Some(source) = entry.source
        && !filter.hides(Field::Source)
    {
        put_source(fields, source, options);
    }
    // IPv6 routes always have a metric
    if (entry.metric != 0 || entry.is_v6()) && !filter.hides(Field::Metric) {
        put_metric(fields, entry.metric, options);
    }
    put_flags(fields, hop, options);
    put_tcp(fields, entry.tcp, options);
    put_preference(fields, entry, options);
    put_hops(fields, entry, options);
    fields.text("\n");
}

/// Returns the colour of addresses of a family.
pub(super) fn color_of(address: IpAddr) -> Color {
    if address.is_ipv4() { Color::Ipv4 } else { Color::Ipv6 }
}

/// Puts where packets come from.
pub(super) fn put_from(fields: &mut Fields, from: impl Display, color: Color) {
    fields.colored(Some(color), |fields| fields.put("from", from.to_string(), format!("from {from} ")));
}

/// Puts the type of a route that is no ordinary one.
pub(super) fn put_kind(fields: &mut Fields, kind: RouteType, options: Options) {
    if kind != RouteType::Unicast || options.details {
        let name = name_of(kind.number(), kind.name(), options);
        fields.put("type", name.as_str(), format!("{name} "));
    }
}

/// Puts `via GATEWAY dev DEVICE`.
pub(super) fn put_hop(fields: &mut Fields, hop: &Hop, with_gateway: bool, with_device: bool) {
    if let Some(gateway) = hop.gateway
        && with_gateway
    {
        fields.text("via ");
        fields.colored(Some(color_of(gateway)), |fields| {
            let gateway = address_text(gateway);
            fields.put("gateway", gateway.as_str(), format!("{gateway} "));
        });
    }
    if let Some(device) = hop.device()
        && with_device
    {
        fields.text("dev ");
        fields.colored(Some(Color::Name), |fields| fields.put("dev", device, [device, b" "].concat()));
    }
}

/// Returns a name, or with `-Numeric` the number that it stands for.
fn name_of(number: u8, name: &str, options: Options) -> String {
    if options.numeric { number.to_string() } else { name.into() }
}

/// Puts the table, unless it is main.
pub(super) fn put_table(fields: &mut Fields, is_local: bool, options: Options) {
    if is_local || options.details {
        let (number, name) = if is_local { (255, "local") } else { (254, "main") };
        let name = name_of(number, name, options);
        fields.put("table", name.as_str(), format!("{}table {name} ", options.era.ip().before_route_field));
    }
}

/// Puts who made the route, unless it was made by hand.
pub(super) fn put_protocol(fields: &mut Fields, entry: &Entry, options: Options) {
    if entry.protocol != Protocol::BOOT || options.details {
        let name = name_of(entry.protocol.0, entry.protocol.name().unwrap_or("unspec"), options);
        fields.put("protocol", name.as_str(), format!("{}proto {name} ", options.era.ip().before_route_field));
    }
}

/// Puts the scope, unless it is global.
pub(super) fn put_scope(fields: &mut Fields, entry: &Entry, options: Options) {
    if entry.scope != Scope::GLOBAL || options.details {
        let name = name_of(entry.scope.0, entry.scope.name().unwrap_or("global"), options);
        fields.put("scope", name.as_str(), format!("{}scope {name} ", options.era.ip().before_route_field));
    }
}

pub(super) fn put_source(fields: &mut Fields, source: IpAddr, options: Options) {
    fields.print_text(format_args!("{}src ", options.era.ip().before_route_field));
    fields.colored(Some(color_of(source)), |fields| {
        let source = address_text(source);
        fields.put("prefsrc", source.as_str(), format!("{source} "));
    });
}

pub(super) fn put_metric(fields: &mut Fields, metric: u32, options: Options) {
    fields.put("metric", metric, format!("{}metric {metric} ", options.era.ip().before_route_field));
}

fn put_flags(fields: &mut Fields, hop: Option<&Hop>, options: Options) {
    let flags = hop.map(|hop| flags_of(hop, options)).unwrap_or_default();
    fields.text(flags.iter().map(|flag| format!("{flag} ")).collect::<String>());
    fields.json("flags", Json::List(flags.into_iter().map(Json::from).collect()));
}

fn flags_of(hop: &Hop, options: Options) -> Vec<&'static str> {
    let flags = [("onlink", hop.onlink), ("linkdown", hop.linkdown && options.era.ip().all_of_route)];
    flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
}

/// Puts the parameters of TCP, in the order of RTAX_*.
pub(super) fn put_tcp(fields: &mut Fields, tcp: Tcp, options: Options) {
    let rtt = match tcp.rtt {
        0..1000 => format!("{}ms", tcp.rtt),
        _ => format!("{}s", seconds(tcp.rtt)),
    };
    let values = [
        ("window", tcp.window, tcp.window.to_string()),
        ("rtt", tcp.rtt, rtt),
        ("advmss", tcp.advmss, tcp.advmss.to_string()),
    ];
    let set: Vec<_> = values.into_iter().filter(|&(_, value, _)| value != 0).collect();
    if set.is_empty() {
        return;
    }
    let [before, behind] = options.era.ip().around_route_metric;
    fields.text(set.iter().map(|(key, _, text)| format!("{before}{key} {text}{behind}")).collect::<String>());
    let object = Json::Object(set.into_iter().map(|(key, value, _)| (key, value.into())).collect());
    fields.json("metrics", Json::List(vec![object]));
}

/// Returns milliseconds, a thousand and more, as seconds with six digits: C's `%g`.
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

/// Puts `pref medium`, which IPv6 routes have, without a blank behind it.
pub(super) fn put_preference(fields: &mut Fields, entry: &Entry, options: Options) {
    if entry.is_v6() && options.era.ip().all_of_route {
        let name = match entry.preference {
            1 => "high",
            3 => "low",
            _ => "medium",
        };
        fields.put("pref", name, format!("pref {name}"));
    }
}

/// Puts the next hops of a route that shares packets out, a line each. The shares are taken to be equal: no file shows them.
fn put_hops(fields: &mut Fields, entry: &Entry, options: Options) {
    if entry.hops.len() < 2 {
        return;
    }
    let mut hops = Fields::of(options);
    for hop in &entry.hops {
        if options.era == Era::Of2006 {
            hops.text(hop_of_2006(hop, options));
            continue;
        }
        hops.text([options.newline(), "\tnexthop "].concat());
        put_hop(&mut hops, hop, true, true);
        hops.put("weight", 1u32, "weight 1 ");
        put_flags(&mut hops, Some(hop), options);
        hops.end_record();
    }
    fields.list("nexthops", hops);
}

fn hop_of_2006(hop: &Hop, options: Options) -> Vec<u8> {
    let gateway = hop.gateway.map(|gateway| format!(" via {} ", address_text(gateway))).unwrap_or_default();
    let device = hop.device().unwrap_or_default();
    let flag = if hop.onlink { " onlink" } else { "" };
    let start = [options.newline(), "\tnexthop", &gateway, " dev "].concat();
    [start.as_bytes(), device, b" weight 1", flag.as_bytes()].concat()
}

/// Returns a network as it is printed: whole addresses without their length.
fn network(network: IpNet) -> String {
    match network.prefix_len() {
        0 => "default".into(),
        length if length == network.max_prefix_len() => address_text(network.addr()),
        length => format!("{}/{length}", address_text(network.addr())),
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
