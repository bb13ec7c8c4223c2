//! Lines in, events stored: decode, pack, append in batches.
//!
//! Reading and decoding happen on one thread, writing on another. An event
//! counts as accepted after the commit that holds it; a bad line goes to the
//! dead letters in the same commit as the good lines around it. How a line is
//! written is known to `input`, how an event is kept to `store`.

mod inbox;
mod reader;
mod record;
mod retry;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::input::{Format, InputError, Options};
use crate::model::Millis;
use crate::prices::PriceTable;
use crate::store::{
    Appending, BatchCounts, DeadLetter, Dedupe, EventWriter, Pack, Store, StoreError,
};
use inbox::Inbox;
pub use retry::{Mended, Retry, retry};

pub use record::{Recorded, record};

/// Rows after which a transaction ends. Beyond some ten thousand, the price of a
/// commit no longer shows in the time of a row.
const ROWS_PER_COMMIT: usize = 50_000;
/// Rows that are worth a transaction at once.
const ROWS_TO_BEGIN: usize = 4_096;
/// How long the first event of a transaction may wait for company, and how long
/// it may take at most until its commit begins.
const WAIT_FOR_COMPANY: Duration = Duration::from_millis(100);
const LONGEST_TRANSACTION: Duration = Duration::from_millis(200);
/// How long a transaction in full flow waits for the next pack before it commits.
const WAIT_IN_FLOW: Duration = Duration::from_millis(20);

/// The present, as the caller sees it.
pub type Now = Arc<dyn Fn() -> Millis + Send + Sync>;

/// One input and how it is taken in.
pub struct Job {
    /// The bytes, packed or not.
    pub input: Box<dyn Read + Send>,
    /// What messages and the store call it.
    pub source: String,
    /// How it is written.
    pub format: Format,
    /// How its lines are understood.
    pub options: Options,
    /// What makes two lines the same event.
    pub dedupe: Dedupe,
    /// Whether events from before the floor of raw events are taken.
    pub backfill: bool,
    /// Whether the first bad line ends it all.
    pub strict: bool,
    /// For an input that is no regular file: a number no other run has.
    pub nonce: Option<u64>,
    /// The present.
    pub now: Now,
}

/// What became of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What became of its lines.
    pub counts: BatchCounts,
    /// Accepted events that are older than what raw, minutes, hours and days are kept for.
    pub outlived: [u64; 4],
    /// Lines refused because raw events are not kept from so long ago.
    pub too_old: u64,
    /// Bytes read, unpacked.
    pub bytes: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

impl Summary {
    /// Adds what became of another input.
    pub fn add(&mut self, other: &Summary) {
        self.counts.add(&other.counts);
        for (sum, more) in self.outlived.iter_mut().zip(other.outlived) {
            *sum += more;
        }
        self.too_old += other.too_old;
        self.bytes += other.bytes;
        self.interrupted |= other.interrupted;
    }
}

/// Who wants to know how it goes.
pub trait Observer {
    /// A transaction was committed; these are the totals so far.
    fn committed(&mut self, so_far: &Summary);
    /// A line was refused.
    fn refused(&mut self, letter: &DeadLetter);
}

