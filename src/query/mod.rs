//! Statistics and series: which events, cut in time and by labels.
//!
//! Every surface (table, chart, rule, bill) asks here, so that they all show the
//! same numbers. A question is answered from the coarsest tier that fits; what
//! the tiers do not know yet is read from raw events. It does not know what the
//! numbers are for, nor how they are shown.

mod cover;
mod explain;
mod fitting;
mod frame;
mod gather;
mod groups;
mod measured;
mod question;
#[cfg(test)]
mod tests;
mod unheard;

pub use explain::{Because, Reading, explain};
pub use measured::{Asked, Cut, Inquiry, Line, Measured, measure};
pub use question::{Answer, QueryError, Question, Row, Source, Step, ask, ask_in};
pub use unheard::{Unheard, unheard};
