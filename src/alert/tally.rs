//! How many alerts there were, how long they took, and which rules make the most noise.
//!
//! An alert that never fired is none here: it was only about to.

use std::collections::BTreeMap;

use crate::model::{Alert, AlertState, LabelSet, Millis, RuleId, Severity};

/// A group that fired so often in the time that is looked at flaps.
pub const FLAPS: usize = 3;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything.
    All,
    /// Alerts of a severity.
    Severity(Severity),
    /// Alerts of a rule, by its name.
    Rule(String),
}

/// What alerts came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// Of what.
    pub scope: Scope,
    /// Alerts that fired at some time of it.
    pub total: u64,
    /// Those that fire now, and nobody said that they know.
    pub firing: u64,
    /// Those that fire now, and somebody knows.
    pub acknowledged: u64,
    /// Those that are over.
    pub resolved: u64,
    /// Groups of rules that fired [`FLAPS`] times or more.
    pub flapping: u64,
    /// From firing until somebody knew, on average; `None`: nobody did.
    pub to_acknowledge_ms: Option<i64>,
    /// From firing until it was over, on average; `None`: nothing was.
    pub to_resolve_ms: Option<i64>,
}

/// Counts the alerts that fired at some time since then: all, by severity with the gravest
/// first, and by rule with the noisiest first.
pub fn tally(alerts: &[Alert], since: Millis) -> Vec<Tally> {
    let fired = |a: &&Alert| {
        a.fired_at.is_some() && a.resolved_at.is_none_or(|resolved_at| resolved_at >= since)
    };
    let fired: Vec<&Alert> = alerts.iter().filter(fired).collect();
    let mut tallies = vec![count(Scope::All, &fired)];
    for severity in Severity::ALL.into_iter().rev() {
        let of: Vec<&Alert> = fired
            .iter()
            .copied()
            .filter(|a| a.severity == severity)
            .collect();
        tallies.push(count(Scope::Severity(severity), &of));
    }
    let mut by_rule: BTreeMap<&str, Vec<&Alert>> = BTreeMap::new();
    for alert in &fired {
        by_rule.entry(&alert.rule_name).or_default().push(alert);
    }
    let of_rule = |(name, of): (&str, Vec<&Alert>)| count(Scope::Rule(name.to_owned()), &of);
    let mut rules: Vec<Tally> = by_rule.into_iter().map(of_rule).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.total));
    tallies.extend(rules);
    tallies
}

fn count(scope: Scope, alerts: &[&Alert]) -> Tally {
    let with = |state| alerts.iter().filter(|a| a.state == state).count() as u64;
    let mut fires: BTreeMap<(RuleId, &LabelSet), usize> = BTreeMap::new();
    for alert in alerts {
        *fires.entry((alert.rule_id, &alert.labels)).or_default() += 1;
    }
    let lasted = |end: fn(&Alert) -> Option<Millis>| {
        let lasted = |a: &&Alert| Some(end(a)?.0 - a.fired_at?.0);
        mean(alerts.iter().filter_map(lasted))
    };
    Tally {
        scope,
        total: alerts.len() as u64,
        firing: with(AlertState::Firing),
        acknowledged: with(AlertState::Acknowledged),
        resolved: with(AlertState::Resolved),
        flapping: fires.values().filter(|n| **n >= FLAPS).count() as u64,
        to_acknowledge_ms: lasted(|a| Some(a.acknowledged.as_ref()?.at)),
        to_resolve_ms: lasted(|a| a.resolved_at),
    }
}

fn mean(lengths: impl Iterator<Item = i64>) -> Option<i64> {
    let (sum, n) = lengths.fold((0_i128, 0_i128), |(sum, n), ms| {
        (sum + i128::from(ms), n + 1)
    });
    i64::try_from(sum.checked_div(n)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::decide::tests::alert;
    use super::*;
    use crate::model::Acknowledgement;

    /// An alert that fired in a minute and was over in another.
    fn fired(severity: Severity, at: i64, resolved: Option<i64>) -> Alert {
        let minute = |minute: i64| Millis(minute * Millis::MINUTE);
        Alert {
            severity,
            fired_at: Some(minute(at)),
            resolved_at: resolved.map(minute),
            ..alert(
                resolved.map_or(AlertState::Firing, |_| AlertState::Resolved),
                at,
            )
        }
    }

    #[test]
    fn alerts_are_counted_by_state_severity_and_rule() {
        let mut known = fired(Severity::Critical, 4, None);
        known.state = AlertState::Acknowledged;
        known.acknowledged = Some(Acknowledgement {
            at: Millis(6 * Millis::MINUTE),
            by: "ada".to_owned(),
            note: None,
        });
        known.rule_name = "another".to_owned();
        known.rule_id = RuleId(2);
        let alerts = [
            fired(Severity::Warning, 1, Some(2)),
            fired(Severity::Warning, 3, Some(6)),
            fired(Severity::Warning, 7, None),
            known,
            // Never fired, and over before the time that is looked at.
            alert(AlertState::Pending, 5),
            fired(Severity::Critical, 0, Some(0)),
        ];
        let tallies = tally(&alerts, Millis(1));
        let all = &tallies[0];
        assert_eq!((all.total, all.firing), (4, 1));
        assert_eq!((all.acknowledged, all.resolved), (1, 2));
        assert_eq!(all.flapping, 1);
        assert_eq!(all.to_acknowledge_ms, Some(2 * Millis::MINUTE));
        assert_eq!(all.to_resolve_ms, Some(2 * Millis::MINUTE));
        let told = tallies.iter().map(|t| (t.scope.clone(), t.total));
        assert_eq!(
            told.skip(1).collect::<Vec<_>>(),
            [
                (Scope::Severity(Severity::Critical), 1),
                (Scope::Severity(Severity::Warning), 3),
                (Scope::Severity(Severity::Info), 0),
                (Scope::Rule("a rule".to_owned()), 3),
                (Scope::Rule("another".to_owned()), 1),
            ]
        );
    }
}
