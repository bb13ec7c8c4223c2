//! What an alert rule says: when something is wrong, for how long, how bad that is
//! and who is to hear of it.
//!
//! Where a rule was written (a command, a file) and how it is kept is not known
//! here, nor whether it holds.

use std::collections::BTreeMap;
use std::fmt;

use super::{Condition, Kind, Measure, Millis, Threshold, ThresholdUnit, Unit};

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look.
    #[default]
    Warning,
    /// Worth waking somebody.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Critical];

    /// Its one name.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn parse(name: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of a rule when there is nothing to measure, or too little to believe it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NoData {
    /// As if the condition did not hold; a firing alert resolves with the reason `no_data`.
    #[default]
    Ok,
    /// Everything stays as it is until there is data again.
    Hold,
    /// As if the condition held.
    Alert,
}

impl NoData {
    /// Every choice, the usual one first.
    pub const ALL: [NoData; 3] = [NoData::Ok, NoData::Hold, NoData::Alert];

    /// Its one name.
    pub const fn name(self) -> &'static str {
        match self {
            NoData::Ok => "ok",
            NoData::Hold => "hold",
            NoData::Alert => "alert",
        }
    }

    /// The choice of that name.
    pub fn parse(name: &str) -> Option<NoData> {
        NoData::ALL.into_iter().find(|n| n.name() == name)
    }
}

/// An alert rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its unique name.
    pub name: String,
    /// What it is there for.
    pub description: Option<String>,
    /// The measure, which events, by which labels, and the threshold. The measure may
    /// be one that nobody sent yet.
    pub condition: Condition,
    /// Over how long the value is pooled, ending with the evaluated minute: counts are
    /// added and sketches merged. Milliseconds, whole minutes.
    pub window_ms: i64,
    /// A second, shorter pool for which the condition must hold as well: an alert on a
    /// long window then ends soon after the trouble does. Milliseconds, whole minutes.
    pub also_window_ms: Option<i64>,
    /// How long the condition must hold before the alert fires; it fires when it has
    /// held exactly so long, as in Prometheus. Milliseconds.
    pub for_ms: i64,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// Labels that its alerts carry besides those of their group.
    pub labels: BTreeMap<String, String>,
    /// Texts for people; `{{ value }}` and the like are filled in when it fires.
    pub annotations: BTreeMap<String, String>,
    /// How many events a value must rest on to be believed; `None`: as usual for the measure.
    pub min_count: Option<u64>,
    /// What becomes of it when there is no such value.
    pub no_data: NoData,
    /// Once firing, the condition is compared with this instead, so that a value that
    /// trembles about the threshold does not resolve and fire again. Counted like the
    /// condition's threshold.
    pub resolve_threshold: Option<Threshold>,
    /// How long it goes on firing after the condition ended. Milliseconds.
    pub keep_firing_for_ms: i64,
    /// How often a firing alert is told again. Milliseconds.
    pub repeat_interval_ms: Option<i64>,
    /// Whether its end is told.
    pub send_resolved: bool,
    /// The channels by name; none: the usual ones.
    pub channels: Vec<String>,
}

/// The pool of a rule that does not name one.
pub const USUAL_WINDOW_MS: i64 = 5 * Millis::MINUTE;

impl Rule {
    /// A rule with this condition and the usual options.
    pub fn new(name: impl Into<String>, condition: Condition) -> Rule {
        Rule {
            name: name.into(),
            description: None,
            condition,
            window_ms: USUAL_WINDOW_MS,
            also_window_ms: None,
            for_ms: 0,
            severity: Severity::default(),
            enabled: true,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            min_count: None,
            no_data: NoData::default(),
            resolve_threshold: None,
            keep_firing_for_ms: 0,
            repeat_interval_ms: None,
            send_resolved: true,
            channels: Vec::new(),
        }
        .in_its_window()
    }

