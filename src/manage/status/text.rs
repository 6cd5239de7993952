//! Texts put together of what can be shown. (Pieces that are first made and then joined take the double of a program's space.)

use std::fmt::{self, Display, Formatter, Write};

use crate::net::ClockTime;

/// Puts parts behind a text.
#[inline(never)]
pub(super) fn put(text: &mut String, parts: &[&dyn Display]) {
    for part in parts {
        // writing to a String does not fail
        let _ = write!(text, "{part}");
    }
}

/// A text of parts.
#[inline(never)]
pub(super) fn text(parts: &[&dyn Display]) -> String {
    let mut text = String::new();
    put(&mut text, parts);
    text
}

/// Fills the last line with blanks up to a column.
#[inline(never)]
pub(super) fn fill(text: &mut String, column: usize) {
    let line = text.bytes().rposition(|byte| byte == b'\n').map_or(0, |end| end + 1);
    let mut used = text[line..].chars().count();
    while used < column {
        text.push(' ');
        used += 1;
    }
}

/// A time in seconds, with as many places as it needs.
pub(super) struct Seconds(pub(super) ClockTime);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let (whole, tenths, rest) = (self.0.0 / 100, self.0.0 / 10 % 10, self.0.0 % 10);
        match (tenths, rest) {
            (0, 0) => write!(f, "{whole} s"),
            (tenths, 0) => write!(f, "{whole}.{tenths} s"),
            (tenths, rest) => write!(f, "{whole}.{tenths}{rest} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_seconds() {
        for (ticks, wanted) in [(0, "0 s"), (1500, "15 s"), (150, "1.5 s"), (205, "2.05 s"), (30000, "300 s")] {
            assert_eq!(text(&[&Seconds(ClockTime(ticks))]), wanted);
        }
    }
}
