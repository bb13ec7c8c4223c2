//! What there is at all: names that events say, and the time that is kept.

use std::collections::BTreeSet;

use super::unheard;
use crate::model::{Dimension, Millis, Resolution, Span, Value};
use crate::store::{Store, StoreError};

/// From the first that is kept to now; `None` in a store without events.
///
/// It begins on a whole UTC day, so that days answer for it.
///
/// # Errors
/// When the store cannot be read.
pub fn kept_span(store: &mut Store, now: Millis) -> Result<Option<Span>, StoreError> {
    store.read(|txn| {
        let floor = txn.floors()?.day;
        let event = txn.first_event(Millis(i64::MIN))?;
        let day = txn.first_bucket(Resolution::Day, Millis(i64::MIN))?;
        let first = [event, day].into_iter().flatten().min();
        Ok(first.map(|first| {
            let from = first.floor(Millis::DAY).max(floor);
            Span::new(from, now.max(from))
        }))
    })
}

/// The names of a label that events have said and that are still kept, in order.
///
/// # Errors
/// When the store cannot be read.
pub fn names(store: &mut Store, dimension: Dimension) -> Result<BTreeSet<String>, StoreError> {
    store.read(|txn| unheard::known(txn, dimension))
}

/// What share of their sum each value is; `None` where there is nothing to share.
pub fn shares(values: &[Value]) -> Vec<Option<f64>> {
    let numbers = || values.iter().map(|value| value.as_f64().unwrap_or(0.0));
    let all: f64 = numbers().sum();
    numbers()
        .map(|part| (all > 0.0).then(|| part / all))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_nothing_are_missing() {
        let [one, three] = [Value::Int(1), Value::Int(3)];
        assert_eq!(shares(&[one, three]), [Some(0.25), Some(0.75)]);
        assert_eq!(shares(&[Value::Int(0), Value::Missing]), [None, None]);
    }
}
