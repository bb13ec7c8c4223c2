//! The program on real inputs that nobody of the project wrote. They are not
//! part of it: `OBS_REAL_DATA` names the folder that holds them, and
//! `scripts/test` runs these tests when it is set.
//!
//! - `traces/azure-2023-code.csv`: Azure/AzurePublicDataset, LLM inference trace 2023, CC-BY-4.0
//! - `traces/mooncake-conversation.jsonl`: kvcache-ai/Mooncake, Apache-2.0
//! - `http-headers/openllmetry-third.jsonl`: traceloop/openllmetry test recordings, Apache-2.0
//! - `json-torture/test_parsing/`: nst/JSONTestSuite, MIT

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::obs::{Obs, Ran};

/// A file or folder of the real inputs.
fn real(path: &str) -> PathBuf {
    let folder =
        env::var_os("OBS_REAL_DATA").expect("OBS_REAL_DATA names the folder of real inputs");
    let path = PathBuf::from(folder).join(path);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// The one row of an answer.
#[track_caller]
fn row(ran: &Ran) -> Value {
    let answer = ran.json();
    let rows = answer["data"].as_array().expect("`data` is a list");
    assert_eq!(rows.len(), 1, "{answer}");
    rows[0].clone()
}

#[track_caller]
fn number(row: &Value, field: &str) -> u64 {
    row[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} is no count in {row}"))
}

/// Ends the test unless `stats` over everything says so.
#[track_caller]
fn assert_stats(obs: &Obs, since: &str, expected: &[(&str, u64)]) {
    let stats = row(&obs.run(&["stats", "--json", "--since", since]).exits(0));
    for (field, count) in expected {
        assert_eq!(number(&stats, field), *count, "{field} in {stats}");
    }
}

/// Counts, then rolls up, and counts again: before and after, and by its own check.
#[track_caller]
fn assert_stats_before_and_after_roll_up(obs: &Obs, since: &str, expected: &[(&str, u64)]) {
    assert_stats(obs, since, expected);
    obs.run(&["rollup"]).exits(0);
    assert_stats(obs, since, expected);
    obs.run(&["rollup", "--verify"]).exits(0);
}

#[test]
#[ignore = "set OBS_REAL_DATA to the folder of real inputs"]
fn the_azure_trace_keeps_its_totals() {
    let obs = Obs::at("2023-11-17T00:00:00Z");
    let file = real("traces/azure-2023-code.csv");
    let file = file.to_str().unwrap();
    #[rustfmt::skip]
    let ingest = [
        "ingest", "--json", "--format", "csv",
        "--map", "timestamp=TIMESTAMP",
        "--map", "input_tokens=ContextTokens",
        "--map", "output_tokens=GeneratedTokens",
        "--set", "type=request", "--set", "provider=azure", "--set", "model=gpt-4",
        file,
    ];
    let expected = [
        ("requests", 8_819),
        ("input_tokens", 18_059_974),
        ("output_tokens", 245_896),
    ];
    assert_eq!(number(&row(&obs.run(&ingest).exits(0)), "accepted"), 8_819);
    assert_stats_before_and_after_roll_up(&obs, "2023-11-16", &expected);

    let again = row(&obs.run(&ingest).exits(0));
    assert_eq!(number(&again, "duplicate"), 8_819);
    assert_eq!(number(&again, "accepted"), 0);
    assert_stats(&obs, "2023-11-16", &expected);
}

#[test]
#[ignore = "set OBS_REAL_DATA to the folder of real inputs"]
fn the_mooncake_trace_keeps_its_totals() {
    let obs = Obs::at("2024-06-02T00:00:00Z");
    let file = real("traces/mooncake-conversation.jsonl");
    let requests: Vec<Value> = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let sum = |field| requests.iter().map(|r| number(r, field)).sum();
    #[rustfmt::skip]
    let ingest = [
        "ingest", "--json",
        "--map", "input_tokens=input_length",
        "--map", "output_tokens=output_length",
        "--set", "type=request", "--set", "provider=moonshot", "--set", "model=kimi",
        "--time-unit", "ms", "--time-base", "2024-06-01T00:00:00Z",
        file.to_str().unwrap(),
    ];
    assert_eq!(number(&row(&obs.run(&ingest).exits(0)), "accepted"), 12_031);
    let expected = [
        ("requests", 12_031),
        ("input_tokens", sum("input_length")),
        ("output_tokens", sum("output_length")),
    ];
    assert_stats_before_and_after_roll_up(&obs, "2024-06-01", &expected);
}

#[test]
#[ignore = "set OBS_REAL_DATA to the folder of real inputs"]
fn recorded_answers_cost_what_another_program_makes_of_them() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/check-costs");
    let answers = real("http-headers/openllmetry-third.jsonl");
    let ran = Command::new(script)
        .arg(env!("CARGO_BIN_EXE_obs"))
        .arg(answers)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
#[ignore = "set OBS_REAL_DATA to the folder of real inputs"]
fn no_torture_file_panics_or_is_miscounted() {
    let obs = Obs::at("2026-03-01T12:00:00Z");
    for file in torture_files() {
        let ran = obs.run(&["ingest", "--json", file.to_str().unwrap()]);
        let summary = summary_of(ran);
        assert_eq!(number(&summary, "accepted"), 0, "{}", file.display());
    }
}

#[test]
#[ignore = "set OBS_REAL_DATA to the folder of real inputs"]
fn a_torture_file_leaves_the_good_lines_around_it_alone() {
    let obs = Obs::at("2026-03-01T12:00:00Z");
    let good = |name: &str| {
        format!(
            r#"{{"id":"{name}","type":"request","timestamp":"2026-03-01T11:00:00Z","provider":"claude","input_tokens":3}}"#
        )
    };
    let files = torture_files();
    for (i, file) in files.iter().enumerate() {
        let mut lines = (good(&format!("before-{i}")) + "\n").into_bytes();
        lines.extend(fs::read(file).unwrap());
        lines.extend(format!("\n{}\n", good(&format!("after-{i}"))).into_bytes());
        let summary = summary_of(obs.feed(&["ingest", "--json", "-"], lines));
        assert_eq!(
            number(&summary, "accepted"),
            2,
            "{}: {summary}",
            file.display()
        );
    }
    let stored = 2 * files.len() as u64;
    let expected = [("requests", stored), ("input_tokens", 3 * stored)];
    assert_stats_before_and_after_roll_up(&obs, "24h", &expected);
}

fn torture_files() -> Vec<PathBuf> {
    let entries = fs::read_dir(real("json-torture/test_parsing")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 300, "only {} torture files", files.len());
    files
}

/// The summary of an ingest that ended in order, with each line counted once.
#[track_caller]
fn summary_of(ran: Ran) -> Value {
    let summary = row(&ran);
    let rejected = number(&summary, "rejected");
    let counted = ["accepted", "updated", "duplicate"]
        .iter()
        .map(|outcome| number(&summary, outcome))
        .sum::<u64>();
    assert_eq!(counted + rejected, number(&summary, "lines"), "{ran}");
    ran.exits(if rejected == 0 { 0 } else { 5 });
    summary
}
