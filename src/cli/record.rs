//! `obs record`: one event from a shell script. The flags become fields; what they
//! mean is known to `crate::input`, as of any line.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::time::{Side, parse_time};
use crate::ingest::{self, Recorded};
use crate::input::{InputError, Mapping, Options, TimeUnit};
use crate::model::{DurationError, parse_duration};
use crate::render::{Answer, Cell, Column};

/// Record one event, for scripts that have no log
///
/// The event happened now unless --at says otherwise, and is stored when the
/// command ends. It is checked as a line of `obs ingest` is, and refused in the same
/// words. Each call counts; with --id and --at, the same event counts once. For
/// more than a few events a second, write lines to `obs ingest -`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs record request --provider claude --model opus --latency 850ms
  obs record request --provider openai --status-code 529 --error overloaded
  obs record cache hit --provider claude --saved-cost 0.002
  obs record rate_limit denied --key u17 --field region=eu")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// A request to a provider, and how it went
    #[command(after_long_help = "Examples:
  obs record request --provider claude --model opus --latency 1.2s --cost 0.0041
  obs record request --provider claude --error timeout --status-code 0")]
    Request(Request),
    /// An access to a cache: hit, miss or store
    #[command(after_long_help = "Examples:
  obs record cache hit --provider claude --saved-cost 0.002 --saved-tokens 1800")]
    Cache(Cache),
    /// A decision of a rate limiter: allowed or denied
    #[command(
        name = "rate_limit",
        alias = "rate-limit",
        after_long_help = "Examples:
  obs record rate_limit denied --limit-type user --key u17 --remaining 0"
    )]
    RateLimit(RateLimit),
}

#[derive(clap::Args, Debug)]
struct Request {
    /// How long it took: 850ms, 1.2s, or a number of milliseconds
    #[arg(long, value_name = "TIME", value_parser = milliseconds, help_heading = "Event")]
    latency: Option<String>,
    /// How long until its first token
    #[arg(long, value_name = "TIME", value_parser = milliseconds, help_heading = "Event")]
    ttft: Option<String>,
    /// HTTP status; 400 and above is a failure, and so is 0: no answer
    #[arg(long, value_name = "N", help_heading = "Event")]
    status_code: Option<String>,
    /// Whether it went well [default: unless --error or --status-code says it did not]
    #[arg(long, value_name = "true|false", help_heading = "Event")]
    success: Option<String>,
    /// What went wrong; the request then failed
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        help_heading = "Event"
    )]
    error: Option<String>,
    /// The kind of error, by which errors are grouped
    #[arg(long, value_name = "WORD", help_heading = "Event")]
    error_type: Option<String>,
    /// Tokens sent, cached ones among them
    #[arg(long, value_name = "N", help_heading = "Event")]
    input_tokens: Option<String>,
    /// Tokens received, reasoning among them
    #[arg(long, value_name = "N", help_heading = "Event")]
    output_tokens: Option<String>,
    /// Of those sent, tokens read from the provider's cache
    #[arg(long, value_name = "N", help_heading = "Event")]
    cached_tokens: Option<String>,
    /// What it cost, in dollars
    #[arg(long, value_name = "USD", help_heading = "Event")]
    cost: Option<String>,
    #[command(flatten)]
    labels: Labels,
}

#[derive(clap::Args, Debug)]
struct Cache {
    /// hit, miss or store
    #[arg(value_name = "EVENT")]
    event: String,
    /// What the hit saved, in dollars
    #[arg(long, value_name = "USD", help_heading = "Event")]
    saved_cost: Option<String>,
    /// Tokens that the hit saved
    #[arg(long, value_name = "N", help_heading = "Event")]
    saved_tokens: Option<String>,
    #[command(flatten)]
    labels: Labels,
}

#[derive(clap::Args, Debug)]
struct RateLimit {
    /// allowed or denied
    #[arg(value_name = "EVENT")]
    event: String,
    /// What is limited: user, provider, …
    #[arg(long, value_name = "WORD", help_heading = "Event")]
    limit_type: Option<String>,
    /// Whose limit it is
    #[arg(long, value_name = "TEXT", help_heading = "Event")]
    key: Option<String>,
    /// What is left of it
    #[arg(long, value_name = "N", help_heading = "Event")]
    remaining: Option<String>,
    /// How much it is in all
    #[arg(long, value_name = "N", help_heading = "Event")]
    limit: Option<String>,
    #[command(flatten)]
    labels: Labels,
}

/// What every event may say.
#[derive(clap::Args, Debug)]
struct Labels {
    /// Who answered
    #[arg(long, value_name = "NAME", help_heading = "Event")]
    provider: Option<String>,
    /// Which model
    #[arg(long, value_name = "NAME", help_heading = "Event")]
    model: Option<String>,
    /// On whose behalf
    #[arg(long, value_name = "NAME", help_heading = "Event")]
    user: Option<String>,
    /// Who pays
    #[arg(long, value_name = "NAME", help_heading = "Event")]
    project: Option<String>,
    /// Id of the event
    #[arg(long, value_name = "ID", help_heading = "Event")]
    id: Option<String>,
    /// When it happened [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Event")]
    at: Option<String>,
    /// Any other field of an event, or anything else, which goes to its metadata
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Event")]
    field: Vec<String>,
}

