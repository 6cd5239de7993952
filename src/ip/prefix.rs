//! Addresses and prefixes as iproute2 reads them (lib/utils.c, `get_addr_1` and `get_prefix_1`).
//!
//! An IPv4 address may have fewer than four parts, which are the first ones (`10.1` is 10.1.0.0), and a part may be octal or
//! hexadecimal as in C. A prefix may be a dotted mask.
//!
//! In ss060323 a part was decimal, any number of digits of which only the last eight bits counted; a part without digits was 0.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::era::Era;
use crate::error::{Failure, line};

/// An address family, as far as one is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Either.
    #[default]
    Any,
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::Inet } else { Family::Inet6 }
    }

    /// Whether an address is of this family.
    pub fn includes(self, address: IpAddr) -> bool {
        self == Family::Any || self == Family::of(address)
    }

    /// As iproute2 names it in errors.
    fn name(self, era: Era) -> &'static str {
        let [any, inet, inet6] = era.ip().expected;
        match self {
            Family::Any => any,
            Family::Inet => inet,
            Family::Inet6 => inet6,
        }
    }
}

/// What stands where a prefix is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `default`, `any` or `all`: every address.
    All,
    /// An address with the length of its network's part.
    Net {
        /// Host bits and all.
        net: IpNet,
        /// Whether the length was given. Without, it is the whole address.
        explicit: bool,
    },
}

/// Reads a prefix.
///
/// # Errors
/// `Error: any valid prefix is expected rather than "…".`
pub fn prefix(era: Era, word: &[u8], family: Family) -> Result<Prefix, Failure> {
    parse_prefix(era, word, family).ok_or_else(|| {
        Failure::new(line!("Error: ", family.name(era), " prefix is expected rather than \"", word, "\"."))
    })
}

/// Reads an address.
///
/// # Errors
/// `Error: inet address is expected rather than "…".`
pub fn address(era: Era, word: &[u8], family: Family) -> Result<IpAddr, Failure> {
    parse_address(era, word, family).ok_or_else(|| {
        Failure::new(line!("Error: ", family.name(era), " address is expected rather than \"", word, "\"."))
    })
}

fn parse_prefix(era: Era, word: &[u8], family: Family) -> Option<Prefix> {
    if matches!(word, b"default" | b"any" | b"all") {
        return Some(Prefix::All);
    }
    let (address, length) = match word.iter().position(|&byte| byte == b'/') {
        Some(slash) => (&word[..slash], Some(&word[slash + 1..])),
        None => (word, None),
    };
    let address = parse_address(era, address, family)?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let bits = match length {
        Some(length) => parse_length(era, length)?,
        None => whole,
    };
    let net = IpNet::new(address, u8::try_from(bits).ok()?).ok()?;
    Some(Prefix::Net { net, explicit: length.is_some() })
}

fn parse_length(era: Era, word: &[u8]) -> Option<u64> {
    if let Some(number) = number(word) {
        return Some(number);
    }
    let mask = if era.ip().c_numbers { parse_ipv4(word)? } else { return None };
    Ipv4Net::with_netmask(Ipv4Addr::UNSPECIFIED, mask).ok().map(|net| net.prefix_len().into())
}

fn parse_address(era: Era, word: &[u8], family: Family) -> Option<IpAddr> {
    let address = if word.contains(&b':') {
        IpAddr::V6(str::from_utf8(word).ok()?.parse::<Ipv6Addr>().ok()?)
    } else {
        IpAddr::V4(if era.ip().c_numbers { parse_ipv4(word)? } else { parse_decimal_ipv4(word)? })
    };
    family.includes(address).then_some(address)
}

fn parse_ipv4(word: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut rest = word;
    for octet in &mut octets {
        let (number, behind) = c_number(rest)?;
        *octet = u8::try_from(number).ok()?;
        match behind {
            [] => return Some(octets.into()),
            [b'.', behind @ ..] => rest = behind,
            _ => return None,
        }
    }
    None // a fourth point
}

