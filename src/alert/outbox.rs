//! What is to be told of an alert: written beside the change that is told, in its
//! transaction, once for each channel.
//!
//! - A change to firing is told through each channel of the rule, or the usual ones.
//! - The end is told to whom the beginning was told. Who did not hear of the beginning
//!   yet hears of both at once, in the past tense; who was kept from it by a silence
//!   hears of neither.
//! - What fires still is told again after each `repeat_interval`, or when the silence
//!   ends that kept it back; not once somebody acknowledged it.
//!
//! How a notice reaches anybody is not known here.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::{Transition, annotations};
use crate::model::{
    Alert, AlertState, Millis, Notice, NoticeKind, NoticeState, Reason, Rule, Unit,
};
use crate::render::human;
use crate::render::safe::Untrusted;
use crate::store::setting::ALERT_CHANNELS;
use crate::store::{Heard, StoreError, Txn};

/// Why nobody is to hear of an alert for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hush {
    /// Somebody silenced it.
    Silenced,
    /// A graver alert speaks for it.
    Inhibited,
}

impl Hush {
    fn state(self) -> NoticeState {
        match self {
            Hush::Silenced => NoticeState::Silenced,
            Hush::Inhibited => NoticeState::Inhibited,
        }
    }
}

/// What becomes of a notice that is written now.
fn state(hush: Option<Hush>) -> NoticeState {
    hush.map_or(NoticeState::Queued, Hush::state)
}

/// Keeps a change of an alert's state, and what is to be told of it.
///
/// # Errors
/// When the store cannot be written.
pub fn keep_change(
    txn: &Txn<'_>,
    rule: &Rule,
    change: &Transition,
    hush: Option<Hush>,
    now: Millis,
) -> Result<(), StoreError> {
    let alert = &change.alert;
    txn.keep_alert(alert)?;
    match alert.state {
        AlertState::Firing => {
            let notice = notice(rule, alert, NoticeKind::Firing, false);
            let number = txn.last_change_of(alert.id)?;
            for channel in channels(txn, rule)? {
                txn.put_notice(&key(number, &channel), &channel, &notice, state(hush), now)?;
            }
        }
        AlertState::Resolved if alert.fired_at.is_some() => end(txn, rule, alert, hush, now)?,
        AlertState::Resolved | AlertState::Pending | AlertState::Acknowledged => {}
    }
    Ok(())
}

/// One for each change and channel.
fn key(change: i64, channel: &str) -> String {
    format!("change {change} {channel}")
}

/// The channels of a rule.
fn channels(txn: &Txn<'_>, rule: &Rule) -> Result<Vec<String>, StoreError> {
    match rule.channels.is_empty() {
        true => Ok(txn.set_to(&ALERT_CHANNELS)?.each().collect()),
        false => Ok(rule.channels.clone()),
    }
}

fn end(
    txn: &Txn<'_>,
    rule: &Rule,
    alert: &Alert,
    hush: Option<Hush>,
    now: Millis,
) -> Result<(), StoreError> {
    let number = txn.last_change_of(alert.id)?;
    for (channel, heard) in by_channel(txn.heard_of(alert.id)?) {
        let merged = txn.merge_notices(alert.id, &channel, now)? > 0;
        let Some(telling) = told_at_the_end(&heard, merged, rule.send_resolved, hush) else {
            continue;
        };
        let notice = notice(rule, alert, NoticeKind::Resolved, telling.is_first);
        txn.put_notice(
            &key(number, &channel),
            &channel,
            &notice,
            telling.state,
            now,
        )?;
    }
    Ok(())
}

/// How the end of an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Telling {
    state: NoticeState,
    /// Whether the channel did not hear of the beginning.
    is_first: bool,
}

/// Decides how a channel is told that an alert is over. `merged`: what waited to be told
/// is told by this.
fn told_at_the_end(
    heard: &[Heard],
    merged: bool,
    send_resolved: bool,
    hush: Option<Hush>,
) -> Option<Telling> {
    // What is being told at this moment is queued still.
    let was_told = |h: &Heard| match h.state {
        NoticeState::Sent | NoticeState::Failed => true,
        NoticeState::Queued => !merged,
        NoticeState::Silenced | NoticeState::Inhibited | NoticeState::Merged => false,
    };
    let knows = heard.iter().any(was_told);
    let kept_back = heard.iter().rev().find_map(|h| match h.state {
        NoticeState::Silenced | NoticeState::Inhibited => Some(h.state),
        NoticeState::Queued | NoticeState::Sent | NoticeState::Merged | NoticeState::Failed => None,
    });
    match (knows, merged, kept_back) {
        (false, true, _) => Some(Telling {
            state: state(hush),
            is_first: true,
        }),
        (true, _, _) => send_resolved.then_some(Telling {
            state: state(hush),
            is_first: false,
        }),
        (false, false, Some(state)) => send_resolved.then_some(Telling {
            state,
            is_first: true,
        }),
        (false, false, None) => None,
    }
}

