//! Why settings cannot be used, told by what the user can mend.

use std::io;
use std::path::PathBuf;

use super::{Key, Origin, Place};

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
        nearest: Option<Key>,
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
    /// A channel, or one of its settings, is of another kind than it can be.
    #[error("{key}: expected {expected}; found {found}")]
    BadTable {
        /// Where.
        place: Place,
        /// What was given: `channels.team.url`.
        key: String,
        /// What belongs there.
        expected: &'static str,
        /// What was found instead.
        found: &'static str,
    },
    /// A value that the setting cannot have.
    #[error("{}: {why}", origin.asked(*key))]
    BadValue {
        /// Who gave it.
        origin: Origin,
        /// The setting.
        key: Key,
        /// What is wrong with it.
        why: String,
        /// What to write instead.
        hint: String,
    },
    /// An environment variable that is not UTF-8 text.
    #[error("the environment variable {0} is not text")]
    VariableNotText(&'static str),
}

impl ConfigError {
    /// The place in a file, when it is one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            ConfigError::Syntax { place, .. }
            | ConfigError::UnknownKey { place, .. }
            | ConfigError::NotText { place, .. }
            | ConfigError::BadTable { place, .. } => Some(place),
            ConfigError::BadValue { origin, .. } => match origin {
                Origin::File(place) => Some(place),
                Origin::Flag(_) | Origin::Variable(_) | Origin::BuiltIn => None,
            },
            ConfigError::Read { .. }
            | ConfigError::Missing { .. }
            | ConfigError::VariableNotText(_) => None,
        }
    }
}
