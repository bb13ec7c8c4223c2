//! Lines in, events stored: decode, pack, append in batches.
//!
//! Reading and decoding happen on one thread for each input, writing on another. An event
//! counts as accepted after the commit that holds it; a bad line goes to the
//! dead letters in the same commit as the good lines around it. How a line is
//! written is known to `input`, how an event is kept to `store`.

mod files;
mod follow;
mod inbox;
mod pipe;
mod reader;
mod record;
mod retry;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::input::{Format, InputError, Options};
use crate::model::Millis;
use crate::prices::PriceTable;
use crate::store::{BatchCounts, DeadLetter, Dedupe, EventWriter, Outcome, Store, StoreError, Txn};
use inbox::{Inbox, Parcel};

pub use pipe::Pipe;
pub use record::{Recorded, record};
pub use retry::{Mended, Retry, retry};

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
    /// Where its bytes come from.
    pub input: Input,
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
    /// The present.
    pub now: Now,
}

/// Where bytes come from, compressed or not.
pub enum Input {
    /// What can be read only once, and a number that no other run has.
    Pipe(Pipe, u64),
    /// A regular file, from its beginning to its end.
    File(File),
    /// A regular file that is known again.
    Kept(Kept),
}

/// A file of which is remembered how far it was read.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where it is, or will be.
    pub path: PathBuf,
    /// Whether to begin where the last time ended.
    pub resume: bool,
    /// Whether to go on as it grows, and with the file that takes its place.
    pub follow: bool,
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
    /// A line of this source was refused.
    fn refused(&mut self, source: &str, letter: &DeadLetter);
    /// A file that took this place before is gone, perhaps with lines that were not read.
    fn missed(&mut self, source: &str);
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
    /// A compressed file was to be followed.
    #[error("cannot follow {input}: it is compressed")]
    Packed {
        /// Which input.
        input: String,
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

/// Takes inputs in, all at once, until their end or until `stop` is raised.
///
/// # Errors
/// When an input cannot be read on, or the store cannot be written.
pub fn run(
    store: &mut Store,
    jobs: Vec<Job>,
    stop: &Arc<AtomicBool>,
    observer: &mut dyn Observer,
) -> Result<Summary, IngestError> {
    let Some(strict) = jobs.first().map(|job| job.strict) else {
        return Ok(Summary::default());
    };
    let mut intake = Intake {
        now: Arc::clone(&jobs[0].now),
        sources: jobs.iter().map(Source::new).collect(),
        strict,
        summary: Summary::default(),
        observer,
    };
    let (kept, own) =
        store.read(|txn| Ok::<_, StoreError>((txn.retention()?.raw, txn.prices()?)))?;
    let (mut inbox, outboxes) = Inbox::open(jobs.len(), stop);
    for (job, outbox) in jobs.into_iter().zip(outboxes) {
        let marks = files::marks(store, &job.input)?;
        let prices = PriceTable::with(own.clone());
        reader::start(job, marks, kept, prices, outbox);
    }
    while let Some(first) = inbox.wait()? {
        intake.transact(store, &mut inbox, first)?;
    }
    intake.tell_gaps(&mut inbox);
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
    let (mut inbox, outboxes) = Inbox::open(1, stop);
    for (job, outbox) in [job].into_iter().zip(outboxes) {
        reader::start(job, Vec::new(), None, PriceTable::default(), outbox);
    }
    let mut summary = Summary::default();
    while let Some(Parcel { pack, .. }) = inbox.wait()? {
        summary.counts.accepted += (pack.len() - pack.letters().len()) as u64;
        summary.counts.rejected += pack.letters().len() as u64;
        pack.letters()
            .iter()
            .for_each(|letter| observer.refused(&source, letter));
        refuse_if_strict(strict, &source, pack.letters())?;
        summary.bytes = inbox.bytes();
        observer.committed(&summary);
    }
    summary.interrupted = inbox.was_stopped();
    Ok(summary)
}

/// The writing side of one input.
struct Source {
    name: String,
    writer: EventWriter,
}

impl Source {
    fn new(job: &Job) -> Source {
        Source {
            name: job.source.clone(),
            writer: EventWriter::new(job.source.clone(), job.dedupe, job.backfill),
        }
    }
}

struct Intake<'o> {
    sources: Vec<Source>,
    strict: bool,
    now: Now,
    summary: Summary,
    observer: &'o mut dyn Observer,
}

