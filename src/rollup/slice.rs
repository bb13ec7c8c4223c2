//! One transaction of a roll-up: some hours of one UTC day.

use rustc_hash::FxHashMap;

use super::{EVER, Report};
use crate::model::{CostMode, Millis, Resolution, Span, Stats};
use crate::store::{
    BucketKey, Floors, LedgerKey, LocalDays, NameId, Parts, SeriesId, SessionKey, StoreError,
    Stored, Txn,
};

/// Events after which a slice ends at the next full hour: enough to make the
/// day's rows worth writing, few enough to let other writers in.
const EVENTS_PER_SLICE: u64 = 150_000;
/// Minutes of a day.
const MINUTES_PER_DAY: u32 = 1_440;

/// A dirty minute, and the first batch of it that the ledger has not seen.
type Dirty = (Millis, i64);

/// Rolls up the first dirty hours; a report of 0 minutes means that there are none.
pub(super) fn roll(txn: &Txn<'_>, until: Millis) -> Result<Report, StoreError> {
    let dirty = txn.dirty_minutes(Span::new(EVER.from, until), MINUTES_PER_DAY)?;
    let Some((first, _)) = dirty.first() else {
        return Ok(Report::default());
    };
    let floors = txn.floors()?;
    let day = first.floor(Millis::DAY);
    let released = *first < floors.raw;
    // A slice lies in one day and on one side of the floor of raw events.
    let end = if released {
        day.plus(Millis::DAY).min(floors.raw)
    } else {
        day.plus(Millis::DAY)
    };
    let dirty = &dirty[..dirty.partition_point(|(minute, _)| *minute < end)];
    let mut slice = Slice::new(txn, floors)?;
    for hour in dirty.chunk_by(|a, b| a.0.floor(Millis::HOUR) == b.0.floor(Millis::HOUR)) {
        if released {
            slice.absorb_hour(hour)?
        } else {
            slice.compute_hour(hour)?
        }
        if slice.report.events >= EVENTS_PER_SLICE {
            break;
        }
    }
    if released {
        slice.absorb_day(day)?
    } else {
        slice.compute_day(day)?
    }
    slice.settle_ledger()?;
    slice.report.slices = 1;
    Ok(slice.report)
}

struct Slice<'t> {
    txn: &'t Txn<'t>,
    floors: Floors,
    cost_mode: CostMode,
    days: LocalDays,
    groups: Groups<'t>,
    /// The hour and the day being made.
    hour: Level,
    day: Level,
    /// Hours that are in `day` already.
    hours_done: Vec<Millis>,
    ledger: FxHashMap<LedgerKey, Stats>,
    sessions: FxHashMap<SessionKey, Stats>,
    report: Report,
}

/// The groups of one bucket, being filled.
type Level = FxHashMap<BucketKey, Stats>;

