//! Statements that people write themselves, on a connection of their own that can
//! only read: the file is opened read-only, SQLite is told to refuse all but
//! queries, and length, depth, memory and time have bounds.
//!
//! Rows of values come out, one by one. How they are shown is not known here, nor
//! what time it is: the caller says whether a statement may go on.

mod forbidden;
mod functions;
mod lexer;
mod names;

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Rows, Statement};

use super::{Store, StoreError};
use crate::model::Millis;

pub use lexer::{Piece, pieces};
pub use names::{SQL_WORDS, SqlTable};

/// Reads a moment as it is written on the command line, or says what is wrong with it.
pub type ReadMoment = Box<dyn Fn(&str) -> Result<Millis, String> + Send>;

/// What a connection for statements needs from its caller.
pub struct SqlHost {
    /// Asked again and again while a statement runs: whether it may go on.
    pub goes_on: Box<dyn FnMut() -> bool + Send>,
    /// What `obs_ms()` does.
    pub moment: ReadMoment,
}

/// A connection that runs statements of people and cannot write.
///
/// It borrows the store, which is closed after it and then clears away the log.
pub struct SqlReader<'s> {
    conn: Connection,
    denied: Arc<Mutex<Option<String>>>,
    _store: &'s Store,
}

/// A value as SQLite has it.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text; bytes that are not UTF-8 are replaced.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// There is nothing to run.
    #[error("there is no statement")]
    Empty,
    /// There is more than one statement.
    #[error("there is more than one statement")]
    Several,
    /// SQLite cannot read or run it.
    #[error("{message}")]
    Invalid {
        /// What SQLite says.
        message: String,
        /// Where in the statement, in bytes.
        at: Option<usize>,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// It would do something else than read this store.
    #[error("{0} is forbidden: the store is opened read-only")]
    Forbidden(String),
    /// It wants more memory, or a larger value, than it may have.
    #[error("the statement needs too much memory: {0}")]
    TooLarge(String),
    /// The caller did not let it go on.
    #[error("the statement was stopped")]
    Stopped,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

/// SQLite has no bound of its own that a mistake could not reach. The longest value
/// holds a refused line in hexadecimal four times over; a view alone is some hundred
/// instructions. A heap this large sorts a day of raw events, and what it does not
/// hold is sorted in a temporary file.
const BOUNDS: [(Limit, i32); 11] = [
    (Limit::SQLITE_LIMIT_LENGTH, 8 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_COLUMN, 500),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
    (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// `query_only` and `trusted_schema` are the second lock on each door.
const GUARDS: &str =
    "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = FILE;
 PRAGMA cache_size = -8192; PRAGMA hard_heap_limit = 268435456;";

/// Instructions between two questions whether to go on; some hundredths of a millisecond.
const PACE: i32 = 5_000;

impl Store {
    /// Opens a second connection to this store, for statements of people.
    ///
    /// # Errors
    /// When the file cannot be opened a second time.
    pub fn sql(&self, host: SqlHost) -> Result<SqlReader<'_>, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(&self.path, flags)?;
        for (limit, most) in BOUNDS {
            conn.set_limit(limit, most)?;
        }
        conn.execute_batch(GUARDS)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        functions::register(&conn, host.moment)?;
        let denied = Arc::new(Mutex::new(None));
        conn.authorizer(Some(forbidden::guard(Arc::clone(&denied))))?;
        let mut goes_on = host.goes_on;
        conn.progress_handler(PACE, Some(move || !goes_on()))?;
        Ok(SqlReader {
            conn,
            denied,
            _store: self,
        })
    }
}

impl SqlReader<'_> {
    /// Reads one statement, which must be a query.
    ///
    /// # Errors
    /// When it is none, or more than one.
    pub fn prepare(&self, sql: &str) -> Result<SqlQuery<'_>, SqlError> {
        if let Some(at) = sql.find('\0') {
            return Err(invalid("the statement has a NUL byte in it", Some(at)));
        }
        let mut statements = pieces(sql).filter(|piece| !piece.is_blank());
        let sql = statements.next().ok_or(SqlError::Empty)?;
        if statements.next().is_some() {
            return Err(SqlError::Several);
        }
        self.denied().take();
        let prepared = self.conn.prepare(sql.text);
        let statement = prepared.map_err(|e| self.explained(e, sql))?;
        if let Some(name) = statement.parameter_name(1) {
            let message = format!("the statement has the parameter {name}, which has no value");
            return Err(invalid(message, None));
        }
        if statement.parameter_count() > 0 {
            return Err(invalid(
                "the statement has a parameter without a value",
                None,
            ));
        }
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(SqlError::Forbidden("anything but a query".into()));
        }
        Ok(SqlQuery {
            reader: self,
            columns: unique(statement.column_names().map(str::to_owned).collect()),
            statement,
            sql_at: sql.at,
        })
    }

    fn denied(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an error of SQLite means to who wrote the statement.
    fn explained(&self, error: rusqlite::Error, sql: Piece<'_>) -> SqlError {
        let (failed, message, at) = match error {
            rusqlite::Error::SqlInputError {
                error, msg, offset, ..
            } => (error, msg, usize::try_from(offset).ok()),
            rusqlite::Error::SqliteFailure(error, message) => {
                let message = message.unwrap_or_else(|| error.to_string());
                (error, message, None)
            }
            other => return SqlError::Store(other.into()),
        };
        if let Some(what) = self.denied().take() {
            return SqlError::Forbidden(what);
        }
        match failed.code {
            ErrorCode::OperationInterrupted => SqlError::Stopped,
            ErrorCode::ReadOnly => SqlError::Forbidden("writing".into()),
            ErrorCode::OutOfMemory | ErrorCode::TooBig => SqlError::TooLarge(message),
            ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ConstraintViolation => {
                SqlError::Invalid {
                    nearest: self.nearest(&message, sql.text),
                    message,
                    at: at.map(|at| sql.at + at),
                }
            }
            _ => SqlError::Store(rusqlite::Error::SqliteFailure(failed, Some(message)).into()),
        }
    }
}

