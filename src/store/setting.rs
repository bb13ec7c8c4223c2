//! Settings that must mean the same in a shell and in cron.
//!
//! [`SETTINGS`] lists them all. A new one is a [`Key`] and a line in that list; who
//! needs its value asks for it with [`Txn::set_to`]. Which values fit together is not
//! known here.

mod form;

use chrono::Weekday;
use rusqlite::named_params;

use super::{StoreError, Txn};
use crate::model::{CostMode, Millis, Resolution, Zone, nearest};

pub use form::{Age, Form, Length, Names, Number, Share};

/// A setting whose values are of a kind.
pub struct Key<T> {
    /// Its name, as `obs config set` takes it.
    name: &'static str,
    /// Its key in the table.
    kept_as: &'static str,
    /// Its value when nobody set it.
    default: T,
    /// What it is, in a line.
    what: &'static str,
}

/// A setting whose values are texts, for those who show and change settings of every kind.
pub trait Setting: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// What it is, in a line.
    fn what(&self) -> &'static str;
    /// Its key in the table.
    fn kept_as(&self) -> &'static str;
    /// Its value when nobody set it, as a person writes it.
    fn default(&self) -> String;
    /// What a person wrote, as it is kept.
    ///
    /// # Errors
    /// With what to write instead.
    fn read(&self, text: &str) -> Result<String, String>;
    /// What is kept, as a person writes it; `None` when it means nothing.
    fn show(&self, kept: &str) -> Option<String>;
}

impl<T: Form + Sync> Setting for Key<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn what(&self) -> &'static str {
        self.what
    }

    fn kept_as(&self) -> &'static str {
        self.kept_as
    }

    fn default(&self) -> String {
        self.default.shown()
    }

    fn read(&self, text: &str) -> Result<String, String> {
        T::parse(text).map(|value| value.kept())
    }

    fn show(&self, kept: &str) -> Option<String> {
        T::recall(kept).map(|value| value.shown())
    }
}

const fn key<T>(
    name: &'static str,
    kept_as: &'static str,
    default: T,
    what: &'static str,
) -> Key<T> {
    Key {
        name,
        kept_as,
        default,
        what,
    }
}

const fn days(days: i64) -> Age {
    Age(Some(days * Millis::DAY))
}

/// The zone of local days.
pub static TIMEZONE: Key<Zone> = key(
    "timezone",
    "timezone",
    Zone::UTC,
    "where days begin that bills and budgets are cut by; fixed once there is a day",
);
/// The first day of a week.
pub static WEEK_START: Key<Weekday> = key(
    "week_start",
    "week_start",
    Weekday::Mon,
    "the day on which the week of a budget begins",
);
/// Which cost counts.
pub static COST_MODE: Key<CostMode> = key(
    "cost_mode",
    "cost_mode",
    CostMode::Auto,
    "which cost counts: reported, computed, or auto (reported, else computed); fixed once there is an event",
);
/// How long raw events are kept.
pub static RETENTION_RAW: Key<Age> = key(
    "retention_raw",
    "retention_raw_ms",
    days(7),
    "how long raw events are kept",
);
/// How long minute buckets are kept.
pub static RETENTION_1MIN: Key<Age> = key(
    "retention_1min",
    "retention_1min_ms",
    days(30),
    "how long aggregates by minute are kept",
);
/// How long hour buckets are kept.
pub static RETENTION_1HOUR: Key<Age> = key(
    "retention_1hour",
    "retention_1hour_ms",
    days(90),
    "how long aggregates by hour are kept",
);
/// How long day buckets and sessions are kept.
pub static RETENTION_1DAY: Key<Age> = key(
    "retention_1day",
    "retention_1day_ms",
    days(365),
    "how long aggregates by day, and sessions, are kept",
);
/// How long the ledger is kept.
pub static RETENTION_LEDGER: Key<Age> = key(
    "retention_ledger",
    "retention_ledger_ms",
    Age(None),
    "how long the sums that bills are made of are kept",
);
/// The window that health is judged by.
pub static HEALTH_WINDOW: Key<Length> = key(
    "health_window",
    "health_window_ms",
    Length(5 * Millis::MINUTE),
    "the time before now that a provider's health is judged by",
);
/// Fewer requests say nothing about a success rate.
pub static HEALTH_MIN_REQUESTS: Key<Number> = key(
    "health_min_requests",
    "health_min_requests",
    Number(5),
    "with fewer requests a success rate is not judged",
);
/// Fewer latencies say nothing about a percentile.
pub static HEALTH_MIN_LATENCIES: Key<Number> = key(
    "health_min_latencies",
    "health_min_latencies",
    Number(10),
    "with fewer latencies a p95 latency is not judged",
);
/// A lower success rate means down.
pub static HEALTH_DOWN_SUCCESS: Key<Share> = key(
    "health_down_success",
    "health_down_success",
    Share(0.5),
    "a provider is down when its success rate is below",
);
/// A lower success rate means degraded.
pub static HEALTH_DEGRADED_SUCCESS: Key<Share> = key(
    "health_degraded_success",
    "health_degraded_success",
    Share(0.95),
    "a provider is degraded when its success rate is below",
);
/// A higher 95th percentile of latency means degraded.
pub static HEALTH_DEGRADED_P95: Key<Length> = key(
    "health_degraded_p95",
    "health_degraded_p95_ms",
    Length(5 * Millis::SECOND),
    "a provider is degraded when its p95 latency is above",
);

