//! What people write for a length of time: `90s`, `24h`, `1h30m`.
//!
//! A day is 24 hours and a week seven of those; months and years have no fixed
//! length and are refused. A number may have a decimal point (`1.5h`) where the
//! outcome is a whole number of milliseconds. Calendars are not known here.

use super::Millis;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration: {why}")]
pub struct DurationError {
    /// The text, cut to a length worth showing.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl DurationError {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        "write it like 500ms, 90s, 5m, 1h30m, 7d or 2w"
    }
}

/// Reads a duration such as `1h30m`, in milliseconds, 0 or more.
///
/// # Errors
/// When it is malformed, in months or years, no whole number of milliseconds,
/// or longer than an `i64` counts.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    let text = text.trim();
    duration(text).map_err(|why| DurationError {
        text: shown(text),
        why,
    })
}

/// The text of a duration, which [`parse_duration`] reads: `1h30m`. Lengths below 0 have none
/// and are written as 0.
pub fn duration_text(ms: i64) -> String {
    let mut rest = ms.max(0);
    let mut text = String::new();
    for (name, length) in UNITS {
        if rest >= length {
            text += &format!("{}{name}", rest / length);
            rest %= length;
        }
    }
    match text.is_empty() {
        true => "0s".to_owned(),
        false => text,
    }
}

/// As much of a text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A unit of durations, in milliseconds; from the largest to the smallest.
const UNITS: [(&str, i64); 6] = [
    ("w", 7 * Millis::DAY),
    ("d", Millis::DAY),
    ("h", Millis::HOUR),
    ("m", Millis::MINUTE),
    ("s", Millis::SECOND),
    ("ms", 1),
];

fn duration(text: &str) -> Result<i64, String> {
    let mut total: i64 = 0;
    let mut smallest = i64::MAX;
    let mut rest = text;
    if rest.is_empty() {
        return Err("it is empty".to_string());
    }
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        if number.is_empty() {
            return Err(format!("expected a number, found {:?}", shown(rest)));
        }
        let number = Decimal::parse(number)?;
        let (unit, after) = split_where(after, |c| !c.is_alphabetic());
        let unit_ms = unit_ms(unit, after)?;
        if unit_ms >= smallest {
            return Err("its units go from large to small, each once, as in 1h30m".to_string());
        }
        let part = number.times(unit_ms)?;
        total = total.checked_add(part).ok_or("it is too long")?;
        smallest = unit_ms;
        rest = after;
    }
    Ok(total)
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// The length of a unit; `after` is what follows it.
fn unit_ms(unit: &str, after: &str) -> Result<i64, String> {
    let known = UNITS.into_iter().find(|(name, _)| *name == unit);
    known.map(|(_, ms)| ms).ok_or_else(|| match unit {
        "" if after.is_empty() => "its last number has no unit".to_string(),
        "" => format!("expected a unit, found {:?}", shown(after)),
        "M" | "mo" | "mon" | "month" | "months" => {
            "months differ in length; give days or a date (minutes are m)".to_string()
        }
        "y" | "Y" | "yr" | "year" | "years" => {
            "years differ in length; give days or a date".to_string()
        }
        unit => unknown_unit(unit),
    })
}

fn unknown_unit(unit: &str) -> String {
    let lower = unit.to_lowercase();
    let likeliest = match lower.as_str() {
        "msec" | "msecs" | "millis" => Some("ms"),
        _ => UNITS
            .map(|(name, _)| name)
            .into_iter()
            .find(|name| lower.starts_with(name)),
    };
    let unit = shown(unit);
    match likeliest {
        Some(name) => format!("unknown unit {unit:?}, did you mean {name:?}?"),
        None => format!("unknown unit {unit:?}, the units are w d h m s ms"),
    }
}

/// A number as it was written: `digits` / `scale`, the scale a power of ten.
struct Decimal {
    digits: i128,
    scale: i128,
}

impl Decimal {
    fn parse(text: &str) -> Result<Decimal, String> {
        // A week is 2^10 times an odd number of milliseconds, so that an
        // eleventh decimal of any unit cannot come out whole.
        const DECIMALS: usize = 10;
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        if whole.is_empty() || part.is_empty() || part.contains('.') {
            return Err(format!("{:?} is not a number", shown(text)));
        }
        let part = part.trim_end_matches('0');
        if part.len() > DECIMALS {
            return Err("it is no whole number of milliseconds".to_string());
        }
        Ok(Decimal {
            digits: format!("{whole}{part}")
                .parse()
                .map_err(|_| "it is too long")?,
            scale: 10_i128.pow(part.len() as u32),
        })
    }

    fn times(&self, unit_ms: i64) -> Result<i64, String> {
        let scaled = self
            .digits
            .checked_mul(i128::from(unit_ms))
            .ok_or("it is too long")?;
        if scaled % self.scale != 0 {
            return Err("it is no whole number of milliseconds".to_string());
        }
        i64::try_from(scaled / self.scale).map_err(|_| "it is too long".to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_duration_has_a_fixed_length() {
        for (text, ms) in [
            ("0s", 0),
            ("250ms", 250),
            ("1d12h", 129_600_000),
            ("1.5h", 5_400_000),
            ("0.25s", 250),
            ("0.0009765625w", 590_625),
            ("1h30m15s500ms", 5_415_500),
            ("9223372036854775807ms", i64::MAX),
        ] {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn a_wrong_duration_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "it is empty"),
            ("5", "its last number has no unit"),
            (
                "1M",
                "months differ in length; give days or a date (minutes are m)",
            ),
            ("1year", "years differ in length; give days or a date"),
            ("5min", "unknown unit \"min\", did you mean \"m\"?"),
            ("5 m", "expected a unit, found \" m\""),
            ("5x", "unknown unit \"x\", the units are w d h m s ms"),
            (
                "30m1h",
                "its units go from large to small, each once, as in 1h30m",
            ),
            (
                "1h1h",
                "its units go from large to small, each once, as in 1h30m",
            ),
            ("-5m", "expected a number, found \"-5m\""),
            ("h", "expected a number, found \"h\""),
            ("1..5h", "\"1..5\" is not a number"),
            (".5h", "\".5\" is not a number"),
            ("0.5ms", "it is no whole number of milliseconds"),
            ("0.00000000001w", "it is no whole number of milliseconds"),
            ("9223372036854775808ms", "it is too long"),
            ("9223372036854775807w", "it is too long"),
            ("15250284452w3d7h12m55s808ms", "it is too long"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{text:?} is not a duration: {why}")
            );
            assert!(error.hint().contains("1h30m"));
        }
    }

    proptest! {
        #[test]
        fn a_printed_duration_reads_back_the_same(ms in 0..=i64::MAX) {
            prop_assert_eq!(parse_duration(&duration_text(ms)), Ok(ms));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*|[0-9.wdhms+-]{0,40}") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn a_length_in_parts_is_the_sum_of_its_parts(
            weeks in 0..1_000_i64, hours in 0..1_000_i64, ms in 0..1_000_000_i64,
        ) {
            let text = format!("{weeks}w{hours}h{ms}ms");
            let total = weeks * 7 * Millis::DAY + hours * Millis::HOUR + ms;
            prop_assert_eq!(parse_duration(&text), Ok(total));
        }
    }
}
