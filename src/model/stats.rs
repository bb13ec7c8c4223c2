//! What happened in one span of time. The heart of `obs`.
//!
//! [`Stats`] can be empty, observe one event, and merge with another. A minute,
//! an hour, a day and "all of last week" are then one function, and every rate
//! is derived in one place, so that a table, an alert and a bill cannot disagree.
//! It does not know of which span or group it speaks.

use super::{CacheEvent, CostMode, Decision, Event, Millis, Signal, Sketch, Tokens, Usd};

/// Counts, latency, tokens and money of one span of time and one group.
///
/// Merging is order-free and exact: the stats of an hour are the merge of its
/// minutes, whatever the tree of merges. Latency, tokens and cost are those of
/// requests; an event of another kind is counted in its own part only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests, successful or not.
    pub requests: u64,
    /// Requests that failed.
    pub failures: u64,
    /// How long requests took.
    pub latency: Distribution,
    /// How long the first token took.
    pub ttft: Distribution,
    /// Tokens of requests, by class.
    pub tokens: TokenSums,
    /// Money spent on requests.
    pub cost: CostSums,
    /// What the answer cache did.
    pub cache: CacheSums,
    /// What rate limiters said.
    pub limits: LimitSums,
    /// When the first event of any kind happened.
    pub first: Option<Millis>,
    /// When the last event of any kind happened.
    pub last: Option<Millis>,
}

/// A distribution of times: exact count, sum and extremes, and a sketch for percentiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// How many values.
    pub count: u64,
    /// Their sum in microseconds.
    pub sum_us: i128,
    /// The smallest, in microseconds; meaningless when there is none.
    pub min_us: i64,
    /// The largest, in microseconds; meaningless when there is none.
    pub max_us: i64,
    /// Their shape, in milliseconds.
    pub sketch: Sketch,
}

/// Sums of the token classes (see [`Tokens`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenSums {
    /// Text input outside any cache.
    pub input_uncached: i128,
    /// Input read from a prompt cache.
    pub cache_read: i128,
    /// Input written to a 5-minute cache.
    pub cache_write_5m: i128,
    /// Input written to a one-hour cache.
    pub cache_write_1h: i128,
    /// Text output without reasoning.
    pub output: i128,
    /// Output spent on reasoning.
    pub reasoning: i128,
    /// Audio input.
    pub audio_input: i128,
    /// Audio output.
    pub audio_output: i128,
    /// Image input.
    pub image_input: i128,
    /// Told only as a total.
    pub unclassified: i128,
    /// Requests whose told total contradicts their classes.
    pub mismatches: u64,
}

/// Sums of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CostSums {
    /// What counts, by the cost mode of the store.
    pub counted: Usd,
    /// What events reported.
    pub reported: Usd,
    /// What the price table computed.
    pub computed: Usd,
    /// Requests without a cost that counts. They are not free; nobody knows.
    pub unpriced: u64,
}

/// Sums over cache events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheSums {
    /// Answers found.
    pub hits: u64,
    /// Answers not found.
    pub misses: u64,
    /// Answers put there.
    pub stores: u64,
    /// Money saved.
    pub saved_cost: Usd,
    /// Tokens saved.
    pub saved_tokens: i128,
}

/// Sums over rate-limit events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSums {
    /// Calls let through.
    pub allowed: u64,
    /// Calls refused.
    pub denied: u64,
}

impl Stats {
    /// Adds one event; `mode` says which of its costs counts.
    pub fn observe(&mut self, event: &Event<'_>, mode: CostMode) {
        self.observe_sums(event, mode);
        if let Signal::Request { .. } = event.signal {
            if let Some(us) = event.latency_us {
                self.latency.observe(us);
            }
            if let Some(us) = event.ttft_us {
                self.ttft.observe(us);
            }
        }
    }

