//! `obs ingest --follow` and `--resume` on files that grow, are rotated in each of
//! the usual ways, and are read again after a restart or a `kill -9`.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use obs::clock::Stopwatch;

use crate::obs::{Obs, Ran};
use crate::peek::{Peek, until, until_stored};
use crate::traffic::{self, NOW};

/// A log without ids, in the folder of `obs`.
struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    fn new(obs: &Obs, name: &str) -> Log {
        Log::at(obs.folder().join(name))
    }

    fn at(path: PathBuf) -> Log {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap();
        Log { path, file }
    }

    fn write(&mut self, text: &str) {
        self.file.write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self, n: u64) {
        self.write(&format!("{}\n", line(n)));
    }

    /// Renames it, and begins a new one under the old name.
    fn renamed(&self, to: &str) -> Log {
        fs::rename(&self.path, self.path.with_file_name(to)).unwrap();
        Log::at(self.path.clone())
    }

    fn emptied(&mut self) {
        self.file.set_len(0).unwrap();
    }
}

/// A line without an id; its latency tells which.
fn line(n: u64) -> String {
    traffic::request(60_000, &format!("\"latency\":{n}"))
}

fn follow(obs: &Obs, args: &[&str]) -> Child {
    let args = [&["ingest", "--follow"], args].concat();
    obs.command(&args).spawn().unwrap()
}

/// Stops it by a signal, which it obeys without a word.
#[track_caller]
fn stop(child: Child, signal: &str, code: i32) {
    let kill = format!("kill -{signal} {}", child.id());
    let mut shell = std::process::Command::new("sh");
    assert!(shell.args(["-c", &kill]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*stderr), (Some(code), ""));
}

/// Which lines are stored, by their latencies, each as often as it is there.
fn stored(obs: &Obs) -> Vec<String> {
    Peek::at(obs).rows("SELECT CAST(latency AS INTEGER) FROM metrics_raw ORDER BY latency")
}

fn numbers(range: impl IntoIterator<Item = u64>) -> Vec<String> {
    range.into_iter().map(|n| n.to_string()).collect()
}

#[track_caller]
fn resume(obs: &Obs, args: &[&str]) -> Ran {
    let args = [&["ingest", "--resume", "--json"], args].concat();
    obs.run(&args)
}

/// Lines that a run looked at.
#[track_caller]
fn read(ran: &Ran) -> u64 {
    ran.json()["data"][0]["lines"].as_u64().unwrap()
}

#[test]
fn a_line_is_seen_soon_after_it_was_written() {
    let obs = Obs::at(NOW);
    let mut log = Log::new(&obs, "app.log");
    log.line(0);
    let child = follow(&obs, &["app.log"]);
    until_stored(&obs, 1);
    let mut waits: Vec<Duration> = (1..=9)
        .map(|n| {
            log.line(n);
            let waited = Stopwatch::start();
            until_stored(&obs, n as i64 + 1);
            waited.elapsed()
        })
        .collect();
    waits.sort();
    // The median, for a machine that is busy with other tests.
    assert!(waits[4] < Duration::from_millis(200), "{waits:?}");
    stop(child, "TERM", 143);
}

#[test]
fn a_last_line_waits_for_its_end_and_a_file_for_its_beginning() {
    let obs = Obs::at(NOW);
    let child = follow(&obs, &["app.log", "other.log"]);
    let mut other = Log::new(&obs, "other.log");
    let mut log = Log::new(&obs, "app.log");
    let (first, rest) = (line(7), line(8));
    let (half, other_half) = rest.split_at(40);
    log.write(&format!("{first}\n{half}"));
    until_stored(&obs, 1);
    other.line(9);
    until_stored(&obs, 2);
    assert_eq!(stored(&obs), ["7", "9"]);
    log.write(&format!("{other_half}\n"));
    until_stored(&obs, 3);
    stop(child, "INT", 130);
    assert_eq!(stored(&obs), ["7", "8", "9"]);
    assert_eq!(Peek::at(&obs).number("SELECT count(*) FROM dead_letter"), 0);
}

