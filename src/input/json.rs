//! One line of JSON into a [`Draft`].
//!
//! The grammar is RFC 8259, strictly; a key that comes twice is refused. Values
//! stay as they are written: what they mean is decided when the event is made.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::draft::{Draft, Value};
use super::field::{Names, Part, Target};
use super::mapping::pick;
use super::reject::Reject;

/// How deep values may be nested, so that whoever reads them later (here,
/// in SQLite, in another program) cannot be overwhelmed; serde_json's own limit.
const MAX_DEPTH: usize = 128;

/// Fills the draft from the fields of one JSON object.
pub(super) fn read<'a>(
    line: &'a str,
    names: &Names,
    draft: &mut Draft<'_, 'a>,
) -> Result<(), Reject> {
    let mut refused = None;
    let mut reader = serde_json::Deserializer::from_str(line);
    let fields = Fields {
        names,
        draft,
        refused: &mut refused,
    };
    let read = reader.deserialize_map(fields).and_then(|()| reader.end());
    match (refused, read) {
        (Some(reject), _) => Err(reject),
        (None, Err(error)) => Err(bad_json(&error)),
        (None, Ok(())) => Ok(()),
    }
}

/// The text between the quotes of a JSON string.
pub(super) fn unquote(string: &str) -> Result<Cow<'_, str>, Reject> {
    match string.as_bytes() {
        [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
            Ok(Cow::Borrowed(&string[1..string.len() - 1]))
        }
        _ => serde_json::from_str(string)
            .map(Cow::Owned)
            .map_err(|error| bad_json(&error)),
    }
}

/// Refuses what the grammar lets pass in a value that is kept as it is:
/// half a surrogate pair, and nesting beyond all need.
pub(super) fn check_kept(json: &str) -> Result<(), Reject> {
    // Nested brackets come in pairs, so a short value cannot be deep.
    let shallow = json.len() < 2 * MAX_DEPTH;
    if shallow && memchr::memchr(b'\\', json.as_bytes()).is_none() {
        return Ok(());
    }
    let mut depth = 0usize;
    let mut bytes = json.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b'"' => {
                let length = check_string(&json[at..])?;
                bytes.nth(length.saturating_sub(2));
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Reject::BadJson {
                reason: format!("nested deeper than {MAX_DEPTH}"),
                column: at + 1,
            });
        }
    }
    Ok(())
}

/// The length of the string that the text begins with, quotes included.
fn check_string(json: &str) -> Result<usize, Reject> {
    let bytes = json.as_bytes();
    let mut end = 1;
    let mut escaped = false;
    while let Some(found) = bytes
        .get(end..)
        .and_then(|b| memchr::memchr2(b'"', b'\\', b))
    {
        end += found;
        if bytes[end] == b'"' {
            break;
        }
        escaped = true;
        end += 2;
    }
    let length = (end + 1).min(json.len());
    if escaped {
        unquote(&json[..length])?;
    }
    Ok(length)
}

fn bad_json(error: &serde_json::Error) -> Reject {
    let reason = if error.is_eof() {
        "it ends too soon".to_owned()
    } else {
        let text = error.to_string();
        text.split(" at line ").next().unwrap_or(&text).to_owned()
    };
    Reject::BadJson {
        reason,
        column: error.column().max(1),
    }
}

/// The key of an object, borrowed unless it is written with escapes.
pub(super) struct Key<'a>(pub(super) Cow<'a, str>);

impl<'a> Deserialize<'a> for Key<'a> {
    fn deserialize<D: Deserializer<'a>>(key: D) -> Result<Key<'a>, D::Error> {
        struct Text;
        impl<'a> Visitor<'a> for Text {
            type Value = Key<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        key.deserialize_str(Text)
    }
}

struct Fields<'f, 'd, 'a> {
    names: &'f Names,
    draft: &'f mut Draft<'d, 'a>,
    refused: &'f mut Option<Reject>,
}

impl<'a> Visitor<'a> for Fields<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            let json = map.next_value::<&RawValue>()?.get();
            let kept = match self.names.target(&key) {
                Some(Target::Field(field, spelling)) => {
                    self.draft.put(*field, *spelling, Value::Json(json))
                }
                Some(Target::Parts(parts)) => put_parts(self.draft, key, json, parts),
                None => {
                    self.draft.put_other(key, Value::Json(json));
                    Ok(())
                }
            };
            if let Err(reject) = kept {
                *self.refused = Some(reject);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// Takes the parts that fields are mapped to. A value of which no field takes
/// the whole is kept whole beside them.
fn put_parts<'a>(
    draft: &mut Draft<'_, 'a>,
    key: Cow<'a, str>,
    json: &'a str,
    parts: &[Part],
) -> Result<(), Reject> {
    for part in parts {
        if let Some(json) = pick(json, &part.path) {
            draft.put(part.field, part.spelling, Value::Json(json))?;
        }
    }
    if parts.iter().all(|part| !part.path.is_empty()) {
        draft.put_other(key, Value::Json(json));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::input::tests::{decode, refused, request};

    #[test]
    fn what_is_no_json_object_is_refused() {
        for (line, expected) in [
            (&br#"{"type":"request""#[..], "it ends too soon (column 17)"),
            (
                br#"{"type":"request"} x"#,
                "trailing characters (column 20)",
            ),
            (
                br#"{"type":"request"}{}"#,
                "trailing characters (column 19)",
            ),
            (br#"{"type":"request",}"#, "trailing comma (column 19)"),
            (br#"{type:1}"#, "key must be a string (column 2)"),
            (
                br#"[1]"#,
                "invalid type: sequence, expected an object (column 1)",
            ),
            (
                b"{\"error\":\"a\nb\"}",
                "control character (\\u0000-\\u001F) found while parsing a string (column 11)",
            ),
            (br#"{"latency":01}"#, "invalid number (column 13)"),
            (br#"{"latency":NaN}"#, "expected value (column 12)"),
            (br#"{"latency":+1}"#, "expected value (column 12)"),
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
    fn a_field_that_is_told_twice_is_refused_by_both_its_names() {
        for (fields, expected) in [
            (r#""cost":1,"cost":1"#, "cost: appears twice"),
            (r#""cost":null,"cost":1"#, "cost: appears twice"),
            (r#""cost":1,"c\u006fst":1"#, "cost: appears twice"),
            (
                r#""inputTokens":1,"input_tokens":1"#,
                "input_tokens: told before as inputTokens",
            ),
            (
                r#""error":"a","errorMessage":"b""#,
                "errorMessage: told before as error",
            ),
            (r#""pod":1,"metadata":{},"pod":null"#, "pod: appears twice"),
        ] {
            let reject = request(fields).unwrap_err();
            assert_eq!(reject.code(), "duplicate_key");
            assert_eq!(reject.to_string(), expected);
        }
        assert!(request(r#""cost":null,"costUsd":1"#).is_ok());
    }

    #[test]
    fn nesting_without_end_does_not_overflow_the_stack() {
        let deep = format!(r#"{{"a":{}"#, "[".repeat(500_000));
        assert!(decode(deep.as_bytes()).is_err());
        let closed = format!(r#"{{"a":{}{}}}"#, "[".repeat(400_000), "]".repeat(400_000));
        assert!(decode(closed.as_bytes()).is_err());
    }
}
