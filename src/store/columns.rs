//! The columns that tiers, ledger and sessions have in common, and how exact sums
//! are written and read.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Row, Statement, ToSql};

use super::StoreError;
use crate::model::{Millis, ServiceTier, Stats, Usd};

/// Sums that every aggregate has, in the order of [`bind_sums`] and [`add_sums`].
macro_rules! sum_columns {
    () => {
        "requests, failures, input_uncached, output, cost, cost_reported, limit_allowed, limit_denied,
         cache_hits, cache_misses, cache_saved_tokens, cache_saved_cost, cache_stores, unpriced, cost_computed,
         cache_read, reasoning, cache_write_5m, cache_write_1h,
         audio_input, audio_output, image_input, unclassified, token_mismatches"
    };
}
/// One parameter for each of `sum_columns!`.
macro_rules! sum_parameters {
    () => {
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
    };
}
pub(super) use {sum_columns, sum_parameters};

/// How many columns `sum_columns!` names.
pub(super) const SUMS: usize = 24;

/// Binds values one after the other.
pub(super) struct Binder<'s, 'c> {
    pub stmt: &'s mut Statement<'c>,
    pub next: usize,
}

impl<'s, 'c> Binder<'s, 'c> {
    pub(super) fn new(stmt: &'s mut Statement<'c>) -> Binder<'s, 'c> {
        Binder { stmt, next: 1 }
    }

    pub(super) fn bind(&mut self, value: impl ToSql) -> Result<(), StoreError> {
        self.stmt.raw_bind_parameter(self.next, value)?;
        self.next += 1;
        Ok(())
    }
}

/// An exact sum: an INTEGER, a TEXT of digits where that is too small, NULL for 0.
pub(super) struct Sum(pub i128);

impl ToSql for Sum {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match i64::try_from(self.0) {
            Ok(0) => Value::Null,
            Ok(n) => Value::Integer(n),
            Err(_) => Value::Text(self.0.to_string()),
        }))
    }
}

/// Reads what [`Sum`] wrote.
pub(super) fn sum(row: &Row<'_>, column: usize) -> Result<i128, StoreError> {
    let damaged = || StoreError::Damaged(format!("column {column} of an aggregate is not a sum"));
    match row.get_ref(column)? {
        ValueRef::Null => Ok(0),
        ValueRef::Integer(n) => Ok(i128::from(n)),
        ValueRef::Text(digits) => std::str::from_utf8(digits)
            .ok()
            .and_then(|d| d.parse().ok())
            .ok_or_else(damaged),
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(damaged()),
    }
}

/// Reads a count; NULL is 0.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64, StoreError> {
    u64::try_from(sum(row, column)?)
        .map_err(|_| StoreError::Damaged(format!("column {column} of an aggregate is not a count")))
}

/// Binds the columns of `sum_columns!`.
pub(super) fn bind_sums(binder: &mut Binder<'_, '_>, stats: &Stats) -> Result<(), StoreError> {
    let Stats {
        requests,
        failures,
        tokens,
        cost,
        cache,
        limits,
        ..
    } = stats;
    // These two are never NULL: they are what every reader asks for first.
    binder.bind(*requests as i64)?;
    binder.bind(*failures as i64)?;
    for value in [
        tokens.input_uncached,
        tokens.output,
        cost.counted.0,
        cost.reported.0,
        limits.allowed.into(),
        limits.denied.into(),
        cache.hits.into(),
        cache.misses.into(),
        cache.saved_tokens,
        cache.saved_cost.0,
        cache.stores.into(),
        cost.unpriced.into(),
        cost.computed.0,
        tokens.cache_read,
        tokens.reasoning,
        tokens.cache_write_5m,
        tokens.cache_write_1h,
        tokens.audio_input,
        tokens.audio_output,
        tokens.image_input,
        tokens.unclassified,
        tokens.mismatches.into(),
    ] {
        binder.bind(Sum(value))?;
    }
    Ok(())
}

/// Adds the columns of `sum_columns!`, the first of which is column `at`, to `stats`.
pub(super) fn add_sums(row: &Row<'_>, at: usize, stats: &mut Stats) -> Result<(), StoreError> {
    let Stats {
        requests,
        failures,
        tokens,
        cost,
        cache,
        limits,
        ..
    } = stats;
    *requests += count(row, at)?;
    *failures += count(row, at + 1)?;
    tokens.input_uncached += sum(row, at + 2)?;
    tokens.output += sum(row, at + 3)?;
    cost.counted += Usd(sum(row, at + 4)?);
    cost.reported += Usd(sum(row, at + 5)?);
    limits.allowed += count(row, at + 6)?;
    limits.denied += count(row, at + 7)?;
    cache.hits += count(row, at + 8)?;
    cache.misses += count(row, at + 9)?;
    cache.saved_tokens += sum(row, at + 10)?;
    cache.saved_cost += Usd(sum(row, at + 11)?);
    cache.stores += count(row, at + 12)?;
    cost.unpriced += count(row, at + 13)?;
    cost.computed += Usd(sum(row, at + 14)?);
    tokens.cache_read += sum(row, at + 15)?;
    tokens.reasoning += sum(row, at + 16)?;
    tokens.cache_write_5m += sum(row, at + 17)?;
    tokens.cache_write_1h += sum(row, at + 18)?;
    tokens.audio_input += sum(row, at + 19)?;
    tokens.audio_output += sum(row, at + 20)?;
    tokens.image_input += sum(row, at + 21)?;
    tokens.unclassified += sum(row, at + 22)?;
    tokens.mismatches += count(row, at + 23)?;
    Ok(())
}

/// Widens the span of what was seen by a row's first and last event.
pub(super) fn add_extent(row: &Row<'_>, first: usize, stats: &mut Stats) -> Result<(), StoreError> {
    let (from, to) = (Millis(row.get(first)?), Millis(row.get(first + 1)?));
    stats.first = Some(stats.first.map_or(from, |t| t.min(from)));
    stats.last = Some(stats.last.map_or(to, |t| t.max(to)));
    Ok(())
}

/// The tier of a number in `event.service_tier`: its place in [`ServiceTier::ALL`].
pub(super) fn service_tier(number: Option<i64>) -> Result<ServiceTier, StoreError> {
    let place = usize::try_from(number.unwrap_or(0)).ok();
    place
        .and_then(|place| ServiceTier::ALL.get(place).copied())
        .ok_or_else(|| StoreError::Damaged("an event has an unknown service tier".into()))
}

/// The place of a service tier in [`ServiceTier::ALL`]; none for the usual one.
pub(super) fn tier_number(tier: ServiceTier) -> Option<i64> {
    let place = ServiceTier::ALL.iter().position(|t| *t == tier);
    place.filter(|place| *place > 0).map(|place| place as i64)
}