#[test]
fn a_log_that_is_renamed_and_begun_anew_is_read_to_its_end_and_on() {
    let obs = Obs::at(NOW);
    let mut log = Log::new(&obs, "app.log");
    log.line(1);
    let child = follow(&obs, &["app.log"]);
    until_stored(&obs, 1);
    let mut next = log.renamed("app.log.1");
    // The program reopens its log some time after the rotation.
    log.line(2);
    until_stored(&obs, 2);
    next.line(3);
    until_stored(&obs, 3);
    log.line(4);
    until_stored(&obs, 4);
    // The same bytes at the same place as in the file before it.
    let mut third = next.renamed("app.log.2");
    third.line(3);
    until_stored(&obs, 5);
    stop(child, "TERM", 143);
    assert_eq!(stored(&obs), ["1", "2", "3", "3", "4"]);
    // What was followed is known by any name.
    obs.run(&["ingest", "app.log", "app.log.1", "app.log.2"])
        .exits(0);
    assert_eq!(Peek::at(&obs).events(), 5);
}

#[test]
fn a_log_that_is_emptied_in_place_is_read_from_its_new_beginning() {
    let obs = Obs::at(NOW);
    let mut log = Log::new(&obs, "app.log");
    log.line(1);
    log.line(2);
    let child = follow(&obs, &["app.log"]);
    until_stored(&obs, 2);
    log.emptied();
    log.line(1);
    until_stored(&obs, 3);
    // Emptied and longer than before when it is looked at again.
    log.emptied();
    log.write(&traffic::lines((10..20).map(line)));
    until_stored(&obs, 13);
    stop(child, "TERM", 143);
    let expected: Vec<u64> = [1, 1, 2].into_iter().chain(10..20).collect();
    assert_eq!(stored(&obs), numbers(expected));
}

#[test]
fn a_log_that_is_copied_and_emptied_is_read_on_in_its_copy() {
    let obs = Obs::at(NOW);
    let mut log = Log::new(&obs, "app.log");
    log.write(&traffic::lines((0..20).map(line)));
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 20);
    log.write(&traffic::lines((20..30).map(line)));
    fs::copy(&log.path, obs.folder().join("app.log.1")).unwrap();
    log.emptied();
    log.line(30);
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 11);
    assert_eq!(stored(&obs), numbers(0..31));
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 0);
}

#[test]
fn a_restart_reads_what_is_new_and_the_rest_of_what_was_rotated_away() {
    let obs = Obs::at(NOW);
    let mut log = Log::new(&obs, "app.log");
    log.write(&traffic::lines((0..50).map(line)));
    log.write("{\"type\":");
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 50);
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 0);
    log.write("\"request\"}\n");
    log.line(50);
    let mut next = log.renamed("app.log.1");
    next.line(51);
    let ran = resume(&obs, &["app.log"]).exits(5);
    assert_eq!(read(&ran), 3);
    assert!(
        ran.stderr.starts_with("app.log:51: timestamp: missing"),
        "{ran}"
    );
    assert_eq!(stored(&obs), numbers(0..52));
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 0);
    // By another name it is the same file; and so is one that is followed.
    assert_eq!(read(&resume(&obs, &["app.log.1"]).exits(0)), 0);
    next.line(52);
    let child = follow(&obs, &["--resume", "app.log"]);
    until_stored(&obs, 53);
    stop(child, "TERM", 143);
    assert_eq!(stored(&obs), numbers(0..53));
}

#[test]
fn a_rest_that_cannot_be_found_is_told() {
    let obs = Obs::at(NOW);
    let mut log = Log::new(&obs, "app.log");
    log.line(1);
    resume(&obs, &["app.log"]).exits(0);
    let mut next = log.renamed("app.log.1");
    // Held open, so that no new file is given its number.
    fs::remove_file(obs.folder().join("app.log.1")).unwrap();
    next.line(2);
    let ran = resume(&obs, &["app.log"]).exits(0);
    assert!(ran.stderr.starts_with("warning: app.log: "), "{ran}");
    assert_eq!(stored(&obs), ["1", "2"]);
    assert_eq!(resume(&obs, &["app.log"]).exits(0).stderr, "");
}

