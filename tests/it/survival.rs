//! What the store survives: `kill -9` at any point, many processes at once, first
//! starts at the same moment, stops by signal. Whatever was acknowledged is there
//! afterwards, once, and every aggregate says what raw events say.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::obs::Obs;
use crate::peek::{Peek, until_stored};
use crate::traffic::{self, NOW};

/// Kills that one store survives; then a new one is born, so that small stores are hit as well.
const STORE: u64 = 25;

/// How often processes are killed; `OBS_KILLS` sets another number.
fn kills() -> u64 {
    std::env::var("OBS_KILLS").map_or(100, |n| n.parse().expect("OBS_KILLS is a number"))
}

/// Feeds events of a source, a few a write, until they are all fed or nobody reads on.
fn pour(mut pipe: ChildStdin, source: &str, many: u64) {
    for from in (0..many).step_by(10) {
        let some = (from..many.min(from + 10)).map(|n| traffic::event(source, n));
        if pipe.write_all(traffic::lines(some).as_bytes()).is_err() {
            return;
        }
    }
}

/// Ends the test unless the process did what it should without a word.
#[track_caller]
fn went_well(what: &str, output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.is_empty(),
        "{what}: {}\n{stderr}",
        output.status
    );
}

#[track_caller]
fn finish(what: &str, child: Child) {
    went_well(what, &child.wait_with_output().unwrap());
}

fn start(obs: &Obs, args: &[&str]) -> Child {
    obs.command(args).spawn().unwrap()
}

fn start_piped(obs: &Obs) -> (Child, ChildStdin) {
    let mut child = obs
        .command(&["ingest", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = child.stdin.take().unwrap();
    (child, pipe)
}

/// Lets a random time pass, so that what follows hits others at a random point.
fn at_a_random_moment(most_us: u64) {
    thread::park_timeout(Duration::from_micros(rand::random_range(0..most_us)));
}

#[test]
fn nothing_acknowledged_is_lost_to_kill_9() {
    let kills = kills();
    let mut survived = 0;
    for from in (0..kills).step_by(STORE as usize) {
        let obs = Obs::at(NOW);
        for round in from..kills.min(from + STORE) {
            let acknowledged = kill_them_all(&obs, round);
            // The next start completes what a kill interrupted.
            obs.run(&["init"]).exits(0);
            let peek = Peek::at(&obs);
            let stored = peek.events();
            assert!(acknowledged <= stored, "{acknowledged} > {stored}");
            assert_eq!(peek.acknowledged(), stored, "after kill {round}");
            peek.is_sound();
            obs.run(&["rollup"]).exits(0);
            obs.run(&["rollup", "--verify"]).exits(0);
            survived += 1;
        }
        Peek::at(&obs).aggregates_equal_raw();
    }
    assert_eq!(survived, kills);
}

/// Starts an ingest from a pipe, one from a file and a roll-up, and kills them at a
/// random point; returns how many events were acknowledged before.
fn kill_them_all(obs: &Obs, round: u64) -> i64 {
    let file = obs.folder().join(format!("{round}.jsonl"));
    fs::write(&file, traffic::events(&format!("file{round}"), 500)).unwrap();
    let (piped, pipe) = start_piped(obs);
    let filed = start(obs, &["ingest", file.to_str().unwrap()]);
    let rollup = start(obs, &["rollup"]);
    let feeder = thread::spawn(move || pour(pipe, &format!("pipe{round}"), 500));
    at_a_random_moment(160_000);
    // In the first round of a store it may not be born yet.
    let acknowledged = match round % STORE {
        0 => 0,
        _ => Peek::at(obs).acknowledged(),
    };
    for mut child in [piped, filed, rollup] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    feeder.join().unwrap();
    acknowledged
}

#[test]
fn a_birth_cut_short_is_completed_by_the_next_start() {
    for round in 0..kills() / 2 {
        let obs = Obs::at(NOW);
        let mut first = start(&obs, &["init"]);
        at_a_random_moment(15_000);
        first.kill().unwrap();
        first.wait().unwrap();
        let ran = obs
            .feed(&["ingest", "--json"], traffic::event("a", 1))
            .exits(0);
        assert_eq!(ran.json()["data"][0]["accepted"], 1, "round {round}");
        let peek = Peek::at(&obs);
        peek.is_sound();
        assert_eq!(peek.rows("PRAGMA journal_mode"), ["wal"]);
        assert_eq!(peek.number("PRAGMA auto_vacuum"), 2);
    }
}

#[test]
fn first_starts_at_once_all_succeed() {
    for _ in 0..10 {
        let obs = Obs::at(NOW);
        let file = obs.folder().join("events.jsonl");
        fs::write(&file, traffic::events("a", 50)).unwrap();
        let ingests: Vec<Child> = (0..4)
            .map(|_| start(&obs, &["ingest", file.to_str().unwrap()]))
            .collect();
        ingests
            .into_iter()
            .for_each(|child| finish("ingest", child));
        assert_eq!(Peek::at(&obs).events(), 50);

        let obs = Obs::at(NOW);
        let births: Vec<Child> = (0..8).map(|_| start(&obs, &["init"])).collect();
        births.into_iter().for_each(|child| finish("init", child));
        Peek::at(&obs).is_sound();
    }
}

#[test]
fn two_ingests_a_roll_up_and_readers_get_on_with_each_other() {
    const EACH: u64 = 10_000;
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let done = AtomicBool::new(false);
    let again_and_again = |args: &[&str]| {
        while !done.load(Ordering::Relaxed) {
            went_well(&args.join(" "), &obs.command(args).output().unwrap());
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| again_and_again(&["rollup"]));
        scope.spawn(|| again_and_again(&["run"]));
        scope.spawn(|| again_and_again(&["rollup", "--verify"]));
        scope.spawn(|| again_and_again(&["stats", "--by", "provider", "--json"]));
        scope.spawn(|| again_and_again(&["chart", "requests", "--since", "3d"]));
        scope.spawn(|| {
            let peek = Peek::at(&obs);
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let sees = peek.number("SELECT count(*) FROM metrics_raw");
                assert!(sees >= seen, "{sees} after {seen}");
                seen = sees;
            }
        });
        let ingests = ["a", "b"].map(|source| {
            let (child, pipe) = start_piped(&obs);
            scope.spawn(move || pour(pipe, source, EACH));
            child
        });
        let outputs = ingests.map(|child| child.wait_with_output().unwrap());
        done.store(true, Ordering::Relaxed);
        outputs
            .iter()
            .for_each(|output| went_well("ingest", output));
    });
    obs.run(&["rollup"]).exits(0);
    let peek = Peek::at(&obs);
    assert_eq!(peek.events(), 2 * EACH as i64);
    assert_eq!(peek.acknowledged(), 2 * EACH as i64);
    peek.aggregates_equal_raw();
}

