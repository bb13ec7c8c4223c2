//! A service level objective, which stands for rules on how fast its error budget burns.
//!
//! Windows and shares are those of the Site Reliability Workbook (Google, 2018, chapter
//! 5, "Multiwindow, Multi-Burn-Rate Alerts"): 2 % of the budget spent in an hour, 5 % in six
//! hours, 10 % in one day and in three days; each must hold over a twelfth of the window as
//! well, so that the alert ends soon after the trouble. Of a period of 30 days, that is
//! burning 14.4, 6, 3 and 1 times as fast as would just last.

use super::check::{self, meant};
use super::fault::{Complaint, Fault};
use super::key::{Key, duration};
use super::read::Reader;
use super::scalar::{text, written};
use super::yaml::{Mark, Node};
use crate::model::{
    Condition, Expr, Kind, Measure, Millis, Op, Rule, Severity, Threshold, ThresholdUnit,
    duration_text,
};

/// How much of the budget in which time is how bad.
struct Burn {
    window_ms: i64,
    also_window_ms: i64,
    share: f64,
    severity: Severity,
}

const BURNS: [Burn; 4] = [
    Burn::new(Millis::HOUR, 0.02, Severity::Critical),
    Burn::new(6 * Millis::HOUR, 0.05, Severity::Critical),
    Burn::new(Millis::DAY, 0.10, Severity::Warning),
    Burn::new(3 * Millis::DAY, 0.10, Severity::Warning),
];

impl Burn {
    const fn new(window_ms: i64, share: f64, severity: Severity) -> Burn {
        Burn {
            window_ms,
            also_window_ms: window_ms / 12,
            share,
            severity,
        }
    }
}

/// What an objective can say besides `labels`, `annotations` and `channels`.
const NAME: &str = "name";
const OBJECTIVE: &str = "objective";
const MEASURE: &str = "measure";
const PERIOD: &str = "period";
/// What is measured when nothing is said.
const USUAL_MEASURE: &str = "error_rate";
/// The period when nothing is said.
const USUAL_PERIOD_MS: i64 = 30 * Millis::DAY;
/// The shortest and the longest period. The longest window must be a small part of it,
/// and beyond a quarter the budget says little about today.
const PERIODS: std::ops::RangeInclusive<i64> = 7 * Millis::DAY..=92 * Millis::DAY;

/// What an objective says of all of its rules.
const SHARED: [Key; 6] = [
    Key::Labels,
    Key::Annotations,
    Key::Channels,
    Key::RepeatInterval,
    Key::SendResolved,
    Key::Enabled,
];

/// Everything that an objective can say.
pub(super) fn keys() -> Vec<&'static str> {
    let own = [NAME, OBJECTIVE, MEASURE, PERIOD];
    own.into_iter().chain(SHARED.map(Key::name)).collect()
}

/// The rules of one objective, each with where the name of the objective stands.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Vec<(Rule, Mark)> {
    let rules = expand(reader, node);
    reader.noting(rules).unwrap_or_default()
}

fn expand(reader: &mut Reader<'_>, node: &Node) -> Result<Vec<(Rule, Mark)>, Fault> {
    let entries = node.map("an objective")?;
    let given = |wanted: &str| {
        entries
            .iter()
            .find(|(key, ..)| key == wanted)
            .map(|(_, _, value)| value)
    };
    let needed = |wanted: &str| {
        let fault = || Fault::new(node.mark, format!("this objective has no {wanted}"));
        given(wanted)
            .ok_or_else(|| fault().hint("an objective has a name and an objective such as 99.9%"))
    };
    let name_node = needed(NAME)?;
    let name = text(name_node, NAME)?;
    check::name(name, "an objective").map_err(|complaint| reader.place(name_node, complaint))?;
    let objective_node = needed(OBJECTIVE)?;
    let budget = budget(written(objective_node, OBJECTIVE)?)
        .map_err(|complaint| reader.place(objective_node, complaint))?;
    let mut common = Rule::new(name, condition(&Measured::usual(), budget));
    let mut period_ms = USUAL_PERIOD_MS;
    let mut measured = Measured::usual();
    for (key, mark, value) in entries {
        let said = |what| written(value, what);
        match key.as_str() {
            NAME | OBJECTIVE => {}
            MEASURE => {
                let read = Measured::parse(said(MEASURE)?);
                measured = read.map_err(|complaint| reader.place(value, complaint))?;
            }
            PERIOD => {
                let read = period(said(PERIOD)?);
                period_ms = read.map_err(|complaint| reader.place(value, complaint))?;
            }
            other => match SHARED.into_iter().find(|key| key.name() == other) {
                Some(key) => reader.option(&mut common, key, value)?,
                None => {
                    let fault = Fault::new(*mark, format!("unknown key {other:?} of an objective"));
                    return Err(fault.hint(meant(other, keys())));
                }
            },
        }
    }
    let mut rules = Vec::new();
    for burn in BURNS {
        let rate = burn.share * period_ms as f64 / burn.window_ms as f64;
        // No share of errors exceeds all of them.
        if rate * budget < 1.0 {
            let rule = rule(&common, &measured, &burn, rate, budget);
            if let Some((_, _, complaint)) = check::check(&rule).into_iter().next() {
                return Err(reader.place(node, complaint));
            }
            rules.push((rule, name_node.mark));
        }
    }
    Ok(rules)
}