impl Intake<'_> {
    /// One transaction: what waits, and what comes while it is written.
    fn transact(
        &mut self,
        store: &mut Store,
        inbox: &mut Inbox,
        first: Parcel,
    ) -> Result<(), IngestError> {
        let mut supply = Supply::gather(inbox, first);
        let now = (self.now)();
        let written = store.write(|txn| {
            let mut all = Vec::new();
            let mut next = supply.next();
            while let Some(parcel) = next {
                let done;
                (done, next) = self.write(txn, now, parcel, &mut supply)?;
                all.push(done);
            }
            Ok::<_, IngestError>(all)
        });
        let all = match written {
            Ok(all) => all,
            Err(error) => {
                self.sources.iter_mut().for_each(|s| s.writer.forget());
                return Err(error);
            }
        };
        for Done {
            from,
            letters,
            outcome,
        } in &all
        {
            for letter in letters.iter().chain(&outcome.late) {
                self.observer.refused(&self.sources[*from].name, letter);
            }
            self.summary.counts.add(&outcome.counts);
            self.summary.too_old += outcome.late.len() as u64;
            for (sum, more) in self.summary.outlived.iter_mut().zip(outcome.outlived) {
                *sum += more;
            }
        }
        self.tell_gaps(inbox);
        self.summary.bytes = inbox.bytes();
        self.observer.committed(&self.summary);
        Ok(())
    }

    /// Writes what comes from one source until something comes from another; gives
    /// that back. What is remembered of a file goes with the lines it stands for.
    fn write(
        &mut self,
        txn: &Txn<'_>,
        now: Millis,
        first: Parcel,
        supply: &mut Supply<'_>,
    ) -> Result<(Done, Option<Parcel>), IngestError> {
        let from = first.from;
        let Source { name, writer } = &mut self.sources[from];
        let mut done = Done {
            from,
            letters: Vec::new(),
            outcome: Outcome::default(),
        };
        if first.pack.is_empty() {
            first.mark.map_or(Ok(()), |mark| txn.put_mark(&mark, now))?;
            return Ok((done, supply.next()));
        }
        let mut batch = txn.append(writer, now)?;
        let mut next = Some(first);
        while let Some(Parcel { pack, mark, .. }) = next.take_if(|parcel| parcel.from == from) {
            refuse_if_strict(self.strict, name, pack.letters())?;
            done.letters.extend_from_slice(pack.letters());
            batch.write(*pack)?;
            mark.map_or(Ok(()), |mark| txn.put_mark(&mark, now))?;
            next = supply.next();
        }
        done.outcome = batch.finish()?;
        refuse_if_strict(self.strict, name, &done.outcome.late)?;
        Ok((done, next))
    }

    fn tell_gaps(&mut self, inbox: &mut Inbox) {
        for from in inbox.gaps() {
            self.observer.missed(&self.sources[from].name);
        }
    }
}

/// What became of the lines of one source in one transaction.
struct Done {
    from: usize,
    letters: Vec<DeadLetter>,
    outcome: Outcome,
}

/// What one transaction writes.
struct Supply<'i> {
    inbox: &'i mut Inbox,
    age: Stopwatch,
    held: std::vec::IntoIter<Parcel>,
    rows: usize,
}

impl Supply<'_> {
    /// Waits a moment for more packs, so that a trickle of lines shares its commits
    /// and holds no lock while it trickles.
    fn gather(inbox: &mut Inbox, first: Parcel) -> Supply<'_> {
        let age = Stopwatch::start();
        let mut rows = first.pack.len();
        let mut held = vec![first];
        while rows < ROWS_TO_BEGIN {
            let Some(left) = WAIT_FOR_COMPANY.checked_sub(age.elapsed()) else {
                break;
            };
            let Some(parcel) = inbox.receive(left) else {
                break;
            };
            rows += parcel.pack.len();
            held.push(parcel);
        }
        held.sort_by_key(|parcel| parcel.from);
        Supply {
            inbox,
            age,
            held: held.into_iter(),
            rows,
        }
    }

    /// The next parcel; `None` when it is time to commit.
    fn next(&mut self) -> Option<Parcel> {
        if let Some(parcel) = self.held.next() {
            return Some(parcel);
        }
        let goes_on = (ROWS_TO_BEGIN..ROWS_PER_COMMIT).contains(&self.rows)
            && self.age.elapsed() < LONGEST_TRANSACTION;
        let parcel = goes_on
            .then(|| self.inbox.receive(WAIT_IN_FLOW))
            .flatten()?;
        self.rows += parcel.pack.len();
        Some(parcel)
    }
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
