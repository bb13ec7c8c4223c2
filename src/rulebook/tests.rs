//! Files of rules: what is understood, what is refused and where, and the laws of
//! reading and writing.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::model::{Condition, Millis, NoData, Rule, Severity, Threshold};

const NINE: &str = include_str!("../../tests/data/rules/nine.yaml");
const MINUTE: i64 = Millis::MINUTE;

/// Faults as `line:column: message (hint)`.
fn refused(text: &str) -> Vec<String> {
    let told = |fault: &Fault| {
        let Mark { line, column } = fault.mark;
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})"));
        format!(
            "{line}:{column}: {}{}",
            fault.message,
            hint.unwrap_or_default()
        )
    };
    parse(text).unwrap_err().0.iter().map(told).collect()
}

fn one(text: &str) -> Rule {
    let [rule] = &parse(text).unwrap()[..] else {
        panic!("not one rule");
    };
    rule.clone()
}

fn entry(lines: &str) -> String {
    format!("rules:\n- name: a\n  condition: error_rate > 5%\n  {lines}\n")
}

/// The one thing that is wrong with a rule with these lines.
#[track_caller]
fn complaint(lines: &str) -> String {
    let [complaint] = &refused(&entry(lines))[..] else {
        panic!("{:?}", refused(&entry(lines)));
    };
    complaint.clone()
}

#[test]
fn the_rules_that_others_have_are_read_as_they_are() {
    let rules = parse(NINE).unwrap();
    let told = rules.iter().map(|rule| {
        let limit = rule.counted(&rule.condition.threshold).unwrap();
        (
            rule.name.as_str(),
            limit,
            rule.window_ms / MINUTE,
            rule.severity,
        )
    });
    use Severity::{Critical, Warning};
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("high_api_latency", 500.0, 5, Warning),
            ("api_errors", 0.05, 2, Critical),
            ("database_connections", 0.8, 3, Warning),
            ("slow_queries", 100.0, 5, Warning),
            ("agents_fail", 0.2, 5, Critical),
            ("agents_wait", 100.0, 10, Warning),
            ("unsure_predictions", 0.6, 15, Warning),
            ("memory", 0.9, 3, Critical),
            ("cpu", 0.85, 5, Warning),
        ]
    );
    assert_eq!(rules[0].channels, ["slack", "email"]);
    assert!(rules.iter().all(|rule| rule.for_ms == 0));
    assert_eq!(parse(&print(&rules)).unwrap(), rules);
}

