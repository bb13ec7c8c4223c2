//! `obs doctor`: what is wrong, why it matters, and what to do. What is judged is
//! known to `crate::doctor`.

use std::fs;
use std::path::Path;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::post;
use crate::config::{ConfigError, Durability};
use crate::doctor::{self, Facts, Finding, Fix, Grade, Place};
use crate::model::Millis;
use crate::render::{Answer, Cell, Column, human};
use crate::rollup;
use crate::store::{Store, StoreError};

/// Say what is wrong with the store and its surroundings, and what to do
///
/// Exit code 3 when something is. It reads no whole table; `obs db check` reads the
/// whole file, `obs rollup --verify` compares aggregates with their events.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs doctor
  obs doctor --fix           and do what is safe: it loses nothing
  obs doctor -o json")]
pub(super) struct Args {
    /// Do what is safe: chmod 600, roll up, give free pages back, empty the log, remove unfinished copies
    #[arg(long)]
    fix: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let path = ctx.db_path()?;
    let mut store = Store::open(&path, ctx.store_options());
    let mut found = doctor::examine(&gather(ctx, &mut store, &path));
    let mut done = Vec::new();
    if args.fix {
        for (_, finding) in &found {
            if let Some(fix) = &finding.fix {
                done.push(mend(&mut store, fix));
            }
        }
        found = doctor::examine(&gather(ctx, &mut store, &path));
    }
    tell(ctx, &found, done)?;
    let worst = found.iter().map(|(_, finding)| finding.grade).max();
    match (&store, worst) {
        (Err(StoreError::Missing(_)), _) => Err(Failure::silent(Kind::Unusable)),
        (_, Some(Grade::Warning | Grade::Critical)) => Err(Failure::silent(Kind::Found)),
        (_, Some(Grade::Ok) | None) => Ok(()),
    }
}

/// A problem of the configuration with its place, in a line.
fn in_a_line(problem: &ConfigError) -> String {
    match problem.place() {
        Some(place) => format!("{place}: {problem}"),
        None => problem.to_string(),
    }
}

fn gather(ctx: &Context<'_>, store: &mut Result<Store, StoreError>, path: &Path) -> Facts {
    let vitals = match store {
        Ok(store) => store.vitals(ctx.now).map_err(|error| error.to_string()),
        Err(error @ StoreError::Missing(_)) => Err(format!("{error}; `obs init` makes one")),
        Err(error) => Err(error.to_string()),
    };
    let retention = match store {
        Ok(store) => store.read(|txn| Ok::<_, StoreError>(txn.settings()?.retention)),
        Err(_) => Ok(Default::default()),
    };
    Facts {
        now: ctx.now,
        store: vitals,
        retention: retention.map_err(|error| error.to_string()),
        channel_problems: channel_problems(ctx),
        given_up: store
            .as_mut()
            .ok()
            .and_then(|store| given_up(store, ctx.now)),
        config_problems: ctx.config_problems().iter().map(in_a_line).collect(),
        durability_normal: ctx.config.durability == Durability::Normal,
        place: Place::around(path, ctx.config.files(), ctx.now),
    }
}

fn channel_problems(ctx: &Context<'_>) -> Vec<String> {
    let broken = post::broken(ctx).into_iter();
    broken
        .map(|(place, error)| format!("{error} ({place})"))
        .collect()
}

/// The notices of the last week that could not be told.
fn given_up(store: &mut Store, now: Millis) -> Option<(usize, String)> {
    let since = now.plus(-7 * Millis::DAY);
    let failed = store.read(|txn| txn.failed_notices(since)).ok()?;
    let last = failed.first()?;
    let why = last.last_error.as_deref().unwrap_or("unknown");
    Some((failed.len(), format!("channel {}: {why}", last.channel)))
}

/// Does one thing and says what became of it.
fn mend(store: &mut Result<Store, StoreError>, fix: &Fix) -> String {
    let done = match (store, fix) {
        (_, Fix::MakePrivate(path)) => {
            make_private(path).map(|()| format!("{} is its owner's now", path.display()))
        }
        (_, Fix::Remove(path)) => fs::remove_file(path)
            .map(|()| format!("removed {}", path.display()))
            .map_err(|error| error.to_string()),
        (Ok(store), Fix::Checkpoint) => store
            .checkpoint()
            .map(|emptied| match emptied {
                true => "the log is empty".to_owned(),
                false => "a reader still needs the log".to_owned(),
            })
            .map_err(|error| error.to_string()),
        (Ok(store), Fix::GiveBack) => give_back(store).map_err(|error| error.to_string()),
        (Ok(store), Fix::RollUp) => rollup::run(store, Millis(i64::MAX), |_| {})
            .map(|report| super::rollup::words(&report))
            .map_err(|error| error.to_string()),
        (Err(error), Fix::Checkpoint | Fix::GiveBack | Fix::RollUp) => Err(error.to_string()),
    };
    match done {
        Ok(words) => format!("fixed: {words}"),
        Err(why) => format!("not fixed: {why}"),
    }
}

fn give_back(store: &mut Store) -> Result<String, StoreError> {
    let before = store.footprint()?.free_bytes;
    while store.give_back_pages()? {}
    let freed = before - store.footprint()?.free_bytes.min(before);
    Ok(format!("{} given back", human::bytes(freed)))
}

fn make_private(path: &Path) -> Result<(), String> {
    #[cfg(unix)]
    {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(path, private).map_err(|error| error.to_string())
    }
    #[cfg(not(unix))]
    Err(format!("{} has no mode here", path.display()))
}

fn tell(
    ctx: &mut Context<'_>,
    found: &[(&'static str, Finding)],
    done: Vec<String>,
) -> Result<(), Failure> {
    let names = ["check", "severity", "finding"];
    let columns = names.map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.doctor/v1", columns.into());
    if !ctx.wants_table() {
        let more = ["why", "remedy"].map(|name| Column::new(name, name));
        answer.columns.extend(more);
    }
    for (name, finding) in found {
        let some = |text: &str| Cell::of((!text.is_empty()).then(|| text.to_owned()), Cell::Text);
        let mut row = vec![
            Cell::text(*name),
            Cell::text(finding.grade.name()),
            Cell::text(finding.what.as_str()),
        ];
        if !ctx.wants_table() {
            row.extend([some(finding.why), some(&finding.remedy)]);
        } else if finding.grade > Grade::Ok {
            answer
                .notes
                .push(format!("{name}: {} -> {}", finding.why, finding.remedy));
        }
        answer.rows.push(row);
    }
    answer.notes.extend(done);
    ctx.answer(&answer)
}
