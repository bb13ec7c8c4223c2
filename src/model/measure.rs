//! Every number that can be asked for: its names, its unit, and how it comes out
//! of [`Stats`].
//!
//! Statistics, charts, rules and pages know measures only through this table; a
//! new measure is one row of it. How a number is drawn, and which span is read
//! to know it, is decided elsewhere.

use super::{Millis, Stats, Unit, Usd, nearest};

/// A number, or the lack of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Nothing to say: a share, mean or extreme of nothing. It is not zero.
    Missing,
    /// A whole number.
    Int(i128),
    /// A number in the measure's unit.
    Float(f64),
    /// An amount of money.
    Usd(Usd),
    /// A moment.
    At(Millis),
}

/// What sort of number a measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A sum of things; 0 when there are none.
    Count,
    /// A sum of money; $0 when there is none.
    Money,
    /// A share from 0 to 1; missing when there is nothing to share.
    Ratio,
    /// How long requests took; missing when none told.
    Latency,
    /// A sum spread over something: per second of the window, per request.
    Gauge,
    /// A moment; missing when nothing happened.
    Moment,
}

/// How much of [`Stats`] must be filled for a measure to be right; each level
/// includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needs {
    /// Only what adds up (counts, tokens, money) and the first and last moment.
    /// A ledger without any times of requests can answer.
    Sums,
    /// Also count, sum and extremes of the times that requests took.
    Times,
    /// Also the sketches of these times.
    Sketches,
}

/// What is known about a measure.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The name in questions and rules: `p95_latency`.
    pub id: &'static str,
    /// The name in data, with its unit: `latency_p95_ms`.
    pub field: &'static str,
    /// The name above a column or a chart: `p95 latency`.
    pub title: &'static str,
    /// More names that are understood.
    pub aliases: &'static [&'static str],
    /// The unit of its value.
    pub unit: Unit,
    /// What sort of number it is.
    pub kind: Kind,
    /// What must be read to know it.
    pub needs: Needs,
    /// When set, the value of a bucket that ends at `t` is not that of the
    /// bucket's own stats: the caller reads the stats of `[t - trailing_ms, t)`.
    pub trailing_ms: Option<i64>,
    basis: fn(&Stats) -> u64,
    formula: Formula,
}

/// How a value comes out of stats.
#[derive(Clone, Copy, Debug)]
enum Formula {
    Int(fn(&Stats) -> i128),
    Usd(fn(&Stats) -> Usd),
    Float(fn(&Stats) -> Option<f64>),
    At(fn(&Stats) -> Option<Millis>),
    PerSecond(fn(&Stats) -> i128),
    MeanUsd(fn(&Stats) -> (Usd, u64)),
}

/// A name that no measure has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown measure {name:?}")]
pub struct UnknownMeasure {
    /// What was asked for.
    pub name: String,
    /// The name that was meant, if one is near enough.
    pub nearest: Option<&'static str>,
}

/// Makes the closed set of measures and its table from rows `Variant "title" => spec`.
macro_rules! measures {
    ($($variant:ident $title:literal => $spec:expr;)*) => {
        /// A number that can be asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Measure {
            $(#[doc = concat!("The ", $title, ".")] $variant,)*
        }

        impl Measure {
            /// Every measure, in the order of lists.
            pub const ALL: &[Measure] = &[$(Measure::$variant),*];
        }

        static SPECS: [Spec; Measure::ALL.len()] = [$(Spec { title: $title, ..$spec }),*];
    };
}

