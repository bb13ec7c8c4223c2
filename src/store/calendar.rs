//! The local days of the store's zone, for people who ask in SQL.

use chrono::{Datelike, Days, NaiveDate};
use rusqlite::named_params;

use super::{StoreError, Txn};
use crate::model::{Millis, Span, Zone};

/// Finds the local day of moments that come in the order of time, or nearly so.
#[derive(Clone, Debug)]
pub struct LocalDays {
    zone: Zone,
    day: i32,
    span: Span,
}

impl LocalDays {
    /// The days of a zone.
    pub fn new(zone: Zone) -> LocalDays {
        LocalDays {
            zone,
            day: 0,
            span: Span::new(Millis(0), Millis(0)),
        }
    }

    /// The local date of a moment, as days since 1970-01-01.
    pub fn day(&mut self, at: Millis) -> i32 {
        if !self.span.contains(at) {
            self.day = day_number(self.zone.date_of(at));
            self.span = self.span_of(self.day);
        }
        self.day
    }

    /// From where to where a local day reaches: 23, 24 or 25 hours, or nothing.
    pub fn span_of(&self, day: i32) -> Span {
        let date = date_of_day(day);
        let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
        Span::new(
            self.zone.local_midnight(date),
            self.zone.local_midnight(next),
        )
    }
}

/// Days from 1970-01-01 to a date.
pub fn day_number(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH
}

/// The date that many days after 1970-01-01.
pub fn date_of_day(day: i32) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(day.saturating_add(EPOCH)).unwrap_or(NaiveDate::MAX)
}

/// 1970-01-01, counted as chrono counts days.
const EPOCH: i32 = 719_163;

const CLEAR: &str = "DELETE FROM calendar";
const ADD: &str =
    "INSERT INTO calendar(day, date, from_ms, until_ms) VALUES(:day, :date, :from, :until)
 ON CONFLICT(day) DO NOTHING";
const LAST: &str = "SELECT max(day) FROM calendar";

impl Txn<'_> {
    /// Notes where local days begin and end.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_days(
        &self,
        days: &LocalDays,
        range: std::ops::Range<i32>,
    ) -> Result<(), StoreError> {
        let mut stmt = self.conn.prepare_cached(ADD)?;
        for day in range {
            let span = days.span_of(day);
            stmt.execute(
                named_params! { ":day": day, ":date": date_of_day(day).to_string(),
                ":from": span.from.0, ":until": span.until.0 },
            )?;
        }
        Ok(())
    }

    /// The last local day noted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_noted_day(&self) -> Result<Option<i32>, StoreError> {
        Ok(self
            .conn
            .prepare_cached(LAST)?
            .query_row([], |r| r.get(0))?)
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
