//! Numbers, money, durations and moments as people read them: `1.9 s`, `18.1 M`,
//! `$0.0045`, `97.8 %`, `3 min ago`.
//!
//! For tables, charts and messages only; data formats never come through here.
//! Everything written here is ASCII.

use chrono_tz::Tz;

use super::quantity::{self, grouped, significant};
use crate::model::{Millis, Unit, Usd};

/// What is shown where there is nothing to say.
pub const NOTHING: &str = "-";

/// A number in its unit; `-` when it is not finite. Moments are shown in UTC.
pub fn number(value: f64, unit: Unit) -> String {
    quantity::of(value, Some(unit)).map_or_else(|| NOTHING.into(), |q| q.whole())
}

/// A number of things: `1,204`.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A size in powers of 1024: `64 MiB`.
pub fn bytes(value: u64) -> String {
    quantity::bytes(value).whole()
}

/// Money: cents from a dollar up, three significant decimals below it, as in
/// `$1,234.56`, `$0.45`, `$0.0045`.
pub fn usd(amount: Usd) -> String {
    quantity::money(amount).whole()
}

/// A length of time in its two largest units: `850 ms`, `1.9 s`, `3 min`, `2 d 4 h`.
pub fn duration_ms(ms: i64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    if ms < 1_000 {
        return format!("{sign}{ms} ms");
    }
    if ms < 60_000 {
        return format!("{sign}{} s", significant(ms as f64 / 1_000.0));
    }
    let mut seconds = ms / 1_000;
    let mut parts = Vec::with_capacity(UNITS.len());
    for (length, name) in UNITS {
        parts.push((seconds / length, name));
        seconds %= length;
    }
    let shown: Vec<String> = parts
        .into_iter()
        .skip_while(|&(n, _)| n == 0)
        .take(2)
        .filter(|&(n, _)| n > 0)
        .map(|(n, name)| format!("{n} {name}"))
        .collect();
    format!("{sign}{}", shown.join(" "))
}

/// How long ago a moment was, in one unit: `3 min ago`, `in 2 h`, `now`.
pub fn ago(at: Millis, now: Millis) -> String {
    let ms = now.0.saturating_sub(at.0);
    let length = match ms.unsigned_abs() / 1_000 {
        0 => return "now".into(),
        s @ ..60 => format!("{s} s"),
        s @ ..3_600 => format!("{} min", s / 60),
        s @ ..86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    };
    if ms > 0 {
        format!("{length} ago")
    } else {
        format!("in {length}")
    }
}

/// A moment in a zone, to the minute: `2026-01-31 12:00`.
pub fn moment(at: Millis, zone: Tz) -> String {
    quantity::moment(at, zone, false).digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: Millis = Millis(1_769_860_800_000);

    #[test]
    fn latency_reads_in_ms_then_seconds_then_minutes() {
        for (ms, shown) in [
            (0.0, "0 ms"),
            (0.85, "0.85 ms"),
            (12.345, "12.3 ms"),
            (850.0, "850 ms"),
            (999.6, "1 s"),
            (1_900.0, "1.9 s"),
            (1_934.0, "1.93 s"),
            (75_000.0, "75 s"),
            (750_000.0, "12 min 30 s"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(number(ms, Unit::Milliseconds), shown, "{ms}");
        }
    }

    #[test]
    fn counts_have_commas_and_tokens_are_scaled() {
        assert_eq!(count(1_204), "1,204");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(number(-123.0, Unit::Count), "-123");
        assert_eq!(number(-123_456.0, Unit::Count), "-123,456");
        assert_eq!(number(12.5, Unit::Count), "12.5");
        assert_eq!(number(9_204.0, Unit::Tokens), "9,204");
        assert_eq!(number(245_896.0, Unit::Tokens), "246 k");
        assert_eq!(number(999_950.0, Unit::Tokens), "1 M");
        assert_eq!(number(18_059_974.0, Unit::Tokens), "18.1 M");
        assert_eq!(number(1.25e9, Unit::Tokens), "1.25 B");
        assert_eq!(number(0.25, Unit::PerSecond), "0.25/s");
        assert_eq!(number(12_000.0, Unit::PerSecond), "12 k/s");
    }

    #[test]
    fn money_keeps_cents_and_small_amounts_their_first_digits() {
        for (nano, shown) in [
            (0, "$0.00"),
            (1, "$0.000000001"),
            (4_500_000, "$0.0045"),
            (450_000_000, "$0.45"),
            (123_456_789, "$0.123"),
            (999_999_999, "$1.00"),
            (12_340_000_000, "$12.34"),
            (12_345_000_000, "$12.34"),
            (12_355_000_000, "$12.36"),
            (-1_234_560_000_000, "-$1,234.56"),
        ] {
            assert_eq!(usd(Usd(nano)), shown);
        }
        assert_eq!(number(0.0045, Unit::Usd), "$0.0045");
    }

    #[test]
    fn almost_all_is_not_all() {
        for (fraction, shown) in [
            (0.978, "97.8 %"),
            (1.0, "100 %"),
            (0.0, "0 %"),
            (0.9996, "99.96 %"),
            (0.00001, "0.001 %"),
            (1e-12, "0 %"),
            (12.5, "1,250 %"),
        ] {
            assert_eq!(number(fraction, Unit::Ratio), shown, "{fraction}");
        }
    }

    #[test]
    fn a_duration_has_at_most_two_units() {
        for (ms, shown) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1_900, "1.9 s"),
            (180_000, "3 min"),
            (200_000, "3 min 20 s"),
            (3_605_000, "1 h"),
            (187_200_000, "2 d 4 h"),
            (-180_000, "-3 min"),
        ] {
            assert_eq!(duration_ms(ms), shown);
        }
    }

    #[test]
    fn ago_names_one_unit_and_knows_the_future() {
        assert_eq!(ago(NOON, NOON.plus(200_000)), "3 min ago");
        assert_eq!(ago(NOON, NOON.plus(3 * Millis::DAY)), "3 d ago");
        assert_eq!(ago(NOON, NOON.plus(-2 * Millis::HOUR)), "in 2 h");
        assert_eq!(ago(NOON, NOON.plus(999)), "now");
    }

    #[test]
    fn sizes_are_in_powers_of_1024() {
        assert_eq!(bytes(67), "67 B");
        assert_eq!(bytes(1_023), "1,023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(64 << 20), "64 MiB");
    }

    #[test]
    fn a_moment_is_shown_in_its_zone_and_names_it() {
        assert_eq!(moment(NOON, Tz::UTC), "2026-01-31 12:00");
        let berlin = quantity::moment(NOON, Tz::Europe__Berlin, false);
        assert_eq!(berlin.whole(), "2026-01-31 13:00 CET");
        assert_eq!(number(NOON.0 as f64, Unit::Time), "2026-01-31 12:00 UTC");
    }

    proptest! {
        #[test]
        fn any_number_can_be_shown(value in any::<f64>(), whole in any::<i128>(), ms in any::<i64>()) {
            for unit in [Unit::Count, Unit::Tokens, Unit::Milliseconds, Unit::Ratio, Unit::Usd, Unit::PerSecond, Unit::Time] {
                prop_assert!(!number(value, unit).is_empty());
                prop_assert!(!quantity::whole(whole, Some(unit)).whole().is_empty());
            }
            prop_assert!(!duration_ms(ms).is_empty());
            prop_assert!(!ago(Millis(ms), Millis(0)).is_empty());
            prop_assert!(!usd(Usd(whole)).is_empty());
        }
    }
}
