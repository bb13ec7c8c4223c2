//! Stories and laws of `measure`.

use std::collections::BTreeSet;

use super::*;
use crate::model::{CacheEvent, CostMode, Decision, Event, Signal, Tokens};

const MINUTE: i64 = Millis::MINUTE;

/// A minute with four requests (one failed, one unpriced), three cache accesses and a refusal.
fn busy_minute() -> Stats {
    let mut stats = Stats::default();
    let mut see = |event: Event<'_>| stats.observe(&event, CostMode::Auto);
    let noon = Millis(1_769_860_800_000);
    for (second, latency_ms, cost) in [
        (0, 800, Some(Usd(4_500_000))),
        (10, 900, Some(Usd(4_500_001))),
        (20, 1_000, Some(Usd(4_500_001))),
        (30, 9_300, None),
    ] {
        let success = cost.is_some();
        let mut request = Event::new(noon.plus(second * 1_000), Signal::Request { success });
        request.latency_us = Some(latency_ms * 1_000);
        request.cost_reported = cost;
        request.tokens = Some(Tokens {
            input_uncached: 100,
            cache_read: 30,
            cache_write_5m: 2,
            cache_write_1h: 3,
            output: 40,
            reasoning: 5,
            ..Tokens::default()
        });
        see(request);
    }
    for what in [CacheEvent::Hit, CacheEvent::Miss, CacheEvent::Miss] {
        see(Event::new(noon, Signal::Cache(what)));
    }
    see(Event::new(
        noon.plus(59_000),
        Signal::RateLimit(Decision::Denied),
    ));
    stats
}

#[test]
fn a_busy_minute_is_read_measure_by_measure() {
    let stats = busy_minute();
    for (name, expected) in [
        ("requests", Value::Int(4)),
        ("successes", Value::Int(3)),
        ("success_rate", Value::Float(0.75)),
        ("error_rate", Value::Float(0.25)),
        ("throughput", Value::Float(4.0 / 60.0)),
        ("latency", Value::Float(3_000.0)),
        ("min_latency", Value::Float(800.0)),
        ("max_latency", Value::Float(9_300.0)),
        ("p95_ttft", Value::Missing),
        ("input_tokens", Value::Int(540)),
        ("output_tokens", Value::Int(180)),
        ("total_tokens", Value::Int(720)),
        ("tokens_per_second", Value::Float(12.0)),
        ("cache_write_tokens", Value::Int(20)),
        ("cost", Value::Usd(Usd(13_500_002))),
        ("computed_cost", Value::Usd(Usd::ZERO)),
        ("cost_per_request", Value::Usd(Usd(4_500_001))),
        ("unpriced", Value::Int(1)),
        ("cache_hit_rate", Value::Float(1.0 / 3.0)),
        ("rate_limit_denial_rate", Value::Float(1.0)),
        ("last_event", Value::At(Millis(1_769_860_859_000))),
    ] {
        let measure = Measure::parse(name).unwrap();
        assert_eq!(measure.value(&stats, MINUTE), expected, "{name}");
    }
}

#[test]
fn percentiles_of_the_first_hundred_seconds_are_their_numbers() {
    let mut stats = Stats::default();
    for second in 1..=100 {
        stats.latency.observe(second * 1_000_000);
        stats.ttft.observe(second * 1_000_000);
    }
    for (name, second) in [
        ("p50_latency", 50.0),
        ("p90_latency", 90.0),
        ("p95_latency", 95.0),
        ("p99_latency", 99.0),
        ("p50_ttft", 50.0),
        ("p95_ttft", 95.0),
        ("p99_ttft", 99.0),
    ] {
        let value = Measure::parse(name).unwrap().value(&stats, MINUTE);
        let off = value.as_f64().unwrap() / (second * 1_000.0) - 1.0;
        assert!(off.abs() < 0.0055, "{name} is {value:?}");
    }
}

#[test]
fn of_nothing_a_sum_is_zero_and_all_else_is_missing() {
    for measure in Measure::ALL {
        let spec = measure.spec();
        let expected = match (spec.kind, spec.unit) {
            (Kind::Count, _) => Value::Int(0),
            (Kind::Money, _) => Value::Usd(Usd::ZERO),
            (Kind::Gauge, Unit::PerSecond) => Value::Float(0.0),
            (Kind::Gauge | Kind::Ratio | Kind::Latency | Kind::Moment, _) => Value::Missing,
        };
        assert_eq!(
            measure.value(&Stats::default(), MINUTE),
            expected,
            "{}",
            spec.id
        );
    }
}

