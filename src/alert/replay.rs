//! Evaluation: the minutes that were closed since the last one, in their order.
//!
//! What was decided depends on the minutes alone and not on when they were looked at,
//! so that a run that comes late, twice or not at all for a while leaves the alerts and
//! the history that one run a minute would have left. A stretch of minutes is decided on
//! one unchanging state of the store and kept in one short transaction, which begins
//! by making sure that nobody else was faster. Who is told is not decided here.

use std::collections::BTreeMap;

use super::AlertError;
use super::pool::Ends;
use super::stretch::{Evaluated, Kept, Stretch, World};
use crate::model::{Alert, AlertState, Millis, Span};
use crate::store::{Store, Txn};

/// How long after its end a minute is evaluated: events may come that late.
pub const GRACE_MS: i64 = 30 * Millis::SECOND;
/// How far back an evaluation goes at most.
pub const LONGEST_CATCH_UP_MS: i64 = Millis::DAY;
/// Alerts that one rule may have open at once.
pub const MOST_ALERTS_OF_A_RULE: usize = 1_000;

/// How far ahead of the present the last evaluated minute may be: clocks differ a little.
const AHEAD_MS: i64 = 5 * Millis::MINUTE;

/// Minutes that are decided together. A transaction that keeps what they brought
/// stays short, and minutes that windows share are read once.
const MINUTES_AT_ONCE: i64 = 60;

/// What an evaluation came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Up to which minute's end rules are evaluated now.
    pub until: Option<Millis>,
    /// Minutes that were evaluated.
    pub minutes: u64,
    /// Minutes that were left out, because they are too long ago.
    pub skipped: Option<Span>,
    /// What changed, in order.
    pub changes: Vec<Transition>,
    /// Rules for which more groups were wrong than a rule may have alerts, with how many
    /// were left out in the worst minute.
    pub overflown: BTreeMap<String, usize>,
    /// Up to when rules were evaluated when that lies in the future: a clock was ahead,
    /// and nothing is evaluated until then, or until `reset_clock`.
    pub ahead: Option<Millis>,
    /// What was seen at the last minute that was evaluated.
    pub evaluated: Vec<Evaluated>,
}

/// A change of an alert's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// What it was; `None`: it began.
    pub from: Option<AlertState>,
    /// What it became.
    pub alert: Alert,
}

/// What an evaluation does besides deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Keeps what was decided.
    Keep,
    /// Only says what it would decide.
    Rehearse,
}

/// Evaluates all rules up to the last minute that is closed at `now`. When the clock
/// went back, there is nothing to do.
///
/// # Errors
/// When the store cannot be read or written; what was kept before stays.
pub fn catch_up(store: &mut Store, now: Millis, purpose: Purpose) -> Result<Report, AlertError> {
    let mut report = Report::default();
    let mut carried = None;
    loop {
        let decided = store.read(|txn| decide(txn, now, carried.take()))?;
        let Some(decided) = decided else {
            if report.until.is_none() {
                let until = store.read(|txn| txn.alerts_until())?;
                report.ahead = until.filter(|until| is_ahead(*until, now));
            }
            return Ok(report);
        };
        let is_kept = match purpose {
            Purpose::Keep => store.write(|txn| decided.keep(txn))?,
            Purpose::Rehearse => {
                carried = Some(decided.world());
                true
            }
        };
        if is_kept {
            report.add(decided);
        }
    }
}

/// What the rules see at the last minute that is closed at `now`, whether or not it was
/// evaluated already, and what that would change. Nothing is kept.
///
/// # Errors
/// When the store cannot be read.
pub fn look(store: &mut Store, now: Millis) -> Result<Vec<Evaluated>, AlertError> {
    store.read(|txn| {
        let before = World::read(txn)?;
        let end = closed(now);
        let last = Ends {
            first: end,
            last: end,
        };
        let mut stretch = Stretch::new(before, last, now);
        stretch.evaluate(txn)?;
        Ok(stretch.evaluated)
    })
}

/// Whether a clock was ahead when rules were evaluated.
pub(super) fn is_ahead(until: Millis, now: Millis) -> bool {
    until.0.saturating_sub(now.0) > AHEAD_MS
}

/// The end of the last minute that is closed.
pub(super) fn closed(now: Millis) -> Millis {
    now.plus(-GRACE_MS).floor(Millis::MINUTE)
}

impl World {
    /// The minutes' ends that are next, and those that are left out before them.
    fn next_ends(&self, now: Millis) -> (Option<Ends>, Option<Span>) {
        let closed = closed(now);
        let first_rule = || {
            self.rules
                .iter()
                .map(|r| r.since.floor(Millis::MINUTE))
                .min()
        };
        let known = self.until.or_else(first_rule);
        let known = known.unwrap_or(closed.plus(-Millis::MINUTE));
        if known >= closed {
            return (None, None);
        }
        let from = known.max(closed.plus(-LONGEST_CATCH_UP_MS));
        let skipped = (from > known && self.until.is_some()).then(|| Span::new(known, from));
        let last = match self.rules.iter().any(|r| r.rule.enabled) {
            true => closed.min(from.plus(MINUTES_AT_ONCE * Millis::MINUTE)),
            false => closed,
        };
        let first = from.plus(Millis::MINUTE);
        (Some(Ends { first, last }), skipped)
    }
}

