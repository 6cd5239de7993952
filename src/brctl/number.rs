//! Numbers as bridge-utils reads them, with C's `sscanf`: what follows the number is ignored.

use crate::net::ClockTime;

/// A time in seconds (`%lf`) as clock ticks. `15s` is 15 seconds, `1,5` is 1; `None` if there is no number at the start.
pub fn time(text: &[u8]) -> Option<ClockTime> {
    double(text).map(ClockTime::from_seconds)
}

/// A whole number (`%i` into an int, then widened): `010` is 8, `0x10` is 16; too large ones wrap around as in C.
pub fn integer(text: &[u8]) -> Option<u64> {
    let (negative, digits) = sign(skip_blanks(text));
    let (radix, digits) = match digits {
        // a lone `0x` is read as 0
        [b'0', b'x' | b'X', hex @ ..] if hex.first().is_some_and(u8::is_ascii_hexdigit) => (16, hex),
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    };
    let mut value: i128 = 0;
    let mut any = false;
    for digit in digits.iter().map_while(|&byte| char::from(byte).to_digit(radix)) {
        any = true;
        // strtol stops at the ends of a long
        value = (value * i128::from(radix) + i128::from(digit)).min(i128::from(i64::MAX) + 1);
    }
    let value = if negative { -value } else { value.min(i64::MAX.into()) };
    any.then_some(i64::from(value as i32) as u64)
}

/// `on` and `off` in brctl's three spellings each.
pub fn switch(text: &[u8]) -> Option<bool> {
    match text {
        b"on" | b"yes" | b"1" => Some(true),
        b"off" | b"no" | b"0" => Some(false),
        _ => None,
    }
}

/// The blanks of C's isspace.
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

/// `%lf`: decimal or hexadecimal with an exponent, `inf`, `infinity` and `nan` in any case.
fn double(text: &[u8]) -> Option<f64> {
    let (negative, text) = sign(skip_blanks(text));
    let magnitude = match text {
        [b'i' | b'I', ..] => infinity(text)?,
        [b'n' | b'N', ..] => starts_with(text, "nan").then_some(f64::NAN)?,
        [b'0', b'x' | b'X', hex @ ..] => hexadecimal(hex)?,
        _ => decimal(text)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn starts_with(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// `inf`; but a fourth letter `i` promises `infinity`, and scanf does not go back.
fn infinity(text: &[u8]) -> Option<f64> {
    let begun = starts_with(text, "infi");
    (starts_with(text, "inf") && (!begun || starts_with(text, "infinity"))).then_some(f64::INFINITY)
}

/// The parts of a number: digits before and after the point, and the exponent.
fn parts(text: &[u8], is_digit: fn(&u8) -> bool, exponent_letter: u8) -> (&[u8], &[u8], i32) {
    let digits = |text: &[u8]| text.iter().take_while(|byte| is_digit(byte)).count();
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => rest.split_at(digits(rest)),
        _ => (&rest[..0], rest),
    };
    let exponent = match rest {
        [letter, rest @ ..] if letter.to_ascii_lowercase() == exponent_letter => exponent(rest),
        _ => 0,
    };
    (whole, fraction, exponent)
}

/// The number after `e` or `p`. Without digits it is nothing (`1e` is 1); what no double reaches is cut.
fn exponent(text: &[u8]) -> i32 {
    let (negative, digits) = sign(text);
    let digits = digits.iter().map_while(|&byte| char::from(byte).to_digit(10));
    let value = digits.fold(0, |value: i32, digit| (value * 10 + digit as i32).min(100_000));
    if negative { -value } else { value }
}

fn decimal(text: &[u8]) -> Option<f64> {
    let (whole, fraction, exponent) = parts(text, u8::is_ascii_digit, b'e');
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    format!("0{}.{}e{exponent}", digits(whole), digits(fraction)).parse().ok()
}

/// Hexadecimal digits behind `0x`; digits beyond the 64 bits of the significand only tell that there is more.
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
    fn times() {
        let good: [(&str, u64); 17] = [
            ("15", 1500),
            (" \t1", 100),
            ("+1.5", 150),
            (".5", 50),
            ("5.", 500),
            ("1e1", 1000),
            ("1e", 100),
            ("1e+", 100),
            ("15s", 1500),
            ("1,5", 100),
            ("0x10", 1600),
            ("0x1p3", 800),
            ("0x.8", 50),
            ("-0", 0),
            ("INFINITY", 922_337_203_685_477),
            ("nanny", 922_337_203_685_477),
            ("1e99999999999", 922_337_203_685_477),
        ];
        for (text, ticks) in good {
            assert_eq!(time(text.as_bytes()), Some(ClockTime(ticks)), "{text}");
        }
        for text in ["", " ", "abc", ".", "-", ".e5", "0x", "0xg", "0x.", "infi", "na", "\u{663}"] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn integers() {
        let good: [(&str, u64); 14] = [
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
            ("-1", u64::MAX),
            ("99999999999999999999", u64::MAX),
            ("-99999999999999999999", 0),
        ];
        for (text, value) in good {
            assert_eq!(integer(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", "abc", "-", "+", "x10"] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
    }
}
