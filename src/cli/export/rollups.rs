//! Minutes, hours and days as rows, exact sums and sketches included.

use std::fmt::Write as _;

use super::Failure;
use crate::model::{Distribution, Resolution, Span, Stats};
use crate::render::Cell;
use crate::render::sheet::{Said, Sheet};
use crate::store::{Bucket, BucketKey, Parts, Txn};

/// The tiers, finest first.
pub(super) const TIERS: [Resolution; 3] = [Resolution::Minute, Resolution::Hour, Resolution::Day];

/// What comes before the sums.
const KEYS: [&str; 6] = ["type", "tier", "bucket", "provider", "model", "role"];

/// A sum, a moment or a distribution of a bucket.
type Field = (&'static str, fn(&Stats) -> Cell);

#[rustfmt::skip]
const FIELDS: [Field; 39] = [
    ("first_event", |s| Cell::of(s.first, Cell::At)),
    ("last_event", |s| Cell::of(s.last, Cell::At)),
    ("requests", |s| int(s.requests)),
    ("failures", |s| int(s.failures)),
    ("latency_count", |s| int(s.latency.count)),
    ("latency_sum_ms", |s| some(&s.latency, |d| Cell::Ms(d.sum_us as f64 / 1e3))),
    ("latency_min_ms", |s| some(&s.latency, |d| Cell::Ms(d.min_us as f64 / 1e3))),
    ("latency_max_ms", |s| some(&s.latency, |d| Cell::Ms(d.max_us as f64 / 1e3))),
    ("latency_p50_ms", |s| Cell::of(s.latency.quantile_ms(0.50), Cell::Ms)),
    ("latency_p95_ms", |s| Cell::of(s.latency.quantile_ms(0.95), Cell::Ms)),
    ("latency_p99_ms", |s| Cell::of(s.latency.quantile_ms(0.99), Cell::Ms)),
    ("latency_sketch", |s| some(&s.latency, sketch)),
    ("ttft_count", |s| int(s.ttft.count)),
    ("ttft_sum_ms", |s| some(&s.ttft, |d| Cell::Ms(d.sum_us as f64 / 1e3))),
    ("ttft_min_ms", |s| some(&s.ttft, |d| Cell::Ms(d.min_us as f64 / 1e3))),
    ("ttft_max_ms", |s| some(&s.ttft, |d| Cell::Ms(d.max_us as f64 / 1e3))),
    ("ttft_sketch", |s| some(&s.ttft, sketch)),
    ("input_uncached_tokens", |s| int(s.tokens.input_uncached)),
    ("cache_read_tokens", |s| int(s.tokens.cache_read)),
    ("cache_write_5m_tokens", |s| int(s.tokens.cache_write_5m)),
    ("cache_write_1h_tokens", |s| int(s.tokens.cache_write_1h)),
    ("audio_input_tokens", |s| int(s.tokens.audio_input)),
    ("image_input_tokens", |s| int(s.tokens.image_input)),
    ("text_output_tokens", |s| int(s.tokens.output)),
    ("reasoning_tokens", |s| int(s.tokens.reasoning)),
    ("audio_output_tokens", |s| int(s.tokens.audio_output)),
    ("unclassified_tokens", |s| int(s.tokens.unclassified)),
    ("token_mismatches", |s| int(s.tokens.mismatches)),
    ("cost_usd", |s| Cell::Usd(s.cost.counted)),
    ("cost_reported_usd", |s| Cell::Usd(s.cost.reported)),
    ("cost_computed_usd", |s| Cell::Usd(s.cost.computed)),
    ("unpriced", |s| int(s.cost.unpriced)),
    ("cache_hits", |s| int(s.cache.hits)),
    ("cache_misses", |s| int(s.cache.misses)),
    ("cache_stores", |s| int(s.cache.stores)),
    ("cache_saved_cost_usd", |s| Cell::Usd(s.cache.saved_cost)),
    ("cache_saved_tokens", |s| int(s.cache.saved_tokens)),
    ("rate_limit_allowed", |s| int(s.limits.allowed)),
    ("rate_limit_denied", |s| int(s.limits.denied)),
];

/// The names of the columns.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let fields = FIELDS.iter().map(|(name, _)| *name);
    KEYS.into_iter().chain(fields)
}

/// Writes the buckets of the tiers, in the order of time.
pub(super) fn write(
    txn: &Txn<'_>,
    tiers: &[Resolution],
    span: Span,
    sheet: &mut Sheet<'_>,
) -> Result<(), Failure> {
    for tier in tiers {
        txn.buckets(*tier, span, None, Parts::All, |bucket| {
            row(txn, *tier, bucket, sheet)
        })?;
    }
    Ok(())
}

fn row(
    txn: &Txn<'_>,
    tier: Resolution,
    bucket: &Bucket<'_>,
    sheet: &mut Sheet<'_>,
) -> Result<(), Failure> {
    let BucketKey {
        provider,
        model,
        role,
    } = bucket.key;
    let mut stats = Stats::default();
    bucket.add_to(&mut stats)?;
    let mut cells = vec![
        Cell::text("rollup"),
        Cell::text(tier.name()),
        Cell::At(bucket.at),
    ];
    for label in [provider, model, role] {
        cells.push(Cell::of(txn.name(label)?, Cell::Text));
    }
    cells.extend(FIELDS.iter().map(|(_, cell)| cell(&stats)));
    Ok(sheet.row(names().zip(cells.iter().map(Said::of)))?)
}

fn int(number: impl Into<i128>) -> Cell {
    Cell::Int(number.into())
}

fn some(part: &Distribution, cell: impl FnOnce(&Distribution) -> Cell) -> Cell {
    Cell::of((part.count > 0).then_some(part), cell)
}

fn sketch(part: &Distribution) -> Cell {
    let mut bytes = Vec::new();
    part.sketch.write(&mut bytes);
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Cell::Text(hex)
}
