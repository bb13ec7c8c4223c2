//! Arguments that many commands share: the global flags, the window of time and
//! the filters. One definition each, so that they are spelt the same everywhere.
//!
//! Flags are kept as they were typed, and read when a command asks for their
//! meaning; the forms of a time are known to `time`, those of a filter to the model.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{ArgAction, Args};

use super::context::Context;
use super::failure::Failure;
use super::time;
use crate::config::{Color, Config, ConfigError, Key, Origin, Output, Variables, Word};
use crate::model::{Dimension, Matcher, Selector, Span};

/// Flags accepted by every command, before or after its name.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Globals {
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(flatten)]
    pub place: PlaceFlags,
}

/// How an answer is written.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// Form of the answer [env: OBS_OUTPUT] [default: table]
    #[arg(short = 'o', long = "output", global = true, value_name = "FORMAT", value_parser = words::<Output>())]
    pub format: Option<String>,
    /// Short for `-o json`
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,
    /// Only these columns, in this order
    #[arg(long, global = true, value_name = "A,B,…", value_delimiter = ',')]
    pub fields: Option<Vec<String>>,
    /// Leave out the header line of csv and tsv
    #[arg(long, global = true, hide_short_help = true)]
    pub no_header: bool,
    /// Keep csv cells from being read as formulas by a spreadsheet
    #[arg(long, global = true, hide_short_help = true)]
    pub csv_safe: bool,
    /// Read and show times in this zone [env: OBS_TZ] [default: local]
    #[arg(long, global = true, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Short for `--tz UTC`
    #[arg(long, global = true, conflicts_with = "tz")]
    pub utc: bool,
    /// Colour the text [env: OBS_COLOR] [default: auto]
    #[arg(long, global = true, hide_short_help = true, value_name = "WHEN", value_parser = words::<Color>())]
    pub color: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long, global = true, hide_short_help = true)]
    pub ascii: bool,
    /// Width in columns [default: the terminal's, else COLUMNS, else 80]
    #[arg(long, global = true, hide_short_help = true, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(10..))]
    pub width: Option<u16>,
}

/// Where things are, and how much is said.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global")]
pub(crate) struct PlaceFlags {
    /// File of the store [env: OBS_DB] [default: ~/.local/share/obs/obs.db]
    #[arg(long, global = true, value_name = "PATH")]
    pub db: Option<PathBuf>,
    /// Configuration to read in place of ./obs.toml [env: OBS_CONFIG]
    #[arg(long, global = true, hide_short_help = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Take this moment for the present, to replay or to test [env: OBS_NOW]
    #[arg(long, global = true, hide_short_help = true, value_name = "TIME")]
    pub now: Option<String>,
    /// How long to wait for a store that is being written [env: OBS_BUSY_TIMEOUT] [default: 5s]
    #[arg(long, global = true, hide_short_help = true, value_name = "DURATION")]
    pub busy_timeout: Option<String>,
    /// No notices and no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Exit with 3 when there was a warning
    #[arg(long, global = true, hide_short_help = true)]
    pub fail_on_warning: bool,
    /// Say more on stderr; twice says all
    #[arg(short, long, global = true, hide_short_help = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show where an internal error happened
    #[arg(long, global = true, hide_short_help = true)]
    pub debug: bool,
    /// Show help; `--help` adds examples
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Show the version
    #[arg(short = 'V', long, global = true, action = ArgAction::Version)]
    version: Option<bool>,
}

impl Globals {
    /// The file of settings that was asked for.
    pub fn config_path(&self, variables: &Variables) -> Option<PathBuf> {
        let told = || variables.raw("OBS_CONFIG").map(PathBuf::from);
        self.place.config.clone().or_else(told)
    }

    /// Lays the flags that were given over the settings.
    pub fn apply(&self, config: &mut Config) -> Result<(), ConfigError> {
        let output = &self.output;
        let format = if output.json {
            Some("json")
        } else {
            output.format.as_deref()
        };
        let tz = if output.utc {
            Some("UTC")
        } else {
            output.tz.as_deref()
        };
        let given = [
            (Key::Output, format, "--output"),
            (Key::Tz, tz, "--tz"),
            (Key::Color, output.color.as_deref(), "--color"),
            (
                Key::BusyTimeout,
                self.place.busy_timeout.as_deref(),
                "--busy-timeout",
            ),
        ];
        for (key, text, flag) in given {
            if let Some(text) = text {
                config.set(key, text, Origin::Flag(flag))?;
            }
        }
        if let Some(path) = &self.place.db {
            config.set_db(path.clone(), Origin::Flag("--db"));
        }
        Ok(())
    }
}

