//! When something happened, in the many ways in which that is written.
//!
//! The time of day is not known here: `now` is told with the options.

use chrono::NaiveDate;

use super::number::{Decimal, Round};
use crate::model::Millis;

/// The unit in which an input writes its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl TimeUnit {
    /// Every unit, largest first.
    pub const ALL: [TimeUnit; 4] = [
        TimeUnit::Seconds,
        TimeUnit::Millis,
        TimeUnit::Micros,
        TimeUnit::Nanos,
    ];

    /// Its short name: `s`, `ms`, `us` or `ns`.
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Seconds => "s",
            TimeUnit::Millis => "ms",
            TimeUnit::Micros => "us",
            TimeUnit::Nanos => "ns",
        }
    }

    /// The unit of that name.
    pub fn parse(name: &str) -> Option<TimeUnit> {
        TimeUnit::ALL.into_iter().find(|unit| unit.name() == name)
    }

    /// The decimal places by which it is turned into milliseconds.
    fn places(self) -> i32 {
        match self {
            TimeUnit::Seconds => 3,
            TimeUnit::Millis => 0,
            TimeUnit::Micros => -3,
            TimeUnit::Nanos => -6,
        }
    }

    /// The unit that puts a number of it, counted since 1970, into our lifetime.
    fn of_size(number: Decimal) -> TimeUnit {
        let size = number
            .scaled(0, Round::Floor)
            .map_or(u64::MAX, i64::unsigned_abs);
        match size {
            0..100_000_000_000 => TimeUnit::Seconds,
            100_000_000_000..100_000_000_000_000 => TimeUnit::Millis,
            100_000_000_000_000..100_000_000_000_000_000 => TimeUnit::Micros,
            100_000_000_000_000_000.. => TimeUnit::Nanos,
        }
    }
}

/// The moment from which numbers count when nothing else is said.
pub(super) const EPOCH: Millis = Millis(0);

/// Reads a number of seconds, milliseconds, microseconds or nanoseconds (told by
/// its size unless `unit` says it) since `base`, RFC 3339, or `2023-11-16 18:15:46.6805900`;
/// a time without offset is UTC. What lies below a millisecond is cut off.
pub(super) fn read(text: &str, unit: Option<TimeUnit>, base: Millis) -> Option<Millis> {
    match Decimal::parse(text) {
        Some(number) => {
            let unit = unit.unwrap_or_else(|| TimeUnit::of_size(number));
            number
                .scaled(unit.places(), Round::Floor)
                .map(|ms| base.plus(ms))
        }
        None => read_date(text),
    }
}

fn read_date(text: &str) -> Option<Millis> {
    let (date, rest) = text.split_at_checked(10)?;
    let (day, rest) = (read_day(date)?, rest.strip_prefix(['T', 't', ' '])?);
    let (time, rest) = rest.split_at_checked(8)?;
    let second = read_second(time)?;
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (read_fraction(&rest[..digits])?, &rest[digits..])
        }
        None => (0, rest),
    };
    let local = day * Millis::DAY + second * Millis::SECOND + fraction;
    Some(Millis(local - read_offset(offset)? * Millis::MINUTE))
}

/// Days since 1970 of `2023-11-16`.
fn read_day(date: &str) -> Option<i64> {
    let day = match date.as_bytes() {
        [y @ .., b'-', m1, m2, b'-', d1, d2] => NaiveDate::from_ymd_opt(
            i32::try_from(digits(y)?).ok()?,
            digits(&[*m1, *m2])?,
            digits(&[*d1, *d2])?,
        )?,
        _ => return None,
    };
    Some(day.signed_duration_since(NaiveDate::default()).num_days())
}

/// Seconds since midnight of `18:15:46`; a leap second is the first of the next minute.
fn read_second(time: &str) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = time.as_bytes() else {
        return None;
    };
    let (h, m, s) = (
        digits(&[*h1, *h2])?,
        digits(&[*m1, *m2])?,
        digits(&[*s1, *s2])?,
    );
    let is_time = h < 24 && m < 60 && (s < 60 || (s == 60 && m == 59));
    is_time.then(|| i64::from(h * 3_600 + m * 60 + s))
}

/// Milliseconds of 1 to 9 digits behind the point.
fn read_fraction(fraction: &str) -> Option<i64> {
    let mut milli = [b'0'; 3];
    let kept = fraction.len().min(3);
    milli[..kept].copy_from_slice(&fraction.as_bytes()[..kept]);
    (1..=9)
        .contains(&fraction.len())
        .then(|| digits(&milli).map(i64::from))?
}

/// Minutes east of UTC of `Z`, `+02:00` or nothing.
fn read_offset(offset: &str) -> Option<i64> {
    match offset.as_bytes() {
        [] | [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (h, m) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            let minutes = i64::from(h * 60 + m);
            let east = if *sign == b'-' { -minutes } else { minutes };
            (h < 24 && m < 60).then_some(east)
        }
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number: u32, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn absolute(text: &str) -> Option<Millis> {
        read(text, None, EPOCH)
    }

    #[test]
    fn a_number_of_a_told_unit_counts_from_the_base() {
        let base = Millis(1_767_225_600_000);
        let seconds = Some(TimeUnit::Seconds);
        assert_eq!(read("27.4829", seconds, base), Some(base.plus(27_482)));
        assert_eq!(read("-1", seconds, base), Some(base.plus(-1_000)));
        assert_eq!(read("2026-01-01T00:00:00Z", seconds, base), Some(base));
    }

    #[test]
    fn a_number_tells_its_unit_by_its_size() {
        for text in [
            "1763164800.389",
            "1763164800389",
            "1763164800389.9",
            "1763164800389123",
            "1763164800389123456",
            "1.763164800389e9",
        ] {
            assert_eq!(absolute(text), Some(Millis(1_763_164_800_389)), "{text}");
        }
        assert_eq!(absolute("1e999"), None);
    }

    #[test]
    fn a_date_is_read_with_and_without_offset() {
        for (text, shown) in [
            ("2023-11-16 18:15:46.6805900", "2023-11-16T18:15:46.680Z"),
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z"),
            ("2026-03-01t12:00:00.5z", "2026-03-01T12:00:00.500Z"),
            ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00.000Z"),
            (
                "2026-03-01T00:00:00.999999999-05:30",
                "2026-03-01T05:30:00.999Z",
            ),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(absolute(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-03-01",
            "2026-02-29T12:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T12:00Z",
            "2026-03-01T12:00:00.Z",
            "2026-03-01T12:00:00.0123456789Z",
            "2026-03-01T12:00:00 UTC",
            "2026-03-01T12:00:00+0200",
            "é026-03-01T12:00:00Z",
        ] {
            assert_eq!(absolute(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_in_rfc_3339_reads_as_chrono_reads_it(ms in 0i64..4_102_444_800_000, minutes in -1_439i32..1_440) {
            let zone = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
            let text = DateTime::from_timestamp_millis(ms).unwrap().with_timezone(&zone).to_rfc3339();
            prop_assert_eq!(absolute(&text), Some(Millis(ms)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9TZz:+. é-]{0,30}") {
            let _ = absolute(&text);
        }
    }
}
