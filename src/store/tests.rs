//! Promises of the store as a whole: every read uses an index, the views show
//! what was sent, and no sum is too large.

use proptest::prelude::*;
use rusqlite::types::Value;

use super::Dedupe;
use super::testing::history::event;
use super::testing::witness::BEGINNING;
use super::testing::{self, append, buckets, empty, ledger, rows, sql};
use crate::model::{Event, Millis, Resolution, Signal, Stats, Tokens, Usd};
use crate::rollup;

const EVER: Millis = Millis(i64::MAX);

mod plans;

// Views

/// Ids as senders write them: prefixes, digits in runs and as UUIDs, and what only looks alike.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_-]{0,10}[0-9a-f]{14,52}",
        "[a-z_-]{0,26}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[0-9A-Fa-f]{8}-[0-9A-F]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "(req|msg)_[0-9]{0,2}[0-9A-Za-z]{1,24}",
        "[0-9A-F]{16,32}",
        "\\PC{1,30}",
        "[0-9]{1,20}",
    ]
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ids_come_back_as_they_were_sent(ids in prop::collection::vec(id(), 1..60)) {
        let mut temporary = empty();
        let events: Vec<Event<'_>> = ids.iter().enumerate().map(|(i, id)| Event {
            id: Some(id.as_str().into()),
            ..Event::new(Millis(BEGINNING + i as i64), Signal::Request { success: true })
        }).collect();
        append(&mut temporary.store, &events, Dedupe::TimeId, false);
        let found = rows(&temporary.store, "SELECT id FROM metrics_raw ORDER BY timestamp");
        let sent: Vec<Vec<Value>> = ids.into_iter().map(|id| vec![text(id)]).collect();
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn the_numbers_of_an_event_come_back_as_they_were_sent(mut sent in event(), late in 0..Millis::DAY) {
        sent.at = Millis(BEGINNING + late);
        let mut temporary = empty();
        append(&mut temporary.store, std::slice::from_ref(&sent), Dedupe::TimeId, false);
        let found = rows(&temporary.store, "SELECT timestamp, time, metric_type, provider, model, user_id, role,
            project, session_id, endpoint, error_type, status_code, latency, ttft_ms, input_uncached_tokens,
            cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens,
            cost_reported, cost_computed, cost, cache_saved_cost, cache_saved_tokens FROM metrics_raw");
        let label = |label: &Option<std::borrow::Cow<'static, str>>| {
            label.as_deref().map_or(Value::Null, text)
        };
        let real = |number: Option<f64>| number.map_or(Value::Null, Value::Real);
        let ms = |us: Option<i64>| real(us.map(|us| us as f64 / 1000.0));
        let usd = |usd: Option<Usd>| real(usd.map(|usd| usd.0 as f64 / 1e9));
        let whole = |number: Option<u64>| number.map_or(Value::Null, |n| Value::Integer(n as i64));
        let some = |of: fn(&Tokens) -> u64| whole(sent.tokens.as_ref().map(of).filter(|n| *n > 0));
        let l = &sent.labels;
        let expected = vec![
            Value::Integer(sent.at.0),
            text(sent.at.to_string()),
            text(sent.signal.name()),
            label(&l.provider), label(&l.model), label(&sent.user), label(&l.role),
            label(&l.project), label(&sent.session), label(&l.endpoint), label(&l.error_type),
            whole(l.status_code.map(u64::from)),
            ms(sent.latency_us), ms(sent.ttft_us),
            whole(sent.tokens.map(|t| t.input_uncached)),
            some(|t| t.cache_read), some(|t| t.cache_write_5m), some(|t| t.cache_write_1h),
            some(|t| t.reasoning),
            usd(sent.cost_reported), usd(sent.cost_computed),
            usd(sent.cost_reported.or(sent.cost_computed)), usd(sent.saved_cost),
            whole(sent.saved_tokens),
        ];
        prop_assert_eq!(&found, &[expected]);
    }

    #[test]
    fn the_views_of_the_tiers_show_what_stats_say(
        mut events in prop::collection::vec((0..3 * Millis::MINUTE, event()), 1..40),
    ) {
        for (late, event) in &mut events {
            event.at = Millis(BEGINNING + *late);
        }
        let events: Vec<Event<'_>> = events.into_iter().map(|(_, event)| event).collect();
        let mut temporary = empty();
        append(&mut temporary.store, &events, Dedupe::TimeId, false);
        rollup::run(&mut temporary.store, EVER, |_| {}).unwrap();
        for tier in Resolution::BUCKETS {
            let found = rows(&temporary.store, &format!(
                "SELECT timestamp, provider, model, role, requests, successes, failures, success_rate, error_rate,
                 latency_avg_ms, latency_min_ms, latency_max_ms, latency_p50_ms, latency_p95_ms, latency_p99_ms,
                 input_tokens, output_tokens, total_tokens, cost_usd, cost_reported_usd, cost_computed_usd,
                 unpriced, cache_hits, cache_misses, cache_stores, cache_hit_rate, cache_saved_cost_usd,
                 cache_saved_tokens, rate_limit_allowed, rate_limit_denied, rate_limit_denial_rate,
                 first_event, last_event FROM metrics_{}", tier.name()));
            let stored = buckets(&mut temporary.store, tier);
            prop_assert_eq!(found.len(), stored.len());
            for row in found {
                let name = |i: usize| match &row[i] { Value::Text(text) => text.clone(), _ => String::new() };
                let Value::Integer(at) = row[0] else { panic!("{row:?}") };
                let stats = &stored[&(at, vec![name(1), name(2), name(3)])];
                for (column, (shown, said)) in row[4..].iter().zip(numbers(stats)).enumerate() {
                    let shown = match shown {
                        Value::Null => None,
                        Value::Integer(n) => Some(*n as f64),
                        Value::Real(n) => Some(*n),
                        Value::Text(digits) => Some(digits.parse().unwrap()),
                        Value::Blob(_) => panic!("{row:?}"),
                    };
                    let near = match (shown, said) {
                        // A percentile is kept to the microsecond.
                        (Some(a), Some(b)) => (a - b).abs() <= 0.000_500_1_f64.max(b.abs() * 1e-12),
                        (a, b) => a == b,
                    };
                    prop_assert!(near, "{} column {}: {:?} for {:?}", tier.name(), column + 5, shown, said);
                }
            }
        }
    }
}

/// What the columns from `requests` on should show.
fn numbers(stats: &Stats) -> [Option<f64>; 29] {
    let int = |n: u64| Some(n as f64);
    let sum = |n: i128| Some(n as f64);
    [
        int(stats.requests),
        int(stats.successes()),
        int(stats.failures),
        stats.success_rate(),
        stats.error_rate(),
        stats.latency.mean_ms(),
        stats.latency.min_ms(),
        stats.latency.max_ms(),
        stats.latency.quantile_ms(0.50),
        stats.latency.quantile_ms(0.95),
        stats.latency.quantile_ms(0.99),
        sum(stats.tokens.input_total()),
        sum(stats.tokens.output_total()),
        sum(stats.tokens.total()),
        Some(stats.cost.counted.to_f64()),
        Some(stats.cost.reported.to_f64()),
        Some(stats.cost.computed.to_f64()),
        int(stats.cost.unpriced),
        int(stats.cache.hits),
        int(stats.cache.misses),
        int(stats.cache.stores),
        stats.cache_hit_rate(),
        Some(stats.cache.saved_cost.to_f64()),
        sum(stats.cache.saved_tokens),
        int(stats.limits.allowed),
        int(stats.limits.denied),
        stats.rate_limit_denial_rate(),
        stats.first.map(|at| at.0 as f64),
        stats.last.map(|at| at.0 as f64),
    ]
}

// Extremes

/// A request with as many tokens and dollars as 64 bits hold.
fn immense(at: i64) -> Event<'static> {
    Event {
        tokens: Some(Tokens {
            input_uncached: i64::MAX as u64,
            cache_read: i64::MAX as u64,
            output: i64::MAX as u64,
            ..Tokens::default()
        }),
        cost_reported: Some(Usd(i64::MAX.into())),
        latency_us: Some(i64::MAX),
        session: Some("long".into()),
        ..Event::new(Millis(at), Signal::Request { success: true })
    }
}