#[test]
fn a_window_without_length_has_no_throughput() {
    assert_eq!(Measure::Throughput.value(&busy_minute(), 0), Value::Missing);
}

#[test]
fn the_standard_answer_has_these_fields_in_this_order() {
    let fields = Measure::STANDARD.map(|m| m.spec().field).join(", ");
    assert_eq!(
        fields,
        "requests, successes, failures, success_rate, error_rate, latency_avg_ms, \
         latency_min_ms, latency_max_ms, latency_p50_ms, latency_p95_ms, latency_p99_ms, \
         input_tokens, output_tokens, total_tokens, cost_usd, unpriced, cache_hits, \
         cache_misses, cache_stores, cache_hit_rate, cache_saved_cost_usd, \
         cache_saved_tokens, rate_limit_allowed, rate_limit_denied, \
         rate_limit_denial_rate, first_event, last_event"
    );
}

#[test]
fn a_name_means_one_measure() {
    let mut fields = BTreeSet::new();
    for &measure in Measure::ALL {
        assert!(fields.insert(measure.spec().field), "{measure:?}");
        for name in measure.spec().names() {
            assert_eq!(Measure::parse(name), Ok(measure), "{name}");
        }
    }
}

#[test]
fn the_metrics_of_alert_rules_are_known() {
    for (name, field) in [
        ("latency", "latency_avg_ms"),
        ("avg_latency", "latency_avg_ms"),
        ("p95_latency", "latency_p95_ms"),
        ("p99_latency", "latency_p99_ms"),
        ("error_rate", "error_rate"),
        ("success_rate", "success_rate"),
        ("cache_hit_rate", "cache_hit_rate"),
        ("hourly_cost", "cost_hourly_usd"),
        ("rate_limit_denial_rate", "rate_limit_denial_rate"),
    ] {
        assert_eq!(Measure::parse(name).map(|m| m.spec().field), Ok(field));
    }
}

#[test]
fn a_mistyped_name_brings_the_nearest_one() {
    for (name, nearest) in [
        ("p95_latncy", Some("p95_latency")),
        ("eror_rate", Some("error_rate")),
        ("latency_p95", Some("latency_p95_ms")),
        ("token", Some("tokens")),
        ("weather", None),
        ("", None),
    ] {
        let error = Measure::parse(name).unwrap_err();
        assert_eq!(error.nearest, nearest, "{name}");
    }
    let error = Measure::parse("weather").unwrap_err();
    assert_eq!(error.to_string(), "unknown measure \"weather\"");
}

#[test]
fn the_unit_of_a_field_is_in_its_name() {
    for measure in Measure::ALL {
        let spec = measure.spec();
        let ends = |end| spec.field.ends_with(end);
        assert_eq!(spec.unit == Unit::Milliseconds, ends("_ms"), "{measure:?}");
        assert_eq!(spec.unit == Unit::Usd, ends("_usd"), "{measure:?}");
        assert_eq!(spec.unit == Unit::Ratio, ends("_rate"), "{measure:?}");
        assert_eq!(spec.unit == Unit::Tokens, ends("_tokens"), "{measure:?}");
    }
}

#[test]
fn what_must_be_read_is_enough() {
    let mut summary = busy_minute();
    summary.latency.sketch = Default::default();
    let mut ledger = summary.clone();
    ledger.latency = Default::default();
    for &measure in Measure::ALL {
        let least = match measure.spec().needs {
            Needs::Sums => &ledger,
            Needs::Times => &summary,
            Needs::Sketches => continue,
        };
        let whole = measure.value(&busy_minute(), MINUTE);
        assert_eq!(measure.value(least, MINUTE), whole, "{measure:?}");
    }
}

#[test]
fn only_hourly_cost_looks_back_from_the_end_of_a_bucket() {
    for &measure in Measure::ALL {
        let hour = (measure == Measure::HourlyCost).then_some(Millis::HOUR);
        assert_eq!(measure.spec().trailing_ms, hour, "{measure:?}");
    }
}
