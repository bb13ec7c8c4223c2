//! How a store is doing: what can be asked of a large one in a moment.

use rusqlite::named_params;

use super::inventory::FileFacts;
use super::{Store, StoreError, Txn};
use crate::model::{Millis, Span};

/// How a store is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Vitals {
    /// What SQLite says of the file.
    pub file: FileFacts,
    /// When the store was first used.
    pub birth: Option<Millis>,
    /// When `obs run` last did all its work.
    pub last_run: Option<Millis>,
    /// Minutes that wait for a roll-up.
    pub waiting_minutes: u64,
    /// When the first event came in that waits for a roll-up.
    pub waiting_since: Option<Millis>,
    /// The time of the last event.
    pub last_event: Option<Millis>,
    /// When the last transaction of an ingest was.
    pub last_batch: Option<Millis>,
    /// What came in during the last day.
    pub traffic: Traffic,
    /// Lines that were refused during the last day.
    pub letters: Letters,
    /// Models whose requests had no cost during the last week, most requests first.
    pub unpriced: Vec<Unpriced>,
    /// Requests of the last week.
    pub week_requests: u64,
}

/// What came in during a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Events that were new.
    pub accepted: u64,
    /// Lines of any kind.
    pub lines: u64,
}

/// Lines that were refused during a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// How many.
    pub count: u64,
    /// When the last one was refused.
    pub newest: Option<Millis>,
    /// The reason most of them have.
    pub main_reason: Option<String>,
}

/// A model whose requests have no cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpriced {
    /// The model; `None` when the requests did not say.
    pub model: Option<String>,
    /// How many requests.
    pub requests: u64,
}

/// Models that are named.
const MODELS: usize = 3;

const WAITING: &str = "SELECT count(*) AS waiting, min(since_batch) FROM dirty";
const BATCH_TIME: &str = "SELECT at_ms FROM ingest_batch WHERE id = :id";
const LAST_BATCH: &str = "SELECT max(at_ms) FROM ingest_batch";
const TRAFFIC: &str =
    "SELECT ifnull(sum(accepted), 0), ifnull(sum(accepted + updated + duplicate + rejected), 0)
 FROM ingest_batch WHERE at_ms >= :from AND at_ms < :until";
const LETTERS: &str =
    "SELECT count(*), max(at_ms) FROM dead_letter WHERE at_ms >= :from AND at_ms < :until";
const MAIN_REASON: &str = "SELECT code FROM dead_letter WHERE at_ms >= :from AND at_ms < :until
 GROUP BY code ORDER BY count(*) DESC, code LIMIT 1";
const UNPRICED: &str =
    "SELECT n.text AS model, sum(l.unpriced) AS missing, sum(l.requests) AS requests
 FROM ledger l LEFT JOIN name n ON n.id = l.model WHERE l.day >= :from
 GROUP BY l.model ORDER BY missing DESC, model";

impl Store {
    /// How the store is doing at `now`. It reads indexes and the days of a week, so a
    /// large store takes no longer than a small one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn vitals(&mut self, now: Millis) -> Result<Vitals, StoreError> {
        let file = self.file_facts()?;
        self.read(|txn| {
            let day = Span::new(now.plus(-Millis::DAY), Millis(i64::MAX));
            let (waiting_minutes, waiting_since) = txn.waiting()?;
            let (unpriced, week_requests) = txn.unpriced(now)?;
            Ok(Vitals {
                file,
                birth: txn.birth()?,
                last_run: txn.last_run()?,
                waiting_minutes,
                waiting_since,
                last_event: txn.last_event()?,
                last_batch: txn.last_batch_time()?,
                traffic: txn.traffic(day)?,
                letters: txn.letters_by_reason(day)?,
                unpriced,
                week_requests,
            })
        })
    }
}

impl Txn<'_> {
    fn waiting(&self) -> Result<(u64, Option<Millis>), StoreError> {
        let (minutes, batch): (i64, Option<i64>) = self
            .conn
            .prepare_cached(WAITING)?
            .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        let mut stmt = self.conn.prepare_cached(BATCH_TIME)?;
        let mut rows = stmt.query(named_params! { ":id": batch })?;
        let at = rows.next()?.map(|r| r.get(0).map(Millis)).transpose()?;
        Ok((minutes as u64, at))
    }

    fn last_batch_time(&self) -> Result<Option<Millis>, StoreError> {
        let at: Option<i64> = self
            .conn
            .prepare_cached(LAST_BATCH)?
            .query_row([], |r| r.get(0))?;
        Ok(at.map(Millis))
    }

    fn traffic(&self, span: Span) -> Result<Traffic, StoreError> {
        let params = named_params! { ":from": span.from.0, ":until": span.until.0 };
        let mut stmt = self.conn.prepare_cached(TRAFFIC)?;
        Ok(stmt.query_row(params, |r| {
            Ok(Traffic {
                accepted: r.get::<_, i64>(0)? as u64,
                lines: r.get::<_, i64>(1)? as u64,
            })
        })?)
    }

    fn letters_by_reason(&self, span: Span) -> Result<Letters, StoreError> {
        let params = named_params! { ":from": span.from.0, ":until": span.until.0 };
        let (count, newest): (i64, Option<i64>) = self
            .conn
            .prepare_cached(LETTERS)?
            .query_row(params, |r| Ok((r.get(0)?, r.get(1)?)))?;
        let mut stmt = self.conn.prepare_cached(MAIN_REASON)?;
        let mut rows = stmt.query(params)?;
        Ok(Letters {
            count: count as u64,
            newest: newest.map(Millis),
            main_reason: rows.next()?.map(|r| r.get(0)).transpose()?,
        })
    }

    fn unpriced(&self, now: Millis) -> Result<(Vec<Unpriced>, u64), StoreError> {
        let mut stmt = self.conn.prepare_cached(UNPRICED)?;
        let from = now.0.div_euclid(Millis::DAY) - 7;
        let mut rows = stmt.query(named_params! { ":from": from })?;
        let (mut models, mut all) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let missing: Option<i64> = row.get("missing")?;
            all += row.get::<_, i64>("requests")? as u64;
            match missing {
                Some(missing @ 1..) if models.len() < MODELS => models.push(Unpriced {
                    model: row.get("model")?,
                    requests: missing as u64,
                }),
                _ => {}
            }
        }
        Ok((models, all))
    }
}
