//! Statistics and series: which events, cut in time and by labels.
//!
//! Every surface (table, chart, rule, bill) asks here, so that they all show the
//! same numbers. A question is answered from the coarsest tier that fits; what
//! the tiers do not know yet is read from raw events. It does not know what the
//! numbers are for, nor how they are shown.

mod calendar;
mod compare;
mod cover;
pub mod events;
mod explain;
mod fitting;
mod frame;
mod gather;
mod groups;
mod kept;
mod measured;
mod question;
#[cfg(test)]
mod tests;
mod unheard;

pub use calendar::{Fold, Slot};
pub use compare::{Better, Compared, Pair, change, compare, relative_change};
pub use explain::{Because, Reading, explain};
pub use kept::{kept_span, names, shares};
pub use measured::{Asked, Cut, Inquiry, Line, Measured, measure};
pub use question::{Answer, QueryError, Question, Row, Source, Step, ask, ask_in};
pub use unheard::{Unheard, unheard};
