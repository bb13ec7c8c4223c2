//! The number in a condition, with its unit: `500ms`, `5%`, `$10`, `1.5k`.
//!
//! ```text
//! threshold = [ "-" ] [ "$" ] number [ unit ]
//! unit      = "us" "ms" "s" "m" "h" "d" (time), "%", "k" "M" (thousand, million)
//! ```
//!
//! A number without a unit is in the unit of the measure, which is not known here.

use std::fmt;

use super::Unit;
use super::cursor::{Cursor, ExprError, choices, shown};

/// In what a threshold was given, and what its value therefore counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThresholdUnit {
    /// A bare number: the unit of the measure.
    Plain,
    /// A time, in milliseconds.
    Milliseconds,
    /// A percentage, as a fraction: 5 % is 0.05.
    Ratio,
    /// US dollars.
    Usd,
}

/// The number a value is compared with; finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// How much, counted as the unit says.
    pub value: f64,
    /// How it was given.
    pub unit: ThresholdUnit,
}

/// A unit behind a number, which is worth `times` x 10^`power` of what the
/// value counts. Powers of ten are applied to the digits, before they become a
/// float: so 7 % is the same number as 0.07.
struct Suffix {
    text: &'static str,
    unit: ThresholdUnit,
    times: f64,
    power: i32,
}

impl Suffix {
    const fn new(text: &'static str, unit: ThresholdUnit, times: f64, power: i32) -> Suffix {
        Suffix {
            text,
            unit,
            times,
            power,
        }
    }
}

const SUFFIXES: [Suffix; 10] = [
    Suffix::new("us", ThresholdUnit::Milliseconds, 1.0, -3),
    Suffix::new("ms", ThresholdUnit::Milliseconds, 1.0, 0),
    Suffix::new("s", ThresholdUnit::Milliseconds, 1.0, 3),
    Suffix::new("m", ThresholdUnit::Milliseconds, 6.0, 4),
    Suffix::new("h", ThresholdUnit::Milliseconds, 36.0, 5),
    Suffix::new("d", ThresholdUnit::Milliseconds, 864.0, 5),
    Suffix::new("%", ThresholdUnit::Ratio, 1.0, -2),
    Suffix::new("k", ThresholdUnit::Plain, 1.0, 3),
    Suffix::new("M", ThresholdUnit::Plain, 1.0, 6),
    Suffix::new("", ThresholdUnit::Plain, 1.0, 0),
];

impl Threshold {
    /// Reads `500ms`, `5%`, `$10`, `1.5k`.
    ///
    /// # Errors
    /// When it is no number, too large a one, or has an unknown unit.
    pub fn parse(text: &str) -> Result<Threshold, ExprError> {
        let mut cursor = Cursor::new(text);
        let threshold = cursor.threshold()?;
        cursor.end("the end")?;
        Ok(threshold)
    }

    /// The number to compare with a value in this unit; `None` when the two cannot be
    /// compared. `80%` is 0.8; a bare number is in the unit already.
    pub fn in_unit(&self, unit: Unit) -> Option<f64> {
        let fits = match self.unit {
            ThresholdUnit::Plain => true,
            ThresholdUnit::Milliseconds => unit == Unit::Milliseconds,
            ThresholdUnit::Ratio => unit == Unit::Ratio,
            ThresholdUnit::Usd => unit == Unit::Usd,
        };
        fits.then_some(self.value)
    }
}

impl fmt::Display for Threshold {
    /// The canonical text, which reads back the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            ThresholdUnit::Plain => f.write_str(&decimal(self.value, 0)),
            ThresholdUnit::Ratio => write!(f, "{}%", decimal(self.value, 2)),
            ThresholdUnit::Milliseconds => write_time(f, self.value),
            ThresholdUnit::Usd => {
                let sign = if self.value < 0.0 { "-" } else { "" };
                write!(f, "{sign}${}", decimal(self.value.abs(), 0))
            }
        }
    }
}

/// In the largest unit of which it is a whole number, else in milliseconds.
fn write_time(f: &mut fmt::Formatter<'_>, ms: f64) -> fmt::Result {
    // Up to here a float counts in whole steps, so that the quotient is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    for (unit, length) in [("d", 864e5), ("h", 36e5), ("m", 6e4), ("s", 1e3)] {
        if ms != 0.0 && ms.abs() < EXACT && ms % length == 0.0 {
            return write!(f, "{}{unit}", ms / length);
        }
    }
    write!(f, "{}ms", decimal(ms, 0))
}

