//! The list of llm-prices: dollars per million, with the days between which they held.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{blank, dollars, is_priced, rates_of};
use crate::model::{Price, PriceClass};
use crate::prices::midnight;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    prices: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    id: String,
    vendor: String,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    input_cached: Option<&'a RawValue>,
    from_date: Option<String>,
    to_date: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Price>, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut prices = Vec::new();
    for entry in &file.prices {
        let day = |text: &Option<String>| match text {
            None => Ok(None),
            Some(day) => midnight(day).map(Some).ok_or(format!("{day} is no day")),
        };
        let mut price = blank(&entry.vendor, &entry.id);
        price.from = day(&entry.from_date)?;
        price.until = day(&entry.to_date)?;
        for (class, value) in [
            (PriceClass::Input, entry.input),
            (PriceClass::Output, entry.output),
            (PriceClass::CacheRead, entry.input_cached),
        ] {
            let usd = value.and_then(|value| dollars(value.get(), 0));
            if let (Some(usd), Some(rates)) = (usd, rates_of(&mut price, "standard")) {
                rates.set(class, usd);
            }
        }
        prices.extend(is_priced(&price).then_some(price));
    }
    Ok(prices)
}
