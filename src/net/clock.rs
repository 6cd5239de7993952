//! Times of a bridge.

use std::ffi::{c_long, c_ulong};
use std::fmt;

/// A time in hundredths of a second (USER_HZ), the unit of /sys and of the bridge's ioctls. (The kernel rounds a time to its own
/// tick, so that 1 may read back as 0.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockTime(pub u64);

impl ClockTime {
    /// Converts seconds to ticks as bridge-utils does: whole seconds and microseconds are cut off one after the other in double
    /// arithmetic, so that 1.13 is 112 and 2.3 is 229. What no `long` can hold (inf, nan, 1e30) is the smallest one, as x86
    /// converts it; negative times wrap around. The result is an `unsigned long`.
    pub fn from_seconds(seconds: f64) -> Self {
        let whole = as_c_long(seconds);
        let micro = as_c_long(1_000_000.0 * (seconds - whole as f64));
        let ticks = (whole as u64).wrapping_mul(1_000_000).wrapping_add(micro as u64) / 10_000;
        ClockTime(ticks & u64::MAX >> (u64::BITS - c_ulong::BITS))
    }
}

/// Casts as C's `(long)x` does on x86 (cvttsd2si, fistp).
fn as_c_long(x: f64) -> c_long {
    let too_large = -(c_long::MIN as f64);
    if x.trunc() >= -too_large && x.trunc() < too_large { x as c_long } else { c_long::MIN }
}

/// brctl's form of a timer: seconds in four places, a point, hundredths (`%4i.%.2i`).
impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:4}.{:02}", (self.0 / 100) as i32, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_as_bridge_utils_cuts_them() {
        let vectors = [
            (0.0, 0),
            (0.01, 1),
            (0.009, 0),
            (0.29, 29),
            (1.13, 112),
            (2.3, 229),
            (4.35, 434),
            (2.01, 200),
            (29.99, 2998),
        ];
        for (seconds, ticks) in vectors {
            assert_eq!(ClockTime::from_seconds(seconds).0, ticks, "{seconds}");
        }
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn absurd_seconds_as_bridge_utils_cuts_them() {
        let vectors = [
            (f64::INFINITY, 922_337_203_685_477),
            (f64::NAN, 922_337_203_685_477),
            (1e30, 922_337_203_685_477),
            (1e18, 200_376_420_520_689),
            (-1.0, 1_844_674_407_370_855),
            (-0.5, 1_844_674_407_370_905),
        ];
        for (seconds, ticks) in vectors {
            assert_eq!(ClockTime::from_seconds(seconds).0, ticks, "{seconds}");
        }
    }

    #[test]
    fn printed_in_seven_places() {
        assert_eq!(ClockTime(1500).to_string(), "  15.00");
        assert_eq!(ClockTime(5).to_string(), "   0.05");
        assert_eq!(ClockTime(1_234_567).to_string(), "12345.67");
    }
}
