//! Reads a Rust file as far as the rules of the house need: its words without
//! comments, its string literals, and the paths it names.
//!
//! It does not know the rules (`uses.rs` does).

use std::iter::Peekable;
use std::vec::IntoIter;

/// A piece of a Rust file.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name or keyword.
    Word(String),
    /// The content of a string literal, escapes as written.
    Text(String),
    /// One sign.
    Sign(char),
    /// `::`
    Path,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(w) if w == word)
    }
}

/// The tokens of a file with the line each begins at.
pub fn tokens(source: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        let (token, length) = if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else if let Some((text, length)) = text_literal(rest) {
            (Some(Token::Text(text.to_owned())), length)
        } else if let Some(length) = char_literal(rest) {
            (None, length)
        } else if is_word(c) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Some(Token::Word(rest[..length].to_owned())), length)
        } else if rest.starts_with("::") {
            (Some(Token::Path), 2)
        } else {
            let sign = (!c.is_whitespace()).then_some(Token::Sign(c));
            (sign, c.len_utf8())
        };
        tokens.extend(token.map(|t| (line, t)));
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The content and the whole length of the string literal at the beginning of `rest`.
fn text_literal(rest: &str) -> Option<(&str, usize)> {
    let prefix = rest.find('"')?;
    let raw = match &rest[..prefix] {
        "" | "b" | "c" => None,
        before => {
            let hashes = before.trim_start_matches(['b', 'c']).strip_prefix('r')?;
            if !hashes.bytes().all(|b| b == b'#') {
                return None;
            }
            Some(format!("\"{hashes}"))
        }
    };
    let body = &rest[prefix + 1..];
    let (end, close) = match raw {
        Some(close) => (body.find(&close)?, close.len()),
        None => (closing_quote(body)?, 1),
    };
    Some((&body[..end], prefix + 1 + end + close))
}

fn closing_quote(body: &str) -> Option<usize> {
    let mut escaped = false;
    body.bytes().position(|b| {
        let closes = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closes
    })
}

/// The length of the character literal at the beginning of `rest`; a lifetime is none.
fn char_literal(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let end = match body.strip_prefix('\\') {
        Some(escape) => 2 + escape.char_indices().skip(1).find(|(_, c)| *c == '\'')?.0,
        None => 1 + body.chars().next()?.len_utf8(),
    };
    rest[end..].starts_with('\'').then_some(end + 1)
}

/// The modules at the crate's root that the file of module `file` names, with their lines.
///
/// `file` is the path of the module, `["store", "raw"]` for `src/store/raw.rs`.
/// A glob import of the root is told as `*`.
pub fn named_modules(file: &[String], source: &str) -> Vec<(usize, String)> {
    let mut reader = Reader {
        tokens: tokens(source).into_iter().peekable(),
        found: Vec::new(),
    };
    let mut module = file.to_vec();
    let mut inner = Vec::new();
    let (mut depth, mut after_path) = (0_usize, false);
    while let Some((line, token)) = reader.tokens.next() {
        match &token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => {
                depth = depth.saturating_sub(1);
                if inner.pop_if(|opened| *opened == depth).is_some() {
                    module.pop();
                }
            }
            Token::Word(word) if word == "mod" => {
                if let Some(name) = reader.module_with_a_body() {
                    module.push(name);
                    inner.push(depth);
                }
            }
            Token::Word(_) if !after_path => reader.path(&token, line, &module, None),
            _ => (),
        }
        after_path = token == Token::Path;
    }
    reader.found
}

struct Reader {
    tokens: Peekable<IntoIter<(usize, Token)>>,
    found: Vec<(usize, String)>,
}

impl Reader {
    fn next_if(&mut self, wanted: &Token) -> bool {
        self.tokens.next_if(|(_, t)| t == wanted).is_some()
    }

    /// The name in `mod name {`, leaving the brace; `mod name;` has none.
    fn module_with_a_body(&mut self) -> Option<String> {
        let (_, name) = self.tokens.next_if(|(_, t)| matches!(t, Token::Word(_)))?;
        match (name, self.tokens.peek()) {
            (Token::Word(name), Some((_, Token::Sign('{')))) => Some(name),
            _ => None,
        }
    }

