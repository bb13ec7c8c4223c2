//! Some minutes, decided: what each rule sees at the end of each, and what becomes of
//! its alerts. It works on what was read before; nothing is written here but by
//! [`Stretch::keep`].

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::json;

use super::outbox::{Hush, keep_change, remind};
use super::pool::{Ends, Pool, Pooled, seen};
use super::silence::{Firing, silenced};
use super::{AlertError, Limits, MOST_ALERTS_OF_A_RULE, Move, Seen, Transition, step};
use crate::model::{
    Alert, AlertId, AlertState, LabelSet, Millis, Reason, Rule, RuleId, Silence, Span, Stats,
};
use crate::query::Source;
use crate::store::{StoreError, StoredRule, Txn};

/// Who changes an alert when nobody does.
const ACTOR: &str = "obs";

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
    /// What was seen in its second, shorter window, when it has one.
    pub also: Option<Seen>,
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
    /// Resolved by hand: not anew before.
    pub hold_until: Option<Millis>,
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

/// What a decision rests on, besides the events.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct World {
    pub until: Option<Millis>,
    pub rules: Vec<StoredRule>,
    pub live: Vec<Alert>,
    pub next_id: AlertId,
}

impl World {
    pub(super) fn read(txn: &Txn<'_>) -> Result<World, StoreError> {
        Ok(World {
            until: txn.alerts_until()?,
            rules: txn.rules()?,
            live: txn.live_alerts()?,
            next_id: txn.next_alert_id()?,
        })
    }
}

/// An alert as it is to be kept.
pub(super) enum Kept {
    /// Its state changed.
    Changed {
        /// How.
        change: Transition,
        /// Whether a graver alert speaks for it.
        inhibited: bool,
    },
    /// Something else about it did.
    Touched(Alert),
}

type Live = FxHashMap<RuleId, BTreeMap<LabelSet, Alert>>;

/// Some minutes, and what they bring.
pub(super) struct Stretch {
    before: World,
    pub ends: Ends,
    now: Millis,
    pub skipped: Option<Span>,
    /// Whether no minute is closed after these.
    pub is_newest: bool,
    live: Live,
    /// Where among the rules each is.
    places: FxHashMap<RuleId, usize>,
    next_id: AlertId,
    /// Alerts as they are to be kept, in order.
    pub kept: Vec<Kept>,
    pub overflown: BTreeMap<String, usize>,
    pub evaluated: Vec<Evaluated>,
}

impl Stretch {
    pub(super) fn new(before: World, ends: Ends, now: Millis) -> Stretch {
        let mut live = Live::default();
        for alert in &before.live {
            let of_rule = live.entry(alert.rule_id).or_default();
            of_rule.insert(alert.labels.clone(), alert.clone());
        }
        let places = before.rules.iter().enumerate();
        Stretch {
            places: places.map(|(place, rule)| (rule.id, place)).collect(),
            next_id: before.next_id,
            before,
            ends,
            now,
            skipped: None,
            is_newest: true,
            live,
            kept: Vec::new(),
            overflown: BTreeMap::new(),
            evaluated: Vec::new(),
        }
    }

    pub(super) fn evaluate(&mut self, txn: &Txn<'_>) -> Result<(), AlertError> {
        let rules: Vec<StoredRule> = self.before.rules.clone();
        let enabled = || rules.iter().filter(|r| r.rule.enabled);
        if enabled().next().is_none() {
            return Ok(());
        }
        let mut pool = Pool::read(txn, enabled().map(|r| &r.rule), self.ends)?;
        for end in self.ends.each() {
            let first = self.kept.len();
            for rule in enabled().filter(|r| r.since < end) {
                self.evaluate_rule(&mut pool, rule, end)?;
            }
            self.inhibit(first);
        }
        Ok(())
    }

    /// Lets graver alerts speak for those that began to fire in a minute, of which
    /// `first` is the first to be kept. That is known only once all rules were looked at.
    fn inhibit(&mut self, first: usize) {
        let fires = |kept: &Kept| matches!(kept, Kept::Changed { change, .. } if change.alert.state.is_firing());
        if !self.kept[first..].iter().any(fires) {
            return;
        }
        let firing = self.firing();
        let (rules, places) = (&self.before.rules, &self.places);
        for kept in &mut self.kept[first..] {
            if let Kept::Changed { change, inhibited } = kept {
                let rule = &rules[places[&change.alert.rule_id]].rule;
                *inhibited = change.alert.state.is_firing() && firing.inhibits(&change.alert, rule);
            }
        }
    }

    /// What fires now.
    fn firing(&self) -> Firing {
        Firing::of(self.open_with_rules())
    }

    fn open_with_rules(&self) -> impl Iterator<Item = (&Alert, &Rule)> {
        let open = self.live.values().flat_map(BTreeMap::values);
        open.filter_map(|alert| Some((alert, self.rule(alert.rule_id)?)))
    }

