//! A notice to the world: what is told, and the channels it goes through, one file each.
//!
//! It does not know why something is told, whether it was told before, nor what becomes
//! of a notice that could not be: it is handed a [`Digest`] and says how that went. Text
//! of events is made harmless for each medium where it is written.

mod alertmanager;
mod command;
mod desktop;
mod email;
mod file;
mod http;
mod pagerduty;
mod settings;
mod slack;
mod stdout;
mod webhook;

use std::io;

use serde_json::{Value, json};

use crate::model::{ChannelSpec, Millis, Notice, SpecValue, nearest};

use settings::Settings;
pub use settings::{ChannelError, Surroundings};

/// What is told at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Digest {
    /// When.
    pub at: Millis,
    /// Each notice, oldest first; one or more.
    pub told: Vec<Told>,
}

/// One notice of a digest.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The same when the same is told again, so that a receiver can tell.
    pub key: String,
    /// What is told.
    pub notice: Notice,
}

impl Digest {
    /// What it is about, in a line.
    pub fn subject(&self) -> String {
        match self.told.as_slice() {
            [one] => format!("{}: {}", one.notice.kind, one.notice.title),
            many => {
                let over = many.iter().filter(|t| t.notice.kind.is_over()).count();
                match (many.len() - over, over) {
                    (firing, 0) => format!("{firing} alerts firing"),
                    (0, over) => format!("{over} alerts resolved"),
                    (firing, over) => format!("{firing} firing, {over} resolved"),
                }
            }
        }
    }

    /// Each notice in a line.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.told.iter().map(|told| line(&told.notice))
    }
}

fn line(notice: &Notice) -> String {
    let mut line = format!("{}: {}: {}", notice.kind, notice.title, notice.text);
    for text in notice.annotations.values() {
        line += " | ";
        line.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    line
}

/// A notice with everything that is known, for programs.
fn facts(told: &Told) -> Value {
    let notice = &told.notice;
    json!({
        "key": told.key,
        "kind": notice.kind.name(),
        "rule": notice.rule,
        "severity": notice.severity.name(),
        "alert_id": notice.alert.map(|id| id.0),
        "labels": notice.labels,
        "annotations": notice.annotations,
        "condition": notice.condition,
        "value": notice.value,
        "threshold": notice.threshold,
        "title": notice.title,
        "text": notice.text,
        "started_at": notice.started_at.to_string(),
        "fired_at": notice.fired_at.to_string(),
        "ended_at": notice.ended_at.map(|at| at.to_string()),
    })
}

/// Prints a line where the command that tells writes; what is hidden in it is made visible.
pub type Say<'a> = dyn FnMut(&str) -> io::Result<()> + 'a;

/// Why something could not be told. No part of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DeliveryError(String);

impl DeliveryError {
    fn new(why: impl Into<String>) -> DeliveryError {
        DeliveryError(why.into())
    }
}

/// The kinds of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The output of the command that tells.
    Stdout,
    /// A line of JSON each, at the end of a file.
    File,
    /// A program.
    Command,
    /// JSON to a URL.
    Webhook,
    /// A channel of Slack.
    Slack,
    /// PagerDuty.
    Pagerduty,
    /// The Alertmanager of Prometheus.
    Alertmanager,
    /// Mail.
    Email,
    /// A pop-up on the desktop.
    Desktop,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::Stdout,
        Kind::File,
        Kind::Command,
        Kind::Webhook,
        Kind::Slack,
        Kind::Pagerduty,
        Kind::Alertmanager,
        Kind::Email,
        Kind::Desktop,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Stdout => "stdout",
            Kind::File => "file",
            Kind::Command => "command",
            Kind::Webhook => "webhook",
            Kind::Slack => "slack",
            Kind::Pagerduty => "pagerduty",
            Kind::Alertmanager => "alertmanager",
            Kind::Email => "email",
            Kind::Desktop => "desktop",
        }
    }

    fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A way to tell somebody.
