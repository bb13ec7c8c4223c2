//! JSON (RFC 8259), scanned once and strictly, without building anything.
//!
//! A value stays the text it is written as; only its kind is known. Decoding by
//! way of serde_json's raw values took 15,000 instructions for a line of 308 bytes,
//! this way it takes 8,000 (callgrind): each value is looked at once, and an
//! expected key is passed in one step. Besides, serde_json lets pass in raw values
//! what nobody could use later, half a surrogate pair and nesting without end.
//! It is the oracle of the tests. Which keys mean something is not known here.

use std::borrow::Cow;

use super::reject::Reject;

/// How deep values may be nested, so that no later reader is overwhelmed;
/// serde_json stops at the same depth.
const MAX_DEPTH: usize = 128;

/// A value by its kind, as the text it is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(&'a str),
    /// What stands between the quotes of a string without escapes.
    Plain(&'a str),
    /// A string with escapes, quotes included.
    Escaped(&'a str),
    /// An object, brackets included.
    Object(&'a str),
    /// An array, brackets included.
    Array(&'a str),
}

impl<'a> Json<'a> {
    /// The value as it is written.
    pub(super) fn written(self) -> Cow<'a, str> {
        match self {
            Json::Null => Cow::Borrowed("null"),
            Json::Bool(true) => Cow::Borrowed("true"),
            Json::Bool(false) => Cow::Borrowed("false"),
            Json::Plain(text) => Cow::Owned(format!("\"{text}\"")),
            Json::Number(text) | Json::Escaped(text) | Json::Object(text) | Json::Array(text) => {
                Cow::Borrowed(text)
            }
        }
    }

    /// The text of a string, `None` for any other value.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Json::Plain(text) => Some(Cow::Borrowed(text)),
            Json::Escaped(string) => Some(unescape(string)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) | Json::Array(_) => None,
        }
    }
}

/// The text of a string that was scanned before.
fn unescape(string: &str) -> Cow<'_, str> {
    Cow::Owned(serde_json::from_str(string).unwrap_or_default())
}

/// Where and why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    reason: &'static str,
    at: usize,
}

impl From<Fault> for Reject {
    fn from(fault: Fault) -> Reject {
        Reject::BadJson {
            reason: fault.reason,
            column: fault.at + 1,
        }
    }
}

/// A walk through a JSON text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Whether nothing stands between the last open bracket and here.
    fresh: bool,
}

