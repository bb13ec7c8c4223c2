//! One event that is told in an argument list instead of a line.
//!
//! It goes the way of a line, through the same decoder into the same batch, but
//! on one thread: a process that stores one event has nothing to overlap.

use super::IngestError;
use super::reader::price;
use crate::input::{Decoded, Decoder, Format, Options};
use crate::prices::PriceTable;
use crate::store::{Dedupe, EventWriter, Origin, Packer, Place, Store, TOO_OLD};

/// What the store calls this source.
const SOURCE: &str = "record";

/// What became of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is stored.
    Stored,
    /// The same event was there already.
    Known,
    /// It is no event, for this reason.
    Refused {
        /// A stable word for the kind of reason.
        code: &'static str,
        /// The reason, in words.
        reason: String,
    },
}

/// Stores the event that a JSON object and the values set in the options make up.
/// An event without an id gets its identity from `nonce`.
///
/// # Errors
/// When the options contradict themselves or the store cannot be written.
pub fn record(
    store: &mut Store,
    object: &str,
    options: Options,
    nonce: u64,
) -> Result<Recorded, IngestError> {
    let unfit = |source| IngestError::Input {
        input: SOURCE.to_owned(),
        source,
    };
    let now = options.now;
    let mut decoder = Decoder::new(Format::Jsonl, options).map_err(unfit)?;
    let mut packer = Packer::new(Dedupe::TimeId, i64::MIN);
    match decoder.decode(object.as_bytes()).map_err(unfit)? {
        Decoded::Event(mut event) => {
            price(&mut event, &mut PriceTable::default());
            let origin = Origin {
                line: 1,
                byte_offset: 0,
                bytes: object.as_bytes(),
                place: Place::Pipe { nonce },
            };
            packer.add(&event, origin);
        }
        Decoded::Rejected(reject) => {
            return Ok(Recorded::Refused {
                code: reject.code(),
                reason: reject.to_string(),
            });
        }
        // JSON has none.
        Decoded::Header => {}
    }
    let mut writer = EventWriter::new(SOURCE.to_owned(), Dedupe::TimeId, false);
    let outcome = store.write(|txn| {
        let mut batch = txn.append(&mut writer, now)?;
        batch.write(packer.take())?;
        batch.finish()
    })?;
    if let Some(late) = outcome.late.into_iter().next() {
        return Ok(Recorded::Refused {
            code: TOO_OLD,
            reason: late.reason,
        });
    }
    Ok(match outcome.counts.accepted {
        0 => Recorded::Known,
        _ => Recorded::Stored,
    })
}
