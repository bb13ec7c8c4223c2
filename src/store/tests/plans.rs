//! Every read of the store uses an index: SQLite explains each statement that ran.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::super::testing::history::{Deed, history};
use super::super::testing::witness::Past;
use super::super::testing::{self, append, empty};
use super::super::{Dedupe, Mark, Parts, RuleChange, Store, StoreError, Txn};
use super::immense;
use crate::model::{
    AlertState, Condition, Dimension, Matcher, Millis, Rule, Selector, Span, Tokens, Zone,
};
use crate::query::{Question, ask};
use crate::{retention, rollup};

/// Statements that walk a whole table on purpose, and why they may.
const WALKS: &[(&str, &str)] = &[
    ("FROM price ORDER BY", "all prices of the user, for one run"),
    ("FROM price ORDER BY", "all prices of the user, for one run"),
    (
        "limit_type, status_code FROM series",
        "there are few series",
    ),
    (
        "NOT IN (SELECT DISTINCT series FROM event)",
        "collecting unused series asks for all that are used",
    ),
    (
        "SELECT id FROM name WHERE id NOT IN",
        "collecting unused names asks for all that are used",
    ),
    ("DELETE FROM calendar", "the zone changed"),
    (
        "AS all_rows",
        "rows are counted when somebody asks for the count",
    ),
    ("AS all_bytes", "so are bytes"),
    ("AS broken", "a check looks at everything"),
    ("AS waiting", "few minutes wait for a roll-up"),
    (
        "FROM alert_rules",
        "there are few rules, and all are evaluated",
    ),
    (
        "FROM alerts WHERE resolved_at_ms IS NULL",
        "the few that are open have an index of their own",
    ),
    (
        "FROM alerts WHERE hold_until_ms IS NOT NULL",
        "the few that are held have an index of their own",
    ),
];

/// Where SQL is written.
const SOURCES: &[&str] = &[
    include_str!("../alert.rs"),
    include_str!("../batch.rs"),
    include_str!("../bucket.rs"),
    include_str!("../calendar.rs"),
    include_str!("../columns.rs"),
    include_str!("../dirty.rs"),
    include_str!("../event.rs"),
    include_str!("../inventory.rs"),
    include_str!("../ledger.rs"),
    include_str!("../letter.rs"),
    include_str!("../mark.rs"),
    include_str!("../name.rs"),
    include_str!("../notice.rs"),
    include_str!("../price.rs"),
    include_str!("../price.rs"),
    include_str!("../reclaim.rs"),
    include_str!("../record.rs"),
    include_str!("../rule.rs"),
    include_str!("../series.rs"),
    include_str!("../setting.rs"),
    include_str!("../state.rs"),
    include_str!("../open.rs"),
    include_str!("../silence.rs"),
    include_str!("../sound.rs"),
    include_str!("../vitals.rs"),
];

fn words(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The constants that hold a statement which finds rows, each as the pieces of text it is made of.
fn statements_in(source: &str) -> Vec<Vec<String>> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let constants = code.split("\nconst ").skip(1).filter_map(|rest| {
        let (_, rest) = rest.split_once(": &str =")?;
        // Only the texts themselves hold semicolons, and none of ours do but at the end.
        Some(rest.split(";\n").next().unwrap().to_owned())
    });
    let finds_rows = |text: &String| {
        ["SELECT ", "DELETE ", "UPDATE "]
            .iter()
            .any(|w| text.contains(w))
    };
    constants
        .filter(finds_rows)
        .map(|text| pieces(&text))
        .collect()
}

fn pieces(text: &str) -> Vec<String> {
    let quoted = text.split('"').skip(1).step_by(2);
    let parts = quoted.flat_map(|text| text.split("$tier").flat_map(|text| text.split("$columns")));
    parts.map(words).filter(|piece| !piece.is_empty()).collect()
}

fn plan(store: &Store, sql: &str) -> Vec<String> {
    let mut stmt = store
        .conn
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let mut lines = stmt.raw_query();
    let mut plan = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        plan.push(line.get("detail").unwrap());
    }
    plan
}

/// The lines of a plan that walk a table from one end to the other.
fn walks(plan: &[String]) -> Vec<&String> {
    let is_table = |name: &str| {
        !name.starts_with('(')
            && !name.ends_with("_summary")
            && !["CONSTANT", "step"].contains(&name)
    };
    let is_walk = |line: &&String| {
        let name = line
            .strip_prefix("SCAN ")
            .and_then(|rest| rest.split(' ').next());
        name.is_some_and(is_table)
    };
    plan.iter().filter(is_walk).collect()
}

