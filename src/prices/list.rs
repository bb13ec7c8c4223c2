//! Price lists of others, and the user's own, as prices: one file per format.
//!
//! Numbers are read from their text; none becomes a float on its way.

mod genai;
mod litellm;
mod llm_prices;
mod own;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::model::{Millis, Price, PriceClass, PriceTier, Rates, Usd};

/// How a price list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// `model_prices_and_context_window.json` of LiteLLM: dollars per token.
    Litellm,
    /// `data.json` of genai-prices: providers with models, dollars per million.
    GenaiPrices,
    /// `current-v1.json` or `historical-v1.json` of llm-prices: dollars per million.
    LlmPrices,
    /// `prices` (a list) in JSON or TOML: dollars per million by the names of `obs`.
    Own,
}

impl ListFormat {
    /// All of them.
    pub const ALL: [ListFormat; 4] = [
        ListFormat::Litellm,
        ListFormat::GenaiPrices,
        ListFormat::LlmPrices,
        ListFormat::Own,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            ListFormat::Litellm => "litellm",
            ListFormat::GenaiPrices => "genai-prices",
            ListFormat::LlmPrices => "llm-prices",
            ListFormat::Own => "obs",
        }
    }

    /// The format of that name.
    pub fn parse(name: &str) -> Option<ListFormat> {
        ListFormat::ALL.into_iter().find(|f| f.name() == name)
    }

    /// What the text looks like.
    pub fn recognise(text: &str) -> Option<ListFormat> {
        let Ok(top) = serde_json::from_str::<BTreeMap<&str, &RawValue>>(text) else {
            let is_list = text.trim_start().starts_with('[') && text.contains("\"models\"");
            return match is_list {
                true => Some(ListFormat::GenaiPrices),
                false => text.contains("[[prices]]").then_some(ListFormat::Own),
            };
        };
        match top.get("prices") {
            Some(prices) if prices.get().contains("\"vendor\"") => Some(ListFormat::LlmPrices),
            Some(_) => Some(ListFormat::Own),
            None => text
                .contains("_cost_per_token")
                .then_some(ListFormat::Litellm),
        }
    }
}

/// Why a text is no price list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It looks like none that is known.
    #[error("this is no price list that is known")]
    Unknown,
    /// It is not written as its format is.
    #[error("not a price list of {format}: {reason}")]
    Syntax {
        /// The name of the format.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// Reads a price list; the prices are said to be from `source`.
///
/// # Errors
/// When the text is not written as the format is.
pub fn read_list(
    text: &str,
    format: Option<ListFormat>,
    source: &str,
    now: Millis,
) -> Result<Vec<Price>, ListError> {
    let format = format
        .or_else(|| ListFormat::recognise(text))
        .ok_or(ListError::Unknown)?;
    let read = match format {
        ListFormat::Litellm => litellm::read(text),
        ListFormat::GenaiPrices => genai::read(text),
        ListFormat::LlmPrices => llm_prices::read(text),
        ListFormat::Own => own::read(text),
    };
    let mut prices = read.map_err(|reason| ListError::Syntax {
        format: format.name(),
        reason,
    })?;
    for price in &mut prices {
        source.clone_into(&mut price.source);
        price.read_at = Some(now);
    }
    Ok(prices)
}

/// A price without tiers yet.
fn blank(provider: &str, model: &str) -> Price {
    Price {
        provider: super::canonical(provider),
        model: model.trim().to_ascii_lowercase(),
        from: None,
        until: None,
        source: String::new(),
        read_at: None,
        tiers: Vec::new(),
    }
}

/// The rates of a tier, which is made when there is none.
fn rates_of<'p>(price: &'p mut Price, name: &str) -> Option<&'p mut Rates> {
    let (service, above) = PriceTier::parse_name(name)?;
    let is_it = |t: &PriceTier| t.service == service && t.above == above;
    let place = price.tiers.iter().position(is_it).unwrap_or_else(|| {
        price.tiers.push(PriceTier {
            service,
            above,
            rates: Rates::default(),
        });
        price.tiers.len() - 1
    });
    price.tiers.get_mut(place).map(|t| &mut t.rates)
}

/// Dollars for `10^-shift` millions as a price of a million; `None` for a text that is
/// no amount, or one that is negative.
fn dollars(text: &str, shift: i32) -> Option<Usd> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    super::amount(&format!("{digits}e{}", exponent.checked_add(shift)?))
}

/// Whether a usual request has a price at all. Lists write 0 for what they do not know.
fn is_priced(price: &Price) -> bool {
    price.standard().is_some_and(|rates| {
        let costs = |class| rates.get(class).is_some_and(|p| p != Usd::ZERO);
        costs(PriceClass::Input) || costs(PriceClass::Output)
    })
}

#[cfg(test)]
mod tests;
