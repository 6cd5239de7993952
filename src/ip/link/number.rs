//! Numbers as iproute2 reads them (lib/utils.c, `get_integer`, `get_unsigned` and their like): C's `strtol` with base 0, of
//! which nothing may be left over. `010` is 8, `0x10` is 16.

/// A signed number of 32 bits.
pub(super) fn integer(word: &[u8]) -> Option<i32> {
    i32::try_from(whole(word)?).ok()
}

/// A number without a sign that fits into `T`.
pub(super) fn unsigned<T: TryFrom<i128>>(word: &[u8]) -> Option<T> {
    if word.first() == Some(&b'-') {
        return None;
    }
    T::try_from(whole(word)?).ok()
}

/// A number of 64 bits; a negative one wraps around.
pub(super) fn wrapping(word: &[u8]) -> Option<u64> {
    let number = whole(word)?;
    (number.unsigned_abs() <= u64::MAX.into()).then_some(number as u64)
}

/// The number of an interface group. There is one name for one, and what does not fit into an int is cut.
pub(in crate::ip) fn group(word: &[u8]) -> Option<u32> {
    if word == b"default" {
        return Some(0);
    }
    let number = whole(word)?.clamp(i64::MIN.into(), i64::MAX.into());
    u32::try_from(number as i32).ok()
}

/// C's `atoi`: what follows the number does not matter, and no number is 0.
pub(super) fn leading(word: &[u8]) -> i32 {
    let (negative, digits) = sign(word.trim_ascii_start());
    let digits = &digits[..digits.iter().take_while(|byte| byte.is_ascii_digit()).count()];
    let number = magnitude(digits, 10).unwrap_or(0).min(i64::MAX as i128);
    (if negative { -number } else { number }) as i32
}

/// A word that is all number.
fn whole(word: &[u8]) -> Option<i128> {
    let (negative, digits) = sign(word.trim_ascii_start());
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', hex @ ..] => (16, hex),
        [b'0', octal @ ..] if !octal.is_empty() => (8, octal),
        _ => (10, digits),
    };
    let number = magnitude(digits, radix)?;
    Some(if negative { -number } else { number })
}

fn sign(word: &[u8]) -> (bool, &[u8]) {
    match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, word),
    }
}

/// Digits, as many as there are; of a number beyond all measure only that it is one.
fn magnitude(digits: &[u8], radix: u32) -> Option<i128> {
    let add = |number: i128, &byte: &u8| {
        let digit = char::from(byte).to_digit(radix)?;
        Some((number * i128::from(radix) + i128::from(digit)).min(1 << 100))
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        let good = [("1400", 1400), ("-1", -1), (" 7", 7), ("+7", 7), ("0x500", 1280), ("010", 8), ("0", 0)];
        for (word, number) in good {
            assert_eq!(integer(word.as_bytes()), Some(number), "{word}");
        }
        for word in ["", "abc", "7x", "7 ", "08", "0x", "2147483648", "99999999999999999999999999999999999999999999"] {
            assert_eq!(integer(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn others() {
        assert_eq!(unsigned::<u16>(b"65535"), Some(65535));
        assert_eq!(unsigned::<u16>(b"65536"), None);
        assert_eq!(unsigned::<u16>(b"-0"), None);
        assert_eq!(wrapping(b"-1"), Some(u64::MAX));
        assert_eq!(wrapping(b"18446744073709551616"), None);
        assert_eq!(group(b"4294967296"), Some(0));
        assert_eq!(group(b"4294967295"), None);
        assert_eq!(leading(b"5x"), 5);
        assert_eq!(leading(b"x"), 0);
    }
}
