//! `obs chart`: measures over time, drawn; in the other formats their numbers.
//!
//! What a chart looks like is known to `render::chart`, what is drawn in it to
//! `picture`; here is decided what is asked, and where the answer goes.

mod file;
mod picture;

use std::path::{Path, PathBuf};

use self::picture::{Drawn, Earlier, Picture};
use super::asked::{By, Reading, Scope, agreed, counted, cut};
use super::context::Context;
use super::failure::Failure;
use super::global;
use super::query::series;
use super::told;
use crate::model::{Span, Threshold, Unit, parse_duration};
use crate::query::{self, Inquiry, Measured};
use crate::render::chart::{Look, Shape, draw, html, sparks, svg};
use crate::render::safe::Untrusted;
use crate::render::{Answer, Cell, Column, Format};
use crate::store::Store;

/// Draw measures over time
///
/// Measures of a second unit are read on an axis of their own, on the right. A
/// measure may carry its events with it, as in `obs query`. With --by there is a
/// line for each group, up to eight of them, those with most requests. --svg and
/// --html make a file of the picture, which needs nothing else to be seen. The other
/// formats tell the numbers of all groups, a row for each bucket and group.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs chart latency --provider claude               the last 24 hours
  obs chart p50_latency p95_latency --since 7d      two lines in one chart
  obs chart p95_latency --by model --threshold 2s   a line a model, a limit
  obs chart cost requests --since 30d --step 1d     two axes, left and right
  obs chart requests --since 7d --compare previous  this week and the one before
  obs chart cost --type bar --since 30d --step 1d   a bar a day
  obs chart p95_latency --log --height 20           for wide ranges
  obs chart p95_latency --html p95.html             a page to send around")]
pub(super) struct Args {
    /// What is drawn; `obs query --list` lists all measures
    #[arg(value_name = "MEASURE", required = true)]
    measures: Vec<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    step: global::Step,
    #[command(flatten)]
    drawing: Drawing,
    /// Say on stderr which tiers answered and why
    #[arg(long, help_heading = "Output")]
    explain: bool,
}

/// How it is drawn.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Chart")]
struct Drawing {
    /// Draw a line across at this value: 2s, 5%, $10, 1.5k
    #[arg(long, value_name = "N")]
    threshold: Vec<String>,
    /// Make the y axis logarithmic
    #[arg(long)]
    log: bool,
    /// Rows of the plot [default: 13]
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u16).range(3..=200))]
    height: Option<u16>,
    /// How values become a picture
    #[arg(long = "type", value_name = "TYPE", value_enum, default_value_t)]
    kind: Type,
    /// Draw an earlier window beside it: previous, or so much earlier (1d, 7d, …)
    #[arg(long, value_name = "WHEN")]
    compare: Option<String>,
    /// Groups that are drawn, those with most requests; 0 means all
    #[arg(long, value_name = "N", default_value_t = 8)]
    limit: usize,
    /// Write the picture into this file as SVG; - is stdout
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write it as a page, with its values as a table; - is stdout
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// The types of charts.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Type {
    /// A line from value to value
    #[default]
    Line,
    /// Each value holds until its bucket ends
    Step,
    /// A bar for each value
    Bar,
    /// A line of text for each series
    Spark,
}

impl Type {
    fn shape(self) -> Shape {
        match self {
            Type::Line | Type::Spark => Shape::Line,
            Type::Step => Shape::Step,
            Type::Bar => Shape::Bar,
        }
    }
}

impl Drawing {
    fn is_for_file(&self) -> bool {
        self.svg.is_some() || self.html.is_some()
    }

    /// Whether the picture itself goes to stdout.
    fn takes_stdout(&self) -> bool {
        let files = [&self.svg, &self.html];
        files
            .into_iter()
            .flatten()
            .any(|file| file == Path::new("-"))
    }

