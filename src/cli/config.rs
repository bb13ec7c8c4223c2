//! `obs config`: the settings in force, where they came from, and the files
//! they are looked for in, and the settings of the store. What a setting means is
//! known to `crate::config` and `crate::store`.

mod set;

use std::path::Path;

use clap::Subcommand;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::post;
use crate::config::{ConfigError, Key, Place};
use crate::model::SpecValue;
use crate::notify::ChannelError;
use crate::render::{Answer, Cell, Column};

/// Show settings, where they come from, and their files
///
/// A flag wins over an OBS_* variable, that over ./obs.toml (or --config), the
/// user's config.toml, /etc/obs/config.toml, and the built-in value. What must mean the
/// same in a shell and in cron (retention, zone, health) is kept in the store instead and
/// changed with `obs config set`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs config                    the settings in force
  obs config show --origin      and who set them
  obs config set --list         what can be set in the store")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Show the settings in force
    #[command(after_long_help = "Examples:
  obs config show
  obs config show --origin -o json")]
    Show {
        /// Show who set each value
        #[arg(long)]
        origin: bool,
    },
    /// Change a setting of the store
    Set(set::Args),
    /// Show where configuration is looked for, the strongest file first
    #[command(after_long_help = "Examples:
  obs config path")]
    Path,
    /// Read all configuration and say all that is wrong with it
    ///
    /// Exit code 3 when something is.
    #[command(after_long_help = "Examples:
  obs config check
  obs config check --config ci/obs.toml")]
    Check,
}

impl Args {
    /// Whether the command helps to mend a configuration that cannot be read.
    pub(super) fn works_without_settings(&self) -> bool {
        matches!(self.verb, Some(Verb::Path | Verb::Check))
    }
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => show(ctx, false),
        Some(Verb::Show { origin }) => show(ctx, *origin),
        Some(Verb::Set(args)) => set::run(ctx, args),
        Some(Verb::Path) => path(ctx),
        Some(Verb::Check) => check(ctx),
    }
}

fn show(ctx: &mut Context<'_>, with_origin: bool) -> Result<(), Failure> {
    let mut answer = Answer::new("obs.config/v1", columns(&["setting", "value"]));
    if with_origin {
        answer.columns.push(Column::new("origin", "origin"));
    }
    for key in Key::ALL {
        let mut row = vec![
            Cell::text(key.name()),
            Cell::of(ctx.config.text(key), Cell::Text),
        ];
        if with_origin {
            row.push(Cell::text(ctx.config.origin(key).to_string()));
        }
        answer.rows.push(row);
    }
    answer.rows.extend(channel_rows(ctx, with_origin));
    answer.rows.extend(set::rows(ctx, with_origin));
    ctx.answer(&answer)
}

/// The settings of the channels. A URL may hold a secret: its host is shown.
fn channel_rows(ctx: &Context<'_>, with_origin: bool) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for (name, table) in &ctx.config.channels {
        for (key, value) in &table.spec.settings {
            let shown = match value {
                SpecValue::Text(url) if key == "url" => host_of(url),
                SpecValue::Text(text) => text.clone(),
                SpecValue::List(texts) => texts.join(" "),
                SpecValue::Switch(on) => on.to_string(),
            };
            let mut row = vec![
                Cell::text(format!("channels.{name}.{key}")),
                Cell::text(shown),
            ];
            if with_origin {
                let place = table.place(Some(key));
                row.push(Cell::text(format!(
                    "{}:{}",
                    place.path.display(),
                    place.line
                )));
            }
            rows.push(row);
        }
    }
    rows
}

fn host_of(url: &str) -> String {
    let host = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    // Before an @ there may be a password.
    match (host.rsplit_once('@'), host == url) {
        (Some((_, host)), _) => format!("…@{host}/…"),
        (None, true) => host,
        (None, false) => format!("{host}/…"),
    }
}

fn path(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let places = &ctx.environment.places;
    let project = ctx.config_path().unwrap_or_else(|| places.project.clone());
    let files = [
        ("project", Some(project)),
        ("user", places.user.clone()),
        ("system", Some(places.system.clone())),
    ];
    let mut answer = Answer::new("obs.config.path/v1", columns(&["place", "path", "exists"]));
    for (place, path) in files {
        if let Some(path) = path {
            let exists = Cell::Bool(path.exists());
            let path = Cell::text(path.display().to_string());
            answer.rows.push(vec![Cell::text(place), path, exists]);
        }
    }
    ctx.answer(&answer)
}

/// Every file that was read, then all that is wrong with any of them or with variables.
fn check(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let names = ["path", "line", "column", "state", "hint"];
    let mut answer = Answer::new("obs.config.check/v1", columns(&names));
    let of_file = |problem: ConfigError| Problem {
        place: problem.place().cloned(),
        what: problem.to_string(),
        hint: Failure::from(problem).advice().map(str::to_owned),
    };
    let of_channel = |(place, error): (Place, ChannelError)| Problem {
        place: Some(place),
        what: error.to_string(),
        hint: Some(error.hint),
    };
    let problems: Vec<Problem> = (ctx.config_problems().into_iter().map(of_file))
        .chain(post::broken(ctx).into_iter().map(of_channel))
        .collect();
    let is_wrong = |file: &Path| {
        let mut places = problems.iter().filter_map(|problem| problem.place.as_ref());
        places.any(|place| place.path == file)
    };
    for path in ctx.config.files().iter().filter(|file| !is_wrong(file)) {
        let path = Cell::text(path.display().to_string());
        let row = [path, Cell::Missing, Cell::Missing, Cell::text("valid")];
        answer.rows.push(row.into());
    }
    let found = !problems.is_empty();
    for Problem { place, what, hint } in problems {
        let at =
            |part: fn(&Place) -> usize| Cell::of(place.as_ref(), |p| Cell::Int(part(p) as i128));
        let path = place.as_ref().map(|p| p.path.display().to_string());
        let mut row = vec![Cell::of(path, Cell::Text), at(|p| p.line), at(|p| p.column)];
        row.push(Cell::text(what));
        row.push(Cell::of(hint, Cell::Text));
        answer.rows.push(row);
    }
    if answer.rows.is_empty() {
        ctx.notice("no configuration file was found; `obs config path` shows where they may be");
    }
    ctx.answer(&answer)?;
    match found {
        true => Err(Failure::silent(Kind::Found)),
        false => Ok(()),
    }
}

/// Something that is wrong with the configuration.
struct Problem {
    place: Option<Place>,
    what: String,
    hint: Option<String>,
}

fn columns(names: &[&'static str]) -> Vec<Column> {
    names.iter().map(|name| Column::new(*name, *name)).collect()
}
