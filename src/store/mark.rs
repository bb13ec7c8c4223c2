//! How far files were read: a row for each, written with the lines it stands for.
//!
//! How a file is recognised is decided by who opens it; here is what is remembered.

use rusqlite::{Row, named_params};

use super::{StoreError, Txn};
use crate::model::Millis;

/// Files that are remembered for one path: the newest, so that one rotated away long
/// ago is still known when it is read by its new name.
const REMEMBERED: u64 = 100;

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Where it was when it was first read.
    pub path: String,
    /// How many files were at that path before it.
    pub generation: u64,
    /// Bytes up to the first line that is not stored.
    pub offset: u64,
    /// The number of that line, from 1.
    pub line: u64,
    /// Bytes that `head_h` stands for.
    pub head_len: u64,
    /// A hash of its first bytes.
    pub head_h: i64,
    /// Of a compressed file that was read to its end: when it was last changed.
    pub packed_mtime_ns: Option<i64>,
}

macro_rules! mark_columns {
    () => {
        "device, inode, path, generation, offset, line, head_len, head_h, packed_mtime_ns"
    };
}
const PUT: &str = concat!(
    "INSERT OR REPLACE INTO input_file(",
    mark_columns!(),
    ", at_ms) VALUES(:device, :inode, :path, :generation, :offset, :line, :head_len, :head_h,
     :packed_mtime_ns, :at)"
);
const FORGET: &str = "DELETE FROM input_file WHERE path = :path AND generation < :generation";
const AT_PATH: &str = concat!(
    "SELECT ",
    mark_columns!(),
    " FROM input_file WHERE path = :path ORDER BY generation DESC"
);
const OF_FILE: &str = concat!(
    "SELECT ",
    mark_columns!(),
    " FROM input_file WHERE device = :device AND inode = :inode"
);

impl Txn<'_> {
    /// Remembers how far a file was read.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_mark(&self, mark: &Mark, now: Millis) -> Result<(), StoreError> {
        self.conn.prepare_cached(PUT)?.execute(named_params! {
        ":device": mark.device as i64, ":inode": mark.inode as i64, ":path": mark.path,
        ":generation": mark.generation as i64, ":offset": mark.offset as i64, ":line": mark.line as i64,
        ":head_len": mark.head_len as i64, ":head_h": mark.head_h,
        ":packed_mtime_ns": mark.packed_mtime_ns, ":at": now.0 })?;
        if let Some(oldest) = mark.generation.checked_sub(REMEMBERED) {
            self.conn
                .prepare_cached(FORGET)?
                .execute(named_params! { ":path": mark.path, ":generation": oldest as i64 })?;
        }
        Ok(())
    }

    /// The files that were read at this path, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn marks_at(&self, path: &str) -> Result<Vec<Mark>, StoreError> {
        let mut stmt = self.conn.prepare_cached(AT_PATH)?;
        let marks = stmt.query_map(named_params! { ":path": path }, mark_from_row)?;
        Ok(marks.collect::<Result<_, _>>()?)
    }

    /// What is remembered of the file with this number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn mark_of(&self, device: u64, inode: u64) -> Result<Option<Mark>, StoreError> {
        let mut stmt = self.conn.prepare_cached(OF_FILE)?;
        let params = named_params! { ":device": device as i64, ":inode": inode as i64 };
        Ok(stmt.query_map(params, mark_from_row)?.next().transpose()?)
    }
}

fn mark_from_row(row: &Row<'_>) -> rusqlite::Result<Mark> {
    let whole = |name| row.get::<_, i64>(name).map(|n| n as u64);
    Ok(Mark {
        device: whole("device")?,
        inode: whole("inode")?,
        path: row.get("path")?,
        generation: whole("generation")?,
        offset: whole("offset")?,
        line: whole("line")?,
        head_len: whole("head_len")?,
        head_h: row.get("head_h")?,
        packed_mtime_ns: row.get("packed_mtime_ns")?,
    })
}
