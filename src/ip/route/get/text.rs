//! What a lookup found, as it is printed.

use std::net::{IpAddr, Ipv6Addr};

use super::args::GetArgs;
use super::lookup::Lookup;
use crate::ip::fields::Fields;
use crate::ip::options::Options;
use crate::ip::route::entry::Tcp;
use crate::ip::route::text;
use crate::json::Json;
use crate::kernel::user_id;
use crate::net::prefix::address_text;
use crate::net::rtnetlink::RouteType;

/// Puts what was found, with the ends of its lines.
pub(super) fn put(fields: &mut Fields, found: &Lookup, args: &GetArgs, options: Options) {
    let to = args.to;
    text::put_kind(fields, found.kind, options);
    fields.colored(Some(text::color_of(to)), |fields| {
        let text = address_text(to);
        fields.put("dst", text.as_str(), format!("{text} "));
    });
    let any = (to.is_ipv6() && options.era.ip().all_of_route).then_some(Ipv6Addr::UNSPECIFIED.into());
    if let Some(from) = args.from.or(any) {
        text::put_from(fields, address_text(from), text::color_of(from));
    }
    text::put_hop(fields, &found.hop, true, true);
    // for IPv4 the kernel calls every table main, and leaves the route's fields out
    let entry = found.entry.as_ref().filter(|entry| entry.is_v6());
    text::put_table(fields, entry.is_some_and(|entry| entry.is_local), options);
    if let Some(entry) = entry {
        text::put_protocol(fields, entry, options);
        text::put_scope(fields, entry, options);
    }
    if let Some(source) = found.source {
        text::put_source(fields, source, options);
    }
    if let Some(entry) = entry {
        text::put_metric(fields, entry.metric, options);
    }
    put_flags(fields, found, to, options);
    match entry {
        Some(entry) => text::put_preference(fields, entry, options),
        None => put_cache(fields, found, args.user.unwrap_or_else(user_id), options),
    }
    fields.text("\n");
}

/// RTCF_MULTICAST has the value of a flag of routes, whose name iproute2 prints.
fn put_flags(fields: &mut Fields, found: &Lookup, to: IpAddr, options: Options) {
    let mut flags = Vec::new();
    if to.is_ipv4() && found.kind == RouteType::Multicast && options.era.ip().all_of_route {
        fields.text("rt_offload_failed ");
        flags.push("rt_offload_failed".into());
    }
    fields.json("flags", Json::List(flags));
}

/// Puts `uid 0`, and a second line: `    cache <local> `.
fn put_cache(fields: &mut Fields, found: &Lookup, user: u32, options: Options) {
    if user != u32::MAX && options.era.ip().all_of_route {
        fields.put("uid", user, format!("uid {user} "));
    }
    fields.text([options.newline(), "    cache "].concat());
    if !found.cache.is_empty() {
        fields.text(format!("<{}> ", found.cache.join(",")));
    }
    fields.json("cache", Json::List(found.cache.iter().copied().map(Json::from).collect()));
    text::put_tcp(fields, found.entry.as_ref().map_or(Tcp::default(), |entry| entry.tcp), options);
}