#[test]
fn every_option_of_a_rule_can_be_written() {
    let rule = one(r#"
rules:
  - name: High latency
    description: "Slow: answers"
    expr: p95_latency{provider="claude"} by (model) > 2s
    window: 1h
    also_window: 5m
    for: 2m
    severity: critical
    enabled: false
    min_count: 20
    no_data: hold
    resolve_threshold: 1.5s
    keep_firing_for: 10m
    repeat_interval: 4h
    send_resolved: false
    channels: [slack, ops-mail]
    labels: {team: search}
    annotations:
      summary: "{{ labels.model }} takes {{ value }}"
"#);
    let condition = Condition::parse(r#"p95_latency{provider="claude"} by (model) > 2s"#).unwrap();
    let summary = "{{ labels.model }} takes {{ value }}".to_owned();
    let expected = Rule {
        description: Some("Slow: answers".to_owned()),
        window_ms: 60 * MINUTE,
        also_window_ms: Some(5 * MINUTE),
        for_ms: 2 * MINUTE,
        severity: Severity::Critical,
        enabled: false,
        min_count: Some(20),
        no_data: NoData::Hold,
        resolve_threshold: Some(Threshold::parse("1.5s").unwrap()),
        keep_firing_for_ms: 10 * MINUTE,
        repeat_interval_ms: Some(240 * MINUTE),
        send_resolved: false,
        channels: vec!["slack".to_owned(), "ops-mail".to_owned()],
        labels: [("team".to_owned(), "search".to_owned())].into(),
        annotations: [("summary".to_owned(), summary)].into(),
        ..Rule::new("High latency", condition)
    };
    assert_eq!(rule, expected);
}

#[test]
fn a_rule_that_means_nothing_is_refused_where_it_is_written() {
    for (lines, told) in [
        (
            "window: 90s",
            "4:11: a window is of whole minutes, found 1m30s (write it like 5m or 1h)",
        ),
        (
            "also_window: 5m",
            "4:16: the second window, 5m, is not shorter than the first, 5m (the long one goes first: window 1h, also_window 5m)",
        ),
        (
            "resolve_threshold: 6%",
            "4:22: an alert on 5% cannot end at 6% (give a threshold below 5%)",
        ),
        (
            "resolve_threshold: 1s",
            "4:22: 1s cannot be compared with error_rate (write a share such as 5% or 0.05)",
        ),
        (
            "severity: fatal",
            "4:13: unknown word \"fatal\" (use one of info, warning, critical)",
        ),
        (
            "min_count: 0",
            "4:14: \"0\" is no whole number from 1 (write it like 20)",
        ),
        (
            "annotations: {a: \"{{ valeu }}\"}",
            "4:24: unknown place \"valeu\" (use one of rule, condition, value, threshold, window, for, severity, since, labels.NAME (did you mean \"value\"?))",
        ),
        (
            "labels: {a b: x}",
            "4:17: \"a b\" cannot be the name of a label (a name is of letters, digits and _, as in team)",
        ),
        (
            "channels: [\"a b\"]",
            "4:14: \"a b\" cannot be the name of a channel (a channel is of letters, digits, _, - and ., as in slack)",
        ),
        (
            "duration: 5m\n  window: 5m",
            "5:3: duration and window are given both (give window and for, or duration alone)",
        ),
        (
            "actions:\n  - notfy: slack",
            "5:5: unknown action \"notfy\" (the one action is \"- notify: CHANNEL\")",
        ),
        ("window: [5m]", "4:11: window is one value, found a list"),
        (
            "channels: slack",
            "4:13: channels is a list, found \"slack\" (begin each member with \"- \")",
        ),
    ] {
        assert_eq!(complaint(lines), told, "{lines}");
    }
}

#[test]
fn a_misspelt_name_is_told_with_the_nearest() {
    assert_eq!(
        refused("rules:\n- name: a\n  condition: p95_latncy > 2s\n"),
        [
            "3:14: unknown measure \"p95_latncy\" (did you mean p95_latency? `obs query --list` lists the measures; custom metrics have a dot in their name)"
        ]
    );
    assert!(
        complaint("severty: info")
            .starts_with("4:3: unknown key \"severty\" of a rule (did you mean severity?")
    );
    assert_eq!(
        refused("rule:\n- name: a\n")[0],
        "1:1: unknown key \"rule\" (did you mean rules? the keys are rules, alerts, slos)"
    );
    assert_eq!(
        refused("rules:\n- name: a\n  condition: error_rate => 5%\n"),
        ["3:25: unknown operator \"=>\" (use one of > >= < <= == != (did you mean \">=\"?))"]
    );
    assert_eq!(
        refused("rules:\n- name: a\n  condition: error_rate > 5\n"),
        ["3:27: error_rate is a share from 0 to 1 (write 5% for per cent)"]
    );
}

#[test]
fn words_that_yaml_takes_for_something_else_are_refused() {
    for (lines, told) in [
        (
            "enabled: yes",
            "4:12: \"yes\" is neither true nor false (write true)",
        ),
        (
            "enabled: off",
            "4:12: \"off\" is neither true nor false (write false)",
        ),
        (
            "labels: {region: no}",
            "4:20: region is a text, and YAML takes no for false (put it in quotes: \"no\")",
        ),
        (
            "labels: {team: 5}",
            "4:18: team is a text, and YAML takes 5 for a number or a time (put it in quotes: \"5\")",
        ),
        (
            "labels: {at: 1:30}",
            "4:16: at is a text, and YAML takes 1:30 for a number or a time (put it in quotes: \"1:30\")",
        ),
        (
            "window: 1:30",
            "4:11: \"1:30\" is not a duration: YAML may take it for minutes or for hours (write it like 90s, 5m or 1h30m)",
        ),
        (
            "window: 300",
            "4:11: \"300\" is not a duration: its last number has no unit (write it like 500ms, 90s, 5m, 1h30m, 7d or 2w)",
        ),
        (
            "description:",
            "4:14: description is empty (leave the key out, or give it a value)",
        ),
    ] {
        assert_eq!(complaint(lines), told, "{lines}");
    }
    assert_eq!(
        one(&entry("labels: {region: \"no\"}")).labels["region"],
        "no"
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "rules:\n- name: a\n  condition: cost > 5s\n- name: b\n- name: c\n  condition: cost > $5\n  windw: 5m\n- name: d\n  condition: cost > $1\n- name: d\n  condition: cost > $2\n";
    let told = refused(text);
    let told: Vec<&str> = told.iter().map(|t| t.split(" (").next().unwrap()).collect();
    assert_eq!(
        told,
        [
            "3:21: 5s cannot be compared with cost",
            "4:3: this rule has no condition",
            "7:3: unknown key \"windw\" of a rule",
            "10:9: there is a rule \"d\" in line 8 already",
        ]
    );
}

#[test]
fn what_makes_yaml_surprising_is_refused() {
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nrules: [*b]\n";
    assert!(
        refused(laughs)[0].starts_with("1:4: anchors and aliases"),
        "{:?}",
        refused(laughs)
    );
    assert!(refused("rules: !!python/object x\n")[0].contains("a tag"));
    assert!(refused("rules: []\n---\nrules: []\n")[0].contains("a second document"));
    assert_eq!(
        refused("rules: []\nrules: []\n"),
        ["2:1: \"rules\" is given twice, first in line 1"]
    );
    assert!(refused("rules:\n\t- name: a\n")[0].contains("no YAML"));
    assert!(refused(&format!("rules: {}", "[".repeat(40)))[0].contains("too deep"));
    assert!(refused(&" ".repeat((1 << 20) + 1))[0].contains("more than 1048576"));
    for nothing in ["", "# nothing\n", "~", "{}"] {
        assert!(
            refused(nothing)[0].contains("no rules in it"),
            "{nothing:?}"
        );
    }
    assert_eq!(parse("rules: []").unwrap(), []);
}

#[test]
fn an_objective_stands_for_rules_on_how_fast_its_budget_burns() {
    let rules = parse("slos:\n- name: answers\n  objective: 99.9%\n  channels: [pager]\n").unwrap();
    let told: Vec<_> = rules
        .iter()
        .map(|r| {
            (
                r.name.as_str(),
                r.condition.to_string(),
                r.window_ms / MINUTE,
                r.also_window_ms.unwrap() / MINUTE,
                r.severity,
            )
        })
        .collect();
    use Severity::{Critical, Warning};
    assert_eq!(
        told,
        [
            (
                "answers 1h",
                "error_rate > 1.44%".to_owned(),
                60,
                5,
                Critical
            ),
            (
                "answers 6h",
                "error_rate > 0.6%".to_owned(),
                360,
                30,
                Critical
            ),
            (
                "answers 1d",
                "error_rate > 0.3%".to_owned(),
                1_440,
                120,
                Warning
            ),
            (
                "answers 3d",
                "error_rate > 0.1%".to_owned(),
                4_320,
                360,
                Warning
            ),
        ]
    );
    assert!(rules.iter().all(|rule| rule.channels == ["pager"]));
    assert_eq!(parse(&print(&rules)).unwrap(), rules);
}

#[test]
fn an_objective_may_be_of_good_events_and_of_another_period() {
    let text = "slos:\n- name: cache\n  objective: 60%\n  measure: cache_hit_rate{provider=\"x\"} by (model)\n  period: 7d\n";
    let rules = parse(text).unwrap();
    let told: Vec<String> = rules
        .iter()
        .map(|r| format!("{}: {}", r.name, r.condition))
        .collect();
    assert_eq!(
        told,
        [
            "cache 6h: cache_hit_rate{provider=\"x\"} by (model) < 44%",
            "cache 1d: cache_hit_rate{provider=\"x\"} by (model) < 72%",
            "cache 3d: cache_hit_rate{provider=\"x\"} by (model) < 90.66666667%",
        ]
    );
    for (lines, told) in [
        (
            "objective: 100%",
            "3:14: 100% is no share of events below 100%",
        ),
        (
            "objective: 99.9",
            "3:14: 99.9 is no share of events below 100%",
        ),
        (
            "objective: 99%\n  measure: cost",
            "4:12: \"cost\" is no share of events",
        ),
        (
            "objective: 99%\n  period: 1d",
            "4:11: a period of 1d is too short or too long",
        ),
        (
            "objective: 99%\n  wndow: 1d",
            "4:3: unknown key \"wndow\" of an objective",
        ),
        ("period: 30d", "2:3: this objective has no objective"),
    ] {
        let refused = refused(&format!("slos:\n- name: a\n  {lines}\n"));
        assert!(refused[0].starts_with(told), "{refused:?}");
    }
}

#[test]
fn a_printed_rule_is_pleasant_to_read() {
    let rules = defaults();
    assert_eq!(
        print(&rules[..2]),
        "rules:\n  - name: High latency\n    description: Requests have become slow\n    condition: p95_latency > 2s\n    window: 5m\n    severity: warning\n\n  - name: Error spike\n    description: Requests fail\n    condition: error_rate > 5%\n    window: 1m\n    severity: critical\n"
    );
}

#[test]
fn the_default_rules_are_five_and_sound() {
    let rules = defaults();
    let told: Vec<String> = rules
        .iter()
        .map(|r| {
            format!(
                "{} {}m for {}m {}",
                r.condition,
                r.window_ms / MINUTE,
                r.for_ms / MINUTE,
                r.severity
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "p95_latency > 2s 5m for 0m warning",
            "error_rate > 5% 1m for 0m critical",
            "cache_hit_rate < 40% 10m for 0m warning",
            "hourly_cost > $10 60m for 5m warning",
            "rate_limit_denial_rate > 10% 5m for 0m warning",
        ]
    );
    assert!(rules.iter().all(|rule| check(rule).is_empty()));
}

/// The schema for editors knows the keys that the reader knows.
#[test]
fn the_schema_for_editors_lists_every_key() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../docs/rules.schema.json")).unwrap();
    let keys = |of: &serde_json::Value| {
        let properties = of["properties"].as_object().unwrap();
        let mut keys: Vec<String> = properties.keys().cloned().collect();
        keys.sort();
        keys
    };
    let sorted = |names: &[&str]| {
        let mut names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        names.sort();
        names
    };
    let of_a_rule: Vec<&str> = Key::ALL
        .map(Key::name)
        .into_iter()
        .chain(["expr"])
        .collect();
    assert_eq!(keys(&schema["$defs"]["rule"]), sorted(&of_a_rule));
    assert_eq!(keys(&schema["$defs"]["slo"]), sorted(&slo::keys()));
    assert_eq!(keys(&schema), sorted(&read::TOP));
    let words = |of: &serde_json::Value| -> Vec<String> {
        serde_json::from_value(of["enum"].clone()).unwrap()
    };
    let rule = &schema["$defs"]["rule"]["properties"];
    assert_eq!(words(&rule["severity"]), Severity::ALL.map(Severity::name));
    assert_eq!(words(&rule["no_data"]), NoData::ALL.map(NoData::name));
}

// Laws

fn rules() -> impl Strategy<Value = Rule> {
    let condition = select(vec![
        r#"p95_latency{provider="claude", model=~"opus*|o3"} by (role) > 2.5s"#,
        r#"error_rate{user!="a \"b\": #c"} >= 5%"#,
        "cost > $10.5",
        "hourly_cost > $10",
        "system.cpu_usage_percent > 85%",
        r#"requests{project="モ\\ デル"} == 3"#,
    ]);
    let text =
        "\\PC{0,12}|[ -~]{0,20}|yes|NO|[0-9:]{1,4}|[\\n\\t:# a-c\u{85}\u{feff}\u{2028}]{0,8}";
    let minutes = 2..3_000_i64;
    let texts = btree_map(
        "[a-z_][a-z0-9_]{0,6}",
        text.prop_map(|t| t.replace("{{", "{")),
        0..3,
    );
    let channels = subsequence(vec!["slack", "no", "5", "a.b-c"], 0..3);
    let options = (
        option::of(text),
        select(Severity::ALL.to_vec()),
        any::<bool>(),
        option::of(1..u64::from(u32::MAX)),
    );
    let times = (
        minutes,
        any::<bool>(),
        0..10_000_000_i64,
        0..10_000_000_i64,
        option::of(MINUTE..100_000_000),
    );
    let names = vec("[a-zA-Z0-9:#\"'é -]{1,5}", 1..3);
    (
        condition,
        names,
        options,
        times,
        texts.clone(),
        texts,
        channels,
        select(NoData::ALL.to_vec()),
    )
        .prop_map(
            |(condition, names, options, times, labels, annotations, channels, no_data)| {
                let rule = Rule::new("", Condition::parse(condition).unwrap());
                let own = rule.own_window_ms();
                let window_ms = own.unwrap_or(times.0 * MINUTE);
                Rule {
                    name: format!("x{}z", names.join(" ")),
                    description: options.0.filter(|text| !text.is_empty()),
                    severity: options.1,
                    enabled: options.2,
                    min_count: options.3,
                    window_ms,
                    also_window_ms: (times.1 && own.is_none()).then_some(window_ms - MINUTE),
                    for_ms: times.2,
                    keep_firing_for_ms: times.3,
                    repeat_interval_ms: times.4,
                    labels: labels
                        .into_iter()
                        .filter(|(name, _)| name != "role")
                        .collect(),
                    annotations,
                    channels: channels.into_iter().map(str::to_owned).collect(),
                    no_data,
                    send_resolved: options.2,
                    ..rule
                }
            },
        )
}

proptest! {
    #[test]
    fn printed_rules_read_back_the_same(rules in vec(rules(), 0..4)) {
        let rules: Vec<Rule> = rules
            .into_iter()
            .enumerate()
            .map(|(nth, rule)| Rule { name: format!("{} {nth}", rule.name), ..rule })
            .collect();
        let text = print(&rules);
        let read = parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&rules), "{}", text);
        prop_assert_eq!(print(&rules), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*|[-a-z:{}\\[\\]&*!|>'\"#%@, \\n\\t0-9]{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("rules:\n- name: a\n  condition: {text}\n"));
        let _ = parse(&format!("slos:\n- name: a\n  objective: {text}\n"));
    }

    #[test]
    fn a_file_with_a_slip_in_it_is_read_or_refused_inside(
        at in any::<prop::sample::Index>(), with in "\\PC|[\\n\\t:{\"'-]",
    ) {
        let mut chars: Vec<char> = NINE.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..=at, with.chars());
        let text: String = chars.into_iter().collect();
        if let Err(faults) = parse(&text) {
            for fault in faults.0 {
                prop_assert!(fault.mark.line <= text.lines().count() + 1, "{:?}", fault);
            }
        }
    }
}