impl<'a> Scanner<'a> {
    /// A walk that begins at the start.
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner {
            text,
            at: 0,
            depth: 0,
            fresh: false,
        }
    }

    /// Enters an object (`{`) or an array (`[`).
    pub(super) fn open(&mut self, bracket: u8) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault("nested too deep"));
        }
        self.fresh = true;
        let expected = match bracket {
            b'{' => "expected an object",
            _ => "expected an array",
        };
        self.expect(bracket, expected)
    }

    /// Whether another entry follows; leaves the object or array when not.
    pub(super) fn more(&mut self, bracket: u8) -> Result<bool, Fault> {
        let fresh = std::mem::take(&mut self.fresh);
        if self.peek() == Some(bracket) {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if !fresh {
            self.expect(b',', "expected a comma or the end of the object or array")?;
        }
        Ok(true)
    }

    /// The key of the next entry of an object.
    pub(super) fn key(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a key in quotes"));
        }
        let key = match self.string()? {
            Json::Plain(key) => Cow::Borrowed(key),
            other => other.text().unwrap_or_default(),
        };
        self.expect(b':', "expected a colon behind the key")?;
        Ok(key)
    }

    /// Passes the next key if it is this one, written with its quotes and the
    /// colon as `"key":`. Whether it is costs much less to see than which one it is.
    pub(super) fn pass_key(&mut self, quoted: &str) -> bool {
        self.peek();
        let is_it = self.text.as_bytes()[self.at..].starts_with(quoted.as_bytes());
        self.at += if is_it { quoted.len() } else { 0 };
        is_it
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Result<Json<'a>, Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) | None => Err(self.fault("expected a value")),
        }
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("expected nothing more")),
        }
    }

    fn object(&mut self) -> Result<Json<'a>, Fault> {
        let start = self.at;
        self.open(b'{')?;
        while self.more(b'}')? {
            self.key()?;
            self.value()?;
        }
        Ok(Json::Object(&self.text[start..self.at]))
    }

    fn array(&mut self) -> Result<Json<'a>, Fault> {
        let start = self.at;
        self.open(b'[')?;
        while self.more(b']')? {
            self.value()?;
        }
        Ok(Json::Array(&self.text[start..self.at]))
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Json<'a>, Fault> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        let whole = self.at;
        self.digits()?;
        if self.text.as_bytes()[whole] == b'0' && self.at > whole + 1 {
            self.at = whole;
            return Err(self.fault("a number begins with a zero"));
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    /// Passes one digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err(self.fault("expected a digit")),
        }
    }

    fn string(&mut self) -> Result<Json<'a>, Fault> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain_length(&self.text.as_bytes()[self.at..]);
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.fault("a control character in a text")),
                None => return Err(self.fault("")),
            }
            escaped = true;
        }
        self.at += 1;
        Ok(match escaped {
            true => Json::Escaped(&self.text[start..self.at]),
            false => Json::Plain(&self.text[start + 1..self.at - 1]),
        })
    }

    /// Passes a backslash and what belongs to it.
    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => match self.code_unit()? {
                0xD800..=0xDBFF if self.text[self.at..].starts_with("\\u") => {
                    self.at += 1;
                    let second = self.code_unit()?;
                    if !(0xDC00..=0xDFFF).contains(&second) {
                        return Err(self.fault("half a surrogate pair"));
                    }
                }
                0xD800..=0xDFFF => return Err(self.fault("half a surrogate pair")),
                _ => {}
            },
            Some(_) | None => return Err(self.fault("an unknown escape")),
        }
        Ok(())
    }

    /// Passes `uXXXX`.
    fn code_unit(&mut self) -> Result<u32, Fault> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.fault("expected four hexadecimal digits"))?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault(reason));
        }
        self.at += 1;
        Ok(())
    }

    /// The next byte behind white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, reason: &'static str) -> Fault {
        let reason = match self.at < self.text.len() {
            true => reason,
            false => "it ends too soon",
        };
        Fault {
            reason,
            at: self.at,
        }
    }
}

/// How many bytes come before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
        }
        rest = behind;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// Eight bytes at once: the high bit of the first byte that is a quote, a
