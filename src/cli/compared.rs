//! How a comparison of two windows is written: columns for programs, sentences for
//! people.

use super::told;
use crate::model::{Dimension, Measure, Unit, Value};
use crate::query::{Better, Compared, Fold, Inquiry, Pair, change, relative_change};
use crate::render::human;
use crate::render::{Answer, Cell, Column};

/// The measures whose change means something: a moment is not compared.
fn compared(inquiry: &Inquiry) -> impl Iterator<Item = (usize, Measure)> {
    let measures = inquiry.asked.iter().map(|asked| asked.measure).enumerate();
    measures.filter(|(_, measure)| measure.spec().unit != Unit::Time)
}

/// For programs: each measure, what it was, and its change, absolute and relative.
pub(super) fn data(inquiry: &Inquiry, fold: Fold, told: &Compared) -> Answer {
    let mut columns = told::slot_columns(fold);
    columns.extend(told::columns(&inquiry.by, []));
    for (_, measure) in compared(inquiry) {
        let spec = measure.spec();
        for (suffix, title) in [("", ""), ("_before", " before"), ("_change", " change")] {
            let name = format!("{}{suffix}", spec.field);
            let title = format!("{}{title}", spec.title);
            columns.push(Column::new(name, title).in_unit(spec.unit));
        }
        let name = format!("{}_change_ratio", spec.field);
        columns.push(Column::new(name, "relative").in_unit(Unit::Ratio));
    }
    let mut answer = Answer::new("obs.stats.compare/v1", columns);
    for pair in &told.pairs {
        let mut row = groups(fold, pair);
        for (nth, measure) in compared(inquiry) {
            let (before, now) = (pair.before[nth], pair.now[nth]);
            let unit = measure.spec().unit;
            row.extend([now, before, change(before, now)].map(|value| told::cell(value, unit)));
            row.push(Cell::of(relative_change(before, now), Cell::Ratio));
        }
        answer.rows.push(row);
    }
    answer
}

fn groups(fold: Fold, pair: &Pair) -> Vec<Cell> {
    let mut cells = told::slot_cells(fold, pair.slot);
    cells.extend(pair.group.iter().map(|name| told::name(name)));
    cells
}

/// For people, without groups: a line for each measure.
pub(super) fn list(inquiry: &Inquiry, told: &Compared) -> Answer {
    let columns = ["measure", "now", "before", "change"].map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.stats.compare/v1", columns.into());
    for pair in &told.pairs {
        for (nth, measure) in compared(inquiry) {
            let (before, now) = (pair.before[nth], pair.now[nth]);
            answer.rows.push(vec![
                Cell::text(measure.spec().title),
                Cell::text(shown(now, measure)),
                Cell::text(shown(before, measure)),
                Cell::text(words(before, now, measure)),
            ]);
        }
    }
    answer
}

/// For people, by group: each measure with its change in one cell.
pub(super) fn table(
    inquiry: &Inquiry,
    fold: Fold,
    told: &Compared,
    glance: &[(Measure, &'static str)],
) -> Answer {
    let mut columns = told::slot_columns(fold);
    columns.extend(told::columns(&inquiry.by as &[Dimension], []));
    let shown_of: Vec<(usize, Measure, &'static str)> = glance
        .iter()
        .filter_map(|(wanted, title)| {
            let (nth, measure) = compared(inquiry).find(|(_, measure)| measure == wanted)?;
            Some((nth, measure, *title))
        })
        .collect();
    columns.extend(
        shown_of
            .iter()
            .map(|(_, m, title)| Column::new(m.spec().field, *title)),
    );
    let mut answer = Answer::new("obs.stats.compare/v1", columns);
    for pair in &told.pairs {
        let mut row = groups(fold, pair);
        for (nth, measure, _) in &shown_of {
            let (before, now) = (pair.before[*nth], pair.now[*nth]);
            let change = words(before, now, *measure);
            row.push(Cell::Text(format!("{} ({change})", shown(now, *measure))));
        }
        answer.rows.push(row);
    }
    answer
}

fn shown(value: Value, measure: Measure) -> String {
    match value {
        Value::Usd(amount) => human::usd(amount),
        value => value.as_f64().map_or_else(
            || human::NOTHING.to_owned(),
            |number| human::number(number, measure.spec().unit),
        ),
    }
}

/// `+0.4 s, +27 %, worse`
fn words(before: Value, now: Value, measure: Measure) -> String {
    match (before, now) {
        (Value::Missing, Value::Missing) => return human::NOTHING.to_owned(),
        (Value::Missing, _) => return "nothing before".to_owned(),
        (_, Value::Missing) => return "nothing now".to_owned(),
        (_, _) => {}
    }
    let changed = change(before, now);
    let amount = changed.as_f64().unwrap_or(0.0);
    if amount == 0.0 {
        return "same".to_owned();
    }
    let mut words = vec![match measure.spec().unit {
        Unit::Ratio => format!("{} points", signed(amount * 100.0, Unit::Count)),
        unit => signed(amount, unit),
    }];
    let relative = relative_change(before, now);
    words.extend(relative.map(|ratio| signed(ratio, Unit::Ratio)));
    words.extend(Better::of(measure).judges(changed).map(|better| {
        match better {
            true => "better",
            false => "worse",
        }
        .to_owned()
    }));
    words.join(", ")
}

fn signed(number: f64, unit: Unit) -> String {
    let sign = if number > 0.0 { "+" } else { "" };
    format!("{sign}{}", human::number(number, unit))
}
