//! The raw table: writing packs of events, reading them back in the order of time.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Row as SqlRow, Statement, named_params};
use rustc_hash::FxHashSet;

use super::batch::{TOO_OLD, too_old};
use super::columns::{Binder, service_tier};
use super::ledger::retract;
use super::pack::{Id, Metadata, Rare, Row, SymbolicLabels};
use super::{
    BatchCounts, DeadLetter, Dedupe, NameId, Pack, Retention, SeriesId, SeriesLabels, Settings,
    StoreError, Txn,
};
use crate::model::{Event, Millis, Signal, Span, Tokens, Usd};

/// The columns that most events use; what follows them in the table is NULL.
const INSERT_PLAIN: &str =
    "INSERT INTO event(at_ms, h, kind, series, batch, user, metadata, id_prefix, id,
 latency_us, input_uncached, output, cost_reported, session, cost_computed)
 VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(at_ms, h) DO NOTHING";
const INSERT_FULL: &str = "INSERT INTO event(at_ms, h, kind, series, batch, user, metadata, id_prefix, id,
 latency_us, input_uncached, output, cost_reported, session,
 cost_computed, cache_read, ttft_us, reasoning, cache_write_5m, cache_write_1h, error_message, request_id,
 saved_tokens, saved_cost, limit_remaining, limit_max, limit_reset_ms, limit_key, tools,
 audio_input, audio_output, image_input, unclassified, total_told, service_tier)
 VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
 ON CONFLICT(at_ms, h) DO NOTHING";

/// What [`Stored::read`] reads.
macro_rules! stored_columns {
    () => {
        "at_ms, kind, series, batch, user, session, latency_us, input_uncached, output, cost_reported,
         cost_computed, cache_read, ttft_us, reasoning, cache_write_5m, cache_write_1h, saved_tokens, saved_cost,
         audio_input, audio_output, image_input, unclassified, total_told, service_tier"
    };
}
pub(super) use stored_columns;
const SCAN: &str = concat!(
    "SELECT ",
    stored_columns!(),
    " FROM event WHERE at_ms >= :from AND at_ms < :until ORDER BY at_ms, h"
);
const ONE: &str = concat!(
    "SELECT ",
    stored_columns!(),
    " FROM event WHERE at_ms = :at AND h = :h"
);
const DELETE_ONE: &str = "DELETE FROM event WHERE at_ms = :at AND h = :h";
const DELETE: &str = "DELETE FROM event WHERE at_ms >= :from AND at_ms < :until";
const FORGET_IDENTITIES: &str = "DELETE FROM identity WHERE at_ms >= :from AND at_ms < :until";
const FIRST: &str = "SELECT min(at_ms) FROM event WHERE at_ms >= :from";
const LAST: &str = "SELECT max(at_ms) FROM event";
const COUNT: &str = "SELECT count(*) FROM event WHERE at_ms >= :from AND at_ms < :until";
const FIRST_SEEN: &str = "SELECT at_ms FROM identity WHERE h = :h";
const NOTE_SEEN: &str = "INSERT INTO identity(h, at_ms) VALUES(:h, :at)";

/// An event as read back: its numbers, and the names of its labels as numbers.
#[derive(Debug)]
pub struct Stored {
    /// When, what, and all that can be summed; its texts are not read.
    pub event: Event<'static>,
    /// Its labels.
    pub series: SeriesId,
    /// On whose behalf.
    pub user: NameId,
    /// In which conversation.
    pub session: NameId,
    /// The transaction that brought it.
    pub batch: i64,
}

/// What a transaction of an ingest did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What became of the lines.
    pub counts: BatchCounts,
    /// Lines refused by the store itself, as too old.
    pub late: Vec<DeadLetter>,
    /// Accepted events that are older than what raw, minutes, hours and days are kept for.
    pub outlived: [u64; 4],
}

/// Writes packs of one input, and remembers the store's numbers for their symbols.
pub struct EventWriter {
    source: String,
    dedupe: Dedupe,
    backfill: bool,
    names: Vec<(Box<str>, NameId)>,
    series: Vec<(SymbolicLabels, SeriesId)>,
    epoch: Option<i64>,
}

