//! `obs export`: what the store holds, as files for other programs or for another
//! store. Events come out as `obs ingest` takes them in.

mod prometheus;
mod rollups;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::context::Context;
use super::events::Selection;
use super::failure::{Failure, Kind};
use super::time;
use crate::model::{Millis, Resolution, Span};
use crate::query::events::{self, Wanted};
use crate::render::native;
use crate::render::sheet::{Said, Sheet};
use crate::store::{Order, Record, Settings, Txn, identity_of};

/// Write events, roll-ups or current values for other programs
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs export events --out events.jsonl            everything that is still raw
  obs export events | obs --db copy.db ingest -   into another store
  obs export events --since 7d --format csv --out week.csv
  obs export rollups --tier 1day --format csv
  obs export prometheus                           for a scrape")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Events(Box<EventsArgs>),
    Rollups(RollupsArgs),
    All(AllArgs),
    Prometheus(PrometheusArgs),
}

/// Write raw events, oldest first, as `obs ingest` reads them
///
/// An event without an id of its own carries `obs_ref`, by which a store that
/// reads the export knows it: reading it twice counts it once.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs export events --out events.jsonl
  obs export events --since 7d --status error --format csv")]
struct EventsArgs {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    written: Written,
}

/// Write the minutes, hours and days, with their sketches in hexadecimal
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs export rollups --tier 1day
  obs export rollups --format csv --out rollups.csv")]
struct RollupsArgs {
    /// Only this tier
    #[arg(long, value_name = "TIER", value_parser = ["1min", "1hour", "1day"], help_heading = "Filter")]
    tier: Vec<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    written: Written,
}

/// Write settings, roll-ups and events, told apart by their `type`
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs export all --out store.jsonl")]
struct AllArgs {
    #[command(flatten)]
    target: Target,
}

/// Write current values as Prometheus scrapes them
///
/// Counters count from the beginning of the month in UTC, where they begin anew
/// as after a restart; gauges speak of the last 5 minutes.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs export prometheus
  obs export prometheus --out obs.prom --yes")]
struct PrometheusArgs {
    #[command(flatten)]
    target: Target,
}

/// When; without a flag, all that is kept.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Time")]
struct Reach {
    /// Start [default: all that is kept]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// End, itself outside
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
}

/// Everything there can be.
const EVER: Span = Span {
    from: Millis(i64::MIN),
    until: Millis(i64::MAX),
};

impl Reach {
    fn span(&self, ctx: &mut Context<'_>) -> Result<Span, Failure> {
        if self.since.is_none() && self.until.is_none() {
            return Ok(EVER);
        }
        let since = self.since.as_deref().unwrap_or("2000-01-01");
        let window = time::window(Some(since), self.until.as_deref(), &ctx.frame())?;
        for warning in window.warnings {
            ctx.warn(warning);
        }
        Ok(window.span)
    }
}

#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
struct Target {
    /// Write to this file, whole or not at all; - for stdout
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Replace the file when it is there
    #[arg(short = 'y', long)]
    yes: bool,
}

#[derive(clap::Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
struct Written {
    /// How rows are written
    #[arg(long = "format", value_enum, default_value = "jsonl")]
    form: Form,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Jsonl,
    Csv,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Events(args) => {
            let wanted = args.selection.wanted()?;
            let span = args.reach.span(ctx)?;
            let mut store = ctx.open_store()?;
            args.target.fill(ctx, |out, inert| {
                let mut sheet = args.written.sheet(out, inert, native::names())?;
                store.read(|txn| write_events(txn, &wanted, span, &mut sheet))?;
                Ok(sheet.finish()?)
            })
        }
        What::Rollups(args) => {
            let span = args.reach.span(ctx)?;
            let mut store = ctx.open_store()?;
            let tiers: Vec<Resolution> = rollups::TIERS
                .into_iter()
                .filter(|t| args.tier.is_empty() || args.tier.iter().any(|name| name == t.name()))
                .collect();
            args.target.fill(ctx, |out, inert| {
                let mut sheet = args.written.sheet(out, inert, rollups::names())?;
                store.read(|txn| rollups::write(txn, &tiers, span, &mut sheet))?;
                Ok(sheet.finish()?)
            })
        }
        What::All(args) => {
            let mut store = ctx.open_store()?;
            args.target.fill(ctx, |out, inert| {
                let mut sheet = Sheet::lines(out, inert);
                store.read(|txn| {
                    write_settings(&txn.settings()?, &mut sheet)?;
                    rollups::write(txn, &rollups::TIERS, EVER, &mut sheet)?;
                    write_events(txn, &Wanted::default(), EVER, &mut sheet)
                })?;
                Ok(sheet.finish()?)
            })
        }
        What::Prometheus(args) => {
            let mut store = ctx.open_store()?;
            let text = prometheus::text(&mut store, ctx.now)?;
            args.target
                .fill(ctx, |out, _| Ok(out.write_all(text.as_bytes())?))
        }
    }
}

