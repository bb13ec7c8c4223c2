//! PagerDuty, by its Events API v2. An alert is an incident: it is opened, and closed by
//! the same key. What was over before anybody heard of it wakes nobody.
//!
//! The shape: <https://developer.pagerduty.com/docs/send-alert-event>

use serde_json::{Value, json};

use super::http::Target;
use super::settings::{Secret, Settings};
use super::{ChannelError, DeliveryError, Digest, Told, facts};
use crate::model::{NoticeKind, Severity};

const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";
/// PagerDuty refuses longer ones.
const SUMMARY: usize = 1_024;

/// A service of PagerDuty.
#[derive(Clone, Debug)]
pub struct Pagerduty {
    target: Target,
    key: Secret,
}

impl Pagerduty {
    pub(super) fn of(settings: &mut Settings<'_>) -> Result<Pagerduty, ChannelError> {
        let key = settings.needed_secret("key")?;
        let url = settings.text("url")?.unwrap_or(EVENTS).to_owned();
        Ok(Pagerduty {
            target: Target::of(settings, Secret::of(url))?,
            key,
        })
    }

    pub(super) fn deliver(&self, digest: &Digest) -> Result<(), DeliveryError> {
        for told in &digest.told {
            self.target.post(&event(told, self.key.reveal()), &[])?;
        }
        Ok(())
    }
}

fn event(told: &Told, routing_key: &str) -> Value {
    let notice = &told.notice;
    let mut summary = format!("{}: {}", notice.title, notice.text);
    summary.truncate(summary.floor_char_boundary(SUMMARY));
    let action = match notice.kind {
        NoticeKind::Resolved => "resolve",
        NoticeKind::Firing | NoticeKind::Repeat | NoticeKind::Budget | NoticeKind::Test => {
            "trigger"
        }
    };
    json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": notice.alert.map_or_else(|| told.key.clone(), |id| format!("obs alert {}", id.0)),
        "payload": {
            "summary": summary,
            "source": notice.labels.get("provider").filter(|p| !p.is_empty()).map_or("obs", String::as_str),
            "severity": match notice.severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Critical => "critical",
            },
            "timestamp": notice.ended_at.unwrap_or(notice.fired_at).to_string(),
            "custom_details": facts(told),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn an_incident_is_closed_by_the_key_that_opened_it() {
        let opened = event(&told(7, NoticeKind::Firing), "k");
        let closed = event(&told(7, NoticeKind::Resolved), "k");
        assert_eq!(
            (&opened["event_action"], &closed["event_action"]),
            (&json!("trigger"), &json!("resolve"))
        );
        assert_eq!(opened["dedup_key"], "obs alert 7");
        assert_eq!(opened["dedup_key"], closed["dedup_key"]);
    }
}
