//! How a provider is doing: healthy, degraded, down, or unknown, and why.
//!
//! What is decided is a pure function of what happened and of thresholds; the errand
//! around it reads both. How a verdict is worded is not known here.

use std::collections::BTreeMap;

use crate::model::{Dimension, Matcher, Millis, Selector, Span, Stats};
use crate::query::{self, Answer, QueryError, Question};
use crate::store::setting::{
    HEALTH_DEGRADED_P95, HEALTH_DEGRADED_SUCCESS, HEALTH_DOWN_SUCCESS, HEALTH_MIN_LATENCIES,
    HEALTH_MIN_REQUESTS, HEALTH_WINDOW,
};
use crate::store::{Parts, Store, StoreError};

/// How a provider is doing, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Most requests fail.
    Down,
    /// Some requests fail, or they are slow.
    Degraded,
    /// As it should be.
    Healthy,
    /// There were no requests.
    Unknown,
}

/// What a verdict is measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The window before now.
    pub window_ms: i64,
    /// With fewer requests a success rate is not judged.
    pub min_requests: u64,
    /// With fewer latencies a percentile is not judged.
    pub min_latencies: u64,
    /// A lower success rate means down.
    pub down_success: f64,
    /// A lower success rate means degraded.
    pub degraded_success: f64,
    /// A higher p95 latency means degraded.
    pub degraded_p95_ms: f64,
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// No request.
    Quiet,
    /// Too many requests failed.
    Failing,
    /// The p95 latency is above the threshold.
    Slow {
        /// How slow.
        p95_ms: f64,
    },
    /// Too few requests to call some failures a rate.
    FewRequests,
    /// Too few latencies to call the highest ones a percentile.
    FewLatencies {
        /// What the percentile would be.
        p95_ms: f64,
    },
}

/// What is said about a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How it is doing.
    pub status: Status,
    /// Why; nothing, when all is well.
    pub reasons: Vec<Reason>,
}

/// How one provider is doing.
#[derive(Clone, Debug)]
pub struct Health {
    /// Its name.
    pub provider: String,
    /// What is said about it.
    pub verdict: Verdict,
    /// What happened in the window.
    pub stats: Stats,
    /// When it was last heard, in the window or before it.
    pub last_heard: Option<Millis>,
    /// What most of its failures say, as far as they say anything.
    pub mostly: Option<Failing>,
}

/// What failures have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The HTTP status; empty: not said.
    pub status_code: String,
    /// The kind of failure; empty: not said.
    pub error_type: String,
    /// How many say so.
    pub count: u64,
}

/// A provider that no event names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no event has the provider {name:?}")]
pub struct UnknownProvider {
    /// The name that was given.
    pub name: String,
    /// The provider that was probably meant.
    pub nearest: Option<String>,
}

/// Judges what happened in the window.
pub fn judge(stats: &Stats, thresholds: &Thresholds) -> Verdict {
    let Some(success) = stats.success_rate() else {
        return Verdict {
            status: Status::Unknown,
            reasons: vec![Reason::Quiet],
        };
    };
    let rate_counts = stats.requests >= thresholds.min_requests;
    if rate_counts && success < thresholds.down_success {
        return Verdict {
            status: Status::Down,
            reasons: vec![Reason::Failing],
        };
    }
    let mut reasons = Vec::new();
    if success < thresholds.degraded_success && rate_counts {
        reasons.push(Reason::Failing);
    }
    let p95 = stats.latency.quantile_ms(0.95);
    let slow = p95.filter(|p95| *p95 > thresholds.degraded_p95_ms);
    let percentile_counts = stats.latency.count >= thresholds.min_latencies;
    if let Some(p95_ms) = slow.filter(|_| percentile_counts) {
        reasons.push(Reason::Slow { p95_ms });
    }
    if !reasons.is_empty() {
        return Verdict {
            status: Status::Degraded,
            reasons,
        };
    }
    if !rate_counts {
        reasons.push(Reason::FewRequests);
    } else if let Some(p95_ms) = slow {
        reasons.push(Reason::FewLatencies { p95_ms });
    }
    Verdict {
        status: Status::Healthy,
        reasons,
    }
}

/// The thresholds of the store.
///
/// # Errors
/// When a setting means nothing.
pub fn thresholds(store: &mut Store) -> Result<Thresholds, StoreError> {
    store.read(|txn| {
        Ok(Thresholds {
            window_ms: txn.set_to(&HEALTH_WINDOW)?.0,
            min_requests: txn.set_to(&HEALTH_MIN_REQUESTS)?.0,
            min_latencies: txn.set_to(&HEALTH_MIN_LATENCIES)?.0,
            down_success: txn.set_to(&HEALTH_DOWN_SUCCESS)?.0,
            degraded_success: txn.set_to(&HEALTH_DEGRADED_SUCCESS)?.0,
            degraded_p95_ms: txn.set_to(&HEALTH_DEGRADED_P95)?.0 as f64,
        })
    })
}

