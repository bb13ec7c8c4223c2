//! `obs health`: who is healthy, degraded, down or unknown, and why.

use crate::obs::{Obs, Ran};
use crate::traffic::{NOW, NOW_MS, lines};

/// A request of a provider, `ago` seconds before now.
fn request(provider: &str, ago: i64, fields: &str) -> String {
    let at = NOW_MS - ago * 1_000;
    format!(r#"{{"type":"request","timestamp":{at},"provider":"{provider}",{fields}}}"#)
}

const OK: &str = r#""success":true,"latency":900,"cost":0.01"#;
const SLOW: &str = r#""success":true,"latency":6200"#;
const OVERLOADED: &str =
    r#""success":false,"latency":90,"status_code":529,"error_type":"overloaded_error""#;
const TIMEOUT: &str = r#""success":false,"latency":90,"error_type":"timeout""#;

/// Six providers: down, degraded twice, healthy, with few requests, and quiet.
fn fleet() -> Obs {
    let obs = Obs::at(NOW);
    let mut fed = Vec::new();
    let mut many = |provider: &str, many: i64, fields: &str| {
        let first = fed.len() as i64 % 7;
        fed.extend((0..many).map(|n| request(provider, 1 + first + n, fields)));
    };
    many("claude", 3, OK);
    many("claude", 10, OVERLOADED);
    many("claude", 2, TIMEOUT);
    many("gemini", 12, SLOW);
    many("groq", 18, OK);
    many("groq", 1, TIMEOUT);
    many("openai", 40, OK);
    many("mistral", 2, OK);
    many("mistral", 1, TIMEOUT);
    fed.push(request("azure", 7_200, OK));
    obs.feed(&["ingest"], lines(fed)).exits(0);
    obs
}

fn health(obs: &Obs, args: &[&str]) -> Ran {
    obs.run(&[&["health"], args].concat())
}

const TOLD: &str = r#"provider,status,requests,failures,reason
claude,down,15,12,"12 of 15 failed in 5 min, mostly 529 overloaded_error"
groq,degraded,19,1,"1 of 19 failed in 5 min, mostly timeout"
gemini,degraded,12,0,p95 6.2 s > 5 s
openai,healthy,40,0,
mistral,healthy,3,1,"few requests: 1 of 3 failed in 5 min, mostly timeout"
azure,unknown,0,0,no request in 5 min; last heard 2 h ago"#;

#[test]
fn each_provider_is_judged_and_the_reason_is_said_before_and_after_a_roll_up() {
    let obs = fleet();
    let csv = [
        "-o",
        "csv",
        "--fields",
        "provider,status,requests,failures,reason",
    ];
    health(&obs, &csv).exits(0).prints(TOLD);
    obs.run(&["rollup"]).exits(0);
    health(&obs, &csv).exits(0).prints(TOLD);
}

#[test]
fn a_script_learns_by_the_exit_code() {
    let obs = fleet();
    let ran = health(&obs, &["--fail-on", "down"]).exits(3);
    assert!(ran.stdout.contains("✖ down"), "{ran}");
    assert_eq!(ran.stderr, "");
    health(&obs, &["gemini", "--fail-on", "down"]).exits(0);
    health(&obs, &["gemini", "--fail-on", "degraded"]).exits(3);
    health(&obs, &["mistral", "azure", "--fail-on", "degraded"]).exits(0);
    let ran = health(&obs, &["cluade"]).exits(4);
    assert!(ran.stderr.contains("did you mean \"claude\"?"), "{ran}");
}

#[test]
fn the_signs_have_ascii_forms() {
    let obs = fleet();
    let plain = health(&obs, &["--ascii"]).exits(0);
    assert!(plain.stdout.is_ascii(), "{plain}");
    for sign in [
        "2 h ago",
        "claude down: 12 of 15",
        "x down",
        "! degraded",
        "+ healthy",
        "? unknown",
    ] {
        assert!(plain.stdout.contains(sign), "{plain}");
    }
}

#[test]
fn thresholds_are_those_of_the_store_and_the_window_has_edges() {
    let obs = fleet();
    let status = |obs: &Obs, provider: &str, args: &[&str]| {
        let ran = health(obs, &[&[provider, "--json"], args].concat()).exits(0);
        ran.json()["data"][0]["status"].as_str().unwrap().to_owned()
    };
    let set = |key: &str, value: &str| obs.run(&["config", "set", key, value]).exits(0);
    set("health_degraded_p95", "7s");
    assert_eq!(status(&obs, "gemini", &[]), "healthy");
    set("health_min_requests", "3");
    assert_eq!(status(&obs, "mistral", &[]), "degraded");
    set("health_window", "3h");
    assert_eq!(status(&obs, "azure", &[]), "healthy");
    // The request happened exactly two hours ago: the window begins with it.
    assert_eq!(status(&obs, "azure", &["--window", "2h"]), "healthy");
    assert_eq!(status(&obs, "azure", &["--window", "7199999ms"]), "unknown");
    health(&obs, &["--window", "0s"]).exits(2);
}

#[test]
fn an_empty_store_and_a_hostile_name_are_answered() {
    let obs = Obs::at(NOW);
    health(&obs, &[]).exits(7);
    obs.run(&["init"]).exits(0);
    let ran = health(&obs, &["--fail-on", "degraded"]).exits(0);
    assert!(ran.stdout.contains("no event yet"), "{ran}");
    let hostile = r"\u001b]0;pwned\u0007\u202e";
    obs.feed(&["ingest"], lines([request(hostile, 3, OK)]))
        .exits(0);
    let ran = health(&obs, &[]).exits(0);
    assert!(
        !ran.stdout.contains('\x1b') && !ran.stdout.contains('\u{202e}'),
        "{ran}"
    );
    assert!(ran.stdout.contains("few requests: 1 in 5 min"), "{ran}");
}
