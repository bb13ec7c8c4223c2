//! Of which alerts nobody is to hear for now: those that somebody silenced, and those for
//! which a graver one speaks. How a notice is kept back is not known here.

use rustc_hash::FxHashMap;

use crate::model::{Alert, Dimension, LabelSet, Matcher, Millis, Rule, Severity, Silence};

/// Whether a silence speaks of an alert: all of its tests pass. `rule` and `severity`
/// count as labels; what neither the group nor the filters of the rule say, the labels of
/// the rule may. When it lasts does not matter here.
pub fn silences(silence: &Silence, alert: &Alert, rule: &Rule) -> bool {
    let said = said(alert, rule);
    let label = |name: &str| match name {
        "rule" => rule.name.as_str(),
        "severity" => alert.severity.name(),
        name => {
            let of_events = Dimension::parse(name).and_then(|d| said.get(&d));
            let label = of_events.or_else(|| rule.labels.get(name));
            label.map_or("", String::as_str)
        }
    };
    let mut tests = silence.tests.iter();
    tests.all(|(name, test)| test.accepts(label(name)))
}

/// Whether one of these silences speaks of an alert and lasts at one of the moments.
pub(super) fn silenced(all: &[Silence], alert: &Alert, rule: &Rule, moments: &[Millis]) -> bool {
    let lasts = |s: &&Silence| moments.iter().any(|at| s.lasts_at(*at));
    all.iter().filter(lasts).any(|s| silences(s, alert, rule))
}

/// The labels of its group, and those that the filters of its rule fix.
fn said(alert: &Alert, rule: &Rule) -> LabelSet {
    let matchers = rule.condition.expr.selector.matchers.iter();
    let mut said: LabelSet = matchers.filter_map(fixed).collect();
    said.extend(alert.labels.clone());
    said
}

/// The one value that passes.
fn fixed(matcher: &Matcher) -> Option<(Dimension, String)> {
    match (matcher.patterns(), matcher.is_negated()) {
        ([pattern], false) => Some((matcher.dimension(), pattern.exact()?.to_owned())),
        (_, _) => None,
    }
}

/// What an alert speaks of: a measure of which events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Subject {
    measure: String,
    labels: LabelSet,
    /// Filters that fix no label.
    other: Vec<Matcher>,
}

impl Subject {
    fn of(alert: &Alert, rule: &Rule) -> Subject {
        let expr = &rule.condition.expr;
        let loose = |m: &&Matcher| fixed(m).is_none();
        Subject {
            measure: expr.measure.clone(),
            labels: said(alert, rule),
            other: expr
                .selector
                .matchers
                .iter()
                .filter(loose)
                .cloned()
                .collect(),
        }
    }
}

/// What fires at a moment. A firing alert speaks for those of lower severity with the
/// same measure of the same events.
#[derive(Debug, Default)]
pub struct Firing {
    gravest: FxHashMap<Subject, Severity>,
}

impl Firing {
    /// Those of these alerts that fire.
    pub fn of<'a>(alerts: impl IntoIterator<Item = (&'a Alert, &'a Rule)>) -> Firing {
        let mut firing = Firing::default();
        for (alert, rule) in alerts.into_iter().filter(|(a, _)| a.state.is_firing()) {
            let gravest = firing.gravest.entry(Subject::of(alert, rule));
            let gravest = gravest.or_insert(alert.severity);
            *gravest = alert.severity.max(*gravest);
        }
        firing
    }

    /// Whether one of them speaks for this one.
    pub fn inhibits(&self, alert: &Alert, rule: &Rule) -> bool {
        let gravest = self.gravest.get(&Subject::of(alert, rule));
        gravest.is_some_and(|gravest| *gravest > alert.severity)
    }
}

#[cfg(test)]
mod tests {
    use super::super::decide::tests::alert;
    use super::*;
    use crate::model::{AlertState, Condition, LabelTest, SilenceId};

    fn rule(condition: &str, severity: Severity) -> Rule {
        Rule {
            severity,
            labels: [("team".to_owned(), "search".to_owned())].into(),
            ..Rule::new("slow", Condition::parse(condition).unwrap())
        }
    }

    fn of(rule: &Rule, provider: Option<&str>) -> Alert {
        let label = |name: &str| (Dimension::Provider, name.to_owned());
        Alert {
            severity: rule.severity,
            labels: provider.into_iter().map(label).collect(),
            ..alert(AlertState::Firing, 1)
        }
    }

    fn is_silenced(tests: &[(&str, &str)], alert: &Alert, rule: &Rule) -> bool {
        let test = |(name, text): &(&str, &str)| ((*name).to_owned(), LabelTest::parse(text));
        let silence = Silence {
            id: SilenceId(1),
            tests: tests.iter().map(test).collect(),
            from: Millis(0),
            until: Millis(1),
            note: String::new(),
            actor: String::new(),
            created_at: Millis(0),
        };
        silences(&silence, alert, rule)
    }

    #[test]
    fn a_silence_speaks_of_alerts_that_pass_all_of_its_tests() {
        let rule = rule("p95_latency by (provider) > 2s", Severity::Critical);
        let claude = of(&rule, Some("claude"));
        for (tests, silenced) in [
            (&[("provider", "cl*")][..], true),
            (&[("provider", "!cl*")], false),
            (&[("provider", "claude"), ("severity", "warning")], false),
            (&[("severity", "critical|warning"), ("rule", "sl*")], true),
            (&[("team", "search")], true),
            (&[("model", "opus")], false),
            (&[], true),
        ] {
            assert_eq!(is_silenced(tests, &claude, &rule), silenced, "{tests:?}");
        }
    }

    #[test]
    fn a_filter_that_leaves_one_value_counts_as_a_label() {
        let rule = rule(r#"error_rate{provider="claude"} > 5%"#, Severity::Info);
        let alert = of(&rule, None);
        assert!(is_silenced(&[("provider", "claude")], &alert, &rule));
        assert!(!is_silenced(&[("provider", "openai")], &alert, &rule));
    }

    #[test]
    fn a_graver_alert_speaks_for_the_same_measure_of_the_same_events() {
        let grave = rule(r#"error_rate{provider="claude"} > 20%"#, Severity::Critical);
        let firing = Firing::of([(&of(&grave, None), &grave)]);
        let inhibits = |condition: &str, severity, provider| {
            let rule = rule(condition, severity);
            firing.inhibits(&of(&rule, provider), &rule)
        };
        let claude = Some("claude");
        let by = "error_rate by (provider) > 5%";
        assert!(inhibits(by, Severity::Warning, claude));
        assert!(!inhibits(by, Severity::Critical, claude));
        assert!(!inhibits(by, Severity::Warning, Some("openai")));
        assert!(!inhibits("error_rate > 5%", Severity::Warning, None));
        let other = r#"success_rate{provider="claude"} < 90%"#;
        assert!(!inhibits(other, Severity::Warning, None));
        let pending = Alert {
            state: AlertState::Pending,
            ..of(&grave, None)
        };
        let mild = rule(by, Severity::Warning);
        assert!(!Firing::of([(&pending, &grave)]).inhibits(&of(&mild, claude), &mild));
    }
}
