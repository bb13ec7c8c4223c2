//! Checks that the aggregates are what their events make them.
//!
//! Minutes are computed again from raw, hours from their minutes, days from
//! their hours, ledger days and sessions from raw; what raw no longer covers is
//! not judged, and dirty minutes are counted and skipped. Nothing is written.

use rustc_hash::{FxHashMap, FxHashSet};

use super::EVER;
use super::groups::{self, Groups};
use crate::model::{Millis, Resolution, Span, Stats};
use crate::store::{
    BucketKey, Floors, LedgerKey, LocalDays, NameId, Parts, SessionKey, Settings, Store,
    StoreError, Txn, date_of_day,
};

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Buckets, ledger rows and sessions that were compared.
    pub checked: u64,
    /// Dirty minutes, whose buckets were skipped.
    pub skipped_minutes: u64,
    /// Where something differs.
    pub mismatches: Vec<Mismatch>,
}

/// One place where an aggregate is not what its events make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which table: `1min`, `1hour`, `1day`, `ledger`, `session`.
    pub table: &'static str,
    /// The bucket, the local date or the session.
    pub place: String,
    /// Provider.
    pub provider: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Requests in the aggregate.
    pub stored_requests: u64,
    /// Requests as computed.
    pub computed_requests: u64,
}

type Level = FxHashMap<BucketKey, Stats>;

/// Compares every clean aggregate that can be computed again.
///
/// # Errors
/// When the store cannot be read.
pub fn verify(store: &mut Store) -> Result<Verification, StoreError> {
    store.read(|txn| {
        let floors = txn.floors()?;
        let dirty: FxHashSet<Millis> = txn
            .dirty_minutes(EVER, u32::MAX)?
            .into_iter()
            .map(|(minute, _)| minute)
            .collect();
        let mut check = Check {
            txn,
            settings: txn.settings()?,
            floors,
            found: Verification {
                skipped_minutes: dirty.len() as u64,
                ..Verification::default()
            },
            dirty,
        };
        check.tiers()?;
        check.ledger()?;
        check.sessions()?;
        Ok(check.found)
    })
}

struct Check<'t> {
    txn: &'t Txn<'t>,
    settings: Settings,
    floors: Floors,
    dirty: FxHashSet<Millis>,
    found: Verification,
}

