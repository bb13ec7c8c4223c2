//! Rules as YAML, in one form: what is as usual is left out, the rest stands in the order
//! of [`Key`], and a text stands in quotes only where it must.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::key::Key;
use crate::model::{Rule, duration_text};

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

/// A rule without what makes it a member of a list.
fn lines(rule: &Rule) -> Vec<String> {
    let mut lines = Vec::new();
    for key in Key::ALL {
        let name = key.name();
        let one = |said: Option<String>| said.map(|said| format!("{name}: {said}"));
        let line = match key {
            Key::Name => one(Some(text(&rule.name))),
            Key::Description => one(rule.description.as_deref().map(text)),
            Key::Condition => one(Some(text(&rule.condition.to_string()))),
            Key::Window => one(rule
                .own_window_ms()
                .is_none()
                .then(|| duration_text(rule.window_ms))),
            Key::AlsoWindow => one(rule.also_window_ms.map(duration_text)),
            Key::For => one((rule.for_ms > 0).then(|| duration_text(rule.for_ms))),
            Key::Severity => one(Some(rule.severity.name().to_owned())),
            Key::Enabled => one((!rule.enabled).then(|| "false".to_owned())),
            Key::MinCount => one(rule.min_count.map(|count| count.to_string())),
            Key::NoData => {
                let usual = rule.no_data == Default::default();
                one((!usual).then(|| rule.no_data.name().to_owned()))
            }
            Key::ResolveThreshold => one(rule.resolve_threshold.map(|t| text(&t.to_string()))),
            Key::KeepFiringFor => {
                let kept = rule.keep_firing_for_ms;
                one((kept > 0).then(|| duration_text(kept)))
            }
            Key::RepeatInterval => one(rule.repeat_interval_ms.map(duration_text)),
            Key::SendResolved => one((!rule.send_resolved).then(|| "false".to_owned())),
            Key::Channels => {
                let channels: Vec<String> = rule.channels.iter().map(|c| text(c)).collect();
                one((!channels.is_empty()).then(|| format!("[{}]", channels.join(", "))))
            }
            Key::Labels => {
                lines.extend(map(name, &rule.labels));
                None
            }
            Key::Annotations => {
                lines.extend(map(name, &rule.annotations));
                None
            }
            Key::Duration | Key::Actions => None,
        };
        lines.extend(line);
    }
    lines
}

fn map(name: &str, texts: &BTreeMap<String, String>) -> Vec<String> {
    let members = texts
        .iter()
        .map(|(key, value)| format!("  {key}: {}", text(value)));
    let head = (!texts.is_empty()).then(|| format!("{name}:"));
    head.into_iter().chain(members).collect()
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
