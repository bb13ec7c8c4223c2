//! Time zones: where on the line of moments the days of a place begin and end.
//!
//! The rules are those of the time zone database that is compiled in. Which
//! zone the machine is in is not known here.

use std::fmt::{self, Write};
use std::ops::RangeInclusive;

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};

use super::{Millis, nearest};

/// A zone of the time zone database, such as `Europe/Berlin`.
///
/// It answers for the years 1 to 9999; anything beyond counts as their edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// There is no zone of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {name:?}")]
pub struct ZoneError {
    /// The name that was given, cut to a length worth showing.
    pub name: String,
    /// The zone that was probably meant.
    pub nearest: Option<&'static str>,
}

impl ZoneError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self.nearest {
            Some(zone) => format!("did you mean {zone}?"),
            None => "use a name such as UTC, Europe/Berlin or America/New_York".to_string(),
        }
    }
}

/// How often the clocks of a zone show a local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// As on nearly every day.
    Once,
    /// The clocks were put back over it.
    Twice,
    /// The clocks were put forward over it.
    Never,
}

/// Year 1 begins.
const FIRST: Millis = Millis(-62_135_596_800_000);
/// Year 9999 ends.
const LAST: Millis = Millis(253_402_300_799_999);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The moments a zone answers for: the years 1 to 9999.
    pub const YEARS: RangeInclusive<Millis> = FIRST..=LAST;

    /// The zone of that name; letter case does not count.
    ///
    /// # Errors
    /// When the time zone database has no such name.
    pub fn parse(name: &str) -> Result<Zone, ZoneError> {
        let known = TZ_VARIANTS
            .iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(name));
        known.map(|zone| Zone(*zone)).ok_or_else(|| ZoneError {
            name: name.chars().take(40).collect(),
            nearest: nearest_zone(name),
        })
    }

    /// Its name in the time zone database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// When a local time occurs, and how often.
    ///
    /// A repeated one means its first occurrence; for a skipped one it is the
    /// moment at which the clocks were put forward, the first that was valid again.
    pub fn resolve(self, local: NaiveDateTime) -> (Millis, Occurs) {
        let local = local.clamp(naive(FIRST), naive(LAST));
        match self.0.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => (millis(&at), Occurs::Once),
            MappedLocalTime::Ambiguous(one, other) => (millis(&one.min(other)), Occurs::Twice),
            MappedLocalTime::None => {
                let put_forward = GapInfo::new(&local, &self.0).and_then(|gap| gap.end);
                let at = put_forward.map_or_else(|| millis(&local.and_utc()), |at| millis(&at));
                (at, Occurs::Never)
            }
        }
    }

    /// When a local date begins: at midnight or, where that is skipped, at the
    /// first moment after. A date that the place never had begins where the
    /// next one does.
    pub fn local_midnight(self, date: NaiveDate) -> Millis {
        self.resolve(date.and_time(NaiveTime::MIN)).0
    }

    /// The local date: the last one that has begun, so that
    /// `local_midnight(date) <= at < local_midnight(date + 1)`.
    ///
    /// It is the date on the calendar but for a clock that was put back over
    /// midnight: there the new date goes on.
    pub fn date_of(self, at: Millis) -> NaiveDate {
        let date = self.local(at).date_naive();
        match date.succ_opt() {
            Some(next) if self.local_midnight(next) <= at && at <= LAST => next,
            Some(_) | None => date,
        }
    }

    /// The hour that the zone's clocks show, from 0 to 23.
    pub fn hour_of(self, at: Millis) -> u8 {
        self.local(at).hour() as u8
    }

    /// A moment as the zone's clocks show it, in the pattern language of
    /// [`chrono::format::strftime`]; as [`Millis`] shows itself when the
    /// pattern is wrong or the year is not within 1 to 9999.
    pub fn format(self, at: Millis, pattern: &str) -> String {
        let mut text = String::new();
        match write!(text, "{}", self.local(at).format(pattern)) {
            Ok(()) if Zone::YEARS.contains(&at) => text,
            Ok(()) | Err(fmt::Error) => at.to_string(),
        }
    }

    fn local(self, at: Millis) -> DateTime<Tz> {
        utc(at).with_timezone(&self.0)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn utc(at: Millis) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_millis(at.clamp(FIRST, LAST).0).unwrap_or_default()
}

