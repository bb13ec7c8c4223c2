//! A witness: remembers every event that a store accepted, and knows what must be
//! kept, what waits for a roll-up, and which repetitions can still be told.
//!
//! It is written without the parts it is a witness against: a list of events, and
//! what is said of retention and identity in the documents.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeZone};

use super::history::{Deed, Happening};
use super::{Names, Temporary};
use crate::model::{Event, Millis, Span, Zone};
use crate::store::{Dedupe, Floors, Retention, StoreError};
use crate::{retention, rollup};

const MINUTE: i64 = Millis::MINUTE;
const HOUR: i64 = Millis::HOUR;
const DAY: i64 = Millis::DAY;

/// Saturday, 2026-03-07T00:00Z: the clocks of New York are put forward the day after.
pub(crate) const BEGINNING: i64 = 1_772_841_600_000;

/// By what repetitions of an event are told while it is raw.
type Identity = (&'static str, String);

/// A store, and a witness of all that befell it.
pub(crate) struct Past {
    pub temporary: Temporary,
    pub now: i64,
    pub zone: Zone,
    pub keeping: Retention,
    /// Every event that counts, whether still raw or not.
    pub events: Vec<Event<'static>>,
    /// Minutes that wait for a roll-up.
    pub dirty: BTreeSet<i64>,
    pub floors: Floors,
    /// Ledger days and sessions that ended before these may be gone.
    pub ledger_cut: Option<i64>,
    pub session_cut: Option<i64>,
    /// Events that are still raw, as places in `events`.
    raw: BTreeMap<(i64, Identity), usize>,
    first_seen: BTreeMap<Identity, i64>,
    named: u64,
}

impl Past {
    /// A store in its first moment.
    pub(crate) fn new(zone: Zone, keeping: Retention) -> Past {
        let mut temporary = super::empty();
        temporary
            .store
            .write(|txn| {
                txn.set_zone(zone)?;
                txn.set_retention(&keeping)
            })
            .unwrap();
        let never = Millis(i64::MIN);
        Past {
            temporary,
            now: BEGINNING + DAY,
            zone,
            keeping,
            events: Vec::new(),
            dirty: BTreeSet::new(),
            floors: Floors {
                raw: never,
                minute: never,
                hour: never,
                day: never,
            },
            ledger_cut: None,
            session_cut: None,
            raw: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            named: 0,
        }
    }

    /// Lets a deed befall the store, and says where the store judged otherwise than the witness.
    pub(crate) fn befall(&mut self, deed: &Deed) -> Result<(), String> {
        let told = |e: StoreError| format!("{e:?}");
        match deed {
            Deed::Append {
                happenings,
                dedupe,
                backfill,
            } => self.append(happenings, *dedupe, *backfill),
            Deed::Wait(ms) => {
                self.now += ms;
                Ok(())
            }
            Deed::RollUp(ago) => {
                let until = self.now - ago;
                rollup::run(&mut self.temporary.store, Millis(until), |_| {}).map_err(told)?;
                self.rolled_up(until);
                Ok(())
            }
            Deed::RollUpSome { effort, slices } => {
                let store = &mut self.temporary.store;
                let ever = Millis(i64::MAX);
                rollup::run_slices(store, ever, *effort, *slices, |_| {}).map_err(told)?;
                let left =
                    store.read(|txn| txn.dirty_minutes(Span::new(Millis(i64::MIN), ever), 1));
                // Minutes are rolled up in the order of time.
                let left = left.map_err(told)?;
                self.rolled_up(left.first().map_or(i64::MAX, |(minute, _)| minute.0));
                Ok(())
            }
            Deed::Retain => {
                let report = retention::run(&mut self.temporary.store, Millis(self.now));
                let report = report.map_err(told)?;
                self.let_go();
                let found: Vec<_> = report.cuts[..4].iter().map(|cut| cut.floor).collect();
                let Floors {
                    raw,
                    minute,
                    hour,
                    day,
                } = self.floors;
                let expected = [raw, minute, hour, day].map(|f| (f.0 > i64::MIN).then_some(f));
                if found == expected {
                    Ok(())
                } else {
                    Err(format!("floors {found:?} for {expected:?}"))
                }
            }
            Deed::RetainSome { events, slices } => {
                let (store, now) = (&mut self.temporary.store, Millis(self.now));
                let target = store.read(|txn| retention::plan(txn, now)).map_err(told)?;
                retention::let_go_raw(store, target.raw, *events, *slices).map_err(told)?;
                self.let_go_raw();
                Ok(())
            }
            Deed::Keep(keeping) => {
                self.keeping = *keeping;
                let set = self.temporary.store.write(|txn| txn.set_retention(keeping));
                set.map_err(told)
            }
            Deed::Rebuild => {
                let ever = Millis(i64::MIN);
                rollup::rebuild(&mut self.temporary.store, ever, |_| {}).map_err(told)?;
                self.rolled_up(i64::MAX);
                Ok(())
            }
        }
    }

    fn event_of(&mut self, happening: &Happening) -> Event<'static> {
        let mut event = match &happening.again {
            Some((index, more, moved)) if !self.events.is_empty() => {
                let mut event = self.events[index.index(self.events.len())].clone();
                let mut tokens = event.tokens.unwrap_or_default();
                tokens.reasoning += more;
                event.tokens = event.tokens.map(|_| tokens);
                if *moved {
                    event.session.clone_from(&happening.event.session);
                }
                return event;
            }
            Some(_) | None => happening.event.clone(),
        };
        let at = self.now - happening.age_ms;
        event.at = Millis(match at % 16 {
            0 => at - at % MINUTE,
            1 => at - at % MINUTE - 1,
            2 => at - at % HOUR,
            3 => at - at % DAY,
            _ => at,
        });
        self.named += 1;
        if !happening.nameless {
            event.id = Some(format!("event {}", self.named).into());
        }
        event
    }

    fn append(
        &mut self,
        happenings: &[Happening],
        dedupe: Dedupe,
        backfill: bool,
    ) -> Result<(), String> {
        let events: Vec<_> = happenings.iter().map(|h| self.event_of(h)).collect();
        let counts = super::append(&mut self.temporary.store, &events, dedupe, backfill);
        // One pack is written in the order of time; the same event twice may matter.
        let mut sorted = events;
        sorted.sort_by_key(|event| event.at);
        let mut expected = [0; 4];
        for event in sorted {
            expected[self.receive(event, dedupe, backfill) as usize] += 1;
        }
        let found = [
            counts.accepted,
            counts.updated,
            counts.duplicate,
            counts.rejected,
        ];
        if found == expected {
            Ok(())
        } else {
            Err(format!("counts {found:?} for {expected:?}"))
        }
    }

    /// 0 accepted, 1 updated, 2 duplicate, 3 rejected.
    fn receive(&mut self, mut event: Event<'static>, dedupe: Dedupe, backfill: bool) -> u8 {
        if event.at < self.floors.raw && !backfill {
            return 3;
        }
        let Some(id) = event.id.clone() else {
            self.named += 1;
            let identity = ("", format!("nameless {}", self.named));
            return self.remember(event, identity);
        };
        let identity = (event.signal.name(), id.to_string());
        if dedupe == Dedupe::Id {
            match self.first_seen.get(&identity) {
                None => {
                    self.first_seen.insert(identity.clone(), event.at.0);
                }
                Some(first) => {
                    event.at = Millis(*first);
                    let old = self.raw.get(&(*first, identity));
                    let total = |e: &Event<'_>| e.tokens.map_or(0, |t| t.total());
                    return match old {
                        Some(old) if total(&event) > total(&self.events[*old]) => {
                            self.dirty.insert(first - first.rem_euclid(MINUTE));
                            self.events[*old] = event;
                            1
                        }
                        Some(_) | None => 2,
                    };
                }
            }
        }
        if self.raw.contains_key(&(event.at.0, identity.clone())) {
            return 2;
        }
        self.remember(event, identity)
    }

    fn remember(&mut self, event: Event<'static>, identity: Identity) -> u8 {
        let at = event.at.0;
        self.dirty.insert(at - at.rem_euclid(MINUTE));
        self.raw.insert((at, identity), self.events.len());
        self.events.push(event);
        0
    }

    /// Backfilled events are let go by the roll-up that adds them.
    fn rolled_up(&mut self, until: i64) {
        let done: Vec<i64> = self.dirty.range(..until).copied().collect();
        for minute in done {
            self.dirty.remove(&minute);
            if minute < self.floors.raw.0 {
                self.forget(|at| minute <= at && at < minute + MINUTE);
            }
        }
    }

    fn forget(&mut self, gone: impl Fn(i64) -> bool) {
        self.raw.retain(|(at, _), _| !gone(*at));
        self.first_seen.retain(|_, at| !gone(*at));
    }

    /// Below the floor nothing counts any more, whether or not it is deleted yet.
    fn let_go_raw(&mut self) {
        let old = self.floors.raw;
        let waiting = self.dirty.range(old.0..).next();
        let waiting = waiting.map_or(i64::MAX, |minute| minute - minute.rem_euclid(HOUR));
        let raw = self.due(self.keeping.raw, old, HOUR).min(waiting);
        self.floors.raw = Millis(raw);
        self.forget(|at| old.0 <= at && at < raw);
    }

    fn due(&self, kept: Option<i64>, floor: Millis, grid: i64) -> i64 {
        let cut = kept.map_or(i64::MIN, |kept| {
            self.now - kept - (self.now - kept).rem_euclid(grid)
        });
        cut.max(floor.0)
    }

    fn let_go(&mut self) {
        self.let_go_raw();
        let Retention {
            raw: _,
            minute,
            hour,
            day,
            ledger,
        } = self.keeping;
        let now = self.now;
        let whole_day = |at: i64| {
            if at == i64::MIN {
                at
            } else {
                at - at.rem_euclid(DAY)
            }
        };
        let old = self.floors;
        let raw = old.raw.0;
        let minute = self.due(minute, old.minute, HOUR).min(raw);
        let minute = minute.max(old.minute.0);
        let hour = self.due(hour, old.hour, DAY).min(whole_day(minute));
        let hour = hour.max(old.hour.0);
        let oldest = self.due(day, old.day, DAY).min(hour).max(old.day.0);
        self.floors = Floors {
            raw: old.raw,
            minute: Millis(minute),
            hour: Millis(hour),
            day: Millis(oldest),
        };
        let cut = |kept: Option<i64>, before: Option<i64>| {
            before.max(kept.map(|kept| (now - kept).min(raw)))
        };
        self.session_cut = cut(day, self.session_cut);
        self.ledger_cut = cut(ledger, self.ledger_cut);
    }

    /// The events of a span of time that fit.
    pub(crate) fn during<'s>(
        &'s self,
        span: Span,
        fits: impl Fn(&Event<'static>) -> bool + 's,
    ) -> impl Iterator<Item = &'s Event<'static>> + 's {
        let inside = move |e: &&Event<'static>| span.from <= e.at && e.at < span.until && fits(e);
        self.events.iter().filter(inside)
    }

    /// Whether a minute of the span waits for a roll-up.
    pub(crate) fn waits(&self, from: i64, until: i64) -> bool {
        self.dirty.range(from..until).next().is_some()
    }

    /// The local date of a moment, by chrono alone.
    pub(crate) fn date(&self, at: i64) -> NaiveDate {
        let zone: chrono_tz::Tz = self.zone.name().parse().unwrap();
        zone.timestamp_millis_opt(at).unwrap().date_naive()
    }
}

/// The texts of labels; `""`: not said.
pub(crate) fn names<const N: usize>(labels: [&Option<Cow<'static, str>>; N]) -> Names {
    let text = |label: &Option<Cow<'static, str>>| label.as_deref().unwrap_or_default().to_owned();
    labels.into_iter().map(text).collect()
}
