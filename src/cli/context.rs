//! What a command is handed: its streams, the present moment, the settings, and
//! how to speak on each stream.
//!
//! Everything that depends on the machine is read once into an [`Environment`];
//! a test makes one of its own. Commands are not known here.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Weekday;
use chrono_tz::Tz;

use super::failure::Failure;
use super::global::Globals;
use super::time::{Frame, Parsed, Side, parse_time};
use crate::clock;
use crate::config::{Color, Config, ConfigError, Durability, Output, Places, Variables};
use crate::ingest::{Now, Pipe};
use crate::model::{Millis, Zone};
use crate::render::safe::Untrusted;
use crate::render::{self, Answer, Format, Style};
use crate::store::{self, Store};

/// Columns of a terminal nobody knows the width of.
const USUAL_WIDTH: usize = 80;

/// What the process finds around itself.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The environment variables.
    pub variables: Variables,
    /// Where files usually are.
    pub places: Places,
    /// Whether stdin is a terminal.
    pub stdin_is_terminal: bool,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether stderr is a terminal.
    pub stderr_is_terminal: bool,
    /// The width of the terminal in columns.
    pub terminal_width: Option<usize>,
}

impl Environment {
    /// That of this process.
    pub fn of_the_process() -> Environment {
        let variables = Variables::of_the_process();
        let places = Places::usual(&variables);
        Environment {
            variables,
            places,
            stdin_is_terminal: io::stdin().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            terminal_width: terminal_size::terminal_size().map(|(width, _)| width.0.into()),
        }
    }

    /// Whether a stream is coloured.
    pub(super) fn color(&self, wish: Color, stream_is_terminal: bool) -> bool {
        match wish {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if self.variables.raw("NO_COLOR").is_some() => false,
            Color::Auto if self.forces_color() => true,
            Color::Auto => stream_is_terminal && self.variables.text("TERM") != Some("dumb"),
        }
    }

    fn forces_color(&self) -> bool {
        let value = self.variables.text("CLICOLOR_FORCE");
        value.is_some_and(|value| value != "0")
    }

    /// Columns of stdout.
    pub(super) fn width(&self) -> usize {
        let told = || self.variables.text("COLUMNS")?.parse().ok();
        let terminal = self.terminal_width.filter(|_| self.stdout_is_terminal);
        terminal
            .or_else(told)
            .filter(|width| *width > 0)
            .unwrap_or(USUAL_WIDTH)
    }

    /// Whether the locale names a charset other than UTF-8. Without any locale (a container,
    /// cron) UTF-8 is assumed, as terminals do.
    fn locale_is_ascii(&self) -> bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"];
        let locale = names.into_iter().find_map(|name| self.variables.raw(name));
        locale.is_some_and(|locale| {
            let locale = locale.to_string_lossy().to_ascii_lowercase();
            !locale.contains("utf-8") && !locale.contains("utf8")
        })
    }

    /// The zone that `TZ` names, else the machine's, else UTC.
    fn local_zone(&self) -> Tz {
        let named = self.variables.text("TZ");
        named
            .and_then(|name| name.trim_start_matches(':').parse().ok())
            .or_else(|| iana_time_zone::get_timezone().ok()?.parse().ok())
            .unwrap_or(Tz::UTC)
    }
}

/// Where a command reads and writes.
pub struct Streams<'a> {
    /// What comes in. It may be read by another thread.
    pub stdin: Pipe,
    /// The answer, and nothing else.
    pub stdout: &'a mut dyn Write,
    /// Remarks.
    pub stderr: &'a mut dyn Write,
}

/// What a command is handed.
pub(crate) struct Context<'a> {
    /// What comes in.
    pub stdin: Pipe,
    /// For the answer, and nothing else. It is flushed when the command ends.
    pub stdout: &'a mut dyn Write,
    /// For remarks; `notice`, `warn` and `detail` know when they are welcome.
    pub stderr: &'a mut dyn Write,
    /// The present moment.
    pub now: Millis,
    /// The settings in force.
    pub config: Config,
    /// What the process finds around itself.
    pub environment: &'a Environment,
    /// Whether the present was set, and so stands still.
    now_is_set: bool,
    /// Whether there was a warning.
    warned: bool,
    globals: Globals,
}

