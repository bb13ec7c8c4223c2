//! What happens where there is no room left: a small file system in memory is filled,
//! and later emptied.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::obs::{Obs, Ran};
use crate::peek::Peek;
use crate::traffic::{self, NOW};

const MIB: usize = 1 << 20;
/// Events that are fed; more than find room.
const FED: u64 = 30_000;
/// The first of them, which are stored while there is room.
const EARLY: usize = 1_000;

/// A file system of 24 MiB in the place of a folder.
struct Disk(PathBuf);

impl Disk {
    /// `None` where mounting is not allowed.
    fn in_place_of(obs: &Obs) -> Option<Disk> {
        let folder = obs.folder().to_owned();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]);
        let mounted = mount.arg(&folder).output();
        let succeeded = mounted.is_ok_and(|output| output.status.success());
        succeeded.then_some(Disk(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // In vain only where a failed test left something running.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// A store on a disk with 2 MiB left, and what takes up the rest of it; `None` where
/// that cannot be had.
fn nearly_full(obs: &Obs) -> Option<(Disk, PathBuf)> {
    let disk = Disk::in_place_of(obs)?;
    let ballast = obs.folder().join("ballast");
    fs::write(&ballast, vec![0; 22 * MIB]).unwrap();
    Some((disk, ballast))
}

/// Ends the test unless a part of what was fed is stored and acknowledged, and asked about.
#[track_caller]
fn a_part_is_stored(obs: &Obs, full: &Ran) {
    let told = "error: there is no room for the store to grow\n";
    assert!(full.stderr.contains(told), "{}", full.stderr);
    let peek = Peek::at(obs);
    let stored = peek.events();
    assert!(
        (EARLY as i64..FED as i64).contains(&stored),
        "{stored} stored"
    );
    assert_eq!(peek.acknowledged(), stored);
    // Questions are answered all the same.
    obs.run(&["stats", "--since", "7d"]).exits(0);
}

/// Ends the test unless all that was fed is stored once, and rolls up.
#[track_caller]
fn all_is_stored_once(obs: &Obs) {
    obs.run(&["rollup"]).exits(0);
    let peek = Peek::at(obs);
    assert_eq!(peek.events(), FED as i64);
    peek.is_sound();
    peek.aggregates_equal_raw();
}

/// The end of the early ones among these lines.
fn early(lines: &str) -> usize {
    lines.split_inclusive('\n').take(EARLY).map(str::len).sum()
}

#[test]
fn a_pipe_into_a_full_disk_ends_and_is_sent_again() {
    let obs = Obs::at(NOW);
    let Some((_disk, ballast)) = nearly_full(&obs) else {
        eprintln!("skipped: no file system may be mounted here");
        return;
    };
    let lines = traffic::events("full", FED);
    obs.feed(&["ingest"], &lines[..early(&lines)]).exits(0);
    let full = obs.feed(&["ingest"], &lines).exits(1);
    a_part_is_stored(&obs, &full);
    fs::remove_file(&ballast).unwrap();
    obs.feed(&["ingest"], &lines).exits(0);
    all_is_stored_once(&obs);
}

#[test]
fn a_file_is_read_on_from_its_last_stored_line_once_there_is_room() {
    let obs = Obs::at(NOW);
    let Some((_disk, ballast)) = nearly_full(&obs) else {
        eprintln!("skipped: no file system may be mounted here");
        return;
    };
    let elsewhere = TempDir::new().unwrap();
    let log = elsewhere.path().join("app.jsonl");
    let lines = traffic::events("full", FED);
    fs::write(&log, &lines[..early(&lines)]).unwrap();
    let ingest = ["ingest", "--resume", log.to_str().unwrap()];
    obs.run(&ingest).exits(0);
    fs::write(&log, lines).unwrap();
    let full = obs.run(&ingest).exits(1);
    a_part_is_stored(&obs, &full);
    fs::remove_file(&ballast).unwrap();
    obs.run(&ingest).exits(0);
    all_is_stored_once(&obs);
    let again = "SELECT sum(duplicate) FROM ingest_batch";
    assert_eq!(Peek::at(&obs).number(again), 0, "lines read twice");
}
