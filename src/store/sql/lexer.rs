//! Where a statement ends: at a semicolon outside of quotes and comments. More of
//! SQL is not known here.

/// A statement in a text, with the comments before it and without its semicolon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'t> {
    /// Its words.
    pub text: &'t str,
    /// Where in the text it begins, in bytes.
    pub at: usize,
    /// Whether a semicolon ended it, and not the text.
    pub ended: bool,
}

impl Piece<'_> {
    /// Whether there is nothing but white space and comments.
    pub fn is_blank(&self) -> bool {
        let mut rest = self.text;
        loop {
            rest = rest.trim_start();
            match token_length(rest) {
                _ if rest.is_empty() => return true,
                length if is_comment(rest) => rest = &rest[length..],
                _ => return false,
            }
        }
    }
}

/// The statements of a text, in order; the last one may be unfinished or blank.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut from = Some(0);
    std::iter::from_fn(move || {
        let at = from?;
        let length = statement_length(&text[at..]);
        let ended = at + length < text.len();
        from = ended.then_some(at + length + 1);
        Some(Piece {
            text: &text[at..at + length],
            at,
            ended,
        })
    })
}

/// Bytes up to the semicolon that ends the first statement, or to the end.
fn statement_length(text: &str) -> usize {
    let mut at = 0;
    while at < text.len() && !text[at..].starts_with(';') {
        at += token_length(&text[at..]);
    }
    at
}

fn is_comment(text: &str) -> bool {
    text.starts_with("--") || text.starts_with("/*")
}

/// Bytes of the comment or the quoted text that begins here, else of one character.
/// What is not closed goes on to the end.
fn token_length(text: &str) -> usize {
    let until = |opening: usize, end: &str| {
        let found = text[opening..].find(end);
        found.map_or(text.len(), |at| opening + at + end.len())
    };
    match text.as_bytes() {
        [b'-', b'-', ..] => until(2, "\n"),
        [b'/', b'*', ..] => until(2, "*/"),
        // A quote that is doubled inside a text ends it and begins it again.
        [b'\'', ..] => until(1, "'"),
        [b'"', ..] => until(1, "\""),
        [b'`', ..] => until(1, "`"),
        [b'[', ..] => until(1, "]"),
        _ => text.chars().next().map_or(0, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        pieces(text).map(|piece| piece.text).collect()
    }

    #[test]
    fn a_statement_ends_at_a_semicolon_outside_of_quotes_and_comments() {
        for statement in [
            "SELECT ';'",
            "SELECT 'it''s; fine'",
            "SELECT \"a;b\", [c;d], `e;f`",
            "SELECT 1 -- not; here\n",
            "SELECT /* nor; here */ 1",
        ] {
            let text = format!("{statement};{statement};");
            assert_eq!(texts(&text), [statement, statement, ""]);
        }
        assert_eq!(texts("SELECT 'open; "), ["SELECT 'open; "]);
    }

    #[test]
    fn comments_alone_are_no_statement() {
        for blank in ["", " \n\t", "-- a", "/* a */ -- b\n /* c"] {
            assert!(pieces(blank).all(|piece| piece.is_blank()), "{blank:?}");
        }
        assert!(!pieces("-- a\n-").all(|piece| piece.is_blank()));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_panics(text in "[-/*'\"`;\\[\\]\na-é ]{0,40}") {
            prop_assert_eq!(texts(&text).join(";"), text.clone());
            for piece in pieces(&text) {
                prop_assert_eq!(&text[piece.at..piece.at + piece.text.len()], piece.text);
                piece.is_blank();
            }
        }
    }
}
