//! Numbers as people read them on an axis: `1.2 s`, `$0.45`, `12 k`, `5 %`.
//!
//! One [`Format`] serves all ticks of a linear axis, so that they line up.

use super::scale::{Kind, Scale};
use crate::model::{Millis, Unit};

/// Sizes of time, coarsest first, each with the smallest axis that is told in it:
/// 90 s is read more easily than 1.5 min.
const TIMES: [(f64, f64, &str); 5] = [
    (2.0 * Millis::DAY as f64, Millis::DAY as f64, " d"),
    (2.0 * Millis::HOUR as f64, Millis::HOUR as f64, " h"),
    (2.0 * Millis::MINUTE as f64, Millis::MINUTE as f64, " min"),
    (Millis::SECOND as f64, Millis::SECOND as f64, " s"),
    (0.0, 1.0, " ms"),
];
/// Thousands and so on; up to 10 000 a number is written out.
const THOUSANDS: [(f64, f64, &str); 5] = [
    (1e12, 1e12, " T"),
    (1e9, 1e9, " G"),
    (1e6, 1e6, " M"),
    (1e4, 1e3, " k"),
    (0.0, 1.0, ""),
];
const PERCENT: [(f64, f64, &str); 1] = [(0.0, 0.01, " %")];
/// A size of unit is taken only when its ticks need no more decimals than this.
const DECIMALS: usize = 2;
/// Numbers that need more decimals, or are larger, are written with an exponent.
const DECIMALS_MOST: usize = 6;
const LARGEST_PLAIN: f64 = 1e6;

/// How the numbers of one axis are written.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    unit: Unit,
    size: f64,
    suffix: &'static str,
    decimals: usize,
    exponent: bool,
}

impl Format {
    /// The format for numbers up to `biggest` that are `step` apart.
    fn new(unit: Unit, biggest: f64, step: f64) -> Format {
        let sizes: &[(f64, f64, &'static str)] = match unit {
            Unit::Milliseconds => &TIMES,
            Unit::Count | Unit::Tokens | Unit::Usd | Unit::PerSecond => &THOUSANDS,
            Unit::Ratio => &PERCENT,
            Unit::Time => &[(0.0, 1.0, "")],
        };
        let fitting = sizes
            .iter()
            .filter(|(from, _, _)| biggest >= *from)
            .find_map(|(_, size, suffix)| {
                decimals(step / size, DECIMALS).map(|decimals| (*size, *suffix, decimals))
            });
        let (_, plain, plain_suffix) = sizes[sizes.len() - 1];
        let finest = decimals(step / plain, DECIMALS_MOST);
        let written = fitting.or(finest.map(|decimals| (plain, plain_suffix, decimals)));
        match written.filter(|(size, _, _)| biggest / size < LARGEST_PLAIN) {
            Some((size, suffix, decimals)) => Format {
                unit,
                size,
                suffix,
                decimals,
                exponent: false,
            },
            None => Format {
                unit,
                size: plain,
                suffix: plain_suffix,
                decimals: DECIMALS,
                exponent: true,
            },
        }
    }

    /// The number in words.
    fn write(&self, value: f64) -> String {
        let number = value / self.size;
        let digits = if self.exponent {
            format!("{:e}", rounded(number.abs()))
        } else {
            format!("{:.*}", self.decimals, number.abs())
        };
        let sign = if number < 0.0 { "-" } else { "" };
        let suffix = self.suffix;
        match self.unit {
            Unit::Usd => format!("{sign}${}{suffix}", cents(&digits)),
            Unit::PerSecond if suffix.is_empty() => format!("{sign}{digits} /s"),
            Unit::PerSecond => format!("{sign}{digits}{suffix}/s"),
            Unit::Time => Millis(value as i64).to_string(),
            Unit::Count | Unit::Tokens | Unit::Milliseconds | Unit::Ratio => {
                format!("{sign}{digits}{suffix}")
            }
        }
    }
}

/// The labels of an axis: its ticks, its unit, and any other number on it.
pub struct Labels {
    unit: Unit,
    uniform: Option<Format>,
}

impl Labels {
    /// The labels that suit the scale: all of one format on a linear scale, each
    /// in its own size on a logarithmic one.
    pub fn new(unit: Unit, scale: &Scale) -> Labels {
        let ticks = scale.ticks();
        let biggest = ticks
            .iter()
            .fold(0.0, |most: f64, tick| most.max(tick.abs()));
        let uniform = match scale.kind() {
            Kind::Linear => Some(Format::new(unit, biggest, biggest_step(ticks))),
            Kind::Log => None,
        };
        Labels { unit, uniform }
    }

    /// The label of a tick.
    pub fn tick(&self, value: f64) -> String {
        let format = self.uniform;
        format
            .unwrap_or_else(|| Format::new(self.unit, value.abs(), value.abs()))
            .write(value)
    }

