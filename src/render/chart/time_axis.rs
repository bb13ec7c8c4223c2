//! The x axis as moments: which are labelled, and how they are written.
//!
//! Labels stand on calendar-sensible moments of a time zone (whole hours, days,
//! Mondays, months), the finest that fit. Room is counted in columns of text.

use std::collections::HashSet;

use chrono::{DateTime, NaiveTime};
use chrono_tz::Tz;

use super::calendar::{STEPS, Step, moments};
use crate::model::{Millis, Span};

/// Labels that a time axis should have at the least.
const WANTED: usize = 3;
/// Columns between two labels, most comfortable first.
const GAPS: [usize; 3] = [6, 3, 1];

/// A labelled moment of the axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The moment.
    pub at: Millis,
    /// Its words in the zone; no two ticks of an axis share them.
    pub label: String,
}

/// A row of text whose last `columns` columns are the plot.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Columns left of the plot that a label may use.
    pub lead: usize,
    /// Columns of the plot; one or more.
    pub columns: usize,
}

impl Room {
    /// The plot column a moment stands in; the end of the span stands in the last.
    pub fn column(&self, span: Span, at: Millis) -> usize {
        place(span, at, self.columns)
            .unwrap_or(0)
            .min(self.columns - 1)
    }

    /// Where a label begins, counted from the left of the row: centred on its
    /// column, pushed inwards at the ends.
    pub fn start(&self, column: usize, label: &str) -> usize {
        let whole = self.lead + self.columns;
        (self.lead + column)
            .saturating_sub(label.len() / 2)
            .min(whole.saturating_sub(label.len()))
    }

    /// Whether all labels stand on the row with this much air between them.
    fn holds(&self, span: Span, ticks: &[Tick], gap: usize) -> bool {
        let mut free = 0;
        ticks.iter().all(|tick| {
            let start = self.start(self.column(span, tick.at), &tick.label);
            let end = start + tick.label.len();
            let fits = start >= free && end <= self.lead + self.columns;
            free = end + gap;
            fits
        })
    }
}

/// The slot a moment falls into when the span is cut into `slots` equal ones;
/// `None` when it lies before the span or the span is empty.
pub fn place(span: Span, at: Millis, slots: usize) -> Option<usize> {
    let since = i128::from(at.0) - i128::from(span.from.0);
    let length = i128::from(span.until.0) - i128::from(span.from.0);
    if length <= 0 {
        return None;
    }
    usize::try_from(since * slots as i128 / length)
        .ok()
        .filter(|_| since >= 0)
}

/// The ticks of the span: the finest step that gives three labels or more with
/// comfortable air, then with less air, then with ticks left out between; where
/// not even that fits, as many as do.
pub fn ticks(span: Span, zone: Tz, room: Room) -> Vec<Tick> {
    let full: Vec<Vec<Tick>> = STEPS
        .iter()
        .filter(|step| span.length_ms() / step.about_ms() <= room.columns as i64)
        .map(|step| labelled(*step, span, zone))
        .flat_map(|ticks| with_and_without_end(ticks, span))
        .collect();
    let thinned: Vec<Vec<Tick>> = full
        .iter()
        .flat_map(|ticks| [2, 3].map(|nth| ticks.iter().step_by(nth).cloned().collect()))
        .collect();
    let most = || {
        let fitting = full
            .iter()
            .chain(&thinned)
            .filter(|ticks| room.holds(span, ticks, 1));
        fitting.max_by_key(|ticks| ticks.len())
    };
    finest(&full, span, room)
        .or_else(|| finest(&thinned, span, room))
        .or_else(most)
        .cloned()
        .unwrap_or_default()
}

/// The first choice that has enough labels with the most comfortable gap possible.
fn finest(choices: &[Vec<Tick>], span: Span, room: Room) -> Option<&Vec<Tick>> {
    let wanted = || choices.iter().filter(|ticks| ticks.len() >= WANTED);
    GAPS.iter()
        .find_map(|gap| wanted().find(|ticks| room.holds(span, ticks, *gap)))
}

/// The end of the span is not part of it: its label is welcome, not needed.
fn with_and_without_end(ticks: Vec<Tick>, span: Span) -> [Vec<Tick>; 2] {
    let inside = ticks
        .iter()
        .filter(|tick| tick.at < span.until)
        .cloned()
        .collect();
    [ticks, inside]
}

/// The moments of a step with the shortest words that tell them apart. One that
/// repeats (noon to noon, the hour set back) is left out rather than make all longer.
fn labelled(step: Step, span: Span, zone: Tz) -> Vec<Tick> {
    let moments = moments(step, span, zone).unwrap_or_default();
    let written: Vec<Vec<Tick>> = step
        .formats()
        .iter()
        .map(|format| distinct(&moments, span, format))
        .collect();
    let clear = written
        .iter()
        .find(|ticks| ticks.len() + 1 >= moments.len());
    clear.or(written.last()).cloned().unwrap_or_default()
}

/// The moments in one format, without those whose words were used before.
fn distinct(moments: &[DateTime<Tz>], span: Span, format: &str) -> Vec<Tick> {
    let mut seen = HashSet::new();
    moments
        .iter()
        .map(|at| (at, name(at, span, format)))
        .filter(|(_, label)| seen.insert(label.clone()))
        .map(|(at, label)| Tick {
            at: Millis(at.timestamp_millis()),
            label,
        })
        .collect()
}