impl EventWriter {
    /// A writer for one input. With `backfill`, events from before the floor of raw
    /// events are accepted, although a repetition cannot be told there any more.
    pub fn new(source: String, dedupe: Dedupe, backfill: bool) -> EventWriter {
        EventWriter {
            source,
            dedupe,
            backfill,
            names: Vec::new(),
            series: Vec::new(),
            epoch: None,
        }
    }

    /// Forgets numbers that were given out inside a transaction that failed.
    pub fn forget(&mut self) {
        self.epoch = None;
    }

    /// The numbers of all symbols are asked anew when names were collected meanwhile.
    fn catch_up(&mut self, txn: &Txn<'_>) -> Result<(), StoreError> {
        let epoch = txn.name_epoch()?;
        if self.epoch != Some(epoch) {
            for (text, id) in &mut self.names {
                *id = txn.intern(text)?;
            }
            for (labels, id) in &mut self.series {
                *id = txn.intern_series(&resolve(&self.names, labels))?;
            }
            self.epoch = Some(epoch);
        }
        Ok(())
    }

    fn learn(&mut self, txn: &Txn<'_>, pack: &mut Pack) -> Result<(), StoreError> {
        if pack.afresh {
            self.names.clear();
            self.series.clear();
        }
        for text in pack.names.drain(..) {
            let id = txn.intern(&text)?;
            self.names.push((text, id));
        }
        for labels in pack.series.drain(..) {
            let id = txn.intern_series(&resolve(&self.names, &labels))?;
            self.series.push((labels, id));
        }
        Ok(())
    }

    fn name(&self, symbol: u32) -> NameId {
        name_of(&self.names, symbol)
    }
}

fn name_of(names: &[(Box<str>, NameId)], symbol: u32) -> NameId {
    match symbol.checked_sub(1) {
        Some(i) => names[i as usize].1,
        None => NameId::NONE,
    }
}

fn resolve(names: &[(Box<str>, NameId)], labels: &SymbolicLabels) -> SeriesLabels {
    let name = |symbol| name_of(names, symbol);
    SeriesLabels {
        provider: name(labels.provider),
        model: name(labels.model),
        role: name(labels.role),
        project: name(labels.project),
        endpoint: name(labels.endpoint),
        error_type: name(labels.error_type),
        limit_type: name(labels.limit_type),
        status_code: labels.status_code,
    }
}

/// The inside of one transaction of an ingest.
pub struct Appending<'t, 'w> {
    txn: &'t Txn<'t>,
    writer: &'w mut EventWriter,
    batch: i64,
    raw_floor: Millis,
    settings: Settings,
    dirty: FxHashSet<i64>,
    outcome: Outcome,
    now: Millis,
}

impl<'t> Txn<'t> {
    /// Begins a batch of an ingest in this transaction.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn append<'w>(
        &'t self,
        writer: &'w mut EventWriter,
        now: Millis,
    ) -> Result<Appending<'t, 'w>, StoreError> {
        writer.catch_up(self)?;
        let batch = self.begin_batch(&writer.source, now)?;
        Ok(Appending {
            txn: self,
            batch,
            raw_floor: self.floors()?.raw,
            settings: self.settings()?,
            dirty: FxHashSet::default(),
            outcome: Outcome::default(),
            writer,
            now,
        })
    }

    /// Calls `visit` with every event in the span, oldest first.
    ///
    /// # Errors
    /// What `visit` says, and when the store cannot be read.
    pub fn scan<E: From<StoreError>>(
        &self,
        span: Span,
        mut visit: impl FnMut(&Stored) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = |e: rusqlite::Error| E::from(StoreError::from(e));
        let mut stmt = self.conn.prepare_cached(SCAN).map_err(sql)?;
        let mut rows = stmt
            .query(named_params! { ":from": span.from.0, ":until": span.until.0 })
            .map_err(sql)?;
        let mut stored = Stored::blank();
        while let Some(row) = rows.next().map_err(sql)? {
            stored.read(row)?;
            visit(&stored)?;
        }
        Ok(())
    }

    /// Deletes raw events in the span and what is remembered of their identity.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn let_go(&self, span: Span) -> Result<u64, StoreError> {
        let params = named_params! { ":from": span.from.0, ":until": span.until.0 };
        self.conn
            .prepare_cached(FORGET_IDENTITIES)?
            .execute(params)?;
        Ok(self.conn.prepare_cached(DELETE)?.execute(params)? as u64)
    }

    /// The time of the first event at or after `from`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_event(&self, from: Millis) -> Result<Option<Millis>, StoreError> {
        let first: Option<i64> = self
            .conn
            .prepare_cached(FIRST)?
            .query_row(named_params! { ":from": from.0 }, |r| r.get(0))?;
        Ok(first.map(Millis))
    }

    /// The time of the last event.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_event(&self) -> Result<Option<Millis>, StoreError> {
        let last: Option<i64> = self
            .conn
            .prepare_cached(LAST)?
            .query_row([], |r| r.get(0))?;
        Ok(last.map(Millis))
    }

    /// How many raw events lie in the span.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_events(&self, span: Span) -> Result<u64, StoreError> {
        let params = named_params! { ":from": span.from.0, ":until": span.until.0 };
        let count: i64 = self
            .conn
            .prepare_cached(COUNT)?
            .query_row(params, |r| r.get(0))?;
        Ok(count as u64)
    }
}