measures! {
    Requests "requests" =>
        count("requests", |s| s.requests.into());
    Successes "successful requests" =>
        count("successes", |s| s.successes().into());
    Failures "failed requests" =>
        count("failures", |s| s.failures.into()).also(&["errors"]);
    SuccessRate "success rate" =>
        ratio("success_rate", Stats::success_rate);
    ErrorRate "error rate" =>
        ratio("error_rate", Stats::error_rate).also(&["failure_rate"]);
    Throughput "requests per second" =>
        per_second("throughput", "throughput_rps", |s| s.requests.into());

    AvgLatency "average latency" =>
        time("avg_latency", "latency_avg_ms", |s| s.latency.mean_ms())
            .also(&["latency", "mean_latency"]);
    MinLatency "lowest latency" =>
        time("min_latency", "latency_min_ms", |s| s.latency.min_ms());
    MaxLatency "highest latency" =>
        time("max_latency", "latency_max_ms", |s| s.latency.max_ms());
    P50Latency "p50 latency" =>
        percentile("p50_latency", "latency_p50_ms", |s| s.latency.quantile_ms(0.50))
            .also(&["median_latency"]);
    P90Latency "p90 latency" =>
        percentile("p90_latency", "latency_p90_ms", |s| s.latency.quantile_ms(0.90));
    P95Latency "p95 latency" =>
        percentile("p95_latency", "latency_p95_ms", |s| s.latency.quantile_ms(0.95));
    P99Latency "p99 latency" =>
        percentile("p99_latency", "latency_p99_ms", |s| s.latency.quantile_ms(0.99));

    AvgTtft "average time to first token" =>
        time("avg_ttft", "ttft_avg_ms", |s| s.ttft.mean_ms())
            .resting_on(|s| s.ttft.count).also(&["ttft", "mean_ttft"]);
    P50Ttft "p50 time to first token" =>
        percentile("p50_ttft", "ttft_p50_ms", |s| s.ttft.quantile_ms(0.50))
            .resting_on(|s| s.ttft.count).also(&["median_ttft"]);
    P95Ttft "p95 time to first token" =>
        percentile("p95_ttft", "ttft_p95_ms", |s| s.ttft.quantile_ms(0.95))
            .resting_on(|s| s.ttft.count);
    P99Ttft "p99 time to first token" =>
        percentile("p99_ttft", "ttft_p99_ms", |s| s.ttft.quantile_ms(0.99))
            .resting_on(|s| s.ttft.count);

    InputTokens "input tokens" =>
        tokens("input_tokens", |s| s.tokens.input_total());
    OutputTokens "output tokens" =>
        tokens("output_tokens", |s| s.tokens.output_total());
    TotalTokens "total tokens" =>
        tokens("total_tokens", |s| s.tokens.total()).also(&["tokens"]);
    TokensPerSecond "tokens per second" =>
        per_second("tokens_per_second", "tokens_per_second", |s| s.tokens.total());
    InputUncachedTokens "uncached text input tokens" =>
        tokens("input_uncached_tokens", |s| s.tokens.input_uncached);
    CacheReadTokens "input tokens read from cache" =>
        tokens("cache_read_tokens", |s| s.tokens.cache_read);
    CacheWriteTokens "input tokens written to cache" =>
        tokens("cache_write_tokens", |s| s.tokens.cache_write_5m + s.tokens.cache_write_1h);
    CacheWrite5mTokens "input tokens written to 5-minute cache" =>
        tokens("cache_write_5m_tokens", |s| s.tokens.cache_write_5m);
    CacheWrite1hTokens "input tokens written to one-hour cache" =>
        tokens("cache_write_1h_tokens", |s| s.tokens.cache_write_1h);
    TextOutputTokens "text output tokens without reasoning" =>
        tokens("text_output_tokens", |s| s.tokens.output);
    ReasoningTokens "reasoning tokens" =>
        tokens("reasoning_tokens", |s| s.tokens.reasoning);
    AudioInputTokens "audio input tokens" =>
        tokens("audio_input_tokens", |s| s.tokens.audio_input);
    AudioOutputTokens "audio output tokens" =>
        tokens("audio_output_tokens", |s| s.tokens.audio_output);
    ImageInputTokens "image input tokens" =>
        tokens("image_input_tokens", |s| s.tokens.image_input);
    UnclassifiedTokens "tokens told only as a total" =>
        tokens("unclassified_tokens", |s| s.tokens.unclassified);
    TokenMismatches "requests whose total contradicts their tokens" =>
        count("token_mismatches", |s| s.tokens.mismatches.into());

    Cost "cost" =>
        money("cost", "cost_usd", |s| s.cost.counted);
    ReportedCost "reported cost" =>
        money("reported_cost", "cost_reported_usd", |s| s.cost.reported);
    ComputedCost "computed cost" =>
        money("computed_cost", "cost_computed_usd", |s| s.cost.computed);
    HourlyCost "cost of the last 60 minutes" =>
        money("hourly_cost", "cost_hourly_usd", |s| s.cost.counted).over_the_last(Millis::HOUR);
    CostPerRequest "cost per priced request" =>
        mean_money("cost_per_request", "cost_per_request_usd",
            |s| (s.cost.counted, s.requests.saturating_sub(s.cost.unpriced)));
    Unpriced "requests without a known cost" =>
        count("unpriced", |s| s.cost.unpriced.into());

    CacheHits "cache hits" =>
        count("cache_hits", |s| s.cache.hits.into()).resting_on(of_cache);
    CacheMisses "cache misses" =>
        count("cache_misses", |s| s.cache.misses.into()).resting_on(of_cache);
    CacheStores "cache stores" =>
        count("cache_stores", |s| s.cache.stores.into()).resting_on(of_cache);
    CacheHitRate "cache hit rate" =>
        ratio("cache_hit_rate", Stats::cache_hit_rate)
            .resting_on(|s| s.cache.hits + s.cache.misses);
    CacheSavedCost "cost saved by the cache" =>
        money("cache_saved_cost", "cache_saved_cost_usd", |s| s.cache.saved_cost)
            .also(&["saved_cost"]).resting_on(of_cache);
    CacheSavedTokens "tokens saved by the cache" =>
        tokens("cache_saved_tokens", |s| s.cache.saved_tokens).also(&["saved_tokens"]).resting_on(of_cache);

    RateLimitAllowed "calls let through by rate limits" =>
        count("rate_limit_allowed", |s| s.limits.allowed.into()).resting_on(of_limits);
    RateLimitDenied "calls refused by rate limits" =>
        count("rate_limit_denied", |s| s.limits.denied.into()).resting_on(of_limits);
    RateLimitDenialRate "rate-limit denial rate" =>
        ratio("rate_limit_denial_rate", Stats::rate_limit_denial_rate).also(&["denial_rate"])
            .resting_on(of_limits);

    FirstEvent "time of the first event" =>
        moment("first_event", |s| s.first).resting_on(|s| s.first.is_some().into());
    LastEvent "time of the last event" =>
        moment("last_event", |s| s.last).resting_on(|s| s.last.is_some().into());
}

