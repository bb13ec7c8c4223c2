//! What people write for a moment, a window or a step.
//!
//! | form | example | meaning |
//! |---|---|---|
//! | duration | `90s` `5m` `24h` `7d` `2w` `1h30m` `1.5h` | that long before now |
//! | word | `now` `today` `yesterday` `this-week` `last-month` ... | where that span begins or, with `--until`, ends |
//! | date | `2026-01-31` | midnight in the zone |
//! | date-time | `2026-01-31T12:00`, `…:00Z`, `…+02:00` | without an offset, in the zone |
//! | epoch | `@1769860800`, `@1769860800123` | seconds (up to 11 digits) or milliseconds (12 to 15) |
//!
//! A day in a duration is 24 hours; who wants calendar days writes a date or a
//! word. The clock is not known here: now is given.

mod word;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use self::word::Word;
use crate::model::{Millis, Occurs, Span, Zone, parse_duration};

/// What a text is read against.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The present moment.
    pub now: Millis,
    /// Where days begin, and the zone of times without an offset.
    pub zone: Zone,
    /// The first day of a week.
    pub week_start: Weekday,
}

/// Which end of a window a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first moment inside: a word means where its span begins.
    Since,
    /// The first moment after: a word means where its span ends.
    Until,
}

/// A moment that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The moment.
    pub at: Millis,
    /// What the reader should know of how it was understood.
    pub warning: Option<String>,
}

/// A window that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first moment and the first after it.
    pub span: Span,
    /// What the reader should know of how its ends were understood.
    pub warnings: Vec<String>,
}

/// How finely a series is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// As fits the window.
    Auto,
    /// By this many milliseconds, at least 1.
    Every(i64),
}

/// Why a text is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// No form of a time fits.
    #[error("{text:?} is not a time: {why}")]
    Time {
        /// The text, cut to a length worth showing.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Neither `auto` nor a duration above zero.
    #[error("{text:?} is not a step: {why}")]
    Step {
        /// The text, cut to a length worth showing.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The window ends before it begins, or where it begins.
    #[error("the window is empty: it begins at {since} and ends at {until}")]
    EmptyWindow {
        /// Where `--since` was resolved to.
        since: Millis,
        /// Where `--until` was resolved to.
        until: Millis,
    },
}

impl TimeError {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        match self {
            TimeError::Time { .. } => {
                "write it like 24h, 1h30m, today, last-month, 2026-01-31, \
                 2026-01-31T12:00, 2026-01-31T12:00:00+02:00 or @1769860800"
            }
            TimeError::Step { .. } => "write it like auto, 10s, 1m, 1h or 1d",
            TimeError::EmptyWindow { .. } => "give a --since that lies before --until",
        }
    }
}

/// Reads a moment in any form of the table above.
///
/// A local time that a clock change skips or repeats becomes the earlier valid
/// moment, with a warning.
///
/// # Errors
/// When no form fits, or the moment is not within the years 1 to 9999.
pub fn parse_time(text: &str, side: Side, frame: &Frame) -> Result<Parsed, TimeError> {
    let text = text.trim();
    let parsed = match text.as_bytes() {
        [] => Err("it is empty".to_string()),
        [b'@', ..] => epoch(&text[1..]).map(Parsed::plain),
        [b'+' | b'-', ..] => Err("a time has no sign; 24h means 24 hours ago".to_string()),
        bytes if is_like_a_date(bytes) => date_time(text, frame.zone),
        [b'0'..=b'9', ..] => before(frame.now, text),
        _ => Word::parse(text).map(|word| Parsed::plain(word.edge(side, frame))),
    };
    parsed
        .and_then(within_calendar)
        .map_err(|why| TimeError::Time {
            text: shown(text),
            why,
        })
}

/// Reads a window, `[since, until)`. Without `since` it begins 24 hours before
/// now, without `until` it ends now.
///
/// # Errors
/// When either end cannot be read, or no moment lies between them.
pub fn window(
    since: Option<&str>,
    until: Option<&str>,
    frame: &Frame,
) -> Result<Window, TimeError> {
    let since = parse_time(since.unwrap_or("24h"), Side::Since, frame)?;
    let until = parse_time(until.unwrap_or("now"), Side::Until, frame)?;
    if since.at >= until.at {
        return Err(TimeError::EmptyWindow {
            since: since.at,
            until: until.at,
        });
    }
    Ok(Window {
        span: Span::new(since.at, until.at),
        warnings: [since.warning, until.warning]
            .into_iter()
            .flatten()
            .collect(),
    })
}