#[derive(Clone, Debug)]
pub enum Channel {
    /// The output of the command that tells.
    Stdout,
    /// A line of JSON each, at the end of a file.
    File(file::File),
    /// A program.
    Command(command::Command),
    /// JSON to a URL.
    Webhook(webhook::Webhook),
    /// A channel of Slack.
    Slack(slack::Slack),
    /// PagerDuty.
    Pagerduty(pagerduty::Pagerduty),
    /// The Alertmanager of Prometheus.
    Alertmanager(alertmanager::Alertmanager),
    /// Mail.
    Email(Box<email::Email>),
    /// A pop-up on the desktop.
    Desktop(desktop::Desktop),
}

impl Channel {
    /// Understands the settings of a channel. Secrets are read where they lie.
    ///
    /// # Errors
    /// Says what is missing, unknown or wrong.
    pub fn of(spec: &ChannelSpec, around: &Surroundings<'_>) -> Result<Channel, ChannelError> {
        let error = |key: Option<&str>, why: String, hint: String| ChannelError {
            channel: spec.name.clone(),
            key: key.map(str::to_owned),
            why,
            hint,
        };
        let kinds = || Kind::ALL.map(Kind::name).join(", ");
        let kind = match spec.settings.get("type") {
            Some(SpecValue::Text(name)) => Kind::parse(name).ok_or_else(|| {
                let likely = nearest(name, Kind::ALL.map(Kind::name));
                let likely = likely.map_or(String::new(), |n| format!("did you mean {n}? "));
                let hint = format!("{likely}the types are {}", kinds());
                error(Some("type"), format!("unknown type {name:?}"), hint)
            })?,
            Some(SpecValue::List(_) | SpecValue::Switch(_)) | None => {
                let hint = format!("write type = \"slack\"; the types are {}", kinds());
                return Err(error(None, "it has no type".to_owned(), hint));
            }
        };
        let mut settings = Settings::of(spec, around);
        let channel = match kind {
            Kind::Stdout => Channel::Stdout,
            Kind::File => Channel::File(file::File::of(&mut settings)?),
            Kind::Command => Channel::Command(command::Command::of(&mut settings)?),
            Kind::Webhook => Channel::Webhook(webhook::Webhook::of(&mut settings)?),
            Kind::Slack => Channel::Slack(slack::Slack::of(&mut settings)?),
            Kind::Pagerduty => Channel::Pagerduty(pagerduty::Pagerduty::of(&mut settings)?),
            Kind::Alertmanager => {
                Channel::Alertmanager(alertmanager::Alertmanager::of(&mut settings)?)
            }
            Kind::Email => Channel::Email(Box::new(email::Email::of(&mut settings)?)),
            Kind::Desktop => Channel::Desktop(desktop::Desktop),
        };
        settings.finish()?;
        Ok(channel)
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Channel::Stdout => Kind::Stdout,
            Channel::File(_) => Kind::File,
            Channel::Command(_) => Kind::Command,
            Channel::Webhook(_) => Kind::Webhook,
            Channel::Slack(_) => Kind::Slack,
            Channel::Pagerduty(_) => Kind::Pagerduty,
            Channel::Alertmanager(_) => Kind::Alertmanager,
            Channel::Email(_) => Kind::Email,
            Channel::Desktop(_) => Kind::Desktop,
        }
    }

    /// How many notices it takes at once.
    pub fn at_once(&self) -> usize {
        match self {
            // An event of PagerDuty speaks of one incident.
            Channel::Pagerduty(_) => 1,
            Channel::Stdout
            | Channel::File(_)
            | Channel::Command(_)
            | Channel::Webhook(_)
            | Channel::Slack(_)
            | Channel::Alertmanager(_)
            | Channel::Email(_)
            | Channel::Desktop(_) => 100,
        }
    }

    /// Tells, within a time limit.
    ///
    /// # Errors
    /// When the receiver did not say that it took it; it may have, all the same.
    pub fn deliver(&self, digest: &Digest, say: &mut Say<'_>) -> Result<(), DeliveryError> {
        match self {
            Channel::Stdout => stdout::deliver(digest, say),
            Channel::File(file) => file.deliver(digest),
            Channel::Command(command) => command.deliver(digest),
            Channel::Webhook(webhook) => webhook.deliver(digest),
            Channel::Slack(slack) => slack.deliver(digest),
            Channel::Pagerduty(pagerduty) => pagerduty.deliver(digest),
            Channel::Alertmanager(alertmanager) => alertmanager.deliver(digest),
            Channel::Email(email) => email.deliver(digest),
            Channel::Desktop(desktop) => desktop.deliver(digest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlertId, NoticeKind, Severity};

    pub(super) fn told(nth: i64, kind: NoticeKind) -> Told {
        Told {
            key: format!("change {nth} hook"),
            notice: Notice {
                kind,
                alert: Some(AlertId(nth)),
                rule: "High latency".to_owned(),
                severity: Severity::Warning,
                labels: [("provider".to_owned(), "<claude>&\r\nBcc: eve".to_owned())].into(),
                annotations: [("summary".to_owned(), "slow\nanswers".to_owned())].into(),
                condition: "p95_latency > 2s".to_owned(),
                value: Some(2500.0),
                threshold: 2000.0,
                title: "High latency (warning)".to_owned(),
                text: "p95 latency 2.5 s > 2 s over 5 min, provider <claude>&".to_owned(),
                started_at: Millis(1_772_366_400_000),
                fired_at: Millis(1_772_366_460_000),
                ended_at: kind.is_over().then_some(Millis(1_772_367_000_000)),
            },
        }
    }

    pub(super) fn digest(kinds: &[NoticeKind]) -> Digest {
        let told = |(nth, kind): (usize, &NoticeKind)| told(nth as i64 + 1, *kind);
        Digest {
            at: Millis(1_772_367_030_000),
            told: kinds.iter().enumerate().map(told).collect(),
        }
    }

    fn spec(settings: &[(&str, &str)]) -> ChannelSpec {
        let value = |text: &str| SpecValue::Text(text.to_owned());
        let pairs = settings
            .iter()
            .map(|(key, text)| ((*key).to_owned(), value(text)));
        ChannelSpec {
            name: "team".to_owned(),
            settings: pairs.collect(),
        }
    }

    fn refusal(settings: &[(&str, &str)]) -> String {
        let around = Surroundings {
            variable: &|name| (name == "SLACK_URL").then(|| "https://hooks.slack.com/x".to_owned()),
        };
        match Channel::of(&spec(settings), &around) {
            Ok(channel) => format!("{:?}", channel.kind()),
            Err(error) => format!("{error}; {}", error.hint),
        }
    }

    #[test]
    fn a_digest_of_several_is_counted() {
        use NoticeKind::{Firing, Resolved};
        assert_eq!(
            digest(&[Firing]).subject(),
            "firing: High latency (warning)"
        );
        assert_eq!(digest(&[Firing, Firing]).subject(), "2 alerts firing");
        assert_eq!(
            digest(&[Firing, Resolved]).subject(),
            "1 firing, 1 resolved"
        );
        let line = digest(&[Firing]).lines().next().unwrap();
        assert!(!line.contains('\n'), "{line:?}");
    }

    #[test]
    fn a_slip_in_the_settings_is_told_with_what_was_meant() {
        assert_eq!(
            refusal(&[("type", "slack"), ("url_env", "SLACK_URL")]),
            "Slack"
        );
        for (settings, why) in [
            (&[("typ", "slack")][..], "channel team: it has no type"),
            (
                &[("type", "slak")],
                "channel team: unknown type \"slak\"; did you mean slack?",
            ),
            (&[("type", "file")], "channel team: it has no path"),
            (
                &[
                    ("type", "slack"),
                    ("url_env", "SLACK_URL"),
                    ("alow_http", "x"),
                ],
                "channel team: unknown key \"alow_http\"; did you mean allow_http?",
            ),
            (
                &[("type", "slack"), ("url", "https://hooks.slack.com/x")],
                "channel team: its url is a secret; ",
            ),
            (
                &[("type", "slack"), ("url_env", "NOT_SET")],
                "channel team: the environment variable NOT_SET is not set",
            ),
        ] {
            let refused = refusal(settings);
            assert!(refused.starts_with(why), "{refused}");
        }
    }
}
