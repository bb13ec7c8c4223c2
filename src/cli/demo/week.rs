//! A simulated week of LLM traffic, as the bytes of a JSONL file.
//!
//! The same present gives the same bytes. A line is made when it is read, so a
//! week needs no more memory than a moment. What becomes of the lines is not
//! known here.

use std::collections::VecDeque;
use std::io::{self, Read};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp1, StandardNormal};

use super::fleet::{FAULTS, Fault, Model, PROVIDERS, Price, Provider};
use super::line::{Answered, Cache, Failed, Line, Outcome, RateLimit, Request, Saved};
use crate::model::{Millis, Span, Usd};

const SEED: u64 = 2026;
const EVENTS_A_MINUTE: f64 = 9.0;
/// Bytes that are made at once.
const CHUNK: usize = 64 << 10;

/// Share of lines that the collector sends a second time.
const TWICE: f64 = 0.000_2;
/// Share of lines that come late.
const LATE: f64 = 0.000_5;
/// How late they come.
const DELAY_MS: i64 = 2 * Millis::HOUR;

/// The provider that has a bad afternoon.
const AILING: &str = "claude";
const INCIDENT_MS: i64 = 8 * Millis::HOUR;

const USERS: [&str; 10] = [
    "ana", "ben", "chen", "dara", "eli", "fay", "gus", "hana", "ivo", "joy",
];
const PROJECTS: [(&str, f64); 3] = [("support", 5.0), ("search", 3.0), ("review", 2.0)];

