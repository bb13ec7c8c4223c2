//! A store as others see it who open the file beside `obs`: through SQL, on the
//! friendly views, read-only. It changes nothing and does not ask the program.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use obs::clock::Stopwatch;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::obs::Obs;

/// Longer than anything here may take; a test that works never waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open view of a store.
pub struct Peek(Connection);

/// All rows of some tables, as text.
pub type Content = BTreeMap<String, Vec<String>>;

impl Peek {
    /// Opens the store of `obs`, which must exist.
    pub fn at(obs: &Obs) -> Peek {
        Peek::try_at(&obs.db()).unwrap()
    }

    /// Opens a store by its path, which must exist.
    pub fn of(path: &Path) -> Peek {
        Peek::try_at(path).unwrap()
    }

    fn try_at(path: &Path) -> rusqlite::Result<Peek> {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.busy_timeout(Duration::from_secs(5))?;
        Ok(Peek(conn))
    }

    /// Events in the store, which may not be there yet.
    pub fn look(obs: &Obs) -> Option<i64> {
        let peek = Peek::try_at(&obs.db()).ok()?;
        let sql = "SELECT count(*) FROM event";
        peek.0.query_row(sql, [], |row| row.get(0)).ok()
    }

    /// The one number a query gives; 0 for NULL.
    #[track_caller]
    pub fn number(&self, sql: &str) -> i64 {
        let number = self
            .0
            .query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        number.unwrap_or_else(|e| panic!("{e}: {sql}")).unwrap_or(0)
    }

    /// The rows a query gives, cells parted by `|`.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let mut stmt = self.0.prepare(sql).unwrap();
        let columns = stmt.column_count();
        let rows = stmt.query_map([], |row| {
            let cells: Vec<String> = (0..columns)
                .map(|i| row.get_ref(i).map(cell))
                .collect::<Result<_, _>>()?;
            Ok(cells.join("|"))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Events that are stored.
    pub fn events(&self) -> i64 {
        self.number("SELECT count(*) FROM event")
    }

    /// Events that were told to be accepted, in transactions that are committed.
    pub fn acknowledged(&self) -> i64 {
        self.number("SELECT sum(accepted) FROM ingest_batch")
    }

    /// Ends the test unless SQLite finds every page and index in order.
    #[track_caller]
    pub fn is_sound(&self) {
        assert_eq!(self.rows("PRAGMA integrity_check"), ["ok"]);
    }

    /// Every table but those that keep a record of the inputs as such.
    pub fn content(&self) -> Content {
        let tables = self.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
             AND name NOT IN ('ingest_batch', 'dead_letter') ORDER BY name",
        );
        let read = |table: String| {
            let rows = self.rows(&format!("SELECT * FROM {table}"));
            (table, rows)
        };
        tables.into_iter().map(read).collect()
    }

    /// Ends the test unless minutes, hours, days and the ledger hold what a direct
    /// aggregation of all raw events gives. Nothing raw may be gone, days must
    /// begin in UTC, and every request must tell its latency.
    #[track_caller]
    pub fn aggregates_equal_raw(&self) {
        for (table, width) in [
            ("metrics_1min", 60_000),
            ("metrics_1hour", 3_600_000),
            ("metrics_1day", 86_400_000),
        ] {
            let direct = format!(
                "SELECT timestamp / {width} * {width} AS at, provider, model, role, {SUMS},
                 min(latency), max(latency), sum(CAST(round(latency * 1000) AS INTEGER)),
                 min(timestamp), max(timestamp)
                 FROM metrics_raw GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
            );
            let kept = format!(
                "SELECT timestamp AS at, provider, model, role, requests, failures, input_tokens, output_tokens,
                 CAST(round(cost_usd * 1e9) AS INTEGER), cache_hits, cache_misses, cache_stores,
                 cache_saved_tokens, rate_limit_allowed, rate_limit_denied,
                 latency_min_ms, latency_max_ms, CAST(round(latency_avg_ms * 1000 * requests) AS INTEGER),
                 first_event, last_event
                 FROM {table} ORDER BY 1, 2, 3, 4"
            );
            assert_same(table, &self.rows(&direct), &self.rows(&kept));
        }
        let direct = format!(
            "SELECT timestamp / 86400000 AS at, provider, model, user_id, project, {SUMS}
             FROM metrics_raw GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
        );
        assert_same("ledger", &self.rows(&direct), &self.rows(LEDGER));
    }
}

const SUMS: &str =
    "sum(metric_type = 'request'), sum(metric_type = 'request' AND NOT success),
 ifnull(sum(input_tokens), 0), ifnull(sum(output_tokens), 0),
 ifnull(sum(CAST(round(cost * 1e9) AS INTEGER)), 0),
 ifnull(sum(cache_event = 'hit'), 0), ifnull(sum(cache_event = 'miss'), 0), ifnull(sum(cache_event = 'store'), 0),
 ifnull(sum(cache_saved_tokens), 0),
 ifnull(sum(rate_limit_event = 'allowed'), 0), ifnull(sum(rate_limit_event = 'denied'), 0)";

const LEDGER: &str = "SELECT day, p.text, m.text, u.text, j.text, requests, failures,
 ifnull(input_uncached, 0) + ifnull(cache_read, 0) + ifnull(cache_write_5m, 0) + ifnull(cache_write_1h, 0),
 ifnull(output, 0) + ifnull(reasoning, 0), ifnull(cost, 0),
 ifnull(cache_hits, 0), ifnull(cache_misses, 0), ifnull(cache_stores, 0), ifnull(cache_saved_tokens, 0),
 ifnull(limit_allowed, 0), ifnull(limit_denied, 0)
 FROM ledger LEFT JOIN name p ON p.id = provider LEFT JOIN name m ON m.id = model
 LEFT JOIN name u ON u.id = user LEFT JOIN name j ON j.id = project ORDER BY 1, 2, 3, 4, 5";

#[track_caller]
fn assert_same(table: &str, direct: &[String], kept: &[String]) {
    let differs = direct.iter().zip(kept).find(|(d, k)| d != k);
    assert!(
        differs.is_none() && direct.len() == kept.len(),
        "{table}: {} rows, expected {}; first difference (expected, got): {differs:?}",
        kept.len(),
        direct.len(),
    );
}

fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(x) => x.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
    }
}

/// Waits until something holds, looking again and again.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = Stopwatch::start();
    while !holds() {
        assert!(waited.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// Waits until the store, which may not be there yet, holds so many events.
#[track_caller]
pub fn until_stored(obs: &Obs, events: i64) {
    until(&format!("{events} events are stored"), || {
        Peek::look(obs).unwrap_or(0) >= events
    });
}
