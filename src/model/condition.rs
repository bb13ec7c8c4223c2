//! A measure compared with a threshold: `p95_latency{provider="claude"} > 2s`.
//!
//! ```text
//! condition = expr operator threshold
//! operator  = ">" | "<" | ">=" | "<=" | "==" | "!="
//! ```
//!
//! Whether the unit of a threshold fits its measure is not known here, nor for
//! how long a condition must hold.

use std::fmt;

use super::cursor::{Cursor, ExprError, choices, shown};
use super::{Expr, Threshold};

/// How a value is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=`
    GreaterOrEqual,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Op {
    /// Every operator, in the order in which lists show them.
    pub const ALL: [Op; 6] = [
        Op::Greater,
        Op::GreaterOrEqual,
        Op::Less,
        Op::LessOrEqual,
        Op::Equal,
        Op::NotEqual,
    ];

    /// How it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Op::Greater => ">",
            Op::Less => "<",
            Op::GreaterOrEqual => ">=",
            Op::LessOrEqual => "<=",
            Op::Equal => "==",
            Op::NotEqual => "!=",
        }
    }

    /// The operator written like that.
    pub fn parse(symbol: &str) -> Option<Op> {
        Op::ALL.into_iter().find(|op| op.symbol() == symbol)
    }

    /// Whether `value` compares so with `threshold`. Nothing holds for NaN.
    ///
    /// Two numbers are equal when they differ by at most a billionth of the
    /// larger, so that a computed 0.1 + 0.2 equals a written 0.3.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Op::Greater => value > threshold,
            Op::Less => value < threshold,
            Op::GreaterOrEqual => value >= threshold,
            Op::LessOrEqual => value <= threshold,
            Op::Equal => about_equal(value, threshold),
            Op::NotEqual => {
                !value.is_nan() && !threshold.is_nan() && !about_equal(value, threshold)
            }
        }
    }
}

fn about_equal(a: f64, b: f64) -> bool {
    const TOLERANCE: f64 = 1e-9;
    let near = || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs());
    a == b || (a.is_finite() && b.is_finite() && near())
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// A measure compared with a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is measured.
    pub expr: Expr,
    /// How it is compared.
    pub op: Op,
    /// With what.
    pub threshold: Threshold,
}

impl Condition {
    /// Reads a condition that is the whole text.
    ///
    /// # Errors
    /// When the expression, the operator or the threshold is malformed.
    pub fn parse(text: &str) -> Result<Condition, ExprError> {
        let mut cursor = Cursor::new(text);
        let condition = Condition {
            expr: cursor.expr()?,
            op: cursor.comparison()?,
            threshold: cursor.threshold()?,
        };
        cursor.end("the end")?;
        Ok(condition)
    }
}

impl fmt::Display for Condition {
    /// The canonical text, which reads back the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.expr, self.op, self.threshold)
    }
}

impl Cursor<'_> {
    fn comparison(&mut self) -> Result<Op, ExprError> {
        let at = self.next_at();
        let symbol = self.operator();
        if symbol.is_empty() {
            return Err(self.expected("an operator").hint(operators(None)));
        }
        Op::parse(symbol).ok_or_else(|| {
            ExprError::new(at, format!("unknown operator {:?}", shown(symbol)))
                .hint(operators(likely_operator(symbol)))
        })
    }
}

fn operators(likeliest: Option<&str>) -> String {
    choices(&Op::ALL.map(Op::symbol).join(" "), likeliest)
}