/// Tells again what fires still at the end of a minute, where it is time to.
///
/// # Errors
/// When the store cannot be written.
pub(super) fn remind(
    txn: &Txn<'_>,
    rule: &Rule,
    alert: &Alert,
    hush: Option<Hush>,
    end: Millis,
    now: Millis,
) -> Result<(), StoreError> {
    let (AlertState::Firing, Some(fired_at)) = (alert.state, alert.fired_at) else {
        return Ok(());
    };
    for (channel, heard) in by_channel(txn.heard_of(alert.id)?) {
        match reminder(&heard, rule.repeat_interval_ms, fired_at, hush, end) {
            Reminder::None => {}
            Reminder::AfterSilence(last) => {
                let key = format!("after {last} {channel}");
                let notice = notice(rule, alert, NoticeKind::Firing, false);
                txn.put_notice(&key, &channel, &notice, state(hush), now)?;
            }
            Reminder::Repeat(ordinal) => {
                let key = format!("repeat {ordinal} of alert {} {channel}", alert.id.0);
                let notice = notice(rule, alert, NoticeKind::Repeat, false);
                txn.put_notice(&key, &channel, &notice, state(hush), now)?;
            }
        }
    }
    Ok(())
}

/// Whether a channel is told again of what fires still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reminder {
    None,
    /// For the first time, since the silence is over that kept back this notice.
    AfterSilence(i64),
    /// For the nth time.
    Repeat(i64),
}

fn reminder(
    heard: &[Heard],
    interval_ms: Option<i64>,
    fired_at: Millis,
    hush: Option<Hush>,
    end: Millis,
) -> Reminder {
    let Some(last) = heard.last() else {
        return Reminder::None;
    };
    match last.state {
        NoticeState::Queued => return Reminder::None,
        NoticeState::Silenced | NoticeState::Inhibited if hush.is_none() => {
            return Reminder::AfterSilence(last.id.0);
        }
        NoticeState::Silenced
        | NoticeState::Inhibited
        | NoticeState::Sent
        | NoticeState::Merged
        | NoticeState::Failed => {}
    }
    match interval_ms {
        Some(interval) if interval > 0 && end.0 - fired_at.0 >= interval => {
            Reminder::Repeat((end.0 - fired_at.0) / interval)
        }
        Some(_) | None => Reminder::None,
    }
}

fn by_channel(heard: Vec<Heard>) -> BTreeMap<String, Vec<Heard>> {
    let mut by_channel = BTreeMap::<String, Vec<Heard>>::new();
    for one in heard {
        by_channel.entry(one.channel.clone()).or_default().push(one);
    }
    by_channel
}

/// What is told. `is_first`: the end is told to who did not hear of the beginning.
fn notice(rule: &Rule, alert: &Alert, kind: NoticeKind, is_first: bool) -> Notice {
    let fired_at = alert.fired_at.unwrap_or(alert.started_at);
    let of_group = alert.labels.iter();
    let of_group = of_group.map(|(dimension, value)| (dimension.name().to_owned(), value.clone()));
    let mut labels = rule.labels.clone();
    labels.extend(of_group);
    Notice {
        kind,
        alert: Some(alert.id),
        rule: alert.rule_name.clone(),
        severity: alert.severity,
        labels,
        annotations: annotations(rule, alert),
        condition: rule.condition.to_string(),
        value: alert.value,
        threshold: alert.threshold,
        title: format!(
            "{} ({})",
            Untrusted(&alert.rule_name).shown(),
            alert.severity
        ),
        text: text(rule, alert, fired_at, is_first),
        started_at: alert.started_at,
        fired_at,
        ended_at: alert.resolved_at,
    }
}

/// One line for people: `p95 latency 2.5 s > 2 s over 5 min, provider claude, since
/// 2026-03-01 12:01 UTC`.
fn text(rule: &Rule, alert: &Alert, fired_at: Millis, is_first: bool) -> String {
    let mut text = value(rule, alert);
    for (dimension, label) in &alert.labels {
        let label = match label.as_str() {
            "" => human::NOTHING.to_owned(),
            label => Untrusted(label).shown().to_string(),
        };
        text += &format!(", {} {label}", dimension.name());
    }
    let Some(ended_at) = alert.resolved_at else {
        return format!("{text}, since {}", moment(fired_at));
    };
    let lasted = human::duration_ms(ended_at.0 - fired_at.0);
    let times = match is_first {
        true => format!(
            "was firing from {} to {}",
            moment(fired_at),
            moment(ended_at)
        ),
        false => format!("over after {lasted}"),
    };
    format!("{times}{}; {text}", why(alert))
}

