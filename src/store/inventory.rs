//! What a store holds, by tier, and what SQLite says of the file.
//!
//! Rows and bytes are counted, not estimated, so they cost a walk through the file.

use rusqlite::named_params;

use super::{Store, StoreError, Txn, bucket};
use crate::model::{Millis, Resolution};

/// The rows and the reach of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Rows.
    pub rows: u64,
    /// The time of the first row.
    pub first: Option<Millis>,
    /// The time of the last row.
    pub last: Option<Millis>,
}

/// What SQLite says of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// The number of the newest migration that was applied.
    pub schema: i64,
    /// Bytes of a page.
    pub page_size: u64,
    /// Pages of the file.
    pub pages: u64,
    /// Pages that hold nothing.
    pub free_pages: u64,
    /// `wal`, if nobody meddled.
    pub journal_mode: String,
    /// Whether free pages can be given back without a copy of the file.
    pub can_shrink: bool,
}

const SCHEMA: &str = "PRAGMA user_version";
const PAGE_SIZE: &str = "PRAGMA page_size";
const PAGES: &str = "PRAGMA page_count";
const FREE_PAGES: &str = "PRAGMA freelist_count";
const AUTO_VACUUM: &str = "PRAGMA auto_vacuum";
const JOURNAL_MODE: &str = "PRAGMA journal_mode";

const EVENTS: &str = "SELECT count(*) AS all_rows, min(at_ms), max(at_ms) FROM event";
const BUCKETS: &str = "SELECT count(*) AS all_rows, min(bucket_ms), max(bucket_ms) FROM $tier";
const LEDGER: &str =
    "SELECT count(*) AS all_rows, min(day) * 86400000, max(day) * 86400000 FROM ledger";
const SESSIONS: &str = "SELECT count(*) AS all_rows, min(first_ms), max(last_ms) FROM session";
const SERIES: &str = "SELECT count(*) AS all_rows, NULL, NULL FROM series";
const NAMES: &str = "SELECT count(*) AS all_rows, NULL, NULL FROM name";
const BATCHES: &str = "SELECT count(*) AS all_rows, min(at_ms), max(at_ms) FROM ingest_batch";
const LETTERS: &str = "SELECT count(*) AS all_rows, min(at_ms), max(at_ms) FROM dead_letter";
const SIZES: &str = "SELECT sum(pgsize) AS all_bytes FROM dbstat WHERE aggregate = TRUE
 AND name IN (SELECT name FROM sqlite_schema WHERE tbl_name = :table)";

/// A part of the store, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Raw events or the buckets of a tier.
    Tier(Resolution),
    /// Sums by local day.
    Ledger,
    /// Sums by session.
    Sessions,
    /// Combinations of labels.
    Series,
    /// Texts that repeat.
    Names,
    /// Transactions of ingests.
    Batches,
    /// Lines that were refused.
    DeadLetters,
}

impl Part {
    /// Every part, the many first.
    pub const ALL: [Part; 10] = [
        Part::Tier(Resolution::Raw),
        Part::Tier(Resolution::Minute),
        Part::Tier(Resolution::Hour),
        Part::Tier(Resolution::Day),
        Part::Ledger,
        Part::Sessions,
        Part::Series,
        Part::Names,
        Part::Batches,
        Part::DeadLetters,
    ];

    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Part::Tier(tier) => tier.name(),
            Part::Ledger => "ledger",
            Part::Sessions => "sessions",
            Part::Series => "series",
            Part::Names => "names",
            Part::Batches => "batches",
            Part::DeadLetters => "dead_letters",
        }
    }

    fn table(self) -> &'static str {
        match self {
            Part::Tier(tier) => bucket::table(tier),
            Part::Ledger => "ledger",
            Part::Sessions => "session",
            Part::Series => "series",
            Part::Names => "name",
            Part::Batches => "ingest_batch",
            Part::DeadLetters => "dead_letter",
        }
    }

    fn count(self) -> String {
        match self {
            Part::Tier(Resolution::Raw) => EVENTS.to_owned(),
            Part::Tier(tier) => bucket::on(tier, BUCKETS),
            Part::Ledger => LEDGER.to_owned(),
            Part::Sessions => SESSIONS.to_owned(),
            Part::Series => SERIES.to_owned(),
            Part::Names => NAMES.to_owned(),
            Part::Batches => BATCHES.to_owned(),
            Part::DeadLetters => LETTERS.to_owned(),
        }
    }
}

impl Store {
    /// What SQLite says of the file.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn file_facts(&self) -> Result<FileFacts, StoreError> {
        let number = |pragma: &str| {
            let number = self.conn.query_row(pragma, [], |r| r.get::<_, i64>(0));
            number.map_err(StoreError::from)
        };
        Ok(FileFacts {
            schema: number(SCHEMA)?,
            page_size: number(PAGE_SIZE)? as u64,
            pages: number(PAGES)? as u64,
            free_pages: number(FREE_PAGES)? as u64,
            journal_mode: self.conn.query_row(JOURNAL_MODE, [], |r| r.get(0))?,
            can_shrink: number(AUTO_VACUUM)? == 2,
        })
    }
}

impl Txn<'_> {
    /// The rows of a part. It reads all of them: about a second a gigabyte.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn extent(&self, part: Part) -> Result<Extent, StoreError> {
        let mut stmt = self.conn.prepare(&part.count())?;
        let at = |ms: Option<i64>| ms.map(Millis);
        let extent = stmt.query_row([], |r| {
            Ok(Extent {
                rows: r.get::<_, i64>(0)? as u64,
                first: at(r.get(1)?),
                last: at(r.get(2)?),
            })
        })?;
        Ok(extent)
    }

    /// The bytes of a part with its indexes. It reads every page of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bytes(&self, part: Part) -> Result<u64, StoreError> {
        let mut stmt = self.conn.prepare_cached(SIZES)?;
        let bytes = stmt.query_row(named_params! { ":table": part.table() }, |r| {
            r.get::<_, Option<i64>>(0)
        })?;
        Ok(bytes.unwrap_or(0) as u64)
    }

    /// The rows of every part, in order.
    pub(super) fn rows_by_table(&self) -> Result<Vec<u64>, StoreError> {
        let rows = |part| Ok(self.extent(part)?.rows);
        Part::ALL.into_iter().map(rows).collect()
    }
}
