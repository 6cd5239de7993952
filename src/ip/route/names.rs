//! Types, protocols, tables and types of service by name or number, as iproute2 reads them with Debian's /etc/iproute2.

use crate::ip::number::{get_u8, get_u32};
use crate::net::number::strtoul;
use crate::net::rtnetlink::{Protocol, RouteType, TableId};

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

pub(in crate::ip) fn protocol(word: &[u8]) -> Option<Protocol> {
    Protocol::named(word).or_else(|| get_u8(word).map(Protocol))
}

pub(super) fn table(word: &[u8]) -> Option<TableId> {
    TableId::named(word).or_else(|| get_u32(word).map(TableId))
}

/// Returns the number of a type (`RTN_*`), which may be one that has no name.
pub(super) fn type_number(word: &[u8]) -> Option<u8> {
    RouteType::named(word).map(RouteType::number).or_else(|| get_u8(word))
}

/// A number is hexadecimal, with or without `0x`.
pub(in crate::ip) fn tos(word: &[u8]) -> Option<u8> {
    let named = TYPES_OF_SERVICE.iter().find(|(name, _)| name.as_bytes() == word);
    let number =
        || strtoul(word, 16).filter(|(_, rest)| rest.is_empty()).and_then(|(number, _)| u8::try_from(number).ok());
    named.map(|(_, tos)| *tos).or_else(number)
}

pub(in crate::ip) fn tos_name(tos: u8) -> String {
    match TYPES_OF_SERVICE.iter().find(|(_, number)| *number == tos) {
        Some((name, _)) => (*name).into(),
        None => format!("0x{tos:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        let known: [(&[u8], Option<u8>); 6] =
            [(b"u", Some(7)), (b"brd", Some(3)), (b"lo", None), (b"7", Some(7)), (b"0", Some(0)), (b"300", None)];
        for (word, number) in known {
            assert_eq!(type_number(word), number, "{}", String::from_utf8_lossy(word));
        }
    }

    #[test]
    fn types_of_service() {
        assert_eq!((tos(b"10"), tos(b"0x1c"), tos(b"CS1")), (Some(16), Some(28), Some(32)));
        assert_eq!((tos(b"100"), tos(b"0x"), tos(b"foo")), (None, None, None));
        assert_eq!((tos_name(8), tos_name(0xb8)), ("0x08".to_string(), "EF".to_string()));
    }
}