fn value(rule: &Rule, alert: &Alert) -> String {
    let number = |value: f64| human::number(value, rule.unit().unwrap_or(Unit::Count));
    let measure = rule.condition.expr.measure.replace('_', " ");
    let measure = Untrusted(&measure).shown().to_string();
    let Some(value) = alert.value else {
        return format!("{measure}: no data");
    };
    let value = format!("{measure} {}", number(value));
    match alert.resolved_at {
        Some(_) => value,
        None => {
            let pool = match rule.for_ms {
                0 => format!("over {}", human::duration_ms(rule.window_ms)),
                for_ms => format!("for {}", human::duration_ms(for_ms)),
            };
            let (op, threshold) = (rule.condition.op.symbol(), number(alert.threshold));
            format!("{value} {op} {threshold} {pool}")
        }
    }
}

fn moment(at: Millis) -> String {
    format!("{} UTC", human::moment(at, Tz::UTC))
}

/// Why it ended, where that is not that the condition ended.
fn why(alert: &Alert) -> String {
    let by = || Untrusted(&alert.actor).shown().to_string();
    match alert.reason {
        Reason::Holds | Reason::HeldLongEnough | Reason::Cleared | Reason::Acknowledged => {
            String::new()
        }
        Reason::NoData => ", no data any more".to_owned(),
        Reason::ResolvedByHand => format!(", resolved by {}", by()),
        Reason::RuleChanged => ", its rule was changed".to_owned(),
        Reason::RuleDisabled => ", its rule was disabled".to_owned(),
        Reason::RuleDeleted => ", its rule was deleted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NoticeId;

    fn heard(states: &[NoticeState]) -> Vec<Heard> {
        let one = |(nth, state): (usize, &NoticeState)| Heard {
            id: NoticeId(nth as i64 + 1),
            channel: "hook".to_owned(),
            kind: NoticeKind::Firing,
            state: *state,
        };
        states.iter().enumerate().map(one).collect()
    }

    #[test]
    fn the_end_is_told_to_whom_the_beginning_was_told() {
        use NoticeState::{Failed, Merged, Queued, Sent, Silenced};
        let end = |states: &[NoticeState], merged, send_resolved| {
            let telling = told_at_the_end(&heard(states), merged, send_resolved, None);
            telling.map(|t| (t.state, t.is_first))
        };
        assert_eq!(end(&[Sent], false, true), Some((Queued, false)));
        assert_eq!(end(&[Sent], false, false), None);
        // It is being told at this moment.
        assert_eq!(end(&[Queued], false, true), Some((Queued, false)));
        assert_eq!(end(&[Failed], false, true), Some((Queued, false)));
        // Nobody heard of the beginning: both at once, even if ends are not told.
        assert_eq!(end(&[Queued], true, true), Some((Queued, true)));
        assert_eq!(end(&[Queued], true, false), Some((Queued, true)));
        // It was told, and told again is what waited.
        assert_eq!(end(&[Sent, Queued], true, true), Some((Queued, false)));
        // A silence kept it back.
        assert_eq!(end(&[Silenced], false, true), Some((Silenced, true)));
        assert_eq!(end(&[Merged], false, true), None);
        assert_eq!(end(&[], false, true), None);
    }

    #[test]
    fn what_is_silenced_as_it_ends_is_recorded_as_that() {
        let told = told_at_the_end(
            &heard(&[NoticeState::Sent]),
            false,
            true,
            Some(Hush::Silenced),
        );
        assert_eq!(told.map(|t| t.state), Some(NoticeState::Silenced));
    }

    #[test]
    fn what_fires_still_is_told_again_by_its_interval_and_after_a_silence() {
        use NoticeState::{Inhibited, Queued, Sent, Silenced};
        let hour = Some(Millis::HOUR);
        let at = |states: &[NoticeState], interval, hush, minutes: i64| {
            let end = Millis(minutes * Millis::MINUTE);
            reminder(&heard(states), interval, Millis(0), hush, end)
        };
        assert_eq!(at(&[Sent], None, None, 600), Reminder::None);
        assert_eq!(at(&[Sent], hour, None, 59), Reminder::None);
        assert_eq!(at(&[Sent], hour, None, 60), Reminder::Repeat(1));
        // However many were missed, one is told.
        assert_eq!(at(&[Sent], hour, None, 200), Reminder::Repeat(3));
        assert_eq!(at(&[Queued], hour, None, 200), Reminder::None);
        let silenced = Some(Hush::Silenced);
        assert_eq!(at(&[Silenced], None, silenced, 5), Reminder::None);
        assert_eq!(at(&[Silenced], None, None, 5), Reminder::AfterSilence(1));
        assert_eq!(
            at(&[Sent, Inhibited], None, None, 5),
            Reminder::AfterSilence(2)
        );
    }
}
