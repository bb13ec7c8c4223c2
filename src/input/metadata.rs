//! Everything a line says that is no field of ours, as one JSON object.
//!
//! Nothing is lost and nothing is written anew without need: metadata that a
//! line gives as an object, and nothing else beside it, stays as it is written.

use std::borrow::Cow;
use std::collections::HashSet;

use super::draft::{Draft, Value};
use super::field::Field;
use super::json::{Fault, Json, Scanner};
use super::reject::Reject;

/// The given metadata, and what the line says beside its fields.
///
/// Metadata that is no object is kept under the name `metadata`. A name that
/// the given metadata has already gets a number: `region`, then `region_2`.
pub(super) fn gather<'a>(draft: &Draft<'_, 'a>) -> Result<Option<Cow<'a, str>>, Reject> {
    let given = draft.value(Field::Metadata);
    let object = object(given);
    let mut others: Vec<(&str, Value<'_, 'a>)> = draft
        .others()?
        .iter()
        .map(|(name, value)| (&**name, *value))
        .filter(|(_, value)| !value.is_nothing())
        .collect();
    if object.is_none() && given != Value::Absent {
        others.push((Field::Metadata.name(), given));
    }
    let object = object.filter(|json| !json[1..json.len() - 1].trim_ascii_start().is_empty());
    if others.is_empty() {
        return Ok(object);
    }
    let object = object.unwrap_or(Cow::Borrowed("{}"));
    let given = names(&object).unwrap_or_default();
    let open = &object[..object.len() - 1];
    Ok(Some(Cow::Owned(write(open, &others, &given))))
}

/// The metadata as the text of an object, `None` when it is something else.
fn object<'a>(given: Value<'_, 'a>) -> Option<Cow<'a, str>> {
    match given {
        Value::Absent => None,
        Value::Json(Json::Object(text)) => Some(Cow::Borrowed(text)),
        Value::Json(_) => None,
        Value::Cell(_) | Value::Quoted(_) | Value::Set(_) => {
            let text = given.text()?;
            let text = text.trim();
            names(text).is_ok().then(|| Cow::Owned(text.to_owned()))
        }
    }
}

/// Appends the values to an object that is still open, and closes it.
fn write(open: &str, others: &[(&str, Value<'_, '_>)], given: &HashSet<String>) -> String {
    let mut taken: HashSet<String> = others.iter().map(|(name, _)| (*name).to_owned()).collect();
    taken.extend(given.iter().cloned());
    let mut out = open.to_owned();
    for (name, value) in others {
        let name = match given.contains(*name) {
            true => numbered(name, &mut taken),
            false => Cow::Borrowed(*name),
        };
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&quoted(&name));
        out.push(':');
        out.push_str(&written(*value));
    }
    out.push('}');
    out
}

/// The name with the first number from 2 that makes it new.
fn numbered(name: &str, taken: &mut HashSet<String>) -> Cow<'static, str> {
    let mut number = 2;
    loop {
        let name = format!("{name}_{number}");
        if taken.insert(name.clone()) {
            return Cow::Owned(name);
        }
        number += 1;
    }
}

/// The value as JSON; a cell is a text, whatever it looks like.
fn written<'a>(value: Value<'_, 'a>) -> Cow<'a, str> {
    match value {
        Value::Json(json) => json.written(),
        Value::Absent | Value::Cell(_) | Value::Quoted(_) | Value::Set(_) => {
            Cow::Owned(quoted(&value.text().unwrap_or_default()))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The names in a text that is one object.
fn names(object: &str) -> Result<HashSet<String>, Fault> {
    let mut names = HashSet::new();
    let mut scanner = Scanner::new(object);
    scanner.open(b'{')?;
    while scanner.more(b'}')? {
        names.insert(scanner.key()?.into_owned());
        scanner.value()?;
    }
    scanner.end().map(|()| names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::request;

    fn metadata(fields: &str) -> Option<String> {
        let event = request(fields).unwrap();
        event.metadata.map(Cow::into_owned)
    }

    #[test]
    fn metadata_alone_stays_as_it_is_written() {
        let json = r#"{ "region" : "eu-1", "n": 1.50e1, "n": 2 }"#;
        let fields = format!(r#""metadata": {json} "#);
        let event = request(&fields).unwrap();
        assert_eq!(event.metadata.as_deref(), Some(json));
    }

    #[test]
    fn nothing_is_none() {
        for nothing in ["{}", "{ }", "null"] {
            assert_eq!(metadata(&format!(r#""metadata":{nothing},"x":null"#)), None);
        }
    }

    #[test]
    fn an_unknown_field_joins_it() {
        let fields = r#""metadata":{"region":"eu-1"},"pod":"a","gpu":[1,{"b":null}]"#;
        assert_eq!(
            metadata(fields).unwrap(),
            r#"{"region":"eu-1","pod":"a","gpu":[1,{"b":null}]}"#
        );
        assert_eq!(
            metadata(r#""metadata":{},"a\"b":1"#).unwrap(),
            r#"{"a\"b":1}"#
        );
    }

    #[test]
    fn what_is_no_object_is_kept_under_its_name() {
        assert_eq!(
            metadata(r#""metadata":[1, 2]"#).unwrap(),
            r#"{"metadata":[1, 2]}"#
        );
        assert_eq!(
            metadata(r#""metadata":"x","y":1"#).unwrap(),
            r#"{"y":1,"metadata":"x"}"#
        );
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let fields = r#""metadata":{"region":"eu-1"},"region":2,"region_2":3"#;
        assert_eq!(
            metadata(fields).unwrap(),
            r#"{"region":"eu-1","region_3":2,"region_2":3}"#
        );
    }

    #[test]
    fn half_a_surrogate_pair_and_bottomless_nesting_are_refused() {
        for metadata in [
            r#"{"a":"\ud800"}"#.to_owned(),
            r#"{"\udc00":1}"#.to_owned(),
            format!("{}{}", "[".repeat(129), "]".repeat(129)),
        ] {
            let reject = request(&format!(r#""metadata":{metadata}"#)).unwrap_err();
            assert_eq!(reject.code(), "bad_json", "{metadata}");
            let reject = request(&format!(r#""unknown":{metadata}"#)).unwrap_err();
            assert_eq!(reject.code(), "bad_json", "{metadata}");
        }
        let long = format!(r#""metadata":{{"a":"{}\ud83d\ude00"}}"#, "[".repeat(500));
        assert!(metadata(&long).is_some());
    }
}
