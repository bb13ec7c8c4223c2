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
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    fn stats<'a>(events: impl IntoIterator<Item = &'a Event<'static>>) -> Stats {
        let mut stats = Stats::default();
        for event in events {
            stats.observe(event, CostMode::Auto);
        }
        stats
    }

    #[test]
    fn an_unpriced_request_is_not_free() {
        let mut known = Event::new(Millis(0), Signal::Request { success: true });
        known.cost_reported = Some(Usd::ZERO);
        known.cost_computed = Some(Usd(4_500_000));
        let mut stats = Stats::default();
        stats.observe(&known, CostMode::Auto);
        stats.observe(&known, CostMode::Computed);
        known.cost_reported = None;
        stats.observe(&known, CostMode::Reported);
        assert_eq!(stats.cost.counted, Usd(4_500_000));
        assert_eq!(stats.cost.reported, Usd::ZERO);
        assert_eq!(stats.cost.computed, Usd(13_500_000));
        assert_eq!(stats.cost.unpriced, 1);
    }

    #[test]
    fn only_requests_count_as_requests() {
        let mut hit = Event::new(Millis(7), Signal::Cache(CacheEvent::Hit));
        hit.latency_us = Some(1_000);
        hit.cost_reported = Some(Usd::dollars(1));
        hit.saved_cost = Some(Usd::dollars(2));
        hit.saved_tokens = Some(150);
        let denied = Event::new(Millis(9), Signal::RateLimit(Decision::Denied));
        let seen = stats([&hit, &denied]);
        assert_eq!((seen.requests, seen.latency.count), (0, 0));
        assert_eq!(seen.cost, CostSums::default());
        assert_eq!((seen.cache.hits, seen.cache.saved_tokens), (1, 150));
        assert_eq!(seen.cache.saved_cost, Usd::dollars(2));
        assert_eq!(seen.limits.denied, 1);
        assert_eq!((seen.first, seen.last), (Some(Millis(7)), Some(Millis(9))));
    }

    #[test]
    fn a_rate_of_nothing_is_none() {
        let nothing = Stats::default();
        assert!(nothing.is_empty());
        assert_eq!(nothing.error_rate(), None);
        assert_eq!(nothing.cache_hit_rate(), None);
        assert_eq!(nothing.rate_limit_denial_rate(), None);
        assert_eq!(nothing.latency.mean_ms(), None);
        assert_eq!(nothing.latency.quantile_ms(0.95), None);
    }

    #[test]
    fn one_request_alone_is_all_of_its_percentiles() {
        let mut latency = Distribution::default();
        latency.observe(1_234_567);
        for q in [0.0, 0.5, 0.95, 1.0] {
            assert_eq!(latency.quantile_ms(q), Some(1_234.567));
        }
    }

    fn tokens() -> impl Strategy<Value = Tokens> {
        any::<[u32; 10]>().prop_map(|n| {
            let n = n.map(u64::from);
            Tokens {
                input_uncached: n[0],
                cache_read: n[1],
                cache_write_5m: n[2],
                cache_write_1h: n[3],
                output: n[4],
                reasoning: n[5],
                audio_input: n[6],
                audio_output: n[7],
                image_input: n[8],
                unclassified: n[9],
            }
        })
    }

    fn usd() -> impl Strategy<Value = Option<Usd>> {
        prop::option::of((0..50_000_000_000_i128).prop_map(Usd))
    }

    fn times() -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
        let us = || prop::option::of(0..60_000_000_i64);
        (us(), us())
    }

    prop_compose! {
        /// Any event of a day, with anything that stats look at.
        fn event()(
            at in 0..Millis::DAY,
            signal in select(&Signal::ALL[..]),
            (latency_us, ttft_us) in times(),
            tokens in prop::option::of(tokens()),
            total_told in prop::option::of(any::<u64>()),
            (cost_reported, cost_computed, saved_cost) in (usd(), usd(), usd()),
            saved_tokens in prop::option::of(any::<u64>()),
        ) -> Event<'static> {
            Event {
                latency_us,
                ttft_us,
                tokens,
                total_told,
                cost_reported,
                cost_computed,
                saved_cost,
                saved_tokens,
                ..Event::new(Millis(at), signal)
            }
        }
    }

    fn events(most: usize) -> impl Strategy<Value = Vec<Event<'static>>> {
        prop::collection::vec(event(), 0..most)
    }

    /// Merges two of the trees that are left, as the picks will have it, until one is left.
    fn grow(mut trees: Vec<Stats>, picks: &[Index]) -> Stats {
        for pick in picks.chunks(2) {
            if trees.len() < 2 {
                break;
            }
            let one = trees.swap_remove(pick[0].index(trees.len()));
            let other = pick[1].index(trees.len());
            trees[other].merge(&one);
        }
        trees.swap_remove(0)
    }

    proptest! {
        #[test]
        fn the_merge_of_the_parts_is_the_stats_of_the_whole(
            parts in prop::collection::vec(events(8), 1..20),
            picks in prop::collection::vec(any::<Index>(), 40),
        ) {
            let whole = stats(parts.iter().flatten().rev());
            prop_assert_eq!(grow(parts.iter().map(stats).collect(), &picks), whole);
        }

        #[test]
        fn nothing_adds_nothing(events in events(20)) {
            let some = stats(&events);
            let mut left = Stats::default();
            left.merge(&some);
            let mut right = some.clone();
            right.merge(&Stats::default());
            prop_assert_eq!(&left, &some);
            prop_assert_eq!(&right, &some);
            prop_assert_eq!(some.is_empty(), events.is_empty());
        }

        #[test]
        fn rates_are_those_of_the_events(events in events(60)) {
            let seen = stats(&events);
            let number = |s: Signal| events.iter().filter(|e| e.signal == s).count();
            let share = |part: Signal, rest: Signal| {
                let whole = number(part) + number(rest);
                (whole > 0).then(|| number(part) as f64 / whole as f64)
            };
            let [failed, succeeded] = [false, true].map(|success| Signal::Request { success });
            let [hit, miss] = [CacheEvent::Hit, CacheEvent::Miss].map(Signal::Cache);
            let [denied, allowed] = [Decision::Denied, Decision::Allowed].map(Signal::RateLimit);
            prop_assert_eq!(seen.error_rate(), share(failed, succeeded));
            prop_assert_eq!(seen.success_rate(), share(succeeded, failed));
            prop_assert_eq!(seen.cache_hit_rate(), share(hit, miss));
            prop_assert_eq!(seen.rate_limit_denial_rate(), share(denied, allowed));
        }

        #[test]
        fn times_are_exact_but_for_percentiles_which_keep_the_promise(
            mut us in prop::collection::vec(0..86_400_000_000_i64, 1..300),
            percent in 0_usize..=100,
        ) {
            let mut seen = Distribution::default();
            us.iter().for_each(|&v| seen.observe(v));
            us.sort_unstable();
            prop_assert_eq!(seen.count as usize, us.len());
            prop_assert_eq!(seen.sum_us, us.iter().map(|&v| i128::from(v)).sum::<i128>());
            prop_assert_eq!((seen.min_us, seen.max_us), (us[0], us[us.len() - 1]));
            let rank = (percent * us.len()).div_ceil(100).max(1);
            let exact = us[rank - 1] as f64 / 1_000.0;
            let estimate = seen.quantile_ms(percent as f64 / 100.0).unwrap();
            prop_assert!((estimate - exact).abs() <= 0.0055 * exact, "{estimate} for {exact}");
        }
    }
}
