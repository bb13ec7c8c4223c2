//! Opening a store: birth, schema, safety settings, locks.

use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::copy::with_ending;
use super::{Store, StoreError};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// `obs1`, in SQLite's header, by which the file is told from any other database.
const APPLICATION_ID: i64 = 0x6f62_7331;

/// How often a waiting writer asks again. SQLite's own handler backs off to
/// 100 ms and then loses against a writer that commits without a pause.
const BUSY_POLL: Duration = Duration::from_millis(2);

/// The one busy timeout of this process, in milliseconds.
static BUSY_TIMEOUT_MS: AtomicU32 = AtomicU32::new(5_000);

/// The version of SQLite that is built in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut (`synchronous=FULL`).
    #[default]
    Full,
    /// The end of the process; a power cut may take the last commits (`synchronous=NORMAL`).
    Normal,
}

/// How to open a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What a commit survives.
    pub durability: Durability,
    /// How long to wait for another writer, in milliseconds.
    pub busy_timeout_ms: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            durability: Durability::Full,
            busy_timeout_ms: 5_000,
        }
    }
}

/// A lock that other processes respect; it ends with the value or the process.
pub struct Lock(#[expect(dead_code, reason = "held for its lock, which ends with it")] File);

impl Store {
    /// Opens the store at `path`, and creates it when there is none.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Newer`] and [`StoreError::Damaged`] leave the file untouched.
    pub fn create(path: &Path, options: Options) -> Result<Store, StoreError> {
        if has_content(path)?.is_none() {
            if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(io("create the folder", folder))?;
            }
            let _alone = Lock::wait(path)?;
            if has_content(path)?.is_none() {
                mark(path, options)?;
            }
        }
        Store::open(path, options)
    }

    /// Opens the store at `path`, which must exist, and brings its schema up to date.
    ///
    /// # Errors
    /// As [`Store::create`], and [`StoreError::Missing`].
    pub fn open(path: &Path, options: Options) -> Result<Store, StoreError> {
        let (mut conn, found) = connect_to_named(path, options)?;
        if found < KNOWN_VERSION {
            let _alone = Lock::wait(path)?;
            if version(&conn, path)? < KNOWN_VERSION {
                conn.execute_batch(WRITE_AHEAD)?;
                migrate(&mut conn)?;
            }
        }
        // A copy that somebody put here has no log yet. While others read it, it does without.
        if conn.query_row(JOURNAL_MODE, [], |r| r.get::<_, String>(0))? != "wal" {
            let _ = conn.execute_batch(WRITE_AHEAD);
        }
        Ok(Store {
            conn,
            path: path.to_owned(),
        })
    }

    /// Takes the lock of periodic work on this store; `None` when another process has it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_lock(&self) -> Result<Option<Lock>, StoreError> {
        let (file, path) = lock_file(&self.path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(e)) => Err(io("lock", &path)(e)),
        }
    }
}

impl Lock {
    fn wait(store: &Path) -> Result<Lock, StoreError> {
        let (file, path) = lock_file(store)?;
        file.lock().map_err(io("lock", &path))?;
        Ok(Lock(file))
    }
}

pub(super) fn lock_file(store: &Path) -> Result<(File, PathBuf), StoreError> {
    let path = with_ending(store, ".lock");
    let file = private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(&path)
        .map_err(io("create", &path))?;
    Ok((file, path))
}

/// A connection to the file that has the name now, with its schema. A restore may put
/// another file in its place while this one waits for it.
fn connect_to_named(path: &Path, options: Options) -> Result<(Connection, i64), StoreError> {
    let missing = || StoreError::Missing(path.to_owned());
    let mut before = has_content(path)?.ok_or_else(missing)?;
    loop {
        let conn = connect(path, options)?;
        let found = check_version(&conn, path)?;
        let after = has_content(path)?.ok_or_else(missing)?;
        if same_file(&before, &after) {
            return Ok((conn, found));
        }
        before = after;
    }
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Where an open file cannot be replaced, its name stays its own.
#[cfg(not(unix))]
fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Readable by its owner alone; SQLite gives -wal and -shm the mode of the main file.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

pub(super) fn io<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> StoreError + 'a {
    move |source| StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

/// The file when there is something in it; an empty file is a store not yet born.
pub(super) fn has_content(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => Ok(Some(meta).filter(|meta| meta.len() > 0)),
        Ok(_) => Err(StoreError::NotAStore(path.to_owned())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io("open", path)(e)),
    }
}

