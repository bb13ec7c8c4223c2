//! `obs retention` and `obs cleanup`: what is let go, what never is, and in which
//! order tiers may end.

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

/// A store with three days of events, and a week later.
fn a_week_later(rolled_up: bool) -> Obs {
    let mut obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 400)).exits(0);
    if rolled_up {
        obs.run(&["rollup"]).exits(0);
    }
    obs.set_now("2026-03-08T00:30:00Z");
    obs
}

/// What the coarser tiers say in total.
fn totals(peek: &Peek) -> Vec<String> {
    ["metrics_1min", "metrics_1hour", "metrics_1day"]
        .iter()
        .flat_map(|tier| {
            peek.rows(&format!(
                "SELECT sum(requests), sum(failures), sum(input_tokens), sum(output_tokens),
                 CAST(round(sum(cost_usd) * 1e9) AS INTEGER) FROM {tier}"
            ))
        })
        .chain(peek.rows("SELECT sum(requests), sum(failures), sum(cost) FROM ledger"))
        .collect()
}

#[test]
fn nothing_raw_goes_before_it_is_rolled_up() {
    let obs = a_week_later(false);
    let ran = obs.run(&["retention", "run", "--yes"]).exits(0);
    let peek = Peek::at(&obs);
    // 2026-03-01T00:00:00Z: what is older has outlived its week.
    let minutes = peek.number(
        "SELECT count(DISTINCT timestamp / 60000) FROM metrics_raw WHERE timestamp < 1772323200000",
    );
    assert_eq!(
        ran.stderr,
        format!(
            "warning: {minutes} minutes are kept beyond their age until they are rolled up: `obs rollup`\n"
        )
    );
    assert_eq!(peek.events(), 400);
    obs.run(&["rollup"]).exits(0);
    let ran = obs.run(&["retention", "run", "--yes"]).exits(0);
    assert_eq!(ran.stderr, "");
    assert!(peek.events() < 400);
}

#[test]
fn what_is_let_go_ends_on_a_whole_hour_and_leaves_the_totals() {
    let obs = a_week_later(true);
    let peek = Peek::at(&obs);
    let before = totals(&peek);
    let foreseen = obs
        .run(&["retention", "run", "--dry-run", "--json"])
        .exits(0)
        .json();
    assert_eq!(peek.events(), 400, "a dry run lets nothing go");
    let done = obs
        .run(&["retention", "run", "--yes", "--json"])
        .exits(0)
        .json();
    assert_eq!(done["data"][0]["tier"], "raw");
    assert_eq!(done["data"][0]["floor"], "2026-03-01T00:00:00.000Z");
    assert_eq!(done["data"][0]["rows"], foreseen["data"][0]["rows"]);
    assert_eq!(done["data"][0]["rows"], 400 - peek.events());
    let oldest = peek.number("SELECT min(timestamp) FROM metrics_raw");
    assert!(oldest >= 1_772_323_200_000, "{oldest}");
    assert_eq!(totals(&peek), before);
    obs.run(&["rollup", "--verify"]).exits(0);
    obs.run(&["rollup", "--rebuild"]).exits(0);
    assert_eq!(totals(&peek), before);
}

#[test]
fn a_second_clean_up_changes_nothing() {
    let obs = a_week_later(true);
    obs.run(&["cleanup", "--yes"]).exits(0);
    let content = Peek::at(&obs).content();
    obs.run(&["cleanup", "--yes"]).exits(0);
    assert_eq!(Peek::at(&obs).content(), content);
}

#[test]
fn cron_s_one_line_rolls_up_and_lets_go_without_asking() {
    let obs = a_week_later(false);
    for _ in 0..2 {
        let ran = obs.run(&["run"]).exits(0);
        assert_eq!((&*ran.stdout, &*ran.stderr), ("", ""));
    }
    let peek = Peek::at(&obs);
    let kept = peek.events();
    assert!((1..400).contains(&kept), "{kept}");
    assert_eq!(peek.number("SELECT sum(requests) FROM metrics_1day"), 300);
    assert_eq!(peek.number("SELECT sum(requests) FROM ledger"), 300);
}

#[test]
fn each_tier_ends_in_its_time_and_the_ledger_never() {
    let mut obs = a_week_later(false);
    obs.run(&["run"]).exits(0);
    let left = |obs: &Obs| {
        let peek = Peek::at(obs);
        [
            "metrics_raw",
            "metrics_1min",
            "metrics_1hour",
            "metrics_1day",
            "ledger",
        ]
        .map(|table| peek.number(&format!("SELECT count(*) > 0 FROM {table}")))
    };
    for (now, expected) in [
        ("2026-03-08T00:30:00Z", [1, 1, 1, 1, 1]),
        ("2026-03-10T00:00:00Z", [0, 1, 1, 1, 1]),
        ("2026-04-02T00:00:00Z", [0, 0, 1, 1, 1]),
        ("2026-06-02T00:00:00Z", [0, 0, 0, 1, 1]),
        ("2027-03-05T00:00:00Z", [0, 0, 0, 0, 1]),
    ] {
        obs.set_now(now);
        obs.run(&["run"]).exits(0);
        assert_eq!(left(&obs), expected, "{now}");
        obs.run(&["rollup", "--verify"]).exits(0);
        Peek::at(&obs).is_sound();
    }
    assert_eq!(
        Peek::at(&obs).number("SELECT sum(requests) FROM ledger"),
        300
    );
}

#[test]
fn a_finer_tier_cannot_outlive_a_coarser_one() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let ran = obs.run(&["retention", "set", "raw", "60d"]).exits(2);
    assert_eq!(
        ran.stderr,
        "error: raw would be kept longer than 1min\n\
         hint: keep raw <= 1min <= 1hour <= 1day <= ledger; `obs retention show` shows them\n"
    );
    obs.run(&["retention", "set", "ledger", "30d"]).exits(2);
    obs.run(&["retention", "set", "raw", "10m"]).exits(2);
    obs.run(&["retention", "set", "raw", "soon"]).exits(2);
    let kept = obs.run(&["retention", "show", "--json"]).exits(0).json();
    let kept: Vec<_> = kept["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["kept_s"].as_i64())
        .collect();
    let day = 86_400;
    assert_eq!(
        kept,
        [
            Some(7 * day),
            Some(30 * day),
            Some(90 * day),
            Some(365 * day),
            None
        ]
    );
}

#[test]
fn ages_are_kept_in_the_store_and_used_by_the_next_run() {
    let obs = a_week_later(true);
    obs.run(&["retention", "set", "raw", "14d"]).exits(0);
    obs.run(&["run"]).exits(0);
    assert_eq!(Peek::at(&obs).events(), 400);
    obs.run(&["retention", "set", "raw", "36h"]).exits(0);
    obs.run(&["run"]).exits(0);
    assert_eq!(Peek::at(&obs).events(), 0);
}

#[test]
fn without_a_terminal_nothing_is_deleted_unasked() {
    let obs = a_week_later(true);
    let ran = obs.run(&["retention", "run"]).exits(2);
    assert_eq!(
        ran.stderr,
        "error: nothing was let go\nhint: add --yes, or look first with --dry-run\n"
    );
    assert_eq!(Peek::at(&obs).events(), 400);
}