impl Check<'_> {
    /// Day by day: minutes against raw, hours against minutes, the day against hours.
    fn tiers(&mut self) -> Result<(), StoreError> {
        let mut from = self.floors.hour;
        while let Some(day) = self.next_day(from)? {
            let mut hours = Level::default();
            let mut day_is_clean = true;
            for h in 0..24 {
                let hour = day.plus(h * Millis::HOUR);
                day_is_clean &= self.hour(hour)?;
                merge_all(&mut hours, &self.stored(Resolution::Hour, hour)?);
            }
            if day_is_clean && day >= self.floors.hour && day >= self.floors.day {
                self.compare(Resolution::Day, day, &hours)?;
            }
            from = day.plus(Millis::DAY);
        }
        Ok(())
    }

    /// The next UTC day in which there is anything.
    fn next_day(&self, from: Millis) -> Result<Option<Millis>, StoreError> {
        let mut first = self.txn.first_event(from)?;
        for tier in Resolution::BUCKETS {
            first = first
                .into_iter()
                .chain(self.txn.first_bucket(tier, from)?)
                .min();
        }
        Ok(first.map(|at| at.floor(Millis::DAY)))
    }

    /// Checks the minutes of an hour and the hour; says whether all of it is clean.
    fn hour(&mut self, hour: Millis) -> Result<bool, StoreError> {
        let end = hour.plus(Millis::HOUR);
        if hour < self.floors.minute {
            return Ok(self.is_clean(hour, end));
        }
        let mut from_raw: FxHashMap<Millis, Level> = FxHashMap::default();
        if hour >= self.floors.raw {
            let mut groups = Groups::new(self.txn);
            let mut level = groups::Level::default();
            let mut current = hour;
            self.txn.scan(Span::new(hour, end), |stored| {
                let minute = stored.event.at.floor(Millis::MINUTE);
                if minute != current {
                    from_raw.insert(current, by_key(&groups, &mut level));
                    current = minute;
                }
                let group = groups.of(stored.series)?;
                level
                    .of(group.slot)
                    .observe(&stored.event, self.settings.cost_mode);
                Ok::<_, StoreError>(())
            })?;
            from_raw.insert(current, by_key(&groups, &mut level));
        }
        let mut minutes = Level::default();
        for m in 0..60 {
            let minute = hour.plus(m * Millis::MINUTE);
            let stored = self.stored(Resolution::Minute, minute)?;
            if hour >= self.floors.raw && !self.dirty.contains(&minute) {
                let computed = from_raw.remove(&minute).unwrap_or_default();
                self.compare_levels(Resolution::Minute, minute, &stored, &computed)?;
            }
            merge_all(&mut minutes, &stored);
        }
        let clean = self.is_clean(hour, end);
        if clean {
            self.compare(Resolution::Hour, hour, &minutes)?;
        }
        Ok(clean)
    }

    fn is_clean(&self, from: Millis, until: Millis) -> bool {
        let minutes = (until.0 - from.0) / Millis::MINUTE;
        (0..minutes).all(|m| !self.dirty.contains(&from.plus(m * Millis::MINUTE)))
    }

    fn stored(&self, tier: Resolution, at: Millis) -> Result<Level, StoreError> {
        let mut level = Level::default();
        self.txn.buckets(
            tier,
            Span::new(at, at.plus(tier.step_ms())),
            None,
            Parts::All,
            |bucket| bucket.add_to(level.entry(bucket.key).or_default()),
        )?;
        Ok(level)
    }

    fn compare(
        &mut self,
        tier: Resolution,
        at: Millis,
        computed: &Level,
    ) -> Result<(), StoreError> {
        let stored = self.stored(tier, at)?;
        self.compare_levels(tier, at, &stored, computed)
    }

    fn compare_levels(
        &mut self,
        tier: Resolution,
        at: Millis,
        stored: &Level,
        computed: &Level,
    ) -> Result<(), StoreError> {
        let keys: FxHashSet<BucketKey> = stored.keys().chain(computed.keys()).copied().collect();
        for key in keys {
            let (stored, computed) = (stored.get(&key), computed.get(&key));
            self.judge(
                tier.name(),
                &at.to_string(),
                key.provider,
                key.model,
                stored,
                computed,
            )?;
        }
        Ok(())
    }

    fn judge(
        &mut self,
        table: &'static str,
        place: &str,
        provider: NameId,
        model: NameId,
        stored: Option<&Stats>,
        computed: Option<&Stats>,
    ) -> Result<(), StoreError> {
        self.found.checked += 1;
        if stored == computed {
            return Ok(());
        }
        self.found.mismatches.push(Mismatch {
            table,
            place: place.to_owned(),
            provider: self.txn.name(provider)?,
            model: self.txn.name(model)?,
            stored_requests: stored.map_or(0, |s| s.requests),
            computed_requests: computed.map_or(0, |s| s.requests),
        });
        Ok(())
    }

    /// Ledger days that lie wholly in raw and have no dirty minute.
    fn ledger(&mut self) -> Result<(), StoreError> {
        let days = LocalDays::new(self.settings.zone);
        let mut from = self.floors.raw;
        while let Some(first) = self.txn.first_event(from)? {
            let day = LocalDays::new(self.settings.zone).day(first);
            let span = days.span_of(day);
            from = span.until;
            let clean = self.dirty.iter().all(|minute| !span.contains(*minute));
            if span.from < self.floors.raw || !clean {
                continue;
            }
            let computed = ledger_of_day(self.txn, &self.settings, day, span)?;
            let mut stored = FxHashMap::default();
            self.txn.ledger(day..day + 1, |key, sums| {
                stored.insert(*key, sums.clone());
                Ok::<_, StoreError>(())
            })?;
            let keys: FxHashSet<LedgerKey> =
                stored.keys().chain(computed.keys()).copied().collect();
            for key in keys {
                let computed = computed.get(&key).map(|sums| without_extent(sums.clone()));
                let date = date_of_day(day).to_string();
                self.judge(
                    "ledger",
                    &date,
                    key.provider,
                    key.model,
                    stored.get(&key),
                    computed.as_ref(),
                )?;
            }
        }
        Ok(())
    }

    /// Sessions whose whole life lies in raw; only when nothing is dirty.
    fn sessions(&mut self) -> Result<(), StoreError> {
        if !self.dirty.is_empty() {
            return Ok(());
        }
        let computed = sessions_of_raw(self.txn, &self.settings, self.floors.raw)?;
        let mut stored = FxHashMap::default();
        self.txn.sessions(self.floors.raw, |key, sums| {
            if sums.first >= Some(self.floors.raw) {
                stored.insert(*key, sums.clone());
            }
            Ok::<_, StoreError>(())
        })?;
        for (key, sums) in &stored {
            let place = self.txn.name(key.session)?.unwrap_or_default();
            self.judge(
                "session",
                &place,
                key.provider,
                key.model,
                Some(sums),
                computed.get(key),
            )?;
        }
        Ok(())
    }
}

