//! `obs config set`: the settings of the store, where they show, and what is refused.

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

/// A setting of the store: its value and who set it.
fn shown(obs: &Obs, name: &str) -> (String, String) {
    let ran = obs.run(&["config", "show", "--origin", "--json"]).exits(0);
    let answer = ran.json();
    let rows = answer["data"].as_array().unwrap();
    let row = rows.iter().find(|row| row["setting"] == name).unwrap();
    let text = |field: &str| row[field].as_str().unwrap().to_owned();
    (text("value"), text("origin"))
}

fn pair(value: &str, origin: &str) -> (String, String) {
    (value.to_owned(), origin.to_owned())
}

#[test]
fn a_setting_of_the_store_is_set_shown_and_taken_back() {
    let obs = Obs::at(NOW);
    // Looking makes no store.
    assert_eq!(shown(&obs, "health_window"), pair("5m", "default"));
    assert!(!obs.db().exists());
    obs.run(&["config", "set", "health_window", "10m"]).exits(7);
    obs.run(&["init"]).exits(0);
    obs.run(&["config", "set", "health_window", "1h30m"])
        .exits(0);
    assert_eq!(shown(&obs, "health_window"), pair("90m", "store"));
    obs.run(&["config", "set", "health_window", "default"])
        .exits(0);
    assert_eq!(shown(&obs, "health_window"), pair("5m", "default"));
    obs.run(&["retention", "set", "raw", "14d"]).exits(0);
    assert_eq!(shown(&obs, "retention_raw"), pair("14d", "store"));
}

#[test]
fn a_slip_in_a_setting_or_its_value_says_what_to_write() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    for (key, value, code, hint) in [
        (
            "health_windw",
            "5m",
            "setting_unknown",
            "did you mean health_window?",
        ),
        ("health_window", "5", "setting_invalid", "5m"),
        (
            "health_down_success",
            "150%",
            "setting_invalid",
            "95% or 0.95",
        ),
        (
            "health_down_success",
            "99%",
            "health_unordered",
            "health_degraded_success",
        ),
        ("timezone", "Berlin", "setting_invalid", "Europe/Berlin"),
        ("week_start", "noday", "setting_invalid", "monday"),
        ("retention_raw", "31d", "retention_unordered", "raw <= 1min"),
        ("retention_raw", "5m", "retention_short", "hour at least"),
    ] {
        let ran = obs.run(&["config", "set", key, value, "--json"]).exits(2);
        assert!(
            ran.stderr.contains(&format!("\"code\":\"{code}\"")),
            "{ran}"
        );
        assert!(ran.stderr.contains(hint), "{ran}");
    }
    assert_eq!(Peek::at(&obs).number("SELECT count(*) FROM setting"), 0);
}

#[test]
fn what_sums_were_made_of_cannot_be_set_afterwards() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let set = |key: &str, value: &str| obs.run(&["config", "set", key, value]);
    set("cost_mode", "computed").exits(0);
    set("timezone", "Asia/Tokyo").exits(0);
    obs.feed(&["ingest"], traffic::events("a", 20)).exits(0);
    let refused = set("cost_mode", "reported").exits(2);
    assert!(refused.stderr.contains("obs init --db OTHER"), "{refused}");
    set("cost_mode", "computed").exits(0);
    // Local days that nothing was billed by yet may still be cut otherwise.
    set("timezone", "Europe/Berlin").exits(0);
    obs.run(&["rollup"]).exits(0);
    set("timezone", "UTC").exits(2);
    set("timezone", "default").exits(2);
    assert_eq!(shown(&obs, "timezone"), pair("Europe/Berlin", "store"));
}

#[test]
fn a_value_that_means_nothing_is_mended_by_setting_it() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let store = rusqlite::Connection::open(obs.db()).unwrap();
    let sql = "INSERT INTO setting VALUES('retention_raw_ms', 'soon')";
    store.execute(sql, []).unwrap();
    drop(store);
    let ran = obs.run(&["config", "show"]).exits(0);
    assert!(ran.stderr.contains("retention_raw has the value"), "{ran}");
    assert!(ran.stdout.contains("busy_timeout"), "{ran}");
    let ran = obs.run(&["run"]).exits(7);
    assert!(
        ran.stderr.contains("obs config set retention_raw default"),
        "{ran}"
    );
    obs.run(&["config", "set", "retention_raw", "default"])
        .exits(0);
    assert_eq!(shown(&obs, "retention_raw"), pair("7d", "default"));
}

#[test]
fn every_setting_is_listed_with_what_it_is() {
    let obs = Obs::at(NOW);
    let ran = obs.run(&["config", "set", "--list", "--json"]).exits(0);
    let answer = ran.json();
    assert_eq!(answer["schema"], "obs.settings/v1");
    for row in answer["data"].as_array().unwrap() {
        assert_eq!(row["value"], row["default"]);
        assert!(!row["what"].as_str().unwrap().is_empty(), "{row}");
    }
}
