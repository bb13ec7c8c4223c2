//! CSV as RFC 4180 has it: commas, quotes where needed, CRLF at the end of a line.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Style;
use super::answer::{Cell, View};
use super::data::{Datum, datum};
use super::safe::Untrusted;

/// The rows, after a line of names unless the style leaves it out.
pub(super) fn write(out: &mut dyn Write, view: &View<'_>, style: &Style) -> io::Result<()> {
    let mut csv = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(out);
    if style.header {
        csv.write_record(view.columns().map(|c| text(&c.name, style).into_owned()))?;
    }
    for row in view.rows() {
        csv.write_record(row.map(|cell| field(cell, style).into_owned()))?;
    }
    csv.flush()
}

/// The text of a cell before the format quotes or escapes it.
pub(super) fn field<'a>(cell: &'a Cell, style: &Style) -> Cow<'a, str> {
    match datum(cell) {
        Datum::Null => "".into(),
        Datum::Bare(value) => value,
        Datum::Text(Cow::Borrowed(value)) => text(value, style),
        // Made by us: a moment or a day.
        Datum::Text(value) => value,
    }
}

/// A text as it came; with `--csv-safe` no formula, on a terminal no control character.
pub(super) fn text<'a>(text: &'a str, style: &Style) -> Cow<'a, str> {
    let text = if style.csv_safe && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    };
    if style.terminal {
        Untrusted(&text).shown().to_string().into()
    } else {
        text
    }
}
