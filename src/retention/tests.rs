//! What retention may let go, and what it must keep.

use super::*;
use crate::model::{Event, Signal};
use crate::rollup;
use crate::store::Dedupe;
use crate::store::testing::{self, append, empty};

const HOUR: i64 = Millis::HOUR;

fn request(at: i64) -> Event<'static> {
    Event {
        session: Some("talk".into()),
        ..Event::new(Millis(at), Signal::Request { success: true })
    }
}

fn roll_up(store: &mut Store) {
    rollup::run(store, Millis(i64::MAX), |_| {}).unwrap();
}

fn keep(store: &mut Store, ms: Option<i64>) -> Retention {
    let keeping = Retention {
        raw: ms,
        minute: ms,
        hour: ms,
        day: ms,
        ledger: ms,
    };
    store.write(|txn| txn.set_retention(&keeping)).unwrap();
    keeping
}

#[test]
fn what_is_kept_for_ever_is_not_let_go() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    keep(store, None);
    append(store, &[request(HOUR)], Dedupe::TimeId, false);
    let report = run(store, Millis(1_000 * Millis::DAY)).unwrap();
    assert!(
        report
            .cuts
            .iter()
            .all(|cut| cut.rows == 0 && cut.floor.is_none())
    );
}

#[test]
fn a_late_event_between_plan_and_cut_holds_minutes_back_as_well() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    keep(store, Some(HOUR));
    append(store, &[request(0), request(60_000)], Dedupe::TimeId, false);
    roll_up(store);
    let target = store.read(|txn| plan(txn, Millis(9 * HOUR))).unwrap();
    append(store, &[request(60_000)], Dedupe::TimeId, false);
    assert_eq!(let_go_raw(store, target.raw, 9, 9).unwrap(), 0);
    assert_eq!(cut(store, Resolution::Minute, target.minute).unwrap(), 0);
    roll_up(store);
    let hours = testing::buckets(store, Resolution::Hour);
    assert_eq!(hours.values().map(|stats| stats.requests).sum::<u64>(), 3);
}

#[test]
fn a_clean_up_cut_short_counts_nothing_twice_and_is_completed_by_the_next() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    keep(store, Some(HOUR));
    let requests: Vec<_> = (0..6).map(|n| request(n * 20_000)).collect();
    append(store, &requests, Dedupe::TimeId, false);
    roll_up(store);
    let now = Millis(9 * HOUR);
    let target = store.read(|txn| plan(txn, now)).unwrap();
    // Two of the first minute are gone, the third lies below the floor.
    assert_eq!(let_go_raw(store, target.raw, 2, 1).unwrap(), 2);
    append(store, &[request(50_000)], Dedupe::TimeId, true);
    assert_eq!(
        testing::events(store),
        3 + 1,
        "the event that came late made way for itself"
    );
    assert_eq!(let_go_raw(store, target.raw, 2, 9).unwrap(), 3);
    assert_eq!(
        testing::events(store),
        1,
        "the late one waits for its roll-up"
    );
    roll_up(store);
    let minutes = testing::buckets(store, Resolution::Minute);
    let counts: Vec<u64> = minutes.values().map(|stats| stats.requests).collect();
    assert_eq!(counts, [4, 3]);
    assert_eq!(run(store, now).unwrap().cuts[0].rows, 0);
}

#[test]
fn sums_are_kept_while_raw_events_still_add_to_them() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    keep(store, Some(HOUR));
    append(store, &[request(0)], Dedupe::TimeId, false);
    roll_up(store);
    append(store, &[request(60_000)], Dedupe::TimeId, false);
    let report = run(store, Millis(3 * Millis::DAY)).unwrap();
    assert_eq!(report.held_back_minutes, 1);
    roll_up(store);
    let session = testing::sessions(store).into_values().next().unwrap();
    let day = testing::ledger(store).into_values().next().unwrap();
    assert_eq!((session.requests, day.requests), (2, 2));
    assert_eq!(rollup::verify(store).unwrap().mismatches, []);
}
