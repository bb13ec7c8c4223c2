//! Stories and laws of `stats`.

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
