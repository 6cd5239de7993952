//! The words of `ip tunnel`.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::complaint::{garbage, wrong};
use crate::ip::device::{is_name, proper_name};
use crate::ip::keyword::{Keyword, exact, short};
use crate::ip::number;
use crate::ip::options::Options;
use crate::ip::route::names::tos;
use crate::ip::usage;
use crate::ip::words::Words;
use crate::kernel::{IFNAMSIZ, Kernel, Tunnel, TunnelVerb, tunnel_flag};
use crate::net::prefix::{Family, parse_address};

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
pub(super) struct TunnelArgs<'a> {
    pub(super) tunnel: Tunnel,
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
pub(super) fn read_address(words: &mut Words) -> Result<[u8; 4], Failure> {
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
    pub(super) fn resolved(kernel: &Kernel, mut words: Words<'a>, verb: TunnelVerb) -> Result<Self, Failure> {
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
pub(super) fn base(tunnel: &Tunnel) -> Option<&'static str> {
    let is_vti = tunnel.input_flags & tunnel_flag::VTI != 0;
    let is_its = |(_, _, protocol, flag, _): &&Mode| {
        *protocol as u8 == tunnel.protocol && (*protocol != libc::IPPROTO_IPIP || (*flag != 0) == is_vti)
    };
    MODES.iter().find(is_its).map(|(.., base)| *base)
}

/// Returns the values of a tunnel; the request holds those that are known.
pub(super) fn get(kernel: &Kernel, device: &[u8], request: Tunnel) -> Result<Tunnel, Failure> {
    let failed = |errno| Failure::new(line!("get tunnel \"", device, "\" failed: ", errno_text(errno)));
    kernel.tunnel(TunnelVerb::Get, device, request).map_err(failed)
}