/// The first page, which makes an empty file ours (`obs1` is [`APPLICATION_ID`]). It
/// goes in one transaction and without a journal: whoever is killed here leaves an
/// empty file, or one that the next start completes. After the switch to WAL,
/// `auto_vacuum` would silently stay off.
const FIRST_PAGE: &str = "PRAGMA journal_mode = MEMORY; BEGIN; PRAGMA auto_vacuum = INCREMENTAL;
 PRAGMA application_id = 0x6f627331; COMMIT;";
const WRITE_AHEAD: &str = "PRAGMA journal_mode = WAL;";
const JOURNAL_MODE: &str = "PRAGMA journal_mode";

fn mark(path: &Path, options: Options) -> Result<(), StoreError> {
    private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(path)
        .map_err(io("create", path))?;
    Ok(connect(path, options)?.execute_batch(FIRST_PAGE)?)
}

/// `trusted_schema` is off because a store may come from somebody else.
/// 8 MiB of page cache hold the growing ends of all trees at full speed.
const SESSION: &str =
    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192; PRAGMA trusted_schema = OFF;
 PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;";

fn connect(path: &Path, options: Options) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(|e| refusal(e, path))?;
    BUSY_TIMEOUT_MS.store(options.busy_timeout_ms, Ordering::Relaxed);
    conn.busy_handler(Some(wait_for_writer))?;
    conn.execute_batch(SESSION).map_err(|e| refusal(e, path))?;
    conn.pragma_update(
        None,
        "synchronous",
        match options.durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        },
    )?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

#[expect(
    clippy::disallowed_methods,
    reason = "SQLite has no queue for writers; asking again is its protocol"
)]
fn wait_for_writer(attempts: i32) -> bool {
    let waited = BUSY_POLL.as_millis() as u32 * attempts.unsigned_abs();
    let again = waited < BUSY_TIMEOUT_MS.load(Ordering::Relaxed);
    if again {
        std::thread::sleep(BUSY_POLL);
    }
    again
}

/// Whether to ask again after a lock was not to be had so many times; waits a little when so.
pub(super) fn busy_again(attempts: i32, options: Options) -> bool {
    BUSY_TIMEOUT_MS.store(options.busy_timeout_ms, Ordering::Relaxed);
    wait_for_writer(attempts)
}

/// The schema of a store that this program can read.
pub(super) fn check_version(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    match version(conn, path)? {
        found if found > KNOWN_VERSION => Err(StoreError::Newer {
            found,
            known: KNOWN_VERSION,
        }),
        found => Ok(found),
    }
}

impl Store {
    /// Leaves the write lock free for as long as a waiting writer needs to see it:
    /// between transactions that follow each other without a pause, it would starve.
    #[expect(
        clippy::disallowed_methods,
        reason = "SQLite has no queue for writers; a gap lets the one that asks again in"
    )]
    pub fn let_others_write(&self) {
        std::thread::sleep(BUSY_POLL * 2);
    }
}

fn version(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    let id: i64 = conn
        .pragma_query_value(None, "application_id", |r| r.get(0))
        .map_err(|e| refusal(e, path))?;
    if id != APPLICATION_ID {
        return Err(StoreError::NotAStore(path.to_owned()));
    }
    Ok(conn.pragma_query_value(None, "user_version", |r| r.get(0))?)
}

/// What an error at the door says about the file.
pub(super) fn refusal(error: rusqlite::Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::NotAStore(path.to_owned()),
        Some(rusqlite::ErrorCode::CannotOpen) => match File::open(path) {
            Err(reason) => io("open", path)(reason),
            // The file can be read; what cannot be made is the log beside it.
            Ok(_) => StoreError::ReadOnly,
        },
        _ => error.into(),
    }
}

/// The number of the newest file in `migrations/`; each sets it as `user_version`.
pub(super) const KNOWN_VERSION: i64 = 6;

pub(super) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    // Grouped: else a migration and the note that it ran are two transactions, and a
    // disk that fails between them leaves a store that no start can complete.
    embedded::migrations::runner()
        .set_grouped(true)
        .run(conn)
        .map(|_| ())
        .map_err(StoreError::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_migration_is_the_known_version() {
        let newest = embedded::migrations::runner()
            .get_migrations()
            .iter()
            .map(|m| m.version())
            .max();
        assert_eq!(newest.map(|v| v as i64), Some(KNOWN_VERSION));
    }

    #[test]
    fn sqlite_is_new_enough_not_to_corrupt_a_wal_database() {
        assert!(
            rusqlite::version_number() >= 3_051_003,
            "{}",
            rusqlite::version()
        );
    }
}
