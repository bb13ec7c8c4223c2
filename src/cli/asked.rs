//! What the commands that ask have in common: expressions, thresholds, groups and
//! steps in, and the question they make.
//!
//! How an answer is written is not known here (see `told`).

use super::context::Context;
use super::failure::Failure;
use super::global::{Filter, Window};
use super::time;
use crate::model::{
    Condition, Dimension, Expr, Measure, Millis, Op, Selector, Span, Threshold, ThresholdUnit,
    Unit, Value, nearest,
};
use crate::query::{Asked, Cut, Fold, Step};

/// The dimensions by which an answer is split.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filter")]
pub(super) struct By {
    /// One row for each: provider, model, user, role, project, session, endpoint, error_type,
    /// limit_type, status_code, status
    #[arg(long, value_name = "DIM,…", value_delimiter = ',')]
    pub by: Vec<String>,
}

impl By {
    /// The dimensions of the flag, each once.
    pub fn dimensions(&self) -> Result<Vec<Dimension>, Failure> {
        let mut dimensions = Vec::new();
        for name in &self.by {
            let dimension =
                Dimension::parse(name.trim()).ok_or_else(|| unknown_dimension(name, &[]))?;
            if !dimensions.contains(&dimension) {
                dimensions.push(dimension);
            }
        }
        Ok(dimensions)
    }

    /// The dimensions of the flag, and by what of the calendar it groups.
    pub fn with_calendar(&self) -> Result<(Vec<Dimension>, Fold), Failure> {
        const CALENDAR: [&str; 2] = ["weekday", "hour-of-day"];
        let mut fold = Fold::default();
        let mut by = Vec::new();
        for name in &self.by {
            match name.trim() {
                "weekday" => fold.weekday = true,
                "hour-of-day" | "hour_of_day" => fold.hour = true,
                name if Dimension::parse(name).is_none() => {
                    return Err(unknown_dimension(name, &CALENDAR));
                }
                name => by.push(name.to_owned()),
            }
        }
        Ok((By { by }.dimensions()?, fold))
    }
}

fn unknown_dimension(name: &str, more: &[&'static str]) -> Failure {
    let mut names = Dimension::ALL.map(Dimension::name).to_vec();
    names.extend(more);
    let likeliest =
        nearest(name, names.iter().copied()).map(|name| format!(" (did you mean {name:?}?)"));
    Failure::usage("dimension_unknown", format!("unknown dimension {name:?}")).hint(format!(
        "use one of {}{}",
        names.join(", "),
        likeliest.unwrap_or_default()
    ))
}

/// When, and which events.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Scope {
    #[command(flatten)]
    window: Window,
    #[command(flatten)]
    filter: Filter,
}

impl Scope {
    /// The window of the flags.
    pub fn span(&self, ctx: &mut Context<'_>) -> Result<Span, Failure> {
        self.window.span(ctx)
    }

    /// The conditions of the flags, and these.
    pub fn selector(&self, more: &Selector) -> Selector {
        let mut selector = self.filter.selector();
        selector.matchers.extend(more.matchers.iter().cloned());
        selector
    }
}

/// An expression that was read, its measure known and its threshold counted in
/// the unit of the measure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// The measure.
    pub measure: Measure,
    /// Which events it speaks of.
    pub selector: Selector,
    /// The dimensions by which it is split.
    pub by: Vec<Dimension>,
    /// Which of its values are asked for.
    pub condition: Option<(Op, Threshold, f64)>,
}

impl Reading {
    /// Reads an expression or a condition.
    pub fn parse(text: &str) -> Result<Reading, Failure> {
        let (expr, comparison) = expression(text)?;
        let measure = Measure::parse(&expr.measure)?;
        let condition = match comparison {
            None => None,
            Some((op, threshold)) => {
                Some((op, threshold, counted(measure.spec().unit, threshold)?))
            }
        };
        Ok(Reading {
            measure,
            selector: expr.selector,
            by: expr.by,
            condition,
        })
    }

    /// The measure within a wider scope.
    pub fn asked(&self, scope: &Scope) -> Asked {
        Asked {
            measure: self.measure,
            selector: scope.selector(&self.selector),
        }
    }

    /// What is probably meant otherwise: `error_rate > 5`.
    pub fn doubt(&self) -> Option<String> {
        let (_, threshold, value) = self.condition?;
        let plain = threshold.unit == ThresholdUnit::Plain;
        let spec = self.measure.spec();
        (plain && spec.unit == Unit::Ratio && value > 1.0).then(|| {
            format!(
                "{} is a share from 0 to 1: write {threshold}% for per cent",
                spec.id
            )
        })
    }

    /// Whether a value is asked for. What is missing meets no condition.
    pub fn wants(&self, value: Value) -> bool {
        match (self.condition, value.as_f64()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((op, _, threshold)), Some(value)) => op.holds(value, threshold),
        }
    }
}

/// An expression, or a condition in its parts. Of two errors the one that came
/// further understood more.
fn expression(text: &str) -> Result<(Expr, Option<(Op, Threshold)>), Failure> {
    let error = match Expr::parse(text) {
        Ok(expr) => return Ok((expr, None)),
        Err(error) => error,
    };
    match Condition::parse(text) {
        Ok(Condition {
            expr,
            op,
            threshold,
        }) => Ok((expr, Some((op, threshold)))),
        Err(further) if further.at > error.at => {
            Err(Failure::in_text(&further, text, "expression"))
        }
        Err(_) => Err(Failure::in_text(&error, text, "expression")),
    }
}

