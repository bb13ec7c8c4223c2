//! JSON: one object with an envelope, or the rows alone, one a line.
//!
//! Rows are written one by one, each on a line of its own, so that a large
//! answer is never held as text and `grep` finds a row.

use std::io::{self, Write};

use super::Style;
use super::answer::{Answer, Cell, View};
use super::data::{Datum, datum};
use super::safe::write_json_string;

/// The answer as one object.
pub(super) fn write(out: &mut dyn Write, view: &View<'_>, style: &Style) -> io::Result<()> {
    begin(out, view.answer, style)?;
    write_rows(out, view, true)?;
    end(out, view.answer, view.answer.rows.is_empty())
}

/// The object up to its first row.
pub(super) fn begin(out: &mut dyn Write, answer: &Answer, style: &Style) -> io::Result<()> {
    let mut text = String::from("{");
    member(&mut text, "schema", &Cell::text(answer.schema));
    member(&mut text, "generated_at", &Cell::At(style.now));
    for (name, cell) in &answer.head {
        member(&mut text, name, cell);
    }
    text.push_str(",\"data\":[");
    out.write_all(text.as_bytes())
}

/// Rows of the object, the first of all or later ones.
pub(super) fn write_rows(out: &mut dyn Write, view: &View<'_>, first: bool) -> io::Result<()> {
    let names = names(view);
    let mut text = String::new();
    for (nth, row) in view.rows().enumerate() {
        text.clear();
        text.push_str(if first && nth == 0 { "\n" } else { ",\n" });
        object(&mut text, &names, row);
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// The object after its last row.
pub(super) fn end(out: &mut dyn Write, answer: &Answer, without_rows: bool) -> io::Result<()> {
    let mut text = String::from(if without_rows { "]" } else { "\n]" });
    let next = Cell::of(answer.next.as_ref(), Cell::text);
    member(&mut text, "next", &next);
    if !answer.notes.is_empty() {
        text.push_str(",\"notes\":");
        list(&mut text, &answer.notes);
    }
    text.push_str("}\n");
    out.write_all(text.as_bytes())
}

/// The rows alone, one a line.
pub(super) fn write_lines(out: &mut dyn Write, view: &View<'_>) -> io::Result<()> {
    let names = names(view);
    let mut text = String::new();
    for row in view.rows() {
        text.clear();
        object(&mut text, &names, row);
        text.push('\n');
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn names<'a>(view: &View<'a>) -> Vec<&'a str> {
    view.columns().map(|c| c.name.as_ref()).collect()
}

fn object<'a>(text: &mut String, names: &[&str], row: impl Iterator<Item = &'a Cell>) {
    text.push('{');
    for (name, cell) in names.iter().zip(row) {
        member(text, name, cell);
    }
    text.push('}');
}

/// One member of an object, with a comma unless it is the first.
fn member(text: &mut String, name: &str, cell: &Cell) {
    if !text.ends_with('{') {
        text.push(',');
    }
    write_json_string(text, name);
    text.push(':');
    match datum(cell) {
        Datum::Null => text.push_str("null"),
        Datum::Bare(value) => text.push_str(&value),
        Datum::Text(value) => write_json_string(text, &value),
    }
}

fn list(text: &mut String, items: &[String]) {
    for (nth, item) in items.iter().enumerate() {
        text.push(if nth == 0 { '[' } else { ',' });
        write_json_string(text, item);
    }
    text.push(']');
}