/// Reads `auto` or a duration above zero.
///
/// # Errors
/// When it is neither.
pub fn parse_step(text: &str) -> Result<Step, TimeError> {
    let text = text.trim();
    let step = match text {
        "auto" => Ok(Step::Auto),
        text => parse_duration(text)
            .map_err(|error| error.why)
            .and_then(every),
    };
    step.map_err(|why| TimeError::Step {
        text: shown(text),
        why,
    })
}

fn every(ms: i64) -> Result<Step, String> {
    match ms {
        0 => Err("it has no length".to_string()),
        ms => Ok(Step::Every(ms)),
    }
}

impl Parsed {
    fn plain(at: Millis) -> Parsed {
        Parsed { at, warning: None }
    }
}

/// As much of a text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn within_calendar(parsed: Parsed) -> Result<Parsed, String> {
    if Zone::YEARS.contains(&parsed.at) {
        Ok(parsed)
    } else {
        Err("it lies outside the years 1 to 9999".to_string())
    }
}

fn before(now: Millis, text: &str) -> Result<Parsed, String> {
    let ms = parse_duration(text).map_err(|error| error.why)?;
    Ok(Parsed::plain(Millis(now.0.saturating_sub(ms))))
}

/// A number of exactly so many digits.
fn digits(text: &str, width: usize) -> Option<u32> {
    let fits = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn epoch(number: &str) -> Result<Millis, String> {
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err("behind @ there are digits only, in seconds or milliseconds".to_string());
    }
    let count = number.parse::<i64>().unwrap_or(i64::MAX);
    match number.len() {
        0 => Err("behind @ there is a number of seconds or milliseconds".to_string()),
        1..=11 => Ok(Millis(count * Millis::SECOND)),
        12..=15 => Ok(Millis(count)),
        _ => Err("behind @ there are at most 15 digits, in milliseconds".to_string()),
    }
}

/// Four digits and a dash: whatever follows, a date was meant.
fn is_like_a_date(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, c, d, b'-', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
}

fn date_time(text: &str, zone: Zone) -> Result<Parsed, String> {
    let Some((day, clock)) = text.split_once(['T', 't', ' ']) else {
        return Ok(local(date(text)?.and_time(NaiveTime::MIN), zone));
    };
    let (time, offset) = split_where(clock, |c| matches!(c, 'Z' | 'z' | '+' | '-'));
    let stated = date(day)?.and_time(time_of_day(time)?);
    if offset.is_empty() {
        return Ok(local(stated, zone));
    }
    let utc = Millis(stated.and_utc().timestamp_millis());
    Ok(Parsed::plain(utc.plus(-offset_ms(offset)?)))
}

fn local(stated: NaiveDateTime, zone: Zone) -> Parsed {
    let (at, occurs) = zone.resolve(stated);
    let stated = stated.format("%Y-%m-%dT%H:%M:%S");
    let warning = match occurs {
        Occurs::Once => None,
        Occurs::Twice => Some(format!(
            "{stated} comes twice in {zone}, where clocks go back; taken as the first, {at}"
        )),
        Occurs::Never => Some(format!(
            "{stated} does not exist in {zone}, where clocks go forward; taken as {at}"
        )),
    };
    Parsed { at, warning }
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn date(text: &str) -> Result<NaiveDate, String> {
    let mut fields = text.splitn(3, '-');
    let mut field = |width| fields.next().and_then(|field| digits(field, width));
    let (Some(year), Some(month), Some(day)) = (field(4), field(2), field(2)) else {
        return Err("a date is year-month-day with 4, 2 and 2 digits".to_string());
    };
    NaiveDate::from_ymd_opt(year as i32, month, day)
        .filter(|date| date.year() > 0)
        .ok_or_else(|| format!("there is no day {text}"))
}

/// `12:00`, `12:00:05` or `12:00:05.250`; what lies below a millisecond is cut off.
fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    let shape = || "a time of day is hour:minute[:second] with 2 digits each".to_string();
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let fields: Option<Vec<u32>> = clock.split(':').map(|field| digits(field, 2)).collect();
    let (hour, minute, second) = match fields.as_deref() {
        Some([hour, minute]) if clock.len() == text.len() => (*hour, *minute, 0),
        Some([hour, minute, second]) => (*hour, *minute, *second),
        _ => return Err(shape()),
    };
    if !(1..=9).contains(&fraction.len()) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err("a second has 1 to 9 decimals".to_string());
    }
    let milli = format!("{fraction:0<3}")[..3]
        .parse()
        .map_err(|_| shape())?;
    NaiveTime::from_hms_milli_opt(hour, minute, second, milli)
        .ok_or_else(|| format!("there is no time of day {text}"))
}

