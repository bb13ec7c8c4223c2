//! The tiers: aggregates by minute, hour and UTC day.

use rusqlite::{CachedStatement, Row, named_params};

use super::columns::{
    Binder, SUMS, Sum, add_extent, add_sums, bind_sums, count, sum, sum_columns, sum_parameters,
};
use super::{NameId, StoreError, Txn};
use crate::model::{Distribution, Millis, Resolution, Span, Stats};

/// By what buckets are told apart, besides time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketKey {
    /// Who answered.
    pub provider: NameId,
    /// Which model.
    pub model: NameId,
    /// Which part it played.
    pub role: NameId,
}

/// Which parts of a bucket a question needs; the others are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Everything.
    All,
    /// Counts, tokens, money: no distribution.
    Sums,
    /// Only the distribution of latency.
    Latency,
}

/// `$tier` stands for one of three fixed words, see [`on`].
const INSERT: &str = concat!(
    "INSERT INTO $tier(bucket_ms, provider, model, role, first_ms, last_ms,
     latency_count, latency_sum_us, latency_min_us, latency_max_us, latency_p50_us, latency_p95_us, latency_p99_us,
     latency_sketch, ttft_count, ttft_sum_us, ttft_min_us, ttft_max_us, ttft_sketch, ",
    sum_columns!(),
    ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ",
    sum_parameters!(),
    ")"
);
/// `$columns` stands for one of the three lists below.
const READ: &str = "SELECT $columns FROM $tier
 WHERE bucket_ms >= :from AND bucket_ms < :until AND provider BETWEEN :low AND :high
 ORDER BY bucket_ms, provider, model, role";
/// Seeks one provider in every bucket, where reading past all others would take longer.
const SEEK: &str = "WITH RECURSIVE step(at) AS (
    SELECT :from UNION ALL SELECT at + :step FROM step WHERE at + :step < :until)
 SELECT $columns FROM step CROSS JOIN $tier ON bucket_ms = at AND provider = :provider";
/// Buckets that are worth a seek each; a longer span may be mostly empty.
const MOST_SEEKS: i64 = 3_000;

const ALL_COLUMNS: &str = concat!(
    "bucket_ms, provider, model, role, first_ms, last_ms, ",
    sum_columns!(),
    ", latency_count, latency_sum_us, latency_min_us, latency_max_us, latency_sketch,
     ttft_count, ttft_sum_us, ttft_min_us, ttft_max_us, ttft_sketch"
);
const SUM_COLUMNS: &str = concat!(
    "bucket_ms, provider, model, role, first_ms, last_ms, ",
    sum_columns!()
);
const LATENCY_COLUMNS: &str = "bucket_ms, provider, model, role, first_ms, last_ms,
     latency_count, latency_sum_us, latency_min_us, latency_max_us, latency_sketch";
const DELETE: &str = "DELETE FROM $tier WHERE bucket_ms >= :from AND bucket_ms < :until";
const COUNT: &str = "SELECT count(*) FROM $tier WHERE bucket_ms >= :from AND bucket_ms < :until";
const FIRST: &str = "SELECT min(bucket_ms) FROM $tier WHERE bucket_ms >= :from";

pub(super) fn table(tier: Resolution) -> &'static str {
    match tier {
        Resolution::Raw => "event",
        Resolution::Minute => "bucket_1min",
        Resolution::Hour => "bucket_1hour",
        Resolution::Day => "bucket_1day",
    }
}

pub(super) fn on(tier: Resolution, sql: &str) -> String {
    sql.replace("$tier", table(tier))
}

/// Where the distributions begin in `ALL_COLUMNS`: after 6 columns of key and extent and the sums.
const LATENCY_AT: usize = 6 + SUMS;
const TTFT_AT: usize = LATENCY_AT + 5;

/// One bucket, while it is being read.
pub struct Bucket<'r> {
    /// When it begins.
    pub at: Millis,
    /// Whom it speaks of.
    pub key: BucketKey,
    parts: Parts,
    row: &'r Row<'r>,
}

impl Bucket<'_> {
    /// Merges it into `stats`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the row is not what was written.
    pub fn add_to(&self, stats: &mut Stats) -> Result<(), StoreError> {
        add_extent(self.row, 4, stats)?;
        match self.parts {
            Parts::All => {
                add_sums(self.row, 6, stats)?;
                add_distribution(self.row, LATENCY_AT, &mut stats.latency)?;
                add_distribution(self.row, TTFT_AT, &mut stats.ttft)
            }
            Parts::Sums => add_sums(self.row, 6, stats),
            Parts::Latency => add_distribution(self.row, 6, &mut stats.latency),
        }
    }
}

fn add_distribution(row: &Row<'_>, at: usize, into: &mut Distribution) -> Result<(), StoreError> {
    let n = count(row, at)?;
    if n == 0 {
        return Ok(());
    }
    into.merge_summary(n, sum(row, at + 1)?, row.get(at + 2)?, row.get(at + 3)?);
    let sketch = row
        .get_ref(at + 4)?
        .as_blob()
        .map_err(|e| StoreError::Damaged(e.to_string()))?;
    Ok(into.sketch.merge_bytes(sketch)?)
}

