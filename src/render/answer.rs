//! What is written: an answer of named columns and rows of typed cells.
//!
//! It is a value without a form. How a cell looks in a format is not known here.

use std::borrow::Cow;

use super::RenderError;
use crate::model::{Millis, Unit, Usd, nearest};

/// One value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing to say: `null`, an empty cell, `-`.
    Missing,
    /// Yes or no.
    Bool(bool),
    /// A whole number; its column's unit says of what.
    Int(i128),
    /// A number; its column's unit says of what.
    Float(f64),
    /// Milliseconds. Data keeps three decimals: it comes from microseconds or a sketch.
    Ms(f64),
    /// A fraction from 0 to 1, per cent to people.
    Ratio(f64),
    /// Money.
    Usd(Usd),
    /// A moment.
    At(Millis),
    /// A size in bytes.
    Bytes(u64),
    /// A length of time in seconds.
    Seconds(f64),
    /// Things per second.
    Rate(f64),
    /// Text from outside, not to be trusted.
    Text(String),
    /// A calendar day.
    Date(chrono::NaiveDate),
}

impl Cell {
    /// A text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// The cell of a value that may be missing.
    pub fn of<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
        value.map_or(Cell::Missing, cell)
    }
}

/// One column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in data, with the unit: `latency_p95_ms`.
    pub name: Cow<'static, str>,
    /// Its header in a table, without the unit: `p95`.
    pub title: Cow<'static, str>,
    /// The unit of whole and plain numbers in it. `Int` without a unit is a
    /// number like a status code, shown without commas.
    pub unit: Option<Unit>,
}

impl Column {
    /// A column without a unit of its own: text, or cells that carry their unit.
    pub fn new(name: impl Into<Cow<'static, str>>, title: impl Into<Cow<'static, str>>) -> Column {
        Column {
            name: name.into(),
            title: title.into(),
            unit: None,
        }
    }

    /// The same column with a unit.
    pub fn in_unit(self, unit: Unit) -> Column {
        Column {
            unit: Some(unit),
            ..self
        }
    }
}

/// An answer to a question, ready to be written in any format.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Name and version of its shape: `obs.stats/v1`.
    pub schema: &'static str,
    /// Further fields of the JSON envelope, such as `since` and `until`.
    pub head: Vec<(&'static str, Cell)>,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its rows; a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// Where the next page begins, when the answer was cut.
    pub next: Option<String>,
    /// Remarks that belong to the answer: lines under a table, `notes` in JSON.
    pub notes: Vec<String>,
}

impl Answer {
    /// An answer with columns and no rows yet.
    pub fn new(schema: &'static str, columns: Vec<Column>) -> Answer {
        Answer {
            schema,
            head: Vec::new(),
            columns,
            rows: Vec::new(),
            next: None,
            notes: Vec::new(),
        }
    }

    /// An answer made of values that know their columns.
    pub fn of<'a, T: Tabular + 'a>(
        schema: &'static str,
        rows: impl IntoIterator<Item = &'a T>,
    ) -> Answer {
        Answer {
            rows: rows.into_iter().map(Tabular::cells).collect(),
            ..Answer::new(schema, T::columns())
        }
    }
}

/// A value that is a row of an answer.
pub trait Tabular {
    /// The columns, in order.
    fn columns() -> Vec<Column>;
    /// The value's cells, one for each column.
    fn cells(&self) -> Vec<Cell>;
}

/// The columns of an answer that were asked for, in the order asked for.
pub(super) struct View<'a> {
    /// The whole answer.
    pub answer: &'a Answer,
    picked: Vec<usize>,
}

impl<'a> View<'a> {
    /// All columns, or those of the given names; a name given twice counts once.
    pub fn of(answer: &'a Answer, fields: Option<&[String]>) -> Result<View<'a>, RenderError> {
        let Some(fields) = fields else {
            let picked = (0..answer.columns.len()).collect();
            return Ok(View { answer, picked });
        };
        let mut picked = Vec::with_capacity(fields.len());
        for field in fields {
            let name = field.trim();
            let index = answer.columns.iter().position(|c| c.name == name);
            let index = index.ok_or_else(|| unknown(name, &answer.columns))?;
            if !picked.contains(&index) {
                picked.push(index);
            }
        }
        Ok(View { answer, picked })
    }

    pub fn columns(&self) -> impl Iterator<Item = &'a Column> {
        self.picked.iter().map(|&i| &self.answer.columns[i])
    }

    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = &'a Cell>> {
        self.answer.rows.iter().map(|row| self.cells(row))
    }

    /// The cells of the nth column that was asked for, from top to bottom.
    pub fn column_cells(&self, nth: usize) -> impl Iterator<Item = &'a Cell> {
        self.answer
            .rows
            .iter()
            .map(move |row| cell(row, self.picked[nth]))
    }

    fn cells(&self, row: &'a [Cell]) -> impl Iterator<Item = &'a Cell> {
        self.picked.iter().map(|&i| cell(row, i))
    }
}

/// A row that is too short has nothing more to say.
fn cell(row: &[Cell], index: usize) -> &Cell {
    row.get(index).unwrap_or(&Cell::Missing)
}

fn unknown(name: &str, columns: &[Column]) -> RenderError {
    RenderError::UnknownField {
        name: name.to_owned(),
        nearest: meant(name, columns),
        known: columns.iter().map(|c| c.name.to_string()).collect(),
    }
}

/// The first name that holds the given one (`p95`, `cost`), else the nearest.
fn meant(name: &str, columns: &[Column]) -> Option<String> {
    let lower = name.to_lowercase();
    let names = || columns.iter().map(|c| c.name.as_ref());
    let longer = names().find(|n| lower.len() > 1 && n.contains(&lower));
    longer.or_else(|| nearest(name, names())).map(str::to_owned)
}
