//! Rules as rows of an answer.

use serde_json::json;

use crate::model::{Millis, Rule};
use crate::render::{Answer, Cell, Column, human};
use crate::store::StoredRule;

/// The shape of an answer about rules.
pub(super) const SCHEMA: &str = "obs.rules/v1";

/// Everything that is known of rules.
pub(super) fn full(rules: &[StoredRule]) -> Answer {
    let names = [
        "name",
        "condition",
        "window_s",
        "also_window_s",
        "for_s",
        "severity",
        "enabled",
        "min_count",
        "no_data",
        "resolve_threshold",
        "keep_firing_for_s",
        "repeat_interval_s",
        "send_resolved",
        "channels",
        "labels",
        "annotations",
        "description",
        "version",
        "since",
        "created_at",
        "updated_at",
    ];
    let columns = names.map(|name| Column::new(name, name.replace('_', " ")));
    Answer {
        rows: rules.iter().map(cells).collect(),
        ..Answer::new(SCHEMA, columns.into())
    }
}

fn cells(stored: &StoredRule) -> Vec<Cell> {
    let rule = &stored.rule;
    let seconds = |ms: i64| Cell::Int((ms / Millis::SECOND).into());
    vec![
        Cell::text(&rule.name),
        Cell::Text(rule.condition.to_string()),
        seconds(rule.window_ms),
        Cell::of(rule.also_window_ms, seconds),
        seconds(rule.for_ms),
        Cell::text(rule.severity.name()),
        Cell::Bool(rule.enabled),
        Cell::Int(rule.enough().into()),
        Cell::text(rule.no_data.name()),
        Cell::of(rule.resolve_threshold, |t| Cell::Text(t.to_string())),
        seconds(rule.keep_firing_for_ms),
        Cell::of(rule.repeat_interval_ms, seconds),
        Cell::Bool(rule.send_resolved),
        channels(rule),
        Cell::Text(json!(rule.labels).to_string()),
        Cell::Text(json!(rule.annotations).to_string()),
        Cell::of(rule.description.clone(), Cell::Text),
        Cell::Int(stored.version.into()),
        Cell::At(stored.since),
        Cell::At(stored.created_at),
        Cell::At(stored.updated_at),
    ]
}

fn channels(rule: &Rule) -> Cell {
    let named = (!rule.channels.is_empty()).then(|| rule.channels.join(","));
    Cell::of(named, Cell::Text)
}

/// What people look for in a list.
pub(super) fn short(rules: &[StoredRule]) -> Answer {
    let columns = [
        ("name", "rule"),
        ("condition", "fires when"),
        ("window", "window"),
        ("for", "for"),
        ("severity", "severity"),
        ("enabled", "enabled"),
        ("channels", "told to"),
    ];
    let length = |ms: i64| Cell::Text(human::duration_ms(ms));
    let row = |stored: &StoredRule| {
        let rule = &stored.rule;
        vec![
            Cell::text(&rule.name),
            Cell::Text(rule.condition.to_string()),
            length(rule.window_ms),
            Cell::of((rule.for_ms > 0).then_some(rule.for_ms), length),
            Cell::text(rule.severity.name()),
            Cell::text(if rule.enabled { "yes" } else { "no" }),
            channels(rule),
        ]
    };
    Answer {
        rows: rules.iter().map(row).collect(),
        ..Answer::new(
            SCHEMA,
            columns.map(|(name, title)| Column::new(name, title)).into(),
        )
    }
}
