//! Units of what can be measured.

/// The unit of a number, by which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A number of tokens.
    Tokens,
    /// Milliseconds.
    Milliseconds,
    /// A fraction from 0 to 1, shown to people as per cent.
    Ratio,
    /// US dollars.
    Usd,
    /// Things per second.
    PerSecond,
    /// A moment in UTC milliseconds.
    Time,
}
