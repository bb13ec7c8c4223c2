//! What `obs query` promises.

use serde_json::{Value, json};

use crate::busy_hour::busy_hour;
use crate::obs::{Obs, Ran};

fn query(obs: &Obs, expression: &str, args: &str) -> Ran {
    let words = ["query", expression]
        .into_iter()
        .chain(args.split_whitespace());
    obs.run(&words.collect::<Vec<_>>())
}

fn json_of(obs: &Obs, expression: &str, args: &str) -> Value {
    query(obs, expression, &format!("{args} --json"))
        .exits(0)
        .json()
}

fn column(told: &Value, name: &str) -> Vec<Value> {
    let rows = told["data"].as_array().unwrap();
    rows.iter().map(|row| row[name].clone()).collect()
}

#[test]
fn a_series_has_a_row_for_each_bucket_and_group_empty_ones_too() {
    let ran = query(
        &busy_hour(),
        "max_latency by (provider)",
        "--since 2h --step 1h -o csv",
    );
    assert_eq!(
        ran.exits(0).stdout,
        "bucket,provider,latency_max_ms\r\n\
         2026-03-01T10:00:00.000Z,claude,\r\n\
         2026-03-01T10:00:00.000Z,openai,\r\n\
         2026-03-01T11:00:00.000Z,claude,1590.0\r\n\
         2026-03-01T11:00:00.000Z,openai,500.0\r\n"
    );
}

