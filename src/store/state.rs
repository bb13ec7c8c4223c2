//! Where the store stands: the floors of the tiers and the epoch of the names.

use rusqlite::named_params;

use super::{StoreError, Txn};
use crate::model::{Millis, Resolution};

/// The moment before which a tier keeps nothing. `Millis(i64::MIN)` until retention ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floors {
    /// Raw events before it are either not in any aggregate yet (their minute is dirty),
    /// and let go by the roll-up that adds them; or they are as good as gone, waiting to
    /// be swept. A whole UTC hour.
    pub raw: Millis,
    /// Of minute buckets. A whole UTC hour.
    pub minute: Millis,
    /// Of hour buckets. A whole UTC day.
    pub hour: Millis,
    /// Of day buckets. A whole UTC day.
    pub day: Millis,
}

impl Floors {
    /// The floor of one tier.
    pub fn of(&self, resolution: Resolution) -> Millis {
        match resolution {
            Resolution::Raw => self.raw,
            Resolution::Minute => self.minute,
            Resolution::Hour => self.hour,
            Resolution::Day => self.day,
        }
    }
}

const GET: &str = "SELECT value FROM state WHERE key = :key";
const SET: &str = "INSERT INTO state(key, value) VALUES(:key, :value)
 ON CONFLICT(key) DO UPDATE SET value = excluded.value";

/// Keys of the state table.
const NAME_EPOCH: &str = "name_epoch";
const BIRTH: &str = "birth_ms";
const LAST_RUN: &str = "last_run_ms";
const ALERTS_UNTIL: &str = "alerts_until_ms";

fn floor_key(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Raw => "raw_floor_ms",
        Resolution::Minute => "1min_floor_ms",
        Resolution::Hour => "1hour_floor_ms",
        Resolution::Day => "1day_floor_ms",
    }
}

impl Txn<'_> {
    /// The floors of all tiers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn floors(&self) -> Result<Floors, StoreError> {
        let of = |r| {
            self.state(floor_key(r))
                .map(|v| Millis(v.unwrap_or(i64::MIN)))
        };
        Ok(Floors {
            raw: of(Resolution::Raw)?,
            minute: of(Resolution::Minute)?,
            hour: of(Resolution::Hour)?,
            day: of(Resolution::Day)?,
        })
    }

    /// Raises the floor of a tier: of buckets, only in the transaction that deletes
    /// below it; of raw events, only when all below it are rolled up.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn raise_floor(&self, tier: Resolution, to: Millis) -> Result<(), StoreError> {
        self.set_state(floor_key(tier), to.0)
    }

    /// Rises whenever names were collected, so that their numbers must be asked anew.
    pub(super) fn name_epoch(&self) -> Result<i64, StoreError> {
        Ok(self.state(NAME_EPOCH)?.unwrap_or(0))
    }

    pub(super) fn raise_name_epoch(&self) -> Result<(), StoreError> {
        self.set_state(NAME_EPOCH, self.name_epoch()? + 1)
    }

    /// When the store was first used.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn birth(&self) -> Result<Option<Millis>, StoreError> {
        Ok(self.state(BIRTH)?.map(Millis))
    }

    /// Notes when the store was first used. That is done once.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_birth(&self, now: Millis) -> Result<(), StoreError> {
        self.set_state(BIRTH, now.0)
    }

    /// When `obs run` last did all its work.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_run(&self) -> Result<Option<Millis>, StoreError> {
        Ok(self.state(LAST_RUN)?.map(Millis))
    }

    /// Notes that all periodic work was done.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_run(&self, now: Millis) -> Result<(), StoreError> {
        self.set_state(LAST_RUN, now.0)
    }

    /// Up to which minute's end rules were evaluated; `None`: never.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn alerts_until(&self) -> Result<Option<Millis>, StoreError> {
        Ok(self.state(ALERTS_UNTIL)?.map(Millis))
    }

    /// Notes up to which minute's end rules were evaluated. Only the transaction that
    /// keeps what was decided may.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_alerts_until(&self, until: Millis) -> Result<(), StoreError> {
        self.set_state(ALERTS_UNTIL, until.0)
    }

    fn state(&self, key: &str) -> Result<Option<i64>, StoreError> {
        let mut stmt = self.conn.prepare_cached(GET)?;
        let mut rows = stmt.query(named_params! { ":key": key })?;
        Ok(rows.next()?.map(|r| r.get(0)).transpose()?)
    }

    fn set_state(&self, key: &str, value: i64) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(SET)?
            .execute(named_params! { ":key": key, ":value": value })?;
        Ok(())
    }
}