#[test]
fn a_disk_that_is_full_takes_back_nothing_that_was_acknowledged() {
    const ALL: i64 = 20_000;
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let full = |blocks: u64| {
        // The shell's limit on the size of a file; past it, writing fails.
        let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" ingest -");
        let program = obs.command::<&str>(&[]);
        let mut command = Command::new("sh");
        command.arg("-c").arg(line).arg(program.get_program());
        command.envs(
            program
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pipe = child.stdin.take().unwrap();
        pour(pipe, "a", ALL as u64);
        child.wait_with_output().unwrap()
    };
    for blocks in [600, 900, 1_200] {
        let output = full(blocks);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
        let peek = Peek::at(&obs);
        assert!(peek.events() < ALL);
        assert_eq!(peek.acknowledged(), peek.events());
        peek.is_sound();
    }
    obs.feed(&["ingest"], traffic::events("a", ALL as u64))
        .exits(0);
    obs.run(&["rollup"]).exits(0);
    let peek = Peek::at(&obs);
    assert_eq!(peek.events(), ALL);
    peek.aggregates_equal_raw();
}

#[test]
fn of_two_runs_at_once_one_leaves_quietly() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 3_000)).exits(0);
    let runs: Vec<Child> = (0..4).map(|_| start(&obs, &["run"])).collect();
    runs.into_iter().for_each(|child| finish("run", child));
    obs.run(&["rollup", "--verify"]).exits(0);
    Peek::at(&obs).aggregates_equal_raw();
}

#[test]
fn a_run_that_finds_another_at_work_does_nothing() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 100)).exits(0);
    let lock = fs::File::open(obs.folder().join("obs.db.lock")).unwrap();
    lock.lock().unwrap();
    went_well("run", &obs.command(&["run"]).output().unwrap());
    let peek = Peek::at(&obs);
    assert_eq!(peek.number("SELECT count(*) FROM metrics_1min"), 0);
    lock.unlock().unwrap();
    went_well("run", &obs.command(&["run"]).output().unwrap());
    assert!(peek.number("SELECT count(*) FROM metrics_1min") > 0);
}

#[test]
fn a_line_in_a_slow_pipe_is_seen_before_the_next_one_comes() {
    let obs = Obs::at(NOW);
    let (child, mut pipe) = start_piped(&obs);
    for n in 0..3 {
        writeln!(pipe, "{}", traffic::event("slow", n)).unwrap();
        until_stored(&obs, n as i64 + 1);
    }
    drop(pipe);
    finish("ingest", child);
}

/// Stops an ingest in full flow and ends the test unless each line was either
/// stored or left in the pipe for the next reader.
#[track_caller]
fn a_signal_loses_nothing(signal: &str, code: i32) {
    const LINES: u64 = 5_000;
    let obs = Obs::at(NOW);
    let (mut rest, mut pipe) = std::io::pipe().unwrap();
    let mut command = obs.command(&["ingest"]);
    let child = command.stdin(rest.try_clone().unwrap()).spawn().unwrap();
    writeln!(pipe, "{}", traffic::event("first", 0)).unwrap();
    until_stored(&obs, 1);
    let kill = format!("kill -{signal} {}", child.id());
    // The pipe stays open until the ingest is gone: a signal must never find it at its end.
    let (is_gone, gone) = mpsc::channel();
    let feeder = thread::spawn(move || {
        pipe.write_all(traffic::events("more", LINES).as_bytes())
            .unwrap();
        gone.recv().unwrap();
    });
    at_a_random_moment(20_000);
    assert!(shell(&kill));
    let output = child.wait_with_output().unwrap();
    is_gone.send(()).unwrap();
    let mut unread = String::new();
    drop(command);
    rest.read_to_string(&mut unread).unwrap();
    feeder.join().unwrap();
    assert_eq!(output.status.code(), Some(code));
    // A line whose first half was read counts with the unread ones.
    let unread = unread.lines().filter(|line| !line.is_empty()).count() as i64;
    assert_eq!(Peek::at(&obs).events() + unread, LINES as i64 + 1);
}

fn shell(line: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).status().unwrap().success()
}

#[test]
fn sigterm_stores_what_was_read_and_exits_143() {
    (0..5).for_each(|_| a_signal_loses_nothing("TERM", 143));
}

#[test]
fn sigint_stores_what_was_read_and_exits_130() {
    (0..5).for_each(|_| a_signal_loses_nothing("INT", 130));
}
