//! What every command promises, told with the smallest one: `obs config`.

use crate::ingest::Pipe;
use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::config::{Places, Variables};

/// A machine without terminals, with all its files in one directory.
struct Machine {
    dir: tempfile::TempDir,
    environment: Environment,
}

/// What came of a run.
#[derive(Debug, PartialEq)]
struct Told {
    code: u8,
    out: String,
    err: String,
}

impl Machine {
    fn new() -> Machine {
        Machine::with(&[])
    }

    fn with(variables: &[(&str, &str)]) -> Machine {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let environment = Environment {
            variables: Variables::of(variables),
            places: Places {
                project: at("obs.toml"),
                user: Some(at("user.toml")),
                system: at("system.toml"),
                store: Some(at("obs.db")),
                state: Some(at("state")),
            },
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            terminal_width: None,
        };
        Machine { dir, environment }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a command line whose words have no blanks.
    fn run(&self, line: &str) -> Told {
        let mut out = Vec::new();
        let (code, err) = self.run_into(&mut out, line);
        let out = String::from_utf8(out).unwrap();
        Told { code, out, err }
    }

    fn run_into(&self, stdout: &mut dyn Write, line: &str) -> (u8, String) {
        let args = std::iter::once("obs").chain(line.split_whitespace());
        let mut stderr = Vec::new();
        let streams = Streams {
            stdin: Pipe::empty(),
            stdout,
            stderr: &mut stderr,
        };
        let args = args.map(OsString::from).collect();
        let code = run(args, &self.environment, streams);
        (code, String::from_utf8(stderr).unwrap())
    }

    /// The value that `obs config` shows for a setting, with who set it.
    fn setting(&self, flags: &str, name: &str) -> (String, String) {
        let told = self.run(&format!("config show --origin -o json {flags}"));
        let answer: Value = serde_json::from_str(&told.out).expect(&told.err);
        let rows = answer["data"].as_array().unwrap();
        let row = rows.iter().find(|row| row["setting"] == name).unwrap();
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        (text("value"), text("origin"))
    }
}

/// A stdout that refuses every write.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

/// Every command and verb, with the words by which it is called.
fn commands() -> Vec<(String, clap::Command)> {
    fn collect(path: &str, command: &clap::Command, found: &mut Vec<(String, clap::Command)>) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            collect(&path, sub, found);
            found.push((path, sub.clone()));
        }
    }
    let mut found = Vec::new();
    collect("", &Cli::command(), &mut found);
    found
}

#[test]
fn the_definition_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn obs_alone_shows_the_short_help_and_is_a_usage_error() {
    let told = Machine::new().run("");
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert!(told.err.starts_with("What your LLM providers cost"));
    assert!(told.err.contains("Operate:\n  run "));
    assert!(told.err.contains("Examples:\n  obs "));
}

#[test]
fn every_command_stands_in_one_group_and_every_group_holds_commands_that_exist() {
    let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|g| g.commands).copied().collect();
    let command = Cli::command();
    let mut known: Vec<&str> = command.get_subcommands().map(|c| c.get_name()).collect();
    grouped.sort_unstable();
    known.sort_unstable();
    assert_eq!(grouped, known);
}

#[test]
fn the_help_of_every_command_begins_with_a_sentence_and_has_examples() {
    for (path, command) in commands() {
        let told = Machine::new().run(&format!("{path} --help"));
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{path}");
        let sentence = command.get_about().expect(&path).to_string();
        assert!(told.out.starts_with(&sentence), "{path}: {}", told.out);
        assert!(sentence.starts_with(char::is_uppercase), "{path}");
        assert!(!sentence.ends_with('.'), "{path}");
        let examples = told.out.find("\nExamples:\n  ").expect(&path);
        assert!(examples < told.out.find("\nOutput:\n").unwrap(), "{path}");
    }
}

#[test]
fn the_short_help_of_a_command_leaves_out_examples_and_rare_flags() {
    let told = Machine::new().run("config -h");
    assert_eq!(told.code, 0);
    assert!(!told.out.contains("Examples:"));
    assert!(told.out.contains("--output") && !told.out.contains("--csv-safe"));
}

