//! Copies of a whole store: taken while others write, checked, and put in its place.
//!
//! A copy is one file, with no log beside it. It is made under another name and
//! renamed when it is whole and on disk, so that whoever is killed leaves the old
//! state or the new one. When copies are made, and how many are kept, is not known here.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempPath;

use super::open::{
    KNOWN_VERSION, busy_again, check_version, has_content, io, lock_file, migrate, refusal,
};
use super::{Options, Store, StoreError};
use crate::model::Millis;

/// The beginning of the name of a copy that is not whole yet.
pub const PART: &str = ".obs-part-";

/// Pages between two looks at whether to go on: 16 MiB.
const PAGES_A_STEP: i32 = 4_096;

const UNLOGGED: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;";
const ONE_FILE: &str = "PRAGMA journal_mode = DELETE";
const ALONE: &str =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT";
const LOGGED: &str = "PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)";
const QUICK: &str = "PRAGMA quick_check(1)";

/// A file that holds a whole store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its size.
    pub bytes: u64,
    /// Its schema.
    pub version: i64,
}

/// What became of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What was restored.
    pub copy: Copied,
    /// Where the store lies that was there before.
    pub kept: Option<PathBuf>,
}

impl Store {
    /// Copies the store as it is at this moment to `to`, while others go on writing;
    /// with `verify` the copy is read again and compared with what was copied.
    /// `go_on` is told pages done and pages in all, and may say no: then nothing is
    /// left and the answer is `None`.
    ///
    /// # Errors
    /// When the store cannot be read, the copy cannot be written, or it is not whole.
    pub fn back_up(
        &mut self,
        to: &Path,
        verify: bool,
        mut go_on: impl FnMut(u64, u64) -> bool,
    ) -> Result<Option<Copied>, StoreError> {
        let part = part_beside(to)?;
        // One read transaction holds one state of the store. Without it the copy
        // would begin anew with every commit of another process.
        let copied = self.read(|txn| {
            txn.last_batch()?;
            let rows = verify.then(|| txn.rows_by_table()).transpose()?;
            Ok::<_, StoreError>(match copy_pages(txn.conn, &part, &mut go_on)? {
                true => Some(rows),
                false => None,
            })
        })?;
        let Some(rows) = copied else {
            return Ok(None);
        };
        sync(&part)?;
        let copied = match &rows {
            Some(rows) => compare(&part, rows)?,
            None => header(&part)?,
        };
        publish(part, to)?;
        Ok(Some(copied))
    }

    /// The size and schema of a file, which is not read any further.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::NotAStore`], [`StoreError::Newer`].
    pub fn header(path: &Path) -> Result<Copied, StoreError> {
        header(path)
    }

    /// Reads a whole file and says whether it is a sound store of this or an older schema.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Newer`], [`StoreError::Damaged`].
    pub fn examine(path: &Path) -> Result<Copied, StoreError> {
        let copied = header(path)?;
        quick_check(&read_only(path)?)?;
        Ok(copied)
    }

    /// Puts a copy in the place of the store at `path`, which is kept aside under a
    /// name with the time. Nobody else may have the store open.
    ///
    /// # Errors
    /// [`StoreError::InUse`]; as [`Store::examine`]; when a file cannot be made.
    pub fn restore(
        from: &Path,
        path: &Path,
        options: Options,
        now: Millis,
    ) -> Result<Restored, StoreError> {
        let copy = Store::examine(from)?;
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(io("create the folder", folder))?;
        }
        let (lock, lock_path) = lock_file(path)?;
        lock.try_lock().map_err(|e| match e {
            fs::TryLockError::WouldBlock => StoreError::InUse,
            fs::TryLockError::Error(e) => io("lock", &lock_path)(e),
        })?;
        let part = part_beside(path)?;
        copy_pages(&read_only(from)?, &part, &mut |_, _| true)?;
        bring_up_to_date(&part, path)?;
        sync(&part)?;
        // Held until the new file is in place: a process that opens the old one
        // waits here, and then finds that another file has its name.
        let alone = match has_content(path)? {
            Some(_) => take_alone(path, options)?,
            None => None,
        };
        let kept = set_aside(path, now)?;
        publish(part, path)?;
        drop(alone);
        Ok(Restored { copy, kept })
    }
}