/// The window of time a question is about: `[since, until)`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Time")]
pub(crate) struct Window {
    /// Start: a duration before now, a word, a date, a time or @epoch
    #[arg(
        long,
        value_name = "TIME",
        default_value = "24h",
        allow_hyphen_values = true
    )]
    pub since: String,
    /// End, itself outside
    #[arg(
        long,
        value_name = "TIME",
        default_value = "now",
        allow_hyphen_values = true
    )]
    pub until: String,
}

impl Window {
    /// The window of the flags; a doubtful local time is warned of.
    pub fn span(&self, ctx: &mut Context<'_>) -> Result<Span, Failure> {
        let window = time::window(Some(&self.since), Some(&self.until), &ctx.frame())?;
        for warning in window.warnings {
            ctx.warn(warning);
        }
        Ok(window.span)
    }
}

/// The length of a bucket of a series.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Time")]
pub(crate) struct Step {
    /// Length of a bucket: auto, 10s, 1m, 1h, 1d
    #[arg(
        long,
        value_name = "STEP",
        default_value = "auto",
        allow_hyphen_values = true
    )]
    pub step: String,
}

impl Step {
    /// The step of the flag.
    pub fn parse(&self) -> Result<time::Step, Failure> {
        Ok(time::parse_step(&self.step)?)
    }
}

/// Which events a question is about. Values of one flag are alternatives; flags narrow each other.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filter")]
pub(crate) struct Filter {
    /// Only these providers; `!x` excludes, `*` matches anything
    #[arg(long, value_name = "NAME")]
    pub provider: Vec<String>,
    /// Only these models
    #[arg(long, value_name = "NAME")]
    pub model: Vec<String>,
    /// Only these users
    #[arg(long, value_name = "ID")]
    pub user: Vec<String>,
    /// Only these roles
    #[arg(long, value_name = "NAME")]
    pub role: Vec<String>,
    /// Only these projects
    #[arg(long, value_name = "NAME")]
    pub project: Vec<String>,
    /// Only these sessions
    #[arg(long, value_name = "ID")]
    pub session: Vec<String>,
    /// Only requests that ended so: ok or error
    #[arg(long, value_name = "STATUS", value_parser = ["ok", "error", "!ok", "!error"])]
    pub status: Vec<String>,
    /// Only these paths
    #[arg(long, value_name = "PATH")]
    pub endpoint: Vec<String>,
    /// Only these kinds of error
    #[arg(long, value_name = "KIND")]
    pub error_type: Vec<String>,
}

impl Filter {
    /// The selector of the flags.
    pub fn selector(&self) -> Selector {
        let all = [
            (Dimension::Provider, &self.provider),
            (Dimension::Model, &self.model),
            (Dimension::User, &self.user),
            (Dimension::Role, &self.role),
            (Dimension::Project, &self.project),
            (Dimension::Session, &self.session),
            (Dimension::Status, &self.status),
            (Dimension::Endpoint, &self.endpoint),
            (Dimension::ErrorType, &self.error_type),
        ];
        let matchers = all
            .into_iter()
            .flat_map(|(dimension, values)| Matcher::from_values(dimension, values));
        Selector {
            matchers: matchers.collect(),
        }
    }
}

/// Accepts the words of a closed set and shows them in the help.
fn words<W: Word>() -> ValueParser {
    PossibleValuesParser::new(W::names()).into()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Question {
        #[command(flatten)]
        window: Window,
        #[command(flatten)]
        step: Step,
        #[command(flatten)]
        filter: Filter,
    }

    fn question(line: &str) -> Question {
        Question::try_parse_from(line.split(' ')).unwrap()
    }

    #[test]
    fn filters_of_one_flag_are_alternatives_and_flags_narrow_each_other() {
        let line = "obs --model gpt-4* --provider claude --model o3 --model !gpt-4-32k";
        assert_eq!(
            question(line).filter.selector().to_string(),
            r#"{provider="claude", model=~"gpt-4*|o3", model!="gpt-4-32k"}"#
        );
        assert_eq!(question("obs").filter.selector(), Selector::default());
    }

    #[test]
    fn a_question_without_times_is_about_the_last_day() {
        let Question { window, step, .. } = question("obs");
        assert_eq!(
            (window.since.as_str(), window.until.as_str()),
            ("24h", "now")
        );
        assert!(matches!(step.parse(), Ok(time::Step::Auto)));
    }

    #[test]
    fn a_step_that_is_none_is_refused_with_its_forms() {
        let failure = question("obs --step -1m").step.parse().unwrap_err();
        assert_eq!(failure.kind().exit_code(), 2);
        assert!(
            failure
                .to_text(false)
                .contains("hint: write it like auto, 10s")
        );
    }
}
