//! `ip tunnel`: tunnels over IPv4. iproute2 itself makes, changes and reads them by ioctls.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::color::Color;
use super::complaint::{garbage, unreadable, wrong};
use super::device::{is_name, proper_name};
use super::dispatch::{Verb, verb};
use super::fields::{Fields, print_records};
use super::keyword::{Keyword, exact, find, short};
use super::number;
use super::options::Options;
use super::route::names::{tos, tos_name};
use super::usage;
use super::words::Words;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::json::Json;
use crate::kernel::{IFNAMSIZ, Kernel, RouterEntry, SixRd, Statistics, Tunnel, TunnelVerb, tunnel_flag};
use crate::net::prefix::{Family, Prefix, parse_address};

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("add", |call, words| put(call, words, TunnelVerb::Add)),
    verb("change", |call, words| put(call, words, TunnelVerb::Change)),
    verb("delete", delete),
    verb("show", show),
    verb("lst", show),
    verb("list", show),
    verb("prl", change_routers),
    verb("6rd", change_6rd),
    verb("help", |_, _| Err(usage::tunnel())),
];

/// `mode` of tunnels over IPv6, which have other ioctls.
const MODES_V6: [&str; 11] =
    ["ipv6/ipv6", "ip6ip6", "vti6", "ip/ipv6", "ipv4/ipv6", "ipip6", "ip4ip6", "ip6gre", "gre/ipv6", "any/ipv6", "any"];

/// `ip tunnel [COMMAND ...]`
pub(super) fn run(call: &mut Call, mut words: Words) -> Outcome {
    let options = words.options;
    let mode = words.clone().skip_while(|word| *word != b"mode").nth(1);
    let is_v6_mode = mode.is_some_and(|mode| MODES_V6.iter().any(|name| name.as_bytes() == mode));
    let other_family = match options.other_family {
        Some("bridge") => Some(libc::AF_BRIDGE),
        Some(_) => Some(libc::AF_MPLS),
        None => options.link_only.then_some(libc::AF_PACKET),
    };
    match (is_v6_mode || options.family == Family::Inet6, other_family) {
        (true, _) => {
            let text = line!("ip: a tunnel over IPv6 is not supported: use ip of iproute2");
            return Err(Failure::new(text).with_status(255));
        }
        (false, Some(family)) => {
            let text = line!("Unsupported protocol family: ", family.to_string());
            return Err(Failure::new(text).with_status(255));
        }
        (false, None) => (),
    }
    let Some(word) = words.next() else { return show(call, words) };
    match find(VERBS, word, options) {
        Some(verb) => (verb.meaning)(call, words),
        None => {
            let text = line!("Command \"", word, "\" is unknown, try \"ip tunnel help\"");
            Err(Failure::new(text).with_status(255))
        }
    }
}

