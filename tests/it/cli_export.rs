//! `obs export`: out of one store and into another, and what Prometheus reads.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

/// A store with events of many kinds, hostile texts among them, from a pipe and a file.
fn used() -> Obs {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 400)).exits(0);
    let at = r#""type":"request","timestamp":"2026-02-28T23:00:00Z""#;
    let lines = format!(
        "{{{at},\"provider\":\"cl\\u001b[31mau\\\"de,\\n\",\"total_tokens\":9,\"input_tokens\":3,\"cost\":0.000000001}}\n\
         {{{at},\"reasoning_tokens\":5,\"cost_computed_usd\":1.5,\"tools\":[\"a\", 1],\"extra\":{{ \"deep\" : [1.50] }}}}\n\
         {{{at},\"total_tokens\":12,\"session_id\":\"s\",\"user\":\"=1+1\",\"status_code\":0,\"ttft_ms\":0.001}}\n"
    );
    fs::write(obs.folder().join("file.jsonl"), lines).unwrap();
    obs.run(&["ingest", "file.jsonl"]).exits(0);
    obs.run(&["rollup"]).exits(0);
    obs
}

/// What people see of a store, without the moments at which it was stored.
fn seen(obs: &Obs) -> Vec<String> {
    let peek = Peek::at(obs);
    let raw = peek
        .rows("SELECT name FROM pragma_table_info('metrics_raw') WHERE name <> 'created_at'")
        .join(", ");
    [
        format!("SELECT {raw} FROM metrics_raw ORDER BY timestamp, ref"),
        "SELECT * FROM metrics_1min ORDER BY timestamp, provider, model, role".to_owned(),
        "SELECT * FROM metrics_1hour ORDER BY timestamp, provider, model, role".to_owned(),
        "SELECT * FROM metrics_1day ORDER BY timestamp, provider, model, role".to_owned(),
        "SELECT day, p.text, m.text, u.text, j.text, requests, failures, cost, output, reasoning, unclassified FROM ledger
         LEFT JOIN name p ON p.id = provider LEFT JOIN name m ON m.id = model
         LEFT JOIN name u ON u.id = user LEFT JOIN name j ON j.id = project ORDER BY 1, 2, 3, 4, 5"
            .to_owned(),
        "SELECT * FROM setting WHERE key <> 'timezone' ORDER BY key".to_owned(),
    ]
    .iter()
    .flat_map(|sql| peek.rows(sql))
    .collect()
}

#[test]
fn an_export_fills_an_empty_store_equally_and_once() {
    let from = used();
    let before = seen(&from);
    for format in ["jsonl", "csv"] {
        let file = format!("events.{format}");
        let args = ["export", "events", "--format", format, "--out", &file];
        let ran = from.run(&args).exits(0);
        assert_eq!((&*ran.stdout, &*ran.stderr), ("", ""));
        let into = Obs::at(NOW);
        let export = fs::read(from.folder().join(&file)).unwrap();
        fs::write(into.folder().join(&file), export).unwrap();
        for _ in 0..2 {
            into.run(&["ingest", &file]).exits(0);
        }
        into.run(&["rollup"]).exits(0);
        let after = seen(&into);
        let differs = before.iter().zip(&after).find(|(was, is)| was != is);
        assert_eq!((differs, after.len()), (None, before.len()), "{format}");
        into.run(&["rollup", "--verify"]).exits(0);
    }
}

#[test]
fn a_file_is_replaced_only_when_asked_and_only_as_a_whole() {
    let obs = used();
    fs::write(obs.folder().join("kept.jsonl"), "mine").unwrap();
    let args = ["export", "events", "--out", "kept.jsonl"];
    let ran = obs.run(&args).exits(2);
    assert!(ran.stderr.contains("kept.jsonl is there already"), "{ran}");
    assert_eq!(fs::read(obs.folder().join("kept.jsonl")).unwrap(), b"mine");
    obs.run(&[&args[..], &["--yes"]].concat()).exits(0);
    let text = fs::read_to_string(obs.folder().join("kept.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 403);
    obs.run(&["export", "events", "--out", "nowhere/kept.jsonl"])
        .exits(1);
    let left: Vec<_> = fs::read_dir(obs.folder()).unwrap().flatten().collect();
    let leftover = |name: &str| name.starts_with(".obs-export-");
    assert!(
        !left
            .iter()
            .any(|f| leftover(&f.file_name().to_string_lossy()))
    );
}

#[test]
fn rollups_and_all_are_rows_with_a_type() {
    let obs = used();
    let csv = obs
        .run(&["export", "rollups", "--tier", "1day", "--format", "csv"])
        .exits(0)
        .stdout;
    let days = Peek::at(&obs).number("SELECT count(*) FROM metrics_1day");
    let header = csv.lines().next().unwrap();
    assert!(
        header.starts_with("type,tier,bucket,provider,model,role,"),
        "{header}"
    );
    assert_eq!(csv.matches("rollup,1day,").count() as i64, days);
    let all = obs.run(&["export", "all"]).exits(0).stdout;
    for word in [
        "\"type\":\"setting\",\"key\":\"timezone\"",
        "\"tier\":\"1min\"",
        "\"latency_sketch\":",
        "\"type\":\"cache\"",
    ] {
        assert!(all.contains(word), "{word}");
    }
    for line in all.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(row["type"].is_string(), "{line}");
    }
}

#[test]
fn prometheus_reads_current_values() {
    let obs = used();
    let text = obs.run(&["export", "prometheus"]).exits(0).stdout;
    for line in text.lines() {
        let is_comment = line.starts_with("# HELP obs_") || line.starts_with("# TYPE obs_");
        let number = line.rsplit(' ').next().unwrap();
        assert!(
            is_comment || (line.starts_with("obs_") && number.parse::<f64>().is_ok()),
            "{line}"
        );
    }
    assert!(
        text.contains("# TYPE obs_requests_total counter\n"),
        "{text}"
    );
    assert!(text.contains("# TYPE obs_tokens_total counter\n"), "{text}");
    assert!(
        text.contains("obs_counters_since_timestamp_seconds "),
        "{text}"
    );
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        let told = writeln!(
            std::io::stderr(),
            "promtool is not installed: its check was left out"
        );
        return told.unwrap();
    };
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let judged = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&judged.stderr).into_owned();
    assert!(
        judged.status.success() && words.is_empty(),
        "{words}\n{text}"
    );
}
