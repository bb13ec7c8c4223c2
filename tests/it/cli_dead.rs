//! `obs events dead`: lines that could not be read, looked at, mended, thrown away.

use std::fs;

use crate::obs::Obs;
use crate::peek::Peek;

const NOW: &str = "2026-03-01T12:00:00Z";

/// A file of which three lines are refused: two lack their type, one is hostile.
fn used() -> Obs {
    let obs = Obs::at(NOW);
    let lines = "{\"timestamp\":1772366000000,\"provider\":\"claude\",\"latency\":5}\n\
                 {\"type\":\"request\",\"timestamp\":1772366000000,\"provider\":\"claude\",\"latency\":5}\n\
                 {\"id\":\"x\",\"timestamp\":1772366000001,\"provider\":\"claude\"}\n\
                 \u{1b}[2Jgone\u{202e}\n";
    fs::write(obs.folder().join("a.jsonl"), lines).unwrap();
    obs.run(&["ingest", "a.jsonl"]).exits(5);
    obs
}

fn letters(obs: &Obs) -> Vec<String> {
    Peek::at(obs).rows("SELECT line, code FROM dead_letter ORDER BY line")
}

#[test]
fn dead_letters_are_listed_and_shown_without_harm() {
    let obs = used();
    let json = obs.run(&["events", "dead", "--json"]).exits(0).json();
    assert_eq!(json["schema"], "obs.dead/v1");
    assert_eq!(json["data"].as_array().unwrap().len(), 3);
    let table = obs.run(&["events", "dead"]).exits(0).stdout;
    assert!(
        table.contains("a.jsonl") && !table.contains('\u{1b}'),
        "{table}"
    );
    let hostile = obs
        .run(&["events", "dead", "--code", "bad_json", "--json"])
        .json();
    let id = hostile["data"][0]["id"].to_string();
    for format in ["table", "json", "md"] {
        let shown = obs
            .run(&["events", "dead", "show", &id, "-o", format])
            .exits(0);
        assert!(shown.stdout.contains("gone"), "{shown}");
        assert!(!shown.stdout.contains(['\u{1b}', '\u{202e}']), "{shown}");
    }
    obs.run(&["events", "dead", "show", "99"]).exits(4);
    let first = obs
        .run(&["events", "dead", "--limit", "2", "--json"])
        .json();
    let rest = [
        "events",
        "dead",
        "--cursor",
        first["next"].as_str().unwrap(),
        "--json",
    ];
    let rest = obs.run(&rest).exits(0).json();
    assert_eq!(rest["data"][0], json["data"][2]);
    assert!(rest["next"].is_null());
}

#[test]
fn a_retry_mends_what_it_can_and_reading_the_file_again_counts_nothing_twice() {
    let obs = used();
    let retry = ["events", "dead", "retry", "--set", "type=request", "--json"];
    let told = obs.run(&[&retry[..], &["-n"]].concat()).exits(5).json();
    assert_eq!(told["data"][0]["accepted"], 2);
    assert_eq!(
        (letters(&obs).len(), Peek::at(&obs).events()),
        (3, 1),
        "a dry run"
    );
    let done = obs.run(&retry).exits(5).json();
    assert_eq!(done["data"], told["data"]);
    assert_eq!(letters(&obs), ["4|bad_json"]);
    assert_eq!(Peek::at(&obs).events(), 3);
    obs.run(&["ingest", "a.jsonl", "--set", "type=request"])
        .exits(5);
    assert_eq!(
        Peek::at(&obs).events(),
        3,
        "the same lines of the same file"
    );
    obs.run(&["stats", "-o", "csv", "--fields", "requests"])
        .exits(0)
        .prints("requests\n3");
}

#[test]
fn what_still_fails_keeps_its_place_with_the_new_reason() {
    let obs = used();
    let retry = [
        "events",
        "dead",
        "retry",
        "--code",
        "missing_field",
        "--set",
        "type=requst",
    ];
    obs.run(&retry).exits(5);
    assert_eq!(
        letters(&obs),
        ["1|unknown_type", "3|unknown_type", "4|bad_json"]
    );
}

#[test]
fn dead_letters_go_only_when_it_is_confirmed() {
    let obs = used();
    let delete = ["events", "dead", "delete", "--code", "bad_json"];
    obs.run(&delete).exits(2);
    obs.run(&[&delete[..], &["-n"]].concat()).exits(0);
    assert_eq!(letters(&obs).len(), 3);
    obs.run(&[&delete[..], &["--yes"]].concat()).exits(0);
    assert_eq!(letters(&obs), ["1|missing_field", "3|missing_field"]);
}

#[test]
fn records_of_csv_are_tried_under_a_header() {
    let obs = Obs::at(NOW);
    let table = "type,timestamp,latency\nrequest,1772366000000,5\nrequst,1772366000000,6\n";
    fs::write(obs.folder().join("t.csv"), table).unwrap();
    obs.run(&["ingest", "t.csv"]).exits(5);
    let retry = [
        "events",
        "dead",
        "retry",
        "--map",
        "role=type",
        "--set",
        "type=request",
    ];
    let ran = obs.run(&retry).exits(5);
    assert!(ran.stderr.contains("--header"), "{ran}");
    let header = ["--header", "type,timestamp,latency"];
    obs.run(&[&retry[..], &header].concat()).exits(0);
    assert_eq!(
        Peek::at(&obs).rows("SELECT role, latency FROM metrics_raw ORDER BY latency"),
        ["|5", "requst|6"]
    );
}
