//! `obs ingest` as it is used: what counts as an event, what as the same event,
//! what is refused and where it is kept, and what each flag does to that.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::obs::{Obs, Ran};
use crate::peek::Peek;
use crate::traffic::{self, NOW, request};

/// A file in the folder of `obs`.
fn file(obs: &Obs, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = obs.folder().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// What became of the lines: accepted, updated, duplicate, rejected.
#[track_caller]
fn counts(ran: &Ran) -> [u64; 4] {
    let row = &ran.json()["data"][0];
    let count = |name: &str| row[name].as_u64().unwrap();
    let counts = ["accepted", "updated", "duplicate", "rejected"].map(count);
    assert_eq!(counts.iter().sum::<u64>(), count("lines"), "{row}");
    counts
}

#[track_caller]
fn ingest(obs: &Obs, args: &[&str], stdin: impl AsRef<[u8]> + Send) -> Ran {
    let args: Vec<&str> = ["ingest", "--json"].iter().chain(args).copied().collect();
    obs.feed(&args, stdin)
}

const MIXED: &str = r#"{"type":"request","id":"1","timestamp":"2026-03-01T11:59:00Z","provider":"claude","latency":820}
not json at all
{"type":"request","id":"1","timestamp":"2026-03-01T11:59:00Z","provider":"claude","latency":820}

{"type":"request","id":"2","timestamp":"2026-03-01T11:59:01Z","provider":"claude","latency":"fast"}
{"type":"request","id":"3","provider":"claude"}
{"type":"request","id":"4","timestamp":"2026-03-01T11:59:02Z","latency":-1}
{"type":"banana","id":"5","timestamp":"2026-03-01T11:59:03Z"}
{"type":"request","id":"6","timestamp":"2026-03-01T13:00:00Z"}
{"type":"request","id":"7","timestamp":"1999-12-31T23:59:59Z"}
{"type":"request","id":"8","id":"8","timestamp":"2026-03-01T11:59:04Z"}
{"type":"request","id":"9","timestamp":"2026-03-01T11:59:05Z","input_tokens":18446744073709551616}
{"type":"cache","id":"10","timestamp":"2026-03-01T11:59:06Z","provider":"claude","event":"hit"}
"#;

#[test]
fn each_line_is_accepted_updated_duplicate_or_rejected() {
    let obs = Obs::at(NOW);
    let ran = ingest(&obs, &[], MIXED).exits(5);
    assert_eq!(counts(&ran), [2, 0, 1, 9]);
    assert_eq!(Peek::at(&obs).events(), 2);
}

#[test]
fn a_refused_line_is_told_with_its_place_and_kept_with_its_reason() {
    let obs = Obs::at(NOW);
    let ran = ingest(&obs, &[], MIXED).exits(5);
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(told.len(), 9, "{ran}");
    assert!(told[0].starts_with("-:2: not a JSON object: "), "{ran}");
    assert_eq!(told[1], r#"-:5: latency: expected a number, found "fast""#);
    assert_eq!(told[2], "-:6: timestamp: missing");

    let kept = Peek::at(&obs)
        .rows("SELECT source, line, byte_offset, code, CAST(sample AS TEXT) FROM dead_letter ORDER BY line");
    let offset = MIXED.find("not json").unwrap();
    assert_eq!(kept.len(), 9);
    assert_eq!(kept[0], format!("-|2|{offset}|bad_json|not json at all"));
    let codes: Vec<&str> = kept
        .iter()
        .map(|row| row.split('|').nth(3).unwrap())
        .collect();
    #[rustfmt::skip]
    assert_eq!(codes, [
        "bad_json", "type_mismatch", "no_timestamp", "out_of_range", "unknown_type",
        "time_range", "time_range", "duplicate_key", "out_of_range",
    ]);
}

#[test]
fn ten_refused_lines_are_told_and_all_are_listed_in_a_file() {
    let obs = Obs::at(NOW);
    let bad = traffic::lines((0..25).map(|n| format!("bad {n}")));
    let rejects = obs.folder().join("rejects.txt");
    let ran = ingest(&obs, &["--rejects", rejects.to_str().unwrap()], &bad).exits(5);
    assert_eq!(counts(&ran), [0, 0, 0, 25]);
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(told.len(), 11, "{ran}");
    assert_eq!(
        told[10],
        "warning: 15 more lines were refused; --rejects FILE lists them all"
    );
    let listed = fs::read_to_string(rejects).unwrap();
    assert_eq!(listed.lines().count(), 25);
    assert!(
        listed.lines().last().unwrap().starts_with("-:25: "),
        "{listed}"
    );
}

#[test]
fn strict_stops_at_the_first_bad_line_and_leaves_nothing_of_its_transaction() {
    let obs = Obs::at(NOW);
    let before = file(&obs, "before.jsonl", traffic::events("before", 5));
    let mixed = file(&obs, "mixed.jsonl", MIXED);
    let ran = obs
        .run(&[
            "ingest",
            "--strict",
            before.to_str().unwrap(),
            mixed.to_str().unwrap(),
        ])
        .exits(1);
    let place = format!("error: {}:2: not a JSON object: ", mixed.display());
    assert!(ran.stderr.starts_with(&place), "{ran}");
    let peek = Peek::at(&obs);
    assert_eq!(peek.events(), 5);
    assert_eq!(peek.number("SELECT count(*) FROM dead_letter"), 0);
}

#[test]
fn a_dry_run_tells_all_and_stores_nothing() {
    let obs = Obs::at(NOW);
    let ran = ingest(&obs, &["--dry-run"], MIXED).exits(5);
    let [accepted, _, _, rejected] = counts(&ran);
    assert_eq!(
        (accepted, rejected),
        (3, 9),
        "duplicates cannot be told without a store"
    );
    assert!(!obs.db().exists());
}

#[test]
fn a_line_without_a_time_happens_now_where_that_is_asked_for() {
    let obs = Obs::at(NOW);
    let line = r#"{"type":"request","provider":"claude"}"#;
    ingest(&obs, &[], line).exits(5);
    let ran = ingest(&obs, &["--default-time", "now"], line).exits(0);
    assert_eq!(counts(&ran), [1, 0, 0, 0]);
    let times = Peek::at(&obs).rows("SELECT time FROM metrics_raw");
    assert_eq!(times, ["2026-03-01T12:00:00.000Z"]);
}

#[test]
fn a_line_that_is_too_long_is_refused_alone() {
    let obs = Obs::at(NOW);
    let long = request(
        10,
        &format!(r#""id":"long","error_message":"{}""#, "x".repeat(5_000)),
    );
    let lines = traffic::lines([
        &request(11, r#""id":"a""#),
        &long,
        &request(12, r#""id":"b""#),
    ]);
    let ran = ingest(&obs, &["--max-line", "4KiB"], &lines).exits(5);
    assert_eq!(counts(&ran), [2, 0, 0, 1]);
    assert_eq!(ran.stderr, "-:2: line longer than 4096 bytes\n");
    let kept = Peek::at(&obs).rows("SELECT code, truncated FROM dead_letter");
    assert_eq!(kept, ["too_long|1"]);
    assert_eq!(counts(&ingest(&obs, &[], &lines).exits(0)), [1, 0, 2, 0]);
}

#[test]
fn packed_files_ends_of_lines_and_marks_make_no_difference() {
    let obs = Obs::at(NOW);
    let plain = traffic::events("a", 40);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain.as_bytes()).unwrap();
    let spellings = [
        ("plain.jsonl", plain.clone().into_bytes()),
        ("packed.jsonl.gz", gzip.finish().unwrap()),
        (
            "packed.jsonl.zst",
            zstd::encode_all(plain.as_bytes(), 0).unwrap(),
        ),
        (
            "packed-without-saying-so",
            zstd::encode_all(plain.as_bytes(), 0).unwrap(),
        ),
        ("windows.jsonl", plain.replace('\n', "\r\n").into_bytes()),
        ("marked.jsonl", format!("\u{feff}{plain}").into_bytes()),
        ("open-ended.jsonl", plain.trim_end().as_bytes().to_vec()),
        (
            "blank-lines.jsonl",
            plain.replace('\n', "\n\n").into_bytes(),
        ),
    ];
    for (name, bytes) in spellings {
        let path = file(&obs, name, &bytes);
        let fresh = Obs::at(NOW);
        let alone = ingest(&fresh, &[path.to_str().unwrap()], "").exits(0);
        assert_eq!(counts(&alone), [40, 0, 0, 0], "{name} alone");
        ingest(&obs, &[path.to_str().unwrap()], "").exits(0);
        assert_eq!(Peek::at(&obs).events(), 40, "{name} after the others");
    }
}

#[test]
fn a_csv_file_goes_in_through_a_mapping() {
    let obs = Obs::at(NOW);
    let csv = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
               2026-03-01 11:00:00.6805900,4808,10\n\
               2026-03-01 11:00:01.2,\"3180\",8\n\
               2026-03-01 11:00:02,many,8\n";
    let path = file(&obs, "trace.csv", csv);
    #[rustfmt::skip]
    let ran = ingest(&obs, &[
        path.to_str().unwrap(),
        "--map", "timestamp=TIMESTAMP", "--map", "input_tokens=ContextTokens",
        "--map", "output_tokens=GeneratedTokens",
        "--set", "type=request", "--set", "provider=azure", "--set", "model=gpt-4",
    ], "").exits(5);
    assert_eq!(counts(&ran), [2, 0, 0, 1]);
    let place = format!("{}:4: ContextTokens: expected ", path.display());
    assert!(ran.stderr.starts_with(&place), "{ran}");
    let rows = Peek::at(&obs).rows(
        "SELECT time, provider, model, input_tokens, output_tokens FROM metrics_raw ORDER BY timestamp",
    );
    assert_eq!(
        rows,
        [
            "2026-03-01T11:00:00.680Z|azure|gpt-4|4808|10",
            "2026-03-01T11:00:01.200Z|azure|gpt-4|3180|8"
        ]
    );
}

#[test]
fn the_same_file_changes_nothing_the_second_and_third_time() {
    let obs = Obs::at(NOW);
    let without_ids = traffic::lines((0..30).map(|_| request(60_000, r#""latency":100"#)));
    let all = traffic::events("a", 200) + &without_ids;
    let path = file(&obs, "events.jsonl", &all);
    let path = path.to_str().unwrap();
    assert_eq!(counts(&ingest(&obs, &[path], "").exits(0)), [230, 0, 0, 0]);
    let first = Peek::at(&obs).content();
    for _ in 0..2 {
        assert_eq!(counts(&ingest(&obs, &[path], "").exits(0)), [0, 0, 230, 0]);
        assert_eq!(Peek::at(&obs).content(), first);
    }

    obs.run(&["rollup"]).exits(0);
    let rolled_up = Peek::at(&obs).content();
    assert_eq!(counts(&ingest(&obs, &[path], "").exits(0)), [0, 0, 230, 0]);
    obs.run(&["rollup"]).exits(0);
    assert_eq!(Peek::at(&obs).content(), rolled_up);
}

#[test]
fn the_same_file_changes_nothing_after_retention_either() {
    let mut obs = Obs::at(NOW);
    let path = file(&obs, "events.jsonl", traffic::events("a", 200));
    let path = path.to_str().unwrap();
    ingest(&obs, &[path], "").exits(0);
    obs.run(&["rollup"]).exits(0);
    // Some of the three days have outlived their week, some have not.
    obs.set_now("2026-03-07T00:00:00Z");
    obs.run(&["retention", "run", "--yes"]).exits(0);
    let peek = Peek::at(&obs);
    let (kept, content) = (peek.events() as u64, peek.content());
    assert!((1..200).contains(&kept), "{kept}");
    for _ in 0..3 {
        let ran = ingest(&obs, &[path], "").exits(5);
        assert_eq!(counts(&ran), [0, 0, kept, 200 - kept]);
        obs.run(&["rollup"]).exits(0);
        obs.run(&["retention", "run", "--yes"]).exits(0);
        assert_eq!(peek.content(), content);
    }
}

#[test]
fn lines_of_a_pipe_without_ids_all_differ() {
    let obs = Obs::at(NOW);
    let line = request(60_000, r#""latency":100"#);
    let lines = traffic::lines([&line, &line, &line]);
    assert_eq!(counts(&ingest(&obs, &[], &lines).exits(0)), [3, 0, 0, 0]);
    assert_eq!(counts(&ingest(&obs, &[], &lines).exits(0)), [3, 0, 0, 0]);
    let same = ["--dedupe", "content"];
    assert_eq!(counts(&ingest(&obs, &same, &lines).exits(0)), [1, 0, 2, 0]);
    assert_eq!(counts(&ingest(&obs, &same, &lines).exits(0)), [0, 0, 3, 0]);
}

/// One answer as some logs write it: again and again while it grows, each time
/// under a new time.
fn growing(version: i64, output: u64) -> String {
    let fields = format!(
        r#""id":"msg-1","user_id":"ada","latency":{},"output_tokens":{output},"cost":0.0{output}"#,
        100 + version
    );
    request(200_000_000 - version * 90_000_000, &fields)
}

#[test]
fn an_answer_that_is_logged_while_it_grows_counts_once_at_its_largest() {
    let obs = Obs::at(NOW);
    let versions = traffic::lines([growing(0, 10), growing(1, 50), growing(2, 30)]);
    let by_id = ["--dedupe", "id"];
    assert_eq!(
        counts(&ingest(&obs, &by_id, &versions).exits(0)),
        [1, 1, 1, 0]
    );
    let peek = Peek::at(&obs);
    let row = "SELECT output_tokens, timestamp FROM metrics_raw";
    let expected = format!("50|{}", traffic::NOW_MS - 200_000_000);
    assert_eq!(peek.rows(row), [expected.as_str()]);
    let content = peek.content();
    assert_eq!(
        counts(&ingest(&obs, &by_id, &versions).exits(0)),
        [0, 0, 3, 0]
    );
    assert_eq!(peek.content(), content);
    obs.run(&["rollup"]).exits(0);
    peek.aggregates_equal_raw();
}

#[test]
fn an_answer_that_grows_after_a_roll_up_is_counted_anew_everywhere() {
    let obs = Obs::at(NOW);
    let peek = || Peek::at(&obs);
    for (version, output) in [(0, 10), (1, 50), (2, 30), (3, 70)] {
        ingest(&obs, &["--dedupe", "id"], growing(version % 3, output)).exits(0);
        // A second version in the same minute, before the roll-up.
        ingest(&obs, &["--dedupe", "id"], growing(0, output + 1)).exits(0);
        obs.run(&["rollup"]).exits(0);
        peek().aggregates_equal_raw();
        obs.run(&["rollup", "--verify"]).exits(0);
    }
    assert_eq!(peek().rows("SELECT output_tokens FROM metrics_raw"), ["71"]);
    assert_eq!(
        peek().rows("SELECT requests, output_tokens FROM metrics_1day"),
        ["1|71"]
    );
}

#[test]
fn the_same_id_at_another_time_is_another_event_unless_told_otherwise() {
    let obs = Obs::at(NOW);
    let versions = traffic::lines([growing(0, 10), growing(1, 50)]);
    assert_eq!(counts(&ingest(&obs, &[], &versions).exits(0)), [2, 0, 0, 0]);
}

/// A store whose raw events of three days ago are rolled up and let go.
fn with_raw_events_gone() -> Obs {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    obs.run(&["retention", "set", "raw", "24h"]).exits(0);
    let day = 86_400_000;
    let lines = traffic::lines([
        request(
            3 * day,
            r#""id":"old","latency":100,"user_id":"ada","cost":0.25"#,
        ),
        request(
            1_000,
            r#""id":"new","latency":200,"user_id":"ada","cost":0.5"#,
        ),
    ]);
    ingest(&obs, &[], lines).exits(0);
    obs.run(&["rollup"]).exits(0);
    obs.run(&["retention", "run", "--yes"]).exits(0);
    assert_eq!(Peek::at(&obs).events(), 1);
    obs
}

fn late() -> String {
    let fields = r#""id":"late","latency":300,"user_id":"ada","cost":1.5"#;
    request(3 * 86_400_000, fields)
}

#[test]
fn a_line_from_before_the_reach_of_raw_events_is_refused_and_kept_as_it_came() {
    let obs = with_raw_events_gone();
    let content = Peek::at(&obs).content();
    let ran = ingest(&obs, &[], late()).exits(5);
    assert_eq!(counts(&ran), [0, 0, 0, 1]);
    assert_eq!(
        ran.stderr,
        "-:1: timestamp: 2026-02-26T12:00:00.000Z is before 2026-02-28T12:00:00.000Z, from which on raw events are kept\n\
         warning: 1 line was refused as too old; --backfill takes events from so long ago, but cannot tell repetitions there\n"
    );
    ingest(&obs, &[], late()).exits(5);
    let peek = Peek::at(&obs);
    let kept = peek.rows("SELECT code, CAST(sample AS TEXT) FROM dead_letter");
    assert_eq!(kept, [format!("too_old|{}", late())]);
    assert_eq!(peek.content(), content);
}

#[test]
fn a_backfill_is_merged_into_every_aggregate_once_and_let_go() {
    let obs = with_raw_events_gone();
    ingest(&obs, &["--backfill"], late()).exits(0);
    let peek = Peek::at(&obs);
    assert_eq!(peek.events(), 2);
    for _ in 0..3 {
        obs.run(&["rollup"]).exits(0);
        obs.run(&["rollup", "--verify"]).exits(0);
        obs.run(&["rollup", "--rebuild"]).exits(0);
        assert_eq!(peek.events(), 1);
        for tier in ["metrics_1min", "metrics_1hour", "metrics_1day"] {
            let sql = format!(
                "SELECT requests, cost_usd, latency_min_ms, latency_max_ms FROM {tier} ORDER BY timestamp"
            );
            assert_eq!(
                peek.rows(&sql),
                ["2|1.75|100|300", "1|0.5|200|200"],
                "{tier}"
            );
        }
        assert_eq!(
            peek.rows("SELECT requests, cost FROM ledger ORDER BY day"),
            ["2|1750000000", "1|500000000"]
        );
    }
}

#[test]
fn a_backfill_from_before_the_minutes_goes_into_the_coarser_tiers() {
    let obs = with_raw_events_gone();
    let old = request(
        40 * 86_400_000,
        r#""id":"ancient","latency":300,"cost":1.5"#,
    );
    obs.run(&["retention", "run", "--yes"]).exits(0);
    ingest(&obs, &["--backfill"], old).exits(0);
    (0..2).for_each(|_| drop(obs.run(&["run"]).exits(0)));
    obs.run(&["rollup", "--verify"]).exits(0);
    let peek = Peek::at(&obs);
    let requests = |table: &str| peek.number(&format!("SELECT sum(requests) FROM {table}"));
    assert_eq!(peek.events(), 1);
    assert_eq!(requests("metrics_1min"), 2);
    assert_eq!(requests("metrics_1hour"), 3);
    assert_eq!(requests("metrics_1day"), 3);
    assert_eq!(requests("ledger"), 3);
}

#[test]
fn a_pipe_that_nobody_reads_ends_quietly() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    for args in [
        &["ingest", "--json"][..],
        &["config", "show"],
        &["retention", "show"],
        &["rollup", "--json"],
        &["rollup", "--verify"],
        &["--help"],
    ] {
        let (unread, stdout) = std::io::pipe().unwrap();
        drop(unread);
        let output = obs.command(args).stdout(stdout).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let obs = Obs::at(NOW);
    let missing = obs.run(&["ingest", "no-such-file.jsonl"]).exits(1);
    assert_eq!(
        missing.stderr,
        "error: cannot read no-such-file.jsonl\n  caused by: no such file or directory\n"
    );
    let folder = obs.run(&["ingest", "."]).exits(1);
    assert_eq!(
        folder.stderr,
        "error: cannot read .: it is a folder\nhint: name its files: FOLDER/*.jsonl\n"
    );
    let json = obs
        .run(&["ingest", "no-such-file.jsonl", "--json"])
        .exits(1);
    let told: Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(told["error"]["code"], "input_unreadable");
    assert_eq!(json.stdout, "");
}

#[test]
fn a_packed_file_that_is_cut_short_keeps_what_could_be_read_and_says_so() {
    let obs = Obs::at(NOW);
    let whole = zstd::encode_all(traffic::events("a", 5_000).as_bytes(), 0).unwrap();
    let path = file(&obs, "cut.jsonl.zst", &whole[..whole.len() / 2]);
    let ran = obs.run(&["ingest", path.to_str().unwrap()]).exits(1);
    let told = format!("error: cannot read {}\n", path.display());
    assert!(ran.stderr.starts_with(&told), "{ran}");
}

#[test]
fn a_warning_fails_the_command_when_it_is_asked_to() {
    let obs = Obs::at(NOW);
    let old = r#"{"type":"request","timestamp":"2026-02-20T12:00:00Z","provider":"claude"}"#;
    let ran = obs.feed(&["ingest"], old).exits(0);
    assert!(ran.stderr.starts_with("warning: "), "{ran}");
    obs.feed(&["ingest", "--fail-on-warning"], old.replace("20T", "21T"))
        .exits(3);
}
