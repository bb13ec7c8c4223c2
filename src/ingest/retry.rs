//! Dead letters tried again, under a mapping that may fit them.
//!
//! A letter leaves in the transaction that stores its event. Its identity is the
//! one its line would have had: the id, else the place and the bytes of the line.
//! A line of a pipe has a place in no file; the transaction that met it first
//! stands for the pipe.

use std::collections::BTreeMap;

use super::IngestError;
use super::reader::price;
use crate::input::{Decoded, Decoder, Format, Options};
use crate::model::Millis;
use crate::prices::PriceTable;
use crate::store::{
    BatchCounts, Buried, Dedupe, EventWriter, Origin, Packer, Place, Store, StoreError, TOO_OLD,
    Txn, Which, too_old,
};

/// Letters of one transaction.
const LETTERS_PER_COMMIT: usize = 1_000;

/// Which letters, and how they are understood now.
pub struct Retry {
    /// These, by number; when there are none, all of `which`.
    pub ids: Vec<i64>,
    /// By moment, reason and input.
    pub which: Which,
    /// How lines are understood.
    pub options: Options,
    /// The header of CSV records; without one, lines are JSON.
    pub header: Option<String>,
    /// Whether events from before the floor of raw events are taken.
    pub backfill: bool,
    /// Whether all is left as it was.
    pub rehearsal: bool,
    /// The present.
    pub now: Millis,
}

/// What became of the letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// What became of those that could be tried; rejected are those that still fail.
    pub counts: BatchCounts,
    /// Letters of which only the beginning was kept, and CSV records without a header.
    pub untried: u64,
}

/// Why a transaction was given up.
enum Undone {
    Rehearsed(Mended),
    Failed(IngestError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Undone {
        Undone::Failed(error.into())
    }
}

/// Tries dead letters again.
///
/// # Errors
/// When the options do not fit the header, or the store cannot be written.
pub fn retry(store: &mut Store, job: &Retry) -> Result<Mended, IngestError> {
    let mut total = Mended::default();
    let mut after = None;
    loop {
        let letters = store.read(|txn| chosen(txn, job, after))?;
        let Some(last) = letters.last() else {
            return Ok(total);
        };
        after = Some((last.at, last.id));
        let done = store.write(|txn| {
            let mended = mend(txn, job, letters).map_err(Undone::Failed)?;
            match job.rehearsal {
                true => Err(Undone::Rehearsed(mended)),
                false => Ok(mended),
            }
        });
        let mended = match done {
            Ok(mended) | Err(Undone::Rehearsed(mended)) => mended,
            Err(Undone::Failed(error)) => return Err(error),
        };
        total.counts.add(&mended.counts);
        total.untried += mended.untried;
        if !job.ids.is_empty() {
            return Ok(total);
        }
    }
}

fn chosen(
    txn: &Txn<'_>,
    job: &Retry,
    after: Option<(Millis, i64)>,
) -> Result<Vec<Buried>, StoreError> {
    if job.ids.is_empty() {
        return txn.letters(&job.which, after, LETTERS_PER_COMMIT);
    }
    let named = job.ids.iter().map(|id| txn.letter(*id));
    named.filter_map(Result::transpose).collect()
}

/// One input, whose letters share a batch.
struct Source {
    decoder: Decoder,
    packer: Packer,
    writer: EventWriter,
}

fn mend(txn: &Txn<'_>, job: &Retry, letters: Vec<Buried>) -> Result<Mended, IngestError> {
    let floor = txn.floors()?.raw;
    let mut prices = PriceTable::default();
    let mut mended = Mended::default();
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    for mut buried in letters {
        if buried.letter.truncated || (job.header.is_none() && is_csv(&buried.source)) {
            mended.untried += 1;
            continue;
        }
        let source = match sources.entry(buried.source.clone()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(source(job, &buried.source)?)
            }
        };
        let bytes = std::mem::take(&mut buried.letter.sample);
        let unfit = |error| IngestError::Input {
            input: buried.source.clone(),
            source: error,
        };
        let (code, reason) = match source.decoder.decode(&bytes).map_err(unfit)? {
            Decoded::Header => continue,
            Decoded::Rejected(reject) => (reject.code(), reject.to_string()),
            Decoded::Event(event) if event.at < floor && !job.backfill => {
                (TOO_OLD, too_old(event.at, floor))
            }
            Decoded::Event(mut event) => {
                price(&mut event, &mut prices);
                let origin = Origin {
                    line: buried.letter.line,
                    byte_offset: buried.letter.byte_offset,
                    bytes: &bytes,
                    place: place(&buried),
                };
                source.packer.add(&event, origin);
                txn.unbury(buried.id)?;
                continue;
            }
        };
        buried.letter.code = code.into();
        buried.letter.reason = reason;
        buried.letter.sample = bytes;
        txn.note_reason(&buried)?;
        mended.counts.rejected += 1;
    }
    for Source { packer, writer, .. } in sources.values_mut().filter(|s| !s.packer.is_empty()) {
        let mut batch = txn.append(writer, job.now)?;
        batch.write(packer.take())?;
        mended.counts.add(&batch.finish()?.counts);
    }
    Ok(mended)
}

/// A rotated file is taken for the first at its path: which it was is not kept.
fn place(buried: &Buried) -> Place {
    match buried.source.as_str() {
        "-" => Place::Pipe {
            nonce: buried.batch as u64,
        },
        _ => Place::File { generation: 0 },
    }
}

fn source(job: &Retry, name: &str) -> Result<Source, IngestError> {
    let unfit = |error| IngestError::Input {
        input: name.to_owned(),
        source: error,
    };
    let format = match job.header {
        Some(_) => Format::Csv,
        None => Format::Jsonl,
    };
    let mut decoder = Decoder::new(format, job.options.clone()).map_err(unfit)?;
    if let Some(header) = &job.header {
        decoder.decode(header.as_bytes()).map_err(unfit)?;
    }
    Ok(Source {
        decoder,
        packer: Packer::new(Dedupe::TimeId, i64::MIN),
        writer: EventWriter::new(name.to_owned(), Dedupe::TimeId, job.backfill),
    })
}

fn is_csv(source: &str) -> bool {
    let name = source.trim_end_matches(".gz").trim_end_matches(".zst");
    name.ends_with(".csv")
}