impl Appending<'_, '_> {
    /// Writes one pack.
    ///
    /// # Errors
    /// When the store cannot be written; the transaction is then worthless.
    pub fn write(&mut self, mut pack: Pack) -> Result<(), StoreError> {
        self.writer.learn(self.txn, &mut pack)?;
        for letter in &pack.letters {
            self.txn
                .bury(self.batch, &self.writer.source, self.now, letter)?;
        }
        self.outcome.counts.rejected += pack.letters.len() as u64;
        // The table lies in the order of time; so written, its pages fill up.
        pack.rows.sort_by_key(|row| (row.at, row.h));
        let mut plain = self.txn.conn.prepare_cached(INSERT_PLAIN)?;
        let mut full = self.txn.conn.prepare_cached(INSERT_FULL)?;
        for row in &mut pack.rows {
            if row.at < self.raw_floor.0 && !self.writer.backfill {
                self.refuse_as_too_old(row, &pack.lines)?;
                continue;
            }
            self.make_way(Millis(row.at))?;
            let seen = match self.writer.dedupe {
                Dedupe::Id if row.id != Id::Absent => self.settle_identity(row)?,
                Dedupe::Id | Dedupe::TimeId | Dedupe::Content => Seen::Never,
            };
            let stmt = if row.rare.is_some() {
                &mut full
            } else {
                &mut plain
            };
            let counts = &mut self.outcome.counts;
            if seen == Seen::AsGood || bind(stmt, row, self.batch, self.writer)?.raw_execute()? == 0
            {
                counts.duplicate += 1;
                continue;
            }
            match seen {
                Seen::Worse => counts.updated += 1,
                Seen::Never | Seen::AsGood => counts.accepted += 1,
            }
            self.note_age(row.at);
            self.dirty.insert(Millis(row.at).floor(Millis::MINUTE).0);
        }
        Ok(())
    }

