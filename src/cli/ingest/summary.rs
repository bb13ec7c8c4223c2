//! What an ingest came to: a line for people, an answer for programs.

use std::time::Duration;

use super::super::context::Context;
use super::super::failure::Failure;
use super::watcher::SHOWN;
use crate::ingest::Summary;
use crate::model::Unit;
use crate::render::{Answer, Cell, Column, human};
use crate::store::{BatchCounts, Retention};

/// Shorter work has no speed worth telling.
const WORTH_A_RATE: Duration = Duration::from_secs(1);

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
    if total.too_old > 0 {
        ctx.warn(format!(
            "{} refused as too old; --backfill takes events from so long ago, but cannot tell repetitions there",
            counted(total.too_old, "line was", "lines were")
        ));
    }
    if let (Some(kept), n @ 1..) = (retention.raw, total.outlived[0]) {
        ctx.warn(format!(
            "{} older than {}, for which raw events are kept: the next retention run lets them go{}",
            counted(n, "accepted event is", "accepted events are"),
            human::duration_ms(kept),
            coarser(retention, total),
        ));
    }
    if ctx.wants_table() {
        let words = words(counts, took, dry_run);
        // What a rehearsal says is its answer; of the real thing cron wants no word.
        return match dry_run {
            true => Ok(writeln!(ctx.stdout, "{words}")?),
            false => {
                ctx.notice(words);
                Ok(())
            }
        };
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

fn words(counts: &BatchCounts, took: Duration, dry_run: bool) -> String {
    let verb = if dry_run {
        "would be accepted"
    } else {
        "accepted"
    };
    let lines = counted(counts.lines(), "line", "lines");
    let mut words = format!("{lines}: {} {verb}", human::count(counts.accepted));
    let others = [
        (counts.updated, "updated"),
        (counts.duplicate, "duplicate"),
        (counts.rejected, "rejected"),
    ];
    for (n, what) in others.into_iter().filter(|(n, _)| *n > 0) {
        words += &format!(", {} {what}", human::count(n));
    }
    if took >= WORTH_A_RATE {
        let speed = counts.lines() as f64 / took.as_secs_f64();
        words += &format!(
            "; {:.1} s, {} lines/s",
            took.as_secs_f64(),
            human::count(speed as u64)
        );
    }
    words
}

/// A count and its noun.
fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", human::count(n), if n == 1 { one } else { many })
}

/// How many are older than what the coarser tiers keep, too.
fn coarser(retention: &Retention, total: &Summary) -> String {
    let Retention {
        minute, hour, day, ..
    } = *retention;
    let parts: Vec<String> = [(minute, "minutes"), (hour, "hours"), (day, "days")]
        .into_iter()
        .zip(&total.outlived[1..])
        .filter(|(_, n)| **n > 0)
        .filter_map(|((kept, tier), n)| {
            let age = human::duration_ms(kept?);
            Some(format!(
                "{} also older than {age} ({tier})",
                human::count(*n)
            ))
        })
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("; {}", parts.join(", "))
    }
}