/// What is measured: a share of bad events, or one of good events.
struct Measured {
    expr: Expr,
    is_good: bool,
}

impl Measured {
    fn usual() -> Measured {
        Measured {
            expr: Expr {
                measure: USUAL_MEASURE.to_owned(),
                selector: Default::default(),
                by: Vec::new(),
            },
            is_good: false,
        }
    }

    fn parse(said: &str) -> Result<Measured, Complaint> {
        let expr = Expr::parse(said)?;
        let is_good = match Measure::parse(&expr.measure) {
            Ok(Measure::SuccessRate | Measure::CacheHitRate) => true,
            Ok(measure) if measure.spec().kind == Kind::Ratio => false,
            // A custom metric is taken for a share of errors.
            Err(_) if expr.measure.contains('.') => false,
            Ok(_) | Err(_) => {
                let message = format!("{:?} is no share of events", expr.measure);
                let hint = "measure error_rate, success_rate, rate_limit_denial_rate, cache_hit_rate or a custom metric";
                return Err(Complaint::new(message).hint(hint));
            }
        };
        Ok(Measured { expr, is_good })
    }
}

/// The share of events that may be bad. Of a written 99.9 % that is 0.1 %, without the
/// last digits of a float.
fn budget(said: &str) -> Result<f64, Complaint> {
    let threshold = Threshold::parse(said)?;
    let is_share = match threshold.unit {
        ThresholdUnit::Ratio | ThresholdUnit::Plain => {
            threshold.value > 0.0 && threshold.value < 1.0
        }
        ThresholdUnit::Milliseconds | ThresholdUnit::Usd => false,
    };
    match is_share {
        true => Ok(rounded(1.0 - threshold.value)),
        false => {
            let complaint = Complaint::new(format!("{said} is no share of events below 100%"));
            Err(complaint.hint("write it like 99.9%"))
        }
    }
}

fn period(said: &str) -> Result<i64, Complaint> {
    let ms = duration(said)?;
    match PERIODS.contains(&ms) {
        true => Ok(ms),
        false => {
            let complaint = Complaint::new(format!("a period of {said} is too short or too long"));
            Err(complaint.hint("take between 7d and 92d, such as 30d"))
        }
    }
}

fn condition(measured: &Measured, bad: f64) -> Condition {
    let (op, value) = match measured.is_good {
        true => (Op::Less, rounded(1.0 - bad)),
        false => (Op::Greater, bad),
    };
    Condition {
        expr: measured.expr.clone(),
        op,
        threshold: Threshold {
            value,
            unit: ThresholdUnit::Ratio,
        },
    }
}

fn rule(common: &Rule, measured: &Measured, burn: &Burn, rate: f64, budget: f64) -> Rule {
    let window = duration_text(burn.window_ms);
    Rule {
        name: format!("{} {window}", common.name),
        description: Some(format!(
            "{} of the error budget of {} may be spent in {window}: {} times as fast as would last",
            percent(burn.share),
            common.name,
            rounded(rate)
        )),
        condition: condition(measured, rounded(rate * budget)),
        window_ms: burn.window_ms,
        also_window_ms: Some(burn.also_window_ms),
        severity: burn.severity,
        ..common.clone()
    }
}

fn percent(share: f64) -> String {
    let threshold = Threshold {
        value: share,
        unit: ThresholdUnit::Ratio,
    };
    threshold.to_string()
}

/// Ten significant digits, which nobody wrote more of.
fn rounded(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}
