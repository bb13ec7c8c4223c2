//! The rules that a new store has.

use crate::model::{Condition, Expr, Millis, Op, Rule, Severity, Threshold, ThresholdUnit};

/// The five rules of a new store. A rule of provider and model can be made of each, with
/// `by (provider)` or a filter; these look at everything.
pub fn defaults() -> Vec<Rule> {
    use Severity::{Critical, Warning};
    use ThresholdUnit::{Milliseconds, Ratio, Usd};
    vec![
        rule(
            "High latency",
            "Requests have become slow",
            ("p95_latency", Op::Greater, 2_000.0, Milliseconds),
            5,
            Warning,
        ),
        rule(
            "Error spike",
            "Requests fail",
            ("error_rate", Op::Greater, 0.05, Ratio),
            1,
            Critical,
        ),
        rule(
            "Low cache hit rate",
            "The cache answers less than it should",
            ("cache_hit_rate", Op::Less, 0.40, Ratio),
            10,
            Warning,
        ),
        rule(
            "High cost",
            "The last hour was expensive",
            ("hourly_cost", Op::Greater, 10.0, Usd),
            5,
            Warning,
        ),
        rule(
            "Rate-limit denials",
            "Calls are refused by rate limits",
            ("rate_limit_denial_rate", Op::Greater, 0.10, Ratio),
            5,
            Warning,
        ),
    ]
}

fn rule(
    name: &str,
    description: &str,
    (measure, op, value, unit): (&str, Op, f64, ThresholdUnit),
    duration_min: i64,
    severity: Severity,
) -> Rule {
    let expr = Expr {
        measure: measure.to_owned(),
        selector: Default::default(),
        by: Vec::new(),
    };
    let threshold = Threshold { value, unit };
    let condition = Condition {
        expr,
        op,
        threshold,
    };
    Rule {
        description: Some(description.to_owned()),
        severity,
        ..Rule::new(name, condition)
    }
    .lasting(duration_min * Millis::MINUTE)
}