/// Lines that no event can be made of, and the hour in which they come. `AT` stands for a time.
const BROKEN: [(i64, &str); 3] = [
    (20, r#"{"type":"request","timestamp":"AT","provider":"open"#),
    (
        75,
        r#"{"type":"request","provider":"mistral","latency":640}"#,
    ),
    (
        130,
        r#"{"type":"request","timestamp":"AT","provider":"gemini","latency":"fast"}"#,
    ),
];

/// The week before a moment.
pub(super) struct Week {
    span: Span,
    incident: Span,
    rng: ChaCha8Rng,
    /// When the next event happens.
    at: Millis,
    lines: u64,
    broken: usize,
    /// Lines that come late, and when they come.
    held: VecDeque<(Millis, Vec<u8>)>,
    /// Bytes that are made, and how many of them were read.
    made: Vec<u8>,
    read: usize,
}

impl Week {
    /// The week that ends at `now`.
    pub(super) fn before(now: Millis) -> Week {
        let start = now.plus(-7 * Millis::DAY);
        Week {
            span: Span::new(start, now),
            incident: incident(start),
            rng: ChaCha8Rng::seed_from_u64(SEED),
            at: start,
            lines: 0,
            broken: 0,
            held: VecDeque::new(),
            made: Vec::with_capacity(CHUNK + CHUNK / 8),
            read: 0,
        }
    }

    /// The span of the incident, for who wants to look closer.
    pub(super) fn incident(&self) -> Span {
        self.incident
    }

    /// Makes more bytes; none at the end of the week.
    fn make(&mut self) -> io::Result<()> {
        self.made.clear();
        self.read = 0;
        while self.made.len() < CHUNK && self.at < self.span.until {
            self.release(self.at);
            self.break_a_line();
            let line = self.event();
            self.send(&line)?;
            self.pass();
        }
        if self.at >= self.span.until {
            self.release(Millis(i64::MAX));
        }
        Ok(())
    }

    /// Writes the held lines that are due.
    fn release(&mut self, due: Millis) {
        while let Some((_, line)) = self.held.pop_front_if(|(at, _)| *at <= due) {
            self.made.extend(line);
        }
    }

    fn break_a_line(&mut self) {
        let Some((hour, text)) = BROKEN.get(self.broken) else {
            return;
        };
        if self.at >= self.span.from.plus(hour * Millis::HOUR) {
            let text = text.replace("AT", &self.at.to_string());
            self.made.extend(text.bytes().chain([b'\n']));
            self.broken += 1;
        }
    }

    /// Writes a line, or two, or keeps it for later.
    fn send(&mut self, line: &Line) -> io::Result<()> {
        let from = self.made.len();
        serde_json::to_writer(&mut self.made, line)?;
        self.made.push(b'\n');
        if self.rng.random_bool(TWICE) {
            self.made.extend_from_within(from..);
        } else if self.rng.random_bool(LATE) {
            let line = self.made.split_off(from);
            self.held.push_back((self.at.plus(DELAY_MS), line));
        }
        Ok(())
    }

    /// Lets time pass until the next event.
    fn pass(&mut self) {
        let wait: f64 = self.rng.sample(Exp1);
        let wait_ms = wait * Millis::MINUTE as f64 / (EVENTS_A_MINUTE * rhythm(self.at));
        self.at = self.at.plus(wait_ms as i64);
    }

    fn event(&mut self) -> Line {
        self.lines += 1;
        let provider = self.pick(&PROVIDERS, |provider| provider.share);
        let model = self.pick(provider.models, |model| model.share);
        match self.rng.random_range(0..100) {
            0..90 => Line::Request(self.request(provider, model)),
            90..95 => Line::Cache(self.cache(provider, model)),
            _ => Line::RateLimit(self.rate_limit(provider, model)),
        }
    }

    fn request(&mut self, provider: &'static Provider, model: &'static Model) -> Request {
        let (latency_ms, outcome) = match self.fault(provider) {
            Some(fault) => self.failed(fault),
            None => self.answered(provider, model),
        };
        let user = self.rng.random::<f64>().powi(2) * USERS.len() as f64;
        Request {
            timestamp: self.at,
            id: self.id("req"),
            provider: provider.name,
            model: model.name,
            user_id: USERS[user as usize],
            project: self.pick(&PROJECTS, |project| project.1).0,
            latency: latency_ms,
            outcome,
        }
    }

    /// How this request fails, if it does.
    fn fault(&mut self, provider: &'static Provider) -> Option<&'static Fault> {
        if self.rng.random_bool(0.4 * self.trouble(provider)) {
            return Some(&provider.overloaded);
        }
        let fails = self.rng.random_bool(provider.failures);
        fails.then(|| &self.pick(&FAULTS, |fault| fault.1).0)
    }

    fn failed(&mut self, fault: &Fault) -> (u64, Outcome) {
        let outcome = Outcome::Failed(Failed {
            success: false,
            status_code: fault.status,
            error_type: fault.kind,
            error_message: fault.message,
            cost: Usd::ZERO,
        });
        (self.around(fault.after_ms, 0.2), outcome)
    }

    fn answered(&mut self, provider: &Provider, model: &Model) -> (u64, Outcome) {
        let slower = 1.0 + 3.5 * self.trouble(provider);
        let input = self.around(1_400.0, 0.9);
        let cached = if self.rng.random_bool(0.4) {
            input * 3 / 4
        } else {
            0
        };
        let output = self.around(110.0, 0.6);
        let first_token_ms = self.around(slower * model.first_token_ms, 0.3);
        let rest_ms = self.around(slower * model.token_ms * output as f64, 0.15);
        let outcome = Outcome::Answered(Answered {
            success: true,
            ttft_ms: first_token_ms,
            input_tokens: input,
            cached_tokens: cached,
            output_tokens: output,
            cost: cost(&model.price, input, cached, output),
        });
        (first_token_ms + rest_ms, outcome)
    }

    fn cache(&mut self, provider: &Provider, model: &Model) -> Cache {
        let event = *self.pick(&[("hit", 6.0), ("miss", 2.5), ("store", 2.0)], |e| e.1);
        let tokens = self.around(1_500.0, 0.7);
        let saved = Saved {
            saved_tokens: tokens,
            saved_cost: cost(&model.price, tokens, 0, 0),
        };
        Cache {
            timestamp: self.at,
            id: self.id("cache"),
            event: event.0,
            provider: provider.name,
            model: model.name,
            saved: (event.0 == "hit").then_some(saved),
        }
    }

    fn rate_limit(&mut self, provider: &Provider, model: &Model) -> RateLimit {
        const LIMIT: u64 = 500;
        let denied = self.rng.random_bool(provider.denials);
        let used = (rhythm(self.at) * self.rng.random_range(60.0..200.0)) as u64;
        RateLimit {
            timestamp: self.at,
            id: self.id("limit"),
            event: if denied { "denied" } else { "allowed" },
            provider: provider.name,
            model: model.name,
            rate_limit_type: "provider",
            key: "requests_per_minute",
            limit: LIMIT,
            remaining: if denied {
                0
            } else {
                LIMIT.saturating_sub(used).max(1)
            },
            reset_at: self.at.plus(1).ceil(Millis::MINUTE),
        }
    }

    fn id(&self, kind: &str) -> String {
        format!("{kind}-{:06}", self.lines)
    }

    /// How badly a provider does now: 0 on a good day, 1 at the worst moment.
    fn trouble(&self, provider: &Provider) -> f64 {
        if provider.name != AILING || !self.incident.contains(self.at) {
            return 0.0;
        }
        let passed = (self.at.0 - self.incident.from.0) as f64 / INCIDENT_MS as f64;
        (std::f64::consts::PI * passed).sin()
    }

    /// A whole number near the median, distributed log-normally.
    fn around(&mut self, median: f64, spread: f64) -> u64 {
        let deviation: f64 = self.rng.sample(StandardNormal);
        (median * (spread * deviation).exp()).round().max(1.0) as u64
    }

    fn pick<'a, T>(&mut self, of: &'a [T], weight: impl Fn(&T) -> f64) -> &'a T {
        let mut left = self.rng.random::<f64>() * of.iter().map(&weight).sum::<f64>();
        let found = of.iter().find(|one| {
            left -= weight(one);
            left < 0.0
        });
        found.unwrap_or(&of[0])
    }
}

