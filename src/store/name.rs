//! Texts that repeat, stored once and referred to by number.

use rusqlite::named_params;

use super::{StoreError, Txn};

/// The number of a text in the store; 0 stands for "not said".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(pub i64);

impl NameId {
    /// No text.
    pub const NONE: NameId = NameId(0);

    /// For a column in which nothing stands for no text.
    pub(super) fn or_null(self) -> Option<i64> {
        (self != NameId::NONE).then_some(self.0)
    }
}

const FIND: &str = "SELECT id FROM name WHERE text = :text";
const ADD: &str = "INSERT INTO name(text) VALUES(:text)";
const TEXT: &str = "SELECT text FROM name WHERE id = :id";

impl Txn<'_> {
    /// The number of a text, or `None` when it was never stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_name(&self, text: &str) -> Result<Option<NameId>, StoreError> {
        let mut stmt = self.conn.prepare_cached(FIND)?;
        let mut rows = stmt.query(named_params! { ":text": text })?;
        Ok(rows.next()?.map(|r| r.get(0).map(NameId)).transpose()?)
    }

    /// The number of a text, stored now when it was not.
    pub(super) fn intern(&self, text: &str) -> Result<NameId, StoreError> {
        if let Some(id) = self.find_name(text)? {
            return Ok(id);
        }
        self.conn
            .prepare_cached(ADD)?
            .execute(named_params! { ":text": text })?;
        Ok(NameId(self.conn.last_insert_rowid()))
    }

    /// The text of a number; `None` for "not said".
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the number was never given out.
    pub fn name(&self, id: NameId) -> Result<Option<String>, StoreError> {
        if id == NameId::NONE {
            return Ok(None);
        }
        let mut stmt = self.conn.prepare_cached(TEXT)?;
        let mut rows = stmt.query(named_params! { ":id": id.0 })?;
        match rows.next()? {
            Some(row) => Ok(Some(row.get(0)?)),
            None => Err(StoreError::Damaged(format!("there is no name {}", id.0))),
        }
    }
}
