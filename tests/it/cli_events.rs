//! `obs events`: one by one, page by page, by any name an event goes by.

use std::fmt::Write as _;

use serde_json::Value;

use crate::obs::Obs;

const NOW: &str = "2026-03-01T12:00:00Z";

/// A store with three hundred events, some of them in the same millisecond.
fn used() -> Obs {
    let obs = Obs::at(NOW);
    let mut lines = String::new();
    for n in 0..300 {
        let (kind, more) = match n % 3 {
            0 => (
                "request",
                r#""latency":80,"cost":0.01,"input_tokens":7,"output_tokens":2"#,
            ),
            1 => ("cache", r#""event":"hit","savedCost":0.002"#),
            _ => (
                "request",
                r#""success":false,"status_code":529,"error_type":"overloaded""#,
            ),
        };
        let (at, region) = (1_772_366_000_000_i64 + n / 4, n % 2);
        writeln!(
            lines,
            r#"{{"type":"{kind}","id":"e{n}","timestamp":{at},"provider":"claude","metadata":{{"region":"eu-{region}","n":{n}}},{more}}}"#
        )
        .unwrap();
    }
    obs.feed(&["ingest"], lines).exits(0);
    obs
}

fn ids(answer: &Value) -> Vec<String> {
    let rows = answer["data"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

/// All pages of a list, one after the other.
fn pages(obs: &Obs, args: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut args: Vec<&str> = args.to_vec();
        args.extend(["--limit", "37", "--json"]);
        if let Some(cursor) = &cursor {
            args.extend(["--cursor", cursor]);
        }
        let answer = obs.run(&args).exits(0).json();
        found.extend(ids(&answer));
        match answer["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return found,
        }
    }
}

#[test]
fn pages_show_every_event_once_in_either_order() {
    let obs = used();
    let newest = pages(&obs, &["events"]);
    let mut oldest = pages(&obs, &["events", "--sort", "time"]);
    assert_eq!(newest.len(), 300);
    assert_eq!(
        ids(&obs.run(&["events", "--limit", "0", "--json"]).json()),
        newest
    );
    oldest.reverse();
    assert_eq!(newest, oldest);
    let mut each = newest.clone();
    each.sort();
    each.dedup();
    assert_eq!(each.len(), 300);
}

#[test]
fn events_are_chosen_by_type_label_and_metadata() {
    let obs = used();
    for (filter, count) in [
        (&["--type", "cache"][..], 100),
        (&["--type", "request", "--type", "cache"], 300),
        (&["--status", "error"], 100),
        (&["--error-type", "over*", "--provider", "claude"], 100),
        (&["--provider", "!claude"], 0),
        (&["--label", "region=eu-1"], 150),
        (&["--label", "region=eu-0", "--label", "region=eu-1"], 300),
        (&["--label", "region=!eu-1", "--type", "cache"], 50),
        (&["--label", "n=17"], 1),
        (&["--label", "zone="], 300),
        (&["--until", "2026-03-01T11:53:20.001Z"], 4),
    ] {
        let args = [&["events", "--limit", "0", "-o", "jsonl"], filter].concat();
        let ran = obs.run(&args).exits(0);
        assert_eq!(ran.stdout.lines().count(), count, "{}", ran.command);
    }
}

#[test]
fn a_cut_list_says_how_to_go_on() {
    let obs = used();
    let ran = obs.run(&["events", "-o", "csv"]).exits(0);
    assert_eq!(ran.stdout.lines().count(), 51);
    let words = "warning: 50 rows, and there are more: --cursor ";
    assert!(ran.stderr.starts_with(words), "{ran}");
    let quiet = obs.run(&["events", "-o", "csv", "--limit", "7"]).exits(0);
    assert_eq!(quiet.stderr, "");
    let wrong = obs.run(&["events", "--cursor", "seven"]).exits(2);
    assert!(wrong.stderr.contains("the cursor leads nowhere"), "{wrong}");
    obs.run(&["events", "--sort", "cost_usd"]).exits(2);
    obs.run(&["events", "--label", "region"]).exits(2);
}

#[test]
fn one_event_is_shown_by_its_ref_by_a_beginning_of_it_or_by_its_id() {
    let obs = used();
    let row = obs
        .run(&["events", "--json", "--label", "n=17"])
        .exits(0)
        .json()["data"][0]
        .clone();
    let name = row["ref"].as_str().unwrap();
    for text in [name, &name[..17], "e17"] {
        let shown = obs.run(&["events", "show", text, "--json"]).exits(0).json();
        assert_eq!(shown["data"], Value::Array(vec![row.clone()]), "{text}");
    }
    let table = obs.run(&["events", "show", "e17"]).exits(0).stdout;
    assert!(
        table.contains("status_code") && table.contains("529"),
        "{table}"
    );
    assert!(
        !table.contains("ttft_ms"),
        "what was not said is left out: {table}"
    );

    let several = obs.run(&["events", "show", &name[..8], "--json"]).exits(2);
    assert!(several.stderr.contains("event_ambiguous"), "{several}");
    for unknown in ["e300", "19c", "ffffffffffff"] {
        let ran = obs.run(&["events", "show", unknown, "--json"]).exits(4);
        assert!(ran.stderr.contains("event_unknown"), "{ran}");
    }
}

#[test]
fn groups_have_pages_too() {
    let obs = used();
    let args = ["stats", "--by", "error_type,status", "--sort", "failures"];
    let all = obs.run(&[&args[..], &["--json"]].concat()).exits(0).json();
    let mut found = Vec::new();
    let mut next = Value::Null;
    loop {
        let mut args: Vec<&str> = args.to_vec();
        args.extend(["--json", "--limit", "1"]);
        if let Some(cursor) = next.as_str() {
            args.extend(["--cursor", cursor]);
        }
        let page = obs.run(&args).exits(0).json();
        found.extend(page["data"].as_array().unwrap().clone());
        next = page["next"].clone();
        if next.is_null() {
            break;
        }
    }
    assert_eq!(Value::Array(found), all["data"]);
    obs.run(&["stats", "--by", "model", "--cursor", "7b7d"])
        .exits(2);
}
