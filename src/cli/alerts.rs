//! `obs alerts`: what is wrong, what was, who knows, and of what nobody wants to hear.
//!
//! Each of these catches evaluation up first, so that what is shown is so now.

mod eval;
mod explain;
mod hand;
mod purge;
mod rows;
mod silence;
mod stats;
mod words;

use clap::Subcommand;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::list::List;
use super::time::{Side, parse_time};
use crate::alert::{self, Purpose};
use crate::model::{Alert, AlertId, AlertState, Millis, Severity, nearest};
use crate::render::{Answer, Cell, human};
use crate::store::{Change, Store, StoreError, Txn};

/// Show what is wrong, acknowledge and resolve, silence, evaluate
///
/// An alert begins when the condition of a rule holds and ends when it does not any more;
/// `obs run` looks every minute. Alone, this lists the alerts that are open.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts                            what is wrong now
  obs alerts list --all --limit 20      what was wrong as well
  obs alerts list --check               exit code 3 when something fires
  obs alerts ack 'High latency' -m 'looking into it'
  obs alerts silence add --match provider=claude --for 2h -m 'their maintenance'
  obs alerts stats")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    List(ListArgs),
    /// Show all that is known of an alert, with its history
    #[command(after_long_help = "Examples:
  obs alerts show 1
  obs alerts show 1 --json")]
    Show {
        /// Its number
        #[arg(value_name = "ID")]
        id: i64,
    },
    Ack(hand::AckArgs),
    Resolve(hand::ResolveArgs),
    Eval(eval::Args),
    History(HistoryArgs),
    Stats(stats::Args),
    Silence(silence::Args),
    Purge(purge::Args),
}

/// List alerts: those that are open, unless told otherwise
#[derive(clap::Args, Debug, Default)]
#[command(after_long_help = "Examples:
  obs alerts list
  obs alerts list --state firing --severity critical --check
  obs alerts list --since 7d --rule 'High latency' -o csv")]
struct ListArgs {
    /// Only alerts in these states: pending, firing, acknowledged, resolved
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state, help_heading = "Filter")]
    state: Vec<AlertState>,
    /// Only alerts of these severities: info, warning, critical
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',', value_parser = severity, help_heading = "Filter")]
    severity: Vec<Severity>,
    /// Only alerts of this rule
    #[arg(long, value_name = "RULE", help_heading = "Filter")]
    rule: Vec<String>,
    /// Those that are over as well
    #[arg(long, help_heading = "Filter")]
    all: bool,
    /// Those that were open at some time since as well [with --state resolved: 24h]
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Time"
    )]
    since: Option<String>,
    /// End with exit code 3 when one of them fires, acknowledged or not
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    list: List,
}

/// Show every change of an alert, or of all, the newest first
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts history
  obs alerts history 1
  obs alerts history --since 30d -o csv")]
struct HistoryArgs {
    /// Only this alert, whenever it was, also when its rule is gone
    #[arg(value_name = "ID", conflicts_with = "since")]
    id: Option<i64>,
    /// Changes since [default: 7d]
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

fn state(text: &str) -> Result<AlertState, String> {
    let known = AlertState::ALL.map(AlertState::name).join(", ");
    AlertState::parse(text).ok_or_else(|| format!("the states are {known}"))
}

fn severity(text: &str) -> Result<Severity, String> {
    let known = Severity::ALL.map(Severity::name).join(", ");
    Severity::parse(text).ok_or_else(|| format!("the severities are {known}"))
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => list(ctx, &ListArgs::default()),
        Some(Verb::List(args)) => list(ctx, args),
        Some(Verb::Show { id }) => show(ctx, AlertId(*id)),
        Some(Verb::Ack(args)) => hand::acknowledge(ctx, args),
        Some(Verb::Resolve(args)) => hand::resolve(ctx, args),
        Some(Verb::Eval(args)) => eval::run(ctx, args),
        Some(Verb::History(args)) => history(ctx, args),
        Some(Verb::Stats(args)) => stats::run(ctx, args),
        Some(Verb::Silence(args)) => silence::run(ctx, args),
        Some(Verb::Purge(args)) => purge::run(ctx, args),
    }
}

/// The store, with evaluation caught up.
fn caught_up(ctx: &mut Context<'_>) -> Result<Store, Failure> {
    let mut store = ctx.open_store()?;
    let report = alert::catch_up(&mut store, ctx.now, Purpose::Keep)?;
    warn_of(ctx, &report);
    Ok(store)
}

/// Says what was not looked at.
pub(super) fn warn_of(ctx: &mut Context<'_>, report: &alert::Report) {
    let zone = ctx.zone();
    let moment = |at| human::moment(at, zone);
    if let Some(skipped) = report.skipped {
        ctx.warn(format!(
            "rules were not evaluated from {} to {}: nothing ran for too long",
            moment(skipped.from),
            moment(skipped.until)
        ));
    }
    for (rule, left_out) in &report.overflown {
        ctx.warn(format!(
            "the rule {rule} has too many alerts: {left_out} groups were left out"
        ));
    }
    if let Some(until) = report.ahead {
        ctx.warn(format!(
            "rules are evaluated up to {}, which is still to come: a clock was ahead, and nothing is \
             evaluated until then; `obs alerts eval --reset-clock` goes on from now",
            moment(until)
        ));
    }
}

/// The moment that a flag names, or so long before now.
fn since(ctx: &Context<'_>, told: Option<&String>, usual_ms: i64) -> Result<Millis, Failure> {
    match told {
        Some(text) => Ok(parse_time(text, Side::Since, &ctx.frame())?.at),
        None => Ok(ctx.now.plus(-usual_ms)),
    }
}