    /// Ends the batch: notes its counts and the minutes it touched.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn finish(self) -> Result<Outcome, StoreError> {
        for minute in &self.dirty {
            self.txn.mark_dirty(Millis(*minute), self.batch)?;
        }
        self.txn.finish_batch(self.batch, &self.outcome.counts)?;
        Ok(self.outcome)
    }

    fn note_age(&mut self, at: i64) {
        let Retention {
            raw,
            minute,
            hour,
            day,
            ..
        } = self.settings.retention;
        for (outlived, kept) in self
            .outcome
            .outlived
            .iter_mut()
            .zip([raw, minute, hour, day])
        {
            *outlived += u64::from(kept.is_some_and(|ms| at < self.now.0.saturating_sub(ms)));
        }
    }

    fn refuse_as_too_old(&mut self, row: &Row, lines: &[u8]) -> Result<(), StoreError> {
        let letter = DeadLetter {
            line: row.line,
            byte_offset: row.byte_offset,
            code: TOO_OLD.into(),
            reason: too_old(Millis(row.at), self.raw_floor),
            sample: lines[row.text.start as usize..row.text.end as usize].to_vec(),
            truncated: false,
        };
        self.txn
            .bury(self.batch, &self.writer.source, self.now, &letter)?;
        self.outcome.counts.rejected += 1;
        self.outcome.late.push(letter);
        Ok(())
    }

    /// Finds out, by id alone, whether an event is known; a worse version of it is
    /// taken away, so that this one can take its place and its time.
    fn settle_identity(&mut self, row: &mut Row) -> Result<Seen, StoreError> {
        let Some(first) = self.first_seen(row.h)? else {
            self.txn
                .conn
                .prepare_cached(NOTE_SEEN)?
                .execute(named_params! { ":h": row.h, ":at": row.at })?;
            return Ok(Seen::Never);
        };
        row.at = first.0;
        let Some(old) = self.stored(first, row.h)? else {
            return Ok(Seen::AsGood);
        };
        if row.total_tokens() <= old.event.tokens.map_or(0, |t| t.total() as i128) {
            return Ok(Seen::AsGood);
        }
        let unseen_since = self
            .txn
            .unseen_since(first.floor(Millis::MINUTE))?
            .unwrap_or(i64::MAX);
        self.txn
            .conn
            .prepare_cached(DELETE_ONE)?
            .execute(named_params! { ":at": first.0, ":h": row.h })?;
        let in_ledger = old.batch < unseen_since && old.batch != self.batch;
        if in_ledger {
            retract(self.txn, &self.settings, &old)?;
        }
        Ok(Seen::Worse)
    }

    fn first_seen(&self, h: i64) -> Result<Option<Millis>, StoreError> {
        let mut stmt = self.txn.conn.prepare_cached(FIRST_SEEN)?;
        let mut rows = stmt.query(named_params! { ":h": h })?;
        match rows.next()?.map(|r| r.get(0).map(Millis)).transpose()? {
            Some(first) if self.make_way(first)? => Ok(None),
            first => Ok(first),
        }
    }

    /// Lets go what a clean-up left of a minute below the floor, so that an event that
    /// comes into it is not taken for one of those that its bucket knows already; says
    /// whether it did.
    fn make_way(&self, at: Millis) -> Result<bool, StoreError> {
        let minute = at.floor(Millis::MINUTE);
        let waits = || Ok::<_, StoreError>(self.txn.unseen_since(minute)?.is_some());
        if at >= self.raw_floor || self.dirty.contains(&minute.0) || waits()? {
            return Ok(false);
        }
        self.txn
            .let_go(Span::new(minute, minute.plus(Millis::MINUTE)))?;
        Ok(true)
    }

    fn stored(&self, at: Millis, h: i64) -> Result<Option<Stored>, StoreError> {
        let mut stmt = self.txn.conn.prepare_cached(ONE)?;
        let mut rows = stmt.query(named_params! { ":at": at.0, ":h": h })?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut stored = Stored::blank();
        stored.read(row)?;
        Ok(Some(stored))
    }
}

/// Whether an id came before, and which of the two versions knows more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Never,
    Worse,
    AsGood,
}

/// Binds a row to one of the two insert statements.
fn bind<'s, 'c>(
    stmt: &'s mut CachedStatement<'c>,
    row: &Row,
    batch: i64,
    writer: &EventWriter,
) -> Result<&'s mut Statement<'c>, StoreError> {
    let stmt: &mut Statement<'c> = stmt;
    let mut binder = Binder { stmt, next: 1 };
    binder.bind(row.at)?;
    binder.bind(row.h)?;
    binder.bind(signal_number(row.signal))?;
    binder.bind(writer.series[row.series as usize].1.0)?;
    binder.bind(batch)?;
    binder.bind(writer.name(row.user).0)?;
    match &row.metadata {
        Metadata::Absent => binder.bind(None::<i64>)?,
        Metadata::Repeating(symbol) => binder.bind(writer.name(*symbol).0)?,
        Metadata::Inline(text) => binder.bind(&**text)?,
    }
    match &row.id {
        Id::Absent => {
            binder.bind(None::<i64>)?;
            binder.bind(None::<i64>)?;
        }
        Id::Hex {
            prefix,
            uuid,
            len,
            bytes,
        } => {
            let prefix = writer.name(*prefix).0;
            binder.bind(if *uuid { -prefix } else { prefix })?;
            binder.bind(&bytes[..usize::from(*len)])?;
        }
        Id::Text(text) => {
            binder.bind(None::<i64>)?;
            binder.bind(&**text)?;
        }
    }
    binder.bind(row.latency_us)?;
    binder.bind(row.input_uncached)?;
    binder.bind(row.output)?;
    binder.bind(row.cost_reported)?;
    binder.bind(writer.name(row.session).or_null())?;
    binder.bind(row.cost_computed)?;
    if let Some(rare) = &row.rare {
        bind_rare(&mut binder, rare, writer)?;
    }
    Ok(binder.stmt)
}

