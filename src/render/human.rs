//! Numbers, money, durations and moments as people read them: `1.9 s`, `18.1 M`,
//! `$0.0045`, `97.8 %`, `3 min ago`.
//!
//! For tables, charts and messages only; data formats never come through here.
//! Everything written here is ASCII.

use std::borrow::Cow;

use chrono::{TimeZone, Timelike};
use chrono_tz::{OffsetName, Tz};

use crate::model::{Millis, Unit, Usd};

/// What is shown where there is nothing to say.
pub const NOTHING: &str = "-";

/// A number in three parts, so that a table can move what all of its cells
/// share into the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// `$`, or nothing.
    pub prefix: &'static str,
    /// Sign, digits and point.
    pub digits: String,
    /// The unit or scale, with the blank before it: ` ms`, ` %`, `/s`.
    pub suffix: Cow<'static, str>,
}

impl Quantity {
    fn new(digits: String, suffix: impl Into<Cow<'static, str>>) -> Quantity {
        Quantity {
            prefix: "",
            digits,
            suffix: suffix.into(),
        }
    }

    /// Whether it is zero, in whatever unit.
    pub fn is_zero(&self) -> bool {
        self.digits.bytes().all(|b| b == b'0' || b == b'.')
    }

    /// The number in one piece, the sign before everything.
    pub fn whole(&self) -> String {
        match self.digits.strip_prefix('-') {
            Some(digits) => format!("-{}{digits}{}", self.prefix, self.suffix),
            None => format!("{}{}{}", self.prefix, self.digits, self.suffix),
        }
    }
}

/// A number in its unit; `-` when it is not finite. Moments are shown in UTC.
pub fn number(value: f64, unit: Unit) -> String {
    quantity(value, Some(unit)).map_or_else(|| NOTHING.into(), |q| q.whole())
}

/// A number of things: `1,204`.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A size in powers of 1024: `64 MiB`.
pub fn bytes(value: u64) -> String {
    byte_quantity(value).whole()
}

/// Money: cents from a dollar up, three significant decimals below it, as in
/// `$1,234.56`, `$0.45`, `$0.0045`.
pub fn usd(amount: Usd) -> String {
    money(amount).whole()
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
    moment_quantity(at, zone, false).digits
}

/// The number in its unit, in parts; `None` when it is not finite.
pub(super) fn quantity(value: f64, unit: Option<Unit>) -> Option<Quantity> {
    if !value.is_finite() {
        return None;
    }
    Some(match unit {
        None | Some(Unit::Count) => Quantity::new(significant(value), ""),
        Some(Unit::Tokens) => thousands(value, ""),
        Some(Unit::Milliseconds) => latency(value),
        Some(Unit::Ratio) => Quantity::new(percent(value), " %"),
        Some(Unit::Usd) => money(Usd((value * Usd::NANO as f64).round() as i128)),
        Some(Unit::PerSecond) => thousands(value, "/s"),
        Some(Unit::Time) => moment_quantity(Millis(value as i64), Tz::UTC, false),
    })
}

/// A whole number in its unit; exact where the unit does not scale it.
pub(super) fn whole_quantity(value: i128, unit: Option<Unit>) -> Quantity {
    let scaled = || quantity(value as f64, unit);
    match unit {
        // Without a unit it is a number like a status code, not a quantity of things.
        None => Quantity::new(value.to_string(), ""),
        Some(Unit::Count) => Quantity::new(grouped(&value.to_string()), ""),
        Some(
            Unit::Tokens
            | Unit::Milliseconds
            | Unit::Ratio
            | Unit::Usd
            | Unit::PerSecond
            | Unit::Time,
        ) => scaled().unwrap_or_else(|| Quantity::new(value.to_string(), "")),
    }
}

/// Money in parts, rounded half to even.
pub(super) fn money(amount: Usd) -> Quantity {
    const DECIMALS: u32 = 9;
    let nano = amount.0.unsigned_abs();
    let keep = if nano >= Usd::NANO as u128 || nano == 0 {
        2
    } else {
        (DECIMALS - 1 - nano.ilog10() + 3).min(DECIMALS)
    };
    let unit = 10u128.pow(DECIMALS - keep);
    let (mut kept, rest) = (nano / unit, nano % unit);
    if rest * 2 > unit || (rest * 2 == unit && kept % 2 == 1) {
        kept += 1;
    }
    let scale = 10u128.pow(keep);
    let mut decimals = format!("{:0width$}", kept % scale, width = keep as usize);
    while decimals.len() > 2 && decimals.ends_with('0') {
        decimals.pop();
    }
    let sign = if amount.0 < 0 { "-" } else { "" };
    let whole = grouped(&(kept / scale).to_string());
    Quantity {
        prefix: "$",
        digits: format!("{sign}{whole}.{decimals}"),
        suffix: "".into(),
    }
}