impl Measure {
    /// What `obs stats` shows when nothing else is asked for.
    pub const STANDARD: [Measure; 27] = [
        Measure::Requests,
        Measure::Successes,
        Measure::Failures,
        Measure::SuccessRate,
        Measure::ErrorRate,
        Measure::AvgLatency,
        Measure::MinLatency,
        Measure::MaxLatency,
        Measure::P50Latency,
        Measure::P95Latency,
        Measure::P99Latency,
        Measure::InputTokens,
        Measure::OutputTokens,
        Measure::TotalTokens,
        Measure::Cost,
        Measure::Unpriced,
        Measure::CacheHits,
        Measure::CacheMisses,
        Measure::CacheStores,
        Measure::CacheHitRate,
        Measure::CacheSavedCost,
        Measure::CacheSavedTokens,
        Measure::RateLimitAllowed,
        Measure::RateLimitDenied,
        Measure::RateLimitDenialRate,
        Measure::FirstEvent,
        Measure::LastEvent,
    ];

    /// What is known about it.
    pub fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }

    /// The measure of that id, data field or alias.
    ///
    /// # Errors
    /// When no measure has that name.
    pub fn parse(name: &str) -> Result<Measure, UnknownMeasure> {
        let known = |m: &Measure| m.spec().names().any(|n| n == name);
        let found = Measure::ALL.iter().copied().find(known);
        found.ok_or_else(|| UnknownMeasure {
            name: name.to_owned(),
            nearest: nearest(name, Measure::ALL.iter().flat_map(|m| m.spec().names())),
        })
    }

    /// Its value in the stats of a window of `window_ms` milliseconds.
    pub fn value(self, stats: &Stats, window_ms: i64) -> Value {
        match self.spec().formula {
            Formula::Int(of) => Value::Int(of(stats)),
            Formula::Usd(of) => Value::Usd(of(stats)),
            Formula::Float(of) => of(stats).map_or(Value::Missing, Value::Float),
            Formula::At(of) => of(stats).map_or(Value::Missing, Value::At),
            Formula::PerSecond(of) => per_second_of(of(stats), window_ms),
            Formula::MeanUsd(of) => mean_of(of(stats)),
        }
    }

    /// On how many events its value rests: requests, requests that told a latency,
    /// accesses of a cache, …
    pub fn rests_on(self, stats: &Stats) -> u64 {
        (self.spec().basis)(stats)
    }
}

