//! Alerts and the history of their states. History is written by triggers of the
//! schema, from the columns of the alert.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};
use serde_json::json;

use super::{StoreError, Txn};
use crate::model::{
    Acknowledgement, Alert, AlertId, AlertState, Dimension, LabelSet, Millis, Reason, RuleId,
    Severity,
};

/// One change of an alert's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its number; later changes have higher ones.
    pub id: i64,
    /// Of which alert.
    pub alert_id: AlertId,
    /// The rule it belongs or belonged to.
    pub rule_name: String,
    /// What it was; `None`: it began.
    pub from: Option<AlertState>,
    /// What it became.
    pub to: AlertState,
    /// How bad it is.
    pub severity: Severity,
    /// For which group.
    pub labels: LabelSet,
    /// The value at the change; `None`: no data.
    pub value: Option<f64>,
    /// What the value was compared with.
    pub threshold: f64,
    /// When it holds, in the time of events.
    pub changed_at: Millis,
    /// When it was decided.
    pub observed_at: Millis,
    /// Why.
    pub reason: Reason,
    /// By whom.
    pub actor: String,
}

macro_rules! columns {
    () => {
        "id, rule_id, rule_name, rule_version, state, severity, labels, current_value, threshold_value, context,
 started_at_ms, fired_at_ms, acknowledged_at_ms, acknowledged_by, acknowledged_note, resolved_at_ms,
 clear_since_ms, hold_until_ms, changed_at_ms, observed_at_ms, reason, actor"
    };
}
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM alerts WHERE resolved_at_ms IS NULL ORDER BY id"
);
const HELD: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM alerts WHERE hold_until_ms IS NOT NULL ORDER BY id"
);
const ONE: &str = concat!("SELECT ", columns!(), " FROM alerts WHERE id = :id");
const TOUCHED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM alerts WHERE id IN (SELECT alert_id FROM alert_history WHERE changed_at_ms >= :since) ORDER BY id"
);
const OVER: &str =
    "SELECT count(*) FROM alerts WHERE started_at_ms < :before AND resolved_at_ms < :before
 AND hold_until_ms IS NULL";
const FORGET: &str = "DELETE FROM alerts WHERE started_at_ms < :before AND resolved_at_ms < :before
 AND hold_until_ms IS NULL";
const NEXT_ID: &str = "SELECT 1 + max(ifnull((SELECT max(id) FROM alerts), 0), ifnull((SELECT max(alert_id) FROM alert_history), 0))";
const KEEP: &str = "INSERT INTO alerts(id, rule_id, rule_name, rule_version, state, severity, provider, model, labels,
 current_value, threshold_value, context, started_at_ms, fired_at_ms, acknowledged_at_ms, acknowledged_by,
 acknowledged_note, resolved_at_ms, clear_since_ms, hold_until_ms, changed_at_ms, observed_at_ms, updated_at_ms, reason, actor)
 VALUES(:id, :rule_id, :rule_name, :rule_version, :state, :severity, :provider, :model, :labels,
 :value, :threshold, :context, :started_at, :fired_at, :acknowledged_at, :acknowledged_by,
 :acknowledged_note, :resolved_at, :clear_since, :hold_until, :changed_at, :observed_at, :observed_at, :reason, :actor)
 ON CONFLICT(id) DO UPDATE SET state = excluded.state, severity = excluded.severity,
 current_value = excluded.current_value, threshold_value = excluded.threshold_value, context = excluded.context,
 fired_at_ms = excluded.fired_at_ms, acknowledged_at_ms = excluded.acknowledged_at_ms,
 acknowledged_by = excluded.acknowledged_by, acknowledged_note = excluded.acknowledged_note,
 resolved_at_ms = excluded.resolved_at_ms, clear_since_ms = excluded.clear_since_ms,
 hold_until_ms = excluded.hold_until_ms, changed_at_ms = excluded.changed_at_ms,
 observed_at_ms = excluded.observed_at_ms, updated_at_ms = excluded.updated_at_ms,
 reason = excluded.reason, actor = excluded.actor";
const LAST_CHANGE: &str = "SELECT max(id) FROM alert_history WHERE alert_id = :alert_id";
macro_rules! history {
    () => {
        "SELECT id, alert_id, rule_name, from_state, to_state, severity, labels, value, threshold_value,
 changed_at_ms, observed_at_ms, reason, actor FROM alert_history"
    };
}
const HISTORY: &str = concat!(history!(), " WHERE alert_id = :alert_id ORDER BY id");
const HISTORY_SINCE: &str = concat!(
    history!(),
    " WHERE changed_at_ms >= :since ORDER BY changed_at_ms DESC, id DESC"
);

