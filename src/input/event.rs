//! A filled draft becomes an event, or the reason why it cannot be one.
//!
//! Whether the line was JSON or CSV is not known here.

use super::draft::Draft;
use super::field::Field;
use super::reject::{Reject, nearest};
use super::{Options, metadata, moment, tokens};
use crate::model::{CacheEvent, Decision, Event, Labels, Millis, Signal};

/// 2000-01-01T00:00:00Z. What is older was never an LLM request.
const YEAR_2000: Millis = Millis(946_684_800_000);
/// 10000-01-01T00:00:00Z. Later moments cannot be written in RFC 3339.
const YEAR_10000: Millis = Millis(253_402_300_800_000);
/// The largest HTTP status.
const MAX_STATUS: i64 = 999;

/// Makes the event. A field that its type has no use for is kept all the same:
/// in its place if there is one, else in metadata.
pub(super) fn event<'a>(draft: &mut Draft<'_, 'a>, options: &Options) -> Result<Event<'a>, Reject> {
    let status_code = status(draft)?;
    let signal = signal(draft, status_code)?;
    let at = happened(draft, options)?;
    let counted = tokens::count(draft)?;
    Ok(Event {
        at,
        signal,
        id: draft.id(Field::Id)?,
        labels: Labels {
            provider: draft.label(Field::Provider)?,
            model: draft.label(Field::Model)?,
            role: draft.label(Field::Role)?,
            project: draft.label(Field::Project)?,
            endpoint: draft.label(Field::Endpoint)?,
            error_type: draft.label(Field::ErrorType)?,
            limit_type: draft.label(Field::LimitType)?,
            status_code,
        },
        user: draft.id(Field::User)?,
        session: draft.id(Field::Session)?,
        request_id: draft.id(Field::RequestId)?,
        tools: draft.text_or_array(Field::Tools)?,
        latency_us: draft.micros(Field::Latency)?,
        ttft_us: draft.micros(Field::Ttft)?,
        tokens: counted.tokens,
        total_told: counted.total_told,
        cost_reported: draft.usd(Field::Cost)?,
        cost_computed: None,
        error_message: draft.text(Field::ErrorMessage)?,
        saved_cost: draft.usd(Field::SavedCost)?,
        saved_tokens: draft.count(Field::SavedTokens)?,
        limit_remaining: draft.whole(Field::Remaining)?,
        limit_max: draft.whole(Field::Limit)?,
        limit_reset: reset(draft)?,
        limit_key: draft.id(Field::LimitKey)?,
        metadata: metadata::gather(draft)?,
    })
}

fn status(draft: &Draft<'_, '_>) -> Result<Option<u16>, Reject> {
    match draft.whole(Field::StatusCode)? {
        Some(code) if code > MAX_STATUS => {
            Err(draft.out_of_range(Field::StatusCode, "a status from 0 to 999"))
        }
        code => Ok(code.and_then(|code| u16::try_from(code).ok())),
    }
}

fn signal(draft: &mut Draft<'_, '_>, status: Option<u16>) -> Result<Signal, Reject> {
    const TYPES: &str = "request, cache or rate_limit";
    let Some(name) = draft.text(Field::Type)? else {
        return Err(Reject::Missing {
            field: Field::Type.name(),
            expected: TYPES,
        });
    };
    match &*name {
        "request" => {
            draft.set_aside(Field::Outcome);
            let success = draft.flag(Field::Success)?.unwrap_or(!has_failed(status));
            Ok(Signal::Request { success })
        }
        "cache" => {
            draft.set_aside(Field::Success);
            cache(draft).map(Signal::Cache)
        }
        "rate_limit" => {
            draft.set_aside(Field::Success);
            decision(draft).map(Signal::RateLimit)
        }
        unknown => Err(Reject::UnknownWord {
            field: draft.name(Field::Type).to_owned(),
            expected: TYPES,
            found: draft.shown(Field::Type),
            nearest: nearest(unknown, ["request", "cache", "rate_limit"]).map(str::to_owned),
            is_type: true,
        }),
    }
}

/// Whether a status tells of a failure where nothing else does: 400 and above,
/// and 0, which means that there was no answer.
fn has_failed(status: Option<u16>) -> bool {
    status.is_some_and(|code| code == 0 || code >= 400)
}

fn cache(draft: &Draft<'_, '_>) -> Result<CacheEvent, Reject> {
    const WORDS: [(&str, CacheEvent); 3] = [
        ("hit", CacheEvent::Hit),
        ("miss", CacheEvent::Miss),
        ("store", CacheEvent::Store),
    ];
    outcome(draft, WORDS, "hit, miss or store")
}

fn decision(draft: &Draft<'_, '_>) -> Result<Decision, Reject> {
    const WORDS: [(&str, Decision); 2] =
        [("allowed", Decision::Allowed), ("denied", Decision::Denied)];
    outcome(draft, WORDS, "allowed or denied")
}

fn outcome<T: Copy, const N: usize>(
    draft: &Draft<'_, '_>,
    words: [(&'static str, T); N],
    expected: &'static str,
) -> Result<T, Reject> {
    let Some(word) = draft.text(Field::Outcome)? else {
        return Err(Reject::Missing {
            field: Field::Outcome.name(),
            expected,
        });
    };
    let known = words.iter().find(|(known, _)| *known == word);
    known
        .map(|(_, outcome)| *outcome)
        .ok_or_else(|| Reject::UnknownWord {
            field: draft.name(Field::Outcome).to_owned(),
            expected,
            found: draft.shown(Field::Outcome),
            nearest: nearest(&word, words.map(|(known, _)| known)).map(str::to_owned),
            is_type: false,
        })
}

fn happened(draft: &Draft<'_, '_>, options: &Options) -> Result<Millis, Reject> {
    let Some(text) = draft.text_or_number(Field::At)? else {
        let now = options.default_to_now.then_some(options.now);
        return now.ok_or(Reject::NoTimestamp);
    };
    let Some(read) = moment::read(text.trim(), options.time_unit) else {
        return Err(draft.mismatch(Field::At, "a time"));
    };
    let at = options.time_base.map_or(read, |base| base.plus(read.0));
    let latest = options.now.plus(options.max_ahead_ms);
    if at > latest {
        let bound = format!("ahead of {latest}, the latest that is accepted");
        return Err(out_of_time(draft, Field::At, at, bound));
    }
    not_ancient(draft, Field::At, at)
}

/// The moment a limit starts afresh: absolute, however the event's own time is written.
fn reset(draft: &Draft<'_, '_>) -> Result<Option<Millis>, Reject> {
    let Some(text) = draft.text_or_number(Field::ResetAt)? else {
        return Ok(None);
    };
    let Some(at) = moment::read(text.trim(), None) else {
        return Err(draft.mismatch(Field::ResetAt, "a time"));
    };
    if at >= YEAR_10000 {
        let bound = "after the year 9999".to_owned();
        return Err(out_of_time(draft, Field::ResetAt, at, bound));
    }
    not_ancient(draft, Field::ResetAt, at).map(Some)
}

fn not_ancient(draft: &Draft<'_, '_>, field: Field, at: Millis) -> Result<Millis, Reject> {
    match at < YEAR_2000 {
        true => Err(out_of_time(
            draft,
            field,
            at,
            "before the year 2000".to_owned(),
        )),
        false => Ok(at),
    }
}

fn out_of_time(draft: &Draft<'_, '_>, field: Field, at: Millis, bound: String) -> Reject {
    Reject::TimeRange {
        field: draft.name(field).to_owned(),
        at,
        bound,
    }
}
