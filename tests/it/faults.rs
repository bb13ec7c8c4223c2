//! What the store survives of its disk: each write, sync and truncation of its
//! files fails in turn, once or for good, at once or after half of it was done.
//! What was acknowledged before is there afterwards, the file is sound, and the
//! next start goes on as if nothing had been.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

/// What goes wrong: the call, the reason (EIO is 5, ENOSPC is 28) and the manner.
const FAULTS: [(&str, &str, &str); 7] = [
    ("write", "5", "FAULT_ONCE"),
    ("write", "5", "FAULT_HALF"),
    ("write", "28", "FAULT_HALF"),
    ("write", "5", "FAULT_STAYS"),
    ("sync", "5", "FAULT_ONCE"),
    ("sync", "5", "FAULT_STAYS"),
    ("truncate", "5", "FAULT_ONCE"),
];

/// How many faults a test promises, of each hundred that all promise together:
/// `OBS_FAULTS`, or a few.
fn promised(of_a_hundred: u64) -> u64 {
    let all = std::env::var("OBS_FAULTS");
    let all: u64 = all.map_or(20, |n| n.parse().expect("OBS_FAULTS is a number"));
    all * of_a_hundred / 100
}

/// The preloaded library, compiled once.
fn library() -> &'static PathBuf {
    static MADE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = MADE.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("fault.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fault.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
        let made = compiler.arg(&path).arg(source).status();
        assert!(
            made.as_ref().is_ok_and(|status| status.success()),
            "this test needs a C compiler, called cc: {made:?}"
        );
        (folder, path)
    });
    path
}

/// What becomes of one command when its disk fails.
struct Story {
    /// The faults that this command stands for, of each hundred.
    share: u64,
    prepare: fn() -> Obs,
    args: &'static [&'static str],
    /// A number that is 0 when the command has done its work.
    undone: &'static str,
}

/// Runs the command with the nth call failing, for each fault and one n after the
/// other, then ever further apart, until there are no more calls; then `judge` looks
/// at what is left. Ends the test unless that were as many as were promised.
fn inject(story: &Story, judge: impl Fn(&Obs, &Run)) {
    let Story {
        share,
        prepare,
        args,
        undone,
    } = story;
    // Of the seven faults, the four of writes find calls enough.
    let in_a_row = promised(*share) / 4 + 1;
    let mut injected = 0;
    for (call, reason, manner) in FAULTS {
        let mut at = 1;
        loop {
            let obs = prepare();
            let mark = obs.folder().join("happened");
            let mut command = obs.command(args);
            command
                .env("LD_PRELOAD", library())
                .env("FAULT_FILE", "obs.db")
                .env("FAULT_MARK", &mark)
                .env("FAULT_CALL", call)
                .env("FAULT_ERRNO", reason)
                .env("FAULT_AT", at.to_string())
                .env(manner, "1");
            let (output, acknowledged) = feed(&obs, command);
            if !mark.exists() {
                break;
            }
            injected += 1;
            let run = Run {
                fault: format!("{call} {at} fails with {reason}, {manner}"),
                output,
                acknowledged,
            };
            if run.tells_what_went_wrong() {
                // Only the tidying up after the work may fail without a word.
                assert_eq!(Peek::at(&obs).number(undone), 0, "{}", run.fault);
            }
            judge(&obs, &run);
            at = if at < in_a_row { at + 1 } else { at * 2 };
        }
    }
    assert!(injected >= promised(*share), "only {injected} faults");
}

/// A run whose disk failed.
struct Run {
    fault: String,
    output: Output,
    /// Events that others had seen in the store while it ran.
    acknowledged: i64,
}

impl Run {
    /// Ends the test unless it says in one line what went wrong, or ended as if nothing
    /// had happened: then true.
    #[track_caller]
    fn tells_what_went_wrong(&self) -> bool {
        let stderr = String::from_utf8_lossy(&self.output.stderr);
        let errors = stderr.lines().filter(|l| l.starts_with("error: ")).count();
        match self.output.status.code() {
            Some(0) => assert_eq!(errors, 0, "{}: {stderr}", self.fault),
            Some(1) => {
                assert_eq!(errors, 1, "{}: {stderr}", self.fault);
                let full = stderr.contains("no room for the store to grow");
                let failed = stderr.contains("the disk failed");
                assert!(full || failed, "{}: {stderr}", self.fault);
            }
            code => panic!("{}: exit {code:?}\n{stderr}", self.fault),
        }
        self.output.status.success()
    }
}

/// Events fed, a few at a time.
const FED: u64 = 8;
const AT_ONCE: u64 = 4;
/// Events that were there before.
const BEFORE: u64 = 60;

