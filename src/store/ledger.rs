//! What bills and budgets read: sums by local day, and by session.
//!
//! The ledger has no distributions. Its sums are raised by what is new and never
//! guessed: the roll-up that adds an event also marks it as seen.

use rusqlite::{Row, Statement, named_params};

use super::columns::{Binder, add_extent, add_sums, bind_sums, sum_columns, sum_parameters};
use super::{LocalDays, NameId, SeriesLabels, Settings, StoreError, Stored, Txn};
use crate::model::{Millis, Stats};

/// By what the ledger is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerKey {
    /// Local date in the store's zone, as days since 1970-01-01.
    pub day: i32,
    /// Who answered.
    pub provider: NameId,
    /// Which model.
    pub model: NameId,
    /// On whose behalf.
    pub user: NameId,
    /// Who pays.
    pub project: NameId,
}

/// By what sessions are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    /// The conversation.
    pub session: NameId,
    /// Who answered.
    pub provider: NameId,
    /// Which model.
    pub model: NameId,
    /// On whose behalf.
    pub user: NameId,
    /// Who pays.
    pub project: NameId,
}

const LEDGER_ONE: &str = concat!(
    "SELECT ",
    sum_columns!(),
    " FROM ledger
     WHERE day = ? AND provider = ? AND model = ? AND user = ? AND project = ?"
);
const LEDGER_PUT: &str = concat!(
    "INSERT OR REPLACE INTO ledger(day, provider, model, user, project, ",
    sum_columns!(),
    ") VALUES(?, ?, ?, ?, ?, ",
    sum_parameters!(),
    ")"
);
const LEDGER_ADD: &str = concat!(
    "INSERT INTO ledger(day, provider, model, user, project, ",
    sum_columns!(),
    ") VALUES(?, ?, ?, ?, ?, ",
    sum_parameters!(),
    ") ON CONFLICT DO NOTHING"
);
const LEDGER_DELETE: &str = "DELETE FROM ledger
 WHERE day = ? AND provider = ? AND model = ? AND user = ? AND project = ?";
const LEDGER_DROP: &str = "DELETE FROM ledger WHERE day >= :from AND day < :until";
const LEDGER_READ: &str = concat!(
    "SELECT day, provider, model, user, project, ",
    sum_columns!(),
    " FROM ledger WHERE day >= :from AND day < :until ORDER BY day, provider, model, user, project"
);
const LEDGER_FIRST: &str = "SELECT min(day) FROM ledger";

const SESSION_ONE: &str = concat!(
    "SELECT first_ms, last_ms, ",
    sum_columns!(),
    " FROM session
     WHERE session = ? AND provider = ? AND model = ? AND user = ? AND project = ?"
);
const SESSION_PUT: &str = concat!(
    "INSERT OR REPLACE INTO session(session, provider, model, user, project, first_ms, last_ms, ",
    sum_columns!(),
    ") VALUES(?, ?, ?, ?, ?, ?, ?, ",
    sum_parameters!(),
    ")"
);
const SESSION_DELETE: &str = "DELETE FROM session
 WHERE session = ? AND provider = ? AND model = ? AND user = ? AND project = ?";
const SESSION_READ: &str = concat!(
    "SELECT session, provider, model, user, project, first_ms, last_ms, ",
    sum_columns!(),
    " FROM session WHERE last_ms >= :from ORDER BY last_ms"
);
/// When raw events of a session begin and end.
const SESSION_EXTENT: &str = "SELECT min(e.at_ms), max(e.at_ms) FROM event e CROSS JOIN series l
 WHERE e.at_ms >= :first AND e.at_ms <= :last AND e.session = :session AND e.user = :user
 AND l.id = e.series AND l.provider = :provider AND l.model = :model AND l.project = :project";
const SESSION_DROP: &str = "DELETE FROM session WHERE last_ms < :until";