impl<'t> Slice<'t> {
    fn new(txn: &'t Txn<'t>, floors: Floors) -> Result<Slice<'t>, StoreError> {
        let settings = txn.settings()?;
        Ok(Slice {
            txn,
            floors,
            cost_mode: settings.cost_mode,
            days: LocalDays::new(settings.zone),
            groups: Groups::new(txn),
            hour: Level::default(),
            day: Level::default(),
            hours_done: Vec::new(),
            ledger: FxHashMap::default(),
            sessions: FxHashMap::default(),
            report: Report::default(),
        })
    }

    /// Computes the dirty minutes of one hour from raw, and the hour from its minutes.
    fn compute_hour(&mut self, dirty: &[Dirty]) -> Result<(), StoreError> {
        let hour = dirty[0].0.floor(Millis::HOUR);
        let mut clean_from = hour;
        for run in dirty.chunk_by(|a, b| a.0.plus(Millis::MINUTE) == b.0) {
            let span = span_of_run(run);
            self.merge_buckets(Resolution::Minute, Span::new(clean_from, span.from))?;
            self.compute_minutes(run, span)?;
            clean_from = span.until;
        }
        let end = hour.plus(Millis::HOUR);
        self.merge_buckets(Resolution::Minute, Span::new(clean_from, end))?;
        self.txn
            .clean(Span::new(hour, dirty[dirty.len() - 1].0.plus(1)))?;
        let stats = std::mem::take(&mut self.hour);
        self.replace(Resolution::Hour, hour, &stats)?;
        merge_all(&mut self.day, &stats);
        self.hours_done.push(hour);
        Ok(())
    }

    fn compute_minutes(&mut self, run: &[Dirty], span: Span) -> Result<(), StoreError> {
        self.txn.drop_buckets(Resolution::Minute, span)?;
        let mut at = 0;
        let txn = self.txn;
        txn.scan(span, |stored| {
            let minute = stored.event.at.floor(Millis::MINUTE);
            while run[at].0 < minute {
                self.end_minute(run[at].0)?;
                at += 1;
            }
            self.observe(stored, run[at].1)
        })?;
        for (minute, _) in &run[at..] {
            self.end_minute(*minute)?;
        }
        self.report.minutes += run.len() as u64;
        Ok(())
    }

    fn observe(&mut self, stored: &Stored, unseen_since: i64) -> Result<(), StoreError> {
        let group = self.groups.of(stored.series)?;
        self.groups.stats[group.slot].observe(&stored.event, self.cost_mode);
        if stored.batch >= unseen_since {
            self.enter(stored, group.key, group.project);
        }
        self.report.events += 1;
        Ok(())
    }

    /// Notes an event that the ledger has not seen.
    fn enter(&mut self, stored: &Stored, key: BucketKey, project: NameId) {
        let BucketKey {
            provider, model, ..
        } = key;
        let (user, session) = (stored.user, stored.session);
        let day = self.days.day(stored.event.at);
        self.ledger
            .entry(LedgerKey {
                day,
                provider,
                model,
                user,
                project,
            })
            .or_default()
            .observe_sums(&stored.event, self.cost_mode);
        if session != NameId::NONE {
            self.sessions
                .entry(SessionKey {
                    session,
                    provider,
                    model,
                    user,
                    project,
                })
                .or_default()
                .observe_sums(&stored.event, self.cost_mode);
        }
    }

    /// Writes what was observed since the last time as the buckets of a minute.
    fn end_minute(&mut self, minute: Millis) -> Result<(), StoreError> {
        for (key, stats) in self.groups.take() {
            self.txn
                .put_bucket(Resolution::Minute, minute, key, &stats)?;
            self.report.buckets += 1;
            self.hour.entry(key).or_default().merge(&stats);
        }
        Ok(())
    }

    /// Adds buckets that are right as they are to the level above them.
    fn merge_buckets(&mut self, tier: Resolution, span: Span) -> Result<(), StoreError> {
        if span.is_empty() {
            return Ok(());
        }
        let level = if tier == Resolution::Minute {
            &mut self.hour
        } else {
            &mut self.day
        };
        self.txn.buckets(tier, span, None, Parts::All, |bucket| {
            bucket.add_to(level.entry(bucket.key).or_default())
        })
    }

    fn compute_day(&mut self, day: Millis) -> Result<(), StoreError> {
        let mut clean_from = day;
        for hour in std::mem::take(&mut self.hours_done) {
            self.merge_buckets(Resolution::Hour, Span::new(clean_from, hour))?;
            clean_from = hour.plus(Millis::HOUR);
        }
        self.merge_buckets(
            Resolution::Hour,
            Span::new(clean_from, day.plus(Millis::DAY)),
        )?;
        let stats = std::mem::take(&mut self.day);
        self.replace(Resolution::Day, day, &stats)
    }

    /// Puts these groups in the place of a bucket.
    fn replace(&mut self, tier: Resolution, at: Millis, level: &Level) -> Result<(), StoreError> {
        self.txn
            .drop_buckets(tier, Span::new(at, at.plus(tier.step_ms())))?;
        let mut groups: Vec<_> = level.iter().collect();
        groups.sort_unstable_by_key(|(key, _)| **key);
        for (key, stats) in groups {
            self.txn.put_bucket(tier, at, *key, stats)?;
            self.report.buckets += 1;
        }
        Ok(())
    }

    /// Adds events from before the floor of raw to minutes that do not know them,
    /// and lets them go.
    fn absorb_hour(&mut self, dirty: &[Dirty]) -> Result<(), StoreError> {
        let hour = dirty[0].0.floor(Millis::HOUR);
        let mut added = Level::default();
        for run in dirty.chunk_by(|a, b| a.0.plus(Millis::MINUTE) == b.0) {
            for minute in run {
                let span = span_of_run(std::slice::from_ref(minute));
                let txn = self.txn;
                txn.scan(span, |stored| self.observe(stored, i64::MIN))?;
                let level: Level = self.groups.take().into_iter().collect();
                merge_all(&mut added, &level);
                self.add_to_bucket(Resolution::Minute, minute.0, level)?;
            }
            let span = span_of_run(run);
            self.txn.let_go(span)?;
            self.txn.clean(span)?;
            self.report.minutes += run.len() as u64;
        }
        merge_all(&mut self.day, &added);
        self.add_to_bucket(Resolution::Hour, hour, added)
    }

    fn absorb_day(&mut self, day: Millis) -> Result<(), StoreError> {
        let added = std::mem::take(&mut self.day);
        self.add_to_bucket(Resolution::Day, day, added)
    }

    /// Merges groups into a bucket, where its tier still reaches back that far.
    fn add_to_bucket(
        &mut self,
        tier: Resolution,
        at: Millis,
        mut level: Level,
    ) -> Result<(), StoreError> {
        if at < self.floors.of(tier) {
            return Ok(());
        }
        let span = Span::new(at, at.plus(tier.step_ms()));
        self.txn.buckets(tier, span, None, Parts::All, |bucket| {
            bucket.add_to(level.entry(bucket.key).or_default())
        })?;
        self.replace(tier, at, &level)
    }

    fn settle_ledger(&mut self) -> Result<(), StoreError> {
        let mut ledger: Vec<_> = std::mem::take(&mut self.ledger).into_iter().collect();
        ledger.sort_unstable_by_key(|(key, _)| *key);
        for (key, sums) in &ledger {
            self.txn.add_to_ledger(key, sums)?;
        }
        let mut sessions: Vec<_> = std::mem::take(&mut self.sessions).into_iter().collect();
        sessions.sort_unstable_by_key(|(key, _)| *key);
        for (key, sums) in &sessions {
            self.txn.add_to_session(key, sums)?;
        }
        self.report.ledger_rows += (ledger.len() + sessions.len()) as u64;
        Ok(())
    }
}

