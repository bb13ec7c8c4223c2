//! A pop-up on the desktop, by `notify-send`, where there is one.

use std::process::{Command, Stdio};

use super::{DeliveryError, Digest};
use crate::model::Severity;

const PROGRAM: &str = "notify-send";

/// The desktop of who runs `obs`.
#[derive(Clone, Copy, Debug)]
pub struct Desktop;

impl Desktop {
    pub(super) fn deliver(self, digest: &Digest) -> Result<(), DeliveryError> {
        let worst = digest.told.iter().map(|told| told.notice.severity).max();
        let urgency = match worst {
            Some(Severity::Critical) => "critical",
            Some(Severity::Warning) => "normal",
            Some(Severity::Info) | None => "low",
        };
        let lines: Vec<String> = digest.lines().map(|line| inert(&line)).collect();
        let shown = Command::new(PROGRAM)
            .args(["--app-name=obs", &format!("--urgency={urgency}"), "--"])
            .args([inert(&digest.subject()), lines.join("\n")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match shown {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(DeliveryError::new(format!("{PROGRAM}: {status}"))),
            Err(error) => Err(DeliveryError::new(format!(
                "cannot start {PROGRAM}: {error}"
            ))),
        }
    }
}

/// The body of a pop-up is markup.
fn inert(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
