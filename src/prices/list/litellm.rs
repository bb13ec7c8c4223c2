//! LiteLLM's list: an object of models, dollars per token, a field for each class and tier.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{blank, dollars, is_priced, rates_of};
use crate::model::{Price, PriceClass};
use crate::prices::canonical;

/// How the fields of a class begin. The longest that fits counts.
const FIELDS: [(&str, PriceClass); 9] = [
    (
        "cache_creation_input_token_cost_above_1hr",
        PriceClass::CacheWrite1h,
    ),
    ("cache_creation_input_token_cost", PriceClass::CacheWrite5m),
    ("cache_read_input_token_cost", PriceClass::CacheRead),
    ("output_cost_per_reasoning_token", PriceClass::Reasoning),
    ("input_cost_per_audio_token", PriceClass::AudioInput),
    ("output_cost_per_audio_token", PriceClass::AudioOutput),
    ("input_cost_per_image_token", PriceClass::ImageInput),
    ("input_cost_per_token", PriceClass::Input),
    ("output_cost_per_token", PriceClass::Output),
];

/// A token is a millionth of a million.
const TOKEN: i32 = 6;

pub(super) fn read(text: &str) -> Result<Vec<Price>, String> {
    let models: BTreeMap<String, BTreeMap<String, &RawValue>> =
        serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut prices = Vec::new();
    for (key, fields) in &models {
        let provider = fields.get("litellm_provider");
        let Some(provider) = provider.and_then(|p| serde_json::from_str::<&str>(p.get()).ok())
        else {
            continue;
        };
        let provider = canonical(
            provider
                .split_once('-')
                .map_or(provider, |(cloud, _)| cloud),
        );
        let name = match key.split_once('/') {
            Some((head, rest)) if canonical(head) == provider => rest,
            Some(_) | None => key,
        };
        let mut price = blank(&provider, name);
        for (field, value) in fields {
            let class = FIELDS.iter().find(|(begin, _)| field.starts_with(begin));
            let (Some((begin, class)), Some(usd)) = (class, dollars(value.get(), TOKEN)) else {
                continue;
            };
            let tier = tier(&field[begin.len()..]);
            if let Some(rates) = tier.and_then(|tier| rates_of(&mut price, &tier)) {
                rates.set(*class, usd);
            }
        }
        if is_priced(&price) {
            prices.push(price);
        }
    }
    Ok(prices)
}

/// The tier that the end of a field speaks of: `_above_200k_tokens_priority`.
fn tier(end: &str) -> Option<String> {
    let (above, service) = match end.strip_prefix("_above_") {
        Some(rest) => rest.split_once("k_tokens")?,
        None => ("", end),
    };
    let service = match service {
        "" => "",
        "_batches" => "batch",
        "_flex" => "flex",
        "_priority" => "priority",
        _ => return None,
    };
    Some(match (above, service) {
        ("", "") => "standard".to_owned(),
        ("", service) => service.to_owned(),
        (above, service) => format!("{service}>{above}000"),
    })
}
