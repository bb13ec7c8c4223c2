//! `obs backup` and `obs restore`: copies while others write, the way back, and what
//! is left when somebody is killed on it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use std::io::Write;

use crate::obs::Obs;
use crate::peek::{Peek, until_stored};
use crate::traffic::{self, NOW};

fn with_events(many: u64) -> Obs {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", many)).exits(0);
    obs
}

fn parts(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap();
    names
        .filter(|e| {
            let name = e.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(".obs-part-")
        })
        .count()
}

#[test]
fn a_copy_taken_while_an_ingest_writes_holds_all_that_was_acknowledged_before() {
    let obs = with_events(2_000);
    obs.run(&["rollup"]).exits(0);
    let mut ingest = obs
        .command(&["ingest", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = ingest.stdin.take().unwrap();
    let feeder = thread::spawn(move || {
        let all = traffic::events("b", 60_000);
        pipe.write_all(all.as_bytes()).unwrap();
    });
    until_stored(&obs, 3_000);
    for round in 0..3 {
        let before = Peek::at(&obs).acknowledged();
        let name = format!("copy{round}.db");
        let ran = obs.run(&["backup", &name, "--verify", "--json"]).exits(0);
        assert_eq!(ran.json()["data"][0]["verified"], true);
        let copy = obs.folder().join(&name);
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let db = copy.to_str().unwrap();
        obs.run(&["rollup", "--verify", "--db", db]).exits(0);
        let kept = Peek::of(&copy);
        assert!(kept.events() >= before, "{} < {before}", kept.events());
        assert_eq!(kept.events(), kept.acknowledged());
        kept.is_sound();
    }
    feeder.join().unwrap();
    assert!(ingest.wait_with_output().unwrap().status.success());
    assert_eq!(Peek::at(&obs).events(), 62_000);
    assert_eq!(parts(obs.folder()), 0);
}

#[test]
fn a_copy_goes_back_and_the_store_before_is_kept() {
    let obs = with_events(500);
    obs.run(&["rollup"]).exits(0);
    let content = Peek::at(&obs).content();
    obs.run(&["backup", "copy.db"]).exits(0);
    obs.feed(&["ingest"], traffic::events("late", 100)).exits(0);
    let ran = obs.run(&["restore", "copy.db", "--yes", "--json"]).exits(0);
    assert_eq!(Peek::at(&obs).content(), content);
    assert_eq!(Peek::at(&obs).rows("PRAGMA journal_mode"), ["wal"]);
    assert_eq!(Peek::at(&obs).number("PRAGMA auto_vacuum"), 2);
    let mode = fs::metadata(obs.db()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = ran.json()["data"][0]["kept_path"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(kept.ends_with("obs.db.before-2026-03-01T120000"), "{kept}");
    assert_eq!(Peek::of(Path::new(&kept)).events(), 600);
    // Twice in the same second: the name that is taken stays as it is.
    let ran = obs.run(&["restore", "copy.db", "--yes", "--json"]).exits(0);
    let again = ran.json()["data"][0]["kept_path"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(again, format!("{kept}-1"));
    obs.run(&["restore", &kept, "--yes"]).exits(0);
    assert_eq!(Peek::at(&obs).events(), 600);
}

#[test]
fn nothing_is_overwritten_unasked() {
    let obs = with_events(10);
    fs::write(obs.folder().join("notes.txt"), "mine").unwrap();
    let ran = obs.run(&["backup", "notes.txt"]).exits(2);
    assert!(ran.stderr.contains("hint: add --yes"), "{ran}");
    assert_eq!(fs::read(obs.folder().join("notes.txt")).unwrap(), b"mine");
    obs.run(&["backup", "notes.txt", "--yes"]).exits(0);
    let ran = obs.run(&["restore", "notes.txt"]).exits(2);
    assert!(ran.stderr.contains("there is a store at"), "{ran}");
    obs.run(&["backup", "obs.db", "--yes"]).exits(2);
    obs.run(&["restore", "obs.db", "--yes"]).exits(2);
    assert_eq!(Peek::at(&obs).events(), 10);
}

#[test]
fn what_is_no_sound_store_is_not_restored() {
    let obs = with_events(2_000);
    obs.run(&["backup", "copy.db"]).exits(0);
    let copy = obs.folder().join("copy.db");
    let whole = fs::read(&copy).unwrap();
    let refused = |bytes: &[u8], code: i32, word: &str| {
        fs::write(&copy, bytes).unwrap();
        let ran = obs.run(&["restore", "copy.db", "--yes"]).exits(code);
        assert!(ran.stderr.contains(word), "{ran}");
        let hint = "hint: name another file that `obs backup` made\n";
        assert!(word == "schema 900" || ran.stderr.ends_with(hint), "{ran}");
        assert_eq!(Peek::at(&obs).events(), 2_000);
    };
    refused(b"a text", 7, "is not a store");
    let mut broken = whole.clone();
    broken[4_096 * 20..4_096 * 40].fill(7);
    refused(&broken, 7, "damaged");
    refused(&whole[..whole.len() / 2], 7, "damaged");
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&900_u32.to_be_bytes());
    refused(&newer, 7, "schema 900");
    let ran = obs.run(&["restore", "gone.db", "--yes"]).exits(1);
    assert!(ran.stderr.contains("there is no file gone.db"), "{ran}");
    assert_eq!(parts(obs.folder()), 0);
}

#[test]
fn a_store_that_somebody_has_open_is_not_replaced() {
    let obs = with_events(100);
    obs.run(&["backup", "copy.db"]).exits(0);
    let mut ingest = obs
        .command(&["ingest", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = ingest.stdin.take().unwrap();
    writeln!(pipe, "{}", traffic::event("b", 1)).unwrap();
    until_stored(&obs, 101);
    let restore = ["restore", "copy.db", "--yes", "--busy-timeout", "50ms"];
    let ran = obs.run(&restore).exits(6);
    assert!(ran.stderr.contains("in use by another process"), "{ran}");
    writeln!(pipe, "{}", traffic::event("b", 2)).unwrap();
    until_stored(&obs, 102);
    drop(pipe);
    assert!(ingest.wait().unwrap().success());
    obs.run(&restore).exits(0);
    assert_eq!(Peek::at(&obs).events(), 100);
}

#[test]
fn a_damaged_store_is_replaced_with_its_log() {
    let obs = with_events(2_000);
    obs.run(&["backup", "copy.db"]).exits(0);
    fs::write(obs.db(), vec![7; 100_000]).unwrap();
    fs::write(obs.folder().join("obs.db-wal"), "a log of another file").unwrap();
    obs.run(&["restore", "copy.db", "--yes"]).exits(0);
    assert_eq!(Peek::at(&obs).events(), 2_000);
    Peek::at(&obs).is_sound();
}

#[test]
fn killed_at_any_moment_a_restore_leaves_the_old_store_or_the_new_one() {
    let obs = with_events(3_000);
    obs.run(&["backup", "small.db"]).exits(0);
    obs.feed(&["ingest"], traffic::events("b", 3_000)).exits(0);
    obs.run(&["backup", "large.db"]).exits(0);
    for round in 0..30 {
        let from = ["small.db", "large.db"][round % 2];
        let mut restore = obs.command(&["restore", from, "--yes"]).spawn().unwrap();
        let mut backup = obs
            .command(&["backup", "again.db", "--yes"])
            .spawn()
            .unwrap();
        thread::park_timeout(Duration::from_micros(rand::random_range(0..40_000)));
        for child in [&mut restore, &mut backup] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let events = Peek::at(&obs).events();
        assert!([3_000, 6_000].contains(&events), "{events} in {round}");
        Peek::at(&obs).is_sound();
        obs.run(&["stats"]).exits(0);
        let again = obs.folder().join("again.db");
        if again.exists() {
            Peek::of(&again).is_sound();
        }
    }
}