/// A threshold in the unit of what it is compared with.
pub(super) fn counted(unit: Unit, threshold: Threshold) -> Result<f64, Failure> {
    threshold.in_unit(unit).ok_or_else(|| {
        let message = format!("{threshold} cannot be compared with {}", words(unit));
        Failure::usage("threshold_unit", message).hint(format!("write {}", example(unit)))
    })
}

fn words(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "a number of things",
        Unit::Tokens => "a number of tokens",
        Unit::Milliseconds => "a time",
        Unit::Ratio => "a share",
        Unit::Usd => "an amount of money",
        Unit::PerSecond => "a number per second",
        Unit::Time => "a moment",
    }
}

fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Count | Unit::PerSecond => "a number such as 100 or 1.5k",
        Unit::Tokens => "a number such as 100k or 1.5M",
        Unit::Milliseconds => "a time such as 500ms or 2s",
        Unit::Ratio => "a share such as 5% or 0.05",
        Unit::Usd => "an amount such as $10 or 0.25",
        Unit::Time => "a number of milliseconds since 1970",
    }
}

/// The dimensions of a flag and of expressions; where several are given they must
/// be the same.
pub(super) fn agreed<'a>(
    told: impl IntoIterator<Item = &'a Vec<Dimension>>,
) -> Result<Vec<Dimension>, Failure> {
    let mut told = told.into_iter().filter(|by| !by.is_empty());
    let first = told.next().cloned().unwrap_or_default();
    match told.find(|other| **other != first) {
        None => Ok(first),
        Some(other) => {
            let names =
                |by: &[Dimension]| by.iter().map(|d| d.name()).collect::<Vec<_>>().join(",");
            let message = format!(
                "asked for groups by {} and by {}",
                names(&first),
                names(other)
            );
            Err(Failure::usage("groups_differ", message).hint("give the groups once, with --by"))
        }
    }
}

/// How a step cuts a window. A day is a calendar day of the zone.
pub(super) fn cut(ctx: &Context<'_>, step: time::Step) -> Result<Cut, Failure> {
    let zone = ctx.frame().zone;
    match step {
        time::Step::Auto => Ok(Cut::Auto(zone)),
        time::Step::Every(Millis::DAY) => Ok(Cut::Into(Step::LocalDay(zone))),
        time::Step::Every(ms) if ms < Millis::DAY => Ok(Cut::Into(Step::Fixed(ms))),
        time::Step::Every(_) => Err(Failure::usage(
            "step_invalid",
            "a step is not longer than a day",
        )
        .hint("write it like auto, 10s, 1m, 1h or 1d")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Reading::parse(text).unwrap_err().to_text(false)
    }

    #[test]
    fn a_condition_is_an_expression_that_asks_for_some_of_its_values() {
        let reading = Reading::parse(r#"error_rate{provider="claude"} by (model) > 5%"#).unwrap();
        assert_eq!(reading.measure, Measure::ErrorRate);
        assert_eq!(reading.by, [Dimension::Model]);
        assert!(reading.wants(Value::Float(0.06)));
        assert!(!reading.wants(Value::Float(0.05)));
        assert!(!reading.wants(Value::Missing));
        assert!(Reading::parse("latency").unwrap().wants(Value::Missing));
    }

    #[test]
    fn an_error_is_shown_in_the_expression_with_what_to_write() {
        assert_eq!(
            refused(r#"p95_latency{provder="claude"}"#),
            "error: unknown dimension \"provder\"\n  \
               --> expression:1:13\n   \
                | p95_latency{provder=\"claude\"}\n   \
                |             ^\n\
             hint: use one of provider, model, user, role, project, session, endpoint, error_type, \
             limit_type, status_code, status (did you mean \"provider\"?)\n"
        );
        let text = refused("p95_latency > 2sec");
        assert!(
            text.contains("unknown unit \"sec\"\n  --> expression:1:16\n"),
            "{text}"
        );
    }

    #[test]
    fn an_unknown_measure_brings_the_nearest_and_the_list() {
        assert_eq!(
            refused("p95_latncy"),
            "error: unknown measure \"p95_latncy\"\n\
             hint: did you mean p95_latency? `obs query --list` lists all measures\n"
        );
    }

    #[test]
    fn a_threshold_of_another_unit_is_refused() {
        assert_eq!(
            refused("cost > 500ms"),
            "error: 500ms cannot be compared with an amount of money\n\
             hint: write an amount such as $10 or 0.25\n"
        );
        assert!(Reading::parse("cost > 10").is_ok());
        assert!(Reading::parse("requests > 1.5k").is_ok());
        assert!(Reading::parse("requests > 5%").is_err());
    }

    #[test]
    fn groups_are_given_once_or_alike() {
        let model = vec![Dimension::Model];
        let provider = vec![Dimension::Provider];
        let none = Vec::new();
        assert_eq!(agreed([&none, &model, &model]).unwrap(), model);
        let text = agreed([&provider, &model]).unwrap_err().to_text(false);
        assert!(text.contains("by provider and by model"), "{text}");
    }

    #[test]
    fn a_slip_in_a_group_names_the_nearest() {
        let by = By {
            by: vec!["modle".into()],
        };
        let text = by.dimensions().unwrap_err().to_text(false);
        assert!(text.contains("(did you mean \"model\"?)"), "{text}");
    }
}
