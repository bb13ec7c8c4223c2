//! A store made by the first schema walks to today's, and what people read with
//! SQL is there under its documented names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use refinery::{Migration, Runner};
use rusqlite::Connection;

use crate::obs::Obs;

const FIRST_SCHEMA: &str = include_str!("../../migrations/V1__schema.sql");
const NOW: &str = "2026-03-01T12:00:00Z";

/// What SQL may rely on: each table and view with its columns, in their order.
const INTERFACE: [(&str, &str); 12] = [
    (
        "metrics_raw",
        "id ref timestamp time metric_type provider model user_id role project session_id request_id endpoint
         latency ttft_ms success status_code error_type error_message input_tokens output_tokens total_tokens
         input_uncached_tokens cache_read_tokens cache_write_5m_tokens cache_write_1h_tokens reasoning_tokens
         cost cost_reported cost_computed cache_event cache_saved_cost cache_saved_tokens rate_limit_event
         rate_limit_type rate_limit_key rate_limit_remaining rate_limit_limit rate_limit_reset tools metadata
         created_at",
    ),
    ("metrics_1min", BUCKET),
    ("metrics_1hour", BUCKET),
    ("metrics_1day", BUCKET),
    (
        "alert_rules",
        "id name description metric operator threshold duration_s provider model severity enabled labels
         annotations created_at_ms updated_at_ms condition window_ms for_ms min_count no_data resolve_threshold
         keep_firing_for_ms repeat_interval_ms send_resolved channels version since_ms also_window_ms",
    ),
    (
        "alerts",
        "id rule_id rule_name state severity provider model labels current_value threshold_value context
         started_at_ms acknowledged_at_ms acknowledged_by resolved_at_ms notified changed_at_ms observed_at_ms
         updated_at_ms reason actor rule_version fired_at_ms clear_since_ms hold_until_ms acknowledged_note
         told_at_ms",
    ),
    (
        "alert_history",
        "id alert_id rule_id rule_name from_state to_state severity labels value threshold_value changed_at_ms
         observed_at_ms reason actor",
    ),
    (
        "cost_budgets",
        "id name description period limit_nano_usd provider model user project alert_at_50 alert_at_80
         alert_at_95 alert_when_exceeded enabled created_at_ms updated_at_ms",
    ),
    (
        "cost_projections",
        "id made_at_ms period period_from_ms period_until_ms scope method spent_nano_usd expected_nano_usd
         low_80_nano_usd high_80_nano_usd low_95_nano_usd high_95_nano_usd",
    ),
    (
        "metrics_recent_summary",
        "provider model metric_type events failures latency_avg_ms latency_max_ms total_tokens cost_usd last_event",
    ),
    (
        "cost_today_summary",
        "date provider model user_id project requests total_tokens cost_usd unpriced",
    ),
    (
        "alerts_active_summary",
        "severity state alerts oldest_started_at newest_started_at rules",
    ),
];

const BUCKET: &str = "timestamp time provider model role requests successes failures success_rate error_rate
     latency_avg_ms latency_min_ms latency_max_ms latency_p50_ms latency_p95_ms latency_p99_ms
     input_tokens output_tokens total_tokens input_uncached_tokens cache_read_tokens cache_write_5m_tokens
     cache_write_1h_tokens reasoning_tokens cost_usd cost_reported_usd cost_computed_usd unpriced
     cache_hits cache_misses cache_stores cache_hit_rate cache_saved_cost_usd cache_saved_tokens
     rate_limit_allowed rate_limit_denied rate_limit_denial_rate first_event last_event latency_sketch";

fn open(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// A file as the first release left it: its header, its schema, its list of migrations.
fn first_store(path: &Path) {
    let mut conn = open(path);
    conn.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA application_id = 0x6f627331;",
    )
    .unwrap();
    let first = Migration::unapplied("V1__schema", FIRST_SCHEMA).unwrap();
    Runner::new(&[first]).run(&mut conn).unwrap();
}

