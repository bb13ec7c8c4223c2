//! The one sanitiser at the output border.
//!
//! Text that came from an event may hold escape sequences that recolour a
//! terminal, or direction marks that make a line read backwards. It is stored
//! as it came; here it is made inert where it is shown. What a text means, and
//! where it will be shown, is not known here.

use std::fmt::{self, Write};

/// Text from outside. It has no `Display`, so that showing it without
/// [`shown`](Untrusted::shown) does not compile.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Untrusted<'a>(pub &'a str);

/// Text from outside, made inert: what cannot be seen is written as `\n`, `\t`
/// or `\u{1b}`. It is one line, whatever the text holds.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    text: &'a str,
    ascii: bool,
}

impl<'a> Untrusted<'a> {
    /// The text as a person may see it.
    pub fn shown(self) -> Shown<'a> {
        Shown {
            text: self.0,
            ascii: false,
        }
    }

    /// The same for a reader who can only see ASCII: `é` becomes `\u{e9}`.
    pub fn shown_ascii(self) -> Shown<'a> {
        Shown {
            text: self.0,
            ascii: true,
        }
    }
}

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({})", self.shown())
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let must_escape = |c: char| is_hidden(c) || (self.ascii && !c.is_ascii());
        let mut rest = self.text;
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| must_escape(c)) {
            f.write_str(&rest[..at])?;
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                other => write!(f, "\\u{{{:x}}}", u32::from(other))?,
            }
            rest = &rest[at + c.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// Writes a JSON string, quotes included. Besides what JSON demands, everything
/// hidden is escaped too: the same string to a program, inert on a terminal.
pub(super) fn write_json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => write_escaped(out, hidden),
            plain => out.push(plain),
        }
    }
    out.push('"');
}

/// JSON on one line, with what is hidden in its strings escaped: the same value
/// to a program, inert on a terminal.
pub fn inert_json(json: &str) -> String {
    json.chars().fold(String::new(), |mut out, c| {
        match c {
            hidden if is_hidden(hidden) => write_escaped(&mut out, hidden),
            plain => out.push(plain),
        }
        out
    })
}

fn write_escaped(out: &mut String, hidden: char) {
    for unit in hidden.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Whether a terminal would obey the character or show nothing for it.
///
/// Control characters are Unicode's Cc (C0, DEL, C1). The rest are the marks of
/// direction and the code points that Unicode 16 calls `Default_Ignorable`, with
/// the line separators; without U+FE0E and U+FE0F, which only choose between
/// the two drawings of an emoji.
pub(super) fn is_hidden(c: char) -> bool {
    // Almost all text is printable ASCII.
    if (' '..='~').contains(&c) {
        return false;
    }
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        Untrusted(text).shown().to_string()
    }

    #[test]
    fn an_escape_sequence_is_seen_and_not_obeyed() {
        assert_eq!(shown("\x1b[31mred\x1b[0m"), r"\u{1b}[31mred\u{1b}[0m");
        assert_eq!(shown("\u{9b}2Jgone"), r"\u{9b}2Jgone");
        assert_eq!(
            shown("bell\x07 del\x7f nul\0"),
            r"bell\u{7} del\u{7f} nul\u{0}"
        );
    }

    #[test]
    fn a_stack_trace_is_one_line() {
        assert_eq!(shown("boom\r\n\tat main"), r"boom\r\n\tat main");
    }

    #[test]
    fn a_text_cannot_be_turned_round_or_hide_a_part() {
        assert_eq!(
            shown("user\u{202e}nimda\u{2069}"),
            r"user\u{202e}nimda\u{2069}"
        );
        assert_eq!(shown("cla\u{200b}ude\u{feff}"), r"cla\u{200b}ude\u{feff}");
        assert_eq!(shown("tag\u{e0041}"), r"tag\u{e0041}");
    }

    #[test]
    fn words_of_any_language_stay_as_they_are() {
        for text in [
            "Zürich",
            "東京",
            "नमस्ते",
            "شكرا",
            "⚠\u{fe0f} slow",
            r"C:\temp",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_reader_of_ascii_sees_ascii() {
        assert_eq!(
            Untrusted("Zürich\n").shown_ascii().to_string(),
            r"Z\u{fc}rich\n"
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_is_never_hidden(text in any::<String>()) {
            prop_assert!(!shown(&text).chars().any(is_hidden));
            prop_assert!(Untrusted(&text).shown_ascii().to_string().chars().all(|c| (' '..='~').contains(&c)));
        }

        #[test]
        fn a_json_string_is_inert_and_still_the_same_string(text in any::<String>()) {
            let mut json = String::new();
            write_json_string(&mut json, &text);
            prop_assert!(!json.chars().any(is_hidden));
            prop_assert_eq!(&serde_json::from_str::<String>(&json).unwrap(), &text);
            let json = inert_json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!json.chars().any(is_hidden));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
