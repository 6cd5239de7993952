//! Numbers as C's library reads them: strtol(3), strtoul(3), atoi(3) and sscanf(3) with `%i`, `%x` and `%lf`.
//!
//! [`strtol`] is the one reader of integers; the others narrow what it returns as C does.

use super::ClockTime;
use std::ffi::{c_long, c_ulong};

/// Magnitudes from here on are not told apart. Every type that a caller narrows to is smaller.
const LIMIT: i128 = 1 << 100;

/// Reads an integer at the start of a text: blanks, a sign, digits. Returns it with the rest of the text; `None` without digits.
///
/// The base is that of strtol(3): 0 has the prefix decide (`0x` hexadecimal, `0` octal, else decimal), and 16 admits `0x`. Numbers
/// do not stop at the ends of a `long`, but at 2^100.
pub fn strtol(text: &[u8], base: u32) -> Option<(i128, &[u8])> {
    let (negative, text) = sign(skip_blanks(text));
    let (radix, digits) = match (base, text) {
        // a lone `0x` is 0 with an x behind it
        (0 | 16, [b'0', b'x' | b'X', hex @ ..]) if hex.first().is_some_and(u8::is_ascii_hexdigit) => (16, hex),
        (0, [b'0', ..]) => (8, text),
        (0, _) => (10, text),
        _ => (base, text),
    };
    let (digits, rest) = digits.split_at(digits.iter().take_while(|&&byte| char::from(byte).is_digit(radix)).count());
    let add = |number: i128, &byte: &u8| {
        let digit = char::from(byte).to_digit(radix).unwrap_or(0);
        (number * i128::from(radix) + i128::from(digit)).min(LIMIT)
    };
    let number = digits.iter().fold(0, add);
    (!digits.is_empty()).then_some((if negative { -number } else { number }, rest))
}