    /// Refuses what cannot be had together.
    fn check(&self, format: Format) -> Result<(), Failure> {
        let both = self.svg.as_deref() == Some(Path::new("-"))
            && self.html.as_deref() == Some(Path::new("-"));
        if both || (self.takes_stdout() && format != Format::Table) {
            let message = "stdout has room for one answer";
            return Err(Failure::usage("stdout_twice", message).hint("name a file for the picture"));
        }
        if self.kind == Type::Spark && self.is_for_file() {
            let message = "sparks are text and have no picture";
            return Err(Failure::usage("type_without_picture", message).hint("use --type line"));
        }
        Ok(())
    }
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let readings = readings(&args.measures)?;
    for doubt in readings.iter().filter_map(Reading::doubt) {
        ctx.warn(doubt);
    }
    let thresholds = thresholds(&args.drawing.threshold, &readings)?;
    let flag = args.by.dimensions()?;
    let by = agreed(std::iter::once(&flag).chain(readings.iter().map(|r| &r.by)))?;
    let inquiry = Inquiry {
        asked: readings.iter().map(|r| r.asked(&args.scope)).collect(),
        span: args.scope.span(ctx)?,
        cut: cut(ctx, args.step.parse()?)?,
        ranked: !by.is_empty(),
        by,
    };
    let format = ctx.style().format;
    args.drawing.check(format)?;
    let compared = args.drawing.compare.as_deref();
    let compared = compared
        .map(|text| distance(text, inquiry.span))
        .transpose()?;
    let mut store = ctx.open_store()?;
    let told = query::measure(&mut store, &inquiry)?;
    let earlier = match compared {
        Some((ms, words)) => Some(earlier(&mut store, &inquiry, &told, ms, words)?),
        None => None,
    };
    let is_picture = format == Format::Table || args.drawing.is_for_file();
    if is_picture {
        let picture = Picture {
            inquiry: &inquiry,
            told: &told,
            thresholds: &thresholds,
            drawing: &args.drawing,
            earlier: earlier.as_ref(),
        };
        let drawn = picture.draw(ctx, &mut store)?;
        if args.drawing.is_for_file() {
            save(ctx, &drawn, &args.drawing)?;
        } else {
            show(ctx, &drawn, args.drawing.kind)?;
        }
    }
    if format != Format::Table {
        ctx.answer(&data(&inquiry, &told, earlier.as_ref()))?;
    }
    if args.explain {
        told::explain_on_stderr(ctx, &inquiry, &told)?;
    }
    Ok(())
}

/// How much earlier, in milliseconds and in words.
fn distance(text: &str, span: Span) -> Result<(i64, String), Failure> {
    if text == "previous" {
        return Ok((span.length_ms(), "previous".to_owned()));
    }
    match parse_duration(text) {
        Ok(ms) if ms > 0 => Ok((ms, format!("{text} earlier"))),
        Ok(_) | Err(_) => {
            let message = format!("cannot compare with {text:?}");
            let hint = "use previous, or how much earlier: 1h, 1d, 7d";
            Err(Failure::usage("compare_invalid", message).hint(hint))
        }
    }
}

/// The same question of the earlier window, cut in the same steps.
fn earlier(
    store: &mut Store,
    inquiry: &Inquiry,
    told: &Measured,
    ms: i64,
    words: String,
) -> Result<Earlier, Failure> {
    let Span { from, until } = inquiry.span;
    let inquiry = Inquiry {
        span: Span::new(from.plus(-ms), until.plus(-ms)),
        cut: told.step.map_or(inquiry.cut, query::Cut::Into),
        ..inquiry.clone()
    };
    let told = query::measure(store, &inquiry)?;
    Ok(Earlier { told, ms, words })
}

