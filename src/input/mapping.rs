//! How a foreign input is understood: which of its fields is which of ours, and
//! what it does not say because it is always the same.
//!
//! A field that is mapped or set is taken from nowhere else, and what is mapped
//! is no other field. Native names beside that keep their meaning; everything
//! else goes to metadata.

use super::field::Field;
use super::json::{Fault, Json, Scanner};
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

/// The value at the end of the path, `None` when the path leads nowhere.
/// Of equal keys inside an object the last counts.
pub(super) fn pick<'a>(value: Json<'a>, path: &[Step]) -> Option<Json<'a>> {
    path.iter().try_fold(value, |value, step| match value {
        Json::Object(text) => in_object(text, &step.key).ok().flatten(),
        Json::Array(text) => in_array(text, step.place?).ok().flatten(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Plain(_) | Json::Escaped(_) => None,
    })
}

fn in_object<'a>(text: &'a str, key: &str) -> Result<Option<Json<'a>>, Fault> {
    let mut scanner = Scanner::new(text);
    let mut found = None;
    scanner.open(b'{')?;
    while scanner.more(b'}')? {
        let is_it = scanner.key()? == key;
        let value = scanner.value()?;
        found = if is_it { Some(value) } else { found };
    }
    Ok(found)
}

fn in_array(text: &str, place: usize) -> Result<Option<Json<'_>>, Fault> {
    let mut scanner = Scanner::new(text);
    scanner.open(b'[')?;
    for _ in 0..place {
        if !scanner.more(b']')? {
            return Ok(None);
        }
        scanner.value()?;
    }
    Ok(match scanner.more(b']')? {
        true => Some(scanner.value()?),
        false => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(json: &'a str, path: &str) -> Option<Json<'a>> {
        let (_, steps) = Step::parse(&format!("line.{path}")).unwrap();
        pick(Json::Object(json), &steps)
    }

    #[test]
    fn a_path_walks_through_objects_and_arrays() {
        let json =
            r#"{"usage":{"prompt_tokens": 12},"choices":[{"x":"a"},{"x":"b"}],"a.b":1,"0":2}"#;
        assert_eq!(at(json, "usage.prompt_tokens"), Some(Json::Number("12")));
        assert_eq!(at(json, "choices.1.x"), Some(Json::Plain("b")));
        assert_eq!(at(json, r"a\.b"), Some(Json::Number("1")));
        assert_eq!(at(json, "0"), Some(Json::Number("2")));
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
