//! Space: what the file holds, and giving back what nothing uses.

use rusqlite::named_params;

use super::{Store, StoreError, Txn};
use crate::model::{Millis, Span};

const FREE_PAGES: &str = "PRAGMA freelist_count";
const PAGES: &str = "PRAGMA page_count";
const PAGE_SIZE: &str = "PRAGMA page_size";
const STEP: &str = "PRAGMA incremental_vacuum(256)";
const FULL: &str = "PRAGMA auto_vacuum = INCREMENTAL; VACUUM";
/// A sample of a thousand rows an index is enough to choose between indexes.
const ANALYZE: &str = "PRAGMA analysis_limit = 1000; ANALYZE";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
const DROP_BATCHES: &str = "DELETE FROM ingest_batch WHERE at_ms < :until";
const DROP_LETTERS: &str = "DELETE FROM dead_letter WHERE at_ms < :until";
const UNUSED_SERIES: &str =
    "SELECT id FROM series WHERE id NOT IN (SELECT DISTINCT series FROM event)";
const UNUSED_NAMES: &str = "SELECT id FROM name WHERE id NOT IN (
 SELECT provider FROM series UNION SELECT model FROM series UNION SELECT role FROM series
 UNION SELECT project FROM series UNION SELECT endpoint FROM series UNION SELECT error_type FROM series
 UNION SELECT limit_type FROM series
 UNION SELECT user FROM event UNION SELECT ifnull(session, 0) FROM event
 UNION SELECT ifnull(limit_key, 0) FROM event UNION SELECT ifnull(tools, 0) FROM event
 UNION SELECT abs(ifnull(id_prefix, 0)) FROM event
 UNION SELECT metadata FROM event WHERE typeof(metadata) = 'integer'
 UNION SELECT provider FROM bucket_1min UNION SELECT model FROM bucket_1min UNION SELECT role FROM bucket_1min
 UNION SELECT provider FROM bucket_1hour UNION SELECT model FROM bucket_1hour UNION SELECT role FROM bucket_1hour
 UNION SELECT provider FROM bucket_1day UNION SELECT model FROM bucket_1day UNION SELECT role FROM bucket_1day
 UNION SELECT provider FROM ledger UNION SELECT model FROM ledger UNION SELECT user FROM ledger
 UNION SELECT project FROM ledger
 UNION SELECT session FROM session UNION SELECT provider FROM session UNION SELECT model FROM session
 UNION SELECT user FROM session UNION SELECT project FROM session)";
const DROP_SERIES: &str = "DELETE FROM series WHERE id = :id";
const DROP_NAME: &str = "DELETE FROM name WHERE id = :id";
const LAST_BATCH: &str = "SELECT max(id) FROM ingest_batch";

/// The first event after so many others.
const END_OF_SLICE: &str = "SELECT at_ms FROM event WHERE at_ms >= :from AND at_ms < :until
 ORDER BY at_ms, h LIMIT 1 OFFSET :events";

/// Names forgotten in one transaction.
const NAMES_AT_ONCE: usize = 2_000;

/// What the file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of the main file.
    pub bytes: u64,
    /// Bytes of it that hold nothing.
    pub free_bytes: u64,
}

