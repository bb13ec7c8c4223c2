//! Usage objects as providers send them.

use super::*;
use crate::input::tests::request;
use crate::model::{Event, ServiceTier};

fn told(usage: &str) -> Event<'static> {
    request(&format!(r#""usage":{usage}"#)).unwrap()
}

/// Uncached input, cache read, written for 5 minutes, for an hour, output, reasoning.
fn classes(usage: &str) -> [u64; 6] {
    let event = told(usage);
    let t = event.tokens.unwrap();
    assert_eq!(event.total_told, None, "{usage}");
    [
        t.input_uncached,
        t.cache_read,
        t.cache_write_5m,
        t.cache_write_1h,
        t.output,
        t.reasoning,
    ]
}

#[test]
fn each_family_is_counted_by_its_own_rule() {
    for (whose, usage, expected) in [
        (
            "OpenAI's chat",
            r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
                "prompt_tokens_details":{"cached_tokens":64,"audio_tokens":0},
                "completion_tokens_details":{"reasoning_tokens":40,"accepted_prediction_tokens":3}}"#,
            [36, 64, 0, 0, 10, 40],
        ),
        (
            "OpenAI's Responses",
            r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},"output_tokens":50,
                "output_tokens_details":{"reasoning_tokens":40},"total_tokens":150}"#,
            [36, 64, 0, 0, 10, 40],
        ),
        (
            "Anthropic",
            r#"{"input_tokens":4,"cache_creation_input_tokens":300,"cache_read_input_tokens":1000,"output_tokens":50,
                "cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200}}"#,
            [4, 1000, 100, 200, 50, 0],
        ),
        (
            "Gemini",
            r#"{"promptTokenCount":100,"cachedContentTokenCount":30,"candidatesTokenCount":20,"thoughtsTokenCount":7,
                "toolUsePromptTokenCount":5,"totalTokenCount":132,"promptTokensDetails":[{"modality":"TEXT","tokenCount":100}]}"#,
            [75, 30, 0, 0, 20, 7],
        ),
        (
            "Mistral",
            r#"{"prompt_tokens":20,"completion_tokens":18,"total_tokens":38,"prompt_tokens_details":{"cached_tokens":10}}"#,
            [10, 10, 0, 0, 18, 0],
        ),
        (
            "xAI",
            r#"{"prompt_tokens":20,"completion_tokens":10,"total_tokens":70,"completion_tokens_details":{"reasoning_tokens":40}}"#,
            [20, 0, 0, 0, 10, 40],
        ),
        (
            "DeepSeek",
            r#"{"prompt_tokens":20,"prompt_cache_hit_tokens":15,"prompt_cache_miss_tokens":5,"completion_tokens":10,"total_tokens":30}"#,
            [5, 15, 0, 0, 10, 0],
        ),
        (
            "Bedrock's Converse",
            r#"{"inputTokens":20,"cacheReadInputTokens":8,"cacheReadInputTokenCount":8,"cacheWriteInputTokens":2,
                "outputTokens":72,"totalTokens":102}"#,
            [20, 8, 2, 0, 72, 0],
        ),
        (
            "LiteLLM of Anthropic",
            r#"{"prompt_tokens":104,"completion_tokens":5,"total_tokens":109,"cache_creation_input_tokens":60,
                "cache_read_input_tokens":40,"prompt_tokens_details":{"cached_tokens":40}}"#,
            [4, 40, 60, 0, 5, 0],
        ),
        (
            "Cohere",
            r#"{"billed_units":{"input_tokens":94,"output_tokens":27},"tokens":{"input_tokens":1094,"output_tokens":102}}"#,
            [94, 0, 0, 0, 27, 0],
        ),
        (
            "an embedding",
            r#"{"prompt_tokens":8,"total_tokens":8,"completion_tokens":null}"#,
            [8, 0, 0, 0, 0, 0],
        ),
    ] {
        assert_eq!(classes(usage), expected, "{whose}");
    }
}

#[test]
fn audio_and_images_are_told_apart_from_what_was_cached() {
    let tokens = told(
        r#"{"promptTokenCount":100,"cachedContentTokenCount":30,"totalTokenCount":100,
            "promptTokensDetails":[{"modality":"AUDIO","tokenCount":50},{"modality":"IMAGE","tokenCount":9}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20}]}"#,
    )
    .tokens
    .unwrap();
    assert_eq!(
        (
            tokens.input_uncached,
            tokens.cache_read,
            tokens.audio_input,
            tokens.image_input
        ),
        (31, 30, 30, 9)
    );
}

#[test]
fn a_total_that_contradicts_is_a_finding_and_a_total_alone_is_kept_as_such() {
    let event = told(r#"{"prompt_tokens":5,"completion_tokens":4,"total_tokens":10}"#);
    assert_eq!(event.total_told, Some(10));
    let event = told(r#"{"total_tokens":12}"#);
    assert_eq!(event.tokens.unwrap().unclassified, 12);
}

#[test]
fn the_cost_and_the_service_tier_that_it_tells_are_the_events() {
    let event =
        told(r#"{"prompt_tokens":5,"completion_tokens":4,"cost":0.0012,"service_tier":"batch"}"#);
    assert_eq!(event.cost_reported, Some(Usd(1_200_000)));
    assert_eq!(event.service_tier, ServiceTier::Batch);
    assert_eq!(event.metadata, None);
    let both = request(r#""cost":9,"service_tier":"flex","usage":{"prompt_tokens":5,"cost":1,"service_tier":"batch"}"#).unwrap();
    assert_eq!(both.cost_reported, Some(Usd::dollars(9)));
    assert_eq!(both.service_tier, ServiceTier::Flex);
}

#[test]
fn what_is_not_understood_stays_in_metadata() {
    let searched =
        r#"{"input_tokens":5,"output_tokens":4,"server_tool_use":{"web_search_requests":2}}"#;
    assert_eq!(
        told(searched).metadata.unwrap(),
        format!("{{\"usage\":{searched}}}")
    );
    for nothing in [r#""a lot""#, "[1]", r#"{"seconds":3}"#] {
        let event = told(nothing);
        assert_eq!(event.tokens, None, "{nothing}");
        assert_eq!(event.metadata.unwrap(), format!("{{\"usage\":{nothing}}}"));
    }
    let beside = request(r#""input_tokens":7,"usage":{"prompt_tokens":5}"#).unwrap();
    assert_eq!(beside.tokens.unwrap().input_uncached, 7);
    assert!(beside.metadata.is_some());
}

#[test]
fn a_count_that_is_none_is_refused_by_its_path() {
    for (usage, expected) in [
        (
            r#"{"prompt_tokens":-5}"#,
            "usage.prompt_tokens: expected no negative number, found -5",
        ),
        (
            r#"{"prompt_tokens":"5"}"#,
            "usage.prompt_tokens: expected a number, found \"5\"",
        ),
        (
            r#"{"prompt_tokens":5.5}"#,
            "usage.prompt_tokens: expected a whole number, found 5.5",
        ),
        (
            r#"{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":6}}"#,
            "usage.prompt_tokens: 5, but its parts are 6",
        ),
    ] {
        let reject = request(&format!(r#""usage":{usage}"#)).unwrap_err();
        assert_eq!(reject.to_string(), expected);
    }
}
