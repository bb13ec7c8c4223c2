//! Random events and random histories of a store, and nothing of what they mean.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::model::{Event, Labels, Millis, Signal, Tokens, Usd, Zone};
use crate::store::{Dedupe, Retention};

const HOUR: i64 = Millis::HOUR;
const DAY: i64 = Millis::DAY;

/// Whole hours, hours that change, and quarters of an hour.
pub(crate) const ZONES: [&str; 3] = ["UTC", "America/New_York", "Asia/Kathmandu"];

/// An event of a history, before it is known when it comes in.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    /// How long before now it happened.
    pub(super) age_ms: i64,
    /// Everything else about it.
    pub(super) event: Event<'static>,
    /// It has no id, so that nothing is a repetition of it.
    pub(super) nameless: bool,
    /// When set, it is this earlier event again, with so many more tokens and
    /// perhaps told of another session.
    pub(super) again: Option<(Index, u64, bool)>,
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
    /// Begin with it, and be ended after so many slices of so much effort.
    RollUpSome { effort: u64, slices: u64 },
    /// Let go what outlived its age.
    Retain,
    /// Begin with it, and be ended after so many slices of so many events.
    RetainSome { events: u32, slices: u32 },
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
        3 => (1..200_u64, 0..4_u64).prop_map(|(effort, slices)| Deed::RollUpSome { effort, slices }),
        3 => Just(Deed::Retain),
        3 => (1..4_u32, 0..4_u32).prop_map(|(events, slices)| Deed::RetainSome { events, slices }),
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
