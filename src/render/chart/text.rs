//! Words and marks on lines of text: colour, width, wrapping, and the taming of
//! names that come from outside.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::hue::HUES;

/// What a piece of text stands for, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Words and numbers.
    Plain,
    /// The frame.
    Frame,
    /// A series of this hue.
    Series(usize),
    /// A threshold.
    Threshold,
}

/// Colours of series by hue: blue, yellow for orange, green, magenta, cyan, then the
/// bright ones. Red is left to thresholds.
const COLORS: [&str; HUES] = ["34", "33", "32", "35", "36", "93", "95", "37"];
const MARKS: [char; 12] = ['●', '▲', '■', '◆', '○', '△', '□', '◇', '▼', '▽', '★', '☆'];
const ASCII_MARKS: [char; 8] = ['*', '+', 'o', 'x', '#', '@', '%', '&'];

impl Ink {
    fn code(self) -> Option<&'static str> {
        match self {
            Ink::Plain => None,
            Ink::Frame => Some("2"),
            Ink::Series(i) => Some(COLORS[i % COLORS.len()]),
            Ink::Threshold => Some("31"),
        }
    }
}

/// The mark of a series: a sign of its own, after these a letter.
pub fn mark(series: usize, ascii: bool) -> char {
    let signs: &[char] = if ascii { &ASCII_MARKS } else { &MARKS };
    let letters = ('a'..='z').chain('A'..='Z').filter(|c| !signs.contains(c));
    let mut all = signs.iter().copied().chain(letters).cycle();
    all.nth(series % (signs.len() + 52)).unwrap_or('*')
}

/// One line of text in pieces of ink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pieces: Vec<(Ink, String)>,
}

impl Line {
    /// A line of one ink.
    pub fn of(ink: Ink, text: &str) -> Line {
        let mut line = Line::default();
        line.push(ink, text);
        line
    }

    /// Adds text at the end.
    pub fn push(&mut self, ink: Ink, text: &str) {
        match self.pieces.last_mut() {
            Some((last, piece)) if *last == ink => piece.push_str(text),
            Some(_) | None => self.pieces.push((ink, text.to_owned())),
        }
    }

    /// Adds another line at the end.
    pub fn append(&mut self, other: &Line) {
        for (ink, text) in &other.pieces {
            self.push(*ink, text);
        }
    }

    /// Its pieces, each of one ink.
    pub fn pieces(&self) -> impl Iterator<Item = (Ink, &str)> {
        self.pieces.iter().map(|(ink, text)| (*ink, text.as_str()))
    }

    /// Terminal columns it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }

    /// The line as it is printed, without spaces at its end.
    pub fn print(&self, color: bool) -> String {
        let mut out = String::new();
        for (ink, text) in &self.pieces {
            match ink.code().filter(|_| color && !text.trim().is_empty()) {
                Some(code) => out.push_str(&format!("\x1b[{code}m{text}\x1b[0m")),
                None => out.push_str(text),
            }
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// Sets parts one after the other, beginning a new line where the next one does
/// not fit. A part is never broken; cut it with [`fit`] before.
pub fn flow(parts: &[Line], separator: &str, width: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.width() + separator.width() + part.width() <= width => {
                line.push(Ink::Plain, separator);
                line.append(part);
            }
            Some(_) | None => lines.push(part.clone()),
        }
    }
    lines
}

/// The text in at most `width` columns; what is too long is cut in the middle.
pub fn fit(text: &str, width: usize, ascii: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let dots = if ascii { ".." } else { "…" };
    let room = width.saturating_sub(dots.width());
    let head = take(text.chars(), room.div_ceil(2));
    let tail: String = take(text.chars().rev(), room / 2).chars().rev().collect();
    let cut = format!("{head}{dots}{tail}");
    if cut.width() <= width { cut } else { head }
}

fn take(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = String::new();
    for c in chars {
        taken.push(c);
        if taken.width() > width {
            taken.pop();
            break;
        }
    }
    taken
}

/// Text from outside made harmless: what would move the cursor, turn the reading
/// direction or take no room is shown as a replacement sign.
pub fn clean(text: &str, ascii: bool) -> String {
    let sign = if ascii { '?' } else { '\u{fffd}' };
    let harmless = |c: char| !c.is_control() && c.width().unwrap_or(0) > 0 && !is_bidi(c);
    text.chars()
        .map(|c| {
            if harmless(c) && (!ascii || c.is_ascii()) {
                c
            } else {
                sign
            }
        })
        .collect()
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_long_name_is_cut_in_the_middle() {
        assert_eq!(fit("claude-opus-4-20260101", 11, false), "claud…60101");
        assert_eq!(fit("claude-opus-4-20260101", 10, true), "clau..0101");
        assert_eq!(fit("日本語のモデル", 6, false), "日…ル");
        assert_eq!(fit("gpt", 0, false), "");
    }

    #[test]
    fn a_name_from_outside_cannot_speak_to_the_terminal() {
        assert_eq!(
            clean("gpt\x1b[31m\n\u{202e}4", false),
            "gpt\u{fffd}[31m\u{fffd}\u{fffd}4"
        );
        assert_eq!(clean("modèle", true), "mod?le");
    }

    #[test]
    fn sixty_series_have_sixty_marks() {
        for ascii in [false, true] {
            let marks: HashSet<char> = (0..58).map(|i| mark(i, ascii)).collect();
            assert_eq!(marks.len(), 58);
        }
    }

    #[test]
    fn ink_is_colour_only_when_asked() {
        let mut line = Line::of(Ink::Series(0), "●");
        line.push(Ink::Plain, " openai ");
        assert_eq!(line.print(false), "● openai");
        assert_eq!(line.print(true), "\x1b[34m●\x1b[0m openai");
    }
}
