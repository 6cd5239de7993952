//! Addresses and prefixes as iproute2 reads them (lib/utils.c, `get_addr_1` and `get_prefix_1`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::number::strtoul;

/// Which address family is asked for.
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
    /// Returns the family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::Inet } else { Family::Inet6 }
    }

    /// Whether an address is of this family.
    pub fn includes(self, address: IpAddr) -> bool {
        self == Family::Any || self == Family::of(address)
    }
}

/// How an IPv4 address and the length of a prefix are written. An address may have fewer than four parts, which are the first
/// ones: `10.1` is 10.1.0.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// iproute2 6.1: numbers as in C (`010` is 8, `0x10` is 16), and a dotted mask in place of a length.
    C,
    /// ss060323: the parts of an address are decimal numbers of any length, taken modulo 256; one without
    /// digits is 0. A length is a number as in C.
    Decimal,
}

/// What stands where a prefix is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `default`, `any` or `all`: every address.
    All,
    /// An address with the length of its network's part.
    Net {
        /// The address with the length, host bits included.
        net: IpNet,
        /// Whether the length was given; else it is that of a whole address.
        explicit: bool,
    },
}

impl Prefix {
    /// Parses a prefix of a family.
    pub fn parse(word: &[u8], family: Family, notation: Notation) -> Option<Self> {
        if matches!(word, b"default" | b"any" | b"all") {
            return Some(Prefix::All);
        }
        let (address, length) = match word.iter().position(|&byte| byte == b'/') {
            Some(slash) => (&word[..slash], Some(&word[slash + 1..])),
            None => (word, None),
        };
        let address = parse_address(address, family, notation)?;
        let bits = match length {
            Some(length) => parse_length(length, notation)?,
            None if address.is_ipv4() => 32,
            None => 128,
        };
        let net = IpNet::new(address, u8::try_from(bits).ok()?).ok()?;
        Some(Prefix::Net { net, explicit: length.is_some() })
    }
}

/// Parses an address of a family.
pub fn parse_address(word: &[u8], family: Family, notation: Notation) -> Option<IpAddr> {
    let address = match notation {
        _ if word.contains(&b':') => str::from_utf8(word).ok()?.parse::<Ipv6Addr>().ok()?.into(),
        Notation::C => parse_ipv4(word)?.into(),
        Notation::Decimal => parse_decimal_ipv4(word)?.into(),
    };
    family.includes(address).then_some(address)
}

fn parse_length(word: &[u8], notation: Notation) -> Option<u64> {
    match (number(word), notation) {
        (None, Notation::C) => {
            let net = Ipv4Net::with_netmask(Ipv4Addr::UNSPECIFIED, parse_ipv4(word)?).ok()?;
            Some(net.prefix_len().into())
        }
        (number, _) => number,
    }
}

fn parse_ipv4(word: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut rest = word;
    for octet in &mut octets {
        let (number, behind) = strtoul(rest, 0)?;
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

/// Parses a number that is all of a word, as strtoul(3) reads it with base 0.
pub fn number(word: &[u8]) -> Option<u64> {
    strtoul(word, 0).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

/// Returns an address as inet_ntop(3) writes it: unlike Rust, C writes the last four bytes of an IPv4-compatible IPv6 address as an IPv4
/// address (`::10.0.0.1`).
pub fn address_text(address: IpAddr) -> String {
    match address {
        IpAddr::V6(address) if u128::from(address) >> 32 == 0 && u128::from(address) >> 16 != 0 => {
            format!("::{}", Ipv4Addr::from(u128::from(address) as u32))
        }
        address => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net_in(notation: Notation, word: &str) -> Option<String> {
        match Prefix::parse(word.as_bytes(), Family::Any, notation)? {
            Prefix::All => Some("all".into()),
            Prefix::Net { net, .. } => Some(net.to_string()),
        }
    }

    fn net(word: &str) -> Option<String> {
        net_in(Notation::C, word)
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
            assert_eq!(net_in(Notation::Decimal, word).as_deref(), Some(expected), "{word}");
        }
        for word in ["10.0.0.1/255.255.255.0", "0x0a.0.0.1", "dev", "10.0.0.0.1", "10.0.0.1/33"] {
            assert_eq!(net_in(Notation::Decimal, word), None, "{word}");
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
        assert_eq!(Prefix::parse(b"10.0.0.1/24", Family::Inet6, Notation::C), None);
    }

    #[test]
    fn compatible_addresses() {
        let text = |address: &str| address_text(address.parse().unwrap());
        let known =
            ["::10.0.0.1", "::", "::1", "::5", "::ffff", "::0.1.0.0", "::ffff:10.0.0.1", "fd00::a00:1", "10.0.0.1"];
        for address in known {
            assert_eq!(text(address), address);
        }
    }
}
