//! The list of `obs` itself, in JSON or TOML:
//!
//! ```toml
//! [[prices]]
//! provider = "house"
//! model = "house-7b"
//! from = "2026-01-01"          # until, and tier = "batch" or ">200000", likewise
//! input = 0.2                  # dollars per million; in quotes where each digit counts
//! output = 0.4
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

use super::{blank, dollars, rates_of};
use crate::model::{Millis, Price, PriceClass};
use crate::prices::midnight;

pub(super) fn read(text: &str) -> Result<Vec<Price>, String> {
    let file: BTreeMap<String, Vec<BTreeMap<String, Value>>> =
        match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(|e| e.to_string())?,
            false => toml::from_str(text).map_err(|e| e.message().to_owned())?,
        };
    let mut prices: Vec<Price> = Vec::new();
    for entry in file.get("prices").into_iter().flatten() {
        let word = |key: &str| entry.get(key).and_then(Value::as_str);
        let named = |key| word(key).ok_or(format!("a price has no {key}"));
        let mut price = blank(named("provider")?, named("model")?);
        price.from = day(word("from"))?;
        price.until = day(word("until"))?;
        let same = |p: &Price| {
            p.provider == price.provider && p.model == price.model && p.from == price.from
        };
        let place = prices.iter().position(same);
        let place = place.unwrap_or_else(|| {
            prices.push(price);
            prices.len() - 1
        });
        let tier = word("tier").unwrap_or("standard");
        let rates = rates_of(&mut prices[place], tier).ok_or(format!("{tier} is no tier"))?;
        for (key, value) in entry {
            match (key.as_str(), PriceClass::parse(key)) {
                ("provider" | "model" | "from" | "until" | "tier", _) => {}
                (_, None) => return Err(format!("{key} is no class of tokens")),
                (_, Some(class)) => rates.set(
                    class,
                    amount(value).ok_or(format!("{key}: {value} is no price"))?,
                ),
            }
        }
    }
    match prices.iter().find(|price| price.standard().is_none()) {
        Some(price) => Err(format!("{} has no standard price", price.model)),
        None => Ok(prices),
    }
}

fn day(text: Option<&str>) -> Result<Option<Millis>, String> {
    let read = |day: &str| midnight(day).ok_or(format!("{day} is no day"));
    text.map(read).transpose()
}

/// A number is taken as the shortest decimal that reads back as it.
fn amount(value: &Value) -> Option<crate::model::Usd> {
    match value {
        Value::String(text) => dollars(text.trim(), 0),
        Value::Number(number) => dollars(&number.to_string(), 0),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
