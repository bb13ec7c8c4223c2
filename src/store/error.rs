//! What can go wrong with a store, told by what the user can do about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::model::SketchError;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no file.
    #[error("there is no store at {}", .0.display())]
    Missing(PathBuf),
    /// The file is something else.
    #[error("{} is not a store of obs", .0.display())]
    NotAStore(PathBuf),
    /// The file was made by a newer program.
    #[error("the store has schema {found}; this program knows schemas up to {known}")]
    Newer {
        /// The schema of the file.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// The file, or a value in it, is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Another process held the write lock for longer than the busy timeout.
    #[error("the store is busy: another process is writing")]
    Busy,
    /// Another process has the store open, and it must not have.
    #[error("the store is in use by another process")]
    InUse,
    /// The file or its folder may not be written.
    #[error("the store is read-only")]
    ReadOnly,
    /// The disk, or the limit on the file, is full.
    #[error("there is no room for the store to grow")]
    Full,
    /// The system could not read or write the file.
    #[error("the disk failed")]
    Disk(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file could not be created, opened or locked.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: `create`, `lock`, ...
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A setting has a value that means nothing.
    #[error("the setting {key} has the value {value:?}, which means nothing")]
    Setting {
        /// Which setting.
        key: String,
        /// What was found.
        value: String,
    },
    /// Migrations failed.
    #[error("the schema could not be brought up to date")]
    Migration(#[source] Box<refinery::Error>),
    /// Anything else that SQLite said.
    #[error("SQLite failed")]
    Sql(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let Some(code) = error.sqlite_error_code() else {
            return StoreError::Sql(error);
        };
        match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
            ErrorCode::ReadOnly => StoreError::ReadOnly,
            ErrorCode::DiskFull => StoreError::Full,
            ErrorCode::SystemIoFailure => StoreError::Disk(Box::new(error)),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::Damaged(error.to_string())
            }
            _ => StoreError::Sql(error),
        }
    }
}

impl From<refinery::Error> for StoreError {
    /// What the disk did to a migration is the disk's affair, not the migration's.
    fn from(error: refinery::Error) -> StoreError {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(e) = cause {
            let code = e
                .downcast_ref()
                .and_then(rusqlite::Error::sqlite_error_code);
            match code {
                Some(ErrorCode::DiskFull) => return StoreError::Full,
                Some(ErrorCode::SystemIoFailure) => return StoreError::Disk(Box::new(error)),
                Some(_) | None => cause = e.source(),
            }
        }
        StoreError::Migration(Box::new(error))
    }
}

impl From<SketchError> for StoreError {
    fn from(error: SketchError) -> StoreError {
        StoreError::Damaged(error.to_string())
    }
}
