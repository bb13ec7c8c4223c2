//! Which measures Prometheus is told, and under which names: sums as counters,
//! shares and latencies as gauges.
//!
//! A counter may not fall, and buckets are let go in the end. So counters speak
//! of the month so far (of the day, where days are not kept for a month) and
//! begin anew with the next, which is to a reader what a restart is.

use chrono::{Datelike, TimeZone, Utc};

use super::Failure;
use crate::model::{Dimension, Kind, Measure, Millis, Selector, Span, Unit, Value};
use crate::query::{self, Asked, Cut, Inquiry, Measured};
use crate::render::prometheus::{Family, Sort, exposition};
use crate::store::{Store, StoreError};

/// What gauges look back on.
const WINDOW_MS: i64 = 5 * Millis::MINUTE;
/// The longest month.
const MONTH_MS: i64 = 31 * Millis::DAY;

const BY: [Dimension; 2] = [Dimension::Provider, Dimension::Model];

/// The current values of all measures that suit Prometheus.
pub(super) fn text(store: &mut Store, now: Millis) -> Result<String, Failure> {
    let kept = store.read(|txn| Ok::<_, StoreError>(txn.retention()?.day))?;
    let begins = match kept {
        Some(ms) if ms < MONTH_MS + Millis::DAY => now.floor(Millis::DAY),
        Some(_) | None => beginning_of_month(now),
    };
    // What happened in this very millisecond is told too.
    let until = now.plus(1);
    let mut families = families(store, Sort::Counter, Span::new(begins, until))?;
    let recent = Span::new(now.plus(-WINDOW_MS), until);
    families.extend(self::families(store, Sort::Gauge, recent)?);
    let mut text = exposition(&families, &BY.map(Dimension::name));
    text += &exposition(
        &[Family {
            name: "obs_counters_since_timestamp_seconds".into(),
            help: "When the counters began.".into(),
            sort: Sort::Gauge,
            samples: vec![(Vec::new(), (begins.0 / 1_000).to_string())],
        }],
        &[],
    );
    Ok(text)
}

fn beginning_of_month(now: Millis) -> Millis {
    let first = Utc.timestamp_millis_opt(now.0).single().and_then(|t| {
        Utc.with_ymd_and_hms(t.year(), t.month(), 1, 0, 0, 0)
            .single()
    });
    first.map_or(now.floor(Millis::DAY), |t| Millis(t.timestamp_millis()))
}

fn families(store: &mut Store, sort: Sort, span: Span) -> Result<Vec<Family>, Failure> {
    let measures: Vec<Measure> = Measure::ALL
        .iter()
        .copied()
        .filter(|m| self::sort(*m) == Some(sort))
        .collect();
    let asked = measures.iter().map(|measure| Asked {
        measure: *measure,
        selector: Selector::default(),
    });
    let told = query::measure(
        store,
        &Inquiry {
            asked: asked.collect(),
            span,
            cut: Cut::Whole,
            by: BY.to_vec(),
            ranked: false,
        },
    )?;
    let family = |(nth, measure): (usize, &Measure)| Family {
        name: name(*measure, sort),
        help: help(*measure, sort),
        sort,
        samples: samples(&told, nth, *measure),
    };
    Ok(measures.iter().enumerate().map(family).collect())
}

/// What a measure is to Prometheus; `None` when it would rather compute it itself.
fn sort(measure: Measure) -> Option<Sort> {
    let spec = measure.spec();
    match spec.kind {
        Kind::Count | Kind::Money if spec.trailing_ms.is_none() => Some(Sort::Counter),
        Kind::Ratio | Kind::Latency => Some(Sort::Gauge),
        Kind::Count | Kind::Money | Kind::Gauge | Kind::Moment => None,
    }
}

/// `obs_requests_total`, `obs_cost_usd_total`, `obs_latency_p95_seconds`, `obs_error_rate`.
fn name(measure: Measure, sort: Sort) -> String {
    let field = measure.spec().field;
    match sort {
        // `total_tokens` is the sum of its kinds, and all counters are totals.
        Sort::Counter => format!(
            "obs_{}_total",
            field.strip_prefix("total_").unwrap_or(field)
        ),
        Sort::Gauge => match field.strip_suffix("_ms") {
            Some(latency) => format!("obs_{latency}_seconds"),
            None => format!("obs_{field}"),
        },
    }
}

fn help(measure: Measure, sort: Sort) -> String {
    let title = measure.spec().title;
    match sort {
        Sort::Counter => format!("The {title} since the counters began."),
        Sort::Gauge => format!("The {title} of the last 5 minutes."),
    }
}

fn samples(told: &Measured, nth: usize, measure: Measure) -> Vec<(Vec<String>, String)> {
    let sample = |line: &query::Line| {
        let number = match line.values[nth] {
            Value::Missing | Value::At(_) => return None,
            Value::Int(number) => number.to_string(),
            Value::Usd(amount) => amount.to_string(),
            Value::Float(x) if measure.spec().unit == Unit::Milliseconds => {
                (x / 1_000.0).to_string()
            }
            Value::Float(x) => x.to_string(),
        };
        Some((line.group.clone(), number))
    };
    told.lines.iter().filter_map(sample).collect()
}