/// What was counted since the last time, by group.
fn by_key(groups: &Groups<'_>, level: &mut groups::Level) -> Level {
    let counted = std::mem::take(level);
    let slots = groups.in_order().iter();
    slots
        .filter_map(|slot| Some((groups.keys[*slot], counted.get(*slot)?.clone())))
        .collect()
}

fn merge_all(into: &mut Level, from: &Level) {
    for (key, stats) in from {
        into.entry(*key).or_default().merge(stats);
    }
}

/// The ledger keeps neither first nor last event.
pub(super) fn without_extent(mut sums: Stats) -> Stats {
    sums.first = None;
    sums.last = None;
    sums
}

/// A day of the ledger, from raw.
pub(super) fn ledger_of_day(
    txn: &Txn<'_>,
    settings: &Settings,
    day: i32,
    span: Span,
) -> Result<FxHashMap<LedgerKey, Stats>, StoreError> {
    let mut groups = Groups::new(txn);
    let mut sums: FxHashMap<LedgerKey, Stats> = FxHashMap::default();
    txn.scan(span, |stored| {
        let group = groups.of(stored.series)?;
        let BucketKey {
            provider, model, ..
        } = group.key;
        let key = LedgerKey {
            day,
            provider,
            model,
            user: stored.user,
            project: group.project,
        };
        sums.entry(key)
            .or_default()
            .observe_sums(&stored.event, settings.cost_mode);
        Ok::<_, StoreError>(())
    })?;
    Ok(sums)
}

/// All sessions, as far as raw events tell.
pub(super) fn sessions_of_raw(
    txn: &Txn<'_>,
    settings: &Settings,
    from: Millis,
) -> Result<FxHashMap<SessionKey, Stats>, StoreError> {
    let mut groups = Groups::new(txn);
    let mut sums: FxHashMap<SessionKey, Stats> = FxHashMap::default();
    txn.scan(Span::new(from, EVER.until), |stored| {
        if stored.session == NameId::NONE {
            return Ok(());
        }
        let group = groups.of(stored.series)?;
        let BucketKey {
            provider, model, ..
        } = group.key;
        let key = SessionKey {
            session: stored.session,
            provider,
            model,
            user: stored.user,
            project: group.project,
        };
        sums.entry(key)
            .or_default()
            .observe_sums(&stored.event, settings.cost_mode);
        Ok::<_, StoreError>(())
    })?;
    Ok(sums)
}