/// The shortest decimal text of `value` x 10^`power`, by moving the point in
/// the digits, so that nothing is rounded.
fn decimal(value: f64, power: i32) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent = exponent.parse::<i32>().unwrap_or(0) + power;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    match exponent {
        _ if value == 0.0 => "0".to_string(),
        -6..0 => format!("{sign}0.{}{digits}", "0".repeat((-1 - exponent) as usize)),
        0..=20 => {
            let whole = exponent as usize + 1;
            match digits.split_at_checked(whole) {
                Some((all, "")) => format!("{sign}{all}"),
                Some((whole, part)) => format!("{sign}{whole}.{part}"),
                None => format!("{sign}{digits:0<whole$}"),
            }
        }
        _ => format!("{sign}{mantissa}e{exponent}"),
    }
}

impl<'a> Cursor<'a> {
    /// Steps over a threshold.
    pub(super) fn threshold(&mut self) -> Result<Threshold, ExprError> {
        let negative = self.eat('-');
        let dollars = self.eat('$');
        let at = self.next_at();
        let (digits, exponent) = self.number()?;
        let unit_at = self.next_at();
        let suffix = self.suffix()?;
        let unit = match (dollars, suffix.unit) {
            (false, unit) => unit,
            (true, ThresholdUnit::Plain) => ThresholdUnit::Usd,
            (true, _) => {
                let message = format!("an amount in dollars cannot be in {:?} too", suffix.text);
                return Err(ExprError::new(unit_at, message).hint("leave one of them out"));
            }
        };
        let exponent = exponent.saturating_add(suffix.power);
        let size = format!("{digits}e{exponent}")
            .parse::<f64>()
            .map_or(f64::INFINITY, |size| size * suffix.times);
        if size.is_infinite() {
            return Err(ExprError::new(at, "the number is too large".to_string()));
        }
        // Adding zero makes a negative zero positive.
        let value = if negative { -size } else { size } + 0.0;
        Ok(Threshold { value, unit })
    }

    /// The digits of `1.5e3`, with their point, and its power of ten.
    fn number(&mut self) -> Result<(&'a str, i32), ExprError> {
        let from = self.rest();
        if self.take_while(|c| c.is_ascii_digit()).is_empty() {
            return Err(self
                .expected("a number")
                .hint("such as 500ms, 2s, 5%, $10 or 1.5k"));
        }
        let is_digit_at = |text: &str, at| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        if self.rest().starts_with('.') && is_digit_at(self.rest(), 1) {
            self.eat('.');
            self.take_while(|c| c.is_ascii_digit());
        }
        let digits = &from[..from.len() - self.rest().len()];
        let rest = self.rest();
        let signed = rest
            .get(1..)
            .is_some_and(|power| power.starts_with(['+', '-']));
        if !rest.starts_with(['e', 'E']) || !is_digit_at(rest, 1 + usize::from(signed)) {
            return Ok((digits, 0));
        }
        self.take_while(|c| !c.is_ascii_digit());
        let negative = rest.starts_with("e-") || rest.starts_with("E-");
        let power = self.take_while(|c| c.is_ascii_digit());
        let power = power.parse().unwrap_or(i32::MAX);
        Ok((digits, if negative { -power } else { power }))
    }

    fn suffix(&mut self) -> Result<&'static Suffix, ExprError> {
        let at = self.next_at();
        let word = self.take_while(|c| c.is_alphabetic() || c == '%');
        SUFFIXES.iter().find(|s| s.text == word).ok_or_else(|| {
            let hint = choices("us ms s m h d % k M", likely_suffix(word));
            ExprError::new(at, format!("unknown unit {:?}", shown(word))).hint(hint)
        })
    }
}

fn likely_suffix(word: &str) -> Option<&'static str> {
    match word {
        "percent" | "pct" => Some("%"),
        "K" => Some("k"),
        "µs" | "μs" => Some("us"),
        _ => SUFFIXES
            .iter()
            .map(|suffix| suffix.text)
            .find(|text| !text.is_empty() && word.starts_with(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(text: &str) -> (f64, ThresholdUnit) {
        let threshold = Threshold::parse(text).unwrap();
        (threshold.value, threshold.unit)
    }

    #[test]
    fn a_threshold_is_counted_in_milliseconds_fractions_or_dollars() {
        use ThresholdUnit::{Milliseconds, Plain, Ratio, Usd};
        for (text, value, unit) in [
            ("500ms", 500.0, Milliseconds),
            ("250us", 0.25, Milliseconds),
            ("1.5s", 1_500.0, Milliseconds),
            ("0.1m", 6_000.0, Milliseconds),
            ("2h", 7_200_000.0, Milliseconds),
            ("1d", 86_400_000.0, Milliseconds),
            ("7%", 0.07, Ratio),
            ("0.1%", 0.001, Ratio),
            ("$0.000001", 0.000_001, Usd),
            ("$1.5k", 1_500.0, Usd),
            ("-3", -3.0, Plain),
            ("2M", 2_000_000.0, Plain),
            ("1.5e3", 1_500.0, Plain),
            ("1e-99999999999", 0.0, Plain),
        ] {
            assert_eq!(threshold(text), (value, unit), "{text}");
        }
    }
}
