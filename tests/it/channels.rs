//! Channels that leave the program, each against a receiver on this machine that takes
//! what it is sent, refuses it, says nothing, breaks off, or sends elsewhere.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::cli_notify::{at, slow, states, troubled};
use crate::obs::{Obs, Ran};
use crate::receiver::{Manner, Receiver};

/// A troubled store whose alerts are told through this channel.
fn with_channel(settings: &str) -> Obs {
    troubled(&slow(&["team"]), &format!("[channels.team]\n{settings}\n"))
}

fn run_at(obs: &mut Obs, minutes: i64) -> Ran {
    obs.set_now(&at(minutes, 30));
    obs.run(&["run"]).exits(0)
}

#[test]
fn a_webhook_is_sent_what_alertmanager_would_send_signed() {
    let receiver = Receiver::of_http(Manner::Says(200, "ok"));
    let url = receiver.url("/hook");
    let mut obs = with_channel(&format!(
        "type = \"webhook\"\nurl = \"{url}\"\nsecret_file = \"secret\"\ntoken_file = \"token\""
    ));
    fs::write(obs.folder().join("secret"), "Jefe\n").unwrap();
    fs::write(obs.folder().join("token"), "t0ken\n").unwrap();
    for minutes in [1, 12] {
        assert_eq!(run_at(&mut obs, minutes).stderr, "");
    }
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].request, "POST /hook HTTP/1.1");
    assert_eq!(received[0].header("authorization"), Some("Bearer t0ken"));
    let signature = received[0].header("x-obs-signature-256").unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"Jefe");
    let tag = ring::hmac::sign(&key, received[0].body.as_bytes());
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(signature, format!("sha256={hex}"));
    let (firing, resolved) = (received[0].json(), received[1].json());
    assert_eq!(firing["status"], "firing");
    assert_eq!(firing["alerts"][0]["labels"]["provider"], "claude");
    assert_eq!(firing["alerts"][0]["startsAt"], "2026-03-01T12:01:00.000Z");
    assert_eq!(resolved["status"], "resolved");
    assert_eq!(
        resolved["alerts"][0]["fingerprint"],
        firing["alerts"][0]["fingerprint"]
    );
}

#[test]
fn a_receiver_that_does_not_take_it_is_named_and_tried_again() {
    for (manner, why) in [
        (
            Manner::Says(500, "oh no"),
            "it answered 500 Internal Server Error: oh no",
        ),
        (Manner::Says(404, ""), "it answered 404 Not Found"),
        (Manner::Silent, "no answer within 5 s"),
        (Manner::BreaksOff, "its answer broke off"),
        (Manner::Redirects, "it answered 307 Temporary Redirect"),
        (Manner::Endless, "its answer is too large"),
    ] {
        let receiver = Receiver::of_http(manner);
        let url = receiver.url("/T0KEN/x");
        let mut obs = with_channel("type = \"webhook\"\nurl_env = \"HOOK\"");
        obs.set_now(&at(1, 30));
        let ran = obs.run_with(&["run"], &[("HOOK", &url)]).exits(0);
        let host = receiver.url("");
        let expected =
            format!("warning: channel team: {host}: {why}; 1 notice to be told again in ");
        assert!(ran.stderr.starts_with(&expected), "{manner:?}: {ran}");
        assert!(!ran.stderr.contains("T0KEN"), "{ran}");
        assert_eq!(states(&obs), ["firing|queued"]);
        assert_eq!(receiver.received().len(), 1, "{manner:?}");
    }
}

#[test]
fn an_answer_that_repeats_the_secret_is_not_repeated() {
    let receiver = Receiver::of_http(Manner::Says(403, "bad token T0KEN"));
    let mut obs = with_channel("type = \"slack\"\nurl_env = \"HOOK\"");
    obs.set_now(&at(1, 30));
    let url = receiver.url("/services/T0KEN");
    let ran = obs.run_with(&["run"], &[("HOOK", &url)]).exits(0);
    assert!(
        ran.stderr.contains("it answered 403 Forbidden; 1 notice"),
        "{ran}"
    );
}

