//! A cell as data: the one text of every value for JSON, CSV, TSV and Markdown.
//!
//! Numbers are in the unit their column's name tells, with a point where the
//! type is not whole, so that a reader that guesses types from the first rows
//! guesses the same for all.

use std::borrow::Cow;

use super::answer::Cell;
use crate::model::Usd;

/// A cell as data, by how a format must treat it.
#[derive(Debug, PartialEq)]
pub(super) enum Datum<'a> {
    /// No value.
    Null,
    /// A number or a truth value: the same in every format, ASCII without spaces.
    Bare(Cow<'static, str>),
    /// A text, to be quoted or escaped as the format demands.
    Text(Cow<'a, str>),
}

/// The cell as data.
pub(super) fn datum(cell: &Cell) -> Datum<'_> {
    match cell {
        Cell::Missing => Datum::Null,
        Cell::Bool(true) => Datum::Bare("true".into()),
        Cell::Bool(false) => Datum::Bare("false".into()),
        Cell::Int(n) => Datum::Bare(n.to_string().into()),
        Cell::Bytes(n) => Datum::Bare(n.to_string().into()),
        Cell::Float(x) | Cell::Ratio(x) | Cell::Seconds(x) | Cell::Rate(x) => float(*x),
        Cell::Ms(x) => float((x * 1_000.0).round() / 1_000.0),
        Cell::Usd(amount) => Datum::Bare(dollars(*amount).into()),
        Cell::At(at) => Datum::Text(at.to_string().into()),
        Cell::Date(day) => Datum::Text(day.to_string().into()),
        Cell::Text(text) => Datum::Text(text.into()),
    }
}

/// The shortest text that reads back as the same number: `850.0`, `0.1`, `1e300`.
fn float(x: f64) -> Datum<'static> {
    if x.is_finite() {
        // -0.0 means nothing to a reader.
        Datum::Bare(format!("{:?}", x + 0.0).into())
    } else {
        Datum::Null
    }
}

/// Every digit of the amount, and a point.
fn dollars(amount: Usd) -> String {
    let text = amount.to_string();
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bare(cell: Cell) -> String {
        match datum(&cell) {
            Datum::Bare(text) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whole_types_stay_whole_and_others_keep_their_point() {
        assert_eq!(bare(Cell::Int(1 << 70)), "1180591620717411303424");
        assert_eq!(bare(Cell::Ms(850.0)), "850.0");
        assert_eq!(bare(Cell::Ratio(1.0)), "1.0");
        assert_eq!(bare(Cell::Usd(Usd::dollars(500))), "500.0");
        assert_eq!(bare(Cell::Usd(Usd(-4_500_001))), "-0.004500001");
    }

    #[test]
    fn latency_has_at_most_three_decimals() {
        assert_eq!(bare(Cell::Ms(1933.6000000000001)), "1933.6");
        assert_eq!(bare(Cell::Ms(0.0004)), "0.0");
        assert_eq!(bare(Cell::Ms(-0.0)), "0.0");
    }

    #[test]
    fn what_is_not_a_number_is_no_value() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(datum(&Cell::Float(x)), Datum::Null);
            assert_eq!(datum(&Cell::Ms(x)), Datum::Null);
        }
    }

    proptest! {
        #[test]
        fn a_float_reads_back_the_same(x in prop::num::f64::NORMAL | prop::num::f64::ZERO) {
            let text = bare(Cell::Float(x));
            prop_assert_eq!(text.parse::<f64>().unwrap(), x);
            prop_assert!(serde_json::from_str::<f64>(&text).is_ok());
        }
    }
}
