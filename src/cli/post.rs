//! All that is needed to tell somebody: the channels of the configuration, and where a
//! command writes. What is told is not known here.

use std::io::Write;

use super::context::{Context, Environment};
use super::failure::{Failure, Kind};
use crate::config::{Config, Place};
use crate::cycle::deliver::{Post, Report};
use crate::model::{ChannelSpec, SpecValue, nearest};
use crate::notify::{self, Channel, ChannelError, Surroundings};
use crate::render::human;
use crate::render::safe::Untrusted;

/// The channel of that name. `stdout` is there without being configured.
pub(super) fn channel(
    config: &Config,
    environment: &Environment,
    name: &str,
) -> Result<Channel, ChannelError> {
    let stdout = notify::Kind::Stdout.name();
    let around = Surroundings {
        variable: &|name| environment.variables.text(name).map(str::to_owned),
    };
    match config.channels.get(name) {
        Some(table) => Channel::of(&table.spec, &around),
        None if name == stdout => {
            let kind = SpecValue::Text(stdout.to_owned());
            let spec = ChannelSpec {
                name: name.to_owned(),
                settings: [("type".to_owned(), kind)].into(),
            };
            Channel::of(&spec, &around)
        }
        None => Err(unknown(config, name)),
    }
}

fn unknown(config: &Config, name: &str) -> ChannelError {
    let known = || config.channels.keys().map(String::as_str);
    let likely = nearest(name, known()).map_or(String::new(), |n| format!("did you mean {n}? "));
    let known = known().chain(["stdout"]).collect::<Vec<_>>().join(", ");
    ChannelError {
        channel: name.to_owned(),
        key: None,
        why: "it is not configured".to_owned(),
        hint: format!(
            "{likely}the channels are {known}; a new one is a table [channels.{name}] in obs.toml"
        ),
    }
}

/// Does something with all that is needed to tell. Where stdout is for data, what is
/// told there goes to stderr.
pub(super) fn with_post<T>(ctx: &mut Context<'_>, work: impl FnOnce(&mut Post<'_>) -> T) -> T {
    let now = ctx.present();
    let is_data = !ctx.wants_table();
    let (config, environment) = (&ctx.config, ctx.environment);
    let out: &mut dyn Write = match is_data {
        true => &mut *ctx.stderr,
        false => &mut *ctx.stdout,
    };
    let mut say = |line: &str| {
        writeln!(out, "{}", Untrusted(line).shown())?;
        out.flush()
    };
    work(&mut Post {
        channel: &|name| channel(config, environment, name),
        now: &*now,
        random: &mut rand::random::<f64>,
        say: &mut say,
    })
}

/// Warns of everything that could not be told.
pub(super) fn warn_of(ctx: &mut Context<'_>, report: &Report) {
    for failed in &report.failures {
        let mut words = format!("channel {}: {}", failed.channel, failed.error);
        if let Some(next_at) = failed.next_at {
            let wait = human::ago(next_at, ctx.now);
            words += &format!("; {} to be told again {wait}", notices(failed.waiting));
        }
        if failed.given_up > 0 {
            words += &format!(
                "; {} given up, `obs notify retry` tries again",
                notices(failed.given_up)
            );
        }
        ctx.warn(words);
    }
}

fn notices(many: usize) -> String {
    match many {
        1 => "1 notice".to_owned(),
        many => format!("{many} notices"),
    }
}

/// The channels of the configuration that cannot be used.
pub(super) fn broken(ctx: &Context<'_>) -> Vec<(Place, ChannelError)> {
    let mut broken = Vec::new();
    for (name, table) in &ctx.config.channels {
        if let Err(error) = channel(&ctx.config, ctx.environment, name) {
            broken.push((table.place(error.key.as_deref()).clone(), error));
        }
    }
    broken
}

/// A channel that cannot be used, with its place in the configuration.
pub(super) fn refused(config: &Config, error: &ChannelError) -> Failure {
    let failure = Failure::new(Kind::Usage, "channel_invalid", error.to_string());
    let failure = failure.hint(error.hint.clone());
    match config.channels.get(&error.channel) {
        Some(table) => failure.at(table.place(error.key.as_deref())),
        None => failure,
    }
}
