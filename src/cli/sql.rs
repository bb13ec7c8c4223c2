//! SQL of one's own: `obs query --sql` for one statement, `obs sql` for many.
//!
//! A statement is handed to the store as it is, and its rows are written while they
//! are found. What may be asked is the store's affair.

mod prompt;
mod shell;
mod told;

use std::fs::File;
use std::io::Read;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ingest::signals::Signals;
use super::time::{Side, parse_time};
use crate::clock::Stopwatch;
use crate::model::parse_duration;
use crate::render::{Answer, Cell, Column, Pieces, human};
use crate::store::{SqlError, SqlHost, SqlReader, SqlRows, SqlValue, Store};

pub(super) use shell::{Args, run};

/// Rows of a table when nobody says how many.
const ROWS_OF_A_TABLE: usize = 1_000;
/// Rows that are written together. Up to the first of them stdout stays empty, so
/// that most errors come alone.
const BATCH: usize = 1_000;
/// A batch of long rows ends sooner: bytes.
const BATCH_BYTES: usize = 1 << 20;
/// Bytes that a table may have, which is kept in memory to fit its columns.
const TABLE_BYTES: usize = 64 << 20;
/// Longest statement that is read from a file or a pipe. SQLite's own limit is lower.
const LONGEST: u64 = 1 << 20;

/// How much a statement may take.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Bounds {
    /// With SQL: at most this many rows; 0 means all [default: 1000 for a table, else all]
    #[arg(long, value_name = "N", help_heading = "Output")]
    limit: Option<usize>,
    /// With SQL: stop a statement that takes longer [default: 30s]
    #[arg(long, value_name = "DURATION", help_heading = "Output")]
    timeout: Option<String>,
}

impl Bounds {
    /// Whether any was given.
    pub fn are_given(&self) -> bool {
        self.limit.is_some() || self.timeout.is_some()
    }

    fn timeout(&self) -> Result<Duration, Failure> {
        let ms = parse_duration(self.timeout.as_deref().unwrap_or("30s"))?;
        Ok(Duration::from_millis(ms.unsigned_abs()))
    }

    fn rows(&self, ctx: &Context<'_>) -> usize {
        match self.limit {
            Some(0) => usize::MAX,
            Some(limit) => limit,
            None if ctx.wants_table() => ROWS_OF_A_TABLE,
            None => usize::MAX,
        }
    }
}

/// `obs query --sql`: answers one statement. `-` stands for stdin, `@FILE` for a file.
pub(super) fn answer(ctx: &mut Context<'_>, told: &str, bounds: &Bounds) -> Result<(), Failure> {
    let (name, text) = statement(ctx, told)?;
    let patience = Patience::watch(bounds.timeout()?)?;
    let store = ctx.open_store()?;
    let reader = reader(ctx, &store, &patience)?;
    run_one(ctx, &reader, &patience, bounds, &text).map_err(|failure| match failure {
        Ended::Refused(error) => told::failure(error, &name, &text, &patience),
        Ended::Failed(failure) => failure,
    })
}

/// The statement and the name of where it stands.
fn statement(ctx: &mut Context<'_>, told: &str) -> Result<(String, String), Failure> {
    let unreadable = |name: &str, error: &std::io::Error| {
        let message = format!("cannot read the statement from {name}");
        Failure::new(Kind::Failed, "input_unreadable", message).caused_by(Some(error))
    };
    let (name, mut input): (&str, Box<dyn Read + '_>) = match told.strip_prefix('@') {
        None if told != "-" => return Ok(("statement".into(), told.to_owned())),
        None => ("stdin", Box::new(&mut ctx.stdin)),
        Some(path) => {
            let file = File::open(path).map_err(|e| unreadable(path, &e))?;
            (path, Box::new(file))
        }
    };
    let mut bytes = Vec::new();
    let read = input.by_ref().take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|e| unreadable(name, &e))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::usage("sql_invalid", "the statement is too long").at(name));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage("sql_invalid", "the statement is not UTF-8").at(name))?;
    Ok((name.to_owned(), text))
}

/// Who ends a statement: a signal, or the time that it may take.
struct Patience {
    stop: Arc<AtomicBool>,
    since: Arc<Mutex<Stopwatch>>,
    timeout: Duration,
    signals: Signals,
}