    /// Follows a path that begins with `first`, which stands in `module`.
    /// `base` is where the path has come to already, when it is part of a tree of imports.
    fn path(&mut self, first: &Token, line: usize, module: &[String], base: Option<&[String]>) {
        let mut at = match base {
            None if first.is("crate") => Vec::new(),
            None if first.is("self") => module.to_vec(),
            None if first.is("super") => parent(module),
            Some(base) if first.is("super") => parent(base),
            Some(base) if first.is("self") => base.to_vec(),
            Some([]) => return self.name(first, line),
            _ => return,
        };
        while self.next_if(&Token::Path) {
            match self.tokens.next() {
                Some((_, t)) if t.is("super") => at = parent(&at),
                Some((line, Token::Sign('*'))) if at.is_empty() => {
                    return self.found.push((line, "*".to_owned()));
                }
                Some((_, Token::Sign('{'))) => return self.tree(module, &at),
                Some((line, name)) if at.is_empty() => return self.name(&name, line),
                _ => return,
            }
        }
    }

    /// Follows each branch of `{a, b::c, super::d}`, whose brace has been read.
    fn tree(&mut self, module: &[String], base: &[String]) {
        let (mut depth, mut begins) = (0_usize, true);
        while let Some((line, token)) = self.tokens.next() {
            match &token {
                Token::Sign('{') => depth += 1,
                Token::Sign('}') if depth == 0 => return,
                Token::Sign('}') => depth -= 1,
                Token::Sign('*') if begins && base.is_empty() => {
                    self.found.push((line, "*".into()))
                }
                Token::Word(_) if begins => self.path(&token, line, module, Some(base)),
                _ => (),
            }
            begins = token == Token::Sign(',') && depth == 0;
        }
    }

    fn name(&mut self, token: &Token, line: usize) {
        if let Token::Word(name) = token {
            self.found.push((line, name.clone()));
        }
    }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(file: &[&str], source: &str) -> Vec<String> {
        let file: Vec<String> = file.iter().map(|s| s.to_string()).collect();
        named_modules(&file, source)
            .into_iter()
            .map(|(_, n)| n)
            .collect()
    }

    #[test]
    fn each_way_to_name_a_module_is_seen() {
        for (source, expected) in [
            ("use crate::store::Store;", &["store"][..]),
            (
                "use crate::{model::{Millis, Span}, store};",
                &["model", "store"],
            ),
            ("let x = crate::clock::now();", &["clock"]),
            ("pub(crate) fn f(s: &crate::store::Store) {}", &["store"]),
            ("use super::super::render;", &["render"]),
            ("use super::{super::render, sibling};", &["render"]),
            (
                "use super::super::{render, query as q};",
                &["render", "query"],
            ),
            ("use crate::*;", &["*"]),
            ("use crate::{self, model};", &["model"]),
            ("use super::sibling; use self::child; use std::fmt;", &[]),
            ("mod tests { use super::super::super::store; }", &["store"]),
            (
                "mod tests { use super::super::raw; } use super::super::query;",
                &["query"],
            ),
            ("mod raw; use super::super::query;", &["query"]),
        ] {
            assert_eq!(named(&["ingest", "batch"], source), expected, "{source}");
        }
        assert_eq!(named(&["clock"], "use super::model::Millis;"), ["model"]);
    }

    #[test]
    fn comments_and_texts_name_nothing() {
        let source = r##"
            //! See [`crate::store`].
            /* crate::serve */
            const A: &str = "crate::cli \" crate::live";
            const B: &str = r#"a "quoted" crate::cli"#;
            const C: (char, char) = ('"', '\'');
            fn f<'a>(x: &'a str) { crate::model::f(x) }
        "##;
        assert_eq!(named(&["input"], source), ["model"]);
    }

    #[test]
    fn tokens_know_their_line() {
        let found = named_modules(
            &["input".into()],
            "// one\nconst A: &str = \"\n\";\nuse crate::store;",
        );
        assert_eq!(found, [(4, "store".to_owned())]);
    }
}
