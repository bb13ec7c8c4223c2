//! The ways in which providers count, and what is inside what.
//!
//! How a usage object is read is not known here.

/// One way of counting. A list of names is what the same count is called; the first
/// that is told counts. A dot leads into an object, and into a list of counts by
/// modality (`[{"modality": "AUDIO", "tokenCount": 5}]`) or by lifetime.
pub(super) struct Family {
    /// Any of these tells the family.
    pub(super) sign: &'static [&'static str],
    pub(super) input: &'static [&'static str],
    /// Input that is told beside `input`.
    pub(super) more_input: &'static [&'static str],
    pub(super) cache_read: &'static [&'static str],
    pub(super) cache_write: &'static [&'static str],
    /// The part of `cache_write` that lives an hour.
    pub(super) cache_write_1h: &'static [&'static str],
    pub(super) cache: Cache,
    /// Part of `input`.
    pub(super) audio_input: &'static [&'static str],
    /// The part of `audio_input` that was read from the cache, and so is part of that.
    pub(super) cached_audio: &'static [&'static str],
    pub(super) image_input: &'static [&'static str],
    pub(super) cached_image: &'static [&'static str],
    pub(super) output: &'static [&'static str],
    pub(super) reasoning: &'static [&'static str],
    pub(super) thoughts: Thoughts,
    pub(super) audio_output: &'static [&'static str],
    pub(super) total: &'static [&'static str],
}

/// Where cached tokens are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// In the count of input.
    Inside,
    /// Beside it.
    Beside,
}

/// Where reasoning is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Thoughts {
    /// In the count of output.
    Inside,
    /// Beside it.
    Beside,
    /// In it, unless the total is only right when it is beside (xAI).
    TotalTells,
}

pub(super) const NONE: Family = Family {
    sign: &[],
    input: &[],
    more_input: &[],
    cache_read: &[],
    cache_write: &[],
    cache_write_1h: &[],
    cache: Cache::Inside,
    audio_input: &[],
    cached_audio: &[],
    image_input: &[],
    cached_image: &[],
    output: &[],
    reasoning: &[],
    thoughts: Thoughts::Inside,
    audio_output: &[],
    total: &["total_tokens"],
};

/// All ways of counting; the first whose sign is found.
pub(super) const FAMILIES: [Family; 5] = [
    // OpenAI's chat, and all who speak it: Azure, Groq, Mistral, OpenRouter, DeepSeek,
    // xAI, Moonshot, Together, Writer, vLLM, LiteLLM. Everything is inside.
    Family {
        sign: &["prompt_tokens", "completion_tokens"],
        input: &["prompt_tokens"],
        cache_read: &[
            "prompt_tokens_details.cached_tokens",
            "prompt_token_details.cached_tokens",
            "cache_read_input_tokens",
            "prompt_cache_hit_tokens",
            "cached_prompt_text_tokens",
            "cached_tokens",
        ],
        cache_write: &[
            "prompt_tokens_details.cache_write_tokens",
            "prompt_tokens_details.cache_creation_tokens",
            "cache_creation_input_tokens",
        ],
        audio_input: &["prompt_tokens_details.audio_tokens"],
        image_input: &["prompt_tokens_details.image_tokens"],
        output: &["completion_tokens"],
        reasoning: &[
            "completion_tokens_details.reasoning_tokens",
            "completion_token_details.reasoning_tokens",
            "reasoning_tokens",
        ],
        thoughts: Thoughts::TotalTells,
        audio_output: &["completion_tokens_details.audio_tokens"],
        ..NONE
    },
    // Gemini's usageMetadata. Cached input is inside, thoughts and the input that
    // tools made are beside.
    Family {
        sign: &[
            "prompt_token_count",
            "candidates_token_count",
            "total_token_count",
        ],
        input: &["prompt_token_count"],
        more_input: &["tool_use_prompt_token_count"],
        cache_read: &["cached_content_token_count"],
        audio_input: &["prompt_tokens_details.audio"],
        cached_audio: &["cache_tokens_details.audio"],
        image_input: &["prompt_tokens_details.image"],
        cached_image: &["cache_tokens_details.image"],
        output: &["candidates_token_count"],
        reasoning: &["thoughts_token_count"],
        thoughts: Thoughts::Beside,
        audio_output: &["candidates_tokens_details.audio"],
        total: &["total_token_count"],
        ..NONE
    },
    // Anthropic, and Bedrock's Converse. What was read from or written to a cache is
    // beside the input; thinking is inside the output.
    Family {
        sign: &[
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_write_input_tokens",
            "cache_creation.ephemeral_5m_input_tokens",
            "cache_creation.ephemeral_1h_input_tokens",
            "cache_read_input_token_count",
            "cache_write_input_token_count",
        ],
        input: &["input_tokens"],
        cache_read: &["cache_read_input_tokens", "cache_read_input_token_count"],
        cache_write: &[
            "cache_creation_input_tokens",
            "cache_write_input_tokens",
            "cache_write_input_token_count",
        ],
        cache_write_1h: &[
            "cache_creation.ephemeral_1h_input_tokens",
            "cache_details.1h",
        ],
        cache: Cache::Beside,
        output: &["output_tokens"],
        reasoning: &["output_tokens_details.thinking_tokens"],
        ..NONE
    },
    // OpenAI's Responses, and Anthropic and Bedrock without a cache. Everything is inside.
    Family {
        sign: &["input_tokens", "output_tokens"],
        input: &["input_tokens"],
        cache_read: &["input_tokens_details.cached_tokens"],
        cache_write: &["input_tokens_details.cache_write_tokens"],
        audio_input: &["input_tokens_details.audio_tokens"],
        image_input: &["input_tokens_details.image_tokens"],
        output: &["output_tokens"],
        reasoning: &["output_tokens_details.reasoning_tokens"],
        audio_output: &["output_tokens_details.audio_tokens"],
        ..NONE
    },
    // Cohere: what is billed, not what was read.
    Family {
        sign: &["billed_units.input_tokens", "billed_units.output_tokens"],
        input: &["billed_units.input_tokens"],
        output: &["billed_units.output_tokens"],
        total: &[],
        ..NONE
    },
];

/// Counts that say nothing new: parts of what is counted elsewhere.
pub(super) const IMPLIED: [&str; 6] = [
    "text",
    "text_tokens",
    "prompt_cache_miss_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",
    "ephemeral_5m_input_tokens",
];