/// Kinds of tunnels: names behind `mode`, how names of such a tunnel begin, the protocol, the flag, and the tunnel that the module
/// makes by itself.
type Mode = ([&'static str; 2], &'static str, i32, u16, &'static str);

const MODES: [Mode; 5] = [
    (["gre", "gre/ip"], "gre", libc::IPPROTO_GRE, 0, "gre0"),
    (["ipip", "ip/ip"], "ipip", libc::IPPROTO_IPIP, 0, "tunl0"),
    (["sit", "ipv6/ip"], "sit", libc::IPPROTO_IPV6, 0, "sit0"),
    (["isatap", "isatap"], "isatap", libc::IPPROTO_IPV6, tunnel_flag::ISATAP, "sit0"),
    (["vti", "vti"], "vti", libc::IPPROTO_IPIP, tunnel_flag::VTI, "ip_vti0"),
];

/// What the words say of a tunnel.
#[derive(Default)]
struct TunnelArgs<'a> {
    tunnel: Tunnel,
    device: Option<&'a [u8]>,
    is_isatap: bool,
}

/// Reads the operand of a keyword.
type Read = for<'a> fn(&mut TunnelArgs<'a>, &mut Words<'a>) -> Outcome;

/// What a keyword means.
#[derive(Clone, Copy)]
enum Meaning {
    Field(Read),
    /// Stands alone: a flag of packets received, of packets sent, or of both.
    Flags(u16, bool, bool),
    /// Stands alone: whether packets may not be fragmented.
    DontFragment(bool),
    /// Before a key of packets received, of packets sent, or of both.
    Key(bool, bool),
}

use Meaning::{DontFragment, Field, Flags, Key};

/// In the order in which iproute2 compares them. What is no keyword is the name.
const KEYWORDS: &[Keyword<Meaning>] = &[
    exact("mode", Field(set_mode)),
    exact("key", Key(true, true)),
    exact("ikey", Key(true, false)),
    exact("okey", Key(false, true)),
    exact("seq", Flags(tunnel_flag::SEQUENCE, true, true)),
    exact("iseq", Flags(tunnel_flag::SEQUENCE, true, false)),
    exact("oseq", Flags(tunnel_flag::SEQUENCE, false, true)),
    exact("csum", Flags(tunnel_flag::CHECKSUM, true, true)),
    exact("icsum", Flags(tunnel_flag::CHECKSUM, true, false)),
    exact("ocsum", Flags(tunnel_flag::CHECKSUM, false, true)),
    exact("nopmtudisc", DontFragment(false)),
    exact("pmtudisc", DontFragment(true)),
    exact("remote", Field(|args, words| read_address(words).map(|address| args.tunnel.remote = address))),
    exact("local", Field(|args, words| read_address(words).map(|address| args.tunnel.local = address))),
    exact("dev", Field(|args, words| words.operand().map(|word| args.device = Some(word)))),
    exact("ttl", Field(set_ttl)),
    exact("hoplimit", Field(set_ttl)),
    exact("hlim", Field(set_ttl)),
    exact("tos", Field(set_tos)),
    exact("tclass", Field(set_tos)),
    short("dsfield", Field(set_tos)),
];

fn set_mode(args: &mut TunnelArgs, words: &mut Words) -> Outcome {
    let word = words.operand()?;
    let Some((_, _, protocol, flag, _)) =
        MODES.iter().find(|(names, ..)| names.iter().any(|name| name.as_bytes() == word))
    else {
        return Err(Failure::new(line!("Unknown tunnel mode \"", word, "\"")).with_status(255));
    };
    let protocol = *protocol as u8;
    if ![0, protocol].contains(&args.tunnel.protocol) {
        return Err(Failure::new(line!("You managed to ask for more than one tunnel mode.")).with_status(255));
    }
    args.tunnel.protocol = protocol;
    match *flag {
        // iproute2 sets it last
        tunnel_flag::ISATAP if word == b"isatap" => args.is_isatap = true,
        flag => args.tunnel.input_flags |= flag,
    }
    Ok(())
}

fn set_ttl(args: &mut TunnelArgs, words: &mut Words) -> Outcome {
    let word = words.operand()?;
    if word != b"inherit" {
        args.tunnel.ttl = number::get_u8(word).ok_or_else(|| wrong(word, "invalid TTL\n"))?;
    }
    Ok(())
}

/// `inherit`, a value, or both: `inherit/VALUE`.
fn set_tos(args: &mut TunnelArgs, words: &mut Words) -> Outcome {
    let mut parts = words.operand()?.splitn(2, |&byte| byte == b'/');
    let first = parts.next().unwrap_or_default();
    let inherits = first == b"inherit";
    let value = if inherits { parts.next() } else { Some(first) };
    let value = value.map_or(Some(0), tos).ok_or_else(|| wrong(first, "bad TOS value"))?;
    args.tunnel.tos = u8::from(inherits) | value;
    Ok(())
}

/// Reads an IPv4 address (`get_addr32`).
fn read_address(words: &mut Words) -> Result<[u8; 4], Failure> {
    address(words.operand()?, words.options)
}

fn address(word: &[u8], options: Options) -> Result<[u8; 4], Failure> {
    let parsed = match word {
        b"default" | b"any" | b"all" => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        _ => parse_address(word, Family::Inet, options.era.ip().notation),
    };
    match parsed {
        Some(IpAddr::V4(address)) => Ok(address.octets()),
        _ => Err(Failure::new(line!("Error: an IP address is expected rather than \"", word, "\""))),
    }
}

/// Reads a key: a number, or four octets.
fn read_key(name: &str, word: &[u8], options: Options) -> Result<[u8; 4], Failure> {
    if word.contains(&b'.') {
        return address(word, options);
    }
    number::get_u32(word).map(u32::to_be_bytes).ok_or_else(|| {
        let text = line!("invalid value for \"", name, "\": \"", word, "\"; it should be an unsigned integer");
        Failure::new(text).with_status(255)
    })
}

impl<'a> TunnelArgs<'a> {
    /// Parses the words. A tunnel that is changed keeps what is not named, if its name comes first.
    fn resolved(kernel: &Kernel, mut words: Words<'a>, verb: TunnelVerb) -> Result<Self, Failure> {
        let mut args = TunnelArgs { tunnel: Tunnel::new(), ..TunnelArgs::default() };
        let mut is_first = true;
        while !words.is_empty() {
            match words.take_keyword(KEYWORDS) {
                Some(keyword) => args.take(keyword, &mut words)?,
                None => args.set_name(kernel, &mut words, is_first && verb == TunnelVerb::Change)?,
            }
            is_first = false;
        }
        args.conclude(kernel)?;
        Ok(args)
    }

    fn take(&mut self, keyword: &Keyword<Meaning>, words: &mut Words<'a>) -> Outcome {
        let (flag, input, output) = match keyword.meaning {
            Field(read) => return read(self, words),
            DontFragment(on) => {
                self.tunnel.set_dont_fragment(on);
                return Ok(());
            }
            Flags(flag, input, output) => (flag, input, output),
            Key(input, output) => {
                let key = read_key(keyword.name, words.operand()?, words.options)?;
                self.tunnel.input_key = if input { key } else { self.tunnel.input_key };
                self.tunnel.output_key = if output { key } else { self.tunnel.output_key };
                (tunnel_flag::KEY, input, output)
            }
        };
        self.tunnel.input_flags |= if input { flag } else { 0 };
        self.tunnel.output_flags |= if output { flag } else { 0 };
        Ok(())
    }

    fn set_name(&mut self, kernel: &Kernel, words: &mut Words<'a>, is_read: bool) -> Outcome {
        let mut word = words.operand()?;
        if word == b"name" {
            word = words.operand()?;
        } else if words.options.is_short_for(word, "help") {
            return Err(usage::tunnel());
        }
        if !self.tunnel.name().is_empty() {
            return Err(garbage("name", word));
        }
        if !is_name(word, IFNAMSIZ - 1) {
            return Err(wrong(word, "\"name\" not a valid ifname"));
        }
        self.tunnel.set_name(word);
        if is_read {
            self.tunnel = get(kernel, word, Tunnel::default())?;
        }
        Ok(())
    }

    /// Derives what the words leave open, and checks what takes all of them.
    fn conclude(&mut self, kernel: &Kernel) -> Outcome {
        let tunnel = &mut self.tunnel;
        if tunnel.protocol == 0
            && let Some((names, _, protocol, flag, _)) =
                MODES.iter().find(|(_, start, ..)| tunnel.name().starts_with(start.as_bytes()))
        {
            tunnel.protocol = *protocol as u8;
            match names[0] {
                "isatap" => self.is_isatap = true,
                _ => tunnel.input_flags |= flag,
            }
        }
        let has_key = (tunnel.input_flags | tunnel.output_flags) & tunnel_flag::KEY != 0;
        let may_have_key = tunnel.input_flags & tunnel_flag::VTI != 0 || tunnel.protocol == libc::IPPROTO_GRE as u8;
        if has_key && !may_have_key {
            return Err(Failure::new(line!("Keys are not allowed with ipip and sit tunnels")));
        }
        if let Some(device) = self.device {
            tunnel.link = kernel.link_index(proper_name(kernel, device)?.as_bytes()).unwrap_or(0);
        }
        if Ipv4Addr::from(tunnel.remote).is_multicast() {
            for (key, flags) in
                [(&mut tunnel.input_key, &mut tunnel.input_flags), (&mut tunnel.output_key, &mut tunnel.output_flags)]
            {
                if *key == [0; 4] {
                    *key = tunnel.remote;
                    *flags |= tunnel_flag::KEY;
                }
            }
            if tunnel.local == [0; 4] {
                return Err(Failure::new(line!("A broadcast tunnel requires a source address")));
            }
        }
        tunnel.input_flags |= if self.is_isatap { tunnel_flag::ISATAP } else { 0 };
        Ok(())
    }
}

/// The tunnel that the module makes by itself, through which others of its kind are made.
fn base(tunnel: &Tunnel) -> Option<&'static str> {
    let is_vti = tunnel.input_flags & tunnel_flag::VTI != 0;
    let is_its = |(_, _, protocol, flag, _): &&Mode| {
        *protocol as u8 == tunnel.protocol && (*protocol != libc::IPPROTO_IPIP || (*flag != 0) == is_vti)
    };
    MODES.iter().find(is_its).map(|(.., base)| *base)
}