    /// The same rule given only a duration. Traffic to models is too thin for
    /// percentiles of one minute, so a duration is the pool; where the measure has a
    /// pool of its own (`hourly_cost`: the hour), it is how long the condition must hold.
    pub fn lasting(self, duration_ms: i64) -> Rule {
        match self.own_window_ms() {
            Some(window_ms) => Rule {
                window_ms,
                for_ms: duration_ms,
                ..self
            },
            None => Rule {
                window_ms: duration_ms,
                for_ms: 0,
                ..self
            },
        }
    }

    /// Its measure; `None` when it is one that nobody sent yet.
    pub fn measure(&self) -> Option<Measure> {
        Measure::parse(&self.condition.expr.measure).ok()
    }

    /// The pool that the measure brings with it, in milliseconds.
    pub fn own_window_ms(&self) -> Option<i64> {
        self.measure()?.spec().trailing_ms
    }

    fn in_its_window(self) -> Rule {
        Rule {
            window_ms: self.own_window_ms().unwrap_or(self.window_ms),
            ..self
        }
    }

    /// How many events a value must rest on: what the rule says, else 5 for a share
    /// (one failure of three is not "33 % errors"), 10 for a percentile, 1 for the rest.
    pub fn enough(&self) -> u64 {
        const FOR_A_SHARE: u64 = 5;
        const FOR_A_PERCENTILE: u64 = 10;
        let usual = || match self.measure().map(Measure::spec) {
            Some(spec) if spec.kind == Kind::Ratio => FOR_A_SHARE,
            Some(spec) if spec.is_percentile() => FOR_A_PERCENTILE,
            Some(_) | None => 1,
        };
        self.min_count.unwrap_or_else(usual)
    }

    /// The unit of its value; `None` for a measure that nobody sent yet.
    pub fn unit(&self) -> Option<Unit> {
        self.measure().map(|measure| measure.spec().unit)
    }

    /// A threshold counted like its value; `None` when the two cannot be compared. A
    /// percentage is a fraction, except where the measure itself counts in per cent.
    pub fn counted(&self, threshold: &Threshold) -> Option<f64> {
        let in_per_cent = self.condition.expr.measure.ends_with("_percent");
        match self.unit() {
            Some(unit) => threshold.in_unit(unit),
            None if in_per_cent && threshold.unit == ThresholdUnit::Ratio => {
                Some(threshold.value * 100.0)
            }
            None => Some(threshold.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(condition: &str) -> Rule {
        Rule::new("a rule", Condition::parse(condition).unwrap())
    }

    #[test]
    fn a_duration_is_the_pool_except_where_the_measure_has_its_own() {
        let latency = rule("p95_latency > 2s").lasting(5 * Millis::MINUTE);
        assert_eq!((latency.window_ms, latency.for_ms), (300_000, 0));
        let cost = rule("hourly_cost > $10").lasting(5 * Millis::MINUTE);
        assert_eq!((cost.window_ms, cost.for_ms), (3_600_000, 300_000));
    }

    #[test]
    fn a_percentage_is_a_fraction_unless_the_measure_counts_in_per_cent() {
        let counted = |condition: &str| {
            let rule = rule(condition);
            rule.counted(&rule.condition.threshold)
        };
        assert_eq!(counted("system.cpu_usage > 85%"), Some(0.85));
        assert_eq!(counted("system.cpu_usage_percent > 85%"), Some(85.0));
        assert_eq!(counted("system.cpu_usage_percent > 85"), Some(85.0));
        assert_eq!(counted("error_rate > 5%"), Some(0.05));
        assert_eq!(counted("error_rate > 5s"), None);
    }

    #[test]
    fn a_value_is_believed_when_it_rests_on_enough() {
        assert_eq!(rule("error_rate > 5%").enough(), 5);
        assert_eq!(rule("p95_latency > 2s").enough(), 10);
        assert_eq!(rule("avg_latency > 2s").enough(), 1);
        assert_eq!(rule("requests > 100").enough(), 1);
        assert_eq!(rule("agents.queue.size > 100").enough(), 1);
        let told = Rule {
            min_count: Some(2),
            ..rule("error_rate > 5%")
        };
        assert_eq!(told.enough(), 2);
    }
}
