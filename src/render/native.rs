//! An event in the native format: what `obs ingest` reads back as the same event.
//!
//! Only what was said is told, in the words of the sender: classes of tokens and
//! not their sums, both costs and not the one that counts.

use std::borrow::Cow;

use super::sheet::Said;
use crate::model::{CacheEvent, Decision, Event, EventRef, ServiceTier, Signal, Tokens, Usd};

/// A field, and what an event says of it.
type Field = (&'static str, for<'e> fn(&'e Event<'_>) -> Option<Said<'e>>);

#[rustfmt::skip]
const FIELDS: [Field; 41] = [
    ("type", |e| Some(Said::Text(e.signal.name().into()))),
    ("timestamp", |e| Some(Said::Text(e.at.to_string().into()))),
    ("obs_ref", |e| {
        let named = e.identity.map(|h| EventRef { at: e.at, h }.to_string());
        named.map(|name| Said::Text(name.into()))
    }),
    ("id", |e| text(&e.id)),
    ("provider", |e| text(&e.labels.provider)),
    ("model", |e| text(&e.labels.model)),
    ("user_id", |e| text(&e.user)),
    ("role", |e| text(&e.labels.role)),
    ("project", |e| text(&e.labels.project)),
    ("session_id", |e| text(&e.session)),
    ("request_id", |e| text(&e.request_id)),
    ("endpoint", |e| text(&e.labels.endpoint)),
    ("service_tier", |e| {
        let told = (e.service_tier != ServiceTier::Standard).then(|| e.service_tier.name());
        told.map(|name| Said::Text(name.into()))
    }),
    ("latency_ms", |e| ms(e.latency_us)),
    ("ttft_ms", |e| ms(e.ttft_us)),
    ("success", |e| match e.signal {
        Signal::Request { success } => Some(Said::Bare(success.to_string().into())),
        Signal::Cache(_) | Signal::RateLimit(_) => None,
    }),
    ("status_code", |e| number(e.labels.status_code)),
    ("error_type", |e| text(&e.labels.error_type)),
    ("error_message", |e| text(&e.error_message)),
    // Always told when any count is: it makes the difference between 0 and nothing.
    ("input_uncached_tokens", |e| number(e.tokens.map(|t| t.input_uncached))),
    ("cache_read_tokens", |e| class(e, |t| t.cache_read)),
    ("cache_write_5m_tokens", |e| class(e, |t| t.cache_write_5m)),
    ("cache_write_1h_tokens", |e| class(e, |t| t.cache_write_1h)),
    ("audio_input_tokens", |e| class(e, |t| t.audio_input)),
    ("image_input_tokens", |e| class(e, |t| t.image_input)),
    // The whole output, of which the next two are parts; without text, the parts alone.
    ("output_tokens", |e| number(e.tokens.filter(|t| t.output > 0).map(|t| t.output_total()))),
    ("reasoning_tokens", |e| class(e, |t| t.reasoning)),
    ("audio_output_tokens", |e| class(e, |t| t.audio_output)),
    ("unclassified_tokens", |e| class(e, |t| t.unclassified)),
    ("total_tokens", |e| number(e.total_told)),
    ("cost_usd", |e| usd(e.cost_reported)),
    ("cost_computed_usd", |e| usd(e.cost_computed)),
    ("event", |e| outcome(e.signal)),
    ("saved_cost", |e| usd(e.saved_cost)),
    ("saved_tokens", |e| number(e.saved_tokens)),
    ("rate_limit_type", |e| text(&e.labels.limit_type)),
    ("key", |e| text(&e.limit_key)),
    ("remaining", |e| number(e.limit_remaining)),
    ("limit", |e| number(e.limit_max)),
    ("reset_at", |e| e.limit_reset.map(|at| Said::Text(at.to_string().into()))),
    ("tools", |e| text(&e.tools)),
];
const METADATA: &str = "metadata";

/// The names of the fields, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name).chain([METADATA])
}

/// What an event says, field by field.
pub fn values<'e>(event: &'e Event<'_>) -> impl Iterator<Item = (&'static str, Option<Said<'e>>)> {
    let metadata = event.metadata.as_deref();
    let metadata = metadata.map(|json| Said::Json(Cow::Borrowed(json)));
    let fields = FIELDS.iter().map(move |(name, said)| (*name, said(event)));
    fields.chain([(METADATA, metadata)])
}

fn text<'e>(text: &'e Option<Cow<'_, str>>) -> Option<Said<'e>> {
    text.as_deref().map(|text| Said::Text(Cow::Borrowed(text)))
}

fn number(number: Option<impl ToString>) -> Option<Said<'static>> {
    number.map(|n| Said::Bare(n.to_string().into()))
}

fn class(event: &Event<'_>, of: fn(&Tokens) -> u64) -> Option<Said<'static>> {
    number(event.tokens.as_ref().map(of).filter(|n| *n > 0))
}

fn ms(us: Option<i64>) -> Option<Said<'static>> {
    number(us.map(|us| format!("{}.{:03}", us / 1_000, us % 1_000)))
}

fn usd(amount: Option<Usd>) -> Option<Said<'static>> {
    number(amount)
}

fn outcome(signal: Signal) -> Option<Said<'static>> {
    let word = match signal {
        Signal::Request { .. } => return None,
        Signal::Cache(CacheEvent::Hit) => "hit",
        Signal::Cache(CacheEvent::Miss) => "miss",
        Signal::Cache(CacheEvent::Store) => "store",
        Signal::RateLimit(Decision::Allowed) => "allowed",
        Signal::RateLimit(Decision::Denied) => "denied",
    };
    Some(Said::Text(word.into()))
}
