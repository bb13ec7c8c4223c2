//! One transaction of a roll-up: some minutes of one UTC day, and the hours and the
//! day above them as soon as nothing below them waits any more. Until then an hour
//! or a day that is behind is told by its dirty minutes, and nobody reads it.

use super::groups::{Groups, Level, Tally};
use super::{EVER, Report};
use crate::model::{CostMode, Millis, Resolution, Span};
use crate::store::{
    BucketKey, BucketWriter, Floors, LedgerKey, LocalDays, NameId, Parts, SessionKey, StoreError,
    Stored, Txn,
};

/// Minutes of a day.
const MINUTES_PER_DAY: u32 = 1_440;

/// A dirty minute, and the first batch of it that the ledger has not seen.
type Dirty = (Millis, i64);

/// Rolls up the first dirty minutes, until so much is done; says whether more of them wait.
pub(super) fn roll(
    txn: &Txn<'_>,
    until: Millis,
    effort: u64,
) -> Result<(Report, bool), StoreError> {
    let waiting = txn.dirty_minutes(Span::new(EVER.from, until), MINUTES_PER_DAY)?;
    let Some((first, _)) = waiting.first() else {
        return Ok((Report::default(), false));
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
    let dirty = &waiting[..waiting.partition_point(|(minute, _)| *minute < end)];
    let mut slice = Slice::new(txn, floors, effort)?;
    for hour in dirty.chunk_by(|a, b| a.0.floor(Millis::HOUR) == b.0.floor(Millis::HOUR)) {
        if released {
            slice.absorb_hour(hour)?
        } else {
            slice.compute_hour(hour)?
        }
        if slice.is_full() {
            break;
        }
    }
    let done = slice.report.minutes as usize;
    if released {
        slice.absorb_day(day)?
    } else if done == dirty.len() {
        slice.compute_day(day)?
    }
    slice.settle_ledger()?;
    slice.report.slices = 1;
    let more = done < waiting.len() || done == MINUTES_PER_DAY as usize;
    Ok((slice.report, more))
}

struct Slice<'t> {
    txn: &'t Txn<'t>,
    floors: Floors,
    cost_mode: CostMode,
    days: LocalDays,
    groups: Groups<'t>,
    /// The minute, the hour and the day being made, by group.
    minute: Level,
    hour: Level,
    day: Level,
    minutes: BucketWriter<'t>,
    /// Hours that are in `day` already.
    hours_done: Vec<Millis>,
    ledger: Tally<LedgerKey>,
    sessions: Tally<SessionKey>,
    report: Report,
    /// The effort after which it ends.
    enough: u64,
}

