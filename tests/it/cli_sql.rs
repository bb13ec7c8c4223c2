//! What SQL of one's own can ask, and that it can do nothing else.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use serde_json::{Value, json};

use crate::busy_hour::busy_hour;
use crate::obs::{Obs, Ran};

fn sql(obs: &Obs, statement: &str, args: &str) -> Ran {
    let words = ["query", "--sql", statement];
    obs.run(
        &words
            .into_iter()
            .chain(args.split_whitespace())
            .collect::<Vec<_>>(),
    )
}

/// The error of a statement that is refused.
#[track_caller]
fn refused(obs: &Obs, statement: &str, code: i32) -> Value {
    let ran = sql(obs, statement, "--timeout 200ms --json").exits(code);
    assert_eq!(ran.stdout, "", "{statement}");
    let told: Value = serde_json::from_str(&ran.stderr).unwrap();
    told["error"].clone()
}

/// Rows without an end.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

#[test]
fn a_value_keeps_its_type_in_every_format() {
    let obs = busy_hour();
    let values = "SELECT 1 AS n, 1.5 AS n, NULL AS none, 'a,b' AS text, x'00ff' AS bytes";
    let prints = |format| sql(&obs, values, format).exits(0).stdout;
    assert_eq!(
        prints("-o csv"),
        "n,n_2,none,text,bytes\r\n1,1.5,,\"a,b\",00ff\r\n"
    );
    let row = json!({"n": 1, "n_2": 1.5, "none": null, "text": "a,b", "bytes": "00ff"});
    let told: Value = serde_json::from_str(&prints("-o json")).unwrap();
    assert_eq!(
        (&told["schema"], &told["data"]),
        (&json!("obs.sql/v1"), &json!([row]))
    );
    assert_eq!(
        serde_json::from_str::<Value>(&prints("-o jsonl")).unwrap(),
        row
    );
    assert_eq!(prints("-o tsv --fields text,n"), "text\tn\na,b\t1\n");
    assert_eq!(prints("-o md").lines().count(), 3);
    let empty = sql(&obs, "SELECT 1 AS n WHERE 0", "-o csv").exits(0);
    assert_eq!(empty.stdout, "n\r\n");
}

#[test]
fn a_text_from_an_event_does_not_reach_the_terminal_as_it_is() {
    let ran = sql(&busy_hour(), "SELECT char(27) || ']0;pwned' AS text", "");
    assert!(!ran.exits(0).stdout.contains('\x1b'));
}

#[test]
fn percentiles_are_merged_in_sql_as_obs_merges_them() {
    let obs = busy_hour();
    obs.run(&["rollup"]).exits(0);
    let merged = "SELECT round(obs_quantile(obs_merge(latency_sketch), 0.5), 3) AS latency_p50_ms,
        round(obs_quantile(obs_merge(latency_sketch), 0.99), 3) AS latency_p99_ms
        FROM metrics_1min WHERE timestamp >= obs_ms('2h') AND timestamp < obs_ms('now')";
    let fields = "latency_p50_ms,latency_p99_ms";
    let stats = obs.run(&["stats", "--since", "2h", "--fields", fields, "-o", "csv"]);
    assert_eq!(
        sql(&obs, merged, "-o csv").exits(0).stdout,
        stats.exits(0).stdout
    );
    let nothing = "SELECT obs_quantile(obs_merge(NULL), 0.5) AS none, obs_ms(NULL) AS never";
    assert_eq!(
        sql(&obs, nothing, "-o csv").exits(0).stdout,
        "none,never\r\n,\r\n"
    );
    for wrong in [
        "obs_merge(1)",
        "obs_quantile(x'ff', 0.5)",
        "obs_quantile(x'00', 2)",
        "obs_ms('7x')",
    ] {
        assert_eq!(
            refused(&obs, &format!("SELECT {wrong}"), 2)["code"],
            "sql_invalid",
            "{wrong}"
        );
    }
}

#[test]
fn what_sqlite_cannot_read_is_marked_and_the_nearest_name_told() {
    let obs = busy_hour();
    let ran = sql(&obs, "SELECT provider,\n  latncy FROM metrics_raw", "").exits(2);
    assert_eq!(
        ran.stderr,
        "error: cannot run SQL: no such column: latncy\n  \
           --> statement:2:3\n   |   latncy FROM metrics_raw\n   |   ^\n\
         hint: did you mean latency? `echo .tables | obs sql` lists tables, `.schema NAME` their columns\n"
    );
    for (wrong, nearest) in [
        ("SELECT * FROM metrics_rwa", "metrics_raw"),
        ("SELECT m.sucess FROM metrics_raw m", "success"),
        (
            "SELECT obs_merg(latency_sketch) FROM metrics_1min",
            "obs_merge",
        ),
    ] {
        let hint = refused(&obs, wrong, 2)["hint"].to_string();
        assert!(
            hint.contains(&format!("did you mean {nearest}?")),
            "{wrong}: {hint}"
        );
    }
}