#[test]
fn plain_http_and_private_addresses_are_refused_unless_they_are_allowed() {
    for (settings, why) in [
        ("url = \"http://example.org/x\"", "its url is not encrypted"),
        (
            "url = \"https://ada:pw@example.org/x\"",
            "its url holds a password",
        ),
        ("url = \"ftp://example.org/x\"", "its url is none"),
    ] {
        let mut obs = with_channel(&format!("type = \"webhook\"\n{settings}"));
        let ran = run_at(&mut obs, 1);
        assert!(
            ran.stderr.contains(&format!("channel team: {why}; ")),
            "{ran}"
        );
    }
    for host in ["169.254.169.254", "10.0.0.1", "[::ffff:10.0.0.1]"] {
        let settings =
            format!("type = \"webhook\"\nallow_http = true\nurl = \"http://{host}/latest\"");
        let mut obs = with_channel(&settings);
        let ran = run_at(&mut obs, 1);
        assert!(
            ran.stderr
                .contains("it is a private address; allow_private = true"),
            "{ran}"
        );
    }
}

#[test]
fn slack_is_sent_one_message_for_all_that_changed_in_a_run() {
    let receiver = Receiver::of_http(Manner::Says(200, "ok"));
    let mut obs = with_channel("type = \"slack\"\nurl_file = \"url\"");
    fs::write(obs.folder().join("url"), receiver.url("/services/x")).unwrap();
    let event = |provider: &str| {
        format!(
            r#"{{"type":"request","timestamp":1772366401000,"provider":"{provider}","latency":2500,"success":true}}"#
        )
    };
    let hostile = vec![event("<!channel>"); 12];
    let numbered = hostile.iter().enumerate();
    let lines: String = numbered
        .map(|(n, line)| line.replacen('{', &format!("{{\"id\":\"{n}\","), 1) + "\n")
        .collect();
    obs.feed(&["ingest"], lines).exits(0);
    assert_eq!(run_at(&mut obs, 1).stderr, "");
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    let told = received[0].json();
    assert_eq!(told["text"], "2 alerts firing");
    assert!(
        received[0].body.contains("&lt;!channel&gt;"),
        "{}",
        received[0].body
    );
    assert!(!received[0].body.contains("<!channel>"));
}

#[test]
fn pagerduty_opens_an_incident_and_closes_it() {
    let receiver = Receiver::of_http(Manner::Says(202, "{}"));
    let url = receiver.url("/v2/enqueue");
    let mut obs = with_channel(&format!(
        "type = \"pagerduty\"\nkey_file = \"key\"\nurl = \"{url}\""
    ));
    fs::write(obs.folder().join("key"), "R0UTING").unwrap();
    for minutes in [1, 12] {
        assert_eq!(run_at(&mut obs, minutes).stderr, "");
    }
    let received: Vec<Value> = receiver.received().iter().map(|r| r.json()).collect();
    let actions: Vec<&Value> = received
        .iter()
        .map(|event| &event["event_action"])
        .collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(received[0]["dedup_key"], received[1]["dedup_key"]);
    assert_eq!(received[0]["routing_key"], "R0UTING");
    assert_eq!(received[0]["payload"]["source"], "claude");
    let listed = obs.run(&["notify", "list", "--json"]).exits(0);
    assert!(!listed.stdout.contains("R0UTING"));
}

#[test]
fn mail_is_sent_and_a_server_that_has_no_room_is_tried_again() {
    let settings = |port: u16| {
        format!(
            "type = \"email\"\nhost = \"127.0.0.1\"\nport = \"{port}\"\nsecurity = \"none\"\n\
             from = \"obs <obs@example.org>\"\nto = [\"ada@example.org\", \"bob@example.org\"]"
        )
    };
    let receiver = Receiver::of_mail(false);
    let mut obs = with_channel(&settings(receiver.port));
    assert_eq!(run_at(&mut obs, 1).stderr, "");
    let mail = &receiver.received()[0];
    let to = mail
        .headers
        .iter()
        .filter(|(name, _)| name == "rcpt")
        .count();
    assert_eq!(to, 2);
    assert!(
        mail.body
            .contains("Subject: [obs] firing: High latency (warning)\r\n"),
        "{}",
        mail.body
    );
    let receiver = Receiver::of_mail(true);
    let mut obs = with_channel(&settings(receiver.port));
    let ran = run_at(&mut obs, 1);
    assert!(ran.stderr.contains("no room"), "{ran}");
    assert_eq!(states(&obs), ["firing|queued"]);
}

