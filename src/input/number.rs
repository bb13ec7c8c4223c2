//! Decimal numbers, read from their text without going through a float.
//!
//! What a number counts (milliseconds, tokens, seconds since 1970) is not known here.

/// A decimal number: `digits * 10^exponent`, and whether digits beyond the
/// nineteenth, too many to keep, were not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: u64,
    exponent: i32,
    more: bool,
}

/// What happens to the part below the last place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// To the nearest, a tie to the even neighbour.
    HalfEven,
    /// Towards minus infinity.
    Floor,
}

/// The powers of ten that fit into 64 bits.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = powers[place - 1] * 10;
        place += 1;
    }
    powers
};

/// The largest value that one more digit cannot overflow.
const ROOM_FOR_A_DIGIT: u64 = (u64::MAX - 9) / 10;

impl Decimal {
    /// Reads `-12`, `0.0045` or `1.35e-05`; `None` when it is not such a number.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            all => (false, all),
        };
        let mut number = Decimal {
            negative,
            digits: 0,
            exponent: 0,
            more: false,
        };
        let mut rest = number.take(text, 0)?;
        if let [b'.', fraction @ ..] = rest {
            rest = number.take(fraction, 1)?;
        }
        if let [b'e' | b'E', power @ ..] = rest {
            number.exponent = number.exponent.saturating_add(exponent(power)?);
            rest = &[];
        }
        rest.is_empty().then_some(number)
    }

    /// Takes one digit or more and gives what follows; `places` is 1 behind the point, else 0.
    fn take<'t>(&mut self, text: &'t [u8], places: i32) -> Option<&'t [u8]> {
        let mut taken = 0;
        while let Some(byte @ b'0'..=b'9') = text.get(taken) {
            if self.digits <= ROOM_FOR_A_DIGIT {
                self.digits = self.digits * 10 + u64::from(byte - b'0');
                self.exponent -= places;
            } else {
                self.more |= *byte != b'0';
                self.exponent += 1 - places;
            }
            taken += 1;
        }
        (taken > 0).then(|| &text[taken..])
    }

    /// Whether it lies below zero; minus zero does not.
    pub(super) fn is_negative(self) -> bool {
        self.negative && (self.digits != 0 || self.more)
    }

    /// The number as an integer, `None` when it has a fraction or is beyond `i64`.
    pub(super) fn whole(self) -> Option<i64> {
        let down = self.scaled(0, Round::Floor)?;
        let is_whole = self.exponent >= 0
            || power_of_ten(self.exponent.unsigned_abs())
                .map_or(self.digits == 0, |unit| self.digits.is_multiple_of(unit));
        (is_whole && !self.more).then_some(down)
    }

    /// The number times `10^places` as an integer; `None` beyond `i64`, or when
    /// it needs more than nineteen digits to tell.
    pub(super) fn scaled(self, places: i32, round: Round) -> Option<i64> {
        let exponent = self.exponent.saturating_add(places);
        let size = if self.digits == 0 {
            0
        } else if exponent >= 0 && self.more {
            return None;
        } else if exponent >= 0 {
            self.digits
                .checked_mul(power_of_ten(exponent.unsigned_abs())?)?
        } else {
            let unit = power_of_ten(exponent.unsigned_abs());
            // Beyond 10^19 the unit is more than twice as large as any digits.
            let (size, rest) = unit.map_or((0, 1), |unit| (self.digits / unit, self.digits % unit));
            let up = match round {
                Round::HalfEven => unit.is_some_and(|unit| {
                    let other = unit - rest;
                    rest > other || (rest == other && (self.more || size % 2 == 1))
                }),
                Round::Floor => self.negative && (rest != 0 || self.more),
            };
            size + u64::from(up)
        };
        let size = i64::try_from(size).ok()?;
        Some(if self.negative { -size } else { size })
    }
}

/// `10^exponent`, `None` when it is beyond 64 bits.
fn power_of_ten(exponent: u32) -> Option<u64> {
    POWERS.get(exponent as usize).copied()
}

/// The number behind the `e`, as far as it matters: beyond a million all are alike.
fn exponent(text: &[u8]) -> Option<i32> {
    const FAR: i32 = 1_000_000;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let size = digits.iter().try_fold(0, |size: i32, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        Some((size * 10 + digit as i32).min(FAR))
    })?;
    (!digits.is_empty()).then_some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Usd;

    fn scaled(text: &str, places: i32, round: Round) -> Option<i64> {
        Decimal::parse(text).and_then(|n| n.scaled(places, round))
    }

    #[test]
    fn milliseconds_become_microseconds_with_ties_to_even() {
        for (text, us) in [
            ("919.2", 919_200),
            ("0.0005", 0),
            ("0.0015", 2),
            ("0.0025", 2),
            ("0.00250000000000000000000001", 3),
            ("1e3", 1_000_000),
            ("1.35e-05", 0),
            ("0e999999999999", 0),
            ("-0", 0),
        ] {
            assert_eq!(scaled(text, 3, Round::HalfEven), Some(us), "{text}");
        }
    }

    #[test]
    fn a_moment_is_rounded_towards_the_past_on_both_sides_of_zero() {
        assert_eq!(scaled("1.9999", 3, Round::Floor), Some(1_999));
        assert_eq!(scaled("-1.0001", 3, Round::Floor), Some(-1_001));
        assert_eq!(
            scaled("-1.0000000000000000000000001", 3, Round::Floor),
            Some(-1_001)
        );
        assert_eq!(
            scaled("1763164800389123", -3, Round::Floor),
            Some(1_763_164_800_389)
        );
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        for (text, whole) in [
            ("123", Some(123)),
            ("123.0", Some(123)),
            ("1.5e1", Some(15)),
            ("1.5", None),
            ("1e-400", None),
            ("0e-400", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("18446744073709551616", None),
            ("1e999", None),
        ] {
            assert_eq!(
                Decimal::parse(text).and_then(Decimal::whole),
                whole,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", ".", ".5", "5.", "1e", "1e+", "1.e5", "NaN", "1,5", "+1", " 1", "1x",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_same_text_is_the_same_money(text in "-?[0-9]{1,9}(\\.[0-9]{1,30})?([eE][+-]?[0-9])?") {
            let money = Usd::parse(&text).unwrap();
            if let Some(nano) = scaled(&text, 9, Round::HalfEven) {
                prop_assert_eq!(i128::from(nano), money.0);
            } else {
                prop_assert!(money.0.unsigned_abs() > 10u128.pow(18));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+.eE0-9]{0,50}", places in -12..12) {
            if let Some(number) = Decimal::parse(&text) {
                let _ = (number.whole(), number.scaled(places, Round::Floor), number.scaled(places, Round::HalfEven));
            }
        }
    }
}
