//! Alert rules as text and back: [`parse`] reads a file of YAML, [`print()`] writes one that
//! reads back the same, [`set`] reads one option of a rule as a flag gives it.
//!
//! `docs/rules.md` describes the file. Which rules a store has, and what becomes of
//! them, is not known here.

mod check;
mod defaults;
mod fault;
mod key;
mod print;
mod read;
mod scalar;
mod slo;
#[cfg(test)]
mod tests;
mod yaml;

pub use check::check;
pub use defaults::defaults;
pub use fault::{Complaint, Fault, Faults};
pub use key::{Key, set};
pub use print::{differences, print, shown};
pub use read::parse;
pub use yaml::{Content, Mark, Node, parse as parse_yaml};