impl<'a> Context<'a> {
    /// A context for one command.
    ///
    /// # Errors
    /// When `--now` or `OBS_NOW` is no moment.
    pub fn new(
        streams: &'a mut Streams<'_>,
        environment: &'a Environment,
        config: Config,
        globals: Globals,
    ) -> Result<Context<'a>, Failure> {
        let zone = || config.tz.unwrap_or_else(|| environment.local_zone());
        let Parsed { at: now, warning } = present(&globals, environment, zone)?;
        let mut ctx = Context {
            now_is_set: told_now(&globals, environment).is_some(),
            warned: false,
            now,
            stdin: std::mem::replace(&mut streams.stdin, Pipe::empty()),
            stdout: &mut *streams.stdout,
            stderr: &mut *streams.stderr,
            config,
            environment,
            globals,
        };
        if let Some(warning) = warning {
            ctx.warn(warning);
        }
        Ok(ctx)
    }

    /// The file of the store.
    ///
    /// # Errors
    /// When nobody named one and the user has no home directory.
    pub fn db_path(&self) -> Result<PathBuf, Failure> {
        self.config.db.clone().ok_or_else(|| {
            Failure::usage("store_unnamed", "no place for the store: HOME is not set")
                .hint("name a file with --db or OBS_DB")
        })
    }

    /// Opens the store, which must exist.
    ///
    /// # Errors
    /// When it is missing, damaged, locked, newer than this program, or not a store.
    pub fn open_store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.db_path()?, self.store_options())?)
    }

    /// Opens the store, and creates it when there is none.
    ///
    /// # Errors
    /// As [`Context::open_store`], and when it cannot be created.
    pub fn create_store(&self) -> Result<Store, Failure> {
        Ok(Store::create(&self.db_path()?, self.store_options())?)
    }

    /// How a store is opened.
    pub fn store_options(&self) -> store::Options {
        store::Options {
            durability: match self.config.durability {
                Durability::Full => store::Durability::Full,
                Durability::Normal => store::Durability::Normal,
            },
            busy_timeout_ms: self.config.busy_timeout_ms,
        }
    }

    /// What a time is read against.
    pub fn frame(&self) -> Frame {
        frame(self.now, self.zone())
    }

    /// The zone in which times are read and shown. The machine is asked only here.
    pub fn zone(&self) -> Tz {
        self.config
            .tz
            .unwrap_or_else(|| self.environment.local_zone())
    }

    /// The file of settings that was asked for in place of the project's.
    pub fn config_path(&self) -> Option<PathBuf> {
        self.globals.config_path(&self.environment.variables)
    }

    /// All that is wrong with the configuration.
    pub fn config_problems(&self) -> Vec<ConfigError> {
        let (variables, places) = (&self.environment.variables, &self.environment.places);
        Config::read(variables, places, self.config_path().as_deref()).1
    }

    /// Columns of stdout.
    pub fn width(&self) -> usize {
        let told = self.globals.output.width.map(usize::from);
        told.unwrap_or_else(|| self.environment.width())
    }

    /// Whether stdout is coloured.
    pub fn stdout_color(&self) -> bool {
        let env = self.environment;
        env.color(self.config.color, env.stdout_is_terminal)
    }

    /// Whether stderr is coloured.
    pub fn stderr_color(&self) -> bool {
        let env = self.environment;
        env.color(self.config.color, env.stderr_is_terminal)
    }

    /// Whether to draw with ASCII characters only.
    pub fn ascii(&self) -> bool {
        self.globals.output.ascii || self.environment.locale_is_ascii()
    }

    /// How an answer is to be written.
    pub fn style(&self) -> Style {
        let output = &self.globals.output;
        Style {
            format: format(self.config.output),
            fields: output.fields.clone(),
            header: !output.no_header,
            csv_safe: output.csv_safe,
            ascii: self.ascii(),
            color: self.stdout_color(),
            terminal: self.environment.stdout_is_terminal,
            width: self.width(),
            zone: self.zone(),
            now: self.now,
        }
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// When `--fields` names a column the answer does not have, or stdout takes no more.
    pub fn answer(&mut self, answer: &Answer) -> Result<(), Failure> {
        let style = self.style();
        Ok(render::write(self.stdout, answer, &style)?)
    }

    /// The present for work that goes on: the clock, or the moment that was set.
    pub fn present(&self) -> Now {
        let now = self.now;
        match self.now_is_set {
            true => Arc::new(move || now),
            false => Arc::new(clock::now),
        }
    }

    /// Who changes something, for the records: the name of the user, else `obs`.
    pub fn actor(&self) -> String {
        let names = ["USER", "LOGNAME"];
        let variables = &self.environment.variables;
        let name = names.into_iter().find_map(|name| variables.text(name));
        name.unwrap_or("obs").to_owned()
    }

    /// Asks once, when there is somebody to ask; without a terminal the answer is no.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn confirms(&mut self, question: &str) -> Result<bool, Failure> {
        if !self.environment.stdin_is_terminal {
            return Ok(false);
        }
        write!(self.stderr, "{question} [y/N] ")?;
        self.stderr.flush()?;
        let mut answer = String::new();
        io::BufReader::new(&mut self.stdin).read_line(&mut answer)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Whether the columns of the answer were chosen.
    pub fn picks_fields(&self) -> bool {
        self.globals.output.fields.is_some()
    }

    /// Whether the answer is for people.
    pub fn wants_table(&self) -> bool {
        self.config.output == Output::Table
    }

    /// Remarks on success, for people only: silent in cron, in pipes and with `--quiet`.
    pub fn notice(&mut self, text: impl Display) {
        if self.environment.stdout_is_terminal && !self.globals.place.quiet {
            self.remark("", text);
        }
    }

    /// Says what may be wrong although the command succeeds.
    pub fn warn(&mut self, text: impl Display) {
        let warning = match self.stderr_color() {
            true => "\x1b[1;33mwarning:\x1b[0m ",
            false => "warning: ",
        };
        self.remark(warning, text);
        self.warned = true;
    }

    /// Whether there was a warning, and one is not to pass for success.
    pub fn fails_on_warning(&self) -> bool {
        self.warned && self.globals.place.fail_on_warning
    }

    /// Says how the work goes, to who asked for it with `-v`.
    pub fn detail(&mut self, text: impl Display) {
        if self.globals.place.verbose > 0 {
            self.remark("", text);
        }
    }

    /// Whether long work may draw its progress on stderr.
    pub fn progress_allowed(&self) -> bool {
        self.environment.stderr_is_terminal && !self.globals.place.quiet
    }

    /// A command does not fail because nobody listens to its remarks.
    fn remark(&mut self, before: &str, text: impl Display) {
        for line in text.to_string().lines() {
            let _ = writeln!(self.stderr, "{before}{}", Untrusted(line).shown());
        }
    }
}

