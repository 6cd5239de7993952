//! Hardware addresses as iproute2 reads them (lib/ll_addr.c, `ll_addr_a2n`).

use std::net::IpAddr;

use crate::error::{Failure, line};
use crate::net::number::scanf_x;
use crate::net::prefix::{Family, Notation, parse_address};

/// Parses a hardware address: octets in hexadecimal between colons or, with a point in it, an IPv4 address. Of more octets than
/// there is room for it is only known that there are more; iproute2's room differs from command to command.
///
/// # Errors
/// `"zz" is invalid lladdr.`
pub(super) fn address(word: &[u8], room: usize, notation: Notation) -> Result<Vec<u8>, Failure> {
    let invalid = |word: &[u8]| Failure::new(line!("\"", word, "\" is invalid lladdr."));
    if word.contains(&b'.') {
        return match parse_address(word, Family::Inet, notation) {
            Some(IpAddr::V4(address)) => Ok(address.octets().to_vec()),
            _ => Err(invalid(word)),
        };
    }
    let mut address = Vec::new();
    for part in word.split(|&byte| byte == b':') {
        if address.len() == room {
            address.push(0);
            break;
        }
        let octet = scanf_x(part).and_then(|octet| u8::try_from(octet).ok());
        address.push(octet.ok_or_else(|| invalid(part))?);
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_typed() {
        let good: [(&str, &[u8]); 8] = [
            ("02:00:00:00:00:01", &[2, 0, 0, 0, 0, 1]),
            ("2:0:0:0:0:1", &[2, 0, 0, 0, 0, 1]),
            ("0x2:+3: 4:5z:6 ", &[2, 3, 4, 5, 6]),
            ("0x:FF", &[0, 255]),
            ("02-00", &[2]),
            ("10.0.0.1", &[10, 0, 0, 1]),
            ("10.1", &[10, 1, 0, 0]),
            ("100000001", &[1]),
        ];
        for (word, expected) in good {
            assert_eq!(address(word.as_bytes(), 32, Notation::C).as_deref(), Ok(expected), "{word}");
        }
        for word in ["", ":", "zz", "02:", "100", "-1", "02:00.", "1.2.3.4.5"] {
            assert!(address(word.as_bytes(), 32, Notation::C).is_err(), "{word}");
        }
        assert_eq!(address(&b"1:".repeat(40), 32, Notation::C).map(|address| address.len()), Ok(33));
    }
}