impl Txn<'_> {
    /// Calls `visit` with every bucket of the span, in the order of time; of one
    /// provider, when one is given.
    ///
    /// # Errors
    /// What `visit` says, and when the store cannot be read.
    pub fn buckets<E: From<StoreError>>(
        &self,
        tier: Resolution,
        span: Span,
        provider: Option<NameId>,
        parts: Parts,
        mut visit: impl FnMut(&Bucket<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = |e: rusqlite::Error| E::from(StoreError::from(e));
        let columns = match parts {
            Parts::All => ALL_COLUMNS,
            Parts::Sums => SUM_COLUMNS,
            Parts::Latency => LATENCY_COLUMNS,
        };
        let statement = |text: &str| {
            self.conn
                .prepare_cached(&on(tier, text).replace("$columns", columns))
        };
        let (from, until, step) = (span.from.0, span.until.0, tier.step_ms());
        let seekable = span.length_ms() / step <= MOST_SEEKS && from % step == 0;
        let mut stmt;
        let mut rows = match provider.filter(|_| seekable && !span.is_empty()) {
            Some(provider) => {
                stmt = statement(SEEK).map_err(sql)?;
                stmt.query(named_params! { ":from": from, ":until": until, ":step": step, ":provider": provider.0 })
            }
            None => {
                stmt = statement(READ).map_err(sql)?;
                let (low, high) = provider.map_or((0, i64::MAX), |p| (p.0, p.0));
                stmt.query(named_params! { ":from": from, ":until": until, ":low": low, ":high": high })
            }
        }
        .map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let name = |i: usize| row.get(i).map(NameId);
            let key = BucketKey {
                provider: name(1).map_err(sql)?,
                model: name(2).map_err(sql)?,
                role: name(3).map_err(sql)?,
            };
            visit(&Bucket {
                at: Millis(row.get(0).map_err(sql)?),
                key,
                parts,
                row,
            })?;
        }
        Ok(())
    }

    /// Begins to write buckets of a tier.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bucket_writer(&self, tier: Resolution) -> Result<BucketWriter<'_>, StoreError> {
        let stmt = self.conn.prepare_cached(&on(tier, INSERT))?;
        Ok(BucketWriter {
            stmt,
            sketch: Vec::new(),
        })
    }

    /// Deletes the buckets of a span.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn drop_buckets(&self, tier: Resolution, span: Span) -> Result<u64, StoreError> {
        let mut stmt = self.conn.prepare_cached(&on(tier, DELETE))?;
        Ok(stmt.execute(named_params! { ":from": span.from.0, ":until": span.until.0 })? as u64)
    }

    /// How many rows a tier holds in a span; of raw, how many events.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_rows(&self, tier: Resolution, span: Span) -> Result<u64, StoreError> {
        if tier == Resolution::Raw {
            return self.count_events(span);
        }
        let mut stmt = self.conn.prepare_cached(&on(tier, COUNT))?;
        let count: i64 = stmt.query_row(
            named_params! { ":from": span.from.0, ":until": span.until.0 },
            |r| r.get(0),
        )?;
        Ok(count as u64)
    }

    /// When the first bucket at or after `from` begins.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_bucket(
        &self,
        tier: Resolution,
        from: Millis,
    ) -> Result<Option<Millis>, StoreError> {
        let mut stmt = self.conn.prepare_cached(&on(tier, FIRST))?;
        let first: Option<i64> = stmt.query_row(named_params! { ":from": from.0 }, |r| r.get(0))?;
        Ok(first.map(Millis))
    }
}

/// Writes buckets of one tier.
pub struct BucketWriter<'t> {
    stmt: CachedStatement<'t>,
    sketch: Vec<u8>,
}

impl BucketWriter<'_> {
    /// Writes one bucket, which must not be there yet.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put(&mut self, at: Millis, key: BucketKey, stats: &Stats) -> Result<(), StoreError> {
        let Stats {
            first,
            last,
            latency,
            ttft,
            ..
        } = stats;
        let mut binder = Binder::new(&mut self.stmt);
        for id in [at.0, key.provider.0, key.model.0, key.role.0] {
            binder.bind(id)?;
        }
        binder.bind(first.unwrap_or(at).0)?;
        binder.bind(last.unwrap_or(at).0)?;
        bind_summary(&mut binder, latency)?;
        for q in [0.50, 0.95, 0.99] {
            binder.bind(
                latency
                    .quantile_ms(q)
                    .map(|ms| (ms * 1000.0).round() as i64),
            )?;
        }
        bind_sketch(&mut binder, latency, &mut self.sketch)?;
        bind_summary(&mut binder, ttft)?;
        bind_sketch(&mut binder, ttft, &mut self.sketch)?;
        bind_sums(&mut binder, stats)?;
        self.stmt.raw_execute()?;
        Ok(())
    }
}

fn bind_summary(binder: &mut Binder<'_, '_>, part: &Distribution) -> Result<(), StoreError> {
    let some = part.count > 0;
    binder.bind(Sum(part.count.into()))?;
    binder.bind(some.then_some(Sum(part.sum_us)))?;
    binder.bind(some.then_some(part.min_us))?;
    binder.bind(some.then_some(part.max_us))
}

fn bind_sketch(
    binder: &mut Binder<'_, '_>,
    part: &Distribution,
    bytes: &mut Vec<u8>,
) -> Result<(), StoreError> {
    if part.count == 0 {
        return binder.bind(None::<i64>);
    }
    bytes.clear();
    part.sketch.write(bytes);
    binder.bind(bytes.as_slice())
}