fn parse_decimal_ipv4(word: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    for (place, part) in word.split(|&byte| byte == b'.').enumerate() {
        let octet = octets.get_mut(place)?;
        for digit in part {
            let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
            *octet = octet.wrapping_mul(10).wrapping_add(digit);
        }
    }
    Some(octets.into())
}

/// A whole number by itself, as C's `strtoul` reads it with base 0.
pub fn number(word: &[u8]) -> Option<u64> {
    match c_number(word) {
        Some((number, b"")) => Some(number),
        _ => None,
    }
}

/// A number at the start of a text, and what follows it: C's `strtoul` with base 0. A minus sign makes a number that is too
/// large for every use here.
fn c_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.trim_ascii_start();
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (radix, text) = match text {
        [b'0', b'x' | b'X', hex @ ..] if hex.first().is_some_and(u8::is_ascii_hexdigit) => (16, hex),
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let digits = text.iter().take_while(|&&byte| char::from(byte).is_digit(radix)).count();
    if digits == 0 {
        return None;
    }
    let digit = |&byte: &u8| char::from(byte).to_digit(radix).unwrap_or(0);
    let number = text[..digits]
        .iter()
        .fold(0u64, |number, byte| number.saturating_mul(radix.into()).saturating_add(digit(byte).into()));
    Some((if negative { number.wrapping_neg() } else { number }, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net_in(era: Era, word: &str) -> Option<String> {
        match parse_prefix(era, word.as_bytes(), Family::Any)? {
            Prefix::All => Some("all".into()),
            Prefix::Net { net, .. } => Some(net.to_string()),
        }
    }

    fn net(word: &str) -> Option<String> {
        net_in(Era::Today, word)
    }

    #[test]
    fn prefixes_as_typed_in_2006() {
        let good = [
            ("10.0.0.300/24", "10.0.0.44/24"),
            ("010.0.0.1/024", "10.0.0.1/20"),
            ("10/8", "10.0.0.0/8"),
            ("10..1", "10.0.1.0/32"),
            ("", "0.0.0.0/32"),
            ("fd00::1/64", "fd00::1/64"),
        ];
        for (word, expected) in good {
            assert_eq!(net_in(Era::Of2006, word).as_deref(), Some(expected), "{word}");
        }
        for word in ["10.0.0.1/255.255.255.0", "0x0a.0.0.1", "dev", "10.0.0.0.1", "10.0.0.1/33"] {
            assert_eq!(net_in(Era::Of2006, word), None, "{word}");
        }
    }

    #[test]
    fn prefixes_as_typed() {
        let good = [
            ("10.0.0.1/24", "10.0.0.1/24"),
            ("10.0.0.1", "10.0.0.1/32"),
            ("10/8", "10.0.0.0/8"),
            ("10.1/16", "10.1.0.0/16"),
            ("010.0.0.1/024", "8.0.0.1/20"),
            ("0x0a.0.0.1/0x18", "10.0.0.1/24"),
            ("10.0.0.1/255.255.255.0", "10.0.0.1/24"),
            ("10.0.0.1/255.255", "10.0.0.1/16"),
            ("fd00::1/64", "fd00::1/64"),
            ("::1", "::1/128"),
            ("any", "all"),
        ];
        for (word, expected) in good {
            assert_eq!(net(word).as_deref(), Some(expected), "{word}");
        }
        let bad = [
            "",
            "foo",
            "10.0.0.1/33",
            "10.0.0.1/",
            "10.0.0.300",
            "10.0.0.0.1",
            "10.",
            "1/255.0.255.0",
            "::g",
            "10.0.0.1x",
        ];
        for word in bad {
            assert_eq!(net(word), None, "{word}");
        }
        assert_eq!(parse_prefix(Era::Today, b"10.0.0.1/24", Family::Inet6), None);
    }
}
