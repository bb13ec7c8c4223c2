//! The words for spans of the calendar: `today`, `last-month`.
//!
//! A span is one of whole days of the zone; `now` alone is a moment.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::{Frame, Side};
use crate::model::{Millis, nearest};

/// A word for a span of time.
#[derive(Clone, Copy)]
pub(super) enum Word {
    Now,
    Today,
    Yesterday,
    ThisWeek,
    LastWeek,
    ThisMonth,
    LastMonth,
    ThisYear,
    LastYear,
}

impl Word {
    /// Every word, in the order of their spans' lengths.
    const ALL: [Word; 9] = [
        Word::Now,
        Word::Today,
        Word::Yesterday,
        Word::ThisWeek,
        Word::LastWeek,
        Word::ThisMonth,
        Word::LastMonth,
        Word::ThisYear,
        Word::LastYear,
    ];

    /// How it is written.
    const fn name(self) -> &'static str {
        match self {
            Word::Now => "now",
            Word::Today => "today",
            Word::Yesterday => "yesterday",
            Word::ThisWeek => "this-week",
            Word::LastWeek => "last-week",
            Word::ThisMonth => "this-month",
            Word::LastMonth => "last-month",
            Word::ThisYear => "this-year",
            Word::LastYear => "last-year",
        }
    }

    /// The word written like that, letter case aside; else why there is none.
    pub(super) fn parse(text: &str) -> Result<Word, String> {
        let known = Word::ALL
            .into_iter()
            .find(|word| word.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| match nearest(text, Word::ALL.map(Word::name)) {
            Some(name) => format!("did you mean {name:?}?"),
            None => "no such word is known".to_string(),
        })
    }

    /// Where the span begins or, for the end of a window, where it ends.
    pub(super) fn edge(self, side: Side, frame: &Frame) -> Millis {
        let Some((first, after)) = self.dates(frame) else {
            return frame.now;
        };
        frame.zone.local_midnight(match side {
            Side::Since => first,
            Side::Until => after,
        })
    }

    /// Its first date and the first after it; `now` has no length.
    fn dates(self, frame: &Frame) -> Option<(NaiveDate, NaiveDate)> {
        let today = frame.zone.date_of(frame.now);
        let into_week = u64::from(today.weekday().days_since(frame.week_start));
        let week = today.checked_sub_days(Days::new(into_week))?;
        let month = today.with_day(1)?;
        let year = month.with_month(1)?;
        let (day_long, week_long) = (Days::new(1), Days::new(7));
        let (month_long, year_long) = (Months::new(1), Months::new(12));
        let (first, after) = match self {
            Word::Now => return None,
            Word::Today => (Some(today), today.checked_add_days(day_long)),
            Word::Yesterday => (today.checked_sub_days(day_long), Some(today)),
            Word::ThisWeek => (Some(week), week.checked_add_days(week_long)),
            Word::LastWeek => (week.checked_sub_days(week_long), Some(week)),
            Word::ThisMonth => (Some(month), month.checked_add_months(month_long)),
            Word::LastMonth => (month.checked_sub_months(month_long), Some(month)),
            Word::ThisYear => (Some(year), year.checked_add_months(year_long)),
            Word::LastYear => (year.checked_sub_months(year_long), Some(year)),
        };
        first.zip(after)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::model::Zone;

    /// Saturday, 31 January 2026, 12:00 UTC.
    const NOW: Millis = Millis(1_769_860_800_000);

    fn frame(zone: &str) -> Frame {
        Frame {
            now: NOW,
            zone: Zone::parse(zone).unwrap(),
            week_start: Weekday::Mon,
        }
    }

    fn span(word: &str, frame: &Frame) -> (String, String) {
        let edge = |side| Word::parse(word).unwrap().edge(side, frame).to_string();
        (edge(Side::Since), edge(Side::Until))
    }

    #[test]
    fn a_word_is_a_span_with_two_ends() {
        let utc = frame("UTC");
        for (word, from, until) in [
            ("now", "2026-01-31T12", "2026-01-31T12"),
            ("today", "2026-01-31T00", "2026-02-01T00"),
            ("Yesterday", "2026-01-30T00", "2026-01-31T00"),
            ("this-week", "2026-01-26T00", "2026-02-02T00"),
            ("last-week", "2026-01-19T00", "2026-01-26T00"),
            ("this-month", "2026-01-01T00", "2026-02-01T00"),
            ("last-month", "2025-12-01T00", "2026-01-01T00"),
            ("this-year", "2026-01-01T00", "2027-01-01T00"),
            ("last-year", "2025-01-01T00", "2026-01-01T00"),
        ] {
            let expected = (format!("{from}:00:00.000Z"), format!("{until}:00:00.000Z"));
            assert_eq!(span(word, &utc), expected, "{word}");
        }
    }

    #[test]
    fn a_week_begins_on_the_day_that_was_configured() {
        let sunday = Frame {
            week_start: Weekday::Sun,
            ..frame("UTC")
        };
        assert_eq!(span("this-week", &sunday).0, "2026-01-25T00:00:00.000Z");
        let saturday = Frame {
            week_start: Weekday::Sat,
            ..frame("UTC")
        };
        assert_eq!(span("this-week", &saturday).0, "2026-01-31T00:00:00.000Z");
    }

    #[test]
    fn today_is_the_day_of_the_zone() {
        let apia = span("today", &frame("Pacific/Apia"));
        assert_eq!(apia.0, "2026-01-31T11:00:00.000Z");
        let new_york = span("today", &frame("America/New_York"));
        assert_eq!(new_york.0, "2026-01-31T05:00:00.000Z");
    }

    #[test]
    fn today_has_23_or_25_hours_when_the_clock_changes() {
        for (noon, begin, end) in [
            (
                1_774_780_200_000,
                "2026-03-28T23:00:00.000Z",
                "2026-03-29T22:00:00.000Z",
            ),
            (
                1_792_924_200_000,
                "2026-10-24T22:00:00.000Z",
                "2026-10-25T23:00:00.000Z",
            ),
        ] {
            let berlin = Frame {
                now: Millis(noon),
                ..frame("Europe/Berlin")
            };
            assert_eq!(span("today", &berlin), (begin.to_string(), end.to_string()));
        }
    }

    proptest! {
        #[test]
        fn every_word_has_an_end_after_its_beginning(
            index in 1..Word::ALL.len(),
            now in -2_000_000_000_000_i64..4_000_000_000_000,
            zone in select(vec!["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
        ) {
            let frame = Frame { now: Millis(now), ..frame(zone) };
            let word = Word::ALL[index];
            prop_assert!(word.edge(Side::Since, &frame) < word.edge(Side::Until, &frame));
        }
    }
}
