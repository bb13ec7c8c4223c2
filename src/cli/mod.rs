//! Arguments in, one call, text out.
//!
//! [`run`] is the whole program: it parses, reads the settings, hands a
//! `Context` to one command, and turns what went wrong into words and
//! an exit code. A command is a file beside this one and a line in each of the
//! three lists below. There is no SQL and no arithmetic here.

mod alerts;
mod asked;
mod backup;
mod chart;
mod compared;
mod completions;
mod config;
mod context;
mod cost;
mod db;
mod demo;
mod doctor;
mod events;
mod export;
mod failure;
mod global;
mod health;
mod help;
mod ingest;
mod init;
mod list;
mod man;
mod notify;
mod post;
mod query;
mod record;
mod retention;
mod rollup;
mod rules;
mod run;
mod seen;
mod snippet;
mod sql;
mod stats;
pub mod time;
mod told;
mod usage;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Color, Config, Output, Word};
use context::Context;
use failure::{Failure, Kind};
use global::Globals;

pub use crate::ingest::Pipe;
pub use context::{Environment, Streams};
pub use failure::report_panics;

/// What your LLM providers cost, how fast they are and when they break
#[derive(Parser, Debug)]
#[command(
    name = "obs",
    version,
    propagate_version = true,
    disable_version_flag = true,
    disable_help_flag = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Ingest(ingest::Args),
    Record(record::Args),
    Rollup(rollup::Args),
    Run(run::Args),
    Notify(notify::Args),
    Retention(retention::Args),
    Cleanup(retention::RunArgs),
    Stats(stats::Args),
    Health(health::Args),
    Providers(seen::Providers),
    Models(seen::Models),
    Query(query::Args),
    Sql(sql::Args),
    Chart(chart::Args),
    Events(events::Args),
    Export(export::Args),
    Cost(cost::Args),
    Alerts(Box<alerts::Args>),
    Rules(Box<rules::Args>),
    Config(config::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Db(db::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The commands as the short help groups them.
const GROUPS: &[help::Group] = &[
    help::Group {
        title: "Record",
        commands: &["demo", "init", "ingest", "record"],
    },
    help::Group {
        title: "Ask",
        commands: &[
            "stats",
            "health",
            "providers",
            "models",
            "query",
            "sql",
            "chart",
            "events",
        ],
    },
    help::Group {
        title: "Alert",
        commands: &["alerts", "rules"],
    },
    help::Group {
        title: "Cost",
        commands: &["cost"],
    },
    help::Group {
        title: "Operate",
        commands: &[
            "run",
            "notify",
            "rollup",
            "retention",
            "cleanup",
            "backup",
            "restore",
            "db",
            "doctor",
            "export",
            "config",
            "completions",
            "man",
        ],
    },
];

/// Calls the command.
fn dispatch(ctx: &mut Context<'_>, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => demo::run(ctx, args),
        Command::Init(args) => init::run(ctx, args),
        Command::Ingest(args) => ingest::run(ctx, args),
        Command::Record(args) => record::run(ctx, args),
        Command::Rollup(args) => rollup::run(ctx, args),
        Command::Run(args) => run::run(ctx, args),
        Command::Notify(args) => notify::run(ctx, args),
        Command::Retention(args) => retention::run(ctx, args),
        Command::Cleanup(args) => retention::clean_up(ctx, args),
        Command::Stats(args) => stats::run(ctx, args),
        Command::Health(args) => health::run(ctx, args),
        Command::Providers(args) => seen::providers(ctx, args),
        Command::Models(args) => seen::models(ctx, args),
        Command::Query(args) => query::run(ctx, args),
        Command::Sql(args) => sql::run(ctx, args),
        Command::Chart(args) => chart::run(ctx, args),
        Command::Events(args) => events::run(ctx, args),
        Command::Export(args) => export::run(ctx, args),
        Command::Cost(args) => cost::run(ctx, args),
        Command::Alerts(args) => alerts::run(ctx, args),
        Command::Rules(args) => rules::run(ctx, args),
        Command::Config(args) => config::run(ctx, args),
        Command::Backup(args) => backup::back_up(ctx, args),
        Command::Restore(args) => backup::restore(ctx, args),
        Command::Db(args) => db::run(ctx, args),
        Command::Doctor(args) => doctor::run(ctx, args),
        Command::Completions(args) => completions::run(ctx, args),
        Command::Man(args) => man::run(ctx, args),
    }
}

/// Runs `obs` with these arguments, the program's name first; returns the exit code.
pub fn run(args: Vec<OsString>, environment: &Environment, mut streams: Streams<'_>) -> u8 {
    let mut voice = Voice::guess(&args, environment);
    let outcome = attempt(args, environment, &mut streams, &mut voice);
    let flushed = streams.stdout.flush().map_err(Failure::from);
    let Err(failure) = outcome.and(flushed) else {
        return 0;
    };
    if !failure.is_silent() {
        let text = match voice.json {
            true => failure.to_json(),
            false => failure.to_text(voice.color),
        };
        // When nobody hears it, the exit code still says it.
        let _ = streams.stderr.write_all(text.as_bytes());
    }
    failure.kind().exit_code()
}

fn attempt(
    args: Vec<OsString>,
    environment: &Environment,
    streams: &mut Streams<'_>,
    voice: &mut Voice,
) -> Result<(), Failure> {
    let Some(cli) = parse(args, environment, streams)? else {
        return Ok(());
    };
    let Some(command) = cli.command else {
        let text = help::short(&Cli::command(), GROUPS);
        streams.stderr.write_all(text.as_bytes())?;
        return Err(Failure::silent(Kind::Usage));
    };
    let config = settings(&cli.globals, &command, environment)?;
    *voice = Voice {
        json: config.output == Output::Json,
        color: environment.color(config.color, environment.stderr_is_terminal),
    };
    let mut ctx = Context::new(streams, environment, config, cli.globals)?;
    dispatch(&mut ctx, &command)?;
    match ctx.fails_on_warning() {
        true => Err(Failure::silent(Kind::Found)),
        false => Ok(()),
    }
}

/// The arguments, or `None` when they asked for help or the version, which are then written.
fn parse(
    args: Vec<OsString>,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> Result<Option<Cli>, Failure> {
    let parsed = command_line(environment)
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let error = match parsed {
        Ok(cli) => return Ok(Some(cli)),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp => write!(streams.stdout, "{error}")?,
        ErrorKind::DisplayVersion => writeln!(streams.stdout, "obs {}", env!("CARGO_PKG_VERSION"))?,
        _ => return Err(error.into()),
    }
    Ok(None)
}

/// What clap knows of the command line, dressed for people.
fn command_line(environment: &Environment) -> clap::Command {
    help::dressed(Cli::command(), GROUPS).term_width(environment.width().clamp(40, 100))
}

/// What clap knows of the command line, with every command in sight.
fn plain_command_line() -> clap::Command {
    Cli::command()
}

fn settings(
    globals: &Globals,
    command: &Command,
    environment: &Environment,
) -> Result<Config, Failure> {
    let explicit = globals.config_path(&environment.variables);
    let places = &environment.places;
    let variables = &environment.variables;
    let mut config = match command.works_without_settings() {
        true => Config::read(variables, places, explicit.as_deref()).0,
        false => Config::load(variables, places, explicit.as_deref())?,
    };
    globals.apply(&mut config)?;
    Ok(config)
}

impl Command {
    /// Whether it needs no settings, or helps to mend those that cannot be read.
    fn works_without_settings(&self) -> bool {
        let needs_none = matches!(
            self,
            Command::Completions(_) | Command::Man(_) | Command::Doctor(_)
        );
        needs_none || matches!(self, Command::Config(args) if args.works_without_settings())
    }
}

/// How failures are told.
struct Voice {
    json: bool,
    color: bool,
}

impl Voice {
    /// What can be known before the arguments are understood.
    fn guess(args: &[OsString], environment: &Environment) -> Voice {
        let texts = || args.iter().filter_map(|arg| arg.to_str());
        let named = |text: &str| ["-ojson", "-o=json", "--output=json", "--json"].contains(&text);
        let parted = || texts().zip(texts().skip(1));
        let json = Output::Json.name();
        Voice {
            json: texts().any(named)
                || parted().any(|(flag, value)| matches!(flag, "-o" | "--output") && value == json)
                || environment.variables.text("OBS_OUTPUT") == Some(json),
            color: environment.color(Color::Auto, environment.stderr_is_terminal),
        }
    }
}

#[cfg(test)]
mod tests;
