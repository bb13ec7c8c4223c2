//! What `obs chart` promises. How lines are drawn is told beside the renderer.

use serde_json::json;

use crate::busy_hour::{NOON, busy_hour};
use crate::obs::{Obs, Ran};

fn chart(obs: &Obs, args: &str) -> Ran {
    let args: Vec<&str> = ["chart"]
        .into_iter()
        .chain(args.split_whitespace())
        .collect();
    obs.run(&args)
}

#[test]
fn a_chart_says_what_it_shows_of_when_and_from_where() {
    let ran = chart(&busy_hour(), "latency --provider claude --since 1h").exits(0);
    let head = ran.stdout.lines().take(2).collect::<Vec<_>>().join(" ");
    for part in [
        "average latency {provider=\"claude\"} (",
        "2026-03-01 11:00 – 12:00 UTC",
        "every 1 min (raw)",
    ] {
        assert!(head.contains(part), "{part}\n{ran}");
    }
    for label in ["11:00", "11:20", "11:40"] {
        assert!(ran.stdout.contains(label), "{label}\n{ran}");
    }
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() <= 80),
        "{ran}"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn measures_of_two_units_have_an_axis_each_and_a_third_is_refused() {
    let obs = busy_hour();
    let ran = chart(&obs, "p50_latency p95_latency cost --since 1h").exits(0);
    assert!(
        ran.stdout
            .starts_with("p50 latency, p95 latency, cost (s left, $ right)"),
        "{ran}"
    );
    assert!(
        ran.stdout
            .ends_with("● p50 latency (left)   ▲ p95 latency (left)   ■ cost (right)\n"),
        "{ran}"
    );
    assert!(
        ran.stdout.contains("┘\n") && ran.stdout.contains("├ $"),
        "{ran}"
    );
    let ran = chart(&obs, "latency cost requests").exits(2);
    assert!(
        ran.stderr
            .starts_with("error: measures of 3 units do not fit into one chart\nhint: "),
        "{ran}"
    );
    chart(&obs, "latency cost requests -o csv").exits(0);
}

#[test]
fn an_earlier_window_stands_beside_this_one() {
    let obs = busy_hour();
    let args = "requests --since 30m --step 10m --compare previous";
    let ran = chart(&obs, args).exits(0);
    assert!(
        ran.stdout.ends_with("● requests   ▲ requests, previous\n"),
        "{ran}"
    );
    assert_eq!(
        chart(&obs, &format!("{args} -o csv")).exits(0).stdout,
        "window,bucket,requests\r\n\
         current,2026-03-01T11:30:00.000Z,15\r\n\
         current,2026-03-01T11:40:00.000Z,15\r\n\
         current,2026-03-01T11:50:00.000Z,15\r\n\
         earlier,2026-03-01T11:00:00.000Z,15\r\n\
         earlier,2026-03-01T11:10:00.000Z,15\r\n\
         earlier,2026-03-01T11:20:00.000Z,15\r\n"
    );
    let ran = chart(&obs, "requests --compare yesterday").exits(2);
    assert!(
        ran.stderr
            .contains("hint: use previous, or how much earlier"),
        "{ran}"
    );
}

#[test]
fn pictures_go_to_files_or_to_stdout_and_nothing_else_is_said() {
    let obs = busy_hour();
    let ran = chart(
        &obs,
        "latency --by provider --since 1h --svg a.svg --html a.html",
    )
    .exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    let read = |name: &str| std::fs::read_to_string(obs.folder().join(name)).unwrap();
    let svg = read("a.svg");
    roxmltree::Document::parse(&svg).unwrap();
    assert!(
        svg.contains("<title>2026-03-01 11:00 claude: 1 s</title>"),
        "{svg}"
    );
    assert!(read("a.html").contains(&svg));
    let ran = chart(&obs, "latency --by provider --since 1h --svg -").exits(0);
    assert_eq!(ran.stdout, svg);
    for (args, code) in [
        ("latency --svg - --html -", 2),
        ("latency --svg - -o csv", 2),
        ("latency --type spark --svg a.svg", 2),
        ("latency --svg nowhere/a.svg", 1),
    ] {
        let ran = chart(&obs, args).exits(code);
        assert!(ran.stderr.starts_with("error: "), "{ran}");
        assert_eq!(ran.stdout, "", "{ran}");
    }
}

#[test]
fn a_name_from_an_event_is_inert_in_a_picture() {
    let obs = Obs::at(NOON);
    let line = r#"{"timestamp":"2026-03-01T11:00:00Z","type":"request","provider":"</svg><script>&\u001b[2J\u0000","latency":5}"#;
    obs.feed(&["ingest", "-"], line).exits(0);
    let ran = chart(&obs, "latency --by provider --html -").exits(0);
    assert!(
        !ran.stdout.contains("<script") && !ran.stdout.contains('\u{1b}'),
        "{ran}"
    );
}

#[test]
fn every_type_is_drawn() {
    let obs = busy_hour();
    for kind in ["line", "step", "bar", "spark"] {
        let ran = chart(
            &obs,
            &format!("latency --by provider --since 1h --type {kind}"),
        )
        .exits(0);
        assert!(ran.stdout.contains("claude"), "{ran}");
    }
}

