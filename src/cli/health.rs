//! `obs health`: how each provider is doing, and why. What is decided is known to
//! `crate::health`; here it is worded.

use clap::ValueEnum;

use super::context::Context;
use super::failure::{Failure, Kind};
use crate::health::{self, Failing, Health, Reason, Status, Thresholds};
use crate::model::{Measure, Millis, Unit, parse_duration};
use crate::render::{self, Answer, Cell, Column, Format, human};

/// Show how each provider is doing, and why
///
/// Down: fewer than half of at least 5 requests succeeded in the last 5 minutes.
/// Degraded: fewer than 95 %, or the p95 latency of at least 10 is above 5 s.
/// Unknown: no request. Fewer requests are called healthy and few, since one failure of
/// three is no rate. `obs config set health_…` changes each of these numbers.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs health                            all providers, the worst first
  obs health --window 1h
  obs health --fail-on down             exit code 3 when one is down
  obs health -o json --fields provider,status,reason")]
pub(super) struct Args {
    /// Only these providers
    #[arg(value_name = "PROVIDER")]
    providers: Vec<String>,
    /// The time before now that is judged [default: the setting health_window, 5m]
    #[arg(long, value_name = "DURATION", help_heading = "Time")]
    window: Option<String>,
    /// End with exit code 3 when a provider is that bad, or worse
    #[arg(long, value_name = "STATUS")]
    fail_on: Option<FailOn>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Degraded,
    Down,
}

impl FailOn {
    fn finds(self, status: Status) -> bool {
        match self {
            FailOn::Degraded => status <= Status::Degraded,
            FailOn::Down => status == Status::Down,
        }
    }
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let window = args.window.as_deref().map(window).transpose()?;
    let mut store = ctx.open_store()?;
    let mut thresholds = health::thresholds(&mut store)?;
    thresholds.window_ms = window.unwrap_or(thresholds.window_ms);
    let mut found = health::all(&mut store, &thresholds, ctx.now)?;
    if !args.providers.is_empty() {
        found = health::of(found, &args.providers)?;
    }
    let mut answer = answer(ctx, &found, &thresholds);
    if found.is_empty() {
        answer
            .notes
            .push("no event yet: `obs ingest` feeds the store".into());
    }
    let mut style = ctx.style();
    if style.format == Format::Table {
        humane(ctx, &mut answer, &found, &thresholds);
        let glance = GLANCE.map(str::to_owned);
        style.fields = style.fields.or(Some(glance.into()));
    }
    render::write(ctx.stdout, &answer, &style)?;
    let fails = |status| args.fail_on.is_some_and(|worst| worst.finds(status));
    match found.iter().any(|health| fails(health.verdict.status)) {
        true => Err(Failure::silent(Kind::Found)),
        false => Ok(()),
    }
}

fn window(text: &str) -> Result<i64, Failure> {
    match parse_duration(text)? {
        0 => Err(
            Failure::usage("window_empty", "nothing happens in a window of no length")
                .hint("write it like 5m or 1h"),
        ),
        ms => Ok(ms),
    }
}

/// For people: signs, how long ago, and reasons in full below the table, which a
/// narrow terminal has no column for.
fn humane(ctx: &Context<'_>, answer: &mut Answer, found: &[Health], thresholds: &Thresholds) {
    let place = |name: &str| answer.columns.iter().position(|column| column.name == name);
    let (status, last) = (place("status"), place("last_event"));
    for (row, health) in answer.rows.iter_mut().zip(found) {
        if let Some(status) = status {
            row[status] = Cell::text(signed(health.verdict.status, ctx.ascii()));
        }
        if let Some(last) = last {
            row[last] = Cell::of(health.last_heard, |at| Cell::text(human::ago(at, ctx.now)));
        }
        if let Some(reasons) = reasons(health, thresholds, ctx.now) {
            let status = word(health.verdict.status);
            answer
                .notes
                .push(format!("{} {status}: {reasons}", health.provider));
        }
    }
}

/// What a table shows when nobody chooses.
const GLANCE: [&str; 7] = [
    "provider",
    "status",
    "requests",
    "success_rate",
    "latency_p95_ms",
    "cost_usd",
    "last_event",
];

