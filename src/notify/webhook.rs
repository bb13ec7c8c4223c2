//! JSON to a URL, in the shape that receivers of Prometheus' Alertmanager know (its
//! webhook, version 4), signed when there is a secret.
//!
//! The shape: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>

use std::collections::BTreeMap;
use std::fmt::Write;

use ring::hmac;
use serde_json::{Value, json};

use super::http::Target;
use super::settings::{Secret, Settings};
use super::{ChannelError, DeliveryError, Digest, Told};

/// Holds `sha256=` and the HMAC-SHA256 of the body, in hexadecimal.
const SIGNATURE: &str = "x-obs-signature-256";

/// A URL that takes JSON.
#[derive(Clone, Debug)]
pub struct Webhook {
    target: Target,
    secret: Option<Secret>,
    token: Option<Secret>,
    name: String,
}

impl Webhook {
    pub(super) fn of(settings: &mut Settings<'_>) -> Result<Webhook, ChannelError> {
        let url = settings.url()?;
        Ok(Webhook {
            target: Target::of(settings, url)?,
            secret: settings.secret("secret")?,
            token: settings.secret("token")?,
            name: settings.name().to_owned(),
        })
    }

    pub(super) fn deliver(&self, digest: &Digest) -> Result<(), DeliveryError> {
        let body = message(digest, &self.name).to_string();
        let mut headers = Vec::new();
        if let Some(secret) = &self.secret {
            headers.push((SIGNATURE, signature(secret, &body)));
        }
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("Bearer {}", token.reveal())));
        }
        self.target.post_text(&body, &headers)?;
        Ok(())
    }
}

fn signature(secret: &Secret, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    tag.as_ref()
        .iter()
        .fold("sha256=".to_owned(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn message(digest: &Digest, receiver: &str) -> Value {
    let alerts: Vec<Value> = digest.told.iter().map(alert).collect();
    let is_over = digest.told.iter().all(|told| told.notice.kind.is_over());
    let keys: Vec<&str> = digest.told.iter().map(|told| told.key.as_str()).collect();
    json!({
        "version": "4",
        "groupKey": keys.join(","),
        "truncatedAlerts": 0,
        "status": if is_over { "resolved" } else { "firing" },
        "receiver": receiver,
        "groupLabels": {},
        "commonLabels": common(digest.told.iter().map(labels)),
        "commonAnnotations": common(digest.told.iter().map(annotations)),
        "externalURL": "",
        "alerts": alerts,
    })
}

/// One alert as Alertmanager writes it.
fn alert(told: &Told) -> Value {
    let notice = &told.notice;
    json!({
        "status": if notice.kind.is_over() { "resolved" } else { "firing" },
        "labels": labels(told),
        "annotations": annotations(told),
        "startsAt": notice.fired_at.to_string(),
        // Alertmanager writes the zero of Go's time for what is not over.
        "endsAt": notice.ended_at.map_or("0001-01-01T00:00:00Z".to_owned(), |at| at.to_string()),
        "generatorURL": "",
        "fingerprint": notice.alert.map_or_else(|| told.key.clone(), |id| format!("{:016x}", id.0)),
    })
}

/// The labels of an alert as Prometheus has them.
pub(super) fn labels(told: &Told) -> BTreeMap<String, String> {
    let notice = &told.notice;
    let mut labels = notice.labels.clone();
    labels.retain(|_, value| !value.is_empty());
    labels.insert("alertname".to_owned(), notice.rule.clone());
    labels.insert("severity".to_owned(), notice.severity.name().to_owned());
    labels
}

/// The texts of an alert, with what it is about in `summary` unless the rule has one.
pub(super) fn annotations(told: &Told) -> BTreeMap<String, String> {
    let notice = &told.notice;
    let mut texts = notice.annotations.clone();
    texts
        .entry("summary".to_owned())
        .or_insert_with(|| notice.text.clone());
    texts.insert("condition".to_owned(), notice.condition.clone());
    if let Some(value) = notice.value {
        texts.insert("value".to_owned(), value.to_string());
    }
    texts
}

/// What all have in common.
fn common(all: impl Iterator<Item = BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let shared = all.reduce(|mut shared, other| {
        shared.retain(|name, value| other.get(name) == Some(value));
        shared
    });
    shared.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::digest;
    use super::*;
    use crate::model::NoticeKind;

    #[test]
    fn a_body_is_signed_as_rfc_4231_says() {
        // Its test case 2.
        let secret = Secret::of("Jefe".to_owned());
        assert_eq!(
            signature(&secret, "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn it_speaks_as_alertmanager_does() {
        let told = message(&digest(&[NoticeKind::Firing, NoticeKind::Resolved]), "hook");
        assert_eq!(told["version"], "4");
        assert_eq!(told["status"], "firing");
        assert_eq!(told["commonLabels"]["alertname"], "High latency");
        assert_eq!(told["alerts"][0]["status"], "firing");
        assert_eq!(told["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
        assert_eq!(told["alerts"][1]["endsAt"], "2026-03-01T12:10:00.000Z");
        assert_eq!(told["commonAnnotations"]["summary"], "slow\nanswers");
    }
}