#[test]
fn mail_stays_unsent_where_it_could_not_be_encrypted() {
    let mail = "from = \"obs@example.org\"\nto = \"ada@example.org\"";
    let mut obs = with_channel(&format!(
        "type = \"email\"\nhost = \"mail.example.org\"\nsecurity = \"none\"\n{mail}"
    ));
    assert!(
        run_at(&mut obs, 1)
            .stderr
            .contains("mail to mail.example.org would not be encrypted")
    );
    // The server does not offer STARTTLS.
    let receiver = Receiver::of_mail(false);
    let port = receiver.port;
    let mut obs = with_channel(&format!(
        "type = \"email\"\nhost = \"127.0.0.1\"\nport = \"{port}\"\n{mail}"
    ));
    let ran = run_at(&mut obs, 1);
    assert!(
        ran.stderr.starts_with("warning: channel team: 127.0.0.1:"),
        "{ran}"
    );
    assert!(receiver.received().is_empty());
}

/// Where Debian puts it.
const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

/// An Alertmanager on this machine, which ends with the test.
struct Alertmanager {
    process: Child,
    port: u16,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Alertmanager {
    fn start(folder: &Path) -> Alertmanager {
        let config = "route: { receiver: none }\nreceivers: [ { name: none } ]\n";
        fs::write(folder.join("alertmanager.yml"), config).unwrap();
        // The port may be taken by another in between; then it is not ready.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new(ALERTMANAGER)
            .args([
                "--config.file=alertmanager.yml",
                "--storage.path=alertmanager",
                "--cluster.listen-address=",
            ])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let alertmanager = Alertmanager { process, port };
        for _ in 0..400 {
            if alertmanager
                .get("/-/ready")
                .is_some_and(|answer| answer.contains("200 OK"))
            {
                return alertmanager;
            }
            thread::park_timeout(Duration::from_millis(50));
        }
        panic!("{ALERTMANAGER} does not get ready");
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let head = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn alerts(&self) -> Vec<Value> {
        let answer = self.get("/api/v2/alerts").unwrap();
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        serde_json::from_str(body).unwrap()
    }
}

#[test]
fn alertmanager_takes_an_alert_and_its_end() {
    if !Path::new(ALERTMANAGER).exists() {
        // The harness shows it with --nocapture, and the shape is checked by the test below.
        eprintln!("skipped: {ALERTMANAGER} is not installed");
        return;
    }
    // Alertmanager compares with the clock, so the story is told in the present.
    let folder = tempfile::TempDir::new().unwrap();
    let alertmanager = Alertmanager::start(folder.path());
    let url = format!("http://127.0.0.1:{}", alertmanager.port);
    let obs = with_channel(&format!("type = \"alertmanager\"\nurl = \"{url}\""));
    obs.run(&["notify", "test", "team"]).exits(0);
    let mut obs = obs;
    assert_eq!(run_at(&mut obs, 1).stderr, "");
    let alerts = alertmanager.alerts();
    let names: Vec<&Value> = alerts
        .iter()
        .map(|alert| &alert["labels"]["alertname"])
        .collect();
    assert!(names.contains(&&"High latency".into()), "{names:?}");
    assert_eq!(run_at(&mut obs, 12).stderr, "");
    let left = alertmanager.alerts();
    let names: Vec<&Value> = left
        .iter()
        .map(|alert| &alert["labels"]["alertname"])
        .collect();
    assert!(!names.contains(&&"High latency".into()), "{names:?}");
}

#[test]
fn alertmanager_is_sent_what_its_interface_asks_for() {
    let receiver = Receiver::of_http(Manner::Says(200, ""));
    let url = receiver.url("/prefix/");
    let mut obs = with_channel(&format!("type = \"alertmanager\"\nurl = \"{url}\""));
    for minutes in [1, 12] {
        assert_eq!(run_at(&mut obs, minutes).stderr, "");
    }
    let received = receiver.received();
    assert_eq!(received[0].request, "POST /prefix/api/v2/alerts HTTP/1.1");
    let (firing, resolved) = (received[0].json(), received[1].json());
    assert_eq!(firing[0]["labels"]["alertname"], "High latency");
    // Far away: it is over when that is told.
    assert_eq!(firing[0]["endsAt"], "2027-03-01T12:01:30.000Z");
    assert_eq!(resolved[0]["endsAt"], "2026-03-01T12:10:00.000Z");
    assert_eq!(firing[0]["labels"], resolved[0]["labels"]);
}

#[test]
fn without_a_desktop_program_the_desktop_says_so() {
    let mut obs = with_channel("type = \"desktop\"");
    // The environment of the test names no folder of programs.
    let ran = run_at(&mut obs, 1);
    let told = ran
        .stderr
        .contains("channel team: cannot start notify-send")
        || ran.stderr.contains("channel team: notify-send: ");
    assert!(told, "{ran}");
}
