//! `--sort`, `--limit` and `--cursor`: the order of a list, and its pages.
//!
//! A list that has a key in the store is read from the cursor on. One that is
//! computed is computed again, and its cursor is the order and the last row's
//! group: the next page begins after that row, wherever it stands by then.

use std::cmp::Ordering;
use std::fmt;

use chrono::Datelike;

use super::context::Context;
use super::failure::Failure;
use crate::model::nearest;
use crate::render::human;
use crate::render::{Answer, Cell, RenderError};

/// Rows of a list when nobody says how many.
const USUAL_LIMIT: usize = 50;

/// The order and the length of a list.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(super) struct List {
    /// Order by this column; `-column` begins with the largest
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most this many rows; 0 means all [default: 50]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on after the page whose answer said so in `next`
    #[arg(long, value_name = "TOKEN")]
    cursor: Option<String>,
}

impl List {
    /// The same list, whole unless a length was asked for.
    pub fn all_unless_told(&self) -> List {
        List {
            sort: self.sort.clone(),
            limit: self.limit.or(Some(0)),
            cursor: self.cursor.clone(),
        }
    }

    /// Puts the rows in order and cuts them. Who did not ask for a cut is warned of it.
    ///
    /// # Errors
    /// When the answer has no such column, or the cursor is none of this list.
    pub fn apply(&self, ctx: &mut Context<'_>, answer: &mut Answer) -> Result<(), Failure> {
        let place = self.cursor.as_deref().map(Place::parse).transpose()?;
        let sort = match (&self.sort, &place) {
            (Some(sort), Some(place)) if place.sort.as_ref() != Some(sort) => {
                return Err(no_cursor("it belongs to a list in another order"));
            }
            (Some(sort), _) => Some(sort.clone()),
            (None, Some(place)) => place.sort.clone(),
            (None, None) => None,
        };
        if let Some(sort) = &sort {
            sort_by(answer, sort)?;
        }
        let all = answer.rows.len();
        if let Some(place) = &place {
            let last = answer.rows.iter().position(|row| group(row) == place.group);
            let last = last.ok_or_else(|| no_cursor("the row it points to is gone"))?;
            answer.rows.drain(..=last);
        }
        let limit = self.limit();
        if limit == 0 || limit >= answer.rows.len() {
            return Ok(());
        }
        answer.rows.truncate(limit);
        answer.next = answer.rows.last().map(|row| {
            let group = group(row);
            Place { sort, group }.to_string()
        });
        let [shown, all] = [limit, all].map(|rows| human::count(rows as u64));
        self.tell_cut(ctx, &format!("{shown} of {all} rows"));
        Ok(())
    }

    /// Rows at most; 0 for all.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(USUAL_LIMIT)
    }

    /// The order that was asked for.
    pub fn sort(&self) -> Option<&str> {
        self.sort.as_deref()
    }

    /// Where a list that has a key begins: what `parse` makes of the cursor.
    ///
    /// # Errors
    /// When it makes nothing of it.
    pub fn place<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        let told = self.cursor.as_deref();
        told.map(|text| parse(text).ok_or_else(|| no_cursor("it comes from no list like this")))
            .transpose()
    }

    /// Says that a list with a key goes on. How far is not counted: that would read it all.
    pub fn tell_more(&self, ctx: &mut Context<'_>, answer: &Answer) {
        if let Some(next) = &answer.next {
            let shown = human::count(answer.rows.len() as u64);
            self.tell_cut(
                ctx,
                &format!("{shown} rows, and there are more: --cursor {next} goes on"),
            );
        }
    }

    fn tell_cut(&self, ctx: &mut Context<'_>, cut: &str) {
        let remark = format!("{cut}; use --limit 0 for all");
        if self.limit.is_some() || ctx.environment.stdout_is_terminal {
            ctx.notice(remark);
        } else {
            ctx.warn(remark);
        }
    }
}

fn no_cursor(why: &str) -> Failure {
    Failure::usage("cursor_invalid", format!("the cursor leads nowhere: {why}"))
        .hint("begin again without --cursor")
}

/// Where the next page of a computed list begins.
#[derive(serde::Serialize, serde::Deserialize)]
struct Place {
    /// The order of the list.
    sort: Option<String>,
    /// The last row.
    group: Vec<Option<String>>,
}

impl Place {
    fn parse(token: &str) -> Result<Place, Failure> {
        let byte = |at: usize| u8::from_str_radix(token.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..token.len()).step_by(2).map(byte).collect();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| no_cursor("it comes from no list like this"))
    }
}

