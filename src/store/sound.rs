//! Whether a store is sound: its pages, and what must hold between its tables.
//!
//! Everything is looked at, so it takes as long as reading the whole file. Whether
//! aggregates are what their events make them is known to the roll-up.

use super::{Store, StoreError, Txn};
use crate::model::Millis;

/// What must hold between tables, and how many rows break it.
///
/// A number that refers to a name or a series that is not there would show an event
/// without its label; a row below its floor is one that no answer counts.
const INVARIANTS: [(&str, &str); 12] = [
    (
        "events refer to a series that is missing",
        "SELECT count(*) AS broken FROM event WHERE series NOT IN (SELECT id FROM series)",
    ),
    (
        "events refer to a user that is missing",
        "SELECT count(*) AS broken FROM event WHERE user <> 0 AND user NOT IN (SELECT id FROM name)",
    ),
    (
        "events refer to a session, key, tool list or metadata that is missing",
        "SELECT count(*) AS broken FROM event
         WHERE ifnull(session, 0) NOT IN (SELECT id FROM name UNION ALL SELECT 0)
         OR ifnull(limit_key, 0) NOT IN (SELECT id FROM name UNION ALL SELECT 0)
         OR ifnull(tools, 0) NOT IN (SELECT id FROM name UNION ALL SELECT 0)
         OR abs(ifnull(id_prefix, 0)) NOT IN (SELECT id FROM name UNION ALL SELECT 0)
         OR (typeof(metadata) = 'integer' AND metadata NOT IN (SELECT id FROM name))",
    ),
    (
        "series refer to a name that is missing",
        "SELECT count(*) AS broken FROM (SELECT provider AS id FROM series UNION SELECT model FROM series
         UNION SELECT role FROM series UNION SELECT project FROM series UNION SELECT endpoint FROM series
         UNION SELECT error_type FROM series UNION SELECT limit_type FROM series)
         WHERE id <> 0 AND id NOT IN (SELECT id FROM name)",
    ),
    (
        "minutes, hours or days refer to a name that is missing",
        "SELECT count(*) AS broken FROM (SELECT provider AS id FROM bucket_1min UNION SELECT model FROM bucket_1min
         UNION SELECT role FROM bucket_1min UNION SELECT provider FROM bucket_1hour
         UNION SELECT model FROM bucket_1hour UNION SELECT role FROM bucket_1hour
         UNION SELECT provider FROM bucket_1day UNION SELECT model FROM bucket_1day
         UNION SELECT role FROM bucket_1day) WHERE id <> 0 AND id NOT IN (SELECT id FROM name)",
    ),
    (
        "the ledger or sessions refer to a name that is missing",
        "SELECT count(*) AS broken FROM (SELECT provider AS id FROM ledger UNION SELECT model FROM ledger
         UNION SELECT user FROM ledger UNION SELECT project FROM ledger
         UNION SELECT session FROM session UNION SELECT provider FROM session UNION SELECT model FROM session
         UNION SELECT user FROM session UNION SELECT project FROM session)
         WHERE id <> 0 AND id NOT IN (SELECT id FROM name)",
    ),
    (
        "events before the raw floor wait for no roll-up",
        "SELECT count(*) AS broken FROM event
         WHERE at_ms < (SELECT value FROM state WHERE key = 'raw_floor_ms')
         AND at_ms - ((at_ms % 60000) + 60000) % 60000 NOT IN (SELECT minute_ms FROM dirty)",
    ),
    (
        "minutes lie before their floor",
        "SELECT count(*) AS broken FROM bucket_1min
         WHERE bucket_ms < (SELECT value FROM state WHERE key = '1min_floor_ms')",
    ),
    (
        "hours lie before their floor",
        "SELECT count(*) AS broken FROM bucket_1hour
         WHERE bucket_ms < (SELECT value FROM state WHERE key = '1hour_floor_ms')",
    ),
    (
        "days lie before their floor",
        "SELECT count(*) AS broken FROM bucket_1day
         WHERE bucket_ms < (SELECT value FROM state WHERE key = '1day_floor_ms')",
    ),
    (
        "buckets do not begin on their grid",
        "SELECT count(*) AS broken FROM (SELECT bucket_ms AS at FROM bucket_1min WHERE bucket_ms % 60000 <> 0
         UNION ALL SELECT bucket_ms FROM bucket_1hour WHERE bucket_ms % 3600000 <> 0
         UNION ALL SELECT bucket_ms FROM bucket_1day WHERE bucket_ms % 86400000 <> 0)",
    ),
    (
        "minutes that wait for a roll-up refer to a transaction to come",
        "SELECT count(*) AS broken FROM dirty WHERE since_batch <> 9223372036854775807
         AND since_batch > (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'ingest_batch')",
    ),
];

