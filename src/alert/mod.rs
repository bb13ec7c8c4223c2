//! Which rule fires, and what becomes of an alert.
//!
//! The decision is a pure function ([`step`]) of a rule, the alert that is there and
//! what was seen at the end of one minute. It does not know where the numbers come
//! from, who is told, or what time it is now.

mod decide;

pub use decide::{Limits, Move, Seen, Verdict, judge, step};
