//! Space: what the file holds, and giving back what nothing uses.

use rusqlite::named_params;

use super::{Store, StoreError, Txn};
use crate::model::Millis;

const FREE_PAGES: &str = "PRAGMA freelist_count";
const PAGES: &str = "PRAGMA page_count";
const PAGE_SIZE: &str = "PRAGMA page_size";
const STEP: &str = "PRAGMA incremental_vacuum(256)";
const DROP_BATCHES: &str = "DELETE FROM ingest_batch WHERE at_ms < :until";
const DROP_LETTERS: &str = "DELETE FROM dead_letter WHERE at_ms < :until";
const DROP_SERIES: &str = "DELETE FROM series WHERE id NOT IN (SELECT DISTINCT series FROM event)";
const DROP_NAMES: &str = "DELETE FROM name WHERE id NOT IN (
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

    /// Gives at most 256 free pages back to the file system; says whether some were left.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn give_back_pages(&mut self) -> Result<bool, StoreError> {
        // The pragma frees one page a step, so it must be stepped to its end.
        let mut stmt = self.conn.prepare_cached(STEP)?;
        let mut rows = stmt.query([])?;
        while rows.next()?.is_some() {}
        Ok(self.footprint()?.free_bytes > 0)
    }
}

impl Txn<'_> {
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

    /// Collects series and names that nothing refers to any more.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn collect_names(&self) -> Result<u64, StoreError> {
        let series = self.conn.execute(DROP_SERIES, [])? as u64;
        let names = self.conn.execute(DROP_NAMES, [])? as u64;
        if series + names > 0 {
            self.raise_name_epoch()?;
        }
        Ok(series + names)
    }
}