/// The span of neighbouring minutes.
fn span_of_run(run: &[Dirty]) -> Span {
    Span::new(run[0].0, run[run.len() - 1].0.plus(Millis::MINUTE))
}

fn merge_all(into: &mut Level, from: &Level) {
    for (key, stats) in from {
        into.entry(*key).or_default().merge(stats);
    }
}

/// The groups of a minute in places of their own, found by the series of an event.
pub(super) struct Groups<'t> {
    txn: &'t Txn<'t>,
    by_series: FxHashMap<SeriesId, Group>,
    slots: FxHashMap<BucketKey, usize>,
    keys: Vec<BucketKey>,
    pub(super) stats: Vec<Stats>,
    order: Vec<usize>,
}

/// Where events of a series are counted.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) slot: usize,
    pub(super) key: BucketKey,
    pub(super) project: NameId,
}

impl<'t> Groups<'t> {
    pub(super) fn new(txn: &'t Txn<'t>) -> Groups<'t> {
        Groups {
            txn,
            by_series: FxHashMap::default(),
            slots: FxHashMap::default(),
            keys: Vec::new(),
            stats: Vec::new(),
            order: Vec::new(),
        }
    }

    pub(super) fn of(&mut self, series: SeriesId) -> Result<Group, StoreError> {
        if let Some(group) = self.by_series.get(&series) {
            return Ok(*group);
        }
        let labels = self.txn.series(series)?;
        let key = BucketKey {
            provider: labels.provider,
            model: labels.model,
            role: labels.role,
        };
        let next = self.keys.len();
        let slot = *self.slots.entry(key).or_insert(next);
        if slot == next {
            self.keys.push(key);
            self.stats.push(Stats::default());
            self.order.push(slot);
            self.order.sort_unstable_by_key(|slot| self.keys[*slot]);
        }
        let group = Group {
            slot,
            key,
            project: labels.project,
        };
        self.by_series.insert(series, group);
        Ok(group)
    }

    /// The groups that saw something since the last time, in order.
    pub(super) fn take(&mut self) -> Vec<(BucketKey, Stats)> {
        let mut taken = Vec::new();
        for slot in &self.order {
            let stats = std::mem::take(&mut self.stats[*slot]);
            if !stats.is_empty() {
                taken.push((self.keys[*slot], stats));
            }
        }
        taken
    }
}
