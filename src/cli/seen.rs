//! `obs providers` and `obs models`: what there is, since when, and how much of all
//! it is.

use super::context::Context;
use super::failure::Failure;
use super::global::Window;
use super::list::List;
use super::told;
use crate::model::{Dimension, Measure, Selector, Span, Unit};
use crate::query::{self, Asked, Cut, Inquiry, Measured};
use crate::render::{Answer, Cell, Column};

/// Show the providers there are, their share of requests and cost
///
/// All that is kept, unless --since says otherwise; from aggregates, so it is quick.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs providers
  obs providers --since 7d --sort -cost_usd")]
pub(super) struct Providers {
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    list: List,
}

/// Show the models there are, of which providers, their share of requests and cost
///
/// All that is kept, unless --since says otherwise; from aggregates, so it is quick.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs models
  obs models --since 30d -o csv")]
pub(super) struct Models {
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    list: List,
}

/// All that is kept, or a window of it.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Time")]
struct When {
    /// Start: a duration before now, a word, a date, a time or @epoch [default: the first that is kept]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// End, itself outside [default: now]
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        requires = "since"
    )]
    until: Option<String>,
}

impl When {
    /// The window of the flags, if they name one.
    fn span(&self, ctx: &mut Context<'_>) -> Result<Option<Span>, Failure> {
        let Some(since) = self.since.clone() else {
            return Ok(None);
        };
        let until = self.until.clone().unwrap_or_else(|| "now".to_owned());
        Window { since, until }.span(ctx).map(Some)
    }
}

pub(super) fn providers(ctx: &mut Context<'_>, args: &Providers) -> Result<(), Failure> {
    seen(
        ctx,
        "obs.providers/v1",
        &[Dimension::Provider],
        &args.when,
        &args.list,
    )
}

pub(super) fn models(ctx: &mut Context<'_>, args: &Models) -> Result<(), Failure> {
    let by = [Dimension::Model, Dimension::Provider];
    seen(ctx, "obs.models/v1", &by, &args.when, &args.list)
}

fn seen(
    ctx: &mut Context<'_>,
    schema: &'static str,
    by: &[Dimension],
    when: &When,
    list: &List,
) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let span = match when.span(ctx)? {
        Some(span) => Some(span),
        None => query::kept_span(&mut store, ctx.now)?,
    };
    let mut answer = Answer::new(schema, columns(by));
    match span {
        None => answer
            .notes
            .push("no event yet: `obs ingest` feeds the store".into()),
        Some(span) => {
            let inquiry = inquiry(span, by);
            let told = query::measure(&mut store, &inquiry)?;
            answer.head = told::head(&told);
            answer.rows = rows(&told);
            answer.notes.clone_from(&told.notes);
            if told.is_silent() {
                answer
                    .notes
                    .extend(told::silence(ctx, &mut store, &inquiry)?);
            }
        }
    }
    list.apply(ctx, &mut answer)?;
    ctx.answer(&answer)
}

/// In the order in which [`rows`] takes them apart.
const ASKED: [Measure; 4] = [
    Measure::Requests,
    Measure::Cost,
    Measure::FirstEvent,
    Measure::LastEvent,
];

fn inquiry(span: Span, by: &[Dimension]) -> Inquiry {
    let asked = ASKED.map(|measure| Asked {
        measure,
        selector: Selector::default(),
    });
    Inquiry {
        asked: asked.into(),
        span,
        cut: Cut::Whole,
        by: by.to_vec(),
        ranked: true,
    }
}

fn columns(by: &[Dimension]) -> Vec<Column> {
    let mut columns = told::columns(by, []);
    columns.extend([
        Column::new("requests", "requests").in_unit(Unit::Count),
        Column::new("requests_share", "share").in_unit(Unit::Ratio),
        Column::new("cost_usd", "cost").in_unit(Unit::Usd),
        Column::new("cost_share", "share of cost").in_unit(Unit::Ratio),
        Column::new("first_event", "first seen").in_unit(Unit::Time),
        Column::new("last_event", "last seen").in_unit(Unit::Time),
    ]);
    columns
}

fn rows(told: &Measured) -> Vec<Vec<Cell>> {
    let all = |nth: usize| {
        told.lines
            .iter()
            .map(|line| line.values[nth])
            .collect::<Vec<_>>()
    };
    let [requests, costs] = [0, 1].map(|nth| query::shares(&all(nth)));
    let rows = told.lines.iter().zip(requests).zip(costs);
    rows.map(|((line, requests), cost)| {
        let value = |nth: usize| told::cell(line.values[nth], ASKED[nth].spec().unit);
        let mut cells: Vec<Cell> = line.group.iter().map(|name| told::name(name)).collect();
        cells.extend([
            value(0),
            Cell::of(requests, Cell::Ratio),
            value(1),
            Cell::of(cost, Cell::Ratio),
            value(2),
            value(3),
        ]);
        cells
    })
    .collect()
}
