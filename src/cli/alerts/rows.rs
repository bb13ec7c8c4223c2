//! Alerts and their changes as rows of an answer.

use serde_json::json;

use super::words;
use crate::cli::told::unit_name;
use crate::model::{Alert, Dimension, LabelSet, Millis, Unit};
use crate::render::{Answer, Cell, Column, human};
use crate::store::Change;

/// The shape of an answer about alerts.
pub(super) const SCHEMA: &str = "obs.alerts/v1";

const NAMES: [&str; 22] = [
    "id",
    "state",
    "severity",
    "rule",
    "labels",
    "provider",
    "model",
    "condition",
    "value",
    "threshold",
    "unit",
    "started_at",
    "fired_at",
    "acknowledged_at",
    "acknowledged_by",
    "acknowledged_note",
    "resolved_at",
    "hold_until",
    "changed_at",
    "reason",
    "by",
    "context",
];

fn columns(names: &[&'static str]) -> Vec<Column> {
    names
        .iter()
        .map(|name| Column::new(*name, name.replace('_', " ")))
        .collect()
}

/// Labels as data: `{"provider":"claude"}`.
pub(super) fn labels(labels: &LabelSet) -> Cell {
    let pairs = labels
        .iter()
        .map(|(d, value)| (d.name().to_owned(), json!(value)));
    Cell::Text(serde_json::Value::Object(pairs.collect()).to_string())
}

/// Everything that is known of alerts.
pub(super) fn full(alerts: &[Alert]) -> Answer {
    Answer {
        rows: alerts.iter().map(cells).collect(),
        ..Answer::new(SCHEMA, columns(&NAMES))
    }
}

/// One alert with its history.
pub(super) fn whole(alert: &Alert, changes: &[Change]) -> Answer {
    let mut answer = full(std::slice::from_ref(alert));
    answer.schema = "obs.alert/v1";
    answer.columns.push(Column::new("history", "history"));
    let change = |c: &Change| {
        json!({
            "at": c.changed_at.to_string(), "observed_at": c.observed_at.to_string(),
            "from": c.from.map(|s| s.name()), "to": c.to.name(), "value": c.value,
            "reason": c.reason.name(), "by": c.actor,
        })
    };
    let history: Vec<serde_json::Value> = changes.iter().map(change).collect();
    answer.rows[0].push(Cell::Text(json!(history).to_string()));
    answer
}

fn cells(alert: &Alert) -> Vec<Cell> {
    let label = |d: Dimension| {
        let said = alert.labels.get(&d).filter(|value| !value.is_empty());
        Cell::of(said.cloned(), Cell::Text)
    };
    let known = alert.acknowledged.as_ref();
    vec![
        Cell::Int(alert.id.0.into()),
        Cell::text(alert.state.name()),
        Cell::text(alert.severity.name()),
        Cell::text(&alert.rule_name),
        labels(&alert.labels),
        label(Dimension::Provider),
        label(Dimension::Model),
        Cell::of(words::condition(alert), |c| Cell::Text(c.to_string())),
        Cell::of(alert.value, Cell::Float),
        Cell::Float(alert.threshold),
        Cell::text(unit_name(words::unit(alert))),
        Cell::At(alert.started_at),
        Cell::of(alert.fired_at, Cell::At),
        Cell::of(known.map(|a| a.at), Cell::At),
        Cell::of(known.map(|a| a.by.clone()), Cell::Text),
        Cell::of(known.and_then(|a| a.note.clone()), Cell::Text),
        Cell::of(alert.resolved_at, Cell::At),
        Cell::of(alert.hold_until, Cell::At),
        Cell::At(alert.changed_at),
        Cell::text(alert.reason.name()),
        Cell::text(&alert.actor),
        Cell::text(&alert.context),
    ]
}

/// What people look for in a list.
pub(super) fn short(alerts: &[Alert], now: Millis) -> Answer {
    let columns = [
        ("id", "id"),
        ("state", "state"),
        ("severity", "severity"),
        ("rule", "rule"),
        ("labels", "group"),
        ("value", "value"),
        ("since", "since"),
        ("by", "known to"),
    ];
    let row = |alert: &Alert| {
        let group = (!alert.labels.is_empty()).then(|| words::group(&alert.labels));
        let since = alert
            .resolved_at
            .or(alert.fired_at)
            .unwrap_or(alert.started_at);
        vec![
            Cell::Int(alert.id.0.into()),
            Cell::text(alert.state.name()),
            Cell::text(alert.severity.name()),
            Cell::text(&alert.rule_name),
            Cell::of(group, Cell::Text),
            Cell::Text(words::value(alert)),
            Cell::Text(human::ago(since, now)),
            Cell::of(
                alert.acknowledged.as_ref().map(|a| a.by.clone()),
                Cell::Text,
            ),
        ]
    };
    Answer {
        rows: alerts.iter().map(row).collect(),
        ..Answer::new(
            SCHEMA,
            columns.map(|(name, title)| Column::new(name, title)).into(),
        )
    }
}

/// The shape of an answer about changes.
const HISTORY: &str = "obs.alerts.history/v1";

/// Changes of alerts.
pub(super) fn history(changes: &[Change]) -> Answer {
    let names = [
        "id",
        "at",
        "alert_id",
        "rule",
        "labels",
        "severity",
        "from",
        "to",
        "value",
        "threshold",
        "reason",
        "by",
        "observed_at",
    ];
    let row = |c: &Change| {
        vec![
            Cell::Int(c.id.into()),
            Cell::At(c.changed_at),
            Cell::Int(c.alert_id.0.into()),
            Cell::text(&c.rule_name),
            labels(&c.labels),
            Cell::text(c.severity.name()),
            Cell::of(c.from, |state| Cell::text(state.name())),
            Cell::text(c.to.name()),
            Cell::of(c.value, Cell::Float),
            Cell::Float(c.threshold),
            Cell::text(c.reason.name()),
            Cell::text(&c.actor),
            Cell::At(c.observed_at),
        ]
    };
    Answer {
        rows: changes.iter().map(row).collect(),
        ..Answer::new(HISTORY, columns(&names))
    }
}

/// What people look for in a history.
pub(super) fn short_history(changes: &[Change]) -> Answer {
    let columns = vec![
        Column::new("id", "id"),
        Column::new("at", "at").in_unit(Unit::Time),
        Column::new("alert_id", "alert"),
        Column::new("to", "became"),
        Column::new("rule", "rule"),
        Column::new("labels", "group"),
        Column::new("why", "why"),
    ];
    let row = |c: &Change| {
        let group = (!c.labels.is_empty()).then(|| words::group(&c.labels));
        vec![
            Cell::Int(c.id.into()),
            Cell::At(c.changed_at),
            Cell::Int(c.alert_id.0.into()),
            Cell::text(c.to.name()),
            Cell::text(&c.rule_name),
            Cell::of(group, Cell::Text),
            Cell::of(words::why(c.reason, &c.actor), Cell::Text),
        ]
    };
    Answer {
        rows: changes.iter().map(row).collect(),
        ..Answer::new(HISTORY, columns)
    }
}