    /// Adds one event but for its times, as a ledger does.
    pub fn observe_sums(&mut self, event: &Event<'_>, mode: CostMode) {
        self.first = Some(self.first.map_or(event.at, |t| t.min(event.at)));
        self.last = Some(self.last.map_or(event.at, |t| t.max(event.at)));
        match event.signal {
            Signal::Request { success } => {
                self.requests += 1;
                self.failures += u64::from(!success);
                if let Some(tokens) = &event.tokens {
                    self.tokens.observe(tokens);
                }
                self.tokens.mismatches += u64::from(event.total_told.is_some());
                self.cost
                    .observe(event.cost_reported, event.cost_computed, mode);
            }
            Signal::Cache(what) => {
                match what {
                    CacheEvent::Hit => self.cache.hits += 1,
                    CacheEvent::Miss => self.cache.misses += 1,
                    CacheEvent::Store => self.cache.stores += 1,
                }
                self.cache.saved_cost += event.saved_cost.unwrap_or_default();
                self.cache.saved_tokens += i128::from(event.saved_tokens.unwrap_or(0));
            }
            Signal::RateLimit(Decision::Allowed) => self.limits.allowed += 1,
            Signal::RateLimit(Decision::Denied) => self.limits.denied += 1,
        }
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Stats) {
        self.requests += other.requests;
        self.failures += other.failures;
        self.latency.merge(&other.latency);
        self.ttft.merge(&other.ttft);
        self.tokens.merge(&other.tokens);
        self.cost.merge(&other.cost);
        self.cache.merge(&other.cache);
        self.limits.allowed += other.limits.allowed;
        self.limits.denied += other.limits.denied;
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
    }

    /// Takes the sums of `other` out again, which must have been merged before.
    /// Distributions and extent cannot shrink and stay as they are.
    pub fn retract(&mut self, other: &Stats) {
        self.requests = self.requests.saturating_sub(other.requests);
        self.failures = self.failures.saturating_sub(other.failures);
        self.tokens.retract(&other.tokens);
        self.cost.retract(&other.cost);
        self.cache.retract(&other.cache);
        self.limits.allowed = self.limits.allowed.saturating_sub(other.limits.allowed);
        self.limits.denied = self.limits.denied.saturating_sub(other.limits.denied);
    }

    /// Whether no event of any kind is left in the sums.
    pub fn counts_nothing(&self) -> bool {
        let CacheSums {
            hits,
            misses,
            stores,
            ..
        } = self.cache;
        self.requests + hits + misses + stores + self.limits.allowed + self.limits.denied == 0
    }

    /// Forgets everything but the room that its sketches have taken.
    pub fn clear(&mut self) {
        let [latency, ttft] = [&mut self.latency, &mut self.ttft].map(|part| {
            part.sketch.clear();
            Distribution {
                sketch: std::mem::take(&mut part.sketch),
                ..Distribution::default()
            }
        });
        *self = Stats {
            latency,
            ttft,
            ..Stats::default()
        };
    }

    /// Whether nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Requests that succeeded.
    pub fn successes(&self) -> u64 {
        self.requests - self.failures
    }

    /// Share of requests that succeeded, or `None` when there were none.
    pub fn success_rate(&self) -> Option<f64> {
        ratio(self.successes(), self.requests)
    }

    /// Share of requests that failed, or `None` when there were none.
    pub fn error_rate(&self) -> Option<f64> {
        ratio(self.failures, self.requests)
    }

    /// Hits among hits and misses, or `None` when there were neither.
    pub fn cache_hit_rate(&self) -> Option<f64> {
        ratio(self.cache.hits, self.cache.hits + self.cache.misses)
    }

    /// Share of rate-limit decisions that were refusals, or `None` when there were none.
    pub fn rate_limit_denial_rate(&self) -> Option<f64> {
        ratio(self.limits.denied, self.limits.allowed + self.limits.denied)
    }
}

impl Distribution {
    /// Adds one value in microseconds.
    pub fn observe(&mut self, us: i64) {
        self.min_us = if self.count == 0 {
            us
        } else {
            self.min_us.min(us)
        };
        self.max_us = if self.count == 0 {
            us
        } else {
            self.max_us.max(us)
        };
        self.count += 1;
        self.sum_us += i128::from(us);
        self.sketch.observe(us as f64 / 1000.0);
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Distribution) {
        self.merge_summary(other.count, other.sum_us, other.min_us, other.max_us);
        self.sketch.merge(&other.sketch);
    }

    /// Adds everything but the shape; whoever calls it merges the sketch as well.
    pub fn merge_summary(&mut self, count: u64, sum_us: i128, min_us: i64, max_us: i64) {
        if count == 0 {
            return;
        }
        self.min_us = if self.count == 0 {
            min_us
        } else {
            self.min_us.min(min_us)
        };
        self.max_us = if self.count == 0 {
            max_us
        } else {
            self.max_us.max(max_us)
        };
        self.count += count;
        self.sum_us += sum_us;
    }

