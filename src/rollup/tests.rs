//! Laws of roll-ups: whatever befell a store, its aggregates are what the events
//! that it accepted come to.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Report, rebuild, run, verify};
use crate::model::{Event, Millis, Resolution, Signal, Tokens};
use crate::store::testing::account::account;
use crate::store::testing::history::{Deed, history};
use crate::store::testing::witness::{Past, names};
use crate::store::testing::{self, Names};
use crate::store::{Dedupe, Store, day_number};

type ByKey<K> = BTreeMap<(K, Names), Vec<Event<'static>>>;

/// Compares the buckets of a tier that are kept and up to date with the witness.
fn judge_tier(past: &mut Past, tier: Resolution) -> Result<(), String> {
    let stored = testing::buckets(&mut past.temporary.store, tier);
    let step = tier.step_ms();
    let mut expected: ByKey<i64> = BTreeMap::new();
    for event in &past.events {
        let at = event.at.0 - event.at.0.rem_euclid(step);
        if at >= past.floors.of(tier).0 {
            let l = &event.labels;
            let key = (at, names([&l.provider, &l.model, &l.role]));
            expected.entry(key).or_default().push(event.clone());
        }
    }
    let keys: BTreeSet<_> = stored.keys().chain(expected.keys()).collect();
    for key in keys {
        if past.waits(key.0, key.0 + step) {
            continue;
        }
        account(expected.get(key).into_iter().flatten())
            .against(&stored.get(key).cloned().unwrap_or_default())
            .map_err(|e| format!("{} {} {:?}: {e}", tier.name(), Millis(key.0), key.1))?;
    }
    Ok(())
}

fn judge_ledger(past: &mut Past) -> Result<(), String> {
    let stored = testing::ledger(&mut past.temporary.store);
    let mut expected: ByKey<i32> = BTreeMap::new();
    for event in &past.events {
        let l = &event.labels;
        let key = names([&l.provider, &l.model, &event.user, &l.project]);
        let day = day_number(past.date(event.at.0));
        expected.entry((day, key)).or_default().push(event.clone());
    }
    let day_of = |at: &i64| day_number(past.date(*at));
    let waiting: BTreeSet<i32> = past.dirty.iter().map(day_of).collect();
    let kept_from = past.ledger_cut.as_ref().map_or(i32::MIN, day_of);
    let keys: BTreeSet<_> = stored.keys().chain(expected.keys()).collect();
    for key in keys {
        if waiting.contains(&key.0) || key.0 < kept_from {
            continue;
        }
        account(expected.get(key).into_iter().flatten())
            .without_extent()
            .sums_against(&stored.get(key).cloned().unwrap_or_default())
            .map_err(|e| format!("ledger {key:?}: {e}"))?;
    }
    Ok(())
}

fn judge_sessions(past: &mut Past) -> Result<(), String> {
    if !past.dirty.is_empty() {
        return Ok(());
    }
    let stored = testing::sessions(&mut past.temporary.store);
    let mut expected: BTreeMap<Names, Vec<Event<'static>>> = BTreeMap::new();
    for event in past.events.iter().filter(|e| e.session.is_some()) {
        let l = &event.labels;
        let key = names([
            &event.session,
            &l.provider,
            &l.model,
            &event.user,
            &l.project,
        ]);
        expected.entry(key).or_default().push(event.clone());
    }
    let keys: BTreeSet<_> = stored.keys().chain(expected.keys()).collect();
    for key in keys {
        let events = expected.get(key).map(Vec::as_slice).unwrap_or_default();
        let may_be_gone = |e: &Event<'_>| past.session_cut.is_some_and(|cut| e.at.0 < cut);
        if events.iter().any(may_be_gone) {
            continue;
        }
        account(events)
            .sums_against(&stored.get(key).cloned().unwrap_or_default())
            .map_err(|e| format!("session {key:?}: {e}"))?;
    }
    Ok(())
}

fn judge(past: &mut Past) -> Result<(), String> {
    for tier in Resolution::BUCKETS {
        judge_tier(past, tier)?;
    }
    judge_ledger(past)?;
    judge_sessions(past)
}

fn verifies(past: &mut Past) -> Result<(), String> {
    let found = verify(&mut past.temporary.store).map_err(|e| format!("{e:?}"))?;
    match &found.mismatches[..] {
        [] => Ok(()),
        wrong => Err(format!("verify: {wrong:?}")),
    }
}

/// Rolls up whatever there is.
const ALL: Deed = Deed::RollUp(-1_000_000 * Millis::DAY);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_roll_up_equals_direct_aggregation(history in history(14)) {
        let mut past = Past::new(history.zone, history.keeping);
        for (i, deed) in history.deeds.iter().chain([&ALL]).enumerate() {
            let told = |e| TestCaseError::fail(format!("deed {i}: {e}"));
            past.befall(deed).map_err(told)?;
            judge(&mut past).map_err(told)?;
            if i % 4 == 3 || i == history.deeds.len() {
                verifies(&mut past).map_err(told)?;
            }
        }
        let store = &mut past.temporary.store;
        let before = testing::aggregates(store);
        let again = run(store, Millis(i64::MAX), |_| {}).unwrap();
        prop_assert_eq!(again, Report::default());
        prop_assert_eq!(&testing::aggregates(store), &before);
        rebuild(store, Millis(i64::MIN), |_| {}).unwrap();
        prop_assert_eq!(&testing::aggregates(store), &before);
    }
}

// What went wrong once

#[test]
fn a_better_version_in_another_session_leaves_no_trace_in_the_first() {
    let mut temporary = testing::empty();
    let store = &mut temporary.store;
    let answer = |id: &'static str, at: i64, session: &'static str, output| Event {
        id: Some(id.into()),
        session: Some(session.into()),
        tokens: Some(Tokens {
            output,
            ..Tokens::default()
        }),
        ..Event::new(Millis(at), Signal::Request { success: true })
    };
    let ingest = |store: &mut Store, events: &[Event<'_>]| {
        testing::append(store, events, Dedupe::Id, false);
        run(store, Millis(i64::MAX), |_| {}).unwrap();
    };
    ingest(
        store,
        &[
            answer("a", 60_000, "s1", 10),
            answer("b", 120_000, "s1", 10),
        ],
    );
    ingest(store, &[answer("a", 90_000, "s2", 20)]);
    let extents: Vec<_> = testing::sessions(store)
        .into_iter()
        .map(|(names, sums)| (names[0].clone(), sums.first, sums.last))
        .collect();
    let at = |ms| Some(Millis(ms));
    let expected = [
        ("s1".to_owned(), at(120_000), at(120_000)),
        ("s2".to_owned(), at(60_000), at(60_000)),
    ];
    assert_eq!(extents, expected);
    assert_eq!(verify(store).unwrap().mismatches, []);
}
