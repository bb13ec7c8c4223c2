//! The commands that README shows, run one after the other as they are printed.

use std::fs;

use crate::obs::Obs;

const README: &str = include_str!("../../README.md");

/// Pieces of shell that stand for themselves: they are run by `sh`, with `obs` on
/// the path.
fn commands() -> Vec<String> {
    let joined = README.replace("\\\n", " ");
    let blocks = joined.lines().filter_map(|line| line.strip_prefix("    "));
    let cells = joined
        .lines()
        .filter(|line| line.starts_with("| `obs "))
        .filter_map(|line| line.split('`').nth(1));
    let shown = blocks.chain(cells).map(str::trim);
    shown
        .filter(|line| line.starts_with("obs ") || line.contains(" | obs "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_of_the_readme_runs_as_it_is_printed() {
    let obs = Obs::at("2026-03-01T12:00:00Z");
    let trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n2026-02-28 18:15:46.6805900,374,44\n";
    fs::write(obs.folder().join("trace.csv"), trace).unwrap();
    let commands = commands();
    assert!(commands.len() >= 9, "{commands:?}");
    for line in commands {
        // A store whose cron never ran is told so.
        let code = if line == "obs doctor" { 3 } else { 0 };
        obs.shell(&line).exits(code);
    }
}
