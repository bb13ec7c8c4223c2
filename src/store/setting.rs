//! Settings that must mean the same in a shell and in cron.

use rusqlite::named_params;

use super::{StoreError, Txn};
use crate::model::{CostMode, Millis, Resolution, Zone};

/// What the store is set to.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The zone of local days: bills, budgets, the ledger.
    pub zone: Zone,
    /// Which cost counts.
    pub cost_mode: CostMode,
    /// How long each tier is kept.
    pub retention: Retention,
}

/// How long each tier is kept, in milliseconds; `None` = for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Raw events.
    pub raw: Option<i64>,
    /// Minute buckets.
    pub minute: Option<i64>,
    /// Hour buckets.
    pub hour: Option<i64>,
    /// Day buckets, and sessions.
    pub day: Option<i64>,
    /// The ledger.
    pub ledger: Option<i64>,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            raw: Some(7 * Millis::DAY),
            minute: Some(30 * Millis::DAY),
            hour: Some(90 * Millis::DAY),
            day: Some(365 * Millis::DAY),
            ledger: None,
        }
    }
}

impl Retention {
    /// How long a tier of events or buckets is kept.
    pub fn of(&self, tier: Resolution) -> Option<i64> {
        match tier {
            Resolution::Raw => self.raw,
            Resolution::Minute => self.minute,
            Resolution::Hour => self.hour,
            Resolution::Day => self.day,
        }
    }
}

const GET: &str = "SELECT value FROM setting WHERE key = :key";
const SET: &str = "INSERT INTO setting(key, value) VALUES(:key, :value)
 ON CONFLICT(key) DO UPDATE SET value = excluded.value";

/// Keys of the setting table, and of `obs config`.
const TIMEZONE: &str = "timezone";
const COST_MODE: &str = "cost_mode";
const RETENTION: [&str; 5] = [
    "retention_raw_ms",
    "retention_1min_ms",
    "retention_1hour_ms",
    "retention_1day_ms",
    "retention_ledger_ms",
];
/// Written for "for ever".
const FOREVER: &str = "forever";

impl Txn<'_> {
    /// All settings; what was never set has its default (zone: UTC).
    ///
    /// # Errors
    /// [`StoreError::Setting`] when a value means nothing.
    pub fn settings(&self) -> Result<Settings, StoreError> {
        let zone = self
            .setting(TIMEZONE, |v| Zone::parse(v).ok())?
            .unwrap_or(Zone::UTC);
        let cost_mode = self
            .setting(COST_MODE, CostMode::parse)?
            .unwrap_or_default();
        Ok(Settings {
            zone,
            cost_mode,
            retention: self.retention()?,
        })
    }

    /// How long each tier is kept.
    ///
    /// # Errors
    /// [`StoreError::Setting`] when a value means nothing.
    pub fn retention(&self) -> Result<Retention, StoreError> {
        let default = Retention::default();
        let age = |key: &str, default: Option<i64>| {
            let read = |v: &str| match v {
                FOREVER => Some(None),
                v => v.parse::<i64>().ok().filter(|ms| *ms > 0).map(Some),
            };
            self.setting(key, read).map(|set| set.unwrap_or(default))
        };
        let [raw, minute, hour, day, ledger] = RETENTION;
        Ok(Retention {
            raw: age(raw, default.raw)?,
            minute: age(minute, default.minute)?,
            hour: age(hour, default.hour)?,
            day: age(day, default.day)?,
            ledger: age(ledger, default.ledger)?,
        })
    }

    /// Sets how long each tier is kept. Whether finer tiers end before coarser ones
    /// is checked by whoever asks.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_retention(&self, retention: &Retention) -> Result<(), StoreError> {
        let Retention {
            raw,
            minute,
            hour,
            day,
            ledger,
        } = *retention;
        for (key, age) in RETENTION.into_iter().zip([raw, minute, hour, day, ledger]) {
            self.set_setting(key, &age.map_or(FOREVER.to_owned(), |ms| ms.to_string()))?;
        }
        Ok(())
    }

    /// Sets the zone of local days.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_zone(&self, zone: Zone) -> Result<(), StoreError> {
        self.set_setting(TIMEZONE, zone.name())
    }

    fn setting<T>(
        &self,
        key: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut stmt = self.conn.prepare_cached(GET)?;
        let mut rows = stmt.query(named_params! { ":key": key })?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let value: String = row.get(0)?;
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(StoreError::Setting {
                key: key.to_owned(),
                value,
            }),
        }
    }

    fn set_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(SET)?
            .execute(named_params! { ":key": key, ":value": value })?;
        Ok(())
    }
}
