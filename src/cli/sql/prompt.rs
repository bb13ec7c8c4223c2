//! Who types at `obs sql`: lines that can be edited, a history, and completion.
//!
//! What a statement does is not known here.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, CompletionType, Config, Context, Editor, Helper};

use crate::cli::failure::{Failure, Kind};
use crate::store::{SQL_WORDS, pieces};

/// What somebody did at the prompt.
pub(super) enum Typed {
    /// A statement, or more, or a line with a dot.
    Text(String),
    /// Ctrl-C: what was typed does not count.
    Nothing,
    /// Ctrl-D.
    Leave,
}

/// A terminal somebody types at.
pub(super) struct Prompt {
    editor: Editor<Words, FileHistory>,
    history: Option<PathBuf>,
}

impl Prompt {
    /// A prompt that completes these names. Without a history file, or when it cannot
    /// be read, it has no memory.
    pub(super) fn new(names: Vec<String>, history: Option<PathBuf>) -> Result<Prompt, Failure> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            // Answers alone go to stdout.
            .behavior(Behavior::PreferTerm)
            .build();
        let mut editor = Editor::with_config(config).map_err(|e| unusable(&e))?;
        editor.set_helper(Some(Words(names)));
        if let Some(path) = &history {
            let _ = editor.load_history(path);
        }
        Ok(Prompt { editor, history })
    }

    /// Waits for a whole statement or a line with a dot.
    pub(super) fn read(&mut self) -> Result<Typed, Failure> {
        match self.editor.readline("obs> ") {
            Ok(text) => {
                self.remember(&text);
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Nothing),
            Err(ReadlineError::Eof) => Ok(Typed::Leave),
            Err(error) => Err(unusable(&error)),
        }
    }

    /// Nobody is kept from asking because the history cannot be written. rustyline
    /// makes the file readable by its owner alone.
    fn remember(&mut self, text: &str) {
        let new = self.editor.add_history_entry(text.trim()).unwrap_or(false);
        if let Some(path) = self.history.as_deref().filter(|_| new) {
            let folder = path.parent().map(private_folder);
            let _ = folder.transpose();
            let _ = self.editor.append_history(path);
        }
    }
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn unusable(error: &ReadlineError) -> Failure {
    Failure::new(Kind::Failed, "terminal", "cannot read from the terminal").caused_by(Some(error))
}

/// The names that are completed; SQL's own words are known.
struct Words(Vec<String>);

impl Words {
    /// Where the word at the cursor begins, and what it may become.
    fn candidates(&self, line: &str, at: usize) -> (usize, Vec<String>) {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        let before = line.get(..at).unwrap_or_default();
        let mut from = before.trim_end_matches(inside).len();
        // A dot is a part of the word only where the line begins with it.
        if before.trim_start().starts_with('.') && before[..from].trim() == "." {
            from -= 1;
        }
        let word = before[from..].to_lowercase();
        let names = self.0.iter().map(String::as_str).chain(SQL_WORDS);
        let mut fitting: Vec<String> = names
            .filter(|name| name.to_lowercase().starts_with(&word))
            .map(str::to_owned)
            .collect();
        fitting.sort();
        fitting.dedup();
        (from, fitting)
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(line, at))
    }
}

impl Validator for Words {
    /// Enter goes on to the next line until a semicolon ends the statement.
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(ctx.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

fn is_whole(text: &str) -> bool {
    let last = pieces(text).last();
    text.trim_start().starts_with('.') || last.is_none_or(|piece| piece.is_blank())
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words_are_completed_in_any_case() {
        let words = Words(
            ["metrics_raw", "model", ".tables"]
                .map(str::to_owned)
                .into(),
        );
        let candidates = |line: &str| words.candidates(line, line.len());
        assert_eq!(candidates("select mod"), (7, vec!["model".to_owned()]));
        assert_eq!(candidates("wher"), (0, vec!["WHERE".to_owned()]));
        assert_eq!(candidates("select r.MOD"), (9, vec!["model".to_owned()]));
        assert_eq!(candidates(".ta"), (0, vec![".tables".to_owned()]));
        assert_eq!(
            candidates(".schema metr"),
            (8, vec!["metrics_raw".to_owned()])
        );
    }

    #[test]
    fn enter_runs_what_is_whole() {
        for whole in ["", ".tables", "select 1;", "select ';'; -- done"] {
            assert!(is_whole(whole), "{whole}");
        }
        for part in ["select 1", "select ';", "select 1; select"] {
            assert!(!is_whole(part), "{part}");
        }
    }
}