/// Who hears of alerts whose rules do not say.
pub static ALERT_CHANNELS: Key<Names> = key(
    "alert_channels",
    "alert_channels",
    Names(std::borrow::Cow::Borrowed("stdout")),
    "the channels of rules that name none; stdout is what `obs run` prints and cron mails",
);

/// Every setting, in the order in which lists show them.
pub static SETTINGS: [&dyn Setting; 15] = [
    &TIMEZONE,
    &WEEK_START,
    &COST_MODE,
    &RETENTION_RAW,
    &RETENTION_1MIN,
    &RETENTION_1HOUR,
    &RETENTION_1DAY,
    &RETENTION_LEDGER,
    &HEALTH_WINDOW,
    &HEALTH_MIN_REQUESTS,
    &HEALTH_MIN_LATENCIES,
    &HEALTH_DOWN_SUCCESS,
    &HEALTH_DEGRADED_SUCCESS,
    &HEALTH_DEGRADED_P95,
    &ALERT_CHANNELS,
];

/// There is no setting of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown setting {name:?}")]
pub struct UnknownSetting {
    /// The name that was given.
    pub name: String,
    /// The setting that was probably meant.
    pub nearest: Option<&'static str>,
}

/// The setting of that name.
///
/// # Errors
/// With the nearest name.
pub fn setting(name: &str) -> Result<&'static dyn Setting, UnknownSetting> {
    let found = SETTINGS.into_iter().find(|setting| setting.name() == name);
    found.ok_or_else(|| UnknownSetting {
        name: name.to_owned(),
        nearest: nearest(name, SETTINGS.map(Setting::name)),
    })
}

/// What the work of every command depends on.
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
            raw: RETENTION_RAW.default.0,
            minute: RETENTION_1MIN.default.0,
            hour: RETENTION_1HOUR.default.0,
            day: RETENTION_1DAY.default.0,
            ledger: RETENTION_LEDGER.default.0,
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

    /// The ages that have an end.
    pub fn ages(&self) -> impl Iterator<Item = i64> {
        let ages = [self.raw, self.minute, self.hour, self.day, self.ledger];
        ages.into_iter().flatten()
    }
}

const GET: &str = "SELECT value FROM setting WHERE key = :key";
const SET: &str = "INSERT INTO setting(key, value) VALUES(:key, :value)
 ON CONFLICT(key) DO UPDATE SET value = excluded.value";
const UNSET: &str = "DELETE FROM setting WHERE key = :key";

