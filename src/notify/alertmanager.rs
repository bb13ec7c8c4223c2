//! The Alertmanager of Prometheus, which groups, silences and tells by its own rules.
//!
//! The shape: `/api/v2/alerts` of
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use serde_json::{Value, json};

use super::http::Target;
use super::settings::{Secret, Settings};
use super::webhook::{annotations, labels};
use super::{ChannelError, DeliveryError, Digest};
use crate::model::Millis;

/// Alertmanager forgets an alert without an end after five minutes, since Prometheus tells
/// it every minute. It is told once, so it is told an end that is far away.
const UNTIL_TOLD_MS: i64 = 365 * Millis::DAY;

/// An Alertmanager.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    target: Target,
    token: Option<Secret>,
}

impl Alertmanager {
    pub(super) fn of(settings: &mut Settings<'_>) -> Result<Alertmanager, ChannelError> {
        let url = settings.url()?;
        Ok(Alertmanager {
            target: Target::of(settings, url)?.under("/api/v2/alerts"),
            token: settings.secret("token")?,
        })
    }

    pub(super) fn deliver(&self, digest: &Digest) -> Result<(), DeliveryError> {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("Bearer {}", token.reveal())));
        }
        self.target.post(&alerts(digest), &headers)?;
        Ok(())
    }
}

fn alerts(digest: &Digest) -> Value {
    let alert = |told| {
        let mut alert = json!({ "labels": labels(told), "annotations": annotations(told) });
        alert["startsAt"] = json!(told.notice.fired_at.to_string());
        let ends_at = told
            .notice
            .ended_at
            .unwrap_or(digest.at.plus(UNTIL_TOLD_MS));
        alert["endsAt"] = json!(ends_at.to_string());
        alert
    };
    Value::Array(digest.told.iter().map(alert).collect())
}
