//! `obs rollup`: what it computes, that it computes it once, and that it notices
//! when somebody else changed an aggregate.

use rusqlite::Connection;

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

fn fed(events: u64) -> Obs {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", events)).exits(0);
    obs
}

#[test]
fn aggregates_are_what_raw_events_say() {
    let obs = fed(1_000);
    obs.run(&["rollup"]).exits(0);
    Peek::at(&obs).aggregates_equal_raw();
    let verified = obs.run(&["rollup", "--verify", "--json"]).exits(0).json();
    assert_eq!(verified["mismatches"], 0);
    assert_eq!(verified["skipped_minutes"], 0);
    assert!(verified["checked"].as_u64().unwrap() > 1_000, "{verified}");
}

#[test]
fn a_second_roll_up_changes_nothing() {
    let obs = fed(300);
    obs.run(&["rollup"]).exits(0);
    let content = Peek::at(&obs).content();
    let again = obs.run(&["rollup", "--json"]).exits(0).json();
    assert_eq!(again["data"][0]["minutes"], 0);
    obs.run(&["rollup", "--rebuild"]).exits(0);
    assert_eq!(Peek::at(&obs).content(), content);
}

#[test]
fn late_events_are_added_where_they_belong() {
    let obs = fed(300);
    obs.run(&["rollup"]).exits(0);
    obs.feed(&["ingest"], traffic::events("late", 300)).exits(0);
    obs.run(&["rollup"]).exits(0);
    Peek::at(&obs).aggregates_equal_raw();
}

#[test]
fn a_dry_run_counts_and_leaves_everything_as_it_is() {
    let obs = fed(100);
    let content = Peek::at(&obs).content();
    let ran = obs.run(&["rollup", "--dry-run", "--json"]).exits(0).json();
    let dirty = Peek::at(&obs).number("SELECT count(*) FROM dirty");
    assert_eq!(ran["data"][0]["minutes"], dirty);
    assert_eq!(Peek::at(&obs).content(), content);
}

#[test]
fn minutes_from_until_on_wait_for_the_next_time() {
    let obs = fed(500);
    obs.run(&["rollup", "--until", "2026-02-28T12:00:00Z"])
        .exits(0);
    let peek = Peek::at(&obs);
    let until = 1_772_280_000_000_i64;
    let sql = format!("SELECT count(*) FROM metrics_1min WHERE timestamp >= {until}");
    assert_eq!(peek.number(&sql), 0);
    let verified = obs.run(&["rollup", "--verify", "--json"]).exits(0).json();
    assert!(
        verified["skipped_minutes"].as_u64().unwrap() > 0,
        "{verified}"
    );
    obs.run(&["rollup"]).exits(0);
    peek.aggregates_equal_raw();
}

#[test]
fn an_aggregate_that_somebody_changed_is_found_and_mended() {
    for (table, change) in [
        (
            "1min",
            "UPDATE bucket_1min SET requests = requests + 1 WHERE bucket_ms = (SELECT max(bucket_ms) FROM bucket_1min)",
        ),
        (
            "1hour",
            "DELETE FROM bucket_1hour WHERE bucket_ms = (SELECT min(bucket_ms) FROM bucket_1hour)",
        ),
        (
            "1day",
            "UPDATE bucket_1day SET latency_sum_us = 0 WHERE bucket_ms = (SELECT max(bucket_ms) FROM bucket_1day)",
        ),
        (
            "ledger",
            "UPDATE ledger SET cost = 1 WHERE day = (SELECT max(day) FROM ledger)",
        ),
    ] {
        let obs = fed(200);
        obs.run(&["rollup"]).exits(0);
        let content = Peek::at(&obs).content();
        let changed = Connection::open(obs.db())
            .unwrap()
            .execute(change, [])
            .unwrap();
        assert!(changed > 0, "{change}");
        let found = obs.run(&["rollup", "--verify", "--json"]).exits(3).json();
        assert_eq!(found["data"][0]["table"], table, "{found}");
        obs.run(&["rollup", "--rebuild"]).exits(0);
        obs.run(&["rollup", "--verify"]).exits(0);
        assert_eq!(Peek::at(&obs).content(), content, "{change}");
    }
}
