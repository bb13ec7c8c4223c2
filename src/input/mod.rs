//! Bytes to events.
//!
//! [`open`] unpacks, [`Lines`] splits, a [`Decoder`] turns each line into an
//! [`Event`] or says why it is none. JSON lines and CSV records fill the same
//! table of fields (`draft`), and one place (`event`) makes the event of it.
//!
//! Floor 1, on `model`. It does not know where bytes come from, what becomes of
//! events, whether one has come before, or what time it is.

mod csv;
mod draft;
mod event;
mod field;
mod json;
mod lines;
mod mapping;
mod metadata;
mod moment;
mod native;
mod number;
mod open;
mod reject;
mod tokens;
mod usage;

use std::str;

use crate::model::{Event, Millis};
use csv::Header;
use draft::Draft;
use field::Names;
use native::Habit;

pub use lines::{Body, Chunk, Line, Lines};
pub use mapping::Mapping;
pub use moment::TimeUnit;
pub use open::{is_packed, open};
pub use reject::{InputError, Reject};

/// The longest line that is read unless a setting says otherwise: 1 MiB.
pub const MAX_LINE: usize = 1 << 20;

/// How an input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Records of cells under a header.
    Csv,
}

/// How the lines of an input are understood.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which of its fields is which of ours.
    pub mapping: Mapping,
    /// The unit of times that are numbers; `None` lets their size tell.
    pub time_unit: Option<TimeUnit>,
    /// What times are counted from, when they are relative.
    pub time_base: Option<Millis>,
    /// Whether a line without a time happened at `now`; else it is refused.
    pub default_to_now: bool,
    /// The present.
    pub now: Millis,
    /// How far ahead of `now` an event may lie, in milliseconds.
    pub max_ahead_ms: i64,
    /// The longest line, in bytes.
    pub max_line: usize,
}

impl Options {
    /// The native format, and the limits that hold unless settings say otherwise.
    pub fn new(now: Millis) -> Options {
        Options {
            mapping: Mapping::default(),
            time_unit: None,
            time_base: None,
            default_to_now: false,
            now,
            max_ahead_ms: 5 * Millis::MINUTE,
            max_line: MAX_LINE,
        }
    }
}

/// What a line turns out to be.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are events; a box for each would cost more"
)]
pub enum Decoded<'a> {
    /// An event, with texts borrowed from the line.
    Event(Event<'a>),
    /// The header of a CSV input. It is no data.
    Header,
    /// No event, and why. The next line may be one.
    Rejected(Reject),
}

/// Turns the lines of one input into events.
#[derive(Clone, Debug)]
pub struct Decoder {
    format: Format,
    options: Options,
    names: Names,
    /// The order in which keys come (JSON).
    habit: Habit,
    /// The header, once it has come (CSV).
    header: Option<Header>,
}

impl Decoder {
    /// A decoder for an input of that format.
    ///
    /// # Errors
    /// When the options contradict themselves or a path cannot be read.
    pub fn new(format: Format, options: Options) -> Result<Decoder, InputError> {
        if options.time_base.is_some() && options.time_unit.is_none() {
            return Err(InputError::BaseWithoutUnit);
        }
        Ok(Decoder {
            format,
            names: Names::new(format, &options.mapping)?,
            options,
            habit: Habit::new(),
            header: None,
        })
    }

    /// Tells the decoder of an input that goes on what time it has become.
    pub fn set_now(&mut self, now: Millis) {
        self.options.now = now;
    }

