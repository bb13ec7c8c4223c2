//! What a command says when it cannot do what was asked: a kind, which is the
//! exit code, a message, its place, its causes and one hint.
//!
//! Every error of the floors below becomes a [`Failure`] here, in one `match` per
//! module. What a command does when all goes well is not known here.

mod asked;

use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde_json::{Value, json};

use super::snippet::Snippet;
use super::time::TimeError;
use crate::alert::AlertError;
use crate::config::{ConfigError, Key, Origin};
use crate::cycle::CycleError;
use crate::ingest::IngestError;
use crate::input::InputError;
use crate::model::{DurationError, ExprError, ZoneError};
use crate::render::RenderError;
use crate::render::safe::{Shown, Untrusted, inert_json};
use crate::store::StoreError;

/// The kind of a failure. It decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The reader of our output went away. Nothing failed.
    PipeClosed,
    /// Input, output, the store, the network, or `obs` itself.
    Failed,
    /// A flag, value, time or field that means nothing.
    Usage,
    /// A check found something.
    Found,
    /// There is no such rule, alert, provider, price, trace or budget.
    NotFound,
    /// Some lines or rows were refused; the rest is stored.
    Partly,
    /// The store was still locked after the time one is ready to wait.
    Busy,
    /// The store is missing, newer than this program, or damaged.
    Unusable,
    /// Stopped by SIGINT.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
}

impl Kind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::PipeClosed => 0,
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Found => 3,
            Kind::NotFound => 4,
            Kind::Partly => 5,
            Kind::Busy => 6,
            Kind::Unusable => 7,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }
}

/// Why a command ended early, in words for people and for programs.
#[derive(Debug)]
pub struct Failure(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    code: &'static str,
    message: String,
    location: Option<String>,
    snippet: Option<Snippet>,
    causes: Vec<String>,
    hint: Option<String>,
    details: Option<Value>,
}

impl Failure {
    /// A failure of a kind. `code` is stable, for programs; the message says what failed and on
    /// what, in lower case and without a full stop.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Failure {
        Failure(Box::new(Parts {
            kind,
            code,
            message: message.into(),
            location: None,
            snippet: None,
            causes: Vec::new(),
            hint: None,
            details: None,
        }))
    }

    /// A flag, value, time or field that means nothing.
    pub fn usage(code: &'static str, message: impl Into<String>) -> Failure {
        Failure::new(Kind::Usage, code, message)
    }

    /// Ends with the exit code of the kind and without a word: the answer said it all.
    pub fn silent(kind: Kind) -> Failure {
        Failure::new(kind, "", "")
    }

    /// An error and its causes, in its own words. Writing into a closed pipe is no failure,
    /// however deep in the chain it lies.
    pub fn from_error(kind: Kind, code: &'static str, error: &(dyn Error + 'static)) -> Failure {
        Failure::new(kind, code, error.to_string()).caused_by(error.source())
    }

    /// A text that cannot be read, shown with a mark below the place; `what` it should be.
    pub fn in_text(error: &ExprError, text: &str, what: &'static str) -> Failure {
        let (line, column) = error.line_and_column(text);
        let mut failure = Failure::usage("expression_invalid", error.to_string())
            .at(format!("{what}:{line}:{column}"))
            .details(json!({ "expression": text, "line": line, "column": column }))
            .showing(text, line, column);
        failure.0.hint = error.hint.clone();
        failure
    }

    /// Says where: a file, a line and a column.
    #[must_use]
    pub fn at(mut self, location: impl ToString) -> Failure {
        self.0.location = Some(location.to_string());
        self
    }

    /// Adds a cause and the causes of the cause. Transparent layers, which repeat the words of
    /// the one above, are left out.
    #[must_use]
    pub fn caused_by(mut self, mut cause: Option<&(dyn Error + 'static)>) -> Failure {
        while let Some(error) = cause {
            if is_closed_pipe(error) {
                self.0.kind = Kind::PipeClosed;
            }
            let words = lower_first(&system_words(&error.to_string()));
            if self.0.causes.last().unwrap_or(&self.0.message) != &words {
                self.0.causes.push(words);
            }
            cause = error.source();
        }
        self
    }

    /// Shows the line of the text that was misread, with a mark below the place.
    #[must_use]
    pub fn showing(mut self, text: &str, line: usize, column: usize) -> Failure {
        self.0.snippet = Snippet::around(text, line, column);
        self
    }

    /// Says what to try: a command or an edit.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds facts for programs.
    #[must_use]
    pub fn details(mut self, details: Value) -> Failure {
        self.0.details = Some(details);
        self
    }

    /// What failed, without its causes and the hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to try.
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether nothing is said.
    pub fn is_silent(&self) -> bool {
        self.0.kind == Kind::PipeClosed || self.0.message.is_empty()
    }

    /// The text for people; it ends in a line feed.
    pub fn to_text(&self, color: bool) -> String {
        let parts = &*self.0;
        let word = |name: &str, sgr: &str| match color {
            true => format!("\x1b[{sgr}m{name}:\x1b[0m"),
            false => format!("{name}:"),
        };
        let mut text = format!("{} {}\n", word("error", "1;31"), inert(&parts.message));
        // Writing into a String cannot fail.
        if let Some(location) = &parts.location {
            let _ = writeln!(text, "  --> {}", inert(location));
        }
        if let Some(snippet) = &parts.snippet {
            let _ = writeln!(text, "{snippet}");
        }
        for cause in &parts.causes {
            let _ = writeln!(text, "  caused by: {}", inert(cause));
        }
        if let Some(hint) = &parts.hint {
            let _ = writeln!(text, "{} {}", word("hint", "1;36"), inert(hint));
        }
        text
    }

    /// One line of JSON for programs; it ends in a line feed.
    pub fn to_json(&self) -> String {
        let parts = &*self.0;
        let error = json!({ "error": {
            "code": parts.code,
            "message": parts.message,
            "location": parts.location,
            "causes": parts.causes,
            "hint": parts.hint,
            "details": parts.details,
        }});
        format!("{}\n", inert_json(&error.to_string()))
    }
}