impl Txn<'_> {
    /// Adds sums to the ledger.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add_to_ledger(&self, key: &LedgerKey, stats: &Stats) -> Result<(), StoreError> {
        // Most rows are new. What is there is added up here: SQL's sums can overflow.
        if self.put_ledger(LEDGER_ADD, key, stats)? {
            return Ok(());
        }
        let mut sums = self.ledger_row(key)?.unwrap_or_default();
        sums.merge(stats);
        self.put_ledger(LEDGER_PUT, key, &sums).map(|_| ())
    }

    /// Adds sums to a session.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add_to_session(&self, key: &SessionKey, stats: &Stats) -> Result<(), StoreError> {
        let mut sums = self.session_row(key)?.unwrap_or_default();
        sums.merge(stats);
        self.put_session(key, &sums)
    }

    /// Calls `visit` with every row of the ledger between two local days.
    ///
    /// # Errors
    /// What `visit` says, and when the store cannot be read.
    pub fn ledger<E: From<StoreError>>(
        &self,
        days: std::ops::Range<i32>,
        mut visit: impl FnMut(&LedgerKey, &Stats) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = |e: rusqlite::Error| E::from(StoreError::from(e));
        let mut stmt = self.conn.prepare_cached(LEDGER_READ).map_err(sql)?;
        let mut rows = stmt
            .query(named_params! { ":from": days.start, ":until": days.end })
            .map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let [provider, model, user, project] = names(row).map_err(sql)?;
            let day = row.get(0).map_err(sql)?;
            let mut sums = Stats::default();
            add_sums(row, 5, &mut sums)?;
            visit(
                &LedgerKey {
                    day,
                    provider,
                    model,
                    user,
                    project,
                },
                &sums,
            )?;
        }
        Ok(())
    }

    /// Calls `visit` with every session whose last event is at or after `from`.
    ///
    /// # Errors
    /// What `visit` says, and when the store cannot be read.
    pub fn sessions<E: From<StoreError>>(
        &self,
        from: Millis,
        mut visit: impl FnMut(&SessionKey, &Stats) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = |e: rusqlite::Error| E::from(StoreError::from(e));
        let mut stmt = self.conn.prepare_cached(SESSION_READ).map_err(sql)?;
        let mut rows = stmt.query(named_params! { ":from": from.0 }).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let [provider, model, user, project] = names(row).map_err(sql)?;
            let session = NameId(row.get(0).map_err(sql)?);
            let mut sums = Stats::default();
            add_extent(row, 5, &mut sums)?;
            add_sums(row, 7, &mut sums)?;
            visit(
                &SessionKey {
                    session,
                    provider,
                    model,
                    user,
                    project,
                },
                &sums,
            )?;
        }
        Ok(())
    }

    /// The first local day of the ledger.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_ledger_day(&self) -> Result<Option<i32>, StoreError> {
        Ok(self
            .conn
            .prepare_cached(LEDGER_FIRST)?
            .query_row([], |r| r.get(0))?)
    }

    /// Deletes local days from the ledger.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn drop_ledger(&self, days: std::ops::Range<i32>) -> Result<u64, StoreError> {
        let params = named_params! { ":from": days.start, ":until": days.end };
        Ok(self.conn.prepare_cached(LEDGER_DROP)?.execute(params)? as u64)
    }

    /// Deletes one session.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn drop_session(&self, key: &SessionKey) -> Result<(), StoreError> {
        let mut stmt = self.conn.prepare_cached(SESSION_DELETE)?;
        bind_session_key(&mut stmt, key)?;
        stmt.raw_execute()?;
        Ok(())
    }

    /// Deletes sessions whose last event is before `until`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn drop_sessions(&self, until: Millis) -> Result<u64, StoreError> {
        let mut stmt = self.conn.prepare_cached(SESSION_DROP)?;
        Ok(stmt.execute(named_params! { ":until": until.0 })? as u64)
    }

    fn ledger_row(&self, key: &LedgerKey) -> Result<Option<Stats>, StoreError> {
        let mut stmt = self.conn.prepare_cached(LEDGER_ONE)?;
        bind_ledger_key(&mut stmt, key)?;
        let mut rows = stmt.raw_query();
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut sums = Stats::default();
        add_sums(row, 0, &mut sums)?;
        Ok(Some(sums))
    }

    /// Writes a row; says whether it was written.
    fn put_ledger(&self, sql: &str, key: &LedgerKey, sums: &Stats) -> Result<bool, StoreError> {
        let mut stmt = self.conn.prepare_cached(sql)?;
        let next = bind_ledger_key(&mut stmt, key)?;
        bind_sums(
            &mut Binder {
                stmt: &mut stmt,
                next,
            },
            sums,
        )?;
        Ok(stmt.raw_execute()? == 1)
    }

    fn session_row(&self, key: &SessionKey) -> Result<Option<Stats>, StoreError> {
        let mut stmt = self.conn.prepare_cached(SESSION_ONE)?;
        bind_session_key(&mut stmt, key)?;
        let mut rows = stmt.raw_query();
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut sums = Stats::default();
        add_extent(row, 0, &mut sums)?;
        add_sums(row, 2, &mut sums)?;
        Ok(Some(sums))
    }

    fn put_session(&self, key: &SessionKey, sums: &Stats) -> Result<(), StoreError> {
        let mut stmt = self.conn.prepare_cached(SESSION_PUT)?;
        let next = bind_session_key(&mut stmt, key)?;
        let mut binder = Binder {
            stmt: &mut stmt,
            next,
        };
        binder.bind(sums.first.map(|t| t.0))?;
        binder.bind(sums.last.map(|t| t.0))?;
        bind_sums(&mut binder, sums)?;
        stmt.raw_execute()?;
        Ok(())
    }
}