/// Feeds events in small transactions: the next few come when the last ones are stored.
fn feed(obs: &Obs, mut command: Command) -> (Output, i64) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let mut acknowledged = 0;
    let is_ingest = command.get_args().next().is_some_and(|arg| arg == "ingest");
    if is_ingest {
        let before = stored(obs);
        for from in (0..FED).step_by(AT_ONCE as usize) {
            let some = (from..from + AT_ONCE).map(|n| traffic::event("fed", n));
            if pipe.write_all(traffic::lines(some).as_bytes()).is_err() {
                break;
            }
            let goal = before + (from + AT_ONCE) as i64;
            while stored(obs) < goal && child.try_wait().unwrap().is_none() {
                thread::park_timeout(Duration::from_millis(5));
            }
            acknowledged = stored(obs);
            if acknowledged < goal {
                break;
            }
        }
    }
    drop(pipe);
    (child.wait_with_output().unwrap(), acknowledged)
}

/// Events in a store that may not be born yet.
fn stored(obs: &Obs) -> i64 {
    Peek::look(obs).unwrap_or(0)
}

/// A store with events, some of them rolled up.
fn lived_in() -> Obs {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    copy_of(&MADE, || {
        let obs = Obs::at(NOW);
        obs.feed(&["ingest"], traffic::events("before", BEFORE / 2))
            .exits(0);
        obs.run(&["rollup"]).exits(0);
        obs.feed(&["ingest"], traffic::events("before", BEFORE))
            .exits(0);
        obs
    })
}

/// A store with events, all of them rolled up and some of them too old.
fn outlived() -> Obs {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    copy_of(&MADE, || {
        let obs = lived_in();
        obs.run(&["rollup"]).exits(0);
        obs.run(&["retention", "set", "raw", "1d"]).exits(0);
        obs
    })
}

/// A copy of a store that is made once.
fn copy_of(made: &OnceLock<Vec<u8>>, make: impl FnOnce() -> Obs) -> Obs {
    let bytes = made.get_or_init(|| fs::read(make().db()).unwrap());
    let obs = Obs::at(NOW);
    fs::write(obs.db(), bytes).unwrap();
    obs
}

/// Ends the test unless the store is sound, holds what was acknowledged, takes in
/// the rest, and rolls up to what raw events say.
#[track_caller]
fn goes_on(obs: &Obs, run: &Run, before: u64) {
    let told = &run.fault;
    obs.run(&["init"]).exits(0);
    let peek = Peek::at(obs);
    peek.is_sound();
    assert!(peek.events() >= run.acknowledged, "{told}");
    assert_eq!(peek.acknowledged(), peek.events(), "{told}");
    obs.feed(&["ingest"], traffic::events("fed", FED)).exits(0);
    assert_eq!(peek.events(), (before + FED) as i64, "{told}");
    obs.run(&["rollup"]).exits(0);
    obs.run(&["rollup", "--verify"]).exits(0);
}

#[test]
fn an_ingest_loses_nothing_acknowledged_to_a_failing_disk() {
    let story = Story {
        share: 25,
        prepare: lived_in,
        args: &["ingest"],
        undone: "SELECT 60 + 8 - count(*) FROM event",
    };
    inject(&story, |obs, run| goes_on(obs, run, BEFORE));
}

#[test]
fn a_birth_on_a_failing_disk_is_completed_by_the_next_start() {
    let story = Story {
        share: 40,
        prepare: || Obs::at(NOW),
        args: &["ingest"],
        undone: "SELECT 8 - count(*) FROM event",
    };
    inject(&story, |obs, run| goes_on(obs, run, 0));
}

#[test]
fn a_roll_up_on_a_failing_disk_is_right_or_is_not_there() {
    let story = Story {
        share: 20,
        prepare: lived_in,
        args: &["rollup"],
        undone: "SELECT count(*) FROM dirty",
    };
    inject(&story, |obs, run| goes_on(obs, run, BEFORE));
}

#[test]
fn a_clean_up_on_a_failing_disk_is_completed_by_the_next() {
    const OLD: &str = "SELECT count(*) FROM metrics_raw WHERE timestamp < 1772280000000";
    let story = Story {
        share: 15,
        prepare: outlived,
        args: &["retention", "run", "--yes"],
        undone: OLD,
    };
    inject(&story, |obs, run| {
        obs.run(&["rollup", "--verify"]).exits(0);
        obs.run(&["retention", "run", "--yes"]).exits(0);
        let peek = Peek::at(obs);
        peek.is_sound();
        assert_eq!(peek.number(OLD), 0, "{}", run.fault);
        let kept = "SELECT sum(requests) FROM metrics_1day";
        let requests = (0..BEFORE).filter(|n| n % 8 < 6).count() as i64;
        assert_eq!(peek.number(kept), requests, "{}", run.fault);
    });
}
