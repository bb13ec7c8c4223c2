//! Settings: where they are looked for, which one wins, and where it came from.
//!
//! A flag wins over the environment, that over the project's file, the user's
//! file, the machine's file, and the built-in value. A setting has one name in
//! three coats: `--busy-timeout`, `OBS_BUSY_TIMEOUT`, `busy_timeout`. What must
//! mean the same in a shell and in cron is kept in the store and not known here.

mod file;
mod places;
mod words;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;

pub use file::Place;
pub use places::{Places, Variables};
pub use words::{Color, Durability, Output, Word};

/// The name of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The file of the store.
    Db,
    /// The form of answers.
    Output,
    /// The zone in which times are read and shown.
    Tz,
    /// Whether text is coloured.
    Color,
    /// What an acknowledged event survives.
    Durability,
    /// How long to wait for a store that another process is writing.
    BusyTimeout,
}

impl Key {
    /// Every setting.
    pub const ALL: [Key; 6] = [
        Key::Db,
        Key::Output,
        Key::Tz,
        Key::Color,
        Key::Durability,
        Key::BusyTimeout,
    ];

    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Key::Db => "db",
            Key::Output => "output",
            Key::Tz => "tz",
            Key::Color => "color",
            Key::Durability => "durability",
            Key::BusyTimeout => "busy_timeout",
        }
    }

    /// Its name in the environment.
    pub fn variable(self) -> &'static str {
        match self {
            Key::Db => "OBS_DB",
            Key::Output => "OBS_OUTPUT",
            Key::Tz => "OBS_TZ",
            Key::Color => "OBS_COLOR",
            Key::Durability => "OBS_DURABILITY",
            Key::BusyTimeout => "OBS_BUSY_TIMEOUT",
        }
    }

    /// The setting of that name.
    pub fn parse(name: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.name() == name)
    }

    fn nearest(name: &str) -> Key {
        let distance = |key: &Key| strsim::damerau_levenshtein(key.name(), name);
        Key::ALL.into_iter().min_by_key(distance).unwrap_or(Key::Db)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who gave a setting its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line, with this flag.
    Flag(&'static str),
    /// The environment variable of this name.
    Variable(&'static str),
    /// A file.
    File(Place),
    /// Nobody.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => f.write_str(flag),
            Origin::Variable(name) => f.write_str(name),
            Origin::File(place) => write!(f, "{}:{}", place.path.display(), place.line),
            Origin::BuiltIn => f.write_str("built-in"),
        }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file is there but cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file that was asked for is not there.
    #[error("no configuration file {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file is not TOML.
    #[error("cannot read the configuration {}: {reason}", place.path.display())]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        reason: String,
    },
    /// A key that means nothing.
    #[error("unknown setting {key:?}")]
    UnknownKey {
        /// Where.
        place: Place,
        /// What was written.
        key: String,
        /// What was probably meant.
        nearest: Key,
    },
    /// A number, a list or a table where a string belongs.
    #[error("setting {key}: expected a string, found {found}")]
    NotText {
        /// Where.
        place: Place,
        /// The setting.
        key: Key,
        /// What was found instead.
        found: &'static str,
    },
    /// A value that the setting cannot have.
    #[error("setting {key}: expected {expected}, found {text:?}")]
    BadValue {
        /// Who gave it.
        origin: Origin,
        /// The setting.
        key: Key,
        /// What was written.
        text: String,
        /// What would do.
        expected: String,
    },
    /// An environment variable that is not UTF-8 text.
    #[error("the environment variable {0} is not text")]
    VariableNotText(&'static str),
}

/// The settings in force, each with its origin.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file of the store; `None` when nobody named one and there is no home directory.
    pub db: Option<PathBuf>,
    /// The form of answers.
    pub output: Output,
    /// The zone in which times are read and shown; `None` is the machine's own.
    pub tz: Option<Tz>,
    /// Whether text is coloured.
    pub color: Color,
    /// What an acknowledged event survives.
    pub durability: Durability,
    /// How long to wait for a store that another process is writing.
    pub busy_timeout: Duration,
    origins: [Origin; Key::ALL.len()],
    files: Vec<PathBuf>,
}

impl Config {
    /// The settings when nobody says anything.
    pub fn built_in(places: &Places) -> Config {
        Config {
            db: places.store.clone(),
            output: Output::default(),
            tz: None,
            color: Color::default(),
            durability: Durability::default(),
            busy_timeout: Duration::from_secs(5),
            origins: [const { Origin::BuiltIn }; Key::ALL.len()],
            files: Vec::new(),
        }
    }

