//! Numbers as bridge-utils reads them, with C's `sscanf`: what follows the number is ignored.

use std::cmp::Ordering;

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

/// The nearest double, exactly as C rounds it. (That of the standard library brings a table of ten kilobytes.)
fn decimal(text: &[u8]) -> Option<f64> {
    let (whole, fraction, exponent) = parts(text, u8::is_ascii_digit, b'e');
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let number = Decimal::new(whole.iter().chain(fraction), whole.len() as i64 + i64::from(exponent));
    Some(match number.point {
        _ if number.digits.is_empty() => 0.0,
        // of these no clock tick is left, or more than there are
        ..-30 => 0.0,
        31.. => f64::INFINITY,
        _ => number.into_double(),
    })
}

/// `0.DIGITS` times ten to the power of `point`. No zeros at either end.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// Digits beyond these only tell that there is more: two doubles of the size of a time have their middle within them.
    const LONGEST: usize = 400;

    fn new<'a>(digits: impl Iterator<Item = &'a u8>, point: i64) -> Self {
        let digits: Vec<u8> = digits.map(|digit| digit - b'0').collect();
        let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
        let mut digits = digits[zeros..].to_vec();
        if digits.len() > Self::LONGEST {
            let has_more = digits.drain(Self::LONGEST..).any(|digit| digit != 0);
            digits.push(has_more.into());
        }
        let mut number = Decimal { digits, point: point - zeros as i64 };
        number.trim();
        number
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
    }

    fn whole(&self) -> u128 {
        (0..self.point.max(0) as usize)
            .fold(0, |whole, place| whole * 10 + u128::from(*self.digits.get(place).unwrap_or(&0)))
    }

    fn double(&mut self) {
        let mut carry = 0;
        for digit in self.digits.iter_mut().rev() {
            let twice = *digit * 2 + carry;
            (*digit, carry) = (twice % 10, twice / 10);
        }
        if carry != 0 {
            self.digits.insert(0, carry);
            self.point += 1;
        }
        self.trim();
    }

    fn halve(&mut self) {
        let mut rest = 0;
        for digit in &mut self.digits {
            let value = rest * 10 + *digit;
            (*digit, rest) = (value / 2, value % 2);
        }
        if rest != 0 {
            self.digits.push(5);
        }
        if self.digits[0] == 0 {
            self.digits.remove(0);
            self.point -= 1;
        }
    }

    /// What is before the point is brought to the 53 bits of a double, then rounded: to the nearest, from the middle to the even.
    fn into_double(mut self) -> f64 {
        let mut scale = 0;
        let significand = loop {
            match self.whole() {
                small if small < 1 << 52 => {
                    self.double();
                    scale -= 1;
                }
                large if large >= 1 << 53 => {
                    self.halve();
                    scale += 1;
                }
                significand => break significand as u64,
            }
        };
        let rest = self.digits.get(self.point as usize..).unwrap_or_default();
        let up = match rest.cmp(&[5]) {
            Ordering::Less => 0,
            Ordering::Equal => significand % 2,
            Ordering::Greater => 1,
        };
        (significand + up) as f64 * 2f64.powi(scale)
    }
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
    fn doubles_are_those_of_the_standard_library() {
        let mut random: u64 = 1;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let mut texts: Vec<String> =
            ["0", "000.000", "9007199254740993", "9007199254740992.5", "4503599627370496.5", "0.1"]
                .map(String::from)
                .into();
        // the middle of two doubles, and a little more
        texts.extend(
            [".00000000000000011102230246251565404", ".000000000000000111022302462515654042363166809082031250"]
                .map(|end| format!("1{end}")),
        );
        texts.push(format!("4503599627370496.5{}1", "0".repeat(500)));
        for _ in 0..20_000 {
            let digits =
                |count, next: &mut dyn FnMut(u64) -> u64| (0..count).map(|_| next(10).to_string()).collect::<String>();
            let (whole, fraction) = (next(20), next(25));
            let mut text = format!("{}.{}", digits(whole + 1, &mut next), digits(fraction, &mut next));
            if next(3) == 0 {
                text += &format!("e{}", next(16) as i64 - 10);
            }
            texts.push(text);
        }
        for text in texts {
            let (ours, wanted) = (double(text.as_bytes()).unwrap(), text.parse::<f64>().unwrap());
            assert!(ours == wanted || wanted > 1e30 && ours.is_infinite(), "{text}: {ours:e}, {wanted:e}");
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
