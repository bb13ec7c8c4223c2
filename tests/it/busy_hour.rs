//! A small store of known numbers, of which questions are asked.

use crate::obs::Obs;

/// The moment at which the hour is over.
pub const NOON: &str = "2026-03-01T12:00:00Z";

/// What happened from 11:00 to 12:00:
/// - each minute a request to claude's opus by a user of its own (u00 to u59): 1,000 ms and
///   10 ms more each minute, a cent, 100 tokens in and 20 out;
/// - every second minute a request to openai's gpt-5: 500 ms, without a cost and on capacity
///   bought in advance, which has no price, 50 in and 10 out; each fifth of them failed;
/// - at 11:30, three cache hits and a miss at openai.
pub fn lines() -> String {
    let at = |minute: usize| format!(r#""timestamp":"2026-03-01T11:{minute:02}:00Z""#);
    let claude = (0..60).map(|m| {
        format!(
            r#"{{"id":"c{m}",{},"type":"request","provider":"claude","model":"opus","user_id":"u{m:02}","latency":{},"cost":0.01,"input_tokens":100,"output_tokens":20}}"#,
            at(m),
            1_000 + 10 * m
        )
    });
    let openai = (0..60).step_by(2).map(|m| {
        format!(
            r#"{{"id":"o{m}",{},"type":"request","provider":"openai","model":"gpt-5","latency":500,"success":{},"service_tier":"reserved","input_tokens":50,"output_tokens":10}}"#,
            at(m),
            m % 10 != 0
        )
    });
    let cache = ["hit", "hit", "hit", "miss"]
        .into_iter()
        .enumerate()
        .map(|(nth, event)| {
            format!(
                r#"{{"id":"x{nth}",{},"type":"cache","provider":"openai","event":"{event}"}}"#,
                at(30)
            )
        });
    claude
        .chain(openai)
        .chain(cache)
        .map(|line| line + "\n")
        .collect()
}

/// A store that holds the hour, at noon; nothing is rolled up.
pub fn busy_hour() -> Obs {
    let obs = Obs::at(NOON);
    obs.feed(&["ingest", "-"], lines()).exits(0);
    obs
}
