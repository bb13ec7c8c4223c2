//! The rules that hold the house up: who may use whom, where SQL lives, how a
//! file begins and how long it may grow.

use std::fs;
use std::path::{Path, PathBuf};

use crate::floors::{self, House};
use crate::rust_source::{self, Token};

/// How long a file may grow before a second idea in it wants a file of its own.
const LINES_AT_MOST: usize = 600;

#[test]
fn a_module_uses_only_what_its_floor_allows() {
    let house = house();
    check(&["src"], |file, source| {
        let module = module_of(file);
        if module
            .iter()
            .any(|name| ["tests", "testing"].contains(&name.as_str()))
        {
            // Laws are told of several floors at once; they are no part of the house.
            return Vec::new();
        }
        let Some(home) = module.first().filter(|name| *name != "lib") else {
            return Vec::new();
        };
        let Some(floor) = house.floor(home) else {
            return vec![(
                1,
                format!("`{home}` is on no floor of docs/architecture.md"),
            )];
        };
        rust_source::named_modules(&module, source)
            .into_iter()
            .filter(|(_, name)| !house.allows(floor, name))
            .map(|(line, name)| {
                let uses = floor.uses.join(", ");
                let number = floor.number;
                (
                    line,
                    format!(
                        "`{home}` must not use `{name}`; from floor {number} it may use: {uses}"
                    ),
                )
            })
            .collect()
    });
}

#[test]
fn the_library_lists_its_modules_floor_by_floor() {
    let house = house();
    let source = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let listed: Vec<_> = source
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|name| name.trim_end_matches(';'))
        .map(|name| (house.floor(name).map(|f| f.number), name))
        .collect();
    assert!(
        !listed.is_empty() && listed.is_sorted_by_key(|(floor, _)| *floor),
        "{listed:?}"
    );
}

#[test]
fn sql_lives_in_the_store() {
    check(&["src"], |file, source| {
        if module_of(file).first().is_some_and(|home| home == "store") {
            return Vec::new();
        }
        rust_source::tokens(source)
            .into_iter()
            .filter(|(_, token)| matches!(token, Token::Text(text) if is_sql(text)))
            .map(|(line, _)| (line, "SQL outside src/store".to_owned()))
            .collect()
    });
}

#[test]
fn a_file_says_what_it_holds() {
    check(&["src", "tests", "benches"], |_, source| {
        let told = source.starts_with("//! ");
        Vec::from_iter((!told).then(|| (1, "begins without `//!`".to_owned())))
    });
}

#[test]
fn a_file_stays_readable() {
    check(&["src", "tests", "benches"], |_, source| {
        let length = source.lines().count();
        let long = length > LINES_AT_MOST;
        Vec::from_iter(long.then(|| {
            (
                LINES_AT_MOST,
                format!("{length} lines; look for the second idea"),
            )
        }))
    });
}

/// Holds each Rust file of the folders against a rule, which tells lines and what is wrong there.
#[track_caller]
fn check(folders: &[&str], rule: impl Fn(&Path, &str) -> Vec<(usize, String)>) {
    let mut broken = String::new();
    for file in folders.iter().copied().flat_map(rust_files) {
        let source = fs::read_to_string(root().join(&file)).unwrap();
        for (line, what) in rule(&file, &source) {
            broken += &format!("\n{}:{line}: {what}", file.display());
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

/// Whether a text begins as a statement of SQL. Keywords count in capitals only, as the house writes them.
fn is_sql(text: &str) -> bool {
    const BEGINNINGS: [&[&str]; 11] = [
        &["SELECT"],
        &["WITH"],
        &["INSERT", "INTO"],
        &["INSERT", "OR"],
        &["REPLACE", "INTO"],
        &["DELETE", "FROM"],
        &["UPDATE"],
        &["CREATE"],
        &["DROP"],
        &["PRAGMA"],
        &["BEGIN", "IMMEDIATE"],
    ];
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    BEGINNINGS
        .iter()
        .any(|beginning| words.starts_with(beginning))
}

#[test]
fn a_statement_is_told_from_a_sentence() {
    assert!(is_sql("SELECT 1") && is_sql("\n  INSERT INTO event VALUES (1)"));
    assert!(!is_sql("select a provider") && !is_sql("UPDATED") && !is_sql("INSERT a coin"));
}

fn house() -> House {
    floors::house(&fs::read_to_string(root().join("docs/architecture.md")).unwrap())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the project, as paths from its root.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

/// The path of the module that a file of `src/` holds: `store`, `raw` for `src/store/raw.rs`.
fn module_of(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix("src").unwrap().with_extension("");
    let mut names: Vec<String> = inside
        .iter()
        .map(|n| n.to_string_lossy().into_owned())
        .collect();
    names.pop_if(|last| last == "mod");
    names
}
