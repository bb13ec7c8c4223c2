//! The local days of the store's zone, for people who ask in SQL.

use rusqlite::named_params;

use super::{StoreError, Txn};
use crate::model::Span;

const CLEAR: &str = "DELETE FROM calendar";
const ADD: &str = "INSERT INTO calendar(day, date, from_ms, until_ms) VALUES(:day, :date, :from, :until)
 ON CONFLICT(day) DO NOTHING";
const LAST: &str = "SELECT max(day) FROM calendar";

impl Txn<'_> {
    /// Notes where a local day begins and ends. `day` counts from 1970-01-01.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_day(&self, day: i32, date: &str, span: Span) -> Result<(), StoreError> {
        self.conn.prepare_cached(ADD)?.execute(named_params! {
            ":day": day, ":date": date, ":from": span.from.0, ":until": span.until.0 })?;
        Ok(())
    }

    /// The last local day noted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_noted_day(&self) -> Result<Option<i32>, StoreError> {
        Ok(self.conn.prepare_cached(LAST)?.query_row([], |r| r.get(0))?)
    }

    /// Forgets all days, when the zone changes.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn clear_calendar(&self) -> Result<(), StoreError> {
        self.conn.prepare_cached(CLEAR)?.execute([])?;
        Ok(())
    }
}
