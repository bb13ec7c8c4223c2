//! A configuration file: TOML whose keys are known, each value with its place.
//!
//! What a value means is not known here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{ChannelTable, ConfigError, Key, channel};

/// One `key = value` of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: Key,
    pub text: String,
    pub place: Place,
}

/// A place in a file, for people: lines and columns begin with 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// What of a file can be used, and what is wrong with the rest.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub entries: Vec<Entry>,
    pub channels: Vec<ChannelTable>,
    pub problems: Vec<ConfigError>,
}

/// What a file says, or `None` when there is no such file.
pub(super) fn read(path: &Path) -> Option<Read> {
    match fs::read_to_string(path) {
        Ok(text) => Some(entries(path, &text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => {
            let path = path.to_owned();
            Some(Read {
                problems: vec![ConfigError::Read { path, source }],
                ..Read::default()
            })
        }
    }
}

fn entries(path: &Path, text: &str) -> Read {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let at = |offset| place(path, text, offset);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut read = Read::default();
    read.problems
        .extend(errors.into_iter().map(|error| ConfigError::Syntax {
            place: at(error.span().map_or(0, |span| span.start)),
            reason: error.message().lines().collect::<Vec<_>>().join("; "),
        }));
    if !read.problems.is_empty() {
        // What is read of a broken line may be anything.
        return read;
    }
    for (name, value) in table.get_ref() {
        if name.get_ref() == channel::TABLE {
            let (channels, problems) = channel::tables(value, &at);
            read.channels = channels;
            read.problems.extend(problems);
            continue;
        }
        let place = at(value.span().start);
        match (Key::parse(name.get_ref()), value.get_ref()) {
            (Some(key), DeValue::String(text)) => read.entries.push(Entry {
                key,
                text: text.to_string(),
                place,
            }),
            (Some(key), other) => read.problems.push(ConfigError::NotText {
                place,
                key,
                found: other.type_str(),
            }),
            (None, _) => read.problems.push(ConfigError::UnknownKey {
                place: at(name.span().start),
                key: name.get_ref().to_string(),
                nearest: Key::nearest(name.get_ref()),
            }),
        }
    }
    read
}

fn place(path: &Path, text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Entry>, ConfigError> {
        let read = entries(Path::new("obs.toml"), text);
        read.problems
            .into_iter()
            .next()
            .map_or(Ok(read.entries), Err)
    }

    fn complaint(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_entry_knows_its_line_and_column() {
        let entries = parse("\u{feff}# where events go\r\ndb = \"obs.db\"\n").unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].key, Key::Db);
        assert_eq!(entries[0].text, "obs.db");
        assert_eq!(entries[0].place.to_string(), "obs.toml:2:6");
    }

    #[test]
    fn a_misspelt_key_is_named_with_the_nearest_one() {
        let error = parse("# mine\n busy_timout = \"1s\"\n").unwrap_err();
        let ConfigError::UnknownKey {
            place,
            key,
            nearest,
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(place.to_string(), "obs.toml:2:2");
        assert_eq!(
            (key.as_str(), nearest),
            ("busy_timout", Some(Key::BusyTimeout))
        );
    }

    #[test]
    fn a_value_that_is_no_text_is_refused() {
        assert_eq!(
            complaint("tz = 2"),
            "setting tz: expected a string, found integer"
        );
    }

    #[test]
    fn text_that_is_no_toml_is_refused_at_its_place() {
        let ConfigError::Syntax { place, .. } = parse("db = \"x\"\noutput json\n").unwrap_err()
        else {
            panic!("expected a syntax error")
        };
        assert_eq!(place.line, 2);
    }

    #[test]
    fn a_file_that_is_not_there_says_nothing() {
        assert!(read(Path::new("/nonexistent/obs.toml")).is_none());
    }
}