fn bind_rare(
    binder: &mut Binder<'_, '_>,
    rare: &Rare,
    writer: &EventWriter,
) -> Result<(), StoreError> {
    binder.bind(rare.cache_read)?;
    binder.bind(rare.ttft_us)?;
    binder.bind(rare.reasoning)?;
    binder.bind(rare.cache_write_5m)?;
    binder.bind(rare.cache_write_1h)?;
    binder.bind(rare.error_message.as_deref())?;
    binder.bind(rare.request_id.as_deref())?;
    binder.bind(rare.saved_tokens)?;
    binder.bind(rare.saved_cost)?;
    binder.bind(rare.limit_remaining)?;
    binder.bind(rare.limit_max)?;
    binder.bind(rare.limit_reset_ms)?;
    binder.bind(writer.name(rare.limit_key).or_null())?;
    binder.bind(writer.name(rare.tools).or_null())?;
    binder.bind(rare.audio_input)?;
    binder.bind(rare.audio_output)?;
    binder.bind(rare.image_input)?;
    binder.bind(rare.unclassified)?;
    binder.bind(rare.total_told)?;
    binder.bind(rare.service_tier)
}

/// The number of a signal in `event.kind`: its place in [`Signal::ALL`].
fn signal_number(signal: Signal) -> i64 {
    Signal::ALL.iter().position(|s| *s == signal).unwrap_or(0) as i64
}

impl Stored {
    pub(super) fn blank() -> Stored {
        Stored {
            event: Event::new(Millis(0), Signal::Request { success: true }),
            series: SeriesId(0),
            user: NameId::NONE,
            session: NameId::NONE,
            batch: 0,
        }
    }

    /// Reads the columns of `stored_columns!`, in their order.
    pub(super) fn read(&mut self, row: &SqlRow<'_>) -> Result<(), StoreError> {
        let int = |i: usize| integer(row, i);
        let event = &mut self.event;
        event.at = Millis(int(0)?.unwrap_or(0));
        event.signal = usize::try_from(int(1)?.unwrap_or(-1))
            .ok()
            .and_then(|n| Signal::ALL.get(n).copied())
            .ok_or_else(|| StoreError::Damaged("an event has an unknown kind".into()))?;
        self.series = SeriesId(int(2)?.unwrap_or(0));
        self.batch = int(3)?.unwrap_or(0);
        self.user = NameId(int(4)?.unwrap_or(0));
        self.session = NameId(int(5)?.unwrap_or(0));
        event.latency_us = int(6)?;
        let (input, output) = (int(7)?, int(8)?);
        event.cost_reported = int(9)?.map(usd);
        event.cost_computed = int(10)?.map(usd);
        event.ttft_us = int(12)?;
        event.saved_tokens = int(16)?.map(|n| n as u64);
        event.saved_cost = int(17)?.map(usd);
        event.total_told = int(22)?.map(|n| n as u64);
        event.service_tier = service_tier(int(23)?)?;
        event.tokens = match (input, output) {
            (None, None) => None,
            (input, output) => {
                let count = |i| integer(row, i).map(|n| n.unwrap_or(0) as u64);
                Some(Tokens {
                    input_uncached: input.unwrap_or(0) as u64,
                    output: output.unwrap_or(0) as u64,
                    cache_read: count(11)?,
                    reasoning: count(13)?,
                    cache_write_5m: count(14)?,
                    cache_write_1h: count(15)?,
                    audio_input: count(18)?,
                    audio_output: count(19)?,
                    image_input: count(20)?,
                    unclassified: count(21)?,
                })
            }
        };
        Ok(())
    }
}

fn usd(nano: i64) -> Usd {
    Usd(i128::from(nano))
}

fn integer(row: &SqlRow<'_>, column: usize) -> Result<Option<i64>, StoreError> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(n) => Ok(Some(n)),
        ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => Err(StoreError::Damaged(
            format!("column {column} of an event is not an integer"),
        )),
    }
}
