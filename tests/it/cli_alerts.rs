//! `obs alerts`: what people see of alerts and do to them.

use crate::obs::{Obs, Ran};
use crate::traffic::{self, NOW, NOW_MS};

/// Requests of a provider, one every five seconds from so many seconds before [`NOW`].
fn feed(obs: &Obs, provider: &str, seconds_ago: i64, many: i64) {
    let line = |n: i64| {
        let at = NOW_MS - (seconds_ago - n * 5) * 1_000;
        format!(r#"{{"type":"request","timestamp":{at},"provider":"{provider}","latency":2500}}"#)
    };
    obs.feed(&["ingest"], traffic::lines((0..many).map(line)))
        .exits(0);
}

fn at(obs: &mut Obs, minutes: i64) {
    let now = chrono::DateTime::from_timestamp_millis(NOW_MS + minutes * 60_000).unwrap();
    obs.set_now(&now.to_rfc3339());
}

/// A store with these rules, and a minute of requests of claude and openai that ended half a
/// minute ago.
fn with_rules(rules: &[&[&str]]) -> Obs {
    let mut obs = Obs::at("2026-03-01T11:50:00Z");
    obs.run(&["init", "--no-default-rules"]).exits(0);
    for rule in rules {
        obs.run(&[&["rules", "add"], *rule].concat()).exits(0);
    }
    obs.set_now(NOW);
    feed(&obs, "claude", 120, 12);
    feed(&obs, "openai", 120, 12);
    obs
}

fn busy() -> Obs {
    with_rules(&[&["busy", "requests by (provider) > 10", "--window", "5m"]])
}

fn alerts(obs: &Obs, args: &[&str]) -> Ran {
    obs.run(&[&["alerts"], args].concat())
}

fn states(obs: &Obs) -> Vec<String> {
    let ran = alerts(
        obs,
        &[
            "list",
            "--all",
            "-o",
            "csv",
            "--no-header",
            "--fields",
            "id,state",
        ],
    );
    let mut states: Vec<String> = ran.exits(0).stdout.lines().map(str::to_owned).collect();
    states.sort();
    states
}

#[test]
fn an_alert_is_shown_whole_with_what_made_it_fire() {
    let obs = busy();
    alerts(&obs, &["show", "1"]).exits(0).prints(
        "alert 1: busy  provider claude (warning)
  firing: requests 12 > 10
  fires when requests by (provider) > 10 (version 1 of the rule)
  made it fire: 12 of 12 events, 2026-03-01T11:54:00.000Z to 2026-03-01T11:59:00.000Z
  the condition held from 2026-03-01 11:59; firing since 1 min ago
  history:
    2026-03-01 11:59  firing        12",
    );
    let shown = alerts(&obs, &["show", "1", "--json"]).json();
    assert_eq!(shown["schema"], "obs.alert/v1");
    let alert = &shown["data"][0];
    assert_eq!(alert["labels"], r#"{"provider":"claude"}"#);
    assert_eq!(alert["unit"], "count");
    let history = alert["history"].as_str().unwrap();
    assert!(history.contains(r#""to":"firing""#), "{history}");
    let unknown = alerts(&obs, &["show", "99"]).exits(4);
    assert!(
        unknown.stderr.contains("`obs alerts list --all`"),
        "{unknown}"
    );
}

#[test]
fn what_was_done_before_is_told_and_changes_nothing() {
    let obs = busy();
    alerts(&obs, &["ack", "1", "--by", "ada"]).exits(0);
    let again = alerts(&obs, &["ack", "1", "2", "--by", "bob", "--json"])
        .exits(0)
        .json();
    assert_eq!(again["data"][0]["acknowledged_by"], "ada");
    assert_eq!(again["data"][1]["acknowledged_by"], "bob");
    alerts(&obs, &["resolve", "1", "-m", "a test"]).exits(0);
    alerts(&obs, &["resolve", "1"]).exits(0);
    let ran = alerts(
        &obs,
        &["history", "1", "-o", "csv", "--fields", "to", "--no-header"],
    );
    ran.exits(0).prints("resolved\nacknowledged\nfiring");
    // One that is not there lets nothing happen to the others.
    let ran = alerts(&obs, &["resolve", "2", "bussy"]).exits(4);
    assert!(ran.stderr.contains("did you mean \"busy\"?"), "{ran}");
    assert_eq!(states(&obs), ["1,resolved", "2,acknowledged"]);
    alerts(&obs, &["resolve"]).exits(2);
    alerts(&obs, &["resolve", "busy"]).exits(0);
    assert_eq!(states(&obs), ["1,resolved", "2,resolved"]);
}

#[test]
fn resolved_by_hand_it_fires_anew_once_the_time_is_over_or_it_cleared() {
    let mut obs = busy();
    feed(&obs, "claude", 60, 60);
    alerts(&obs, &["resolve", "--all", "--hold", "10m"]).exits(0);
    for minutes in [4, 9] {
        at(&mut obs, minutes);
        feed(&obs, "claude", -60 * minutes, 60);
        assert_eq!(states(&obs), ["1,resolved", "2,resolved"]);
    }
    // The requests of openai left the window meanwhile; those that come now count.
    feed(&obs, "openai", -8 * 60, 12);
    at(&mut obs, 10);
    assert_eq!(states(&obs), ["1,resolved", "2,resolved", "3,firing"]);
    at(&mut obs, 12);
    assert_eq!(
        states(&obs),
        ["1,resolved", "2,resolved", "3,firing", "4,firing"]
    );
}

#[test]
fn a_silence_keeps_back_notices_until_it_ends() {
    let mut obs = busy();
    obs.set_now("2026-03-01T11:58:00Z");
    let args = [
        "silence",
        "add",
        "--match",
        "provider=cl*",
        "--for",
        "10m",
        "-m",
        "an upgrade",
    ];
    let added = alerts(&obs, &[&args[..], &["--by", "ada", "--json"]].concat())
        .exits(0)
        .json();
    assert_eq!(added["data"][0]["match"], r#"{"provider":"cl*"}"#);
    obs.set_now(NOW);
    feed(&obs, "claude", 60, 60);
    let told = obs.run(&["run"]).exits(0);
    assert!(
        told.stdout.contains("openai") && !told.stdout.contains("claude"),
        "{told}"
    );
    let listed = alerts(
        &obs,
        &["silence", "-o", "csv", "--fields", "id,lasts,alerts,by"],
    );
    listed.exits(0).prints("id,lasts,alerts,by\n1,true,1,ada");
    at(&mut obs, 1);
    alerts(&obs, &["silence", "expire", "1"]).exits(0);
    let again = alerts(&obs, &["silence", "expire", "1", "--json"]).exits(0);
    assert_eq!(again.json()["data"][0]["lasts"], false);
    at(&mut obs, 2);
    let told = obs.run(&["run"]).exits(0);
    assert!(told.stdout.contains("provider claude"), "{told}");
    alerts(&obs, &["silence", "expire", "9"]).exits(4);
    let slip = [
        "silence",
        "add",
        "--match",
        "providr=claude",
        "--for",
        "1h",
        "-m",
        "x",
    ];
    let slip = alerts(&obs, &slip).exits(2);
    assert!(slip.stderr.contains("did you mean provider?"), "{slip}");
}

#[test]
fn a_graver_alert_speaks_for_a_milder_one() {
    let obs = with_rules(&[
        &[
            "some",
            "requests by (provider) > 5",
            "--severity",
            "warning",
        ],
        &[
            "many",
            r#"requests{provider="claude"} > 10"#,
            "--severity",
            "critical",
        ],
    ]);
    let told = obs.run(&["run"]).exits(0);
    let lines: Vec<&str> = told.stdout.lines().collect();
    let told_of = |rule: &str, provider: &str| {
        lines
            .iter()
            .any(|l| l.contains(rule) && (provider.is_empty() || l.contains(provider)))
    };
    assert!(told_of("many (critical)", ""), "{told}");
    assert!(told_of("some (warning)", "openai"), "{told}");
    assert!(!told_of("some (warning)", "claude"), "{told}");
}

#[test]
fn an_evaluation_says_what_it_saw_and_why() {
    let obs = with_rules(&[
        &["busy", "requests by (provider) > 10"],
        &["quick", "p95_latency < 1s", "--for", "5m"],
        &["queue", "agents.queue.size > 100"],
    ]);
    let rehearsed = alerts(&obs, &["eval", "-n"]).exits(0);
    assert!(
        rehearsed
            .stdout
            .starts_with("firing    busy  provider claude  since"),
        "{rehearsed}"
    );
    assert!(
        rehearsed
            .stderr
            .contains("queue: nobody sent agents.queue.size yet"),
        "{rehearsed}"
    );
    let ran = alerts(&obs, &["eval", "--explain"]).exits(0);
    assert!(
        ran.stdout.contains("firing    busy"),
        "a rehearsal keeps nothing\n{ran}"
    );
    let said = ran.stdout.split_once("\nbusy  provider claude:").unwrap().1;
    assert!(
        said.contains("inactive -> firing") || said.contains("firing -> firing"),
        "{ran}"
    );
    assert!(
        said.contains("requests 12 over 11:54 to 11:59; 12 events, 1 are enough, from raw"),
        "{ran}"
    );
    assert!(said.contains("it is > 10:"), "{ran}");
    assert!(said.contains("it is not < 1 s: it stays quiet"), "{ran}");
    let one = alerts(&obs, &["eval", "quick", "--explain", "--json"])
        .exits(0)
        .json();
    assert_eq!(one["data"].as_array().unwrap().len(), 1);
    assert_eq!(one["data"][0]["value"], 2500.0);
    alerts(&obs, &["eval", "quik"]).exits(4);
}

#[test]
fn a_clock_that_was_ahead_once_is_found_and_set_right() {
    let mut obs = busy();
    obs.set_now("2031-01-01T00:00:00Z");
    alerts(&obs, &["eval"]).exits(0);
    obs.set_now(NOW);
    feed(&obs, "claude", 60, 60);
    let stuck = alerts(&obs, &["eval"]).exits(0);
    assert!(stuck.stderr.contains("a clock was ahead"), "{stuck}");
    assert!(
        stuck.stderr.contains("obs alerts eval --reset-clock"),
        "{stuck}"
    );
    at(&mut obs, 1);
    alerts(&obs, &["eval", "--reset-clock"]).exits(0);
    at(&mut obs, 3);
    let ran = alerts(&obs, &["eval"]).exits(0);
    assert_eq!(ran.stderr, "");
    assert!(
        ran.stdout.contains("firing    busy  provider claude"),
        "{ran}"
    );
}

#[test]
fn what_was_skipped_is_said() {
    let mut obs = busy();
    alerts(&obs, &["eval"]).exits(0);
    at(&mut obs, 3 * 24 * 60);
    let ran = alerts(&obs, &["eval", "--json"]).exits(0);
    assert!(
        ran.stderr
            .contains("rules were not evaluated from 2026-03-01 11:59"),
        "{ran}"
    );
    assert_eq!(ran.json()["skipped_until"], "2026-03-03T11:59:00.000Z");
    assert_eq!(ran.json()["minutes"], 24 * 60);
}

#[test]
fn long_over_alerts_are_deleted_and_their_history_stays() {
    let mut obs = busy();
    alerts(&obs, &["eval"]).exits(0);
    at(&mut obs, 60);
    alerts(&obs, &["purge", "--older-than", "10m"]).exits(2);
    let ran = alerts(&obs, &["purge", "--older-than", "10m", "-n", "--json"]).exits(0);
    assert_eq!(ran.json()["data"][0]["alerts"], 2);
    alerts(&obs, &["purge", "--older-than", "10m", "--yes"]).exits(0);
    assert_eq!(states(&obs), [""; 0]);
    let gone = alerts(&obs, &["show", "1"]).exits(4);
    assert!(gone.stderr.contains("`obs alerts history 1`"), "{gone}");
    let history = alerts(
        &obs,
        &["history", "1", "-o", "csv", "--no-header", "--fields", "to"],
    );
    history.exits(0).prints("resolved\nfiring");
}

#[test]
fn a_list_goes_on_where_it_was_cut() {
    let obs = busy();
    let first = alerts(&obs, &["list", "--limit", "1", "--json"])
        .exits(0)
        .json();
    let next = first["next"].as_str().unwrap();
    let rest = alerts(&obs, &["list", "--cursor", next, "--json"])
        .exits(0)
        .json();
    let ids = |page: &serde_json::Value| page["data"][0]["id"].as_i64().unwrap();
    assert_eq!(ids(&first) + ids(&rest), 3);
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
}