fn format(output: Output) -> Format {
    match output {
        Output::Table => Format::Table,
        Output::Json => Format::Json,
        Output::Jsonl => Format::Jsonl,
        Output::Csv => Format::Csv,
        Output::Tsv => Format::Tsv,
        Output::Md => Format::Md,
    }
}

/// The moment that a flag or the environment fixes, with a warning when it was doubtful; else
/// that of the clock.
fn present(
    globals: &Globals,
    environment: &Environment,
    zone: impl Fn() -> Tz,
) -> Result<Parsed, Failure> {
    let now = clock::now();
    match told_now(globals, environment) {
        Some(text) => Ok(parse_time(text, Side::Since, &frame(now, zone()))?),
        None => Ok(Parsed {
            at: now,
            warning: None,
        }),
    }
}

fn told_now<'t>(globals: &'t Globals, environment: &'t Environment) -> Option<&'t str> {
    let told = globals.place.now.as_deref();
    told.or_else(|| environment.variables.text("OBS_NOW"))
}

fn frame(now: Millis, zone: Tz) -> Frame {
    Frame {
        now,
        zone: Zone::parse(zone.name()).unwrap_or(Zone::UTC),
        week_start: Weekday::Mon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = Variables::of(variables);
        Environment {
            places: Places::usual(&variables),
            variables,
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            terminal_width: None,
        }
    }

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let plain = environment(&[]);
        assert!(plain.color(Color::Auto, true));
        assert!(!plain.color(Color::Auto, false));
        assert!(plain.color(Color::Always, false));
        assert!(!plain.color(Color::Never, true));
        assert!(!environment(&[("NO_COLOR", "1")]).color(Color::Auto, true));
        assert!(environment(&[("NO_COLOR", "")]).color(Color::Auto, true));
        assert!(!environment(&[("TERM", "dumb")]).color(Color::Auto, true));
        assert!(environment(&[("CLICOLOR_FORCE", "1")]).color(Color::Auto, false));
        assert!(!environment(&[("CLICOLOR_FORCE", "0")]).color(Color::Auto, false));
    }

    #[test]
    fn the_width_is_the_terminals_then_that_of_columns_then_eighty() {
        assert_eq!(environment(&[]).width(), 80);
        assert_eq!(environment(&[("COLUMNS", "0")]).width(), 80);
        let mut env = environment(&[("COLUMNS", "132")]);
        assert_eq!(env.width(), 132);
        env.terminal_width = Some(100);
        assert_eq!(env.width(), 132, "the terminal is that of stderr");
        env.stdout_is_terminal = true;
        assert_eq!(env.width(), 100);
    }

    #[test]
    fn a_locale_of_another_charset_draws_in_ascii() {
        for (locale, ascii) in [
            ("C", true),
            ("de_DE", true),
            ("C.UTF-8", false),
            ("en_US.utf8", false),
        ] {
            assert_eq!(
                environment(&[("LANG", locale)]).locale_is_ascii(),
                ascii,
                "{locale}"
            );
        }
        assert!(!environment(&[]).locale_is_ascii());
        let both = [("LC_ALL", "POSIX"), ("LANG", "C.UTF-8")];
        assert!(environment(&both).locale_is_ascii());
    }

    #[test]
    fn the_local_zone_is_that_of_tz() {
        let env = environment(&[("TZ", ":America/New_York")]);
        assert_eq!(env.local_zone(), Tz::America__New_York);
    }
}