/// Returns the values of a tunnel; the request holds those that are known.
fn get(kernel: &Kernel, device: &[u8], request: Tunnel) -> Result<Tunnel, Failure> {
    let failed = |errno| Failure::new(line!("get tunnel \"", device, "\" failed: ", errno_text(errno)));
    kernel.tunnel(TunnelVerb::Get, device, request).map_err(failed)
}

/// `ip tunnel { add | change } NAME [mode MODE] ...`
fn put(call: &mut Call, words: Words, verb: TunnelVerb) -> Outcome {
    let TunnelArgs { tunnel, .. } = TunnelArgs::resolved(call.kernel, words, verb)?;
    if tunnel.ttl != 0 && !tunnel.dont_fragment() {
        return Err(Failure::new(line!("ttl != 0 and nopmtudisc are incompatible")));
    }
    let Some(base) = base(&tunnel) else {
        return Err(Failure::new(line!("cannot determine tunnel mode (ipip, gre, vti or sit)")));
    };
    let name = tunnel.name().to_vec();
    let device = if verb == TunnelVerb::Change && !name.is_empty() { &name } else { base.as_bytes() };
    let failed = |errno| Failure::new(line!("add tunnel \"", device, "\" failed: ", errno_text(errno)));
    call.kernel.tunnel(verb, device, tunnel).map(drop).map_err(failed)
}