impl Store {
    /// The size of the main file and the part of it that is free.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn footprint(&self) -> Result<Footprint, StoreError> {
        let ask = |pragma: &str| -> Result<u64, StoreError> {
            let n: i64 = self.conn.query_row(pragma, [], |r| r.get(0))?;
            Ok(n as u64)
        };
        let page = ask(PAGE_SIZE)?;
        Ok(Footprint {
            bytes: ask(PAGES)? * page,
            free_bytes: ask(FREE_PAGES)? * page,
        })
    }

    /// Collects series and names that nothing refers to any more.
    ///
    /// They are looked for without holding up a writer, and forgotten only when no
    /// event came in since, which might use them again; else the next time.
    ///
    /// # Errors
    /// When the store fails.
    pub fn collect_names(&mut self) -> Result<u64, StoreError> {
        let (batch, series, names) = self.read(|txn| {
            Ok::<_, StoreError>((
                txn.last_batch()?,
                txn.ids(UNUSED_SERIES)?,
                txn.ids(UNUSED_NAMES)?,
            ))
        })?;
        let mut forgotten = 0;
        for (sql, ids) in [(DROP_SERIES, series), (DROP_NAME, names)] {
            for ids in ids.chunks(NAMES_AT_ONCE) {
                forgotten += self.write(|txn| {
                    if txn.last_batch()? != batch {
                        return Ok(0);
                    }
                    let mut stmt = txn.conn.prepare_cached(sql)?;
                    for id in ids {
                        stmt.execute(named_params! { ":id": id })?;
                    }
                    txn.raise_name_epoch()?;
                    Ok::<_, StoreError>(ids.len() as u64)
                })?;
                self.let_others_write();
            }
        }
        Ok(forgotten)
    }

    /// Gives at most 256 free pages back to the file system; says whether more can be.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn give_back_pages(&mut self) -> Result<bool, StoreError> {
        let before = self.footprint()?.free_bytes;
        // The pragma frees one page a step, so it must be stepped to its end.
        let mut stmt = self.conn.prepare_cached(STEP)?;
        let mut rows = stmt.query([])?;
        while rows.next()?.is_some() {}
        let after = self.footprint()?.free_bytes;
        // A file that cannot shrink keeps them all.
        Ok(0 < after && after < before)
    }

    /// Writes the whole file anew, without free pages. It needs as much room again and
    /// lets nobody write meanwhile.
    ///
    /// # Errors
    /// When another process is writing, or there is no room.
    pub fn vacuum(&mut self) -> Result<(), StoreError> {
        self.conn.execute_batch(FULL)?;
        self.checkpoint()?;
        Ok(())
    }

    /// Lets SQLite learn how the values of indexes are spread.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn analyze(&mut self) -> Result<(), StoreError> {
        Ok(self.conn.execute_batch(ANALYZE)?)
    }

    /// Works the log into the main file and empties it; false when a reader still needs it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn checkpoint(&mut self) -> Result<bool, StoreError> {
        let busy: i64 = self.conn.query_row(CHECKPOINT, [], |r| r.get(0))?;
        Ok(busy == 0)
    }
}

impl Txn<'_> {
    /// Deletes the next raw events from before their floor, some `events` of them, and
    /// says how many and where to go on; `None`: there are no more.
    ///
    /// Events there that wait for a roll-up stay: their minute is dirty.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn sweep(&self, from: Millis, events: u32) -> Result<Option<(u64, Millis)>, StoreError> {
        let floor = self.floors()?.raw;
        let mut from = from;
        while let Some(first) = self.first_event(from)?.filter(|at| *at < floor) {
            let minute = first.floor(Millis::MINUTE);
            let waiting = self.dirty_minutes(Span::new(minute, floor), 1)?;
            let end = waiting.first().map_or(floor, |(minute, _)| *minute);
            if end > minute {
                let until = self.end_of_slice(Span::new(first, end), events)?;
                return Ok(Some((self.let_go(Span::new(first, until))?, until)));
            }
            from = minute.plus(Millis::MINUTE);
        }
        Ok(None)
    }

    /// Where a slice of so many events ends; events of one moment are not parted.
    fn end_of_slice(&self, span: Span, events: u32) -> Result<Millis, StoreError> {
        let mut stmt = self.conn.prepare_cached(END_OF_SLICE)?;
        let mut rows = stmt.query(named_params! {
        ":from": span.from.0, ":until": span.until.0, ":events": events })?;
        Ok(match rows.next()? {
            Some(row) => Millis(row.get(0)?).max(span.from.plus(1)),
            None => span.until,
        })
    }

    /// Forgets the batches and dead letters of before `until`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_batches(&self, until: Millis) -> Result<(), StoreError> {
        let params = named_params! { ":until": until.0 };
        self.conn.prepare_cached(DROP_BATCHES)?.execute(params)?;
        self.conn.prepare_cached(DROP_LETTERS)?.execute(params)?;
        Ok(())
    }

    fn ids(&self, sql: &str) -> Result<Vec<i64>, StoreError> {
        let mut stmt = self.conn.prepare(sql)?;
        let ids = stmt.query_map([], |r| r.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    pub(super) fn last_batch(&self) -> Result<Option<i64>, StoreError> {
        Ok(self
            .conn
            .prepare_cached(LAST_BATCH)?
            .query_row([], |r| r.get(0))?)
    }
}