impl Txn<'_> {
    /// Draws in the extent of a session that began or ended with an event which is
    /// gone; what lies before the floor of raw events stays as it is known.
    fn draw_in(&self, key: &SessionKey, sums: &mut Stats, gone: Millis) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (sums.first, sums.last) else {
            return Ok(());
        };
        if gone != first && gone != last {
            return Ok(());
        }
        let floor = self.floors()?.raw;
        let (begins, ends): (Option<i64>, Option<i64>) =
            self.conn.prepare_cached(SESSION_EXTENT)?.query_row(
                named_params! { ":first": first.max(floor).0, ":last": last.0,
                ":session": key.session.0, ":user": key.user.0, ":provider": key.provider.0,
                ":model": key.model.0, ":project": key.project.0 },
                |r| Ok((r.get(0)?, r.get(1)?)),
            )?;
        if first >= floor {
            sums.first = begins.map(Millis).or(sums.first);
        }
        sums.last = ends.map(Millis).or(sums.last);
        Ok(())
    }
}

/// Takes one event, which is no longer among the raw ones, out of the ledger and of
/// its session, because a better version of it will be added at the same time.
pub(super) fn retract(txn: &Txn<'_>, settings: &Settings, old: &Stored) -> Result<(), StoreError> {
    let SeriesLabels {
        provider,
        model,
        project,
        ..
    } = txn.series(old.series)?;
    let (user, session) = (old.user, old.session);
    let mut one = Stats::default();
    one.observe_sums(&old.event, settings.cost_mode);
    let key = LedgerKey {
        day: LocalDays::new(settings.zone).day(old.event.at),
        provider,
        model,
        user,
        project,
    };
    if let Some(mut sums) = txn.ledger_row(&key)? {
        sums.retract(&one);
        if sums.counts_nothing() {
            let mut stmt = txn.conn.prepare_cached(LEDGER_DELETE)?;
            bind_ledger_key(&mut stmt, &key)?;
            stmt.raw_execute()?;
        } else {
            txn.put_ledger(LEDGER_PUT, &key, &sums)?;
        }
    }
    if session == NameId::NONE {
        return Ok(());
    }
    let key = SessionKey {
        session,
        provider,
        model,
        user,
        project,
    };
    let Some(mut sums) = txn.session_row(&key)? else {
        return Ok(());
    };
    sums.retract(&one);
    if sums.counts_nothing() {
        return txn.drop_session(&key);
    }
    txn.draw_in(&key, &mut sums, old.event.at)?;
    txn.put_session(&key, &sums)
}

fn bind_ledger_key(stmt: &mut Statement<'_>, key: &LedgerKey) -> Result<usize, StoreError> {
    let mut binder = Binder::new(stmt);
    binder.bind(key.day)?;
    for name in [key.provider, key.model, key.user, key.project] {
        binder.bind(name.0)?;
    }
    Ok(binder.next)
}

fn bind_session_key(stmt: &mut Statement<'_>, key: &SessionKey) -> Result<usize, StoreError> {
    let mut binder = Binder::new(stmt);
    for name in [key.session, key.provider, key.model, key.user, key.project] {
        binder.bind(name.0)?;
    }
    Ok(binder.next)
}

fn names(row: &Row<'_>) -> rusqlite::Result<[NameId; 4]> {
    let name = |i| row.get(i).map(NameId);
    Ok([name(1)?, name(2)?, name(3)?, name(4)?])
}
