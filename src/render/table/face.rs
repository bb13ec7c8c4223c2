//! How a cell looks to a person, and what the cells of a column have in common.

use crate::model::Unit;
use crate::render::Style;
use crate::render::answer::{Cell, Column};
use crate::render::human::{self, NOTHING};
use crate::render::quantity::{self, Quantity};
use crate::render::safe::Untrusted;
/// How a cell looks.
pub(super) enum Face {
    /// Nothing to say.
    Blank,
    /// In one piece.
    Words(String),
    /// With a unit that may move into the header.
    Number(Quantity),
}

impl Face {
    /// In one piece, with the unit.
    pub fn whole(&self) -> String {
        match self {
            Face::Blank => NOTHING.into(),
            Face::Words(text) => text.clone(),
            Face::Number(quantity) => quantity.whole(),
        }
    }

    /// Without the unit.
    pub fn digits(&self) -> &str {
        match self {
            Face::Blank => NOTHING,
            Face::Words(text) => text,
            Face::Number(quantity) => &quantity.digits,
        }
    }
}

/// The look of one cell; `seconds` is what [`needs_seconds`] says of its column.
pub(super) fn face(cell: &Cell, column: &Column, seconds: bool, style: &Style) -> Face {
    let float = |x: f64, unit| quantity::of(x, unit).map_or(Face::Blank, Face::Number);
    match cell {
        Cell::Missing => Face::Blank,
        Cell::Bool(true) => Face::Words("yes".into()),
        Cell::Bool(false) => Face::Words("no".into()),
        Cell::Int(n) => Face::Number(quantity::whole(*n, column.unit)),
        Cell::Float(x) => float(*x, column.unit),
        Cell::Ms(x) => float(*x, Some(Unit::Milliseconds)),
        Cell::Ratio(x) => float(*x, Some(Unit::Ratio)),
        Cell::Usd(amount) => Face::Number(quantity::money(*amount)),
        Cell::At(at) => Face::Number(quantity::moment(*at, style.zone, seconds)),
        Cell::Bytes(n) => Face::Number(quantity::bytes(*n)),
        Cell::Seconds(x) if !x.is_finite() => Face::Blank,
        Cell::Seconds(x) => Face::Words(human::duration_ms((x * 1_000.0).round() as i64)),
        Cell::Rate(x) => float(*x, Some(Unit::PerSecond)),
        Cell::Text(text) => Face::Words(shown(text, style)),
        Cell::Date(day) => Face::Words(day.to_string()),
    }
}

/// Seconds are shown when a moment of the column is not on a whole minute.
pub(super) fn needs_seconds<'a>(mut cells: impl Iterator<Item = &'a Cell>, style: &Style) -> bool {
    cells.any(|cell| matches!(cell, Cell::At(at) if !quantity::on_the_minute(*at, style.zone)))
}

/// The unit that all numbers of a column have, which may be none; `None` when
/// they differ or words stand among them. Zero is zero in any unit.
pub(super) fn shared_unit(faces: &[Face]) -> Option<String> {
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
    numbers
        .iter()
        .all(|q| q.is_zero() || same(q))
        .then_some(unit)
}

/// The digits alone, filled with blanks on the right so that the points of
/// numbers stand in a line.
pub(super) fn aligned(faces: &[Face], numbers: bool) -> Vec<String> {
    let tail = |digits: &str| match digits.find('.') {
        Some(point) if numbers => digits.len() - point,
        Some(_) | None => 0,
    };
    let longest = faces.iter().map(|f| tail(f.digits())).max().unwrap_or(0);
    faces
        .iter()
        .map(Face::digits)
        .map(|digits| format!("{digits}{:fill$}", "", fill = longest - tail(digits)))
        .collect()
}

/// Whether a column is read as numbers: all of its cells are, or, where it has
/// none, its unit says so.
pub(in crate::render) fn is_number_column<'a>(
    column: &Column,
    cells: impl Iterator<Item = &'a Cell>,
) -> bool {
    let mut told = cells.filter(|c| **c != Cell::Missing).peekable();
    match told.peek() {
        None => column.unit.is_some_and(|unit| unit != Unit::Time),
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

/// A text from outside, inert.
pub(super) fn shown(text: &str, style: &Style) -> String {
    if style.ascii {
        Untrusted(text).shown_ascii().to_string()
    } else {
        Untrusted(text).shown().to_string()
    }
}
