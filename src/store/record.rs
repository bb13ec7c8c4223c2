//! Raw events as a whole, with all their texts, from one place in the order of
//! `(at_ms, h)` on. A page far down costs what the first one costs.
//!
//! Which events are wanted is not known here: who reads decides by what is cheap
//! to know ([`Stored`]) and asks for the rest of those alone.

use std::borrow::Cow;
use std::ops::ControlFlow;

use rusqlite::types::ValueRef;
use rusqlite::{Row as SqlRow, named_params};
use rustc_hash::FxHashMap;

use super::event::stored_columns;
use super::{NameId, SeriesId, SeriesLabels, StoreError, Stored, Txn};
use crate::model::{Event, EventRef, Labels, Millis};

/// Names and batches remembered while events are read; then they are asked for anew.
const REMEMBERED: usize = 20_000;

macro_rules! record_columns {
    () => {
        concat!(
            stored_columns!(),
            ", h, metadata, id_prefix, id, error_message, request_id,
             limit_remaining, limit_max, limit_reset_ms, limit_key, tools"
        )
    };
}
/// Where the columns after `stored_columns!` begin.
const WHOLE_AT: usize = 24;

const OLDER: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM event WHERE (at_ms, h) < (:at, :h) AND at_ms >= :bound ORDER BY at_ms DESC, h DESC"
);
const NEWER: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM event WHERE (at_ms, h) > (:at, :h) AND at_ms < :bound ORDER BY at_ms, h"
);
const FROM_HERE: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM event WHERE (at_ms, h) >= (:at, :h) AND at_ms <= :bound ORDER BY at_ms, h"
);
const STORED_AT: &str = "SELECT at_ms FROM ingest_batch WHERE id = :id";
const WHERE_IS: &str = "SELECT at_ms, h FROM event
 WHERE at_ms >= :from AND at_ms < :until AND h IN (:a, :b, :c) ORDER BY at_ms DESC LIMIT :most";

/// In which order events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// All that the store knows of one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What was sent.
    pub event: Event<'static>,
    /// Its identity, with its time.
    pub name: EventRef,
    /// When it was stored; `None` when that is not known any more.
    pub stored_at: Option<Millis>,
}

/// An event on its way out.
pub struct Found<'r> {
    /// What is cheap to know of it.
    pub stored: &'r Stored,
    row: &'r SqlRow<'r>,
    txn: &'r Txn<'r>,
    memory: &'r mut Memory,
}

/// Texts and times that were asked for.
#[derive(Default)]
struct Memory {
    names: FxHashMap<i64, Option<String>>,
    series: FxHashMap<SeriesId, SeriesLabels>,
    batches: FxHashMap<i64, Option<Millis>>,
}

