//! The one reader of the wall clock.
//!
//! Everything else is handed a moment, so that an hour can pass in a test
//! without waiting for it. Time zones are not known here.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::Millis;

/// The moment at which this is called, by the machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the wall clock"
)]
pub fn now() -> Millis {
    let whole = |age: Duration| i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Millis(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    })
}

/// Measures how long something takes; setting the machine's clock does not disturb it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
}

impl Stopwatch {
    /// A watch that runs from now on.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reader of the monotonic clock"
    )]
    pub fn start() -> Stopwatch {
        Stopwatch {
            started: Instant::now(),
        }
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whole milliseconds since the start.
    pub fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_lives_after_this_was_written() {
        let written = Millis(1_767_225_600_000); // 2026-01-01
        assert!(now() > written, "{}", now());
    }

    #[test]
    fn a_stopwatch_never_runs_backwards() {
        let watch = Stopwatch::start();
        let (first, second) = (watch.elapsed(), watch.elapsed());
        assert!(first <= second);
        assert!(watch.elapsed_ms() >= 0);
    }
}
