//! Hands arguments and streams to the library and returns its exit code.
fn main() {}
