//! Under which names the price of a model is looked for.
//!
//! The rules, in order; the first name that is found counts, and there is no other
//! way to a price:
//!
//! 1. Names are in lower case. A provider before the model counts when it is the
//!    provider (`anthropic/claude-sonnet-4`), or when none is told or known otherwise
//!    (`openrouter/openai/gpt-4o`). What OpenRouter and others sell keeps its maker.
//! 2. The name as it is.
//! 3. Without the path of a cloud: `models/…`, `publishers/google/models/…`, an ARN.
//! 4. Without `@version`.
//! 5. Of Bedrock: without the geography (`us.`, `eu.`, `apac.`, `jp.`, `au.`, `ca.`),
//!    then without the version (`-v1:0`). `global.` and `us-gov.` have other prices
//!    and stay.
//! 6. Without `-latest`, then without a date (`-20250514`, `-2024-08-06`).
//!
//! When no provider is told, a model of a closed family has that of its maker. What
//! the table holds is not known here. `scripts/update-prices` knows rules 2 to 6 as well.

use super::provider::canonical;

/// Families of models that one maker sells under its own name.
const MAKERS: [(&str, &str); 8] = [
    ("claude-", "anthropic"),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4-", "openai"),
    ("gemini-", "google"),
    ("grok-", "xai"),
];

/// The pairs of provider and name to look for, the best first.
pub(super) fn candidates(
    provider: Option<&str>,
    model: &str,
    is_known: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let model = model.trim().to_ascii_lowercase();
    let told = provider.map(canonical).filter(|p| is_known(p));
    let before = model
        .split_once('/')
        .map(|(head, rest)| (canonical(head), rest));
    let (provider, model) = match (told, before) {
        (Some(told), Some((head, rest))) if told == head => (told, rest),
        (Some(told), _) => (told, &*model),
        (None, Some((head, rest))) if is_known(&head) => (head, rest),
        (None, _) if provider.is_none() => match maker(&model) {
            Some(maker) => (maker.to_owned(), &*model),
            None => return Vec::new(),
        },
        (None, _) => return Vec::new(),
    };
    let names = names(&provider, model);
    names
        .into_iter()
        .map(|name| (provider.clone(), name.to_owned()))
        .collect()
}

fn maker(model: &str) -> Option<&'static str> {
    let family = MAKERS.iter().find(|(family, _)| model.starts_with(family));
    family.map(|(_, maker)| *maker)
}

/// Rules 2 to 6.
fn names<'m>(provider: &str, model: &'m str) -> Vec<&'m str> {
    let mut names = vec![model];
    let mut then = |name: &'m str| {
        if names.last() != Some(&name) {
            names.push(name);
        }
        name
    };
    let mut name = model;
    if ["models/", "publishers/", "arn:"]
        .iter()
        .any(|path| name.starts_with(path))
    {
        name = then(name.rsplit('/').next().unwrap_or(name));
    }
    name = match name.split_once('@') {
        Some((before, _)) if !before.is_empty() => then(before),
        Some(_) | None => name,
    };
    if provider == "bedrock" {
        name = then(without_geography(name));
        name = then(without_version(name));
    }
    name = then(name.strip_suffix("-latest").unwrap_or(name));
    then(without_date(name));
    names
}

fn without_geography(name: &str) -> &str {
    match name.split_once('.') {
        Some(("us" | "eu" | "apac" | "jp" | "au" | "ca", rest)) => rest,
        Some(_) | None => name,
    }
}

/// Without `:0` and then `-v1`.
fn without_version(name: &str) -> &str {
    let name = match name.rsplit_once(':') {
        Some((before, number)) if is_digits(number) => before,
        Some(_) | None => name,
    };
    match name.rsplit_once("-v") {
        Some((before, number)) if is_digits(number) => before,
        Some(_) | None => name,
    }
}

fn without_date(name: &str) -> &str {
    let shapes: [&[usize]; 2] = [&[8], &[4, 2, 2]];
    let dated = shapes.into_iter().find_map(|shape| {
        let (mut before, mut year) = (name, "");
        for digits in shape.iter().rev() {
            (before, year) = before.rsplit_once('-')?;
            if year.len() != *digits || !is_digits(year) {
                return None;
            }
        }
        year.starts_with("20").then_some(before)
    });
    dated.unwrap_or(name)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_decorations_one_by_one() {
        for (provider, model, expected) in [
            (
                "bedrock",
                "us.anthropic.claude-sonnet-4-20250514-v1:0",
                &[
                    "us.anthropic.claude-sonnet-4-20250514-v1:0",
                    "anthropic.claude-sonnet-4-20250514-v1:0",
                    "anthropic.claude-sonnet-4-20250514",
                    "anthropic.claude-sonnet-4",
                ][..],
            ),
            (
                "openai",
                "gpt-4o-2024-08-06",
                &["gpt-4o-2024-08-06", "gpt-4o"],
            ),
            (
                "google",
                "publishers/anthropic/models/claude-opus-4@20250514",
                &[
                    "publishers/anthropic/models/claude-opus-4@20250514",
                    "claude-opus-4@20250514",
                    "claude-opus-4",
                ],
            ),
            (
                "mistral",
                "mistral-large-latest",
                &["mistral-large-latest", "mistral-large"],
            ),
            ("cloudflare", "@cf/meta/llama", &["@cf/meta/llama"]),
            ("openai", "gpt-4-0613", &["gpt-4-0613"]),
            ("anthropic", "a-19991231", &["a-19991231"]),
            ("anthropic", "é-2025-01-", &["é-2025-01-"]),
        ] {
            assert_eq!(names(provider, model), expected);
        }
    }

    #[test]
    fn a_provider_before_the_model_counts_where_none_is_known_otherwise() {
        let known = |p: &str| ["anthropic", "openrouter", "openai", "azure"].contains(&p);
        let first = |provider, model| {
            let all = candidates(provider, model, known);
            all.into_iter().next().map(|(p, m)| format!("{p} {m}"))
        };
        for (provider, model, expected) in [
            (
                Some("claude"),
                "anthropic/claude-sonnet-4",
                Some("anthropic claude-sonnet-4"),
            ),
            (
                Some("openrouter"),
                "anthropic/claude-sonnet-4",
                Some("openrouter anthropic/claude-sonnet-4"),
            ),
            (
                None,
                "openrouter/openai/gpt-4o",
                Some("openrouter openai/gpt-4o"),
            ),
            (Some("my-proxy"), "azure/gpt-4o", Some("azure gpt-4o")),
            (Some("my-proxy"), "gpt-4o", None),
            (None, "GPT-4o", Some("openai gpt-4o")),
            (None, "llama-3", None),
            (None, "meta/llama-3", None),
        ] {
            assert_eq!(
                first(provider, model).as_deref(),
                expected,
                "{provider:?} {model}"
            );
        }
    }
}
