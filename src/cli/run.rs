//! `obs run`: the one line for cron.

use super::context::Context;
use super::failure::Failure;
use super::init::note_days;
use super::post::{warn_of, with_post};
use super::rollup::words;
use crate::cycle;
use crate::render::{Answer, Cell, Column, human};

/// Do all periodic work: roll up, evaluate rules, tell of alerts, let go
///
/// What alerts tell through the channel `stdout` is printed here, so that cron mails it.
/// One line for cron: `* * * * * obs run`. When another one is still at work on
/// the same store it leaves at once and quietly.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs run
  obs run -v                      and say what was done")]
pub(super) struct Args {}

pub(super) fn run(ctx: &mut Context<'_>, _args: &Args) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let Some(_lock) = store.try_lock()? else {
        ctx.detail("another `obs run` is at work on this store");
        return Ok(());
    };
    note_days(&mut store, ctx)?;
    let now = ctx.now;
    let done = with_post(ctx, |post| cycle::run(&mut store, now, post))?;
    warn_of(ctx, &done.told);
    if let Some(skipped) = done.alerts.skipped {
        ctx.warn(format!(
            "rules were not evaluated from {} to {}: nothing ran for too long",
            skipped.from, skipped.until
        ));
    }
    for (rule, left_out) in &done.alerts.overflown {
        ctx.warn(format!(
            "the rule {rule} has too many alerts: {left_out} groups were left out"
        ));
    }
    let rows: u64 = done.retention.cuts.iter().map(|cut| cut.rows).sum();
    if ctx.wants_table() {
        ctx.detail(words(&done.rollup));
        ctx.detail(format!(
            "evaluated {} minutes of rules, told {} notices",
            human::count(done.alerts.minutes),
            human::count(done.told.sent)
        ));
        ctx.detail(format!("let go {} rows", human::count(rows)));
        return Ok(());
    }
    let facts = [
        ("minutes", done.rollup.minutes),
        ("events", done.rollup.events),
        ("rows_let_go", rows),
        ("freed_bytes", done.retention.freed_bytes),
        ("alert_changes", done.alerts.changes.len() as u64),
        ("notices_sent", done.told.sent),
    ];
    let columns = facts.map(|(name, _)| Column::new(name, name)).into();
    let mut answer = Answer::new("obs.run/v1", columns);
    answer
        .rows
        .push(facts.map(|(_, n)| Cell::Int(n.into())).into());
    ctx.answer(&answer)
}