/// A store with a full life behind it, and every statement it ran.
fn a_life() -> (Past, BTreeSet<String>) {
    let mut runner = TestRunner::deterministic();
    let mut past = Past::new(Zone::UTC, super::super::Retention::default());
    let ran = Arc::new(Mutex::new(BTreeSet::new()));
    let record = Arc::clone(&ran);
    let note = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(_, sql) = event {
            record.lock().unwrap().insert(words(sql));
        }
    };
    let store = &mut past.temporary.store;
    let codes = TraceEventCodes::SQLITE_TRACE_STMT;
    store.conn.trace_v2(codes, Some(note)).unwrap();
    for _ in 0..12 {
        let history = history(14).new_tree(&mut runner).unwrap().current();
        past.keeping = history.keeping;
        let kept = Deed::Keep(history.keeping);
        for deed in [&kept].into_iter().chain(&history.deeds) {
            past.befall(deed).unwrap();
        }
        ask_everything(&mut past);
    }
    let ran = ran.lock().unwrap().clone();
    (past, ran)
}

fn ask_everything(past: &mut Past) {
    let now = Millis(past.now);
    for output in 1..4 {
        let mut answer = immense(now.0);
        answer.id = Some("an answer that grows".into());
        answer.tokens = Some(Tokens {
            output,
            ..Tokens::default()
        });
        append(&mut past.temporary.store, &[answer], Dedupe::Id, true);
        past.befall(&Deed::RollUp(i64::MIN / 2)).unwrap();
    }
    let store = &mut past.temporary.store;
    rollup::verify(store).unwrap();
    rollup::pending(store, now).unwrap();
    retention::rehearse(store, now).unwrap();
    store
        .write(|txn| {
            txn.birth()?;
            txn.set_birth(now)
        })
        .unwrap();
    testing::look_at_all(store, now);
    store.write(|txn| remember_files(txn, now)).unwrap();
    live_with_a_rule(store, now).unwrap();
    crate::store::price::tests::live_with_a_price(store, now).unwrap();
    super::super::price::tests::live_with_a_price(store, now).unwrap();
    store
        .write(|txn| {
            txn.clear_calendar()?;
            txn.note_days(&super::super::LocalDays::new(Zone::UTC), 20_000..20_010)?;
            txn.keep_setting(&super::super::setting::WEEK_START, None)?;
            txn.last_noted_day()?;
            txn.first_ledger_day()?;
            txn.last_event()?;
            txn.all_series()
        })
        .unwrap();
    for parts in [Parts::All, Parts::Sums, Parts::Latency] {
        let claude = Matcher::equal(Dimension::Provider, "claude");
        let question = Question {
            selector: Selector {
                matchers: vec![claude],
            },
            span: Span::new(now.plus(-Millis::DAY), now),
            step: None,
            by: vec![Dimension::Model],
            parts,
            trailing_ms: None,
        };
        let _ = ask(store, &question);
    }
    testing::look_through(store, now);
    store
        .write(|txn| {
            txn.drop_ledger(0..1)?;
            txn.intern("a name that nothing uses")
        })
        .unwrap();
    store.collect_names().unwrap();
}

/// A rule that is made, changed and deleted, with an alert that begins and ends.
fn live_with_a_rule(store: &mut Store, now: Millis) -> Result<(), super::super::StoreError> {
    let condition = Condition::parse("p95_latency by (provider) > 2s").unwrap();
    let rule = Rule::new("slow", condition);
    store.write(|txn| {
        let made = txn.add_rule(&rule, now, "ada")?;
        let made = txn.change_rule(&made, &rule, now, RuleChange::Disabled, now, "ada")?;
        assert_eq!(txn.rules()?, std::slice::from_ref(&made));
        let mut alert = super::super::alert::tests::firing(&made, txn.next_alert_id()?, now);
        txn.keep_alert(&alert)?;
        assert_eq!(txn.live_alerts()?, std::slice::from_ref(&alert));
        super::super::notice::tests::tell_of(txn, &alert, now)?;
        alert.state = AlertState::Resolved;
        alert.resolved_at = Some(now);
        txn.keep_alert(&alert)?;
        assert_eq!(txn.alerts_changed_since(now)?, std::slice::from_ref(&alert));
        assert_eq!(txn.alert_changes_since(now)?[0].alert_id, alert.id);
        assert_eq!(txn.count_alerts_over(now)?, 0);
        assert_eq!(txn.forget_alerts(now)?, 0);
        super::super::silence::tests::keep_still(txn, now)?;
        txn.set_alerts_until(now)?;
        txn.delete_rule(&made, now, "ada")?;
        assert_eq!(txn.alert(alert.id)?, None);
        assert_eq!(txn.alert_changes(alert.id)?.len(), 2);
        assert_eq!(txn.rule_versions(made.id)?.len(), 3);
        assert_ne!(txn.next_alert_id()?, alert.id);
        Ok(())
    })
}