impl Read for Week {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.read == self.made.len() {
            self.make()?;
        }
        let count = (&self.made[self.read..]).read(room)?;
        self.read += count;
        Ok(count)
    }
}

/// The first afternoon (UTC) that begins on or after the fifth day.
fn incident(start: Millis) -> Span {
    const NOON: i64 = Millis::DAY / 2;
    let fifth_day = start.plus(4 * Millis::DAY);
    let from = fifth_day.plus(-NOON).ceil(Millis::DAY).plus(NOON);
    Span::new(from, from.plus(INCIDENT_MS))
}

/// How busy a moment is beside the average: quiet nights and weekends.
fn rhythm(at: Millis) -> f64 {
    /// The hour (UTC) of most traffic.
    const PEAK: f64 = 14.0;
    let hours = at.0.rem_euclid(Millis::DAY) as f64 / Millis::HOUR as f64;
    let day = 1.0 + 0.6 * (std::f64::consts::TAU * (hours - PEAK) / 24.0).cos();
    day * if is_weekend(at) { 0.5 } else { 1.15 }
}

/// Whether it is Saturday or Sunday, UTC.
fn is_weekend(at: Millis) -> bool {
    // 1970-01-01 was a Thursday: Saturday and Sunday are the days 2 and 3 after it.
    matches!(at.0.div_euclid(Millis::DAY).rem_euclid(7), 2 | 3)
}

