//! Alert rules, and what they were before.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};
use serde_json::json;

use super::{StoreError, Txn};
use crate::model::{
    Condition, Dimension, Millis, NoData, Rule, RuleId, Selector, Severity, Threshold,
};

/// A rule as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRule {
    /// Its number.
    pub id: RuleId,
    /// What it says.
    pub rule: Rule,
    /// Rises with every change.
    pub version: i64,
    /// Minutes that end later are evaluated: since it was made, or its condition changed.
    pub since: Millis,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// One change of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleVersion {
    /// Rises with every change.
    pub version: i64,
    /// What was done.
    pub change: String,
    /// Its name then.
    pub name: String,
    /// The whole rule, as JSON.
    pub rule: String,
    /// When.
    pub at: Millis,
    /// By whom.
    pub actor: String,
}

/// What is done to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleChange {
    /// It was made.
    Created,
    /// It says something else.
    Changed,
    /// It is evaluated again.
    Enabled,
    /// It is not evaluated any more.
    Disabled,
    /// It is gone.
    Deleted,
}

impl RuleChange {
    fn name(self) -> &'static str {
        match self {
            RuleChange::Created => "created",
            RuleChange::Changed => "changed",
            RuleChange::Enabled => "enabled",
            RuleChange::Disabled => "disabled",
            RuleChange::Deleted => "deleted",
        }
    }
}

const ALL: &str = "SELECT id, name, description, condition, window_ms, also_window_ms, for_ms, severity, enabled, labels, annotations,
 min_count, no_data, resolve_threshold, keep_firing_for_ms, repeat_interval_ms, send_resolved, channels,
 version, since_ms, created_at_ms, updated_at_ms FROM alert_rules ORDER BY id";
const NEXT_ID: &str = "SELECT 1 + ifnull((SELECT max(rule_id) FROM alert_rule_version), 0)";
const ADD: &str = "INSERT INTO alert_rules(id, name, description, metric, operator, threshold, duration_s, provider, model,
 severity, enabled, labels, annotations, condition, window_ms, also_window_ms, for_ms, min_count, no_data, resolve_threshold,
 keep_firing_for_ms, repeat_interval_ms, send_resolved, channels, version, since_ms, created_at_ms, updated_at_ms)
 VALUES(:id, :name, :description, :metric, :operator, :threshold, :duration_s, :provider, :model,
 :severity, :enabled, :labels, :annotations, :condition, :window_ms, :also_window_ms, :for_ms, :min_count, :no_data, :resolve_threshold,
 :keep_firing_for_ms, :repeat_interval_ms, :send_resolved, :channels, :version, :since, :now, :now)
 ON CONFLICT(id) DO UPDATE SET name = excluded.name, description = excluded.description, metric = excluded.metric,
 operator = excluded.operator, threshold = excluded.threshold, duration_s = excluded.duration_s,
 provider = excluded.provider, model = excluded.model, severity = excluded.severity, enabled = excluded.enabled,
 labels = excluded.labels, annotations = excluded.annotations, condition = excluded.condition,
 window_ms = excluded.window_ms, also_window_ms = excluded.also_window_ms, for_ms = excluded.for_ms, min_count = excluded.min_count, no_data = excluded.no_data,
 resolve_threshold = excluded.resolve_threshold, keep_firing_for_ms = excluded.keep_firing_for_ms,
 repeat_interval_ms = excluded.repeat_interval_ms, send_resolved = excluded.send_resolved,
 channels = excluded.channels, version = excluded.version, since_ms = excluded.since_ms,
 updated_at_ms = excluded.updated_at_ms";
const DELETE: &str = "DELETE FROM alert_rules WHERE id = :id";
const NOTE_VERSION: &str = "INSERT INTO alert_rule_version(rule_id, version, change, rule_name, rule, changed_at_ms, actor)
 VALUES(:id, :version, :change, :name, :rule, :now, :actor)";
const VERSIONS: &str =
    "SELECT version, change, rule_name, rule, changed_at_ms, actor FROM alert_rule_version
 WHERE rule_id = :id ORDER BY version";

