//! A witness: remembers every event that a store accepted, and says what the
//! store must therefore know.
//!
//! It is written without the parts it is a witness against: no `Stats`, no
//! roll-up, no tiers; just a list of events and sums over it. Beside it stand the
//! random histories that befall a store and its witness alike.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeZone};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Names, Temporary};
use crate::model::{
    CacheEvent, Decision, Distribution, Event, Labels, Millis, Signal, Span, Stats, Tokens, Usd,
    Zone,
};
use crate::store::{Dedupe, Floors, Retention, StoreError};
use crate::{retention, rollup};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 86_400_000;

/// Saturday, 2026-03-07T00:00Z: the clocks of New York are put forward the day after.
pub(crate) const BEGINNING: i64 = 1_772_841_600_000;

/// Whole hours, hours that change, and quarters of an hour.
pub(crate) const ZONES: [&str; 3] = ["UTC", "America/New_York", "Asia/Kathmandu"];

// Accounts

/// What a set of events comes to.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Counts, sums and extremes by name; 0 where a name is missing.
    pub sums: BTreeMap<&'static str, i128>,
    /// Latencies and times to the first token, in microseconds.
    pub times: BTreeMap<&'static str, Vec<i64>>,
}

/// Adds up events.
pub(crate) fn account<'a>(events: impl IntoIterator<Item = &'a Event<'static>>) -> Account {
    let mut account = Account::default();
    for event in events {
        account.extent(event.at.0);
        let name = match event.signal {
            Signal::Request { .. } => "requests",
            Signal::Cache(CacheEvent::Hit) => "hits",
            Signal::Cache(CacheEvent::Miss) => "misses",
            Signal::Cache(CacheEvent::Store) => "stores",
            Signal::RateLimit(Decision::Allowed) => "allowed",
            Signal::RateLimit(Decision::Denied) => "denied",
        };
        account.add(name, 1);
        match event.signal {
            Signal::Request { success } => account.request(event, success),
            Signal::Cache(_) => {
                account.add("saved cost", event.saved_cost.map_or(0, |usd| usd.0));
                account.add("saved tokens", event.saved_tokens.unwrap_or(0).into());
            }
            Signal::RateLimit(_) => {}
        }
    }
    account
}

impl Account {
    fn add(&mut self, name: &'static str, number: i128) {
        *self.sums.entry(name).or_default() += number;
    }

    fn extent(&mut self, at: i64) {
        let first = self.sums.entry("first").or_insert(at.into());
        *first = (*first).min(at.into());
        let last = self.sums.entry("last").or_insert(at.into());
        *last = (*last).max(at.into());
    }

    fn request(&mut self, event: &Event<'_>, success: bool) {
        self.add("failures", i128::from(!success));
        for (name, us) in [("latency", event.latency_us), ("ttft", event.ttft_us)] {
            self.times.entry(name).or_default().extend(us);
        }
        if let Some(tokens) = &event.tokens {
            for (name, number) in classes(tokens) {
                self.add(name, number.into());
            }
        }
        self.add("mismatches", i128::from(event.total_told.is_some()));
        let (reported, computed) = (event.cost_reported, event.cost_computed);
        self.add("reported", reported.map_or(0, |usd| usd.0));
        self.add("computed", computed.map_or(0, |usd| usd.0));
        match (reported, computed) {
            (Some(usd), _) | (None, Some(usd)) => self.add("cost", usd.0),
            (None, None) => self.add("unpriced", 1),
        }
    }

    /// Without first and last event, which a ledger does not keep.
    pub(crate) fn without_extent(mut self) -> Account {
        self.sums.remove("first");
        self.sums.remove("last");
        self
    }

    /// Where stats differ from what they should be.
    pub(crate) fn against(&self, stats: &Stats) -> Result<(), String> {
        self.sums_against(stats)?;
        self.times_against("latency", &stats.latency)?;
        self.times_against("ttft", &stats.ttft)
    }

