//! Moments, spans and resolutions, all in UTC milliseconds since the Unix epoch.
//!
//! Calendars and zones are not known here; a local day is a [`Span`] that a
//! [`Zone`](super::Zone) knows.

use std::fmt;

use chrono::{DateTime, SecondsFormat};

/// A moment: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// One second, in milliseconds.
    pub const SECOND: i64 = 1_000;
    /// One minute, in milliseconds.
    pub const MINUTE: i64 = 60_000;
    /// One hour, in milliseconds.
    pub const HOUR: i64 = 3_600_000;
    /// One UTC day, in milliseconds.
    pub const DAY: i64 = 86_400_000;

    /// The last multiple of `step_ms` that is not after this moment; it stops at the
    /// beginning of the number line.
    pub fn floor(self, step_ms: i64) -> Millis {
        Millis(self.0.div_euclid(step_ms).saturating_mul(step_ms))
    }

    /// The first multiple of `step_ms` that is not before this moment.
    pub fn ceil(self, step_ms: i64) -> Millis {
        Millis(self.0)
            .floor(step_ms)
            .plus(if self.0.rem_euclid(step_ms) == 0 {
                0
            } else {
                step_ms
            })
    }

    /// This moment moved by `ms`; it stops at the ends of the number line.
    pub fn plus(self, ms: i64) -> Millis {
        Millis(self.0.saturating_add(ms))
    }
}

impl fmt::Display for Millis {
    /// RFC 3339 in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_millis(self.0) {
            Some(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "@{}", self.0),
        }
    }
}

/// A half-open range of time, `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first moment inside.
    pub from: Millis,
    /// The first moment after it.
    pub until: Millis,
}

impl Span {
    /// The span `[from, until)`.
    pub fn new(from: Millis, until: Millis) -> Span {
        Span { from, until }
    }

    /// Whether the moment lies inside.
    pub fn contains(&self, at: Millis) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether no moment lies inside.
    pub fn is_empty(&self) -> bool {
        self.from >= self.until
    }

    /// Its length in milliseconds; 0 when it is empty.
    pub fn length_ms(&self) -> i64 {
        self.until.0.saturating_sub(self.from.0).max(0)
    }
}

/// How finely time is cut in a tier of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// Single events.
    Raw,
    /// Buckets of one minute.
    Minute,
    /// Buckets of one hour.
    Hour,
    /// Buckets of one UTC day.
    Day,
}

impl Resolution {
    /// The tiers that hold buckets, finest first.
    pub const BUCKETS: [Resolution; 3] = [Resolution::Minute, Resolution::Hour, Resolution::Day];

    /// Length of a bucket in milliseconds; 1 for raw events, whose cut is the millisecond.
    pub const fn step_ms(self) -> i64 {
        match self {
            Resolution::Raw => 1,
            Resolution::Minute => Millis::MINUTE,
            Resolution::Hour => Millis::HOUR,
            Resolution::Day => Millis::DAY,
        }
    }

    /// The name people use: `raw`, `1min`, `1hour`, `1day`.
    pub const fn name(self) -> &'static str {
        match self {
            Resolution::Raw => "raw",
            Resolution::Minute => "1min",
            Resolution::Hour => "1hour",
            Resolution::Day => "1day",
        }
    }

    /// The next finer tier; raw has none.
    pub const fn finer(self) -> Option<Resolution> {
        match self {
            Resolution::Raw => None,
            Resolution::Minute => Some(Resolution::Raw),
            Resolution::Hour => Some(Resolution::Minute),
            Resolution::Day => Some(Resolution::Hour),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_and_ceil_agree_on_both_sides_of_the_epoch() {
        assert_eq!(Millis(61_000).floor(60_000), Millis(60_000));
        assert_eq!(Millis(61_000).ceil(60_000), Millis(120_000));
        assert_eq!(Millis(60_000).ceil(60_000), Millis(60_000));
        assert_eq!(Millis(-1).floor(60_000), Millis(-60_000));
        assert_eq!(Millis(-1).ceil(60_000), Millis(0));
    }

    #[test]
    fn the_beginning_of_time_has_a_floor() {
        assert_eq!(Millis(i64::MIN).floor(60_000), Millis(i64::MIN));
    }

    #[test]
    fn a_moment_is_shown_in_utc_with_milliseconds() {
        assert_eq!(
            Millis(1_769_860_800_123).to_string(),
            "2026-01-31T12:00:00.123Z"
        );
        assert_eq!(Millis(i64::MAX).to_string(), format!("@{}", i64::MAX));
    }
}
