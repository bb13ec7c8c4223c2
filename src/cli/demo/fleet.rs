//! The providers of the simulated week: their models, how fast these are and
//! what they cost, and the ways in which a request fails.
//!
//! When things happen is not known here.

/// A provider of models.
pub(super) struct Provider {
    pub name: &'static str,
    /// Its part of all traffic, as a weight.
    pub share: f64,
    /// Share of requests that fail on a good day.
    pub failures: f64,
    /// Share of requests that its rate limit denies.
    pub denials: f64,
    pub models: &'static [Model],
    /// What it answers when it has too much to do.
    pub overloaded: Fault,
}

/// A model, as it does on a good day.
pub(super) struct Model {
    pub name: &'static str,
    /// Its part of the provider's traffic, as a weight.
    pub share: f64,
    /// Median time to the first token.
    pub first_token_ms: f64,
    /// Time for each token of output.
    pub token_ms: f64,
    pub price: Price,
}

/// Nano-dollars a token, that is, dollars a million tokens times 1,000.
pub(super) struct Price {
    pub input: u64,
    pub cached: u64,
    pub output: u64,
}

/// A way in which a request fails.
pub(super) struct Fault {
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    pub kind: &'static str,
    pub message: &'static str,
    /// Median time until it is known.
    pub after_ms: f64,
}

/// Faults of a good day, with their weights.
pub(super) const FAULTS: [(Fault, f64); 3] = [
    (
        Fault {
            status: 429,
            kind: "rate_limit",
            message: "rate limit reached, try again in 20 s",
            after_ms: 180.0,
        },
        5.0,
    ),
    (
        Fault {
            status: 500,
            kind: "other",
            message: "internal server error",
            after_ms: 900.0,
        },
        3.0,
    ),
    (
        Fault {
            status: 0,
            kind: "network_error",
            message: "connection reset by peer",
            after_ms: 250.0,
        },
        1.0,
    ),
];

/// List prices as LiteLLM 1.109.1 tells them.
pub(super) const PROVIDERS: [Provider; 5] = [
    Provider {
        name: "claude",
        share: 34.0,
        failures: 0.006,
        denials: 0.004,
        models: &[
            Model {
                name: "claude-sonnet-4-6",
                share: 6.0,
                first_token_ms: 720.0,
                token_ms: 12.0,
                price: Price::new(3_000, 300, 15_000),
            },
            Model {
                name: "claude-haiku-4-5",
                share: 4.0,
                first_token_ms: 380.0,
                token_ms: 6.0,
                price: Price::new(1_000, 100, 5_000),
            },
        ],
        overloaded: overloaded(529),
    },
    Provider {
        name: "openai",
        share: 30.0,
        failures: 0.005,
        denials: 0.003,
        models: &[
            Model {
                name: "gpt-5.4",
                share: 4.0,
                first_token_ms: 640.0,
                token_ms: 11.0,
                price: Price::new(2_500, 250, 15_000),
            },
            Model {
                name: "gpt-5.4-mini",
                share: 6.0,
                first_token_ms: 330.0,
                token_ms: 6.0,
                price: Price::new(750, 75, 4_500),
            },
        ],
        overloaded: overloaded(503),
    },
    Provider {
        name: "gemini",
        share: 18.0,
        failures: 0.009,
        denials: 0.006,
        models: &[
            Model {
                name: "gemini-3.1-pro-preview",
                share: 3.0,
                first_token_ms: 810.0,
                token_ms: 9.0,
                price: Price::new(2_000, 200, 12_000),
            },
            Model {
                name: "gemini-3.8-flash",
                share: 7.0,
                first_token_ms: 290.0,
                token_ms: 4.0,
                price: Price::new(750, 75, 3_750),
            },
        ],
        overloaded: overloaded(503),
    },
    Provider {
        name: "mistral",
        share: 10.0,
        failures: 0.008,
        denials: 0.005,
        models: &[Model {
            name: "mistral-medium-3.5",
            share: 1.0,
            first_token_ms: 420.0,
            token_ms: 9.0,
            price: Price::new(1_500, 150, 7_500),
        }],
        overloaded: overloaded(503),
    },
    Provider {
        name: "groq",
        share: 8.0,
        failures: 0.004,
        denials: 0.06,
        models: &[Model {
            name: "openai/gpt-oss-120b",
            share: 1.0,
            first_token_ms: 140.0,
            token_ms: 2.0,
            price: Price::new(150, 75, 600),
        }],
        overloaded: overloaded(503),
    },
];

impl Price {
    const fn new(input: u64, cached: u64, output: u64) -> Price {
        Price {
            input,
            cached,
            output,
        }
    }
}

const fn overloaded(status: u16) -> Fault {
    Fault {
        status,
        kind: "overloaded",
        message: "overloaded, try again later",
        after_ms: 400.0,
    }
}