    /// Where stats differ from what they should be, but for times that requests took.
    pub(crate) fn sums_against(&self, stats: &Stats) -> Result<(), String> {
        let told = told(stats);
        let names: BTreeSet<_> = told.keys().chain(self.sums.keys()).copied().collect();
        for name in names {
            let of = |sums: &BTreeMap<_, i128>| sums.get(name).copied().unwrap_or(0);
            if of(&told) != of(&self.sums) {
                return Err(format!("{name}: {} for {}", of(&told), of(&self.sums)));
            }
        }
        Ok(())
    }

    /// Where times that requests took differ from what they should be.
    pub(crate) fn times_against(&self, name: &str, part: &Distribution) -> Result<(), String> {
        let mut us = self.times.get(name).cloned().unwrap_or_default();
        us.sort_unstable();
        let exact = (
            us.len() as u64,
            us.iter().map(|us| i128::from(*us)).sum::<i128>(),
            us.first().copied().unwrap_or(part.min_us),
            us.last().copied().unwrap_or(part.max_us),
        );
        let found = (part.count, part.sum_us, part.min_us, part.max_us);
        if found != exact {
            return Err(format!("{name}: {found:?} for {exact:?}"));
        }
        for percent in [50, 95, 99] {
            let rank = (percent * us.len()).div_ceil(100).max(1);
            let exact = us.get(rank - 1).map(|us| *us as f64 / 1000.0);
            let found = part.quantile_ms(percent as f64 / 100.0);
            let near = match (exact, found) {
                (Some(exact), Some(found)) => (found - exact).abs() <= 0.0055 * exact,
                (exact, found) => exact == found,
            };
            if !near {
                return Err(format!("p{percent} {name}: {found:?} for {exact:?}"));
            }
        }
        Ok(())
    }
}

fn classes(tokens: &Tokens) -> [(&'static str, u64); 10] {
    [
        ("input_uncached", tokens.input_uncached),
        ("cache_read", tokens.cache_read),
        ("cache_write_5m", tokens.cache_write_5m),
        ("cache_write_1h", tokens.cache_write_1h),
        ("output", tokens.output),
        ("reasoning", tokens.reasoning),
        ("audio_input", tokens.audio_input),
        ("audio_output", tokens.audio_output),
        ("image_input", tokens.image_input),
        ("unclassified", tokens.unclassified),
    ]
}

fn told(stats: &Stats) -> BTreeMap<&'static str, i128> {
    let Stats {
        tokens,
        cost,
        cache,
        limits,
        ..
    } = stats;
    let mut told = BTreeMap::from([
        ("requests", stats.requests.into()),
        ("failures", stats.failures.into()),
        ("input_uncached", tokens.input_uncached),
        ("cache_read", tokens.cache_read),
        ("cache_write_5m", tokens.cache_write_5m),
        ("cache_write_1h", tokens.cache_write_1h),
        ("output", tokens.output),
        ("reasoning", tokens.reasoning),
        ("audio_input", tokens.audio_input),
        ("audio_output", tokens.audio_output),
        ("image_input", tokens.image_input),
        ("unclassified", tokens.unclassified),
        ("mismatches", tokens.mismatches.into()),
        ("cost", cost.counted.0),
        ("reported", cost.reported.0),
        ("computed", cost.computed.0),
        ("unpriced", cost.unpriced.into()),
        ("hits", cache.hits.into()),
        ("misses", cache.misses.into()),
        ("stores", cache.stores.into()),
        ("saved cost", cache.saved_cost.0),
        ("saved tokens", cache.saved_tokens),
        ("allowed", limits.allowed.into()),
        ("denied", limits.denied.into()),
    ]);
    if let (Some(first), Some(last)) = (stats.first, stats.last) {
        told.insert("first", first.0.into());
        told.insert("last", last.0.into());
    }
    told
}

