//! `obs retention`: how long each tier is kept, and letting go what is older.

use clap::Subcommand;

use super::context::Context;
use super::failure::{Failure, Kind};
use crate::model::{Millis, Resolution, Unit, parse_duration};
use crate::render::{Answer, Cell, Column, human};
use crate::retention::{self, Cut, Report, Unordered};
use crate::store::{Retention, Store, StoreError};

/// Show or set how long tiers are kept, let go what is older
///
/// Raw events 7 days, minutes 30, hours 90, days 365, the ledger for ever, unless
/// set otherwise. Nothing raw goes before it is rolled up.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs retention                    what is kept, and how long
  obs retention set raw 14d
  obs retention set ledger forever
  obs retention run --dry-run      what would go")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Show how long each tier is kept
    #[command(after_long_help = "Examples:
  obs retention show --json")]
    Show,
    /// Set how long a tier is kept
    #[command(after_long_help = "Examples:
  obs retention set 1min 60d
  obs retention set ledger forever")]
    Set {
        /// Which tier
        #[arg(value_parser = ["raw", "1min", "1hour", "1day", "ledger"])]
        tier: String,
        /// For how long: 36h, 14d, 52w, forever
        #[arg(value_name = "AGE")]
        age: String,
    },
    /// Let go what is older than its tier is kept
    #[command(after_long_help = "Examples:
  obs retention run -n
  obs retention run --yes")]
    Run(RunArgs),
}

/// Let go what is older than its tier is kept
///
/// The same as `obs retention run`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs cleanup --dry-run
  obs cleanup --yes")]
pub(super) struct RunArgs {
    /// Say what would go
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None | Some(Verb::Show) => show(ctx),
        Some(Verb::Set { tier, age }) => set(ctx, tier, age),
        Some(Verb::Run(args)) => clean_up(ctx, args),
    }
}

fn show(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let cuts = store.read(|txn| {
        let (kept, floors) = (txn.retention()?, txn.floors()?);
        let mut cuts: Vec<Cut> = [
            Resolution::Raw,
            Resolution::Minute,
            Resolution::Hour,
            Resolution::Day,
        ]
        .map(|tier| Cut {
            tier: tier.name(),
            kept_ms: kept.of(tier),
            floor: Some(floors.of(tier)).filter(|at| at.0 > i64::MIN),
            rows: 0,
        })
        .into();
        cuts.push(Cut {
            tier: "ledger",
            kept_ms: kept.ledger,
            floor: None,
            rows: 0,
        });
        Ok::<_, StoreError>(cuts)
    })?;
    let mut answer = table("obs.retention/v1", &cuts);
    if ctx.wants_table() {
        answer = humane(answer, &cuts);
    }
    answer.columns.truncate(3);
    answer.rows.iter_mut().for_each(|row| row.truncate(3));
    ctx.answer(&answer)
}

fn table(schema: &'static str, cuts: &[Cut]) -> Answer {
    let mut answer = Answer::new(
        schema,
        vec![
            Column::new("tier", "tier"),
            Column::new("kept_s", "kept"),
            Column::new("floor", "begins at").in_unit(Unit::Time),
            Column::new("rows", "rows let go").in_unit(Unit::Count),
        ],
    );
    for cut in cuts {
        answer.rows.push(vec![
            Cell::text(cut.tier),
            Cell::of(cut.kept_ms, |ms| Cell::Int((ms / 1000).into())),
            Cell::of(cut.floor, Cell::At),
            Cell::Int(cut.rows.into()),
        ]);
    }
    answer
}

/// For people, an age is told in days and not in seconds.
fn humane(mut answer: Answer, cuts: &[Cut]) -> Answer {
    for (row, cut) in answer.rows.iter_mut().zip(cuts) {
        row[1] = Cell::Text(
            cut.kept_ms
                .map_or("for ever".to_owned(), human::duration_ms),
        );
    }
    answer
}

fn set(ctx: &mut Context<'_>, tier: &str, age: &str) -> Result<(), Failure> {
    let kept = match age {
        "forever" => None,
        age => Some(parse_duration(age)?),
    };
    let mut store = ctx.open_store()?;
    store.write(|txn| {
        let mut retention = txn.retention()?;
        *field(&mut retention, tier) = kept;
        fits(&retention)?;
        txn.set_retention(&retention)?;
        Ok::<_, Failure>(())
    })?;
    let age = kept.map_or("for ever".to_owned(), human::duration_ms);
    ctx.notice(format!(
        "{tier} is kept {age}; `obs retention run -n` shows what would go"
    ));
    Ok(())
}

/// Whether tiers can be kept for so long.
pub(super) fn fits(retention: &Retention) -> Result<(), Failure> {
    let short = retention.ages().find(|ms| *ms < Millis::HOUR);
    if let Some(short) = short {
        let message = format!(
            "{} is too short to keep anything",
            human::duration_ms(short)
        );
        return Err(Failure::usage("retention_short", message)
            .hint("keep a tier for an hour at least: obs retention set raw 36h"));
    }
    Ok(retention::check(retention)?)
}

fn field<'r>(retention: &'r mut Retention, tier: &str) -> &'r mut Option<i64> {
    match tier {
        "raw" => &mut retention.raw,
        "1min" => &mut retention.minute,
        "1hour" => &mut retention.hour,
        "1day" => &mut retention.day,
        // The parser lets only the five names through.
        _ => &mut retention.ledger,
    }
}

/// `obs retention run` and `obs cleanup`.
pub(super) fn clean_up(ctx: &mut Context<'_>, args: &RunArgs) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    if args.dry_run {
        return rehearse(ctx, &mut store);
    }
    if !args.yes && ctx.environment.stdin_is_terminal {
        rehearse(ctx, &mut store)?;
        if !ctx.confirms("let these rows go?")? {
            ctx.notice("nothing was let go");
            return Ok(());
        }
    } else if !args.yes {
        return Err(Failure::usage("not_confirmed", "nothing was let go")
            .hint("add --yes, or look first with --dry-run"));
    }
    let report = retention::run(&mut store, ctx.now)?;
    tell(ctx, "obs.retention.run/v1", &report)
}

fn rehearse(ctx: &mut Context<'_>, store: &mut Store) -> Result<(), Failure> {
    let report = retention::rehearse(store, ctx.now)?;
    tell(ctx, "obs.retention.run/v1", &report)
}

fn tell(ctx: &mut Context<'_>, schema: &'static str, report: &Report) -> Result<(), Failure> {
    if report.held_back_minutes > 0 {
        ctx.warn(format!(
            "{} minutes are kept beyond their age until they are rolled up: `obs rollup`",
            human::count(report.held_back_minutes)
        ));
    }
    let mut answer = table(schema, &report.cuts);
    answer
        .head
        .push(("freed_bytes", Cell::Bytes(report.freed_bytes)));
    if ctx.wants_table() {
        answer = humane(answer, &report.cuts);
    }
    ctx.answer(&answer)
}

impl From<Unordered> for Failure {
    fn from(error: Unordered) -> Failure {
        Failure::from_error(Kind::Usage, "retention_unordered", &error)
            .hint("keep raw <= 1min <= 1hour <= 1day <= ledger; `obs retention show` shows them")
    }
}
