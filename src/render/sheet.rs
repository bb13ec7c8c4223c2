//! Rows written one by one as they come, so that an export of any length takes
//! no memory: JSON lines without what is missing, or CSV with a column for each.

use std::borrow::Cow;
use std::io::{self, Write};

use super::answer::Cell;
use super::data::{Datum, datum};
use super::safe::{inert_json, write_json_string};

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Said<'a> {
    /// A number, or true or false.
    Bare(Cow<'a, str>),
    /// A text.
    Text(Cow<'a, str>),
    /// JSON as it was sent.
    Json(Cow<'a, str>),
}

impl<'a> Said<'a> {
    /// The value of a cell; `None` when it is missing.
    pub fn of(cell: &'a Cell) -> Option<Said<'a>> {
        match datum(cell) {
            Datum::Null => None,
            Datum::Bare(value) => Some(Said::Bare(value)),
            Datum::Text(value) => Some(Said::Text(value)),
        }
    }
}

/// Where rows go.
pub struct Sheet<'w> {
    form: Form<'w>,
    line: String,
    /// Whether a terminal reads it, which must not obey it.
    inert: bool,
}

enum Form<'w> {
    Lines(&'w mut dyn Write),
    Csv(Box<::csv::Writer<&'w mut dyn Write>>),
}

impl<'w> Sheet<'w> {
    /// Rows as JSON objects, one a line.
    pub fn lines(out: &'w mut dyn Write, inert: bool) -> Sheet<'w> {
        Sheet {
            form: Form::Lines(out),
            line: String::new(),
            inert,
        }
    }

    /// Rows as CSV under a header.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn csv<'n>(
        out: &'w mut dyn Write,
        header: impl Iterator<Item = &'n str>,
    ) -> io::Result<Sheet<'w>> {
        let mut csv = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::CRLF)
            .from_writer(out);
        csv.write_record(header)?;
        Ok(Sheet {
            form: Form::Csv(Box::new(csv)),
            line: String::new(),
            inert: false,
        })
    }

    /// Writes one row; each value with its name, in the order of the header.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn row<'s>(
        &mut self,
        values: impl Iterator<Item = (&'static str, Option<Said<'s>>)>,
    ) -> io::Result<()> {
        match &mut self.form {
            Form::Lines(out) => {
                self.line.clear();
                self.line.push('{');
                for (name, value) in values {
                    if let Some(value) = value {
                        member(&mut self.line, name, &value, self.inert);
                    }
                }
                self.line.push_str("}\n");
                out.write_all(self.line.as_bytes())
            }
            Form::Csv(csv) => {
                for (_, value) in values {
                    match value {
                        None => csv.write_field("")?,
                        Some(Said::Bare(text) | Said::Text(text) | Said::Json(text)) => {
                            csv.write_field(text.as_bytes())?;
                        }
                    }
                }
                Ok(csv.write_record(None::<&[u8]>)?)
            }
        }
    }

    /// Ends the sheet.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn finish(self) -> io::Result<()> {
        match self.form {
            Form::Lines(out) => out.flush(),
            Form::Csv(mut csv) => csv.flush(),
        }
    }
}

fn member(line: &mut String, name: &str, value: &Said<'_>, inert: bool) {
    if !line.ends_with('{') {
        line.push(',');
    }
    write_json_string(line, name);
    line.push(':');
    match value {
        Said::Bare(text) => line.push_str(text),
        Said::Text(text) => write_json_string(line, text),
        // Line ends between its tokens mean nothing, and would end our line.
        Said::Json(text) => {
            let text = text.replace(['\n', '\r'], " ");
            line.push_str(&if inert { inert_json(&text) } else { text });
        }
    }
}
