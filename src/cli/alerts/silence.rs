//! `obs alerts silence`: of which alerts nobody wants to hear for a while.

use clap::Subcommand;
use serde_json::json;

use super::caught_up;
use crate::alert::silences;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Kind};
use crate::cli::list::List;
use crate::model::{
    Alert, Dimension, LabelTest, Millis, Silence, SilenceId, Unit, nearest, parse_duration,
};
use crate::render::{Answer, Cell, Column, Tabular, human};
use crate::store::{StoredRule, Txn};

/// Show, add and end silences: nobody is told of the alerts that they speak of
///
/// Alerts begin and end as ever, and are listed; only notices are kept back. What fires
/// still when a silence ends is told then.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts silence
  obs alerts silence add --match provider=claude --for 2h -m 'their maintenance'
  obs alerts silence add --match 'rule=High*' --match 'severity=!critical' --for 30m -m deploy
  obs alerts silence expire 1")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Add(AddArgs),
    List(ListArgs),
    /// End a silence now
    #[command(after_long_help = "Examples:
  obs alerts silence expire 1")]
    Expire {
        /// Its number
        #[arg(value_name = "ID")]
        id: i64,
    },
}

/// Let nobody hear of some alerts for a while
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs alerts silence add --match provider=claude --for 2h -m 'their maintenance'
  obs alerts silence add --match 'model=gpt-4*|o3' --for 1d -m 'known to be slow'")]
struct AddArgs {
    /// A label and its value; `*` matches anything, `a|b` either, `!x` anything else. All must match;
    /// `rule` and `severity` are labels as well
    #[arg(long = "match", value_name = "LABEL=VALUE", required = true)]
    tests: Vec<String>,
    /// For how long
    #[arg(long = "for", value_name = "DURATION")]
    lasting: String,
    /// Why
    #[arg(short = 'm', long, value_name = "NOTE")]
    note: String,
    /// By whom [default: the name of the user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// List silences that last
#[derive(clap::Args, Debug, Default)]
#[command(after_long_help = "Examples:
  obs alerts silence list
  obs alerts silence list --all --json")]
struct ListArgs {
    /// Those that are over as well
    #[arg(long, help_heading = "Filter")]
    all: bool,
    #[command(flatten)]
    list: List,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => list(ctx, &ListArgs::default()),
        Some(Verb::List(args)) => list(ctx, args),
        Some(Verb::Add(args)) => add(ctx, args),
        Some(Verb::Expire { id }) => expire(ctx, SilenceId(*id)),
    }
}

/// A silence and how many open alerts it speaks of.
struct Shown {
    silence: Silence,
    alerts: usize,
    lasts: bool,
}

