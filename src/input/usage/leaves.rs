//! The values of a usage object, wherever in it they stand.
//!
//! What they count is not known here.

use std::borrow::Cow;

use super::family::IMPLIED;
use crate::input::draft::MAX_COST;
use crate::input::json::{Fault, Json, Scanner};
use crate::input::number::{Decimal, Round};
use crate::input::reject::{Reject, shown};
use crate::model::Usd;

/// The values of a usage object by their paths.
pub(super) struct Leaves<'d, 'a> {
    pub(super) name: &'d str,
    pub(super) told: Vec<Leaf<'a>>,
}

pub(super) struct Leaf<'a> {
    path: String,
    value: Json<'a>,
    used: bool,
}

impl Leaf<'_> {
    /// Whether it says something that nobody understood.
    pub(super) fn says_more(&self) -> bool {
        let last = self.path.rsplit('.').next().unwrap_or_default();
        let says_nothing = match self.value {
            Json::Null | Json::Bool(false) => true,
            Json::Number(text) => Decimal::parse(text).is_some_and(|n| n.whole() == Some(0)),
            Json::Bool(true) | Json::Plain(_) | Json::Escaped(_) => false,
            Json::Object(_) | Json::Array(_) => false,
        };
        !self.used && !says_nothing && !IMPLIED.contains(&last)
    }
}

impl<'a> Leaves<'_, 'a> {
    /// Takes in an object: nested ones one level deep, and lists of counts by a word.
    pub(super) fn gather(&mut self, object: &'a str, before: &str) -> Result<(), Fault> {
        let mut scanner = Scanner::new(object);
        scanner.open(b'{')?;
        while scanner.more(b'}')? {
            let key = scanner.key()?;
            let path = format!("{before}{}", snake(&key));
            match scanner.value()? {
                Json::Object(inner) if before.is_empty() => {
                    self.gather(inner, &format!("{path}."))?;
                }
                Json::Array(list) if before.is_empty() => self.gather_list(list, &path)?,
                value => self.push(path, value),
            }
        }
        Ok(())
    }

    /// A list such as `[{"modality": "AUDIO", "tokenCount": 5}]`.
    fn gather_list(&mut self, list: &'a str, path: &str) -> Result<(), Fault> {
        let mut scanner = Scanner::new(list);
        scanner.open(b'[')?;
        while scanner.more(b']')? {
            let value = scanner.value()?;
            let Json::Object(entry) = value else {
                self.push(path.to_owned(), value);
                continue;
            };
            let mut inner = Leaves {
                name: self.name,
                told: Vec::new(),
            };
            inner.gather(entry, "")?;
            let word = inner.take("modality").or_else(|| inner.take("ttl"));
            let count = inner
                .take("token_count")
                .or_else(|| inner.take("input_tokens"));
            match (word.and_then(Json::text), count) {
                (Some(word), Some(count)) => {
                    self.push(format!("{path}.{}", word.to_ascii_lowercase()), count);
                }
                _ => self.push(path.to_owned(), value),
            }
        }
        Ok(())
    }

    fn push(&mut self, path: String, value: Json<'a>) {
        self.told.push(Leaf {
            path,
            value,
            used: false,
        });
    }

    pub(super) fn take(&mut self, path: &str) -> Option<Json<'a>> {
        let leaf = self
            .told
            .iter_mut()
            .find(|l| l.path == path && l.value != Json::Null)?;
        leaf.used = true;
        Some(leaf.value)
    }

    pub(super) fn has_any(&self, paths: &[&str]) -> bool {
        let told = |l: &Leaf<'_>| l.value != Json::Null && paths.contains(&&*l.path);
        self.told.iter().any(told)
    }

    /// The first count that is told under one of the names.
    pub(super) fn number(&mut self, names: &[&str]) -> Result<Option<u64>, Reject> {
        let mut found = None;
        for name in names {
            if let Some(value) = self.take(name) {
                let number = self.decimal(name, value)?;
                let whole = number
                    .whole()
                    .ok_or_else(|| self.mismatch(name, value, "a whole number"))?;
                found = found.or(Some(whole.unsigned_abs()));
            }
        }
        Ok(found)
    }

    pub(super) fn cost(&mut self) -> Result<Option<Usd>, Reject> {
        // OpenRouter's, and Perplexity's.
        let Some(value) = self.take("cost").or_else(|| self.take("cost.total_cost")) else {
            return Ok(None);
        };
        let nano = self.decimal("cost", value)?.scaled(9, Round::HalfEven);
        match nano.map(|nano| Usd(nano.into())) {
            Some(cost) if cost <= MAX_COST => Ok(Some(cost)),
            Some(_) | None => Err(self.mismatch("cost", value, "at most $10,000")),
        }
    }

    fn decimal(&self, name: &str, value: Json<'a>) -> Result<Decimal, Reject> {
        let number = match value {
            Json::Number(text) => Decimal::parse(text),
            _ => None,
        };
        match number {
            Some(number) if number.is_negative() => Err(Reject::OutOfRange {
                field: format!("{}.{name}", self.name),
                expected: "no negative number",
                found: shown(&value.written()),
            }),
            Some(number) => Ok(number),
            None => Err(self.mismatch(name, value, "a number")),
        }
    }

    fn mismatch(&self, name: &str, value: Json<'a>, expected: &'static str) -> Reject {
        Reject::TypeMismatch {
            field: format!("{}.{name}", self.name),
            expected,
            found: shown(&value.written()),
        }
    }
}

/// `promptTokenCount` as `prompt_token_count`.
fn snake(key: &str) -> Cow<'_, str> {
    if !key.bytes().any(|b| b.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    let mut name = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    Cow::Owned(name)
}
