//! `obs record` as a script uses it: one event a call, checked and refused like a
//! line of an ingest.

use crate::obs::{Obs, Ran};
use crate::peek::Peek;
use crate::traffic::NOW;

fn born() -> Obs {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    obs
}

fn record(obs: &Obs, line: &str) -> Ran {
    let words: Vec<&str> = line.split(' ').collect();
    obs.run(&[&["record"], words.as_slice()].concat())
}

#[test]
fn a_request_is_stored_with_all_that_was_said() {
    let obs = born();
    let ran = record(
        &obs,
        "request --provider claude --model opus --user u1 --latency 1.25s --status-code 200 \
         --input-tokens 900 --output-tokens 40 --cost 0.0041 --at 2026-03-01T11:59:30Z \
         --field role=planner --field region=eu --json",
    )
    .exits(0);
    assert_eq!(ran.json()["data"][0]["outcome"], "accepted", "{ran}");
    let kept = Peek::at(&obs).rows(
        "SELECT time, provider, model, user_id, latency, status_code, success, input_tokens, output_tokens,
         cost, role, metadata FROM metrics_raw",
    );
    let expected = "2026-03-01T11:59:30.000Z|claude|opus|u1|1250|200|1|900|40|0.0041|planner|{\"region\":\"eu\"}";
    assert_eq!(kept, [expected]);
}

#[test]
fn a_cache_access_and_a_decision_of_a_limiter_are_stored() {
    let obs = born();
    record(
        &obs,
        "cache hit --provider claude --saved-cost 0.002 --saved-tokens 1800",
    )
    .exits(0);
    record(
        &obs,
        "rate_limit denied --provider groq --limit-type user --key u1 --remaining 0",
    )
    .exits(0);
    let kept = Peek::at(&obs).rows(
        "SELECT time, metric_type, provider, cache_event, cache_saved_cost, cache_saved_tokens, rate_limit_event,
         rate_limit_type, rate_limit_key, rate_limit_remaining FROM metrics_raw ORDER BY metric_type",
    );
    let now = "2026-03-01T12:00:00.000Z";
    let expected = [
        format!("{now}|cache|claude|hit|0.002|1800||||"),
        format!("{now}|rate_limit|groq||||denied|user|u1|0"),
    ];
    assert_eq!(kept, expected);
}

#[test]
fn a_request_with_an_error_failed_and_an_empty_value_says_nothing() {
    let obs = born();
    obs.run(&["record", "request", "--error", "no route", "--user", ""])
        .exits(0);
    obs.run(&["record", "request", "--error", "", "--latency", "850ms"])
        .exits(0);
    let kept = Peek::at(&obs)
        .rows("SELECT success, error_message, user_id, latency FROM metrics_raw ORDER BY success");
    assert_eq!(kept, ["0|no route||", "1|||850"]);
}

#[test]
fn each_call_counts_and_the_same_event_once() {
    let obs = born();
    let peek = Peek::at(&obs);
    (0..3).for_each(|_| drop(record(&obs, "request --provider claude").exits(0)));
    assert_eq!(peek.events(), 3);
    let same = "request --id a --at 2026-03-01T11:00:00Z --json";
    for outcome in ["accepted", "duplicate"] {
        assert_eq!(
            record(&obs, same).exits(0).json()["data"][0]["outcome"],
            outcome
        );
    }
    assert_eq!(peek.events(), 4);
}

#[test]
fn what_is_no_event_is_refused_in_the_words_of_an_ingest() {
    let obs = born();
    for (line, words) in [
        (
            "request --latency fast",
            "latency: expected a number, found \"fast\"",
        ),
        (
            "request --latency 25h",
            "latency: expected at most 24 h (86400000 ms), found \"90000000\"",
        ),
        (
            "request --input-tokens=-4",
            "input_tokens: expected no negative number, found \"-4\"",
        ),
        (
            "cache hitt",
            "event: expected hit, miss or store, found \"hitt\", did you mean hit?",
        ),
        (
            "request --at 1999-01-01",
            "timestamp: 1999-01-01T00:00:00.000Z lies before the year 2000",
        ),
    ] {
        let ran = record(&obs, line).exits(2);
        assert!(
            ran.stderr.starts_with(&format!("error: {words}\n")),
            "{ran}"
        );
    }
    assert_eq!(Peek::at(&obs).events(), 0);
}

#[test]
fn a_store_is_not_made_by_recording() {
    let obs = Obs::at(NOW);
    let ran = record(&obs, "request --provider claude").exits(7);
    assert!(ran.stderr.contains("obs init"), "{ran}");
    assert!(!obs.db().exists());
}
