//! How a foreign input is understood: which of its fields is which of ours, and
//! what it does not say because it is always the same.
//!
//! A field that is mapped or set is taken from nowhere else. What the input
//! calls by that name itself goes to metadata, as everything does that is not mapped.

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::field::Field;
use super::json::Key;
use super::reject::InputError;

/// The `--map field=source` and `--set field=value` of one input.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    sources: Vec<Source>,
    values: Vec<(Field, Box<str>)>,
}

/// A field and where it comes from: the name of a column, or a path into JSON.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) field: Field,
    pub(super) text: Box<str>,
}

impl Mapping {
    /// Takes a field from a column or, in JSON, from a path: `usage.prompt_tokens`,
    /// `choices.0.finish_reason`. A backslash makes a dot part of a name.
    ///
    /// # Errors
    /// When the text is not `field=source`, or the field is unknown or given before.
    pub fn map(&mut self, rule: &str) -> Result<(), InputError> {
        let (field, text) = self.fresh(rule)?;
        self.sources.push(Source { field, text });
        Ok(())
    }

    /// Gives a field the same value in every event.
    ///
    /// # Errors
    /// When the text is not `field=value`, or the field is unknown or given before.
    pub fn set(&mut self, rule: &str) -> Result<(), InputError> {
        let value = self.fresh(rule)?;
        self.values.push(value);
        Ok(())
    }

    fn fresh(&self, rule: &str) -> Result<(Field, Box<str>), InputError> {
        let (name, text) = rule
            .split_once('=')
            .ok_or_else(|| InputError::NoEquals(rule.to_owned()))?;
        let field = Field::named(name.trim())?;
        if self.gives(field) {
            return Err(InputError::FieldTwice(field.name()));
        }
        Ok((field, text.into()))
    }

    /// Whether it says where the field comes from.
    pub(super) fn gives(&self, field: Field) -> bool {
        self.sources.iter().any(|s| s.field == field)
            || self.values.iter().any(|(f, _)| *f == field)
    }

    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(super) fn values(&self) -> &[(Field, Box<str>)] {
        &self.values
    }
}

/// One step of a path: the key of an object or the place in an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    key: Box<str>,
    place: Option<usize>,
}

impl Step {
    /// Reads a path: the key at the top of the line, and the way on from there.
    pub(super) fn parse(path: &str) -> Result<(Box<str>, Vec<Step>), InputError> {
        let bad = || InputError::BadPath(path.to_owned());
        let mut keys = vec![String::new()];
        let mut letters = path.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '.' => keys.push(String::new()),
                '\\' => push(&mut keys, letters.next().ok_or_else(bad)?),
                plain => push(&mut keys, plain),
            }
        }
        if keys.iter().any(String::is_empty) {
            return Err(bad());
        }
        let mut keys = keys.into_iter();
        let top = keys.next().unwrap_or_default().into_boxed_str();
        let steps = keys.map(|key| Step {
            place: key.parse().ok(),
            key: key.into_boxed_str(),
        });
        Ok((top, steps.collect()))
    }
}

fn push(keys: &mut [String], letter: char) {
    if let Some(key) = keys.last_mut() {
        key.push(letter);
    }
}

/// The JSON text at the end of the path, `None` when the path leads nowhere.
/// Of equal keys inside an object the last counts.
pub(super) fn pick<'a>(json: &'a str, path: &[Step]) -> Option<&'a str> {
    path.iter().try_fold(json, |json, step| {
        let mut reader = serde_json::Deserializer::from_str(json);
        // A text, a number or a word has nothing inside.
        match json.as_bytes().first() {
            Some(b'{') => reader.deserialize_map(Inside(step)).ok().flatten(),
            Some(b'[') => reader.deserialize_seq(Inside(step)).ok().flatten(),
            Some(_) | None => None,
        }
    })
}

struct Inside<'s>(&'s Step);

impl<'a> Visitor<'a> for Inside<'_> {
    type Value = Option<&'a str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Key(key)) = map.next_key()? {
            if *key == *self.0.key {
                found = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Some(place) = self.0.place else {
            return skip(seq).map(|()| None);
        };
        for _ in 0..place {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = seq.next_element::<&RawValue>()?.map(RawValue::get);
        skip(seq).map(|()| found)
    }
}

fn skip<'a, A: SeqAccess<'a>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(json: &'a str, path: &str) -> Option<&'a str> {
        let (_, steps) = Step::parse(&format!("line.{path}")).unwrap();
        pick(json, &steps)
    }

    #[test]
    fn a_path_walks_through_objects_and_arrays() {
        let json =
            r#"{"usage":{"prompt_tokens": 12},"choices":[{"x":"a"},{"x":"b"}],"a.b":1,"0":2}"#;
        assert_eq!(at(json, "usage.prompt_tokens"), Some("12"));
        assert_eq!(at(json, "choices.1.x"), Some(r#""b""#));
        assert_eq!(at(json, r"a\.b"), Some("1"));
        assert_eq!(at(json, "0"), Some("2"));
        for nowhere in [
            "usage.none",
            "choices.2.x",
            "choices.x",
            "a.b",
            "usage.prompt_tokens.x",
        ] {
            assert_eq!(at(json, nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_broken_path_is_told() {
        for path in ["", ".", "a..b", "a.", "a\\"] {
            assert_eq!(Step::parse(path), Err(InputError::BadPath(path.to_owned())));
        }
    }

    #[test]
    fn a_field_can_be_given_only_once() {
        let mut mapping = Mapping::default();
        mapping.map("timestamp=TIMESTAMP").unwrap();
        assert_eq!(
            mapping.set("ts=5"),
            Err(InputError::FieldTwice("timestamp"))
        );
        assert_eq!(
            mapping.set("model"),
            Err(InputError::NoEquals("model".to_owned()))
        );
    }
}