/// Reads a text that is all integer, as iproute2 does (lib/utils.c, `get_integer` and its like): nothing may follow.
pub fn whole(text: &[u8], base: u32) -> Option<i128> {
    strtol(text, base).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

/// Reads an integer at the start of a text as an `unsigned long`: a negative one wraps around, one too large is the largest.
/// Returns it with the rest of the text; `None` without digits.
pub fn strtoul(text: &[u8], base: u32) -> Option<(u64, &[u8])> {
    let (number, rest) = strtol(text, base)?;
    let magnitude = c_ulong::try_from(number.unsigned_abs());
    let wrapped =
        magnitude.map_or(c_ulong::MAX, |magnitude| if number < 0 { magnitude.wrapping_neg() } else { magnitude });
    #[allow(clippy::unnecessary_cast, reason = "it has 32 bits on 32-bit machines")]
    Some((wrapped as u64, rest))
}

/// Reads an integer at the start of a text as an `unsigned long`, as iproute2 does: `None` for one too large (ERANGE), which
/// [`strtoul`] cuts. Returns it with the rest of the text.
pub fn unsigned_long(text: &[u8], base: u32) -> Option<(u64, &[u8])> {
    let (number, _) = strtol(text, base)?;
    if number.unsigned_abs() <= c_ulong::MAX.into() { strtoul(text, base) } else { None }
}

/// Reads a decimal number at the start of a text as atoi(3) does: 0 without digits, the low 32 bits of a `long`.
pub fn atoi(text: &[u8]) -> i32 {
    strtol(text, 10).map_or(0, |(number, _)| long(number) as i32)
}

/// Reads an `int` as sscanf(3) with `%i`: `010` is 8, `0x10` is 16, what follows is ignored. One too large is cut to the low 32
/// bits of a `long`.
pub fn scanf_i(text: &[u8]) -> Option<i32> {
    strtol(text, 0).map(|(number, _)| long(number) as i32)
}

/// Reads an `unsigned int` as sscanf(3) with `%x`: hexadecimal with or without `0x`, what follows is ignored. One too large is
/// cut to the low 32 bits of an `unsigned long`.
pub fn scanf_x(text: &[u8]) -> Option<u32> {
    strtoul(text, 16).map(|(number, _)| number as u32)
}

/// Reads a `double` as sscanf(3) with `%lf`: decimal or hexadecimal with an exponent, `inf`, `infinity` and `nan` in any case.
/// What follows is ignored.
pub fn scanf_lf(text: &[u8]) -> Option<f64> {
    let (negative, text) = sign(skip_blanks(text));
    let magnitude = match text {
        [b'i' | b'I', ..] => infinity(text)?,
        [b'n' | b'N', ..] => starts_with(text, "nan").then_some(f64::NAN)?,
        [b'0', b'x' | b'X', hex @ ..] => hexadecimal(hex)?,
        _ => decimal(text)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Reads a time in seconds as bridge-utils does (`%lf`). `15s` is 15 seconds, `1,5` is 1.
pub fn time(text: &[u8]) -> Option<ClockTime> {
    scanf_lf(text).map(ClockTime::from_seconds)
}

/// Reads a whole number as bridge-utils does: `%i` into an `int`, widened to the `unsigned long` of an ioctl's argument,
/// which is as wide as `usize`.
pub fn integer(text: &[u8]) -> Option<u64> {
    scanf_i(text).map(|number| number as usize as u64)
}

/// Reads `on` or `off` in brctl's three spellings each.
pub fn switch(text: &[u8]) -> Option<bool> {
    match text {
        b"on" | b"yes" | b"1" => Some(true),
        b"off" | b"no" | b"0" => Some(false),
        _ => None,
    }
}

/// A number as a `long`, which stops at its ends.
fn long(number: i128) -> c_long {
    number.clamp(c_long::MIN.into(), c_long::MAX.into()) as c_long
}

/// Skips the blanks of isspace(3).
fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r')).unwrap_or(text.len());
    &text[start..]
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn starts_with(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// `inf`; but a fourth letter `i` promises `infinity`, and scanf does not go back.
fn infinity(text: &[u8]) -> Option<f64> {
    let is_long = starts_with(text, "infi");
    (starts_with(text, "inf") && (!is_long || starts_with(text, "infinity"))).then_some(f64::INFINITY)
}

/// Splits a number into its digits before and after the point, and its exponent.
fn parts(text: &[u8], is_digit: fn(&u8) -> bool, exponent_letter: u8) -> (&[u8], &[u8], i32) {
    let digits = |text: &[u8]| text.iter().take_while(|byte| is_digit(byte)).count();
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => rest.split_at(digits(rest)),
        _ => (&rest[..0], rest),
    };
    let exponent = match rest {
        [letter, rest @ ..] if letter.eq_ignore_ascii_case(&exponent_letter) => exponent(rest),
        _ => 0,
    };
    (whole, fraction, exponent)
}

/// Reads the number after `e` or `p`. Without digits it is 0 (`1e` is 1); what no double reaches is cut.
fn exponent(text: &[u8]) -> i32 {
    let has_blanks = skip_blanks(text).len() != text.len();
    let number = strtol(text, 10).filter(|_| !has_blanks).map_or(0, |(number, _)| number);
    number.clamp(-100_000, 100_000) as i32
}

fn decimal(text: &[u8]) -> Option<f64> {
    let (whole, fraction, exponent) = parts(text, u8::is_ascii_digit, b'e');
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let [whole, fraction] = [whole, fraction].map(String::from_utf8_lossy);
    format!("{whole}.{fraction}e{exponent}").parse().ok()
}

/// Reads hexadecimal digits behind `0x`; those beyond the 64 bits of the significand only say that there is more.
fn hexadecimal(text: &[u8]) -> Option<f64> {
    let (whole, fraction, exponent) = parts(text, u8::is_ascii_hexdigit, b'p');
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut significand: u64 = 0;
    let mut scale = exponent - 4 * fraction.len() as i32;
    for digit in whole.iter().chain(fraction).filter_map(|&byte| char::from(byte).to_digit(16)) {
        if significand >> 60 == 0 {
            significand = significand << 4 | u64::from(digit);
        } else {
            significand |= u64::from(digit != 0);
            scale += 4;
        }
    }
    Some(significand as f64 * 2f64.powi(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        let good: [(&str, f64); 19] = [
            ("15", 15.0),
            (" \t\u{b}1", 1.0),
            ("+1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e1", 10.0),
            ("1E+1", 10.0),
            ("1e", 1.0),
            ("1e+", 1.0),
            ("1e 1", 1.0),
            ("15s", 15.0),
            ("1,5", 1.0),
            ("0x10", 16.0),
            ("0x1p3", 8.0),
            ("0x.8", 0.5),
            ("-0.25", -0.25),
            ("INFINITY", f64::INFINITY),
            ("1e99999999999", f64::INFINITY),
            ("1e-99999999999", 0.0),
        ];
        for (text, number) in good {
            assert_eq!(scanf_lf(text.as_bytes()), Some(number), "{text}");
        }
        assert!(scanf_lf(b"nanny").unwrap().is_nan());
        for text in ["", " ", "abc", ".", "-", ".e5", "0x", "0xg", "0x.", "infi", "na", "\u{663}"] {
            assert_eq!(scanf_lf(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn longs_end_where_the_machine_says() {
        let largest = u128::from(c_ulong::MAX);
        let [at_end, behind] = [largest, largest + 1].map(|number| number.to_string());
        let wide = |(number, rest): (u64, _)| (u128::from(number), rest);
        assert_eq!(unsigned_long(at_end.as_bytes(), 0).map(wide), Some((largest, &b""[..])));
        assert_eq!(unsigned_long(b"-1s", 0).map(wide), Some((largest, &b"s"[..])));
        assert_eq!(unsigned_long(behind.as_bytes(), 0), None);
        assert_eq!(strtoul(behind.as_bytes(), 0).map(wide), Some((largest, &b""[..])));
    }

    #[test]
    fn times_and_integers_of_brctl() {
        assert_eq!(time(b"INFINITY"), Some(ClockTime(922_337_203_685_477)));
        assert_eq!((time(b"-0"), time(b"2.3"), time(b"")), (Some(ClockTime(0)), Some(ClockTime(229)), None));
        assert_eq!((integer(b"-1"), integer(b"4294967297")), (Some(usize::MAX as u64), Some(1)));
    }

    #[test]
    fn integers_of_scanf() {
        let good: [(&str, i32); 14] = [
            ("10", 10),
            ("010", 8),
            ("08", 0),
            ("0x10", 16),
            ("0x", 0),
            ("0xg", 0),
            (" 7", 7),
            ("+3", 3),
            ("5abc", 5),
            ("4294967296", 0),
            ("4294967297", 1),
            ("-1", -1),
            ("99999999999999999999", -1),
            ("-99999999999999999999", 0),
        ];
        for (text, value) in good {
            assert_eq!(scanf_i(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", "abc", "-", "+", "x10"] {
            assert_eq!(scanf_i(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn octets_of_scanf() {
        let good =
            [("02", 2), ("0x2", 2), ("+3", 3), (" 4", 4), ("5z", 5), ("0x", 0), ("100000001", 1), ("-1", u32::MAX)];
        for (text, value) in good {
            assert_eq!(scanf_x(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", "zz", "-"] {
            assert_eq!(scanf_x(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers() {
        let good = [
            ("1400", 1400),
            ("-1", -1),
            (" 7", 7),
            ("+7", 7),
            ("0x500", 1280),
            ("010", 8),
            ("0", 0),
            ("-0", 0),
            ("2147483648", 2_147_483_648),
            ("99999999999999999999999999999999999999999999", LIMIT),
        ];
        for (word, number) in good {
            assert_eq!(whole(word.as_bytes(), 0), Some(number), "{word}");
        }
        for word in ["", "abc", "7x", "7 ", "08", "0x", "- 7", "+-5"] {
            assert_eq!(whole(word.as_bytes(), 0), None, "{word}");
        }
        let decimal = [("5", 5), ("010", 10), (" +5", 5), ("-1", -1), ("99999999999", 99_999_999_999)];
        for (word, number) in decimal {
            assert_eq!(whole(word.as_bytes(), 10), Some(number), "{word}");
        }
        for word in ["", "5 ", "0x10", "5x", "-"] {
            assert_eq!(whole(word.as_bytes(), 10), None, "{word}");
        }
    }

    #[test]
    fn unsigned_numbers() {
        assert_eq!(strtoul(b"10.1", 0), Some((10, &b".1"[..])));
        assert_eq!(strtoul(b"-1", 0), Some((u64::MAX, &b""[..])));
        assert_eq!(strtoul(b"18446744073709551616", 0), Some((u64::MAX, &b""[..])));
        assert_eq!(strtoul(b"-18446744073709551616", 0), Some((u64::MAX, &b""[..])));
        assert_eq!(strtoul(b".1", 0), None);
        assert_eq!([&b"5x"[..], b"x", b"-7", b"4294967297"].map(atoi), [5, 0, -7, 1]);
    }
}
