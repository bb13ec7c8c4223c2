//! The pages of help, as the program prints them: one for `obs` itself and one for
//! each command and verb, found by walking from page to page.
//!
//! It does not know what the pages should say.

use crate::obs::Obs;

/// Columns of a page, whatever the terminal; the widest that the help uses.
const COLUMNS: &str = "100";

/// What `--help` prints of one command.
pub struct Page {
    /// The words that call it, `obs` first.
    pub command: Vec<String>,
    /// The text.
    pub text: String,
}

impl Page {
    /// The commands as they would be typed.
    pub fn name(&self) -> String {
        self.command.join(" ")
    }

    /// The lines under `Examples:`, without their explanations.
    pub fn examples(&self) -> Vec<&str> {
        let section = self.text.split("\nExamples:\n").nth(1);
        let lines = section.unwrap_or_default().lines();
        lines
            .take_while(|line| !line.is_empty())
            .map(call)
            .collect()
    }

    /// The names of the commands below it.
    fn below(&self) -> Vec<&str> {
        // obs itself lists its commands by what they are for, others under one heading.
        let listed = match self.command.len() {
            1 => self.text.split("\nExamples:\n").next(),
            _ => self
                .text
                .split("\nCommands:\n")
                .nth(1)
                .and_then(|rest| rest.split("\n\n").next()),
        };
        let entries = listed.unwrap_or_default().lines();
        entries
            .filter_map(|line| line.strip_prefix("  "))
            .filter(|entry| entry.starts_with(char::is_alphabetic))
            .filter_map(|entry| entry.split(' ').next())
            .collect()
    }
}

/// All pages, in the order in which they name each other.
pub fn pages() -> Vec<Page> {
    let obs = Obs::at("2026-03-01T12:00:00Z");
    let mut found = Vec::new();
    walk(&obs, vec!["obs".to_owned()], &mut found);
    found
}

fn walk(obs: &Obs, command: Vec<String>, found: &mut Vec<Page>) {
    let words = command[1..].iter().map(String::as_str);
    let args: Vec<&str> = words.chain(["--help"]).collect();
    let text = obs.run_with(&args, &[("COLUMNS", COLUMNS)]).exits(0).stdout;
    let page = Page { command, text };
    let below: Vec<Vec<String>> = page
        .below()
        .into_iter()
        .map(|name| [&page.command[..], &[name.to_owned()]].concat())
        .collect();
    found.push(page);
    for command in below {
        walk(obs, command, found);
    }
}

/// The line up to two blanks outside of quotes, behind which it is explained.
fn call(line: &str) -> &str {
    let line = line.trim();
    let outside = |at: &usize| line[..*at].matches('\'').count().is_multiple_of(2);
    let end = line.match_indices("  ").map(|(at, _)| at).find(outside);
    &line[..end.unwrap_or(line.len())]
}

#[test]
fn a_page_is_found_for_every_command_and_verb() {
    let pages: Vec<String> = pages().iter().map(Page::name).collect();
    for name in [
        "obs",
        "obs stats",
        "obs events dead retry",
        "obs cost prices set",
        "obs man",
    ] {
        assert!(pages.iter().any(|page| page == name), "{name}: {pages:?}");
    }
}