#[test]
fn there_is_a_line_for_each_group_up_to_the_limit() {
    let obs = busy_hour();
    let ran = chart(&obs, "latency --by provider --since 1h").exits(0);
    assert!(ran.stdout.contains("● claude   ▲ openai\n"), "{ran}");
    let ran = chart(&obs, "requests --by user --since 1h").exits(0);
    let last = ran.stdout.lines().last().unwrap();
    assert_eq!(
        last,
        "8 of 61 groups, those with most requests; use --limit 0 for all"
    );
    assert!(ran.stdout.contains("● (none)   ▲ u00"), "{ran}");
}

#[test]
fn the_busiest_groups_come_first_wherever_the_numbers_come_from() {
    let obs = busy_hour();
    obs.run(&["rollup"]).exits(0);
    let ran = obs
        .run(&["chart", "p95_latency by (model)", "--since", "1h"])
        .exits(0);
    assert!(ran.stdout.contains("● opus   ▲ gpt-5"), "{ran}");
}

#[test]
fn a_sum_over_a_bucket_that_is_not_over_is_left_out() {
    let mut obs = busy_hour();
    obs.set_now("2026-03-01T11:52:00Z");
    let remark = "the last bucket is not over: its sum is left out\n";
    let args = "--since 2026-03-01T11:00 --step 15m";
    let ran = chart(&obs, &format!("requests {args}")).exits(0);
    assert!(ran.stdout.ends_with(remark), "{ran}");
    let ran = chart(&obs, &format!("p95_latency {args}")).exits(0);
    assert!(!ran.stdout.contains(remark), "{ran}");
    let told = chart(&obs, &format!("requests {args} --json"))
        .exits(0)
        .json();
    assert_eq!(told["data"][3]["requests"], 10, "data keep it");
}

#[test]
fn a_threshold_is_drawn_where_its_unit_fits() {
    let obs = busy_hour();
    let ran = chart(&obs, "latency cost --since 1h --threshold 2s").exits(0);
    assert_eq!(ran.stdout.matches(" 2 s\n").count(), 1, "{ran}");
    let ran = chart(&obs, "error_rate>5% --since 1h").exits(0);
    assert!(ran.stdout.contains(" 5 %\n"), "{ran}");
    let ran = chart(&obs, "cost --threshold 2s").exits(2);
    assert!(
        ran.stderr
            .starts_with("error: 2s cannot be compared with an amount of money")
    );
}

#[test]
fn the_other_formats_tell_the_numbers_of_all_measures() {
    let args = "requests cost hourly_cost --by provider --since 1h --step 30m -o csv";
    assert_eq!(
        chart(&busy_hour(), args).exits(0).stdout,
        "bucket,provider,requests,cost_usd,cost_hourly_usd\r\n\
         2026-03-01T11:00:00.000Z,claude,30,0.3,0.3\r\n\
         2026-03-01T11:00:00.000Z,openai,15,0.0,0.0\r\n\
         2026-03-01T11:30:00.000Z,claude,30,0.3,0.6\r\n\
         2026-03-01T11:30:00.000Z,openai,15,0.0,0.0\r\n"
    );
    let told = chart(&busy_hour(), "requests --since 1h --json")
        .exits(0)
        .json();
    assert_eq!(told["schema"], "obs.chart/v1");
    assert_eq!(told["step_s"], json!(60.0));
    assert_eq!(told["data"].as_array().unwrap().len(), 60);
}

#[test]
fn an_empty_window_says_when_something_happened_last() {
    let mut obs = busy_hour();
    obs.set_now("2026-03-04T13:00:00Z");
    assert_eq!(
        chart(&obs, "p95_latency").exits(0).stdout,
        "no data for latency_p95_ms since 2026-03-03 13:00; last event 3 d ago\n"
    );
    let ran = chart(&obs, "p95_latency --provider openia --since 7d").exits(0);
    assert!(ran.stdout.contains("(did you mean \"openai\"?)"), "{ran}");
}

#[test]
fn a_bucket_that_has_not_begun_is_no_zero() {
    let args = "requests --since 2026-03-01T11:00 --until 2026-03-01T13:00 --ascii --height 3";
    let ran = chart(&busy_hour(), args).exits(0);
    let zero = ran
        .stdout
        .lines()
        .find(|line| line.contains("0 +"))
        .unwrap();
    assert_eq!(zero.trim_end(), zero.trim_end_matches(['*', ' ']), "{ran}");
}

#[test]
fn ascii_is_ascii() {
    let ran = chart(&busy_hour(), "latency --by provider --ascii").exits(0);
    assert!(ran.stdout.is_ascii(), "{ran}");
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let obs = busy_hour();
    for (args, message) in [
        (
            "last_event",
            "error: last_event is a moment and has no line\n",
        ),
        (
            "latency avg_latency",
            "error: avg_latency is asked for twice\n",
        ),
        ("p95_latncy", "error: unknown measure \"p95_latncy\"\n"),
    ] {
        let ran = chart(&obs, args).exits(2);
        assert!(ran.stderr.starts_with(message), "{ran}");
    }
    let ran = obs
        .run(&["chart", "cost by (model)", "requests by (user)"])
        .exits(2);
    assert!(ran.stderr.contains("groups by model and by user"), "{ran}");
    chart(&Obs::at(NOON), "latency").exits(7);
}
