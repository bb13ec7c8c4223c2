//! Reads a story: a plain-text file of moments, events, commands and what the
//! commands should print.
//!
//!     # A comment. Blank lines separate.
//!     at 2026-03-01T12:00:00Z
//!     ingest 60 every 5s  {"type":"request","provider":"claude","latency":2500}
//!     ingest 60 every 5s from 12:05:00  {"type":"request","provider":"claude"}
//!     $ obs stats --by provider
//!     the lines it should print, as in `lines.rs`
//!     exit 3
//!
//! It does not know how a step is carried out (`scenario.rs` does).

use chrono::{DateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

/// One step of a story.
#[derive(Debug, PartialEq)]
pub struct Step {
    /// The line of the file it begins at, counted from 1.
    pub line: usize,
    /// When it happens.
    pub now: DateTime<Utc>,
    /// What happens.
    pub deed: Deed,
}

/// What can happen in a story.
#[derive(Debug, PartialEq)]
pub enum Deed {
    /// `ingest`: these events, one a line, come in through stdin.
    Ingest(String),
    /// `$ obs …`: a command is run.
    Run {
        /// Its arguments.
        args: Vec<String>,
        /// What stdout should hold.
        prints: Vec<String>,
        /// Its exit code: 0 unless a line `exit N` says otherwise.
        exits: i32,
    },
}

/// Reads the steps of a story.
///
/// # Errors
/// The number of the first line that cannot be read, and what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Step>, (usize, String)> {
    let mut steps: Vec<Step> = Vec::new();
    let mut now = None;
    for (line, words) in (1..).zip(text.lines()) {
        let mistake = |what: String| (line, what);
        let moment = || now.ok_or_else(|| mistake("no `at TIME` before this line".into()));
        if words.trim().is_empty() || words.starts_with('#') {
            continue;
        } else if let Some(time) = words.strip_prefix("at 2") {
            now = Some(date_time(&format!("2{time}")).map_err(mistake)?);
        } else if let Some(order) = words.strip_prefix("ingest ") {
            let now = moment()?;
            let (events, end) = ingest(order, now, line).map_err(mistake)?;
            let (now, deed) = (now.max(end), Deed::Ingest(events));
            steps.push(Step { line, now, deed });
        } else if let Some(command) = words.strip_prefix("$ obs") {
            let now = moment()?;
            let deed = Deed::Run {
                args: split(command).map_err(mistake)?,
                prints: Vec::new(),
                exits: 0,
            };
            steps.push(Step { line, now, deed });
        } else {
            let Some(Deed::Run { prints, exits, .. }) = steps.last_mut().map(|s| &mut s.deed)
            else {
                return Err(mistake(format!("no command could print `{words}`")));
            };
            match words.strip_prefix("exit ").map(str::parse) {
                Some(Ok(code)) => *exits = code,
                _ => prints.push(words.to_owned()),
            }
        }
    }
    Ok(steps)
}

fn date_time(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text.trim())
        .map(|t| t.to_utc())
        .map_err(|e| format!("`{text}` is not a time such as 2026-03-01T12:00:00Z: {e}"))
}

