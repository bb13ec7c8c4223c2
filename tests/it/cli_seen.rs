//! `obs providers`, `obs models`, and `obs stats` by the calendar and beside the
//! window before.

use crate::obs::Obs;
use crate::traffic::{self, NOW, lines};

/// A request at a time of 2026, for a cent.
fn request(at: &str, provider: &str, latency: u32, success: bool) -> String {
    format!(
        r#"{{"type":"request","timestamp":"2026-{at}Z","provider":"{provider}","model":"m","latency":{latency},"success":{success},"cost":0.01}}"#
    )
}

#[test]
fn what_there_is_is_listed_with_its_share_before_and_after_a_roll_up() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let ran = obs.run(&["providers"]).exits(0);
    assert!(ran.stdout.contains("no event yet"), "{ran}");
    let fed = lines([
        request("01-31T10:00:00", "openai", 100, true),
        request("03-01T11:59:59", "claude", 100, true),
        request("03-01T11:00:00", "claude", 100, true),
        request("03-01T10:00:00", "claude", 100, false),
    ]);
    let ingest = ["ingest", "--backfill"];
    obs.feed(&ingest, fed).exits(0);
    let expected = "provider,requests,requests_share,cost_usd,cost_share,first_event,last_event
claude,3,0.75,0.03,0.75,2026-03-01T10:00:00.000Z,2026-03-01T11:59:59.000Z
openai,1,0.25,0.01,0.25,2026-01-31T10:00:00.000Z,2026-01-31T10:00:00.000Z";
    obs.run(&["providers", "-o", "csv"])
        .exits(0)
        .prints(expected);
    obs.run(&["run"]).exits(0);
    obs.run(&["providers", "-o", "csv"])
        .exits(0)
        .prints(expected);
    let models = [
        "models",
        "--since",
        "7d",
        "-o",
        "csv",
        "--fields",
        "model,provider,requests",
    ];
    obs.run(&models)
        .exits(0)
        .prints("model,provider,requests\nm,claude,3");
}

#[test]
fn the_hours_of_a_window_add_up_to_the_window() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 400)).exits(0);
    let sums = |args: &[&str]| {
        let ran = obs.run(
            &[
                &["stats", "--json", "--since", "2026-02-27T07:13:21Z"],
                args,
            ]
            .concat(),
        );
        let answer = ran.exits(0).json();
        let rows = answer["data"].as_array().unwrap().clone();
        ["requests", "failures", "total_tokens", "cache_hits"].map(|field| {
            rows.iter()
                .map(|row| row[field].as_i64().unwrap())
                .sum::<i64>()
        })
    };
    let whole = sums(&[]);
    for tz in ["UTC", "Asia/Kolkata", "America/New_York"] {
        for by in [
            "hour-of-day",
            "weekday",
            "hour-of-day,weekday",
            "provider,weekday",
        ] {
            assert_eq!(sums(&["--by", by, "--tz", tz]), whole, "{by} {tz}");
        }
    }
    obs.run(&["rollup"]).exits(0);
    for by in ["hour-of-day", "weekday,model"] {
        assert_eq!(sums(&["--by", by, "--tz", "Asia/Kolkata"]), whole, "{by}");
    }
}

#[test]
fn weekdays_and_hours_are_those_of_the_zone() {
    let obs = Obs::at("2026-10-27T00:00:00Z");
    // In Berlin the clocks went back on Sunday the 25th at 01:00 UTC.
    let fed = lines([
        request("10-24T22:30:00", "a", 100, true),
        request("10-25T00:30:00", "a", 100, true),
        request("10-25T01:30:00", "a", 300, false),
        request("10-26T08:00:00", "a", 100, true),
    ]);
    obs.feed(&["ingest"], fed).exits(0);
    let shown = |by: &str| {
        let args = [
            "stats",
            "--by",
            by,
            "--tz",
            "Europe/Berlin",
            "--since",
            "2026-10-24T22:00:00Z",
        ];
        let fields = "weekday,weekday_number,hour_of_day,requests,failures";
        let fields = if by == "weekday" {
            "weekday,weekday_number,requests,failures"
        } else {
            fields
        };
        let ran = obs
            .run(&[&args[..], &["-o", "csv", "--fields", fields]].concat())
            .exits(0);
        let rows = ran.stdout.lines().filter(|row| !row.ends_with(",0,0"));
        rows.skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown("weekday"), "Monday,1,1,0 Sunday,7,3,1");
    assert_eq!(
        shown("weekday,hour-of-day"),
        "Monday,1,9,1,0 Sunday,7,0,1,0 Sunday,7,2,2,1"
    );
}

#[test]
fn hours_that_are_not_kept_are_refused_with_the_reason() {
    let mut obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 100)).exits(0);
    obs.set_now("2026-05-01T12:00:00Z");
    obs.run(&["run"]).exits(0);
    let since = ["stats", "--since", "2026-02-27", "--by", "hour-of-day"];
    obs.run(&since).exits(0);
    let ran = obs
        .run(&[&since[..], &["--tz", "Asia/Kolkata"]].concat())
        .exits(2);
    assert!(
        ran.stderr.contains("only buckets of 1hour are kept"),
        "{ran}"
    );
    let ran = obs.run(&["stats", "--by", "wekday"]).exits(2);
    assert!(ran.stderr.contains("did you mean \"weekday\"?"), "{ran}");
}

#[test]
fn a_window_stands_beside_the_one_before() {
    let obs = Obs::at(NOW);
    let mut fed: Vec<String> = Vec::new();
    for nth in 10..20 {
        fed.push(request(
            &format!("03-01T11:50:{nth}"),
            "claude",
            300,
            nth != 10,
        ));
        fed.push(request(&format!("03-01T10:50:{nth}"), "claude", 200, true));
    }
    fed.push(request("03-01T11:00:00", "openai", 100, true));
    fed.push(request("03-01T10:59:59", "gemini", 100, true));
    obs.feed(&["ingest"], lines(fed)).exits(0);
    let hour = ["stats", "--since", "1h", "--compare", "previous"];
    let fields = "provider,requests,requests_before,requests_change,requests_change_ratio,latency_p95_ms_change_ratio";
    let by = ["--by", "provider", "-o", "csv", "--fields", fields];
    let by_provider = [&hour[..], &by].concat();
    let expected = "provider,requests,requests_before,requests_change,requests_change_ratio,latency_p95_ms_change_ratio
claude,10,10,0,0.0,0.5
openai,1,0,1,,
gemini,0,1,-1,-1.0,";
    obs.run(&by_provider).exits(0).prints(expected);
    obs.run(&["rollup"]).exits(0);
    obs.run(&by_provider).exits(0).prints(expected);
    let table = obs.run(&hour).exits(0);
    for words in [
        "+100 ms, +50 %, worse",
        "points, worse",
        "before: 2026-03-01 10:00 to 2026-03-01 11:00",
    ] {
        assert!(table.stdout.contains(words), "{words}\n{table}");
    }
    let shifted = obs
        .run(&["stats", "--since", "1h", "--compare", "7d"])
        .exits(0);
    assert!(
        shifted
            .stdout
            .contains("nothing happened in the window before"),
        "{shifted}"
    );
    obs.run(&["stats", "--compare", "0s"]).exits(2);
    obs.run(&["stats", "--compare", "yesterday"]).exits(2);
    let by_day = obs
        .run(&["stats", "--compare", "7d", "--by", "weekday"])
        .exits(0);
    assert!(!by_day.stdout.contains("weekday number"), "{by_day}");
}
