//! What a rule saw at the last minute, and why it decided so, in words.

use chrono_tz::Tz;

use super::{rows, words};
use crate::alert::{Evaluated, Move, Seen};
use crate::cli::told::{tiers, unit_name};
use crate::model::{AlertState, Millis, NoData, Reason, Rule, Unit};
use crate::render::{Answer, Cell, Column, human};
use crate::store::StoredRule;

/// A few lines for each rule and group; a rule that looked at nothing says why.
pub(super) fn lines(
    evaluated: &[Evaluated],
    rules: &[StoredRule],
    now: Millis,
    zone: Tz,
) -> Vec<String> {
    let mut lines = Vec::new();
    for stored in rules {
        let of_rule: Vec<&Evaluated> = evaluated
            .iter()
            .filter(|e| e.rule_id == stored.id)
            .collect();
        if of_rule.is_empty() {
            lines.push(format!("{}: {}", stored.rule.name, idle(stored, now, zone)));
        }
        for seen in of_rule {
            lines.extend(explained(seen, &stored.rule, now, zone));
        }
    }
    lines
}

/// Why there is nothing to say of a rule.
fn idle(stored: &StoredRule, now: Millis, zone: Tz) -> String {
    if !stored.rule.enabled {
        return "disabled".to_owned();
    }
    match stored.rule.condition.expr.by.is_empty() {
        true => format!(
            "looks at minutes from {} on",
            words::short(stored.since, now, zone)
        ),
        false => "no group was seen in its window".to_owned(),
    }
}

fn explained(seen: &Evaluated, rule: &Rule, now: Millis, zone: Tz) -> [String; 3] {
    let at = |at| words::short(at, now, zone);
    let who = words::who(&seen.rule_name, &seen.labels);
    let state = |state: Option<AlertState>| state.map_or("inactive", AlertState::name);
    let tiers = tiers(&seen.sources).map_or(String::new(), |tiers| format!(", from {tiers}"));
    let also = seen.also.map_or(String::new(), |also| {
        let window = human::duration_ms(rule.also_window_ms.unwrap_or_default());
        format!("; {} over the last {window}", value(&also, rule))
    });
    [
        format!("{who}: {} -> {}", state(seen.before), state(seen.after)),
        format!(
            "  {} {} over {} to {}{also}; {} events, {} are enough{tiers}",
            rule.condition.expr.measure,
            value(&seen.seen, rule),
            at(seen.window.from),
            at(seen.window.until),
            human::count(seen.seen.count),
            human::count(seen.enough),
        ),
        format!("  {}", why(seen, rule, zone)),
    ]
}

fn value(seen: &Seen, rule: &Rule) -> String {
    let unit = rule.unit().unwrap_or(Unit::Count);
    seen.value
        .map_or("no data".to_owned(), |value| human::number(value, unit))
}

/// What the value says of the condition, and what follows.
pub(super) fn why(seen: &Evaluated, rule: &Rule, zone: Tz) -> String {
    format!("{}: {}", finding(seen, rule), follows(seen, rule, zone))
}

fn finding(seen: &Evaluated, rule: &Rule) -> String {
    let (op, unit) = (rule.condition.op, rule.unit().unwrap_or(Unit::Count));
    let limit = human::number(seen.limit, unit);
    let believed = |one: &Seen| one.value.filter(|_| one.count >= seen.enough);
    let both = [Some(seen.seen), seen.also];
    let mut windows = both.iter().flatten();
    if rule.measure().is_none() {
        return format!("nobody sent {} yet", rule.condition.expr.measure);
    }
    if seen.is_gone {
        return "some of the window is not kept any more".to_owned();
    }
    let clear = |one: &Seen| believed(one).is_some_and(|value| !op.holds(value, seen.limit));
    if windows.clone().any(clear) {
        return format!("it is not {op} {limit}");
    }
    if windows.all(|one| believed(one).is_some()) {
        return format!("it is {op} {limit}");
    }
    let otherwise = match rule.no_data {
        NoData::Ok => "which counts as clear",
        NoData::Hold => "so everything stays",
        NoData::Alert => "which is wrong as well",
    };
    match seen.seen.count {
        0 => format!("there is nothing to measure, {otherwise}"),
        _ => format!("too few events to believe it, {otherwise}"),
    }
}

fn follows(seen: &Evaluated, rule: &Rule, zone: Tz) -> String {
    let waits = || human::duration_ms(rule.for_ms);
    match seen.decided {
        Move::Begin(_) if seen.after == seen.before => {
            "left out, since its rule has too many alerts".to_owned()
        }
        Move::Begin(AlertState::Pending) => format!("it fires when that has held for {}", waits()),
        Move::Begin(_) => "it fires".to_owned(),
        Move::Fire => format!("it has held for {}, so it fires", waits()),
        Move::Resolve(_) if seen.before == Some(AlertState::Pending) => {
            "it stops waiting".to_owned()
        }
        Move::Resolve(Reason::NoData) => "it ends for want of data".to_owned(),
        Move::Resolve(_) => "it ends".to_owned(),
        Move::ClearSince(Some(_)) => format!(
            "it goes on until it was clear for {}",
            human::duration_ms(rule.keep_firing_for_ms)
        ),
        Move::ClearSince(None) => "it is not clear any more and goes on".to_owned(),
        Move::Release => "what was resolved by hand may fire anew".to_owned(),
        Move::Stay => stays(seen.before, seen.hold_until, zone, waits),
    }
}

fn stays(
    before: Option<AlertState>,
    hold_until: Option<Millis>,
    zone: Tz,
    waits: impl Fn() -> String,
) -> String {
    match (before, hold_until) {
        (None, _) => "it stays quiet".to_owned(),
        (Some(AlertState::Pending), _) => format!("it waits until that has held for {}", waits()),
        (Some(AlertState::Firing | AlertState::Acknowledged), _) => "it goes on".to_owned(),
        (Some(AlertState::Resolved), Some(until)) => format!(
            "it was resolved by hand and stays so until {}, or until it clears",
            human::moment(until, zone)
        ),
        (Some(AlertState::Resolved), None) => "it stays resolved".to_owned(),
    }
}

/// The same as data.
pub(super) fn answer(evaluated: &[Evaluated], rules: &[StoredRule]) -> Answer {
    let names = [
        "rule",
        "labels",
        "since",
        "until",
        "value",
        "also_value",
        "limit",
        "unit",
        "events",
        "min_count",
        "resolution",
        "before",
        "after",
        "why",
    ];
    let row = |seen: &Evaluated| {
        let rule = &rules.iter().find(|r| r.id == seen.rule_id)?.rule;
        let state = |state: AlertState| Cell::text(state.name());
        Some(vec![
            Cell::text(&seen.rule_name),
            rows::labels(&seen.labels),
            Cell::At(seen.window.from),
            Cell::At(seen.window.until),
            Cell::of(seen.seen.value, Cell::Float),
            Cell::of(seen.also.and_then(|also| also.value), Cell::Float),
            Cell::Float(seen.limit),
            Cell::text(unit_name(rule.unit().unwrap_or(Unit::Count))),
            Cell::Int(seen.seen.count.into()),
            Cell::Int(seen.enough.into()),
            Cell::of(tiers(&seen.sources), Cell::Text),
            Cell::of(seen.before, state),
            Cell::of(seen.after, state),
            Cell::Text(why(seen, rule, Tz::UTC)),
        ])
    };
    Answer {
        rows: evaluated.iter().filter_map(row).collect(),
        ..Answer::new(
            "obs.alerts.explain/v1",
            names.map(|name| Column::new(name, name)).into(),
        )
    }
}