impl Patience {
    /// Listens for signals. The second Ctrl-C ends the program at once, for the few
    /// functions of SQLite that do not let themselves be asked.
    fn watch(timeout: Duration) -> Result<Patience, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        flag::register_conditional_default(SIGINT, Arc::clone(&stop)).map_err(|e| {
            Failure::new(Kind::Failed, "signals", "cannot listen for signals").caused_by(Some(&e))
        })?;
        let signals = Signals::watch(&stop)?;
        signals.listen(false);
        Ok(Patience {
            signals,
            stop,
            since: Arc::new(Mutex::new(Stopwatch::start())),
            timeout,
        })
    }

    /// A new statement begins; it is over with the value that is returned.
    fn begin(&self) -> Listening<'_> {
        self.stop.store(false, Ordering::Relaxed);
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Stopwatch::start();
        self.signals.listen(true);
        Listening(&self.signals)
    }

    fn was_interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn goes_on(&self) -> Box<dyn FnMut() -> bool + Send> {
        let (stop, since) = (Arc::clone(&self.stop), Arc::clone(&self.since));
        let timeout = self.timeout;
        Box::new(move || {
            let since = since.lock().unwrap_or_else(PoisonError::into_inner);
            !stop.load(Ordering::Relaxed) && since.elapsed() < timeout
        })
    }
}

/// A statement runs; between two of them a signal ends the program as ever.
struct Listening<'a>(&'a Signals);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.listen(false);
    }
}

fn reader<'s>(
    ctx: &Context<'_>,
    store: &'s Store,
    patience: &Patience,
) -> Result<SqlReader<'s>, Failure> {
    let frame = ctx.frame();
    let moment = move |text: &str| {
        let parsed = parse_time(text, Side::Since, &frame);
        parsed.map(|parsed| parsed.at).map_err(|e| e.to_string())
    };
    Ok(store.sql(SqlHost {
        goes_on: patience.goes_on(),
        moment: Box::new(moment),
    })?)
}

/// How a statement ended that was not answered in full.
enum Ended {
    Refused(SqlError),
    Failed(Failure),
}

impl From<SqlError> for Ended {
    fn from(error: SqlError) -> Ended {
        Ended::Refused(error)
    }
}

impl<E: Into<Failure>> From<E> for Ended {
    fn from(error: E) -> Ended {
        Ended::Failed(error.into())
    }
}

/// Answers one statement.
fn run_one(
    ctx: &mut Context<'_>,
    reader: &SqlReader<'_>,
    patience: &Patience,
    bounds: &Bounds,
    text: &str,
) -> Result<(), Ended> {
    let _listening = patience.begin();
    let mut query = reader.prepare(text)?;
    let column = |name: &String| Column::new(name.clone(), name.clone());
    let columns = query.columns().iter().map(column).collect();
    let limit = bounds.rows(ctx);
    let style = ctx.style();
    let mut pieces = Pieces::of(ctx.stdout, Answer::new("obs.sql/v1", columns), &style)?;
    let cut = pour(&mut query.rows(), &mut pieces, limit)?;
    drop(query);
    pieces.end(Vec::new())?;
    if cut {
        let shown = human::count(limit as u64);
        let remark = format!("{shown} rows, and there are more; use --limit 0 for all");
        if bounds.limit.is_some() || ctx.environment.stdout_is_terminal {
            ctx.notice(remark);
        } else {
            ctx.warn(remark);
        }
    }
    Ok(())
}

/// Writes the rows, at most so many; tells whether there were more.
fn pour(rows: &mut SqlRows<'_>, pieces: &mut Pieces<'_>, limit: usize) -> Result<bool, Ended> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut left = limit;
    while let Some(row) = rows.next_row()? {
        if left == 0 {
            pieces.push(batch)?;
            return Ok(true);
        }
        left -= 1;
        bytes += row.iter().map(size).sum::<usize>();
        batch.push(row.into_iter().map(cell).collect());
        if pieces.keeps_rows() {
            if bytes > TABLE_BYTES {
                return Err(too_large_for_a_table().into());
            }
        } else if batch.len() == BATCH || bytes >= BATCH_BYTES {
            pieces.push(mem::take(&mut batch))?;
            bytes = 0;
        }
    }
    pieces.push(batch)?;
    Ok(false)
}

fn too_large_for_a_table() -> Failure {
    let message = "the answer is too large for a table";
    Failure::new(Kind::Failed, "sql_too_large", message)
        .hint("ask for fewer columns or rows, or take -o csv or -o jsonl")
}

/// About the bytes that a value takes in memory.
fn size(value: &SqlValue) -> usize {
    mem::size_of::<Cell>()
        + match value {
            SqlValue::Null | SqlValue::Integer(_) | SqlValue::Real(_) => 0,
            SqlValue::Text(text) => text.len(),
            SqlValue::Blob(bytes) => 2 * bytes.len(),
        }
}

fn cell(value: SqlValue) -> Cell {
    match value {
        SqlValue::Null => Cell::Missing,
        SqlValue::Integer(number) => Cell::Int(number.into()),
        SqlValue::Real(number) => Cell::Float(number),
        SqlValue::Text(text) => Cell::Text(text),
        SqlValue::Blob(bytes) => Cell::Text(hex(&bytes)),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let pairs = bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]);
    pairs.collect()
}
