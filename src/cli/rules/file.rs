//! Rules out of files and into them.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::change::not_confirmed;
use super::edit;
use super::refused::in_file;
use crate::alert::Desk;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Kind};
use crate::model::Rule;
use crate::render::{Answer, Cell, Column};
use crate::rulebook;
use crate::store::{StoreError, StoredRule};

/// Take rules in from a file of YAML
///
/// A rule is known by its name: one that is there already is changed, others are added,
/// those that the file does not name stay, unless --replace is given. All of it is one
/// change, or none. docs/rules.md describes the file, docs/rules.schema.json helps editors.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs rules import rules.yaml --dry-run
  obs rules import rules.yaml
  obs rules import rules.yaml --replace --yes    these and no others")]
pub(super) struct ImportArgs {
    /// The file; - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Delete the rules that the file does not name
    #[arg(long)]
    replace: bool,
    /// Say what would change
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

/// What becomes of a rule.
enum Change<'r> {
    Added(&'r Rule),
    Changed(&'r StoredRule, &'r Rule),
    Unchanged(&'r StoredRule),
    Removed(&'r StoredRule),
}

pub(super) fn import(ctx: &mut Context<'_>, args: &ImportArgs) -> Result<(), Failure> {
    let rules = read(ctx, &args.file)?;
    let known = super::rules(ctx)?;
    let plan = plan(&known, &rules, args.replace);
    if args.dry_run {
        return ctx.answer(&told(&plan));
    }
    let removes = plan
        .iter()
        .any(|change| matches!(change, Change::Removed(_)));
    if removes && !args.yes {
        if ctx.environment.stdin_is_terminal && args.file != Path::new("-") {
            ctx.answer(&told(&plan))?;
        }
        if !ctx.confirms("delete the rules that the file does not name?")? {
            return Err(not_confirmed(ctx));
        }
    }
    take_in(ctx, &rules, args.replace)
}

/// `obs rules defaults`: the first rules, as far as they are missing.
pub(super) fn defaults(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let known = super::rules(ctx)?;
    let is_known = |rule: &Rule| known.iter().any(|known| known.rule.name == rule.name);
    let mut missing = rulebook::defaults();
    missing.retain(|rule| !is_known(rule));
    take_in(ctx, &missing, false)
}

/// `obs rules export`: a file for people, rows for programs.
pub(super) fn export(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let stored = super::rules(ctx)?;
    if !ctx.wants_table() {
        return ctx.answer(&super::rows::full(&stored));
    }
    let rules: Vec<Rule> = stored.into_iter().map(|stored| stored.rule).collect();
    Ok(ctx.stdout.write_all(rulebook::print(&rules).as_bytes())?)
}

fn read(ctx: &mut Context<'_>, path: &Path) -> Result<Vec<Rule>, Failure> {
    // One more than what is read at all, so that a larger file is told as such.
    const ENOUGH: u64 = (1 << 20) + 1;
    let mut bytes = Vec::new();
    let taken = if path == Path::new("-") {
        (&mut ctx.stdin).take(ENOUGH).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(ENOUGH).read_to_end(&mut bytes))
    };
    let cannot = |why: &(dyn std::error::Error + 'static)| {
        let message = format!("cannot read {}", path.display());
        Failure::new(Kind::Failed, "input_unreadable", message).caused_by(Some(why))
    };
    taken.map_err(|error| cannot(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| cannot(&error.utf8_error()))?;
    rulebook::parse(&text).map_err(|faults| in_file(ctx, path, &text, &faults))
}

/// Makes the change and tells it.
fn take_in(ctx: &mut Context<'_>, rules: &[Rule], replace: bool) -> Result<(), Failure> {
    let done = edit(ctx, |desk| {
        let known = desk.rules()?;
        let plan = plan(&known, rules, replace);
        for change in &plan {
            carry_out(desk, change)?;
        }
        Ok(told(&plan))
    })?;
    ctx.answer(&done)
}

fn carry_out(desk: &Desk<'_>, change: &Change<'_>) -> Result<(), StoreError> {
    match change {
        Change::Added(rule) => desk.add(rule).map(|_| ()),
        Change::Changed(before, after) => desk.change(before, after).map(|_| ()),
        Change::Unchanged(_) => Ok(()),
        Change::Removed(rule) => desk.delete(rule),
    }
}

/// What the rules of a file make of those that are there.
fn plan<'r>(known: &'r [StoredRule], rules: &'r [Rule], replace: bool) -> Vec<Change<'r>> {
    let of_file = |rule: &'r Rule| match known.iter().find(|known| known.rule.name == rule.name) {
        None => Change::Added(rule),
        Some(known) if known.rule == *rule => Change::Unchanged(known),
        Some(known) => Change::Changed(known, rule),
    };
    let is_named = |stored: &StoredRule| rules.iter().any(|rule| rule.name == stored.rule.name);
    let others = known.iter().filter(|stored| replace && !is_named(stored));
    let removed = others.map(Change::Removed);
    rules.iter().map(of_file).chain(removed).collect()
}

fn told(plan: &[Change<'_>]) -> Answer {
    let columns = [("rule", "rule"), ("change", "change"), ("what", "what")];
    let columns = columns.map(|(name, title)| Column::new(name, title));
    let mut answer = Answer::new("obs.rules.import/v1", columns.into());
    for change in plan {
        let (rule, word, what) = match change {
            Change::Added(rule) => (*rule, "added", Some(rule.condition.to_string())),
            Change::Changed(before, after) => {
                let what = rulebook::differences(&before.rule, after);
                (*after, "changed", Some(what.join("; ")))
            }
            Change::Unchanged(stored) => (&stored.rule, "unchanged", None),
            Change::Removed(stored) => (&stored.rule, "removed", None),
        };
        answer.rows.push(vec![
            Cell::text(&rule.name),
            Cell::text(word),
            Cell::of(what, Cell::Text),
        ]);
    }
    if plan.is_empty() {
        answer.notes.push("nothing to change".to_owned());
    }
    answer
}
