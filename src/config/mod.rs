//! Settings: where they are looked for, which one wins, and where it came from.
//!
//! A flag wins over the environment, that over the project's file, the user's
//! file, the machine's file, and the built-in value. A setting has one name in
//! three coats: `--busy-timeout`, `OBS_BUSY_TIMEOUT`, `busy_timeout`. What must
//! mean the same in a shell and in cron is kept in the store and not known here.

mod channel;
mod error;
mod file;
mod key;
mod places;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;

pub use channel::ChannelTable;
pub use error::ConfigError;
pub use file::Place;
pub use key::{Key, Origin};
pub use places::{Places, Variables};
pub use words::{Color, Durability, Output, Word};

use crate::model::{DurationError, Zone, ZoneError, nearest, parse_duration};

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
    /// How long to wait for a store that another process is writing, in milliseconds.
    pub busy_timeout_ms: u32,
    /// The channels through which alerts are told, by name.
    pub channels: BTreeMap<String, ChannelTable>,
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
            busy_timeout_ms: 5_000,
            channels: BTreeMap::new(),
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
        let (config, problems) = Config::read(variables, places, explicit);
        problems.into_iter().next().map_or(Ok(config), Err)
    }

    /// As [`Config::load`], but with all that is wrong at once, file by file from the
    /// machine's to the project's, then the environment. What can be used is used.
    pub fn read(
        variables: &Variables,
        places: &Places,
        explicit: Option<&Path>,
    ) -> (Config, Vec<ConfigError>) {
        let mut config = Config::built_in(places);
        let mut problems = Vec::new();
        config.add_file(&places.system, variables, &mut problems);
        if let Some(user) = &places.user {
            config.add_file(user, variables, &mut problems);
        }
        let project = explicit.unwrap_or(&places.project);
        let found = config.add_file(project, variables, &mut problems);
        if let Some(path) = explicit.filter(|_| !found) {
            problems.push(ConfigError::Missing { path: path.into() });
        }
        config.add_variables(variables, &mut problems);
        (config, problems)
    }

    /// Gives one setting a value, in the words of a flag, the environment or a file.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`].
    pub fn set(&mut self, key: Key, text: &str, origin: Origin) -> Result<(), ConfigError> {
        if let Err(Refusal { why, hint }) = self.assign(key, text) {
            return Err(ConfigError::BadValue {
                origin,
                key,
                why,
                hint,
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
            Key::BusyTimeout => timeout_text(self.busy_timeout_ms),
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
    fn add_file(
        &mut self,
        path: &Path,
        variables: &Variables,
        problems: &mut Vec<ConfigError>,
    ) -> bool {
        let Some(read) = file::read(path) else {
            return false;
        };
        self.files.push(path.to_owned());
        let mut wrong_here = read.problems;
        for mut channel in read.channels {
            for name in channel.paths() {
                *name = resolved(name, path, variables).display().to_string();
            }
            self.channels.insert(channel.spec.name.clone(), channel);
        }
        for entry in read.entries {
            match self.set(entry.key, &entry.text, Origin::File(entry.place)) {
                Ok(()) if entry.key == Key::Db => {
                    self.db = Some(resolved(&entry.text, path, variables));
                }
                Ok(()) => {}
                Err(problem) => wrong_here.push(problem),
            }
        }
        wrong_here.sort_by_key(|problem| problem.place().map(|at| (at.line, at.column)));
        problems.extend(wrong_here);
        true
    }

    fn add_variables(&mut self, variables: &Variables, problems: &mut Vec<ConfigError>) {
        for key in Key::ALL {
            let name = key.variable();
            let Some(raw) = variables.raw(name) else {
                continue;
            };
            let set = match (key, raw.to_str()) {
                (Key::Db, _) => {
                    self.set_db(PathBuf::from(raw), Origin::Variable(name));
                    Ok(())
                }
                (_, Some(text)) => self.set(key, text, Origin::Variable(name)),
                (_, None) => Err(ConfigError::VariableNotText(name)),
            };
            problems.extend(set.err());
        }
    }

    /// Names the store by a path, which need not be text.
    pub fn set_db(&mut self, path: PathBuf, origin: Origin) {
        self.db = Some(path);
        self.origins[Key::Db as usize] = origin;
    }

    fn assign(&mut self, key: Key, text: &str) -> Result<(), Refusal> {
        match key {
            Key::Db => self.db = Some(path(text)?),
            Key::Output => self.output = word(text)?,
            Key::Tz => self.tz = zone(text)?,
            Key::Color => self.color = word(text)?,
            Key::Durability => self.durability = word(text)?,
            Key::BusyTimeout => self.busy_timeout_ms = timeout_ms(text)?,
        }
        Ok(())
    }
}

/// Why a setting does not take a text, and what it would take.
struct Refusal {
    why: String,
    hint: String,
}

fn path(text: &str) -> Result<PathBuf, Refusal> {
    if text.is_empty() {
        let why = "the path is empty".to_owned();
        return Err(Refusal {
            why,
            hint: "name a file".to_owned(),
        });
    }
    Ok(PathBuf::from(text))
}

fn word<W: Word>(text: &str) -> Result<W, Refusal> {
    W::parse(text).ok_or_else(|| Refusal {
        why: format!("expected one of {}; found {text:?}", W::names().join(", ")),
        hint: match nearest(text, W::names()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("leave it out for {}", W::ALL[0].name()),
        },
    })
}

fn zone(text: &str) -> Result<Option<Tz>, Refusal> {
    if text == "local" {
        return Ok(None);
    }
    let refused = |error: ZoneError| Refusal {
        why: error.to_string(),
        hint: error.hint(),
    };
    let zone = Zone::parse(text).map_err(refused)?;
    Ok(zone.name().parse().ok())
}

fn timeout_ms(text: &str) -> Result<u32, Refusal> {
    let refused = |error: DurationError| Refusal {
        why: error.to_string(),
        hint: error.hint().to_owned(),
    };
    let ms = parse_duration(text).map_err(refused)?;
    u32::try_from(ms).map_err(|_| Refusal {
        why: format!("{text:?} is too long"),
        hint: "wait 49 days at most".to_owned(),
    })
}

fn timeout_text(ms: u32) -> String {
    if ms.is_multiple_of(1_000) {
        format!("{}s", ms / 1_000)
    } else {
        format!("{ms}ms")
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
                state: Some(at("state")),
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
        assert_eq!(config.busy_timeout_ms, 5_000);
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
        for (name, value, complaint, advice) in [
            (
                "OBS_OUTPUT",
                "jason",
                "OBS_OUTPUT: expected one of table, json, jsonl, csv, tsv, md; found \"jason\"",
                "did you mean json?",
            ),
            (
                "OBS_DURABILITY",
                "yes",
                "OBS_DURABILITY: expected one of full, normal; found \"yes\"",
                "leave it out for full",
            ),
            (
                "OBS_TZ",
                "Europe/Berln",
                "OBS_TZ: unknown time zone \"Europe/Berln\"",
                "did you mean Europe/Berlin?",
            ),
            (
                "OBS_BUSY_TIMEOUT",
                "60d",
                "OBS_BUSY_TIMEOUT: \"60d\" is too long",
                "wait 49 days at most",
            ),
        ] {
            let error = machine.load(&[(name, value)]).unwrap_err();
            assert_eq!(error.to_string(), complaint);
            let ConfigError::BadValue { hint, .. } = error else {
                panic!("{error}")
            };
            assert_eq!(hint, advice);
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
