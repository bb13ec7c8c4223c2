//! `obs alerts eval`: catches evaluation up and says what changed.

use super::{explain, rows, warn_of, words};
use crate::alert::{self, Purpose, Report, Transition};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::rules::find;
use crate::cli::told::unit_name;
use crate::render::{Answer, Cell, Column, human};
use crate::store::{Store, StoredRule};

/// Evaluate the rules now, and say what changed
///
/// Every minute that was closed since the last evaluation is looked at, in its order, as
/// `obs run` does; nobody is told until it runs. A minute is closed half a minute after its
/// end. What happened more than 24 hours ago is skipped, with a warning.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts eval
  obs alerts eval --explain             what each rule sees, and why it decides so
  obs alerts eval 'High latency' --explain
  obs alerts eval --dry-run")]
pub(super) struct Args {
    /// Show only these rules; all are evaluated
    #[arg(value_name = "RULE")]
    rules: Vec<String>,
    /// Say what each rule sees at the last minute, and why it decides so
    #[arg(long)]
    explain: bool,
    /// Decide, and keep nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Go on from now where a clock that was ahead took evaluation into the future
    #[arg(long, conflicts_with = "dry_run")]
    reset_clock: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let rules = store.read(|txn| txn.rules())?;
    for name in &args.rules {
        find(&rules, name)?;
    }
    if args.reset_clock {
        reset_clock(ctx, &mut store)?;
    }
    let purpose = match args.dry_run {
        true => Purpose::Rehearse,
        false => Purpose::Keep,
    };
    let mut report = alert::catch_up(&mut store, ctx.now, purpose)?;
    warn_of(ctx, &report);
    let is_shown = |name: &str| args.rules.is_empty() || args.rules.iter().any(|n| n == name);
    report
        .changes
        .retain(|change| is_shown(&change.alert.rule_name));
    let rules: Vec<StoredRule> = rules
        .into_iter()
        .filter(|r| is_shown(&r.rule.name))
        .collect();
    warn_of_unknown(ctx, &rules);
    if args.explain {
        if report.evaluated.is_empty() {
            report.evaluated = alert::look(&mut store, ctx.now)?;
        }
        report.evaluated.retain(|seen| is_shown(&seen.rule_name));
    }
    tell(ctx, args, &report, &rules)
}

fn reset_clock(ctx: &mut Context<'_>, store: &mut Store) -> Result<(), Failure> {
    let zone = ctx.zone();
    ctx.notice(match alert::reset_clock(store, ctx.now, &ctx.actor())? {
        Some(until) => format!(
            "evaluation goes on from now; it had come to {}",
            human::moment(until, zone)
        ),
        None => "the clock of evaluation is right; nothing was reset".to_owned(),
    });
    Ok(())
}

/// A rule whose measure nobody sent cannot fire.
fn warn_of_unknown(ctx: &mut Context<'_>, rules: &[StoredRule]) {
    for stored in rules
        .iter()
        .filter(|r| r.rule.enabled && r.rule.measure().is_none())
    {
        let measure = &stored.rule.condition.expr.measure;
        ctx.warn(format!(
            "{}: nobody sent {measure} yet, so it cannot fire",
            stored.rule.name
        ));
    }
}

fn tell(
    ctx: &mut Context<'_>,
    args: &Args,
    report: &Report,
    rules: &[StoredRule],
) -> Result<(), Failure> {
    if !ctx.wants_table() || ctx.picks_fields() {
        return match args.explain {
            true => ctx.answer(&explain::answer(&report.evaluated, rules)),
            false => ctx.answer(&answer(report, args.dry_run)),
        };
    }
    let (now, zone) = (ctx.now, ctx.zone());
    let line = |t: &Transition| words::change(t.from, &t.alert, now, zone);
    let mut lines: Vec<String> = report.changes.iter().map(line).collect();
    if args.explain {
        lines.extend(explain::lines(&report.evaluated, rules, now, zone));
    }
    if !lines.is_empty() {
        ctx.answer(&Answer {
            notes: lines,
            ..Answer::new(SCHEMA, Vec::new())
        })?;
    }
    let until = report.until.map(|until| words::short(until, now, zone));
    let looked = match until {
        Some(until) => format!("{} minutes, up to {until}", human::count(report.minutes)),
        None => "no minute was closed since the last time".to_owned(),
    };
    let changed = match report.changes.is_empty() {
        true => "nothing changed; ",
        false => "",
    };
    let kept = if args.dry_run {
        "; nothing was kept"
    } else {
        ""
    };
    ctx.notice(format!("{changed}{looked}{kept}"));
    Ok(())
}

const SCHEMA: &str = "obs.alerts.eval/v1";

fn answer(report: &Report, dry_run: bool) -> Answer {
    let names = [
        "at",
        "alert_id",
        "rule",
        "labels",
        "severity",
        "from",
        "to",
        "value",
        "threshold",
        "unit",
        "reason",
        "started_at",
        "fired_at",
    ];
    let row = |change: &Transition| {
        let alert = &change.alert;
        vec![
            Cell::At(alert.changed_at),
            Cell::Int(alert.id.0.into()),
            Cell::text(&alert.rule_name),
            rows::labels(&alert.labels),
            Cell::text(alert.severity.name()),
            Cell::of(change.from, |state| Cell::text(state.name())),
            Cell::text(alert.state.name()),
            Cell::of(alert.value, Cell::Float),
            Cell::Float(alert.threshold),
            Cell::text(unit_name(words::unit(alert))),
            Cell::text(alert.reason.name()),
            Cell::At(alert.started_at),
            Cell::of(alert.fired_at, Cell::At),
        ]
    };
    let skipped = report.skipped;
    Answer {
        head: vec![
            ("until", Cell::of(report.until, Cell::At)),
            ("minutes", Cell::Int(report.minutes.into())),
            ("skipped_since", Cell::of(skipped.map(|s| s.from), Cell::At)),
            (
                "skipped_until",
                Cell::of(skipped.map(|s| s.until), Cell::At),
            ),
            ("kept", Cell::Bool(!dry_run)),
        ],
        rows: report.changes.iter().map(row).collect(),
        ..Answer::new(SCHEMA, names.map(|name| Column::new(name, name)).into())
    }
}