impl Txn<'_> {
    /// Calls `visit` with events after (below, when descending) `start`, which is not
    /// one of them, until it has enough. They lie at or after `bound` when
    /// descending, and before it when ascending.
    ///
    /// # Errors
    /// What `visit` says, and when the store cannot be read.
    pub fn records<E: From<StoreError>>(
        &self,
        order: Order,
        start: EventRef,
        bound: Millis,
        visit: impl FnMut(&mut Found<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        match order {
            Order::Ascending => self.visit_records(NEWER, start, bound, visit),
            Order::Descending => self.visit_records(OLDER, start, bound, visit),
        }
    }

    /// The events between two references, both included, oldest first; `most` at most.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn records_between(
        &self,
        first: EventRef,
        last: EventRef,
        most: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let mut found = Vec::new();
        self.visit_records(FROM_HERE, first, last.at, |each| {
            let name = each.name()?;
            if name > last || found.len() >= most {
                return Ok(ControlFlow::Break(()));
            }
            found.push(each.record()?);
            Ok::<_, StoreError>(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Where events with one of these identities lie, latest first, `most` at most.
    /// This reads the keys from `from` until `until`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn events_with(
        &self,
        identities: [i64; 3],
        from: Millis,
        until: Millis,
        most: usize,
    ) -> Result<Vec<EventRef>, StoreError> {
        let [a, b, c] = identities;
        let mut stmt = self.conn.prepare_cached(WHERE_IS)?;
        let params = named_params! { ":from": from.0, ":until": until.0, ":a": a, ":b": b, ":c": c, ":most": most as i64 };
        let rows = stmt.query_map(params, |row| {
            Ok(EventRef {
                at: Millis(row.get("at_ms")?),
                h: row.get("h")?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn visit_records<E: From<StoreError>>(
        &self,
        sql: &str,
        start: EventRef,
        bound: Millis,
        mut visit: impl FnMut(&mut Found<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let failed = |e: rusqlite::Error| E::from(StoreError::from(e));
        let mut stmt = self.conn.prepare_cached(sql).map_err(failed)?;
        let params = named_params! { ":at": start.at.0, ":h": start.h, ":bound": bound.0 };
        let mut rows = stmt.query(params).map_err(failed)?;
        let mut stored = Stored::blank();
        let mut memory = Memory::default();
        while let Some(row) = rows.next().map_err(failed)? {
            stored.read(row)?;
            let mut found = Found {
                stored: &stored,
                row,
                txn: self,
                memory: &mut memory,
            };
            if visit(&mut found)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Memory {
    fn name(&mut self, txn: &Txn<'_>, id: NameId) -> Result<Option<String>, StoreError> {
        if let Some(text) = self.names.get(&id.0) {
            return Ok(text.clone());
        }
        if self.names.len() >= REMEMBERED {
            self.names.clear();
        }
        let text = txn.name(id)?;
        self.names.insert(id.0, text.clone());
        Ok(text)
    }

    /// There are few series; all of them may be remembered.
    fn series(&mut self, txn: &Txn<'_>, id: SeriesId) -> Result<SeriesLabels, StoreError> {
        if let Some(labels) = self.series.get(&id) {
            return Ok(*labels);
        }
        let labels = txn.series(id)?;
        self.series.insert(id, labels);
        Ok(labels)
    }

    fn stored_at(&mut self, txn: &Txn<'_>, batch: i64) -> Result<Option<Millis>, StoreError> {
        if let Some(at) = self.batches.get(&batch) {
            return Ok(*at);
        }
        if self.batches.len() >= REMEMBERED {
            self.batches.clear();
        }
        let mut stmt = txn.conn.prepare_cached(STORED_AT)?;
        let mut rows = stmt.query(named_params! { ":id": batch })?;
        let at = rows.next()?.map(|r| r.get(0).map(Millis)).transpose()?;
        self.batches.insert(batch, at);
        Ok(at)
    }
}

impl Found<'_> {
    /// Its reference.
    ///
    /// # Errors
    /// When the row is not what was written.
    pub fn name(&self) -> Result<EventRef, StoreError> {
        Ok(EventRef {
            at: self.stored.event.at,
            h: self.row.get(WHOLE_AT)?,
        })
    }

    /// What it carries beside its fields, as one JSON object.
    ///
    /// # Errors
    /// When the row is not what was written.
    pub fn metadata(&mut self) -> Result<Option<String>, StoreError> {
        match self.row.get_ref(WHOLE_AT + 1)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(id) => self.memory.name(self.txn, NameId(id)),
            ValueRef::Text(_) => Ok(self.row.get(WHOLE_AT + 1)?),
            ValueRef::Real(_) | ValueRef::Blob(_) => Err(damaged("metadata")),
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// When the row is not what was written.
    pub fn record(&mut self) -> Result<Record, StoreError> {
        let (txn, row, stored) = (self.txn, self.row, self.stored);
        let labels = self.memory.series(txn, stored.series)?;
        let number = |nth: usize| row.get::<_, Option<i64>>(WHOLE_AT + nth);
        let text = |nth: usize| row.get::<_, Option<String>>(WHOLE_AT + nth);
        let mut named =
            |id: NameId| Ok::<_, StoreError>(self.memory.name(txn, id)?.map(Cow::Owned));
        let mut event: Event<'static> = Event {
            labels: Labels {
                provider: named(labels.provider)?,
                model: named(labels.model)?,
                role: named(labels.role)?,
                project: named(labels.project)?,
                endpoint: named(labels.endpoint)?,
                error_type: named(labels.error_type)?,
                limit_type: named(labels.limit_type)?,
                status_code: labels.status_code,
            },
            user: named(stored.user)?,
            session: named(stored.session)?,
            limit_key: named(NameId(number(9)?.unwrap_or(0)))?,
            tools: named(NameId(number(10)?.unwrap_or(0)))?,
            error_message: text(4)?.map(Into::into),
            request_id: text(5)?.map(Into::into),
            limit_remaining: number(6)?,
            limit_max: number(7)?,
            limit_reset: number(8)?.map(Millis),
            ..stored.event.clone()
        };
        event.id = self.id()?.map(Into::into);
        event.metadata = self.metadata()?.map(Into::into);
        Ok(Record {
            event,
            name: self.name()?,
            stored_at: self.memory.stored_at(txn, stored.batch)?,
        })
    }

    /// The sender's id, put together again.
    fn id(&mut self) -> Result<Option<String>, StoreError> {
        let digits = match self.row.get_ref(WHOLE_AT + 3)? {
            ValueRef::Null => return Ok(None),
            ValueRef::Text(_) => return Ok(self.row.get(WHOLE_AT + 3)?),
            ValueRef::Blob(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect::<String>(),
            ValueRef::Integer(_) | ValueRef::Real(_) => return Err(damaged("id")),
        };
        let prefix: i64 = self.row.get(WHOLE_AT + 2)?;
        let id = self.memory.name(self.txn, NameId(prefix.abs()))?;
        let mut id = id.unwrap_or_default();
        if prefix >= 0 {
            return Ok(Some(id + &digits));
        }
        for (nth, digit) in digits.char_indices() {
            if [8, 12, 16, 20].contains(&nth) {
                id.push('-');
            }
            id.push(digit);
        }
        Ok(Some(id))
    }
}

fn damaged(column: &'static str) -> StoreError {
    StoreError::Damaged(format!("the {column} of an event has a type of its own"))
}
