//! What events come to, added up without the parts of the program that do so.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{CacheEvent, Decision, Distribution, Event, Signal, Stats, Tokens};

/// What a set of events comes to.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Counts, sums and extremes by name; 0 where a name is missing.
    pub sums: BTreeMap<&'static str, i128>,
    /// Latencies and times to the first token, in microseconds.
    pub times: BTreeMap<&'static str, Vec<i64>>,
}

/// Adds up events.
pub(crate) fn account<'a>(events: impl IntoIterator<Item = &'a Event<'static>>) -> Account {
    let mut account = Account::default();
    for event in events {
        account.extent(event.at.0);
        let name = match event.signal {
            Signal::Request { .. } => "requests",
            Signal::Cache(CacheEvent::Hit) => "hits",
            Signal::Cache(CacheEvent::Miss) => "misses",
            Signal::Cache(CacheEvent::Store) => "stores",
            Signal::RateLimit(Decision::Allowed) => "allowed",
            Signal::RateLimit(Decision::Denied) => "denied",
        };
        account.add(name, 1);
        match event.signal {
            Signal::Request { success } => account.request(event, success),
            Signal::Cache(_) => {
                account.add("saved cost", event.saved_cost.map_or(0, |usd| usd.0));
                account.add("saved tokens", event.saved_tokens.unwrap_or(0).into());
            }
            Signal::RateLimit(_) => {}
        }
    }
    account
}

impl Account {
    fn add(&mut self, name: &'static str, number: i128) {
        *self.sums.entry(name).or_default() += number;
    }

    fn extent(&mut self, at: i64) {
        let first = self.sums.entry("first").or_insert(at.into());
        *first = (*first).min(at.into());
        let last = self.sums.entry("last").or_insert(at.into());
        *last = (*last).max(at.into());
    }

    fn request(&mut self, event: &Event<'_>, success: bool) {
        self.add("failures", i128::from(!success));
        for (name, us) in [("latency", event.latency_us), ("ttft", event.ttft_us)] {
            self.times.entry(name).or_default().extend(us);
        }
        if let Some(tokens) = &event.tokens {
            for (name, number) in classes(tokens) {
                self.add(name, number.into());
            }
        }
        self.add("mismatches", i128::from(event.total_told.is_some()));
        let (reported, computed) = (event.cost_reported, event.cost_computed);
        self.add("reported", reported.map_or(0, |usd| usd.0));
        self.add("computed", computed.map_or(0, |usd| usd.0));
        match (reported, computed) {
            (Some(usd), _) | (None, Some(usd)) => self.add("cost", usd.0),
            (None, None) => self.add("unpriced", 1),
        }
    }

    /// Without first and last event, which a ledger does not keep.
    pub(crate) fn without_extent(mut self) -> Account {
        self.sums.remove("first");
        self.sums.remove("last");
        self
    }

    /// Where stats differ from what they should be.
    pub(crate) fn against(&self, stats: &Stats) -> Result<(), String> {
        self.sums_against(stats)?;
        self.times_against("latency", &stats.latency)?;
        self.times_against("ttft", &stats.ttft)
    }

    /// Where stats differ from what they should be, but for times that requests took.
    pub(crate) fn sums_against(&self, stats: &Stats) -> Result<(), String> {
        let told = told(stats);
        let names: BTreeSet<_> = told.keys().chain(self.sums.keys()).copied().collect();
        for name in names {
            let of = |sums: &BTreeMap<_, i128>| sums.get(name).copied().unwrap_or(0);
            if of(&told) != of(&self.sums) {
                return Err(format!("{name}: {} for {}", of(&told), of(&self.sums)));
            }
        }
        Ok(())
    }

    /// Where times that requests took differ from what they should be.
    pub(crate) fn times_against(&self, name: &str, part: &Distribution) -> Result<(), String> {
        let mut us = self.times.get(name).cloned().unwrap_or_default();
        us.sort_unstable();
        let exact = (
            us.len() as u64,
            us.iter().map(|us| i128::from(*us)).sum::<i128>(),
            us.first().copied().unwrap_or(part.min_us),
            us.last().copied().unwrap_or(part.max_us),
        );
        let found = (part.count, part.sum_us, part.min_us, part.max_us);
        if found != exact {
            return Err(format!("{name}: {found:?} for {exact:?}"));
        }
        for percent in [50, 95, 99] {
            let rank = (percent * us.len()).div_ceil(100).max(1);
            let exact = us.get(rank - 1).map(|us| *us as f64 / 1000.0);
            let found = part.quantile_ms(percent as f64 / 100.0);
            let near = match (exact, found) {
                (Some(exact), Some(found)) => (found - exact).abs() <= 0.0055 * exact,
                (exact, found) => exact == found,
            };
            if !near {
                return Err(format!("p{percent} {name}: {found:?} for {exact:?}"));
            }
        }
        Ok(())
    }
}

fn classes(tokens: &Tokens) -> [(&'static str, u64); 10] {
    [
        ("input_uncached", tokens.input_uncached),
        ("cache_read", tokens.cache_read),
        ("cache_write_5m", tokens.cache_write_5m),
        ("cache_write_1h", tokens.cache_write_1h),
        ("output", tokens.output),
        ("reasoning", tokens.reasoning),
        ("audio_input", tokens.audio_input),
        ("audio_output", tokens.audio_output),
        ("image_input", tokens.image_input),
        ("unclassified", tokens.unclassified),
    ]
}

fn told(stats: &Stats) -> BTreeMap<&'static str, i128> {
    let Stats {
        tokens,
        cost,
        cache,
        limits,
        ..
    } = stats;
    let mut told = BTreeMap::from([
        ("requests", stats.requests.into()),
        ("failures", stats.failures.into()),
        ("input_uncached", tokens.input_uncached),
        ("cache_read", tokens.cache_read),
        ("cache_write_5m", tokens.cache_write_5m),
        ("cache_write_1h", tokens.cache_write_1h),
        ("output", tokens.output),
        ("reasoning", tokens.reasoning),
        ("audio_input", tokens.audio_input),
        ("audio_output", tokens.audio_output),
        ("image_input", tokens.image_input),
        ("unclassified", tokens.unclassified),
        ("mismatches", tokens.mismatches.into()),
        ("cost", cost.counted.0),
        ("reported", cost.reported.0),
        ("computed", cost.computed.0),
        ("unpriced", cost.unpriced.into()),
        ("hits", cache.hits.into()),
        ("misses", cache.misses.into()),
        ("stores", cache.stores.into()),
        ("saved cost", cache.saved_cost.0),
        ("saved tokens", cache.saved_tokens),
        ("allowed", limits.allowed.into()),
        ("denied", limits.denied.into()),
    ]);
    if let (Some(first), Some(last)) = (stats.first, stats.last) {
        told.insert("first", first.0.into());
        told.insert("last", last.0.into());
    }
    told
}
