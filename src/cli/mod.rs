//! Arguments in, one call, text out.

pub mod time;
