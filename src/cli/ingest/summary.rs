//! What an ingest came to: a line for people, an answer for programs.

use std::time::Duration;

use super::super::context::Context;
use super::super::failure::Failure;
use super::watcher::SHOWN;
use crate::ingest::Summary;
use crate::model::Unit;
use crate::render::{Answer, Cell, Column, human};
use crate::store::Retention;

/// The summary: words for people on a terminal, an answer for programs that ask for one.
pub(super) fn tell(
    ctx: &mut Context<'_>,
    total: &Summary,
    retention: &Retention,
    took: Duration,
    dry_run: bool,
) -> Result<(), Failure> {
    let counts = &total.counts;
    let per_second = counts.lines() as f64 / took.as_secs_f64().max(1e-9);
    if counts.rejected > SHOWN {
        let more = counts.rejected - SHOWN;
        ctx.warn(format!(
            "{} more lines were refused; --rejects FILE lists them all",
            human::count(more)
        ));
    }
    if let (Some(kept), n @ 1..) = (retention.raw, total.outlived[0]) {
        ctx.warn(format!(
            "{} accepted {} older than {}, for which raw events are kept: the next retention run lets them go{}",
            human::count(n),
            if n == 1 { "event is" } else { "events are" },
            human::duration_ms(kept),
            coarser(retention, total),
        ));
    }
    if ctx.wants_table() {
        let verb = if dry_run {
            "would be accepted"
        } else {
            "accepted"
        };
        let mut words = format!(
            "{} lines: {} {verb}",
            human::count(counts.lines()),
            human::count(counts.accepted)
        );
        let others = [
            (counts.updated, "updated"),
            (counts.duplicate, "duplicate"),
            (counts.rejected, "rejected"),
        ];
        for (n, what) in others.into_iter().filter(|(n, _)| *n > 0) {
            words += &format!(", {} {what}", human::count(n));
        }
        let speed = human::count(per_second as u64);
        ctx.notice(format!(
            "{words}; {:.1} s, {speed} lines/s",
            took.as_secs_f64()
        ));
        return Ok(());
    }
    let count = |name: &'static str| Column::new(name, name).in_unit(Unit::Count);
    let names = ["lines", "accepted", "updated", "duplicate", "rejected"];
    let old = [
        "older_than_raw",
        "older_than_1min",
        "older_than_1hour",
        "older_than_1day",
    ];
    let mut columns: Vec<Column> = names.into_iter().chain(old).map(count).collect();
    columns.push(Column::new("duration_s", "duration"));
    columns.push(Column::new("lines_per_s", "lines/s"));
    let mut answer = Answer::new("obs.ingest/v1", columns);
    let numbers = [
        counts.lines(),
        counts.accepted,
        counts.updated,
        counts.duplicate,
        counts.rejected,
    ];
    let mut row: Vec<Cell> = numbers
        .into_iter()
        .chain(total.outlived)
        .map(|n| Cell::Int(n.into()))
        .collect();
    row.push(Cell::Seconds(took.as_secs_f64()));
    row.push(Cell::Rate(per_second));
    answer.rows.push(row);
    ctx.answer(&answer)
}

/// How many outlive the coarser tiers as well.
fn coarser(retention: &Retention, total: &Summary) -> String {
    let tiers = [
        ("minutes", retention.minute),
        ("hours", retention.hour),
        ("days", retention.day),
    ];
    let parts: Vec<String> = tiers
        .into_iter()
        .zip(&total.outlived[1..])
        .filter_map(|((name, kept), n)| {
            kept.filter(|_| *n > 0)
                .map(|_| format!("{} outlive {name}", human::count(*n)))
        })
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    }
}