/// A size in parts.
pub(super) fn byte_quantity(value: u64) -> Quantity {
    let (mut scaled, mut suffix) = (value as f64, " B");
    for larger in [" KiB", " MiB", " GiB", " TiB", " PiB"] {
        // 1023.5 would be shown as 1,024.
        if scaled < 1_023.5 {
            break;
        }
        (scaled, suffix) = (scaled / 1_024.0, larger);
    }
    Quantity::new(significant(scaled), suffix)
}

/// A moment in parts: the local time, and the zone's short name.
pub(super) fn moment_quantity(at: Millis, zone: Tz, seconds: bool) -> Quantity {
    let Some(local) = zone.timestamp_millis_opt(at.0).single() else {
        return Quantity::new(at.to_string(), "");
    };
    let format = if seconds {
        "%Y-%m-%d %H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    let name = local.offset().abbreviation().unwrap_or_default();
    Quantity::new(local.format(format).to_string(), format!(" {name}"))
}

/// Whether a moment lies on a whole minute of the zone.
pub(super) fn on_the_minute(at: Millis, zone: Tz) -> bool {
    zone.timestamp_millis_opt(at.0)
        .single()
        .is_some_and(|local| local.second() == 0 && at.0.rem_euclid(Millis::SECOND) == 0)
}

/// Up to ten minutes in milliseconds or seconds; beyond, in words.
fn latency(ms: f64) -> Quantity {
    match rounded(ms.abs()) {
        ..1_000.0 => Quantity::new(significant(ms), " ms"),
        ..600_000.0 => Quantity::new(significant(ms / 1_000.0), " s"),
        _ => Quantity::new(duration_ms(ms as i64), ""),
    }
}

/// Large numbers in thousands, millions, billions and trillions; below ten
/// thousand as they are.
fn thousands(value: f64, per: &'static str) -> Quantity {
    let (size, scale) = match rounded(value.abs()) {
        ..1e4 => (1.0, ""),
        ..1e6 => (1e3, " k"),
        ..1e9 => (1e6, " M"),
        ..1e12 => (1e9, " B"),
        _ => (1e12, " T"),
    };
    Quantity::new(significant(value / size), format!("{scale}{per}"))
}

/// A fraction as per cent with one decimal, or as many as it takes to tell
/// almost all from all and almost nothing from nothing.
fn percent(fraction: f64) -> String {
    let value = fraction * 100.0;
    let extreme = |text: &str| matches!(text, "0" | "-0" | "100");
    let exact = fraction == 0.0 || fraction == 1.0;
    (1..=6)
        .map(|places| without_trailing_zeros(&format!("{value:.places$}")).to_owned())
        .find(|text| exact || !extreme(text))
        .map_or_else(|| format!("{value:.0}"), |text| grouped(&text))
}

/// Three significant digits, but never fewer than the whole part has.
fn significant(value: f64) -> String {
    // Beyond this, digits are noise.
    if value.abs() >= 1e15 {
        return format!("{value:.2e}");
    }
    let places = (2 - exponent(value)).clamp(0, 12) as usize;
    let text = format!("{:.places$}", value + 0.0);
    grouped(without_trailing_zeros(&text))
}

/// The value with three significant digits, to choose a scale by: 999.9 ms is a second.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// The power of ten of a value's first digit, once rounded to three digits.
fn exponent(value: f64) -> i32 {
    let text = format!("{value:.2e}");
    text.split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0)
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// Puts commas between the thousands of the whole part.
fn grouped(text: &str) -> String {
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::with_capacity(text.len() + text.len() / 3);
    for (place, digit) in whole.char_indices() {
        let left = whole.len() - place;
        if place > 0 && left.is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
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
        let berlin = moment_quantity(NOON, Tz::Europe__Berlin, false);
        assert_eq!(berlin.whole(), "2026-01-31 13:00 CET");
        assert_eq!(number(NOON.0 as f64, Unit::Time), "2026-01-31 12:00 UTC");
    }

    proptest! {
        #[test]
        fn any_number_can_be_shown(value in any::<f64>(), whole in any::<i128>(), ms in any::<i64>()) {
            for unit in [Unit::Count, Unit::Tokens, Unit::Milliseconds, Unit::Ratio, Unit::Usd, Unit::PerSecond, Unit::Time] {
                prop_assert!(!number(value, unit).is_empty());
                prop_assert!(!whole_quantity(whole, Some(unit)).whole().is_empty());
            }
            prop_assert!(!duration_ms(ms).is_empty());
            prop_assert!(!ago(Millis(ms), Millis(0)).is_empty());
            prop_assert!(!usd(Usd(whole)).is_empty());
        }
    }
}
