//! Everything a line says that is no field of ours, as one JSON object.
//!
//! Nothing is lost and nothing is written anew without need: metadata that a
//! line gives as an object, and nothing else beside it, stays as it is written.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::draft::{Draft, Value};
use super::field::Field;
use super::json::{Key, check_kept};
use super::reject::Reject;

/// The given metadata, and what the line says beside its fields.
///
/// Metadata that is no object is kept under the name `metadata`. A name that
/// the given metadata has already gets a number: `region`, then `region_2`.
pub(super) fn gather<'a>(draft: &Draft<'_, 'a>) -> Result<Option<Cow<'a, str>>, Reject> {
    let given = draft.value(Field::Metadata);
    let object = object(given)?;
    let mut others: Vec<(&str, Value<'_, 'a>)> = draft
        .others()?
        .iter()
        .map(|(name, value)| (&**name, *value))
        .filter(|(_, value)| !value.is_nothing())
        .collect();
    if object.is_none() && given != Value::Absent {
        others.push((Field::Metadata.name(), given));
    }
    let object = object.filter(|json| !json[1..json.len() - 1].trim().is_empty());
    match (object, others.is_empty()) {
        (object, true) => Ok(object),
        (None, false) => write("{", &others, HashSet::new()),
        (Some(object), false) => {
            let names = names(&object);
            write(&object[..object.len() - 1], &others, names)
        }
    }
}

/// The metadata as the text of an object, `None` when it is something else.
fn object<'a>(given: Value<'_, 'a>) -> Result<Option<Cow<'a, str>>, Reject> {
    let text = match given {
        Value::Absent => None,
        Value::Json(json) => {
            check_kept(json)?;
            Some(Cow::Borrowed(json))
        }
        Value::Cell(_) | Value::Quoted(_) | Value::Set(_) => given.text()?.filter(|text| {
            serde_json::from_str::<&RawValue>(text).is_ok() && check_kept(text).is_ok()
        }),
    };
    let trimmed = text.map(|text| match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    });
    Ok(trimmed.filter(|text| text.starts_with('{')))
}

/// Appends the values to an object that is still open, and closes it.
fn write<'a>(
    open: &str,
    others: &[(&str, Value<'_, '_>)],
    given: HashSet<String>,
) -> Result<Option<Cow<'a, str>>, Reject> {
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
        out.push_str(&json(*value)?);
    }
    out.push('}');
    Ok(Some(Cow::Owned(out)))
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
fn json<'a>(value: Value<'_, 'a>) -> Result<Cow<'a, str>, Reject> {
    match value {
        Value::Json(json) => {
            check_kept(json)?;
            Ok(Cow::Borrowed(json))
        }
        Value::Absent | Value::Cell(_) | Value::Quoted(_) | Value::Set(_) => {
            let text = value.text()?.unwrap_or_default();
            Ok(Cow::Owned(quoted(&text)))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The names in an object that is known to be one.
fn names(object: &str) -> HashSet<String> {
    struct Names;
    impl<'a> Visitor<'a> for Names {
        type Value = HashSet<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut names = HashSet::new();
            while let Some((Key(name), IgnoredAny)) = map.next_entry()? {
                names.insert(name.into_owned());
            }
            Ok(names)
        }
    }
    serde_json::Deserializer::from_str(object)
        .deserialize_map(Names)
        .unwrap_or_default()
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