/// What people write elsewhere for the same comparison.
fn likely_operator(symbol: &str) -> Option<&'static str> {
    match symbol {
        "=>" | "≥" | ">==" => Some(">="),
        "=<" | "≤" | "<==" => Some("<="),
        "=" | "===" => Some("=="),
        "<>" | "!" | "!==" | "=!" | "~=" | "≠" => Some("!="),
        ">>" => Some(">"),
        "<<" => Some("<"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::ThresholdUnit;
    use super::super::expr::tests::{exprs, mutated};
    use super::*;

    fn refused(text: &str) -> (usize, String, String) {
        let error = Condition::parse(text).unwrap_err();
        (error.at, error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn the_rules_in_use_are_read() {
        for (text, shown) in [
            (
                "api.response_time.p95 > 500ms",
                "api.response_time.p95 > 500ms",
            ),
            ("error_rate>5 %", "error_rate > 5%"),
            ("hourly_cost >= $10.50", "hourly_cost >= $10.5"),
            ("agents.queue.size > 100", "agents.queue.size > 100"),
            (
                "ml.predictions.avg_confidence < 0.6",
                "ml.predictions.avg_confidence < 0.6",
            ),
            (
                r#"p95_latency{provider!~"x*"} by (model) > 2000ms"#,
                r#"p95_latency{provider!~"x*"} by (model) > 2s"#,
            ),
            ("requests == 1.5k", "requests == 1500"),
            ("cost != -$0", "cost != $0"),
        ] {
            let condition = Condition::parse(text).unwrap();
            assert_eq!(condition.to_string(), shown);
        }
    }

    #[test]
    fn equality_forgives_a_rounding_but_no_more() {
        assert!(Op::Equal.holds(0.1 + 0.2, 0.3));
        assert!(!Op::NotEqual.holds(0.1 + 0.2, 0.3));
        assert!(!Op::Equal.holds(0.300_000_1, 0.3));
        assert!(Op::Equal.holds(0.0, 0.0));
        assert!(Op::NotEqual.holds(f64::INFINITY, 5.0));
    }

    #[test]
    fn a_boundary_belongs_to_the_operators_that_say_so() {
        let holding = |value| Op::ALL.map(|op| op.holds(value, 2.0));
        assert_eq!(holding(2.0), [false, true, false, true, true, false]);
        assert_eq!(holding(3.0), [true, true, false, false, false, true]);
        assert_eq!(holding(f64::NAN), [false; 6]);
    }

    #[test]
    fn an_error_says_where_what_and_what_else() {
        for (text, at, message, hint) in [
            (
                "p95_latency => 2s",
                12,
                "unknown operator \"=>\"",
                "use one of > >= < <= == != (did you mean \">=\"?)",
            ),
            (
                "p95_latency",
                11,
                "expected an operator, found the end",
                "use one of >",
            ),
            (
                "p95_latency above 2s",
                12,
                "expected an operator, found \"above\"",
                "use one of >",
            ),
            (
                "p95_latency > ",
                14,
                "expected a number, found the end",
                "500ms",
            ),
            (
                "p95_latency > fast",
                14,
                "expected a number, found \"fast\"",
                "500ms",
            ),
            (
                "p95_latency > 2sec",
                15,
                "unknown unit \"sec\"",
                "(did you mean \"s\"?)",
            ),
            (
                "error_rate > 5 percent",
                15,
                "unknown unit \"percent\"",
                "(did you mean \"%\"?)",
            ),
            (
                "cost > $5%",
                9,
                "an amount in dollars cannot be in \"%\" too",
                "leave",
            ),
            ("cost > 1,000", 8, "expected the end, found \",\"", ""),
            ("cost > 1e999", 7, "the number is too large", ""),
            ("cost > 5 or", 9, "unknown unit \"or\"", ""),
        ] {
            let (found_at, found_message, found_hint) = refused(text);
            assert_eq!((found_at, found_message.as_str()), (at, message), "{text}");
            assert!(found_hint.contains(hint), "{text}: {found_hint}");
        }
    }

    fn conditions() -> impl Strategy<Value = Condition> {
        use ThresholdUnit::{Milliseconds, Plain, Ratio, Usd};
        let number = prop_oneof![
            proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
            (-100_000_000_000_i64..100_000_000_000).prop_map(|n| n as f64),
            (-100_000_i32..100_000).prop_map(|n| f64::from(n) / 1_000.0),
        ];
        let unit = select(vec![Plain, Milliseconds, Ratio, Usd]);
        (exprs(), select(Op::ALL.to_vec()), number, unit).prop_map(|(expr, op, value, unit)| {
            Condition {
                expr,
                op,
                threshold: Threshold { value, unit },
            }
        })
    }

    proptest! {
        #[test]
        fn a_printed_condition_reads_back_the_same(condition in conditions()) {
            prop_assert_eq!(Condition::parse(&condition.to_string()), Ok(condition));
        }

        #[test]
        fn no_text_makes_the_reader_panic(
            text in "\\PC*|a *[<>=!]{0,3} *[-$0-9.eEmsk%]{0,9}",
        ) {
            let _ = Condition::parse(&text);
            let _ = Threshold::parse(&text);
        }

        #[test]
        fn an_error_points_into_the_text(
            text in mutated(conditions().prop_map(|c| c.to_string())),
        ) {
            if let Err(error) = Condition::parse(&text) {
                prop_assert!(text.is_char_boundary(error.at), "{}", error);
            }
        }
    }
}
