//! What cron does, in order. The lock and the schedule are the caller's affair.

pub mod deliver;

use crate::alert::{self, AlertError, Purpose};
use crate::model::Millis;
use crate::store::{Store, StoreError};
use crate::{retention, rollup};
use deliver::Post;

/// What one round did.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The roll-up.
    pub rollup: rollup::Report,
    /// The evaluation of rules.
    pub alerts: alert::Report,
    /// What was told of alerts.
    pub told: deliver::Report,
    /// The clean-up.
    pub retention: retention::Report,
}

/// Why a round came to an end.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// Rules could not be evaluated.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One round: roll up, evaluate, tell, then let go, and note that it was done.
///
/// # Errors
/// When the store fails; what is done stays done.
pub fn run(store: &mut Store, now: Millis, post: &mut Post<'_>) -> Result<Done, CycleError> {
    let rollup = rollup::run(store, Millis(i64::MAX), |_| {})?;
    let alerts = alert::catch_up(store, now, Purpose::Keep)?;
    let told = deliver::run(store, post)?;
    let retention = retention::run(store, now)?;
    store.write(|txn| txn.note_run(now))?;
    Ok(Done {
        rollup,
        alerts,
        told,
        retention,
    })
}