// Random events

/// An event of a history, before it is known when it comes in.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    /// How long before now it happened.
    age_ms: i64,
    /// Everything else about it.
    event: Event<'static>,
    /// It has no id, so that nothing is a repetition of it.
    nameless: bool,
    /// When set, it is this earlier event again, with so many more tokens and
    /// perhaps told of another session.
    again: Option<(Index, u64, bool)>,
}

/// A label of an event.
type Text = Cow<'static, str>;

fn label(values: &'static [&'static str]) -> impl Strategy<Value = Option<Text>> {
    prop::option::of(select(values).prop_map(Text::Borrowed))
}

prop_compose! {
    fn labels()(
        provider in label(&["claude", "openai"]),
        model in label(&["opus", "gpt-4o"]),
        role in label(&["coder"]),
        project in label(&["shop", "blog"]),
        endpoint in label(&["/v1/messages"]),
        error_type in label(&["timeout"]),
        limit_type in label(&["user"]),
        status_code in prop::option::of(select(&[0_u16, 200, 429][..])),
    ) -> Labels<'static> {
        Labels { provider, model, role, project, endpoint, error_type, limit_type, status_code }
    }
}

fn tokens() -> impl Strategy<Value = Tokens> {
    let number = || prop_oneof![2 => Just(0_u64), 3 => 1..5_000_u64, 1 => Just(i64::MAX as u64)];
    (
        number(),
        number(),
        prop::array::uniform8(prop_oneof![6 => Just(0), 1 => 1..900_u64]),
    )
        .prop_map(|(input_uncached, output, n)| Tokens {
            input_uncached,
            output,
            cache_read: n[0],
            cache_write_5m: n[1],
            cache_write_1h: n[2],
            reasoning: n[3],
            audio_input: n[4],
            audio_output: n[5],
            image_input: n[6],
            unclassified: n[7],
        })
}

fn usd() -> impl Strategy<Value = Option<Usd>> {
    prop::option::of(
        prop_oneof![0..50_000_000_i64, Just(10_000_000_000_000), Just(i64::MAX)]
            .prop_map(|nano| Usd(nano.into())),
    )
}

fn micros() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.7, prop_oneof![0..20_000_000_i64, Just(86_400_000_000)])
}

prop_compose! {
    pub(crate) fn event()(
        signal in prop_oneof![3 => select(&Signal::ALL[..2]), 1 => select(&Signal::ALL[..])],
        labels in labels(),
        user in label(&["ada", "bob"]),
        session in label(&["s1", "s2", "s3"]),
        (latency_us, ttft_us) in (micros(), micros()),
        tokens in prop::option::of(tokens()),
        total_told in prop::option::weighted(0.1, 0..9_000_u64),
        (cost_reported, cost_computed, saved_cost) in (usd(), usd(), usd()),
        saved_tokens in prop::option::of(prop_oneof![0..900_u64, Just(i64::MAX as u64)]),
    ) -> Event<'static> {
        Event {
            labels, user, session, latency_us, ttft_us, tokens, total_told,
            cost_reported, cost_computed, saved_cost, saved_tokens,
            ..Event::new(Millis(0), signal)
        }
    }
}

/// Four of five events are of the last two hours, the fifth is up to six days late.
/// Some fall on the very edge of a minute, an hour or a day (see [`Past::event_of`]).
fn age() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..2 * HOUR, 1 => 0..6 * DAY]
}

prop_compose! {
    fn happening()(
        age_ms in age(),
        event in event(),
        nameless in prop::bool::weighted(0.1),
        again in prop::option::weighted(0.2, (any::<Index>(), select(&[0, 0, 1, 700][..]), any::<bool>())),
    ) -> Happening {
        Happening { age_ms, event, nameless, again }
    }
}

// Random histories