impl<'t> Slice<'t> {
    fn new(txn: &'t Txn<'t>, floors: Floors, enough: u64) -> Result<Slice<'t>, StoreError> {
        let settings = txn.settings()?;
        Ok(Slice {
            txn,
            floors,
            cost_mode: settings.cost_mode,
            days: LocalDays::new(settings.zone),
            groups: Groups::new(txn),
            minute: Level::default(),
            hour: Level::default(),
            day: Level::default(),
            minutes: txn.bucket_writer(Resolution::Minute)?,
            hours_done: Vec::new(),
            ledger: Tally::default(),
            sessions: Tally::default(),
            report: Report::default(),
            enough,
        })
    }

    /// What it took so far.
    fn effort(&self) -> u64 {
        Report {
            ledger_rows: self.ledger.len() + self.sessions.len(),
            ..self.report
        }
        .effort()
    }

    fn is_full(&self) -> bool {
        self.effort() >= self.enough
    }

    /// How many minutes like those before would fill it up.
    fn minutes_that_fit(&self) -> usize {
        let left = self.enough.saturating_sub(self.effort());
        let fit = left.saturating_mul(self.report.minutes) / self.effort().max(1);
        fit.max(1) as usize
    }

    /// Computes the dirty minutes of one hour from raw, as many as fit, and when that
    /// is all of them the hour from its minutes.
    fn compute_hour(&mut self, dirty: &[Dirty]) -> Result<(), StoreError> {
        let hour = dirty[0].0.floor(Millis::HOUR);
        let mut done = 0;
        for run in runs(dirty) {
            let mut rest = run;
            while !rest.is_empty() && !self.is_full() {
                let (some, later) = rest.split_at(self.minutes_that_fit().min(rest.len()));
                self.compute_minutes(some)?;
                done += some.len();
                rest = later;
            }
        }
        self.txn.clean(Span::new(hour, dirty[done - 1].0.plus(1)))?;
        if done < dirty.len() {
            return Ok(());
        }
        let mut clean_from = hour;
        for span in runs(dirty).map(span_of_run) {
            self.add_buckets(Resolution::Minute, Span::new(clean_from, span.from))?;
            clean_from = span.until;
        }
        self.add_buckets(
            Resolution::Minute,
            Span::new(clean_from, hour.plus(Millis::HOUR)),
        )?;
        let mut made = std::mem::take(&mut self.hour);
        self.replace(Resolution::Hour, hour, &made)?;
        self.day.absorb(&mut made);
        self.hour = made;
        self.hours_done.push(hour);
        Ok(())
    }

    fn compute_minutes(&mut self, run: &[Dirty]) -> Result<(), StoreError> {
        let span = span_of_run(run);
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
        self.minute
            .of(group.slot)
            .observe(&stored.event, self.cost_mode);
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
        let ledger = self.ledger.of(LedgerKey {
            day,
            provider,
            model,
            user,
            project,
        });
        ledger.observe_sums(&stored.event, self.cost_mode);
        if session != NameId::NONE {
            let session = self.sessions.of(SessionKey {
                session,
                provider,
                model,
                user,
                project,
            });
            session.observe_sums(&stored.event, self.cost_mode);
        }
    }

    /// Writes what was observed since the last time as the buckets of a minute.
    fn end_minute(&mut self, minute: Millis) -> Result<(), StoreError> {
        for slot in self.groups.in_order() {
            let stats = self.minute.of(*slot);
            if !stats.is_empty() {
                self.minutes.put(minute, self.groups.keys[*slot], stats)?;
                self.report.buckets += 1;
                self.hour.of(*slot).merge(stats);
                stats.clear();
            }
        }
        Ok(())
    }

    /// Adds buckets that are right as they are to the level above them.
    fn add_buckets(&mut self, tier: Resolution, span: Span) -> Result<(), StoreError> {
        if span.is_empty() {
            return Ok(());
        }
        let level = if tier == Resolution::Minute {
            &mut self.hour
        } else {
            &mut self.day
        };
        let groups = &mut self.groups;
        self.txn.buckets(tier, span, None, Parts::All, |bucket| {
            bucket.add_to(level.of(groups.slot(bucket.key)))
        })
    }

    fn compute_day(&mut self, day: Millis) -> Result<(), StoreError> {
        let mut clean_from = day;
        for hour in std::mem::take(&mut self.hours_done) {
            self.add_buckets(Resolution::Hour, Span::new(clean_from, hour))?;
            clean_from = hour.plus(Millis::HOUR);
        }
        self.add_buckets(
            Resolution::Hour,
            Span::new(clean_from, day.plus(Millis::DAY)),
        )?;
        let made = std::mem::take(&mut self.day);
        self.replace(Resolution::Day, day, &made)
    }

    /// Puts these groups in the place of a bucket.
    fn replace(&mut self, tier: Resolution, at: Millis, made: &Level) -> Result<(), StoreError> {
        self.txn
            .drop_buckets(tier, Span::new(at, at.plus(tier.step_ms())))?;
        let mut writer = self.txn.bucket_writer(tier)?;
        for slot in self.groups.in_order() {
            if let Some(stats) = made.get(*slot) {
                writer.put(at, self.groups.keys[*slot], stats)?;
                self.report.buckets += 1;
            }
        }
        Ok(())
    }

    /// Adds events from before the floor of raw, as many minutes as fit, to buckets
    /// that do not know them, and lets them go.
    fn absorb_hour(&mut self, dirty: &[Dirty]) -> Result<(), StoreError> {
        let hour = dirty[0].0.floor(Millis::HOUR);
        for minute in dirty {
            let span = span_of_run(std::slice::from_ref(minute));
            let txn = self.txn;
            txn.scan(span, |stored| self.observe(stored, i64::MIN))?;
            let mut added = std::mem::take(&mut self.minute);
            self.add_to_bucket(Resolution::Minute, minute.0, &added)?;
            self.hour.absorb(&mut added);
            self.minute = added;
            self.txn.let_go(span)?;
            self.txn.clean(span)?;
            self.report.minutes += 1;
            if self.is_full() {
                break;
            }
        }
        let mut added = std::mem::take(&mut self.hour);
        self.add_to_bucket(Resolution::Hour, hour, &added)?;
        self.day.absorb(&mut added);
        self.hour = added;
        Ok(())
    }

    fn absorb_day(&mut self, day: Millis) -> Result<(), StoreError> {
        let added = std::mem::take(&mut self.day);
        self.add_to_bucket(Resolution::Day, day, &added)
    }

    /// Merges groups into a bucket, where its tier still reaches back that far.
    fn add_to_bucket(
        &mut self,
        tier: Resolution,
        at: Millis,
        added: &Level,
    ) -> Result<(), StoreError> {
        if at < self.floors.of(tier) {
            return Ok(());
        }
        let mut whole = added.clone();
        let groups = &mut self.groups;
        let span = Span::new(at, at.plus(tier.step_ms()));
        self.txn.buckets(tier, span, None, Parts::All, |bucket| {
            bucket.add_to(whole.of(groups.slot(bucket.key)))
        })?;
        self.replace(tier, at, &whole)
    }

    fn settle_ledger(&mut self) -> Result<(), StoreError> {
        for (key, sums) in self.ledger.in_order() {
            self.txn.add_to_ledger(key, sums)?;
            self.report.ledger_rows += 1;
        }
        for (key, sums) in self.sessions.in_order() {
            self.txn.add_to_session(key, sums)?;
            self.report.ledger_rows += 1;
        }
        Ok(())
    }
}

/// Neighbouring minutes together.
fn runs(dirty: &[Dirty]) -> impl Iterator<Item = &[Dirty]> {
    dirty.chunk_by(|a, b| a.0.plus(Millis::MINUTE) == b.0)
}

/// The span of neighbouring minutes.
fn span_of_run(run: &[Dirty]) -> Span {
    Span::new(run[0].0, run[run.len() - 1].0.plus(Millis::MINUTE))
}
