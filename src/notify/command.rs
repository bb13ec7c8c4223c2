//! A program of the user's own: started without a shell, with the values in its
//! environment and everything as JSON on its standard input, and ended when it takes
//! too long.

use std::io::{self, Read, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::settings::Settings;
use super::{ChannelError, DeliveryError, Digest, facts};

/// How long a program may take unless `timeout` says otherwise, and at most.
const USUAL_TIME_MS: u64 = 10_000;
const MOST_TIME_MS: u64 = 30_000;
/// What is kept of its last words.
const WORDS: u64 = 2_000;
/// How often a program is asked whether it came to an end.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A program.
#[derive(Clone, Debug)]
pub struct Command {
    argv: Vec<String>,
    time: Duration,
}

impl Command {
    pub(super) fn of(settings: &mut Settings<'_>) -> Result<Command, ChannelError> {
        let argv = settings.list("argv", "[\"/usr/local/bin/page\", \"--team\", \"llm\"]")?;
        let ms = settings.duration_ms("timeout", USUAL_TIME_MS, MOST_TIME_MS)?;
        Ok(Command {
            argv,
            time: Duration::from_millis(ms),
        })
    }

    pub(super) fn deliver(&self, digest: &Digest) -> Result<(), DeliveryError> {
        let name = self.argv.first().map_or("", String::as_str);
        let error = |why: String| DeliveryError::new(format!("{name}: {why}"));
        let mut child = self
            .start(digest)
            .map_err(|e| error(format!("cannot start it: {e}")))?;
        let words = hear(&mut child);
        feed(&mut child, digest);
        match self.wait(&mut child, &words) {
            Ok(Some((status, _))) if status.success() => Ok(()),
            Ok(Some((status, words))) => Err(error(match words.as_str() {
                "" => status.to_string(),
                words => format!("{status}: {words}"),
            })),
            Ok(None) => Err(error(format!(
                "still running after {} s, ended",
                self.time.as_secs_f64()
            ))),
            Err(e) => Err(error(e.to_string())),
        }
    }

    fn start(&self, digest: &Digest) -> io::Result<Child> {
        let mut command = std::process::Command::new(self.argv.first().map_or("", String::as_str));
        command
            .args(&self.argv[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        for (name, value) in variables(digest) {
            // A variable cannot hold the byte 0.
            command.env(name, value.replace('\0', " "));
        }
        command.spawn()
    }

    /// How it ended, with its last words; `None` when it took too long and was ended.
    fn wait(
        &self,
        child: &mut Child,
        words: &Receiver<String>,
    ) -> io::Result<Option<(ExitStatus, String)>> {
        let mut last = None;
        let mut left = self.time;
        loop {
            if let Some(status) = child.try_wait()? {
                let words = || words.recv_timeout(ASK_EVERY).unwrap_or_default();
                return Ok(Some((status, last.unwrap_or_else(words))));
            }
            if left.is_zero() {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            let pause = left.min(ASK_EVERY);
            match words.recv_timeout(pause) {
                // Its words mostly end with it: it is asked at once how it ended.
                Ok(told) => last = Some(told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::park_timeout(pause),
            }
            left -= pause;
        }
    }
}

/// Hears the last words of a program; they come when it closes its outputs.
fn hear(child: &mut Child) -> Receiver<String> {
    let (tell, told) = mpsc::channel();
    if let Some(mut stderr) = child.stderr.take() {
        thread::spawn(move || {
            let mut words = Vec::new();
            let _ = stderr.by_ref().take(WORDS).read_to_end(&mut words);
            let _ = io::copy(&mut stderr, &mut io::sink());
            let words = String::from_utf8_lossy(&words);
            let _ = tell.send(words.split_whitespace().collect::<Vec<_>>().join(" "));
        });
    }
    told
}

/// A program need not read what it is told.
fn feed(child: &mut Child, digest: &Digest) {
    let notices: Vec<_> = digest.told.iter().map(facts).collect();
    let text = json!({ "at": digest.at.to_string(), "notices": notices }).to_string();
    if let Some(mut stdin) = child.stdin.take() {
        thread::spawn(move || stdin.write_all(text.as_bytes()));
    }
}

/// What a program is told through its environment: all in words, and the first notice
/// of a digest in detail.
fn variables(digest: &Digest) -> Vec<(String, String)> {
    let lines: Vec<String> = digest.lines().collect();
    let mut variables = vec![
        ("OBS_ALERT_COUNT".to_owned(), digest.told.len().to_string()),
        ("OBS_ALERT_SUBJECT".to_owned(), digest.subject()),
        ("OBS_ALERT_LINES".to_owned(), lines.join("\n")),
    ];
    let Some(first) = digest.told.first() else {
        return variables;
    };
    let notice = &first.notice;
    let number = |value: f64| value.to_string();
    for (name, value) in [
        ("KEY", first.key.clone()),
        ("KIND", notice.kind.name().to_owned()),
        ("RULE", notice.rule.clone()),
        ("SEVERITY", notice.severity.name().to_owned()),
        ("TEXT", notice.text.clone()),
        ("CONDITION", notice.condition.clone()),
        ("VALUE", notice.value.map_or_else(String::new, number)),
        ("THRESHOLD", number(notice.threshold)),
        ("FIRED_AT", notice.fired_at.to_string()),
        (
            "ENDED_AT",
            notice
                .ended_at
                .map_or_else(String::new, |at| at.to_string()),
        ),
    ] {
        variables.push((format!("OBS_ALERT_{name}"), value));
    }
    for (name, value) in &notice.labels {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        let name: String = name.chars().map(plain).collect();
        variables.push((format!("OBS_ALERT_LABEL_{name}"), value.clone()));
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::super::tests::digest;
    use super::*;
    use crate::model::NoticeKind;

    fn run(script: &str, time_ms: u64) -> Result<(), DeliveryError> {
        let command = Command {
            argv: ["/bin/sh", "-c", script].map(str::to_owned).into(),
            time: Duration::from_millis(time_ms),
        };
        command.deliver(&digest(&[NoticeKind::Firing]))
    }

    #[test]
    fn a_program_is_told_in_its_environment_and_on_its_input() {
        run(r#"test "$OBS_ALERT_RULE $OBS_ALERT_KIND $OBS_ALERT_VALUE" = "High latency firing 2500""#, 9_000).unwrap();
        run(r#"grep -q '"rule":"High latency"'"#, 9_000).unwrap();
        // It need not read.
        run("exec 0<&-; exit 0", 9_000).unwrap();
    }

    #[test]
    fn its_failure_is_told_with_its_last_words() {
        let error = run("echo no such team >&2; exit 3", 9_000).unwrap_err();
        assert_eq!(error.to_string(), "/bin/sh: exit status: 3: no such team");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        for script in ["while :; do :; done", "exec 2>&-; while :; do :; done"] {
            let error = run(script, 100).unwrap_err();
            assert_eq!(
                error.to_string(),
                "/bin/sh: still running after 0.1 s, ended"
            );
        }
    }
}
