//! One line of JSON into a [`Draft`], by the names of the fields.
//!
//! Values stay as they are written: what they mean is decided when the event
//! is made.

use std::borrow::Cow;

use super::draft::{Draft, Value};
use super::field::{Names, Part, Spelling, Target};
use super::json::{Json, Scanner};
use super::mapping::pick;
use super::reject::Reject;

/// Which key followed which when they last came. Lines of one sender have their
/// keys in the same order, so that this is nearly always right; to look for the
/// expected key alone saves a fifth of the work on a line.
#[derive(Clone, Debug)]
pub(super) struct Habit {
    next: [Spelling; 256],
}

impl Habit {
    pub(super) fn new() -> Habit {
        Habit { next: [0; 256] }
    }
}

/// Fills the draft from the fields of one JSON object.
pub(super) fn fill<'a>(
    line: &'a str,
    names: &Names,
    habit: &mut Habit,
    draft: &mut Draft<'_, 'a>,
) -> Result<(), Reject> {
    let mut scanner = Scanner::new(line);
    let mut last = Spelling::MAX;
    scanner.open(b'{')?;
    while scanner.more(b'}')? {
        let expected = &mut habit.next[usize::from(last)];
        if let Some((field, quoted)) = names.native(*expected)
            && scanner.pass_key(quoted)
        {
            last = *expected;
            draft.put(field, last, Value::Json(scanner.value()?))?;
            continue;
        }
        let key = scanner.key()?;
        let value = scanner.value()?;
        match names.target(&key) {
            Some(Target::Field(field, spelling)) => {
                draft.put(*field, *spelling, Value::Json(value))?;
                *expected = *spelling;
                last = *spelling;
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
    use crate::input::tests::{NOW, event, request};
    use crate::input::{Decoder, Format, Options};

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
    fn the_order_of_keys_that_was_learnt_changes_nothing() {
        let mut decoder = Decoder::new(Format::Jsonl, Options::new(NOW)).unwrap();
        for line in [
            r#"{"type":"request","ts":1763164800,"model":"a","cost":1}"#,
            r#"{"type":"request","ts":1763164800,"model":"a","cost":1}"#,
            r#"{ "type" : "request" , "ts" : 1763164800, "cost": 1, "model" :"a" }"#,
            r#"{"ty\u0070e":"request","cost":1,"ts":1763164800,"model":"a"}"#,
            r#"{"type":"request","ts":1763164800,"modelCard":null,"model":"a","cost":1}"#,
        ] {
            let read = event(&mut decoder, line.as_bytes()).unwrap();
            assert_eq!(read.labels.model.as_deref(), Some("a"), "{line}");
            assert_eq!(read.cost_reported.unwrap().to_string(), "1");
            assert_eq!(read.metadata, None);
        }
        for line in [r#"{"type":"request","type":"request"}"#, r#"{"type","ts"}"#] {
            assert!(event(&mut decoder, line.as_bytes()).is_err(), "{line}");
        }
    }
}
