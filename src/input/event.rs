//! A filled draft becomes an event, or the reason why it cannot be one.
//!
//! Whether the line was JSON or CSV is not known here.

use std::borrow::Cow;

use super::draft::Draft;
use super::field::Field;
use super::moment::EPOCH;
use super::reject::Reject;
use super::{Options, metadata, moment, tokens, usage};
use crate::model::nearest;
use crate::model::{CacheEvent, Decision, Event, EventRef, Labels, Millis, ServiceTier, Signal};

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
    let usage = match tokens::are_told(draft) || !draft.has(Field::Usage) {
        true => None,
        false => usage::read(draft)?,
    };
    let (counted, cost, served) = match usage {
        Some(usage) => (usage.counted, usage.cost, usage.service_tier),
        None => {
            draft.set_aside(Field::Usage);
            (tokens::count(draft)?, None, None)
        }
    };
    let service_tier = service_tier(draft, served)?;
    Ok(Event {
        at,
        signal,
        id: draft.id(Field::Id)?,
        identity: identity(draft)?,
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
        service_tier,
        total_told: counted.total_told,
        cost_reported: draft.usd(Field::Cost)?.or(cost),
        cost_computed: draft.usd(Field::CostComputed)?,
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

/// The way of being served, by the words of the providers. One that no price list
/// knows (capacity bought in advance, say) is kept as it is written, too.
fn service_tier(
    draft: &mut Draft<'_, '_>,
    served: Option<Cow<'_, str>>,
) -> Result<ServiceTier, Reject> {
    let Some(word) = draft.text(Field::ServiceTier)?.or(served) else {
        return Ok(ServiceTier::Standard);
    };
    Ok(match &*word.to_ascii_lowercase() {
        "standard" | "default" | "auto" | "on_demand" | "standard_only" => ServiceTier::Standard,
        "batch" | "batches" => ServiceTier::Batch,
        "flex" => ServiceTier::Flex,
        "priority" => ServiceTier::Priority,
        "fast" => ServiceTier::Fast,
        _ => {
            draft.set_aside(Field::ServiceTier);
            ServiceTier::Other
        }
    })
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
    let Some(text) = draft.moment(Field::At)? else {
        let now = options.default_to_now.then_some(options.now);
        return now.ok_or(Reject::NoTimestamp);
    };
    let base = options.time_base.unwrap_or(EPOCH);
    let Some(at) = moment::read(text.trim_ascii(), options.time_unit, base) else {
        return Err(draft.mismatch(Field::At, "a time"));
    };
    let latest = options.now.plus(options.max_ahead_ms);
    if at > latest {
        let bound = format!("ahead of {latest}, the latest that is accepted");
        return Err(out_of_time(draft, Field::At, at, bound));
    }
    not_ancient(draft, Field::At, at)
}

/// The identity that an export says, for what no id identifies.
fn identity(draft: &Draft<'_, '_>) -> Result<Option<i64>, Reject> {
    let Some(text) = draft.text(Field::Ref)? else {
        return Ok(None);
    };
    match EventRef::parse(&text) {
        Some(told) => Ok(Some(told.h)),
        None => Err(draft.mismatch(Field::Ref, "a reference as `obs export events` writes it")),
    }
}

/// The moment a limit starts afresh: absolute, however the event's own time is written.
fn reset(draft: &Draft<'_, '_>) -> Result<Option<Millis>, Reject> {
    let Some(text) = draft.moment(Field::ResetAt)? else {
        return Ok(None);
    };
    let Some(at) = moment::read(text.trim_ascii(), None, EPOCH) else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::{NOW, decode, refused, request};
    use crate::model::{Tokens, Usd};

    /// What is said of a request with these fields.
    fn said(fields: &str) -> (&'static str, String) {
        let reject = request(fields).unwrap_err();
        (reject.code(), reject.to_string())
    }

    #[test]
    fn a_request_is_read_with_all_its_fields() {
        let line = r#"{"id":"req_1","type":"request","timestamp":1763164800389,"provider":"claude",
            "model":"claude-haiku-4-5","user_id":"u97","latency":919.2,"ttft_ms":80.25,"success":false,
            "error":"too \u00e9arly","error_type":"overloaded_error","status_code":529,"input_tokens":2346,
            "output_tokens":242,"total_tokens":2588,"cost":0.003556,"role":"planner","project":"p",
            "endpoint":"/v1/messages","session_id":7,"request_id":"r","tools":["a", "b"],"metadata":{"region":"eu-1"}}"#;
        let read = decode(line.as_bytes()).unwrap();
        let mut event = Event::new(
            Millis(1_763_164_800_389),
            Signal::Request { success: false },
        );
        event.id = Some("req_1".into());
        event.labels.provider = Some("claude".into());
        event.labels.model = Some("claude-haiku-4-5".into());
        event.labels.role = Some("planner".into());
        event.labels.project = Some("p".into());
        event.labels.endpoint = Some("/v1/messages".into());
        event.labels.error_type = Some("overloaded_error".into());
        event.labels.status_code = Some(529);
        event.user = Some("u97".into());
        event.session = Some("7".into());
        event.request_id = Some("r".into());
        event.tools = Some(r#"["a", "b"]"#.into());
        event.latency_us = Some(919_200);
        event.ttft_us = Some(80_250);
        event.tokens = Some(Tokens {
            input_uncached: 2346,
            output: 242,
            ..Tokens::default()
        });
        event.cost_reported = Some(Usd(3_556_000));
        event.error_message = Some("too éarly".into());
        event.metadata = Some(r#"{"region":"eu-1"}"#.into());
        assert_eq!(read, event);
    }

    #[test]
    fn a_cache_access_and_a_decision_of_a_limiter_are_read() {
        let line = br#"{"metric_type":"cache","ts":1763164804787,"cacheEvent":"hit","savedCost":0.01,"savedTokens":5987}"#;
        let event = decode(line).unwrap();
        assert_eq!(event.signal, Signal::Cache(CacheEvent::Hit));
        assert_eq!(
            (event.saved_cost, event.saved_tokens),
            (Some(Usd(10_000_000)), Some(5987))
        );

        let line = br#"{"type":"rate_limit","at":"2025-11-15T00:00:04Z","event":"denied","rateLimitType":"user",
            "key":"u1","remaining":0,"limit":60,"reset_at":1763164860,"rate_limit_event":null}"#;
        let event = decode(line).unwrap();
        assert_eq!(event.signal, Signal::RateLimit(Decision::Denied));
        assert_eq!(
            (event.limit_remaining, event.limit_max),
            (Some(0), Some(60))
        );
        assert_eq!(event.limit_reset, Some(Millis(1_763_164_860_000)));
        assert_eq!(event.limit_key.as_deref(), Some("u1"));
        assert_eq!(event.labels.limit_type.as_deref(), Some("user"));
    }

    #[test]
    fn success_is_told_or_follows_from_the_status() {
        for (fields, expected) in [
            ("\"latency\":1", true),
            ("\"status_code\":200", true),
            ("\"status_code\":399", true),
            ("\"status_code\":400", false),
            ("\"status_code\":0", false),
            ("\"status_code\":500,\"success\":true", true),
            ("\"success\":null", true),
            ("\"success\":0", false),
        ] {
            let signal = Signal::Request { success: expected };
            assert_eq!(request(fields).unwrap().signal, signal, "{fields}");
        }
    }

    #[test]
    fn a_field_that_the_type_has_no_use_for_is_kept() {
        let event = request(r#""event":"completion","remaining":5"#).unwrap();
        assert_eq!(event.metadata.as_deref(), Some(r#"{"event":"completion"}"#));
        assert_eq!(event.limit_remaining, Some(5));
        let event = decode(br#"{"type":"cache","event":"miss","ts":1763164800,"success":true}"#);
        assert_eq!(
            event.unwrap().metadata.as_deref(),
            Some(r#"{"success":true}"#)
        );
    }

    #[test]
    fn an_empty_text_is_none_and_a_number_may_be_an_id() {
        let event =
            request(r#""id":18446744073709551617,"provider":"","error":"","user":-3"#).unwrap();
        assert_eq!(event.id.as_deref(), Some("18446744073709551617"));
        assert_eq!(event.user.as_deref(), Some("-3"));
        assert_eq!((event.labels.provider, event.error_message), (None, None));
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        for (fields, expected) in [
            (
                r#""latency":"fast""#,
                r#"latency: expected a number, found "fast""#,
            ),
            (
                r#""latency":"850""#,
                r#"latency: expected a number, found "850""#,
            ),
            (
                r#""durationMs":true"#,
                "durationMs: expected a number, found true",
            ),
            (r#""provider":3"#, "provider: expected a text, found 3"),
            (r#""model":["a"]"#, r#"model: expected a text, found ["a"]"#),
            (
                r#""id":1.5"#,
                "id: expected a text or a whole number, found 1.5",
            ),
            (
                r#""success":"yes""#,
                r#"success: expected true or false, found "yes""#,
            ),
            (
                r#""output_tokens":1.5"#,
                "output_tokens: expected a whole number, found 1.5",
            ),
            (
                r#""tools":{"a":1}"#,
                r#"tools: expected a text or an array, found {"a":1}"#,
            ),
            (
                r#""reset_at":"soon""#,
                r#"reset_at: expected a time, found "soon""#,
            ),
        ] {
            assert_eq!(said(fields), ("type_mismatch", expected.to_owned()));
        }
    }

    #[test]
    fn a_value_is_shown_short() {
        let (_, text) = said(&format!(r#""latency":"{}""#, "é".repeat(100)));
        assert_eq!(
            text,
            format!("latency: expected a number, found \"{}…", "é".repeat(39))
        );
    }

    #[test]
    fn a_number_that_nobody_would_believe_is_refused() {
        for (fields, expected) in [
            (
                r#""latency":-1"#,
                "latency: expected no negative number, found -1",
            ),
            (
                r#""latency":86400000.001"#,
                "latency: expected at most 24 h (86400000 ms), found 86400000.001",
            ),
            (
                r#""ttft":1e999"#,
                "ttft: expected at most 24 h (86400000 ms), found 1e999",
            ),
            (
                r#""cost":10000.000000001"#,
                "cost: expected at most $10,000, found 10000.000000001",
            ),
            (
                r#""cost_usd":1e60"#,
                "cost_usd: expected at most $10,000, found 1e60",
            ),
            (
                r#""savedCost":-0.5"#,
                "savedCost: expected no negative number, found -0.5",
            ),
            (
                r#""input_tokens":18446744073709551616"#,
                "input_tokens: expected at most 9223372036854775807, found 18446744073709551616",
            ),
            (
                r#""output_tokens":-7"#,
                "output_tokens: expected no negative number, found -7",
            ),
            (
                r#""status_code":1000"#,
                "status_code: expected a status from 0 to 999, found 1000",
            ),
            (
                r#""remaining":-1"#,
                "remaining: expected no negative number, found -1",
            ),
        ] {
            assert_eq!(said(fields), ("out_of_range", expected.to_owned()));
        }
        let edge =
            request(r#""latency":86400000,"cost":1e4,"input_tokens":123.0,"output_tokens":-0"#);
        assert_eq!(edge.unwrap().latency_us, Some(86_400_000_000));
    }

    #[test]
    fn an_unknown_type_names_the_nearest() {
        let (code, text) = refused(br#"{"type":"requst","ts":1763164800}"#);
        assert_eq!(code, "unknown_type");
        assert_eq!(
            text,
            "type: expected request, cache or rate_limit, found \"requst\", did you mean request?"
        );
        let (code, text) = refused(br#"{"ts":1763164800}"#);
        assert_eq!(
            (code, &*text),
            (
                "missing_field",
                "type: missing, expected request, cache or rate_limit"
            )
        );
        let (code, text) = refused(br#"{"type":"cache","ts":1763164800,"event":"hot"}"#);
        assert_eq!(
            (code, &*text),
            (
                "unknown_word",
                "event: expected hit, miss or store, found \"hot\", did you mean hit?"
            )
        );
        let (code, _) = refused(br#"{"type":"rate_limit","ts":1763164800}"#);
        assert_eq!(code, "missing_field");
    }

    #[test]
    fn a_time_is_needed_and_lies_between_2000_and_now() {
        let ahead = NOW.plus(5 * Millis::MINUTE);
        for (time, code, expected) in [
            (
                "null".to_owned(),
                "no_timestamp",
                "timestamp: missing".to_owned(),
            ),
            (
                "\"\"".to_owned(),
                "no_timestamp",
                "timestamp: missing".to_owned(),
            ),
            (
                "\"noon\"".to_owned(),
                "type_mismatch",
                "time: expected a time, found \"noon\"".to_owned(),
            ),
            (
                "false".to_owned(),
                "type_mismatch",
                "time: expected a time, found false".to_owned(),
            ),
            (
                "5".to_owned(),
                "time_range",
                "time: 1970-01-01T00:00:05.000Z lies before the year 2000".to_owned(),
            ),
            (
                ahead.plus(1).0.to_string(),
                "time_range",
                format!(
                    "time: {} lies ahead of {ahead}, the latest that is accepted",
                    ahead.plus(1)
                ),
            ),
        ] {
            let line = format!(r#"{{"type":"request","time":{time}}}"#);
            assert_eq!(refused(line.as_bytes()), (code, expected));
        }
        let line = format!(r#"{{"type":"request","time":{}}}"#, ahead.0);
        assert_eq!(decode(line.as_bytes()).unwrap().at, ahead);
    }

    #[test]
    fn a_label_longer_than_4096_bytes_is_refused() {
        assert!(request(&format!(r#""model":"{}""#, "m".repeat(4_096))).is_ok());
        let (code, text) = said(&format!(r#""userId":"{}""#, "u".repeat(4_097)));
        assert_eq!(
            (code, &*text),
            ("too_long", "userId: 4097 bytes, longer than 4096")
        );
        assert!(request(&format!(r#""error":"{}""#, "e".repeat(9_000))).is_ok());
    }
}
