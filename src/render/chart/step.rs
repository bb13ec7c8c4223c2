//! Steps between the ticks of a y axis: 1, 2 and 5 times a power of ten, and
//! for time what clocks show.

use crate::model::{Millis, Unit};

/// Steps between one second and one day that people count time in, in milliseconds.
const CLOCK_STEPS: [i64; 18] = [
    Millis::SECOND,
    2 * Millis::SECOND,
    5 * Millis::SECOND,
    10 * Millis::SECOND,
    15 * Millis::SECOND,
    30 * Millis::SECOND,
    Millis::MINUTE,
    2 * Millis::MINUTE,
    5 * Millis::MINUTE,
    10 * Millis::MINUTE,
    15 * Millis::MINUTE,
    30 * Millis::MINUTE,
    Millis::HOUR,
    2 * Millis::HOUR,
    3 * Millis::HOUR,
    6 * Millis::HOUR,
    12 * Millis::HOUR,
    Millis::DAY,
];

/// The power of ten at or below a positive value.
pub(super) fn decade_of(value: f64) -> i32 {
    let guess = value.log10().floor() as i32;
    if decade(guess) > value {
        guess - 1
    } else if decade(guess + 1) <= value {
        guess + 1
    } else {
        guess
    }
}

/// Ten to this power.
pub(super) fn decade(exponent: i32) -> f64 {
    Step::decimal(1, exponent).size()
}

/// A step between ticks, kept as a decimal so that its multiples are the
/// numbers people write: 3 x 0.1 is 0.3.
#[derive(Clone, Copy)]
pub(super) struct Step {
    mantissa: i64,
    exponent: i32,
}

impl Step {
    fn decimal(mantissa: i64, exponent: i32) -> Step {
        Step { mantissa, exponent }
    }

    /// The step as a number.
    pub(super) fn size(self) -> f64 {
        self.times(1.0)
    }

    /// A multiple of the step.
    pub(super) fn times(self, count: f64) -> f64 {
        let whole = count * self.mantissa as f64;
        if self.exponent >= 0 {
            whole * 10f64.powi(self.exponent)
        } else {
            whole / 10f64.powi(-self.exponent)
        }
    }

    /// The number of the last multiple at or below the value.
    pub(super) fn floor(self, value: f64) -> f64 {
        let guess = (value / self.size()).floor();
        if self.times(guess) > value {
            guess - 1.0
        } else if self.times(guess + 1.0) <= value {
            guess + 1.0
        } else {
            guess
        }
    }

    /// The number of the first multiple at or above the value.
    pub(super) fn ceil(self, value: f64) -> f64 {
        -self.floor(-value)
    }
}

/// The nice steps of one power of ten.
pub(super) fn one_two_five(exponent: i32) -> [Step; 3] {
    [1, 2, 5].map(|mantissa| Step::decimal(mantissa, exponent))
}

/// Nice steps of a unit in rising order, from below the rough size to far above it.
pub(super) fn ladder(unit: Unit, rough: f64, biggest: f64) -> Vec<Step> {
    match unit {
        Unit::Milliseconds | Unit::Time => time_ladder(rough),
        // There is no half request.
        Unit::Count | Unit::Tokens if biggest >= 1.0 => decimal_ladder(rough.max(1.0))
            .filter(|step| step.size() >= 1.0)
            .collect(),
        Unit::Count | Unit::Tokens | Unit::Ratio | Unit::Usd | Unit::PerSecond => {
            decimal_ladder(rough).collect()
        }
    }
}

fn decimal_ladder(rough: f64) -> impl Iterator<Item = Step> {
    let near = decade_of(rough);
    (near - 1..=near + 2).flat_map(one_two_five)
}

fn time_ladder(rough: f64) -> Vec<Step> {
    let day = Millis::DAY as f64;
    let below = decimal_ladder(rough).filter(|step| step.size() < Millis::SECOND as f64);
    let clock = CLOCK_STEPS.map(|step| Step::decimal(step, 0));
    let days = decimal_ladder(rough / day)
        .filter(|step| step.size() > 1.0)
        .map(|step| Step::decimal(step.mantissa * Millis::DAY, step.exponent));
    below.chain(clock).chain(days).collect()
}