/// Writing the answer failed. Other input and output has errors of its own, which say on what.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::new(Kind::Failed, "output_failed", "cannot write the answer")
            .caused_by(Some(&error))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let failure = |code| Failure::from_error(Kind::Usage, code, &error);
        match &error {
            ConfigError::Read { .. } => {
                Failure::from_error(Kind::Failed, "config_unreadable", &error)
                    .hint("name another file with --config or OBS_CONFIG")
            }
            ConfigError::Missing { .. } => failure("config_missing")
                .hint("`obs config path` shows where configuration is looked for"),
            ConfigError::Syntax { place, .. } => failure("config_syntax")
                .at(place)
                .hint("each line is `key = \"value\"`"),
            ConfigError::UnknownKey { place, nearest, .. } => {
                let list = format!(
                    "the settings are {}, and [channels.NAME]",
                    Key::ALL.map(Key::name).join(", ")
                );
                failure("config_unknown_key").at(place).hint(match nearest {
                    Some(key) => format!("did you mean {key}? {list}"),
                    None => list,
                })
            }
            ConfigError::NotText { place, .. } => failure("config_invalid")
                .at(place)
                .hint("put the value in quotes"),
            ConfigError::BadTable { place, .. } => failure("config_invalid")
                .at(place)
                .hint("a channel is a table: [channels.team] and below it type = \"slack\""),
            ConfigError::BadValue { origin, hint, .. } => {
                let failure = failure("config_invalid").hint(hint);
                match origin {
                    Origin::File(place) => failure.at(place),
                    Origin::Flag(_) | Origin::Variable(_) | Origin::BuiltIn => failure,
                }
            }
            ConfigError::VariableNotText(_) => failure("config_invalid"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let failure = |kind, code| Failure::from_error(kind, code, &error);
        match &error {
            StoreError::Missing(_) => failure(Kind::Unusable, "store_missing")
                .hint("`obs init` makes one; --db or OBS_DB names another"),
            StoreError::NotAStore(_) => failure(Kind::Unusable, "store_foreign")
                .hint("choose another file with --db or OBS_DB"),
            StoreError::Newer { .. } => failure(Kind::Unusable, "store_newer")
                .hint("install the version of obs that wrote it, or a later one"),
            StoreError::Damaged(_) => failure(Kind::Unusable, "store_damaged").hint(
                "`obs restore FILE` puts a backup in its place; --db or OBS_DB names another",
            ),
            StoreError::Busy => failure(Kind::Busy, "store_busy")
                .hint("try again, or wait longer with --busy-timeout"),
            StoreError::InUse => failure(Kind::Busy, "store_in_use")
                .hint("stop what has it open (obs ingest, obs serve, obs run), then try again"),
            StoreError::ReadOnly => failure(Kind::Unusable, "store_read_only")
                .hint("let this user write the file and its folder"),
            StoreError::Full => failure(Kind::Failed, "disk_full")
                .hint("make room on the disk and run it again; what was acknowledged is safe"),
            StoreError::Disk(_) => failure(Kind::Failed, "disk_failed")
                .hint("see the system's log; what was acknowledged before is in the store"),
            StoreError::Io { .. } => {
                failure(Kind::Failed, "store_io").hint("choose another file with --db or OBS_DB")
            }
            StoreError::Setting { key, .. } => failure(Kind::Unusable, "store_setting_invalid")
                .hint(format!("give it a value: obs config set {key} default")),
            StoreError::Migration(_) => failure(Kind::Unusable, "store_migration_failed"),
            StoreError::Sql(_) => failure(Kind::Failed, "store_failed"),
        }
    }
}

