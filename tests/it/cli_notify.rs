//! `obs run` and `obs notify` tell of alerts: once, at least once, and never by accident.

use std::fs;
use std::thread;

use obs::alert::{Purpose, catch_up};
use obs::model::{Condition, Millis, Rule};
use obs::store::{Options, Store};
use serde_json::Value;

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::lines;

const START: &str = "2026-03-01T12:00:00Z";
const START_MS: i64 = 1_772_366_400_000;

/// So long after the story begins.
pub fn at(minutes: i64, seconds: i64) -> String {
    Millis(START_MS + (minutes * 60 + seconds) * 1_000).to_string()
}

/// A rule that finds slow answers.
pub fn slow(channels: &[&str]) -> Rule {
    let condition = Condition::parse("p95_latency by (provider) > 2s").unwrap();
    Rule {
        channels: channels.iter().map(|&name| name.to_owned()).collect(),
        ..Rule::new("High latency", condition)
    }
}

/// A store with this rule, and a slow answer every five seconds for five minutes.
pub fn troubled(rule: &Rule, config: &str) -> Obs {
    let mut obs = Obs::at(START);
    obs.run(&["init", "--no-default-rules"]).exits(0);
    fs::write(obs.folder().join("obs.toml"), config).unwrap();
    let mut store = Store::open(&obs.db(), Options::default()).unwrap();
    store
        .write(|txn| txn.add_rule(rule, Millis(START_MS), "ada"))
        .unwrap();
    let event = |n: i64| {
        let at = START_MS + n * 5_000;
        format!(
            r#"{{"type":"request","timestamp":{at},"provider":"claude","latency":2500,"success":true}}"#
        )
    };
    obs.set_now(&at(5, 0));
    obs.feed(&["ingest"], lines((0..60).map(event))).exits(0);
    obs
}

/// Every notice in a word or two, oldest first.
pub fn states(obs: &Obs) -> Vec<String> {
    Peek::at(obs).rows("SELECT kind, state FROM notice ORDER BY id")
}

fn told(obs: &Obs, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(obs.folder().join(name)).unwrap_or_default();
    let read = |line| serde_json::from_str(line).unwrap();
    text.lines().map(read).collect()
}

#[test]
fn an_alert_is_told_once_by_the_run_that_finds_it_and_once_when_it_is_over() {
    let mut obs = troubled(&slow(&[]), "");
    obs.set_now(&at(1, 30));
    obs.run(&["run"]).exits(0).prints(
        "firing: High latency (warning): p95 latency 2.5 s > 2 s over 5 min, provider claude, since 2026-03-01 12:01 UTC",
    );
    obs.run(&["run"]).exits(0).prints("");
    obs.set_now(&at(12, 30));
    obs.run(&["run"]).exits(0).prints(
        "resolved: High latency (warning): over after 9 min, no data any more; p95 latency: no data, provider claude",
    );
    obs.run(&["run"]).exits(0).prints("");
    assert_eq!(states(&obs), ["firing|sent", "resolved|sent"]);
}

#[test]
fn what_is_over_before_anybody_heard_is_told_once_in_the_past_tense() {
    let mut obs = troubled(&slow(&[]), "");
    obs.set_now(&at(12, 30));
    obs.run(&["run"]).exits(0).prints(
        "resolved: High latency (warning): was firing from 2026-03-01 12:01 UTC to 2026-03-01 12:10 UTC, no data any more; …",
    );
    assert_eq!(states(&obs), ["firing|merged", "resolved|sent"]);
}

#[test]
fn in_data_formats_stdout_is_for_the_answer() {
    let mut obs = troubled(&slow(&[]), "");
    obs.set_now(&at(1, 30));
    let ran = obs.run(&["run", "--json"]).exits(0);
    assert_eq!(ran.json()["data"][0]["notices_sent"], 1);
    assert!(ran.stderr.starts_with("firing: High latency"), "{ran}");
}

