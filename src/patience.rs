//! Time limits that cost nothing where nothing takes time.
//!
//! A process's first look at the clock makes the C library read the kernel's vDSO, which takes as long as twenty system calls.

use std::time::{Duration, Instant};

/// How long something may take. The clock starts when it is asked for the second time, which is after the first wait or attempt: what
/// succeeds at once asks no clock, and what does not may take one wait more.
pub struct Patience {
    limit: Duration,
    clock: Clock,
}

enum Clock {
    NotAsked,
    AskedOnce,
    Since(Instant),
}

impl Patience {
    /// Makes a limit of this time.
    pub fn new(limit: Duration) -> Self {
        Patience { limit, clock: Clock::NotAsked }
    }

    /// Returns the time that is left.
    pub fn left(&mut self) -> Duration {
        match self.clock {
            Clock::NotAsked => self.clock = Clock::AskedOnce,
            Clock::AskedOnce => self.clock = Clock::Since(Instant::now()),
            Clock::Since(start) => return self.limit.saturating_sub(start.elapsed()),
        }
        self.limit
    }

    /// Whether no time is left.
    pub fn is_over(&mut self) -> bool {
        self.left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn the_clock_starts_with_the_second_question() {
        let mut patience = Patience::new(Duration::from_millis(20));
        assert_eq!(patience.left(), Duration::from_millis(20));
        sleep(Duration::from_millis(30));
        assert_eq!(patience.left(), Duration::from_millis(20));
        sleep(Duration::from_millis(30));
        assert!(patience.is_over());
    }
}