/// `Z`, `+02:00`, `+0200` or `+02`, in milliseconds east of Greenwich.
fn offset_ms(text: &str) -> Result<i64, String> {
    if text.eq_ignore_ascii_case("z") {
        return Ok(0);
    }
    let wrong = || {
        format!(
            "{:?} is not an offset from UTC such as Z or +02:00",
            shown(text)
        )
    };
    let (sign, rest) = text.split_at(1);
    let (hours, minutes) = rest.split_at_checked(2).ok_or_else(wrong)?;
    let minutes = match minutes {
        "" => "00",
        minutes => minutes.strip_prefix(':').unwrap_or(minutes),
    };
    match (sign, digits(hours, 2), digits(minutes, 2)) {
        ("+" | "-", Some(hours @ ..24), Some(minutes @ ..60)) => {
            let east = i64::from(hours) * Millis::HOUR + i64::from(minutes) * Millis::MINUTE;
            Ok(if sign == "-" { -east } else { east })
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Saturday, 31 January 2026, 12:00 UTC.
    const NOW: Millis = Millis(1_769_860_800_000);

    fn frame(zone: &str) -> Frame {
        Frame {
            now: NOW,
            zone: Zone::parse(zone).unwrap(),
            week_start: Weekday::Mon,
        }
    }

    fn since(text: &str, zone: &str) -> String {
        let parsed = parse_time(text, Side::Since, &frame(zone)).unwrap();
        assert_eq!(parsed.warning, None, "{text}");
        parsed.at.to_string()
    }

    fn refused(text: &str) -> String {
        let error = parse_time(text, Side::Since, &frame("UTC")).unwrap_err();
        assert!(error.hint().contains("2026-01-31T12:00"));
        error.to_string()
    }

    #[test]
    fn a_duration_is_that_long_before_now() {
        for (text, at) in [
            ("90s", "2026-01-31T11:58:30.000Z"),
            ("5m", "2026-01-31T11:55:00.000Z"),
            ("24h", "2026-01-30T12:00:00.000Z"),
            ("7d", "2026-01-24T12:00:00.000Z"),
            ("2w", "2026-01-17T12:00:00.000Z"),
            (" 1h30m ", "2026-01-31T10:30:00.000Z"),
        ] {
            assert_eq!(since(text, "Asia/Kathmandu"), at, "{text}");
        }
    }

    #[test]
    fn dates_and_times_without_an_offset_are_local() {
        for (text, zone, at) in [
            ("2026-01-31", "UTC", "2026-01-31T00:00:00.000Z"),
            ("2026-01-31", "Asia/Kathmandu", "2026-01-30T18:15:00.000Z"),
            (
                "2026-01-31T12:00",
                "America/New_York",
                "2026-01-31T17:00:00.000Z",
            ),
            (
                "2026-01-31 12:00:05",
                "America/New_York",
                "2026-01-31T17:00:05.000Z",
            ),
            (
                "2026-01-31T12:00:00Z",
                "America/New_York",
                "2026-01-31T12:00:00.000Z",
            ),
            (
                "2026-01-31T12:00:00.123456+02:00",
                "UTC",
                "2026-01-31T10:00:00.123Z",
            ),
            ("2026-01-31T12:00-0530", "UTC", "2026-01-31T17:30:00.000Z"),
            ("2026-01-31t12:00+02", "UTC", "2026-01-31T10:00:00.000Z"),
            ("2024-02-29", "UTC", "2024-02-29T00:00:00.000Z"),
        ] {
            assert_eq!(since(text, zone), at, "{text}");
        }
    }

    #[test]
    fn an_epoch_is_in_seconds_or_milliseconds_by_its_length() {
        assert_eq!(since("@1769860800", "UTC"), "2026-01-31T12:00:00.000Z");
        assert_eq!(since("@1769860800123", "UTC"), "2026-01-31T12:00:00.123Z");
        assert_eq!(since("@0", "UTC"), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_skipped_or_repeated_local_time_warns() {
        for (text, zone, at, word) in [
            (
                "2026-03-29T02:30",
                "Europe/Berlin",
                "2026-03-29T01:00:00.000Z",
                "does not exist",
            ),
            (
                "2026-10-25T02:30",
                "Europe/Berlin",
                "2026-10-25T00:30:00.000Z",
                "comes twice",
            ),
            (
                "2026-03-08T02:00",
                "America/New_York",
                "2026-03-08T07:00:00.000Z",
                "not exist",
            ),
            (
                "2011-12-30",
                "Pacific/Apia",
                "2011-12-30T10:00:00.000Z",
                "does not exist",
            ),
            (
                "2018-11-04",
                "America/Sao_Paulo",
                "2018-11-04T03:00:00.000Z",
                "does not exist",
            ),
        ] {
            let parsed = parse_time(text, Side::Since, &frame(zone)).unwrap();
            assert_eq!(parsed.at.to_string(), at, "{text}");
            let warning = parsed.warning.unwrap();
            assert!(
                warning.contains(word) && warning.contains(zone),
                "{warning}"
            );
            assert!(warning.ends_with(at), "{warning}");
        }
    }

    #[test]
    fn a_wrong_time_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "it is empty"),
            ("yesterdy", "did you mean \"yesterday\"?"),
            ("whenever", "no such word is known"),
            ("-24h", "a time has no sign; 24h means 24 hours ago"),
            ("2026-02-30", "there is no day 2026-02-30"),
            ("0000-01-01", "there is no day 0000-01-01"),
            (
                "2026-1-5",
                "a date is year-month-day with 4, 2 and 2 digits",
            ),
            ("2026-01-31T24:00", "there is no time of day 24:00"),
            (
                "2026-01-31T12",
                "a time of day is hour:minute[:second] with 2 digits each",
            ),
            (
                "2026-01-31T12:00.5",
                "a time of day is hour:minute[:second] with 2 digits each",
            ),
            ("2026-01-31T12:00:00.", "a second has 1 to 9 decimals"),
            (
                "2026-01-31T12:00+2",
                "\"+2\" is not an offset from UTC such as Z or +02:00",
            ),
            (
                "2026-01-31T12:00Z+1",
                "\"Z+1\" is not an offset from UTC such as Z or +02:00",
            ),
            ("@", "behind @ there is a number of seconds or milliseconds"),
            (
                "@1.5",
                "behind @ there are digits only, in seconds or milliseconds",
            ),
            (
                "@1769860800123456",
                "behind @ there are at most 15 digits, in milliseconds",
            ),
            ("@999999999999999", "it lies outside the years 1 to 9999"),
            ("1000000w", "it lies outside the years 1 to 9999"),
            ("31.01.2026", "\"31.01.2026\" is not a number"),
        ] {
            assert_eq!(refused(text), format!("{text:?} is not a time: {why}"));
        }
    }

    #[test]
    fn a_window_is_the_last_day_unless_told_otherwise() {
        let utc = frame("UTC");
        let day = window(None, None, &utc).unwrap();
        assert_eq!(day.span, Span::new(NOW.plus(-Millis::DAY), NOW));
        let yesterday = window(Some("yesterday"), Some("yesterday"), &utc).unwrap();
        assert_eq!(yesterday.span.length_ms(), Millis::DAY);
        assert_eq!(yesterday.warnings, Vec::<String>::new());
    }

    #[test]
    fn an_empty_window_is_refused_with_both_ends() {
        let error = window(Some("1h"), Some("2h"), &frame("UTC")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the window is empty: it begins at 2026-01-31T11:00:00.000Z \
             and ends at 2026-01-31T10:00:00.000Z"
        );
        assert!(window(Some("now"), None, &frame("UTC")).is_err());
    }

    #[test]
    fn a_step_is_a_length_of_time_or_auto() {
        assert_eq!(parse_step("auto"), Ok(Step::Auto));
        assert_eq!(parse_step("10s"), Ok(Step::Every(10_000)));
        assert_eq!(parse_step("1d"), Ok(Step::Every(Millis::DAY)));
        for text in ["0s", "fast", "-1m", ""] {
            assert!(
                matches!(parse_step(text), Err(TimeError::Step { .. })),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(
            text in "\\PC*|[0-9.wdhms@+-]{0,24}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]?[0-9:.Zz+-]{0,16}\\PC?",
            zone in select(vec!["UTC", "Europe/Berlin", "Pacific/Apia", "America/New_York"]),
            now in any::<i64>(),
        ) {
            let frame = Frame { now: Millis(now), ..frame(zone) };
            for side in [Side::Since, Side::Until] {
                let _ = parse_time(&text, side, &frame);
            }
            let _ = parse_step(&text);
            let _ = window(Some(&text), None, &frame);
        }

        #[test]
        fn a_shown_moment_reads_back_the_same(
            at in -60_000_000_000_000_i64..250_000_000_000_000,
        ) {
            let text = Millis(at).to_string();
            let parsed = parse_time(&text, Side::Until, &frame("Asia/Kathmandu")).unwrap();
            prop_assert_eq!(parsed, Parsed::plain(Millis(at)));
        }
    }
}
