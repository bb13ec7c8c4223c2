//! `obs run`: the one line for cron.

use super::context::Context;
use super::failure::Failure;
use super::init::note_days;
use super::rollup::words;
use crate::cycle;
use crate::render::{Answer, Cell, Column, human};

/// Do all periodic work: roll up, let go what outlived its age
///
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
    let done = cycle::run(&mut store, ctx.now)?;
    let rows: u64 = done.retention.cuts.iter().map(|cut| cut.rows).sum();
    if ctx.wants_table() {
        ctx.detail(words(&done.rollup));
        ctx.detail(format!("let go {} rows", human::count(rows)));
        return Ok(());
    }
    let facts = [
        ("minutes", done.rollup.minutes),
        ("events", done.rollup.events),
        ("rows_let_go", rows),
        ("freed_bytes", done.retention.freed_bytes),
    ];
    let columns = facts.map(|(name, _)| Column::new(name, name)).into();
    let mut answer = Answer::new("obs.run/v1", columns);
    answer
        .rows
        .push(facts.map(|(_, n)| Cell::Int(n.into())).into());
    ctx.answer(&answer)
}
