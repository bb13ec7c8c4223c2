//! The environment variables of the process and the places of its files, as
//! values. Nothing here asks the process, except the two functions that say so.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Environment variables. A variable that is empty counts as not set.
#[derive(Clone, Debug, Default)]
pub struct Variables(HashMap<OsString, OsString>);

impl Variables {
    /// Those of this process.
    pub fn of_the_process() -> Variables {
        Variables(std::env::vars_os().collect())
    }

    /// Exactly these.
    pub fn of(pairs: &[(&str, &str)]) -> Variables {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Variables(pairs.collect())
    }

    /// The value as it is.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        let value = self.0.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// The value, when it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str()
    }

    /// The user's directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.raw("HOME").map(PathBuf::from)
    }

    /// A base directory of the XDG specification, which says that a relative one is to be ignored.
    fn xdg(&self, name: &str, default: &str) -> Option<PathBuf> {
        let told = self.raw(name).map(PathBuf::from);
        told.filter(|dir| dir.is_absolute())
            .or_else(|| Some(self.home()?.join(default)))
    }
}

/// Where settings are looked for and where the store is unless someone says otherwise.
#[derive(Clone, Debug)]
pub struct Places {
    /// The settings of a project.
    pub project: PathBuf,
    /// The settings of a user; `None` when the user has no home.
    pub user: Option<PathBuf>,
    /// The settings of the machine.
    pub system: PathBuf,
    /// The store; `None` when the user has no home.
    pub store: Option<PathBuf>,
    /// What is remembered of what a user did; `None` when the user has no home.
    pub state: Option<PathBuf>,
}

impl Places {
    /// The usual places, by the XDG base directory specification.
    pub fn usual(variables: &Variables) -> Places {
        Places {
            project: PathBuf::from("obs.toml"),
            user: variables
                .xdg("XDG_CONFIG_HOME", ".config")
                .map(|dir| dir.join("obs/config.toml")),
            system: PathBuf::from("/etc/obs/config.toml"),
            store: variables
                .xdg("XDG_DATA_HOME", ".local/share")
                .map(|dir| dir.join("obs/obs.db")),
            state: variables
                .xdg("XDG_STATE_HOME", ".local/state")
                .map(|dir| dir.join("obs")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_lies_in_the_data_directory_of_the_user() {
        let places = Places::usual(&Variables::of(&[("HOME", "/home/ada")]));
        assert_eq!(
            places.store,
            Some("/home/ada/.local/share/obs/obs.db".into())
        );
        assert_eq!(
            places.user,
            Some("/home/ada/.config/obs/config.toml".into())
        );

        let moved = [("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")];
        let places = Places::usual(&Variables::of(&moved));
        assert_eq!(places.store, Some("/data/obs/obs.db".into()));
    }

    #[test]
    fn a_relative_or_empty_base_directory_is_ignored() {
        for data in ["", "data"] {
            let pairs = [("HOME", "/home/ada"), ("XDG_DATA_HOME", data)];
            let places = Places::usual(&Variables::of(&pairs));
            assert_eq!(
                places.store,
                Some("/home/ada/.local/share/obs/obs.db".into())
            );
        }
    }

    #[test]
    fn without_a_home_there_is_no_usual_store() {
        assert_eq!(Places::usual(&Variables::default()).store, None);
    }
}
