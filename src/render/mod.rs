//! Answers to text: table, JSON, JSON lines, CSV, TSV, Markdown.
//!
//! An [`Answer`] is made once and written in any [`Format`]; all formats use the
//! same names. A table is for people: units, zones, a fit to the terminal. The
//! other formats are an interface for programs. Where the numbers come from and
//! where the text goes is not known here, nor what time it is.

mod answer;
pub mod chart;
mod csv;
mod data;
pub mod human;
mod json;
mod md;
pub mod native;
mod pieces;
pub mod prometheus;
mod quantity;
pub mod safe;
pub mod sheet;
mod table;
mod tsv;

use std::io::{self, BufWriter, Write};

use chrono_tz::Tz;

use answer::View;
pub use answer::{Answer, Cell, Column, Tabular};
pub use pieces::Pieces;

use crate::model::Millis;

/// The form in which an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON object with the rows in `data`.
    Json,
    /// The rows as JSON objects, one a line.
    Jsonl,
    /// RFC 4180: commas, CRLF.
    Csv,
    /// Tabs and LF, one row a line; `\t`, `\n`, `\r` and `\\` inside texts.
    Tsv,
    /// A table in GitHub's Markdown.
    Md,
}

impl Format {
    /// All formats, the default first.
    pub const ALL: [Format; 6] = [
        Format::Table,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Tsv,
        Format::Md,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Md => "md",
        }
    }

    /// The format of that name.
    pub fn parse(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|f| f.name() == name)
    }
}

/// How an answer is to be written.
#[derive(Clone, Debug)]
pub struct Style {
    /// In which form.
    pub format: Format,
    /// Which columns, in which order, by their data names; all when `None`.
    pub fields: Option<Vec<String>>,
    /// Whether table, csv and tsv begin with the names of the columns.
    pub header: bool,
    /// Whether texts that a spreadsheet would take for a formula get a leading `'`.
    pub csv_safe: bool,
    /// Whether only ASCII may be written in a table.
    pub ascii: bool,
    /// Whether a table may use colour.
    pub color: bool,
    /// Whether the output goes to a terminal.
    pub terminal: bool,
    /// Columns of text that fit in a line of a table.
    pub width: usize,
    /// The zone in which a table shows moments.
    pub zone: Tz,
    /// The moment of the answer (`generated_at`).
    pub now: Millis,
}

impl Style {
    /// The plain style: all columns with a header, 80 wide, UTC, not a terminal.
    pub fn new(format: Format, now: Millis) -> Style {
        Style {
            format,
            fields: None,
            header: true,
            csv_safe: false,
            ascii: false,
            color: false,
            terminal: false,
            width: 80,
            zone: Tz::UTC,
            now,
        }
    }
}

/// Why an answer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// `--fields` names a column that the answer does not have.
    #[error("unknown field {name:?}")]
    UnknownField {
        /// The name that was asked for.
        name: String,
        /// The one that was probably meant.
        nearest: Option<String>,
        /// All names of the answer, in order.
        known: Vec<String>,
    },
    /// The output took no more.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes an answer.
///
/// # Errors
/// [`RenderError::UnknownField`] before anything is written;
/// [`RenderError::Io`] when the output fails, a closed pipe included.
pub fn write(out: &mut dyn Write, answer: &Answer, style: &Style) -> Result<(), RenderError> {
    let view = View::of(answer, style.fields.as_deref())?;
    let mut out = BufWriter::new(out);
    match style.format {
        Format::Table => table::write(&mut out, &view, style),
        Format::Json => json::write(&mut out, &view, style),
        Format::Jsonl => json::write_lines(&mut out, &view),
        Format::Csv => csv::write(&mut out, &view, style),
        Format::Tsv => tsv::write(&mut out, &view, style),
        Format::Md => md::write(&mut out, &view),
    }?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests;