#[test]
fn a_new_file_with_a_number_that_was_used_before_is_a_new_file() {
    let obs = Obs::at(NOW);
    let log = obs.folder().join("app.log");
    let text = |from| traffic::lines((from..from + 9).map(line));
    fs::write(&log, text(0)).unwrap();
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 9);
    // Written over, it keeps its number.
    fs::write(&log, text(100)).unwrap();
    assert_eq!(read(&resume(&obs, &["app.log"]).exits(0)), 9);
    assert_eq!(stored(&obs), numbers((0..9).chain(100..109)));
}

#[test]
fn the_columns_of_a_table_are_known_after_a_restart() {
    let obs = Obs::at(NOW);
    let mut table = Log::new(&obs, "t.csv");
    table.write("type,ts,latency\nrequest,1772366000,1\n");
    resume(&obs, &["t.csv"]).exits(0);
    table.write("request,1772366001,2\n");
    assert_eq!(read(&resume(&obs, &["t.csv"]).exits(0)), 1);
    assert_eq!(stored(&obs), ["1", "2"]);
}

#[test]
fn a_compressed_file_is_read_once_and_not_followed() {
    let obs = Obs::at(NOW);
    let text = traffic::lines((0..30).map(line));
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    fs::write(obs.folder().join("app.log.zst"), packed).unwrap();
    assert_eq!(read(&resume(&obs, &["app.log.zst"]).exits(0)), 30);
    assert_eq!(read(&resume(&obs, &["app.log.zst"]).exits(0)), 0);
    let ran = obs.run(&["ingest", "--follow", "app.log.zst"]).exits(2);
    assert!(
        ran.stderr
            .starts_with("error: cannot follow app.log.zst: it is compressed"),
        "{ran}"
    );
    assert_eq!(stored(&obs), numbers(0..30));
}

#[test]
fn every_line_counts_once_although_the_reader_is_killed_again_and_again() {
    let kills = std::env::var("OBS_KILLS").map_or(12, |n| n.parse().unwrap());
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let (over, rotate) = (AtomicBool::new(false), AtomicU64::new(0));
    let write = || {
        let mut log = Log::new(&obs, "app.log");
        let mut written = 0;
        while !over.load(Ordering::Relaxed) {
            log.line(written);
            written += 1;
            match rotate.swap(0, Ordering::Relaxed) {
                0 => {}
                round => log = log.renamed(&format!("app.log.{round}")),
            }
            if written % 5 == 0 {
                thread::park_timeout(Duration::from_millis(1));
            }
        }
        written
    };
    thread::scope(|scope| {
        let writer = scope.spawn(write);
        for round in 1..=kills {
            let before = Peek::at(&obs).events();
            let mut child = follow(&obs, &["--resume", "app.log"]);
            until("something new is stored", || {
                Peek::at(&obs).events() > before
            });
            rotate.store(round, Ordering::Relaxed);
            thread::park_timeout(Duration::from_millis(rand::random_range(0..150)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        let written = writer.join().unwrap();
        let child = follow(&obs, &["--resume", "app.log"]);
        until_stored(&obs, written as i64);
        stop(child, "TERM", 143);
        assert_eq!(stored(&obs), numbers(0..written));
        assert_eq!(Peek::at(&obs).acknowledged(), written as i64);
    });
}

#[test]
fn several_files_and_a_pipe_are_followed_by_one_process() {
    let obs = Obs::at(NOW);
    let names = ["a.log", "b.log", "c.log"];
    let mut child = obs
        .command(&["ingest", "-f", "a.log", "-", "b.log", "c.log"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let mut logs = names.map(|name| Log::new(&obs, name));
    for n in 0..20 {
        for (which, log) in logs.iter_mut().enumerate() {
            log.line(n * 4 + which as u64);
        }
        writeln!(pipe, "{}", line(n * 4 + 3)).unwrap();
    }
    until_stored(&obs, 80);
    drop(pipe);
    logs[1].line(80);
    until_stored(&obs, 81);
    stop(child, "TERM", 143);
    assert_eq!(stored(&obs), numbers(0..81));
    let sources = Peek::at(&obs).rows("SELECT DISTINCT source FROM ingest_batch ORDER BY source");
    assert_eq!(sources, ["-", "a.log", "b.log", "c.log"]);
}
