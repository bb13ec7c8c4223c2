//! What people do to alerts: say that they know, say that it is over, and set the clock of
//! evaluation right. Who did it and why is written down; who is told is known to `outbox`.

use serde_json::{Map, Value, json};

use super::silence::silenced;
use super::{AlertError, Hush, Purpose, Transition, catch_up, keep_change, replay};
use crate::model::{Acknowledgement, Alert, AlertState, Millis, Reason, Rule};
use crate::store::{RuleChange, Store, StoreError, Txn};

/// What is done to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Somebody knows of it.
    Acknowledge,
    /// It is over. While its condition holds still, it fires anew only after so many
    /// milliseconds, or once the condition has ended and begun again.
    Resolve {
        /// How long.
        hold_ms: i64,
    },
}

/// Who does it, when and with which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand<'a> {
    /// What is done.
    pub deed: Deed,
    /// When.
    pub now: Millis,
    /// By whom.
    pub actor: &'a str,
    /// With which words.
    pub note: Option<&'a str>,
}

/// Catches evaluation up and does something to the alerts that `choose` finds, all or
/// none. Each comes back as it is now, with whether that changed it: what was acknowledged
/// or over before, or does not fire yet, stays as it is.
///
/// # Errors
/// When the store cannot be read or written, and what `choose` says.
pub fn by_hand<E: From<AlertError> + From<StoreError>>(
    store: &mut Store,
    done: &ByHand<'_>,
    choose: impl FnOnce(&Txn<'_>) -> Result<Vec<Alert>, E>,
) -> Result<Vec<(Alert, bool)>, E> {
    catch_up(store, done.now, Purpose::Keep)?;
    store.write(|txn| {
        let mut touched = Vec::new();
        for alert in choose(txn)? {
            touched.push(match done.to(&alert) {
                Some(after) => {
                    keep(txn, alert.state, &after, done.now)?;
                    (after, true)
                }
                None => (alert, false),
            });
        }
        Ok(touched)
    })
}

impl ByHand<'_> {
    /// The alert after it; `None` when there is nothing to do.
    fn to(&self, alert: &Alert) -> Option<Alert> {
        let changed = Alert {
            changed_at: self.now,
            observed_at: self.now,
            actor: self.actor.to_owned(),
            ..alert.clone()
        };
        match (self.deed, alert.state) {
            (Deed::Acknowledge, AlertState::Firing) => Some(Alert {
                state: AlertState::Acknowledged,
                reason: Reason::Acknowledged,
                acknowledged: Some(Acknowledgement {
                    at: self.now,
                    by: self.actor.to_owned(),
                    note: self.note.map(str::to_owned),
                }),
                ..changed
            }),
            (
                Deed::Resolve { hold_ms },
                AlertState::Pending | AlertState::Firing | AlertState::Acknowledged,
            ) => {
                let holds_still = alert.clear_since.is_none();
                Some(Alert {
                    state: AlertState::Resolved,
                    reason: Reason::ResolvedByHand,
                    resolved_at: Some(self.now),
                    hold_until: holds_still.then_some(self.now.plus(hold_ms)),
                    clear_since: None,
                    context: noted(&alert.context, self.note),
                    ..changed
                })
            }
            (Deed::Acknowledge, AlertState::Pending | AlertState::Acknowledged)
            | (_, AlertState::Resolved) => None,
        }
    }
}

/// What made it fire, with the words of who resolved it.
fn noted(context: &str, note: Option<&str>) -> String {
    let Some(note) = note else {
        return context.to_owned();
    };
    let mut context: Map<String, Value> = serde_json::from_str(context).unwrap_or_default();
    context.insert("resolved_note".to_owned(), json!(note));
    Value::Object(context).to_string()
}

