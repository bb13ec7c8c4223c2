//! `obs config`: the settings in force, where they came from, and the files
//! they are looked for in. What a setting means is known to `crate::config`.

use clap::Subcommand;

use super::context::Context;
use super::failure::Failure;
use crate::config::Key;

/// Show settings, where they come from, and their files
///
/// A flag wins over an OBS_* variable, that over ./obs.toml (or --config), the
/// user's config.toml, /etc/obs/config.toml, and the built-in value.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs config                    the settings in force
  obs config show --origin      and who set them")]
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
    /// Show where configuration is looked for, the strongest file first
    #[command(after_long_help = "Examples:
  obs config path")]
    Path,
    /// Read all configuration and say whether it is valid
    #[command(after_long_help = "Examples:
  obs config check
  obs config check --config ci/obs.toml")]
    Check,
}

impl Args {
    /// Whether the command helps to mend a configuration that cannot be read.
    pub(super) fn works_without_settings(&self) -> bool {
        matches!(self.verb, Some(Verb::Path))
    }
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match args.verb {
        None => show(ctx, false),
        Some(Verb::Show { origin }) => show(ctx, origin),
        Some(Verb::Path) => path(ctx),
        Some(Verb::Check) => check(ctx),
    }
}

fn show(ctx: &mut Context<'_>, origin: bool) -> Result<(), Failure> {
    let columns = ["setting", "value", "origin"];
    let shown = if origin { 3 } else { 2 };
    let row = |key: Key| {
        let value = ctx.config.text(key).unwrap_or_default();
        let mut row = vec![key.to_string(), value, ctx.config.origin(key).to_string()];
        row.truncate(shown);
        row
    };
    let rows: Vec<Vec<String>> = Key::ALL.into_iter().map(row).collect();
    ctx.answer(&columns[..shown], &rows)
}

fn path(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let places = &ctx.environment.places;
    let project = ctx.config_path().unwrap_or_else(|| places.project.clone());
    let files = [
        ("project", Some(project)),
        ("user", places.user.clone()),
        ("system", Some(places.system.clone())),
    ];
    let rows: Vec<Vec<String>> = files
        .into_iter()
        .filter_map(|(place, path)| Some((place, path?)))
        .map(|(place, path)| {
            let state = if path.exists() { "found" } else { "absent" };
            vec![place.into(), path.display().to_string(), state.into()]
        })
        .collect();
    let columns = ["place", "path", "state"];
    ctx.answer(&columns, &rows)
}

/// By the time a command runs its settings were read, so what is left is to say so.
fn check(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let row = |path: &std::path::PathBuf| vec![path.display().to_string(), "valid".to_owned()];
    let rows: Vec<Vec<String>> = ctx.config.files().iter().map(row).collect();
    if rows.is_empty() {
        ctx.notice("no configuration file; every setting is built in or from the environment");
    }
    ctx.answer(&["path", "state"], &rows)
}
