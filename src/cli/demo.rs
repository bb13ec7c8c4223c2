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
A week of traffic to five LLM providers, walked through step by step.
The traffic is simulated; the commands and their answers are real.";

const INGEST: &str = "Events come from files or a pipe; bad lines are told and kept aside:";

/// What follows: why, and the words to type.
const STEPS: [(&str, &str); 4] = [
    (
        "From cron: events become minutes, hours and days.",
        "rollup",
    ),
    (
        "What do providers cost, how fast are they, how often do they fail?",
        "stats --by provider --since 7d",
    ),
    (
        "One is slow and fails more often than the others. When?",
        "chart p95_latency --provider claude --since 7d",
    ),
    (
        "And how did it fail?",
        "stats --by error_type --provider claude --status error --since 7d",
    ),
];

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
    let week = Week::before(stage.now());
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
    let head = format!("head -n 1 {}", quoted(&events));
    prompt(ctx, "An event is a line of JSON:", &head)?;
    write!(ctx.stdout, "{}", stage.first_event()?)?;
    let export = format!("export OBS_DB={}", quoted(stage.db()));
    prompt(ctx, "All that is kept is one SQLite file:", &export)?;

    let ingest = [OsStr::new("ingest"), &events];
    stage.play(ctx, INGEST, &ingest)?;
    for (why, line) in STEPS {
        let words: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
        stage.play(ctx, why, &words)?;
    }
    Ok(())
}

/// What to type when everything is gone.
fn begin(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let next = [
        ("demo --keep", "the same, with a store to explore"),
        ("ingest FILE", "events of your own; `-` reads a pipe"),
        ("--help", "what else there is"),
    ];
    writeln!(
        ctx.stdout,
        "\nThe simulated week is gone again. What to type next:\n"
    )?;
    let obs = program();
    for (command, what) in next {
        writeln!(ctx.stdout, "  {obs} {command:<14}{what}")?;
    }
    Ok(())
}

/// What to type when the week is still there.
fn go_on(ctx: &mut Context<'_>, stage: &Stage, incident: Span) -> Result<(), Failure> {
    let db = quoted(stage.db());
    let minute = |at| Zone::UTC.format(at, "%Y-%m-%dT%H:%MZ");
    let (since, until) = (minute(incident.from), minute(incident.until));
    writeln!(
        ctx.stdout,
        "\nThe simulated week stays in {db} until you remove it. What to type next:\n"
    )?;
    let obs = program();
    for question in [
        "stats --by project,model --since 7d".to_owned(),
        "chart cost --by provider --since 7d".to_owned(),
        format!("chart error_rate --provider claude --since {since} --until {until}"),
    ] {
        writeln!(ctx.stdout, "  {obs} {question} --db {db}")?;
    }
    Ok(writeln!(ctx.stdout, "  {obs} --help")?)
}

/// How `obs` was called, so that what we propose can be typed.
fn program() -> String {
    let told = std::env::args_os().next();
    told.map_or_else(|| "obs".to_owned(), |name| quoted(&name))
}
