//! A table for people.
//!
//! Numbers stand on the right, their points under each other, and a unit that
//! all cells share moves into the header. When the columns do not fit into the
//! width, a single row becomes a list of names and values. On a terminal, many
//! rows first have their long texts cut in the middle; columns that still do
//! not fit are named under the table. Elsewhere lines are as long as it takes,
//! and nothing is left out.

use std::io::{self, Write};

use comfy_table::{Attribute, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use unicode_width::UnicodeWidthStr;

use super::Style;
use super::answer::{Cell, Column, View};
use super::human::{self, NOTHING, Quantity};
use super::safe::Untrusted;
use crate::model::Unit;

mod fit;

use fit::Fit;

/// Blanks between two columns.
const GAP: usize = 2;

/// A column as it will be seen, before it is cut to fit.
struct Drawn {
    header: String,
    cells: Vec<String>,
    numbers: bool,
    /// Whether its cells may be cut.
    text: bool,
}

impl Drawn {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|c| c.width());
        cells.chain([self.header.width(), 1]).max().unwrap_or(1)
    }
}

/// The table, and the notes under it.
pub(super) fn write(out: &mut dyn Write, view: &View<'_>, style: &Style) -> io::Result<()> {
    let columns = draw(view, style);
    let widths: Vec<usize> = columns.iter().map(Drawn::width).collect();
    let fits = fit::total(&widths) <= style.width;
    let mut notes = view.answer.notes.clone();
    let table = if columns.is_empty() {
        None
    } else if !fits && view.answer.rows.len() == 1 {
        Some(list(view, style))
    } else if !fits && style.terminal {
        let texts: Vec<bool> = columns.iter().map(|c| c.text).collect();
        let fit = Fit::into(&widths, &texts, style.width);
        notes.extend(left_out(view, fit.widths.len()));
        Some(grid(&fit::cut(columns, &fit, style.ascii), style))
    } else {
        Some(grid(&columns, style))
    };
    if let Some(table) = table {
        writeln!(out, "{}", table.trim_fmt())?;
    }
    if view.answer.rows.is_empty() && notes.is_empty() {
        writeln!(out, "no rows")?;
    }
    for note in notes {
        writeln!(out, "{}", shown(&note, style))?;
    }
    Ok(())
}

/// Whether a column is read as numbers: all of its cells are, or, where it has
/// none, its unit says so.
pub(super) fn is_number_column<'a>(column: &Column, cells: impl Iterator<Item = &'a Cell>) -> bool {
    let mut told = cells.filter(|c| **c != Cell::Missing).peekable();
    match told.peek() {
        None => column.unit.is_some(),
        Some(_) => told.all(is_number),
    }
}

fn is_number(cell: &Cell) -> bool {
    match cell {
        Cell::Int(_)
        | Cell::Float(_)
        | Cell::Ms(_)
        | Cell::Ratio(_)
        | Cell::Usd(_)
        | Cell::Bytes(_)
        | Cell::Seconds(_)
        | Cell::Rate(_) => true,
        Cell::Missing | Cell::Bool(_) | Cell::At(_) | Cell::Text(_) | Cell::Date(_) => false,
    }
}

fn draw(view: &View<'_>, style: &Style) -> Vec<Drawn> {
    view.columns()
        .enumerate()
        .map(|(nth, column)| draw_column(column, view, nth, style))
        .collect()
}

fn draw_column(column: &Column, view: &View<'_>, nth: usize, style: &Style) -> Drawn {
    let seconds = needs_seconds(view.column_cells(nth), style);
    let faces: Vec<Face> = view
        .column_cells(nth)
        .map(|cell| face(cell, column, seconds, style))
        .collect();
    let title = shown(&column.title, style);
    let numbers = is_number_column(column, view.column_cells(nth));
    let text = view.column_cells(nth).any(|c| matches!(c, Cell::Text(_)));
    let unit = if style.header {
        shared_unit(&faces)
    } else {
        None
    };
    let (header, cells) = match unit {
        Some(unit) => (
            format!("{title} ({unit})"),
            aligned(faces.iter().map(Face::digits), numbers),
        ),
        None => (title, faces.iter().map(Face::whole).collect()),
    };
    Drawn {
        header,
        cells,
        numbers,
        text,
    }
}

/// Seconds are shown when a moment of the column is not on a whole minute.
fn needs_seconds<'a>(mut cells: impl Iterator<Item = &'a Cell>, style: &Style) -> bool {
    cells.any(|cell| matches!(cell, Cell::At(at) if !human::on_the_minute(*at, style.zone)))
}

/// How a cell looks.
enum Face {
    Blank,
    Words(String),
    Number(Quantity),
}

impl Face {
    fn whole(&self) -> String {
        match self {
            Face::Blank => NOTHING.into(),
            Face::Words(text) => text.clone(),
            Face::Number(quantity) => quantity.whole(),
        }
    }

    fn digits(&self) -> &str {
        match self {
            Face::Blank => NOTHING,
            Face::Words(text) => text,
            Face::Number(quantity) => &quantity.digits,
        }
    }
}