/// How every provider is doing that is known at all, the worst first.
///
/// # Errors
/// When the window begins before what is kept, or the store cannot be read.
pub fn all(
    store: &mut Store,
    thresholds: &Thresholds,
    now: Millis,
) -> Result<Vec<Health>, QueryError> {
    let span = Span::new(now.plus(-thresholds.window_ms), now);
    let by = [Dimension::Provider];
    let answer = ask(store, span, &by, Selector::default(), Parts::All)?;
    let mut heard: BTreeMap<String, Stats> = query::names(store, Dimension::Provider)?
        .into_iter()
        .map(|name| (name, Stats::default()))
        .collect();
    for row in answer.rows {
        heard.insert(row.group.concat(), row.stats);
    }
    let quiet = heard.values().any(Stats::is_empty);
    let before = match query::kept_span(store, now)?.filter(|_| quiet) {
        Some(kept) => last_heard(store, kept)?,
        None => BTreeMap::new(),
    };
    let failed = heard.values().any(|stats| stats.failures > 0);
    let mostly = match failed {
        true => failing(store, span)?,
        false => BTreeMap::new(),
    };
    let mut health: Vec<Health> = heard
        .into_iter()
        .map(|(provider, stats)| Health {
            verdict: judge(&stats, thresholds),
            last_heard: stats.last.or_else(|| before.get(&provider).copied()),
            mostly: mostly.get(&provider).cloned(),
            provider,
            stats,
        })
        .collect();
    health.sort_by_key(|h| (h.verdict.status, std::cmp::Reverse(h.stats.requests)));
    Ok(health)
}

/// Only these providers, in this order.
///
/// # Errors
/// Naming the first that is not known, and the nearest that is.
pub fn of(all: Vec<Health>, names: &[String]) -> Result<Vec<Health>, UnknownProvider> {
    let find = |name: &String| {
        let found = all.iter().find(|health| health.provider == *name).cloned();
        found.ok_or_else(|| UnknownProvider {
            name: name.clone(),
            nearest: crate::model::nearest(name, all.iter().map(|h| h.provider.as_str()))
                .map(str::to_owned),
        })
    };
    names.iter().map(find).collect()
}

/// When each provider was last heard.
fn last_heard(store: &mut Store, kept: Span) -> Result<BTreeMap<String, Millis>, QueryError> {
    let by = [Dimension::Provider];
    let answer = ask(store, kept, &by, Selector::default(), Parts::Sums)?;
    let rows = answer.rows.into_iter();
    Ok(rows
        .filter_map(|row| Some((row.group.concat(), row.stats.last?)))
        .collect())
}

/// What most failures of each provider say. Only raw events know; where they are gone,
/// nothing is said.
fn failing(store: &mut Store, span: Span) -> Result<BTreeMap<String, Failing>, QueryError> {
    let by = [
        Dimension::Provider,
        Dimension::StatusCode,
        Dimension::ErrorType,
    ];
    let failed = Selector {
        matchers: vec![Matcher::equal(Dimension::Status, "error")],
    };
    let answer = match ask(store, span, &by, failed, Parts::Sums) {
        Err(QueryError::BeyondRaw { .. }) => return Ok(BTreeMap::new()),
        answer => answer?,
    };
    let mut mostly: BTreeMap<String, Failing> = BTreeMap::new();
    for row in answer.rows {
        let [provider, status_code, error_type] = &row.group[..] else {
            continue;
        };
        let said = !status_code.is_empty() || !error_type.is_empty();
        let most = mostly.get(provider).map_or(0, |failing| failing.count);
        if said && row.stats.failures > most {
            let failing = Failing {
                status_code: status_code.clone(),
                error_type: error_type.clone(),
                count: row.stats.failures,
            };
            mostly.insert(provider.clone(), failing);
        }
    }
    Ok(mostly)
}

fn ask(
    store: &mut Store,
    span: Span,
    by: &[Dimension],
    selector: Selector,
    parts: Parts,
) -> Result<Answer, QueryError> {
    let question = Question {
        selector,
        span,
        step: None,
        by: by.to_vec(),
        parts,
        trailing_ms: None,
    };
    query::ask(store, &question)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CostMode, Event, Signal};

    const USUAL: Thresholds = Thresholds {
        window_ms: 300_000,
        min_requests: 5,
        min_latencies: 10,
        down_success: 0.5,
        degraded_success: 0.95,
        degraded_p95_ms: 5_000.0,
    };

    fn stats(requests: u64, failures: u64, latency_ms: i64) -> Stats {
        let mut stats = Stats::default();
        for nth in 0..requests {
            let success = nth >= failures;
            let mut event = Event::new(Millis(0), Signal::Request { success });
            event.latency_us = Some(latency_ms * 1_000);
            stats.observe(&event, CostMode::Auto);
        }
        stats
    }

    #[test]
    fn a_provider_is_judged_by_what_failed_and_how_long_it_took() {
        use Reason::{Failing, FewLatencies, FewRequests, Quiet, Slow};
        use Status::{Degraded, Down, Healthy, Unknown};
        let slow = Slow { p95_ms: 6_000.0 };
        let few = FewLatencies { p95_ms: 6_000.0 };
        for (requests, failures, latency, status, reasons) in [
            (0, 0, 0, Unknown, vec![Quiet]),
            (1, 0, 90, Healthy, vec![FewRequests]),
            (3, 1, 90, Healthy, vec![FewRequests]),
            (4, 4, 90, Healthy, vec![FewRequests]),
            (5, 3, 90, Down, vec![Failing]),
            (10, 5, 90, Degraded, vec![Failing]),
            (20, 1, 90, Healthy, vec![]),
            (19, 1, 90, Degraded, vec![Failing]),
            (10, 0, 5_000, Healthy, vec![]),
            (10, 0, 6_000, Degraded, vec![slow]),
            (9, 0, 6_000, Healthy, vec![few]),
            (10, 1, 6_000, Degraded, vec![Failing, slow]),
            (10, 9, 6_000, Down, vec![Failing]),
        ] {
            let verdict = judge(&stats(requests, failures, latency), &USUAL);
            let what = format!("{requests} requests, {failures} failures, {latency} ms");
            assert_eq!(verdict, Verdict { status, reasons }, "{what}");
        }
    }
}
