//! What `obs stats` promises.

use serde_json::{Value, json};

use crate::busy_hour::{NOON, busy_hour};
use crate::obs::{Obs, Ran};

fn stats(obs: &Obs, args: &str) -> Ran {
    let args: Vec<&str> = ["stats"]
        .into_iter()
        .chain(args.split_whitespace())
        .collect();
    obs.run(&args)
}

fn rows(obs: &Obs, args: &str) -> Vec<Value> {
    let told = stats(obs, &format!("{args} --json")).exits(0).json();
    told["data"].as_array().unwrap().clone()
}

#[test]
fn the_hour_in_one_row() {
    let ran = stats(&busy_hour(), "--json").exits(0);
    assert!(
        ran.stdout.contains("\"success_rate\":0.9333333333333333,"),
        "{ran}"
    );
    let told = ran.json();
    assert_eq!(told["schema"], "obs.stats/v1");
    assert_eq!(told["since"], "2026-02-28T12:00:00.000Z");
    assert_eq!(told["until"], "2026-03-01T12:00:00.000Z");
    assert_eq!(told["resolution"], "raw");
    let [row] = &told["data"].as_array().unwrap()[..] else {
        panic!("{told}")
    };
    for (field, value) in [
        ("requests", json!(90)),
        ("successes", json!(84)),
        ("failures", json!(6)),
        ("latency_min_ms", json!(500.0)),
        ("latency_max_ms", json!(1_590.0)),
        ("latency_avg_ms", json!(1_030.0)),
        ("input_tokens", json!(7_500)),
        ("output_tokens", json!(1_500)),
        ("total_tokens", json!(9_000)),
        ("cost_usd", json!(0.6)),
        ("unpriced", json!(30)),
        ("cache_hit_rate", json!(0.75)),
        ("rate_limit_denial_rate", Value::Null),
        ("first_event", json!("2026-03-01T11:00:00.000Z")),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    // Of 90 latencies the 86th: the 56th of claude's.
    let p95 = row["latency_p95_ms"].as_f64().unwrap();
    assert!((p95 / 1_550.0 - 1.0).abs() < 0.0055, "{p95}");
}

#[test]
fn the_columns_are_the_groups_and_then_the_standard_measures() {
    let ran = stats(&busy_hour(), "--by provider,model -o csv").exits(0);
    assert_eq!(
        ran.stdout.lines().next().unwrap(),
        "provider,model,requests,successes,failures,success_rate,error_rate,latency_avg_ms,\
         latency_min_ms,latency_max_ms,latency_p50_ms,latency_p95_ms,latency_p99_ms,\
         input_tokens,output_tokens,total_tokens,cost_usd,unpriced,cache_hits,cache_misses,\
         cache_stores,cache_hit_rate,cache_saved_cost_usd,cache_saved_tokens,\
         rate_limit_allowed,rate_limit_denied,rate_limit_denial_rate,first_event,last_event"
    );
    assert_eq!(
        ran.stdout.lines().count(),
        4,
        "cache events name no model\n{ran}"
    );
}

#[test]
fn nothing_is_one_row_too() {
    let obs = Obs::at(NOON);
    obs.run(&["init"]).exits(0);
    let told = stats(&obs, "--json").exits(0).json();
    assert_eq!(told["data"].as_array().unwrap().len(), 1);
    assert_eq!(told["data"][0]["requests"], 0);
    assert_eq!(told["data"][0]["success_rate"], Value::Null);
    assert_eq!(told["resolution"], Value::Null);
    let note = "no events in this window; no event yet";
    assert_eq!(told["notes"], json!([note]));
    assert!(stats(&obs, "").exits(0).stdout.contains(note));
}

#[test]
fn groups_are_told_the_busiest_first_in_a_table_that_fits() {
    stats(&busy_hour(), "--by provider").exits(0).prints(
        "provider  requests  errors (%)     p50     p95  cost ($)  tokens     p99
         ────────────────────────────────────────────────────────────────────────
         claude          60           0  1.29 s  1.55 s      0.60   7,200  1.59 s
         openai          30          20  500 ms  500 ms      0.00   1,800  500 ms
         30 requests have no price: their cost is not in the sum",
    );
}

#[test]
fn a_label_that_was_not_said_is_no_value() {
    let rows = rows(&busy_hour(), "--by user --limit 1");
    assert_eq!(rows[0]["user"], Value::Null);
    assert_eq!(rows[0]["requests"], 30);
}

#[test]
fn filters_narrow_each_other() {
    let obs = busy_hour();
    for (filter, requests) in [
        ("--provider claude", 60),
        ("--provider !claude", 30),
        ("--provider claude --model gpt-5", 0),
        ("--model gpt-* --model opus", 90),
        ("--status error", 6),
        ("--user u0*", 10),
        ("--since 2026-03-01T11:30 --until 2026-03-01T11:40", 15),
    ] {
        let told = stats(&obs, &format!("{filter} --json")).exits(0).json();
        assert_eq!(told["data"][0]["requests"], requests, "{filter}");
    }
}

#[test]
fn an_order_and_a_length_can_be_asked_for() {
    let obs = busy_hour();
    let users = |args: &str| -> Vec<String> {
        let rows = rows(&obs, &format!("--by user {args}"));
        rows.iter().map(|row| row["user"].to_string()).collect()
    };
    assert_eq!(
        users("--user u* --sort -latency_max_ms --limit 2"),
        ["\"u59\"", "\"u58\""]
    );
    assert_eq!(users("--sort user --limit 0").len(), 61);
    assert_eq!(users("--sort -user --limit 0")[60], "null");
    let ran = stats(&obs, "--by user --sort latency").exits(2);
    assert!(ran.stderr.contains("unknown field \"latency\""), "{ran}");
}

#[test]
fn a_list_that_was_cut_unasked_says_so() {
    let obs = busy_hour();
    let ran = stats(&obs, "--by user --json").exits(0);
    assert_eq!(
        ran.stderr,
        "warning: 50 of 61 rows; use --limit 0 for all\n"
    );
    assert_eq!(ran.json()["data"].as_array().unwrap().len(), 50);
    assert_eq!(stats(&obs, "--by user --limit 3").exits(0).stderr, "");
}

#[test]
fn numbers_are_the_same_before_and_after_the_roll_up() {
    let obs = busy_hour();
    let window = "--by provider --since 2026-03-01T11:00 --until 2026-03-01T12:00";
    let before = stats(&obs, &format!("{window} --json")).exits(0).json();
    obs.run(&["rollup"]).exits(0);
    let after = stats(&obs, &format!("{window} --json")).exits(0).json();
    assert_eq!(before["data"], after["data"]);
    assert_eq!(
        (&before["resolution"], &after["resolution"]),
        (&json!("raw"), &json!("1hour"))
    );
}

#[test]
fn explain_says_which_tier_answered_and_why_no_coarser_one() {
    let obs = busy_hour();
    let explain = |args: &str| {
        stats(&obs, &format!("{args} --explain --json"))
            .exits(0)
            .stderr
    };
    let hour = "--since 2026-03-01T11:00 --until 2026-03-01T12:00";
    assert_eq!(
        explain(hour),
        "from raw: 2026-03-01 11:00 to 2026-03-01 12:00, 94 rows; \
         1min is not up to date: some minutes are not rolled up\n"
    );
    obs.run(&["rollup"]).exits(0);
    let from_hour = "from 1hour: 2026-03-01 11:00 to 2026-03-01 12:00, 3 rows";
    assert_eq!(
        explain(hour),
        format!("{from_hour}; the window cuts a bucket of 1day\n")
    );
    assert_eq!(
        explain("--since 2026-03-01T11:58:30"),
        "from 1min: 2026-03-01 11:59 to 2026-03-01 12:00, 1 row; the window cuts a bucket of 1hour\n\
         from raw: 2026-03-01 11:58 to 2026-03-01 11:59, 0 rows; the window cuts a bucket of 1min\n"
    );
    assert!(explain("--user u01").contains("; user is kept with raw events only\n"));
}

#[test]
fn what_is_kept_with_raw_events_is_refused_beyond_them() {
    let mut obs = busy_hour();
    obs.set_now("2026-03-20T12:00:00Z");
    obs.run(&["run"]).exits(0);
    let ran = stats(&obs, "--by user --since 30d --json").exits(2);
    assert!(ran.stderr.contains("\"code\":\"beyond_raw\""), "{ran}");
    assert!(
        ran.stderr
            .contains("ask from there on with --since 2026-03-13T12:00:00.000Z"),
        "{ran}"
    );
    assert_eq!(rows(&obs, "--by provider --since 30d")[0]["requests"], 60);
}

#[test]
fn a_slip_in_a_name_is_told_with_the_name_that_was_meant() {
    let obs = busy_hour();
    let told = stats(&obs, "--provider cluade --json").exits(0).json();
    assert_eq!(
        told["notes"],
        json!([
            "no such events in this window; last event 1 min ago",
            "no event has the provider \"cluade\" (did you mean \"claude\"?); \
             `obs stats --by provider` lists them"
        ])
    );
    let ran = stats(&obs, "--by modle").exits(2);
    assert!(
        ran.stderr
            .starts_with("error: unknown dimension \"modle\"\nhint: use one of provider, ")
    );
    assert!(ran.stderr.ends_with("(did you mean \"model\"?)\n"));
}

#[test]
fn without_a_store_the_command_that_makes_one_is_named() {
    let ran = stats(&Obs::at(NOON), "").exits(7);
    assert!(ran.stderr.contains("`obs init`"), "{ran}");
}