fn face(cell: &Cell, column: &Column, seconds: bool, style: &Style) -> Face {
    let float = |x: f64, unit| human::quantity(x, unit).map_or(Face::Blank, Face::Number);
    match cell {
        Cell::Missing => Face::Blank,
        Cell::Bool(true) => Face::Words("yes".into()),
        Cell::Bool(false) => Face::Words("no".into()),
        Cell::Int(n) => Face::Number(human::whole_quantity(*n, column.unit)),
        Cell::Float(x) => float(*x, column.unit),
        Cell::Ms(x) => float(*x, Some(Unit::Milliseconds)),
        Cell::Ratio(x) => float(*x, Some(Unit::Ratio)),
        Cell::Usd(amount) => Face::Number(human::money(*amount)),
        Cell::At(at) => Face::Number(human::moment_quantity(*at, style.zone, seconds)),
        Cell::Bytes(n) => Face::Number(human::byte_quantity(*n)),
        Cell::Seconds(x) if !x.is_finite() => Face::Blank,
        Cell::Seconds(x) => Face::Words(human::duration_ms((x * 1_000.0).round() as i64)),
        Cell::Rate(x) => float(*x, Some(Unit::PerSecond)),
        Cell::Text(text) => Face::Words(shown(text, style)),
        Cell::Date(day) => Face::Words(day.to_string()),
    }
}

/// The unit that all numbers of a column have, if it holds nothing but numbers.
/// Zero is zero in any unit.
fn shared_unit(faces: &[Face]) -> Option<String> {
    let mut numbers = Vec::with_capacity(faces.len());
    for face in faces {
        match face {
            Face::Blank => {}
            Face::Words(_) => return None,
            Face::Number(quantity) => numbers.push(quantity),
        }
    }
    let telling = numbers.iter().find(|q| !q.is_zero()).or(numbers.first())?;
    let same = |q: &&Quantity| q.prefix == telling.prefix && q.suffix == telling.suffix;
    let unit = format!("{}{}", telling.prefix, telling.suffix.trim_start());
    (!unit.is_empty() && numbers.iter().all(|q| q.is_zero() || same(q))).then_some(unit)
}

/// Fills numbers with blanks on the right, so that their points stand in a line.
fn aligned<'a>(digits: impl Iterator<Item = &'a str>, numbers: bool) -> Vec<String> {
    let digits: Vec<&str> = digits.collect();
    let tail = |text: &str| text.find('.').map_or(0, |point| text.len() - point);
    let longest = digits.iter().map(|d| tail(d)).max().unwrap_or(0);
    let fill = |text: &str| if numbers { longest - tail(text) } else { 0 };
    digits
        .iter()
        .map(|text| format!("{text}{:fill$}", "", fill = fill(text)))
        .collect()
}

/// Names above, a line, and the rows.
fn grid(columns: &[Drawn], style: &Style) -> Table {
    let mut table = plain_table(style);
    if style.header {
        let header = columns.iter().map(|c| {
            let cell = comfy_table::Cell::new(&c.header).set_alignment(side(c.numbers));
            if style.color {
                cell.add_attribute(Attribute::Bold)
            } else {
                cell
            }
        });
        table.set_header(header);
    }
    let height = columns.first().map_or(0, |c| c.cells.len());
    for nth in 0..height {
        let row = columns
            .iter()
            .map(|c| comfy_table::Cell::new(&c.cells[nth]).set_alignment(side(c.numbers)));
        table.add_row(row);
    }
    set_gaps(&mut table);
    table
}

/// A single row as a list: a name and a value a line, the value in one piece
/// with its unit. Long values are wrapped on a terminal, not cut.
fn list(view: &View<'_>, style: &Style) -> Table {
    let mut table = plain_table(style);
    for (nth, column) in view.columns().enumerate() {
        let seconds = needs_seconds(view.column_cells(nth), style);
        let title = comfy_table::Cell::new(shown(&column.title, style));
        let title = if style.color {
            title.add_attribute(Attribute::Bold)
        } else {
            title
        };
        let value = view
            .column_cells(nth)
            .map(|cell| face(cell, column, seconds, style).whole())
            .collect::<String>();
        table.add_row([title, comfy_table::Cell::new(value)]);
    }
    if style.terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(style.width).unwrap_or(u16::MAX));
    }
    set_gaps(&mut table);
    table
}

/// No borders, one line under the header.
fn plain_table(style: &Style) -> Table {
    let line = if style.ascii { '-' } else { '─' };
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill(line)));
    if style.color {
        table.enforce_styling().style_text_only();
    } else {
        table.force_no_tty();
    }
    table
}

fn set_gaps(table: &mut Table) {
    let last = table.column_count().saturating_sub(1);
    for (nth, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if nth == last { 0 } else { GAP as u16 }));
    }
}

fn side(numbers: bool) -> CellAlignment {
    if numbers {
        CellAlignment::Right
    } else {
        CellAlignment::Left
    }
}

/// The note that names the columns beyond the first `kept`.
fn left_out(view: &View<'_>, kept: usize) -> Option<String> {
    let names: Vec<&str> = view.columns().skip(kept).map(|c| c.name.as_ref()).collect();
    let many = match names.len() {
        0 => return None,
        1 => "1 more column".to_owned(),
        n => format!("{n} more columns"),
    };
    Some(format!(
        "{many} (--fields chooses, -o json has all): {}",
        names.join(", ")
    ))
}

fn shown(text: &str, style: &Style) -> String {
    if style.ascii {
        Untrusted(text).shown_ascii().to_string()
    } else {
        Untrusted(text).shown().to_string()
    }
}