/// The numbers; with a comparison those of both windows, told apart by a column.
fn data(inquiry: &Inquiry, told: &Measured, earlier: Option<&Earlier>) -> Answer {
    let mut answer = series(inquiry, told, "obs.chart/v1", |_| true);
    if let Some(earlier) = earlier {
        let other = series(inquiry, &earlier.told, "obs.chart/v1", |_| true);
        let span = earlier.told.span;
        let moments = [("earlier_since", span.from), ("earlier_until", span.until)];
        answer
            .head
            .extend(moments.map(|(name, at)| (name, Cell::At(at))));
        let rows = |rows: Vec<Vec<Cell>>, window: &'static str| {
            let named = move |row| std::iter::once(Cell::text(window)).chain(row).collect();
            rows.into_iter().map(named)
        };
        answer.columns.insert(0, Column::new("window", "window"));
        answer.rows = rows(answer.rows, "current")
            .chain(rows(other.rows, "earlier"))
            .collect();
        answer.notes.extend(other.notes);
        answer.notes.dedup();
    }
    answer
}

/// The picture as text, and what is to be said of it.
fn show(ctx: &mut Context<'_>, drawn: &Drawn, kind: Type) -> Result<(), Failure> {
    let look = Look {
        width: ctx.width(),
        ascii: ctx.ascii(),
        color: ctx.stdout_color(),
        zone: ctx.zone(),
    };
    let text = match (&drawn.nothing, kind) {
        (Some(nothing), _) => nothing.clone() + "\n",
        (None, Type::Spark) => sparks(&drawn.chart, &look),
        (None, Type::Line | Type::Step | Type::Bar) => draw(&drawn.chart, &look),
    };
    ctx.stdout.write_all(text.as_bytes())?;
    for remark in &drawn.remarks {
        writeln!(ctx.stdout, "{}", Untrusted(remark).shown())?;
    }
    Ok(())
}

/// The picture as files. What is to be said of it is a remark then.
fn save(ctx: &mut Context<'_>, drawn: &Drawn, drawing: &Drawing) -> Result<(), Failure> {
    let zone = ctx.zone();
    if let Some(path) = &drawing.svg {
        file::write(ctx, path, &svg(&drawn.chart, zone))?;
    }
    if let Some(path) = &drawing.html {
        file::write(ctx, path, &html(&drawn.chart, zone))?;
    }
    for remark in drawn.nothing.iter().chain(&drawn.remarks) {
        ctx.notice(remark);
    }
    Ok(())
}

/// The expressions, each of a measure of its own.
fn readings(texts: &[String]) -> Result<Vec<Reading>, Failure> {
    let mut readings: Vec<Reading> = Vec::new();
    for text in texts {
        let reading = Reading::parse(text)?;
        let spec = reading.measure.spec();
        if spec.unit == Unit::Time {
            let message = format!("{} is a moment and has no line", spec.id);
            return Err(Failure::usage("measure_not_drawn", message).hint("`obs stats` shows it"));
        }
        if readings.iter().any(|r| r.measure == reading.measure) {
            let message = format!("{} is asked for twice", spec.id);
            return Err(Failure::usage("measure_twice", message)
                .hint("draw a line for each group with --by"));
        }
        readings.push(reading);
    }
    Ok(readings)
}

/// The thresholds of the flag and those that expressions bring along. Each must
/// fit one of the measures.
fn thresholds(texts: &[String], readings: &[Reading]) -> Result<Vec<Threshold>, Failure> {
    let mut thresholds = Vec::new();
    for text in texts {
        let threshold =
            Threshold::parse(text).map_err(|error| Failure::in_text(&error, text, "threshold"))?;
        let mut fits = readings
            .iter()
            .map(|r| counted(r.measure.spec().unit, threshold));
        if let Some(Err(refused)) = fits.next()
            && !fits.any(|fit| fit.is_ok())
        {
            return Err(refused);
        }
        thresholds.push(threshold);
    }
    let brought = readings.iter().filter_map(|r| r.condition);
    thresholds.extend(brought.map(|(_, threshold, _)| threshold));
    Ok(thresholds)
}
