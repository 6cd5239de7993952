//! Hardware addresses as iproute2 reads them (lib/ll_addr.c, `ll_addr_a2n`).

use std::net::IpAddr;

use crate::era::Era;
use crate::error::{Failure, line};
use crate::ip::prefix::{self, Family};

/// The most bytes that iproute2 makes room for.
const ROOM: usize = 32;

/// Reads a hardware address: octets in hexadecimal between colons or, with a point in it, an IPv4 address. Of more octets than
/// there is room for it is only known that there are more.
///
/// # Errors
/// `"zz" is invalid lladdr.`
pub(super) fn address(era: Era, word: &[u8]) -> Result<Vec<u8>, Failure> {
    let invalid = |word: &[u8]| Failure::new(line!("\"", word, "\" is invalid lladdr."));
    if word.contains(&b'.') {
        return match prefix::address(era, word, Family::Inet) {
            Ok(IpAddr::V4(address)) => Ok(address.octets().to_vec()),
            _ => Err(invalid(word)),
        };
    }
    let mut address = Vec::new();
    for part in word.split(|&byte| byte == b':') {
        if address.len() == ROOM {
            address.push(0);
            break;
        }
        address.push(octet(part).ok_or_else(|| invalid(part))?);
    }
    Ok(address)
}

/// C's `sscanf` with `%x`: blanks, a sign and `0x` may come before, anything may follow, and only 32 bits count.
fn octet(text: &[u8]) -> Option<u8> {
    let text = text.trim_ascii_start();
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (prefixed, text) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let digits = text.iter().map_while(|&byte| char::from(byte).to_digit(16));
    if digits.clone().next().is_none() && !prefixed {
        return None;
    }
    let number = digits.fold(0u64, |number, digit| number.saturating_mul(16).saturating_add(digit.into()));
    let number = if negative { number.wrapping_neg() } else { number };
    u8::try_from(number as u32).ok()
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
            assert_eq!(address(Era::Today, word.as_bytes()).as_deref(), Ok(expected), "{word}");
        }
        for word in ["", ":", "zz", "02:", "100", "-1", "02:00.", "1.2.3.4.5"] {
            assert!(address(Era::Today, word.as_bytes()).is_err(), "{word}");
        }
        assert_eq!(address(Era::Today, &b"1:".repeat(40)).map(|address| address.len()), Ok(33));
    }
}
