//! `obs doctor`: what is wrong, why it matters, what to do, and what it mends itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use serde_json::Value;

use crate::obs::{Obs, Ran};
use crate::peek::Peek;
use crate::traffic::{self, NOW};

/// A store that `obs run` has just looked after.
fn healthy() -> Obs {
    let obs = Obs::at(NOW);
    let fed = (0..100).map(|n| traffic::request(n * 1_000, &format!(r#""id":"{n}","cost":0.01"#)));
    obs.feed(&["ingest"], traffic::lines(fed)).exits(0);
    obs.run(&["run"]).exits(0);
    obs
}

fn meddle(obs: &Obs, sql: &str) {
    let conn = Connection::open(obs.db()).unwrap();
    conn.execute_batch(sql).unwrap();
}

/// The findings of a check: severity and words.
fn findings(ran: &Ran, check: &str) -> Vec<(String, String)> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let told = ran.json();
    let rows = told["data"].as_array().unwrap().iter();
    rows.filter(|row| row["check"] == check)
        .map(|row| (text(row, "severity"), text(row, "finding")))
        .collect()
}

#[track_caller]
fn finds(obs: &Obs, check: &str, severity: &str, words: &str) {
    let ran = obs.run(&["doctor", "--json"]).exits(3);
    let found = findings(&ran, check);
    assert!(
        found
            .iter()
            .any(|(grade, what)| grade == severity && what.contains(words)),
        "{check}: {found:?}\n{ran}"
    );
}

#[test]
fn a_healthy_store_has_nothing_wrong() {
    let obs = healthy();
    let ran = obs.run(&["doctor", "--json"]).exits(0);
    let told = ran.json();
    let rows = told["data"].as_array().unwrap();
    assert!(rows.len() >= 15, "{ran}");
    assert!(rows.iter().all(|row| row["severity"] == "ok"), "{ran}");
    let table = obs.run(&["doctor"]).exits(0);
    assert!(!table.stdout.contains("warning"), "{table}");
}

#[test]
fn every_finding_above_ok_says_why_it_matters_and_what_to_do() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 200)).exits(0);
    let ran = obs.run(&["doctor", "--json"]);
    for row in ran.json()["data"].as_array().unwrap() {
        let said = row["why"].is_string() && row["remedy"].is_string();
        assert_eq!(said, row["severity"] != "ok", "{row}");
    }
}

#[test]
fn a_cron_that_sleeps_is_noticed() {
    let mut obs = healthy();
    obs.set_now("2026-03-01T12:30:00Z");
    finds(&obs, "cron", "warning", "last done 30 min");
    obs.set_now("2026-03-04T12:00:00Z");
    finds(&obs, "cron", "critical", "last done 3 d");
    obs.run(&["run"]).exits(0);
    obs.run(&["doctor"]).exits(0);
}

#[test]
fn a_clock_that_was_set_back_is_noticed() {
    let mut obs = healthy();
    obs.set_now("2026-02-01T12:00:00Z");
    finds(&obs, "clock", "critical", "still to come");
}

#[test]
fn lines_that_are_refused_are_counted_with_their_reason() {
    let obs = healthy();
    obs.feed(&["ingest"], "nonsense\nnonsense too\n{}\n")
        .exits(5);
    finds(
        &obs,
        "dead letters",
        "warning",
        "3 of 103 lines were refused",
    );
}

#[test]
fn requests_without_a_cost_are_named_by_model() {
    let obs = healthy();
    let fed = (0..10).map(|n| traffic::request(n * 1_000 + 1, &format!(r#""id":"x{n}""#)));
    obs.feed(&["ingest"], traffic::lines(fed)).exits(0);
    obs.run(&["run"]).exits(0);
    finds(&obs, "prices", "warning", "opus (10)");
}

#[test]
fn what_is_safe_is_mended_and_said() {
    let mut obs = healthy();
    fs::set_permissions(obs.db(), PermissionsExt::from_mode(0o644)).unwrap();
    let part = obs.folder().join(".obs-part-left");
    fs::write(&part, "half a copy").unwrap();
    fs::File::open(&part)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    obs.feed(
        &["ingest"],
        traffic::request(5, r#""id":"late","cost":0.1"#),
    )
    .exits(0);
    finds(&obs, "permissions", "warning", "open to everybody (644)");
    finds(&obs, "leftovers", "warning", "never finished");
    obs.set_now("2026-03-01T12:20:00Z");
    finds(&obs, "rollup", "warning", "1 minutes wait");
    let ran = obs.run(&["doctor", "--fix", "--json"]);
    let notes = ran.json()["notes"].to_string();
    for word in ["is its owner's now", "removed ", "rolled up 1 minutes"] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    let mode = fs::metadata(obs.db()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!part.exists());
    // Whether cron runs is nothing that it could mend.
    obs.run(&["run"]).exits(0);
    obs.run(&["doctor"]).exits(0);
}

#[test]
fn free_pages_are_given_back_on_demand() {
    let obs = healthy();
    meddle(
        &obs,
        "CREATE TABLE filler(x); INSERT INTO filler SELECT zeroblob(80000000); DROP TABLE filler",
    );
    finds(&obs, "free pages", "warning", "hold nothing");
    obs.run(&["doctor", "--fix"]).exits(0);
    assert_eq!(Peek::at(&obs).number("PRAGMA freelist_count"), 0);
}

#[test]
fn a_store_that_cannot_be_used_gets_a_report() {
    let obs = healthy();
    fs::write(obs.db(), "a text").unwrap();
    finds(&obs, "store", "critical", "is not a store");
    meddle_header(&healthy());
    let none = Obs::at(NOW);
    let ran = none.run(&["doctor", "--json"]).exits(7);
    let found = findings(&ran, "store");
    assert!(found[0].1.contains("`obs init` makes one"), "{ran}");
}

fn meddle_header(obs: &Obs) {
    meddle(obs, "PRAGMA user_version = 900");
    finds(obs, "store", "critical", "schema 900");
}

#[test]
fn all_problems_of_the_configuration_are_told_and_the_rest_is_looked_at() {
    let obs = healthy();
    let text = "busy_timout = '1s'\noutput = 'jason'\ntz = 3\n";
    fs::write(obs.folder().join("obs.toml"), text).unwrap();
    let ran = obs.run(&["doctor", "--json"]).exits(3);
    assert_eq!(findings(&ran, "configuration").len(), 3, "{ran}");
    assert_eq!(findings(&ran, "cron")[0].0, "ok");
    let ran = obs.run(&["config", "check", "--json"]).exits(3);
    let told = ran.json();
    let rows = told["data"].as_array().unwrap();
    let places: Vec<(i64, i64)> = rows
        .iter()
        .map(|row| {
            (
                row["line"].as_i64().unwrap(),
                row["column"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(places, [(1, 1), (2, 10), (3, 6)], "{ran}");
    assert!(rows[0]["hint"].as_str().unwrap().contains("busy_timeout"));
}

#[test]
fn a_setting_of_the_store_that_means_nothing_is_found() {
    let obs = healthy();
    meddle(
        &obs,
        "INSERT OR REPLACE INTO setting VALUES('timezone', 'Mars')",
    );
    finds(&obs, "settings", "critical", "timezone");
}