#[test]
fn sql_can_change_nothing_and_reach_nothing() {
    let obs = busy_hour();
    fs::write(obs.folder().join("other.db"), "").unwrap();
    let before = (fs::read(obs.db()).unwrap(), files(&obs));
    for statement in [
        "INSERT INTO alert_rules SELECT * FROM alert_rules",
        "WITH a AS (SELECT 1) DELETE FROM event",
        "REPLACE INTO setting VALUES ('a', 'b')",
        "UPDATE event SET kind = 1 RETURNING *",
        "CREATE TABLE t(x)",
        "CREATE TEMP TABLE t(x)",
        "CREATE VIRTUAL TABLE t USING fts5(x)",
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN SELECT 1; END",
        "ALTER TABLE event RENAME TO e",
        "DROP VIEW metrics_raw",
        "ATTACH 'other.db' AS other",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO 'copy.db'",
        "REINDEX",
        "ANALYZE",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
        "PRAGMA writable_schema = ON",
        "PRAGMA query_only = OFF",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = DELETE",
        "SELECT * FROM pragma_database_list",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
    ] {
        let code = refused(&obs, statement, 2)["code"].clone();
        let trigger = statement.starts_with("CREATE TRIGGER") && code == "sql_invalid";
        assert!(code == "sql_forbidden" || trigger, "{statement}: {code}");
    }
    for statement in [
        "",
        " ; ",
        "-- nothing",
        "/* nothing */;",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE event",
        "SELECT ?",
        "SELECT :name",
        "SELECT readfile('obs.db')",
        "SELECT * FROM pragma_journal_mode('delete')",
        "SELECT edit('x')",
        "SELECT 9223372036854775807 + abs(-9223372036854775808)",
    ] {
        assert_eq!(
            refused(&obs, statement, 2)["code"],
            "sql_invalid",
            "{statement}"
        );
    }
    assert!(
        (fs::read(obs.db()).unwrap(), files(&obs)) == before,
        "the store was touched"
    );
}

