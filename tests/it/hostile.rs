//! Files that are no store, stores that nobody can use, and texts that try to
//! seize the terminal: clear words, the right exit code, and nothing touched.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;

use rusqlite::Connection;

use crate::migrations::newest_migration;
use crate::obs::{Obs, Ran};
use crate::peek::Peek;
use crate::traffic::{self, NOW, request};

/// Commands that need a store, one of each kind.
const READERS: [&[&str]; 11] = [
    &["stats"],
    &["query", "requests"],
    &["query", "--sql", "SELECT 1"],
    &["sql"],
    &["chart", "requests"],
    &["rollup"],
    &["rollup", "--verify"],
    &["retention", "show"],
    &["retention", "set", "raw", "14d"],
    &["retention", "run", "--yes"],
    &["run"],
];

/// Commands that make a store where there is none.
const MAKERS: [&[&str]; 2] = [&["init"], &["ingest", "-"]];

fn everything() -> impl Iterator<Item = &'static [&'static str]> {
    READERS.into_iter().chain(MAKERS)
}

/// A store with events, some rolled up and some not.
fn used() -> Obs {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], traffic::events("a", 3_000)).exits(0);
    obs.run(&["rollup"]).exits(0);
    obs.feed(&["ingest"], traffic::events("b", 100)).exits(0);
    obs
}

/// Ends the test unless every one of these commands exits 7 with these words and
/// leaves the file as it is.
#[track_caller]
fn refused<'a>(obs: &Obs, commands: impl IntoIterator<Item = &'a [&'a str]>, words: &str) {
    let before = fs::read(obs.db()).ok();
    let words = words.replace("{db}", &obs.db().display().to_string());
    for args in commands {
        let ran = obs.feed(args, traffic::event("c", 1)).exits(7);
        assert_eq!(
            (&*ran.stdout, &*ran.stderr),
            ("", &*words),
            "{}",
            ran.command
        );
        let json: Vec<&str> = args.iter().chain(&["--json"]).copied().collect();
        let told = obs.feed(&json, traffic::event("c", 1)).exits(7).stderr;
        serde_json::from_str::<serde_json::Value>(&told).expect("an error in JSON");
        assert!(
            fs::read(obs.db()).ok() == before,
            "{} touched it",
            ran.command
        );
    }
}

const FOREIGN: &str = "error: {db} is not a store of obs\n\
                       hint: choose another file with --db or OBS_DB\n";
const MISSING: &str = "error: there is no store at {db}\n\
                       hint: `obs init` makes one; --db or OBS_DB names another\n";

#[test]
fn a_missing_store_is_named_and_not_made_by_those_who_only_read() {
    let obs = Obs::at(NOW);
    refused(&obs, READERS, MISSING);
    assert_eq!(fs::read_dir(obs.folder()).unwrap().count(), 0);
}

#[test]
fn an_empty_file_is_a_store_not_yet_born() {
    let obs = Obs::at(NOW);
    fs::write(obs.db(), "").unwrap();
    refused(&obs, READERS, MISSING);
    obs.feed(&["ingest"], traffic::events("a", 10)).exits(0);
    assert_eq!(Peek::at(&obs).events(), 10);
}

#[test]
fn a_text_file_is_not_taken_for_a_store() {
    let obs = Obs::at(NOW);
    fs::write(obs.db(), "dear diary\n".repeat(1_000)).unwrap();
    refused(&obs, everything(), FOREIGN);
}

#[test]
fn a_short_text_file_is_not_taken_for_a_store() {
    let obs = Obs::at(NOW);
    fs::write(obs.db(), "x").unwrap();
    refused(&obs, everything(), FOREIGN);
}

#[test]
fn a_folder_is_not_taken_for_a_store() {
    let obs = Obs::at(NOW);
    fs::create_dir(obs.db()).unwrap();
    refused(&obs, everything(), FOREIGN);
    assert_eq!(fs::read_dir(obs.db()).unwrap().count(), 0);
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    for journal in ["DELETE", "WAL"] {
        let obs = Obs::at(NOW);
        let theirs = Connection::open(obs.db()).unwrap();
        theirs
            .execute_batch(&format!(
                "PRAGMA journal_mode = {journal}; CREATE TABLE event(x); INSERT INTO event VALUES(1);"
            ))
            .unwrap();
        drop(theirs);
        refused(&obs, everything(), FOREIGN);
    }
}

#[test]
fn the_store_of_a_newer_program_is_left_alone() {
    let obs = used();
    let newer = Connection::open(obs.db()).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    refused(
        &obs,
        everything(),
        &format!(
            "error: the store has schema 99; this program knows schemas up to {}\n\
             hint: install the version of obs that wrote it, or a later one\n",
            newest_migration()
        ),
    );
}

#[test]
fn a_store_whose_first_bytes_are_damaged_is_no_store() {
    let obs = used();
    overwrite(&obs.db(), 0, 100);
    refused(&obs, everything(), FOREIGN);
}