/// The moment in one format. On an axis of bare clock times, a midnight that is
/// passed on the way shows the day that begins.
fn name(at: &DateTime<Tz>, span: Span, format: &str) -> String {
    let midnight = at.time() == NaiveTime::MIN && at.timestamp_millis() > span.from.0;
    let format = if midnight && format == "%H:%M" {
        "%b %-d"
    } else {
        format
    };
    at.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Europe, UTC};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Millis {
        Millis(
            DateTime::parse_from_rfc3339(text)
                .unwrap()
                .timestamp_millis(),
        )
    }

    fn labels(from: &str, until: &str, zone: Tz, columns: usize) -> Vec<String> {
        let span = Span::new(at(from), at(until));
        let ticks = ticks(span, zone, Room { lead: 8, columns });
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn a_day_shows_hours_and_the_midnight_it_passes() {
        assert_eq!(
            labels("2026-01-31T12:00:00Z", "2026-02-01T12:00:00Z", UTC, 72),
            ["12:00", "16:00", "20:00", "Feb 1", "04:00", "08:00"]
        );
    }

    #[test]
    fn a_week_shows_days_of_the_zone() {
        let span = Span::new(at("2026-01-24T12:00:00Z"), at("2026-01-31T12:00:00Z"));
        let ticks = ticks(
            span,
            Europe::Berlin,
            Room {
                lead: 8,
                columns: 90,
            },
        );
        assert_eq!(ticks[0].label, "Jan 25");
        assert_eq!(ticks[0].at, at("2026-01-24T23:00:00Z"));
        assert_eq!(ticks.len(), 7);
    }

    #[test]
    fn three_labels_fit_even_into_twenty_columns() {
        assert_eq!(
            labels("2026-01-31T08:00:00Z", "2026-01-31T20:00:00Z", UTC, 20),
            ["08:00", "12:00", "16:00"]
        );
    }

    #[test]
    fn longer_spans_show_mondays_then_months_then_years() {
        assert_eq!(
            labels("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", UTC, 50),
            ["Jan 5", "Jan 12", "Jan 19", "Jan 26"]
        );
        assert_eq!(
            labels("2025-06-10T00:00:00Z", "2026-01-10T00:00:00Z", UTC, 60),
            ["Jul 2025", "Sep 2025", "Nov 2025", "Jan 2026"]
        );
        assert_eq!(
            labels("2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z", UTC, 50),
            ["2020", "2022", "2024", "2026"]
        );
    }

    #[test]
    fn an_hour_that_the_clock_repeats_is_labelled_once() {
        let night = labels(
            "2026-10-24T22:00:00Z",
            "2026-10-25T04:00:00Z",
            Europe::Berlin,
            90,
        );
        assert_eq!(
            night,
            ["00:00", "01:00", "02:00", "03:00", "04:00", "05:00"]
        );
    }

    #[test]
    fn an_hour_that_the_clock_skips_has_no_label() {
        let night = labels(
            "2026-03-28T23:00:00Z",
            "2026-03-29T04:00:00Z",
            Europe::Berlin,
            90,
        );
        assert_eq!(
            night,
            ["00:00", "01:00", "03:00", "04:00", "05:00", "06:00"]
        );
    }

    #[test]
    fn a_window_outside_the_calendar_has_no_labels() {
        let span = Span::new(Millis(i64::MIN), Millis(i64::MAX));
        assert_eq!(
            ticks(
                span,
                UTC,
                Room {
                    lead: 8,
                    columns: 80
                }
            ),
            []
        );
    }

    #[test]
    fn every_usual_window_has_three_labels_at_any_hour() {
        let (hour, day) = (Millis::HOUR, Millis::DAY);
        let windows = [
            hour / 12,
            hour / 4,
            hour,
            3 * hour,
            6 * hour,
            12 * hour,
            day,
            2 * day,
        ];
        let long = [3, 4, 7, 14, 30, 90, 365, 1_000].map(|days| days * day);
        for length in windows.into_iter().chain(long) {
            for i in 0..20 {
                let from = at("2026-01-31T12:00:00Z").plus(i * 77_777_777);
                let span = Span::new(from, from.plus(length));
                for columns in [52, 72, 150] {
                    let ticks = ticks(span, Europe::Berlin, Room { lead: 8, columns });
                    assert!(ticks.len() >= 3, "{span:?} {columns}: {ticks:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn labels_differ_and_their_moments_rise_within_the_span(
            from in -4_000_000_000_000i64..8_000_000_000_000,
            power in 0.0..12.0f64,
            columns in 1..300usize,
            zone in prop::sample::select(vec![UTC, Europe::Berlin, Tz::America__Sao_Paulo, Tz::Asia__Kathmandu]),
        ) {
            let span = Span::new(Millis(from), Millis(from + 10f64.powf(power) as i64));
            let room = Room { lead: 7, columns };
            let ticks = ticks(span, zone, room);
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
            prop_assert!(ticks.iter().all(|tick| span.from <= tick.at && tick.at <= span.until));
            prop_assert!(room.holds(span, &ticks, 1));
            let labels: HashSet<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
            prop_assert_eq!(labels.len(), ticks.len());
        }
    }
}
