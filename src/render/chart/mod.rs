//! x
pub mod scale;
pub mod label;
pub mod time_axis;
