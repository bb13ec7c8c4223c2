//! The settings of a channel, taken one by one; what nobody took is unknown. Secrets
//! come from a file or the environment and are shown nowhere.

use std::fs;

use crate::model::{ChannelSpec, SpecValue, nearest, parse_duration};

/// Why a channel cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("channel {channel}: {why}")]
pub struct ChannelError {
    /// Which channel.
    pub channel: String,
    /// Which of its settings, when it is one.
    pub key: Option<String>,
    /// What is wrong.
    pub why: String,
    /// What to write instead.
    pub hint: String,
}

/// What a channel finds around itself.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The environment variables.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// A text that is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub fn of(text: String) -> Secret {
        Secret(text)
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The settings of one channel.
pub(super) struct Settings<'a> {
    spec: &'a ChannelSpec,
    around: &'a Surroundings<'a>,
    /// The keys that its kind knows, so far.
    known: Vec<String>,
}

impl<'a> Settings<'a> {
    pub fn of(spec: &'a ChannelSpec, around: &'a Surroundings<'a>) -> Settings<'a> {
        Settings {
            spec,
            around,
            known: vec!["type".to_owned()],
        }
    }

    pub fn name(&self) -> &'a str {
        &self.spec.name
    }

    pub fn error(&self, key: Option<&str>, why: impl Into<String>, hint: &str) -> ChannelError {
        ChannelError {
            channel: self.spec.name.clone(),
            key: key.map(str::to_owned),
            why: why.into(),
            hint: hint.to_owned(),
        }
    }

    fn take(&mut self, key: &str) -> Option<&'a SpecValue> {
        self.known.push(key.to_owned());
        self.spec.settings.get(key)
    }

    /// A text, if there is one.
    pub fn text(&mut self, key: &str) -> Result<Option<&'a str>, ChannelError> {
        match self.take(key) {
            None => Ok(None),
            Some(SpecValue::Text(text)) if !text.is_empty() => Ok(Some(text)),
            Some(SpecValue::Text(_)) => Err(self.error(
                Some(key),
                format!("its {key} is empty"),
                "give it a value, or leave it out",
            )),
            Some(SpecValue::List(_) | SpecValue::Switch(_)) => Err(self.error(
                Some(key),
                format!("its {key} is no text"),
                "put the value in quotes",
            )),
        }
    }

    /// A text that must be there.
    pub fn needed(&mut self, key: &str, example: &str) -> Result<&'a str, ChannelError> {
        let text = self.text(key)?;
        text.ok_or_else(|| {
            self.error(
                None,
                format!("it has no {key}"),
                &format!("write {key} = {example}"),
            )
        })
    }

    /// One text or several.
    pub fn list(&mut self, key: &str, example: &str) -> Result<Vec<String>, ChannelError> {
        match self.take(key) {
            Some(SpecValue::Text(text)) => Ok(vec![text.clone()]),
            Some(SpecValue::List(texts)) if !texts.is_empty() => Ok(texts.clone()),
            Some(SpecValue::List(_) | SpecValue::Switch(_)) | None => Err(self.error(
                None,
                format!("it has no {key}"),
                &format!("write {key} = {example}"),
            )),
        }
    }

    /// Yes or no; no when nothing is said.
    pub fn switch(&mut self, key: &str) -> Result<bool, ChannelError> {
        match self.take(key) {
            None => Ok(false),
            Some(SpecValue::Switch(on)) => Ok(*on),
            Some(SpecValue::Text(_) | SpecValue::List(_)) => Err(self.error(
                Some(key),
                format!("its {key} is neither true nor false"),
                "write true or false, without quotes",
            )),
        }
    }

    /// A length of time in milliseconds.
    pub fn duration_ms(&mut self, key: &str, usual: u64, most: u64) -> Result<u64, ChannelError> {
        let Some(text) = self.text(key)? else {
            return Ok(usual);
        };
        let ms =
            parse_duration(text).map_err(|e| self.error(Some(key), e.to_string(), e.hint()))?;
        match u64::try_from(ms) {
            Ok(ms) if (1..=most).contains(&ms) => Ok(ms),
            Ok(_) | Err(_) => {
                let hint = format!("write at least 1ms and at most {}s", most / 1_000);
                Err(self.error(Some(key), format!("its {key} cannot be {text}"), &hint))
            }
        }
    }

    /// A secret: `KEY_file` or `KEY_env`, if there is one.
    pub fn secret(&mut self, key: &str) -> Result<Option<Secret>, ChannelError> {
        let (in_file, in_env) = (format!("{key}_file"), format!("{key}_env"));
        let hint = format!("name a file with {in_file}, or an environment variable with {in_env}");
        if let Some(path) = self.text(&in_file)? {
            let text = fs::read_to_string(path).map_err(|error| {
                let why = format!("cannot read its {in_file} {path}: {error}");
                self.error(Some(&in_file), why, &hint)
            })?;
            return self.told(&in_file, text.trim(), &hint).map(Some);
        }
        if let Some(name) = self.text(&in_env)? {
            let Some(text) = (self.around.variable)(name) else {
                let why = format!("the environment variable {name} is not set");
                return Err(self.error(Some(&in_env), why, &hint));
            };
            return self.told(&in_env, text.trim(), &hint).map(Some);
        }
        Ok(None)
    }

    fn told(&self, key: &str, text: &str, hint: &str) -> Result<Secret, ChannelError> {
        match text.is_empty() || text.contains(char::is_control) {
            true => Err(self.error(Some(key), "its secret is empty, or has several lines", hint)),
            false => Ok(Secret(text.to_owned())),
        }
    }

    /// A secret that must be there, and may not stand in the configuration itself.
    pub fn needed_secret(&mut self, key: &str) -> Result<Secret, ChannelError> {
        let hint =
            format!("name a file with {key}_file, or an environment variable with {key}_env");
        if let Some(secret) = self.secret(key)? {
            return Ok(secret);
        }
        match self.take(key) {
            Some(_) => Err(self.error(Some(key), format!("its {key} is a secret"), &hint)),
            None => Err(self.error(None, format!("it has no {key}"), &hint)),
        }
    }

    /// A URL, which may be a secret or stand in the configuration.
    pub fn url(&mut self) -> Result<Secret, ChannelError> {
        if let Some(url) = self.text("url")? {
            return Ok(Secret(url.to_owned()));
        }
        self.needed_secret("url")
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), ChannelError> {
        let unknown = self
            .spec
            .settings
            .keys()
            .find(|key| !self.known.contains(key));
        let Some(key) = unknown else {
            return Ok(());
        };
        let known = self.known.iter().map(String::as_str);
        let likely = nearest(key, known.clone());
        let likely = likely.map_or(String::new(), |name| format!("did you mean {name}? "));
        let hint = format!("{likely}it knows {}", known.collect::<Vec<_>>().join(", "));
        Err(self.error(Some(key), format!("unknown key {key:?}"), &hint))
    }
}
