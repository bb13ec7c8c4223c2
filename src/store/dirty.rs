//! Minutes whose aggregates are behind their raw events.

use rusqlite::named_params;

use super::{StoreError, Txn};
use crate::model::{Millis, Span};

const MARK: &str = "INSERT INTO dirty(minute_ms, since_batch) VALUES(:minute, :batch)
 ON CONFLICT(minute_ms) DO UPDATE SET since_batch = min(since_batch, excluded.since_batch)";
const BETWEEN: &str = "SELECT minute_ms, since_batch FROM dirty
 WHERE minute_ms >= :from AND minute_ms < :until ORDER BY minute_ms LIMIT :limit";
const SINCE_BATCH: &str = "SELECT since_batch FROM dirty WHERE minute_ms = :minute";
const COUNT: &str = "SELECT count(*) FROM dirty WHERE minute_ms < :until";
const CLEAN: &str = "DELETE FROM dirty WHERE minute_ms >= :from AND minute_ms < :until";

const MARK_ALL: &str = "INSERT INTO dirty(minute_ms, since_batch)
 SELECT minute_ms, 9223372036854775807 FROM (
    SELECT at_ms - ((at_ms % 60000) + 60000) % 60000 AS minute_ms FROM event WHERE at_ms >= :from
    UNION SELECT bucket_ms FROM bucket_1min WHERE bucket_ms >= :from)
 WHERE true ON CONFLICT(minute_ms) DO NOTHING";

impl Txn<'_> {
    /// Makes every minute from `from` on dirty, whose events the ledger has seen already.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn mark_for_rebuild(&self, from: Millis) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(MARK_ALL)?
            .execute(named_params! { ":from": from.0 })?;
        Ok(())
    }

    /// How many minutes are dirty.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_dirty(&self, until: Millis) -> Result<u64, StoreError> {
        let count: i64 = self
            .conn
            .prepare_cached(COUNT)?
            .query_row(named_params! { ":until": until.0 }, |r| r.get(0))?;
        Ok(count as u64)
    }

    /// Notes that events of `batch` touched a minute.
    pub(super) fn mark_dirty(&self, minute: Millis, batch: i64) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(MARK)?
            .execute(named_params! { ":minute": minute.0, ":batch": batch })?;
        Ok(())
    }

    /// Minutes that need a roll-up, in the order of time, at most `limit` of them,
    /// each with the first batch that the ledger has not seen.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn dirty_minutes(&self, span: Span, limit: u32) -> Result<Vec<(Millis, i64)>, StoreError> {
        let mut stmt = self.conn.prepare_cached(BETWEEN)?;
        let rows = stmt.query_map(
            named_params! { ":from": span.from.0, ":until": span.until.0, ":limit": limit },
            |r| Ok((Millis(r.get("minute_ms")?), r.get("since_batch")?)),
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The first batch of a minute that the ledger has not seen; `None` when it has seen all.
    pub(super) fn unseen_since(&self, minute: Millis) -> Result<Option<i64>, StoreError> {
        let mut stmt = self.conn.prepare_cached(SINCE_BATCH)?;
        let mut rows = stmt.query(named_params! { ":minute": minute.0 })?;
        Ok(rows.next()?.map(|r| r.get(0)).transpose()?)
    }

    /// Forgets that minutes were dirty; only for the transaction that rolled them up.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn clean(&self, span: Span) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(CLEAN)?
            .execute(named_params! { ":from": span.from.0, ":until": span.until.0 })?;
        Ok(())
    }
}
