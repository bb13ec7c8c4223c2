//! A table in GitHub's Markdown, with the names and values of data.
//!
//! It is read by people after all, so what cannot be seen is made visible, and
//! no text can end its cell or become markup.

use std::io::{self, Write};

use super::answer::{Cell, View};
use super::data::{Datum, datum};
use super::safe::Untrusted;
use super::table::is_number_column;

/// Header, alignment, rows.
pub(super) fn write(out: &mut dyn Write, view: &View<'_>) -> io::Result<()> {
    put(out, view.columns().map(|c| escaped(&c.name)))?;
    let borders = view.columns().enumerate().map(|(nth, column)| {
        let right = is_number_column(column, view.column_cells(nth));
        if right { "---:" } else { "---" }.to_owned()
    });
    put(out, borders)?;
    for row in view.rows() {
        put(out, row.map(value))?;
    }
    Ok(())
}

fn put(out: &mut dyn Write, fields: impl Iterator<Item = String>) -> io::Result<()> {
    for field in fields {
        write!(out, "| {field} ")?;
    }
    writeln!(out, "|")
}

fn value(cell: &Cell) -> String {
    match datum(cell) {
        Datum::Null => String::new(),
        Datum::Bare(value) => value.into_owned(),
        Datum::Text(text) => escaped(&text),
    }
}

/// The text without markup. An underscore inside a word (`gpt_4`) is none.
fn escaped(text: &str) -> String {
    let shown = Untrusted(text).shown().to_string();
    let mut out = String::with_capacity(shown.len());
    let mut chars = shown.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let inside = |c: char| c.is_alphanumeric();
        let markup = match c {
            '|' | '\\' | '`' | '*' | '~' | '<' | '&' | '[' => true,
            '_' => !(inside(before) && chars.peek().copied().is_some_and(inside)),
            _ => false,
        };
        if markup {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_cell_or_become_markup() {
        assert_eq!(escaped("a|b"), r"a\|b");
        assert_eq!(escaped("<img src=x>"), r"\<img src=x>");
        assert_eq!(escaped("gpt_4 __init__"), r"gpt_4 \_\_init\_\_");
        assert_eq!(escaped("one\ntwo"), r"one\\ntwo");
    }
}
