//! `ip route get`: the way that packets to an address take.
//!
//! The kernel tells a connected socket the source address, and why there is no way. The rest follows from the tables.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::entry::{Entry, Hop, Tcp};
use super::filter::Filter;
use super::names;
use super::reach::best;
use super::{infer, table, text, usage};
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::list::Record;
use crate::ip::prefix::{self, Family, Prefix};
use crate::ip::words::Words;
use crate::ip::{Options, explained, needs_netlink, print, proper_name, refused, wrong};
use crate::json::Json;
use crate::kernel::{Kernel, RouteKind};

/// `ip route get [to] ADDRESS [from ADDRESS] [oif DEVICE] [fibmatch]`
pub(super) fn get(call: &mut Call, options: Options, words: Words) -> Outcome {
    let wanted = Wanted::parse(call.kernel, call.err, options, words)?;
    let way = match wanted.to {
        IpAddr::V4(to) => way_v4(call.kernel, &wanted, to)?,
        IpAddr::V6(to) => way_v6(call.kernel, &wanted, to)?,
    };
    let mut record = Record::new(options.json);
    match (wanted.shows_match, &way.entry) {
        (true, Some(entry)) => {
            // as it is listed, but that the kernel calls every IPv4 table main
            let entry = Entry { is_local: entry.is_local && entry.is_v6(), ..entry.clone() };
            text::put(&mut record, &entry, &Filter::of_all_tables(), options);
        }
        // the kernel has a way without a route
        (true, None) => return Err(refused(Errno::EHOSTUNREACH)),
        (false, _) => put(&mut record, &way, &wanted, call.kernel, options),
    }
    match options.json {
        true => print(call.out, Json::List(vec![record.take_json()]).document(options.pretty)),
        false => print(call.out, record.so_far()),
    }
    Ok(())
}

/// What is asked.
struct Wanted<'a> {
    to: IpAddr,
    from: Option<IpAddr>,
    device: Option<OsString>,
    /// The user in whose name, if it is not the caller.
    user: Option<u32>,
    tos: u8,
    /// `fibmatch`: the route itself.
    shows_match: bool,
    /// The first word that no socket serves.
    beyond: Option<&'a [u8]>,
}

impl<'a> Wanted<'a> {
    /// Reads the words after `get`.
    ///
    /// # Errors
    /// As iproute2's `iproute_get`.
    fn parse(kernel: &Kernel, err: &mut dyn Write, options: Options, mut words: Words<'a>) -> Result<Self, Failure> {
        let mut family = options.family;
        let (mut to, mut from, mut beyond, mut user) = (None, None, None, None);
        let (mut device, mut incoming) = (None, None);
        let (mut tos, mut shows_match) = (0, false);
        while let Some(word) = words.next() {
            let is = |keyword: &str| word == keyword.as_bytes();
            let begins = |keyword| options.means(word, keyword);
            // to ss060323 these were destinations
            let is_later = |keyword| options.era.knows(Era::Today) && begins(keyword);
            match () {
                () if is("tos") || begins("dsfield") => {
                    let value = words.operand()?;
                    tos = names::tos_number(value).ok_or_else(|| wrong(value, "TOS value is invalid\n"))?;
                }
                () if begins("from") => from = Some(read(options, words.operand()?, &mut family)?),
                () if begins("iif") => incoming = Some(words.operand()?),
                () if is_later("mark") => {
                    let value = words.operand()?;
                    if names::number(value).ok_or_else(|| wrong(value, "invalid mark value"))? != 0 {
                        beyond.get_or_insert(word);
                    }
                }
                () if begins("oif") || is("dev") => device = Some(words.operand()?),
                () if begins("notify") || begins("connected") => drop(beyond.get_or_insert(word)),
                () if is_later("vrf") => return Err(wrong(words.operand()?, "Invalid VRF\n")),
                () if is_later("uid") => {
                    let value = words.operand()?;
                    user = Some(names::number(value).ok_or_else(|| wrong(value, "invalid UID\n"))?);
                }
                () if is_later("fibmatch") => shows_match = true,
                () if ["ipproto", "sport", "dport"].into_iter().any(|keyword| is(keyword) && is_later(keyword)) => {
                    words.operand()?;
                    beyond.get_or_insert(word);
                }
                () => {
                    let word = if is("to") { words.operand()? } else { word };
                    let prefix = read(options, word, &mut family)?;
                    if options.era.ip().all_of_route {
                        warn_of_length(err, prefix, family);
                    }
                    to = Some(prefix);
                }
            }
        }
        let is_given = |to: &Prefix| options.era.ip().all_of_route || *to != Prefix::All;
        let Some(to) = to.filter(is_given) else {
            let failure = Failure::new(line!("need at least a destination address"));
            return Err(failure.formerly(line!("need at least destination address"), 1));
        };
        if let Some(incoming) = incoming {
            proper_name(kernel, incoming)?;
            beyond.get_or_insert(b"iif");
        }
        let device = device.map(|device| proper_name(kernel, device)).transpose()?;
        let from = from.map(|prefix| source(prefix, family)).transpose()?;
        Ok(Wanted { to: address(to, family), from, device, user, tos, shows_match, beyond })
    }
}