#[test]
fn sums_beyond_64_bits_stay_exact() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    let three = i128::from(i64::MAX) * 3;
    append(
        store,
        &[immense(BEGINNING), immense(BEGINNING)],
        Dedupe::TimeId,
        false,
    );
    rollup::run(store, EVER, |_| {}).unwrap();
    append(store, &[immense(BEGINNING + 60_000)], Dedupe::TimeId, false);
    rollup::run(store, EVER, |_| {}).unwrap();
    for tier in [Resolution::Hour, Resolution::Day] {
        let stats = buckets(store, tier).into_values().next().unwrap();
        assert_eq!(
            (stats.tokens.input_uncached, stats.tokens.output),
            (three, three)
        );
        assert_eq!((stats.cost.counted.0, stats.latency.sum_us), (three, three));
        assert_eq!(stats.tokens.total(), 3 * three);
    }
    for sums in [
        ledger(store).into_values().next(),
        testing::sessions(store).into_values().next(),
    ] {
        let sums = sums.unwrap();
        assert_eq!(
            (sums.tokens.cache_read, sums.cost.counted.0),
            (three, three)
        );
    }
    let kinds = "SELECT typeof(input_uncached), typeof(cost) FROM ledger";
    assert_eq!(rows(store, kinds), [[text("text"), text("text")]]);
    assert_eq!(rollup::verify(store).unwrap().mismatches, []);
}

#[test]
fn a_summary_of_immense_events_is_no_error() {
    let mut temporary = empty();
    let store = &mut temporary.store;
    let now = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
    let Value::Integer(now) = rows(store, &format!("SELECT {now}"))[0][0] else {
        panic!("no time");
    };
    let mut plain = immense(now - 1);
    plain.tokens = Some(Tokens {
        input_uncached: i64::MAX as u64,
        ..Tokens::default()
    });
    append(store, &[plain.clone(), plain], Dedupe::TimeId, false);
    sql(
        store,
        &format!("INSERT INTO calendar VALUES(1, 'today', {now} - 1000, {now} + 1000000)"),
    );
    for view in [
        "metrics_recent_summary",
        "cost_today_summary",
        "metrics_raw",
    ] {
        assert!(
            !rows(store, &format!("SELECT * FROM {view}")).is_empty(),
            "{view}"
        );
    }
}
