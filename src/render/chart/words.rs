//! Moments and durations in a chart's words: the window, the step, how long ago.

use chrono::{DateTime, Datelike, TimeZone};
use chrono_tz::Tz;

use crate::model::{Millis, Span};

const SIZES: [(i64, &str); 5] = [
    (Millis::DAY, "d"),
    (Millis::HOUR, "h"),
    (Millis::MINUTE, "min"),
    (Millis::SECOND, "s"),
    (1, "ms"),
];

/// Says that there is nothing to draw, and whether anything came at all:
/// `no data for latency_p95_ms since 2026-01-31 12:00; last event 3 d ago`.
pub fn no_data(
    field: &str,
    since: Millis,
    last_event: Option<Millis>,
    now: Millis,
    zone: Tz,
) -> String {
    let since = match local(since, zone) {
        Some(at) => at
            .format(&format!("%Y-%m-%d {}", clock(&[since])))
            .to_string(),
        None => since.to_string(),
    };
    let last = match last_event {
        Some(at) => format!("last event {} ago", rough(now.0.saturating_sub(at.0))),
        None => "no event yet".to_owned(),
    };
    format!("no data for {field} since {since}; {last}")
}

/// The window in its zone, as short as it is clear:
/// `2026-01-31 12:00 – 18:00 UTC`.
pub(super) fn window(span: Span, zone: Tz, ascii: bool) -> String {
    let to = if ascii { "to" } else { "–" };
    // Of a window of days nobody wants the seconds, which `now` brings along.
    let span = match span.length_ms() {
        86_400_000.. => Span::new(on_the_minute(span.from), on_the_minute(span.until)),
        _ => span,
    };
    let (Some(from), Some(until)) = (local(span.from, zone), local(span.until, zone)) else {
        return format!("{} {to} {}", span.from, span.until);
    };
    let clock = clock(&[span.from, span.until]);
    let begin = from.format(&format!("%Y-%m-%d {clock}")).to_string();
    let end = if from.date_naive() == until.date_naive() {
        until.format(clock).to_string()
    } else if from.year() == until.year() {
        until.format(&format!("%m-%d {clock}")).to_string()
    } else {
        until.format(&format!("%Y-%m-%d {clock}")).to_string()
    };
    let (begin_zone, end_zone) = (
        from.format("%Z").to_string(),
        until.format("%Z").to_string(),
    );
    if begin_zone == end_zone {
        format!("{begin} {to} {end} {end_zone}")
    } else {
        format!("{begin} {begin_zone} {to} {end} {end_zone}")
    }
}

fn on_the_minute(at: Millis) -> Millis {
    at.plus(-at.0.rem_euclid(60_000))
}

/// A duration without loss, in the largest size that divides it: `90 min`, `1 d`.
pub(super) fn exact(ms: i64) -> String {
    let size = SIZES.iter().find(|(size, _)| ms % size == 0 && ms >= *size);
    size.map_or_else(
        || format!("{ms} ms"),
        |(size, word)| format!("{} {word}", ms / size),
    )
}

/// A duration in whole units of its largest size, from seconds up: `3 d`.
fn rough(ms: i64) -> String {
    let size = SIZES[..4].iter().find(|(size, _)| ms >= *size);
    size.map_or_else(
        || "0 s".to_owned(),
        |(size, word)| format!("{} {word}", ms / size),
    )
}

fn local(at: Millis, zone: Tz) -> Option<DateTime<Tz>> {
    zone.timestamp_millis_opt(at.0).single()
}

/// The clock format that loses nothing of these moments.
fn clock(moments: &[Millis]) -> &'static str {
    let whole = |ms| moments.iter().all(|at| at.0 % ms == 0);
    if whole(Millis::MINUTE) {
        "%H:%M"
    } else if whole(Millis::SECOND) {
        "%H:%M:%S"
    } else {
        "%H:%M:%S%.3f"
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Europe, UTC};

    use super::*;

    fn at(text: &str) -> Millis {
        Millis(
            DateTime::parse_from_rfc3339(text)
                .unwrap()
                .timestamp_millis(),
        )
    }

    #[test]
    fn an_empty_window_says_when_the_last_event_was() {
        let since = at("2026-01-31T12:00:00Z");
        let now = at("2026-02-01T12:00:00Z");
        let last = Some(at("2026-01-29T11:00:00Z"));
        assert_eq!(
            no_data("latency_p95_ms", since, last, now, UTC),
            "no data for latency_p95_ms since 2026-01-31 12:00; last event 3 d ago"
        );
        assert_eq!(
            no_data("cost_usd", since, None, now, Europe::Berlin),
            "no data for cost_usd since 2026-01-31 13:00; no event yet"
        );
    }

    #[test]
    fn a_window_repeats_nothing_and_hides_no_clock_change() {
        let say = |from, until, zone| window(Span::new(at(from), at(until)), zone, false);
        assert_eq!(
            say("2026-01-31T12:00:00Z", "2026-01-31T18:00:30Z", UTC),
            "2026-01-31 12:00:00 – 18:00:30 UTC"
        );
        assert_eq!(
            say("2026-01-24T12:00:00Z", "2026-01-31T12:00:00Z", UTC),
            "2026-01-24 12:00 – 01-31 12:00 UTC"
        );
        assert_eq!(
            say("2026-01-30T12:00:00Z", "2026-01-31T12:34:49.119Z", UTC),
            "2026-01-30 12:00 – 01-31 12:34 UTC"
        );
        assert_eq!(
            say("2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z", UTC),
            "2025-12-31 12:00 – 2026-01-01 12:00 UTC"
        );
        assert_eq!(
            say(
                "2026-03-28T11:00:00Z",
                "2026-03-29T10:00:00Z",
                Europe::Berlin
            ),
            "2026-03-28 12:00 CET – 03-29 12:00 CEST"
        );
    }

    #[test]
    fn a_step_is_told_without_loss() {
        assert_eq!(exact(3_600_000), "1 h");
        assert_eq!(exact(90_000), "90 s");
        assert_eq!(exact(1_500), "1500 ms");
    }
}