/// A new private file in the folder of `path`; it is removed unless it is published.
fn part_beside(path: &Path) -> Result<TempPath, StoreError> {
    let folder = folder_of(path);
    let part = tempfile::Builder::new().prefix(PART).tempfile_in(folder);
    Ok(part
        .map_err(io("write into the folder", folder))?
        .into_temp_path())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Copies all pages of one state into an empty file; false when it was told to stop.
fn copy_pages(
    from: &Connection,
    to: &Path,
    go_on: &mut impl FnMut(u64, u64) -> bool,
) -> Result<bool, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    target.execute_batch(UNLOGGED)?;
    let backup = Backup::new(from, &mut target)?;
    loop {
        let result = backup.step(PAGES_A_STEP)?;
        let progress = backup.progress();
        let total = progress.pagecount as u64;
        if !go_on(total - progress.remaining as u64, total) {
            return Ok(false);
        }
        match result {
            StepResult::Done => break,
            StepResult::More => {}
            // Busy or locked, and whatever a later version may say.
            _ => return Err(StoreError::Busy),
        }
    }
    drop(backup);
    let mode: String = target.query_row(ONE_FILE, [], |r| r.get(0))?;
    match mode.as_str() {
        "delete" => Ok(true),
        other => Err(StoreError::Damaged(format!(
            "the copy stays in {other} mode"
        ))),
    }
}

/// Gives a copy the schema of this program and a log of its own.
fn bring_up_to_date(part: &Path, path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(part, flags)?;
    if check_version(&conn, path)? < KNOWN_VERSION {
        migrate(&mut conn)?;
    }
    Ok(conn.execute_batch(LOGGED)?)
}

fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|e| refusal(e, path))
}

fn header(path: &Path) -> Result<Copied, StoreError> {
    let Some(meta) = has_content(path)? else {
        return Err(StoreError::Missing(path.to_owned()));
    };
    Ok(Copied {
        bytes: meta.len(),
        version: check_version(&read_only(path)?, path)?,
    })
}

fn quick_check(conn: &Connection) -> Result<(), StoreError> {
    let found: String = conn.query_row(QUICK, [], |r| r.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        found => Err(StoreError::Damaged(found.to_owned())),
    }
}

/// Reads the copy and compares it with what the store held when it was copied.
fn compare(part: &Path, rows: &[u64]) -> Result<Copied, StoreError> {
    let copied = Store::examine(part)?;
    let conn = read_only(part)?;
    let holds = super::Txn { conn: &conn }.rows_by_table()?;
    match holds == rows {
        true => Ok(copied),
        false => Err(StoreError::Damaged("the copy holds other rows".to_owned())),
    }
}

fn sync(path: &Path) -> Result<(), StoreError> {
    let done = File::open(path).and_then(|file| file.sync_all());
    done.map_err(io("write", path))
}

/// Gives a whole file its name; what had the name before is gone at the same moment.
fn publish(part: TempPath, to: &Path) -> Result<(), StoreError> {
    part.persist(to).map_err(|e| io("create", to)(e.error))?;
    sync_folder(to)
}

/// A rename is on disk when its folder is.
fn sync_folder(of: &Path) -> Result<(), StoreError> {
    match cfg!(unix) {
        true => sync(folder_of(of)),
        false => Ok(()),
    }
}

/// Takes the old store for itself alone, with its log worked in. `None` when it is
/// too damaged for that; then nobody else can use it either.
fn take_alone(path: &Path, options: Options) -> Result<Option<Connection>, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    for attempt in 0.. {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(Duration::ZERO)?;
        match conn.execute_batch(ALONE).map_err(StoreError::from) {
            Ok(()) => return Ok(Some(conn)),
            Err(StoreError::Busy) if busy_again(attempt, options) => {}
            Err(StoreError::Busy) => break,
            Err(StoreError::Damaged(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::InUse)
}

/// Gives the old store a second name with the time in it, and takes its log away
/// when it could not be worked in: it must never be read into another file.
fn set_aside(path: &Path, now: Millis) -> Result<Option<PathBuf>, StoreError> {
    if has_content(path)?.is_none() {
        return Ok(None);
    }
    let time: String = now.to_string().chars().filter(|c| *c != ':').collect();
    let time = time.split('.').next().unwrap_or_default();
    for nth in 0.. {
        let aside = match nth {
            0 => with_ending(path, &format!(".before-{time}")),
            nth => with_ending(path, &format!(".before-{time}-{nth}")),
        };
        match fs::hard_link(path, &aside) {
            Ok(()) => {
                for log in ["-wal", "-shm", "-journal"] {
                    match fs::rename(with_ending(path, log), with_ending(&aside, log)) {
                        Err(e) if e.kind() != ErrorKind::NotFound => {
                            return Err(io("set aside", path)(e));
                        }
                        _ => {}
                    }
                }
                return Ok(Some(aside));
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(io("set aside", path)(e)),
        }
    }
    Ok(None)
}

/// The path with something behind its name: `obs.db-wal`.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
