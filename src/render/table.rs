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

mod face;
mod fit;

use face::{Face, aligned, face, needs_seconds, shared_unit, shown};
use fit::Fit;

pub(super) use face::is_number_column;

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
    let (header, cells) = match shared_unit(&faces) {
        Some(unit) if unit.is_empty() => (title, aligned(&faces, numbers)),
        Some(unit) if style.header => (format!("{title} ({unit})"), aligned(&faces, numbers)),
        Some(_) | None => (title, faces.iter().map(Face::whole).collect()),
    };
    Drawn {
        header,
        cells,
        numbers,
        text,
    }
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