impl From<AlertError> for Failure {
    fn from(error: AlertError) -> Failure {
        match error {
            AlertError::Query(error) => error.into(),
            AlertError::Store(error) => error.into(),
        }
    }
}

impl From<CycleError> for Failure {
    fn from(error: CycleError) -> Failure {
        match error {
            CycleError::Alert(error) => error.into(),
            CycleError::Store(error) => error.into(),
        }
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Failure {
        let failure = |code| Failure::from_error(Kind::Usage, code, &error);
        match &error {
            InputError::NoEquals(_) => failure("mapping_invalid")
                .hint("write --map timestamp=TIMESTAMP or --set type=request"),
            InputError::UnknownField { .. } | InputError::FieldTwice(_) => failure("field_unknown")
                .hint("the left side is a field of an event, such as timestamp, model or input_tokens"),
            InputError::BadPath(_) => failure("mapping_invalid")
                .hint("a path is names with dots between them: response.usage.prompt_tokens"),
            InputError::NoColumn { .. } | InputError::ColumnTwice(_) | InputError::BadHeader(_) => {
                failure("header_invalid").hint("the first line of a CSV file names its columns")
            }
            InputError::BaseWithoutUnit => {
                failure("time_unit_missing").hint("add --time-unit ms, or whatever the unit is")
            }
        }
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Failure {
        match error {
            IngestError::Input { input, source } => Failure::from(source).at(input),
            IngestError::Store(error) => error.into(),
            IngestError::Read { .. } => {
                Failure::from_error(Kind::Failed, "input_unreadable", &error)
            }
            IngestError::Packed { .. } => Failure::from_error(Kind::Usage, "input_packed", &error)
                .hint("a compressed file does not grow; leave out --follow to read it"),
            IngestError::Strict { .. } => Failure::from_error(Kind::Failed, "line_refused", &error)
                .hint("mend the line, or leave out --strict: bad lines are then kept aside"),
        }
    }
}

impl From<ZoneError> for Failure {
    fn from(error: ZoneError) -> Failure {
        Failure::usage("timezone_unknown", error.to_string()).hint(error.hint())
    }
}

impl From<TimeError> for Failure {
    fn from(error: TimeError) -> Failure {
        let code = match &error {
            TimeError::Time { .. } => "time_invalid",
            TimeError::Step { .. } => "step_invalid",
            TimeError::EmptyWindow { .. } => "window_empty",
        };
        Failure::usage(code, error.to_string()).hint(error.hint())
    }
}

impl From<DurationError> for Failure {
    fn from(error: DurationError) -> Failure {
        Failure::usage("duration_invalid", error.to_string()).hint(error.hint())
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Failure {
        let message = error.to_string();
        match error {
            RenderError::UnknownField { nearest, known, .. } => {
                let list = format!("the fields are {}", known.join(", "));
                Failure::usage("field_unknown", message)
                    .details(json!({ "fields": known }))
                    .hint(match nearest {
                        Some(name) => format!("did you mean {name}? {list}"),
                        None => list,
                    })
            }
            RenderError::Io(error) => error.into(),
        }
    }
}

/// Lets a panic say that it is a defect of `obs`, without a backtrace unless one is wanted, and
/// end the process with the exit code of a failure.
pub fn report_panics(backtrace: bool) {
    std::panic::set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str().unwrap_or("no reason given");
        let message = format!("internal error: {words}");
        let mut failure = Failure::new(Kind::Failed, "internal", message)
            .hint("this is a defect of obs; please report it with the output of --debug");
        if let Some(place) = panic.location() {
            failure = failure.at(place);
        }
        let mut text = failure.to_text(false);
        if backtrace {
            let _ = write!(text, "{}", Backtrace::force_capture());
        }
        let _ = io::stderr().write_all(text.as_bytes());
        std::process::exit(Kind::Failed.exit_code().into());
    }));
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// What the system says, without the number it adds: `Permission denied (os error 13)`.
fn system_words(text: &str) -> String {
    match text.rfind(" (os error ") {
        Some(end) if text.ends_with(')') => text[..end].to_owned(),
        _ => text.to_owned(),
    }
}

/// Our messages begin in lower case; names in capitals (`SQLite`, `I/O`) keep theirs.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second))
            if first.is_ascii_uppercase() && second.is_ascii_lowercase() =>
        {
            let first = first.to_ascii_lowercase();
            format!("{first}{second}{}", chars.as_str())
        }
        _ => text.to_owned(),
    }
}

/// A message may quote what a stranger wrote.
fn inert(text: &str) -> Shown<'_> {
    Untrusted(text).shown()
}

#[cfg(test)]
mod tests;