#[test]
fn who_is_killed_while_telling_leaves_it_to_the_next_one_after_the_lease() {
    let script = "if [ -e killed ]; then echo told >> told; else : > killed; kill -9 $PPID; fi";
    let config =
        format!("[channels.page]\ntype = \"command\"\nargv = [\"/bin/sh\", \"-c\", '{script}']\n");
    let mut obs = troubled(&slow(&["page"]), &config);
    let told = |obs: &Obs| fs::read_to_string(obs.folder().join("told")).unwrap_or_default();
    obs.set_now(&at(1, 30));
    obs.run(&["run"]).exits(128 + 9);
    assert_eq!(states(&obs), ["firing|queued"]);
    obs.set_now(&at(1, 40));
    obs.run(&["run"]).exits(0);
    assert_eq!(told(&obs), "");
    for seconds in [91, 200] {
        obs.set_now(&at(1, seconds));
        obs.run(&["run"]).exits(0);
        assert_eq!(told(&obs), "told\n");
    }
}

#[test]
fn however_many_evaluate_at_once_and_die_there_is_one_notice_a_change_and_channel() {
    let config = "[channels.a]\ntype = \"file\"\npath = \"a.jsonl\"\n\
                  [channels.b]\ntype = \"file\"\npath = \"b.jsonl\"\n";
    let mut obs = troubled(&slow(&["a", "b"]), config);
    for minute in 1..13 {
        obs.set_now(&at(minute, 30));
        let now = Millis(START_MS + (minute * 60 + 30) * 1_000);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut store = Store::open(&obs.db(), Options::default()).unwrap();
                    catch_up(&mut store, now, Purpose::Keep).unwrap();
                });
            }
            for _ in 0..4 {
                let mut child = obs.command(&["run"]).spawn().unwrap();
                scope.spawn(move || {
                    let moment = std::time::Duration::from_micros(rand::random_range(0..40_000));
                    thread::park_timeout(moment);
                    child.kill().unwrap();
                    child.wait().unwrap();
                });
            }
        });
    }
    // Whatever the dead had claimed is free by then.
    obs.set_now(&at(15, 0));
    obs.run(&["run"]).exits(0);
    let peek = Peek::at(&obs);
    let changes = "FROM alert_history WHERE to_state IN ('firing', 'resolved')";
    assert_eq!(peek.number(&format!("SELECT count(*) {changes}")), 2);
    assert_eq!(peek.number("SELECT count(*) FROM notice"), 4);
    assert_eq!(
        peek.number("SELECT count(*) FROM notice WHERE state = 'queued'"),
        0
    );
    for channel in ["a", "b"] {
        let sent = peek.rows(&format!(
            "SELECT key FROM notice WHERE state = 'sent' AND channel = '{channel}'"
        ));
        let told = told(&obs, &format!("{channel}.jsonl"));
        for key in sent {
            assert!(
                told.iter().any(|line| line["key"] == key),
                "{key} was not told"
            );
        }
    }
}

#[test]
fn a_channel_that_fails_is_tried_again_later_and_given_up_loudly() {
    let config = "[channels.page]\ntype = \"command\"\n\
                  argv = [\"/bin/sh\", \"-c\", \"[ -e mended ] || { echo no such team >&2; exit 3; }\"]\n";
    let mut obs = troubled(&slow(&["page"]), config);
    obs.set_now(&at(1, 30));
    let ran = obs.run(&["run"]).exits(0);
    assert!(
        ran.stderr.starts_with(
            "warning: channel page: /bin/sh: exit status: 3: no such team; 1 notice to be told again in "
        ),
        "{ran}"
    );
    // Not before its time.
    let ran = obs.run(&["run"]).exits(0);
    assert_eq!(ran.stderr, "");
    for hour in 1..11 {
        obs.set_now(&at(hour * 60, 0));
        obs.run(&["run"]).exits(0);
    }
    let notices = obs.run(&["notify", "list", "--json"]).exits(0).json();
    // Before its beginning could be told, the alert was over: that is told instead.
    assert_eq!(notices["data"][1]["state"], "merged");
    let over = &notices["data"][0];
    assert_eq!(
        (&over["kind"], &over["state"]),
        (&"resolved".into(), &"failed".into())
    );
    assert_eq!(over["attempts"], 10);
    assert_eq!(over["error"], "/bin/sh: exit status: 3: no such team");
    fs::write(obs.folder().join("mended"), "").unwrap();
    let ran = obs.run(&["notify", "retry", "--json"]).exits(0).json();
    assert_eq!(
        (&ran["data"][0]["sent"], &ran["data"][0]["given_up"]),
        (&1.into(), &0.into())
    );
    obs.run(&["notify", "retry", "1"]).exits(4);
}