fn list(ctx: &mut Context<'_>, args: &ListArgs) -> Result<(), Failure> {
    let since = match (&args.since, args.all) {
        (None, true) => Some(Millis(i64::MIN)),
        (None, false) if !args.state.contains(&AlertState::Resolved) => None,
        (told, _) => Some(since(ctx, told.as_ref(), Millis::DAY)?),
    };
    let mut store = caught_up(ctx)?;
    let (mut alerts, rules) = store.read(|txn| {
        let mut alerts = open(txn)?;
        if let Some(since) = since {
            alerts.extend(txn.alerts_changed_since(since)?);
        }
        Ok::<_, StoreError>((alerts, txn.rules()?))
    })?;
    for name in &args.rule {
        super::rules::find(&rules, name)?;
    }
    alerts.sort_by_key(|alert| {
        (
            rank(alert.state),
            std::cmp::Reverse((alert.severity, alert.id)),
        )
    });
    alerts.dedup_by_key(|alert| alert.id);
    let wanted = |a: &Alert| {
        (args.state.is_empty() || args.state.contains(&a.state))
            && (args.severity.is_empty() || args.severity.contains(&a.severity))
            && (args.rule.is_empty() || args.rule.contains(&a.rule_name))
    };
    alerts.retain(wanted);
    let mut answer = match ctx.wants_table() && !ctx.picks_fields() {
        true => rows::short(&alerts, ctx.now),
        false => rows::full(&alerts),
    };
    if alerts.is_empty() {
        answer.notes.push(match rules.is_empty() {
            true => "no alerts, and no rules that could find any; `obs rules defaults` adds five"
                .to_owned(),
            false => "no alerts".to_owned(),
        });
    }
    args.list.apply(ctx, &mut answer)?;
    if alerts.is_empty() && ctx.wants_table() {
        answer.columns.clear();
    }
    ctx.answer(&answer)?;
    match args.check && alerts.iter().any(|a| a.state.is_firing()) {
        true => Err(Failure::silent(Kind::Found)),
        false => Ok(()),
    }
}

/// What is wrong comes before what is known, that before what may be, and what is over last.
fn rank(state: AlertState) -> u8 {
    match state {
        AlertState::Firing => 0,
        AlertState::Acknowledged => 1,
        AlertState::Pending => 2,
        AlertState::Resolved => 3,
    }
}

/// The alerts that are not over.
fn open(txn: &Txn<'_>) -> Result<Vec<Alert>, StoreError> {
    let mut alerts = txn.live_alerts()?;
    alerts.retain(|alert| alert.resolved_at.is_none());
    Ok(alerts)
}

fn show(ctx: &mut Context<'_>, id: AlertId) -> Result<(), Failure> {
    let mut store = caught_up(ctx)?;
    let (alert, changes) = store.read(|txn| {
        let changes = txn.alert_changes(id)?;
        let alert = txn.alert(id)?.ok_or_else(|| unknown(id, &changes))?;
        Ok::<_, Failure>((alert, changes))
    })?;
    if ctx.wants_table() && !ctx.picks_fields() {
        return ctx.answer(&Answer {
            notes: words::told(&alert, &changes, ctx.now, ctx.zone()),
            ..Answer::new(rows::SCHEMA, Vec::new())
        });
    }
    ctx.answer(&rows::whole(&alert, &changes))
}

/// There is no such alert, or not any more.
fn unknown(id: AlertId, changes: &[Change]) -> Failure {
    let message = format!("there is no alert {}", id.0);
    let failure = Failure::new(Kind::NotFound, "alert_unknown", message);
    match changes.last() {
        Some(last) => failure.hint(format!(
            "it was one of the rule {:?}; `obs alerts history {}` has its history",
            last.rule_name, id.0
        )),
        None => failure.hint("`obs alerts list --all` lists them"),
    }
}

/// There is neither an alert nor a rule of that name.
fn nothing_named<'n>(name: &str, rules: impl Iterator<Item = &'n str>) -> Failure {
    let message = format!("{name:?} is neither the number of an alert nor a rule");
    let failure = Failure::new(Kind::NotFound, "alert_unknown", message);
    failure.hint(match nearest(name, rules) {
        Some(known) => format!("did you mean {known:?}? `obs alerts` lists what is open"),
        None => "`obs alerts` lists what is open".to_owned(),
    })
}

fn history(ctx: &mut Context<'_>, args: &HistoryArgs) -> Result<(), Failure> {
    let from = since(ctx, args.since.as_ref(), 7 * Millis::DAY)?;
    let mut store = caught_up(ctx)?;
    let changes = store.read(|txn| match args.id {
        None => Ok(txn.alert_changes_since(from)?),
        Some(id) => {
            let mut changes = txn.alert_changes(AlertId(id))?;
            changes.reverse();
            match changes.is_empty() {
                true => Err(unknown(AlertId(id), &[])),
                false => Ok(changes),
            }
        }
    })?;
    let mut answer = match ctx.wants_table() && !ctx.picks_fields() {
        true => rows::short_history(&changes),
        false => rows::history(&changes),
    };
    if args.id.is_none() {
        answer.head.push(("since", Cell::At(from)));
    }
    if changes.is_empty() {
        answer
            .notes
            .push("nothing has changed in this time".to_owned());
    }
    args.list.apply(ctx, &mut answer)?;
    ctx.answer(&answer)
}
