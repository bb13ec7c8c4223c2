//! What cron does, in order. The lock and the schedule are the caller's affair.

use crate::model::Millis;
use crate::store::{Store, StoreError};
use crate::{retention, rollup};

/// What one round did.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The roll-up.
    pub rollup: rollup::Report,
    /// The clean-up.
    pub retention: retention::Report,
}

/// One round: roll up, then let go, and note that it was done.
///
/// # Errors
/// When the store fails; what is done stays done.
pub fn run(store: &mut Store, now: Millis) -> Result<Done, StoreError> {
    let rollup = rollup::run(store, Millis(i64::MAX), |_| {})?;
    let retention = retention::run(store, now)?;
    store.write(|txn| txn.note_run(now))?;
    Ok(Done { rollup, retention })
}