#[test]
fn the_head_says_what_was_asked_and_how_it_was_cut() {
    let told = json_of(&busy_hour(), "cost", "--since 1h --step 30m");
    for (field, value) in [
        ("schema", json!("obs.query/v1")),
        ("since", json!("2026-03-01T11:00:00.000Z")),
        ("until", json!("2026-03-01T12:00:00.000Z")),
        ("resolution", json!("raw")),
        ("step_s", json!(1_800.0)),
        ("measure", json!("cost")),
        ("unit", json!("usd")),
        ("condition", Value::Null),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
    assert_eq!(column(&told, "cost_usd"), [json!(0.3), json!(0.3)]);
}

#[test]
fn an_empty_sum_is_zero_and_an_empty_ratio_is_no_value() {
    let obs = busy_hour();
    let args = "--since 2026-03-01T10:00 --until 2026-03-01T11:00 --step 1h";
    assert_eq!(
        column(&json_of(&obs, "requests", args), "requests"),
        [json!(0)]
    );
    assert_eq!(
        column(&json_of(&obs, "error_rate", args), "error_rate"),
        [Value::Null]
    );
}

#[test]
fn by_itself_a_day_is_cut_into_quarters_of_an_hour_and_never_by_the_limit_of_lists() {
    let told = json_of(&busy_hour(), "requests", "");
    assert_eq!(told["step_s"], json!(900.0));
    assert_eq!(told["data"].as_array().unwrap().len(), 96);
}

#[test]
fn without_a_step_there_is_one_value_for_each_group() {
    let told = json_of(
        &busy_hour(),
        "throughput by (model)",
        "--since 1h --step none",
    );
    assert_eq!(
        column(&told, "model"),
        [json!("opus"), json!("gpt-5"), Value::Null]
    );
    assert_eq!(
        column(&told, "throughput_rps"),
        [json!(60.0 / 3_600.0), json!(30.0 / 3_600.0), json!(0.0)]
    );
    assert_eq!(told["data"][0].get("bucket"), None);
}

#[test]
fn filters_in_the_expression_and_in_flags_narrow_each_other() {
    let obs = busy_hour();
    for (expression, flags, requests) in [
        (r#"requests{provider="claude"}"#, "", 60),
        (r#"requests{provider!="claude"}"#, "", 30),
        (r#"requests{model=~"gpt-*|opus"}"#, "--provider openai", 30),
        (r#"requests{provider="claude"}"#, "--provider openai", 0),
    ] {
        let told = json_of(&obs, expression, &format!("--step none {flags}"));
        assert_eq!(
            column(&told, "requests"),
            [json!(requests)],
            "{expression} {flags}"
        );
    }
}

#[test]
fn a_comparison_leaves_the_rows_for_which_it_holds() {
    let obs = busy_hour();
    let told = json_of(
        &obs,
        "error_rate by (provider) > 15%",
        "--since 1h --step 20m",
    );
    assert_eq!(told["condition"], "> 15%");
    assert_eq!(column(&told, "provider"), ["openai"; 3].map(|p| json!(p)));
    let told = json_of(&obs, "error_rate > 90%", "--since 1h --step 20m");
    assert_eq!(told["data"], json!([]));
    assert_eq!(
        told["notes"],
        json!(["the condition holds nowhere in this window"])
    );
}

#[test]
fn a_share_compared_with_a_number_above_one_is_doubted() {
    let ran = query(&busy_hour(), "error_rate > 5", "").exits(0);
    let expected = "warning: error_rate is a share from 0 to 1: write 5% for per cent\n";
    assert_eq!(ran.stderr, expected);
}

#[test]
fn hourly_cost_looks_back_sixty_minutes_from_the_end_of_a_bucket() {
    let args = "--since 2026-03-01T11:30 --until 2026-03-01T12:30 --step 30m";
    let told = json_of(&busy_hour(), "hourly_cost", args);
    assert_eq!(column(&told, "cost_hourly_usd"), [json!(0.6), json!(0.3)]);
}

#[test]
fn a_step_of_a_day_is_a_day_of_the_zone() {
    let args = "--since 2026-02-28T20:00 --step 1d --tz Asia/Kathmandu";
    let told = json_of(&busy_hour(), "requests", args);
    let midnights = ["2026-02-27T18:15:00.000Z", "2026-02-28T18:15:00.000Z"];
    assert_eq!(column(&told, "bucket"), midnights.map(|at| json!(at)));
    assert_eq!(column(&told, "requests"), [json!(0), json!(90)]);
    let ran = query(&busy_hour(), "requests", "--step 7d").exits(2);
    assert!(
        ran.stderr
            .starts_with("error: a step is not longer than a day\n"),
        "{ran}"
    );
}

#[test]
fn where_finer_buckets_are_gone_the_step_gives_way_unless_it_was_asked_for() {
    let mut obs = busy_hour();
    obs.set_now("2026-04-20T12:00:00Z");
    obs.run(&["run"]).exits(0);
    let window = "--since 2026-03-01T09:00 --until 2026-03-01T12:00";
    let told = json_of(&obs, "requests", window);
    assert_eq!(told["step_s"], json!(3_600.0));
    assert_eq!(column(&told, "requests"), [json!(0), json!(0), json!(90)]);
    let ran = query(&obs, "requests", &format!("{window} --step 1m")).exits(2);
    assert!(
        ran.stderr
            .contains("hint: take --step 1h or a multiple of it"),
        "{ran}"
    );
}

#[test]
fn every_measure_is_listed_with_its_names() {
    let told = busy_hour()
        .run(&["query", "--list", "--json"])
        .exits(0)
        .json();
    let rows = told["data"].as_array().unwrap();
    let p50 = rows
        .iter()
        .find(|row| row["measure"] == "p50_latency")
        .unwrap();
    let expected = json!({
        "measure": "p50_latency", "field": "latency_p50_ms", "unit": "ms",
        "what": "p50 latency", "also": "median_latency"
    });
    assert_eq!(*p50, expected);
}

#[test]
fn an_expression_that_cannot_be_read_is_shown_with_the_place_and_what_to_write() {
    let obs = busy_hour();
    let ran = query(&obs, r#"cost{provider=claude} by (model)"#, "").exits(2);
    assert_eq!(
        ran.stderr,
        "error: expected a text in double quotes, found \"claude\"\n  \
           --> expression:1:15\n   \
            | cost{provider=claude} by (model)\n   \
            |               ^\n\
         hint: write \"claude\"\n"
    );
    let ran = query(&obs, "cost by model", "--json").exits(2);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(error["error"]["code"], "expression_invalid");
    assert_eq!(error["error"]["details"]["column"], 9);
    assert_eq!(ran.stdout, "");
}

#[test]
fn an_unknown_measure_brings_the_nearest_and_names_the_list() {
    let ran = query(&busy_hour(), "p95_latncy", "").exits(2);
    assert_eq!(
        ran.stderr,
        "error: unknown measure \"p95_latncy\"\n\
         hint: did you mean p95_latency? `obs query --list` lists all measures\n"
    );
}

#[test]
fn a_place_far_into_a_long_expression_is_shown_with_what_is_round_it() {
    let expression = format!(r#"cost{{model="{}", x="1"}}"#, "é".repeat(200));
    let ran = query(&busy_hour(), &expression, "").exits(2);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let at = |line: &str, mark: char| line.chars().position(|c| c == mark).unwrap();
    assert_eq!(at(lines[2], 'x'), at(lines[3], '^'), "{ran}");
    assert!(lines[2].chars().count() < 80, "{ran}");
}
