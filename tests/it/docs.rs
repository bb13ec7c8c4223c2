//! docs/cli.md says what `--help` says, to the letter.
//!
//! `UPDATE_DOCS=1 cargo test --test it docs` writes it anew. Flags that `obs --help`
//! explains are explained there only.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use crate::help::{Page, pages};

const HEAD: &str = "# Commands

What `--help` says of `obs` and of every command. A test makes this page from the program, and fails when they differ; the words are
in `src/cli/`. Flags that every command takes are explained under `obs` only.
";

/// The whole of docs/cli.md.
fn reference() -> String {
    let pages = pages();
    let common: BTreeSet<&str> = paragraphs(&pages[0].text).map(|(_, text)| text).collect();
    let mut text = HEAD.to_owned();
    for page in &pages {
        let level = "#".repeat(page.command.len().max(2));
        let help = match page.command.len() {
            1 => page.text.trim_end().to_owned(),
            _ => own(page, &common),
        };
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let help = lines.join("\n");
        text += &format!("\n{level} {}\n\n```text\n{help}\n```\n", page.name());
    }
    text
}

/// The page without the paragraphs that all commands have in common.
fn own(page: &Page, common: &BTreeSet<&str>) -> String {
    let mut kept = Vec::new();
    let mut pending = None;
    for (heading, text) in paragraphs(&page.text) {
        pending = heading.or(pending);
        if common.contains(text) {
            continue;
        }
        kept.push(match pending.take() {
            Some(heading) => format!("{heading}:\n{text}"),
            None => text.to_owned(),
        });
    }
    kept.join("\n\n")
}

/// The paragraphs of a page, each with the heading that stands on the line above it.
fn paragraphs(page: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let pieces = page.trim_end().split("\n\n");
    pieces.map(|piece| match piece.split_once(":\n") {
        Some((heading, text)) if heading.chars().all(char::is_alphabetic) => (Some(heading), text),
        _ => (None, piece),
    })
}

#[test]
fn the_page_of_commands_is_what_the_help_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let told = reference();
    if env::var_os("UPDATE_DOCS").is_some() {
        return fs::write(file, told).unwrap();
    }
    let written = fs::read_to_string(file).unwrap_or_default();
    let (mut told_lines, mut written_lines) = (told.lines(), written.lines());
    for line in 1.. {
        match (told_lines.next(), written_lines.next()) {
            (None, None) => break,
            (told, written) if told == written => (),
            (told, written) => panic!(
                "docs/cli.md:{line} is not what the help says\n  - {}\n  + {}\n\
                 `UPDATE_DOCS=1 cargo test --test it docs` writes it anew",
                written.unwrap_or("(the end)"),
                told.unwrap_or("(the end)"),
            ),
        }
    }
    assert!(told == written, "docs/cli.md ends its lines in another way");
}