fn naive(at: Millis) -> NaiveDateTime {
    utc(at).naive_utc()
}

fn millis<Z: TimeZone>(at: &DateTime<Z>) -> Millis {
    Millis(at.timestamp_millis())
}

/// `Europe/Berln`, but also `Kathmandu` or `new york` alone.
fn nearest_zone(name: &str) -> Option<&'static str> {
    let name = name.replace(' ', "_");
    let city = |zone: &'static str| zone.rsplit('/').next().unwrap_or(zone);
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    if name.contains('/') {
        return nearest(&name, names());
    }
    let likeliest = nearest(&name, names().map(city))?;
    names().find(|zone| city(zone) == likeliest)
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Millis {
        Millis(
            text.parse::<DateTime<chrono::Utc>>()
                .unwrap()
                .timestamp_millis(),
        )
    }

    fn midnight(name: &str, day: &str) -> String {
        zone(name).local_midnight(date(day)).to_string()
    }

    fn hours(name: &str, day: &str) -> i64 {
        let next = date(day) + Days::new(1);
        let ms = zone(name).local_midnight(next).0 - zone(name).local_midnight(date(day)).0;
        ms / Millis::HOUR
    }

    #[test]
    fn a_zone_is_found_by_its_name_and_suggested_by_less() {
        assert_eq!(zone("europe/berlin").name(), "Europe/Berlin");
        assert_eq!(
            zone("utc").local_midnight(date("1970-01-02")),
            Millis(Millis::DAY)
        );
        for (wrong, meant) in [
            ("Europe/Berln", Some("Europe/Berlin")),
            ("Kathmandu", Some("Asia/Kathmandu")),
            ("new york", Some("America/New_York")),
            ("Mordor/Barad-dur", None),
        ] {
            assert_eq!(Zone::parse(wrong).unwrap_err().nearest, meant, "{wrong}");
        }
    }

    #[test]
    fn a_day_begins_at_local_midnight() {
        assert_eq!(
            midnight("Asia/Kathmandu", "2026-01-31"),
            "2026-01-30T18:15:00.000Z"
        );
        assert_eq!(
            midnight("America/New_York", "2026-07-01"),
            "2026-07-01T04:00:00.000Z"
        );
    }

    #[test]
    fn days_of_a_clock_change_have_23_or_25_hours() {
        assert_eq!(hours("Europe/Berlin", "2026-03-29"), 23);
        assert_eq!(hours("Europe/Berlin", "2026-10-25"), 25);
        assert_eq!(hours("America/New_York", "2026-03-08"), 23);
        assert_eq!(hours("America/New_York", "2026-11-01"), 25);
        assert_eq!(hours("Asia/Kathmandu", "2026-03-29"), 24);
    }

    #[test]
    fn where_midnight_is_skipped_the_day_begins_at_one() {
        assert_eq!(
            midnight("America/Sao_Paulo", "2018-11-04"),
            "2018-11-04T03:00:00.000Z"
        );
        assert_eq!(
            midnight("Asia/Beirut", "2018-03-25"),
            "2018-03-24T22:00:00.000Z"
        );
        assert_eq!(hours("America/Sao_Paulo", "2018-11-04"), 23);
        assert_eq!(hours("America/Sao_Paulo", "2018-11-03"), 24);
    }

    #[test]
    fn where_midnight_comes_twice_the_day_begins_at_the_first() {
        assert_eq!(
            midnight("America/Havana", "2018-11-04"),
            "2018-11-04T04:00:00.000Z"
        );
        assert_eq!(hours("America/Havana", "2018-11-04"), 25);
    }

    #[test]
    fn the_day_that_apia_skipped_has_no_length() {
        assert_eq!(
            midnight("Pacific/Apia", "2011-12-30"),
            "2011-12-30T10:00:00.000Z"
        );
        assert_eq!(
            midnight("Pacific/Apia", "2011-12-31"),
            "2011-12-30T10:00:00.000Z"
        );
        let before = at("2011-12-30T09:59:59.999Z");
        assert_eq!(zone("Pacific/Apia").date_of(before), date("2011-12-29"));
        assert_eq!(
            zone("Pacific/Apia").date_of(before.plus(1)),
            date("2011-12-31")
        );
    }

    #[test]
    fn a_day_that_began_goes_on_when_the_clock_goes_back_over_midnight() {
        // At 00:01 of 7 November 2010 the clocks of St. John's went back to 23:01.
        let st_johns = zone("America/St_Johns");
        let begin = st_johns.local_midnight(date("2010-11-07"));
        assert_eq!(begin, at("2010-11-07T02:30:00Z"));
        assert_eq!(
            st_johns.format(begin.plus(Millis::MINUTE), "%F %R"),
            "2010-11-06 23:01"
        );
        assert_eq!(
            st_johns.date_of(begin.plus(Millis::MINUTE)),
            date("2010-11-07")
        );
        assert_eq!(st_johns.date_of(begin.plus(-1)), date("2010-11-06"));
    }

    #[test]
    fn a_skipped_or_repeated_time_is_told() {
        let berlin = |text: &str| zone("Europe/Berlin").resolve(text.parse().unwrap());
        let spring = at("2026-03-29T01:00:00Z");
        assert_eq!(berlin("2026-03-29T02:30:00"), (spring, Occurs::Never));
        assert_eq!(berlin("2026-03-29T03:00:00"), (spring, Occurs::Once));
        let autumn = at("2026-10-25T00:30:00Z");
        assert_eq!(berlin("2026-10-25T02:30:00"), (autumn, Occurs::Twice));
    }

    #[test]
    fn a_moment_is_shown_on_the_local_clock() {
        let kathmandu = zone("Asia/Kathmandu");
        let noon = at("2026-01-31T12:00:00Z");
        assert_eq!(
            kathmandu.format(noon, "%Y-%m-%d %H:%M %:z"),
            "2026-01-31 17:45 +05:45"
        );
        assert_eq!(kathmandu.format(noon, "%"), "2026-01-31T12:00:00.000Z");
        let never = Millis(i64::MAX);
        assert_eq!(kathmandu.format(never, "%Y"), never.to_string());
    }

    proptest! {
        #[test]
        fn the_days_of_a_zone_leave_no_moment_out(
            tz in select(TZ_VARIANTS.to_vec()),
            at in -5_000_000_000_000_i64..5_000_000_000_000,
        ) {
            let (zone, at) = (Zone(tz), Millis(at));
            let date = zone.date_of(at);
            prop_assert!(zone.local_midnight(date) <= at);
            prop_assert!(at < zone.local_midnight(date + Days::new(1)));
        }

        #[test]
        fn no_moment_or_date_makes_it_panic(
            tz in select(TZ_VARIANTS.to_vec()),
            at in any::<i64>(),
            day in any::<i32>(),
            pattern in "\\PC{0,5}|%[A-Za-z:3#]{0,3}",
        ) {
            let (zone, at) = (Zone(tz), Millis(at));
            zone.date_of(at);
            zone.format(at, &pattern);
            for date in [NaiveDate::MIN, NaiveDate::MAX] {
                zone.local_midnight(date);
            }
            if let Some(date) = NaiveDate::from_num_days_from_ce_opt(day) {
                zone.local_midnight(date);
            }
        }
    }
}
