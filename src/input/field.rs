//! The fields of the native format and the names by which lines may call them.
//!
//! What a field's value means is not known here.

use rustc_hash::FxHashMap;

use super::Format;
use super::mapping::{Mapping, Source, Step};
use super::reject::InputError;
use crate::model::nearest;

/// A field of the native format; the names in [`FIELDS`] say what each holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Type,
    At,
    Id,
    Provider,
    Model,
    User,
    Latency,
    Success,
    ErrorMessage,
    Input,
    Output,
    Total,
    Cost,
    Outcome,
    SavedCost,
    SavedTokens,
    LimitType,
    LimitKey,
    Remaining,
    Limit,
    ResetAt,
    Role,
    Tools,
    Session,
    RequestId,
    Project,
    Endpoint,
    StatusCode,
    ErrorType,
    Ttft,
    InputUncached,
    CacheRead,
    CacheWrite5m,
    CacheWrite1h,
    Reasoning,
    AudioInput,
    AudioOutput,
    ImageInput,
    Unclassified,
    CostComputed,
    Ref,
    ServiceTier,
    Usage,
    Metadata,
}

/// Each field with its names, the usual one first. Every name is also known in camelCase.
#[rustfmt::skip]
const FIELDS: [(Field, &[&str]); Field::COUNT] = [
    (Field::Type, &["type", "metric_type"]),
    (Field::At, &["timestamp", "time", "ts", "at"]),
    (Field::Id, &["id"]),
    (Field::Provider, &["provider"]),
    (Field::Model, &["model"]),
    (Field::User, &["user_id", "user"]),
    (Field::Latency, &["latency", "latency_ms", "duration_ms"]),
    (Field::Success, &["success"]),
    (Field::ErrorMessage, &["error_message", "error"]),
    (Field::Input, &["input_tokens"]),
    (Field::Output, &["output_tokens"]),
    (Field::Total, &["total_tokens"]),
    (Field::Cost, &["cost", "cost_usd"]),
    (Field::Outcome, &["event", "cache_event", "rate_limit_event"]),
    (Field::SavedCost, &["saved_cost", "cache_saved_cost"]),
    (Field::SavedTokens, &["saved_tokens", "cache_saved_tokens"]),
    (Field::LimitType, &["rate_limit_type", "limit_type"]),
    (Field::LimitKey, &["key"]),
    (Field::Remaining, &["remaining", "rate_limit_remaining"]),
    (Field::Limit, &["limit"]),
    (Field::ResetAt, &["reset_at", "reset_timestamp"]),
    (Field::Role, &["role"]),
    (Field::Tools, &["tools"]),
    (Field::Session, &["session_id"]),
    (Field::RequestId, &["request_id"]),
    (Field::Project, &["project"]),
    (Field::Endpoint, &["endpoint"]),
    (Field::StatusCode, &["status_code"]),
    (Field::ErrorType, &["error_type"]),
    (Field::Ttft, &["ttft_ms", "ttft"]),
    (Field::InputUncached, &["input_uncached_tokens"]),
    (Field::CacheRead, &["cached_tokens", "cache_read_tokens"]),
    (Field::CacheWrite5m, &["cache_write_tokens", "cache_write_5m_tokens"]),
    (Field::CacheWrite1h, &["cache_write_1h_tokens"]),
    (Field::Reasoning, &["reasoning_tokens"]),
    (Field::AudioInput, &["audio_input_tokens"]),
    (Field::AudioOutput, &["audio_output_tokens"]),
    (Field::ImageInput, &["image_input_tokens", "image_tokens"]),
    (Field::Unclassified, &["unclassified_tokens"]),
    (Field::CostComputed, &["cost_computed_usd"]),
    (Field::Ref, &["obs_ref"]),
    (Field::ServiceTier, &["service_tier"]),
    (Field::Usage, &["usage", "usage_metadata"]),
    (Field::Metadata, &["metadata"]),
];

impl Field {
    pub(super) const COUNT: usize = Field::Metadata as usize + 1;

    /// Its usual name.
    pub(super) fn name(self) -> &'static str {
        FIELDS[self as usize].1[0]
    }

    /// The field of that name, in snake_case or camelCase.
    pub(super) fn named(name: &str) -> Result<Field, InputError> {
        let all = || {
            FIELDS
                .iter()
                .flat_map(|(f, names)| names.iter().map(|n| (*f, *n)))
        };
        all()
            .find(|(_, known)| *known == name || camel(known) == name)
            .map(|(field, _)| field)
            .ok_or_else(|| InputError::UnknownField {
                name: name.to_owned(),
                nearest: nearest(name, all().map(|(_, known)| known)),
            })
    }
}

/// The number of one spelling, by which a key that comes twice is noticed.
pub(super) type Spelling = u8;

/// What a key of the input leads to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A field takes the whole value.
    Field(Field, Spelling),
    /// Fields take the value or parts of it.
    Parts(Vec<Part>),
}

/// A field, and where in the value of a key it is found.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) field: Field,
    pub(super) spelling: Spelling,
    /// The way into the value; empty for the value itself.
    pub(super) path: Vec<Step>,
}

