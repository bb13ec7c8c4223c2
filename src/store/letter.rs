//! Dead letters read back: looked at, mended, thrown away.
//!
//! How a line is buried is known to `batch`, and what would mend it to nobody here.

use rusqlite::{Row, named_params};

use super::{DeadLetter, StoreError, Txn};
use crate::model::Millis;

const LETTERS: &str =
    "SELECT id, batch, at_ms, source, line, byte_offset, code, reason, sample, truncated
 FROM dead_letter WHERE (at_ms, id) < (:at, :id) AND at_ms >= :since
 AND (:code IS NULL OR code = :code) AND (:source IS NULL OR source = :source)
 ORDER BY at_ms DESC, id DESC LIMIT :most";
const LETTER: &str =
    "SELECT id, batch, at_ms, source, line, byte_offset, code, reason, sample, truncated
 FROM dead_letter WHERE id = :id";
const COUNT: &str = "SELECT count(*) FROM dead_letter WHERE at_ms >= :since AND at_ms < :until
 AND (:code IS NULL OR code = :code) AND (:source IS NULL OR source = :source)";
const DELETE: &str = "DELETE FROM dead_letter WHERE at_ms >= :since AND at_ms < :until
 AND (:code IS NULL OR code = :code) AND (:source IS NULL OR source = :source)";
const UNBURY: &str = "DELETE FROM dead_letter WHERE id = :id";
const REMAIN: &str =
    "UPDATE OR REPLACE dead_letter SET h = :h, code = :code, reason = :reason WHERE id = :id";

/// A line that was refused, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buried {
    /// Its number among dead letters.
    pub id: i64,
    /// The transaction that met it first.
    pub batch: i64,
    /// When it was refused.
    pub at: Millis,
    /// The file it came from, or `-` for a pipe.
    pub source: String,
    /// The line and the reason.
    pub letter: DeadLetter,
}

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Which {
    /// Refused at or after this moment.
    pub since: Millis,
    /// And before this one.
    pub until: Millis,
    /// For this kind of reason.
    pub code: Option<String>,
    /// From this input.
    pub source: Option<String>,
}

impl Txn<'_> {
    /// Dead letters, latest first, after the one at that moment with that number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn letters(
        &self,
        which: &Which,
        after: Option<(Millis, i64)>,
        most: usize,
    ) -> Result<Vec<Buried>, StoreError> {
        let end = (which.until, i64::MIN);
        let (at, id) = after.unwrap_or(end).min(end);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut stmt = self.conn.prepare_cached(LETTERS)?;
        let params = named_params! { ":at": at.0, ":id": id, ":since": which.since.0,
        ":code": which.code, ":source": which.source, ":most": most };
        let rows = stmt.query_map(params, buried_from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One dead letter; `None` when there is none of that number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn letter(&self, id: i64) -> Result<Option<Buried>, StoreError> {
        let mut stmt = self.conn.prepare_cached(LETTER)?;
        let mut rows = stmt.query(named_params! { ":id": id })?;
        Ok(rows.next()?.map(buried_from_row).transpose()?)
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_letters(&self, which: &Which) -> Result<u64, StoreError> {
        let mut stmt = self.conn.prepare_cached(COUNT)?;
        let params = named_params! { ":since": which.since.0, ":until": which.until.0,
        ":code": which.code, ":source": which.source };
        let count: i64 = stmt.query_row(params, |row| row.get(0))?;
        Ok(count as u64)
    }

    /// Throws dead letters away.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn drop_letters(&self, which: &Which) -> Result<u64, StoreError> {
        let mut stmt = self.conn.prepare_cached(DELETE)?;
        let params = named_params! { ":since": which.since.0, ":until": which.until.0,
        ":code": which.code, ":source": which.source };
        Ok(stmt.execute(params)? as u64)
    }

    /// Takes one dead letter away; says whether there was one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unbury(&self, id: i64) -> Result<bool, StoreError> {
        let mut stmt = self.conn.prepare_cached(UNBURY)?;
        Ok(stmt.execute(named_params! { ":id": id })? > 0)
    }

    /// Notes why a dead letter still is one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_reason(&self, buried: &Buried) -> Result<(), StoreError> {
        let Buried {
            id, source, letter, ..
        } = buried;
        self.conn.prepare_cached(REMAIN)?.execute(named_params! {
            ":h": letter.identity(source), ":code": letter.code, ":reason": letter.reason, ":id": id })?;
        Ok(())
    }
}

fn buried_from_row(row: &Row<'_>) -> rusqlite::Result<Buried> {
    let whole = |column: &str| row.get::<_, i64>(column).map(|n| n as u64);
    Ok(Buried {
        id: row.get("id")?,
        batch: row.get("batch")?,
        at: Millis(row.get("at_ms")?),
        source: row.get("source")?,
        letter: DeadLetter {
            line: whole("line")?,
            byte_offset: whole("byte_offset")?,
            code: row.get::<_, String>("code")?.into(),
            reason: row.get("reason")?,
            sample: row.get("sample")?,
            truncated: row.get("truncated")?,
        },
    })
}
