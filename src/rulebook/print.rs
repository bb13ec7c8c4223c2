//! Rules as YAML, in one form: what is as usual is left out, the rest stands in the order
//! of [`Key`], and a text stands in quotes only where it must.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::key::Key;
use crate::model::{NoData, Rule, duration_text};

/// The file of these rules, which [`super::parse`] reads.
pub fn print(rules: &[Rule]) -> String {
    if rules.is_empty() {
        return "rules: []\n".to_owned();
    }
    let mut text = String::from("rules:\n");
    for (nth, rule) in rules.iter().enumerate() {
        if nth > 0 {
            text.push('\n');
        }
        for (nth, line) in lines(rule).iter().enumerate() {
            let before = if nth == 0 { "  - " } else { "    " };
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{before}{line}");
        }
    }
    text
}

/// What a rule says of a key; `None` where it is as usual. Members of lists and maps stand
/// in one line.
pub fn shown(rule: &Rule, key: Key) -> Option<String> {
    let switched = |is_usual: bool, other: &str| (!is_usual).then(|| other.to_owned());
    let length = |ms: i64| (ms > 0).then(|| duration_text(ms));
    match key {
        Key::Name => Some(rule.name.clone()),
        Key::Description => rule.description.clone(),
        Key::Condition => Some(rule.condition.to_string()),
        Key::Window => rule
            .own_window_ms()
            .is_none()
            .then(|| duration_text(rule.window_ms)),
        Key::AlsoWindow => rule.also_window_ms.map(duration_text),
        Key::For => length(rule.for_ms),
        Key::Severity => Some(rule.severity.name().to_owned()),
        Key::Enabled => switched(rule.enabled, "false"),
        Key::MinCount => rule.min_count.map(|count| count.to_string()),
        Key::NoData => switched(rule.no_data == NoData::default(), rule.no_data.name()),
        Key::ResolveThreshold => rule.resolve_threshold.map(|t| t.to_string()),
        Key::KeepFiringFor => length(rule.keep_firing_for_ms),
        Key::RepeatInterval => rule.repeat_interval_ms.map(duration_text),
        Key::SendResolved => switched(rule.send_resolved, "false"),
        Key::Channels => switched(rule.channels.is_empty(), &rule.channels.join(", ")),
        Key::Labels => in_a_line(&rule.labels),
        Key::Annotations => in_a_line(&rule.annotations),
        Key::Duration | Key::Actions => None,
    }
}

fn in_a_line(texts: &BTreeMap<String, String>) -> Option<String> {
    let members: Vec<String> = texts
        .iter()
        .map(|(key, text)| format!("{key}={text}"))
        .collect();
    (!members.is_empty()).then(|| members.join(", "))
}

/// In what two rules differ, and how: `window 5m -> 10m`.
pub fn differences(before: &Rule, after: &Rule) -> Vec<String> {
    let told = |said: Option<String>| said.unwrap_or_else(|| "as usual".to_owned());
    let pairs = Key::ALL.map(|key| (key, shown(before, key), shown(after, key)));
    let differing = pairs
        .into_iter()
        .filter(|(_, before, after)| before != after);
    differing
        .map(|(key, before, after)| format!("{} {} -> {}", key.name(), told(before), told(after)))
        .collect()
}

/// A rule without what makes it a member of a list.
fn lines(rule: &Rule) -> Vec<String> {
    let line = |key: Key| {
        let said = shown(rule, key)?;
        Some(match key {
            Key::Name | Key::Description | Key::Condition => text(&said),
            Key::Channels => {
                let channels: Vec<String> = rule.channels.iter().map(|c| text(c)).collect();
                format!("[{}]", channels.join(", "))
            }
            Key::Labels => map(&rule.labels),
            Key::Annotations => map(&rule.annotations),
            Key::Window
            | Key::AlsoWindow
            | Key::For
            | Key::Duration
            | Key::Severity
            | Key::Enabled
            | Key::MinCount
            | Key::NoData
            | Key::ResolveThreshold
            | Key::KeepFiringFor
            | Key::RepeatInterval
            | Key::SendResolved
            | Key::Actions => said,
        })
    };
    let keyed = Key::ALL
        .into_iter()
        .filter_map(|key| Some((key.name(), line(key)?)));
    keyed
        .flat_map(|(name, said)| match said.strip_prefix('\n') {
            Some(members) => {
                let members = members.lines().map(|member| format!("  {member}"));
                [format!("{name}:")].into_iter().chain(members).collect()
            }
            None => vec![format!("{name}: {said}")],
        })
        .collect()
}

/// Members of a map, each in a line of its own.
fn map(texts: &BTreeMap<String, String>) -> String {
    let members = texts
        .iter()
        .map(|(key, value)| format!("\n{key}: {}", text(value)));
    members.collect()
}

/// Words that some reader of YAML takes for something else than a text.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// A text as it is where every reader takes it for that text, else in double quotes.
fn text(said: &str) -> String {
    let begins_well = said.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_plain = begins_well
        && said
            .chars()
            .all(|c| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric())
        && !said.ends_with([' ', ':'])
        && ![": ", " #"].iter().any(|mark| said.contains(mark))
        && !WORDS.contains(&said.to_lowercase().as_str());
    if is_plain {
        return said.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in said.chars() {
        // Writing into a String cannot fail.
        let _ = match c {
            '"' | '\\' => write!(quoted, "\\{c}"),
            '\n' => write!(quoted, "\\n"),
            '\t' => write!(quoted, "\\t"),
            c if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() => write!(quoted, "{c}"),
            c => write!(quoted, "\\U{:08X}", u32::from(c)),
        };
    }
    quoted.push('"');
    quoted
}