const QUICK: &str = "PRAGMA quick_check(100)";
const THOROUGH: &str = "PRAGMA integrity_check(100)";
const REFERENCES: &str = "PRAGMA foreign_key_check";

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// `pages`, `references`, `floors` or `invariants`.
    pub kind: &'static str,
    /// What was found.
    pub what: String,
    /// In how many rows, where rows can be counted.
    pub rows: Option<u64>,
}

/// One look at a store; the pragma says how thorough it is.
type Look = fn(&Txn<'_>, &str) -> Result<Vec<Flaw>, StoreError>;

impl Store {
    /// Looks for everything that is not as it must be; `thorough` also compares every
    /// index with its table. What cannot be read is a flaw, and no error.
    pub fn flaws(&mut self, thorough: bool) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let unreadable = |what: StoreError| Flaw {
            kind: "pages",
            what: match what {
                StoreError::Sql(error) => error.to_string(),
                other => other.to_string(),
            },
            rows: None,
        };
        let pragma = if thorough { THOROUGH } else { QUICK };
        let steps: [Look; 4] = [pages, references, floors, invariants];
        for step in steps {
            match self.read(|txn| step(txn, pragma)) {
                Ok(found) => flaws.extend(found),
                Err(error) => flaws.push(unreadable(error)),
            }
        }
        flaws
    }
}

fn pages(txn: &Txn<'_>, pragma: &str) -> Result<Vec<Flaw>, StoreError> {
    let mut stmt = txn.conn.prepare(pragma)?;
    let told = stmt.query_map([], |r| r.get::<_, String>(0))?;
    let told: Vec<String> = told.collect::<Result<_, _>>()?;
    let flaw = |what| Flaw {
        kind: "pages",
        what,
        rows: None,
    };
    Ok(told.into_iter().filter(|t| t != "ok").map(flaw).collect())
}

fn references(txn: &Txn<'_>, _: &str) -> Result<Vec<Flaw>, StoreError> {
    let mut stmt = txn.conn.prepare(REFERENCES)?;
    let tables = stmt.query_map([], |r| r.get::<_, String>(0))?;
    let mut flaws: Vec<Flaw> = Vec::new();
    for table in tables {
        let what = format!("{} refers to a row that is missing", table?);
        match flaws.iter_mut().find(|flaw| flaw.what == what) {
            Some(flaw) => flaw.rows = flaw.rows.map(|rows| rows + 1),
            None => flaws.push(Flaw {
                kind: "references",
                what,
                rows: Some(1),
            }),
        }
    }
    Ok(flaws)
}

fn floors(txn: &Txn<'_>, _: &str) -> Result<Vec<Flaw>, StoreError> {
    let floors = txn.floors()?;
    let flaw = |what: &str| Flaw {
        kind: "floors",
        what: what.to_owned(),
        rows: None,
    };
    let mut flaws = Vec::new();
    if !(floors.raw >= floors.minute && floors.minute >= floors.hour && floors.hour >= floors.day) {
        flaws.push(flaw("a coarser tier ends before a finer one"));
    }
    for (floor, grid) in [
        (floors.raw, Millis::HOUR),
        (floors.minute, Millis::HOUR),
        (floors.hour, Millis::DAY),
        (floors.day, Millis::DAY),
    ] {
        if floor.0 > i64::MIN && floor.floor(grid) != floor {
            flaws.push(flaw("a floor cuts through a bucket of the next tier"));
        }
    }
    Ok(flaws)
}

fn invariants(txn: &Txn<'_>, _: &str) -> Result<Vec<Flaw>, StoreError> {
    let mut flaws = Vec::new();
    for (what, sql) in INVARIANTS {
        let rows: i64 = txn.conn.query_row(sql, [], |r| r.get(0))?;
        if rows > 0 {
            flaws.push(Flaw {
                kind: "invariants",
                what: what.to_owned(),
                rows: Some(rows as u64),
            });
        }
    }
    Ok(flaws)
}
