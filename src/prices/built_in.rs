//! The prices that come with the program: `data/prices.json`, whose form
//! `scripts/update-prices` describes.
//!
//! The file is a name a line, sorted by bytes. A price is found by halving the text
//! and reading one line, so that no start pays for five thousand names and no memory
//! holds them. What may be done with names is not known here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::midnight;
use crate::model::{Price, PriceClass, PriceTier, Rates, Usd};

static FILE: &str = include_str!("../../data/prices.json");

/// A package that states prices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The day on which it was read: `2026-11-25`.
    pub read: String,
}

/// What the table states of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The provider.
    pub provider: &'static str,
    /// The name.
    pub name: &'static str,
    /// The name that it is another word for.
    pub alias: Option<&'static str>,
    /// The prices, the newest first.
    pub prices: Vec<Price>,
}

/// One line of the file: provider, name, and either rows or the name it stands for.
type Line<'a> = (&'a str, &'a str, &'a RawValue);

/// Source, first day, standard rates, other tiers.
#[derive(Deserialize)]
struct Row<'a>(
    &'a str,
    &'a str,
    #[serde(borrow)] Numbers<'a>,
    #[serde(borrow, default)] BTreeMap<&'a str, Numbers<'a>>,
);
/// Dollars per million in the order of [`PriceClass::ALL`], as they are written.
type Numbers<'a> = Vec<Option<&'a RawValue>>;

#[derive(Deserialize)]
struct Head {
    sources: BTreeMap<String, Source>,
}

/// What the table states of exactly this name.
pub(super) fn find(provider: &str, name: &str) -> Option<Entry> {
    let key = key(provider, Some(name))?;
    let line = line_at_or_after(&key).filter(|line| line.starts_with(&*key))?;
    let entry = entry(line)?;
    let prices = match entry.alias {
        Some(model) if model != name => find(provider, model)?.prices,
        Some(_) | None => entry.prices,
    };
    Some(Entry { prices, ..entry })
}

/// Whether any model of the provider is in the table.
pub(super) fn has_provider(provider: &str) -> bool {
    key(provider, None)
        .is_some_and(|key| line_at_or_after(&key).is_some_and(|line| line.starts_with(&*key)))
}

/// All names in the table, in order. An alias comes without prices.
pub(super) fn entries() -> impl Iterator<Item = Entry> {
    names().lines().filter_map(entry)
}

/// The packages that state the prices, by their marks in the file.
pub fn sources() -> BTreeMap<String, Source> {
    let head = FILE.lines().next().unwrap_or_default();
    let head = format!("{head}]}}");
    serde_json::from_str(&head).map_or_else(|_| BTreeMap::new(), |head: Head| head.sources)
}

/// How a line begins. A quote or a backslash is in no name of the table.
fn key(provider: &str, name: Option<&str>) -> Option<String> {
    let is_plain = |text: &str| !text.contains(['"', '\\']);
    (is_plain(provider) && name.is_none_or(is_plain)).then(|| match name {
        Some(name) => format!("[\"{provider}\",\"{name}\","),
        None => format!("[\"{provider}\","),
    })
}

/// The lines of names, without head and foot.
fn names() -> &'static str {
    let begin = FILE.find('\n').map_or(FILE.len(), |at| at + 1);
    let end = FILE.rfind("\n]}").unwrap_or(FILE.len());
    FILE.get(begin..end).unwrap_or_default()
}

/// The first line that is not before the key.
fn line_at_or_after(key: &str) -> Option<&'static str> {
    let text = names();
    let (mut from, mut until) = (0, text.len());
    while from < until {
        let middle = from + (until - from) / 2;
        let start = text.as_bytes()[from..middle]
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(from, |at| from + at + 1);
        let line = text[start..].lines().next()?;
        if line.as_bytes() < key.as_bytes() {
            from = (start + line.len() + 1).min(until);
        } else {
            until = start;
        }
    }
    text.get(from..)?.lines().next()
}

fn entry(line: &'static str) -> Option<Entry> {
    let line = line.strip_suffix(',').unwrap_or(line);
    let (provider, name, rest): Line<'static> = serde_json::from_str(line).ok()?;
    let alias = serde_json::from_str::<&str>(rest.get()).ok();
    let prices = match alias {
        Some(_) => Vec::new(),
        None => prices(
            provider,
            name,
            &serde_json::from_str::<Vec<Row<'_>>>(rest.get()).ok()?,
        )?,
    };
    Some(Entry {
        provider,
        name,
        alias,
        prices,
    })
}

fn prices(provider: &str, name: &str, rows: &[Row<'_>]) -> Option<Vec<Price>> {
    let sources = sources();
    let mut until = None;
    let mut prices = Vec::with_capacity(rows.len());
    for Row(source, first_day, standard, others) in rows {
        let source = sources.get(*source)?;
        let mut tiers = vec![tier("standard", standard)?];
        for (name, numbers) in others {
            tiers.push(tier(name, numbers)?);
        }
        let from = midnight(first_day);
        prices.push(Price {
            provider: provider.to_owned(),
            model: name.to_owned(),
            from,
            until,
            source: format!("{} {}", source.name, source.version),
            read_at: midnight(&source.read),
            tiers,
        });
        until = from;
    }
    Some(prices)
}

fn tier(name: &str, numbers: &[Option<&RawValue>]) -> Option<PriceTier> {
    let (service, above) = PriceTier::parse_name(name)?;
    let mut rates = Rates::default();
    for (class, number) in PriceClass::ALL.into_iter().zip(numbers) {
        if let Some(number) = number {
            rates.set(class, Usd::parse(number.get()).ok()?);
        }
    }
    Some(PriceTier {
        service,
        above,
        rates,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_can_be_read_and_is_found() {
        assert_eq!(sources().len(), 2);
        let mut count = 0;
        for line in names().lines() {
            let entry = entry(line).unwrap_or_else(|| panic!("{line}"));
            let found = find(entry.provider, entry.name).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(found.alias, entry.alias);
            assert!(!found.prices.is_empty(), "{line}");
            for price in &found.prices {
                let standard = price.standard().unwrap();
                assert!(!standard.is_empty(), "{line}");
                assert!(
                    price
                        .from
                        .is_none_or(|from| price.until.is_none_or(|until| from < until))
                );
            }
            count += 1;
        }
        assert!(count > 5_000, "{count}");
    }

    #[test]
    fn the_lines_are_sorted_so_that_they_can_be_halved() {
        let lines: Vec<&str> = names().lines().map(|l| l.trim_end_matches(',')).collect();
        assert!(lines.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
    }

    #[test]
    fn a_name_that_only_begins_alike_is_not_found() {
        assert!(find("openai", "gpt-4o").is_some());
        for name in ["gpt-4", "gpt-4o-", "gpt-", "", "zzz", "\"", "gpt-4o\",\""] {
            assert_eq!(find("openai", name).is_some(), name == "gpt-4", "{name}");
        }
        assert!(!has_provider("open") && !has_provider("") && !has_provider("zzzz"));
        assert!(has_provider("anthropic"));
    }
}
