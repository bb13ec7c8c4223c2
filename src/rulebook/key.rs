//! The options of a rule by name, and how each is read from a text.

use std::collections::BTreeMap;

use super::fault::Complaint;
use super::scalar::{number, truth, word};
use crate::model::{Condition, NoData, Rule, Severity, Threshold, parse_duration};

/// What a rule can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Its unique name.
    Name,
    /// What it is there for.
    Description,
    /// What is measured, and the threshold.
    Condition,
    /// Over how long.
    Window,
    /// And over how long as well.
    AlsoWindow,
    /// How long it must hold.
    For,
    /// `window`, or `for` where the measure has a window of its own.
    Duration,
    /// How bad it is.
    Severity,
    /// Whether it is evaluated.
    Enabled,
    /// How many events a value must rest on.
    MinCount,
    /// What becomes of it without data.
    NoData,
    /// The threshold at which it ends.
    ResolveThreshold,
    /// How long it fires on.
    KeepFiringFor,
    /// How often it is told again.
    RepeatInterval,
    /// Whether its end is told.
    SendResolved,
    /// Who is told.
    Channels,
    /// The same, as `- notify: CHANNEL`.
    Actions,
    /// Labels of its alerts.
    Labels,
    /// Texts for people.
    Annotations,
}

impl Key {
    /// Every key, in the order in which a rule is printed.
    pub const ALL: [Key; 19] = [
        Key::Name,
        Key::Description,
        Key::Condition,
        Key::Window,
        Key::AlsoWindow,
        Key::For,
        Key::Duration,
        Key::Severity,
        Key::Enabled,
        Key::MinCount,
        Key::NoData,
        Key::ResolveThreshold,
        Key::KeepFiringFor,
        Key::RepeatInterval,
        Key::SendResolved,
        Key::Channels,
        Key::Actions,
        Key::Labels,
        Key::Annotations,
    ];

    /// Its one name.
    pub const fn name(self) -> &'static str {
        match self {
            Key::Name => "name",
            Key::Description => "description",
            Key::Condition => "condition",
            Key::Window => "window",
            Key::AlsoWindow => "also_window",
            Key::For => "for",
            Key::Duration => "duration",
            Key::Severity => "severity",
            Key::Enabled => "enabled",
            Key::MinCount => "min_count",
            Key::NoData => "no_data",
            Key::ResolveThreshold => "resolve_threshold",
            Key::KeepFiringFor => "keep_firing_for",
            Key::RepeatInterval => "repeat_interval",
            Key::SendResolved => "send_resolved",
            Key::Channels => "channels",
            Key::Actions => "actions",
            Key::Labels => "labels",
            Key::Annotations => "annotations",
        }
    }

    /// The key of that name; `expr` is `condition`, as elsewhere.
    pub fn parse(name: &str) -> Option<Key> {
        match name {
            "expr" => Some(Key::Condition),
            name => Key::ALL.into_iter().find(|key| key.name() == name),
        }
    }
}

/// Sets one option of a rule to what a text says. Lists and maps take one member more:
/// a channel, `NAME=TEXT` of a label or an annotation.
///
/// # Errors
/// When the text says nothing that the option could be.
pub fn set(rule: &mut Rule, key: Key, said: &str) -> Result<(), Complaint> {
    match key {
        Key::Name => rule.name = said.to_owned(),
        Key::Description => rule.description = Some(said.to_owned()).filter(|s| !s.is_empty()),
        Key::Condition => rule.condition = condition(said)?,
        Key::Window => rule.window_ms = duration(said)?,
        Key::AlsoWindow => rule.also_window_ms = optional(said, duration)?,
        Key::For => rule.for_ms = duration(said)?,
        Key::Duration => *rule = rule.clone().lasting(duration(said)?),
        Key::Severity => {
            rule.severity = word(said, Severity::parse, &Severity::ALL.map(Severity::name))?;
        }
        Key::Enabled => rule.enabled = truth(said)?,
        Key::MinCount => rule.min_count = optional(said, number)?,
        Key::NoData => rule.no_data = word(said, NoData::parse, &NoData::ALL.map(NoData::name))?,
        Key::ResolveThreshold => {
            rule.resolve_threshold = optional(said, |said| Ok(Threshold::parse(said)?))?;
        }
        Key::KeepFiringFor => rule.keep_firing_for_ms = duration(said)?,
        Key::RepeatInterval => rule.repeat_interval_ms = optional(said, duration)?,
        Key::SendResolved => rule.send_resolved = truth(said)?,
        Key::Channels | Key::Actions => rule.channels.push(said.to_owned()),
        Key::Labels => add(&mut rule.labels, said)?,
        Key::Annotations => add(&mut rule.annotations, said)?,
    }
    Ok(())
}

/// A condition. Whether it can ever hold is checked with the whole rule.
pub(super) fn condition(said: &str) -> Result<Condition, Complaint> {
    Ok(Condition::parse(said)?)
}

/// A length of time. `1:30` is refused with what other readers of YAML make of it.
pub(super) fn duration(said: &str) -> Result<i64, Complaint> {
    if said.contains(':') {
        let message =
            format!("{said:?} is not a duration: YAML may take it for minutes or for hours");
        return Err(Complaint::new(message).hint("write it like 90s, 5m or 1h30m"));
    }
    Ok(parse_duration(said)?)
}

/// What is said, or `none`.
fn optional<T>(
    said: &str,
    read: impl Fn(&str) -> Result<T, Complaint>,
) -> Result<Option<T>, Complaint> {
    match said {
        "none" => Ok(None),
        said => read(said).map(Some),
    }
}

fn add(texts: &mut BTreeMap<String, String>, said: &str) -> Result<(), Complaint> {
    let Some((name, text)) = said.split_once('=') else {
        let complaint = Complaint::new(format!("{said:?} has no \"=\""));
        return Err(complaint.hint("write it like team=search"));
    };
    texts.insert(name.trim().to_owned(), text.to_owned());
    Ok(())
}
