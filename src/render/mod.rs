//! Values to text.

pub mod chart;