fn read(options: Options, word: &[u8], family: &mut Family) -> Result<Prefix, Failure> {
    if options.means(word, "help") {
        return Err(usage());
    }
    let prefix = prefix::prefix(options.era, word, *family)?;
    if let (Prefix::Net { net, .. }, Family::Any) = (prefix, *family) {
        *family = Family::of(net.addr());
    }
    Ok(prefix)
}

fn warn_of_length(err: &mut dyn Write, prefix: Prefix, family: Family) {
    let (length, whole) = match prefix {
        Prefix::Net { net, .. } => (net.prefix_len(), net.max_prefix_len()),
        Prefix::All if family == Family::Any => return,
        Prefix::All => (0, if family == Family::Inet6 { 128 } else { 32 }),
    };
    if length != whole {
        let warning = format!("Warning: /{length} as prefix is invalid, only /{whole} (or none) is supported.");
        let _ = err.write_all(&line!(warning));
    }
}

/// The address itself, whatever its length; that of `default` is nought.
fn address(prefix: Prefix, family: Family) -> IpAddr {
    match prefix {
        Prefix::Net { net, .. } => net.addr(),
        Prefix::All if family == Family::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        Prefix::All => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// The source, which the kernel wants whole.
fn source(prefix: Prefix, family: Family) -> Result<IpAddr, Failure> {
    let is_v6 = family == Family::Inet6;
    match prefix {
        Prefix::Net { net, .. } if net.prefix_len() == net.max_prefix_len() => Ok(net.addr()),
        Prefix::Net { .. } if is_v6 => {
            Err(explained(Errno::EINVAL, "ipv6: Invalid values in header for get route request."))
        }
        Prefix::Net { .. } => Err(explained(Errno::EINVAL, "ipv4: Invalid values in header for route get request.")),
        Prefix::All if is_v6 => {
            Err(explained(Errno::EINVAL, "ipv6: rtm_src_len and rtm_dst_len must be 128 for IPv6."))
        }
        Prefix::All => Err(explained(Errno::EINVAL, "ipv4: rtm_src_len and rtm_dst_len must be 32 for IPv4.")),
    }
}

/// A way that was found.
struct Way {
    kind: RouteKind,
    hop: Hop,
    source: Option<IpAddr>,
    /// The route that leads there; none if a link is asked for over which no route leads.
    entry: Option<Entry>,
    /// Words about the destination's entry in the kernel's memory (RTCF_*).
    cache: Vec<&'static str>,
}

fn way_v4(kernel: &Kernel, wanted: &Wanted, to: Ipv4Addr) -> Result<Way, Failure> {
    if let Some(word) = wanted.beyond {
        return Err(needs_netlink(word, "leave it out"));
    }
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes);
    let source = kernel.source_to(to.into(), wanted.from, device).map_err(|errno| match errno {
        // the source is not this host's
        Errno::EADDRNOTAVAIL => refused(Errno::ENETUNREACH),
        errno => refused(errno),
    })?;
    let lo = || Some(OsString::from("lo"));
    let source = Some(source).filter(|source| !source.is_unspecified() && wanted.from.is_none());
    if to.is_unspecified() {
        return Ok(Way { kind: RouteKind::Local, hop: Hop::to(None, lo()), source, entry: None, cache: vec!["local"] });
    }
    let main = if wanted.shows_match { infer::main_v4(kernel) } else { table::main_v4(kernel) };
    if wanted.tos != 0 && main.iter().any(|entry| entry.tos != 0) {
        return Err(needs_netlink(b"a type of service", "leave it out"));
    }
    let local = table::local_v4(kernel);
    let is_fit = |entry: &Entry| entry.tos == 0;
    let found = [best(&local, to.into(), device, is_fit), best(&main, to.into(), device, is_fit)];
    let longest = found.into_iter().flatten().max_by_key(|entry| (entry.destination.prefix_len(), entry.is_local));
    // over a link that is asked for, these need no route; and if all routes fail, all is on the link
    let is_near_group = to.octets()[..3] == [224, 0, 0] || to.is_broadcast();
    let mut entry = longest.filter(|entry| !entry.rejects() && (device.is_none() || !is_near_group)).cloned();
    let kind = match &entry {
        _ if to.is_broadcast() => RouteKind::Broadcast,
        _ if to.is_multicast() => RouteKind::Multicast,
        Some(entry) => entry.kind,
        None => RouteKind::Unicast,
    };
    if let Some(entry) = &mut entry {
        entry.kind = kind;
    }
    let way = entry.as_ref().and_then(|entry| entry.hops.first());
    let link = way.and_then(|way| way.device.clone()).or_else(|| wanted.device.clone());
    if link.is_none() {
        return Err(needs_netlink(b"this way", "it is in none of the tables main and local"));
    }
    // a group is reached without a router, unless a route is for groups
    let is_for_all = entry.as_ref().is_none_or(|entry| entry.destination.prefix_len() < 4);
    let goes_direct = kind == RouteKind::Broadcast || kind == RouteKind::Multicast && is_for_all;
    let gateway = way.and_then(|way| way.gateway).filter(|_| !goes_direct);
    let is_loopback = link.as_deref() == Some("lo".as_ref());
    let cache = match kind {
        RouteKind::Broadcast => vec!["local", "brd"],
        RouteKind::Multicast => {
            let name = link.as_deref().map_or(&b""[..], OsStrExt::as_bytes);
            if kernel.is_member_v4(name, to) { vec!["local", "mc"] } else { vec!["mc"] }
        }
        RouteKind::Local => vec!["local"],
        _ if is_loopback => vec!["local"],
        _ => Vec::new(),
    };
    let link = if kind == RouteKind::Local { lo() } else { link };
    Ok(Way { kind, hop: Hop::to(gateway, link), source, entry, cache })
}

fn way_v6(kernel: &Kernel, wanted: &Wanted, to: Ipv6Addr) -> Result<Way, Failure> {
    if let Some(word) = wanted.beyond {
        return Err(needs_netlink(word, "leave it out"));
    }
    let device = wanted.device.as_deref().map(OsStrExt::as_bytes);
    let (local, main) = (infer::local_v6(kernel), infer::main_v6(kernel));
    // the table local comes first
    let entry = best(&local, to.into(), device, |_| true).or_else(|| best(&main, to.into(), device, |_| true)).cloned();
    let way = entry.as_ref().and_then(|entry| entry.hops.first());
    let link = way.and_then(|way| way.device.clone());
    // an address that each link may have needs one
    let needs_link = to.is_unicast_link_local() || to.is_multicast();
    let over = device.or(link.as_deref().map(OsStrExt::as_bytes).filter(|_| needs_link));
    let source = match kernel.source_to(to.into(), None, over) {
        // to a socket this is ::1
        Ok(_) if to.is_unspecified() => nearest_source(kernel, link.as_deref()),
        Ok(source) => Some(source).filter(|source| !source.is_unspecified()),
        Err(Errno::EADDRNOTAVAIL) => None,
        Err(errno) => return Err(refused(errno)),
    };
    let Some(entry) = entry else {
        return Err(match source {
            Some(_) => needs_netlink(b"this way", "it is in none of the tables main and local"),
            None => refused(Errno::ENETUNREACH),
        });
    };
    if entry.hops.len() > 1 && !wanted.shows_match {
        return Err(needs_netlink(b"one of several ways", "use fibmatch to see them all"));
    }
    let is_own = matches!(entry.kind, RouteKind::Local | RouteKind::Anycast);
    let link = if is_own { Some("lo".into()) } else { link };
    let gateway = entry.hops.first().and_then(|way| way.gateway);
    Ok(Way { kind: entry.kind, hop: Hop::to(gateway, link), source, entry: Some(entry), cache: Vec::new() })
}

/// The source for an address without a scope: that of the smallest scope on the link.
fn nearest_source(kernel: &Kernel, link: Option<&OsStr>) -> Option<IpAddr> {
    let addresses = kernel.addresses_v6().unwrap_or_default();
    let its = addresses.iter().filter(|address| Some(address.link.as_os_str()) == link);
    its.map(|address| address.net.addr())
        .min_by_key(|address| !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local()))
}

