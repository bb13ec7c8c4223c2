//! What an alert says in the words of its rule.

use std::collections::BTreeMap;

use crate::model::{Alert, Dimension, Placeholder, Rule, Unit, fill_all};
use crate::render::human;

/// The annotations of a rule, filled with what is known of one of its alerts: numbers in
/// the units that people read, moments in UTC. Texts of events are in them as they came.
pub fn annotations(rule: &Rule, alert: &Alert) -> BTreeMap<String, String> {
    let number = |value: f64| human::number(value, rule.unit().unwrap_or(Unit::Count));
    fill_all(&rule.annotations, |place| match place {
        Placeholder::Rule => rule.name.clone(),
        Placeholder::Condition => rule.condition.to_string(),
        Placeholder::Value => alert.value.map_or("no data".to_owned(), number),
        Placeholder::Threshold => number(alert.threshold),
        Placeholder::Window => human::duration_ms(rule.window_ms),
        Placeholder::For => human::duration_ms(rule.for_ms),
        Placeholder::Severity => alert.severity.name().to_owned(),
        Placeholder::Since => alert.started_at.to_string(),
        Placeholder::Label(name) => label(rule, alert, name).to_owned(),
    })
}

/// A label of the group, or of the rule; `-` when the events do not say it.
fn label<'a>(rule: &'a Rule, alert: &'a Alert, name: &str) -> &'a str {
    let of_group = Dimension::parse(name).and_then(|dimension| alert.labels.get(&dimension));
    match of_group.or_else(|| rule.labels.get(name)) {
        Some(value) if !value.is_empty() => value,
        Some(_) | None => human::NOTHING,
    }
}

#[cfg(test)]
mod tests {
    use super::super::decide::tests::alert;
    use super::*;
    use crate::model::{AlertState, Condition};

    #[test]
    fn an_annotation_tells_the_numbers_of_the_alert_as_people_read_them() {
        let condition = Condition::parse("p95_latency by (provider) > 2s").unwrap();
        let text = "{{ labels.provider }} ({{labels.team}}): p95 {{ value }} of {{ window }} > {{ threshold }}";
        let rule = Rule {
            labels: [("team".to_owned(), "search".to_owned())].into(),
            annotations: [("summary".to_owned(), text.to_owned())].into(),
            ..Rule::new("slow", condition)
        };
        let alert = Alert {
            labels: [(Dimension::Provider, "claude".to_owned())].into(),
            value: Some(2_534.2),
            threshold: 2_000.0,
            ..alert(AlertState::Firing, 1)
        };
        let told = annotations(&rule, &alert);
        assert_eq!(
            told["summary"],
            "claude (search): p95 2.53 s of 5 min > 2 s"
        );
    }
}