#[test]
fn the_version_is_told_on_stdout() {
    for line in ["-V", "--version", "config show -V"] {
        let told = Machine::new().run(line);
        let expected = format!("obs {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!((told.code, told.out), (0, expected), "{line}");
    }
}

#[test]
fn global_flags_mean_the_same_before_and_after_the_command() {
    let machine = Machine::new();
    let before = machine.run("--utc -o csv config show --now @1769860800");
    let after = machine.run("config show -o csv --utc --now @1769860800");
    assert_eq!(before.code, 0, "{}", before.err);
    assert_eq!(before, after);
    assert!(before.out.contains("tz,UTC"));
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_a_file() {
    let mut machine = Machine::new();
    machine.write("obs.toml", "busy_timeout = '1s'\n");
    let (value, origin) = machine.setting("", "busy_timeout");
    assert_eq!(value, "1s");
    assert!(origin.ends_with("obs.toml:1"), "{origin}");

    machine.environment.variables = Variables::of(&[("OBS_BUSY_TIMEOUT", "2s")]);
    let told = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(
        machine.setting("", "busy_timeout"),
        told("2s", "OBS_BUSY_TIMEOUT")
    );
    assert_eq!(
        machine.setting("--busy-timeout 3s", "busy_timeout"),
        told("3s", "--busy-timeout")
    );
}

#[test]
fn the_json_of_an_answer_carries_the_moment_it_was_told() {
    let machine = Machine::with(&[("OBS_NOW", "2026-01-31T12:00:00Z")]);
    let answer: Value = serde_json::from_str(&machine.run("config --json").out).unwrap();
    assert_eq!(answer["generated_at"], "2026-01-31T12:00:00.000Z");
    assert_eq!(answer["schema"], "obs.config/v1");
}

#[test]
fn a_moment_that_is_none_is_a_usage_error() {
    let told = Machine::new().run("config --now noon");
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert!(told.err.starts_with("error: \"noon\" is not a time"));
    assert!(told.err.contains("\nhint: write it like 24h, "));
}

#[test]
fn the_present_can_be_fixed_in_any_form_of_a_time() {
    for now in [
        "2026-01-31T12:00:00Z",
        "2026-01-31T13:00+01:00",
        "@1769860800",
    ] {
        let told = Machine::new().run(&format!("config --json --now {now}"));
        assert!(told.out.contains("2026-01-31T12:00:00.000Z"), "{now}");
    }
    let told = Machine::new().run("config --json --tz Europe/Berlin --now 2026-01-31T13:00");
    assert!(told.out.contains("2026-01-31T12:00:00.000Z"));
}

#[test]
fn a_doubtful_present_is_warned_of_even_in_cron() {
    let told = Machine::new().run("config --tz Europe/Berlin --now 2026-03-29T02:30 -q");
    assert_eq!(told.code, 0);
    assert!(
        told.err
            .starts_with("warning: 2026-03-29T02:30:00 does not exist in Europe/Berlin")
    );
}

#[test]
fn a_slip_in_a_command_or_flag_names_the_nearest_and_the_list() {
    let machine = Machine::new();
    assert_eq!(
        machine.run("confg").err,
        "error: unrecognized subcommand 'confg'\n\
         hint: a similar subcommand exists: 'config'; `obs --help` lists what there is\n"
    );
    assert_eq!(
        machine.run("config show --origni").err,
        "error: unexpected argument '--origni' found\n\
         hint: a similar argument exists: '--origin'; `obs config show --help` lists what there is\n"
    );
    assert_eq!(
        machine.run("config -o jsn").err,
        "error: invalid value 'jsn' for '--output <FORMAT>' \
         [possible values: table, json, jsonl, csv, tsv, md]\n\
         hint: a similar value exists: 'json'; `obs --help` lists what there is\n"
    );
}

#[test]
fn an_unknown_field_lists_the_valid_ones() {
    let told = Machine::new().run("config --fields valu");
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert_eq!(
        told.err,
        "error: unknown field \"valu\"\n\
         hint: did you mean value? the fields are setting, value\n"
    );
}

#[test]
fn a_program_is_told_of_failures_in_json_on_stderr() {
    let machine = Machine::new();
    for line in [
        "config --bogus -o json",
        "config --bogus -ojson",
        "--output=json config --bogus",
        "config --json --bogus",
        "config --json --now noon",
        "config --json --fields x",
    ] {
        let told = machine.run(line);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{line}");
        let error: Value = serde_json::from_str(&told.err).expect(line);
        assert!(error["error"]["code"].is_string(), "{line}");
        assert!(error["error"]["hint"].is_string(), "{line}");
    }
    machine.write("obs.toml", "output = 'json'\n");
    let told = machine.run("config --now noon");
    let error: Value = serde_json::from_str(&told.err).unwrap();
    assert_eq!(error["error"]["code"], "time_invalid");
}

#[test]
fn a_setting_that_means_nothing_is_refused_at_its_place() {
    let machine = Machine::new();
    machine.write("obs.toml", "# mine\nbusy_timout = '1s'\n");
    let told = machine.run("config show");
    let place = machine.path().join("obs.toml");
    assert_eq!(told.code, 2);
    assert_eq!(
        told.err,
        format!(
            "error: unknown setting \"busy_timout\"\n  \
               --> {}:2:1\n\
             hint: did you mean busy_timeout? \
             the settings are db, output, tz, color, durability, busy_timeout, and [channels.NAME]\n",
            place.display()
        )
    );
}

#[test]
fn the_files_are_shown_even_when_one_cannot_be_read() {
    let machine = Machine::new();
    machine.write("obs.toml", "nonsense");
    assert_eq!(machine.run("config").code, 2);
    let told = machine.run("config path -o csv --fields place,exists");
    assert_eq!(told.code, 0, "{}", told.err);
    assert_eq!(
        told.out,
        "place,exists\r\nproject,true\r\nuser,false\r\nsystem,false\r\n"
    );
}

#[test]
fn a_configuration_file_that_is_not_there_is_named() {
    for (machine, line) in [
        (Machine::new(), "config --config gone.toml"),
        (Machine::with(&[("OBS_CONFIG", "gone.toml")]), "config"),
    ] {
        let told = machine.run(line);
        assert_eq!(told.code, 2);
        assert!(
            told.err
                .starts_with("error: no configuration file gone.toml\n")
        );
    }
}

#[test]
fn a_valid_configuration_is_said_to_be_valid() {
    let machine = Machine::new();
    machine.write("user.toml", "color = 'never'\n");
    let told = machine.run("config check -o jsonl");
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(
        told.out.contains(
            "user.toml\",\"line\":null,\"column\":null,\"state\":\"valid\",\"hint\":null}"
        )
    );
}

#[test]
fn a_closed_pipe_is_a_quiet_success() {
    for line in ["config", "config --json", "--help", "-V"] {
        let told = Machine::new().run_into(&mut Broken(io::ErrorKind::BrokenPipe), line);
        assert_eq!(told, (0, String::new()), "{line}");
    }
}

#[test]
fn a_full_disk_is_a_failure_that_is_told() {
    for line in ["config", "--help"] {
        let told = Machine::new().run_into(&mut Broken(io::ErrorKind::StorageFull), line);
        assert_eq!(
            told,
            (
                1,
                "error: cannot write the answer\n  caused by: no storage space\n".to_owned()
            )
        );
    }
}

#[test]
fn notices_are_for_people_at_a_terminal() {
    let mut machine = Machine::new();
    assert_eq!(machine.run("config check").err, "");
    machine.environment.stdout_is_terminal = true;
    assert!(
        machine
            .run("config check")
            .err
            .starts_with("no configuration file")
    );
    assert_eq!(machine.run("config check -q").err, "");
}

#[test]
fn a_command_without_its_verb_is_not_answered_with_its_description() {
    for (line, names) in [
        ("cost", "prices"),
        ("export", "events, rollups, all, prometheus"),
        ("record", "request, cache, rate_limit"),
    ] {
        let told = Machine::new().run(line);
        let expected = format!(
            "error: `obs {line}` is only the half of a command\n\
             hint: add one of {names}; `obs {line} --help` says what they do\n"
        );
        assert_eq!(told.err, expected);
    }
}

#[test]
fn failures_are_coloured_on_a_terminal_and_on_demand_only() {
    let mut machine = Machine::new();
    let red = |told: Told| told.err.starts_with("\x1b[1;31merror:");
    assert!(!red(machine.run("config --now noon")));
    assert!(red(machine.run("config --now noon --color always")));
    machine.environment.stderr_is_terminal = true;
    assert!(red(machine.run("confg")));
    assert!(!red(machine.run("config --now noon --color never")));
}
