//! Promises of the store as a whole: every read uses an index, the views show
//! what was sent, and no sum is too large.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::types::Value;

use super::testing::history::{Deed, event, history};
use super::testing::witness::{BEGINNING, Past};
use super::testing::{self, append, buckets, empty, ledger, rows, sql};
use super::{Dedupe, Mark, Parts, RuleChange, Store, StoreError, Txn};
use crate::model::{
    AlertState, Condition, Dimension, Event, Matcher, Millis, Resolution, Rule, Selector, Signal,
    Span, Stats, Tokens, Usd, Zone,
};
use crate::query::{Question, ask};
use crate::{retention, rollup};

const EVER: Millis = Millis(i64::MAX);

// Plans

/// Statements that walk a whole table on purpose, and why they may.
const WALKS: [(&str, &str); 11] = [
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
const SOURCES: [&str; 19] = [
    include_str!("alert.rs"),
    include_str!("batch.rs"),
    include_str!("bucket.rs"),
    include_str!("calendar.rs"),
    include_str!("columns.rs"),
    include_str!("dirty.rs"),
    include_str!("event.rs"),
    include_str!("inventory.rs"),
    include_str!("ledger.rs"),
    include_str!("mark.rs"),
    include_str!("name.rs"),
    include_str!("reclaim.rs"),
    include_str!("rule.rs"),
    include_str!("series.rs"),
    include_str!("setting.rs"),
    include_str!("state.rs"),
    include_str!("open.rs"),
    include_str!("sound.rs"),
    include_str!("vitals.rs"),
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
    let mut past = Past::new(Zone::UTC, super::Retention::default());
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
    store.note_birth(now).unwrap();
    testing::look_at_all(store, now);
    store.write(|txn| remember_files(txn, now)).unwrap();
    live_with_a_rule(store, now).unwrap();
    store
        .write(|txn| {
            txn.clear_calendar()?;
            txn.note_days(&super::LocalDays::new(Zone::UTC), 20_000..20_010)?;
            txn.keep_setting(&super::setting::WEEK_START, None)?;
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
    store
        .write(|txn| {
            txn.drop_ledger(0..1)?;
            txn.intern("a name that nothing uses")
        })
        .unwrap();
    store.collect_names().unwrap();
}

/// A rule that is made, changed and deleted, with an alert that begins and ends.
fn live_with_a_rule(store: &mut Store, now: Millis) -> Result<(), super::StoreError> {
    let condition = Condition::parse("p95_latency by (provider) > 2s").unwrap();
    let rule = Rule::new("slow", condition);
    store.write(|txn| {
        let made = txn.add_rule(&rule, now, "ada")?;
        let made = txn.change_rule(&made, &rule, now, RuleChange::Disabled, now, "ada")?;
        assert_eq!(txn.rules()?, std::slice::from_ref(&made));
        let mut alert = super::alert::tests::firing(&made, txn.next_alert_id()?, now);
        txn.keep_alert(&alert)?;
        assert_eq!(txn.live_alerts()?, std::slice::from_ref(&alert));
        alert.state = AlertState::Resolved;
        alert.resolved_at = Some(now);
        txn.keep_alert(&alert)?;
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

// Views

/// Ids as senders write them: prefixes, digits in runs and as UUIDs, and what only looks alike.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_-]{0,10}[0-9a-f]{14,52}",
        "[a-z_-]{0,26}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[0-9A-Fa-f]{8}-[0-9A-F]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "(req|msg)_[0-9]{0,2}[0-9A-Za-z]{1,24}",
        "[0-9A-F]{16,32}",
        "\\PC{1,30}",
        "[0-9]{1,20}",
    ]
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ids_come_back_as_they_were_sent(ids in prop::collection::vec(id(), 1..60)) {
        let mut temporary = empty();
        let events: Vec<Event<'_>> = ids.iter().enumerate().map(|(i, id)| Event {
            id: Some(id.as_str().into()),
            ..Event::new(Millis(BEGINNING + i as i64), Signal::Request { success: true })
        }).collect();
        append(&mut temporary.store, &events, Dedupe::TimeId, false);
        let found = rows(&temporary.store, "SELECT id FROM metrics_raw ORDER BY timestamp");
        let sent: Vec<Vec<Value>> = ids.into_iter().map(|id| vec![text(id)]).collect();
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn the_numbers_of_an_event_come_back_as_they_were_sent(mut sent in event(), late in 0..Millis::DAY) {
        sent.at = Millis(BEGINNING + late);
        let mut temporary = empty();
        append(&mut temporary.store, std::slice::from_ref(&sent), Dedupe::TimeId, false);
        let found = rows(&temporary.store, "SELECT timestamp, time, metric_type, provider, model, user_id, role,
            project, session_id, endpoint, error_type, status_code, latency, ttft_ms, input_uncached_tokens,
            cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens,
            cost_reported, cost_computed, cost, cache_saved_cost, cache_saved_tokens FROM metrics_raw");
        let label = |label: &Option<std::borrow::Cow<'static, str>>| {
            label.as_deref().map_or(Value::Null, text)
        };
        let real = |number: Option<f64>| number.map_or(Value::Null, Value::Real);
        let ms = |us: Option<i64>| real(us.map(|us| us as f64 / 1000.0));
        let usd = |usd: Option<Usd>| real(usd.map(|usd| usd.0 as f64 / 1e9));
        let whole = |number: Option<u64>| number.map_or(Value::Null, |n| Value::Integer(n as i64));
        let some = |of: fn(&Tokens) -> u64| whole(sent.tokens.as_ref().map(of).filter(|n| *n > 0));
        let l = &sent.labels;
        let expected = vec![
            Value::Integer(sent.at.0),
            text(sent.at.to_string()),
            text(sent.signal.name()),
            label(&l.provider), label(&l.model), label(&sent.user), label(&l.role),
            label(&l.project), label(&sent.session), label(&l.endpoint), label(&l.error_type),
            whole(l.status_code.map(u64::from)),
            ms(sent.latency_us), ms(sent.ttft_us),
            whole(sent.tokens.map(|t| t.input_uncached)),
            some(|t| t.cache_read), some(|t| t.cache_write_5m), some(|t| t.cache_write_1h),
            some(|t| t.reasoning),
            usd(sent.cost_reported), usd(sent.cost_computed),
            usd(sent.cost_reported.or(sent.cost_computed)), usd(sent.saved_cost),
            whole(sent.saved_tokens),
        ];
        prop_assert_eq!(&found, &[expected]);
    }

    #[test]
    fn the_views_of_the_tiers_show_what_stats_say(
        mut events in prop::collection::vec((0..3 * Millis::MINUTE, event()), 1..40),
    ) {
        for (late, event) in &mut events {
            event.at = Millis(BEGINNING + *late);
        }
        let events: Vec<Event<'_>> = events.into_iter().map(|(_, event)| event).collect();
        let mut temporary = empty();
        append(&mut temporary.store, &events, Dedupe::TimeId, false);
        rollup::run(&mut temporary.store, EVER, |_| {}).unwrap();
        for tier in Resolution::BUCKETS {
            let found = rows(&temporary.store, &format!(
                "SELECT timestamp, provider, model, role, requests, successes, failures, success_rate, error_rate,
                 latency_avg_ms, latency_min_ms, latency_max_ms, latency_p50_ms, latency_p95_ms, latency_p99_ms,
                 input_tokens, output_tokens, total_tokens, cost_usd, cost_reported_usd, cost_computed_usd,
                 unpriced, cache_hits, cache_misses, cache_stores, cache_hit_rate, cache_saved_cost_usd,
                 cache_saved_tokens, rate_limit_allowed, rate_limit_denied, rate_limit_denial_rate,
                 first_event, last_event FROM metrics_{}", tier.name()));
            let stored = buckets(&mut temporary.store, tier);
            prop_assert_eq!(found.len(), stored.len());
            for row in found {
                let name = |i: usize| match &row[i] { Value::Text(text) => text.clone(), _ => String::new() };
                let Value::Integer(at) = row[0] else { panic!("{row:?}") };
                let stats = &stored[&(at, vec![name(1), name(2), name(3)])];
                for (column, (shown, said)) in row[4..].iter().zip(numbers(stats)).enumerate() {
                    let shown = match shown {
                        Value::Null => None,
                        Value::Integer(n) => Some(*n as f64),
                        Value::Real(n) => Some(*n),
                        Value::Text(digits) => Some(digits.parse().unwrap()),
                        Value::Blob(_) => panic!("{row:?}"),
                    };
                    let near = match (shown, said) {
                        // A percentile is kept to the microsecond.
                        (Some(a), Some(b)) => (a - b).abs() <= 0.000_500_1_f64.max(b.abs() * 1e-12),
                        (a, b) => a == b,
                    };
                    prop_assert!(near, "{} column {}: {:?} for {:?}", tier.name(), column + 5, shown, said);
                }
            }
        }
    }
}

/// What the columns from `requests` on should show.
fn numbers(stats: &Stats) -> [Option<f64>; 29] {
    let int = |n: u64| Some(n as f64);
    let sum = |n: i128| Some(n as f64);
    [
        int(stats.requests),
        int(stats.successes()),
        int(stats.failures),
        stats.success_rate(),
        stats.error_rate(),
        stats.latency.mean_ms(),
        stats.latency.min_ms(),
        stats.latency.max_ms(),
        stats.latency.quantile_ms(0.50),
        stats.latency.quantile_ms(0.95),
        stats.latency.quantile_ms(0.99),
        sum(stats.tokens.input_total()),
        sum(stats.tokens.output_total()),
        sum(stats.tokens.total()),
        Some(stats.cost.counted.to_f64()),
        Some(stats.cost.reported.to_f64()),
        Some(stats.cost.computed.to_f64()),
        int(stats.cost.unpriced),
        int(stats.cache.hits),
        int(stats.cache.misses),
        int(stats.cache.stores),
        stats.cache_hit_rate(),
        Some(stats.cache.saved_cost.to_f64()),
        sum(stats.cache.saved_tokens),
        int(stats.limits.allowed),
        int(stats.limits.denied),
        stats.rate_limit_denial_rate(),
        stats.first.map(|at| at.0 as f64),
        stats.last.map(|at| at.0 as f64),
    ]
}

// Extremes

/// A request with as many tokens and dollars as 64 bits hold.
fn immense(at: i64) -> Event<'static> {
    Event {
        tokens: Some(Tokens {
            input_uncached: i64::MAX as u64,
            cache_read: i64::MAX as u64,
            output: i64::MAX as u64,
            ..Tokens::default()
        }),
        cost_reported: Some(Usd(i64::MAX.into())),
        latency_us: Some(i64::MAX),
        session: Some("long".into()),
        ..Event::new(Millis(at), Signal::Request { success: true })
    }
}

#[test]
fn sums_beyond_64_bits_stay_exact() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    let three = i128::from(i64::MAX) * 3;
    append(
        store,
        &[immense(BEGINNING), immense(BEGINNING)],
        Dedupe::TimeId,
        false,
    );
    rollup::run(store, EVER, |_| {}).unwrap();
    append(store, &[immense(BEGINNING + 60_000)], Dedupe::TimeId, false);
    rollup::run(store, EVER, |_| {}).unwrap();
    for tier in [Resolution::Hour, Resolution::Day] {
        let stats = buckets(store, tier).into_values().next().unwrap();
        assert_eq!(
            (stats.tokens.input_uncached, stats.tokens.output),
            (three, three)
        );
        assert_eq!((stats.cost.counted.0, stats.latency.sum_us), (three, three));
        assert_eq!(stats.tokens.total(), 3 * three);
    }
    for sums in [
        ledger(store).into_values().next(),
        testing::sessions(store).into_values().next(),
    ] {
        let sums = sums.unwrap();
        assert_eq!(
            (sums.tokens.cache_read, sums.cost.counted.0),
            (three, three)
        );
    }
    let kinds = "SELECT typeof(input_uncached), typeof(cost) FROM ledger";
    assert_eq!(rows(store, kinds), [[text("text"), text("text")]]);
    assert_eq!(rollup::verify(store).unwrap().mismatches, []);
}

#[test]
fn a_summary_of_immense_events_is_no_error() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    let now = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
    let Value::Integer(now) = rows(store, &format!("SELECT {now}"))[0][0] else {
        panic!("no time");
    };
    let mut plain = immense(now - 1);
    plain.tokens = Some(Tokens {
        input_uncached: i64::MAX as u64,
        ..Tokens::default()
    });
    append(store, &[plain.clone(), plain], Dedupe::TimeId, false);
    sql(
        store,
        &format!("INSERT INTO calendar VALUES(1, 'today', {now} - 1000, {now} + 1000000)"),
    );
    for view in [
        "metrics_recent_summary",
        "cost_today_summary",
        "metrics_raw",
    ] {
        assert!(
            !rows(store, &format!("SELECT * FROM {view}")).is_empty(),
            "{view}"
        );
    }
}