/// The events of `N every STEP [from TIME] JSON`, and when the last step is over.
///
/// The first happens at TIME (on the day of `now`), or at `now`; each has an id of its own.
fn ingest(order: &str, now: DateTime<Utc>, line: usize) -> Result<(String, DateTime<Utc>), String> {
    let form = || "expected: ingest N every STEP [from HH:MM:SS] JSON".to_owned();
    let (words, json) = order.split_at(order.find('{').ok_or_else(form)?);
    let (count, step, start) = match words.split_whitespace().collect::<Vec<_>>()[..] {
        [count, "every", step] => (count, step, now),
        [count, "every", step, "from", time] => (count, step, on_day_of(now, time)?),
        _ => return Err(form()),
    };
    let count: i32 = count.parse().map_err(|_| form())?;
    let step = duration(step)?;
    let event = check_event(json)?;
    let lines = (0..count).map(|i| {
        let at = (start + step * i).to_rfc3339_opts(SecondsFormat::Millis, true);
        format!(r#"{{"id":"line-{line}-{i}","timestamp":"{at}",{event}"#) + "\n"
    });
    Ok((lines.collect(), start + step * count))
}

/// The event behind its opening brace, once it is sure that id and time can be put there.
fn check_event(json: &str) -> Result<&str, String> {
    match serde_json::from_str(json) {
        Ok(Value::Object(event)) => {
            match ["id", "timestamp"].iter().find(|k| event.contains_key(**k)) {
                Some(key) => Err(format!("`{key}` is given to each event by the story")),
                None if event.is_empty() => Err("an event says at least its type".into()),
                None => Ok(json.trim().trim_start_matches('{')),
            }
        }
        Ok(_) => Err("expected one JSON object".into()),
        Err(e) => Err(format!("not JSON: {e}")),
    }
}

fn on_day_of(now: DateTime<Utc>, time: &str) -> Result<DateTime<Utc>, String> {
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S")
        .map_err(|_| format!("`{time}` is not a time of day such as 12:05:00"))?;
    Ok(now.date_naive().and_time(time).and_utc())
}

fn duration(text: &str) -> Result<TimeDelta, String> {
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (count, unit) = text.split_at(unit_at);
    let unit = match unit {
        "ms" => TimeDelta::milliseconds(1),
        "s" => TimeDelta::seconds(1),
        "m" => TimeDelta::minutes(1),
        "h" => TimeDelta::hours(1),
        "d" => TimeDelta::days(1),
        _ => {
            return Err(format!(
                "`{text}` is not a step such as 250ms, 5s, 1m, 2h, 1d"
            ));
        }
    };
    let count: i32 = count
        .parse()
        .map_err(|_| format!("`{text}` has no number"))?;
    Ok(unit * count)
}

/// Splits a command as a shell does, with both kinds of quotes and nothing else of a shell.
fn split(command: &str) -> Result<Vec<String>, String> {
    let mut args = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => args.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    args.extend(word);
    match quote {
        Some(open) => Err(format!("the quote {open} is not closed")),
        None => Ok(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str], prints: &[&str], exits: i32) -> Deed {
        Deed::Run {
            args: args.iter().map(|s| s.to_string()).collect(),
            prints: prints.iter().map(|s| s.to_string()).collect(),
            exits,
        }
    }

    #[test]
    fn a_story_is_read_step_by_step() {
        let steps = parse(
            r#"# The cache was cold.
at 2026-03-01T12:00:00Z
$ obs query 'p95_latency{provider="claude"}' --json

at 2026-03-01T12:05:30Z
$ obs alerts list --check
firing    High latency
  at noon, as every day
exit 3
"#,
        )
        .unwrap();
        assert_eq!(steps.len(), 2);
        let query = r#"p95_latency{provider="claude"}"#;
        assert_eq!(steps[0].line, 3);
        assert_eq!(steps[0].now.to_rfc3339(), "2026-03-01T12:00:00+00:00");
        assert_eq!(steps[0].deed, run(&["query", query, "--json"], &[], 0));
        assert_eq!(steps[1].line, 6);
        assert_eq!(steps[1].now.to_rfc3339(), "2026-03-01T12:05:30+00:00");
        let lines = ["firing    High latency", "  at noon, as every day"];
        assert_eq!(
            steps[1].deed,
            run(&["alerts", "list", "--check"], &lines, 3)
        );
    }

    #[test]
    fn events_begin_now_and_time_goes_on_while_they_come_in() {
        let steps = parse(
            "at 2026-03-01T12:00:00Z\ningest 3 every 5s  {\"type\":\"request\",\"latency\":90}\n",
        )
        .unwrap();
        assert_eq!(steps[0].now.to_rfc3339(), "2026-03-01T12:00:15+00:00");
        let Deed::Ingest(events) = &steps[0].deed else {
            panic!("{steps:?}")
        };
        let last = events.lines().last().unwrap();
        assert_eq!(events.lines().count(), 3);
        assert_eq!(
            last,
            r#"{"id":"line-2-2","timestamp":"2026-03-01T12:00:10.000Z","type":"request","latency":90}"#
        );
    }

    #[test]
    fn late_events_do_not_turn_the_clock_back() {
        let steps = parse(
            "at 2026-03-01T12:30:00Z\ningest 2 every 1m from 12:05:00 {\"type\":\"cache\",\"event\":\"hit\"}\n",
        )
        .unwrap();
        assert_eq!(steps[0].now.to_rfc3339(), "2026-03-01T12:30:00+00:00");
        let Deed::Ingest(events) = &steps[0].deed else {
            panic!("{steps:?}")
        };
        assert!(
            events.contains(r#""timestamp":"2026-03-01T12:06:00.000Z""#),
            "{events}"
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, line, word) in [
            ("$ obs stats", 1, "at TIME"),
            ("at 2026-03-01", 1, "is not a time"),
            (
                "at 2026-03-01T12:00:00Z\nfiring",
                2,
                "no command could print",
            ),
            (
                "at 2026-03-01T12:00:00Z\n$ obs query 'cost",
                2,
                "not closed",
            ),
            (
                "at 2026-03-01T12:00:00Z\ningest 3 {}",
                2,
                "expected: ingest",
            ),
            (
                "at 2026-03-01T12:00:00Z\ningest 3 every 5x {}",
                2,
                "not a step",
            ),
            (
                "at 2026-03-01T12:00:00Z\ningest 3 every 5s {\"a\":}",
                2,
                "not JSON",
            ),
            (
                "at 2026-03-01T12:00:00Z\ningest 3 every 5s {\"id\":\"x\"}",
                2,
                "`id` is given",
            ),
            (
                "at 2026-03-01T12:00:00Z\ningest 3 every 5s from noon {\"a\":1}",
                2,
                "time of day",
            ),
        ] {
            let (at, what) = parse(text).unwrap_err();
            assert_eq!(at, line, "{text}: {what}");
            assert!(what.contains(word), "{text}: {what}");
        }
    }
}
