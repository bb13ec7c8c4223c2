//! Steps through the text of an expression, and points at what is wrong with it.
//!
//! The grammar is not known here (see `expr`, `condition` and `threshold`).

/// Why a text is no expression or condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// The offending place: bytes from the beginning of the text, on a
    /// character boundary; the length of the text when something is missing at its end.
    pub at: usize,
    /// What was expected and what was found.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl ExprError {
    pub(super) fn new(at: usize, message: String) -> ExprError {
        ExprError {
            at,
            message,
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> ExprError {
        self.hint = Some(hint.into());
        self
    }

    /// Line and column of the place in the text that was read, both from 1, in characters.
    pub fn line_and_column(&self, text: &str) -> (usize, usize) {
        line_and_column(text, self.at)
    }
}

/// Line and column of a place in a text, both from 1, in characters; `at` is in bytes.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// The hint for a word out of a closed list: all of it, and the likeliest.
pub(super) fn choices(all: &str, likeliest: Option<&str>) -> String {
    match likeliest {
        Some(word) => format!("use one of {all} (did you mean {word:?}?)"),
        None => format!("use one of {all}"),
    }
}

/// Reads a text from left to right, one word at a time. Space between words is skipped.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Where the next word begins.
    pub(super) fn next_at(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    /// The characters from here on, space not skipped, for which it holds.
    pub(super) fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !holds(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Steps over this character if it comes next.
    pub(super) fn eat(&mut self, c: char) -> bool {
        self.next_at();
        let is_next = self.rest().starts_with(c);
        if is_next {
            self.at += c.len_utf8();
        }
        is_next
    }

    /// Steps over this name if it comes next, whole.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        self.next_at();
        let is_next = self.next_word() == word;
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    /// Steps over the run of operator characters that comes next; it may be empty.
    pub(super) fn operator(&mut self) -> &'a str {
        self.next_at();
        self.take_while(is_operator)
    }

    /// Nothing but space may be left.
    pub(super) fn end(&mut self, wanted: &str) -> Result<(), ExprError> {
        self.next_at();
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.expected(wanted))
        }
    }

    /// The error that something else was expected here than the next word.
    pub(super) fn expected(&mut self, wanted: &str) -> ExprError {
        let at = self.next_at();
        let found = match self.next_word() {
            "" => "the end".to_string(),
            word => format!("{:?}", shown(word)),
        };
        ExprError::new(at, format!("expected {wanted}, found {found}"))
    }

    /// What comes next: a name, an operator or a single character.
    pub(super) fn next_word(&self) -> &'a str {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return "";
        };
        let belongs: fn(char) -> bool = match first {
            c if is_operator(c) => is_operator,
            c if is_name(c) => is_name,
            _ => |_| false,
        };
        let more = &rest[first.len_utf8()..];
        let length = more.find(|c| !belongs(c)).unwrap_or(more.len());
        &rest[..first.len_utf8() + length]
    }

    /// What stands between the double quotes that come next, backslashes and all.
    pub(super) fn quoted(&mut self) -> Result<&'a str, ExprError> {
        let at = self.next_at();
        let Some(inside) = self.rest().strip_prefix('"') else {
            let wrong = self.expected("a text in double quotes");
            return Err(match self.next_word() {
                word if word.starts_with(is_name) => wrong.hint(format!("write {:?}", shown(word))),
                _ => wrong,
            });
        };
        let mut after_backslash = false;
        let close = inside.find(|c| {
            let closes = c == '"' && !after_backslash;
            after_backslash = c == '\\' && !after_backslash;
            closes
        });
        let Some(length) = close else {
            let open = ExprError::new(at, "this text has no end".to_string());
            return Err(open.hint("close it with a double quote"));
        };
        self.at = at + length + 2;
        Ok(&inside[..length])
    }
}

/// As much of a word as an error repeats.
pub(super) fn shown(word: &str) -> &str {
    const LONGEST: usize = 40;
    let end = word.char_indices().nth(LONGEST);
    &word[..end.map_or(word.len(), |(at, _)| at)]
}

fn is_operator(c: char) -> bool {
    matches!(c, '<' | '>' | '=' | '!' | '~' | '≤' | '≥' | '≠')
}

pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}