impl Written {
    fn sheet<'w>(
        self,
        out: &'w mut dyn Write,
        inert: bool,
        names: impl Iterator<Item = &'static str>,
    ) -> Result<Sheet<'w>, Failure> {
        Ok(match self.form {
            Form::Jsonl => Sheet::lines(out, inert),
            Form::Csv => Sheet::csv(out, names)?,
        })
    }
}

impl Target {
    /// Lets `write` fill the file or stdout. A file is there when it is whole. `write`
    /// is told whether a terminal looks on.
    fn fill(
        &self,
        ctx: &mut Context<'_>,
        write: impl FnOnce(&mut dyn Write, bool) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.out == Path::new("-") {
            let terminal = ctx.environment.stdout_is_terminal;
            let mut out = std::io::BufWriter::new(&mut *ctx.stdout);
            write(&mut out, terminal)?;
            return Ok(out.flush()?);
        }
        let path = &self.out;
        let unwritable = |error: std::io::Error| {
            let message = format!("cannot write {}", path.display());
            Failure::new(Kind::Failed, "export_unwritable", message).caused_by(Some(&error))
        };
        if path.exists() && !self.yes {
            let question = format!("replace {}?", path.display());
            if !ctx.confirms(&question)? {
                let message = format!("{} is there already", path.display());
                return Err(Failure::usage("file_exists", message)
                    .hint("choose another name, or add --yes to replace it"));
            }
        }
        let folder = path.parent().filter(|p| *p != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(".obs-export-")
            .tempfile_in(folder)
            .map_err(unwritable)?;
        let mut out = std::io::BufWriter::with_capacity(1 << 16, file.as_file_mut());
        write(&mut out, false)?;
        out.flush().map_err(unwritable)?;
        drop(out);
        file.as_file().sync_all().map_err(unwritable)?;
        file.persist(path).map_err(|e| unwritable(e.error))?;
        ctx.notice(format!("wrote {}", path.display()));
        Ok(())
    }
}

fn write_events(
    txn: &Txn<'_>,
    wanted: &Wanted,
    span: Span,
    sheet: &mut Sheet<'_>,
) -> Result<(), Failure> {
    events::each(txn, wanted, span, Order::Ascending, None, |record| {
        let Record {
            mut event, name, ..
        } = record;
        let id = event.id.as_deref();
        let by_id = id.is_some_and(|id| identity_of(event.signal, id) == name.h);
        event.identity = (!by_id).then_some(name.h);
        sheet.row(native::values(&event))?;
        Ok::<_, Failure>(ControlFlow::Continue(()))
    })
}

fn write_settings(settings: &Settings, sheet: &mut Sheet<'_>) -> Result<(), Failure> {
    let kept = |ms: Option<i64>| ms.map_or("forever".to_owned(), |ms| format!("{}s", ms / 1_000));
    let retention = &settings.retention;
    for (key, value) in [
        ("timezone", settings.zone.to_string()),
        ("cost_mode", settings.cost_mode.name().to_owned()),
        ("retention_raw", kept(retention.raw)),
        ("retention_1min", kept(retention.minute)),
        ("retention_1hour", kept(retention.hour)),
        ("retention_1day", kept(retention.day)),
        ("retention_ledger", kept(retention.ledger)),
    ] {
        let said = |text: &str| Some(Said::Text(text.to_owned().into()));
        let row = [
            ("type", said("setting")),
            ("key", said(key)),
            ("value", said(&value)),
        ];
        sheet.row(row.into_iter())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
