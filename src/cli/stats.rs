//! `obs stats`: counts, latency, tokens, money, cache and limits of a window.

use super::asked::{By, Scope};
use super::compared;
use super::context::Context;
use super::failure::Failure;
use super::list::List;
use super::told;
use crate::model::{Measure, Selector, Value, parse_duration};
use crate::query::{self, Asked, Compared, Cut, Fold, Inquiry, Measured};
use crate::render::{self, Answer, Format, human};
use crate::store::Store;

/// Show requests, errors, latency, tokens, cost, cache and limits of a window
///
/// Without --by there is exactly one row, also when nothing happened; with it one
/// row for each group that was seen, the one with most requests first. A table by
/// group shows the columns most asked for; --fields names others, and the other
/// formats have all. --by also takes weekday and hour-of-day, on the clocks of --tz.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs stats                                      the last 24 hours in one row
  obs stats --by provider,model --since 7d       a week in groups
  obs stats --provider claude --status error     what failed at one provider
  obs stats --by model --sort -cost_usd -o csv   dearest first, as a file
  obs stats --by weekday,hour-of-day --since 7d  when people are busy
  obs stats --compare 7d                         beside a week ago
  obs stats --since 7d --explain                 and which tiers answered")]
pub(super) struct Args {
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    scope: Scope,
    /// Set each number beside the same window before: previous, 7d or another duration
    #[arg(long, value_name = "SHIFT", help_heading = "Time")]
    compare: Option<String>,
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

/// The same, where each comes with its change.
const COMPARED: [(Measure, &str); 4] = [
    (Measure::Requests, "requests"),
    (Measure::ErrorRate, "errors"),
    (Measure::P95Latency, "p95"),
    (Measure::Cost, "cost"),
];

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let (inquiry, fold) = inquiry(ctx, args)?;
    let mut store = ctx.open_store()?;
    match &args.compare {
        None => tell(ctx, args, &mut store, &inquiry, fold),
        Some(shift) => compare(ctx, args, &mut store, &inquiry, fold, shift),
    }
}

fn tell(
    ctx: &mut Context<'_>,
    args: &Args,
    store: &mut Store,
    inquiry: &Inquiry,
    fold: Fold,
) -> Result<(), Failure> {
    let told = query::measure(store, inquiry)?;
    let mut answer = answer(inquiry, fold, &told);
    if told.is_silent() {
        answer.notes.extend(told::silence(ctx, store, inquiry)?);
    }
    list(args, fold).apply(ctx, &mut answer)?;
    let mut style = ctx.style();
    let grouped = !inquiry.by.is_empty() || fold != Fold::default();
    if grouped && style.format == Format::Table && style.fields.is_none() {
        style.fields = Some(at_a_glance(inquiry, fold, &mut answer));
    }
    render::write(ctx.stdout, &answer, &style)?;
    if args.explain {
        told::explain_on_stderr(ctx, inquiry, &told)?;
    }
    Ok(())
}

/// A week has 168 hours: what the calendar cuts is not cut again.
fn list(args: &Args, fold: Fold) -> List {
    match fold == Fold::default() {
        true => args.list.clone(),
        false => args.list.all_unless_told(),
    }
}

fn inquiry(ctx: &mut Context<'_>, args: &Args) -> Result<(Inquiry, Fold), Failure> {
    let selector = args.scope.selector(&Selector::default());
    let asked = Measure::STANDARD.map(|measure| Asked {
        measure,
        selector: selector.clone(),
    });
    let (by, fold) = args.by.with_calendar()?;
    let inquiry = Inquiry {
        asked: asked.to_vec(),
        span: args.scope.span(ctx)?,
        cut: match fold == Fold::default() {
            true => Cut::Whole,
            false => Cut::Calendar(ctx.frame().zone, fold),
        },
        by,
        ranked: true,
    };
    Ok((inquiry, fold))
}

fn answer(inquiry: &Inquiry, fold: Fold, told: &Measured) -> Answer {
    let mut columns = told::slot_columns(fold);
    columns.extend(told::columns(&inquiry.by, Measure::STANDARD));
    let units = told::units(inquiry);
    let row = |line: &query::Line| {
        let mut cells = told::slot_cells(fold, line.slot);
        cells.extend(told::cells(line, &units));
        cells
    };
    Answer {
        head: told::head(told),
        rows: told.lines.iter().map(row).collect(),
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
fn at_a_glance(inquiry: &Inquiry, fold: Fold, answer: &mut Answer) -> Vec<String> {
    let mut fields: Vec<String> = told::slot_names(fold);
    fields.extend(inquiry.by.iter().map(|d| d.name().to_owned()));
    for (measure, title) in GLANCE {
        let field = measure.spec().field;
        if let Some(column) = answer.columns.iter_mut().find(|c| c.name == field) {
            column.title = title.into();
        }
        fields.push(field.to_owned());
    }
    fields
}

fn compare(
    ctx: &mut Context<'_>,
    args: &Args,
    store: &mut Store,
    inquiry: &Inquiry,
    fold: Fold,
    shift: &str,
) -> Result<(), Failure> {
    let told = query::compare(store, inquiry, shift_ms(inquiry, shift)?)?;
    let grouped = !inquiry.by.is_empty() || fold != Fold::default();
    let style = ctx.style();
    let for_people = style.format == Format::Table && style.fields.is_none();
    let mut answer = match (for_people, grouped) {
        (false, _) => compared::data(inquiry, fold, &told),
        (true, false) => compared::list(inquiry, &told),
        (true, true) => compared::table(inquiry, fold, &told, &COMPARED),
    };
    answer.head = told::compared_head(&told);
    answer.notes = comparison_notes(ctx, store, inquiry, &told)?;
    list(args, fold).apply(ctx, &mut answer)?;
    render::write(ctx.stdout, &answer, &style)?;
    if args.explain {
        told::explain_on_stderr(ctx, inquiry, &told.now)?;
        told::explain_on_stderr(ctx, inquiry, &told.before)?;
    }
    Ok(())
}

fn shift_ms(inquiry: &Inquiry, shift: &str) -> Result<i64, Failure> {
    let ms = match shift {
        "previous" => inquiry.span.length_ms(),
        duration => parse_duration(duration)?,
    };
    match ms {
        0 => Err(
            Failure::usage("shift_empty", "a window is not compared with itself")
                .hint("write previous, or a duration such as 7d"),
        ),
        ms => Ok(ms),
    }
}

fn comparison_notes(
    ctx: &Context<'_>,
    store: &mut Store,
    inquiry: &Inquiry,
    told: &Compared,
) -> Result<Vec<String>, Failure> {
    let zone = ctx.zone();
    let [from, until] =
        [told.before.span.from, told.before.span.until].map(|at| human::moment(at, zone));
    let mut notes = vec![format!("before: {from} to {until}")];
    notes.extend(told.now.notes.clone());
    notes.extend(
        told.before
            .notes
            .iter()
            .map(|note| format!("before: {note}")),
    );
    if told.before.is_silent() {
        notes.push("nothing happened in the window before".to_owned());
    }
    if told.now.is_silent() {
        notes.extend(told::silence(ctx, store, inquiry)?);
    }
    Ok(notes)
}
