//! Tests of the program as a whole: the real binary, run as a user runs it, and
//! the rules that hold the house up.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking, in helpers as well"
)]

mod floors;
mod lines;
mod migrations;
mod obs;
mod real_inputs;
mod rust_source;
mod scenario;
mod story;
mod uses;
