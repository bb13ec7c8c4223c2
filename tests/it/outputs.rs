//! docs/output.md names every column of every answer, and no other.
//!
//! A section is found by the schema in its heading; the fields it documents are
//! the names in the first cells of its tables. To keep another command's section,
//! add a line to [`ANSWERS`].

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::obs::Obs;
use crate::traffic::{self, NOW};

/// A schema, the command that answers so, and columns that depend on the question.
type Answer = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

#[rustfmt::skip]
const ANSWERS: [Answer; 20] = [
    ("obs.stats/v1", &["stats"], &[]),
    ("obs.query/v1", &["query", "requests", "--step", "1h"], &["requests"]),
    ("obs.measures/v1", &["query", "--list"], &[]),
    ("obs.events/v1", &["events"], &[]),
    ("obs.dead/v1", &["events", "dead"], &[]),
    ("obs.dead.retry/v1", &["events", "dead", "retry", "-n"], &[]),
    ("obs.dead.delete/v1", &["events", "dead", "delete", "-n"], &[]),
    ("obs.ingest/v1", &["ingest", "again.jsonl"], &[]),
    ("obs.rollup/v1", &["rollup"], &[]),
    ("obs.retention/v1", &["retention"], &[]),
    ("obs.retention.run/v1", &["retention", "run", "-n"], &[]),
    ("obs.init/v1", &["init"], &[]),
    ("obs.alerts/v1", &["alerts"], &[]),
    ("obs.alert/v1", &["alerts", "show", "1"], &OF_ALERTS),
    ("obs.alerts.history/v1", &["alerts", "history"], &[]),
    ("obs.alerts.eval/v1", &["alerts", "eval", "-n"], &[]),
    ("obs.alerts.explain/v1", &["alerts", "eval", "--explain"], &[]),
    ("obs.alerts.stats/v1", &["alerts", "stats"], &[]),
    ("obs.silences/v1", &["alerts", "silence"], &[]),
    ("obs.alerts.purge/v1", &["alerts", "purge", "--older-than", "90d", "-n"], &[]),
];

/// What is told of an alert in a list, which `show` tells as well.
#[rustfmt::skip]
const OF_ALERTS: [&str; 22] = [
    "id", "state", "severity", "rule", "labels", "provider", "model", "condition", "value", "threshold", "unit",
    "started_at", "fired_at", "acknowledged_at", "acknowledged_by", "acknowledged_note", "resolved_at",
    "hold_until", "changed_at", "reason", "by", "context",
];

/// The section whose heading names the schema.
fn section<'d>(docs: &'d str, schema: &str) -> &'d str {
    let named = format!("`{schema}`");
    let found = docs
        .split("\n## ")
        .find(|section| section.lines().next().is_some_and(|h| h.contains(&named)));
    found.unwrap_or_else(|| panic!("docs/output.md has no section with {named} in its heading"))
}

/// The names in the first cells of the section's tables.
fn documented(section: &str) -> BTreeSet<String> {
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split('|').nth(1));
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_column_is_documented_and_nothing_else_is() {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/output.md"));
    let docs = docs.unwrap();
    let mut obs = Obs::at("2026-03-01T11:00:00Z");
    obs.run(&["init"]).exits(0);
    let always = [
        "rules",
        "add",
        "always",
        "requests > 1",
        "--no-data",
        "alert",
    ];
    obs.run(&always).exits(0);
    obs.set_now(NOW);
    obs.feed(&["ingest"], traffic::events("a", 60)).exits(0);
    obs.feed(&["ingest"], "no event\n").exits(5);
    fs::write(obs.folder().join("again.jsonl"), traffic::event("b", 1)).unwrap();
    for (schema, args, own) in ANSWERS {
        let args = [args, &["--json"]].concat();
        let answer = obs.run(&args).json();
        assert_eq!(answer["schema"], schema, "{args:?}");
        let csv = [&args[..args.len() - 1], &["-o", "csv"]].concat();
        let csv = obs.run(&csv).stdout;
        let header = csv.lines().next().unwrap_or_default();
        let columns: BTreeSet<String> = header
            .split(',')
            .filter(|name| !own.contains(name))
            .map(str::to_owned)
            .collect();
        let told = documented(section(&docs, schema));
        let head: BTreeSet<String> = answer.as_object().unwrap().keys().cloned().collect();
        let missing: Vec<_> = columns.difference(&told).collect();
        assert!(missing.is_empty(), "{schema}: not documented: {missing:?}");
        let gone: Vec<_> = told
            .iter()
            .filter(|f| !columns.contains(*f) && !head.contains(*f))
            .collect();
        assert!(
            gone.is_empty(),
            "{schema}: documented, but not answered: {gone:?}"
        );
    }
}
