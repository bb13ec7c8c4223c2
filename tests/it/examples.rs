//! The examples of every page of help, run as they are printed, in a folder that
//! holds the files they name and a store with something to find.
//!
//! Each page has a folder of its own; its examples run in their order. Those that
//! cannot run are named in [`NOT_RUN`], each with its reason: of them only the
//! flags are checked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::help::{Page, pages};
use crate::obs::Obs;
use crate::traffic::{self, NOW_MS};

/// An hour after the last event of [`traffic`]; the example of `obs events show` lies between.
const NOW: &str = "2026-03-01T13:00:00Z";
/// When lines were refused: so long ago that `obs doctor` says nothing of it.
const THEN: &str = "2026-02-27T12:00:00Z";

/// Examples that are not run, and why.
const NOT_RUN: [(&str, &str); 6] = [
    ("obs ingest --follow --resume app.log", "never ends"),
    (
        "obs init --db /var/lib/obs/obs.db --timezone Europe/Berlin",
        "writes outside of the folder",
    ),
    (
        "obs alerts show 1",
        "nothing fires in the store of this test",
    ),
    (
        "obs alerts show 1 --json",
        "nothing fires in the store of this test",
    ),
    (
        "obs alerts history 1",
        "nothing fires in the store of this test",
    ),
    (
        "obs alerts silence expire 1",
        "nothing fires in the store of this test",
    ),
];

/// Files that the examples of a page make, which begin without them.
const MADE: [(&str, &str); 3] = [
    ("obs backup", "obs-backup.db"),
    ("obs export", "events.jsonl"),
    ("obs export events", "events.jsonl"),
];

/// The event that `obs events show` shows.
const SHOWN: &str = r#"{"type":"request","id":"req_8f3b","timestamp":1772369204736,"provider":"claude","model":"claude-sonnet-4-5","latency":850,"success":true,"input_tokens":1200,"output_tokens":340}
"#;

/// Small files, by the names that examples give them.
const FILES: [(&str, &str); 7] = [
    (
        "t.csv",
        "TIMESTAMP,provider,latency\n2026-03-01 11:00:00,azure,120\n",
    ),
    ("my-app", "#!/bin/sh\ncat app.log\n"),
    (
        "obs.toml",
        "[channels.slack]\ntype = 'file'\npath = 'told.txt'\n",
    ),
    ("ci/obs.toml", "color = 'never'\n"),
    (
        "prices.toml",
        "[[prices]]\nprovider = 'house'\nmodel = 'h1'\ninput = 0.2\noutput = 0.4\n",
    ),
    (
        "model_prices.json",
        r#"{"gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6}}"#,
    ),
    (
        "historical-v1.json",
        r#"{"prices": [{"id": "o3", "vendor": "openai", "name": "o3", "input": 2, "output": 8, "from_date": "2025-06-10"}]}"#,
    ),
];

/// A folder with a store and the files that examples name.
fn prepared() -> Obs {
    let mut obs = Obs::at(THEN);
    let write = |obs: &Obs, name: &str, text: &str| fs::write(obs.folder().join(name), text);
    write(&obs, "old.jsonl", &refused()).unwrap();
    obs.run(&["ingest", "old.jsonl"]).exits(5);
    obs.set_now(NOW);
    let events = traffic::events("traffic", 200) + SHOWN;
    obs.feed(&["ingest", "-"], events).exits(0);
    let price = [
        "cost",
        "prices",
        "set",
        "openai/gpt-4o",
        "input=2",
        "output=8",
    ];
    obs.run(&price).exits(0);
    obs.run(&["run"]).exits(0);
    obs.run(&["backup", "obs-backup.db"]).exits(0);

    fs::create_dir(obs.folder().join("ci")).unwrap();
    for (name, text) in FILES {
        write(&obs, name, text).unwrap();
    }
    for name in ["events.jsonl", "events.jsonl.gz", "app.log"] {
        write(&obs, name, &traffic::events(name, 20)).unwrap();
    }
    let rules = obs.run(&["rules", "export"]).exits(0).stdout;
    write(&obs, "rules.yaml", &rules).unwrap();
    let runs = fs::Permissions::from_mode(0o755);
    fs::set_permissions(obs.folder().join("my-app"), runs).unwrap();
    obs
}

/// Thirteen lines that no event can be made of as they are: of an unknown type, and
/// the last two with their time under another name.
fn refused() -> String {
    traffic::lines((1..=13).map(|n| {
        let (kind, time) = match n {
            12 | 13 => ("request", "created"),
            _ => ("call", "timestamp"),
        };
        let at = NOW_MS - n;
        format!(r#"{{"type":"{kind}","{time}":{at},"provider":"claude","latency":{n}}}"#)
    }))
}

/// The same folder once more.
fn copied(from: &Obs) -> Obs {
    fn copy(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let (from, to) = entry.map(|e| (e.path(), to.join(e.file_name()))).unwrap();
            if from.is_dir() {
                fs::create_dir(&to).unwrap();
                copy(&from, &to);
            } else {
                fs::copy(&from, &to).unwrap();
            }
        }
    }
    let obs = Obs::at(NOW);
    copy(from.folder(), obs.folder());
    obs
}

/// What becomes of an example when it is typed, if that is not what it should.
fn mistake(obs: &Obs, example: &str) -> Option<String> {
    let calls_obs = example.starts_with("obs ") || example.contains(" | obs ");
    if !calls_obs {
        return Some(format!("no call of obs: {example}"));
    }
    let not_run = NOT_RUN.iter().any(|(line, _)| *line == example);
    let ran = match not_run {
        true => obs.shell(&format!("{example} --help")),
        false => obs.shell(example),
    };
    (ran.code != 0).then(|| ran.to_string())
}

#[test]
fn every_example_in_the_help_runs_as_it_is_printed() {
    let prepared = prepared();
    let mistakes = pages().into_iter().flat_map(|page: Page| {
        let obs = copied(&prepared);
        for (_, file) in MADE.iter().filter(|(name, _)| *name == page.name()) {
            fs::remove_file(obs.folder().join(file)).unwrap();
        }
        let examples = page.examples();
        assert!(!examples.is_empty(), "{} has no examples", page.name());
        let mistakes = examples.into_iter().filter_map(|line| mistake(&obs, line));
        mistakes.collect::<Vec<_>>()
    });
    let mistakes: Vec<String> = mistakes.collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n\n"));
}

#[test]
fn an_example_that_is_not_run_stands_in_the_help() {
    let pages = pages();
    let shown: Vec<&str> = pages.iter().flat_map(Page::examples).collect();
    for (line, reason) in NOT_RUN {
        assert!(shown.contains(&line), "{line} ({reason})");
    }
}