fn number(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn word(conn: &Connection, sql: &str) -> String {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn columns(conn: &Connection, table: &str) -> Vec<String> {
    let mut stmt = conn
        .prepare("SELECT name FROM pragma_table_info(?1)")
        .unwrap();
    let names = stmt.query_map([table], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

pub(crate) fn newest_migration() -> i64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let number = |name: String| {
        name[1..]
            .split("__")
            .next()
            .unwrap()
            .parse::<i64>()
            .unwrap()
    };
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| number(file.unwrap().file_name().into_string().unwrap()))
        .max()
        .unwrap()
}

#[test]
fn a_store_of_the_first_schema_walks_to_todays() {
    let obs = Obs::at(NOW);
    first_store(&obs.db());
    let event = r#"{"type":"request","id":"a","timestamp":"2026-03-01T11:59:00Z","provider":"claude","latency":2500,"cost":0.5}"#;
    obs.feed(&["ingest", "-"], event).exits(0);
    obs.run(&["rollup"]).exits(0);
    let conn = open(&obs.db());
    assert_eq!(number(&conn, "PRAGMA user_version"), newest_migration());
    for (name, documented) in INTERFACE {
        let documented: Vec<&str> = documented.split_whitespace().collect();
        assert_eq!(columns(&conn, name), documented, "{name}");
    }
    let seen = "SELECT id || ' ' || provider || ' ' || latency || ' ' || cost FROM metrics_raw";
    assert_eq!(word(&conn, seen), "a claude 2500.0 0.5");
    for tier in ["metrics_1min", "metrics_1hour", "metrics_1day"] {
        assert_eq!(
            number(&conn, &format!("SELECT sum(requests) FROM {tier}")),
            1,
            "{tier}"
        );
    }
}

#[test]
fn a_new_store_is_private_and_can_shrink() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let mode = fs::metadata(obs.db()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let conn = open(&obs.db());
    assert_eq!(number(&conn, "PRAGMA auto_vacuum"), 2, "incremental");
    assert_eq!(word(&conn, "PRAGMA journal_mode"), "wal");
    assert_eq!(
        number(&conn, "PRAGMA application_id"),
        i64::from(u32::from_be_bytes(*b"obs1"))
    );
    for (name, _) in INTERFACE {
        assert!(!columns(&conn, name).is_empty(), "{name}");
    }
}

// Triggers

fn with_an_alert() -> (Obs, Connection) {
    let obs = Obs::at(NOW);
    obs.run(&["init", "--no-default-rules"]).exits(0);
    let conn = open(&obs.db());
    conn.execute_batch(
        "INSERT INTO alert_rules(id, name, metric, operator, threshold, created_at_ms, updated_at_ms)
         VALUES(1, 'High latency', 'p95_latency', '>', 2000, 0, 0);
         INSERT INTO alerts(id, rule_id, rule_name, state, severity, current_value, threshold_value,
            started_at_ms, changed_at_ms, observed_at_ms, updated_at_ms, reason, actor)
         VALUES(7, 1, 'High latency', 'pending', 'warning', 2500, 2000, 60, 60, 90, 90, 'condition', 'eval');",
    )
    .unwrap();
    (obs, conn)
}

fn history(conn: &Connection) -> Vec<String> {
    let sql = "SELECT ifnull(from_state, '-') || ' ' || to_state || ' ' || changed_at_ms || ' ' || observed_at_ms
        || ' ' || reason || ' ' || actor || ' ' || ifnull(value, '-') FROM alert_history ORDER BY id";
    let mut stmt = conn.prepare(sql).unwrap();
    let told = stmt.query_map([], |row| row.get(0)).unwrap();
    told.map(Result::unwrap).collect()
}

fn change(conn: &Connection, to: &str, at: i64, reason: &str) {
    let set = "UPDATE alerts SET state = ?1, changed_at_ms = ?2, observed_at_ms = ?2 + 30, reason = ?3 WHERE id = 7";
    assert_eq!(conn.execute(set, (to, at, reason)).unwrap(), 1);
}

fn moments(conn: &Connection) -> (i64, Option<i64>, Option<i64>) {
    let sql = "SELECT updated_at_ms, acknowledged_at_ms, resolved_at_ms FROM alerts WHERE id = 7";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    conn.query_row(sql, [], read).unwrap()
}

#[test]
fn history_is_written_when_an_alert_begins_or_changes_state_and_only_then() {
    let (_obs, conn) = with_an_alert();
    change(&conn, "firing", 120, "held");
    conn.execute_batch(
        "UPDATE alerts SET current_value = 3000, notified = 1, observed_at_ms = 200",
    )
    .unwrap();
    change(&conn, "firing", 240, "still");
    change(&conn, "resolved", 300, "condition");
    let told = [
        "- pending 60 90 condition eval 2500.0",
        "pending firing 120 150 held eval 2500.0",
        "firing resolved 300 330 condition eval 3000.0",
    ];
    assert_eq!(history(&conn), told);
    conn.execute_batch("PRAGMA foreign_keys = ON; DELETE FROM alert_rules")
        .unwrap();
    assert_eq!(number(&conn, "SELECT count(*) FROM alerts"), 0);
    assert_eq!(history(&conn), told, "history outlives its rule");
}

#[test]
fn the_moments_of_an_alert_follow_its_state() {
    let (_obs, conn) = with_an_alert();
    change(&conn, "firing", 120, "held");
    assert_eq!(moments(&conn), (150, None, None));
    change(&conn, "acknowledged", 180, "seen");
    assert_eq!(moments(&conn), (210, Some(180), None));
    change(&conn, "resolved", 240, "condition");
    assert_eq!(moments(&conn), (270, Some(180), Some(240)));
    change(&conn, "firing", 300, "again");
    assert_eq!(
        moments(&conn),
        (330, Some(180), None),
        "an open alert is not resolved"
    );
    let open = "SELECT alerts FROM alerts_active_summary WHERE state = 'firing'";
    assert_eq!(number(&conn, open), 1);
}