#[test]
fn a_store_damaged_in_the_middle_is_called_damaged_and_not_made_worse() {
    let obs = used();
    let size = obs.db().metadata().unwrap().len();
    overwrite(&obs.db(), 4_096, size - 4_096);
    let before = fs::read(obs.db()).unwrap();
    for args in everything() {
        let ran = obs.feed(args, traffic::event("c", 1)).exits(7);
        assert!(
            ran.stderr.starts_with("error: the store is damaged: ")
                && ran.stderr.ends_with(
                    "\nhint: `obs restore FILE` puts a backup in its place; --db or OBS_DB names another\n"
                ),
            "{ran}"
        );
        assert!(
            fs::read(obs.db()).unwrap() == before,
            "{} touched it",
            ran.command
        );
    }
}

#[test]
fn damage_in_the_events_is_found_by_whoever_reads_them() {
    let obs = used();
    let (root, page) = {
        let peek = Peek::at(&obs);
        let root = peek.number("SELECT rootpage FROM sqlite_schema WHERE name = 'event'");
        (root as u64, peek.number("PRAGMA page_size") as u64)
    };
    overwrite(&obs.db(), (root - 1) * page, page);
    let before = fs::read(obs.db()).unwrap();
    for args in [
        &["rollup"][..],
        &["rollup", "--verify"],
        &["rollup", "--rebuild"],
        &["ingest", "-"],
    ] {
        let ran = obs.feed(args, traffic::event("c", 1)).exits(7);
        assert!(
            ran.stderr.starts_with("error: the store is damaged: "),
            "{ran}"
        );
        assert!(
            fs::read(obs.db()).unwrap() == before,
            "{} touched it",
            ran.command
        );
    }
}

fn overwrite(path: &Path, at: u64, bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&vec![0xa5; bytes as usize], at).unwrap();
}

/// Runs it as somebody whom permissions bind, which root is not; `None`, with a
/// word, where such a user may not reach the program.
#[expect(clippy::print_stderr, reason = "a test that cannot be run says so")]
fn run_bound(obs: &Obs, args: &[&str]) -> Option<Ran> {
    let mut command = obs.command(args);
    if obs.folder().metadata().unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    match command.output() {
        Ok(output) => Some(Ran {
            command: args.join(" "),
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            eprintln!("skipped: permissions do not bind root, and nobody may not run obs");
            None
        }
        Err(e) => panic!("{e}"),
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_store_is_called_so_and_left_alone() {
    let obs = used();
    set_mode(&obs.db(), 0o444);
    set_mode(obs.folder(), 0o555);
    let before = fs::read(obs.db()).unwrap();
    for args in [
        &["rollup"][..],
        &["run"],
        &["retention", "set", "raw", "14d"],
    ] {
        let Some(ran) = run_bound(&obs, args) else {
            return;
        };
        let ran = ran.exits(7);
        assert_eq!(
            ran.stderr,
            "error: the store is read-only\nhint: let this user write the file and its folder\n",
            "{ran}"
        );
        assert!(
            fs::read(obs.db()).unwrap() == before,
            "{} touched it",
            ran.command
        );
    }
    set_mode(obs.folder(), 0o755);
}

#[test]
fn a_store_that_may_not_be_read_is_called_so() {
    let obs = used();
    set_mode(obs.folder(), 0o755);
    set_mode(&obs.db(), 0o000);
    let Some(ran) = run_bound(&obs, &["stats"]) else {
        return;
    };
    let ran = ran.exits(1);
    assert_eq!(
        ran.stderr,
        format!(
            "error: cannot open {}\n  caused by: permission denied\nhint: choose another file with --db or OBS_DB\n",
            obs.db().display()
        )
    );
}

#[test]
fn a_folder_that_may_not_be_written_gets_no_store() {
    let obs = Obs::at(NOW);
    set_mode(obs.folder(), 0o555);
    let Some(ran) = run_bound(&obs, &["init"]) else {
        return;
    };
    let ran = ran.exits(1);
    assert_eq!(
        ran.stderr,
        format!(
            "error: cannot create {}.lock\n  caused by: permission denied\nhint: choose another file with --db or OBS_DB\n",
            obs.db().display()
        )
    );
    set_mode(obs.folder(), 0o755);
    assert_eq!(fs::read_dir(obs.folder()).unwrap().count(), 0);
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let obs = used();
    for args in [
        &["stats"][..],
        &["retention", "show"],
        &["query", "requests"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = obs.command(args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "error: cannot write the answer\n  caused by: no space left on device\n"
        );
    }
}

/// What tries to recolour, retitle, rewind or turn round a terminal's line.
const HOSTILE: &str = "\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\r\n\t\u{8}\u{9b}2J\u{202e}nus\u{2066}x\u{200f}\u{feff}\u{7f}";

/// Ends the test when anything is left in the text that a terminal would obey.
#[track_caller]
fn is_inert(what: &str, text: &str) {
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let found = text.chars().find(|c| bad(*c));
    assert_eq!(found, None, "{what} shows it:\n{text:?}");
}

/// A text as it stands in JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn hostile_lines() -> String {
    let text = |name: &str| quoted(&format!("{name}{HOSTILE}"));
    let event = |n: u64| {
        format!(
            r#"{{"type":"request","id":{},"timestamp":{},"provider":{},"model":{},"user_id":{},"role":{},"project":{},"session_id":{},"endpoint":{},"error_type":{},"errorMessage":{},"success":false,"latency":{n},"cost":0.1,"metadata":{{{}:{}}}}}"#,
            text(&n.to_string()),
            traffic::NOW_MS - n as i64 * 1_000,
            text("provider"),
            text("model"),
            text("user"),
            text("role"),
            text("project"),
            text("session"),
            text("endpoint"),
            text("kind"),
            text("message"),
            text("key"),
            text("value"),
        )
    };
    traffic::lines((1..20).map(event))
}

#[test]
fn hostile_text_in_events_is_shown_inert_by_every_question() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], hostile_lines()).exits(0);
    obs.run(&["rollup"]).exits(0);
    let questions: [&[&str]; 8] = [
        &["stats", "--by", "provider,model"],
        &["stats", "--by", "user,role,project"],
        &["stats", "--by", "session,endpoint,error_type"],
        &["query", "requests by (provider, model)"],
        &["query", "p95_latency by (user)"],
        &["chart", "latency", "--by", "provider"],
        &["chart", "requests", "--by", "user"],
        &["rollup", "--verify"],
    ];
    for args in questions {
        for format in ["table", "md", "json", "jsonl"] {
            let args: Vec<&str> = args.iter().chain(&["-o", format]).copied().collect();
            let ran = obs.run(&args);
            is_inert(&ran.command, &ran.stdout);
            is_inert(&ran.command, &ran.stderr);
            let names = matches!(args[0], "stats" | "query");
            assert!(
                !names || ran.stdout.contains("nus"),
                "the text is there\n{ran}"
            );
            ran.exits(0);
        }
    }
}