/// `ip tunnel delete NAME`
fn delete(call: &mut Call, words: Words) -> Outcome {
    let TunnelArgs { tunnel, .. } = TunnelArgs::resolved(call.kernel, words, TunnelVerb::Delete)?;
    let name = tunnel.name().to_vec();
    let device = if name.is_empty() { base(&tunnel).unwrap_or_default().as_bytes() } else { &name };
    let failed = |errno| Failure::new(line!("delete tunnel \"", device, "\" failed: ", errno_text(errno)));
    call.kernel.tunnel(TunnelVerb::Delete, device, tunnel).map(drop).map_err(failed)
}

/// `ip tunnel show [NAME] [mode MODE] [remote ADDRESS] [local ADDRESS] ...`. One whose kind is known is asked for; else all are
/// listed that fit.
fn show(call: &mut Call, words: Words) -> Outcome {
    let (kernel, options) = (call.kernel, words.options);
    let TunnelArgs { tunnel: wanted, .. } = TunnelArgs::resolved(kernel, words, TunnelVerb::Get)?;
    if let Some(base) = base(&wanted) {
        let device = if wanted.name().is_empty() { base.as_bytes().to_vec() } else { wanted.name().to_vec() };
        let tunnel = get(kernel, &device, wanted)?;
        // iproute2 has no JSON for a single one
        let options = Options { json: false, ..options };
        let mut fields = Fields::of(options);
        put_tunnel(call, &mut fields, &tunnel, options);
        fields.text("\n");
        print_records(call.out, [fields], options);
        return Ok(());
    }
    let mut fields = Fields::of(options);
    for (index, name) in kernel.link_names().map_err(unreadable)? {
        let is_tunnel = |hw_type| matches!(hw_type, libc::ARPHRD_TUNNEL | libc::ARPHRD_IPGRE | libc::ARPHRD_SIT);
        if !wanted.name().is_empty() && wanted.name() != name.as_bytes()
            || !kernel.listed_link(index, &name).is_ok_and(|link| is_tunnel(link.hw_type))
        {
            continue;
        }
        let tunnel = match get(kernel, name.as_bytes(), Tunnel::default()) {
            Ok(tunnel) => tunnel,
            Err(failure) => {
                let _ = call.err.write_all(&failure.text);
                continue;
            }
        };
        if !fits(&wanted, &tunnel) {
            continue;
        }
        put_tunnel(call, &mut fields, &tunnel, options);
        if options.statistics > 0
            && let Ok(statistics) = kernel.link_statistics(&name)
        {
            put_statistics(&mut fields, &statistics, options);
        }
        fields.text("\n");
        fields.end_record();
    }
    print_records(call.out, [fields], options);
    Ok(())
}