fn keep(txn: &Txn<'_>, from: AlertState, after: &Alert, now: Millis) -> Result<(), StoreError> {
    let rules = txn.rules()?;
    let Some(rule) = rules.iter().find(|r| r.id == after.rule_id) else {
        return txn.keep_alert(after);
    };
    let change = Transition {
        from: Some(from),
        alert: after.clone(),
    };
    keep_change(
        txn,
        &rule.rule,
        &change,
        hushed(txn, &rule.rule, after, now)?,
        now,
    )
}

/// Whether a silence keeps back what is told of an alert now.
pub(super) fn hushed(
    txn: &Txn<'_>,
    rule: &Rule,
    alert: &Alert,
    now: Millis,
) -> Result<Option<Hush>, StoreError> {
    let silences = txn.silences_after(now)?;
    Ok(silenced(&silences, alert, rule, &[now]).then_some(Hush::Silenced))
}

/// Sets the clock of evaluation back to the present, after a clock that was ahead took it
/// into the future: evaluation goes on with the next minute. What that future brought
/// ends, and rules made in it begin now. Returns up to when rules were evaluated, or
/// `None` when that is not ahead.
///
/// # Errors
/// When the store cannot be read or written.
pub fn reset_clock(
    store: &mut Store,
    now: Millis,
    actor: &str,
) -> Result<Option<Millis>, StoreError> {
    store.write(|txn| {
        let until = txn.alerts_until()?;
        let Some(until) = until.filter(|until| replay::is_ahead(*until, now)) else {
            return Ok(None);
        };
        for rule in txn.rules()?.into_iter().filter(|r| r.since > now) {
            txn.change_rule(&rule, &rule.rule, now, RuleChange::Changed, now, actor)?;
        }
        let done = ByHand {
            deed: Deed::Resolve { hold_ms: 0 },
            now,
            actor,
            note: Some("the clock was ahead"),
        };
        for alert in txn.live_alerts()? {
            if alert.started_at <= now && alert.clear_since.is_none_or(|at| at <= now) {
                continue;
            }
            if let Some(after) = done.to(&alert) {
                let after = Alert {
                    hold_until: None,
                    ..after
                };
                keep(txn, alert.state, &after, now)?;
            }
        }
        txn.set_alerts_until(replay::closed(now))?;
        Ok(Some(until))
    })
}

#[cfg(test)]
mod tests {
    use super::super::decide::tests::alert;
    use super::*;

    const NOW: Millis = Millis(Millis::HOUR);

    fn done(deed: Deed, alert: &Alert) -> Option<Alert> {
        let by_ada = ByHand {
            deed,
            now: NOW,
            actor: "ada",
            note: Some("looking"),
        };
        by_ada.to(alert)
    }

    #[test]
    fn who_knows_of_an_alert_is_written_down_once() {
        let acknowledged = done(Deed::Acknowledge, &alert(AlertState::Firing, 1)).unwrap();
        assert_eq!(acknowledged.state, AlertState::Acknowledged);
        let known = acknowledged.acknowledged.clone().unwrap();
        assert_eq!((known.at, known.by.as_str()), (NOW, "ada"));
        assert_eq!(known.note.as_deref(), Some("looking"));
        assert_eq!(done(Deed::Acknowledge, &acknowledged), None);
        let pending = alert(AlertState::Pending, 1);
        assert_eq!(done(Deed::Acknowledge, &pending), None);
    }

    #[test]
    fn a_resolution_holds_only_while_the_condition_does() {
        let resolve = Deed::Resolve { hold_ms: 5 };
        let firing = alert(AlertState::Firing, 1);
        let resolved = done(resolve, &firing).unwrap();
        assert_eq!(resolved.hold_until, Some(NOW.plus(5)));
        assert_eq!(resolved.context, r#"{"resolved_note":"looking"}"#);
        assert_eq!(done(resolve, &resolved), None);
        let clear = Alert {
            clear_since: Some(Millis(0)),
            ..firing
        };
        assert_eq!(done(resolve, &clear).unwrap().hold_until, None);
    }
}
