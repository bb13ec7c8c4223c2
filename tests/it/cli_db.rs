//! `obs db`: what the file holds, whether it is sound, and giving its room back.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

fn with_events(many: u64) -> Obs {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", many)).exits(0);
    obs.run(&["rollup"]).exits(0);
    obs
}

/// Changes a store behind the program's back.
fn meddle(obs: &Obs, sql: &str) {
    let conn = Connection::open(obs.db()).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    conn.execute_batch(sql).unwrap();
}

#[test]
fn info_tells_rows_and_bytes_of_every_part() {
    let obs = with_events(2_000);
    let told = obs.run(&["db", "-o", "json"]).exits(0).json();
    assert_eq!(told["schema"], "obs.db.info/v1");
    assert_eq!(told["journal_mode"], "wal");
    assert_eq!(told["timezone"], "UTC");
    let row = |part: &str| -> Value {
        let rows = told["data"].as_array().unwrap();
        rows.iter().find(|r| r["part"] == part).unwrap().clone()
    };
    let peek = Peek::at(&obs);
    assert_eq!(row("raw")["rows"], 2_000);
    let first = peek.rows("SELECT min(time) FROM metrics_raw");
    assert_eq!(row("raw")["first"], first[0].as_str());
    for (part, table) in [
        ("1min", "bucket_1min"),
        ("names", "name"),
        ("ledger", "ledger"),
    ] {
        let rows = peek.number(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(row(part)["rows"], rows, "{part}");
        assert!(row(part)["size_bytes"].as_i64().unwrap() >= 4_096, "{part}");
    }
    let table = obs.run(&["db", "info"]).exits(0);
    assert!(
        table.stdout.contains("schema 1") || table.stdout.contains("schema "),
        "{table}"
    );
}

#[test]
fn a_sound_store_is_said_to_be_sound() {
    let obs = with_events(3_000);
    let ran = obs.run(&["db", "check", "--thorough"]).exits(0);
    assert!(ran.stdout.starts_with("the store is sound"), "{ran}");
    let json = obs.run(&["db", "check", "--json"]).exits(0).json();
    assert_eq!(json["data"], serde_json::json!([]));
}

#[test]
fn a_check_finds_what_does_not_fit_together() {
    for (sql, finding) in [
        ("DELETE FROM series WHERE id = 1", "events refer to a series that is missing"),
        ("DELETE FROM name WHERE text = 'claude'", "series refer to a name that is missing"),
        ("DELETE FROM name WHERE text = 'u1'", "events refer to a user that is missing"),
        ("DELETE FROM name WHERE text = 's1'", "events refer to a session"),
        (
            "UPDATE state SET value = 1772323200000 WHERE key = '1min_floor_ms'",
            "minutes lie before their floor",
        ),
        (
            "UPDATE state SET value = 1772323200000 WHERE key = 'raw_floor_ms'",
            "events before the raw floor wait for no roll-up",
        ),
        (
            "UPDATE state SET value = 1772323200001 WHERE key = 'raw_floor_ms'",
            "a floor cuts through a bucket of the next tier",
        ),
        (
            "UPDATE bucket_1hour SET bucket_ms = bucket_ms + 1 WHERE bucket_ms = (SELECT min(bucket_ms) FROM bucket_1hour)",
            "buckets do not begin on their grid",
        ),
        (
            "INSERT INTO dirty VALUES(60000, 999999)",
            "minutes that wait for a roll-up refer to a transaction to come",
        ),
        (
            "INSERT INTO alerts(id, rule_id, rule_name, state, severity, current_value, threshold_value,
              started_at_ms, changed_at_ms, observed_at_ms, updated_at_ms, reason, actor)
             VALUES(7, 999, 'x', 'pending', 'warning', 1, 1, 60, 60, 90, 90, 'c', 'e')",
            "alerts refers to a row that is missing",
        ),
    ] {
        let obs = with_events(500);
        meddle(&obs, sql);
        let ran = obs.run(&["db", "check", "-o", "csv"]).exits(3);
        assert!(ran.stdout.contains(finding), "{sql}\n{ran}");
    }
}

#[test]
fn a_damaged_store_gets_a_report_and_no_crash() {
    let obs = with_events(3_000);
    let mut bytes = fs::read(obs.db()).unwrap();
    let (from, until) = (bytes.len() / 2, bytes.len() / 2 + 40_960);
    bytes[from..until].fill(7);
    fs::write(obs.db(), bytes).unwrap();
    let ran = obs.run(&["db", "check"]).exits(3);
    assert!(ran.stdout.contains("pages"), "{ran}");
    assert!(!ran.stderr.contains("internal error"), "{ran}");
}

#[test]
fn vacuum_gives_free_pages_back_in_steps_or_all_at_once() {
    let obs = with_events(20_000);
    meddle(&obs, "DELETE FROM event; PRAGMA wal_checkpoint(TRUNCATE)");
    let peek = Peek::at(&obs);
    assert!(peek.number("PRAGMA freelist_count") > 100);
    let told = obs.run(&["db", "vacuum", "--json"]).exits(0).json();
    assert!(told["data"][0]["freed_bytes"].as_i64().unwrap() > 400_000);
    assert_eq!(Peek::at(&obs).number("PRAGMA freelist_count"), 0);
    obs.run(&["db", "vacuum", "--full"]).exits(0);
    Peek::at(&obs).is_sound();
    assert_eq!(Peek::at(&obs).rows("PRAGMA journal_mode"), ["wal"]);
}

#[test]
fn a_file_that_cannot_shrink_can_after_a_full_vacuum() {
    let obs = with_events(5_000);
    meddle(
        &obs,
        "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM; DELETE FROM event",
    );
    assert_eq!(Peek::at(&obs).number("PRAGMA auto_vacuum"), 0);
    // Neither of these may turn for ever.
    obs.run(&["db", "vacuum"]).exits(0);
    obs.run(&["cleanup", "--yes"]).exits(0);
    obs.run(&["db", "vacuum", "--full"]).exits(0);
    assert_eq!(Peek::at(&obs).number("PRAGMA auto_vacuum"), 2);
    assert_eq!(Peek::at(&obs).number("PRAGMA freelist_count"), 0);
    assert_eq!(Peek::at(&obs).rows("PRAGMA journal_mode"), ["wal"]);
}

#[test]
fn analyze_and_migrate_say_what_they_did() {
    let obs = with_events(1_000);
    obs.run(&["db", "analyze"]).exits(0);
    assert!(Peek::at(&obs).number("SELECT count(*) FROM sqlite_stat1") > 0);
    let told = obs.run(&["db", "migrate", "--json"]).exits(0).json();
    assert_eq!(
        told["data"][0]["from_version"],
        told["data"][0]["to_version"]
    );
}
