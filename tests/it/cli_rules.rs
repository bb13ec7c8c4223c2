//! `obs rules`: written at the keyboard and in files, and what becomes of their alerts.

use std::fs;

use crate::obs::{Obs, Ran};
use crate::peek::Peek;
use crate::traffic::{self, NOW};

const NINE: &str = include_str!("../data/rules/nine.yaml");

fn with_rules() -> Obs {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    obs
}

fn names(obs: &Obs) -> Vec<String> {
    let ran = obs.run(&["rules", "--json"]).exits(0);
    let rows = ran.json()["data"].as_array().unwrap().clone();
    let name = |row: serde_json::Value| row["name"].as_str().unwrap().to_owned();
    rows.into_iter().map(name).collect()
}

fn file(obs: &Obs, text: &str) -> String {
    let path = obs.folder().join("rules.yaml");
    fs::write(&path, text).unwrap();
    "rules.yaml".to_owned()
}

fn import(obs: &Obs, text: &str, more: &[&str]) -> Ran {
    let path = file(obs, text);
    let args: Vec<&str> = ["rules", "import", &path]
        .iter()
        .chain(more)
        .copied()
        .collect();
    obs.run(&args)
}

const FIVE: [&str; 5] = [
    "High latency",
    "Error spike",
    "Low cache hit rate",
    "High cost",
    "Rate-limit denials",
];

#[test]
fn a_new_store_has_five_rules_however_it_was_made() {
    let obs = with_rules();
    obs.run(&[
        "rules",
        "list",
        "-o",
        "csv",
        "--fields",
        "name,condition,window_s,for_s,severity",
    ])
    .exits(0)
    .prints(
        "name,condition,window_s,for_s,severity
High latency,p95_latency > 2s,300,0,warning
Error spike,error_rate > 5%,60,0,critical
Low cache hit rate,cache_hit_rate < 40%,600,0,warning
High cost,hourly_cost > $10,3600,300,warning
Rate-limit denials,rate_limit_denial_rate > 10%,300,0,warning",
    );
    let fed = Obs::at(NOW);
    fed.feed(&["ingest"], traffic::events("a", 20)).exits(0);
    assert_eq!(names(&fed), FIVE);
}

#[test]
fn rules_that_were_deleted_do_not_come_back_by_themselves() {
    let obs = with_rules();
    let rehearsed = obs.run(&["rules", "delete", "High cost", "-n"]).exits(0);
    assert!(
        rehearsed.stdout.contains("hourly_cost > $10"),
        "{rehearsed}"
    );
    assert_eq!(names(&obs), FIVE);
    obs.run(&["rules", "delete", "High cost", "--yes"]).exits(0);
    obs.run(&["init"]).exits(0);
    obs.feed(&["ingest"], traffic::events("a", 20)).exits(0);
    assert_eq!(names(&obs).len(), 4);
    obs.run(&["rules", "defaults"]).exits(0);
    obs.run(&["rules", "defaults"]).exits(0);
    assert_eq!(names(&obs).len(), 5);
    let without = Obs::at(NOW);
    without.run(&["init", "--no-default-rules"]).exits(0);
    without.feed(&["ingest"], traffic::events("a", 20)).exits(0);
    assert_eq!(names(&without), [""; 0]);
}

#[test]
fn a_rule_says_in_words_what_it_means() {
    let obs = with_rules();
    obs.run(&[
        "rules",
        "add",
        "burn",
        "error_rate by (provider) > 2%",
        "--window",
        "1h",
        "--also-window",
        "5m",
        "--for",
        "2m",
        "--resolve-threshold",
        "1%",
        "--channel",
        "slack",
        "--repeat-interval",
        "4h",
        "--description",
        "too many",
    ])
    .exits(0);
    obs.run(&["rules", "show", "burn"]).exits(0).prints(
        "burn (warning)
  too many
  fires when the error rate of the last 1 h, and that of the last 5 min as well, each pooled, is above 2 %, for each provider on its own
  once that has held for 2 min, at 3 evaluations or more
  needs 5 events to be believed; with fewer it does not hold, and an alert ends
  once firing, it goes on while the value is > 1 %
  told to slack, again every 4 h
  version 1, of 2026-03-01 12:00; looks at minutes from 2026-03-01 12:00 on",
    );
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let obs = with_rules();
    import(&obs, NINE, &[]).exits(0);
    let exported = obs.run(&["rules", "export"]).exits(0).stdout;
    let before = Peek::at(&obs).content();
    import(&obs, &exported, &["--replace"]).exits(0);
    assert_eq!(Peek::at(&obs).content(), before, "nothing changed");
    let other = Obs::at(NOW);
    other.run(&["init", "--no-default-rules"]).exits(0);
    import(&other, &exported, &[]).exits(0);
    assert_eq!(other.run(&["rules", "export"]).exits(0).stdout, exported);
    assert_eq!(names(&other).len(), 14);
}

