//! Acts out the stories of `tests/scenarios/`, each with the real binary in a
//! folder of its own. How a story is written: `story.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;

use crate::lines;
use crate::obs::{Obs, Ran};
use crate::story::{self, Deed, Step};

#[test]
fn every_story_goes_as_it_is_told() {
    let failures: Vec<String> = stories().iter().filter_map(|s| act(s).err()).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

fn stories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut stories: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    stories.sort();
    stories
}

/// Acts one story; the error says where it went another way, and how.
fn act(path: &Path) -> Result<(), String> {
    let name = path.file_name().unwrap().to_string_lossy();
    let place = |line| format!("tests/scenarios/{name}:{line}");
    let steps = story::parse(&fs::read_to_string(path).unwrap())
        .map_err(|(line, what)| format!("{}: {what}", place(line)))?;
    let Some(first) = steps.first() else {
        return Err(format!("{}: nothing happens", place(1)));
    };
    let mut obs = Obs::at(&moment(first));
    for step in &steps {
        obs.set_now(&moment(step));
        carry_out(&obs, &step.deed).map_err(|what| format!("{}: {what}", place(step.line)))?;
    }
    Ok(())
}

fn moment(step: &Step) -> String {
    step.now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn carry_out(obs: &Obs, deed: &Deed) -> Result<(), String> {
    match deed {
        Deed::Ingest(events) => exits(&obs.feed(&["ingest", "-"], events), 0),
        Deed::Run {
            args,
            prints,
            exits: code,
        } => {
            let ran = obs.run(args);
            exits(&ran, *code)?;
            let expected: Vec<&str> = prints.iter().map(String::as_str).collect();
            match lines::difference(&expected, &ran.stdout) {
                Some(difference) => Err(format!("{difference}{ran}")),
                None => Ok(()),
            }
        }
    }
}

fn exits(ran: &Ran, code: i32) -> Result<(), String> {
    if ran.code == code {
        Ok(())
    } else {
        Err(format!("expected exit {code}\n{ran}"))
    }
}

#[test]
fn a_story_that_goes_another_way_names_the_line() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("of_no_return.txt");
    fs::write(
        &path,
        "at 2026-03-01T12:00:00Z\n$ obs no-such-command\nwelcome\n",
    )
    .unwrap();
    let told = act(&path).unwrap_err();
    assert!(
        told.starts_with("tests/scenarios/of_no_return.txt:2: expected"),
        "{told}"
    );
    assert!(told.contains("$ obs no-such-command"), "{told}");
}
