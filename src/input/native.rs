//! One line of JSON into a [`Draft`], by the names of the fields.
//!
//! Values stay as they are written: what they mean is decided when the event
//! is made.

use std::borrow::Cow;

use super::draft::{Draft, Value};
use super::field::{Names, Part, Target};
use super::json::{Json, Scanner};
use super::mapping::pick;
use super::reject::Reject;

/// Fills the draft from the fields of one JSON object.
pub(super) fn fill<'a>(
    line: &'a str,
    names: &Names,
    draft: &mut Draft<'_, 'a>,
) -> Result<(), Reject> {
    let mut scanner = Scanner::new(line);
    scanner.open(b'{')?;
    while scanner.more(b'}')? {
        let key = scanner.key()?;
        let value = scanner.value()?;
        match names.target(&key) {
            Some(Target::Field(field, spelling)) => {
                draft.put(*field, *spelling, Value::Json(value))?;
            }
            Some(Target::Parts(parts)) => put_parts(draft, key, value, parts)?,
            None => draft.put_other(key, Value::Json(value)),
        }
    }
    Ok(scanner.end()?)
}

/// Takes the parts that fields are mapped to. A value of which no field takes
/// the whole is kept whole beside them.
fn put_parts<'a>(
    draft: &mut Draft<'_, 'a>,
    key: Cow<'a, str>,
    value: Json<'a>,
    parts: &[Part],
) -> Result<(), Reject> {
    for part in parts {
        if let Some(value) = pick(value, &part.path) {
            draft.put(part.field, part.spelling, Value::Json(value))?;
        }
    }
    if parts.iter().all(|part| !part.path.is_empty()) {
        draft.put_other(key, Value::Json(value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::input::tests::request;

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
}
