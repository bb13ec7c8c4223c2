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

/// For people, without groups: a line for each measure of which there is something.
pub(super) fn list(inquiry: &Inquiry, told: &Compared) -> Answer {
    let columns = ["measure", "now", "before", "change"].map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.stats.compare/v1", columns.into());
    for pair in &told.pairs {
        for (nth, measure) in compared(inquiry) {
            let (before, now) = (pair.before[nth], pair.now[nth]);
            if is_nothing(before) && is_nothing(now) && measure != Measure::Requests {
                continue;
            }
            answer.rows.push(vec![
                Cell::text(measure.spec().title),
                Cell::text(shown(now, measure)),
                Cell::text(shown(before, measure)),
                Cell::text(words(before, now, measure).in_full()),
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
            let change = words(before, now, *measure).in_short();
            row.push(Cell::Text(format!("{} {change}", shown(now, *measure))));
        }
        answer.rows.push(row);
    }
    // Its name says it already.
    if let Some(nth) = answer
        .columns
        .iter()
        .position(|c| c.name == "weekday_number")
    {
        answer.columns.remove(nth);
        for row in &mut answer.rows {
            row.remove(nth);
        }
    }
    answer
}

fn is_nothing(value: Value) -> bool {
    value.as_f64().is_none_or(|number| number == 0.0)
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

/// How much a value changed, in words: `+0.4 s`, `+27 %`, `worse`.
struct Words {
    amount: String,
    relative: Option<String>,
    verdict: Option<&'static str>,
}

impl Words {
    /// `+0.4 s, +27 %, worse`
    fn in_full(self) -> String {
        let parts = [
            Some(self.amount),
            self.relative,
            self.verdict.map(str::to_owned),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// `+27 % worse`
    fn in_short(self) -> String {
        let amount = self.relative.unwrap_or(self.amount);
        let parts = [Some(amount), self.verdict.map(str::to_owned)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

fn words(before: Value, now: Value, measure: Measure) -> Words {
    let plain = |text: &str| Words {
        amount: text.to_owned(),
        relative: None,
        verdict: None,
    };
    match (before, now) {
        (Value::Missing, Value::Missing) => return plain(human::NOTHING),
        (Value::Missing, _) => return plain("new"),
        (_, Value::Missing) => return plain("gone"),
        (_, _) => {}
    }
    let changed = change(before, now);
    let amount = changed.as_f64().unwrap_or(0.0);
    if amount == 0.0 {
        return plain("same");
    }
    let unit = measure.spec().unit;
    let verdict = Better::of(measure)
        .judges(changed)
        .map(|better| match better {
            true => "better",
            false => "worse",
        });
    // A change of a share is told in points: per cent of per cent confuse.
    if unit == Unit::Ratio {
        return Words {
            amount: format!("{} points", signed(amount * 100.0, Unit::Count)),
            relative: None,
            verdict,
        };
    }
    // A change is known to the per cent at best.
    let relative = relative_change(before, now).map(|ratio| (ratio * 100.0).round() / 100.0);
    Words {
        amount: signed(amount, unit),
        relative: relative.map(|ratio| signed(ratio, Unit::Ratio)),
        verdict,
    }
}

fn signed(number: f64, unit: Unit) -> String {
    let sign = if number > 0.0 { "+" } else { "" };
    format!("{sign}{}", human::number(number, unit))
}
