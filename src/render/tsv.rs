//! TSV for the shell: one row is one line and a tab is always a border, since
//! tabs, line ends and backslashes inside a text are escaped.

use std::io::{self, Write};

use super::Style;
use super::answer::View;
use super::csv::{field, text};

/// The rows, after a line of names unless the style leaves it out.
pub(super) fn write(out: &mut dyn Write, view: &View<'_>, style: &Style) -> io::Result<()> {
    let mut line = String::new();
    if style.header {
        put(out, &mut line, view.columns().map(|c| text(&c.name, style)))?;
    }
    for row in view.rows() {
        put(out, &mut line, row.map(|cell| field(cell, style)))?;
    }
    Ok(())
}

fn put(
    out: &mut dyn Write,
    line: &mut String,
    fields: impl Iterator<Item = impl AsRef<str>>,
) -> io::Result<()> {
    line.clear();
    for (nth, field) in fields.enumerate() {
        if nth > 0 {
            line.push('\t');
        }
        escape(line, field.as_ref());
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}

fn escape(line: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => line.push_str("\\\\"),
            '\t' => line.push_str("\\t"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            other => line.push(other),
        }
    }
}
