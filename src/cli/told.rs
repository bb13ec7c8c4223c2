//! How answers to questions are written: measures as columns, values as cells,
//! and where the numbers came from.

use std::fmt::Write as _;

use super::context::Context;
use super::failure::Failure;
use crate::model::{Dimension, Measure, Resolution, Unit, Value};
use crate::query::{
    Compared, Fold, Inquiry, Line, Measured, Reading, Slot, Source, Unheard, explain, unheard,
};
use crate::render::human;
use crate::render::{Cell, Column};
use crate::store::Store;

/// The columns of groups, and those of measures.
pub(super) fn columns(
    by: &[Dimension],
    measures: impl IntoIterator<Item = Measure>,
) -> Vec<Column> {
    let groups = by.iter().map(|d| Column::new(d.name(), d.name()));
    groups.chain(measures.into_iter().map(column)).collect()
}

fn column(measure: Measure) -> Column {
    let spec = measure.spec();
    Column::new(spec.field, spec.title).in_unit(spec.unit)
}

/// The cells of a line: its group, then its values.
pub(super) fn cells(line: &Line, units: &[Unit]) -> Vec<Cell> {
    let values = line.values.iter().zip(units);
    let values = values.map(|(value, unit)| cell(*value, *unit));
    groups(line).chain(values).collect()
}

fn groups(line: &Line) -> impl Iterator<Item = Cell> {
    line.group.iter().map(|text| name(text))
}

/// A name of a group, which may not have been said.
pub(super) fn name(name: &str) -> Cell {
    match name {
        "" => Cell::Missing,
        name => Cell::text(name),
    }
}

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The columns of the calendar.
pub(super) fn slot_columns(fold: Fold) -> Vec<Column> {
    let mut columns = Vec::new();
    if fold.weekday {
        columns.push(Column::new("weekday", "weekday"));
        columns.push(Column::new("weekday_number", "weekday number"));
    }
    if fold.hour {
        columns.push(Column::new("hour_of_day", "hour"));
    }
    columns
}

/// Those of them that people read.
pub(super) fn slot_names(fold: Fold) -> Vec<String> {
    let columns = slot_columns(fold).into_iter();
    let names = columns.map(|column| column.name.into_owned());
    names.filter(|name| name != "weekday_number").collect()
}

/// The cells of the calendar.
pub(super) fn slot_cells(fold: Fold, slot: Slot) -> Vec<Cell> {
    let mut cells = Vec::new();
    if fold.weekday {
        let name = |number: u8| WEEKDAYS.get(usize::from(number).wrapping_sub(1)).copied();
        cells.push(Cell::of(slot.weekday.and_then(name), Cell::text));
        cells.push(Cell::of(slot.weekday, |number| Cell::Int(number.into())));
    }
    if fold.hour {
        cells.push(Cell::of(slot.hour, |hour| Cell::Int(hour.into())));
    }
    cells
}

/// The head of a comparison: both windows, and the tiers they were read from.
pub(super) fn compared_head(told: &Compared) -> Vec<(&'static str, Cell)> {
    let mut head = head(&told.now);
    head.extend([
        ("before_since", Cell::At(told.before.span.from)),
        ("before_until", Cell::At(told.before.span.until)),
    ]);
    head
}

/// A value in its unit.
pub(super) fn cell(value: Value, unit: Unit) -> Cell {
    match value {
        Value::Missing => Cell::Missing,
        Value::Int(number) => Cell::Int(number),
        Value::Usd(amount) => Cell::Usd(amount),
        Value::At(at) => Cell::At(at),
        Value::Float(number) => match unit {
            Unit::Ratio => Cell::Ratio(number),
            Unit::Milliseconds => Cell::Ms(number),
            Unit::PerSecond => Cell::Rate(number),
            Unit::Count | Unit::Tokens | Unit::Usd | Unit::Time => Cell::Float(number),
        },
    }
}

