//! Minutes whose aggregates are behind their raw events.

use rusqlite::named_params;

use super::{StoreError, Txn};
use crate::model::{Millis, Span};

const MARK: &str = "INSERT INTO dirty(minute_ms, since_batch) VALUES(:minute, :batch)
 ON CONFLICT(minute_ms) DO UPDATE SET since_batch = min(since_batch, excluded.since_batch)";
const BETWEEN: &str = "SELECT minute_ms, since_batch FROM dirty
 WHERE minute_ms >= :from AND minute_ms < :until ORDER BY minute_ms LIMIT :limit";
const SINCE_BATCH: &str = "SELECT since_batch FROM dirty WHERE minute_ms = :minute";
const CLEAN: &str = "DELETE FROM dirty WHERE minute_ms >= :from AND minute_ms < :until";

impl Txn<'_> {
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