/// Whether a tunnel has all values that are asked for.
fn fits(wanted: &Tunnel, tunnel: &Tunnel) -> bool {
    let agrees = |wanted: [u8; 4], own: [u8; 4]| wanted == [0; 4] || wanted == own;
    (wanted.link == 0 || wanted.link == tunnel.link)
        && agrees(wanted.remote, tunnel.remote)
        && agrees(wanted.local, tunnel.local)
        && agrees(wanted.input_key, tunnel.input_key)
}

/// Puts the line of a tunnel, without its end (ip/iptunnel.c, `print_tunnel`).
fn put_tunnel(call: &mut Call, fields: &mut Fields, tunnel: &Tunnel, options: Options) {
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
fn put_statistics(fields: &mut Fields, statistics: &Statistics, options: Options) {
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

/// `sit1: ioctl 89f4 failed: …`
fn ioctl_failed(device: &[u8], request: u32, errno: Errno) -> Failure {
    Failure::new(line!(device, ": ioctl ", format!("{request:x}"), " failed: ", errno_text(errno)))
}

/// Puts the potential routers of an ISATAP tunnel.
fn put_routers(call: &mut Call, fields: &mut Fields, name: &[u8]) {
    match call.kernel.routers(name) {
        Ok(routers) => {
            for router in routers {
                let address = Ipv4Addr::from(router.address);
                let key = if router.is_default() { "pdr" } else { "pr" };
                fields.show(key, address, format_args!(" {key} {address}"));
            }
        }
        Err((request, errno)) => drop(call.err.write_all(&ioctl_failed(name, request, errno).text)),
    }
}

/// Puts the prefix of IPv6 rapid deployment, if a tunnel has one.
fn put_6rd(call: &mut Call, fields: &mut Fields, name: &[u8]) {
    match call.kernel.six_rd(name) {
        Ok(six_rd) if six_rd.prefix_length != 0 => {
            let prefix = std::net::Ipv6Addr::from(six_rd.prefix);
            let length = six_rd.prefix_length;
            fields.show("6rd-prefix", prefix, format_args!(" 6rd-prefix {prefix}"));
            fields.print("6rd-prefixlen", u32::from(length), format_args!("/{length}"));
            if six_rd.relay_prefix != [0; 4] {
                let (prefix, length) = (Ipv4Addr::from(six_rd.relay_prefix), six_rd.relay_prefix_length);
                fields.show("6rd-relay_prefix", prefix, format_args!(" 6rd-relay_prefix {prefix}"));
                fields.print("6rd-relay_prefixlen", u32::from(length), format_args!("/{length}"));
            }
        }
        Ok(_) | Err((_, Errno::EINVAL)) => (),
        Err((request, errno)) => drop(call.err.write_all(&ioctl_failed(name, request, errno).text)),
    }
}

/// The device behind `dev`.
fn checked_device<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Failure> {
    let word = words.operand()?;
    if is_name(word, IFNAMSIZ - 1) { Ok(word) } else { Err(wrong(word, "\"dev\" not a valid ifname")) }
}

fn no_device() -> Failure {
    Failure::new(line!("Must specify device")).with_status(255)
}

/// iproute2 sends request 0 then, which no device knows.
fn nothing_asked(device: &[u8]) -> Failure {
    ioctl_failed(device, 0, Errno::ENOTTY)
}

/// `ip tunnel prl { prl-default | prl-nodefault | prl-delete } ADDRESS dev DEVICE`
fn change_routers(call: &mut Call, mut words: Words) -> Outcome {
    let mut device = None;
    let mut entry = None;
    while let Some(word) = words.next() {
        let (is_default, is_deleted) = match word {
            b"prl-default" => (true, false),
            b"prl-nodefault" => (false, false),
            b"prl-delete" => (false, true),
            b"dev" => {
                device = Some(checked_device(&mut words)?);
                continue;
            }
            _ => {
                return Err(Failure::new(line!("Invalid PRL parameter \"", word, "\"")).with_status(255));
            }
        };
        let address = read_address(&mut words)?;
        if entry.replace((RouterEntry::new(address, is_default), is_deleted)).is_some() {
            return Err(Failure::new(line!("One PRL entry at a time")).with_status(255));
        }
    }
    let device = device.ok_or_else(no_device)?;
    let (entry, is_deleted) = entry.ok_or_else(|| nothing_asked(device))?;
    call.kernel
        .change_router(device, entry, is_deleted)
        .map_err(|(request, errno)| ioctl_failed(device, request, errno))
}

/// `ip tunnel 6rd { 6rd-prefix PREFIX | 6rd-relay_prefix PREFIX | 6rd-reset } dev DEVICE`
fn change_6rd(call: &mut Call, mut words: Words) -> Outcome {
    let mut device = None;
    let mut is_reset = None;
    let mut six_rd = SixRd::default();
    while let Some(word) = words.next() {
        let net = |words: &mut Words, family| match words.prefix_of(family)? {
            Prefix::Net { net, .. } => Ok(net),
            Prefix::All if family == Family::Inet => Ok(ipnet::Ipv4Net::default().into()),
            Prefix::All => Ok(ipnet::Ipv6Net::default().into()),
        };
        match word {
            b"6rd-prefix" => {
                if let ipnet::IpNet::V6(net) = net(&mut words, Family::Inet6)? {
                    six_rd.prefix = net.addr().octets();
                    six_rd.prefix_length = net.prefix_len().into();
                }
                is_reset = Some(false);
            }
            b"6rd-relay_prefix" => {
                if let ipnet::IpNet::V4(net) = net(&mut words, Family::Inet)? {
                    six_rd.relay_prefix = net.addr().octets();
                    six_rd.relay_prefix_length = net.prefix_len().into();
                }
                is_reset = Some(false);
            }
            b"6rd-reset" => is_reset = Some(true),
            b"dev" => device = Some(checked_device(&mut words)?),
            _ => {
                return Err(Failure::new(line!("Invalid 6RD parameter \"", word, "\"")).with_status(255));
            }
        }
    }
    let device = device.ok_or_else(no_device)?;
    let is_reset = is_reset.ok_or_else(|| nothing_asked(device))?;
    call.kernel.change_six_rd(device, six_rd, is_reset).map_err(|(request, errno)| ioctl_failed(device, request, errno))
}
