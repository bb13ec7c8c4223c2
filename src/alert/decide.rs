//! One rule, one set of labels, one minute: what follows.
//!
//! Waiting (`for`) and going on (`keep_firing_for`) mean what they mean in Prometheus
//! (rules/alerting.go of Prometheus 2.42 and later): an alert fires at the first
//! evaluation at which the condition has held for at least so long, counted from the
//! first at which it held, and ends at the first at which it has been clear for at
//! least so long.

use crate::model::{Alert, AlertState, Millis, NoData, Reason, Rule};

/// What was measured over the window of a rule that ends with a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The value, in the unit of the measure; `None`: nothing to measure.
    pub value: Option<f64>,
    /// On how many events it rests.
    pub count: u64,
}

impl Seen {
    /// Nothing at all.
    pub const NOTHING: Seen = Seen {
        value: None,
        count: 0,
    };
}

/// The numbers that a rule compares with, in the unit of its measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// What a value is compared with.
    pub threshold: f64,
    /// What it is compared with once the alert fires.
    pub while_firing: f64,
}

impl Limits {
    /// The limits of a rule; `None` when a threshold is in another unit than the measure.
    pub fn of(rule: &Rule) -> Option<Limits> {
        let threshold = rule.counted(&rule.condition.threshold)?;
        let while_firing = match &rule.resolve_threshold {
            Some(other) => rule.counted(other)?,
            None => threshold,
        };
        Some(Limits {
            threshold,
            while_firing,
        })
    }
}

/// What a value says of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Clear,
    /// Nothing to measure, or too little to believe it.
    NoData,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing.
    Stay,
    /// An alert begins: pending, or firing at once.
    Begin(AlertState),
    /// The pending alert fires.
    Fire,
    /// The alert ends.
    Resolve(Reason),
    /// It goes on firing; it is clear since then, or not clear any more.
    ClearSince(Option<Millis>),
    /// The condition ended after the alert was resolved by hand: the next one may begin.
    Release,
}

/// What both windows of a rule say together: it holds when both say so, and is clear
/// when either does.
fn together(long: Verdict, short: Verdict) -> Verdict {
    match (long, short) {
        (Verdict::Holds, Verdict::Holds) => Verdict::Holds,
        (Verdict::Clear, _) | (_, Verdict::Clear) => Verdict::Clear,
        (Verdict::NoData, _) | (_, Verdict::NoData) => Verdict::NoData,
    }
}

/// Compares what was seen with the limit that is in force.
pub fn judge(rule: &Rule, limits: &Limits, firing: bool, seen: &Seen) -> Verdict {
    let limit = match firing {
        true => limits.while_firing,
        false => limits.threshold,
    };
    match seen.value {
        Some(value) if seen.count >= rule.enough() => match rule.condition.op.holds(value, limit) {
            true => Verdict::Holds,
            false => Verdict::Clear,
        },
        Some(_) | None => Verdict::NoData,
    }
}

