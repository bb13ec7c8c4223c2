//! A number and its unit in parts, rounded for people: scales, decimals, commas.

use std::borrow::Cow;

use chrono::{TimeZone, Timelike};
use chrono_tz::{OffsetName, Tz};

use super::human;
use crate::model::{Millis, Unit, Usd};

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

/// The number in its unit, in parts; `None` when it is not finite.
pub(super) fn of(value: f64, unit: Option<Unit>) -> Option<Quantity> {
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
        Some(Unit::Time) => moment(Millis(value as i64), Tz::UTC, false),
    })
}

/// A whole number in its unit; exact where the unit does not scale it.
pub(super) fn whole(value: i128, unit: Option<Unit>) -> Quantity {
    let scaled = || of(value as f64, unit);
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
pub(super) fn bytes(value: u64) -> Quantity {
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
pub(super) fn moment(at: Millis, zone: Tz, seconds: bool) -> Quantity {
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
        _ => Quantity::new(human::duration_ms(ms as i64), ""),
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
pub(super) fn significant(value: f64) -> String {
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
pub(super) fn grouped(text: &str) -> String {
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
