//! `obs run`: the one line for cron.

use super::context::Context;
use super::failure::Failure;
use super::init::note_days;
use super::rollup::words;
use crate::cycle;
use crate::render::human;

/// Do all periodic work: roll up, then let go what is older than it is kept
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
    ctx.detail(words(&done.rollup));
    let rows: u64 = done.retention.cuts.iter().map(|cut| cut.rows).sum();
    ctx.detail(format!("let go {} rows", human::count(rows)));
    Ok(())
}
