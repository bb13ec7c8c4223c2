//! Mail, by SMTP. The connection is encrypted from its beginning (`tls`) or before
//! anything is said (`starttls`, which is never given up); `none` stays on this machine.

use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use super::settings::{Secret, Settings};
use super::{ChannelError, DeliveryError, Digest};

/// How long a server may take for one answer.
const TIME: Duration = Duration::from_secs(5);
const SUBJECT: usize = 200;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    Starttls,
    Tls,
    None,
}

impl Security {
    const ALL: [(Security, &'static str, u16); 3] = [
        (Security::Starttls, "starttls", 587),
        (Security::Tls, "tls", 465),
        (Security::None, "none", 25),
    ];
}

/// Somebody's mail.
#[derive(Clone, Debug)]
pub struct Email {
    host: String,
    port: u16,
    security: Security,
    from: Mailbox,
    to: Vec<Mailbox>,
    login: Option<(String, Secret)>,
}

impl Email {
    pub(super) fn of(settings: &mut Settings<'_>) -> Result<Email, ChannelError> {
        let host = settings.needed("host", "\"smtp.example.org\"")?.to_owned();
        let word = settings.text("security")?.unwrap_or("starttls");
        let known = Security::ALL.into_iter().find(|(_, name, _)| *name == word);
        let (security, _, usual_port) = known.ok_or_else(|| {
            let hint = "write starttls, tls, or none (on this machine only)";
            settings.error(Some("security"), format!("unknown security {word:?}"), hint)
        })?;
        let is_here = host == "localhost" || host == "127.0.0.1" || host == "::1";
        if security == Security::None && !is_here {
            let why = format!("mail to {host} would not be encrypted");
            return Err(settings.error(Some("security"), why, "write starttls or tls"));
        }
        let port = match settings.text("port")? {
            None => usual_port,
            Some(text) => text.parse().map_err(|_| {
                let why = format!("{text:?} is no port");
                settings.error(
                    Some("port"),
                    why,
                    "write a number from 1 to 65535 in quotes",
                )
            })?,
        };
        let from = settings
            .needed("from", "\"obs <obs@example.org>\"")?
            .to_owned();
        let from = address(settings, "from", &from)?;
        let to = settings.list("to", "[\"ada@example.org\"]")?;
        let to = to.iter().map(|text| address(settings, "to", text));
        let to = to.collect::<Result<_, _>>()?;
        let login = match settings.text("user")? {
            None => None,
            Some(user) => Some((user.to_owned(), settings.needed_secret("password")?)),
        };
        Ok(Email {
            host,
            port,
            security,
            from,
            to,
            login,
        })
    }

    pub(super) fn deliver(&self, digest: &Digest) -> Result<(), DeliveryError> {
        let error = |why: String| DeliveryError::new(format!("{}:{}: {why}", self.host, self.port));
        let mail = self.mail(digest).map_err(&error)?;
        let server = self.server().map_err(&error)?;
        let sent = server.send(&mail);
        sent.map_err(|e| error(smtp_words(&e)))?;
        Ok(())
    }

    fn server(&self) -> Result<SmtpTransport, String> {
        let tls = || TlsParameters::new(self.host.clone()).map_err(|e| e.to_string());
        let tls = match self.security {
            Security::Starttls => Tls::Required(tls()?),
            Security::Tls => Tls::Wrapper(tls()?),
            Security::None => Tls::None,
        };
        let server = SmtpTransport::builder_dangerous(self.host.clone())
            .port(self.port)
            .tls(tls)
            .timeout(Some(TIME));
        Ok(match &self.login {
            None => server.build(),
            Some((user, password)) => server
                .credentials(Credentials::new(user.clone(), password.reveal().to_owned()))
                .build(),
        })
    }

    fn mail(&self, digest: &Digest) -> Result<Message, String> {
        let at = Duration::from_millis(u64::try_from(digest.at.0).unwrap_or(0));
        let mut subject: String = format!("[obs] {}", digest.subject());
        subject = subject
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        subject.truncate(subject.floor_char_boundary(SUBJECT));
        let addresses = self.to.iter().map(|to| to.email.clone()).collect();
        let envelope = Envelope::new(Some(self.from.email.clone()), addresses);
        let mut mail: MessageBuilder = Message::builder()
            .envelope(envelope.map_err(|e| e.to_string())?)
            .date(SystemTime::UNIX_EPOCH + at)
            .from(self.from.clone())
            .subject(subject);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let lines: Vec<String> = digest.lines().collect();
        mail.body(lines.join("\r\n\r\n") + "\r\n")
            .map_err(|e| e.to_string())
    }
}

fn address(settings: &Settings<'_>, key: &str, text: &str) -> Result<Mailbox, ChannelError> {
    text.parse().map_err(|_| {
        settings.error(
            Some(key),
            format!("{text:?} is no address"),
            "write \"Name <name@example.org>\"",
        )
    })
}

/// What went wrong: the server's own words, or those of the connection.
fn smtp_words(error: &lettre::transport::smtp::Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words += &format!(": {cause_words}");
        }
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;
    use crate::model::{Millis, NoticeKind};

    #[test]
    fn text_of_events_adds_no_header() {
        let email = Email {
            host: "localhost".to_owned(),
            port: 25,
            security: Security::None,
            from: "obs <obs@example.org>".parse().unwrap(),
            to: vec!["ada@example.org".parse().unwrap()],
            login: None,
        };
        let mut told = told(1, NoticeKind::Firing);
        told.notice.title = "slow\r\nBcc: eve@example.org\r\n\r\nhello".to_owned();
        let digest = Digest {
            at: Millis(1_772_367_030_000),
            told: vec![told],
        };
        let mail = String::from_utf8(email.mail(&digest).unwrap().formatted()).unwrap();
        let head = mail.split("\r\n\r\n").next().unwrap();
        assert!(!head.to_lowercase().contains("\r\nbcc:"), "{head}");
        assert!(
            head.contains("Date: Sun, 01 Mar 2026 12:10:30 +0000"),
            "{head}"
        );
    }
}
