//! Raw to minute to hour to day, and the ledger.
//!
//! Aggregates are a pure function of raw events. Ingest notes the minutes it
//! touched; a roll-up computes those minutes anew from raw, and by merging the
//! hours and days above them, in the transaction that marks them clean. Running
//! it twice changes nothing. It does not know why an event came late.

mod groups;
mod rebuild;
mod slice;
#[cfg(test)]
mod tests;
mod verify;

pub use rebuild::rebuild;
pub use verify::{Mismatch, Verification, verify};

use crate::model::{Millis, Span};
use crate::store::{Store, StoreError};

/// What a roll-up did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Transactions it took.
    pub slices: u64,
    /// Minutes that were computed.
    pub minutes: u64,
    /// Raw events that were read.
    pub events: u64,
    /// Buckets written, of all tiers.
    pub buckets: u64,
    /// Rows of the ledger and of sessions that were raised.
    pub ledger_rows: u64,
}

/// How many events are read in the time that a row takes to be made and written.
const EVENTS_PER_ROW: u64 = 4;
/// Effort after which a transaction ends and others are let in: with less, the rows of
/// a ledger day are written again too often; with more, a writer waits too long
/// (benches/RESULTS.md, a roll-up beside a writer). A minute is never parted.
const EFFORT_AT_ONCE: u64 = 200_000;

impl Report {
    /// What it took, in events read.
    fn effort(&self) -> u64 {
        self.events + EVENTS_PER_ROW * (self.buckets + self.ledger_rows)
    }

    fn add(&mut self, other: &Report) {
        self.slices += other.slices;
        self.minutes += other.minutes;
        self.events += other.events;
        self.buckets += other.buckets;
        self.ledger_rows += other.ledger_rows;
    }
}

/// Rolls up every dirty minute before `until`, in slices of one transaction each,
/// and calls `progress` after each of them.
///
/// # Errors
/// When the store fails; slices that are done stay done.
pub fn run(
    store: &mut Store,
    until: Millis,
    progress: impl FnMut(&Report),
) -> Result<Report, StoreError> {
    run_slices(store, until, EFFORT_AT_ONCE, u64::MAX, progress)
}

/// The same in at most so many slices of so much effort each. Where it ends early, the
/// next roll-up goes on.
pub(crate) fn run_slices(
    store: &mut Store,
    until: Millis,
    effort: u64,
    slices: u64,
    mut progress: impl FnMut(&Report),
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut without_gap = 0;
    while report.slices < slices {
        let (slice, more) = store.write(|txn| slice::roll(txn, until, effort))?;
        report.add(&slice);
        progress(&report);
        if !more {
            break;
        }
        without_gap += slice.effort();
        if without_gap >= effort {
            store.let_others_write();
            without_gap = 0;
        }
    }
    Ok(report)
}

/// How many minutes a roll-up would compute now.
///
/// # Errors
/// When the store cannot be read.
pub fn pending(store: &mut Store, until: Millis) -> Result<u64, StoreError> {
    store.read(|txn| txn.count_dirty(until))
}

/// All of time.
const EVER: Span = Span {
    from: Millis(i64::MIN),
    until: Millis(i64::MAX),
};