const MEASURES: [(Measure, &str); 6] = [
    (Measure::Requests, "requests"),
    (Measure::Failures, "failures"),
    (Measure::SuccessRate, "success"),
    (Measure::P50Latency, "p50"),
    (Measure::P95Latency, "p95"),
    (Measure::Cost, "cost"),
];

fn answer(ctx: &Context<'_>, found: &[Health], thresholds: &Thresholds) -> Answer {
    let mut columns = ["provider", "status"]
        .map(|name| Column::new(name, name))
        .to_vec();
    columns.extend(MEASURES.map(|(measure, title)| {
        let spec = measure.spec();
        Column::new(spec.field, title).in_unit(spec.unit)
    }));
    columns.push(Column::new("last_event", "last seen").in_unit(Unit::Time));
    columns.push(Column::new("reason", "reason"));
    let mut answer = Answer::new("obs.health/v1", columns);
    answer.head = vec![
        ("since", Cell::At(ctx.now.plus(-thresholds.window_ms))),
        ("until", Cell::At(ctx.now)),
    ];
    for health in found {
        let mut row = vec![
            super::told::name(&health.provider),
            Cell::text(word(health.verdict.status)),
        ];
        row.extend(MEASURES.map(|(measure, _)| {
            let value = measure.value(&health.stats, thresholds.window_ms);
            super::told::cell(value, measure.spec().unit)
        }));
        row.push(Cell::of(health.last_heard, Cell::At));
        row.push(Cell::of(reasons(health, thresholds, ctx.now), Cell::Text));
        answer.rows.push(row);
    }
    answer
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Healthy => "healthy",
        Status::Degraded => "degraded",
        Status::Down => "down",
        Status::Unknown => "unknown",
    }
}

/// `● healthy`
fn signed(status: Status, ascii: bool) -> String {
    let sign = match (status, ascii) {
        (Status::Healthy, false) => "●",
        (Status::Degraded, false) => "▲",
        (Status::Down, false) => "✖",
        (Status::Unknown, false) => "○",
        (Status::Healthy, true) => "+",
        (Status::Degraded, true) => "!",
        (Status::Down, true) => "x",
        (Status::Unknown, true) => "?",
    };
    format!("{sign} {}", word(status))
}

fn reasons(health: &Health, thresholds: &Thresholds, now: Millis) -> Option<String> {
    let reasons = health.verdict.reasons.iter();
    let words: Vec<String> = reasons
        .map(|reason| reason_in_words(*reason, health, thresholds, now))
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// `12 of 15 failed in 5 min, mostly 529 overloaded_error`
fn reason_in_words(
    reason: Reason,
    health: &Health,
    thresholds: &Thresholds,
    now: Millis,
) -> String {
    let stats = &health.stats;
    let window = human::duration_ms(thresholds.window_ms);
    let latency = |ms| human::number(ms, Unit::Milliseconds);
    let failed = || {
        let [failed, all] = [stats.failures, stats.requests].map(human::count);
        let mostly = health.mostly.as_ref().map(|m| mostly(m, stats.failures));
        format!(
            "{failed} of {all} failed in {window}{}",
            mostly.unwrap_or_default()
        )
    };
    match reason {
        Reason::Quiet => match health.last_heard {
            Some(last) => format!(
                "no request in {window}; last heard {}",
                human::ago(last, now)
            ),
            None => format!("no request in {window}"),
        },
        Reason::Failing => failed(),
        Reason::Slow { p95_ms } => format!(
            "p95 {} > {}",
            latency(p95_ms),
            latency(thresholds.degraded_p95_ms)
        ),
        Reason::FewRequests if stats.failures > 0 => format!("few requests: {}", failed()),
        Reason::FewRequests => {
            format!("few requests: {} in {window}", human::count(stats.requests))
        }
        Reason::FewLatencies { p95_ms } => format!(
            "few requests: p95 {} of {} is not judged",
            latency(p95_ms),
            human::count(stats.latency.count)
        ),
    }
}

/// `, mostly 529 overloaded_error`
fn mostly(failing: &Failing, failures: u64) -> String {
    let Failing {
        status_code,
        error_type,
        count,
    } = failing;
    let often = match count.saturating_mul(2) > failures {
        true => "mostly",
        false => "most often",
    };
    let said = [status_code.as_str(), error_type.as_str()];
    let said: Vec<&str> = said.into_iter().filter(|text| !text.is_empty()).collect();
    format!(", {often} {}", said.join(" "))
}