impl Tabular for Shown {
    fn columns() -> Vec<Column> {
        vec![
            Column::new("id", "id"),
            Column::new("match", "match"),
            Column::new("lasts", "lasts"),
            Column::new("from", "from").in_unit(Unit::Time),
            Column::new("until", "until").in_unit(Unit::Time),
            Column::new("alerts", "open alerts"),
            Column::new("note", "why"),
            Column::new("by", "by"),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let silence = &self.silence;
        let tests = silence.tests.iter();
        let tests = tests.map(|(label, test)| (label.clone(), json!(test.text())));
        vec![
            Cell::Int(silence.id.0.into()),
            Cell::Text(serde_json::Value::Object(tests.collect()).to_string()),
            Cell::Bool(self.lasts),
            Cell::At(silence.from),
            Cell::At(silence.until),
            Cell::Int(self.alerts as i128),
            Cell::text(&silence.note),
            Cell::text(&silence.actor),
        ]
    }
}

fn shown(silence: Silence, alerts: &[Alert], rules: &[StoredRule], now: Millis) -> Shown {
    let is_hushed = |alert: &&Alert| {
        let rule = rules.iter().find(|r| r.id == alert.rule_id);
        rule.is_some_and(|stored| silences(&silence, alert, &stored.rule))
    };
    Shown {
        alerts: alerts.iter().filter(is_hushed).count(),
        lasts: silence.lasts_at(now),
        silence,
    }
}

fn answer(ctx: &Context<'_>, shown: &[Shown]) -> Answer {
    let mut answer = Answer::of("obs.silences/v1", shown);
    if ctx.wants_table() && !ctx.picks_fields() {
        for (row, shown) in answer.rows.iter_mut().zip(shown) {
            row[1] = Cell::Text(tests(&shown.silence));
            row[2] = Cell::text(if shown.lasts { "yes" } else { "no" });
        }
    }
    answer
}

/// `provider=claude model=gpt-4*`
fn tests(silence: &Silence) -> String {
    let tests = silence.tests.iter();
    let tests = tests.map(|(label, test)| format!("{label}={}", test.text()));
    tests.collect::<Vec<_>>().join(" ")
}

fn list(ctx: &mut Context<'_>, args: &ListArgs) -> Result<(), Failure> {
    let now = ctx.now;
    let mut store = caught_up(ctx)?;
    let after = if args.all { Millis(i64::MIN) } else { now };
    let found = store.read(|txn| {
        let (alerts, rules) = (super::open(txn)?, txn.rules()?);
        let silences = txn.silences_after(after)?.into_iter();
        let shown = silences.map(|silence| shown(silence, &alerts, &rules, now));
        Ok::<_, Failure>(shown.collect::<Vec<_>>())
    })?;
    let mut answer = answer(ctx, &found);
    if found.is_empty() {
        answer.notes.push("nothing is silenced".to_owned());
    }
    args.list.apply(ctx, &mut answer)?;
    ctx.answer(&answer)
}

fn add(ctx: &mut Context<'_>, args: &AddArgs) -> Result<(), Failure> {
    let now = ctx.now;
    let lasting_ms = match parse_duration(&args.lasting)? {
        0 => {
            let message = "a silence of no length keeps nothing back";
            return Err(Failure::usage("silence_empty", message).hint("write it like --for 2h"));
        }
        ms => ms,
    };
    let mut silence = Silence {
        id: SilenceId(0),
        tests: Default::default(),
        from: now,
        until: now.plus(lasting_ms),
        note: args.note.clone(),
        actor: args.by.clone().unwrap_or_else(|| ctx.actor()),
        created_at: now,
    };
    for text in &args.tests {
        let (label, value) = split(text)?;
        let test = LabelTest::parse(value);
        if silence.tests.insert(label.to_owned(), test).is_some() {
            let message = format!("the label {label} is given twice");
            return Err(Failure::usage("match_invalid", message)
                .hint(format!("write alternatives like --match '{label}=a|b'")));
        }
    }
    let mut store = caught_up(ctx)?;
    let added = store.write(|txn| {
        let rules = txn.rules()?;
        let labels = silence.tests.keys().map(String::as_str);
        labels
            .into_iter()
            .try_for_each(|label| check(label, &rules))?;
        silence.id = txn.add_silence(&silence)?;
        Ok::<_, Failure>(shown(silence, &super::open(txn)?, &rules, now))
    })?;
    let zone = ctx.zone();
    let said = format!(
        "silence {} lasts until {}; {} open alerts are silenced. `obs alerts silence expire {}` ends it",
        added.silence.id.0,
        human::moment(added.silence.until, zone),
        added.alerts,
        added.silence.id.0
    );
    tell(ctx, &added, said)
}

fn split(text: &str) -> Result<(&str, &str), Failure> {
    let parts = text.split_once('=').filter(|(label, _)| !label.is_empty());
    parts.ok_or_else(|| {
        Failure::usage("match_invalid", format!("{text:?} is no label and value"))
            .hint("write it like --match provider=claude")
    })
}

/// A label that no alert can have is a slip of the pen.
fn check(label: &str, rules: &[StoredRule]) -> Result<(), Failure> {
    let of_rules = rules
        .iter()
        .flat_map(|r| r.rule.labels.keys().map(String::as_str));
    let of_events = Dimension::ALL.map(Dimension::name);
    let known: Vec<&str> = ["rule", "severity"]
        .into_iter()
        .chain(of_events)
        .chain(of_rules)
        .collect();
    if known.contains(&label) {
        return Ok(());
    }
    let likely = nearest(label, known.iter().copied());
    let likely = likely.map_or(String::new(), |name| format!("did you mean {name}? "));
    let message = format!("no alert has the label {label:?}");
    Err(Failure::usage("label_unknown", message)
        .hint(format!("{likely}the labels are {}", known.join(", "))))
}

fn expire(ctx: &mut Context<'_>, id: SilenceId) -> Result<(), Failure> {
    let now = ctx.now;
    let mut store = caught_up(ctx)?;
    let (ended, was_over) = store.write(|txn: &Txn<'_>| {
        let silence = txn.silence(id)?.ok_or_else(|| {
            Failure::new(
                Kind::NotFound,
                "silence_unknown",
                format!("there is no silence {}", id.0),
            )
            .hint("`obs alerts silence list --all` lists them")
        })?;
        let was_over = silence.until <= now;
        if !was_over {
            txn.end_silence(id, now)?;
        }
        let until = now.min(silence.until);
        let silence = Silence { until, ..silence };
        Ok::<_, Failure>((
            shown(silence, &super::open(txn)?, &txn.rules()?, now),
            was_over,
        ))
    })?;
    let said = match was_over {
        true => format!("silence {} was over before", id.0),
        false => format!(
            "silence {} is over; what fires still is told by the next `obs run`",
            id.0
        ),
    };
    tell(ctx, &ended, said)
}

/// What was done to people, the silence to programs.
fn tell(ctx: &mut Context<'_>, shown: &Shown, said: String) -> Result<(), Failure> {
    match ctx.wants_table() {
        true => {
            ctx.notice(said);
            Ok(())
        }
        false => {
            let answer = answer(ctx, std::slice::from_ref(shown));
            ctx.answer(&answer)
        }
    }
}