/// Decides the next stretch of minutes; `None` when all are evaluated.
fn decide(
    txn: &Txn<'_>,
    now: Millis,
    carried: Option<World>,
) -> Result<Option<Stretch>, AlertError> {
    let before = match carried {
        Some(world) => world,
        None => World::read(txn)?,
    };
    let (ends, skipped) = before.next_ends(now);
    let Some(ends) = ends else {
        return Ok(None);
    };
    let mut stretch = Stretch::new(before, ends, now);
    stretch.skipped = skipped;
    stretch.is_newest = stretch.ends.last >= closed(now);
    stretch.evaluate(txn)?;
    Ok(Some(stretch))
}

impl Report {
    /// Alerts that began to fire.
    pub fn fired(&self) -> u64 {
        let fires = |t: &&Transition| t.alert.state == AlertState::Firing;
        self.changes.iter().filter(fires).count() as u64
    }

    /// Alerts that fired and are over.
    pub fn resolved(&self) -> u64 {
        let is_over =
            |t: &&Transition| t.alert.state == AlertState::Resolved && t.alert.fired_at.is_some();
        self.changes.iter().filter(is_over).count() as u64
    }

    fn add(&mut self, stretch: Stretch) {
        self.minutes += stretch.ends.each().count() as u64;
        self.until = Some(stretch.ends.last);
        self.skipped = self.skipped.or(stretch.skipped);
        let changes = stretch.kept.into_iter().filter_map(|kept| match kept {
            Kept::Changed { change, .. } => Some(change),
            Kept::Touched(_) => None,
        });
        self.changes.extend(changes);
        for (rule, left_out) in stretch.overflown {
            let worst = self.overflown.entry(rule).or_default();
            *worst = left_out.max(*worst);
        }
        self.evaluated = stretch.evaluated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Event, Labels, Rule, Signal};
    use crate::store::Dedupe;
    use crate::store::testing::{Temporary, append, empty};

    const START: i64 = 1_772_366_400_000; // 2026-03-01T12:00:00Z

    fn at(seconds: i64) -> Millis {
        Millis(START + seconds * 1_000)
    }

    /// A request of claude every five seconds.
    fn feed(temporary: &mut Temporary, seconds: std::ops::Range<i64>, latency_ms: i64) {
        let event = |second: i64| Event {
            labels: Labels {
                provider: Some("claude".into()),
                ..Labels::default()
            },
            latency_us: Some(latency_ms * 1_000),
            ..Event::new(at(second), Signal::Request { success: true })
        };
        let events: Vec<Event<'_>> = seconds.step_by(5).map(event).collect();
        append(&mut temporary.store, &events, Dedupe::TimeId, false);
    }

    fn with_rule(text: &str) -> Temporary {
        let mut temporary = empty();
        let rule = Rule::new("High latency", Condition::parse(text).unwrap());
        let add = |txn: &Txn<'_>| txn.add_rule(&rule, at(0), "ada");
        temporary.store.write(add).unwrap();
        temporary
    }

    fn told(report: &Report) -> Vec<(AlertState, i64)> {
        let minute = |t: &Transition| (t.alert.state, (t.alert.changed_at.0 - START) / 60_000);
        report.changes.iter().map(minute).collect()
    }

    #[test]
    fn a_late_run_finds_what_punctual_runs_would_have_found() {
        let mut punctual = with_rule("p95_latency by (provider) > 2s");
        let mut late = with_rule("p95_latency by (provider) > 2s");
        let mut seen = Vec::new();
        for minute in 0..12 {
            let latency_ms = if minute < 5 { 2_500 } else { 90 };
            for store in [&mut punctual, &mut late] {
                feed(store, minute * 60..(minute + 1) * 60, latency_ms);
            }
            let now = at((minute + 1) * 60 + 30);
            let report = catch_up(&mut punctual.store, now, Purpose::Keep).unwrap();
            seen.extend(told(&report));
        }
        let report = catch_up(&mut late.store, at(12 * 60 + 30), Purpose::Keep).unwrap();
        assert_eq!(seen, [(AlertState::Firing, 1), (AlertState::Resolved, 10)]);
        assert_eq!(told(&report), seen);
        assert_eq!(report.minutes, 12);
        let again = catch_up(&mut late.store, at(12 * 60 + 30), Purpose::Keep).unwrap();
        assert_eq!(again, Report::default());
    }

    #[test]
    fn a_rehearsal_says_the_same_and_keeps_nothing() {
        let mut temporary = with_rule("requests > 10");
        feed(&mut temporary, 0..180, 90);
        let rehearsed = catch_up(&mut temporary.store, at(3 * 60 + 30), Purpose::Rehearse).unwrap();
        assert!(
            temporary
                .store
                .read(|txn| txn.live_alerts())
                .unwrap()
                .is_empty()
        );
        let kept = catch_up(&mut temporary.store, at(3 * 60 + 30), Purpose::Keep).unwrap();
        assert_eq!(rehearsed, kept);
        assert_eq!(told(&kept), [(AlertState::Firing, 1)]);
    }
}