    /// The settings of files and environment; `explicit` takes the place of the project's file.
    ///
    /// # Errors
    /// When a file cannot be read, is no TOML, or holds a key or a value that means nothing,
    /// and when the explicit file is missing.
    pub fn load(
        variables: &Variables,
        places: &Places,
        explicit: Option<&Path>,
    ) -> Result<Config, ConfigError> {
        let mut config = Config::built_in(places);
        config.add_file(&places.system, variables)?;
        if let Some(user) = &places.user {
            config.add_file(user, variables)?;
        }
        let found = config.add_file(explicit.unwrap_or(&places.project), variables)?;
        if let Some(path) = explicit.filter(|_| !found) {
            return Err(ConfigError::Missing { path: path.into() });
        }
        config.add_variables(variables)?;
        Ok(config)
    }

    /// Gives one setting a value, in the words of a flag, the environment or a file.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`].
    pub fn set(&mut self, key: Key, text: &str, origin: Origin) -> Result<(), ConfigError> {
        if let Err(expected) = self.assign(key, text) {
            return Err(ConfigError::BadValue {
                origin,
                key,
                text: text.to_owned(),
                expected,
            });
        }
        self.origins[key as usize] = origin;
        Ok(())
    }

    /// The value as it would be written in a file; `None` when there is none.
    pub fn text(&self, key: Key) -> Option<String> {
        Some(match key {
            Key::Db => self.db.as_ref()?.display().to_string(),
            Key::Output => self.output.name().to_owned(),
            Key::Tz => self.tz.map_or("local", |zone| zone.name()).to_owned(),
            Key::Color => self.color.name().to_owned(),
            Key::Durability => self.durability.name().to_owned(),
            Key::BusyTimeout => duration_text(self.busy_timeout),
        })
    }

    /// Who gave the setting its value.
    pub fn origin(&self, key: Key) -> &Origin {
        &self.origins[key as usize]
    }

    /// The files that were read; a later one wins over an earlier one.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Takes over what a file says; false when there is no such file.
    fn add_file(&mut self, path: &Path, variables: &Variables) -> Result<bool, ConfigError> {
        let Some(entries) = file::read(path)? else {
            return Ok(false);
        };
        for entry in entries {
            self.set(entry.key, &entry.text, Origin::File(entry.place))?;
            if entry.key == Key::Db {
                self.db = Some(resolved(&entry.text, path, variables));
            }
        }
        self.files.push(path.to_owned());
        Ok(true)
    }

    fn add_variables(&mut self, variables: &Variables) -> Result<(), ConfigError> {
        for key in Key::ALL {
            let name = key.variable();
            let Some(raw) = variables.raw(name) else {
                continue;
            };
            if key == Key::Db {
                self.set_db(PathBuf::from(raw), Origin::Variable(name));
                continue;
            }
            let text = raw.to_str().ok_or(ConfigError::VariableNotText(name))?;
            self.set(key, text, Origin::Variable(name))?;
        }
        Ok(())
    }

    /// Names the store by a path, which need not be text.
    pub fn set_db(&mut self, path: PathBuf, origin: Origin) {
        self.db = Some(path);
        self.origins[Key::Db as usize] = origin;
    }

    /// Sets the value, or says what was expected.
    fn assign(&mut self, key: Key, text: &str) -> Result<(), String> {
        match key {
            Key::Db if text.is_empty() => return Err("a path".to_owned()),
            Key::Db => self.db = Some(PathBuf::from(text)),
            Key::Output => self.output = word(text)?,
            Key::Tz => self.tz = zone(text)?,
            Key::Color => self.color = word(text)?,
            Key::Durability => self.durability = word(text)?,
            Key::BusyTimeout => self.busy_timeout = duration(text)?,
        }
        Ok(())
    }
}

fn word<W: Word>(text: &str) -> Result<W, String> {
    W::parse(text).ok_or_else(|| format!("one of {}", W::names().join(", ")))
}

