//! Evaluation: the minutes that were closed since the last one, in their order.
//!
//! What was decided depends on the minutes alone and not on when they were looked at,
//! so that a run that comes late, twice or not at all for a while leaves the alerts and
//! the history that one run a minute would have left. A stretch of minutes is decided on
//! one unchanging state of the store and kept in one short transaction, which begins
//! by making sure that nobody else was faster. Who is told is not decided here.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::json;

use super::pool::{Ends, Pool, Pooled, seen};
use super::{AlertError, Limits, Move, Seen, step};
use crate::model::{Alert, AlertId, AlertState, LabelSet, Millis, Reason, RuleId, Span, Stats};
use crate::query::Source;
use crate::store::{Store, StoreError, StoredRule, Txn};

/// How long after its end a minute is evaluated: events may come that late.
pub const GRACE_MS: i64 = 30 * Millis::SECOND;
/// How far back an evaluation goes at most.
pub const LONGEST_CATCH_UP_MS: i64 = Millis::DAY;
/// Alerts that one rule may have open at once.
pub const MOST_ALERTS_OF_A_RULE: usize = 1_000;

/// Minutes that are decided together. A transaction that keeps what they brought
/// stays short, and minutes that windows share are read once.
const MINUTES_AT_ONCE: i64 = 60;

/// Who changes an alert when nobody does.
const ACTOR: &str = "obs";

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
    /// What was seen at the last minute, when it was asked for.
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

/// One rule and set of labels at the last minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The rule.
    pub rule_id: RuleId,
    /// Its name.
    pub rule_name: String,
    /// For which group.
    pub labels: LabelSet,
    /// Which window was looked at.
    pub window: Span,
    /// What was seen in it.
    pub seen: Seen,
    /// How many events the value must rest on.
    pub enough: u64,
    /// Whether some of the window is not kept any more.
    pub is_gone: bool,
    /// From which tiers it was read.
    pub sources: Vec<Source>,
    /// What the value was compared with.
    pub limit: f64,
    /// The state before.
    pub before: Option<AlertState>,
    /// The state after.
    pub after: Option<AlertState>,
    /// What was decided.
    pub decided: Move,
}

impl Evaluated {
    /// Whether an alert would have begun, but its rule has too many.
    fn is_left_out(&self) -> bool {
        matches!(self.decided, Move::Begin(_)) && self.after == self.before
    }
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

fn closed(now: Millis) -> Millis {
    now.plus(-GRACE_MS).floor(Millis::MINUTE)
}

/// What a decision rests on, besides the events.
#[derive(Clone, Debug, PartialEq)]
struct World {
    until: Option<Millis>,
    rules: Vec<StoredRule>,
    live: Vec<Alert>,
    next_id: AlertId,
}

impl World {
    fn read(txn: &Txn<'_>) -> Result<World, StoreError> {
        Ok(World {
            until: txn.alerts_until()?,
            rules: txn.rules()?,
            live: txn.live_alerts()?,
            next_id: txn.next_alert_id()?,
        })
    }

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
    stretch.evaluate(txn)?;
    Ok(Some(stretch))
}

type Live = FxHashMap<RuleId, BTreeMap<LabelSet, Alert>>;

/// Some minutes, and what they bring.
struct Stretch {
    before: World,
    ends: Ends,
    now: Millis,
    skipped: Option<Span>,
    live: Live,
    next_id: AlertId,
    /// Alerts as they are to be kept, in order, and whether their state changed.
    kept: Vec<(Alert, Option<Transition>)>,
    overflown: BTreeMap<String, usize>,
    evaluated: Vec<Evaluated>,
}

impl Stretch {
    fn new(before: World, ends: Ends, now: Millis) -> Stretch {
        let mut live = Live::default();
        for alert in &before.live {
            let of_rule = live.entry(alert.rule_id).or_default();
            of_rule.insert(alert.labels.clone(), alert.clone());
        }
        Stretch {
            next_id: before.next_id,
            before,
            ends,
            now,
            skipped: None,
            live,
            kept: Vec::new(),
            overflown: BTreeMap::new(),
            evaluated: Vec::new(),
        }
    }

