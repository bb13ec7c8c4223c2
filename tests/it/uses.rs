//! The rules that hold the house up: who may use whom, where SQL lives, how a
//! file begins and how long it may grow.
//!
//! The table of floors is the one of `docs/architecture.md`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::rust_source::{self, Token};

/// What a module may use.
enum Uses {
    These(&'static [&'static str]),
    EveryFloorBelow,
}
use Uses::{EveryFloorBelow, These};

/// Each module with its floor, lowest first.
const FLOORS: [(u8, &str, Uses); 24] = [
    (0, "model", These(&[])),
    (1, "clock", These(&["model"])),
    (1, "input", These(&["model"])),
    (1, "config", These(&["model"])),
    (1, "prices", These(&["model"])),
    (1, "render", These(&["model"])),
    (1, "notify", These(&["model"])),
    (2, "store", These(&["model"])),
    (3, "ingest", These(&["model", "input", "prices", "store"])),
    (3, "rollup", These(&["model", "store"])),
    (3, "retention", These(&["model", "store"])),
    (3, "query", These(&["model", "store"])),
    (4, "alert", These(&["model", "store", "query"])),
    (4, "cost", These(&["model", "store", "query"])),
    (4, "health", These(&["model", "store", "query"])),
    (4, "anomaly", These(&["model", "store", "query"])),
    (4, "trace", These(&["model", "store", "query"])),
    (4, "faults", These(&["model", "store", "query"])),
    (4, "limits", These(&["model", "store", "query"])),
    (5, "cycle", EveryFloorBelow),
    (5, "serve", EveryFloorBelow),
    (5, "live", EveryFloorBelow),
    (6, "cli", EveryFloorBelow),
    (7, "main", These(&["cli"])),
];

/// How long a file may grow before a second idea in it wants a file of its own.
const LINES_AT_MOST: usize = 600;

#[test]
fn a_module_uses_only_what_its_floor_allows() {
    let mut broken = Vec::new();
    for file in rust_files("src") {
        let module = module_of(&file);
        let Some(home) = module.first().filter(|m| **m != "lib") else {
            continue;
        };
        let Some(floor) = floor_of(home) else {
            broken.push(format!("{}: `{home}` is on no floor", file.display()));
            continue;
        };
        let source = fs::read_to_string(&file).unwrap();
        for (line, name) in rust_source::named_modules(&module, &source) {
            if name != *home && !may_use(floor, &name) {
                broken.push(format!(
                    "{}:{line}: `{home}` (floor {}) must not use `{name}`; {}",
                    file.display(),
                    floor.0,
                    allowance(floor),
                ));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_library_lists_its_modules_floor_by_floor() {
    let source = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let listed: Vec<_> = source
        .lines()
        .filter_map(|l| {
            l.trim_start_matches("pub ")
                .strip_prefix("mod ")?
                .strip_suffix(';')
        })
        .map(|name| (floor_of(name).map(|f| f.0), name))
        .collect();
    assert!(listed.is_sorted_by_key(|(floor, _)| *floor), "{listed:?}");
}

#[test]
fn a_floor_rests_on_the_floors_below_it() {
    for (floor, module, uses) in &FLOORS {
        if let These(names) = uses {
            for name in *names {
                let below = floor_of(name).is_some_and(|f| f.0 < *floor);
                assert!(below, "`{module}` cannot rest on `{name}`");
            }
        }
    }
}

#[test]
fn sql_lives_in_the_store() {
    let mut broken = Vec::new();
    for file in rust_files("src") {
        if module_of(&file).first().is_some_and(|m| m == "store") {
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        for (line, token) in rust_source::tokens(&source) {
            if matches!(&token, Token::Text(text) if is_sql(text)) {
                broken.push(format!("{}:{line}: SQL outside src/store", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn a_file_says_what_it_holds_and_stays_readable() {
    let mut broken = Vec::new();
    for file in ["src", "tests", "benches"].into_iter().flat_map(rust_files) {
        let source = fs::read_to_string(&file).unwrap();
        let length = source.lines().count();
        if !source.starts_with("//! ") {
            broken.push(format!("{}:1: begins without `//!`", file.display()));
        }
        if length > LINES_AT_MOST {
            broken.push(format!(
                "{}: {length} lines; look for the second idea in it",
                file.display()
            ));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

type Floor = (u8, &'static str, Uses);

fn floor_of(module: &str) -> Option<&'static Floor> {
    static TABLE: [Floor; FLOORS.len()] = FLOORS;
    TABLE.iter().find(|floor| floor.1 == module)
}

/// Whether a module on `floor` may use `name`, which may be an item of the crate's root.
fn may_use(floor: &Floor, name: &str) -> bool {
    match (floor_of(name), &floor.2) {
        (Some(used), EveryFloorBelow) => used.0 < floor.0,
        (Some(_), These(names)) => names.contains(&name),
        (None, _) => name != "*",
    }
}

fn allowance(floor: &Floor) -> String {
    match floor.2 {
        These([]) => "it may use no other".into(),
        These(names) => format!("it may use {}", names.join(", ")),
        EveryFloorBelow => "it may use the floors below it".into(),
    }
}

/// Whether a text holds a statement of SQL. Keywords count in capitals only, as the house writes them.
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
    BEGINNINGS.iter().any(|b| words.starts_with(b))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files in a folder of the project, as paths that can be opened from anywhere.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The path of the module that a file of `src/` holds: `store`, `raw` for `src/store/raw.rs`.
fn module_of(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let mut names: Vec<String> = inside
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    names.pop_if(|last| last == "mod");
    names
}

#[test]
fn a_broken_rule_is_found() {
    let allowed = |user, used| may_use(floor_of(user).unwrap(), used);
    assert!(allowed("store", "model") && allowed("cli", "store") && allowed("main", "cli"));
    assert!(!allowed("model", "store") && !allowed("query", "rollup") && !allowed("main", "store"));
    assert!(!allowed("serve", "live") && !allowed("input", "*"));
    assert!(is_sql("SELECT 1") && is_sql("\n  INSERT INTO event VALUES (1)"));
    assert!(!is_sql("select a provider") && !is_sql("UPDATED") && !is_sql("write SELECTOR"));
}
