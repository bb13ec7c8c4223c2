//! Alerts in words.

use chrono_tz::Tz;

use crate::model::{
    Alert, AlertState, Condition, Dimension, LabelSet, Measure, Millis, Reason, Unit,
};
use crate::render::human;
use crate::store::Change;

/// The condition that made an alert fire. Its rule may say something else by now.
pub(super) fn condition(alert: &Alert) -> Option<Condition> {
    let context: serde_json::Value = serde_json::from_str(&alert.context).ok()?;
    Condition::parse(context["condition"].as_str()?).ok()
}

/// The unit of the values of an alert.
pub(super) fn unit(alert: &Alert) -> Unit {
    let measure = condition(alert).and_then(|c| Measure::parse(&c.expr.measure).ok());
    measure.map_or(Unit::Count, |measure| measure.spec().unit)
}

/// `p95_latency 2.5 s > 2 s`; once it is over, the value alone.
pub(super) fn value(alert: &Alert) -> String {
    let unit = unit(alert);
    let number = |value| human::number(value, unit);
    let shown = alert.value.map_or("no data".to_owned(), number);
    let Some(condition) = condition(alert) else {
        return shown;
    };
    let measure = &condition.expr.measure;
    match (alert.value, alert.resolved_at) {
        (Some(_), None) => {
            format!(
                "{measure} {shown} {} {}",
                condition.op,
                number(alert.threshold)
            )
        }
        (_, _) => format!("{measure} {shown}"),
    }
}

/// `provider claude, model -`
pub(super) fn group(labels: &LabelSet) -> String {
    let label = |(dimension, value): (&Dimension, &String)| match value.as_str() {
        "" => format!("{dimension} {}", human::NOTHING),
        value => format!("{dimension} {value}"),
    };
    labels.iter().map(label).collect::<Vec<_>>().join(", ")
}

/// A rule and for which group: `High latency  provider claude`.
pub(super) fn who(rule: &str, labels: &LabelSet) -> String {
    match labels.is_empty() {
        true => rule.to_owned(),
        false => format!("{rule}  {}", group(labels)),
    }
}

/// A moment of today by its time alone: `12:01`.
pub(super) fn short(at: Millis, now: Millis, zone: Tz) -> String {
    let (at, now) = (human::moment(at, zone), human::moment(now, zone));
    match (at.split_once(' '), now.split_once(' ')) {
        (Some((day, time)), Some((today, _))) if day == today => time.to_owned(),
        (_, _) => at,
    }
}

/// Why it came to its state, where the state does not say it.
pub(super) fn why(reason: Reason, actor: &str) -> Option<String> {
    match reason {
        Reason::Holds | Reason::HeldLongEnough | Reason::Cleared => None,
        Reason::Acknowledged | Reason::ResolvedByHand => Some(format!("by {actor}")),
        Reason::NoData => Some("no data any more".to_owned()),
        Reason::RuleChanged => Some(format!("its rule was changed by {actor}")),
        Reason::RuleDisabled => Some(format!("its rule was disabled by {actor}")),
        Reason::RuleDeleted => Some(format!("its rule was deleted by {actor}")),
    }
}

/// A change in one line, in the manner of `firing    High latency  since 12:01  …`.
pub(super) fn change(from: Option<AlertState>, alert: &Alert, now: Millis, zone: Tz) -> String {
    let at = |at| short(at, now, zone);
    let begun = alert.fired_at.unwrap_or(alert.started_at);
    let (word, rest) = match (alert.state, alert.fired_at) {
        (AlertState::Pending | AlertState::Firing | AlertState::Acknowledged, _) => {
            let since = format!("since {}  {}", at(begun), value(alert));
            (alert.state.name(), since)
        }
        (AlertState::Resolved, Some(fired_at)) => {
            let lasted = alert.changed_at.0 - fired_at.0;
            let after = format!(
                "at {}  after {}",
                at(alert.changed_at),
                human::duration_ms(lasted)
            );
            (alert.state.name(), after)
        }
        (AlertState::Resolved, None) => (
            "cleared",
            format!("at {}  before it fired", at(alert.changed_at)),
        ),
    };
    let why = match from == Some(alert.state) {
        true => None,
        false => why(alert.reason, &alert.actor),
    };
    let why = why.map_or(String::new(), |why| format!("  ({why})"));
    format!(
        "{word:<8}  {}  {rest}{why}",
        who(&alert.rule_name, &alert.labels)
    )
}

/// All that is known of an alert.
pub(super) fn told(alert: &Alert, changes: &[Change], now: Millis, zone: Tz) -> Vec<String> {
    let moment = |at| human::moment(at, zone);
    let who = who(&alert.rule_name, &alert.labels);
    let mut lines = vec![
        format!("alert {}: {who} ({})", alert.id.0, alert.severity),
        format!("  {}: {}", alert.state, value(alert)),
    ];
    if let Some(condition) = condition(alert) {
        lines.push(format!(
            "  fires when {condition} (version {} of the rule)",
            alert.rule_version
        ));
    }
    lines.extend(made_it_fire(alert));
    let lasted = match (alert.fired_at, alert.resolved_at) {
        (Some(fired_at), None) => format!("firing since {}", human::ago(fired_at, now)),
        (Some(fired_at), Some(over)) => {
            format!("fired for {}", human::duration_ms(over.0 - fired_at.0))
        }
        (None, _) => "did not fire".to_owned(),
    };
    lines.push(format!(
        "  the condition held from {}; {lasted}",
        moment(alert.started_at)
    ));
    if let Some(known) = &alert.acknowledged {
        let note = known
            .note
            .as_ref()
            .map_or(String::new(), |note| format!(": {note}"));
        lines.push(format!(
            "  acknowledged by {} at {}{note}",
            known.by,
            moment(known.at)
        ));
    }
    if let Some(at) = alert.clear_since {
        lines.push(format!(
            "  clear since {}, and going on for a while",
            moment(at)
        ));
    }
    if let Some(at) = alert.hold_until {
        lines.push(format!(
            "  resolved by hand: not anew before {}, unless it clears first",
            moment(at)
        ));
    }
    if let Some(note) = resolved_note(alert) {
        lines.push(format!("  resolved by {}: {note}", alert.actor));
    }
    lines.push("  history:".to_owned());
    lines.extend(
        changes
            .iter()
            .map(|c| format!("    {}", changed(c, alert, zone))),
    );
    lines
}

/// The window and the value that made it fire.
fn made_it_fire(alert: &Alert) -> Option<String> {
    let context: serde_json::Value = serde_json::from_str(&alert.context).ok()?;
    let value = context["value"]
        .as_f64()
        .map(|value| human::number(value, unit(alert)));
    Some(format!(
        "  made it fire: {} of {} events, {} to {}",
        value.unwrap_or_else(|| "no data".to_owned()),
        human::count(context["events"].as_u64()?),
        context["window_from"].as_str()?,
        context["window_until"].as_str()?,
    ))
}

fn resolved_note(alert: &Alert) -> Option<String> {
    let context: serde_json::Value = serde_json::from_str(&alert.context).ok()?;
    context["resolved_note"].as_str().map(str::to_owned)
}

fn changed(change: &Change, alert: &Alert, zone: Tz) -> String {
    let value = change.value.map(|value| human::number(value, unit(alert)));
    let value = value.unwrap_or_else(|| "no data".to_owned());
    let why = why(change.reason, &change.actor);
    let why = why.map_or(String::new(), |why| format!(" ({why})"));
    format!(
        "{}  {:<12}  {value}{why}",
        human::moment(change.changed_at, zone),
        change.to.name()
    )
}
