//! A channel of Slack, by an incoming webhook.
//!
//! What must be escaped: <https://docs.slack.dev/messaging/formatting-message-text>

use serde_json::{Value, json};

use super::http::Target;
use super::settings::Settings;
use super::{ChannelError, DeliveryError, Digest, Told};
use crate::model::{NoticeKind, Severity};

/// Slack cuts longer texts of a section.
const SECTION: usize = 2_900;

/// A channel of Slack.
#[derive(Clone, Debug)]
pub struct Slack {
    target: Target,
}

impl Slack {
    pub(super) fn of(settings: &mut Settings<'_>) -> Result<Slack, ChannelError> {
        let url = settings.needed_secret("url")?;
        Ok(Slack {
            target: Target::of(settings, url)?,
        })
    }

    pub(super) fn deliver(&self, digest: &Digest) -> Result<(), DeliveryError> {
        self.target.post(&message(digest), &[])?;
        Ok(())
    }
}

fn message(digest: &Digest) -> Value {
    let mut sections = vec![String::new()];
    for told in &digest.told {
        let words = words(told);
        match sections.last_mut() {
            Some(last) if last.len() + words.len() < SECTION => {
                if !last.is_empty() {
                    last.push('\n');
                }
                last.push_str(&words);
            }
            Some(_) | None => sections.push(words),
        }
    }
    // A message has 50 blocks at most; 100 notices of one line are far fewer.
    let block =
        |text: &String| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let blocks: Vec<Value> = sections.iter().take(50).map(block).collect();
    json!({ "text": inert(&digest.subject()), "blocks": blocks })
}

fn words(told: &Told) -> String {
    let notice = &told.notice;
    let mark = match (notice.kind, notice.severity) {
        (NoticeKind::Resolved, _) => ":white_check_mark:",
        (NoticeKind::Test, _) => ":wave:",
        (_, Severity::Critical) => ":rotating_light:",
        (_, Severity::Warning) => ":warning:",
        (_, Severity::Info) => ":information_source:",
    };
    let mut words = format!(
        "{mark} *{}* {}: {}",
        notice.kind,
        inert(&notice.title),
        inert(&notice.text)
    );
    for text in notice.annotations.values() {
        words += &format!("\n> {}", inert(text));
    }
    words.truncate(words.floor_char_boundary(SECTION));
    words
}

/// Text that mentions nobody, links nowhere and is not set in bold: Slack's three
/// characters are escaped, and its marks are broken by a space of no width.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => inert.push_str("&amp;"),
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            '*' | '_' | '~' | '`' | ':' => {
                inert.push(c);
                inert.push('\u{200b}');
            }
            c if c.is_control() => inert.push(' '),
            c => inert.push(c),
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::super::tests::digest;
    use super::*;

    #[test]
    fn text_of_events_mentions_nobody_and_links_nowhere() {
        assert_eq!(
            inert("<!channel> & <https://x|y>\n"),
            "&lt;!channel&gt; &amp; &lt;https:\u{200b}//x|y&gt; "
        );
    }

    #[test]
    fn many_notices_are_one_message_in_sections_that_slack_takes() {
        let told = message(&digest(&[NoticeKind::Firing; 100]));
        let blocks = told["blocks"].as_array().unwrap();
        assert!((2..50).contains(&blocks.len()), "{}", blocks.len());
        let longest = blocks
            .iter()
            .map(|b| b["text"]["text"].as_str().unwrap().len())
            .max();
        assert!(longest < Some(3_000));
        assert_eq!(told["text"], "100 alerts firing");
    }
}