/// What befalls a store.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// Events come in.
    Append {
        happenings: Vec<Happening>,
        dedupe: Dedupe,
        backfill: bool,
    },
    /// Time goes by, so many milliseconds.
    Wait(i64),
    /// Roll up what lies more than so many milliseconds in the past.
    RollUp(i64),
    /// Let go what outlived its age.
    Retain,
    /// From now on keep things that long.
    Keep(Retention),
    /// Make the aggregates anew.
    Rebuild,
}

/// Raw for hours, then each tier at least as long as the one before, or for ever.
pub(crate) fn keeping() -> impl Strategy<Value = Retention> {
    let hours = [8_i64, 24, 60, 100, 100]
        .map(|most| prop_oneof![3 => (0..most).boxed(), 1 => Just(9_999_i64).boxed()]);
    hours.prop_map(|more| {
        let mut sum = 0;
        let [raw, minute, hour, day, ledger] = more.map(|hours| {
            sum += hours.max(1);
            (sum < 9_999).then_some(sum * HOUR)
        });
        Retention {
            raw,
            minute,
            hour,
            day,
            ledger,
        }
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let dedupe = prop_oneof![2 => Just(Dedupe::TimeId), 1 => Just(Dedupe::Id)];
    prop_oneof![
        6 => (prop::collection::vec(happening(), 1..25), dedupe, any::<bool>()).prop_map(
            |(happenings, dedupe, backfill)| Deed::Append { happenings, dedupe, backfill }
        ),
        3 => prop_oneof![0..2 * HOUR, 0..2 * DAY].prop_map(Deed::Wait),
        3 => prop_oneof![Just(0), 0..3 * HOUR, 0..2 * DAY].prop_map(Deed::RollUp),
        3 => Just(Deed::Retain),
        1 => keeping().prop_map(Deed::Keep),
        1 => Just(Deed::Rebuild),
    ]
}

/// A history of a store: its zone, what it keeps, and what befalls it.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub zone: Zone,
    pub keeping: Retention,
    pub deeds: Vec<Deed>,
}

/// Any history.
pub(crate) fn history(most: usize) -> impl Strategy<Value = History> {
    (
        select(&ZONES[..]),
        keeping(),
        prop::collection::vec(deed(), 2..most),
    )
        .prop_map(|(zone, keeping, deeds)| History {
            zone: Zone::parse(zone).unwrap(),
            keeping,
            deeds,
        })
}

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

    fn let_go(&mut self) {
        let Retention {
            raw,
            minute,
            hour,
            day,
            ledger,
        } = self.keeping;
        let now = self.now;
        let due = |kept: Option<i64>, floor: Millis, grid: i64| {
            let cut = kept.map_or(i64::MIN, |kept| now - kept - (now - kept).rem_euclid(grid));
            cut.max(floor.0)
        };
        let whole_day = |at: i64| {
            if at == i64::MIN {
                at
            } else {
                at - at.rem_euclid(DAY)
            }
        };
        let old = self.floors;
        let waiting = self.dirty.range(old.raw.0..).next();
        let waiting = waiting.map_or(i64::MAX, |minute| minute - minute.rem_euclid(HOUR));
        let raw = due(raw, old.raw, HOUR).min(waiting);
        let minute = due(minute, old.minute, HOUR).min(raw).max(old.minute.0);
        let hour = due(hour, old.hour, DAY)
            .min(whole_day(minute))
            .max(old.hour.0);
        let oldest = due(day, old.day, DAY).min(hour).max(old.day.0);
        self.floors = Floors {
            raw: Millis(raw),
            minute: Millis(minute),
            hour: Millis(hour),
            day: Millis(oldest),
        };
        self.forget(|at| old.raw.0 <= at && at < raw);
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
pub(crate) fn names<const N: usize>(labels: [&Option<Text>; N]) -> Names {
    let text = |label: &Option<Text>| label.as_deref().unwrap_or_default().to_owned();
    labels.into_iter().map(text).collect()
}