fn remember_files(txn: &Txn<'_>, now: Millis) -> Result<(), StoreError> {
    let mark = |generation| Mark {
        device: 1,
        inode: u64::MAX - generation,
        path: "/var/log/app.log".to_owned(),
        generation,
        offset: 17,
        line: 2,
        head_len: 17,
        head_h: -1,
        packed_mtime_ns: None,
    };
    for generation in [0, 1, 200] {
        txn.put_mark(&mark(generation), now)?;
    }
    assert_eq!(txn.marks_at("/var/log/app.log")?, [mark(200)]);
    assert_eq!(txn.mark_of(1, u64::MAX - 200)?, Some(mark(200)));
    Ok(())
}

#[test]
fn every_read_uses_an_index() {
    let (past, ran) = a_life();
    let store = &past.temporary.store;
    for sql in ran.iter().filter(|sql| !sql.starts_with("--")) {
        let finds_rows = ["SELECT", "WITH", "DELETE", "UPDATE", "INSERT"]
            .iter()
            .any(|w| sql.starts_with(w));
        if !finds_rows || WALKS.iter().any(|(walk, _)| sql.contains(walk)) {
            continue;
        }
        let plan = plan(store, sql);
        assert!(walks(&plan).is_empty(), "{sql}\n{plan:#?}");
    }
    for (walk, why) in WALKS {
        assert!(ran.iter().any(|sql| sql.contains(walk)), "{walk}: {why}");
    }
}

#[test]
fn the_plan_of_every_statement_was_looked_at() {
    let (_, ran) = a_life();
    let statements: Vec<_> = SOURCES
        .iter()
        .flat_map(|source| statements_in(source))
        .collect();
    assert!(
        statements.len() > 45,
        "only {} statements",
        statements.len()
    );
    let never_ran = |pieces: &&Vec<String>| {
        let is_this = |sql: &String| pieces.iter().all(|piece| sql.contains(piece.as_str()));
        !ran.iter().any(is_this)
    };
    let never: Vec<_> = statements.iter().filter(never_ran).collect();
    assert!(never.is_empty(), "never ran: {never:#?}");
}

#[test]
fn views_read_no_more_than_the_span_that_is_asked_for() {
    let temporary = empty();
    let store = &temporary.store;
    for (sql, reads) in [
        (
            "SELECT * FROM metrics_raw WHERE timestamp >= 1 AND timestamp < 2",
            "e USING PRIMARY KEY (at_ms>? AND at_ms<?)",
        ),
        (
            "SELECT provider, sum(cost) FROM metrics_raw WHERE timestamp >= 1 GROUP BY provider",
            "e USING PRIMARY KEY (at_ms>?)",
        ),
        (
            "SELECT * FROM metrics_1min WHERE timestamp >= 1 AND timestamp < 2",
            "b USING PRIMARY KEY (bucket_ms>? AND bucket_ms<?)",
        ),
        (
            "SELECT * FROM metrics_1hour WHERE timestamp >= 1",
            "b USING PRIMARY KEY (bucket_ms>?)",
        ),
        (
            "SELECT * FROM metrics_1day WHERE timestamp = 1",
            "b USING PRIMARY KEY (bucket_ms=?)",
        ),
        (
            "SELECT * FROM metrics_recent_summary",
            "e USING PRIMARY KEY (at_ms>?)",
        ),
        (
            "SELECT * FROM cost_today_summary",
            "e USING PRIMARY KEY (at_ms>? AND at_ms<?)",
        ),
        (
            "SELECT * FROM alerts_active_summary",
            "alerts USING INDEX alert_open",
        ),
    ] {
        let plan = plan(store, sql);
        assert!(
            plan.iter().any(|line| line.contains(reads)),
            "{sql}\n{plan:#?}"
        );
        let walks = walks(&plan);
        let of_open_alerts = |line: &&String| line.contains("alert_open");
        assert!(walks.iter().all(of_open_alerts), "{sql}\n{plan:#?}");
    }
}
