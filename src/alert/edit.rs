//! Changes of rules, and what becomes of their alerts.
//!
//! Evaluation is caught up first, so that what was wrong until now is judged by the rules
//! that were in force. A change of what is looked at (condition or window) begins anew:
//! alerts of the old question end with it. Any other change lets alerts go on.

use super::hand::hushed;
use super::{AlertError, Purpose, Transition, catch_up, keep_change};
use crate::model::{Alert, AlertState, Millis, Reason, Rule, RuleId};
use crate::store::{RuleChange, Store, StoreError, StoredRule, Txn};

/// Who makes the rules of a new store.
const ACTOR: &str = "obs";

/// Where rules are changed: one transaction, at one moment, by one person.
pub struct Desk<'t> {
    txn: &'t Txn<'t>,
    now: Millis,
    actor: &'t str,
}

/// Catches evaluation up and changes rules in one transaction.
///
/// # Errors
/// When the store cannot be read or written, and what `work` says; nothing is changed then.
pub fn edit<T, E: From<AlertError> + From<StoreError>>(
    store: &mut Store,
    now: Millis,
    actor: &str,
    work: impl FnOnce(&Desk<'_>) -> Result<T, E>,
) -> Result<T, E> {
    catch_up(store, now, Purpose::Keep)?;
    store.write(|txn| work(&Desk { txn, now, actor }))
}

/// Notes when a store is first used, and gives it its first rules; later calls change
/// nothing, so that who deletes them is rid of them.
///
/// # Errors
/// When the store cannot be written.
pub fn born(store: &mut Store, now: Millis, rules: &[Rule]) -> Result<(), StoreError> {
    store.write(|txn| {
        if txn.birth()?.is_some() {
            return Ok(());
        }
        txn.set_birth(now)?;
        for rule in rules {
            txn.add_rule(rule, now, ACTOR)?;
        }
        Ok(())
    })
}

impl Desk<'_> {
    /// All rules, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rules(&self) -> Result<Vec<StoredRule>, StoreError> {
        self.txn.rules()
    }

    /// Adds a rule; it looks at minutes that end from now on.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add(&self, rule: &Rule) -> Result<StoredRule, StoreError> {
        self.txn.add_rule(rule, self.now, self.actor)
    }

    /// Puts a rule in the place of what it was. When it says the same, nothing happens.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn change(&self, before: &StoredRule, rule: &Rule) -> Result<StoredRule, StoreError> {
        if before.rule == *rule {
            return Ok(before.clone());
        }
        let switched = Rule {
            enabled: rule.enabled,
            ..before.rule.clone()
        };
        let change = match (switched == *rule, rule.enabled) {
            (true, true) => RuleChange::Enabled,
            (true, false) => RuleChange::Disabled,
            (false, _) => RuleChange::Changed,
        };
        let anew = asks_differently(&before.rule, rule);
        let since = match anew || (rule.enabled && !before.rule.enabled) {
            true => self.now,
            false => before.since,
        };
        if !rule.enabled {
            self.end(before, Reason::RuleDisabled)?;
        } else if anew {
            self.end(before, Reason::RuleChanged)?;
        } else if rule.severity != before.rule.severity {
            for alert in self.live(before.id)? {
                self.txn.keep_alert(&Alert {
                    severity: rule.severity,
                    ..alert
                })?;
            }
        }
        self.txn
            .change_rule(before, rule, since, change, self.now, self.actor)
    }

    /// Deletes a rule with its alerts, which end in the history; history and versions stay.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn delete(&self, rule: &StoredRule) -> Result<(), StoreError> {
        self.end(rule, Reason::RuleDeleted)?;
        self.txn.delete_rule(rule, self.now, self.actor)
    }

    fn live(&self, rule: RuleId) -> Result<Vec<Alert>, StoreError> {
        let alerts = self.txn.live_alerts()?;
        Ok(alerts.into_iter().filter(|a| a.rule_id == rule).collect())
    }

    /// Ends what is open, and lets those who heard of it know; what was resolved by hand
    /// is not held back any longer.
    fn end(&self, rule: &StoredRule, reason: Reason) -> Result<(), StoreError> {
        for alert in self.live(rule.id)? {
            match alert.state {
                AlertState::Pending | AlertState::Firing | AlertState::Acknowledged => {
                    let ended = self.ended(alert, reason);
                    let hush = hushed(self.txn, &rule.rule, &ended.alert, self.now)?;
                    keep_change(self.txn, &rule.rule, &ended, hush, self.now)?;
                }
                AlertState::Resolved => self.txn.keep_alert(&Alert {
                    hold_until: None,
                    ..alert
                })?,
            }
        }
        Ok(())
    }

    fn ended(&self, alert: Alert, reason: Reason) -> Transition {
        Transition {
            from: Some(alert.state),
            alert: Alert {
                state: AlertState::Resolved,
                resolved_at: Some(self.now),
                clear_since: None,
                changed_at: self.now,
                observed_at: self.now,
                reason,
                actor: self.actor.to_owned(),
                ..alert
            },
        }
    }
}

