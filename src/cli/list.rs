//! `--sort` and `--limit`: the order and the length of a list.

use std::cmp::Ordering;

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
}

impl List {
    /// The same list, whole unless a length was asked for.
    pub fn all_unless_told(&self) -> List {
        List {
            sort: self.sort.clone(),
            limit: self.limit.or(Some(0)),
        }
    }

    /// Puts the rows in order and cuts them. Who did not ask for a cut is warned of it.
    ///
    /// # Errors
    /// When the answer has no such column.
    pub fn apply(&self, ctx: &mut Context<'_>, answer: &mut Answer) -> Result<(), Failure> {
        if let Some(sort) = &self.sort {
            sort_by(answer, sort)?;
        }
        let all = answer.rows.len();
        let limit = match self.limit.unwrap_or(USUAL_LIMIT) {
            0 => all,
            limit => limit,
        };
        if limit >= all {
            return Ok(());
        }
        answer.rows.truncate(limit);
        let [shown, all] = [limit, all].map(|rows| human::count(rows as u64));
        let remark = format!("{shown} of {all} rows; use --limit 0 for all");
        if self.limit.is_some() || ctx.environment.stdout_is_terminal {
            ctx.notice(remark);
        } else {
            ctx.warn(remark);
        }
        Ok(())
    }
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