#[test]
fn an_import_says_what_it_changes_and_with_replace_leaves_nothing_else() {
    let obs = with_rules();
    let text = "rules:\n- name: High cost\n  condition: hourly_cost > $20\n  for: 5m\n- name: mine\n  condition: cost > $1\n";
    let table = "rule,change,what
High cost,changed,description The last hour was expensive -> as usual; condition hourly_cost > $10 -> hourly_cost > $20
mine,added,cost > $1";
    import(&obs, text, &["-n", "-o", "csv"])
        .exits(0)
        .prints(table);
    assert_eq!(names(&obs), FIVE);
    import(&obs, text, &["-o", "csv"]).exits(0).prints(table);
    assert_eq!(names(&obs).len(), 6);
    let ran = import(&obs, text, &["--replace"]).exits(2);
    assert!(ran.stderr.contains("add --yes"), "{ran}");
    import(&obs, text, &["--replace", "--yes"]).exits(0);
    assert_eq!(names(&obs), ["High cost", "mine"]);
}

#[test]
fn a_file_with_a_fault_changes_nothing_and_shows_every_place() {
    let obs = with_rules();
    let text = "rules:\n- name: fine\n  condition: cost > $1\n- name: broken\n  condition: error_rate => 5%\n- name: x\n  conditon: cost > $1\n";
    let ran = import(&obs, text, &[]).exits(2);
    assert_eq!(
        ran.stderr,
        "error: cannot read the rules of rules.yaml: unknown operator \"=>\"
  --> rules.yaml:5:25
   |   condition: error_rate => 5%
   |                         ^
hint: use one of > >= < <= == != (did you mean \">=\"?)
error: cannot read the rules of rules.yaml: unknown key \"conditon\" of a rule
  --> rules.yaml:7:3
   |   conditon: cost > $1
   |   ^
hint: did you mean condition? the keys are name, description, condition, window, also_window, for, duration, severity, enabled, min_count, no_data, resolve_threshold, keep_firing_for, repeat_interval, send_resolved, channels, actions, labels, annotations
"
    );
    let ran = import(&obs, text, &["--json"]).exits(2);
    let told: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(told["error"]["code"], "rule_invalid");
    assert_eq!(
        told["error"]["details"]["faults"].as_array().unwrap().len(),
        2
    );
    assert_eq!(names(&obs), FIVE);
}

#[test]
fn a_wrong_rule_is_refused_with_what_was_meant() {
    let obs = with_rules();
    for (args, code, told) in [
        (
            &["add", "x", "p95_latncy > 2s"][..],
            2,
            "did you mean p95_latency?",
        ),
        (&["add", "x", "error_rate > 5"], 2, "write 5% for per cent"),
        (&["add", "x", "cost > 5s"], 2, "write an amount such as $10"),
        (
            &["add", "High cost", "cost > $5"],
            2,
            "there is a rule \"High cost\" already",
        ),
        (
            &["add", "x", "cost > $5", "--annotation", "a={{ valeu }}"],
            2,
            "did you mean \"value\"?",
        ),
        (
            &["add", "x", "cost > $5", "--label", "team"],
            2,
            "has no \"=\"",
        ),
        (
            &["set", "High cost", "--window", "5m"],
            2,
            "hourly_cost always speaks of 1h",
        ),
        (
            &["set", "High cst", "--for", "5m"],
            4,
            "did you mean \"High cost\"?",
        ),
        (&["show", "nothing like it"], 4, "`obs rules` lists them"),
        (&["delete", "High cost"], 2, "add --yes"),
        (&["import", "gone.yaml"], 1, "no such file"),
    ] {
        let args: Vec<&str> = ["rules"].iter().chain(args).copied().collect();
        let ran = obs.run(&args).exits(code);
        assert!(ran.stderr.contains(told), "{ran}");
    }
    assert_eq!(names(&obs), FIVE);
}

#[test]
fn the_versions_of_a_rule_say_who_changed_what() {
    let obs = with_rules();
    obs.run(&["rules", "set", "High cost", "--severity", "critical"])
        .exits(0);
    obs.run(&["rules", "set", "High cost", "--severity", "critical"])
        .exits(0);
    obs.run(&["rules", "disable", "High cost"]).exits(0);
    obs.run(&[
        "rules",
        "history",
        "High cost",
        "-o",
        "csv",
        "--fields",
        "version,change,by,what",
    ])
    .exits(0)
    .prints(
        "version,change,by,what
1,created,obs,hourly_cost > $10
2,changed,obs,\"severity \"\"warning\"\" -> \"\"critical\"\"\"
3,disabled,obs,enabled true -> false",
    );
}

#[test]
fn flags_take_the_place_of_what_the_condition_said_of_a_label() {
    let obs = with_rules();
    let condition = r#"error_rate{provider="claude"} > 5%"#;
    obs.run(&[
        "rules", "add", "x", condition, "--model", "opus*", "--by", "model",
    ])
    .exits(0);
    obs.run(&["rules", "set", "x", "--provider", "openai"])
        .exits(0);
    obs.run(&[
        "rules",
        "show",
        "x",
        "-o",
        "csv",
        "--fields",
        "condition",
        "--no-header",
    ])
    .exits(0)
    .prints(r#""error_rate{model=~""opus*"", provider=""openai""} by (model) > 5%""#);
}

#[test]
fn a_store_of_nothing_says_how_to_begin() {
    let obs = Obs::at(NOW);
    let ran = obs.run(&["rules"]).exits(7);
    assert!(ran.stderr.contains("obs init"), "{ran}");
    obs.run(&["init", "--no-default-rules"]).exits(0);
    let ran = obs.run(&["rules"]).exits(0);
    assert!(
        ran.stdout.contains("`obs rules defaults` adds five"),
        "{ran}"
    );
    obs.run(&["rules", "export"]).exits(0).prints("rules: []");
}