impl Txn<'_> {
    /// Alerts that are pending, firing or acknowledged, and those that were resolved by
    /// hand while their condition held; oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one cannot be understood.
    pub fn live_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        let mut alerts = Vec::new();
        for sql in [OPEN, HELD] {
            let mut stmt = self.conn.prepare_cached(sql)?;
            let mut rows = stmt.query([])?;
            while let Some(row) = rows.next()? {
                alerts.push(alert_from_row(row)?);
            }
        }
        Ok(alerts)
    }

    /// Alerts whose state changed since then, oldest first: with those that are open, all
    /// that were open at some time since.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one cannot be understood.
    pub fn alerts_changed_since(&self, since: Millis) -> Result<Vec<Alert>, StoreError> {
        let mut stmt = self.conn.prepare_cached(TOUCHED)?;
        let mut rows = stmt.query(named_params! { ":since": since.0 })?;
        let mut alerts = Vec::new();
        while let Some(row) = rows.next()? {
            alerts.push(alert_from_row(row)?);
        }
        Ok(alerts)
    }

    /// How many alerts were over before a moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_alerts_over(&self, before: Millis) -> Result<usize, StoreError> {
        let mut stmt = self.conn.prepare_cached(OVER)?;
        let count: i64 = stmt.query_row(named_params! { ":before": before.0 }, |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Deletes alerts that were over before a moment; their history stays.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_alerts(&self, before: Millis) -> Result<usize, StoreError> {
        let params = named_params! { ":before": before.0 };
        Ok(self.conn.prepare_cached(FORGET)?.execute(params)?)
    }

    /// One alert.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be understood.
    pub fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        let mut stmt = self.conn.prepare_cached(ONE)?;
        let mut rows = stmt.query(named_params! { ":id": id.0 })?;
        rows.next()?.map(alert_from_row).transpose()
    }

    /// A number for an alert that begins.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next_alert_id(&self) -> Result<AlertId, StoreError> {
        let mut stmt = self.conn.prepare_cached(NEXT_ID)?;
        Ok(AlertId(stmt.query_row([], |row| row.get(0))?))
    }

    /// Keeps an alert as it is now: a new one, or what became of it. A change of its
    /// state enters the history.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_alert(&self, alert: &Alert) -> Result<(), StoreError> {
        let label = |dimension| alert.labels.get(&dimension);
        let acknowledged = alert.acknowledged.as_ref();
        self.conn.prepare_cached(KEEP)?.execute(named_params! {
            ":id": alert.id.0, ":rule_id": alert.rule_id.0, ":rule_name": alert.rule_name,
            ":rule_version": alert.rule_version, ":state": alert.state.name(), ":severity": alert.severity.name(),
            ":provider": label(Dimension::Provider), ":model": label(Dimension::Model),
            ":labels": labels_text(&alert.labels), ":value": alert.value, ":threshold": alert.threshold,
            ":context": alert.context, ":started_at": alert.started_at.0, ":fired_at": alert.fired_at.map(|at| at.0),
            ":acknowledged_at": acknowledged.map(|a| a.at.0), ":acknowledged_by": acknowledged.map(|a| &a.by),
            ":acknowledged_note": acknowledged.and_then(|a| a.note.as_ref()),
            ":resolved_at": alert.resolved_at.map(|at| at.0), ":clear_since": alert.clear_since.map(|at| at.0),
            ":hold_until": alert.hold_until.map(|at| at.0), ":changed_at": alert.changed_at.0,
            ":observed_at": alert.observed_at.0, ":reason": alert.reason.name(), ":actor": alert.actor,
        })?;
        Ok(())
    }

    /// The number of an alert's last change.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_change_of(&self, id: AlertId) -> Result<i64, StoreError> {
        let mut stmt = self.conn.prepare_cached(LAST_CHANGE)?;
        Ok(stmt.query_row(named_params! { ":alert_id": id.0 }, |row| row.get(0))?)
    }

    /// Changes of all alerts since then, newest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one cannot be understood.
    pub fn alert_changes_since(&self, since: Millis) -> Result<Vec<Change>, StoreError> {
        let mut stmt = self.conn.prepare_cached(HISTORY_SINCE)?;
        let mut rows = stmt.query(named_params! { ":since": since.0 })?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            changes.push(change_from_row(row)?);
        }
        Ok(changes)
    }

    /// Every change of an alert, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one cannot be understood.
    pub fn alert_changes(&self, id: AlertId) -> Result<Vec<Change>, StoreError> {
        let mut stmt = self.conn.prepare_cached(HISTORY)?;
        let mut rows = stmt.query(named_params! { ":alert_id": id.0 })?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            changes.push(change_from_row(row)?);
        }
        Ok(changes)
    }
}

/// A label set as JSON, in the order of the dimensions: one text for one set.
pub(super) fn labels_text(labels: &LabelSet) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(dimension, value)| format!("{}:{}", json!(dimension.name()), json!(value)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

/// Reads what [`labels_text`] wrote.
pub(super) fn labels_from(text: &str) -> Result<LabelSet, StoreError> {
    let damaged = || StoreError::Damaged(format!("{text:?} is no set of labels"));
    let pairs: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| damaged())?;
    let known = |(name, value): (String, String)| Some((Dimension::parse(&name)?, value));
    pairs
        .into_iter()
        .map(|pair| known(pair).ok_or_else(damaged))
        .collect()
}

