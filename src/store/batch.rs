//! One row per transaction of an ingest, and the lines that it could not read.

use std::borrow::Cow;

use rusqlite::named_params;
use xxhash_rust::xxh3::Xxh3;

use super::{StoreError, Txn};
use crate::model::Millis;

/// What became of the lines of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// New events.
    pub accepted: u64,
    /// Events that replaced an earlier version of themselves.
    pub updated: u64,
    /// Events that were there already.
    pub duplicate: u64,
    /// Lines that were refused.
    pub rejected: u64,
}

impl BatchCounts {
    /// Adds the counts of another transaction.
    pub fn add(&mut self, other: &BatchCounts) {
        self.accepted += other.accepted;
        self.updated += other.updated;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
    }

    /// All lines.
    pub fn lines(&self) -> u64 {
        self.accepted + self.updated + self.duplicate + self.rejected
    }
}

/// The code of that refusal.
pub const TOO_OLD: &str = "too_old";

/// Why an event from before the floor of raw events is refused.
pub fn too_old(at: Millis, floor: Millis) -> String {
    format!("timestamp: {at} is before {floor}, from which on raw events are kept")
}

/// A line that could not be stored as an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number, from 1.
    pub line: u64,
    /// Where it begins in the decompressed input.
    pub byte_offset: u64,
    /// A stable word for the kind of reason.
    pub code: Cow<'static, str>,
    /// The reason, in words.
    pub reason: String,
    /// The line, or its beginning.
    pub sample: Vec<u8>,
    /// Whether `sample` is not the whole line.
    pub truncated: bool,
}

impl DeadLetter {
    /// The same line of the same source, refused for the same reason.
    pub(super) fn identity(&self, source: &str) -> i64 {
        let mut hash = Xxh3::new();
        for part in [source.as_bytes(), self.code.as_bytes(), &self.sample] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(&self.byte_offset.to_le_bytes());
        hash.digest() as i64
    }
}

const BEGIN: &str =
    "INSERT INTO ingest_batch(at_ms, source, accepted, updated, duplicate, rejected)
 VALUES(:at, :source, 0, 0, 0, 0)";
const FINISH: &str = "UPDATE ingest_batch SET accepted = :accepted, updated = :updated,
 duplicate = :duplicate, rejected = :rejected WHERE id = :id";
const BURY: &str = "INSERT INTO dead_letter(h, batch, at_ms, source, line, byte_offset, code, reason, sample, truncated)
 VALUES(:h, :batch, :at, :source, :line, :byte_offset, :code, :reason, :sample, :truncated)
 ON CONFLICT(h) DO NOTHING";

impl Txn<'_> {
    /// Opens a batch; its number is higher than that of every batch committed before.
    pub(super) fn begin_batch(&self, source: &str, now: Millis) -> Result<i64, StoreError> {
        self.conn
            .prepare_cached(BEGIN)?
            .execute(named_params! { ":at": now.0, ":source": source })?;
        Ok(self.conn.last_insert_rowid())
    }

    pub(super) fn finish_batch(&self, id: i64, counts: &BatchCounts) -> Result<(), StoreError> {
        self.conn.prepare_cached(FINISH)?.execute(named_params! {
        ":id": id, ":accepted": counts.accepted as i64, ":updated": counts.updated as i64,
        ":duplicate": counts.duplicate as i64, ":rejected": counts.rejected as i64 })?;
        Ok(())
    }

    pub(super) fn bury(
        &self,
        batch: i64,
        source: &str,
        now: Millis,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        self.conn.prepare_cached(BURY)?.execute(named_params! {
        ":h": letter.identity(source), ":batch": batch, ":at": now.0, ":source": source, ":line": letter.line as i64,
        ":byte_offset": letter.byte_offset as i64, ":code": letter.code, ":reason": letter.reason,
        ":sample": letter.sample, ":truncated": letter.truncated })?;
        Ok(())
    }
}
