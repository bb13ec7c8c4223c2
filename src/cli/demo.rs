//! `obs demo`: the main job, walked through with a simulated week.
//!
//! Each step is a command line that is run as if it had been typed, so what is
//! shown here is what users get. How traffic is simulated is known to `week`,
//! how a step is played to `stage`.

mod fleet;
mod line;
mod stage;
mod week;

use std::ffi::OsStr;

use super::context::Context;
use super::failure::Failure;
use crate::config::Output;
use crate::model::{Span, Zone};
use stage::{Stage, prompt, quoted};
use week::Week;

const INTRODUCTION: &str = "\
A week of traffic to five LLM providers, in one file and one binary.
It is simulated: the numbers are invented, the commands and answers are real.";

/// Walk through the main job with a simulated week of traffic
///
/// The week goes into a temporary store, which is removed at the end, unless it
/// is to be kept or --db names a new file for it. No other store is touched.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs demo                      see what obs does
  obs demo --keep               and go on with the same week
  obs demo --db week.db         keep the store in this file")]
pub(super) struct Args {
    /// Keep the store and the events
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    if ctx.config.output != Output::Table {
        return Err(Failure::usage(
            "demo_for_people",
            "the demo is for people, not for programs",
        )
        .hint("leave out --output, --json and OBS_OUTPUT"));
    }
    let stage = Stage::set(ctx)?;
    let week = Week::before(ctx.now);
    let incident = week.incident();
    stage.save(week)?;
    walk(ctx, &stage)?;
    match args.keep || stage.is_elsewhere() {
        true => go_on(ctx, &stage, incident)?,
        false => begin(ctx)?,
    }
    if args.keep {
        stage.keep();
    }
    Ok(())
}

/// The main job: events in, rolled up, asked about, drawn.
fn walk(ctx: &mut Context<'_>, stage: &Stage) -> Result<(), Failure> {
    writeln!(ctx.stdout, "{INTRODUCTION}")?;
    let events = stage.events().into_os_string();
    prompt(ctx, &format!("head -n 1 {}", quoted(&events)))?;
    write!(ctx.stdout, "{}", stage.first_event()?)?;
    prompt(ctx, &format!("export OBS_DB={}", quoted(stage.db())))?;
    stage.play(ctx, &[OsStr::new("ingest"), &events])?;
    stage.play(ctx, &["rollup"])?;
    stage.play(ctx, &["stats", "--by", "provider", "--since", "7d"])?;
    stage.play(
        ctx,
        &["chart", "p95_latency", "--by", "provider", "--since", "7d"],
    )
}

/// What to type when everything is gone.
fn begin(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let obs = program();
    writeln!(
        ctx.stdout,
        "
That was simulated, and is removed again. What to type next:

  {obs} demo --keep             the same, with a store to play with
  {obs} ingest events.jsonl     events of your own, or: your-app | {obs} ingest
  {obs} --help                  what else there is"
    )?;
    Ok(())
}

/// What to type when the week is still there.
fn go_on(ctx: &mut Context<'_>, stage: &Stage, incident: Span) -> Result<(), Failure> {
    let obs = program();
    let db = quoted(stage.db());
    let minute = |at| Zone::UTC.format(at, "%Y-%m-%dT%H:%MZ");
    let (since, until) = (minute(incident.from), minute(incident.until));
    writeln!(
        ctx.stdout,
        "
The simulated week stays in {db}. What to type next:

  {obs} stats --by model --since 7d --db {db}
  {obs} chart error_rate --provider claude --since {since} --until {until} --db {db}
  {obs} ingest events.jsonl     # events of your own, into a store of your own"
    )?;
    Ok(())
}

/// How `obs` was called, so that what we propose can be typed.
fn program() -> String {
    let told = std::env::args_os().next();
    told.map_or_else(|| "obs".to_owned(), |name| quoted(&name))
}
