//! Which rule fires, and what becomes of an alert.
//!
//! The decision is a pure function ([`step`]) of a rule, the alert that is there and
//! what was seen at the end of one minute; [`catch_up`] is the errand around it. What is
//! to be told of a change is written beside it ([`keep_change`]). It does not know how a
//! notice reaches anybody, how an alert is shown, or what time it is.

mod decide;
mod edit;
mod hand;
mod outbox;
mod pool;
mod replay;
mod silence;
mod stretch;
mod tally;
mod words;

use crate::query::QueryError;
use crate::store::StoreError;

pub use decide::{Limits, Move, Seen, Verdict, judge, step};
pub use edit::{Desk, born, edit};
pub use hand::{ByHand, Deed, by_hand, reset_clock};
pub use outbox::{Hush, keep_change};
pub use replay::{
    GRACE_MS, LONGEST_CATCH_UP_MS, MOST_ALERTS_OF_A_RULE, Purpose, Report, Transition, catch_up,
    look,
};
pub use silence::{Firing, silences};
pub use stretch::Evaluated;
pub use tally::{FLAPS, Scope, Tally, tally};
pub use words::annotations;

/// Why rules could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// What they look at cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
