//! A raw event as a row: all that `metrics_raw` shows, with units in the names.

use crate::model::{CacheEvent, CostMode, Decision, Event, Signal, Tokens, Unit, Usd};
use crate::render::{Answer, Cell, Column};
use crate::store::Record;

/// Name and version of the shape.
pub(super) const SCHEMA: &str = "obs.events/v1";

/// Every column with its unit and how it comes out of an event.
type Field = (&'static str, Option<Unit>, fn(&Record, CostMode) -> Cell);

const TOKENS: Option<Unit> = Some(Unit::Tokens);

#[rustfmt::skip]
const FIELDS: [Field; 46] = [
    ("id", None, |r, _| match &r.event.id {
        Some(id) => Cell::text(id.as_ref()),
        None => Cell::text(r.name.to_string()),
    }),
    ("ref", None, |r, _| Cell::text(r.name.to_string())),
    ("time", Some(Unit::Time), |r, _| Cell::At(r.event.at)),
    ("type", None, |r, _| Cell::text(r.event.signal.name())),
    ("provider", None, |r, _| text(&r.event.labels.provider)),
    ("model", None, |r, _| text(&r.event.labels.model)),
    ("user", None, |r, _| text(&r.event.user)),
    ("role", None, |r, _| text(&r.event.labels.role)),
    ("project", None, |r, _| text(&r.event.labels.project)),
    ("session", None, |r, _| text(&r.event.session)),
    ("request_id", None, |r, _| text(&r.event.request_id)),
    ("endpoint", None, |r, _| text(&r.event.labels.endpoint)),
    ("latency_ms", None, |r, _| ms(r.event.latency_us)),
    ("ttft_ms", None, |r, _| ms(r.event.ttft_us)),
    ("success", None, |r, _| match r.event.signal {
        Signal::Request { success } => Cell::Bool(success),
        Signal::Cache(_) | Signal::RateLimit(_) => Cell::Missing,
    }),
    ("status_code", None, |r, _| whole(r.event.labels.status_code)),
    ("error_type", None, |r, _| text(&r.event.labels.error_type)),
    ("error_message", None, |r, _| text(&r.event.error_message)),
    ("input_tokens", TOKENS, |r, _| sum(r, Tokens::input_total)),
    ("output_tokens", TOKENS, |r, _| sum(r, Tokens::output_total)),
    ("total_tokens", TOKENS, |r, _| sum(r, Tokens::total)),
    ("input_uncached_tokens", TOKENS, |r, _| class(r, |t| t.input_uncached)),
    ("cache_read_tokens", TOKENS, |r, _| class(r, |t| t.cache_read)),
    ("cache_write_5m_tokens", TOKENS, |r, _| class(r, |t| t.cache_write_5m)),
    ("cache_write_1h_tokens", TOKENS, |r, _| class(r, |t| t.cache_write_1h)),
    ("reasoning_tokens", TOKENS, |r, _| class(r, |t| t.reasoning)),
    ("audio_input_tokens", TOKENS, |r, _| class(r, |t| t.audio_input)),
    ("audio_output_tokens", TOKENS, |r, _| class(r, |t| t.audio_output)),
    ("image_input_tokens", TOKENS, |r, _| class(r, |t| t.image_input)),
    ("unclassified_tokens", TOKENS, |r, _| class(r, |t| t.unclassified)),
    ("total_told_tokens", TOKENS, |r, _| whole(r.event.total_told)),
    ("cost_usd", None, |r, mode| usd(counted(&r.event, mode))),
    ("cost_reported_usd", None, |r, _| usd(r.event.cost_reported)),
    ("cost_computed_usd", None, |r, _| usd(r.event.cost_computed)),
    ("cache_event", None, |r, _| match r.event.signal {
        Signal::Cache(event) => Cell::text(cache_word(event)),
        Signal::Request { .. } | Signal::RateLimit(_) => Cell::Missing,
    }),
    ("cache_saved_cost_usd", None, |r, _| usd(r.event.saved_cost)),
    ("cache_saved_tokens", TOKENS, |r, _| whole(r.event.saved_tokens)),
    ("rate_limit_event", None, |r, _| match r.event.signal {
        Signal::RateLimit(decision) => Cell::text(decision_word(decision)),
        Signal::Request { .. } | Signal::Cache(_) => Cell::Missing,
    }),
    ("rate_limit_type", None, |r, _| text(&r.event.labels.limit_type)),
    ("rate_limit_key", None, |r, _| text(&r.event.limit_key)),
    ("rate_limit_remaining", None, |r, _| whole(r.event.limit_remaining)),
    ("rate_limit_limit", None, |r, _| whole(r.event.limit_max)),
    ("rate_limit_reset", Some(Unit::Time), |r, _| Cell::of(r.event.limit_reset, Cell::At)),
    ("tools", None, |r, _| text(&r.event.tools)),
    ("metadata", None, |r, _| text(&r.event.metadata)),
    ("created_at", Some(Unit::Time), |r, _| Cell::of(r.stored_at, Cell::At)),
];

/// Events as an answer with every column.
pub(super) fn answer(records: &[Record], mode: CostMode) -> Answer {
    let column = |(name, unit, _): &Field| {
        let column = Column::new(*name, *name);
        match unit {
            Some(unit) => column.in_unit(*unit),
            None => column,
        }
    };
    let cells = |record: &Record| FIELDS.iter().map(|(.., cell)| cell(record, mode)).collect();
    Answer {
        rows: records.iter().map(cells).collect(),
        ..Answer::new(SCHEMA, FIELDS.iter().map(column).collect())
    }
}

/// Events as people look through them: few columns, and how each ended in a word.
pub(super) fn glance(records: &[Record], mode: CostMode) -> Answer {
    let columns = vec![
        Column::new("time", "time").in_unit(Unit::Time),
        Column::new("type", "type"),
        Column::new("outcome", "outcome"),
        Column::new("provider", "provider"),
        Column::new("model", "model"),
        Column::new("latency_ms", "latency"),
        Column::new("total_tokens", "tokens").in_unit(Unit::Tokens),
        Column::new("cost_usd", "cost"),
        Column::new("user", "user"),
        Column::new("ref", "ref"),
    ];
    let cells = |r: &Record| {
        vec![
            Cell::At(r.event.at),
            Cell::text(r.event.signal.name()),
            Cell::text(outcome(&r.event)),
            text(&r.event.labels.provider),
            text(&r.event.labels.model),
            ms(r.event.latency_us),
            sum(r, Tokens::total),
            usd(counted(&r.event, mode)),
            text(&r.event.user),
            Cell::text(r.name.to_string()),
        ]
    };
    Answer {
        rows: records.iter().map(cells).collect(),
        ..Answer::new(SCHEMA, columns)
    }
}

/// One event as people read it: a line for each field that says something.
pub(super) fn portrait(record: &Record, mode: CostMode) -> Answer {
    let said = FIELDS.iter().filter_map(|(name, _, cell)| {
        let cell = cell(record, mode);
        (cell != Cell::Missing).then(|| vec![Cell::text(*name), cell])
    });
    Answer {
        rows: said.collect(),
        ..Answer::new(
            SCHEMA,
            vec![Column::new("field", "field"), Column::new("value", "value")],
        )
    }
}

/// How it ended: `ok`, the kind of error, or what the cache or the limiter said.
fn outcome(event: &Event<'_>) -> String {
    match event.signal {
        Signal::Request { success: true } => "ok".to_owned(),
        Signal::Request { success: false } => {
            let kind = event.labels.error_type.as_deref().map(str::to_owned);
            let status = || event.labels.status_code.map(|code| format!("error {code}"));
            kind.or_else(status).unwrap_or_else(|| "error".to_owned())
        }
        Signal::Cache(event) => cache_word(event).to_owned(),
        Signal::RateLimit(decision) => decision_word(decision).to_owned(),
    }
}

fn cache_word(event: CacheEvent) -> &'static str {
    match event {
        CacheEvent::Hit => "hit",
        CacheEvent::Miss => "miss",
        CacheEvent::Store => "store",
    }
}

fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "allowed",
        Decision::Denied => "denied",
    }
}

fn counted(event: &Event<'_>, mode: CostMode) -> Option<Usd> {
    mode.choose(event.cost_reported, event.cost_computed)
}

fn text(text: &Option<std::borrow::Cow<'static, str>>) -> Cell {
    Cell::of(text.as_deref(), Cell::text)
}

fn whole(number: Option<impl Into<i128>>) -> Cell {
    Cell::of(number, |n| Cell::Int(n.into()))
}

fn ms(us: Option<i64>) -> Cell {
    Cell::of(us, |us| Cell::Ms(us as f64 / 1_000.0))
}

fn usd(amount: Option<Usd>) -> Cell {
    Cell::of(amount, Cell::Usd)
}

fn sum(record: &Record, of: fn(&Tokens) -> u128) -> Cell {
    Cell::of(record.event.tokens.as_ref(), |tokens| {
        Cell::Int(of(tokens) as i128)
    })
}

fn class(record: &Record, of: fn(&Tokens) -> u64) -> Cell {
    Cell::of(record.event.tokens.as_ref(), |tokens| {
        Cell::Int(of(tokens).into())
    })
}