/// JSON in hexadecimal: one word in any shell, and nothing to rely on.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        json.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What tells a row from the others of its list: the number it begins with, and the texts
/// that follow.
fn group(row: &[Cell]) -> Vec<Option<String>> {
    let (number, row) = match row {
        [Cell::Int(number), rest @ ..] => (Some(Some(number.to_string())), rest),
        row => (None, row),
    };
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => Some(Some(text.clone())),
        Cell::Missing => Some(None),
        Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) | Cell::Ms(_) | Cell::Ratio(_) => None,
        Cell::Usd(_) | Cell::At(_) | Cell::Bytes(_) | Cell::Seconds(_) => None,
        Cell::Rate(_) | Cell::Date(_) => None,
    };
    number
        .into_iter()
        .chain(row.iter().map_while(text))
        .collect()
}

/// Orders by a column; what is missing comes last.
fn sort_by(answer: &mut Answer, sort: &str) -> Result<(), RenderError> {
    let (name, descending) = match sort.strip_prefix('-') {
        Some(name) => (name, true),
        None => (sort, false),
    };
    let names = || answer.columns.iter().map(|c| c.name.as_ref());
    let Some(column) = names().position(|n| n == name) else {
        return Err(RenderError::UnknownField {
            name: name.to_owned(),
            nearest: nearest(name, names()).map(str::to_owned),
            known: names().map(str::to_owned).collect(),
        });
    };
    answer.rows.sort_by(|a, b| {
        let (a, b) = (Rank::of(&a[column]), Rank::of(&b[column]));
        match (a, b) {
            (Some(a), Some(b)) if descending => b.compare(&a),
            (Some(a), Some(b)) => a.compare(&b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    });
    Ok(())
}

/// What a cell is ordered by. The cells of a column are of one kind.
enum Rank<'a> {
    Whole(i128),
    Number(f64),
    Text(&'a str),
}

impl Rank<'_> {
    fn of(cell: &Cell) -> Option<Rank<'_>> {
        Some(match cell {
            Cell::Missing => return None,
            Cell::Bool(yes) => Rank::Whole((*yes).into()),
            Cell::Int(number) => Rank::Whole(*number),
            Cell::Usd(amount) => Rank::Whole(amount.0),
            Cell::At(at) => Rank::Whole(at.0.into()),
            Cell::Bytes(size) => Rank::Whole((*size).into()),
            Cell::Date(day) => Rank::Whole(day.num_days_from_ce().into()),
            Cell::Float(x) | Cell::Ms(x) | Cell::Ratio(x) | Cell::Seconds(x) | Cell::Rate(x) => {
                Rank::Number(*x)
            }
            Cell::Text(text) => Rank::Text(text),
        })
    }

    fn compare(&self, other: &Rank<'_>) -> Ordering {
        match (self, other) {
            (Rank::Whole(a), Rank::Whole(b)) => a.cmp(b),
            (Rank::Number(a), Rank::Number(b)) => a.total_cmp(b),
            (Rank::Text(a), Rank::Text(b)) => a.cmp(b),
            (Rank::Whole(_) | Rank::Number(_) | Rank::Text(_), _) => Ordering::Equal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Column;

    fn providers() -> Answer {
        let names = ["provider", "latency_p95_ms"];
        let mut answer = Answer::new("test", names.map(|n| Column::new(n, n)).to_vec());
        for (name, p95) in [("a", Some(20.0)), ("b", None), ("c", Some(3.0))] {
            answer
                .rows
                .push(vec![Cell::text(name), Cell::of(p95, Cell::Ms)]);
        }
        answer
    }

    fn sorted(by: &str) -> String {
        let mut answer = providers();
        sort_by(&mut answer, by).unwrap();
        let names = answer.rows.iter().map(|row| match &row[0] {
            Cell::Text(name) => name.as_str(),
            other => panic!("{other:?}"),
        });
        names.collect()
    }

    #[test]
    fn what_is_missing_comes_last_in_either_order() {
        assert_eq!(sorted("latency_p95_ms"), "cab");
        assert_eq!(sorted("-latency_p95_ms"), "acb");
        assert_eq!(sorted("-provider"), "cba");
    }

    #[test]
    fn an_unknown_column_brings_the_nearest() {
        let error = sort_by(&mut providers(), "-provder").unwrap_err();
        let text = Failure::from(error).to_text(false);
        assert!(text.contains("did you mean provider?"), "{text}");
    }
}
