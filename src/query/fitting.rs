//! A step that suits a window when nobody names one.

use super::Step;
use crate::model::{Millis, Span, Zone};

/// Buckets that a chart of usual width has a place for.
const MOST: i64 = 200;

/// The steps below a day that people read a clock by, in milliseconds.
const STEPS: [i64; 5] = [
    Millis::MINUTE,
    5 * Millis::MINUTE,
    15 * Millis::MINUTE,
    Millis::HOUR,
    6 * Millis::HOUR,
];

impl Step {
    /// The finest of 1m, 5m, 15m, 1h and 6h that cuts the window into at most 200
    /// buckets and is no finer than `least_ms`; beyond them, days of the zone.
    pub fn fitting(span: Span, zone: Zone, least_ms: i64) -> Step {
        let fits = |step: &&i64| **step >= least_ms && span.length_ms() <= MOST * **step;
        let step = STEPS.iter().find(fits);
        step.map_or(Step::LocalDay(zone), |step| Step::Fixed(*step))
    }

    /// The length of a bucket in milliseconds; of a usual day, where days differ.
    pub fn length_ms(self) -> i64 {
        match self {
            Step::Fixed(ms) => ms,
            Step::LocalDay(_) => Millis::DAY,
        }
    }

    /// Whether a bucket of this step ends at this moment.
    pub fn ends_at(self, at: Millis) -> bool {
        match self {
            Step::Fixed(ms) => at.floor(ms) == at,
            Step::LocalDay(zone) => zone.local_midnight(zone.date_of(at)) == at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(hours: i64, least_ms: i64) -> Step {
        let span = Span::new(Millis(0), Millis(hours * Millis::HOUR));
        Step::fitting(span, Zone::UTC, least_ms)
    }

    #[test]
    fn an_hour_is_shown_by_minutes_and_a_year_by_days() {
        for (hours, step) in [
            (1, Step::Fixed(Millis::MINUTE)),
            (12, Step::Fixed(5 * Millis::MINUTE)),
            (24, Step::Fixed(15 * Millis::MINUTE)),
            (7 * 24, Step::Fixed(Millis::HOUR)),
            (30 * 24, Step::Fixed(6 * Millis::HOUR)),
            (365 * 24, Step::LocalDay(Zone::UTC)),
        ] {
            assert_eq!(fitting(hours, 0), step, "{hours} h");
        }
    }

    #[test]
    fn a_bucket_ends_at_a_multiple_of_its_step_or_at_local_midnight() {
        let kathmandu = Step::LocalDay(Zone::parse("Asia/Kathmandu").unwrap());
        let noon = Millis(1_769_860_800_000);
        let midnight = noon.plus(6 * Millis::HOUR + 15 * Millis::MINUTE);
        assert!(kathmandu.ends_at(midnight) && !kathmandu.ends_at(noon));
        assert!(Step::Fixed(15 * Millis::MINUTE).ends_at(midnight));
        assert!(!Step::Fixed(Millis::HOUR).ends_at(midnight));
    }

    #[test]
    fn where_only_coarse_buckets_are_kept_the_step_is_no_finer() {
        assert_eq!(fitting(1, Millis::HOUR), Step::Fixed(Millis::HOUR));
        assert_eq!(fitting(1, Millis::DAY), Step::LocalDay(Zone::UTC));
    }
}