fn put(record: &mut Record, way: &Way, wanted: &Wanted, kernel: &Kernel, options: Options) {
    let to = wanted.to;
    text::put_kind(record, way.kind, options);
    record.put("dst", to.to_string(), format!("{to} "));
    let any = (to.is_ipv6() && options.era.ip().all_of_route).then_some(Ipv6Addr::UNSPECIFIED.into());
    let from = wanted.from.or(any);
    if let Some(from) = from {
        record.put("from", from.to_string(), format!("from {from} "));
    }
    text::put_way(record, &way.hop, true, true);
    // of IPv4's way the kernel calls every table main, and says nothing of the route
    let entry = way.entry.as_ref().filter(|entry| entry.is_v6());
    text::put_table(record, entry.is_some_and(|entry| entry.is_local), options);
    if let Some(entry) = entry {
        text::put_maker(record, entry, options);
        text::put_scope(record, entry, options);
    }
    if let Some(source) = way.source {
        text::put_source(record, source, options);
    }
    if let Some(entry) = entry {
        text::put_metric(record, entry.metric, options);
    }
    put_flags(record, way, to, options);
    match entry {
        Some(entry) => text::put_preference(record, entry, options),
        None => put_cache(record, way, wanted.user.unwrap_or_else(|| kernel.user()), options),
    }
    record.text("\n");
}

/// RTCF_MULTICAST has the place of a flag of routes, whose name iproute2 prints.
fn put_flags(record: &mut Record, way: &Way, to: IpAddr, options: Options) {
    let mut flags = Vec::new();
    if to.is_ipv4() && way.kind == RouteKind::Multicast && options.era.ip().all_of_route {
        record.text("rt_offload_failed ");
        flags.push("rt_offload_failed".into());
    }
    record.json("flags", Json::List(flags));
}

/// `uid 0`, and a second line: `    cache <local> `.
fn put_cache(record: &mut Record, way: &Way, user: u32, options: Options) {
    if user != u32::MAX && options.era.ip().all_of_route {
        record.put("uid", user, format!("uid {user} "));
    }
    record.text([options.newline(), "    cache "].concat());
    if !way.cache.is_empty() {
        record.text(format!("<{}> ", way.cache.join(",")));
    }
    record.json("cache", Json::List(way.cache.iter().copied().map(Json::from).collect()));
    text::put_tcp(record, way.entry.as_ref().map_or(Tcp::default(), |entry| entry.tcp), options);
}
