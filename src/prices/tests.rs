//! The whole way from the names of an event to a price, on the built-in table.

use super::*;
use crate::model::{PriceClass, PriceTier, Rates, ServiceTier, Tokens, Usd};

/// 2026-11-25T00:00:00Z.
const NOW: Millis = Millis(1_795_564_800_000);

fn input_price(
    table: &mut PriceTable,
    provider: Option<&str>,
    model: &str,
    at: Millis,
) -> Option<String> {
    let rates = table.find(provider, model, at)?.standard()?;
    Some(rates.get(PriceClass::Input)?.to_string())
}

#[test]
fn one_model_is_found_under_the_names_it_goes_by() {
    let mut table = PriceTable::default();
    for (provider, model, dollars) in [
        (Some("claude"), "claude-sonnet-4-20250514", Some("3")),
        (Some("anthropic"), "anthropic/claude-sonnet-4", Some("3")),
        (None, "claude-sonnet-4", Some("3")),
        (
            Some("aws.bedrock"),
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            Some("3"),
        ),
        (
            Some("bedrock"),
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Some("3.3"),
        ),
        (
            Some("bedrock"),
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Some("3"),
        ),
        (Some("vertex_ai"), "claude-sonnet-4-5@20250929", Some("3")),
        (Some("openrouter"), "anthropic/claude-sonnet-4", Some("3")),
        (None, "openrouter/anthropic/claude-sonnet-4", Some("3")),
        (Some("openai"), "gpt-4o-2024-08-06", Some("2.5")),
        (Some("openai"), "gpt-4o-2024-05-13", Some("5")),
        (Some("my-proxy"), "azure/gpt-4o-2024-08-06", Some("2.5")),
        (Some("gemini"), "models/gemini-2.5-pro", Some("1.25")),
        (Some("openai"), "gpt-4o-super", None),
        (Some("my-proxy"), "gpt-4o", None),
        (Some("openai"), "claude-sonnet-4", None),
    ] {
        let found = input_price(&mut table, provider, model, NOW);
        assert_eq!(found.as_deref(), dollars, "{provider:?} {model}");
    }
}

#[test]
fn a_price_holds_from_its_day_on() {
    let mut table = PriceTable::default();
    // o3 became cheaper on 2025-06-10.
    let day = Millis(1_749_513_600_000);
    for (at, dollars) in [(day.plus(-1), "10"), (day, "2")] {
        let found = input_price(&mut table, Some("openai"), "o3", at);
        assert_eq!(found.as_deref(), Some(dollars), "{at}");
    }
}

#[test]
fn the_users_price_counts_before_the_built_in_one_while_it_holds() {
    let own = |model: &str, from: Option<Millis>, dollars: i64| {
        let mut rates = Rates::default();
        rates.set(PriceClass::Input, Usd::dollars(dollars));
        Price {
            provider: "openai".to_owned(),
            model: model.to_owned(),
            from,
            until: None,
            source: "user".to_owned(),
            read_at: None,
            tiers: vec![PriceTier {
                rates,
                ..PriceTier::default()
            }],
        }
    };
    let later = NOW.plus(1000);
    let mut table = PriceTable::with(vec![
        own("gpt-4o", Some(NOW), 1),
        own("gpt-4o", Some(later), 7),
        own("house-model", None, 4),
    ]);
    for (model, at, dollars) in [
        ("gpt-4o", NOW.plus(-1), Some("2.5")),
        ("gpt-4o", NOW, Some("1")),
        ("gpt-4o", later, Some("7")),
        ("gpt-4o-2024-08-06", NOW, Some("1")),
        ("gpt-4o-2024-05-13", NOW, Some("5")),
        ("house-model", Millis(0), Some("4")),
    ] {
        let found = input_price(&mut table, Some("openai"), model, at);
        assert_eq!(found.as_deref(), dollars, "{model} {at}");
    }
}

#[test]
fn names_without_end_do_not_fill_the_memory() {
    let mut table = PriceTable::default();
    for n in 0..2 * REMEMBERED {
        assert_eq!(table.find(None, &format!("gpt-{n}-x"), NOW), None);
    }
    let kept: usize = table.found.values().map(|models| models.len()).sum();
    assert!(kept <= REMEMBERED, "{kept}");
}

#[test]
fn cached_tokens_cost_what_the_cache_costs() {
    let mut table = PriceTable::default();
    let price = table
        .find(Some("claude"), "claude-sonnet-4-5", NOW)
        .unwrap();
    let tokens = Tokens {
        input_uncached: 1_000,
        cache_read: 10_000,
        cache_write_5m: 2_000,
        cache_write_1h: 3_000,
        output: 400,
        reasoning: 100,
        ..Tokens::default()
    };
    let bill = price.cost(&tokens, ServiceTier::Standard).unwrap();
    // 0.003 + 0.003 + 0.0075 + 0.018 + 0.0075
    assert_eq!(bill.total.to_string(), "0.039");
}
