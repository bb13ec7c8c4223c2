//! Whether the options of a rule go together, and can mean anything at all.

use super::fault::Complaint;
use super::key::Key;
use crate::model::{
    Dimension, Measure, Millis, Op, Rule, Template, Threshold, ThresholdUnit, Unit, duration_text,
    nearest,
};

/// The longest length of time in a rule.
const LONGEST_MS: i64 = 366 * Millis::DAY;
/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// What is wrong with an option of a rule; of a label, annotation or channel it says which.
pub type Objection = (Key, Option<String>, Complaint);

/// Everything that is wrong with a rule whose options were each read well.
pub fn check(rule: &Rule) -> Vec<Objection> {
    let mut wrong = Vec::new();
    let mut note = |key: Key, checked: Result<(), Complaint>| {
        if let Err(complaint) = checked {
            wrong.push((key, None, complaint));
        }
    };
    note(Key::Name, name(&rule.name, "a rule"));
    note(Key::Condition, measure(rule));
    note(Key::Condition, threshold(rule, &rule.condition.threshold));
    note(Key::Window, window(rule));
    note(Key::AlsoWindow, also_window(rule));
    note(Key::For, length(rule.for_ms));
    note(Key::KeepFiringFor, length(rule.keep_firing_for_ms));
    note(Key::RepeatInterval, repeat_interval(rule));
    note(Key::ResolveThreshold, resolve_threshold(rule));
    wrong.extend(members(rule));
    wrong
}

fn measure(rule: &Rule) -> Result<(), Complaint> {
    let name = &rule.condition.expr.measure;
    // A name with a dot is a custom metric, which may come later.
    if name.contains('.') {
        return Ok(());
    }
    match Measure::parse(name) {
        Ok(_) => Ok(()),
        Err(unknown) => {
            let list =
                "`obs query --list` lists the measures; custom metrics have a dot in their name";
            Err(
                Complaint::new(unknown.to_string()).hint(match unknown.nearest {
                    Some(known) => format!("did you mean {known}? {list}"),
                    None => list.to_owned(),
                }),
            )
        }
    }
}

fn threshold(rule: &Rule, threshold: &Threshold) -> Result<(), Complaint> {
    let written = rule.condition.to_string();
    let at = |complaint: Complaint| Complaint {
        at: written.len() - threshold.to_string().len(),
        ..complaint
    };
    if rule.counted(threshold).is_none() {
        let name = &rule.condition.expr.measure;
        let message = format!("{threshold} cannot be compared with {name}");
        return Err(at(Complaint::new(message).hint(example(rule.unit()))));
    }
    let is_share = rule.unit() == Some(Unit::Ratio);
    if is_share && threshold.unit == ThresholdUnit::Plain && threshold.value > 1.0 {
        let message = format!("{} is a share from 0 to 1", rule.condition.expr.measure);
        return Err(at(
            Complaint::new(message).hint(format!("write {threshold}% for per cent"))
        ));
    }
    Ok(())
}

fn example(unit: Option<Unit>) -> &'static str {
    match unit {
        Some(Unit::Milliseconds) => "write a time such as 500ms or 2s",
        Some(Unit::Ratio) => "write a share such as 5% or 0.05",
        Some(Unit::Usd) => "write an amount such as $10 or 0.25",
        Some(Unit::Count | Unit::Tokens | Unit::PerSecond | Unit::Time) | None => {
            "write a number such as 100 or 1.5k"
        }
    }
}

fn window(rule: &Rule) -> Result<(), Complaint> {
    if let Some(own) = rule.own_window_ms()
        && rule.window_ms != own
    {
        let name = &rule.condition.expr.measure;
        let message = format!("{name} always speaks of {}", duration_text(own));
        return Err(Complaint::new(message).hint("leave the window out, or measure `cost`"));
    }
    whole_minutes(rule.window_ms)
}

fn also_window(rule: &Rule) -> Result<(), Complaint> {
    let Some(also) = rule.also_window_ms else {
        return Ok(());
    };
    if rule.own_window_ms().is_some() {
        let name = &rule.condition.expr.measure;
        return Err(Complaint::new(format!("{name} has one window only")).hint("leave it out"));
    }
    if also >= rule.window_ms {
        let message = format!(
            "the second window, {}, is not shorter than the first, {}",
            duration_text(also),
            duration_text(rule.window_ms)
        );
        return Err(
            Complaint::new(message).hint("the long one goes first: window 1h, also_window 5m")
        );
    }
    whole_minutes(also)
}

fn whole_minutes(ms: i64) -> Result<(), Complaint> {
    if ms < Millis::MINUTE || ms % Millis::MINUTE != 0 {
        let message = format!("a window is of whole minutes, found {}", duration_text(ms));
        return Err(Complaint::new(message).hint("write it like 5m or 1h"));
    }
    length(ms)
}

fn length(ms: i64) -> Result<(), Complaint> {
    if ms > LONGEST_MS {
        let message = format!("{} is longer than a year", duration_text(ms));
        return Err(Complaint::new(message).hint("nothing in a rule is longer than 366d"));
    }
    Ok(())
}