impl Txn<'_> {
    /// All rules, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one says nothing that can be understood.
    pub fn rules(&self) -> Result<Vec<StoredRule>, StoreError> {
        let mut stmt = self.conn.prepare_cached(ALL)?;
        let mut rows = stmt.query([])?;
        let mut rules = Vec::new();
        while let Some(row) = rows.next()? {
            rules.push(rule_from_row(row)?);
        }
        Ok(rules)
    }

    /// Adds a rule; minutes that end after `now` will be evaluated.
    ///
    /// # Errors
    /// When there is one of that name, or the store cannot be written.
    pub fn add_rule(
        &self,
        rule: &Rule,
        now: Millis,
        actor: &str,
    ) -> Result<StoredRule, StoreError> {
        let id = self
            .conn
            .prepare_cached(NEXT_ID)?
            .query_row([], |r| r.get(0))?;
        let stored = StoredRule {
            id: RuleId(id),
            rule: rule.clone(),
            version: 1,
            since: now,
            created_at: now,
            updated_at: now,
        };
        self.keep_rule(&stored, RuleChange::Created, now, actor)?;
        Ok(stored)
    }

    /// Puts a rule in the place of an earlier version of itself. `since` is given by
    /// the caller, who knows whether the change begins a new evaluation.
    ///
    /// # Errors
    /// When another rule has its name, or the store cannot be written.
    pub fn change_rule(
        &self,
        before: &StoredRule,
        rule: &Rule,
        since: Millis,
        change: RuleChange,
        now: Millis,
        actor: &str,
    ) -> Result<StoredRule, StoreError> {
        let stored = StoredRule {
            rule: rule.clone(),
            version: before.version + 1,
            since,
            updated_at: now,
            ..*before
        };
        self.keep_rule(&stored, change, now, actor)?;
        Ok(stored)
    }

    /// Deletes a rule and its alerts; their history and its versions stay.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn delete_rule(
        &self,
        rule: &StoredRule,
        now: Millis,
        actor: &str,
    ) -> Result<(), StoreError> {
        self.note_version(rule, rule.version + 1, RuleChange::Deleted, now, actor)?;
        self.conn
            .prepare_cached(DELETE)?
            .execute(named_params! { ":id": rule.id.0 })?;
        Ok(())
    }

    /// What a rule was, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rule_versions(&self, id: RuleId) -> Result<Vec<RuleVersion>, StoreError> {
        let mut stmt = self.conn.prepare_cached(VERSIONS)?;
        let rows = stmt.query_map(named_params! { ":id": id.0 }, |row| {
            Ok(RuleVersion {
                version: row.get("version")?,
                change: row.get("change")?,
                name: row.get("rule_name")?,
                rule: row.get("rule")?,
                at: Millis(row.get("changed_at_ms")?),
                actor: row.get("actor")?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn keep_rule(
        &self,
        stored: &StoredRule,
        change: RuleChange,
        now: Millis,
        actor: &str,
    ) -> Result<(), StoreError> {
        let rule = &stored.rule;
        let expr = &rule.condition.expr;
        let duration_ms = if rule.for_ms > 0 {
            rule.for_ms
        } else {
            rule.window_ms
        };
        self.conn.prepare_cached(ADD)?.execute(named_params! {
            ":id": stored.id.0, ":name": rule.name, ":description": rule.description, ":metric": expr.measure,
            ":operator": rule.condition.op.symbol(), ":threshold": rule.condition.threshold.value,
            ":duration_s": duration_ms / Millis::SECOND,
            ":provider": only(&expr.selector, Dimension::Provider), ":model": only(&expr.selector, Dimension::Model),
            ":severity": rule.severity.name(), ":enabled": rule.enabled,
            ":labels": json!(rule.labels).to_string(), ":annotations": json!(rule.annotations).to_string(),
            ":condition": rule.condition.to_string(), ":window_ms": rule.window_ms, ":also_window_ms": rule.also_window_ms, ":for_ms": rule.for_ms,
            ":min_count": rule.min_count.map(|n| i64::try_from(n).unwrap_or(i64::MAX)), ":no_data": rule.no_data.name(),
            ":resolve_threshold": rule.resolve_threshold.map(|t| t.to_string()),
            ":keep_firing_for_ms": rule.keep_firing_for_ms, ":repeat_interval_ms": rule.repeat_interval_ms,
            ":send_resolved": rule.send_resolved, ":channels": json!(rule.channels).to_string(),
            ":version": stored.version, ":since": stored.since.0, ":now": now.0,
        })?;
        self.note_version(stored, stored.version, change, now, actor)
    }

    fn note_version(
        &self,
        stored: &StoredRule,
        version: i64,
        change: RuleChange,
        now: Millis,
        actor: &str,
    ) -> Result<(), StoreError> {
        self.conn.prepare_cached(NOTE_VERSION)?.execute(named_params! {
            ":id": stored.id.0, ":version": version, ":change": change.name(), ":name": stored.rule.name,
            ":rule": written(&stored.rule), ":now": now.0, ":actor": actor,
        })?;
        Ok(())
    }
}

/// The one value that a selector allows, for readers of SQL.
fn only(selector: &Selector, dimension: Dimension) -> Option<&str> {
    let mut matchers = selector.matchers.iter();
    let matcher = matchers.find(|m| m.dimension() == dimension && !m.is_negated())?;
    match matcher.patterns() {
        [pattern] => pattern.exact(),
        _ => None,
    }
}

/// The whole rule, as its versions keep it.
fn written(rule: &Rule) -> String {
    json!({
        "name": rule.name, "description": rule.description, "condition": rule.condition.to_string(),
        "window_ms": rule.window_ms, "also_window_ms": rule.also_window_ms, "for_ms": rule.for_ms, "severity": rule.severity.name(),
        "enabled": rule.enabled, "labels": rule.labels, "annotations": rule.annotations,
        "min_count": rule.min_count, "no_data": rule.no_data.name(),
        "resolve_threshold": rule.resolve_threshold.map(|t| t.to_string()),
        "keep_firing_for_ms": rule.keep_firing_for_ms, "repeat_interval_ms": rule.repeat_interval_ms,
        "send_resolved": rule.send_resolved, "channels": rule.channels,
    })
    .to_string()
}

fn rule_from_row(row: &Row<'_>) -> Result<StoredRule, StoreError> {
    let name: String = row.get("name")?;
    let damaged = |what: &str| StoreError::Damaged(format!("the rule {name:?} has no {what}"));
    let text = |column: &str| row.get::<_, String>(column);
    let texts = |column: &str| -> Result<BTreeMap<String, String>, StoreError> {
        serde_json::from_str(&text(column)?).map_err(|_| damaged(column))
    };
    let condition = Condition::parse(&text("condition")?).map_err(|_| damaged("condition"))?;
    let resolve_threshold: Option<String> = row.get("resolve_threshold")?;
    let resolve_threshold = resolve_threshold.map(|t| Threshold::parse(&t)).transpose();
    let rule = Rule {
        description: row.get("description")?,
        condition,
        window_ms: row.get("window_ms")?,
        also_window_ms: row.get("also_window_ms")?,
        for_ms: row.get("for_ms")?,
        severity: Severity::parse(&text("severity")?).ok_or_else(|| damaged("severity"))?,
        enabled: row.get("enabled")?,
        labels: texts("labels")?,
        annotations: texts("annotations")?,
        min_count: row
            .get::<_, Option<i64>>("min_count")?
            .map(i64::unsigned_abs),
        no_data: NoData::parse(&text("no_data")?).ok_or_else(|| damaged("no_data"))?,
        resolve_threshold: resolve_threshold.map_err(|_| damaged("resolve_threshold"))?,
        keep_firing_for_ms: row.get("keep_firing_for_ms")?,
        repeat_interval_ms: row.get("repeat_interval_ms")?,
        send_resolved: row.get("send_resolved")?,
        channels: serde_json::from_str(&text("channels")?).map_err(|_| damaged("channels"))?,
        name: name.clone(),
    };
    Ok(StoredRule {
        id: RuleId(row.get("id")?),
        rule,
        version: row.get("version")?,
        since: Millis(row.get("since_ms")?),
        created_at: Millis(row.get("created_at_ms")?),
        updated_at: Millis(row.get("updated_at_ms")?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::empty;
    use super::*;

    #[test]
    fn a_rule_reads_back_the_same_with_all_its_options() {
        let condition = r#"p95_latency{provider="claude", model=~"*opus*"} by (role) >= 2.5s"#;
        let rule = Rule {
            description: Some("slow \u{202e} answers".to_owned()),
            window_ms: 600_000,
            also_window_ms: Some(120_000),
            for_ms: 60_000,
            severity: Severity::Critical,
            enabled: false,
            labels: [("team".to_owned(), "search".to_owned())].into(),
            annotations: [("summary".to_owned(), "{{ value }}".to_owned())].into(),
            min_count: Some(20),
            no_data: NoData::Hold,
            resolve_threshold: Some(Threshold::parse("2s").unwrap()),
            keep_firing_for_ms: 120_000,
            repeat_interval_ms: Some(3_600_000),
            send_resolved: false,
            channels: vec!["slack".to_owned()],
            ..Rule::new("slow", Condition::parse(condition).unwrap())
        };
        let mut temporary = empty();
        let work = |txn: &Txn<'_>| {
            let made = txn.add_rule(&rule, Millis(1_000), "ada")?;
            assert_eq!(txn.rules()?, std::slice::from_ref(&made));
            assert_eq!(made.rule, rule);
            let sql = "SELECT provider || ' ' || ifnull(model, '-') || ' ' || metric || operator || threshold FROM alert_rules";
            let seen: String = txn.conn.query_row(sql, [], |row| row.get(0))?;
            assert_eq!(seen, "claude - p95_latency>=2500.0");
            Ok::<_, StoreError>(())
        };
        temporary.store.write(work).unwrap();
    }

    #[test]
    fn the_number_of_a_deleted_rule_is_not_given_again() {
        let rule = Rule::new("slow", Condition::parse("requests > 1").unwrap());
        let mut temporary = empty();
        let work = |txn: &Txn<'_>| {
            let first = txn.add_rule(&rule, Millis(0), "ada")?;
            txn.delete_rule(&first, Millis(1), "ada")?;
            let second = txn.add_rule(&rule, Millis(2), "ada")?;
            Ok::<_, StoreError>((first.id, second.id))
        };
        let (first, second) = temporary.store.write(work).unwrap();
        assert!(second > first);
    }
}
