//! `obs alerts purge`: alerts that are long over are deleted; their history stays.

use super::caught_up;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::model::parse_duration;
use crate::render::{Answer, Cell, Column, human};
use crate::store::StoreError;

/// Delete alerts that were over long ago, and silences; their history stays
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts purge --older-than 90d --dry-run
  obs alerts purge --older-than 90d --yes")]
pub(super) struct Args {
    /// Over for longer than that
    #[arg(long, value_name = "AGE")]
    older_than: String,
    /// Say what would go
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let before = ctx.now.plus(-parse_duration(&args.older_than)?);
    let mut store = caught_up(ctx)?;
    let doomed = store.read(|txn| txn.count_alerts_over(before))? as u64;
    if args.dry_run {
        ctx.notice(format!(
            "{} alerts would go; their history would stay",
            human::count(doomed)
        ));
        return tell(ctx, doomed);
    }
    let question = format!("delete {} alerts?", human::count(doomed));
    if !args.yes && !ctx.confirms(&question)? {
        return Err(Failure::usage("not_confirmed", "nothing was deleted")
            .hint("add --yes, or look first with --dry-run"));
    }
    let gone = store.write(|txn| {
        txn.forget_silences(before)?;
        Ok::<_, StoreError>(txn.forget_alerts(before)? as u64)
    })?;
    ctx.notice(format!(
        "{} alerts were deleted; their history stays",
        human::count(gone)
    ));
    tell(ctx, gone)
}

fn tell(ctx: &mut Context<'_>, alerts: u64) -> Result<(), Failure> {
    if ctx.wants_table() {
        return Ok(());
    }
    let mut answer = Answer::new("obs.alerts.purge/v1", vec![Column::new("alerts", "alerts")]);
    answer.rows.push(vec![Cell::Int(alerts.into())]);
    ctx.answer(&answer)
}
