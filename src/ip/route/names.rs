//! Kinds, scopes, protocols, tables and types of service by name or number, as rtnetlink numbers them (linux/rtnetlink.h) and
//! Debian's /etc/iproute2 names them.

use crate::ip::prefix;
use crate::ip::words::is_short_for;
use crate::kernel::RouteKind;

/// RT_SCOPE_*
pub(super) mod scope {
    pub(in crate::ip::route) const GLOBAL: u8 = 0;
    pub(in crate::ip::route) const SITE: u8 = 200;
    pub(in crate::ip::route) const LINK: u8 = 253;
    pub(in crate::ip::route) const HOST: u8 = 254;
    pub(in crate::ip::route) const NOWHERE: u8 = 255;
}

/// RTPROT_*
pub(super) mod protocol {
    pub(in crate::ip::route) const UNSPEC: u8 = 0;
    pub(in crate::ip::route) const KERNEL: u8 = 2;
    pub(in crate::ip::route) const BOOT: u8 = 3;
    pub(in crate::ip::route) const RA: u8 = 9;
}

/// RT_TABLE_*
pub(super) mod table {
    pub(in crate::ip::route) const ALL: u32 = 0;
    pub(in crate::ip::route) const MAIN: u32 = 254;
    pub(in crate::ip::route) const LOCAL: u32 = 255;
}

const SCOPES: [(&str, u8); 5] = [
    ("global", scope::GLOBAL),
    ("site", scope::SITE),
    ("link", scope::LINK),
    ("host", scope::HOST),
    ("nowhere", scope::NOWHERE),
];

const PROTOCOLS: [(&str, u8); 22] = [
    ("unspec", protocol::UNSPEC),
    ("redirect", 1),
    ("kernel", protocol::KERNEL),
    ("boot", protocol::BOOT),
    ("static", 4),
    ("gated", 8),
    ("ra", protocol::RA),
    ("mrt", 10),
    ("zebra", 11),
    ("bird", 12),
    ("dnrouted", 13),
    ("xorp", 14),
    ("ntk", 15),
    ("dhcp", 16),
    ("keepalived", 18),
    ("babel", 42),
    ("openr", 99),
    ("bgp", 186),
    ("isis", 187),
    ("ospf", 188),
    ("rip", 189),
    ("eigrp", 192),
];

const TABLES: [(&str, u32); 4] =
    [("unspec", table::ALL), ("default", 253), ("main", table::MAIN), ("local", table::LOCAL)];

const TYPES_OF_SERVICE: [(&str, u8); 21] = [
    ("default", 0),
    ("AF11", 0x28),
    ("AF12", 0x30),
    ("AF13", 0x38),
    ("AF21", 0x48),
    ("AF22", 0x50),
    ("AF23", 0x58),
    ("AF31", 0x68),
    ("AF32", 0x70),
    ("AF33", 0x78),
    ("AF41", 0x88),
    ("AF42", 0x90),
    ("AF43", 0x98),
    ("CS1", 0x20),
    ("CS2", 0x40),
    ("CS3", 0x60),
    ("CS4", 0x80),
    ("CS5", 0xa0),
    ("CS6", 0xc0),
    ("CS7", 0xe0),
    ("EF", 0xb8),
];

/// RTN_*, in the order in which iproute2 tries their names; whether a name may be cut short.
const KINDS: [(&str, u8, bool); 12] = [
    ("local", 2, false),
    ("nat", 10, false),
    ("broadcast", 3, true),
    ("brd", 3, true),
    ("anycast", 4, true),
    ("multicast", 5, true),
    ("prohibit", 8, true),
    ("unreachable", 7, true),
    ("blackhole", 6, true),
    ("xresolve", 11, true),
    ("unicast", 1, true),
    ("throw", 9, false),
];

/// A number of this size by itself.
pub(super) fn number(word: &[u8]) -> Option<u32> {
    prefix::number(word).and_then(|number| u32::try_from(number).ok())
}

fn byte(word: &[u8]) -> Option<u8> {
    number(word).and_then(|number| u8::try_from(number).ok())
}

fn named<T: Copy>(names: &[(&str, T)], word: &[u8]) -> Option<T> {
    names.iter().find(|(name, _)| name.as_bytes() == word).map(|&(_, number)| number)
}

pub(super) fn scope_number(word: &[u8]) -> Option<u8> {
    named(&SCOPES, word).or_else(|| byte(word))
}

pub(super) fn protocol_number(word: &[u8]) -> Option<u8> {
    named(&PROTOCOLS, word).or_else(|| byte(word))
}

pub(super) fn table_number(word: &[u8]) -> Option<u32> {
    named(&TABLES, word).or_else(|| number(word))
}

/// A number is hexadecimal, with or without `0x`.
pub(super) fn tos_number(word: &[u8]) -> Option<u8> {
    let hexadecimal = || {
        let text = str::from_utf8(word).ok()?;
        u8::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
    };
    named(&TYPES_OF_SERVICE, word).or_else(hexadecimal)
}

pub(super) fn kind_number(word: &[u8]) -> Option<u8> {
    let is_meant = |name: &str, may_be_short| match may_be_short {
        true => is_short_for(word, name),
        false => name.as_bytes() == word,
    };
    let kind = KINDS.iter().find(|&&(name, _, may_be_short)| is_meant(name, may_be_short));
    kind.map(|&(_, number, _)| number).or_else(|| byte(word))
}

pub(super) fn number_of(kind: RouteKind) -> u8 {
    kind.number()
}

pub(super) fn kind_name(kind: RouteKind) -> &'static str {
    kind.name()
}

pub(super) fn tos_name(tos: u8) -> String {
    match TYPES_OF_SERVICE.iter().find(|&&(_, number)| number == tos) {
        Some((name, _)) => (*name).into(),
        None => format!("0x{tos:02x}"),
    }
}

pub(super) fn scope_name(number: u8) -> &'static str {
    SCOPES.iter().find(|&&(_, other)| other == number).map_or("global", |(name, _)| name)
}

pub(super) fn protocol_name(number: u8) -> &'static str {
    PROTOCOLS.iter().find(|&&(_, other)| other == number).map_or("unspec", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_kinds() {
        let known: [(&[u8], Option<u8>); 9] = [
            (b"u", Some(7)),
            (b"uni", Some(1)),
            (b"b", Some(3)),
            (b"bl", Some(6)),
            (b"a", Some(4)),
            (b"lo", None),
            (b"th", None),
            (b"7", Some(7)),
            (b"300", None),
        ];
        for (word, number) in known {
            assert_eq!(kind_number(word), number, "{}", String::from_utf8_lossy(word));
        }
    }

    #[test]
    fn types_of_service() {
        assert_eq!((tos_number(b"10"), tos_number(b"0x1c"), tos_number(b"CS1")), (Some(16), Some(28), Some(32)));
        assert_eq!((tos_number(b"100"), tos_number(b"0x"), tos_number(b"foo")), (None, None, None));
        assert_eq!((tos_name(8), tos_name(0xb8)), ("0x08".to_string(), "EF".to_string()));
    }
}
