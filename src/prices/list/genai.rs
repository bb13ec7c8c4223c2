//! genai-prices' list: providers with models, dollars per million, with dates and tiers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{blank, dollars, is_priced, rates_of};
use crate::model::{Price, PriceClass};
use crate::prices::midnight;

#[derive(Deserialize)]
struct Provider<'a> {
    id: String,
    #[serde(borrow)]
    models: Vec<Model<'a>>,
}

#[derive(Deserialize)]
struct Model<'a> {
    id: String,
    #[serde(borrow)]
    prices: &'a RawValue,
}

#[derive(Deserialize)]
struct Dated<'a> {
    constraint: Option<Constraint>,
    #[serde(borrow)]
    prices: Prices<'a>,
}

#[derive(Deserialize)]
struct Constraint {
    start_date: Option<String>,
}

type Prices<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Deserialize)]
struct Tiered<'a> {
    #[serde(borrow)]
    base: &'a RawValue,
    #[serde(borrow)]
    tiers: Vec<Tier<'a>>,
}

#[derive(Deserialize)]
struct Tier<'a> {
    start: u64,
    #[serde(borrow)]
    price: &'a RawValue,
}

/// The class of a field, and how many tens it lies from a price of a million.
fn class(field: &str) -> Option<(PriceClass, i32)> {
    Some(match field {
        "input_mtok" => (PriceClass::Input, 0),
        "output_mtok" => (PriceClass::Output, 0),
        "cache_read_mtok" => (PriceClass::CacheRead, 0),
        "cache_write_mtok" => (PriceClass::CacheWrite5m, 0),
        "cache_write_1h_mtok" => (PriceClass::CacheWrite1h, 0),
        "output_reasoning_mtok" => (PriceClass::Reasoning, 0),
        "input_audio_mtok" => (PriceClass::AudioInput, 0),
        "output_audio_mtok" => (PriceClass::AudioOutput, 0),
        "input_image_mtok" => (PriceClass::ImageInput, 0),
        "requests_kcount" => (PriceClass::Request, 3),
        _ => return None,
    })
}

pub(super) fn read(text: &str) -> Result<Vec<Price>, String> {
    let providers: Vec<Provider<'_>> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut all = Vec::new();
    for provider in &providers {
        for model in &provider.models {
            let mut prices = Vec::new();
            for Dated {
                constraint,
                prices: stated,
            } in dated(model.prices.get())?
            {
                let mut price = blank(&provider.id, &model.id);
                match constraint {
                    None => {}
                    Some(Constraint {
                        start_date: Some(day),
                    }) => {
                        price.from = Some(midnight(&day).ok_or(format!("{day} is no day"))?);
                    }
                    // A price by the hour of the day is not expressed.
                    Some(Constraint { start_date: None }) => continue,
                }
                fill(&mut price, &stated);
                prices.extend(is_priced(&price).then_some(price));
            }
            prices.sort_by_key(|price| price.from);
            for place in 1..prices.len() {
                prices[place - 1].until = prices[place].from;
            }
            all.extend(prices);
        }
    }
    Ok(all)
}

fn dated(text: &str) -> Result<Vec<Dated<'_>>, String> {
    let read = match text.starts_with('[') {
        true => serde_json::from_str(text),
        false => serde_json::from_str(text).map(|prices| {
            vec![Dated {
                constraint: None,
                prices,
            }]
        }),
    };
    read.map_err(|e| e.to_string())
}

/// Sets the rates; a class that does not change with the size keeps its price in each tier.
fn fill(price: &mut Price, stated: &Prices<'_>) {
    let mut sizes: Vec<u64> = stated
        .values()
        .flat_map(|value| tiered_starts(value))
        .collect();
    sizes.push(0);
    sizes.sort_unstable();
    sizes.dedup();
    for size in sizes {
        for (field, value) in stated {
            let Some((class, shift)) = class(field) else {
                continue;
            };
            let usd = match tiered_price(value, size) {
                Some(usd) => dollars(&usd, shift),
                None => dollars(value.get(), shift),
            };
            if let (Some(usd), Some(rates)) = (usd, rates_of(price, &format!(">{size}"))) {
                rates.set(class, usd);
            }
        }
    }
}

fn tiered_starts(value: &RawValue) -> Vec<u64> {
    let tiered = serde_json::from_str::<Tiered<'_>>(value.get());
    tiered.map_or_else(
        |_| Vec::new(),
        |t| t.tiers.iter().map(|tier| tier.start).collect(),
    )
}

/// The price of requests above a size, where it depends on that.
fn tiered_price(value: &RawValue, size: u64) -> Option<String> {
    let tiered: Tiered<'_> = serde_json::from_str(value.get()).ok()?;
    let reached = tiered
        .tiers
        .iter()
        .filter(|tier| size > 0 && tier.start <= size);
    let price = reached
        .max_by_key(|tier| tier.start)
        .map_or(tiered.base, |tier| tier.price);
    Some(price.get().to_owned())
}
