//! Sensible moments of a time zone: whole seconds, hours, days, Mondays, months.
//!
//! It knows where clocks are set forward and back, and nothing of labels or room.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::model::{Millis, Span};

/// Clock readings that are looked at. More than fit on any row come up only when
/// the clock is set within a window of milliseconds.
const READINGS_MOST: i64 = 10_000;

/// A distance between ticks, on the clock or in the calendar.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Milliseconds of the local clock; divides the day.
    Clock(i64),
    /// Days, counted from a Monday.
    Days(i32),
    /// Months, counted from January of year 0.
    Months(i32),
}

/// All steps, finest first.
pub(super) const STEPS: [Step; 48] = {
    use Step::{Clock, Days, Months};
    const S: i64 = Millis::SECOND;
    const MIN: i64 = Millis::MINUTE;
    const H: i64 = Millis::HOUR;
    [
        Clock(1),
        Clock(2),
        Clock(5),
        Clock(10),
        Clock(20),
        Clock(50),
        Clock(100),
        Clock(200),
        Clock(500),
        Clock(S),
        Clock(2 * S),
        Clock(5 * S),
        Clock(10 * S),
        Clock(15 * S),
        Clock(30 * S),
        Clock(MIN),
        Clock(2 * MIN),
        Clock(5 * MIN),
        Clock(10 * MIN),
        Clock(15 * MIN),
        Clock(30 * MIN),
        Clock(H),
        Clock(2 * H),
        Clock(3 * H),
        Clock(4 * H),
        Clock(6 * H),
        Clock(12 * H),
        Days(1),
        Days(2),
        Days(7),
        Days(14),
        Months(1),
        Months(2),
        Months(3),
        Months(6),
        Months(12),
        Months(24),
        Months(60),
        Months(120),
        Months(240),
        Months(600),
        Months(1_200),
        Months(2_400),
        Months(6_000),
        Months(12_000),
        Months(24_000),
        Months(60_000),
        Months(120_000),
    ]
};

impl Step {
    /// Its length; of months, the shortest that is usual.
    pub(super) fn about_ms(self) -> i64 {
        match self {
            Step::Clock(ms) => ms,
            Step::Days(days) => i64::from(days) * Millis::DAY,
            Step::Months(months) => i64::from(months) * 30 * Millis::DAY,
        }
    }

    /// The formats that may name a moment of this step, shortest first.
    pub(super) fn formats(self) -> &'static [&'static str] {
        match self {
            Step::Clock(ms) if ms < Millis::SECOND => &["%H:%M:%S%.3f"],
            Step::Clock(ms) if ms < Millis::MINUTE => &["%H:%M:%S"],
            Step::Clock(_) => &["%H:%M", "%b %-d %H:%M"],
            Step::Days(_) => &["%b %-d", "%Y-%m-%d"],
            Step::Months(months) if months < 12 => &["%b %Y"],
            Step::Months(_) => &["%Y"],
        }
    }
}

/// Every moment of the step from the span's first to its end, the end included.
/// `None` when the span lies outside the calendar.
pub(super) fn moments(step: Step, span: Span, zone: Tz) -> Option<Vec<DateTime<Tz>>> {
    let from = zone.timestamp_millis_opt(span.from.0).single()?;
    let until = zone.timestamp_millis_opt(span.until.0).single()?;
    // Clocks may be set on the way: read them from the earlier to the later offset.
    let offsets = [from, until].map(|at| at.naive_local() - at.naive_utc());
    let first = from
        .naive_utc()
        .checked_add_signed(offsets[0].min(offsets[1]))?;
    let last = until
        .naive_utc()
        .checked_add_signed(offsets[0].max(offsets[1]))?;
    let mut moments: Vec<DateTime<Tz>> = match step {
        Step::Clock(ms) => clock_readings(first, last, ms)?,
        Step::Days(days) => midnights(first.date(), last.date(), days)?,
        Step::Months(months) => month_beginnings(first.date(), last.date(), months),
    }
    .into_iter()
    .flat_map(|local| instants(local, zone))
    .filter(|at| from <= *at && *at <= until)
    .collect();
    moments.sort();
    moments.dedup();
    Some(moments)
}

fn clock_readings(
    first: NaiveDateTime,
    last: NaiveDateTime,
    ms: i64,
) -> Option<Vec<NaiveDateTime>> {
    if (last - first).num_milliseconds() / ms > READINGS_MOST {
        return None;
    }
    let step = Duration::milliseconds(ms);
    let into = (first - first.date().and_time(NaiveTime::MIN)).num_milliseconds() % ms;
    let mut at = first.checked_sub_signed(Duration::milliseconds(into))?;
    let mut readings = Vec::new();
    while at <= last {
        readings.push(at);
        at = at.checked_add_signed(step)?;
    }
    Some(readings)
}

fn midnights(first: NaiveDate, last: NaiveDate, days: i32) -> Option<Vec<NaiveDateTime>> {
    // Day 1 of the common era was a Monday.
    let into = (first.num_days_from_ce() - 1).rem_euclid(days);
    let mut day = first.checked_sub_days(Days::new(into as u64))?;
    let mut midnights = Vec::new();
    while day <= last {
        midnights.push(day.and_time(NaiveTime::MIN));
        day = day.checked_add_days(Days::new(days as u64))?;
    }
    Some(midnights)
}

fn month_beginnings(first: NaiveDate, last: NaiveDate, months: i32) -> Vec<NaiveDateTime> {
    let number = |day: NaiveDate| day.year() * 12 + day.month0() as i32;
    (number(first).div_euclid(months)..=number(last).div_euclid(months))
        .filter_map(|i| {
            let month = i * months;
            NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1)
        })
        .map(|day| day.and_time(NaiveTime::MIN))
        .collect()
}

/// When the local clock shows this: once, twice when it is set back, never when
/// it skips, save that a skipped midnight is the moment an hour later.
fn instants(local: NaiveDateTime, zone: Tz) -> Vec<DateTime<Tz>> {
    let found = zone.from_local_datetime(&local);
    let mut instants: Vec<_> = [found.earliest(), found.latest()]
        .into_iter()
        .flatten()
        .collect();
    if instants.is_empty() && local.time() == NaiveTime::MIN {
        let later = local.checked_add_signed(Duration::hours(1));
        instants.extend(later.and_then(|later| zone.from_local_datetime(&later).earliest()));
    }
    instants
}