/// backslash or a control character is the lowest that is set.
fn specials(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A byte below the limit borrows, which sets its high bit; bytes of 128 and more are cleared.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & (ONES << 7);
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    equal(b'"') | equal(b'\\') | below(word, 0x20)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::input::tests::{decode, nearly, refused, request};

    #[test]
    fn what_is_no_json_object_is_refused() {
        for (line, expected) in [
            (&br#"{"type":"request""#[..], "it ends too soon (column 18)"),
            (br#"{"type":"requ"#, "it ends too soon (column 14)"),
            (
                br#"{"type":"request"} x"#,
                "expected nothing more (column 20)",
            ),
            (
                br#"{"type":"request"}{}"#,
                "expected nothing more (column 19)",
            ),
            (
                br#"{"type":"request",}"#,
                "expected a key in quotes (column 19)",
            ),
            (
                br#"{"type" "request"}"#,
                "expected a colon behind the key (column 9)",
            ),
            (
                br#"{"type":"request" "ts":1}"#,
                "expected a comma or the end of the object or array (column 19)",
            ),
            (br#"{"tools":[1,]}"#, "expected a value (column 13)"),
            (br#"{type:1}"#, "expected a key in quotes (column 2)"),
            (br#"[1]"#, "expected an object (column 1)"),
            (
                b"{\"error\":\"a\nb\"}",
                "a control character in a text (column 12)",
            ),
            (br#"{"error":"\x41"}"#, "an unknown escape (column 12)"),
            (
                br#"{"latency":01}"#,
                "a number begins with a zero (column 12)",
            ),
            (br#"{"latency":1.}"#, "expected a digit (column 14)"),
            (br#"{"latency":NaN}"#, "expected a value (column 12)"),
            (br#"{"latency":+1}"#, "expected a value (column 12)"),
        ] {
            let (code, text) = refused(line);
            assert_eq!(code, "bad_json");
            assert_eq!(text, format!("not a JSON object: {expected}"));
        }
    }

    #[test]
    fn what_is_no_utf_8_is_refused() {
        let (code, text) = refused(b"{\"error\":\"\xff\"}");
        assert_eq!((code, &*text), ("bad_utf8", "not UTF-8 at byte 11"));
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_in_every_text() {
        for field in ["model", "id", "error", "tools", "reset_at", "unknown"] {
            let reject = request(&format!(r#""{field}":"\ud83d""#)).unwrap_err();
            assert_eq!(reject.code(), "bad_json", "{field}");
        }
        let event = request(r#""model":"\ud83d\ude00""#).unwrap();
        assert_eq!(event.labels.model.as_deref(), Some("😀"));
    }

    #[test]
    fn nesting_without_end_does_not_overflow_the_stack() {
        let deep = format!(r#"{{"a":{}"#, "[".repeat(500_000));
        assert!(decode(deep.as_bytes()).is_err());
        let closed = format!(r#"{{"a":{}{}}}"#, "[".repeat(400_000), "]".repeat(400_000));
        assert!(decode(closed.as_bytes()).is_err());
    }

    /// Whether the whole text is one value, by our scanner.
    fn scans(text: &str) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().and_then(|_| scanner.end()).is_ok()
    }

    proptest! {
        #[test]
        fn it_accepts_what_serde_json_accepts(text in nearly()) {
            let oracle = serde_json::from_str::<serde_json::Value>(&text);
            // A number that is too large for a float is a number all the same;
            // serde_json stops there and says nothing of what follows.
            let stopped = |e: &serde_json::Error| e.to_string().starts_with("number out of range");
            if oracle.as_ref().is_err_and(stopped) {
                return Ok(());
            }
            let accepts = oracle.is_ok();
            prop_assert_eq!(scans(&text), accepts, "{}", text);
        }

        #[test]
        fn it_accepts_every_value_and_no_part_of_one(text in value()) {
            prop_assert!(scans(&text), "{}", text);
            let oracle: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!(scans(&serde_json::to_string_pretty(&oracle).unwrap()));
            for cut in (1..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let part = &text[..cut];
                prop_assert_eq!(scans(part), serde_json::from_str::<serde_json::Value>(part).is_ok(), "{}", part);
            }
        }

        #[test]
        fn a_text_is_read_as_serde_json_reads_it(text in "([a-zé\u{1f600}\n\t\"\\\\/\u{7f}]|.){0,40}") {
            let string = serde_json::to_string(&text).unwrap();
            let mut scanner = Scanner::new(&string);
            let read = scanner.value().unwrap();
            prop_assert_eq!(read.text().unwrap(), text);
            prop_assert_eq!(read.written(), string.as_str());
        }
    }

    /// The text of a random value.
    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|b| b.to_string()),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,4})?([eE][+-]?[0-9])?",
            ".{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
            Just(r#""\ud83d\ude00\/""#.to_owned()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|v| format!("[{}]", v.join(" ,"))),
                prop::collection::vec(("[a-z]{0,3}", inner), 0..4).prop_map(|entries| {
                    let entry = |(key, value)| format!("\"{key}\": {value}");
                    format!(
                        "{{{}}}",
                        entries.into_iter().map(entry).collect::<Vec<_>>().join(",")
                    )
                }),
            ]
        })
    }
}
