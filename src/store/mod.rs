//! Everything that speaks SQL, one file per table.
//!
//! A [`Store`] is one SQLite file. Its functions take and return words of the
//! model; no SQL text crosses this border. It knows neither where events come
//! from nor what is done with the answers, and it does not read the clock.

mod alert;
mod batch;
mod bucket;
mod calendar;
mod columns;
mod copy;
mod dirty;
mod error;
mod event;
mod identity;
mod inventory;
mod ledger;
mod letter;
mod mark;
mod name;
mod notice;
mod open;
mod pack;
mod price;
mod reclaim;
mod record;
mod rule;
mod series;
pub mod setting;
mod silence;
mod sound;
mod sql;
mod state;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod vitals;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

pub use alert::Change;
pub use batch::{BatchCounts, DeadLetter, TOO_OLD, too_old};
pub use bucket::{Bucket, BucketKey, BucketWriter, Parts};
pub use calendar::{LocalDays, date_of_day, day_number};
pub use copy::{Copied, PART, Restored, with_ending};
pub use error::StoreError;
pub use event::{Appending, EventWriter, Outcome, Stored};
pub use identity::{Dedupe, Origin, Place, identity_of};
pub use inventory::{Extent, FileFacts, Part};
pub use ledger::{LedgerKey, SessionKey};
pub use letter::{Buried, Which};
pub use mark::Mark;
pub use name::NameId;
pub use notice::{Heard, StoredNotice};
pub use open::{Durability, Lock, Options, sqlite_version};
pub use pack::{Pack, Packer};
pub use reclaim::Footprint;
pub use record::{Found, Order, Record};
pub use rule::{RuleChange, RuleVersion, StoredRule};
pub use series::{SeriesId, SeriesLabels};
pub use setting::{Retention, Settings};
pub use sound::Flaw;
pub use sql::{
    Piece, SQL_WORDS, SqlError, SqlHost, SqlQuery, SqlReader, SqlRows, SqlTable, SqlValue, pieces,
};
pub use state::Floors;
pub use vitals::{Letters, Traffic, Unpriced, Vitals};

/// One SQLite file with events, aggregates, settings and alerts.
pub struct Store {
    conn: Connection,
    path: PathBuf,
}

/// The inside of one transaction. All reads in it see one state of the store.
pub struct Txn<'a> {
    conn: &'a Connection,
}

impl Store {
    /// Where the store lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in one write transaction, which holds the only write lock from
    /// its beginning. Nothing of it remains when `work` fails.
    ///
    /// # Errors
    /// What `work` says; [`StoreError::Busy`] when the lock was not to be had in time.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Txn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact(TransactionBehavior::Immediate, work)
    }

    /// Runs `work` on one unchanging state of the store; it never waits for a writer.
    ///
    /// # Errors
    /// What `work` says.
    pub fn read<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Txn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact(TransactionBehavior::Deferred, work)
    }

    fn transact<T, E: From<StoreError>>(
        &mut self,
        behaviour: TransactionBehavior,
        work: impl FnOnce(&Txn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let txn = self
            .conn
            .transaction_with_behavior(behaviour)
            .map_err(StoreError::from)?;
        let result = work(&Txn { conn: &txn })?;
        txn.commit().map_err(StoreError::from)?;
        Ok(result)
    }
}