fn files(obs: &Obs) -> Vec<String> {
    let names = fs::read_dir(obs.folder()).unwrap();
    let mut names: Vec<_> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_statement_is_bounded_in_time_and_memory() {
    let obs = busy_hour();
    for endless in [
        ENDLESS.replace("SELECT i FROM", "SELECT count(*) FROM"),
        "SELECT count(*) FROM name a, name b, name c, name d, name e, name f, name g".into(),
    ] {
        assert_eq!(
            refused(&obs, &endless, 1)["code"],
            "sql_timeout",
            "{endless}"
        );
    }
    for large in [
        "SELECT zeroblob(1000000000)",
        "SELECT length(randomblob(1000000000))",
        "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT replace(hex(zeroblob(4000000)), '0', '00000000')",
    ] {
        assert_eq!(refused(&obs, large, 1)["code"], "sql_too_large", "{large}");
    }
    let wide = format!("SELECT {}", vec!["1"; 600].join(","));
    let deep = format!("SELECT {}1", "1+".repeat(900));
    let long = format!("SELECT '{}'", "x".repeat(110_000));
    let many = vec!["SELECT 1"; 200].join(" UNION ALL ");
    for statement in [wide, deep, long, many] {
        let code = refused_in_a_file(&obs, statement.as_bytes());
        assert!(
            ["sql_invalid", "sql_too_large"].contains(&code.as_str()),
            "{code}"
        );
    }
    let rows = ENDLESS.replace("SELECT i FROM", "SELECT hex(zeroblob(1000000)) FROM");
    assert_eq!(sql(&obs, &rows, "").exits(1).stdout, "");
}

fn refused_in_a_file(obs: &Obs, statement: &[u8]) -> String {
    fs::write(obs.folder().join("question.sql"), statement).unwrap();
    let ran = obs.run(&["query", "--json", "--sql", "@question.sql"]);
    assert!((1..=2).contains(&ran.code), "{ran}");
    let told: Value = serde_json::from_str(&ran.stderr).unwrap();
    told["error"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_statement_comes_from_a_file_or_a_pipe_too() {
    let obs = busy_hour();
    let count = "-- how many\nSELECT count(*) AS n FROM metrics_raw;\n";
    fs::write(obs.folder().join("count.sql"), count).unwrap();
    let args = ["query", "-o", "csv", "--sql"];
    let from = |place| args.into_iter().chain([place]).collect::<Vec<_>>();
    obs.run(&from("@count.sql")).exits(0).prints("n\n94");
    obs.feed(&from("-"), count).exits(0).prints("n\n94");
    obs.run(&from("@missing.sql")).exits(1);
    for bytes in [&b"SELECT '\xff'"[..], b"SELECT 1\0; DROP TABLE event"] {
        assert_eq!(refused_in_a_file(&obs, bytes), "sql_invalid");
    }
}

#[test]
fn a_table_is_cut_and_says_so_and_data_are_not() {
    let obs = busy_hour();
    let many = format!("{ENDLESS} LIMIT 1500");
    let table = sql(&obs, &many, "").exits(0);
    assert_eq!(table.stdout.lines().count(), 2 + 1_000);
    assert_eq!(
        table.stderr,
        "warning: 1,000 rows, and there are more; use --limit 0 for all\n"
    );
    let all = sql(&obs, &many, "--limit 0").exits(0);
    assert_eq!(
        (all.stdout.lines().count(), all.stderr.as_str()),
        (2 + 1_500, "")
    );
    let json = sql(&obs, &many, "-o json").exits(0).json();
    assert_eq!(json["data"].as_array().unwrap().len(), 1_500);
    let csv = sql(&obs, &many, "-o csv --limit 2").exits(0);
    assert_eq!((&*csv.stdout, &*csv.stderr), ("i\r\n1\r\n2\r\n", ""));
}

#[test]
fn a_reader_holds_up_no_writer_and_ends_with_its_listener() {
    let obs = busy_hour();
    let args = ["query", "-o", "jsonl", "--sql", ENDLESS];
    let mut reader = obs.command(&args).spawn().unwrap();
    let mut lines = BufReader::new(reader.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first, "{\"i\":1}\n");
    let line = r#"{"timestamp":"2026-03-01T11:59:59Z","type":"request","provider":"late"}"#;
    obs.feed(&["--busy-timeout", "0s", "ingest", "-"], line)
        .exits(0);
    drop(lines);
    assert_eq!(reader.wait().unwrap().code(), Some(0));
}

#[test]
fn ctrl_c_ends_a_statement_cleanly() {
    let obs = busy_hour();
    let args = ["query", "-o", "jsonl", "--sql", ENDLESS];
    let mut reader = obs.command(&args).spawn().unwrap();
    let mut lines = BufReader::new(reader.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    let pid = reader.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(sent.unwrap().success());
    std::io::copy(&mut lines, &mut std::io::sink()).unwrap();
    let mut told = String::new();
    reader
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(
        (reader.wait().unwrap().code(), told.as_str()),
        (Some(130), "error: interrupted\n")
    );
}

#[test]
fn a_pipe_of_statements_is_answered_up_to_the_first_error() {
    let obs = busy_hour();
    let asked = "-- two lines\nSELECT count(*) AS n\nFROM metrics_raw; SELECT ';' AS text;\n.output tsv\nselect 1 AS last";
    let ran = obs.feed(&["sql", "-o", "csv"], asked).exits(0);
    assert_eq!(ran.stdout, "n\r\n94\r\ntext\r\n;\r\nlast\n1\n");
    let ran = obs
        .feed(&["sql", "-o", "csv"], "SELECT 1 AS a; SELECT b; SELECT 2;")
        .exits(2);
    assert_eq!(ran.stdout, "a\r\n1\r\n");
    assert!(ran.stderr.contains("no such column: b"), "{ran}");
    obs.feed(&["sql"], "DELETE FROM event;").exits(2);
    obs.feed(&["sql"], "").exits(0).prints("");
}

#[test]
fn the_shell_tells_what_there_is() {
    let obs = busy_hour();
    let tables = obs
        .feed(&["sql", "-o", "csv", "--fields", "name"], ".tables\n")
        .exits(0);
    let names: Vec<&str> = tables.stdout.lines().map(str::trim).collect();
    assert_eq!(names[..3], ["name", "metrics_raw", "metrics_1min"]);
    let columns = obs
        .feed(&["sql", "-o", "csv"], ".schema metrics_raw")
        .exits(0);
    assert!(
        columns.stdout.starts_with("column\r\nid\r\nref\r\n"),
        "{columns}"
    );
    let ran = obs.feed(&["sql"], ".schema metrics_rwa\n").exits(2);
    assert!(ran.stderr.contains("did you mean metrics_raw?"), "{ran}");
    let ran = obs.feed(&["sql"], ".tabels\n").exits(2);
    assert!(ran.stderr.contains("did you mean .tables?"), "{ran}");
}