    fn evaluate(&mut self, txn: &Txn<'_>) -> Result<(), AlertError> {
        let rules: Vec<StoredRule> = self.before.rules.clone();
        let enabled = || rules.iter().filter(|r| r.rule.enabled);
        if enabled().next().is_none() {
            return Ok(());
        }
        let mut pool = Pool::read(txn, enabled().map(|r| &r.rule), self.ends)?;
        for end in self.ends.each() {
            for rule in enabled().filter(|r| r.since < end) {
                self.evaluate_rule(&mut pool, rule, end)?;
            }
        }
        Ok(())
    }

    fn evaluate_rule(
        &mut self,
        pool: &mut Pool<'_>,
        rule: &StoredRule,
        end: Millis,
    ) -> Result<(), AlertError> {
        let nothing = Pooled::default();
        let measure = rule.rule.measure();
        let pooled = match measure {
            Some(_) => pool.of(&rule.rule, end)?,
            None => &nothing,
        };
        let Some(limits) = Limits::of(&rule.rule) else {
            return Ok(());
        };
        let look = |stats: &Stats| match measure {
            Some(measure) if !pooled.is_gone => seen(measure, stats, rule.rule.window_ms),
            Some(_) | None => Seen::NOTHING,
        };
        let silence = look(&Stats::default());
        let mut seen_by_group: BTreeMap<LabelSet, Seen> = BTreeMap::new();
        for labels in self.live.get(&rule.id).into_iter().flat_map(BTreeMap::keys) {
            seen_by_group.insert(labels.clone(), silence);
        }
        if rule.rule.condition.expr.by.is_empty() {
            seen_by_group.insert(LabelSet::new(), silence);
        }
        for (labels, stats) in &pooled.groups {
            seen_by_group.insert(labels.clone(), look(stats));
        }
        let mut left_out = 0;
        let is_last = end == self.ends.last;
        for (labels, seen) in seen_by_group {
            let evaluated = self.decide(rule, &limits, &labels, seen, end);
            left_out += usize::from(evaluated.is_left_out());
            if is_last {
                self.refresh(rule.id, &labels, seen);
                self.evaluated.push(Evaluated {
                    is_gone: pooled.is_gone,
                    sources: pooled.sources.clone(),
                    ..evaluated
                });
            }
        }
        if left_out > 0 {
            let worst = self.overflown.entry(rule.rule.name.clone()).or_default();
            *worst = left_out.max(*worst);
        }
        Ok(())
    }

    /// Decides for one group, and does it.
    fn decide(
        &mut self,
        rule: &StoredRule,
        limits: &Limits,
        labels: &LabelSet,
        seen: Seen,
        end: Millis,
    ) -> Evaluated {
        let state = |live: &Live| Some(live.get(&rule.id)?.get(labels)?.state);
        let before = state(&self.live);
        let live = self
            .live
            .get(&rule.id)
            .and_then(|of_rule| of_rule.get(labels));
        let decided = step(&rule.rule, limits, live, &seen, end);
        let firing = before.is_some_and(AlertState::is_firing);
        self.follow(rule, limits, labels, seen, decided, end);
        let after = match decided {
            Move::Resolve(_) => Some(AlertState::Resolved),
            Move::Stay | Move::Begin(_) | Move::Fire | Move::ClearSince(_) | Move::Release => {
                state(&self.live)
            }
        };
        Evaluated {
            rule_id: rule.id,
            rule_name: rule.rule.name.clone(),
            labels: labels.clone(),
            window: Span::new(end.plus(-rule.rule.window_ms), end),
            seen,
            enough: rule.rule.enough(),
            is_gone: false,
            sources: Vec::new(),
            limit: match firing {
                true => limits.while_firing,
                false => limits.threshold,
            },
            before,
            after,
            decided,
        }
    }

    fn follow(
        &mut self,
        rule: &StoredRule,
        limits: &Limits,
        labels: &LabelSet,
        seen: Seen,
        decided: Move,
        end: Millis,
    ) {
        let of_rule = self.live.entry(rule.id).or_default();
        match decided {
            Move::Stay => {}
            Move::Begin(state) => {
                let open = of_rule.values().filter(|a| a.resolved_at.is_none()).count();
                if open >= MOST_ALERTS_OF_A_RULE {
                    return;
                }
                if let Some(held) = of_rule.remove(labels) {
                    self.kept.push((released(held), None));
                }
                let alert = self.begin(rule, limits, labels, seen, state, end);
                self.change(None, alert);
            }
            Move::Fire => {
                if let Some(mut alert) = of_rule.remove(labels) {
                    alert.fired_at = Some(end);
                    self.become_(alert, AlertState::Firing, Reason::HeldLongEnough, seen, end);
                }
            }
            Move::Resolve(reason) => {
                if let Some(mut alert) = of_rule.remove(labels) {
                    alert.resolved_at = Some(end);
                    alert.clear_since = None;
                    self.become_(alert, AlertState::Resolved, reason, seen, end);
                }
            }
            Move::ClearSince(since) => {
                if let Some(alert) = of_rule.get_mut(labels) {
                    alert.clear_since = since;
                    self.kept.push((alert.clone(), None));
                }
            }
            Move::Release => {
                if let Some(held) = of_rule.remove(labels) {
                    self.kept.push((released(held), None));
                }
            }
        }
    }