fn alert_from_row(row: &Row<'_>) -> Result<Alert, StoreError> {
    let moment = |column: &str| row.get::<_, Option<i64>>(column).map(|at| at.map(Millis));
    let acknowledged = match moment("acknowledged_at_ms")? {
        None => None,
        Some(at) => Some(Acknowledgement {
            at,
            by: row
                .get::<_, Option<String>>("acknowledged_by")?
                .unwrap_or_default(),
            note: row.get("acknowledged_note")?,
        }),
    };
    Ok(Alert {
        id: AlertId(row.get("id")?),
        rule_id: RuleId(row.get("rule_id")?),
        rule_name: row.get("rule_name")?,
        rule_version: row.get("rule_version")?,
        state: word(row, "state", AlertState::parse)?,
        severity: word(row, "severity", Severity::parse)?,
        labels: labels_from(&row.get::<_, String>("labels")?)?,
        value: row.get("current_value")?,
        threshold: row.get("threshold_value")?,
        context: row.get("context")?,
        started_at: Millis(row.get("started_at_ms")?),
        fired_at: moment("fired_at_ms")?,
        acknowledged,
        resolved_at: moment("resolved_at_ms")?,
        clear_since: moment("clear_since_ms")?,
        hold_until: moment("hold_until_ms")?,
        changed_at: Millis(row.get("changed_at_ms")?),
        observed_at: Millis(row.get("observed_at_ms")?),
        reason: word(row, "reason", Reason::parse)?,
        actor: row.get("actor")?,
    })
}

fn change_from_row(row: &Row<'_>) -> Result<Change, StoreError> {
    let from: Option<String> = row.get("from_state")?;
    Ok(Change {
        id: row.get("id")?,
        alert_id: AlertId(row.get("alert_id")?),
        rule_name: row.get("rule_name")?,
        from: from.as_deref().and_then(AlertState::parse),
        to: word(row, "to_state", AlertState::parse)?,
        severity: word(row, "severity", Severity::parse)?,
        labels: labels_from(&row.get::<_, String>("labels")?)?,
        value: row.get("value")?,
        threshold: row.get("threshold_value")?,
        changed_at: Millis(row.get("changed_at_ms")?),
        observed_at: Millis(row.get("observed_at_ms")?),
        reason: word(row, "reason", Reason::parse)?,
        actor: row.get("actor")?,
    })
}

/// A word of a closed set.
fn word<T>(row: &Row<'_>, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| StoreError::Damaged(format!("{text:?} is no {column} of an alert")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::StoredRule;
    use super::super::testing::empty;
    use super::*;
    use crate::model::{Condition, Rule};

    /// An alert of that rule, firing since `at`.
    pub(in super::super) fn firing(rule: &StoredRule, id: AlertId, at: Millis) -> Alert {
        let labels = [(Dimension::Provider, "clau\"de".to_owned())];
        Alert {
            id,
            rule_id: rule.id,
            rule_name: rule.rule.name.clone(),
            rule_version: rule.version,
            state: AlertState::Firing,
            severity: Severity::Critical,
            labels: labels.into(),
            value: Some(2500.0),
            threshold: 2000.0,
            context: r#"{"requests":20}"#.to_owned(),
            started_at: at,
            fired_at: Some(at),
            acknowledged: None,
            resolved_at: None,
            clear_since: None,
            hold_until: None,
            changed_at: at,
            observed_at: at.plus(30_000),
            reason: Reason::Holds,
            actor: "obs".to_owned(),
        }
    }

    #[test]
    fn an_alert_reads_back_the_same_and_its_life_is_history() {
        let mut temporary = empty();
        let rule = Rule::new(
            "slow",
            Condition::parse("p95_latency by (provider) > 2s").unwrap(),
        );
        let (alert, changes) = temporary
            .store
            .write(|txn| {
                let rule = txn.add_rule(&rule, Millis(0), "ada")?;
                let mut alert = firing(&rule, txn.next_alert_id()?, Millis(60_000));
                txn.keep_alert(&alert)?;
                alert.state = AlertState::Acknowledged;
                alert.reason = Reason::Acknowledged;
                alert.actor = "ada".to_owned();
                alert.changed_at = Millis(120_000);
                alert.acknowledged = Some(Acknowledgement {
                    at: Millis(120_000),
                    by: "ada".to_owned(),
                    note: Some("looking".to_owned()),
                });
                txn.keep_alert(&alert)?;
                assert_eq!(txn.alert(alert.id)?, Some(alert.clone()));
                let changes = txn.alert_changes(alert.id)?;
                Ok::<_, StoreError>((alert, changes))
            })
            .unwrap();
        let life = changes
            .iter()
            .map(|c| (c.from, c.to, c.reason, c.changed_at));
        assert_eq!(
            life.collect::<Vec<_>>(),
            [
                (None, AlertState::Firing, Reason::Holds, Millis(60_000)),
                (
                    Some(AlertState::Firing),
                    AlertState::Acknowledged,
                    Reason::Acknowledged,
                    Millis(120_000)
                ),
            ]
        );
        assert_eq!(changes[0].labels, alert.labels);
    }
}
