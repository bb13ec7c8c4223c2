//! SQLite alone: how long it takes to write rows that are parsed already, as the
//! limit that `obs ingest` is held against.
//!
//!     cargo run --release --example sqlite_alone -- LOAD STORE NEW
//!
//! STORE is what `obs ingest LOAD` made. Its events are read into memory and put
//! back into the order of the lines of LOAD; then the same table is made in the
//! file NEW with the same safety settings, and only the inserts, the commits and
//! the closing of the file are timed. Prints the seconds.
//!
//! It does not use the library: it is a second opinion on the identity of events.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench measures time and tells it"
)]

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, Statement};
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

/// As many rows a transaction as an ingest has.
const ROWS_IN_A_TRANSACTION: usize = 50_000;

/// A row up to its last value, which is how far SQLite writes it.
type Row = Vec<Value>;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, load, store, new] = &args[..] else {
        return Err("usage: sqlite_alone LOAD STORE NEW".into());
    };
    let source = Connection::open(store)?;
    let table: String = source.query_row(
        "SELECT sql FROM sqlite_schema WHERE name = 'event'",
        [],
        |r| r.get(0),
    )?;
    let rows = in_the_order_of_lines(load, read(&source)?)?;

    let target = Connection::open(new)?;
    target.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA cache_size = -8192;",
    )?;
    target.execute_batch(&table)?;
    let started = Instant::now();
    write(&target, &rows)?;
    target.close().map_err(|(_, e)| e)?;
    println!("{}", started.elapsed().as_secs_f64());
    Ok(())
}

/// All events by identity.
fn read(source: &Connection) -> rusqlite::Result<HashMap<(i64, i64), Row>> {
    let mut stmt = source.prepare("SELECT * FROM event")?;
    let columns = stmt.column_count();
    let mut rows = stmt.query([])?;
    let mut events = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut values = (0..columns)
            .map(|i| row.get(i))
            .collect::<Result<Row, _>>()?;
        while values.pop_if(|last| *last == Value::Null).is_some() {}
        events.insert((row.get("at_ms")?, row.get("h")?), values);
    }
    Ok(events)
}

/// What of a line makes its identity.
#[derive(Deserialize)]
struct Line<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: i64,
}

fn in_the_order_of_lines(
    load: &str,
    mut events: HashMap<(i64, i64), Row>,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut ordered = Vec::with_capacity(events.len());
    for line in BufReader::new(File::open(load)?).lines() {
        let line = line?;
        let Line {
            id,
            kind,
            timestamp,
        } = serde_json::from_str(&line)?;
        let h = xxh3_64(format!("{kind}\0{id}").as_bytes()) as i64;
        let row = events.remove(&(timestamp, h));
        ordered.push(row.ok_or_else(|| format!("the store lacks {line}"))?);
    }
    if !events.is_empty() {
        return Err(format!("the store has {} more events than {load}", events.len()).into());
    }
    Ok(ordered)
}

fn write(target: &Connection, rows: &[Row]) -> rusqlite::Result<()> {
    let mut inserts = inserts(target)?;
    for transaction in rows.chunks(ROWS_IN_A_TRANSACTION) {
        target.execute_batch("BEGIN IMMEDIATE")?;
        for row in transaction {
            insert(&mut inserts[row.len() - 1], row)?;
        }
        target.execute_batch("COMMIT")?;
    }
    Ok(())
}

/// A statement for each number of columns from 1, so that no row binds what it lacks.
fn inserts(target: &Connection) -> rusqlite::Result<Vec<Statement<'_>>> {
    let event = target.prepare("SELECT * FROM event")?;
    let names: Vec<&str> = event.column_names().collect();
    (1..=names.len())
        .map(|length| {
            let (into, marks) = (names[..length].join(","), vec!["?"; length].join(","));
            target.prepare(&format!(
                "INSERT OR IGNORE INTO event({into}) VALUES({marks})"
            ))
        })
        .collect()
}

fn insert(insert: &mut Statement<'_>, row: &[Value]) -> rusqlite::Result<()> {
    insert.clear_bindings();
    for (column, value) in (1..).zip(row) {
        if *value != Value::Null {
            insert.raw_bind_parameter(column, value)?;
        }
    }
    insert.raw_execute()?;
    Ok(())
}
