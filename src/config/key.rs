//! The names of settings, and who can give one its value.

use std::fmt;

use super::Place;
use crate::model::nearest;

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

    /// The setting that was probably meant.
    pub(super) fn nearest(name: &str) -> Option<Key> {
        Key::parse(nearest(name, Key::ALL.map(Key::name))?)
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

impl Origin {
    /// What was given a value, in the words of the one who gave it.
    pub(super) fn asked(&self, key: Key) -> String {
        match self {
            Origin::Flag(name) | Origin::Variable(name) => (*name).to_owned(),
            Origin::File(_) | Origin::BuiltIn => format!("setting {key}"),
        }
    }
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