/// The keys that mean something, for one input.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    targets: FxHashMap<Box<str>, Target>,
    spellings: Vec<Spelled>,
}

#[derive(Clone, Debug)]
struct Spelled {
    name: Box<str>,
    /// The key as JSON writes it, `"model":`, and the field that takes its whole
    /// value; none when a mapping knows better.
    native: Option<(Field, Box<str>)>,
}

impl Names {
    /// The native names and the sources of the mapping. A field that the mapping
    /// takes from elsewhere loses its own names, and a key that is mapped as a
    /// whole its native meaning.
    pub(super) fn new(format: Format, mapping: &Mapping) -> Result<Names, InputError> {
        let mut sources = Vec::new();
        for Source { field, text } in mapping.sources() {
            let (key, path) = match format {
                Format::Jsonl => Step::parse(text)?,
                Format::Csv => (text.clone(), Vec::new()),
            };
            sources.push((*field, text, key, path));
        }
        let is_mapped = |name: &str| {
            sources
                .iter()
                .any(|(.., key, path)| path.is_empty() && **key == *name)
        };
        let mut names = Names::default();
        for (field, spellings) in FIELDS.iter().filter(|(f, _)| !mapping.gives(*f)) {
            let both = spellings.iter().flat_map(|name| in_both_cases(name));
            for name in both.filter(|name| !is_mapped(name)) {
                let key = format!("\"{name}\":").into_boxed_str();
                let spelling = names.spell(&name, Some((*field, key)));
                names
                    .targets
                    .insert(name.into(), Target::Field(*field, spelling));
            }
        }
        for (field, text, key, path) in sources {
            let spelling = names.spell(text, None);
            names.add_part(
                key,
                Part {
                    field,
                    spelling,
                    path,
                },
            );
        }
        Ok(names)
    }

    /// What this key leads to, `None` when it means nothing.
    pub(super) fn target(&self, key: &str) -> Option<&Target> {
        self.targets.get(key)
    }

    /// How the input spells it.
    pub(super) fn spelling(&self, spelling: Spelling) -> &str {
        &self.spellings[usize::from(spelling)].name
    }

    /// The field that takes the whole value under a native spelling, and the
    /// key as JSON writes it: `"model":`.
    pub(super) fn native(&self, spelling: Spelling) -> Option<(Field, &str)> {
        let spelled = self.spellings.get(usize::from(spelling))?;
        spelled.native.as_ref().map(|(field, key)| (*field, &**key))
    }

    fn add_part(&mut self, key: Box<str>, part: Part) {
        let target = self.targets.remove(&key);
        let target = match target {
            None if part.path.is_empty() => Target::Field(part.field, part.spelling),
            None => Target::Parts(vec![part]),
            Some(Target::Parts(mut parts)) => {
                parts.push(part);
                Target::Parts(parts)
            }
            Some(Target::Field(field, spelling)) => {
                self.spellings[usize::from(spelling)].native = None;
                let whole = Part {
                    field,
                    spelling,
                    path: Vec::new(),
                };
                Target::Parts(vec![whole, part])
            }
        };
        self.targets.insert(key, target);
    }

    /// Numbers a spelling. There are under 100 native ones and one for each
    /// mapped field, so the numbers suffice; the tests count them.
    fn spell(&mut self, name: &str, native: Option<(Field, Box<str>)>) -> Spelling {
        let number = Spelling::try_from(self.spellings.len()).unwrap_or(Spelling::MAX);
        let name = name.into();
        self.spellings.push(Spelled { name, native });
        number
    }
}

/// The name as it is, and in camelCase where that differs: `saved_cost`, `savedCost`.
fn in_both_cases(snake: &str) -> Vec<String> {
    let mut names = vec![snake.to_owned(), camel(snake)];
    names.dedup();
    names
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_each_field_in_its_place_and_each_name_once() {
        let mut names: Vec<_> = Vec::new();
        for (place, (field, spellings)) in FIELDS.iter().enumerate() {
            assert_eq!(*field as usize, place);
            names.extend(spellings.iter().flat_map(|n| [(*n).to_owned(), camel(n)]));
        }
        names.sort();
        names.dedup();
        let table = Names::new(Format::Jsonl, &Mapping::default()).unwrap();
        assert_eq!(table.targets.len(), names.len());
        assert!(table.spellings.len() + Field::COUNT < usize::from(Spelling::MAX));
    }

    #[test]
    fn every_name_is_known_in_camel_case_too() {
        for (snake, camel) in [
            ("cache_saved_tokens", "cacheSavedTokens"),
            ("cache_write_5m_tokens", "cacheWrite5mTokens"),
            ("ttft_ms", "ttftMs"),
            ("id", "id"),
        ] {
            assert_eq!(Field::named(snake), Field::named(camel));
            assert!(Field::named(snake).is_ok(), "{snake}");
        }
    }

    #[test]
    fn an_unknown_field_names_the_nearest() {
        let error = Field::named("input_token").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown field \"input_token\", did you mean input_tokens?"
        );
    }
}