    fn evaluate_rule(
        &mut self,
        pool: &mut Pool<'_>,
        rule: &StoredRule,
        end: Millis,
    ) -> Result<(), AlertError> {
        let Some(limits) = Limits::of(&rule.rule) else {
            return Ok(());
        };
        let short = match rule.rule.also_window_ms {
            Some(window_ms) => Some(sight(pool, &rule.rule, window_ms, end)?),
            None => None,
        };
        let long = sight(pool, &rule.rule, rule.rule.window_ms, end)?;
        let mut seen_by_group: BTreeMap<LabelSet, Seen> = BTreeMap::new();
        for labels in self.live.get(&rule.id).into_iter().flat_map(BTreeMap::keys) {
            seen_by_group.insert(labels.clone(), long.silence);
        }
        if rule.rule.condition.expr.by.is_empty() {
            seen_by_group.insert(LabelSet::new(), long.silence);
        }
        seen_by_group.extend(long.groups);
        let mut left_out = 0;
        let is_last = end == self.ends.last;
        for (labels, seen) in seen_by_group {
            let also = short.as_ref().map(|short| short.of(&labels));
            let evaluated = self.decide(rule, &limits, &labels, seen, also, end);
            left_out += usize::from(evaluated.is_left_out());
            if is_last {
                self.refresh(rule.id, &labels, seen);
                self.evaluated.push(Evaluated {
                    is_gone: long.is_gone,
                    sources: long.sources.clone(),
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
        also: Option<Seen>,
        end: Millis,
    ) -> Evaluated {
        let state = |live: &Live| Some(live.get(&rule.id)?.get(labels)?.state);
        let before = state(&self.live);
        let live = self
            .live
            .get(&rule.id)
            .and_then(|of_rule| of_rule.get(labels));
        let decided = step(&rule.rule, limits, live, &seen, also.as_ref(), end);
        let hold_until = live.and_then(|alert| alert.hold_until);
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
            also,
            enough: rule.rule.enough(),
            is_gone: false,
            sources: Vec::new(),
            limit: match firing {
                true => limits.while_firing,
                false => limits.threshold,
            },
            before,
            hold_until,
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
                    self.kept.push(Kept::Touched(released(held)));
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
                    self.kept.push(Kept::Touched(alert.clone()));
                }
            }
            Move::Release => {
                if let Some(held) = of_rule.remove(labels) {
                    self.kept.push(Kept::Touched(released(held)));
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
        self.kept.push(Kept::Changed {
            change: Transition { from, alert },
            inhibited: false,
        });
    }

    /// An open alert shows the value it has at the last minute.
    fn refresh(&mut self, rule: RuleId, labels: &LabelSet, seen: Seen) {
        let of_rule = self.live.get_mut(&rule);
        let alert = of_rule.and_then(|of_rule| of_rule.get_mut(labels));
        if let Some(alert) = alert.filter(|a| a.state.is_firing() && a.value != seen.value) {
            alert.value = seen.value;
            self.kept.push(Kept::Touched(alert.clone()));
        }
    }

    /// Keeps what was decided, unless somebody was faster: then nothing is done.
    pub(super) fn keep(&self, txn: &Txn<'_>) -> Result<bool, StoreError> {
        if World::read(txn)? != self.before {
            return Ok(false);
        }
        let silences = txn.silences_after(self.ends.first)?;
        for kept in &self.kept {
            match kept {
                Kept::Touched(alert) => txn.keep_alert(alert)?,
                Kept::Changed { change, inhibited } => {
                    self.keep_change(txn, &silences, change, *inhibited)?;
                }
            }
        }
        if self.is_newest {
            self.remind(txn, &silences)?;
        }
        txn.set_alerts_until(self.ends.last)?;
        Ok(true)
    }

    /// A silence keeps back what changed while it lasted, and what is told while it does.
    fn keep_change(
        &self,
        txn: &Txn<'_>,
        silences: &[Silence],
        change: &Transition,
        inhibited: bool,
    ) -> Result<(), StoreError> {
        let alert = &change.alert;
        let Some(rule) = self.rule(alert.rule_id) else {
            return txn.keep_alert(alert);
        };
        let silenced = silenced(silences, alert, rule, &[alert.changed_at, self.now]);
        keep_change(txn, rule, change, hush(silenced, inhibited), self.now)
    }

    /// Tells again of what fires still, where it is time to.
    fn remind(&self, txn: &Txn<'_>, silences: &[Silence]) -> Result<(), StoreError> {
        let firing = self.firing();
        for (alert, rule) in self.open_with_rules() {
            let silenced = silenced(silences, alert, rule, &[self.now]);
            let hush = hush(silenced, firing.inhibits(alert, rule));
            remind(txn, rule, alert, hush, self.ends.last, self.now)?;
        }
        Ok(())
    }

    fn rule(&self, id: RuleId) -> Option<&Rule> {
        let place = self.places.get(&id)?;
        Some(&self.before.rules[*place].rule)
    }

    /// The world as it will be when this is kept.
    pub(super) fn world(&self) -> World {
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

/// What a rule sees in one of its windows, by group.
struct Sight {
    groups: BTreeMap<LabelSet, Seen>,
    /// What is seen of a group that is not among them.
    silence: Seen,
    is_gone: bool,
    sources: Vec<Source>,
}

impl Sight {
    fn of(&self, labels: &LabelSet) -> Seen {
        self.groups.get(labels).copied().unwrap_or(self.silence)
    }
}

fn sight(
    pool: &mut Pool<'_>,
    rule: &Rule,
    window_ms: i64,
    end: Millis,
) -> Result<Sight, AlertError> {
    let nothing = Pooled::default();
    let measure = rule.measure();
    let pooled = match measure {
        Some(_) => pool.of(rule, window_ms, end)?,
        None => &nothing,
    };
    let look = |stats: &Stats| match measure {
        Some(measure) if !pooled.is_gone => seen(measure, stats, window_ms),
        Some(_) | None => Seen::NOTHING,
    };
    let seen_of = |(labels, stats): &(LabelSet, Stats)| (labels.clone(), look(stats));
    Ok(Sight {
        groups: pooled.groups.iter().map(seen_of).collect(),
        silence: look(&Stats::default()),
        is_gone: pooled.is_gone,
        sources: pooled.sources.clone(),
    })
}

/// Why nobody is to hear of it for now.
fn hush(silenced: bool, inhibited: bool) -> Option<Hush> {
    match (silenced, inhibited) {
        (true, _) => Some(Hush::Silenced),
        (false, true) => Some(Hush::Inhibited),
        (false, false) => None,
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
