//! One thing that happened: a request to a provider, a cache access, a decision
//! of a rate limiter.
//!
//! An [`Event`] borrows its texts from the line it was read from, so that
//! decoding a line allocates nothing. How it came in (JSON, CSV) and how it is
//! stored is not known here.

use std::borrow::Cow;

use super::{Millis, ServiceTier, Tokens, Usd};

/// What kind of event it is, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// A call of a provider.
    Request {
        /// Whether the provider answered with a result.
        success: bool,
    },
    /// An access of the application's own answer cache.
    Cache(CacheEvent),
    /// A decision of a rate limiter.
    RateLimit(Decision),
}

/// What an answer cache did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheEvent {
    /// The answer was there.
    Hit,
    /// The answer was not there.
    Miss,
    /// An answer was put there.
    Store,
}

/// What a rate limiter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The call may go ahead.
    Allowed,
    /// The call may not.
    Denied,
}

impl Signal {
    /// Every signal in every outcome, in the order of their numbers in the store.
    pub const ALL: [Signal; 7] = [
        Signal::Request { success: false },
        Signal::Request { success: true },
        Signal::Cache(CacheEvent::Hit),
        Signal::Cache(CacheEvent::Miss),
        Signal::Cache(CacheEvent::Store),
        Signal::RateLimit(Decision::Allowed),
        Signal::RateLimit(Decision::Denied),
    ];

    /// The name of the kind: `request`, `cache` or `rate_limit`.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Request { .. } => "request",
            Signal::Cache(_) => "cache",
            Signal::RateLimit(_) => "rate_limit",
        }
    }
}

/// The texts by which events are grouped and filtered and of which there are few
/// combinations; together they name a series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels<'a> {
    /// Who answered: `claude`, `openai`, ...
    pub provider: Option<Cow<'a, str>>,
    /// Which model.
    pub model: Option<Cow<'a, str>>,
    /// The part the model played in the application: `planner`, `coder`, ...
    pub role: Option<Cow<'a, str>>,
    /// The project that pays.
    pub project: Option<Cow<'a, str>>,
    /// The path that was called.
    pub endpoint: Option<Cow<'a, str>>,
    /// The kind of failure: `timeout`, `overloaded_error`, ...
    pub error_type: Option<Cow<'a, str>>,
    /// What a rate limiter counts: `user`, `provider`, `requests`, ...
    pub limit_type: Option<Cow<'a, str>>,
    /// The HTTP status, 0 when there was no answer.
    pub status_code: Option<u16>,
}

/// One event. `None` always means that the event did not say.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// When it happened.
    pub at: Millis,
    /// What happened.
    pub signal: Signal,
    /// The name the sender gave it, by which it is told from others.
    pub id: Option<Cow<'a, str>>,
    /// The h it had in the store it was exported from, where its id does not make it.
    pub identity: Option<i64>,
    /// The series it belongs to.
    pub labels: Labels<'a>,
    /// On whose behalf.
    pub user: Option<Cow<'a, str>>,
    /// The conversation or run it was part of.
    pub session: Option<Cow<'a, str>>,
    /// The provider's or the application's own request id.
    pub request_id: Option<Cow<'a, str>>,
    /// The tools the model was given or used, as the sender wrote them.
    pub tools: Option<Cow<'a, str>>,
    /// How long it took, in microseconds.
    pub latency_us: Option<i64>,
    /// Time to the first token, in microseconds.
    pub ttft_us: Option<i64>,
    /// Tokens in their normal form; `None` when no count was told.
    pub tokens: Option<Tokens>,
    /// How the provider was asked to serve it, where that changes the price.
    pub service_tier: ServiceTier,
    /// The total the sender told, when it contradicts the classes.
    pub total_told: Option<u64>,
    /// What the sender says it cost.
    pub cost_reported: Option<Usd>,
    /// What the price table says it cost.
    pub cost_computed: Option<Usd>,
    /// What went wrong, in words.
    pub error_message: Option<Cow<'a, str>>,
    /// Money a cache hit saved.
    pub saved_cost: Option<Usd>,
    /// Tokens a cache hit saved.
    pub saved_tokens: Option<u64>,
    /// Calls or tokens left before the limit.
    pub limit_remaining: Option<i64>,
    /// The limit itself.
    pub limit_max: Option<i64>,
    /// When the limit starts afresh.
    pub limit_reset: Option<Millis>,
    /// Whom or what the limit counts.
    pub limit_key: Option<Cow<'a, str>>,
    /// Everything else that the event carried: one JSON object.
    pub metadata: Option<Cow<'a, str>>,
}

impl Event<'_> {
    /// An event that says nothing but when and what.
    pub fn new(at: Millis, signal: Signal) -> Self {
        Event {
            at,
            signal,
            id: None,
            identity: None,
            labels: Labels::default(),
            user: None,
            session: None,
            request_id: None,
            tools: None,
            latency_us: None,
            ttft_us: None,
            tokens: None,
            service_tier: ServiceTier::Standard,
            total_told: None,
            cost_reported: None,
            cost_computed: None,
            error_message: None,
            saved_cost: None,
            saved_tokens: None,
            limit_remaining: None,
            limit_max: None,
            limit_reset: None,
            limit_key: None,
            metadata: None,
        }
    }
}