impl Txn<'_> {
    /// All that the work of every command depends on.
    ///
    /// # Errors
    /// [`StoreError::Setting`] when a value means nothing.
    pub fn settings(&self) -> Result<Settings, StoreError> {
        Ok(Settings {
            zone: self.set_to(&TIMEZONE)?,
            cost_mode: self.set_to(&COST_MODE)?,
            retention: self.retention()?,
        })
    }

    /// How long each tier is kept.
    ///
    /// # Errors
    /// [`StoreError::Setting`] when a value means nothing.
    pub fn retention(&self) -> Result<Retention, StoreError> {
        Ok(Retention {
            raw: self.set_to(&RETENTION_RAW)?.0,
            minute: self.set_to(&RETENTION_1MIN)?.0,
            hour: self.set_to(&RETENTION_1HOUR)?.0,
            day: self.set_to(&RETENTION_1DAY)?.0,
            ledger: self.set_to(&RETENTION_LEDGER)?.0,
        })
    }

    /// What a setting is set to, else its default.
    ///
    /// # Errors
    /// [`StoreError::Setting`] when its value means nothing.
    pub fn set_to<T: Form>(&self, key: &Key<T>) -> Result<T, StoreError> {
        match self.kept(key.kept_as)? {
            None => Ok(key.default.clone()),
            Some(kept) => T::recall(&kept).ok_or_else(|| meaningless(key.name, kept)),
        }
    }

    /// What a setting is set to, as a person writes it; `None` when nobody set it.
    ///
    /// # Errors
    /// [`StoreError::Setting`] when its value means nothing.
    pub fn set_text(&self, setting: &dyn Setting) -> Result<Option<String>, StoreError> {
        let Some(kept) = self.kept(setting.kept_as())? else {
            return Ok(None);
        };
        match setting.show(&kept) {
            Some(shown) => Ok(Some(shown)),
            None => Err(meaningless(setting.name(), kept)),
        }
    }

    /// Gives a setting a value, in the form in which it is kept; `None`: its default.
    /// Whether values fit together is checked by whoever asks.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_setting(
        &self,
        setting: &dyn Setting,
        kept: Option<&str>,
    ) -> Result<(), StoreError> {
        let key = setting.kept_as();
        match kept {
            Some(value) => self
                .conn
                .prepare_cached(SET)?
                .execute(named_params! { ":key": key, ":value": value })?,
            None => self
                .conn
                .prepare_cached(UNSET)?
                .execute(named_params! { ":key": key })?,
        };
        Ok(())
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
        for (key, age) in [
            (&RETENTION_RAW, raw),
            (&RETENTION_1MIN, minute),
            (&RETENTION_1HOUR, hour),
            (&RETENTION_1DAY, day),
            (&RETENTION_LEDGER, ledger),
        ] {
            self.keep_setting(key, Some(&Age(age).kept()))?;
        }
        Ok(())
    }

    /// Sets the zone of local days.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_zone(&self, zone: Zone) -> Result<(), StoreError> {
        self.keep_setting(&TIMEZONE, Some(&zone.kept()))
    }

    fn kept(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut stmt = self.conn.prepare_cached(GET)?;
        let mut rows = stmt.query(named_params! { ":key": key })?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }
}

fn meaningless(name: &str, value: String) -> StoreError {
    StoreError::Setting {
        key: name.to_owned(),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    #[test]
    fn every_setting_shows_its_default_as_one_may_write_it() {
        for (nth, setting) in SETTINGS.iter().enumerate() {
            let kept = setting.read(&setting.default()).unwrap();
            assert_eq!(setting.show(&kept), Some(setting.default()));
            let same = |other: &&dyn Setting| {
                other.name() == setting.name() || other.kept_as() == setting.kept_as()
            };
            assert_eq!(SETTINGS.iter().position(same), Some(nth));
        }
    }

    #[test]
    fn what_is_set_is_read_back_until_it_is_unset() {
        let mut store = testing::empty();
        store
            .store
            .write(|txn| {
                assert_eq!(txn.set_to(&HEALTH_DEGRADED_P95)?.0, 5_000);
                let kept = HEALTH_DEGRADED_P95.read("2s").unwrap();
                txn.keep_setting(&HEALTH_DEGRADED_P95, Some(&kept))?;
                assert_eq!(txn.set_to(&HEALTH_DEGRADED_P95)?.0, 2_000);
                assert_eq!(txn.set_text(&HEALTH_DEGRADED_P95)?.as_deref(), Some("2s"));
                txn.keep_setting(&HEALTH_DEGRADED_P95, None)?;
                assert_eq!(txn.set_text(&HEALTH_DEGRADED_P95)?, None);
                txn.keep_setting(&HEALTH_DEGRADED_P95, Some("-5"))?;
                assert!(txn.set_to(&HEALTH_DEGRADED_P95).is_err());
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }

    #[test]
    fn a_slip_in_a_name_brings_the_nearest() {
        let unknown = setting("health_windw").err().unwrap();
        assert_eq!(unknown.nearest, Some("health_window"));
        assert_eq!(setting("banana").err().unwrap().nearest, None);
    }
}