#[test]
fn hostile_text_is_stored_as_it_came() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], hostile_lines()).exits(0);
    let rows = Peek::at(&obs).rows("SELECT DISTINCT provider, error_message FROM metrics_raw");
    assert_eq!(rows, [format!("provider{HOSTILE}|message{HOSTILE}")]);
}

#[test]
fn a_mismatch_tells_hostile_names_inert() {
    let obs = Obs::at(NOW);
    obs.feed(&["ingest"], hostile_lines()).exits(0);
    obs.run(&["rollup"]).exits(0);
    let store = Connection::open(obs.db()).unwrap();
    store
        .execute("UPDATE bucket_1min SET requests = 1000", [])
        .unwrap();
    drop(store);
    let ran = obs.run(&["rollup", "--verify"]).exits(3);
    assert!(ran.stdout.contains("nus"), "{ran}");
    is_inert("rollup --verify", &ran.stdout);
}

#[test]
fn hostile_refused_lines_are_told_inert() {
    let obs = Obs::at(NOW);
    let bad = [
        format!("{HOSTILE}\n"),
        request(1_000, &format!(r#""latency":{}"#, quoted(HOSTILE))),
        request(
            1_000,
            &format!(r#"{}:1,{}:2"#, quoted(HOSTILE), quoted(HOSTILE)),
        ),
        format!(r#"{{"type":{},"timestamp":1}}"#, quoted(HOSTILE)),
        format!(r#"{{"type":"request","timestamp":{}}}"#, quoted(HOSTILE)),
        format!("{{\"type\":\"{HOSTILE}"),
    ];
    let rejects = obs.folder().join("rejects.txt");
    let told = obs.feed(
        &["ingest", "--rejects", rejects.to_str().unwrap()],
        traffic::lines(&bad),
    );
    is_inert("ingest", &told.exits(5).stderr);
    is_inert(
        "the list of refused lines",
        &fs::read_to_string(rejects).unwrap(),
    );
    for line in &bad {
        for args in [
            &["ingest", "--strict"][..],
            &["ingest", "--strict", "--json"],
        ] {
            let ran = obs.feed(args, line).exits(1);
            is_inert(&ran.command, &ran.stderr);
        }
    }
}

#[test]
fn hostile_arguments_and_names_of_files_are_quoted_inert() {
    let obs = used();
    let name = HOSTILE.replace('/', "");
    let file = obs.folder().join(&name);
    fs::File::create(&file)
        .unwrap()
        .write_all(b"bad line\n")
        .unwrap();
    let commands: [&[&str]; 14] = [
        &["ingest", &name],
        &["ingest", "--strict", &name],
        &["ingest", "missing", &name],
        &["ingest", "--map", &name],
        &["ingest", "--time-unit", &name],
        &["init", "--timezone", &name],
        &["init", "--db", &name],
        &["stats", "--by", &name],
        &["stats", "--since", &name],
        &["stats", "--provider", &name],
        &["stats", "--fields", &name],
        &["query", &name],
        &["chart", &name],
        &[&name],
    ];
    for args in commands {
        let ran = obs.run(args);
        is_inert(&ran.command, &ran.stderr);
        is_inert(&ran.command, &ran.stdout);
        let json: Vec<&str> = args.iter().chain(&["--json"]).copied().collect();
        let ran = obs.run(&json);
        is_inert(&ran.command, &ran.stderr);
        is_inert(&ran.command, &ran.stdout);
    }
}
