//! The table of results.

use std::fmt;
use std::time::Duration;

/// One measured figure.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    Time(Duration),
    Calls(usize),
    Kibibytes(usize),
}

impl Figure {
    fn value(self) -> f64 {
        match self {
            Figure::Time(time) => time.as_secs_f64(),
            Figure::Calls(count) | Figure::Kibibytes(count) => count as f64,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = match self {
            Figure::Time(time) => format!("{:.2} ms", time.as_secs_f64() * 1e3),
            Figure::Calls(count) => format!("{count} calls"),
            Figure::Kibibytes(count) => format!("{count} KiB"),
        };
        f.pad(&text)
    }
}

/// Prints the table line by line, and counts missed expectations.
#[derive(Default)]
pub(crate) struct Table {
    expected: usize,
    missed: usize,
}

impl Table {
    /// Prints the header of a section.
    pub(crate) fn begin(&self, title: &str) {
        println!("{title:<52} {:>12} {:>12}  ratio  expected", "ours", "peer");
    }

    /// Prints our figure, its peer's, and their ratio, which is expected to be at most `limit`.
    pub(crate) fn line(&mut self, what: &str, ours: Figure, peer: Figure, limit: f64) {
        let ratio = ours.value() / peer.value();
        let verdict = if ratio <= limit { "ok" } else { "MISSED" };
        self.expected += 1;
        self.missed += usize::from(ratio > limit);
        println!("  {what:<50} {ours:>12} {peer:>12}  {ratio:.3}  <= {limit:.3}  {verdict}");
    }

    /// Prints the last line.
    pub(crate) fn end(&self) {
        println!("{} of {} as expected", self.expected - self.missed, self.expected);
    }
}
