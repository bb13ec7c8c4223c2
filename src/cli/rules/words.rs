//! What a rule means, in words.

use chrono_tz::Tz;

use crate::model::{Millis, NoData, Op, Rule, Threshold, Unit};
use crate::render::human;
use crate::store::StoredRule;

/// The lines that explain a rule.
pub(super) fn explained(stored: &StoredRule, zone: Tz) -> Vec<String> {
    let rule = &stored.rule;
    let state = if rule.enabled { "" } else { ", disabled" };
    let mut lines = vec![format!("{} ({}{state})", rule.name, rule.severity)];
    lines.extend(rule.description.iter().map(|text| format!("  {text}")));
    lines.push(format!("  fires when {}", condition(rule)));
    lines.extend(rule_of_time(rule));
    lines.push(believed(rule));
    lines.extend(ends(rule));
    lines.push(told(rule));
    let texts = [("label", &rule.labels), ("says", &rule.annotations)];
    for (what, texts) in texts {
        let of = |(name, text): (&String, &String)| format!("  {what} {name}: {text}");
        lines.extend(texts.iter().map(of));
    }
    lines.push(format!(
        "  version {}, of {}; looks at minutes from {} on",
        stored.version,
        human::moment(stored.updated_at, zone),
        human::moment(stored.since, zone),
    ));
    lines
}

/// `the p95 latency of the last 5 min, pooled, is above 2 s, by provider`
fn condition(rule: &Rule) -> String {
    let expr = &rule.condition.expr;
    let measure = match rule.measure() {
        Some(measure) => format!("the {}", measure.spec().title),
        None => format!("the metric {}", expr.measure),
    };
    let of = match expr.selector.matchers.is_empty() {
        true => String::new(),
        false => format!(" of {}", expr.selector),
    };
    let window = match (rule.own_window_ms(), rule.also_window_ms) {
        (Some(_), _) => String::new(),
        (None, None) => format!(
            " of the last {}, pooled,",
            human::duration_ms(rule.window_ms)
        ),
        (None, Some(also)) => format!(
            " of the last {}, and that of the last {} as well, each pooled,",
            human::duration_ms(rule.window_ms),
            human::duration_ms(also)
        ),
    };
    let is = match rule.condition.op {
        Op::Greater => "is above",
        Op::GreaterOrEqual => "is at least",
        Op::Less => "is below",
        Op::LessOrEqual => "is at most",
        Op::Equal => "is",
        Op::NotEqual => "is not",
    };
    let by: Vec<&str> = expr.by.iter().map(|d| d.name()).collect();
    let by = match by.is_empty() {
        true => String::new(),
        false => format!(", for each {} on its own", by.join(" and ")),
    };
    let threshold = limit(rule, &rule.condition.threshold);
    format!("{measure}{of}{window} {is} {threshold}{by}")
}

/// A threshold in the unit of its rule. A metric of one's own may count in any unit.
fn limit(rule: &Rule, threshold: &Threshold) -> String {
    match (rule.unit(), rule.counted(threshold)) {
        (Some(unit), Some(value)) => human::number(value, unit),
        (None, Some(value)) if value != threshold.value => human::number(value, Unit::Count),
        (_, _) => threshold.to_string(),
    }
}

fn rule_of_time(rule: &Rule) -> Option<String> {
    let ms = (rule.for_ms > 0).then_some(rule.for_ms)?;
    Some(format!(
        "  once that has held for {}, at {} evaluations or more",
        human::duration_ms(ms),
        ms.unsigned_abs().div_ceil(Millis::MINUTE.unsigned_abs()) + 1
    ))
}

fn believed(rule: &Rule) -> String {
    let events = match rule.enough() {
        1 => "one event".to_owned(),
        many => format!("{} events", human::count(many)),
    };
    let otherwise = match rule.no_data {
        NoData::Ok => "with fewer it does not hold, and an alert ends",
        NoData::Hold => "with fewer everything stays as it is",
        NoData::Alert => "with fewer it fires as well",
    };
    match rule.measure() {
        Some(_) => format!("  needs {events} to be believed; {otherwise}"),
        None => "  no such metric is known yet; until then it does not hold".to_owned(),
    }
}

fn ends(rule: &Rule) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(threshold) = &rule.resolve_threshold {
        let op = rule.condition.op;
        let limit = limit(rule, threshold);
        lines.push(format!(
            "  once firing, it goes on while the value is {op} {limit}"
        ));
    }
    if rule.keep_firing_for_ms > 0 {
        let kept = human::duration_ms(rule.keep_firing_for_ms);
        lines.push(format!("  ends when it was clear for {kept}"));
    }
    lines
}

fn told(rule: &Rule) -> String {
    let to = match rule.channels.is_empty() {
        true => "the usual channels".to_owned(),
        false => rule.channels.join(", "),
    };
    let again = rule.repeat_interval_ms.map(human::duration_ms);
    let again = again.map_or(String::new(), |every| format!(", again every {every}"));
    let end = match rule.send_resolved {
        true => "",
        false => "; its end is not told",
    };
    format!("  told to {to}{again}{end}")
}
