//! What a rule was, and who changed it.

use serde_json::{Map, Value};

use super::find;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::render::{Answer, Cell, Column};
use crate::store::StoreError;

pub(super) fn show(ctx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let (rules, versions) = store.read(|txn| {
        let rules = txn.rules()?;
        let id = rules.iter().find(|r| r.rule.name == name).map(|r| r.id);
        let versions = id.map(|id| txn.rule_versions(id)).transpose()?;
        Ok::<_, StoreError>((rules, versions.unwrap_or_default()))
    })?;
    find(&rules, name)?;
    let columns = ["version", "change", "at", "by", "what", "rule"];
    let columns = columns.map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.rules.history/v1", columns.into());
    let mut before = Map::new();
    for version in versions {
        let after: Map<String, Value> = serde_json::from_str(&version.rule).unwrap_or_default();
        let what = match before.is_empty() {
            true => after
                .get("condition")
                .and_then(Value::as_str)
                .map(str::to_owned),
            false => Some(differences(&before, &after)).filter(|what| !what.is_empty()),
        };
        answer.rows.push(vec![
            Cell::Int(version.version.into()),
            Cell::text(version.change),
            Cell::At(version.at),
            Cell::text(version.actor),
            Cell::of(what, Cell::Text),
            Cell::text(version.rule),
        ]);
        before = after;
    }
    if ctx.wants_table() && !ctx.picks_fields() {
        answer.columns.pop();
    }
    ctx.answer(&answer)
}

/// `severity "warning" -> "critical"; window_ms 300000 -> 600000`
fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> String {
    let differing = after.iter().filter_map(|(key, value)| {
        let was = before.get(key).unwrap_or(&Value::Null);
        (was != value).then(|| format!("{key} {was} -> {value}"))
    });
    differing.collect::<Vec<_>>().join("; ")
}
