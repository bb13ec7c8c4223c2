//! `obs query`: one expression, answered as a series or in one value.

use super::asked::{Reading, Scope, agreed, cut};
use super::context::Context;
use super::failure::Failure;
use super::sql;
use super::time::parse_step;
use super::told;
use crate::model::Measure;
use crate::query::{self, Cut, Inquiry, Measured, Step};
use crate::render::{Answer, Cell, Column};

/// Answer an expression, as a series or in one value
///
/// An expression is a measure, which events it speaks of, and how it is split:
/// `p95_latency{provider="claude", model=~"opus*"} by (model)`. A series has a row for
/// each bucket and group, empty ones too; --step none gives one value for the whole
/// window. With a comparison behind it (`> 2s`, `> 5%`, `>= $10`), only the rows
/// for which it holds are told.
///
/// With --sql, a statement of your own is answered: over `metrics_raw`, `metrics_1min`,
/// `metrics_1hour`, `metrics_1day` and the other names of docs/schema.md. It can only read.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs query --list                                     every measure
  obs query 'p95_latency by (model)' --since 7d        a series a model
  obs query 'error_rate{provider=\"claude\"}' --step 1h  by the hour
  obs query 'cost by (project)' --step none            one value a project
  obs query 'p95_latency > 2s' --step 1m               the slow minutes
  obs query --sql 'SELECT model, count(*) FROM metrics_raw GROUP BY model'")]
pub(super) struct Args {
    /// What is asked, in quotes
    #[arg(value_name = "EXPR", required_unless_present_any = ["list", "sql"])]
    expression: Option<String>,
    #[command(flatten)]
    scope: Scope,
    /// Length of a bucket: auto, 10s, 1m, 1h, 1d (a day of --tz), or none for one value
    #[arg(
        long,
        value_name = "STEP",
        default_value = "auto",
        help_heading = "Time"
    )]
    step: String,
    /// Answer a statement of SQL instead: in quotes, - for stdin, @FILE for a file
    #[arg(
        long,
        value_name = "STATEMENT",
        allow_hyphen_values = true,
        conflicts_with_all = ["expression", "step", "explain", "list", "Window", "Filter"]
    )]
    sql: Option<String>,
    #[command(flatten)]
    bounds: sql::Bounds,
    /// Say on stderr which tiers answered and why
    #[arg(long, help_heading = "Output")]
    explain: bool,
    /// List every measure
    #[arg(long, help_heading = "Output", conflicts_with_all = ["expression", "explain"])]
    list: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    if let Some(statement) = &args.sql {
        return sql::answer(ctx, statement, &args.bounds);
    }
    if args.bounds.are_given() {
        let message = "--limit and --timeout go with --sql";
        return Err(Failure::usage("usage", message).hint("a series is not cut; --since is"));
    }
    let Some(expression) = &args.expression else {
        return ctx.answer(&measures());
    };
    let reading = Reading::parse(expression)?;
    if let Some(doubt) = reading.doubt() {
        ctx.warn(doubt);
    }
    let inquiry = Inquiry {
        asked: vec![reading.asked(&args.scope)],
        span: args.scope.span(ctx)?,
        cut: match args.step.trim() {
            "none" => Cut::Whole,
            step => cut(ctx, parse_step(step)?)?,
        },
        by: agreed([&reading.by])?,
        ranked: false,
    };
    let mut store = ctx.open_store()?;
    let told = query::measure(&mut store, &inquiry)?;
    let mut answer = answer(&reading, &inquiry, &told);
    if told.is_silent() {
        answer
            .notes
            .extend(told::silence(ctx, &mut store, &inquiry)?);
    } else if answer.rows.is_empty() {
        answer
            .notes
            .push("the condition holds nowhere in this window".into());
    }
    ctx.answer(&answer)?;
    if args.explain {
        told::explain_on_stderr(ctx, &inquiry, &told)?;
    }
    Ok(())
}

fn answer(reading: &Reading, inquiry: &Inquiry, told: &Measured) -> Answer {
    let spec = reading.measure.spec();
    let condition = reading
        .condition
        .map(|(op, threshold, _)| format!("{op} {threshold}"));
    let mut answer = series(inquiry, told, "obs.query/v1", |line| {
        line.values.iter().all(|value| reading.wants(*value))
    });
    answer.head.extend([
        ("measure", Cell::text(spec.id)),
        ("unit", Cell::text(told::unit_name(spec.unit))),
        ("condition", Cell::of(condition, Cell::Text)),
    ]);
    answer
}

/// The lines that are wanted: bucket, group and values.
pub(super) fn series(
    inquiry: &Inquiry,
    told: &Measured,
    schema: &'static str,
    wanted: impl Fn(&query::Line) -> bool,
) -> Answer {
    let measures = inquiry.asked.iter().map(|asked| asked.measure);
    let units = told::units(inquiry);
    let mut columns = told::columns(&inquiry.by, measures);
    let mut head = told::head(told);
    if told.step.is_some() {
        columns.insert(0, Column::new("bucket", "bucket"));
    }
    let seconds = |step: Step| Cell::Seconds(step.length_ms() as f64 / 1_000.0);
    head.push(("step_s", Cell::of(told.step, seconds)));
    let row = |line: &query::Line| {
        let bucket = told.step.map(|_| Cell::At(line.span.from));
        let cells = told::cells(line, &units);
        bucket.into_iter().chain(cells).collect()
    };
    Answer {
        head,
        rows: told.lines.iter().filter(|l| wanted(l)).map(row).collect(),
        notes: told.notes.clone(),
        ..Answer::new(schema, columns)
    }
}

/// Every measure there is.
fn measures() -> Answer {
    let columns = [
        ("measure", "measure"),
        ("field", "field"),
        ("unit", "unit"),
        ("what", "what it is"),
        ("also", "also understood"),
    ];
    let columns = columns.map(|(name, title)| Column::new(name, title));
    let mut answer = Answer::new("obs.measures/v1", columns.to_vec());
    for measure in Measure::ALL {
        let spec = measure.spec();
        let aliases = (!spec.aliases.is_empty()).then(|| spec.aliases.join(", "));
        answer.rows.push(vec![
            Cell::text(spec.id),
            Cell::text(spec.field),
            Cell::text(told::unit_name(spec.unit)),
            Cell::text(spec.title),
            Cell::of(aliases, Cell::Text),
        ]);
    }
    answer
}
