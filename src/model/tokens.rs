//! The normal form of a request's tokens: disjoint classes that can be added up.
//!
//! Providers count differently (some inputs include cached tokens, some outputs
//! include reasoning). Each input format brings its numbers into this form in
//! one place; the totals that users know are derived from it here.

/// Tokens of one request, each token in exactly one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Text input that was neither read from nor written to a cache.
    pub input_uncached: u64,
    /// Input read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input written to a cache that lives 5 minutes.
    pub cache_write_5m: u64,
    /// Input written to a cache that lives one hour.
    pub cache_write_1h: u64,
    /// Text output without reasoning.
    pub output: u64,
    /// Output spent on reasoning.
    pub reasoning: u64,
    /// Audio input.
    pub audio_input: u64,
    /// Audio output.
    pub audio_output: u64,
    /// Image input.
    pub image_input: u64,
    /// Tokens told only as a total, without a word on which side they lie.
    pub unclassified: u64,
}

impl Tokens {
    /// All input, cached or not.
    pub fn input_total(&self) -> u128 {
        [
            self.input_uncached,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.audio_input,
            self.image_input,
        ]
        .into_iter()
        .map(u128::from)
        .sum()
    }

    /// All output, reasoning included.
    pub fn output_total(&self) -> u128 {
        u128::from(self.output) + u128::from(self.reasoning) + u128::from(self.audio_output)
    }

    /// All tokens.
    pub fn total(&self) -> u128 {
        self.input_total() + self.output_total() + u128::from(self.unclassified)
    }
}