fn cost(price: &Price, input: u64, cached: u64, output: u64) -> Usd {
    let nano = (input - cached) * price.input + cached * price.cached + output * price.output;
    Usd(nano.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Body, Decoded, Decoder, Format, Lines, Options};
    use crate::model::{Event, Signal};

    /// Thursday 2026-03-05T12:34:56Z.
    const NOW: Millis = Millis(1_772_714_096_000);

    /// Hands each event to `each`, and gives the reasons why lines were none.
    fn decode(now: Millis, mut each: impl FnMut(&Event<'_>)) -> Vec<String> {
        let mut refused = Vec::new();
        let mut decoder = Decoder::new(Format::Jsonl, Options::new(now)).unwrap();
        let mut lines = Lines::new(Week::before(now), Format::Jsonl, 4_096);
        while let Some(chunk) = lines.next_chunk().unwrap() {
            for line in chunk {
                let Body::Whole(bytes) = line.body else {
                    panic!("line {} is too long", line.number);
                };
                match decoder.decode(bytes).unwrap() {
                    Decoded::Event(event) => each(&event),
                    Decoded::Header => panic!("a header in JSONL"),
                    Decoded::Rejected(reject) => refused.push(reject.to_string()),
                }
            }
        }
        refused
    }

    fn bytes(now: Millis) -> Vec<u8> {
        let mut bytes = Vec::new();
        Week::before(now).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_present_gives_the_same_week() {
        assert!(bytes(NOW) == bytes(NOW));
        assert!(bytes(NOW) != bytes(NOW.plus(Millis::HOUR)));
    }

    #[test]
    fn every_line_is_an_event_of_the_week_but_for_three() {
        let week = Week::before(NOW).span;
        let (mut requests, mut others) = (0, 0);
        let refused = decode(NOW, |event| {
            assert!(week.contains(event.at), "{event:?}");
            assert_eq!(event.metadata, None, "a field that nobody knows");
            match event.signal {
                Signal::Request { .. } => requests += 1,
                Signal::Cache(_) | Signal::RateLimit(_) => others += 1,
            }
        });
        assert_eq!(refused.len(), 3, "{refused:?}");
        let all = requests + others;
        assert!((60_000..110_000).contains(&all), "{all}");
        assert!((8 * others..11 * others).contains(&requests), "{requests}");
    }

    #[test]
    fn some_lines_come_late_and_some_twice() {
        let mut seen = std::collections::HashSet::new();
        let (mut latest, mut late, mut twice) = (Millis(0), 0, 0);
        decode(NOW, |event| {
            late += u32::from(event.at < latest);
            latest = latest.max(event.at);
            twice += u32::from(!seen.insert(event.id.as_deref().map(str::to_owned)));
        });
        assert!((10..100).contains(&late), "{late}");
        assert!((5..50).contains(&twice), "{twice}");
    }

    #[test]
    fn one_provider_is_slow_and_overloaded_in_one_afternoon() {
        let incident = Week::before(NOW).incident();
        let (mut slow, mut inside) = (0, 0);
        decode(NOW, |event| {
            let overloaded = event.labels.status_code == Some(529);
            assert!(!overloaded || incident.contains(event.at));
            if event.labels.provider.as_deref() == Some(AILING) && incident.contains(event.at) {
                inside += 1;
                slow += u32::from(overloaded || event.latency_us > Some(5_000_000));
            }
        });
        assert!(slow * 3 > inside, "{slow} of {inside}");
    }

    #[test]
    fn the_incident_begins_on_the_fifth_day_and_is_over_before_the_present() {
        for hour in 0..24 {
            let week = Week::before(NOW.plus(hour * Millis::HOUR));
            let passed_ms = week.incident.from.0 - week.span.from.0;
            assert!((4 * Millis::DAY..5 * Millis::DAY).contains(&passed_ms));
            assert!(week.incident.until < week.span.until);
        }
    }

    #[test]
    fn nights_and_weekends_are_quiet() {
        let thursday_noon = NOW.floor(Millis::DAY).plus(Millis::DAY / 2);
        let noons = |days| rhythm(thursday_noon.plus(days * Millis::DAY));
        assert!(noons(0) > 2.0 * noons(2) && noons(2) == noons(3));
        assert!(noons(0) == noons(1) && noons(1) == noons(4));
        assert!(rhythm(thursday_noon.plus(Millis::DAY / 2)) < noons(0) / 2.0);
    }
}