/// Whether what is known of the alerts of one says nothing about the other.
fn asks_differently(before: &Rule, after: &Rule) -> bool {
    let question = |rule: &Rule| (rule.condition.clone(), rule.window_ms, rule.also_window_ms);
    question(before) != question(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlertId, Condition, Severity};
    use crate::store::testing::{Temporary, empty};

    const START: Millis = Millis(1_772_366_400_000);

    fn rule() -> Rule {
        Rule::new("busy", Condition::parse("requests > 10").unwrap())
    }

    /// A store with the rule and an alert of it, which fires, and what a change of the
    /// rule makes of both.
    fn after(change: impl FnOnce(&mut Rule)) -> (Temporary, StoredRule, Option<Alert>) {
        let mut temporary = empty();
        let (stored, alert) = temporary
            .store
            .write(|txn| {
                let stored = txn.add_rule(&rule(), START, "ada")?;
                let mut alert = super::super::decide::tests::alert(AlertState::Firing, 0);
                alert.rule_id = stored.id;
                txn.keep_alert(&alert)?;
                txn.set_alerts_until(START.plus(Millis::HOUR))?;
                Ok::<_, StoreError>((stored, alert.id))
            })
            .unwrap();
        let now = START.plus(Millis::HOUR);
        let mut changed = rule();
        change(&mut changed);
        let changed = edit(&mut temporary.store, now, "ada", |desk| {
            Ok::<_, AlertError>(desk.change(&stored, &changed)?)
        });
        let alert = temporary.store.read(|txn| txn.alert(alert)).unwrap();
        (temporary, changed.unwrap(), alert)
    }

    #[test]
    fn another_question_ends_the_alerts_and_begins_anew() {
        let (_store, rule, alert) = after(|rule| rule.window_ms *= 2);
        let alert = alert.unwrap();
        assert_eq!(
            (alert.state, alert.reason),
            (AlertState::Resolved, Reason::RuleChanged)
        );
        assert_eq!(alert.actor, "ada");
        assert_eq!(rule.since, START.plus(Millis::HOUR));
    }

    #[test]
    fn another_text_or_severity_lets_the_alert_go_on() {
        let (_store, rule, alert) = after(|rule| {
            rule.severity = Severity::Critical;
            rule.channels.push("slack".to_owned());
        });
        let alert = alert.unwrap();
        assert_eq!(
            (alert.state, alert.severity),
            (AlertState::Firing, Severity::Critical)
        );
        assert_eq!((rule.version, rule.since), (2, START));
    }

    #[test]
    fn a_rule_that_is_switched_off_has_no_alerts() {
        let (_store, _, alert) = after(|rule| rule.enabled = false);
        assert_eq!(alert.unwrap().reason, Reason::RuleDisabled);
    }

    #[test]
    fn the_same_rule_again_is_no_change() {
        let (_store, rule, _) = after(|_| {});
        assert_eq!(rule.version, 1);
    }

    #[test]
    fn a_deleted_rule_takes_its_alerts_with_it_and_leaves_their_history() {
        let (mut temporary, rule, _) = after(|_| {});
        let now = START.plus(Millis::HOUR);
        edit(&mut temporary.store, now, "ada", |desk| {
            Ok::<_, AlertError>(desk.delete(&rule)?)
        })
        .unwrap();
        let changes = temporary.store.read(|txn| {
            assert_eq!(txn.alert(AlertId(1))?, None);
            assert_eq!(txn.rules()?, []);
            txn.alert_changes(AlertId(1))
        });
        let last = changes.unwrap().pop().unwrap();
        assert_eq!(
            (last.to, last.reason),
            (AlertState::Resolved, Reason::RuleDeleted)
        );
    }

    #[test]
    fn first_rules_are_given_once() {
        let mut temporary = empty();
        let store = &mut temporary.store;
        born(store, START, &[rule()]).unwrap();
        let delete_all = |txn: &Txn<'_>| {
            for rule in txn.rules()? {
                txn.delete_rule(&rule, START, "ada")?;
            }
            Ok::<_, StoreError>(())
        };
        store.write(delete_all).unwrap();
        born(store, START.plus(1), &[rule()]).unwrap();
        assert_eq!(store.read(|txn| txn.rules()).unwrap(), []);
    }
}
