//! The line of a text that was misread, with a mark below the place.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::render::safe::Untrusted;

/// Characters shown before the place, at most.
const BEFORE: usize = 40;
/// Characters shown from the place on, at most.
const AFTER: usize = 30;

/// A piece of a line and where in it the place is; inert.
#[derive(Debug)]
pub(super) struct Snippet {
    piece: String,
    indent: usize,
}

impl Snippet {
    /// The place at a line and column, both from 1, with what fits into a line round it;
    /// of an empty line there is nothing to show.
    pub(super) fn around(text: &str, line: usize, column: usize) -> Option<Snippet> {
        let line = text.lines().nth(line - 1).filter(|line| !line.is_empty())?;
        let place = column - 1;
        let from = place.saturating_sub(BEFORE);
        let length = line.chars().count();
        let part = |from: usize, until: usize| {
            let part: String = line.chars().skip(from).take(until - from).collect();
            Untrusted(&part).shown().to_string()
        };
        let dots = |cut: bool| if cut { "…" } else { "" };
        let before = format!("{}{}", dots(from > 0), part(from, place));
        let after = part(place, place + AFTER);
        Some(Snippet {
            indent: before.width(),
            piece: format!("{before}{after}{}", dots(length > place + AFTER)),
        })
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snippet { piece, indent } = self;
        write!(f, "   | {piece}\n   | {:indent$}^", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, line: usize, column: usize) -> String {
        Snippet::around(text, line, column).unwrap().to_string()
    }

    #[test]
    fn the_mark_stands_below_the_place_in_any_line_and_script() {
        let text = "cost\n  {モデル=\"x\"}";
        assert_eq!(shown(text, 2, 4), "   |   {モデル=\"x\"}\n   |    ^");
        assert_eq!(shown(text, 2, 7), "   |   {モデル=\"x\"}\n   |          ^");
        assert!(Snippet::around("", 1, 1).is_none());
    }

    #[test]
    fn of_a_long_line_the_part_round_the_place_is_shown() {
        let text = "x".repeat(500);
        let shown = shown(&text, 1, 200);
        let expected = format!("   | …{}…\n   | {}^", "x".repeat(70), " ".repeat(41));
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_escape_sequence_stays_inert() {
        let shown = shown("\x1b]0;pwned\x07 cost", 1, 12);
        assert!(
            !shown.contains('\x1b') && !shown.contains('\x07'),
            "{shown}"
        );
    }
}
