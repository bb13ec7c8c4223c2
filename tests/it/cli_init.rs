//! `obs init`: where a store comes from, and which commands make one.

use std::os::unix::fs::PermissionsExt;

use crate::migrations::newest_migration;
use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

#[test]
fn a_new_store_is_its_owners_alone_and_ready_for_readers_and_writers() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let mode = obs.db().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let peek = Peek::at(&obs);
    assert_eq!(peek.rows("PRAGMA journal_mode"), ["wal"]);
    assert_eq!(peek.number("PRAGMA auto_vacuum"), 2, "incremental");
    assert_eq!(peek.number("PRAGMA application_id"), 0x6f62_7331);
    assert_eq!(peek.number("PRAGMA user_version"), newest_migration());
    peek.is_sound();
}

#[test]
fn the_nine_names_and_the_summaries_are_there_from_the_start() {
    let obs = Obs::at(NOW);
    obs.run(&["init", "--no-default-rules"]).exits(0);
    let peek = Peek::at(&obs);
    for name in [
        "metrics_raw",
        "metrics_1min",
        "metrics_1hour",
        "metrics_1day",
        "alert_rules",
        "alerts",
        "alert_history",
        "cost_budgets",
        "cost_projections",
        "metrics_recent_summary",
        "alerts_active_summary",
        "cost_today_summary",
    ] {
        assert_eq!(
            peek.number(&format!("SELECT count(*) FROM {name}")),
            0,
            "{name}"
        );
    }
}

#[test]
fn init_on_a_store_that_exists_changes_nothing() {
    let obs = Obs::at(NOW);
    obs.run(&["init", "--timezone", "Europe/Berlin"]).exits(0);
    obs.feed(&["ingest"], traffic::events("a", 20)).exits(0);
    let content = Peek::at(&obs).content();
    let ran = obs.run(&["init", "--json"]).exits(0);
    assert_eq!(ran.json()["data"][0]["timezone"], "Europe/Berlin");
    assert_eq!(Peek::at(&obs).content(), content);
}

#[test]
fn days_of_a_store_that_has_some_keep_their_zone() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 20)).exits(0);
    obs.run(&["rollup"]).exits(0);
    let ran = obs.run(&["init", "--timezone", "Asia/Tokyo"]).exits(2);
    assert_eq!(
        ran.stderr,
        "error: the store has days in another zone already\n\
         hint: make a new store for the new zone: obs init --db OTHER --timezone ZONE\n"
    );
}

#[test]
fn a_zone_that_does_not_exist_makes_no_store() {
    let obs = Obs::at(NOW);
    let ran = obs.run(&["init", "--timezone", "Europe/Berlim"]).exits(2);
    assert!(ran.stderr.contains("Europe/Berlin"), "{ran}");
    assert!(!obs.db().exists());
}

#[test]
fn folders_on_the_way_to_a_new_store_are_made() {
    let obs = Obs::at(NOW);
    obs.run(&["init", "--db", "deep/er/obs.db"]).exits(0);
    assert!(obs.folder().join("deep/er/obs.db").exists());
}
