//! `obs rollup`: raw events into minutes, hours, days and the ledger.

use super::context::Context;
use super::failure::{Failure, Kind};
use super::time::{Side, parse_time};
use crate::model::{Millis, Unit};
use crate::render::{Answer, Cell, Column, human};
use crate::rollup::{self, Report, Verification};
use crate::store::Store;

/// Condense raw events into minutes, hours, days and the ledger
///
/// Only what changed since the last time is computed. Running it twice, or twice
/// at once, changes nothing; answers are right before it has run, too.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs rollup                  what is new; `obs run` does it every minute
  obs rollup --verify         compute again and compare; 3 = differs
  obs rollup --rebuild        compute again and write")]
pub(super) struct Args {
    /// Leave minutes from here on for the next time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Compare with what raw events say, and change nothing
    #[arg(long, conflicts_with_all = ["rebuild", "until", "dry_run"])]
    verify: bool,
    /// Compute again all that raw events still cover
    #[arg(long, conflicts_with_all = ["until", "dry_run"])]
    rebuild: bool,
    /// With --rebuild: only from here on
    #[arg(long, value_name = "TIME", requires = "rebuild")]
    since: Option<String>,
    /// Say how much there is to do
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let at = |text: &Option<String>, side, otherwise| match text {
        Some(text) => Ok::<_, Failure>(parse_time(text, side, &ctx.frame())?.at),
        None => Ok(otherwise),
    };
    let until = at(&args.until, Side::Until, Millis(i64::MAX))?;
    let since = at(&args.since, Side::Since, Millis(i64::MIN))?;
    let mut store = ctx.open_store()?;
    if args.verify {
        return verify(ctx, &mut store);
    }
    if args.dry_run {
        let pending = rollup::pending(&mut store, until)?;
        if ctx.wants_table() {
            let words = format!("{} minutes wait for a roll-up", human::count(pending));
            return Ok(writeln!(ctx.stdout, "{words}")?);
        }
        return tell(
            ctx,
            &Report {
                minutes: pending,
                ..Report::default()
            },
        );
    }
    let report = match args.rebuild {
        true => rollup::rebuild(&mut store, since, |_| {})?,
        false => rollup::run(&mut store, until, |_| {})?,
    };
    tell(ctx, &report)
}

/// What a roll-up did, in a line.
pub(super) fn words(report: &Report) -> String {
    match report.minutes {
        0 => "nothing new to roll up".to_owned(),
        minutes => format!(
            "rolled up {} minutes: {} events into {} buckets and {} ledger rows",
            human::count(minutes),
            human::count(report.events),
            human::count(report.buckets),
            human::count(report.ledger_rows)
        ),
    }
}

fn tell(ctx: &mut Context<'_>, report: &Report) -> Result<(), Failure> {
    if ctx.wants_table() {
        ctx.notice(words(report));
        return Ok(());
    }
    let Report {
        slices,
        minutes,
        events,
        buckets,
        ledger_rows,
    } = *report;
    let facts = [
        ("minutes", minutes),
        ("events", events),
        ("buckets", buckets),
        ("ledger_rows", ledger_rows),
        ("transactions", slices),
    ];
    let columns = facts
        .map(|(name, _)| Column::new(name, name).in_unit(Unit::Count))
        .into();
    let mut answer = Answer::new("obs.rollup/v1", columns);
    answer
        .rows
        .push(facts.map(|(_, n)| Cell::Int(n.into())).into());
    ctx.answer(&answer)
}

fn verify(ctx: &mut Context<'_>, store: &mut Store) -> Result<(), Failure> {
    let Verification {
        checked,
        skipped_minutes,
        mismatches,
    } = rollup::verify(store)?;
    if mismatches.is_empty() && ctx.wants_table() {
        let (checked, skipped) = (human::count(checked), human::count(skipped_minutes));
        return Ok(writeln!(
            ctx.stdout,
            "{checked} aggregates compared, none differs; {skipped} minutes wait for a roll-up and were skipped"
        )?);
    }
    let names = ["table", "place", "provider", "model"].map(|name| Column::new(name, name));
    let counts =
        ["stored_requests", "computed_requests"].map(|n| Column::new(n, n).in_unit(Unit::Count));
    let mut answer = Answer::new(
        "obs.rollup.verify/v1",
        names.into_iter().chain(counts).collect(),
    );
    answer.head = vec![
        ("checked", Cell::Int(checked.into())),
        ("skipped_minutes", Cell::Int(skipped_minutes.into())),
        ("mismatches", Cell::Int(mismatches.len() as i128)),
    ];
    for m in &mismatches {
        let name = |n: &Option<String>| Cell::of(n.clone(), Cell::Text);
        answer.rows.push(vec![
            Cell::text(m.table),
            Cell::text(m.place.as_str()),
            name(&m.provider),
            name(&m.model),
            Cell::Int(m.stored_requests.into()),
            Cell::Int(m.computed_requests.into()),
        ]);
    }
    answer.notes.push(format!(
        "{} aggregates compared, {} differ; {} minutes wait for a roll-up and were skipped",
        human::count(checked),
        human::count(mismatches.len() as u64),
        human::count(skipped_minutes)
    ));
    if !mismatches.is_empty() {
        answer
            .notes
            .push("`obs rollup --rebuild` computes them again".to_owned());
    }
    ctx.answer(&answer)?;
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(Failure::silent(Kind::Found))
    }
}
