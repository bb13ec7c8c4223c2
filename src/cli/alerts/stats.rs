//! `obs alerts stats`: how many, how long, and which rules make the most noise.

use super::{caught_up, open, since};
use crate::alert::{Scope, Tally, tally};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::list::List;
use crate::model::Millis;
use crate::render::{Answer, Cell, Column, Tabular};
use crate::store::StoreError;

/// Count alerts: in all, by severity, by rule
///
/// Alerts that fired at some time of it count; those that were only pending do not. A group
/// that fired three times or more flaps: `--resolve-threshold`, `--for` or
/// `--keep-firing-for` of its rule calm it.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts stats
  obs alerts stats --since 7d -o json")]
pub(super) struct Args {
    /// Start [default: 24h]
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Time"
    )]
    since: Option<String>,
    #[command(flatten)]
    list: List,
}

impl Tabular for Tally {
    fn columns() -> Vec<Column> {
        [
            ("scope", "of"),
            ("name", "which"),
            ("total", "alerts"),
            ("firing", "firing"),
            ("acknowledged", "acknowledged"),
            ("resolved", "resolved"),
            ("flapping", "flapping"),
            ("time_to_acknowledge_s", "until known"),
            ("time_to_resolve_s", "until over"),
        ]
        .map(|(name, title)| Column::new(name, title))
        .into()
    }

    fn cells(&self) -> Vec<Cell> {
        let (scope, name) = match &self.scope {
            Scope::All => ("all", None),
            Scope::Severity(severity) => ("severity", Some(severity.name())),
            Scope::Rule(name) => ("rule", Some(name.as_str())),
        };
        let seconds = |ms: i64| Cell::Seconds(ms as f64 / Millis::SECOND as f64);
        vec![
            Cell::text(scope),
            Cell::of(name, Cell::text),
            Cell::Int(self.total.into()),
            Cell::Int(self.firing.into()),
            Cell::Int(self.acknowledged.into()),
            Cell::Int(self.resolved.into()),
            Cell::Int(self.flapping.into()),
            Cell::of(self.to_acknowledge_ms, seconds),
            Cell::of(self.to_resolve_ms, seconds),
        ]
    }
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let from = since(ctx, args.since.as_ref(), Millis::DAY)?;
    let mut store = caught_up(ctx)?;
    let alerts = store.read(|txn| {
        let mut alerts = open(txn)?;
        alerts.extend(txn.alerts_changed_since(from)?);
        alerts.sort_by_key(|alert| alert.id);
        alerts.dedup_by_key(|alert| alert.id);
        Ok::<_, StoreError>(alerts)
    })?;
    let mut answer = Answer::of("obs.alerts.stats/v1", &tally(&alerts, from));
    answer.head.push(("since", Cell::At(from)));
    args.list.apply(ctx, &mut answer)?;
    ctx.answer(&answer)
}