#[test]
fn a_file_is_for_its_owner_and_takes_a_line_a_notice() {
    let config = "[channels.log]\ntype = \"file\"\npath = \"told.jsonl\"\n";
    let mut obs = troubled(&slow(&["log"]), config);
    for minute in [1, 12] {
        obs.set_now(&at(minute, 30));
        obs.run(&["run"]).exits(0);
    }
    let lines = told(&obs, "told.jsonl");
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["kind"], &lines[1]["kind"]),
        (&"firing".into(), &"resolved".into())
    );
    assert_eq!(lines[0]["labels"]["provider"], "claude");
    assert_eq!(lines[0]["value"], 2500.0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(obs.folder().join("told.jsonl"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_channel_that_nobody_configured_is_told_with_the_nearest() {
    let config = "[channels.team]\ntype = \"file\"\npath = \"told.jsonl\"\n";
    let mut obs = troubled(&slow(&["taem"]), config);
    obs.set_now(&at(1, 30));
    let ran = obs.run(&["run"]).exits(0);
    assert!(
        ran.stderr
            .starts_with("warning: channel taem: it is not configured; "),
        "{ran}"
    );
    let ran = obs.run(&["notify", "test", "taem"]).exits(2);
    assert!(
        ran.stderr
            .contains("hint: did you mean team? the channels are team, stdout"),
        "{ran}"
    );
}

#[test]
fn a_slip_in_a_channel_is_told_with_its_place() {
    let obs = Obs::at(START);
    let config = "[channels.team]\ntype = \"file\"\npaht = \"told.jsonl\"\n";
    fs::write(obs.folder().join("obs.toml"), config).unwrap();
    let csv = ["config", "check", "-o", "csv", "--no-header"];
    obs.run(&csv).exits(3).prints(
        "obs.toml,1,11,channel team: it has no path,\"write path = \"\"/var/log/obs/alerts.jsonl\"\"\"",
    );
    let config = "[channels.team]\ntype = \"file\"\npath = \"x\"\nmod = true\n";
    fs::write(obs.folder().join("obs.toml"), config).unwrap();
    obs.run(&csv)
        .exits(3)
        .prints("obs.toml,4,1,\"channel team: unknown key \"\"mod\"\"\",…");
    fs::write(obs.folder().join("obs.toml"), "[channels.team]\ntype = 3\n").unwrap();
    let ran = obs.run(&["config", "show"]).exits(2);
    assert!(
        ran.stderr.contains("channels.team.type: expected a text"),
        "{ran}"
    );
}

#[test]
fn doctor_says_what_nobody_heard() {
    let mut obs = troubled(&slow(&["gone"]), "");
    for hour in 0..11 {
        obs.set_now(&at(hour * 60 + 1, 30));
        obs.run(&["run"]).exits(0);
    }
    let found = obs.run(&["doctor", "-o", "json"]).json();
    let found = found["data"].as_array().unwrap();
    let channels = found.iter().find(|row| row["check"] == "channels").unwrap();
    assert_eq!(
        channels["finding"],
        "1 notices of the last 7 days were given up; the last: channel gone: it is not configured"
    );
}

#[test]
fn the_settings_of_channels_are_shown_without_what_is_secret() {
    let obs = Obs::at(START);
    let config = "[channels.hook]\ntype = \"webhook\"\nurl = \"https://ada:pa55word@example.org/T0/s3cret\"\n";
    fs::write(obs.folder().join("obs.toml"), config).unwrap();
    let ran = obs.run(&["config", "show", "--json"]).exits(0);
    assert!(ran.stdout.contains("example.org"), "{ran}");
    assert!(
        !ran.stdout.contains("s3cret") && !ran.stdout.contains("pa55word"),
        "{ran}"
    );
}