/// The units of measures, in their order.
pub(super) fn units(inquiry: &Inquiry) -> Vec<Unit> {
    inquiry
        .asked
        .iter()
        .map(|a| a.measure.spec().unit)
        .collect()
}

/// The head of an answer: the window it speaks of, and the tiers it was read from.
pub(super) fn head(told: &Measured) -> Vec<(&'static str, Cell)> {
    vec![
        ("since", Cell::At(told.span.from)),
        ("until", Cell::At(told.span.until)),
        ("resolution", Cell::of(tiers(&told.sources), Cell::Text)),
    ]
}

/// The tiers that had something to say, coarsest first: `1hour+1min+raw`.
pub(super) fn tiers(sources: &[Source]) -> Option<String> {
    let mut tiers: Vec<Resolution> = sources
        .iter()
        .filter(|source| source.rows > 0)
        .map(|source| source.tier)
        .collect();
    tiers.sort_unstable_by_key(|tier| std::cmp::Reverse(*tier));
    tiers.dedup();
    let names: Vec<&str> = tiers.into_iter().map(Resolution::name).collect();
    (!names.is_empty()).then(|| names.join("+"))
}

/// A unit as data names it.
pub(super) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Tokens => "tokens",
        Unit::Milliseconds => "ms",
        Unit::Ratio => "ratio",
        Unit::Usd => "usd",
        Unit::PerSecond => "per_second",
        Unit::Time => "time",
    }
}

/// Why there is nothing to tell: when the last event was, and which names of the
/// filters no event says.
pub(super) fn silence(
    ctx: &Context<'_>,
    store: &mut Store,
    inquiry: &Inquiry,
) -> Result<Vec<String>, Failure> {
    let filtered = inquiry
        .asked
        .iter()
        .any(|a| !a.selector.matchers.is_empty());
    let events = if filtered { "such events" } else { "events" };
    let last = match store.read(|txn| txn.last_event())? {
        Some(last) => format!("last event {}", human::ago(last, ctx.now)),
        None => "no event yet".to_owned(),
    };
    let mut notes = vec![format!("no {events} in this window; {last}")];
    notes.extend(unheard_names(store, inquiry)?);
    Ok(notes)
}

/// A note for each name of the filters that no event says.
pub(super) fn unheard_names(store: &mut Store, inquiry: &Inquiry) -> Result<Vec<String>, Failure> {
    let selectors = inquiry.asked.iter().map(|asked| &asked.selector);
    let note = |unheard: Unheard| {
        let Unheard {
            dimension,
            name,
            nearest,
        } = unheard;
        let meant = nearest.map(|name| format!(" (did you mean {name:?}?)"));
        let meant = meant.unwrap_or_default();
        format!(
            "no event has the {dimension} {name:?}{meant}; `obs stats --by {dimension}` lists them"
        )
    };
    Ok(unheard(store, selectors)?.into_iter().map(note).collect())
}

/// Says on stderr which tiers answered and why not coarser ones.
pub(super) fn explain_on_stderr(
    ctx: &mut Context<'_>,
    inquiry: &Inquiry,
    told: &Measured,
) -> Result<(), Failure> {
    let mut text = String::new();
    for reading in explain(inquiry, told) {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}", words(&reading, ctx));
    }
    Ok(ctx.stderr.write_all(text.as_bytes())?)
}

/// `from 1hour: 2026-01-30 12:00 to 2026-01-31 12:00, 24 rows; the window cuts …`
fn words(reading: &Reading, ctx: &Context<'_>) -> String {
    let zone = ctx.zone();
    let rows = match reading.rows {
        1 => "1 row".to_owned(),
        many => format!("{} rows", human::count(many)),
    };
    let parts = match reading.parts {
        1 => String::new(),
        many => format!(" in {} parts", human::count(many as u64)),
    };
    let mut text = format!(
        "from {}: {} to {}, {rows}{parts}",
        reading.tier.name(),
        human::moment(reading.span.from, zone),
        human::moment(reading.span.until, zone),
    );
    for because in &reading.because {
        let _ = write!(text, "; {because}");
    }
    text
}
