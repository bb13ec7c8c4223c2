//! The `usage` object of a provider's answer, as it came, in the normal form.
//!
//! Providers count differently; [`FAMILIES`] says for each way of counting which name
//! means what, and what is inside what. A family is known by its names, not by the
//! provider, since gateways and clouds pass answers on. Keys may be written in
//! camelCase or snake_case. Where the object's own total is another number than its
//! classes add up to, both are kept and the request counts as a mismatch.

mod family;
mod leaves;

use std::borrow::Cow;

use super::draft::{Draft, Value};
use super::field::Field;
use super::json::Json;
use super::reject::Reject;
use super::tokens::Counted;
use crate::model::{Tokens, Usd};
use family::{Cache, FAMILIES, Family, NONE, Thoughts};
use leaves::{Leaf, Leaves};

/// What a usage object says.
pub(super) struct Usage<'a> {
    /// The counts.
    pub(super) counted: Counted,
    /// The cost, which OpenRouter and Perplexity tell.
    pub(super) cost: Option<Usd>,
    /// How the request was served, in the provider's word.
    pub(super) service_tier: Option<Cow<'a, str>>,
}

/// Reads the usage of a line. What it says that is no count of ours, and a usage that
/// is none, goes to metadata as it is.
///
/// # Errors
/// When a count is negative or no whole number, or the parts of a whole are more than it.
pub(super) fn read<'a>(draft: &mut Draft<'_, 'a>) -> Result<Option<Usage<'a>>, Reject> {
    let Value::Json(Json::Object(text)) = draft.value(Field::Usage) else {
        draft.set_aside(Field::Usage);
        return Ok(None);
    };
    let mut leaves = Leaves {
        name: draft.name(Field::Usage),
        told: Vec::new(),
    };
    leaves.gather(text, "")?;
    let counted = leaves.count()?;
    let cost = leaves.cost()?;
    let service_tier = leaves.take("service_tier").and_then(Json::text);
    if leaves.told.iter().any(Leaf::says_more) {
        draft.set_aside(Field::Usage);
    }
    Ok(counted.map(|counted| Usage {
        counted,
        cost,
        service_tier,
    }))
}

impl Leaves<'_, '_> {
    fn count(&mut self) -> Result<Option<Counted>, Reject> {
        if let Some(family) = FAMILIES.iter().find(|f| self.has_any(f.sign)) {
            return self.count_as(family).map(Some);
        }
        Ok(self.number(NONE.total)?.map(|unclassified| Counted {
            tokens: Some(Tokens {
                unclassified,
                ..Tokens::default()
            }),
            total_told: None,
        }))
    }

    fn count_as(&mut self, family: &Family) -> Result<Counted, Reject> {
        let mut of = |names| self.number(names).map(Option::unwrap_or_default);
        let (input, more_input, output) = (
            of(family.input)?,
            of(family.more_input)?,
            of(family.output)?,
        );
        let (cache_read, cache_write, cache_write_1h) = (
            of(family.cache_read)?,
            of(family.cache_write)?,
            of(family.cache_write_1h)?,
        );
        let (audio, cached_audio) = (of(family.audio_input)?, of(family.cached_audio)?);
        let (image, cached_image) = (of(family.image_input)?, of(family.cached_image)?);
        let (reasoning, audio_output) = (of(family.reasoning)?, of(family.audio_output)?);
        let total = self.number(family.total)?;

        let audio_input = audio.saturating_sub(cached_audio);
        let image_input = image.saturating_sub(cached_image);
        // A total of writes that was left out is no contradiction.
        let cache_write = cache_write.max(cache_write_1h);
        let mut inside = vec![audio_input, image_input];
        if family.cache == Cache::Inside {
            inside.extend([cache_read, cache_write]);
        }
        let uncached = self.rest(family.input, input, &inside)?;
        let input_uncached = uncached
            .checked_add(more_input)
            .filter(|sum| i64::try_from(*sum).is_ok())
            .ok_or_else(|| {
                Reject::Tokens(format!("{}: more input than can be counted", self.name))
            })?;
        let beside = match family.thoughts {
            Thoughts::Inside => false,
            Thoughts::Beside => true,
            Thoughts::TotalTells => {
                let sum = [input, output, reasoning].into_iter().map(u128::from).sum();
                reasoning > 0 && total.map(u128::from) == Some(sum)
            }
        };
        let within = if beside { 0 } else { reasoning };
        let tokens = Tokens {
            input_uncached,
            cache_read,
            cache_write_5m: cache_write - cache_write_1h,
            cache_write_1h,
            output: self.rest(family.output, output, &[within, audio_output])?,
            reasoning,
            audio_input,
            audio_output,
            image_input,
            unclassified: 0,
        };
        Ok(Counted {
            tokens: Some(tokens),
            total_told: total.filter(|told| u128::from(*told) != tokens.total()),
        })
    }

    /// What is left of a whole without its parts.
    fn rest(&self, names: &[&str], whole: u64, parts: &[u64]) -> Result<u64, Reject> {
        let sum: u128 = parts.iter().copied().map(u128::from).sum();
        let rest = u128::from(whole).checked_sub(sum);
        rest.and_then(|rest| u64::try_from(rest).ok())
            .ok_or_else(|| {
                let name = names.first().unwrap_or(&"");
                Reject::Tokens(format!(
                    "{}.{name}: {whole}, but its parts are {sum}",
                    self.name
                ))
            })
    }
}

#[cfg(test)]
mod tests;
