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
mod number;
mod open;
mod reject;
mod tokens;

use std::str;

use crate::model::{Event, Millis};
use csv::Header;
use draft::Draft;
use field::Names;

pub use lines::{Body, Chunk, Line, Lines};
pub use mapping::Mapping;
pub use moment::TimeUnit;
pub use open::open;
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
    /// The header of a CSV input, once it has come.
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
        let event = match (self.format, &self.header) {
            (Format::Jsonl, _) => self.json(line),
            (Format::Csv, Some(header)) => self.csv(header, line),
            (Format::Csv, None) => {
                let record = text(line).map_err(InputError::BadHeader)?;
                let header = Header::read(record, &self.names, &self.options.mapping)?;
                self.header = Some(header);
                return Ok(Decoded::Header);
            }
        };
        Ok(event.map_or_else(Decoded::Rejected, Decoded::Event))
    }

    fn json<'a>(&self, line: &'a [u8]) -> Result<Event<'a>, Reject> {
        let mut draft = Draft::new(&self.names, self.options.mapping.values());
        json::read(text(line)?, &self.names, &mut draft)?;
        event::event(&mut draft, &self.options)
    }

    fn csv<'a>(&self, header: &Header, line: &'a [u8]) -> Result<Event<'a>, Reject> {
        let mut draft = Draft::new(&self.names, self.options.mapping.values());
        header.fill(text(line)?, &mut draft)?;
        event::event(&mut draft, &self.options)
    }
}

fn text(line: &[u8]) -> Result<&str, Reject> {
    str::from_utf8(line).map_err(|error| Reject::BadUtf8 {
        at: error.valid_up_to() + 1,
    })
}
