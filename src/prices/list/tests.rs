//! Small lists in the form of each format.

use super::*;

const NOW: Millis = Millis(1_795_564_800_000);

/// Each tier as `provider/model tier from: input output cache_read`.
fn told(text: &str) -> Vec<String> {
    let prices = read_list(text, None, "list", NOW).unwrap();
    let tier = |price: &Price, tier: &PriceTier| {
        let rate = |class| {
            tier.rates
                .get(class)
                .map_or("-".to_owned(), |usd| usd.to_string())
        };
        let [input, output, read] =
            [PriceClass::Input, PriceClass::Output, PriceClass::CacheRead].map(rate);
        let from = price
            .from
            .map_or("always".to_owned(), |at| at.to_string()[..10].to_owned());
        format!(
            "{}/{} {} {from}: {input} {output} {read}",
            price.provider,
            price.model,
            tier.name()
        )
    };
    prices
        .iter()
        .flat_map(|p| p.tiers.iter().map(move |t| tier(p, t)))
        .collect()
}

#[test]
fn litellm_prices_single_tokens_in_tiers() {
    let text = r#"{
        "gemini/gemini-x": {"litellm_provider": "gemini", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 0.00001,
            "cache_read_input_token_cost": 1.25e-07, "input_cost_per_token_above_200k_tokens": 2.5e-06,
            "input_cost_per_token_batches": 6.25e-07, "input_cost_per_token_ultrafast": 1},
        "unknown": {"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_token": 0}}"#;
    assert_eq!(
        told(text),
        [
            "google/gemini-x standard always: 1.25 10 0.125",
            "google/gemini-x >200000 always: 2.5 - -",
            "google/gemini-x batch always: 0.625 - -",
        ]
    );
}

#[test]
fn genai_prices_have_dates_and_tiers_that_keep_what_they_do_not_change() {
    let text = r#"[{"id": "anthropic", "models": [{"id": "claude-x", "match": {}, "prices": [
        {"prices": {"input_mtok": {"base": 3, "tiers": [{"start": 200000, "price": 6}]}, "output_mtok": 15}},
        {"constraint": {"start_date": "2026-03-13"}, "prices": {"input_mtok": 3, "output_mtok": 15}},
        {"constraint": {"start_time": "00:30:00Z"}, "prices": {"input_mtok": 1}}]}]}]"#;
    assert_eq!(
        told(text),
        [
            "anthropic/claude-x standard always: 3 15 -",
            "anthropic/claude-x >200000 always: 6 15 -",
            "anthropic/claude-x standard 2026-03-13: 3 15 -",
        ]
    );
}

#[test]
fn llm_prices_say_from_when_to_when() {
    let text = r#"{"prices": [{"id": "o3", "vendor": "openai", "name": "o3", "input": 2, "output": 8, "input_cached": 0.5,
        "from_date": "2025-06-10", "to_date": null}]}"#;
    assert_eq!(told(text), ["openai/o3 standard 2025-06-10: 2 8 0.5"]);
}

#[test]
fn the_own_list_is_json_or_toml_and_refuses_what_it_does_not_know() {
    let toml = "[[prices]]\nprovider = \"House\"\nmodel = \"h1\"\ninput = 0.1\noutput = \"0.123456789\"\n\
                [[prices]]\nprovider = \"house\"\nmodel = \"h1\"\ntier = \"batch\"\ninput = 0\n";
    assert_eq!(
        told(toml),
        [
            "house/h1 standard always: 0.1 0.123456789 -",
            "house/h1 batch always: 0 - -"
        ]
    );
    for (fields, reason) in [
        (r#""input": -1"#, "input: -1 is no price"),
        (r#""inptu": 1"#, "inptu is no class of tokens"),
        (r#""tier": "bulk", "input": 1"#, "bulk is no tier"),
        (r#""from": "soon", "input": 1"#, "soon is no day"),
        (r#""tier": "batch", "input": 1"#, "m has no standard price"),
    ] {
        let text = format!(r#"{{"prices": [{{"provider": "p", "model": "m", {fields}}}]}}"#);
        let error = read_list(&text, None, "list", NOW).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("not a price list of obs: {reason}")
        );
    }
    assert!(matches!(
        read_list("hello", None, "list", NOW),
        Err(ListError::Unknown)
    ));
}
