//! `obs rules`: what makes an alert, listed, written, switched, in and out of files.

mod change;
mod file;
mod history;
mod options;
mod refused;
mod rows;
mod words;

use clap::Subcommand;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::list::List;
use crate::alert::{self, Desk};
use crate::model::nearest;
use crate::render::Answer;
use crate::store::StoredRule;

/// Show, write and switch alert rules, in and out of files
///
/// A rule is a measure, which events it speaks of, and a threshold. It is evaluated every
/// minute by `obs run`, over the last minutes together. docs/rules.md describes all of
/// its options and the file.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs rules                        every rule
  obs rules show 'High latency'    what it means, in words
  obs rules add slow 'p95_latency by (model) > 3s' --window 10m
  obs rules set 'High latency' --condition 'p95_latency > 4s'
  obs rules export                 as YAML; `> rules.yaml` keeps it")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    List(ListArgs),
    /// Show one rule, and what it means in words
    #[command(after_long_help = "Examples:
  obs rules show 'High latency'
  obs rules show 'High latency' --json")]
    Show {
        /// Which rule
        #[arg(value_name = "RULE")]
        name: String,
    },
    Add(change::AddArgs),
    Set(change::SetArgs),
    /// Evaluate a rule again, from now on
    #[command(after_long_help = "Examples:
  obs rules enable 'High cost'")]
    Enable {
        /// Which rule
        #[arg(value_name = "RULE")]
        name: String,
    },
    /// Do not evaluate a rule; its alerts end
    #[command(after_long_help = "Examples:
  obs rules disable 'High cost'")]
    Disable {
        /// Which rule
        #[arg(value_name = "RULE")]
        name: String,
    },
    Delete(change::DeleteArgs),
    Import(file::ImportArgs),
    /// Write all rules as a file that `obs rules import` reads
    #[command(after_long_help = "Examples:
  obs rules export                 as YAML; `> rules.yaml` keeps it
  obs rules export --json")]
    Export,
    /// Add those of the five first rules that are missing
    #[command(after_long_help = "Examples:
  obs rules defaults")]
    Defaults,
    /// Show what a rule was, and who changed it
    #[command(after_long_help = "Examples:
  obs rules history 'High latency'")]
    History {
        /// Which rule
        #[arg(value_name = "RULE")]
        name: String,
    },
}

/// List the rules
#[derive(clap::Args, Debug, Default)]
#[command(after_long_help = "Examples:
  obs rules list
  obs rules list --json --sort severity")]
struct ListArgs {
    #[command(flatten)]
    list: List,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => list(ctx, &List::default()),
        Some(Verb::List(args)) => list(ctx, &args.list),
        Some(Verb::Show { name }) => show(ctx, name),
        Some(Verb::Add(args)) => change::add(ctx, args),
        Some(Verb::Set(args)) => change::set(ctx, args),
        Some(Verb::Enable { name }) => change::switch(ctx, name, true),
        Some(Verb::Disable { name }) => change::switch(ctx, name, false),
        Some(Verb::Delete(args)) => change::delete(ctx, args),
        Some(Verb::Import(args)) => file::import(ctx, args),
        Some(Verb::Export) => file::export(ctx),
        Some(Verb::Defaults) => file::defaults(ctx),
        Some(Verb::History { name }) => history::show(ctx, name),
    }
}

fn list(ctx: &mut Context<'_>, list: &List) -> Result<(), Failure> {
    let rules = rules(ctx)?;
    let mut answer = match ctx.wants_table() && !ctx.picks_fields() {
        true => rows::short(&rules),
        false => rows::full(&rules),
    };
    if rules.is_empty() {
        let hint = "no rules; `obs rules defaults` adds five, `obs rules add` one of your own";
        answer.notes.push(hint.to_owned());
    }
    list.apply(ctx, &mut answer)?;
    ctx.answer(&answer)
}

fn show(ctx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
    let rules = rules(ctx)?;
    let rule = find(&rules, name)?;
    if ctx.wants_table() && !ctx.picks_fields() {
        return ctx.answer(&Answer {
            notes: words::explained(rule, ctx.zone()),
            ..Answer::new(rows::SCHEMA, Vec::new())
        });
    }
    ctx.answer(&rows::full(std::slice::from_ref(rule)))
}

fn rules(ctx: &Context<'_>) -> Result<Vec<StoredRule>, Failure> {
    Ok(ctx.open_store()?.read(|txn| txn.rules())?)
}

/// The rule of that name.
pub(super) fn find<'r>(rules: &'r [StoredRule], name: &str) -> Result<&'r StoredRule, Failure> {
    rules.iter().find(|r| r.rule.name == name).ok_or_else(|| {
        let names = rules.iter().map(|r| r.rule.name.as_str());
        let list = "`obs rules` lists them";
        let failure = Failure::new(
            Kind::NotFound,
            "rule_unknown",
            format!("there is no rule {name:?}"),
        );
        failure.hint(match nearest(name, names) {
            Some(known) => format!("did you mean {known:?}? {list}"),
            None => list.to_owned(),
        })
    })
}

/// Changes rules in one transaction, in the name of who sits at the keyboard.
fn edit<T>(
    ctx: &Context<'_>,
    work: impl FnOnce(&Desk<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut store = ctx.open_store()?;
    alert::edit(&mut store, ctx.now, &ctx.actor(), work)
}
