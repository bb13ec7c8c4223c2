//! What makes two lines the same event: (time, h), and what h is made of.
//!
//! How a line is read and a row is written is not known here.

use xxhash_rust::xxh3::Xxh3;

use crate::model::{Event, Signal};

/// What makes two lines the same event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dedupe {
    /// Its time and its id (or its place in the file, where it has none).
    #[default]
    TimeId,
    /// Its id alone, for logs that repeat an answer under new times: the version
    /// with the most tokens stays, at the first time.
    Id,
    /// Its bytes.
    Content,
}

/// Where a line came from, as far as its identity needs it.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Its number, from 1.
    pub line: u64,
    /// Where it begins in the decompressed input.
    pub byte_offset: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What it was read from.
    pub place: Place,
}

/// What a line was read from, as far as the identity of a line without id needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A regular file.
    File {
        /// How many files were at its path before it, as far as they are remembered.
        generation: u64,
    },
    /// What can be read only once.
    Pipe {
        /// A number that no other run has.
        nonce: u64,
    },
}

/// The h of (time, h).
pub(super) fn identity(event: &Event<'_>, dedupe: Dedupe, origin: &Origin<'_>) -> i64 {
    if let Some(told) = event.identity {
        return told;
    }
    let mut hash = Xxh3::new();
    match (&event.id, dedupe) {
        (_, Dedupe::Content) => hash.update(origin.bytes),
        (Some(id), Dedupe::TimeId | Dedupe::Id) => return identity_of(event.signal, id),
        (None, Dedupe::TimeId | Dedupe::Id) => match origin.place {
            Place::File { generation } => {
                hash.update(&origin.byte_offset.to_le_bytes());
                hash.update(origin.bytes);
                // A file that was not rotated in is the same wherever it lies.
                if generation > 0 {
                    hash.update(&generation.to_le_bytes());
                }
            }
            Place::Pipe { nonce } => {
                hash.update(&nonce.to_le_bytes());
                hash.update(&origin.line.to_le_bytes());
            }
        },
    }
    hash.digest() as i64
}

/// The h of an event with this id.
pub fn identity_of(signal: Signal, id: &str) -> i64 {
    let mut hash = Xxh3::new();
    hash.update(signal.name().as_bytes());
    hash.update(&[0]);
    hash.update(id.as_bytes());
    hash.digest() as i64
}