    /// The mean in milliseconds, or `None` when there is no value.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_us as f64 / self.count as f64 / 1000.0)
    }

    /// The smallest value in milliseconds.
    pub fn min_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| self.min_us as f64 / 1000.0)
    }

    /// The largest value in milliseconds.
    pub fn max_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| self.max_us as f64 / 1000.0)
    }

    /// The smallest value whose cumulative share is at least `q` (SQL's
    /// `PERCENTILE_DISC`), in milliseconds, within 0.55 %; never outside the
    /// extremes that were seen. `None` when there is no value.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        let estimate = self.sketch.quantile(q)?;
        Some(estimate.clamp(self.min_us as f64 / 1000.0, self.max_us as f64 / 1000.0))
    }
}

impl TokenSums {
    fn observe(&mut self, tokens: &Tokens) {
        self.input_uncached += i128::from(tokens.input_uncached);
        self.cache_read += i128::from(tokens.cache_read);
        self.cache_write_5m += i128::from(tokens.cache_write_5m);
        self.cache_write_1h += i128::from(tokens.cache_write_1h);
        self.output += i128::from(tokens.output);
        self.reasoning += i128::from(tokens.reasoning);
        self.audio_input += i128::from(tokens.audio_input);
        self.audio_output += i128::from(tokens.audio_output);
        self.image_input += i128::from(tokens.image_input);
        self.unclassified += i128::from(tokens.unclassified);
    }

    fn merge(&mut self, other: &TokenSums) {
        self.input_uncached += other.input_uncached;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
        self.reasoning += other.reasoning;
        self.audio_input += other.audio_input;
        self.audio_output += other.audio_output;
        self.image_input += other.image_input;
        self.unclassified += other.unclassified;
        self.mismatches += other.mismatches;
    }

    fn retract(&mut self, other: &TokenSums) {
        self.input_uncached -= other.input_uncached;
        self.cache_read -= other.cache_read;
        self.cache_write_5m -= other.cache_write_5m;
        self.cache_write_1h -= other.cache_write_1h;
        self.output -= other.output;
        self.reasoning -= other.reasoning;
        self.audio_input -= other.audio_input;
        self.audio_output -= other.audio_output;
        self.image_input -= other.image_input;
        self.unclassified -= other.unclassified;
        self.mismatches = self.mismatches.saturating_sub(other.mismatches);
    }

    /// All input, cached or not.
    pub fn input_total(&self) -> i128 {
        self.input_uncached
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.audio_input
            + self.image_input
    }

    /// All output, reasoning included.
    pub fn output_total(&self) -> i128 {
        self.output + self.reasoning + self.audio_output
    }

    /// All tokens.
    pub fn total(&self) -> i128 {
        self.input_total() + self.output_total() + self.unclassified
    }
}

impl CostSums {
    fn observe(&mut self, reported: Option<Usd>, computed: Option<Usd>, mode: CostMode) {
        self.reported += reported.unwrap_or_default();
        self.computed += computed.unwrap_or_default();
        match mode.choose(reported, computed) {
            Some(cost) => self.counted += cost,
            None => self.unpriced += 1,
        }
    }

    fn merge(&mut self, other: &CostSums) {
        self.counted += other.counted;
        self.reported += other.reported;
        self.computed += other.computed;
        self.unpriced += other.unpriced;
    }

    fn retract(&mut self, other: &CostSums) {
        self.counted -= other.counted;
        self.reported -= other.reported;
        self.computed -= other.computed;
        self.unpriced = self.unpriced.saturating_sub(other.unpriced);
    }
}

impl CacheSums {
    fn merge(&mut self, other: &CacheSums) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.stores += other.stores;
        self.saved_cost += other.saved_cost;
        self.saved_tokens += other.saved_tokens;
    }

    fn retract(&mut self, other: &CacheSums) {
        self.hits = self.hits.saturating_sub(other.hits);
        self.misses = self.misses.saturating_sub(other.misses);
        self.stores = self.stores.saturating_sub(other.stores);
        self.saved_cost -= other.saved_cost;
        self.saved_tokens -= other.saved_tokens;
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn earlier(a: Option<Millis>, b: Option<Millis>) -> Option<Millis> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests;