/// Decides what becomes of one rule and set of labels at the end of a minute. `live` is
/// the alert that is open, or was resolved by hand while the condition held; `also` is
/// what was seen in the second window, when the rule has one.
pub fn step(
    rule: &Rule,
    limits: &Limits,
    live: Option<&Alert>,
    seen: &Seen,
    also: Option<&Seen>,
    minute_end: Millis,
) -> Move {
    let firing = live.is_some_and(|alert| alert.state.is_firing());
    let verdict = judge(rule, limits, firing, seen);
    let verdict = also.map_or(verdict, |also| {
        together(verdict, judge(rule, limits, firing, also))
    });
    let (holds, reason) = match (verdict, rule.no_data) {
        (Verdict::Holds, _) | (Verdict::NoData, NoData::Alert) => (true, Reason::Holds),
        (Verdict::Clear, _) => (false, Reason::Cleared),
        (Verdict::NoData, NoData::Ok) => (false, Reason::NoData),
        (Verdict::NoData, NoData::Hold) => return Move::Stay,
    };
    let begin = || match rule.for_ms {
        0 => Move::Begin(AlertState::Firing),
        _ => Move::Begin(AlertState::Pending),
    };
    let lasted = |since: Millis| minute_end.0.saturating_sub(since.0);
    let Some(alert) = live else {
        return if holds { begin() } else { Move::Stay };
    };
    match (alert.state, holds) {
        (AlertState::Pending, true) if lasted(alert.started_at) >= rule.for_ms => Move::Fire,
        (AlertState::Pending, true) => Move::Stay,
        (AlertState::Pending, false) => Move::Resolve(reason),
        (AlertState::Firing | AlertState::Acknowledged, true) => match alert.clear_since {
            Some(_) => Move::ClearSince(None),
            None => Move::Stay,
        },
        (AlertState::Firing | AlertState::Acknowledged, false) => {
            let since = alert.clear_since.unwrap_or(minute_end);
            if lasted(since) >= rule.keep_firing_for_ms {
                Move::Resolve(reason)
            } else if alert.clear_since.is_none() {
                Move::ClearSince(Some(since))
            } else {
                Move::Stay
            }
        }
        (AlertState::Resolved, true) if alert.hold_until.is_some_and(|at| minute_end < at) => {
            Move::Stay
        }
        (AlertState::Resolved, true) => begin(),
        (AlertState::Resolved, false) => Move::Release,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{AlertId, Condition, RuleId, Severity, Threshold};

    const MINUTE: i64 = Millis::MINUTE;

    fn rule(condition: &str) -> Rule {
        Rule::new("a rule", Condition::parse(condition).unwrap())
    }

    pub(in super::super) fn alert(state: AlertState, started_minute: i64) -> Alert {
        let at = Millis(started_minute * MINUTE);
        Alert {
            id: AlertId(1),
            rule_id: RuleId(1),
            rule_name: "a rule".to_owned(),
            rule_version: 1,
            state,
            severity: Severity::Warning,
            labels: Default::default(),
            value: None,
            threshold: 0.0,
            context: "{}".to_owned(),
            started_at: at,
            fired_at: None,
            acknowledged: None,
            resolved_at: None,
            clear_since: None,
            hold_until: None,
            changed_at: at,
            observed_at: at,
            reason: Reason::Holds,
            actor: "obs".to_owned(),
        }
    }

    fn seen(value: f64) -> Seen {
        Seen {
            value: Some(value),
            count: 100,
        }
    }

    const NOTHING: Seen = Seen::NOTHING;

    fn at(rule: &Rule, live: Option<&Alert>, seen: Seen, minute: i64) -> Move {
        let limits = Limits::of(rule).unwrap();
        step(rule, &limits, live, &seen, None, Millis(minute * MINUTE))
    }

    #[test]
    fn without_a_wait_it_fires_at_once_and_ends_when_it_clears() {
        let rule = rule("error_rate > 5%");
        assert_eq!(at(&rule, None, seen(0.05), 1), Move::Stay);
        assert_eq!(
            at(&rule, None, seen(0.06), 1),
            Move::Begin(AlertState::Firing)
        );
        let firing = alert(AlertState::Firing, 1);
        assert_eq!(at(&rule, Some(&firing), seen(0.06), 2), Move::Stay);
        assert_eq!(
            at(&rule, Some(&firing), seen(0.04), 2),
            Move::Resolve(Reason::Cleared)
        );
        assert_eq!(
            at(&rule, Some(&firing), NOTHING, 2),
            Move::Resolve(Reason::NoData)
        );
    }

    #[test]
    fn it_fires_when_the_condition_has_held_just_long_enough() {
        let rule = Rule {
            for_ms: 5 * MINUTE,
            ..rule("requests > 10")
        };
        assert_eq!(
            at(&rule, None, seen(11.0), 1),
            Move::Begin(AlertState::Pending)
        );
        let pending = alert(AlertState::Pending, 1);
        assert_eq!(at(&rule, Some(&pending), seen(11.0), 5), Move::Stay);
        assert_eq!(at(&rule, Some(&pending), seen(11.0), 6), Move::Fire);
        assert_eq!(
            at(&rule, Some(&pending), seen(10.0), 5),
            Move::Resolve(Reason::Cleared)
        );
    }

    #[test]
    fn a_value_that_rests_on_too_little_is_no_data() {
        let rule = rule("error_rate > 5%");
        let one_of_three = Seen {
            value: Some(1.0 / 3.0),
            count: 3,
        };
        assert_eq!(at(&rule, None, one_of_three, 1), Move::Stay);
        let alerting = Rule {
            no_data: NoData::Alert,
            ..rule
        };
        assert_eq!(
            at(&alerting, None, one_of_three, 1),
            Move::Begin(AlertState::Firing)
        );
    }

    #[test]
    fn with_two_windows_it_fires_while_both_hold() {
        let rule = rule("error_rate > 5%");
        let limits = Limits::of(&rule).unwrap();
        let decided = |live, long, short| {
            step(
                &rule,
                &limits,
                live,
                &long,
                Some(&short),
                Millis(2 * MINUTE),
            )
        };
        let begun = Move::Begin(AlertState::Firing);
        assert_eq!(decided(None, seen(0.06), seen(0.06)), begun);
        assert_eq!(decided(None, seen(0.06), seen(0.04)), Move::Stay);
        assert_eq!(decided(None, seen(0.04), seen(0.06)), Move::Stay);
        assert_eq!(decided(None, seen(0.06), NOTHING), Move::Stay);
        let firing = alert(AlertState::Firing, 1);
        let over = |long, short| decided(Some(&firing), long, short);
        assert_eq!(over(seen(0.06), seen(0.04)), Move::Resolve(Reason::Cleared));
        assert_eq!(over(seen(0.06), NOTHING), Move::Resolve(Reason::NoData));
        assert_eq!(over(NOTHING, seen(0.04)), Move::Resolve(Reason::Cleared));
    }

    #[test]
    fn holding_on_no_data_changes_nothing() {
        let rule = Rule {
            no_data: NoData::Hold,
            ..rule("error_rate > 5%")
        };
        assert_eq!(at(&rule, None, NOTHING, 1), Move::Stay);
        let firing = alert(AlertState::Firing, 1);
        assert_eq!(at(&rule, Some(&firing), NOTHING, 9), Move::Stay);
    }

    #[test]
    fn a_trembling_value_ends_an_alert_only_below_the_threshold_of_its_end() {
        let rule = Rule {
            resolve_threshold: Some(Threshold::parse("3%").unwrap()),
            ..rule("error_rate > 5%")
        };
        let firing = alert(AlertState::Firing, 1);
        assert_eq!(at(&rule, Some(&firing), seen(0.04), 2), Move::Stay);
        assert_eq!(
            at(&rule, Some(&firing), seen(0.03), 2),
            Move::Resolve(Reason::Cleared)
        );
        assert_eq!(at(&rule, None, seen(0.04), 2), Move::Stay);
    }

    #[test]
    fn it_goes_on_firing_until_it_was_clear_for_long_enough() {
        let rule = Rule {
            keep_firing_for_ms: 2 * MINUTE,
            ..rule("requests > 10")
        };
        let mut firing = alert(AlertState::Firing, 1);
        let since = Some(Millis(2 * MINUTE));
        assert_eq!(
            at(&rule, Some(&firing), seen(0.0), 2),
            Move::ClearSince(since)
        );
        firing.clear_since = since;
        assert_eq!(at(&rule, Some(&firing), seen(0.0), 3), Move::Stay);
        assert_eq!(
            at(&rule, Some(&firing), seen(11.0), 3),
            Move::ClearSince(None)
        );
        assert_eq!(
            at(&rule, Some(&firing), seen(0.0), 4),
            Move::Resolve(Reason::Cleared)
        );
    }

    #[test]
    fn after_a_resolution_by_hand_it_must_clear_once_or_wait() {
        let rule = rule("requests > 10");
        let mut resolved = alert(AlertState::Resolved, 1);
        resolved.hold_until = Some(Millis(10 * MINUTE));
        assert_eq!(at(&rule, Some(&resolved), seen(11.0), 9), Move::Stay);
        assert_eq!(
            at(&rule, Some(&resolved), seen(11.0), 10),
            Move::Begin(AlertState::Firing)
        );
        assert_eq!(at(&rule, Some(&resolved), seen(1.0), 9), Move::Release);
    }
}
