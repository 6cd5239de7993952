//! Numbers and times in words.

use std::fmt;

use crate::kernel::Counters;
use crate::net::ClockTime;

/// A time in seconds, with as many places as it needs.
pub(super) struct Seconds(pub(super) ClockTime);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (whole, tenths, rest) = (self.0.0 / 100, self.0.0 / 10 % 10, self.0.0 % 10);
        match (tenths, rest) {
            (0, 0) => write!(f, "{whole} s"),
            (tenths, 0) => write!(f, "{whole}.{tenths} s"),
            (tenths, rest) => write!(f, "{whole}.{tenths}{rest} s"),
        }
    }
}

/// `1 port`, `2 ports`, `3 addresses`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    let end = match noun {
        _ if count == 1 => "",
        "address" => "es",
        _ => "s",
    };
    format!("{count} {noun}{end}")
}

/// Bytes and packets in at most twelve columns.
pub(super) fn count(count: Counters) -> String {
    let bytes = scaled(count.bytes, 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"]);
    let packets = scaled(count.packets, 1000, ["", "k", "M", "G", "T", "P", "E"]);
    format!("{bytes}{packets:>5}")
}

/// A number in the unit that leaves less than a thousand, with tenths if it is below ten.
fn scaled(number: u64, step: u64, units: [&str; 7]) -> String {
    let (mut unit, mut size) = (0, 1);
    while number / size >= 1000 && unit < 6 {
        unit += 1;
        size *= step;
    }
    let whole = number / size;
    match (unit, whole) {
        (1.., 0..10) => format!("{whole}.{}{}", number % size * 10 / size, units[unit]),
        _ => format!("{whole}{}", units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_seconds() {
        for (ticks, wanted) in [(0, "0 s"), (1500, "15 s"), (150, "1.5 s"), (205, "2.05 s"), (30000, "300 s")] {
            assert_eq!(Seconds(ClockTime(ticks)).to_string(), wanted);
        }
    }

    #[test]
    fn numbers_for_people() {
        let bytes = |number, packets| count(Counters { bytes: number, packets });
        for (number, text) in [(0, "0 B"), (999, "999 B"), (1000, "0.9 KiB"), (1536, "1.5 KiB"), (10_240, "10 KiB")] {
            assert_eq!(bytes(number, 0), [text, "    0"].concat());
        }
        assert_eq!(bytes(1_288_490, 9_999), "1.2 MiB 9.9k");
        assert_eq!(bytes(u64::MAX, u64::MAX), "15 EiB  18E");
        assert_eq!(bytes(1_023_999, 999_999), "999 KiB 999k");
        assert_eq!(bytes(1_024_000, 1_000_000), "0.9 MiB 1.0M");
        assert_eq!(bytes(1_048_576, 1_000_000), "1.0 MiB 1.0M");
    }

    #[test]
    fn nouns() {
        assert_eq!(
            [plural(1, "address"), plural(2, "address"), plural(3, "port")],
            ["1 address", "2 addresses", "3 ports"]
        );
    }
}