fn repeat_interval(rule: &Rule) -> Result<(), Complaint> {
    match rule.repeat_interval_ms {
        Some(ms) if ms < Millis::MINUTE => {
            let complaint = Complaint::new("rules are evaluated every minute");
            Err(complaint.hint("repeat after 1m at the soonest, as in 4h"))
        }
        Some(ms) => length(ms),
        None => Ok(()),
    }
}

/// It must lie on the side on which the condition does not hold.
fn resolve_threshold(rule: &Rule) -> Result<(), Complaint> {
    let Some(resolve) = &rule.resolve_threshold else {
        return Ok(());
    };
    threshold(rule, resolve).map_err(|complaint| Complaint { at: 0, ..complaint })?;
    let (Some(ends), Some(begins)) = (
        rule.counted(resolve),
        rule.counted(&rule.condition.threshold),
    ) else {
        return Ok(());
    };
    let (fits, side) = match rule.condition.op {
        Op::Greater | Op::GreaterOrEqual => (ends <= begins, "below"),
        Op::Less | Op::LessOrEqual => (ends >= begins, "above"),
        Op::Equal | Op::NotEqual => {
            let message = format!("{} has no nearer and farther side", rule.condition.op);
            return Err(Complaint::new(message).hint("leave resolve_threshold out"));
        }
    };
    match fits {
        true => Ok(()),
        false => {
            let begins = rule.condition.threshold;
            let message = format!("an alert on {begins} cannot end at {resolve}");
            Err(Complaint::new(message).hint(format!("give a threshold {side} {begins}")))
        }
    }
}

/// Labels, annotations and channels.
fn members(rule: &Rule) -> Vec<Objection> {
    let mut wrong = Vec::new();
    let mut note = |key: Key, member: &str, checked: Result<(), Complaint>| {
        if let Err(complaint) = checked {
            wrong.push((key, Some(member.to_owned()), complaint));
        }
    };
    for label in rule.labels.keys() {
        note(Key::Labels, label, label_name(rule, label));
    }
    for (name, text) in &rule.annotations {
        note(Key::Annotations, name, word(name, "an annotation"));
        let template = Template::parse_for(rule, text).map(|_| ());
        note(Key::Annotations, name, template.map_err(Complaint::from));
    }
    for (nth, channel) in rule.channels.iter().enumerate() {
        note(Key::Channels, channel, channel_name(channel));
        if rule.channels[..nth].contains(channel) {
            let twice = Complaint::new(format!("the channel {channel:?} is named twice"));
            note(Key::Channels, channel, Err(twice));
        }
    }
    wrong
}

fn label_name(rule: &Rule, label: &str) -> Result<(), Complaint> {
    let by = &rule.condition.expr.by;
    match Dimension::parse(label) {
        Some(dimension) if by.contains(&dimension) => Err(Complaint::new(format!(
            "{label:?} is a label of the groups of this rule already"
        ))
        .hint("choose another name for the label")),
        Some(_) | None => word(label, "a label"),
    }
}

/// A name that fits into `{{ labels.NAME }}` and into the label of another system.
fn word(name: &str, what: &str) -> Result<(), Complaint> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    match begins && name.chars().all(fits) && name.len() <= LONGEST_NAME {
        true => Ok(()),
        false => {
            let message = format!("{:?} cannot be the name of {what}", cut(name));
            Err(Complaint::new(message).hint("a name is of letters, digits and _, as in team"))
        }
    }
}

fn channel_name(name: &str) -> Result<(), Complaint> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match !name.is_empty() && name.chars().all(fits) && name.len() <= LONGEST_NAME {
        true => Ok(()),
        false => {
            let message = format!("{:?} cannot be the name of a channel", cut(name));
            Err(Complaint::new(message)
                .hint("a channel is of letters, digits, _, - and ., as in slack"))
        }
    }
}

/// The name of a rule, or of an objective.
pub(super) fn name(name: &str, what: &str) -> Result<(), Complaint> {
    let complaint = if name.trim().is_empty() {
        format!("{what} has a name")
    } else if name.trim() != name {
        "a name neither begins nor ends with blanks".to_owned()
    } else if name.chars().any(char::is_control) {
        "a name is one line of text".to_owned()
    } else if name.chars().count() > LONGEST_NAME {
        format!("a name has at most {LONGEST_NAME} characters")
    } else {
        return Ok(());
    };
    Err(Complaint::new(complaint).hint("write it like high_latency or \"High latency\""))
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The key that was probably meant.
pub(super) fn meant<'k>(name: &str, keys: impl IntoIterator<Item = &'k str> + Clone) -> String {
    let all: Vec<&str> = keys.clone().into_iter().collect();
    let list = format!("the keys are {}", all.join(", "));
    match nearest(name, keys) {
        Some(key) => format!("did you mean {key}? {list}"),
        None => list,
    }
}