/// Why an ingest ended early. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The input as a whole does not fit the options.
    #[error("cannot read {input}")]
    Input {
        /// Which input.
        input: String,
        /// Why.
        source: InputError,
    },
    /// The input cannot be read on.
    #[error("cannot read {input}")]
    Read {
        /// Which input.
        input: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The first bad line, where none is allowed.
    #[error("{input}:{}: {}", letter.line, letter.reason)]
    Strict {
        /// Which input.
        input: String,
        /// The line.
        letter: Box<DeadLetter>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes an input in, until its end or until `stop` is raised.
///
/// # Errors
/// When the input cannot be read on, or the store cannot be written.
pub fn run(
    store: &mut Store,
    job: Job,
    stop: &Arc<AtomicBool>,
    observer: &mut dyn Observer,
) -> Result<Summary, IngestError> {
    let mut intake = Intake {
        writer: EventWriter::new(job.source.clone(), job.dedupe, job.backfill),
        strict: job.strict,
        source: job.source.clone(),
        now: Arc::clone(&job.now),
        summary: Summary::default(),
        observer,
    };
    let kept = store.read(|txn| txn.retention())?.raw;
    let mut inbox = reader::start(job, kept, PriceTable::default(), stop);
    while let Some(first) = inbox.wait()? {
        intake.transact(store, &mut inbox, first)?;
    }
    intake.summary.interrupted = inbox.was_stopped();
    intake.summary.bytes = inbox.bytes();
    Ok(intake.summary)
}

/// Reads an input and says what would become of its lines, without a store.
/// Duplicates cannot be told.
///
/// # Errors
/// When the input cannot be read on.
pub fn rehearse(
    job: Job,
    stop: &Arc<AtomicBool>,
    observer: &mut dyn Observer,
) -> Result<Summary, IngestError> {
    let (strict, source) = (job.strict, job.source.clone());
    let mut inbox = reader::start(job, None, PriceTable::default(), stop);
    let mut summary = Summary::default();
    while let Some(pack) = inbox.wait()? {
        summary.counts.accepted += (pack.len() - pack.letters().len()) as u64;
        summary.counts.rejected += pack.letters().len() as u64;
        pack.letters()
            .iter()
            .for_each(|letter| observer.refused(letter));
        refuse_if_strict(strict, &source, pack.letters())?;
        summary.bytes = inbox.bytes();
        observer.committed(&summary);
    }
    summary.interrupted = inbox.was_stopped();
    Ok(summary)
}

struct Intake<'o> {
    writer: EventWriter,
    strict: bool,
    source: String,
    now: Now,
    summary: Summary,
    observer: &'o mut dyn Observer,
}

impl Intake<'_> {
    /// One transaction: what waits, and what comes while it is written.
    fn transact(
        &mut self,
        store: &mut Store,
        inbox: &mut Inbox<'_>,
        first: Pack,
    ) -> Result<(), IngestError> {
        let age = Stopwatch::start();
        let held = gather(inbox, first, &age);
        let mut letters = Vec::new();
        let done = store.write(|txn| {
            let mut rows = 0;
            let mut batch = txn.append(&mut self.writer, (self.now)())?;
            let mut write = |batch: &mut Appending<'_, '_>, pack: Pack| {
                rows += pack.len();
                refuse_if_strict(self.strict, &self.source, pack.letters())?;
                letters.extend_from_slice(pack.letters());
                batch.write(pack)?;
                Ok::<_, IngestError>(rows)
            };
            let mut rows = 0;
            for pack in held {
                rows = write(&mut batch, pack)?;
            }
            while (ROWS_TO_BEGIN..ROWS_PER_COMMIT).contains(&rows)
                && age.elapsed() < LONGEST_TRANSACTION
                && let Some(pack) = inbox.receive(WAIT_IN_FLOW)
            {
                rows = write(&mut batch, pack)?;
            }
            let outcome = batch.finish()?;
            refuse_if_strict(self.strict, &self.source, &outcome.late)?;
            Ok::<_, IngestError>(outcome)
        });
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(error) => {
                self.writer.forget();
                return Err(error);
            }
        };
        for letter in letters.iter().chain(&outcome.late) {
            self.observer.refused(letter);
        }
        self.summary.counts.add(&outcome.counts);
        self.summary.too_old += outcome.late.len() as u64;
        for (sum, more) in self.summary.outlived.iter_mut().zip(outcome.outlived) {
            *sum += more;
        }
        self.summary.bytes = inbox.bytes();
        self.observer.committed(&self.summary);
        Ok(())
    }
}

/// Waits a moment for more packs, so that a trickle of lines shares its commits
/// and holds no lock while it trickles.
fn gather(inbox: &mut Inbox<'_>, first: Pack, age: &Stopwatch) -> Vec<Pack> {
    let mut rows = first.len();
    let mut held = vec![first];
    while rows < ROWS_TO_BEGIN {
        let Some(left) = WAIT_FOR_COMPANY.checked_sub(age.elapsed()) else {
            break;
        };
        let Some(pack) = inbox.receive(left) else {
            break;
        };
        rows += pack.len();
        held.push(pack);
    }
    held
}

fn refuse_if_strict(strict: bool, source: &str, letters: &[DeadLetter]) -> Result<(), IngestError> {
    match letters.first() {
        Some(letter) if strict => Err(IngestError::Strict {
            input: source.to_owned(),
            letter: Box::new(letter.clone()),
        }),
        Some(_) | None => Ok(()),
    }
}
