//! `obs demo`: what a stranger sees first.

use std::fs;
use std::process::Command;

use crate::obs::Obs;

/// A Thursday.
const NOW: &str = "2026-03-05T12:34:56Z";

#[test]
fn the_demo_walks_from_events_to_a_chart_and_leaves_nothing_behind() {
    let obs = Obs::at(NOW);
    let temporary = obs.folder().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let output = obs.command(&["demo"]).env("TMPDIR", &temporary).output();
    let output = output.unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    assert!(output.stderr.is_empty(), "all that is said is the answer");

    let steps: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("$ obs ")?.split(' ').next())
        .collect();
    let expected = ["ingest", "rollup", "stats", "chart", "stats"];
    assert_eq!(steps, expected, "{shown}");
    assert!(shown.contains("simulated"), "{shown}");
    assert!(shown.contains("3 rejected"), "{shown}");
    assert!(shown.lines().count() <= 70, "{shown}");
    assert!(!shown.contains('\x1b'), "colours are for terminals");

    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!obs.db().exists(), "the demo touched the store of its user");
}

#[test]
fn every_command_that_the_demo_proposes_works() {
    let obs = Obs::at(NOW);
    let db = obs.folder().join("my week.db");
    let ran = obs.run(&["demo", "--db", db.to_str().unwrap()]).exits(0);
    let proposed = ran.stdout.lines().filter(|line| line.contains(" --db "));
    let proposed: Vec<&str> = proposed.map(str::trim).collect();
    assert!(proposed.len() >= 2, "{ran}");
    for line in proposed {
        let shell = Command::new("sh")
            .args(["-c", line])
            .env("OBS_NOW", NOW)
            .output()
            .unwrap();
        let answer = String::from_utf8(shell.stdout).unwrap();
        assert!(shell.status.success(), "{line}\n{answer}");
        assert!(answer.contains("claude"), "{line}\n{answer}");
    }
}

#[test]
fn the_demo_wants_a_store_of_its_own() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let db = obs.db();
    let before = fs::read(&db).unwrap();
    let ran = obs.run(&["demo", "--db", db.to_str().unwrap()]).exits(2);
    assert!(ran.stderr.contains("exists"), "{ran}");
    assert!(fs::read(&db).unwrap() == before);
}

#[test]
fn the_demo_is_not_for_programs() {
    let ran = Obs::at(NOW).run(&["demo", "--json"]).exits(2);
    assert!(ran.stdout.is_empty(), "{ran}");
    assert!(ran.stderr.contains("demo_for_people"), "{ran}");
}
