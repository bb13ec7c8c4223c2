//! `obs stats`: counts, latency, tokens, money, cache and limits of a window.

use super::asked::{By, Scope};
use super::context::Context;
use super::failure::Failure;
use super::list::List;
use super::told;
use crate::model::{Dimension, Measure, Selector, Value};
use crate::query::{self, Asked, Cut, Inquiry, Measured};
use crate::render::{self, Answer, Format, human};

/// Show requests, errors, latency, tokens, cost, cache and limits of a window
///
/// Without --by there is exactly one row, also when nothing happened; with it one
/// row for each group that was seen, the one with most requests first. A table by
/// group shows the columns most asked for; --fields names others, and the other
/// formats have all.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs stats                                     the last 24 hours in one row
  obs stats --by provider,model --since 7d      a week in groups
  obs stats --provider claude --status error    what failed at one provider
  obs stats --by model --sort -cost_usd -o csv  dearest first, as a file
  obs stats --since 7d --explain                and which tiers answered")]
pub(super) struct Args {
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    list: List,
    /// Say on stderr which tiers answered and why
    #[arg(long, help_heading = "Output")]
    explain: bool,
}

/// What a table by group shows when nobody chooses, under short headers. A narrow
/// terminal has no place for the last ones.
const GLANCE: [(Measure, &str); 7] = [
    (Measure::Requests, "requests"),
    (Measure::ErrorRate, "errors"),
    (Measure::P50Latency, "p50"),
    (Measure::P95Latency, "p95"),
    (Measure::Cost, "cost"),
    (Measure::TotalTokens, "tokens"),
    (Measure::P99Latency, "p99"),
];

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let inquiry = inquiry(ctx, args)?;
    let mut store = ctx.open_store()?;
    let told = query::measure(&mut store, &inquiry)?;
    let mut answer = answer(&inquiry, &told);
    if told.is_silent() {
        answer
            .notes
            .extend(told::silence(ctx, &mut store, &inquiry)?);
    }
    args.list.apply(ctx, &mut answer)?;
    let mut style = ctx.style();
    if !inquiry.by.is_empty() && style.format == Format::Table && style.fields.is_none() {
        style.fields = Some(at_a_glance(&inquiry.by, &mut answer));
    }
    render::write(ctx.stdout, &answer, &style)?;
    if args.explain {
        told::explain_on_stderr(ctx, &inquiry, &told)?;
    }
    Ok(())
}

fn inquiry(ctx: &mut Context<'_>, args: &Args) -> Result<Inquiry, Failure> {
    let selector = args.scope.selector(&Selector::default());
    let asked = Measure::STANDARD.map(|measure| Asked {
        measure,
        selector: selector.clone(),
    });
    Ok(Inquiry {
        asked: asked.to_vec(),
        span: args.scope.span(ctx)?,
        cut: Cut::Whole,
        by: args.by.dimensions()?,
        ranked: true,
    })
}

fn answer(inquiry: &Inquiry, told: &Measured) -> Answer {
    let columns = told::columns(&inquiry.by, Measure::STANDARD);
    let units = told::units(inquiry);
    Answer {
        head: told::head(told),
        rows: told.lines.iter().map(|l| told::cells(l, &units)).collect(),
        notes: notes(inquiry, told),
        ..Answer::new("obs.stats/v1", columns)
    }
}

fn notes(inquiry: &Inquiry, told: &Measured) -> Vec<String> {
    let mut notes = told.notes.clone();
    let unpriced = inquiry
        .asked
        .iter()
        .position(|a| a.measure == Measure::Unpriced);
    let of = |line: &query::Line| match unpriced.map(|nth| line.values[nth]) {
        Some(Value::Int(number)) => number,
        Some(_) | None => 0,
    };
    match told.lines.iter().map(of).sum::<i128>() {
        0 => {}
        1 => notes.push("1 request has no price: its cost is not in the sum".into()),
        many => notes.push(format!(
            "{} requests have no price: their cost is not in the sum",
            human::count(u64::try_from(many).unwrap_or(u64::MAX))
        )),
    }
    notes
}

/// The columns of a table by group; they get their short headers.
fn at_a_glance(by: &[Dimension], answer: &mut Answer) -> Vec<String> {
    let mut fields: Vec<String> = by.iter().map(|d| d.name().to_owned()).collect();
    for (measure, title) in GLANCE {
        let field = measure.spec().field;
        if let Some(column) = answer.columns.iter_mut().find(|c| c.name == field) {
            column.title = title.into();
        }
        fields.push(field.to_owned());
    }
    fields
}
