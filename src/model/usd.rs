//! Money: US dollars as an integer number of nano-dollars.
//!
//! Sums are exact in any order. A decimal number becomes money once, rounded
//! half to even; after that there is only integer arithmetic.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An amount in nano-dollars (1 USD = 10^9).
///
/// 128 bits, so that no sum over any number of events can overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(pub i128);

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsdError {
    /// Not a plain decimal number.
    #[error("expected an amount in dollars, found {0:?}")]
    NotANumber(String),
    /// More than 28 digits before the point.
    #[error("amount out of range")]
    OutOfRange,
}

/// Which of the two costs of a request counts, when both are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CostMode {
    /// What the event says it cost; the price table where it says nothing.
    #[default]
    Auto,
    /// Only what events say.
    Reported,
    /// Only what the price table says.
    Computed,
}

impl CostMode {
    /// The cost that counts, or `None` when there is none.
    pub fn choose(self, reported: Option<Usd>, computed: Option<Usd>) -> Option<Usd> {
        match self {
            CostMode::Auto => reported.or(computed),
            CostMode::Reported => reported,
            CostMode::Computed => computed,
        }
    }

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            CostMode::Auto => "auto",
            CostMode::Reported => "reported",
            CostMode::Computed => "computed",
        }
    }

    /// The mode of that name.
    pub fn parse(name: &str) -> Option<CostMode> {
        [CostMode::Auto, CostMode::Reported, CostMode::Computed]
            .into_iter()
            .find(|m| m.name() == name)
    }
}

impl Usd {
    /// No money.
    pub const ZERO: Usd = Usd(0);
    /// Nano-dollars in a dollar.
    pub const NANO: i128 = 1_000_000_000;

    /// Whole dollars.
    pub const fn dollars(whole: i64) -> Usd {
        Usd(whole as i128 * Usd::NANO)
    }

    /// For display and ratios only: a float cannot hold every amount.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Usd::NANO as f64
    }

    /// Reads a JSON number (`-12`, `0.0045`, `1.35e-05`) exactly; what lies
    /// below a nano-dollar is rounded half to even.
    ///
    /// # Errors
    /// When the text is no JSON number, or too large.
    pub fn parse(text: &str) -> Result<Usd, UsdError> {
        let bad = || UsdError::NotANumber(text.chars().take(40).collect());
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse::<i32>().map_err(|_| bad())?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || !digits().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        // `point` digits come before the decimal point once scaled to nano-dollars.
        let point = whole.len() as i64 + i64::from(exponent) + 9;
        let mut nano: i128 = 0;
        let mut rest = Rest::Nothing;
        for (place, digit) in digits().enumerate() {
            let digit = i128::from(digit - b'0');
            if (place as i64) < point {
                nano = nano
                    .checked_mul(10)
                    .and_then(|n| n.checked_add(digit))
                    .ok_or(UsdError::OutOfRange)?;
            } else {
                rest = rest.then(digit, place as i64 == point);
            }
        }
        if nano != 0 {
            for _ in (whole.len() + fraction.len()) as i64..point {
                nano = nano.checked_mul(10).ok_or(UsdError::OutOfRange)?;
            }
        }
        if rest == Rest::More || (rest == Rest::Half && nano % 2 == 1) {
            nano += 1;
        }
        if nano > i128::from(i64::MAX) * Usd::NANO {
            return Err(UsdError::OutOfRange);
        }
        Ok(Usd(if negative { -nano } else { nano }))
    }
}

/// What lies behind the last digit that is kept, as far as rounding cares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    Less,
    Half,
    More,
}

impl Rest {
    fn then(self, digit: i128, first: bool) -> Rest {
        match (self, digit) {
            (Rest::Nothing, 0) => Rest::Nothing,
            (Rest::Nothing, 5) if first => Rest::Half,
            (Rest::Nothing, d) if first && d > 5 => Rest::More,
            (Rest::Nothing | Rest::Less, _) => Rest::Less,
            (Rest::Half, 0) => Rest::Half,
            (Rest::Half | Rest::More, _) => Rest::More,
        }
    }
}

impl fmt::Display for Usd {
    /// The exact decimal number of dollars, without needless zeros: `0.0045`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nano = self.0.unsigned_abs();
        let (whole, part) = (nano / Usd::NANO as u128, nano % Usd::NANO as u128);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let part = format!("{part:09}");
        write!(f, "{sign}{whole}.{}", part.trim_end_matches('0'))
    }
}

impl Add for Usd {
    type Output = Usd;
    fn add(self, other: Usd) -> Usd {
        Usd(self.0 + other.0)
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Usd) {
        self.0 += other.0;
    }
}

impl Sub for Usd {
    type Output = Usd;
    fn sub(self, other: Usd) -> Usd {
        Usd(self.0 - other.0)
    }
}

impl SubAssign for Usd {
    fn sub_assign(&mut self, other: Usd) {
        self.0 -= other.0;
    }
}

impl Neg for Usd {
    type Output = Usd;
    fn neg(self) -> Usd {
        Usd(-self.0)
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Usd>>(amounts: I) -> Usd {
        amounts.fold(Usd::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_is_read_exactly() {
        for (text, nano) in [
            ("0", 0),
            ("9", 9_000_000_000),
            ("0.0045", 4_500_000),
            ("1.35e-05", 13_500),
            ("1.5E+2", 150_000_000_000),
            ("0.1", 100_000_000),
            ("-2.50", -2_500_000_000),
            ("0e999999", 0),
        ] {
            assert_eq!(Usd::parse(text), Ok(Usd(nano)), "{text}");
        }
    }

    #[test]
    fn what_lies_below_a_nano_dollar_is_rounded_half_to_even() {
        for (text, nano) in [
            ("0.0000000005", 0),
            ("0.0000000015", 2),
            ("0.0000000025", 2),
            ("0.00000000250000001", 3),
            ("0.00000000249999999", 2),
            ("5e-10", 0),
            ("6e-10", 1),
            ("9e-11", 0),
            ("1e-400", 0),
        ] {
            assert_eq!(Usd::parse(text), Ok(Usd(nano)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "-",
            ".",
            ".5x",
            "1e",
            "NaN",
            "inf",
            "1,5",
            "1e99999999999",
            "0x1",
        ] {
            assert!(Usd::parse(text).is_err(), "{text}");
        }
        assert_eq!(Usd::parse("1e40"), Err(UsdError::OutOfRange));
    }

    #[test]
    fn a_shown_amount_reads_back_the_same() {
        for nano in [
            0,
            1,
            -1,
            10,
            4_500_000,
            1_000_000_000,
            123_456_789_012_345_678,
        ] {
            assert_eq!(Usd::parse(&Usd(nano).to_string()), Ok(Usd(nano)));
        }
    }
}
