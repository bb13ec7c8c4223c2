//! A window beside the same window shifted back: which lines belong together, and
//! how much each number changed.
//!
//! How a change is worded is not known here.

use super::calendar::Slot;
use super::measured::{Inquiry, Line, Measured, measured_in};
use super::question::QueryError;
use crate::model::{Kind, Measure, Span, Stats, Usd, Value};
use crate::store::Store;

/// Two windows side by side.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The window that was asked for.
    pub now: Measured,
    /// The window before it.
    pub before: Measured,
    /// The lines of both, those of the later window first.
    pub pairs: Vec<Pair>,
}

/// What belongs together: the values of a group in both windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The hour or weekday, when the windows were cut by the calendar.
    pub slot: Slot,
    /// The group.
    pub group: Vec<String>,
    /// A value for each measure in the later window.
    pub now: Vec<Value>,
    /// A value for each measure in the window before.
    pub before: Vec<Value>,
}

/// Which way a measure should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// It depends.
    Neither,
}

impl Better {
    /// Which way a measure should go. More traffic and what it costs is neither.
    pub fn of(measure: Measure) -> Better {
        const HIGHER: [Measure; 2] = [Measure::SuccessRate, Measure::CacheHitRate];
        const LOWER: [Measure; 5] = [
            Measure::Failures,
            Measure::ErrorRate,
            Measure::CostPerRequest,
            Measure::RateLimitDenied,
            Measure::RateLimitDenialRate,
        ];
        if HIGHER.contains(&measure) {
            Better::Higher
        } else if LOWER.contains(&measure) || measure.spec().kind == Kind::Latency {
            Better::Lower
        } else {
            Better::Neither
        }
    }

    /// Whether a change by so much is an improvement; `None` when it is neither.
    pub fn judges(self, change: Value) -> Option<bool> {
        let change = change.as_f64().filter(|change| *change != 0.0)?;
        match self {
            Better::Lower => Some(change < 0.0),
            Better::Higher => Some(change > 0.0),
            Better::Neither => None,
        }
    }
}

/// How much a value changed; missing when one of the two is, or when it is a moment.
pub fn change(before: Value, now: Value) -> Value {
    match (before, now) {
        (Value::Int(before), Value::Int(now)) => Value::Int(now - before),
        (Value::Float(before), Value::Float(now)) => Value::Float(now - before),
        (Value::Usd(before), Value::Usd(now)) => Value::Usd(Usd(now.0 - before.0)),
        (Value::Missing | Value::Int(_) | Value::Float(_) | Value::Usd(_) | Value::At(_), _) => {
            Value::Missing
        }
    }
}

/// How much a value changed as a fraction of what it was; `None` when that was nothing.
pub fn relative_change(before: Value, now: Value) -> Option<f64> {
    let was = before.as_f64().filter(|was| *was != 0.0)?;
    let changed = change(before, now).as_f64()?;
    Some(changed / was.abs())
}

/// Answers for a window and for the same window `shift_ms` earlier, on one unchanging
/// state of the store.
///
/// # Errors
/// When the store no longer knows one of them, or cannot be read.
pub fn compare(
    store: &mut Store,
    inquiry: &Inquiry,
    shift_ms: i64,
) -> Result<Compared, QueryError> {
    let Span { from, until } = inquiry.span;
    let earlier = Inquiry {
        span: Span::new(from.plus(-shift_ms), until.plus(-shift_ms)),
        ..inquiry.clone()
    };
    let (now, before) = store.read(|txn| {
        let now = measured_in(txn, inquiry)?;
        Ok::<_, QueryError>((now, measured_in(txn, &earlier)?))
    })?;
    let pairs = pairs(inquiry, &now.lines, &before.lines);
    Ok(Compared { now, before, pairs })
}

/// The union of the groups of both; who is missing in one had nothing there.
fn pairs(inquiry: &Inquiry, now: &[Line], before: &[Line]) -> Vec<Pair> {
    let nothing: Vec<Value> = inquiry
        .asked
        .iter()
        .map(|asked| {
            asked
                .measure
                .value(&Stats::default(), inquiry.span.length_ms())
        })
        .collect();
    let same = |a: &Line, b: &Line| a.slot == b.slot && a.group == b.group;
    let partner = |line: &Line, others: &[Line]| {
        let other = others.iter().find(|other| same(line, other));
        other.map_or_else(|| nothing.clone(), |other| other.values.clone())
    };
    let pair = |line: &Line, now: Vec<Value>, before: Vec<Value>| Pair {
        slot: line.slot,
        group: line.group.clone(),
        now,
        before,
    };
    let gone = before
        .iter()
        .filter(|line| !now.iter().any(|other| same(line, other)));
    now.iter()
        .map(|line| pair(line, line.values.clone(), partner(line, before)))
        .chain(gone.map(|line| pair(line, nothing.clone(), line.values.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_where_there_is_something_to_compare() {
        let (two, three) = (Value::Float(2.0), Value::Float(3.0));
        assert_eq!(change(two, three), Value::Float(1.0));
        assert_eq!(relative_change(two, three), Some(0.5));
        assert_eq!(change(Value::Missing, three), Value::Missing);
        assert_eq!(change(three, Value::Missing), Value::Missing);
        assert_eq!(change(Value::Int(0), Value::Int(5)), Value::Int(5));
        assert_eq!(relative_change(Value::Int(0), Value::Int(5)), None);
        let dollars = |n| Value::Usd(Usd::dollars(n));
        assert_eq!(relative_change(dollars(10), dollars(5)), Some(-0.5));
    }

    #[test]
    fn slower_and_more_errors_are_worse_and_more_requests_are_neither() {
        let up = Value::Float(1.0);
        for (measure, better) in [
            (Measure::P95Latency, Some(false)),
            (Measure::ErrorRate, Some(false)),
            (Measure::SuccessRate, Some(true)),
            (Measure::Requests, None),
            (Measure::Cost, None),
        ] {
            assert_eq!(Better::of(measure).judges(up), better, "{measure:?}");
        }
        assert_eq!(Better::Lower.judges(Value::Int(0)), None);
    }
}