fn invalid(message: impl Into<String>, at: Option<usize>) -> SqlError {
    SqlError::Invalid {
        message: message.into(),
        at,
        nearest: None,
    }
}

/// The names of an answer's columns, each different from all others.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::with_capacity(names.len());
    for name in &names {
        let mut free = name.clone();
        let mut nth = 2;
        while taken.contains(&free) || (free != *name && names.contains(&free)) {
            free = format!("{name}_{nth}");
            nth += 1;
        }
        taken.push(free);
    }
    taken
}

/// A query that can be run.
pub struct SqlQuery<'r> {
    reader: &'r SqlReader<'r>,
    statement: Statement<'r>,
    columns: Vec<String>,
    sql_at: usize,
}

impl SqlQuery<'_> {
    /// The names of its columns; no two are equal.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Runs it. What is read stays as it is until the rows are dropped.
    pub fn rows(&mut self) -> SqlRows<'_> {
        SqlRows {
            reader: self.reader,
            width: self.columns.len(),
            sql_at: self.sql_at,
            rows: self.statement.raw_query(),
        }
    }
}

/// The rows of an answer, found while they are asked for.
pub struct SqlRows<'q> {
    reader: &'q SqlReader<'q>,
    rows: Rows<'q>,
    width: usize,
    sql_at: usize,
}

impl SqlRows<'_> {
    /// The next row.
    ///
    /// # Errors
    /// When the statement fails, is stopped, or grows too large.
    pub fn next_row(&mut self) -> Result<Option<Vec<SqlValue>>, SqlError> {
        let nowhere = Piece {
            text: "",
            at: self.sql_at,
            ended: true,
        };
        let explained = |error| self.reader.explained(error, nowhere);
        let Some(row) = self.rows.next().map_err(explained)? else {
            return Ok(None);
        };
        let value = |index| row.get_ref(index).map(SqlValue::of).map_err(explained);
        (0..self.width)
            .map(value)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

impl SqlValue {
    fn of(value: ValueRef<'_>) -> SqlValue {
        match value {
            ValueRef::Null => SqlValue::Null,
            ValueRef::Integer(number) => SqlValue::Integer(number),
            ValueRef::Real(number) => SqlValue::Real(number),
            ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