    fn begin(
        &mut self,
        rule: &StoredRule,
        limits: &Limits,
        labels: &LabelSet,
        seen: Seen,
        state: AlertState,
        end: Millis,
    ) -> Alert {
        let id = self.next_id;
        self.next_id = AlertId(id.0 + 1);
        Alert {
            id,
            rule_id: rule.id,
            rule_name: rule.rule.name.clone(),
            rule_version: rule.version,
            state,
            severity: rule.rule.severity,
            labels: labels.clone(),
            value: seen.value,
            threshold: limits.threshold,
            context: context(rule, seen, end),
            started_at: end,
            fired_at: state.is_firing().then_some(end),
            acknowledged: None,
            resolved_at: None,
            clear_since: None,
            hold_until: None,
            changed_at: end,
            observed_at: self.now,
            reason: Reason::Holds,
            actor: ACTOR.to_owned(),
        }
    }

    fn become_(
        &mut self,
        mut alert: Alert,
        state: AlertState,
        reason: Reason,
        seen: Seen,
        end: Millis,
    ) {
        let from = Some(alert.state);
        alert.state = state;
        alert.reason = reason;
        alert.actor = ACTOR.to_owned();
        alert.value = seen.value;
        alert.changed_at = end;
        alert.observed_at = self.now;
        self.change(from, alert);
    }

    fn change(&mut self, from: Option<AlertState>, alert: Alert) {
        if alert.resolved_at.is_none() {
            let of_rule = self.live.entry(alert.rule_id).or_default();
            of_rule.insert(alert.labels.clone(), alert.clone());
        }
        let transition = Transition {
            from,
            alert: alert.clone(),
        };
        self.kept.push((alert, Some(transition)));
    }

    /// An open alert shows the value it has at the last minute.
    fn refresh(&mut self, rule: RuleId, labels: &LabelSet, seen: Seen) {
        let of_rule = self.live.get_mut(&rule);
        let alert = of_rule.and_then(|of_rule| of_rule.get_mut(labels));
        if let Some(alert) = alert.filter(|a| a.state.is_firing() && a.value != seen.value) {
            alert.value = seen.value;
            self.kept.push((alert.clone(), None));
        }
    }

    /// Keeps what was decided, unless somebody was faster: then nothing is done.
    fn keep(&self, txn: &Txn<'_>) -> Result<bool, StoreError> {
        if World::read(txn)? != self.before {
            return Ok(false);
        }
        for (alert, _) in &self.kept {
            txn.keep_alert(alert)?;
        }
        txn.set_alerts_until(self.ends.last)?;
        Ok(true)
    }

    /// The world as it will be when this is kept.
    fn world(&self) -> World {
        let mut live: Vec<Alert> = self
            .live
            .values()
            .flat_map(|r| r.values().cloned())
            .collect();
        live.sort_unstable_by_key(|alert| alert.id);
        World {
            until: Some(self.ends.last),
            rules: self.before.rules.clone(),
            live,
            next_id: self.next_id,
        }
    }
}

fn released(held: Alert) -> Alert {
    Alert {
        hold_until: None,
        ..held
    }
}

/// What made it fire.
fn context(rule: &StoredRule, seen: Seen, end: Millis) -> String {
    json!({
        "condition": rule.rule.condition.to_string(),
        "value": seen.value,
        "events": seen.count,
        "window_from": end.plus(-rule.rule.window_ms).to_string(),
        "window_until": end.to_string(),
    })
    .to_string()
}

impl Report {
    fn add(&mut self, stretch: Stretch) {
        self.minutes += stretch.ends.each().count() as u64;
        self.until = Some(stretch.ends.last);
        self.skipped = self.skipped.or(stretch.skipped);
        let changes = stretch.kept.into_iter().filter_map(|(_, change)| change);
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
