//! The channels of a configuration file: a table each, `[channels.NAME]`, with texts,
//! lists of texts, and switches.
//!
//! What a channel needs is not known here, only what can be written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Place};
use crate::model::{ChannelSpec, SpecValue};

/// The table that holds the channels.
pub(super) const TABLE: &str = "channels";

/// A channel as it is written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelTable {
    /// What is written.
    pub spec: ChannelSpec,
    place: Place,
    places: BTreeMap<String, Place>,
}

impl ChannelTable {
    /// Where one of its settings is written, or the channel itself.
    pub fn place(&self, key: Option<&str>) -> &Place {
        key.and_then(|key| self.places.get(key))
            .unwrap_or(&self.place)
    }

    /// Its settings that are names of files, to be made to begin where the file is.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut String> {
        let settings = self.spec.settings.iter_mut();
        settings.filter_map(|(key, value)| match value {
            SpecValue::Text(path) if key == "path" || key.ends_with("_file") => Some(path),
            SpecValue::Text(_) | SpecValue::List(_) | SpecValue::Switch(_) => None,
        })
    }
}

/// The channels that can be read, and what is wrong with the others.
pub(super) fn tables(
    value: &Spanned<DeValue<'_>>,
    at: &impl Fn(usize) -> Place,
) -> (Vec<ChannelTable>, Vec<ConfigError>) {
    let (mut channels, mut problems) = (Vec::new(), Vec::new());
    let read = |name: &Spanned<Cow<'_, str>>, value| {
        let settings = table(value, at, &format!("{TABLE}.{}", name.get_ref()))?;
        channel(name.get_ref(), settings, at(name.span().start), at)
    };
    match table(value, at, TABLE) {
        Err(problem) => problems.push(problem),
        Ok(tables) => {
            for (name, value) in tables {
                match read(name, value) {
                    Ok(channel) => channels.push(channel),
                    Err(problem) => problems.push(problem),
                }
            }
        }
    }
    (channels, problems)
}

fn channel(
    name: &str,
    table: &DeTable<'_>,
    place: Place,
    at: &impl Fn(usize) -> Place,
) -> Result<ChannelTable, ConfigError> {
    let mut settings = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (key, value) in table {
        let written = key.get_ref().to_string();
        let Some(read) = setting(value.get_ref()) else {
            return Err(ConfigError::BadTable {
                place: at(value.span().start),
                key: format!("{TABLE}.{name}.{written}"),
                expected: "a text, a list of texts, true or false",
                found: value.get_ref().type_str(),
            });
        };
        places.insert(written.clone(), at(key.span().start));
        settings.insert(written, read);
    }
    Ok(ChannelTable {
        spec: ChannelSpec {
            name: name.to_owned(),
            settings,
        },
        place,
        places,
    })
}

fn setting(value: &DeValue<'_>) -> Option<SpecValue> {
    let text = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    };
    match value {
        DeValue::Boolean(on) => Some(SpecValue::Switch(*on)),
        DeValue::Array(values) => {
            let texts = values.iter().map(|value| text(value.get_ref()));
            texts.collect::<Option<_>>().map(SpecValue::List)
        }
        other => text(other).map(SpecValue::Text),
    }
}

fn table<'t, 'i>(
    value: &'t Spanned<DeValue<'i>>,
    at: &impl Fn(usize) -> Place,
    key: &str,
) -> Result<&'t DeTable<'i>, ConfigError> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        other => Err(ConfigError::BadTable {
            place: at(value.span().start),
            key: key.to_owned(),
            expected: "a table, such as [channels.team]",
            found: other.type_str(),
        }),
    }
}