    /// The label of any value, with up to two more decimals than a tick has.
    pub fn value(&self, value: f64) -> String {
        let Some(format) = self.uniform else {
            return self.tick(value);
        };
        let needed =
            decimals(value.abs() / format.size, format.decimals + 2).unwrap_or(format.decimals + 2);
        Format {
            decimals: if value == 0.0 { 0 } else { needed },
            ..format
        }
        .write(value)
    }

    /// What the numbers of the ticks are, for the head line: `s`, `%`, `tokens`.
    pub fn unit(&self) -> String {
        match self.uniform {
            Some(format) if self.unit == Unit::Milliseconds => format.suffix.trim().to_owned(),
            Some(_) => unit(self.unit).to_owned(),
            None => format!("{}, log", unit(self.unit)),
        }
    }
}

/// What numbers of this unit are, where no size is chosen yet.
pub fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Tokens => "tokens",
        Unit::Milliseconds | Unit::Time => "time",
        Unit::Ratio => "%",
        Unit::Usd => "$",
        Unit::PerSecond => "per second",
    }
}

fn biggest_step(ticks: &[f64]) -> f64 {
    ticks
        .windows(2)
        .fold(0.0, |most: f64, pair| most.max(pair[1] - pair[0]))
}

/// How many decimals write the number in full, if no more than `most`.
fn decimals(number: f64, most: usize) -> Option<usize> {
    (0..=most).find(|count| {
        let shifted = number * 10f64.powi(*count as i32);
        shifted.round() >= 1.0 && (shifted - shifted.round()).abs() <= 1e-9 * shifted
    })
}

/// Nine significant digits: what is left when the noise of the division is gone.
fn rounded(number: f64) -> f64 {
    format!("{number:.8e}").parse().unwrap_or(number)
}

/// Money has no single decimal: `0.5` is written `0.50`.
fn cents(digits: &str) -> String {
    match digits.split_once('.') {
        Some((_, decimals)) if decimals.len() == 1 => format!("{digits}0"),
        Some(_) | None => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(kind: Kind, unit: Unit, values: &[f64]) -> Vec<String> {
        let scale = Scale::new(kind, unit, 4, values.iter().copied()).unwrap();
        let labels = Labels::new(unit, &scale);
        scale
            .ticks()
            .iter()
            .map(|tick| labels.tick(*tick))
            .collect()
    }

    #[test]
    fn every_unit_is_written_as_people_say_it() {
        let up_to = |unit, most| labels(Kind::Linear, unit, &[0.0, most]).pop().unwrap();
        assert_eq!(up_to(Unit::Milliseconds, 80.0), "80 ms");
        assert_eq!(up_to(Unit::Milliseconds, 1_900.0), "2.0 s");
        assert_eq!(up_to(Unit::Milliseconds, 55_000.0), "60 s");
        assert_eq!(up_to(Unit::Milliseconds, 95_000.0), "2.0 min");
        assert_eq!(up_to(Unit::Milliseconds, 240_000.0), "4 min");
        assert_eq!(up_to(Unit::Usd, 0.4), "$0.40");
        assert_eq!(up_to(Unit::Usd, 0.0007), "$0.0008");
        assert_eq!(up_to(Unit::Usd, 40.0), "$40");
        assert_eq!(up_to(Unit::Tokens, 12_000.0), "15 k");
        assert_eq!(up_to(Unit::Tokens, 1_400_000.0), "1.5 M");
        assert_eq!(up_to(Unit::Count, 800.0), "800");
        assert_eq!(up_to(Unit::Ratio, 0.05), "6 %");
        assert_eq!(up_to(Unit::Ratio, 0.0004), "0.04 %");
        assert_eq!(up_to(Unit::PerSecond, 4.0), "4 /s");
        assert_eq!(up_to(Unit::PerSecond, 40_000.0), "40 k/s");
        assert_eq!(up_to(Unit::Count, 4e30), "4e30");
    }

    #[test]
    fn ticks_of_one_axis_have_the_same_decimals() {
        assert_eq!(
            labels(Kind::Linear, Unit::Milliseconds, &[0.0, 1_500.0]),
            ["0.0 s", "0.5 s", "1.0 s", "1.5 s"]
        );
        assert_eq!(
            labels(Kind::Linear, Unit::Usd, &[-0.3, 0.3]),
            ["-$0.40", "-$0.20", "$0.00", "$0.20", "$0.40"]
        );
    }

    #[test]
    fn a_logarithmic_tick_has_the_size_that_suits_it() {
        assert_eq!(
            labels(Kind::Log, Unit::Milliseconds, &[12.0, 40_000.0]),
            ["10 ms", "100 ms", "1 s", "10 s", "100 s"]
        );
    }

    #[test]
    fn a_threshold_between_ticks_keeps_its_digits() {
        let scale = Scale::new(Kind::Linear, Unit::Milliseconds, 4, [0.0, 4e3].into_iter());
        let labels = Labels::new(Unit::Milliseconds, &scale.unwrap());
        assert_eq!(labels.value(2_000.0), "2 s");
        assert_eq!(labels.value(1_250.0), "1.25 s");
        assert_eq!(labels.unit(), "s");
    }
}