impl Value {
    /// The number to compare and to draw: dollars for money, milliseconds since
    /// the epoch for a moment.
    pub fn as_f64(self) -> Option<f64> {
        match self {
            Value::Missing => None,
            Value::Int(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            Value::Usd(amount) => Some(amount.to_f64()),
            Value::At(at) => Some(at.0 as f64),
        }
    }
}

impl Spec {
    /// Every name it is known by: id, data field, aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.id, self.field]
            .into_iter()
            .chain(self.aliases.iter().copied())
    }

    /// Whether it is a percentile, which a handful of values cannot tell.
    pub fn is_percentile(&self) -> bool {
        self.needs == Needs::Sketches
    }

    const fn new(
        id: &'static str,
        field: &'static str,
        unit: Unit,
        kind: Kind,
        formula: Formula,
    ) -> Spec {
        Spec {
            id,
            field,
            title: "",
            aliases: &[],
            unit,
            kind,
            needs: Needs::Sums,
            trailing_ms: None,
            basis: |s| s.requests,
            formula,
        }
    }

    const fn also(self, aliases: &'static [&'static str]) -> Spec {
        Spec { aliases, ..self }
    }

    const fn needing(self, needs: Needs) -> Spec {
        Spec { needs, ..self }
    }

    const fn resting_on(self, basis: fn(&Stats) -> u64) -> Spec {
        Spec { basis, ..self }
    }

    const fn over_the_last(self, ms: i64) -> Spec {
        Spec {
            trailing_ms: Some(ms),
            ..self
        }
    }
}

const fn count(id: &'static str, of: fn(&Stats) -> i128) -> Spec {
    Spec::new(id, id, Unit::Count, Kind::Count, Formula::Int(of))
}

const fn tokens(id: &'static str, of: fn(&Stats) -> i128) -> Spec {
    Spec::new(id, id, Unit::Tokens, Kind::Count, Formula::Int(of))
}

const fn money(id: &'static str, field: &'static str, of: fn(&Stats) -> Usd) -> Spec {
    Spec::new(id, field, Unit::Usd, Kind::Money, Formula::Usd(of))
}

const fn mean_money(id: &'static str, field: &'static str, of: fn(&Stats) -> (Usd, u64)) -> Spec {
    Spec::new(id, field, Unit::Usd, Kind::Gauge, Formula::MeanUsd(of))
}

const fn ratio(id: &'static str, of: fn(&Stats) -> Option<f64>) -> Spec {
    Spec::new(id, id, Unit::Ratio, Kind::Ratio, Formula::Float(of))
}

const fn per_second(id: &'static str, field: &'static str, of: fn(&Stats) -> i128) -> Spec {
    Spec::new(
        id,
        field,
        Unit::PerSecond,
        Kind::Gauge,
        Formula::PerSecond(of),
    )
}

const fn time(id: &'static str, field: &'static str, of: fn(&Stats) -> Option<f64>) -> Spec {
    Spec::new(
        id,
        field,
        Unit::Milliseconds,
        Kind::Latency,
        Formula::Float(of),
    )
    .needing(Needs::Times)
    .resting_on(|s| s.latency.count)
}

const fn percentile(id: &'static str, field: &'static str, of: fn(&Stats) -> Option<f64>) -> Spec {
    time(id, field, of).needing(Needs::Sketches)
}

const fn moment(id: &'static str, of: fn(&Stats) -> Option<Millis>) -> Spec {
    Spec::new(id, id, Unit::Time, Kind::Moment, Formula::At(of))
}

/// Events of any kind that an answer cache sent.
const fn of_cache(stats: &Stats) -> u64 {
    stats.cache.hits + stats.cache.misses + stats.cache.stores
}

/// Events of any kind that rate limiters sent.
const fn of_limits(stats: &Stats) -> u64 {
    stats.limits.allowed + stats.limits.denied
}

/// A sum per second of the window; a window without length has none.
fn per_second_of(sum: i128, window_ms: i64) -> Value {
    if window_ms > 0 {
        Value::Float(sum as f64 * Millis::SECOND as f64 / window_ms as f64)
    } else {
        Value::Missing
    }
}

/// A mean amount, to the nearest nano-dollar.
fn mean_of((sum, number): (Usd, u64)) -> Value {
    match i128::from(number) {
        0 => Value::Missing,
        number => Value::Usd(Usd((2 * sum.0 + number).div_euclid(2 * number))),
    }
}

#[cfg(test)]
mod tests;
