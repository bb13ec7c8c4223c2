//! `obs alerts ack` and `resolve`: somebody knows, or says that it is over.

use super::{caught_up, nothing_named, open, rows, unknown, words};
use crate::alert::{ByHand, Deed, by_hand};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::model::{Alert, AlertId, AlertState, Millis, parse_duration};
use crate::store::Txn;

/// Say that you know of an alert
///
/// It goes on and ends by itself; `repeat_interval` tells of it no more. What was
/// acknowledged before stays as it is.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts ack --all
  obs alerts ack 'High latency' -m 'looking into it' --by ada")]
pub(super) struct AckArgs {
    #[command(flatten)]
    which: Which,
    /// Why, or what is being done
    #[arg(short = 'm', long, value_name = "NOTE")]
    note: Option<String>,
    /// By whom [default: the name of the user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Say that an alert is over
///
/// While its condition holds still, it does not fire again until the condition has ended
/// once, or until the time of --hold is over.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts resolve --all
  obs alerts resolve 'High latency' -m 'expected' --hold 8h")]
pub(super) struct ResolveArgs {
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(short = 'm', long, value_name = "NOTE")]
    note: Option<String>,
    /// By whom [default: the name of the user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// While the condition holds still, not anew before
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    hold: String,
}

#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Which {
    /// Numbers of alerts, or names of rules for all of their open alerts
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All that are open
    #[arg(long)]
    all: bool,
}

pub(super) fn acknowledge(ctx: &mut Context<'_>, args: &AckArgs) -> Result<(), Failure> {
    run(
        ctx,
        &args.which,
        Deed::Acknowledge,
        args.note.as_deref(),
        args.by.as_ref(),
    )
}

pub(super) fn resolve(ctx: &mut Context<'_>, args: &ResolveArgs) -> Result<(), Failure> {
    let hold_ms = parse_duration(&args.hold)?;
    let deed = Deed::Resolve { hold_ms };
    run(
        ctx,
        &args.which,
        deed,
        args.note.as_deref(),
        args.by.as_ref(),
    )
}

fn run(
    ctx: &mut Context<'_>,
    which: &Which,
    deed: Deed,
    note: Option<&str>,
    by: Option<&String>,
) -> Result<(), Failure> {
    let actor = by.cloned().unwrap_or_else(|| ctx.actor());
    let mut store = caught_up(ctx)?;
    let done = ByHand {
        deed,
        now: ctx.now,
        actor: &actor,
        note,
    };
    let touched = by_hand(&mut store, &done, |txn| which.alerts(txn))?;
    let zone = ctx.zone();
    for (alert, changed) in &touched {
        let told = said(alert, *changed, |at| words::short(at, done.now, zone));
        ctx.notice(told);
    }
    if touched.is_empty() {
        ctx.notice("nothing is open");
    }
    match ctx.wants_table() {
        true => Ok(()),
        false => {
            let alerts: Vec<Alert> = touched.into_iter().map(|(alert, _)| alert).collect();
            ctx.answer(&rows::full(&alerts))
        }
    }
}

/// What was done, or why nothing was.
fn said(alert: &Alert, changed: bool, at: impl Fn(Millis) -> String) -> String {
    let who = format!(
        "{} ({})",
        words::who(&alert.rule_name, &alert.labels),
        alert.id.0
    );
    match (alert.state, changed) {
        (AlertState::Acknowledged, true) => format!("{who} is acknowledged"),
        (AlertState::Acknowledged, false) => {
            let known = alert.acknowledged.as_ref();
            let by = known.map_or("somebody", |known| known.by.as_str());
            format!("{who} was acknowledged before, by {by}")
        }
        (AlertState::Resolved, true) => match alert.hold_until {
            Some(until) => format!(
                "{who} is resolved; not anew before {}, unless it clears first",
                at(until)
            ),
            None => format!("{who} is resolved"),
        },
        (AlertState::Resolved, false) => match alert.resolved_at {
            Some(over) => format!("{who} was over before, at {}", at(over)),
            None => format!("{who} was over before"),
        },
        (AlertState::Pending, _) => format!("{who} does not fire yet"),
        (AlertState::Firing, _) => format!("{who} fires"),
    }
}

impl Which {
    /// The alerts that are meant. One that is meant twice is there once.
    fn alerts(&self, txn: &Txn<'_>) -> Result<Vec<Alert>, Failure> {
        let open = open(txn)?;
        if self.all {
            return Ok(open);
        }
        let rules = txn.rules()?;
        let mut meant: Vec<Alert> = Vec::new();
        for word in &self.ids {
            let number = word.parse().ok().map(AlertId);
            let by_number = number.map(|id| txn.alert(id)).transpose()?.flatten();
            let rule = rules.iter().find(|r| r.rule.name == *word);
            match (by_number, rule, number) {
                (Some(alert), _, _) => meant.push(alert),
                (None, Some(rule), _) => {
                    meant.extend(open.iter().filter(|a| a.rule_id == rule.id).cloned());
                }
                (None, None, Some(id)) => return Err(unknown(id, &txn.alert_changes(id)?)),
                (None, None, None) => {
                    let names = rules.iter().map(|r| r.rule.name.as_str());
                    return Err(nothing_named(word, names));
                }
            }
        }
        meant.sort_by_key(|alert| alert.id);
        meant.dedup_by_key(|alert| alert.id);
        Ok(meant)
    }
}
