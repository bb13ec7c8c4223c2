//! One rule: added, changed, switched, deleted.

use super::options::Options;
use super::refused::{check, refused};
use super::{edit, find, rows};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::model::{Condition, Rule};
use crate::rulebook::{self, Key};
use crate::store::StoredRule;

/// Add a rule
///
/// It looks at minutes that end from now on. The condition is a measure of
/// `obs query --list` or a metric of your own with a dot in its name, with filters in
/// braces and `by (…)` for one alert a group.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs rules add slow 'p95_latency > 3s'
  obs rules add failing 'error_rate{provider=\"claude\"} by (model) > 10%'
  obs rules add spending 'hourly_cost > $20' --repeat-interval 4h
  obs rules add queue 'agents.queue.size > 100' --window 10m")]
pub(super) struct AddArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// What is compared with what, in quotes
    #[arg(value_name = "CONDITION")]
    condition: String,
    #[command(flatten)]
    options: Options,
}

/// Change a rule; what is not given stays
///
/// With another condition or window its alerts end and it begins anew; any other change
/// lets them go on.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs rules set 'High latency' --condition 'p95_latency > 4s'
  obs rules set 'High latency' --severity critical --channel slack
  obs rules set 'High cost' --repeat-interval none")]
pub(super) struct SetArgs {
    /// Which rule
    #[arg(value_name = "RULE")]
    rule: String,
    /// Another name
    #[arg(long, value_name = "NAME", help_heading = "Rule")]
    name: Option<String>,
    /// Another condition, in quotes
    #[arg(long, value_name = "CONDITION", help_heading = "Rule")]
    condition: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// Delete a rule and its alerts; their history stays
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs rules delete 'High cost' --dry-run
  obs rules delete 'High cost' --yes")]
pub(super) struct DeleteArgs {
    /// Which rule
    #[arg(value_name = "RULE")]
    name: String,
    /// Say what would go
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(super) fn add(ctx: &mut Context<'_>, args: &AddArgs) -> Result<(), Failure> {
    let mut rule = Rule::new(args.name.as_str(), condition(&args.condition)?);
    args.options.apply(&mut rule)?;
    check(&rule)?;
    let added = edit(ctx, |desk| {
        refuse_taken(&desk.rules()?, &rule.name)?;
        Ok(desk.add(&rule)?)
    })?;
    let name = &added.rule.name;
    ctx.notice(format!(
        "{name} was added; `obs rules show '{name}'` says what it means"
    ));
    tell(ctx, &added)
}

pub(super) fn set(ctx: &mut Context<'_>, args: &SetArgs) -> Result<(), Failure> {
    let (before, after) = edit(ctx, |desk| {
        let rules = desk.rules()?;
        let before = find(&rules, &args.rule)?;
        let rule = changed(&before.rule, args)?;
        if rule.name != before.rule.name {
            refuse_taken(&rules, &rule.name)?;
        }
        Ok((before.clone(), desk.change(before, &rule)?))
    })?;
    let differences = rulebook::differences(&before.rule, &after.rule);
    match differences.is_empty() {
        true => ctx.notice("nothing has changed"),
        false => ctx.notice(format!("{}: {}", after.rule.name, differences.join("; "))),
    }
    tell(ctx, &after)
}

/// The rule as it will be. Another measure may bring a window of its own.
fn changed(before: &Rule, args: &SetArgs) -> Result<Rule, Failure> {
    let mut rule = before.clone();
    if let Some(name) = &args.name {
        rule.name.clone_from(name);
    }
    if let Some(said) = &args.condition {
        rule.condition = condition(said)?;
        match (before.own_window_ms(), rule.own_window_ms()) {
            (None, None) => {}
            (_, Some(own)) => rule.window_ms = own,
            (Some(_), None) => rule.window_ms = Rule::new("", rule.condition.clone()).window_ms,
        }
    }
    args.options.apply(&mut rule)?;
    check(&rule)?;
    Ok(rule)
}

pub(super) fn switch(ctx: &mut Context<'_>, name: &str, enabled: bool) -> Result<(), Failure> {
    let after = edit(ctx, |desk| {
        let rules = desk.rules()?;
        let before = find(&rules, name)?;
        let rule = Rule {
            enabled,
            ..before.rule.clone()
        };
        Ok(desk.change(before, &rule)?)
    })?;
    ctx.notice(match enabled {
        true => format!("{name} is evaluated from now on"),
        false => format!("{name} is not evaluated any more; `obs rules enable '{name}'`"),
    });
    tell(ctx, &after)
}

pub(super) fn delete(ctx: &mut Context<'_>, args: &DeleteArgs) -> Result<(), Failure> {
    let name = &args.name;
    let rules = super::rules(ctx)?;
    let doomed = find(&rules, name)?;
    if args.dry_run {
        ctx.notice("this rule would go, with its alerts; their history would stay");
        let doomed = std::slice::from_ref(doomed);
        return match ctx.wants_table() {
            true => ctx.answer(&rows::short(doomed)),
            false => ctx.answer(&rows::full(doomed)),
        };
    }
    if !args.yes && !ctx.confirms(&format!("delete the rule {name} and its alerts?"))? {
        return Err(not_confirmed(ctx));
    }
    let gone = edit(ctx, |desk| {
        let rules = desk.rules()?;
        let rule = find(&rules, name)?;
        desk.delete(rule)?;
        Ok(rule.clone())
    })?;
    ctx.notice(format!(
        "{name} and its alerts were deleted; their history stays"
    ));
    tell(ctx, &gone)
}

/// Nobody said yes.
pub(super) fn not_confirmed(ctx: &Context<'_>) -> Failure {
    let failure = Failure::usage("not_confirmed", "nothing was deleted");
    match ctx.environment.stdin_is_terminal {
        true => failure,
        false => failure.hint("add --yes, or look first with --dry-run"),
    }
}

fn condition(said: &str) -> Result<Condition, Failure> {
    Condition::parse(said).map_err(|error| refused(Key::Condition, error.into(), said))
}

fn refuse_taken(rules: &[StoredRule], name: &str) -> Result<(), Failure> {
    match rules.iter().any(|known| known.rule.name == name) {
        true => {
            let message = format!("there is a rule {name:?} already");
            Err(Failure::usage("rule_exists", message)
                .hint(format!("`obs rules set '{name}'` changes it")))
        }
        false => Ok(()),
    }
}

/// To programs, the rule as it is now.
fn tell(ctx: &mut Context<'_>, rule: &StoredRule) -> Result<(), Failure> {
    match ctx.wants_table() {
        true => Ok(()),
        false => ctx.answer(&rows::full(std::slice::from_ref(rule))),
    }
}
