//! Numbers as iproute2 reads them (lib/utils.c): `010` is 8, `0x10` is 16, and nothing may follow.

use crate::net::number::{unsigned_long, whole};
use crate::net::rtnetlink::Scope;

/// Reads a signed number of 32 bits (`get_integer`).
pub(super) fn get_integer(word: &[u8]) -> Option<i32> {
    i32::try_from(whole(word, 0)?).ok()
}

/// Reads a number without a sign that fits into `T` (`get_unsigned`, `get_u8`, `get_u16`).
pub(super) fn get_unsigned<T: TryFrom<i128>>(word: &[u8]) -> Option<T> {
    if word.first() == Some(&b'-') {
        return None;
    }
    T::try_from(whole(word, 0)?).ok()
}

/// Reads a number of 32 bits by strtoul(3) (`get_u32`).
pub(super) fn get_u32(word: &[u8]) -> Option<u32> {
    match unsigned_long(word, 0)? {
        (number, b"") => u32::try_from(number).ok(),
        _ => None,
    }
}

/// Reads a number of 64 bits (`get_u64`). A negative one wraps around.
pub(super) fn get_u64(word: &[u8]) -> Option<u64> {
    let number = whole(word, 0)?;
    (number.unsigned_abs() <= u64::MAX.into()).then_some(number as u64)
}

/// Reads an interface group: `default`, or the low 32 bits of a number (`rtnl_group_a2n`).
pub(super) fn group(word: &[u8]) -> Option<u32> {
    if word == b"default" {
        return Some(0);
    }
    let number = whole(word, 0)?.clamp(i64::MIN.into(), i64::MAX.into());
    u32::try_from(number as i32).ok()
}

/// Reads a scope by name or number (`rtnl_rtscope_a2n`).
pub(super) fn scope(word: &[u8]) -> Option<Scope> {
    Scope::named(word).or_else(|| get_u8(word).map(Scope))
}

/// Reads a number of 8 bits by strtoul(3).
pub(super) fn get_u8(word: &[u8]) -> Option<u8> {
    get_u32(word).and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        let good = [("1400", 1400), ("-1", -1), (" 7", 7), ("+7", 7), ("0x500", 1280), ("010", 8), ("0", 0)];
        for (word, number) in good {
            assert_eq!(get_integer(word.as_bytes()), Some(number), "{word}");
        }
        for word in ["", "abc", "7x", "7 ", "08", "0x", "2147483648", "99999999999999999999999999999999999999999999"] {
            assert_eq!(get_integer(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn others() {
        assert_eq!(get_unsigned::<u16>(b"65535"), Some(65535));
        assert_eq!(get_unsigned::<u16>(b"65536"), None);
        assert_eq!(get_unsigned::<u16>(b"-0"), None);
        assert_eq!(get_u32(b"-0"), Some(0));
        assert_eq!(get_u32(b"4294967296"), None);
        assert_eq!(get_u64(b"-1"), Some(u64::MAX));
        assert_eq!(get_u64(b"18446744073709551616"), None);
        assert_eq!(group(b"4294967296"), Some(0));
        assert_eq!(group(b"4294967295"), None);
        assert_eq!(scope(b"link"), Some(Scope::LINK));
        assert_eq!(scope(b"0x10"), Some(Scope(16)));
        assert_eq!(scope(b"256"), None);
    }
}