/// Fields by name, as far as they are told.
type Told<'a> = Vec<(&'static str, Option<&'a str>)>;

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let (kind, told, labels) = match &args.what {
        What::Request(request) => ("request", request.told(), &request.labels),
        What::Cache(cache) => ("cache", cache.told(), &cache.labels),
        What::RateLimit(limit) => ("rate_limit", limit.told(), &limit.labels),
    };
    let (mapping, others) = fields(ctx, kind, told, labels)?;
    let options = Options {
        mapping,
        time_unit: Some(TimeUnit::Millis),
        default_to_now: true,
        ..Options::new(ctx.now)
    };
    let mut store = ctx.open_store()?;
    let (outcome, words) = match ingest::record(&mut store, &others, options, rand::random())? {
        Recorded::Stored => ("accepted", "recorded; `obs stats --since 1h` counts it"),
        Recorded::Known => ("duplicate", "recorded before; nothing changed"),
        Recorded::Refused { code, reason } => {
            return Err(Failure::new(Kind::Usage, "event_refused", reason)
                .details(json!({ "reason": code }))
                .hint(format!(
                    "`obs record {kind} --help` shows how it is written"
                )));
        }
    };
    if ctx.wants_table() {
        ctx.notice(words);
        return Ok(());
    }
    let columns = ["type", "outcome"]
        .map(|name| Column::new(name, name))
        .into();
    let mut answer = Answer::new("obs.record/v1", columns);
    answer
        .rows
        .push(vec![Cell::text(kind), Cell::text(outcome)]);
    ctx.answer(&answer)
}

/// The fields that are known, and an object of the others. An empty value says
/// nothing: `--user "$USER_ID"` may be written without asking whether it is set.
fn fields(
    ctx: &Context<'_>,
    kind: &'static str,
    told: Told<'_>,
    labels: &Labels,
) -> Result<(Mapping, String), Failure> {
    let at = labels.at.as_deref();
    let at = at.map(|text| parse_time(text, Side::Since, &ctx.frame()));
    let at = at.transpose()?.map(|parsed| parsed.at.0.to_string());
    let always = [("type", Some(kind)), ("timestamp", at.as_deref())];
    let mut mapping = Mapping::default();
    for (name, value) in always.into_iter().chain(labels.told()).chain(told) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            mapping.set(&format!("{name}={value}"))?;
        }
    }
    let mut others = Map::new();
    for field in &labels.field {
        match (mapping.set(field), field.split_once('=')) {
            (Err(InputError::UnknownField { .. }), Some((key, value))) => {
                if others.insert(key.to_owned(), value.into()).is_some() {
                    let twice = format!("--field {key} is given twice");
                    return Err(Failure::usage("field_unknown", twice));
                }
            }
            (done, _) => done?,
        }
    }
    Ok((mapping, Value::from(others).to_string()))
}

/// A duration as a number of milliseconds; whatever else it is, the decoder refuses.
fn milliseconds(text: &str) -> Result<String, DurationError> {
    let number = text.strip_suffix("ms").unwrap_or(text).trim_end();
    match number.ends_with(|last: char| last.is_ascii_digit()) {
        true if number.bytes().all(|b| b.is_ascii_digit() || b == b'.') => Ok(number.to_owned()),
        _ if text.starts_with(|first: char| first.is_ascii_digit()) => {
            parse_duration(text).map(|ms| ms.to_string())
        }
        _ => Ok(text.to_owned()),
    }
}

impl Request {
    fn told(&self) -> Told<'_> {
        vec![
            ("latency", self.latency.as_deref()),
            ("ttft_ms", self.ttft.as_deref()),
            ("status_code", self.status_code.as_deref()),
            ("success", self.success()),
            ("error_message", self.error.as_deref()),
            ("error_type", self.error_type.as_deref()),
            ("input_tokens", self.input_tokens.as_deref()),
            ("output_tokens", self.output_tokens.as_deref()),
            ("cached_tokens", self.cached_tokens.as_deref()),
            ("cost", self.cost.as_deref()),
        ]
    }

    fn success(&self) -> Option<&str> {
        let failed = self.error.as_ref().is_some_and(|text| !text.is_empty());
        self.success.as_deref().or(failed.then_some("false"))
    }
}

impl Cache {
    fn told(&self) -> Told<'_> {
        vec![
            ("event", Some(&self.event)),
            ("saved_cost", self.saved_cost.as_deref()),
            ("saved_tokens", self.saved_tokens.as_deref()),
        ]
    }
}

impl RateLimit {
    fn told(&self) -> Told<'_> {
        vec![
            ("event", Some(&self.event)),
            ("rate_limit_type", self.limit_type.as_deref()),
            ("key", self.key.as_deref()),
            ("remaining", self.remaining.as_deref()),
            ("limit", self.limit.as_deref()),
        ]
    }
}

impl Labels {
    fn told(&self) -> Told<'_> {
        vec![
            ("provider", self.provider.as_deref()),
            ("model", self.model.as_deref()),
            ("user_id", self.user.as_deref()),
            ("project", self.project.as_deref()),
            ("id", self.id.as_deref()),
        ]
    }
}