fn zone(text: &str) -> Result<Option<Tz>, String> {
    match text {
        "local" => Ok(None),
        name => name
            .parse()
            .map(Some)
            .map_err(|_| "`local`, `UTC` or a name like Europe/Berlin".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let number_and_unit = || {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return None,
        };
        number.parse::<u32>().ok().map(|n| u64::from(n) * unit_ms)
    };
    number_and_unit()
        .map(Duration::from_millis)
        .ok_or_else(|| "a duration like 500ms, 5s or 1m".to_owned())
}

fn duration_text(value: Duration) -> String {
    match value.as_millis() {
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// A path written in a file: `~/` is the user's directory, and a relative path begins
/// where the file is, so that it means the same wherever `obs` is started.
fn resolved(text: &str, file: &Path, variables: &Variables) -> PathBuf {
    match (text.strip_prefix("~/"), variables.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => file.parent().unwrap_or(Path::new("")).join(text),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A machine with its three files in one directory.
    struct Machine {
        dir: tempfile::TempDir,
        places: Places,
    }

    impl Machine {
        fn new() -> Machine {
            let dir = tempfile::tempdir().unwrap();
            let at = |name: &str| dir.path().join(name);
            let places = Places {
                project: at("obs.toml"),
                user: Some(at("user.toml")),
                system: at("system.toml"),
                store: Some(at("obs.db")),
            };
            Machine { dir, places }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
            Config::load(&Variables::of(variables), &self.places, None)
        }
    }

    #[test]
    fn without_files_every_setting_is_built_in() {
        let machine = Machine::new();
        let config = machine.load(&[]).unwrap();
        assert_eq!(config.db, machine.places.store);
        assert_eq!(config.busy_timeout, Duration::from_secs(5));
        assert!(
            Key::ALL
                .iter()
                .all(|k| *config.origin(*k) == Origin::BuiltIn)
        );
    }

    #[test]
    fn the_nearer_place_wins_and_is_remembered() {
        let machine = Machine::new();
        machine.write(
            "system.toml",
            "tz = 'UTC'\noutput = 'csv'\ncolor = 'never'\n",
        );
        let user = machine.write("user.toml", "output = 'tsv'\ncolor = 'always'\n");
        machine.write("obs.toml", "output = 'json'\n");
        let mut config = machine.load(&[("OBS_OUTPUT", "jsonl")]).unwrap();

        assert_eq!(config.tz, Some(Tz::UTC));
        assert_eq!(config.color, Color::Always);
        assert_eq!(
            config.origin(Key::Color).to_string(),
            format!("{}:2", user.display())
        );
        assert_eq!(config.output, Output::Jsonl);
        assert_eq!(config.origin(Key::Output), &Origin::Variable("OBS_OUTPUT"));

        config
            .set(Key::Output, "md", Origin::Flag("--output"))
            .unwrap();
        assert_eq!(config.output, Output::Md);
        assert_eq!(config.origin(Key::Output).to_string(), "--output");
    }

    #[test]
    fn a_file_that_is_asked_for_takes_the_place_of_the_projects() {
        let machine = Machine::new();
        machine.write("obs.toml", "output = 'json'\n");
        let mine = machine.write("mine.toml", "tz = 'Europe/Berlin'\n");
        let none = Variables::default();

        let config = Config::load(&none, &machine.places, Some(&mine)).unwrap();
        assert_eq!(config.tz, Some(Tz::Europe__Berlin));
        assert_eq!(config.output, Output::Table);

        let missing = Config::load(&none, &machine.places, Some(Path::new("gone.toml")));
        assert_eq!(
            missing.unwrap_err().to_string(),
            "no configuration file gone.toml"
        );
    }

    #[test]
    fn a_store_named_in_a_file_lies_beside_the_file_or_at_home() {
        let machine = Machine::new();
        machine.write("user.toml", "db = 'events.db'\n");
        let config = machine.load(&[]).unwrap();
        assert_eq!(config.db, Some(machine.dir.path().join("events.db")));

        machine.write("user.toml", "db = '~/events.db'\n");
        let config = machine.load(&[("HOME", "/home/ada")]).unwrap();
        assert_eq!(config.db, Some("/home/ada/events.db".into()));
    }

    #[test]
    fn a_value_that_means_nothing_is_refused_with_what_would_do() {
        let machine = Machine::new();
        for (name, value, expected) in [
            (
                "OBS_OUTPUT",
                "xml",
                "one of table, json, jsonl, csv, tsv, md",
            ),
            ("OBS_DURABILITY", "none", "one of full, normal"),
            (
                "OBS_TZ",
                "Mars",
                "`local`, `UTC` or a name like Europe/Berlin",
            ),
            ("OBS_BUSY_TIMEOUT", "5", "a duration like 500ms, 5s or 1m"),
            (
                "OBS_BUSY_TIMEOUT",
                "99999999999s",
                "a duration like 500ms, 5s or 1m",
            ),
        ] {
            let error = machine.load(&[(name, value)]).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("expected {expected}, found {value:?}")),
                "{error}"
            );
        }
    }

    #[test]
    fn every_value_reads_back_as_it_is_shown() {
        let machine = Machine::new();
        let mut config = machine.load(&[("OBS_BUSY_TIMEOUT", "1500ms")]).unwrap();
        for key in Key::ALL {
            let text = config.text(key).unwrap();
            config.set(key, &text, Origin::BuiltIn).unwrap();
            assert_eq!(config.text(key), Some(text));
        }
        assert_eq!(config.text(Key::BusyTimeout).as_deref(), Some("1500ms"));
    }

    #[test]
    fn the_three_coats_of_a_name_agree() {
        for key in Key::ALL {
            assert_eq!(key.variable(), format!("OBS_{}", key.name().to_uppercase()));
            assert_eq!(Key::parse(key.name()), Some(key));
            assert_eq!(Key::ALL[key as usize], key);
        }
    }
}