    /// Decodes one line (one record of CSV), without its end.
    ///
    /// # Errors
    /// When the input as a whole does not fit the options: a bad line is no
    /// error but [`Decoded::Rejected`].
    pub fn decode<'a>(&mut self, line: &'a [u8]) -> Result<Decoded<'a>, InputError> {
        let mut draft = Draft::new(&self.names, self.options.mapping.values());
        let filled = match (self.format, &self.header) {
            (Format::Jsonl, _) => text(line)
                .and_then(|line| native::fill(line, &self.names, &mut self.habit, &mut draft)),
            (Format::Csv, Some(header)) => {
                text(line).and_then(|record| header.fill(record, &mut draft))
            }
            (Format::Csv, None) => {
                let record = text(line).map_err(InputError::BadHeader)?;
                let header = Header::read(record, &self.names, &self.options.mapping)?;
                self.header = Some(header);
                return Ok(Decoded::Header);
            }
        };
        Ok(
            match filled.and_then(|()| event::event(&mut draft, &self.options)) {
                Ok(event) => Decoded::Event(event),
                Err(reject) => Decoded::Rejected(reject),
            },
        )
    }
}

fn text(line: &[u8]) -> Result<&str, Reject> {
    str::from_utf8(line).map_err(|error| Reject::BadUtf8 {
        at: error.valid_up_to() + 1,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-03-01T12:00:00Z.
    pub(super) const NOW: Millis = Millis(1_772_366_400_000);

    fn decoder(format: Format, maps: &[&str], sets: &[&str]) -> Decoder {
        let mut options = Options::new(NOW);
        for rule in maps {
            options.mapping.map(rule).unwrap();
        }
        for rule in sets {
            options.mapping.set(rule).unwrap();
        }
        Decoder::new(format, options).unwrap()
    }

    pub(super) fn event<'a>(decoder: &mut Decoder, line: &'a [u8]) -> Result<Event<'a>, Reject> {
        match decoder.decode(line).unwrap() {
            Decoded::Event(event) => Ok(event),
            Decoded::Rejected(reject) => Err(reject),
            Decoded::Header => panic!("a header"),
        }
    }

    /// Decodes a native line.
    pub(super) fn decode(line: &[u8]) -> Result<Event<'_>, Reject> {
        event(&mut decoder(Format::Jsonl, &[], &[]), line)
    }

    /// Decodes a request with these fields.
    pub(super) fn request(fields: &str) -> Result<Event<'static>, Reject> {
        let line = format!(r#"{{"type":"request","timestamp":1763164800389,{fields}}}"#);
        decode(line.leak().as_bytes())
    }

    /// The code and the words by which a native line is refused.
    pub(super) fn refused(line: &[u8]) -> (&'static str, String) {
        let reject = decode(line).unwrap_err();
        (reject.code(), reject.to_string())
    }

    #[test]
    fn texts_without_escapes_are_borrowed_from_the_line() {
        let event = request(r#""model":"gpt-5","metadata":{"a":"b"}"#).unwrap();
        assert!(matches!(
            event.labels.model,
            Some(std::borrow::Cow::Borrowed(_))
        ));
        assert!(matches!(
            event.metadata,
            Some(std::borrow::Cow::Borrowed(_))
        ));
    }

    #[test]
    fn a_table_of_someone_else_is_read_through_a_mapping() {
        let mut decoder = decoder(
            Format::Csv,
            &[
                "timestamp=TIMESTAMP",
                "input_tokens=ContextTokens",
                "output_tokens=GeneratedTokens",
            ],
            &["type=request", "provider=azure", "model=gpt-4"],
        );
        let header = b"TIMESTAMP,ContextTokens,GeneratedTokens,note,region";
        assert_eq!(decoder.decode(header), Ok(Decoded::Header));
        let read = event(
            &mut decoder,
            b"2023-11-16 18:17:03.9799600,4808,10,\"said \"\"hi\"\"\",",
        )
        .unwrap();
        assert_eq!(read.at.to_string(), "2023-11-16T18:17:03.979Z");
        assert_eq!(read.signal.name(), "request");
        assert_eq!(read.labels.provider.as_deref(), Some("azure"));
        assert_eq!(read.tokens.unwrap().input_total(), 4_808);
        assert_eq!(read.metadata.as_deref(), Some(r#"{"note":"said \"hi\""}"#));

        let refused = event(&mut decoder, b"2023-11-16 18:17:03.9799600,4808,10,").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "expected 5 cells as in the header, found 4"
        );
        let refused = event(&mut decoder, b"2023-11-16 18:17:03.9799600,many,10,,").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "ContextTokens: expected a number, found \"many\""
        );
    }

    #[test]
    fn columns_with_native_names_need_no_mapping() {
        let mut decoder = decoder(Format::Csv, &[], &[]);
        decoder
            .decode(b"\"type\",ts,cost,success,cache_event,rate_limit_event,tokens,metadata")
            .unwrap();
        let read = event(
            &mut decoder,
            b"request,1763164800.5,0.10,false,,,12,\"{\"\"a\"\":1}\"",
        )
        .unwrap();
        assert_eq!(read.at, Millis(1_763_164_800_500));
        assert_eq!(read.cost_reported.unwrap().to_string(), "0.1");
        assert_eq!(
            read.signal,
            crate::model::Signal::Request { success: false }
        );
        assert_eq!(read.metadata.as_deref(), Some(r#"{"a":1,"tokens":"12"}"#));
        let read = event(&mut decoder, b"cache,1763164800,,,hit,,,").unwrap();
        assert_eq!(read.signal.name(), "cache");
        let refused = event(&mut decoder, b"cache,1763164800,,,hit,denied,,").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "rate_limit_event: told before as cache_event"
        );
    }

    #[test]
    fn a_header_that_does_not_fit_the_mapping_stops_the_input() {
        let mut mapped = decoder(Format::Csv, &["timestamp=Timestmp"], &[]);
        let error = mapped.decode(b"TIMESTAMP,tokens").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no column \"Timestmp\" in the header, did you mean TIMESTAMP?"
        );
        let mut plain = decoder(Format::Csv, &[], &[]);
        let error = plain.decode(b"a,b,a").unwrap_err();
        assert_eq!(error, InputError::ColumnTwice("a".to_owned()));
    }

    #[test]
    fn foreign_json_is_read_by_paths_and_kept_where_it_is_not_mapped() {
        let mut decoder = decoder(
            Format::Jsonl,
            &[
                "timestamp=created",
                "model=response.model",
                "input_tokens=response.usage.prompt_tokens",
                "tools=finish",
            ],
            &["type=request"],
        );
        let line = br#"{"created":1763164800,"timestamp":"?","type":"chat","finish":"stop",
            "response":{"model":"gpt-5","usage":{"prompt_tokens":7}}}"#;
        let read = event(&mut decoder, line).unwrap();
        assert_eq!(read.at, Millis(1_763_164_800_000));
        assert_eq!(read.labels.model.as_deref(), Some("gpt-5"));
        assert_eq!(read.tokens.unwrap().input_total(), 7);
        assert_eq!(read.tools.as_deref(), Some("stop"));
        assert_eq!(
            read.metadata.as_deref(),
            Some(
                r#"{"timestamp":"?","type":"chat","response":{"model":"gpt-5","usage":{"prompt_tokens":7}}}"#
            )
        );
    }

    #[test]
    fn what_is_mapped_is_no_other_field_but_may_serve_two() {
        let mut decoder = decoder(
            Format::Jsonl,
            &[
                "project=user",
                "id=uuid",
                "request_id=uuid",
                "role=metadata.role",
            ],
            &["type=request"],
        );
        let line = br#"{"ts":1763164800,"user":"a","uuid":"b","metadata":{"role":"c"}}"#;
        let read = event(&mut decoder, line).unwrap();
        assert_eq!(read.labels.project.as_deref(), Some("a"));
        assert_eq!(read.user, None);
        assert_eq!(
            (read.id.as_deref(), read.request_id.as_deref()),
            (Some("b"), Some("b"))
        );
        assert_eq!(read.labels.role.as_deref(), Some("c"));
        assert_eq!(read.metadata.as_deref(), Some(r#"{"role":"c"}"#));
    }

    #[test]
    fn relative_times_are_added_to_their_base() {
        let mut options = Options::new(NOW);
        options.mapping.set("type=request").unwrap();
        options.time_base = Some(Millis(1_767_225_600_000));
        let unit_missing = Decoder::new(Format::Jsonl, options.clone()).unwrap_err();
        assert_eq!(unit_missing, InputError::BaseWithoutUnit);
        options.time_unit = Some(TimeUnit::Millis);
        let mut decoder = Decoder::new(Format::Jsonl, options).unwrap();
        let read = event(&mut decoder, br#"{"timestamp": 27482}"#).unwrap();
        assert_eq!(read.at.to_string(), "2026-01-01T00:00:27.482Z");
    }

    #[test]
    fn a_line_without_a_time_may_happen_now() {
        let mut options = Options::new(NOW);
        options.default_to_now = true;
        let mut decoder = Decoder::new(Format::Jsonl, options).unwrap();
        assert_eq!(
            event(&mut decoder, br#"{"type":"request"}"#).unwrap().at,
            NOW
        );
        decoder.set_now(NOW.plus(5));
        assert_eq!(
            event(&mut decoder, br#"{"type":"request"}"#).unwrap().at,
            NOW.plus(5)
        );
    }

    /// Pieces of which lines are made that are nearly right.
    pub(super) fn nearly() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\u",
            "d800",
            "\"type\":\"request\"",
            "\"ts\":1763164800",
            "\"cost\":",
            "\"latency\":",
            "\"tools\":",
            "\"metadata\":",
            "\"x\":",
            "\"reset_at\":",
            "1e999",
            "-0.0",
            "12",
            "null",
            "true",
            "\"\"",
            "\"é\"",
            "\\",
            " ",
            "2026-03-01T00:00:00Z",
            "+02:00",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_bytes_make_decode_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&line);
            let mut table = decoder(Format::Csv, &[], &["type=request"]);
            let _ = table.decode(b"a,ts,cost,metadata,tools");
            let _ = table.decode(&line);
        }

        #[test]
        fn no_line_that_is_nearly_right_makes_decode_panic(pieces in nearly()) {
            let _ = decode(pieces.as_bytes());
            let _ = decode(format!("{{\"type\":\"request\",\"ts\":1763164800,{pieces}}}").as_bytes());
            let mut foreign = decoder(Format::Jsonl, &["model=x.a", "cost=x.0"], &["type=request"]);
            let _ = foreign.decode(format!("{{\"ts\":1763164800,\"x\":{pieces}}}").as_bytes());
            let mut table = decoder(Format::Csv, &[], &["type=request"]);
            let _ = table.decode(b"a,ts,cost,metadata,tools");
            let _ = table.decode(pieces.as_bytes());
        }

        #[test]
        fn camel_case_and_snake_case_mean_the_same(
            input in 0u32.., cached in 0u32..1_000, cost in 0u32..9_999, latency in 0u32..80_000_000,
            user in "[a-z\"\\\\é\n]{0,20}", success: bool,
        ) {
            let input = u64::from(input) + u64::from(cached);
            let user = serde_json::Value::from(user);
            let line = |names: [&str; 7]| format!(
                r#"{{"type":"request","{}":1763164800389,"{}":{input},"{}":{cached},"{}":{cost}.25,"{}":{latency}.125,"{}":{user},"{}":"x","success":{success}}}"#,
                names[0], names[1], names[2], names[3], names[4], names[5], names[6],
            );
            let snake = line(["timestamp", "input_tokens", "cached_tokens", "cost_usd", "latency_ms", "user_id", "error_message"]);
            let camel = line(["timestamp", "inputTokens", "cachedTokens", "costUsd", "latencyMs", "userId", "errorMessage"]);
            let snake = decode(snake.as_bytes()).unwrap();
            prop_assert_eq!(&snake, &decode(camel.as_bytes()).unwrap());
            prop_assert_eq!(snake.latency_us, Some(i64::from(latency) * 1_000 + 125));
        }
    }
}
